"""PDFs made on the spot, as bytes."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_EXTRA = 4  # the number of the first of a document's extra objects
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")  # PDF 1.7, 7.6.3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page: what is drawn on it, in PDF's own words, and more entries of its dictionary, fonts and resources."""

    drawn: str | bytes = ""
    box: str = "0 0 595 842"
    more: str = ""
    fonts: str = ""
    resources: str = ""


def line(text: str, *, at: tuple[float, float] = (72, 700), size: float = 12, ink: str = "0 g", mode: int = 0) -> str:
    """Return the words that draw one line of text; `ink` such as `1 g` (white), `mode` 3 for text that is not drawn."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"q {ink} BT /F1 {size} Tf {mode} Tr {at[0]} {at[1]} Td ({escaped}) Tj ET Q\n"


def lines(text: str, count: int = 12) -> str:
    return "".join(line(f"{text}, line {at}", at=(72, 760 - 20 * at)) for at in range(count))


def stream(data: bytes, entries: str = "") -> bytes:
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries.encode()) + data + b"\nendstream"


def image(rgb: bytes, width_px: int, height_px: int) -> bytes:
    """Return a picture as an object; `rgb` holds three bytes for each pixel."""
    entries = f"/Type /XObject /Subtype /Image /Width {width_px} /Height {height_px} /ColorSpace /DeviceRGB"
    return stream(zlib.compress(rgb), f"{entries} /BitsPerComponent 8 /Filter /FlateDecode")


def document(
    sheets: Sequence[Sheet], *, catalog: str = "", info: str = "", extra: Sequence[bytes | str] = (), packed: bool = False
) -> bytes:
    """Return a PDF. `extra` objects are numbered from `FIRST_EXTRA`; `packed` puts them in a compressed object stream."""
    pages_at = FIRST_EXTRA + len(extra)
    kids = " ".join(f"{pages_at + 2 * at} 0 R" for at in range(len(sheets)))
    objects: list[bytes] = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Count {len(sheets)} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *(each.encode("latin-1") if isinstance(each, str) else each for each in extra),
    ]
    for at, sheet in enumerate(sheets):
        content = pages_at + 2 * at + 1
        head = f"<< /Type /Page /Parent 2 0 R /MediaBox [{sheet.box}] /Contents {content} 0 R {sheet.more}"
        objects.append(f"{head} /Resources << /Font << /F1 3 0 R {sheet.fonts} >> {sheet.resources} >> >>".encode())
        drawn = sheet.drawn.encode("latin-1") if isinstance(sheet.drawn, str) else sheet.drawn
        objects.append(stream(zlib.compress(drawn), "/Filter /FlateDecode"))
    hidden = range(FIRST_EXTRA, pages_at) if packed else range(0)
    return file(objects, info=info, packed=hidden)


def text_pdf(pages: int) -> bytes:
    """Return a report: pages of about 3,000 characters each."""
    words = "All that is measured here is text, set in lines as long as a page is wide, one below the other"
    return document(
        [
            Sheet(drawn="".join(line(f"{page}.{at} {words}", at=(40, 800 - 24 * at), size=10) for at in range(32)))
            for page in range(pages)
        ]
    )


def file(objects: Sequence[bytes], *, info: str = "", trailer: str = "", packed: range = range(0)) -> bytes:
    """Return a PDF of these objects, numbered from 1; those in `packed` lie in a compressed object stream."""
    body, places = bytearray(b"%PDF-1.7\n"), dict[int, tuple[int, int, int]]()

    def put(number: int, data: bytes) -> None:
        places[number] = (1, len(body), 0)
        body.extend(b"%d 0 obj\n" % number + data + b"\nendobj\n")

    for number, data in enumerate(objects, 1):
        if number not in packed:
            put(number, data)
    number = len(objects) + 1
    if info:
        trailer += f" /Info {number} 0 R"
        put(number, f"<< {info} >>".encode("latin-1"))
        number += 1
    if packed:
        index, texts = "", b""
        for at, each in enumerate(packed):
            places[each] = (2, number, at)
            index += f"{each} {len(texts)} "
            texts += objects[each - 1] + b" "
        head = f"/Type /ObjStm /N {len(packed)} /First {len(index)} /Filter /FlateDecode"
        put(number, stream(zlib.compress(index.encode() + texts), head))
        number += 1
    start = len(body)
    places[0], places[number] = (0, 0, 65535), (1, start, 0)
    rows = b"".join(
        kind.to_bytes(1, "big") + value.to_bytes(4, "big") + more.to_bytes(2, "big")
        for kind, value, more in (places[each] for each in range(number + 1))
    )
    head = f"/Type /XRef /Size {number + 1} /W [1 4 2] /Root 1 0 R /Filter /FlateDecode {trailer}"
    put(number, stream(zlib.compress(rows), head))
    return bytes(body) + b"startxref\n%d\n%%%%EOF\n" % start


def with_attachments(files: dict[str, bytes]) -> bytes:
    """Return a page with embedded files."""
    extra: list[bytes] = []
    names = ""
    for name, data in files.items():
        at = FIRST_EXTRA + len(extra)
        extra.append(f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {at + 1} 0 R >> >>".encode())
        extra.append(stream(zlib.compress(data), "/Type /EmbeddedFile /Filter /FlateDecode"))
        names += f"({name}) {at} 0 R "
    catalog = f"/Names << /EmbeddedFiles << /Names [{names}] >> >>"
    return document([Sheet(drawn=lines("Cover letter"))], catalog=catalog, extra=extra)


def with_password(password: str) -> bytes:
    """Return an empty page that opens only with the password: RC4 with 40 bits, revision 2 (PDF 1.7, 7.6.3.4)."""
    padded = (password.encode("latin-1") + _PADDING)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + (0xFFFFFFFC).to_bytes(4, "little") + b"0123456789abcdef").digest()[:5]
    user = _rc4(key, _PADDING)
    guard = f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}> >>".encode()
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"]
    objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>", guard]
    return file(objects, trailer=f"/Encrypt 4 0 R /ID [<{b'0123456789abcdef'.hex()}> <00>]")


def _rc4(key: bytes, data: bytes) -> bytes:
    state, at = list(range(256)), 0
    for i in range(256):
        at = (at + state[i] + key[i % len(key)]) % 256
        state[i], state[at] = state[at], state[i]
    out, i, at = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        at = (at + state[i]) % 256
        state[i], state[at] = state[at], state[i]
        out.append(byte ^ state[(state[i] + state[at]) % 256])
    return bytes(out)
