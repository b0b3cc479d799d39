"""A command in a terminal of its own: what it shows there, line by line, and what is typed at it."""

import asyncio
import codecs
import fcntl
import os
import re
import signal
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.cli.test_processes import FLASHBULB, PATIENCE_S, environment

CTRL_C: Final = b"\x03"
ROWS: Final = 50
# One sequence that a terminal obeys (its parameter, its letter), a control character, or one letter to be shown.
PIECE: Final = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|(.)", re.DOTALL)


@dataclass
class Screen:
    """What stands on a terminal of so many columns, first row first; what scrolled out of sight is there as well.

    `erased`: what stood in rows when they were erased, oldest first. Knows what rich makes use of; anything else is an error.
    """

    columns: int
    rows: list[str] = field(default_factory=lambda: [""])
    erased: list[str] = field(default_factory=list)
    cursor_shown: bool = True
    _row: int = 0
    _column: int = 0

    def show(self, text: str) -> None:
        for parameter, letter, plain in PIECE.findall(text):
            if letter:
                self._obey(letter, parameter)
            else:
                self._put(plain)

    @property
    def text(self) -> str:
        return "\n".join(each.rstrip() for each in self.rows)

    def _obey(self, letter: str, parameter: str) -> None:
        match letter:
            case "m":  # colours
                pass
            case "A":
                self._row = max(0, self._row - int(parameter or 1))
            case "K":
                assert parameter == "2", "only whole rows are erased"
                self.erased.append(self.rows[self._row].rstrip())
                self.rows[self._row] = ""
            case "h" | "l":
                assert parameter == "25", "only the cursor is switched"
                self.cursor_shown = letter == "h"
            case _:
                raise AssertionError(f"A terminal is asked for {parameter}{letter}, which this one does not know.")

    def _put(self, letter: str) -> None:
        match letter:
            case "\r":
                self._column = 0
            case "\n":
                self._down()
            case _:
                assert letter.isprintable(), f"{letter!r} is shown to a person"
                if self._column == self.columns:  # it wraps when one more letter comes
                    self._down()
                    self._column = 0
                row = self.rows[self._row].ljust(self._column)
                self.rows[self._row] = row[: self._column] + letter + row[self._column + 1 :]
                self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append("")


@dataclass
class Terminal:
    """A command at work."""

    process: Process
    screen: Screen
    _ours: int
    _closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_shown(self, words: str) -> None:
        """Wait until some words stand on the screen."""
        while words not in self.screen.text:
            assert not self._closed, f"it ended without showing {words}:\n{self.screen.text}"
            await self._changed.wait()

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    async def ended(self) -> int:
        """Return the exit code, once it has ended and everything that it wrote is on the screen."""
        while not self._closed:
            await self._changed.wait()
        return await self.process.wait()

    async def read(self) -> None:
        """Show all that is written until nobody has the terminal open any more."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := await asyncio.to_thread(_read, self._ours):
                self.screen.show(decoder.decode(piece))
                self._tell()
        finally:
            self._closed = True
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@asynccontextmanager
async def at_terminal(
    *arguments: str, folder: Path, columns: int = 80, beside: Sequence[int] = (), **settings: str
) -> AsyncIterator[Terminal]:
    """Run a command in a terminal.

    `beside`: those of its streams (1, 2) that lead to files instead, `stream-1` and `stream-2` in `folder`.
    Whatever happens, it ends with the block, at the latest after `PATIENCE_S`.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *FLASHBULB,
        *arguments,
        cwd=folder,
        env=environment(**{"TERM": "xterm-256color", **settings}),
        preexec_fn=partial(_take, theirs, tuple(beside)),
        pass_fds=(theirs,),
    )
    os.close(theirs)
    terminal = Terminal(process, Screen(columns), ours)
    reading = asyncio.create_task(terminal.read())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield terminal
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await asyncio.wait([reading])
        os.close(ours)
    reading.result()


def _take(terminal: int, beside: tuple[int, ...]) -> None:
    """Make this process the one that a terminal belongs to, so that it hears a Ctrl-C which is typed there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background of a shell
    os.login_tty(terminal)
    for stream in beside:
        file = os.open(f"stream-{stream}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(file, stream)
        os.close(file)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so where others say that it is the end
        return b""
