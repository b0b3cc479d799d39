"""The baseline of `bench/baseline/`, as something to post to. See there for what it does and what it leaves out."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.gallery import Upload
from bench.model import MODEL

FOLDER: Final = Path(__file__).parent / "baseline"
PYTHON: Final = FOLDER / ".venv" / "bin" / "python"

# As the articles have it; a thread for each message; and that with pictures opened by their path, which spares the SDK packing.
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "article": (),
    "threads": ("--threads",),
    "threads, opened by path": ("--threads", "--from-path"),
}


@dataclass(slots=True)
class Article:
    """A running baseline: posting is a line on its standard input, acting a line on its standard output."""

    process: asyncio.subprocess.Process
    _tell: Callable[[str], None] = field(default=lambda message: None)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def on_action(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def post(self, upload: Upload) -> str:
        assert self.process.stdin is not None
        message = {"id": str(next(self._numbers)), "text": upload.text, "file": str(upload.file) if upload.file else None}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()
        return str(message["id"])

    async def follow(self) -> None:
        """Pass on what it says until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            if not said["safe"]:  # which here only an error is
                self._tell(said["id"])


@asynccontextmanager
async def article(way: str, *, model_url: str, log: Path) -> AsyncIterator[Article]:
    """Start the baseline in one of `WAYS`; its environment is made when it is not there yet.

    Raises: `RuntimeError` where the environment cannot be made or the process does not start.
    """
    python = await environment()
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            str(python),
            str(FOLDER / "article.py"),
            *("--endpoint", model_url, "--model", MODEL, *WAYS[way]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    try:
        if (await process.stdout.readline()).strip() != b"READY":
            raise RuntimeError(f"The baseline did not start. Its log is {log}.")
        running = Article(process)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(running.follow())
            yield running
            following.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def environment() -> Path:
    """Return the Python of the baseline's environment, which holds what `bench/baseline/uv.lock` names.

    Raises: `RuntimeError` where it cannot be made.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    process = await asyncio.create_subprocess_exec(
        *(uv, "sync", "--frozen", "--quiet", "--project", str(FOLDER), "--python", sys.executable),
        env={**environment, "UV_PYTHON_DOWNLOADS": "never"},
    )
    if await process.wait():
        raise RuntimeError(f"The baseline's environment could not be made: uv sync --project {FOLDER} failed.")
    return PYTHON
