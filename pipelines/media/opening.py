"""Opening a picture: the true kind, the limits that its header must keep, and modes that scaling would spoil."""

import io
import struct
from typing import Final

from PIL import Image, ImageChops

# Pillow would import these at the first file, when a worker may not open files any more.
from PIL import GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401  # isort: skip

from pipelines import limits
from pipelines.media.read import NotRead

KINDS_READ: Final = "JPEG, PNG, GIF and WebP pictures"

# What Pillow raises on broken files and broken metadata: found with its own samples of hostile files.
BROKEN: Final = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    struct.error,
)

_PNG_DEPTH: Final = 24  # where the header says how many bits a sample has: PNG specification, 11.2.2


def open_picture(data: bytes, *, at: int = 0) -> Image.Image:
    """Open the picture at position `at` of a file and check what its header announces. Nothing is decoded yet.

    Raises: `NotRead`; `EOFError` when there is no such picture; whatever Pillow raises on damaged files.
    """
    if not data:
        raise NotRead("unreadable", "The file is empty.")
    kind = kind_of(data)
    if kind is None:
        raise NotRead("refused-format", f"This kind of file is not read. {KINDS_READ} are.")
    Image.MAX_IMAGE_PIXELS = limits.IMAGE_PIXELS[kind]  # checked by Pillow also where frames are larger than their canvas
    try:
        opened = Image.open(io.BytesIO(data), formats=(kind,))
        if at:
            opened.seek(at)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(kind) from error
    _check_size(opened.size, kind)
    if kind == "PNG" and opened.mode == "RGB" and data[_PNG_DEPTH] == 16 and "transparency" in opened.info:
        # Pillow drops the lower eight bits, and with them what the transparent colour hides or shows.
        raise NotRead("refused-format", "A PNG with 16 bits per colour and a transparent colour is not read.")
    return opened


def kind_of(data: bytes) -> str | None:
    """Return Pillow's name of the kind that the first bytes show; names and announced types are mere claims."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def has_several(opened: Image.Image) -> bool:
    """Whether the file holds more than one picture: an animation, or a multi-picture JPEG."""
    return bool(getattr(opened, "is_animated", False))


def may_hide_a_picture(opened: Image.Image) -> bool:
    """Whether colours under full transparency can be a picture. A GIF has one such colour, and what earlier frames showed."""
    return opened.format != "GIF"


def fit(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return `size` shrunk into a square of `side_px`; never enlarged."""
    scale = min(1.0, side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def decoded(opened: Image.Image, *, side_px: int) -> Image.Image:
    """Decode a picture into a mode that can be scaled: RGBA where anything is transparent, else RGB, L or CMYK.

    A JPEG is decoded at the smallest size that still covers `side_px`: a third of the time and half of the memory.
    """
    opened.draft(None, fit(opened.size, side_px))
    if opened.mode == "I;16":
        return _upper_eight_bits(opened)
    if opened.has_transparency_data:
        picture = opened.convert("RGBA")
        lowest, _ = picture.getchannel("A").getextrema()
        return picture.convert("RGB") if lowest == 255 else picture
    if opened.mode in {"L", "CMYK"}:
        opened.load()
        return opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


def _upper_eight_bits(opened: Image.Image) -> Image.Image:
    """Return 16-bit grey as it looks: `convert` would clip it, so that all above 255 of 65,535 became white."""
    samples = opened.tobytes()
    upper = Image.frombytes("L", opened.size, samples[1::2])
    transparent = opened.info.get("transparency")
    if not isinstance(transparent, int):
        return upper
    lower = Image.frombytes("L", opened.size, samples[0::2])
    differs_above = upper.point([255 * (value != transparent >> 8) for value in range(256)])
    differs_below = lower.point([255 * (value != transparent & 255) for value in range(256)])
    return Image.merge("LA", (upper, ImageChops.lighter(differs_above, differs_below))).convert("RGBA")


def _check_size(size: tuple[int, int], kind: str) -> None:
    width_px, height_px = size
    if width_px * height_px > limits.IMAGE_PIXELS[kind]:
        raise _too_many_pixels(kind)
    if max(size) > limits.LONGEST_SIDE_PX:
        raise NotRead("refused-limits", f"The picture is longer than {limits.LONGEST_SIDE_PX:,} pixels.")
    if max(size) > limits.LARGEST_ASPECT * min(size):
        raise NotRead("refused-limits", f"The picture is more than {limits.LARGEST_ASPECT} times as long as it is wide.")


def _too_many_pixels(kind: str) -> NotRead:
    megapixels = limits.IMAGE_PIXELS[kind] // 1_000_000
    return NotRead(
        "refused-limits", f"The picture has more than {megapixels} megapixels, the most that is read of a {kind} picture."
    )
