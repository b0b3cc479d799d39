"""Bytes to text, in whatever encoding they are written."""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from pipelines import limits
from pipelines.media.read import NotRead

READ_BYTES: Final = 8 * limits.DOCUMENT_CHARS  # no character takes more than four, and a few are left out
_SAMPLE_BYTES: Final = 65_536
_MARKS: Final = (  # byte order marks; that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where the zero bytes of ordinary text stand within four.
_ZEROS: Final = {(1, 3): "utf-16-le", (0, 2): "utf-16-be", (1, 2, 3): "utf-32-le", (0, 1, 2): "utf-32-be"}
# In what people write. The rest of what is known to Python, such as EBCDIC, fits nearly any bytes.
_GUESSED: Final = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp866", "cp932",
    "cp949", "iso8859_2", "iso8859_5", "koi8_r", "koi8_u", "euc_jp", "euc_kr", "gb18030", "big5", "mac_roman",
]  # fmt: skip
_FOR_TEXTS: Final = re.compile(
    r"ascii|utf-\S+|iso8859-\d+|cp\d+|koi8-\w|gb\w+|hz|big5\w*|euc_\w+|shift_jis\w*|iso2022_\w+|johab|mac-\w+|tis-620"
)
_ESCAPED_JAPANESE: Final = b"\x1b$"  # ISO-2022-JP, which is ASCII otherwise
_NEVER_WITHIN: Final = (b"\n", b" ", b",")  # bytes that are in no encoding the end of a longer character
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_CONTROLS_SHARE: Final = 0.05  # of a text's characters; above that it is not one


def decoded(data: bytes, *, declared: str = "", limit_bytes: int = READ_BYTES) -> str:
    """Return the text that the bytes are, or as much of its beginning as is looked at.

    A byte order mark wins, then what is `declared` if it fits, then UTF-8, which others hardly resemble, then a guess.

    Raises: `NotRead` when they are no text.
    """
    head, whole = data[:limit_bytes], len(data) <= limit_bytes
    text = _decoder(_encoding(head, declared, whole), "replace").decode(head, final=whole)
    sample = text[:_SAMPLE_BYTES]
    if len(_CONTROLS.findall(sample)) > _CONTROLS_SHARE * len(sample):
        raise NotRead("unreadable", "The file is not the text that it is said to be.")
    return text


def _encoding(data: bytes, declared: str, whole: bool) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = data[:_SAMPLE_BYTES]
    if zeros := _zeros(sample):
        return zeros
    japanese = "iso2022_jp" if _ESCAPED_JAPANESE in sample else ""
    for name in filter(None, (_known(declared), japanese, "utf-8")):
        if _fits(data, name, whole):
            return name
    if len(data) > len(sample):
        sample = sample[: max(map(sample.rfind, _NEVER_WITHIN)) + 1] or sample
    guesses = from_bytes(sample, cp_isolation=_GUESSED)
    return next((guess.encoding for guess in guesses if _fits(data, guess.encoding, whole)), "cp1252")


def _known(declared: str) -> str:
    """Return an encoding's name where it is one for texts: Python's others compute for hours or import modules."""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return ""
    return name if _FOR_TEXTS.fullmatch(name) else ""


def _zeros(sample: bytes) -> str:
    """Return the encoding that the zero bytes speak for, as for UTF-16 and UTF-32 without a mark."""
    if b"\0" not in sample or len(sample) < 4:
        return ""
    quarter = len(sample) // 4
    return _ZEROS.get(tuple(at for at in range(4) if sample[at::4].count(0) > 0.4 * quarter), "")


def _fits(data: bytes, encoding: str, whole: bool) -> bool:
    """Whether all of it can be read so; unless it is the whole, the last character may be cut."""
    try:
        _decoder(encoding, "strict").decode(data, final=whole)
    except (UnicodeError, LookupError):
        return False
    return True


def _decoder(encoding: str, errors: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(errors)
