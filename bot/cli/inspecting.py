"""`inspect`: what a model would be shown of a file, and what reading it shows. Asks no model."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any, Final

from bot.cli.ends import End
from bot.cli.looking import Input, LocalFiles, Seen, look_at
from pipelines.content import AudioPart, ImagePart, Intake, Part, Reading, TextPart
from pipelines.errors import UserError
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Media

FILE: Final = "file:0"
SUFFIXES: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/aac": ".aac",
}


async def inspect_files(names: Sequence[str], show: Callable[[Seen], None], *, fine: bool, save_parts: Path | None) -> End:
    """Read files as a message's attachments are read; `show` gets each as soon as it and all before it are there.

    `save_parts`: a folder that gets one folder for each file, with its parts in order.
    """
    inputs = [Input(given=name, path=Path(name)) for name in names]
    folders = dict(zip(map(id, inputs), _folders(inputs, save_parts), strict=True))

    async def look(each: Input, media: Media) -> Seen:
        began = monotonic()
        intake = await media.intake(each.content, fine=fine)
        if folder := folders[id(each)]:
            _save(intake, folder)
        document = {"file": each.file, **_document(intake), "elapsed_ms": round((monotonic() - began) * 1000)}
        return Seen(input=each, document=document, end=End.FOUND if intake.gaps else End.DONE)

    return await look_at(inputs, look, _open_media(), show)


@asynccontextmanager
async def _open_media() -> AsyncIterator[Media]:
    async with Sandbox() as sandbox:
        yield MediaReader(LocalFiles(), sandbox)


def _document(intake: Intake) -> dict[str, Any]:
    """Return what `--json` prints about one file; what lay inside it is in `inside`."""
    whole, *inside = intake.readings or (Reading(place=FILE, media_type="", status="unreadable", reason="It was not read."),)
    return {
        "media_type": whole.media_type,
        "status": whole.status,
        "reason": whole.reason,
        "facts": [asdict(fact) for fact in intake.facts],
        "parts": [_part(part) for part in intake.parts],
        "coverage": {"says": whole.coverage, "gaps": [asdict(gap) for gap in intake.gaps]},
        "hashes": _hashes(whole),
        "text_share": whole.text_share,
        "inside": [
            {
                "place": each.place,
                "media_type": each.media_type,
                "status": each.status,
                "reason": each.reason,
                "coverage": {"says": each.coverage},
                "hashes": _hashes(each),
            }
            for each in inside
        ],
        "timings_ms": {each.place: each.elapsed_ms for each in intake.readings},
        "engine": "none",
    }


def _hashes(reading: Reading) -> dict[str, Any]:
    return asdict(reading.hashes) if reading.hashes else {}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"id": part.id, "type": "text", "role": part.role, "note": part.note, "text": part.text}
        case ImagePart():
            size = {"width_px": part.width_px, "height_px": part.height_px, "size_bytes": len(part.data)}
            return {"id": part.id, "type": "picture", "media_type": part.media_type, **size, "note": part.note}
        case AudioPart():
            known = {"id": part.id, "type": "sound", "media_type": part.media_type, "note": part.note}
            return {**known, "duration_s": part.duration_s, "size_bytes": len(part.data)}


def _folders(inputs: Sequence[Input], into: Path | None) -> Iterator[Path | None]:
    """Yield a folder for each file, named after it; two files of one name get two."""
    taken: set[str] = set()
    for each in inputs:
        stem = Path(each.given).name or "file"
        name, again = stem, 2
        while name in taken:
            name, again = f"{stem}-{again}", again + 1
        taken.add(name)
        yield into / name if into else None


def _save(intake: Intake, folder: Path) -> None:
    """Write each part to a file of its own, in order.

    Raises: `UserError` when the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for position, part in enumerate(intake.parts):
            name = f"{position:03} {part.id.removeprefix(FILE).strip('/') or 'whole'}".replace("/", " ").replace(":", "-")
            if isinstance(part, TextPart):
                (folder / f"{name}.txt").write_text(part.text, encoding="utf-8", errors="replace")
            else:
                (folder / f"{name}{SUFFIXES[part.media_type]}").write_bytes(part.data)
    except OSError as error:
        raise UserError(f"The parts cannot be written there ({type(error).__name__}). Name a folder of yours.") from error
