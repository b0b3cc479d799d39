"""The bytes that a job results in: which of the drawings, clips and sounds its request stands for."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from PIL import Image

from emulators.modelslab import drawing, recordings
from emulators.modelslab.drawing import Subject
from emulators.modelslab.faults import without_faults
from emulators.modelslab.jobs import Job
from emulators.modelslab.operations import flag, number, size_of, text

STRENGTH: Final = 0.7
SOUND_S: Final = 10.0
TYPES: Final[Mapping[str, str]] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".base64": "text/plain",
}


def media_type(name: str) -> str:
    """Return the type that a host says a file is of."""
    return TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def extension(job: Job) -> str:
    """Return what the job's files are called, such as `.png`."""
    if "no_extension" in job.faults:
        return ""
    kind = {"film": recordings.film_type(), "sound": _sound_type(job), "picture": "jpg" if _is_jpeg(job) else "png"}
    return f".{kind[job.operation.made]}" + (".base64" if "base64_file" in job.faults else "")


def make(job: Job, index: int, source: bytes | None, *, label: bool) -> bytes:
    """Return the file at `index` of a job's result. It takes a while: up to a second for a clip."""
    subject = Subject(prompt=without_faults(job.prompt), seed=job.seed + index, label=label)
    match job.operation.made:
        case "picture":
            picture = _finished(_picture(job, subject, source), subject)
            replaced = job.faults.get("nsfw", job.faults.get("nsfw_silent"))
            if replaced is not None:
                picture = drawing.replaced(picture.size, str(replaced), picture)
            return drawing.encoded(picture, "JPEG" if _is_jpeg(job) or "jpg_named_png" in job.faults else "PNG")
        case "film":
            first = drawing.opened(source) if source else drawing.draw(subject, _film_size(job))
            if source:
                first = drawing.redraw(first, subject, _film_size(job, first.size), 0.1)
            return recordings.film(first, _film_s(job), lambda frame: _finished(frame, subject))
        case "sound":
            samples = recordings.murmur(subject) if job.operation.how == "speech" else recordings.tune(subject, _sound_s(job))
            return recordings.sound(samples, _sound_type(job))


def _picture(job: Job, subject: Subject, source: bytes | None) -> Image.Image:
    body = job.body
    before = drawing.opened(source) if source else None
    match job.operation.how:
        case "redraw" if before:
            strength = min(1.0, max(0.0, number(body, "strength", STRENGTH)))
            size = before.size if job.operation.family == "v6/images" else size_of(body, before.size)
            return drawing.redraw(before, subject, size, strength)
        case "enlarge" if before:
            return drawing.enlarge(before, number(body, "scale", 2))
        case "cut_out" if before:
            return drawing.cut_out(before)
        case "extend" if before:
            return drawing.extend(before, subject, size_of(body, before.size))
        case _:
            return drawing.draw(subject, size_of(body, (1024, 1024) if job.operation.premium else (512, 512)))


def _finished(picture: Image.Image, subject: Subject) -> Image.Image:
    return drawing.labelled(picture, subject.prompt) if subject.label else picture


def _is_jpeg(job: Job) -> bool:
    return job.operation.premium


def _film_size(job: Job, of: tuple[int, int] = (16, 9)) -> tuple[int, int]:
    """Return even sides in px, in the shape of a picture (16:9), the shorter one as high as the resolution."""
    wide, high = size_of({"aspect_ratio": text(job.body, "aspect_ratio")}, of)
    if flag(job.body, "portrait"):
        wide, high = min(of), max(of)
    short = int(number({"resolution": str(job.body.get("resolution") or "480").removesuffix("p")}, "resolution", 480))
    scale = short / min(wide, high)
    return round(wide * scale / 2) * 2, round(high * scale / 2) * 2


def _film_s(job: Job) -> float:
    if "duration" in job.body:
        return number(job.body, "duration", 5)
    return number(job.body, "num_frames", 81) / number(job.body, "fps", 16)


def _sound_s(job: Job) -> float:
    return min(number(job.body, "duration", SOUND_S), recordings.SOUND_S_MAX)


def _sound_type(job: Job) -> recordings.SoundType:
    return recordings.sound_type("mp3" if text(job.body, "output_format") == "mp3" else "wav")
