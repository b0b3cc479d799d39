"""The child process that opens untrusted bytes: `python -I -m pipelines.media.worker`, started by the sandbox.

It imports every decoder, then gives up what it does not need, and then does one job after another until its input closes.
"""

import contextlib
import dataclasses
import encodings
import functools
import hashlib
import importlib
import json
import pkgutil
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipelines.content import Fact, ImagePart, Part, TextPart
from pipelines.media import claims, endings, kinds, wire
from pipelines.media.documents import e_invoice as invoices
from pipelines.media.documents import e_invoice_xml, marks, pdf
from pipelines.media.documents import text_layer as layers
from pipelines.media.films import video
from pipelines.media.kinds import Kind
from pipelines.media.pictures import images, measuring
from pipelines.media.pictures.opening import open_picture
from pipelines.media.read import NAME_CHARS, Asked, Member, NotRead, Read, tampering
from pipelines.media.serving import declined, serve

Readers = Mapping[str, Callable[[bytes, Asked], Read]]


def main() -> None:
    serve(
        {
            "read": functools.partial(read, load_readers()),
            "preview": preview,
            "original": original,
            "smaller_film": smaller_film,
            "marked_page": marked_page,
            "measure": measure,
            "text_layer": text_layer,
            "e_invoice": e_invoice,
        }
    )


def load_readers() -> Readers:
    """Import every reader of the table; one whose optional library is not installed is left out.

    Also every encoding, which Python would import at the first text, when a worker may not open files any more.
    """
    for encoding in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(ImportError):  # Windows has some of its own
            importlib.import_module(f"encodings.{encoding.name}")
    readers = {}
    for name in kinds.READERS:
        with contextlib.suppress(ImportError):
            readers[name] = importlib.import_module(f"pipelines.media.{name}").read
    return readers


def read(readers: Readers, data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Make a file ready to ask about. Places and ids in the answer are relative to the file.

    What is known of a file that cannot be read, such as what is appended to it, is answered as well.
    """
    started_s = time.monotonic()
    asked = Asked(fine=bool(arguments["fine"]), name=arguments["name"], media_type=arguments["media_type"])
    kind = kinds.kind_of(data)
    beside = endings.found(data, kind) if kind else endings.Found()
    try:
        ended, found = {"status": "ok"}, _read(readers, kind, data, asked)
    except Exception as error:  # noqa: BLE001 - damaged files raise a dozen types; only the class leaves, for the log
        ended, found = declined(error), Read()
    found = dataclasses.replace(
        found,
        facts=_once_each((*claims.facts(asked, kind), *_dangers(data, kind), *beside.facts, *found.facts)),
        members=(*found.members, *beside.members),
    )
    fields, body = _packed(found, hashlib.sha256(data).hexdigest())
    return {**fields, **ended, "elapsed_ms": round((time.monotonic() - started_s) * 1000)}, body


def preview(data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the picture small, for people."""
    return {}, images.preview(data, side_px=int(arguments["side_px"]), blurred=bool(arguments.get("blurred")))


def original(data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the picture as it was posted, for whoever works on it."""
    side_px, size_bytes = int(arguments["side_px"]), int(arguments["size_bytes"])
    body, media_type, size, posted = images.original(data, side_px=side_px, size_bytes=size_bytes)
    return {"original": {"media_type": media_type, "size_px": size, "posted_px": posted}}, body


def smaller_film(data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return a clip in at most so many bytes."""
    return {}, video.made_smaller(data, size_bytes=int(arguments["size_bytes"]))


def marked_page(data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return one page with frames on it, for people."""
    marks_given = [(tuple(box), bool(doubtful)) for box, doubtful in arguments["marks"]]
    return {}, marks.marked_page(data, page=int(arguments["page"]), marks=marks_given)


def measure(data: bytes, _: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what a prepared picture measures."""
    return {"measures": measuring.measure(open_picture(data).convert("RGB")).model_dump()}, b""


def text_layer(data: bytes, _: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the text of a PDF with the place of every character."""
    return layers.pack(pdf.text_layer(data))


def e_invoice(data: bytes, _: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what an XML invoice says, be it in a PDF or the file itself; nothing where there is none."""
    return invoices.pack(e_invoice_xml.read(data))


def _read(readers: Readers, kind: Kind | None, data: bytes, asked: Asked) -> Read:
    if not data:
        raise NotRead("unreadable", "The file is empty.")
    if kind is None:
        raise NotRead("refused-format", kinds.UNKNOWN)
    if kind.declined:
        raise NotRead("refused-format", kind.declined)
    if kind.reader not in readers:
        raise NotRead("unreadable", f"{kind.name} files are not read by this installation.")
    return readers[kind.reader](data, asked)


def _dangers(data: bytes, kind: Kind | None) -> Iterable[Fact]:
    if kind and kind.family == "program":
        yield tampering("executable", 3, "The file is a program.")
    if kind and kind.family in {"document", "sheet"} and kinds.has_macros(data):
        yield tampering("active_content", 2, "The document holds macros.")


def _once_each(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    return tuple({(fact.place, fact.kind): fact for fact in facts}.values())


def _packed(found: Read, sha256: str) -> tuple[dict[str, Any], bytes]:
    """Return what was read as JSON; pictures, sounds and members follow each other in the body, in this order.

    Raises: `NotRead` when it is more than an answer may hold.
    """
    hashes = {**dataclasses.asdict(found.hashes), "sha256": sha256} if found.hashes else {"sha256": sha256}
    head = {
        "parts": [_part(part) for part in found.parts],
        "gaps": [dataclasses.asdict(gap) for gap in found.gaps],
        "facts": [dataclasses.asdict(fact) for fact in found.facts],
        "members": [_member(member) for member in found.members],
        "coverage": found.coverage,
        "hashes": hashes,
        "text_share": found.text_share,
    }
    pieces = [part.data for part in found.parts if not isinstance(part, TextPart)] + [each.data for each in found.members]
    if sum(map(len, pieces)) > wire.BODY_BYTES or len(json.dumps(head)) > wire.HEAD_BYTES - 1024:
        raise NotRead("refused-limits", "The file holds more than is looked at.")
    return head, b"".join(pieces)


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"id": part.id, "text": _clean(part.text), "role": part.role, "note": part.note}
    head: dict[str, Any] = {"id": part.id, "media_type": part.media_type, "note": part.note, "size_bytes": len(part.data)}
    if isinstance(part, ImagePart):
        return head | {"width_px": part.width_px, "height_px": part.height_px}
    return head | {"duration_s": part.duration_s}


def _member(member: Member) -> dict[str, Any]:
    digest = hashlib.sha256(member.data).hexdigest()
    return {"name": _clean(member.name)[: NAME_CHARS + 1], "size_bytes": len(member.data), "sha256": digest}


def _clean(text: str) -> str:
    """Return the text without halves of characters, which cannot be sent on."""
    return text.encode("utf-8", "replace").decode()


if __name__ == "__main__":
    main()
