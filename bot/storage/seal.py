"""Sealed columns: what members wrote is stored encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA-256).

Bytes, such as those of files, are sealed with AES-256-GCM: 25 MB take some milliseconds, where Fernet takes a quarter of a
second and lets no other thread of the process work meanwhile. What was sealed with Fernet is opened as before.
"""

import base64
import hmac
import os
import tempfile
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel

from bot.storage.folder import make_folder
from pipelines.errors import Misconfigured

KEY_FILE = "secret.key"

# Begins what AES-GCM sealed; a nonce follows. What Fernet seals is base64.
_BYTES: Final = b"\x00bytes1"
_NONCE_BYTES: Final = 12  # a random one is good for 2^32 times. Source: NIST SP 800-38D, 8.3

_MAKE_ONE = "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"


class Seal:
    """Closes and opens what a row keeps. One key for all of them."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(key)
        self._key = base64.urlsafe_b64decode(key)
        self._aes = AESGCM(self.derived("bytes"))

    def derived(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for something else than sealing."""
        return hmac.digest(self._key, purpose.encode(), "sha256")

    def close(self, value: BaseModel | bytes) -> bytes:
        """Return `value` sealed; a model as its JSON."""
        if isinstance(value, bytes):
            nonce = os.urandom(_NONCE_BYTES)
            return b"".join((_BYTES, nonce, self._aes.encrypt(nonce, value, _BYTES)))
        return self._fernet.encrypt(value.model_dump_json().encode())

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises: `Misconfigured` when it was sealed with another key, or altered.
        """
        try:
            if sealed.startswith(_BYTES):
                rest = memoryview(sealed)[len(_BYTES) :]  # a copy of a file takes as long as opening it
                return self._aes.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _BYTES)
            return self._fernet.decrypt(sealed)
        except (InvalidToken, InvalidTag, ValueError):
            raise Misconfigured(
                f"The records are sealed with another key. Set FLASHBULB_SECRET_KEY to that key, or put its file ({KEY_FILE}) "
                "back into the data folder."
            ) from None


def load_seal(data: Path, secret: str | None) -> Seal:
    """Return the seal for `secret` (`FLASHBULB_SECRET_KEY`), else for the key in the data folder, made at the first start.

    Raises: `Misconfigured` when the key is malformed, or its file can be neither read nor made.
    """
    if secret is not None:
        return _seal(secret, where="FLASHBULB_SECRET_KEY")
    make_folder(data)
    file = data / KEY_FILE
    try:
        if not file.exists():
            _make_key(file)
        return _seal(file.read_text("ascii").strip(), where=str(file))
    except OSError as error:
        raise Misconfigured(
            f"The key {file} cannot be used ({type(error).__name__}). Make it readable for Flashbulb."
        ) from error
    except UnicodeDecodeError:
        return _seal("", where=str(file))


def _seal(key: str, *, where: str) -> Seal:
    try:
        return Seal(key)
    except ValueError:
        raise Misconfigured(
            f"{where} is not a key: it must be 32 bytes in URL-safe base64. Make one with: {_MAKE_ONE} "
            "(rows that were sealed with an earlier key need that one)."
        ) from None


def _make_key(file: Path) -> None:
    """Write a new key that is either there in full or not at all; where two starts race, the first one's key stays."""
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(Fernet.generate_key() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        os.unlink(draft)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
