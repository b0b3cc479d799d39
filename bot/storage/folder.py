"""The data folder: made once, private to its owner, and held by one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import Misconfigured

LOCK_FILE = "flashbulb.lock"


def make_folder(data: Path) -> None:
    """Make the data folder where it is missing, readable by its owner alone.

    Raises: `Misconfigured` when it cannot be made or written to.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(_unusable(data, error)) from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise Misconfigured(_unusable(data, PermissionError()))


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the data folder, so that no second process works in it. The kernel lets go of it when this one ends, however.

    Raises: `Misconfigured` when another process holds it, or it cannot be written to.
    """
    make_folder(data)
    try:
        lock = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(_unusable(data, error)) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise Misconfigured(
                f"The data folder {data} is in use by another Flashbulb (process {holder}). "
                "Stop it, or set FLASHBULB_DATA to another folder."
            ) from None
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def _unusable(data: Path, error: OSError) -> str:
    why = "something else is in its place" if isinstance(error, FileExistsError | NotADirectoryError) else type(error).__name__
    return f"The folder {data} cannot be used ({why}). Set FLASHBULB_DATA to one that can be written to."
