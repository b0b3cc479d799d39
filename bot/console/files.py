"""Files that were posted in the console: kept in the data folder under the hash of their bytes."""

import asyncio
import hashlib
import os
import re
import time
from collections.abc import Set as AbstractSet
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, Self

from bot.storage.folder import make_folder
from pipelines.content import Attachment
from pipelines.errors import Unavailable, UserError

URL_PREFIX: Final = "console:"
SHA256: Final = re.compile(r"[0-9a-f]{64}")
# Bytes are written and hashed in pieces of this size, each in a thread: disks may be slow, and the event loop serves others.
PIECE_BYTES: Final = 1024 * 1024
# What no message knows of is left alone for so long: its message may be on its way.
STRAY_S: Final = 3600.0
_PART: Final = ".part"


class FileStore:
    """Bytes by their SHA-256, below one folder. Equal files are stored once.

    Raises: `Misconfigured` when the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def incoming(self) -> "Incoming":
        """Return a file to write to: `async with store.incoming() as file: await file.write(…); sha256 = await file.keep()`."""
        return Incoming(self._folder)

    def has(self, url: str) -> bool:
        """Whether `url` is the address of a file of the console."""
        return url.startswith(URL_PREFIX)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the bytes of an attachment whose address is `console:SHA256`.

        Raises: `UserError` when it is gone or larger than `limit_bytes`, `Unavailable` when the disk fails.
        """
        return await self.read(attachment.url.removeprefix(URL_PREFIX), limit_bytes=limit_bytes)

    async def read(self, sha256: str, *, limit_bytes: int) -> bytes:
        """Return the bytes with this hash. Raises what `fetch` raises."""
        return await asyncio.to_thread(self._read, sha256, limit_bytes)

    def path(self, attachment: Attachment) -> Path:
        """Return where the bytes of an attachment lie, if they do. Raises: `UserError` when its address is not ours."""
        return self._path(attachment.url.removeprefix(URL_PREFIX))

    async def delete(self, sha256: str) -> None:
        """Delete the bytes with this hash; they may be gone already. The caller knows that no message refers to them."""
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    async def sweep(self, known: AbstractSet[str]) -> int:
        """Delete what no message knows of, such as an upload that was interrupted, and return how many files that were."""
        return await asyncio.to_thread(self._sweep, known)

    def _path(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise UserError("This file is not here.")
        return _place(self._folder, sha256)

    def _read(self, sha256: str, limit_bytes: int) -> bytes:
        try:
            with self._path(sha256).open("rb") as file:
                data = file.read(limit_bytes + 1)
        except FileNotFoundError as error:
            raise UserError("This file is gone.") from error
        except OSError as error:
            raise Unavailable("The data folder", "cannot be read") from error
        if len(data) > limit_bytes:
            raise UserError(f"This file is larger than {limit_bytes // 1_048_576} MB.")
        return data

    def _sweep(self, known: AbstractSet[str]) -> int:
        old = time.time() - STRAY_S
        strays = [
            path
            for path in (*self._folder.glob(f"*{_PART}"), *self._folder.glob("??/*"))
            if path.name not in known and path.stat().st_mtime < old
        ]
        for path in strays:
            path.unlink(missing_ok=True)
        return len(strays)


class Incoming:
    """A file on its way in. Without `keep` nothing of it stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self.size_bytes = 0

    async def __aenter__(self) -> Self:
        # Closed in __aexit__; opening a file in a folder that was just made does not block for long.
        self._file = NamedTemporaryFile(dir=self._folder, suffix=_PART, delete=False)  # noqa: SIM115
        return self

    async def __aexit__(self, *_: object) -> None:
        self._file.close()
        await asyncio.to_thread(Path(self._file.name).unlink, missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Add `data`. Raises: `OSError` when the disk is full or fails."""
        self.size_bytes += len(data)
        self._waiting += data
        if len(self._waiting) >= PIECE_BYTES:
            await asyncio.to_thread(self._flush)

    async def keep(self) -> str:
        """Put the file in its place, safe from a power cut, and return its SHA-256. Raises: `OSError`."""
        return await asyncio.to_thread(self._keep)

    def _flush(self) -> None:
        self._hash.update(self._waiting)
        self._file.write(self._waiting)
        self._waiting.clear()

    def _keep(self) -> str:
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        sha256 = self._hash.hexdigest()
        place = _place(self._folder, sha256)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        Path(self._file.name).replace(place)
        _sync_folder(place.parent)
        return sha256


def _place(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    """Make a rename safe from a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
