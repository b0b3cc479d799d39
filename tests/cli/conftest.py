"""The command line without a process of its own, and a model that answers it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image
from typer.testing import CliRunner

from bot.cli.commands import app
from pipelines.media.sandbox import WORKER, Sandbox
from tests.app.restoring import logging_restored

PROJECT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Flashbulb = Callable[..., Ran]


@pytest.fixture(scope="session")
def understudies() -> Iterator[tuple[str, str]]:
    """Return the addresses at which an understudy answers all tests of this folder, and draws for them."""
    command = [sys.executable, "-m", "emulators.understudy", "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        _, answers, draws = child.stdout.readline().split()
        yield answers, draws
        child.stdin.close()


@pytest.fixture(scope="session")
def understudy(understudies: tuple[str, str]) -> str:
    return understudies[0]


@pytest.fixture(scope="session")
def worker() -> Iterator[tuple[str, ...]]:
    """Return what starts a media worker: a fork of a loaded one. `test_processes` starts it as it is shipped."""
    if sys.platform != "linux":
        yield WORKER
        return
    command = [sys.executable, "-m", "tests.end_to_end.workers"]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield tuple(child.stdout.read().splitlines())
        child.stdin.close()


@pytest.fixture
def flashbulb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, understudy: str, worker: tuple[str, ...]) -> Iterator[Flashbulb]:
    """Run a command line in an empty folder, with a model configured, and return what came of it."""
    monkeypatch.setitem(Sandbox.__init__.__kwdefaults__, "command", worker)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_BASE_URL", understudy)

    def run(*arguments: str) -> Ran:
        result = CliRunner().invoke(app, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(code=result.exit_code, out=result.stdout, err=result.stderr)

    with logging_restored():
        yield run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a small picture."""
    file = tmp_path / "teal.png"
    Image.new("RGB", (64, 48), "teal").save(file)
    return file
