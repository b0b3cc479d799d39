"""Opens the pictures that a model is sent, and has them measured. No number says what a picture shows."""

from io import BytesIO
from typing import Final

from PIL import Image

from pipelines.media.pictures import measuring
from pipelines.media.pictures.measures import Measures

PIXELS_MAX: Final = 20_000_000  # the clients send at most 1024 x 1024; far beyond that no file is decoded
COARSE_SIDE_PX: Final = 64


class Unreadable(Exception):
    """The bytes are no JPEG or PNG picture that can be decoded."""


def check(data: bytes) -> None:
    """Decode a picture coarsely.

    Raises: `Unreadable`.
    """
    _decoded(data, coarse=True)


def measure(data: bytes) -> Measures:
    """Measure a JPEG or PNG.

    Raises: `Unreadable`.
    """
    return measuring.measure(_decoded(data))


def _decoded(data: bytes, *, coarse: bool = False) -> Image.Image:
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise Unreadable("too many pixels")
            if coarse:
                opened.draft("RGB", (COARSE_SIDE_PX, COARSE_SIDE_PX))
            if "A" in opened.getbands() or "transparency" in opened.info:
                shown = opened.convert("RGBA")
                return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
            return opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what Pillow raises for broken files
        raise Unreadable(type(error).__name__) from error
