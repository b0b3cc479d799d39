"""Opening a picture: the limits that its header must keep, and modes that scaling would spoil."""

import io
import struct
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageCms

# Pillow would import these at the first file, when a worker may not open files any more.
from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin  # noqa: F401  # isort: skip
from PIL import TiffImagePlugin, WebPImagePlugin  # noqa: F401  # isort: skip

from pipelines import limits
from pipelines.media import kinds
from pipelines.media.read import NotRead

# Pillow's names of the kinds of pictures that are read.
_PILLOW: Final = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "GIF": "GIF",
    "WebP": "WEBP",
    "AVIF": "AVIF",
    "HEIC": "HEIF",
    "BMP": "BMP",
    "TIFF": "TIFF",
}
KINDS_READ: Final = "JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP and TIFF pictures"

_DECODER_THREADS: Final = 2  # each takes address space, of which a worker has little; Pillow would take one a processor
AvifImagePlugin.DEFAULT_MAX_THREADS = _DECODER_THREADS
try:
    import pillow_heif
except ImportError:  # an optional package
    _READS_HEIC = False
else:
    # With thumbnails a sender could show us another picture than people see.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=_DECODER_THREADS)
    _READS_HEIC = True

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

_SRGB: Final = ImageCms.createProfile("sRGB")
_LAB: Final = ImageCms.createProfile("LAB")

_PNG_DEPTH: Final = 24  # where the header says how many bits a sample has: PNG specification, 11.2.2


def open_picture(data: bytes, *, at: int = 0) -> Image.Image:
    """Open the picture at position `at` of a file and check what its header announces. Nothing is decoded yet.

    Raises: `NotRead`; `EOFError` when there is no such picture; whatever Pillow raises on damaged files.
    """
    if not data:
        raise NotRead("unreadable", "The file is empty.")
    kind = kind_of(data)
    if kind is None:
        raise NotRead("refused-format", f"This is not a picture that is read. {KINDS_READ} are.")
    if kind == "HEIF" and not _READS_HEIC:
        raise NotRead("unreadable", "HEIC pictures cannot be read here: the operator has not installed their decoder.")
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
    """Return Pillow's name of the kind that the bytes show; None when they are no picture that is read."""
    kind = kinds.kind_of(data)
    return _PILLOW.get(kind.name) if kind else None


def is_animation(opened: Image.Image) -> bool:
    """Whether the file shows one picture after the other."""
    return bool(getattr(opened, "is_animated", False)) and opened.format in {"GIF", "PNG", "WEBP", "AVIF"}


def count(opened: Image.Image) -> int:
    """Return how many pictures the file says it holds: frames, pages, or those of a multi-picture JPEG or HEIC."""
    return int(getattr(opened, "n_frames", 1))


def turned_to(opened: Image.Image, data: bytes, at: int) -> Image.Image:
    """Return the picture at position `at` of a file that is open, and check its size.

    Raises: as `open_picture`.
    """
    if opened.tell() != at:
        if opened.format == "MPO":  # a JPEG that was decoded smaller cannot be wound on
            return open_picture(data, at=at)
        opened.seek(at)
        _check_size(opened.size, opened.format or "")
    return opened


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
    if opened.format in {"JPEG", "MPO"}:
        opened.draft(None, fit(opened.size, side_px))
    if opened.mode.startswith("I;16"):
        return _upper_eight_bits(opened)
    if opened.mode in {"I", "F"}:
        return _stretched(opened)
    if opened.has_transparency_data:
        picture = opened.convert("RGBA")
        lowest, _ = picture.getchannel("A").getextrema()
        return picture.convert("RGB") if lowest == 255 else picture
    if opened.mode in {"L", "RGB", "CMYK"}:
        opened.load()
        return opened
    if opened.mode == "LAB":
        return ImageCms.profileToProfile(opened, _LAB, _SRGB, outputMode="RGB") or opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


def _upper_eight_bits(opened: Image.Image) -> Image.Image:
    """Return 16-bit grey as it looks: `convert` would clip it, so that all above 255 of 65,535 became white."""
    samples = opened.tobytes()
    highest_first = opened.mode == "I;16B"
    upper = Image.frombytes("L", opened.size, samples[1 - highest_first :: 2])
    transparent = opened.info.get("transparency")
    if not isinstance(transparent, int):
        return upper
    lower = Image.frombytes("L", opened.size, samples[highest_first::2])
    differs_above = upper.point([255 * (value != transparent >> 8) for value in range(256)])
    differs_below = lower.point([255 * (value != transparent & 255) for value in range(256)])
    return Image.merge("LA", (upper, ImageChops.lighter(differs_above, differs_below))).convert("RGBA")


def _stretched(opened: Image.Image) -> Image.Image:
    """Return samples of 32 bits as grey, the lowest black and the highest white, as viewers show them."""
    samples = np.asarray(opened, dtype=np.float32)
    lowest, highest = float(samples.min()), float(samples.max())
    scale = 255 / (highest - lowest) if highest > lowest else 1.0
    return Image.fromarray(np.clip((samples - lowest) * scale, 0, 255).astype(np.uint8))


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
