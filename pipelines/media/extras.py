"""Kinds of files that need an optional package."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """`kinds` cannot be read without `module`, which comes with `flashbulb[name]`."""

    name: str
    module: str
    kinds: str

    @property
    def present(self) -> bool:
        return find_spec(self.module) is not None

    @property
    def what_to_do(self) -> str:
        return f"the operator of this bot can change that with: pip install 'flashbulb[{self.name}]'."


HEIC: Final = Extra(name="heic", module="pillow_heif", kinds="HEIC pictures")
VIDEO: Final = Extra(name="video", module="av", kinds="Videos and sound")


def missing_readers() -> tuple[str, ...]:
    """Return a sentence for each kind of file that cannot be read here, with what to do about it."""
    return tuple(
        f"{extra.kinds} are not read here, and wait for a moderator. Install them with: pip install 'flashbulb[{extra.name}]'"
        for extra in (HEIC, VIDEO)
        if not extra.present
    )
