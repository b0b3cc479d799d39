"""`tag` and `moderate`: several inputs at a time, answers in the order of the inputs. No data folder, no database."""

import asyncio
import mimetypes
import os
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from bot.cli.ends import End, end_of, plain, say_problem
from bot.models import open_models
from bot.policies import own_policy
from bot.settings import Settings
from pipelines.content import Attachment, Content
from pipelines.errors import FlashbulbError, UserError
from pipelines.limits import FILE_BYTES, TEXT_JUDGED_CHARS
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Policy, everywhere
from pipelines.moderation.tightening import tightened
from pipelines.moderation.verdict import Verdict
from pipelines.ports import LanguageModel, Media
from pipelines.tagging import tag

Kit = TypeVar("Kit")

AT_ONCE: Final = 4
BAR_COLUMNS: Final = 36  # a narrower terminal has no room for a bar beside its words and numbers
STOPPING: Final = "Stopping"
FILE_KINDS: Final = ("image/", "video/", "audio/", "application/pdf")

# Why content could not be judged in full, where that is not itself what was found.
UNKNOWN_ENDS = {"unreadable": End.USAGE, "judge_down": End.UNAVAILABLE, "bad_answer": End.UNAVAILABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What looking at something needs."""

    media: Media
    model: LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One argument: a file, or a text where `path` is None."""

    given: str
    path: Path | None

    @property
    def file(self) -> str | None:
        """Return the file's name as it was given; None for a text."""
        return None if self.path is None else plain(self.given)

    @property
    def content(self) -> Content:
        if self.path is None:
            return Content(text=self.given)
        media_type = mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"
        return Content(
            attachments=(
                Attachment(
                    id="0",
                    url=self.path.absolute().as_uri(),
                    name=plain(self.path.name),
                    media_type=media_type,
                    size_bytes=self.path.stat().st_size,
                ),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one input. `document` is what `--json` prints; `error` is a sentence where there is no answer."""

    input: Input
    document: dict[str, Any]
    end: End
    error: str | None = None


class LocalFiles:
    """Files of this machine, for the command line alone: implements `pipelines.ports.Files`."""

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the bytes behind a `file:` address.

        Raises: `UserError` when they cannot be read or are more than `limit_bytes`.
        """
        return await asyncio.to_thread(self._read, Path(unquote(urlsplit(attachment.url).path)), limit_bytes)

    @staticmethod
    def _read(path: Path, limit_bytes: int) -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(limit_bytes + 1)
        except OSError as error:
            raise UserError(f"The file cannot be read ({type(error).__name__}).") from error
        if len(data) > limit_bytes:
            raise UserError(f"The file is larger than {limit_bytes // 1_048_576} MB.")
        return data


async def tag_files(names: Sequence[str], settings: Settings, show: Callable[[Seen], None]) -> End:
    """Tag pictures; `show` gets each answer as soon as it and all before it are there."""

    async def look(each: Input, tools: Tools) -> Seen:
        began = monotonic()
        reply = await tag(await tools.media.intake(each.content), model=tools.model, media=tools.media)
        tags = reply.value().model_dump(mode="json")
        return Seen(input=each, document={"file": each.file, **tags, **made_by(reply.engine, began)}, end=End.DONE)

    return await look_at([Input(given=name, path=Path(name)) for name in names], look, open_tools(settings), show)


async def moderate_inputs(
    given: Sequence[str], settings: Settings, show: Callable[[Seen], None], *, policy: Policy | None
) -> End:
    """Judge files and texts against `policy`, else the operator's own, else the shipped one."""
    rules = policy or own_policy(settings)

    async def look(each: Input, tools: Tools) -> Seen:
        began = monotonic()
        intake = tightened(await tools.media.intake(each.content, file_bytes=rules.limits.file_bytes), rules.limits)
        verdict, _ = await moderate(intake, policy=everywhere(rules), model=tools.model)
        document = {"file": each.file, **_verdict_document(verdict), **made_by(verdict.engine, began)}
        return Seen(input=each, document=document, end=_end_of_verdict(verdict))

    return await look_at([_file_or_text(each) for each in given], look, open_tools(settings), show)


async def look_at(
    inputs: Sequence[Input],
    look: Callable[[Input, Kit], Awaitable[Seen]],
    opening: AbstractAsyncContextManager[Kit],
    show: Callable[[Seen], None],
    *,
    problem_of: Callable[[Input], str | None] | None = None,
    bar: AbstractContextManager["Bar"] | None = None,
) -> End:
    """Look at several inputs at a time, each with what `opening` opens once for all; show what came of each, in order.

    `problem_of` says what is wrong with an input before anything is opened; `bar` shows how far all of it is.
    """
    find_problem = problem_of or problem_of_input
    problems = {position: problem for position, each in enumerate(inputs) if (problem := find_problem(each))}
    async with AsyncExitStack() as stack:
        # Starting a model takes a second or two, which nobody should wait for who mistyped the only name.
        tools = await stack.enter_async_context(opening) if len(problems) < len(inputs) else None
        shown = stack.enter_context(bar or _progress(len(inputs)))
        slots = asyncio.Semaphore(AT_ONCE)

        async def look_safely(position: int, each: Input) -> Seen:
            try:
                if tools is None or position in problems:
                    return _failed(each, UserError(problems[position]))
                async with slots:
                    return await look(each, tools)
            except FlashbulbError as error:
                return _failed(each, error)
            finally:
                shown.advance()

        tasks = [asyncio.create_task(look_safely(position, each)) for position, each in enumerate(inputs)]
        try:
            ends = []
            for task in tasks:
                await asyncio.wait([task])  # or else whoever is told to stop hears of it when the task has ended
                seen = task.result()
                with shown.taken_down():
                    ends.append(_shown(seen, show))
        except asyncio.CancelledError:
            shown.stopping()
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if End.UNAVAILABLE in ends:
        say_problem("A service did not answer as it should. flashbulb doctor says what to do about it.")
    return max(ends, default=End.DONE)


def _shown(seen: Seen, show: Callable[[Seen], None]) -> End:
    show(seen)
    if seen.error is not None:
        say_problem(seen.error)
    return seen.end


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncIterator[Tools]:
    """Open what looking at files needs."""
    async with Sandbox() as sandbox, open_models(settings) as model:
        yield Tools(media=MediaReader(LocalFiles(), sandbox), model=model)


@dataclass(frozen=True, slots=True)
class Bar:
    """How far the inputs are, on standard error; without `progress` nothing is shown."""

    progress: Progress | None

    def advance(self) -> None:
        if self.progress is not None:
            self.progress.advance(self.progress.task_ids[0])

    def stopping(self) -> None:
        """Say that it was heard, where what is under way has to come to its end first."""
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], description=STOPPING)

    @contextmanager
    def taken_down(self) -> Iterator[None]:
        """Take the bar off the terminal while an answer is printed there, which would run into it."""
        if self.progress is None:
            yield
            return
        self.progress.stop()
        try:
            yield
        finally:
            if not self.progress.finished:
                self.progress.start()


@contextmanager
def _progress(total: int) -> Iterator[Bar]:
    """Show a bar for several inputs, where standard error is a terminal."""
    progress = progress_of(total, "Looking", time=TimeRemainingColumn()) if total > 1 else None
    with progress or nullcontext():
        yield Bar(progress)


def progress_of(total: int, says: str, *, time: ProgressColumn, spins: bool = False) -> Progress | None:
    """Return what shows how many of `total` are done; None where standard error is no terminal that can take a line back."""
    console = Console(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        return None
    spinner = (SpinnerColumn(),) if spins else ()
    bar = (BarColumn(),) if console.width >= BAR_COLUMNS else ()
    columns = (*spinner, TextColumn("{task.description}"), *bar, MofNCompleteColumn(), time)
    # Answers are printed while it is down; only warnings come in between, and those it leads around itself.
    progress = Progress(*columns, console=console, transient=True, redirect_stdout=False)
    progress.add_task(says, total=total)
    return progress


def problem_of_input(each: Input) -> str | None:
    """Return what is wrong with an input before anything is started for it."""
    if not each.given.strip():
        return "This is empty. Name a file, or give a text."
    if each.path is None:
        too_long = len(each.given) > TEXT_JUDGED_CHARS
        return f"This text is longer than {TEXT_JUDGED_CHARS:,} characters. Judge it in pieces." if too_long else None
    try:
        status = each.path.stat()
    except FileNotFoundError:
        return "There is no such file. Check its name."
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return f"The file cannot be looked up ({type(error).__name__}). Check its name."
    if stat.S_ISDIR(status.st_mode):
        return "This is a folder. Name the files in it, such as FOLDER/*.jpg."
    if not stat.S_ISREG(status.st_mode):
        return "This is not a regular file. Save it to one first."
    if not os.access(each.path, os.R_OK):
        return "You may not read this file. Change its permissions (chmod u+r)."
    if status.st_size == 0:
        return "This file is empty. Choose another one."
    if status.st_size > FILE_BYTES:
        return f"This file is larger than {FILE_BYTES // 1_048_576} MB. Make it smaller first."
    return None


def _file_or_text(given: str) -> Input:
    """Tell a file's name from a text: a file is there, or a single word ends like the name of one."""
    try:
        exists = bool(given) and Path(given).exists()  # an empty path is the working folder
    except (OSError, ValueError):  # too long for a name, or with a NUL
        exists = False
    kind = mimetypes.guess_type(given)[0] or ""
    named_like_one = kind.startswith(FILE_KINDS) and "://" not in given and not any(letter.isspace() for letter in given)
    return Input(given=given, path=Path(given) if exists or named_like_one else None)


def _failed(each: Input, error: FlashbulbError) -> Seen:
    sentence = f"{each.file}: {error}" if each.file else str(error)
    document = {"file": each.file, "error": str(error), "engine": "none", "elapsed_ms": 0}
    return Seen(input=each, document=document, end=end_of(error), error=sentence)


def made_by(engine: str, began: float) -> dict[str, Any]:
    return {"engine": engine, "elapsed_ms": round((monotonic() - began) * 1000)}


def _verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.decision,
        "action": verdict.action.value,
        "reasons": list(verdict.reasons),
        "findings": [finding.model_dump(mode="json") for finding in verdict.findings],
        "coverage": verdict.coverage.model_dump(),
        "policy": verdict.policy,
    }


def _end_of_verdict(verdict: Verdict) -> End:
    if verdict.decision == "allow":
        return End.DONE
    if verdict.decision == "act":
        return End.FOUND
    return max((UNKNOWN_ENDS.get(each.cause, End.FOUND) for each in verdict.incomplete), default=End.FOUND)
