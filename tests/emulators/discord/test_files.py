"""What the emulator reads out of a file, checked against Pillow."""

import io
from pathlib import Path

import pytest
from PIL import Image

from emulators.discord.clock import Clock
from emulators.discord.dimensions import media_type_of, size_of
from emulators.discord.files import Files


def a_picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, (37, 21), "red").save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        pytest.param(a_picture("PNG"), "image/png", id="png"),
        pytest.param(a_picture("GIF"), "image/gif", id="gif"),
        pytest.param(a_picture("JPEG"), "image/jpeg", id="jpeg"),
        pytest.param(a_picture("JPEG", progressive=True, comment=b"x" * 5000), "image/jpeg", id="jpeg-progressive"),
        pytest.param(a_picture("WEBP"), "image/webp", id="webp"),
        pytest.param(a_picture("WEBP", lossless=True), "image/webp", id="webp-lossless"),
        pytest.param(a_picture("WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"), "image/webp", id="webp-extended"),
    ],
)
def test_a_picture_says_its_type_and_size(data: bytes, media_type: str) -> None:
    assert (size_of(data), media_type_of("unnamed", data)) == ((37, 21), media_type)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF____WEBPVP8X", b"RIFF____WEBPVP8 ", b"words"]
)
def test_what_is_no_whole_picture_has_no_size(data: bytes) -> None:
    assert size_of(data) is None


def test_the_sample_pictures_have_the_size_that_pillow_sees(shared_images: Path) -> None:
    for path in sorted(shared_images.glob("*.*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".gif", ".webp"):
            with Image.open(path) as picture:
                assert size_of(path.read_bytes()) == picture.size, path.name


def test_bytes_are_stored_once_and_names_are_made_harmless() -> None:
    files = Files(Clock())

    first, second = [files.keep(name, b"same", folder="attachments/4") for name in ("../a b.txt", "ü.txt")]

    assert (first["filename"], second["filename"]) == (".._a_b.txt", "_.txt")
    assert first["content_type"] == "text/plain; charset=utf-8"
    assert len(files.by_digest) == 1
