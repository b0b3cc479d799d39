"""Cases, banks and services for tests in which a case changes after it was opened."""

from dataclasses import dataclass, field, replace

from handlers.bursts import Bursts
from handlers.ports import Services
from pipelines.content import Content, Hashes, Intake, Reading
from tests.fakes import Known, PlainMedia


@dataclass
class HashedMedia(PlainMedia):
    """Every file is known by its name: `cat.jpg` twice is the same picture twice."""

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        made = await super().intake(content, fine=fine, file_bytes=file_bytes)
        named = enumerate(content.attachments)
        readings = [
            Reading(place=f"file:{at}", media_type="image/jpeg", status="ok", hashes=Hashes(sha256=each.name, pixels=each.name))
            for at, each in named
        ]
        return replace(made, readings=tuple(readings))


@dataclass
class Keeping(Known):
    """All the fakes of one test."""

    media: HashedMedia = field(default_factory=HashedMedia)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.bursts = Bursts(clock=lambda: self.now)

    @property
    def services(self) -> Services:
        return replace(super().services, bursts=self.bursts)
