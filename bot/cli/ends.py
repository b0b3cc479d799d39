"""How a command ends: its exit code, and one sentence where something was wrong; and where such sentences go."""

import errno
import io
import os
import sys
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from pipelines.errors import BadAnswer, FlashbulbError, Refused, Unavailable

INTERRUPTED = 130  # by convention 128 + SIGINT
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class End(IntEnum):
    """Exit codes. With several inputs the gravest one counts, which is the largest."""

    DONE = 0
    FOUND = 1  # a finding, a failed check
    USAGE = 2  # a wrong option, file or setting
    UNAVAILABLE = 3  # a model or the database does not answer


def end_of(error: FlashbulbError) -> End:
    """Return the exit code for an error of ours."""
    return End.UNAVAILABLE if isinstance(error, Unavailable | BadAnswer | Refused) else End.USAGE


class Commands(TyperGroup):
    """The commands as a whole: what is raised on purpose becomes a sentence, and Ctrl-C the end, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FlashbulbError as error:
            say_problem(str(error))
            raise typer.Exit(end_of(error)) from error
        except KeyboardInterrupt:
            say_problem("Stopped.")
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise  # a reader that went away (`| head -1`) is typer's, everything else a fault of ours
            if error.filename is None:
                # What could not be written stays in the buffer, and Python would try again, and complain, at its end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            say_problem(f"{error.filename or 'The output'} cannot be written: no space is left. Make room first.")
            raise typer.Exit(End.UNAVAILABLE) from error


class StandardError(io.TextIOBase):
    """Standard error as it is by now: a bar puts a stream in its place that writes above the bar."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def say_problem(sentence: str) -> None:
    """Print a sentence on standard error."""
    typer.secho(plain(sentence), err=True, fg=typer.colors.RED)


def plain(text: str) -> str:
    """Return `text` without what a terminal would obey or not show: control characters, direction marks, lone surrogates."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)
