"""Files inside JSON: base64 in either alphabet, and `data:` addresses."""

import base64
import binascii
import re

from emulators.problems import invalid
from emulators.wire import Blob


def from_base64(data: str) -> bytes:
    """Decode base64 in the plain or the urlsafe alphabet, with or without padding.

    Raises: `Rejected` where it is neither.
    """
    plain = data.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise invalid("Base64 decoding failed.") from None


def decoded(url: str) -> Blob:
    """Return the file in a `data:` address.

    Raises: `Rejected` for any other address: an emulator fetches nothing.
    """
    found = re.fullmatch(r"data:([^;,]+);base64,(.*)", url, re.DOTALL)
    if not found:
        raise invalid("Only data: addresses with base64 are emulated.")
    return Blob(data=from_base64(found[2]), media_type=found[1])
