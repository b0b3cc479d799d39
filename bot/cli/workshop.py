"""What making needs where nothing is on record: attempts in memory, a bar for how far it is, a folder for what is made."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, Self

from rich.progress import TimeElapsedColumn

from bot.cli.looking import STOPPING, Bar, LocalFiles, progress_of
from bot.config_file import read_config
from bot.generator import open_generator
from bot.models import open_models
from bot.settings import Settings
from bot.understudy import Understudy
from pipelines.content import Attachment
from pipelines.errors import Misconfigured
from pipelines.generation.failures import FailureKind
from pipelines.generation.make import Attempt, AttemptState
from pipelines.generation.wish import MakerJob
from pipelines.media.intake import MediaReader
from pipelines.media.kinds import kind_of
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Generator, LanguageModel, Media

STEM_CHARS: Final = 40
NO_MAKER: Final = "Nothing can be made beside real workspaces without MODELSLAB_API_KEY. Set it, or leave their tokens out."

State = Literal["stopping", "making", "checking", "waiting", "done"]
# What is said of all things together: of their states the first one here.
_SAYS: Final[dict[State, str]] = {"stopping": STOPPING, "making": "Making", "checking": "Checking", "waiting": "Waiting"}


@dataclass(slots=True)
class Attempts:
    """The attempts at one thing, for as long as this process lives; implements `pipelines.generation.make.Attempts`.

    `slots`: how many jobs may exist at once. `files` gets what was fetched, at the addresses that `address` returns.
    """

    slots: asyncio.Semaphore
    files: "Files"
    name: str
    known: dict[int, Attempt] = field(default_factory=dict)
    prompts: dict[int, str] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, attempt: int) -> AsyncIterator[None]:
        async with self.slots:
            self.known[attempt] = Attempt(state="submitting")
            yield

    @asynccontextmanager
    async def resumed(self) -> AsyncIterator[None]:
        async with self.slots:
            yield

    async def nap(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def find(self, attempt: int) -> Attempt | None:
        return self.known.get(attempt)

    async def update(
        self, attempt: int, state: AttemptState, *, job: MakerJob | None = None, failure: FailureKind | None = None
    ) -> None:
        before = self.known[attempt]
        self.known[attempt] = replace(before, state=state, job=job or before.job, failure=failure or before.failure)

    async def keep(self, attempt: int, data: bytes) -> None:
        self.files.made[self.address(attempt)] = data
        await self.update(attempt, "fetched")

    def address(self, attempt: int) -> str:
        return f"memory:{self.name}:{attempt}"

    def attachment(self, attempt: int) -> Attachment:
        """Return where the result of an attempt lies, as a file that can be read like any other."""
        return Attachment(id=f"{self.name}:{attempt}", url=self.address(attempt), name="made", media_type="", size_bytes=0)

    @property
    def paid(self) -> int:
        """Return how many jobs the maker took, or may have taken."""
        return sum(each.job is not None or each.state in ("submitting", "unclear") for each in self.known.values())


@dataclass(slots=True)
class Files(LocalFiles):
    """Files of this machine, and what was made but is not on the disk yet."""

    made: dict[str, bytes] = field(default_factory=dict)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        made = self.made.get(attachment.url)
        return made if made is not None else await super(Files, self).fetch(attachment, limit_bytes=limit_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What making something needs."""

    files: Files
    media: Media
    model: LanguageModel
    generator: Generator
    slots: asyncio.Semaphore


@asynccontextmanager
async def open_kit(settings: Settings, out: Path) -> AsyncIterator[Kit]:
    """Open whoever thinks, judges and makes. Raises: `Misconfigured` when nobody makes anything, or `out` cannot be used."""
    usable(out)
    async with AsyncExitStack() as stack:
        understudy = await stack.enter_async_context(Understudy())
        sandbox = await stack.enter_async_context(Sandbox())
        model = await stack.enter_async_context(open_models(settings, understudy=understudy))
        opening = open_generator(settings, config=read_config(settings), understudy=understudy)
        generator = await stack.enter_async_context(opening)
        if generator is None:
            raise Misconfigured(NO_MAKER)
        files = Files()
        yield Kit(
            files=files,
            media=MediaReader(files, sandbox),
            model=model,
            generator=generator,
            slots=asyncio.Semaphore(generator.slots),
        )


# --- How far it is ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MakingBar(Bar):
    """How far the things are, all wishes together."""

    states: dict[str, State] = field(default_factory=dict)

    def advance(self) -> None:
        """Nothing: each thing counts by itself."""

    def stopping(self) -> None:
        self.note("all of them", "stopping")

    def note(self, thing: str, state: State) -> None:
        self.states[thing] = state
        if self.progress is not None:
            says = next((_SAYS[each] for each in _SAYS if each in self.states.values()), _SAYS["checking"])
            done = sum(each == "done" for each in self.states.values())
            self.progress.update(self.progress.task_ids[0], description=says, completed=done)

    @contextmanager
    def shown(self) -> Iterator[Self]:
        with self.progress or nullcontext():
            yield self


def bar_of(total: int) -> MakingBar:
    """Return a bar for `total` things; it shows nothing where standard error is no terminal."""
    return MakingBar(progress_of(total, _SAYS["waiting"], time=TimeElapsedColumn(), spins=True))


# --- The folder ---------------------------------------------------------------------------------------------------------------


def usable(folder: Path) -> None:
    """Make the folder if it is not there, before anything is spent. Raises: `Misconfigured` when it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
    except OSError as error:
        raise Misconfigured(f"--out {folder}: files cannot be laid there. Name another folder.") from error


def stem_of(words: str) -> str:
    """Return what files are called that are made of these words."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:STEM_CHARS].strip("-") or "made"


def first_free(folder: Path, stem: str) -> int:
    """Return the number behind the last one that is taken."""
    named = re.compile(rf"{re.escape(stem)}-(\d{{1,9}})\.\w+")
    return 1 + max((int(found[1]) for each in folder.iterdir() if (found := named.fullmatch(each.name))), default=0)


def save(data: bytes, about: dict[str, Any], *, folder: Path, stem: str, number: int, step: int) -> Path:
    """Write what was made as `STEM-NUMBER.png`, and what is known of it as JSON beside it. What is there is never overwritten.

    Where the number is taken meanwhile, `step` is added until one is free. Raises: `OSError`; nothing of it is left then.
    """
    kind = kind_of(data)
    ending = kind.extensions[0] if kind and kind.extensions else "bin"
    for tried in count(number, step):
        path, beside = folder / f"{stem}-{tried}.{ending}", folder / f"{stem}-{tried}.json"
        told = json.dumps({"file": path.name, **about}, ensure_ascii=False, indent=2)
        try:
            _write_new(beside, f"{told}\n".encode())
        except FileExistsError:
            continue
        try:
            _write_new(path, data)
        except OSError as error:
            beside.unlink()
            if isinstance(error, FileExistsError):
                continue
            raise
        return path
    raise AssertionError("numbers do not end")


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that was not there; where that fails halfway, it is not there either."""
    file = path.open("xb")
    try:
        with file:
            file.write(data)
    except OSError:
        path.unlink()
        raise
