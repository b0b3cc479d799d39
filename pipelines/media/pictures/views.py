"""From an opened picture to what a model is shown: at most 1024 px, upright, opaque, sRGB, without metadata."""

import io
import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Final

from PIL import Image, ImageChops, ImageCms, ImageFilter

from pipelines import limits
from pipelines.media.pictures import metadata
from pipelines.media.pictures.opening import decoded, fit, may_hide_a_picture
from pipelines.media.pictures.text_share import text_share

# Scaling to less than twice the final size is done by averaging whole blocks: quicker, and no difference can be seen.
_SHARP_SIDE_PX: Final = 2 * limits.PREPARED_SIDE_PX
TILED_SIDE_PX: Final = 1984  # of the whole that is cut: two tiles a side
_OVERLAP_PX: Final = 64  # so that a line of print is whole in one tile at least
_JPEG_QUALITY: Final = 85  # with 4:2:0 about 43 dB and 80 kB on photos
_PRINT_QUALITY: Final = 90  # with 4:4:4: else coloured print is smeared
_WEBP_QUALITY: Final = 80
_FULL_QUALITIES: Final = (95, 88, 80)  # of what is worked on further, the first that fits
_LOSSLESS: Final = frozenset({"PNG", "GIF", "BMP", "TIFF"})  # Pillow's names of kinds that lose nothing
_BLURRED_CELLS: Final = 16
_SLENDER_ASPECT: Final = 4  # as of a long screenshot; at 1024 px the shorter side would have fewer than 256

_VISIBLE_LEVELS: Final = 8  # of 255, by which two pictures must differ for people to see it
_FAINT: Final = 16  # an opacity, of 255, up to which people see nothing
_HIDDEN_LEVELS: Final = 16  # by how much the colours of the unseen must vary to make a picture ...
_HIDDEN_PIXELS: Final = 32  # ... on at least so many pixels
_EDGE_PX: Final = 5  # around what can be seen, where colours are the smoothing's own

HIDDEN: Final = "/under-alpha"  # where the picture is shown that people cannot see

_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF 2.32, tag 0x0112
_LYING: Final = frozenset({5, 6, 7, 8})  # those whose width is the height


class View:
    """One look at a picture.

    `sharp` is before the last step of scaling; it may be lying on its side or be CMYK. `prepared` is at most 1024 px, upright,
    RGB and in sRGB.
    """

    def __init__(self, opening: "_Opening", sharp: Image.Image, suffix: str = "", note: str = "") -> None:
        self.suffix = suffix
        self.note = note
        self.sharp = sharp
        self._opening = opening
        self.prepared = opening.scaled(sharp, limits.PREPARED_SIDE_PX, opening.scaling)

    @cached_property
    def text_share(self) -> float:
        """How much of the view is covered with text, 0 to 1."""
        return text_share(self.prepared)

    @property
    def covers_tiles(self) -> bool:
        """Whether `sharp` is as large as tiles are cut from; a JPEG may have been decoded smaller."""
        return max(self.sharp.size) >= min(TILED_SIDE_PX, self.longest_px)

    @property
    def size(self) -> tuple[int, int]:
        """The picture as it came, in pixels."""
        return self._opening.size

    @property
    def longest_px(self) -> int:
        """The longest side of the picture as it came."""
        return max(self.size)

    def fitted(self, side_px: int) -> Image.Image:
        """Return the view with at most `side_px` on its longest side, upright and RGB; never enlarged."""
        return self._opening.scaled(self.sharp, side_px, Image.Resampling.LANCZOS)

    def tiles(self) -> Iterator[Image.Image]:
        """Cut the view into pieces of at most 1024 px, upright and RGB, row by row."""
        whole = self.fitted(TILED_SIDE_PX)
        columns, rows = _cuts(whole.width), _cuts(whole.height)
        for top, bottom in rows:
            for left, right in columns:
                yield whole.crop((left, top, right, bottom))


class _Opening:
    """What must be known of a picture from before it was decoded, to bring any look at it into its final form."""

    def __init__(self, opened: Image.Image, *, side_px: int) -> None:
        self.size, self._profile = opened.size, _profile(opened)
        self.picture = decoded(opened, side_px=side_px)
        self._turn = metadata.orientation(opened)
        # On a photo that was decoded smaller, Lanczos gains 0.3 dB (40.5 instead of 40.2) and takes three times as long.
        decoded_smaller = self.picture.size != self.size
        self.scaling = Image.Resampling.HAMMING if decoded_smaller else Image.Resampling.LANCZOS

    def scaled(self, sharp: Image.Image, side_px: int, scaling: Image.Resampling) -> Image.Image:
        size = fit(self.size, side_px)
        return self.finished(sharp.resize(size, scaling) if sharp.size != size else sharp)

    def finished(self, small: Image.Image) -> Image.Image:
        """Bring what is small already into sRGB, upright."""
        return _turned(_to_srgb(small, self._profile), self._turn)


def views(opened: Image.Image, *, side_px: int = limits.PREPARED_SIDE_PX) -> Iterator[View]:
    """Return the looks at one picture, decoded so that it covers `side_px`.

    One, where it is opaque. What is transparent is seen on light and on dark grounds, and each single ground hides its own
    colour; so it is shown on white, and on black if that looks different, and bare if there is a picture in what nobody sees.
    """
    opening = _Opening(opened, side_px=side_px)
    picture = opening.picture
    sharp = _reduced(picture)
    if picture.mode != "RGBA":
        yield View(opening, sharp)
        return
    on_white = View(opening, _on(sharp, "white"), "", "transparent, shown on white")
    yield on_white
    on_black = View(opening, _on(sharp, "black"), "/on-black", "transparent, shown on black")
    if _look_different(on_white.prepared, on_black.prepared):
        yield on_black
    if not may_hide_a_picture(opened):
        return
    bare = _reduced(picture.convert("RGB"))
    if _hides_a_picture(bare, sharp.getchannel("A")):
        yield View(opening, bare, HIDDEN, "colours that full transparency hides from people")


def is_slender(size: tuple[int, int]) -> bool:
    """Whether a picture is so long and narrow that nobody could tell what it shows once it is shrunk."""
    return max(size) > limits.PREPARED_SIDE_PX and max(size) > _SLENDER_ASPECT * min(size)


def strips(opened: Image.Image) -> Iterator[Image.Image]:
    """Cut a slender picture along its longer side into pieces of at most 1024 px, upright and RGB, that overlap."""
    aspect = max(opened.size) / min(opened.size)
    opening = _Opening(opened, side_px=min(max(opened.size), round(aspect * limits.PREPARED_SIDE_PX)))
    picture = _on(opening.picture, "white") if opening.picture.mode == "RGBA" else opening.picture
    short, length, upright = min(picture.size), max(picture.size), picture.height > picture.width
    piece, step = _SLENDER_ASPECT * short, _SLENDER_ASPECT * short - short // 2
    for start in range(0, max(1, length - short // 2), step):
        end = min(length, start + piece)
        cut = picture.crop((0, start, short, end) if upright else (start, 0, end, short))
        yield opening.finished(cut.resize(fit(cut.size, limits.PREPARED_SIDE_PX), Image.Resampling.LANCZOS))


def _cuts(length_px: int) -> tuple[tuple[int, int], ...]:
    """Return where the pieces of one side begin and end: equal ones that overlap."""
    if length_px <= limits.PREPARED_SIDE_PX:
        return ((0, length_px),)
    piece_px = (length_px + _OVERLAP_PX + 1) // 2
    return ((0, piece_px), (length_px - piece_px, length_px))


def as_jpeg(prepared: Image.Image) -> bytes:
    """Encode what is sent to a model."""
    return _encoded(prepared, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")


def as_print(tile: Image.Image) -> bytes:
    """Encode a tile so that small print stays legible."""
    return _encoded(tile, "JPEG", quality=_PRINT_QUALITY, subsampling="4:4:4")


def as_png(picture: Image.Image) -> bytes:
    """Encode what people read closely; the least packing takes a third of the time of the usual one, and hardly more bytes."""
    return _encoded(picture, "PNG", compress_level=1)


def as_preview(opened: Image.Image, *, side_px: int, blurred: bool = False) -> bytes:
    """Encode the picture small, for people, as a WebP in which transparency stays.

    `blurred`: nothing smaller than a 16th of it can be told. That one is a JPEG: Slack shows no WebP in its messages.
    """
    small = _upright(opened, side_px=side_px)
    if not blurred:
        return _encoded(small, "WEBP", quality=_WEBP_QUALITY, method=4)
    few = fit(small.size, _BLURRED_CELLS)
    cells = small.resize(few, Image.Resampling.BOX).resize(small.size, Image.Resampling.BICUBIC)
    return as_jpeg(_on(cells, "white") if cells.mode == "RGBA" else cells)


def as_original(opened: Image.Image, *, side_px: int, size_bytes: int) -> tuple[bytes, str, tuple[int, int], tuple[int, int]]:
    """Encode the picture as it was posted, for whoever works on it: transparency stays, what it hides does not.

    It is as large as `side_px` and `size_bytes` allow. Returns the bytes, their type, their size in pixels, and the posted one.
    """
    posted = opened.size[::-1] if metadata.orientation(opened) in _LYING else opened.size
    lossless = opened.format in _LOSSLESS
    picture = _upright(opened, side_px=side_px)
    if picture.mode == "RGBA":
        seen = picture.getchannel("A").point([255 * (value > _FAINT) for value in range(256)])
        picture = Image.composite(picture, Image.new("RGBA", picture.size, (255, 255, 255, 0)), seen)
    while True:
        for data, media_type in _packings(picture, lossless=lossless):
            if len(data) <= size_bytes:
                return data, media_type, picture.size, posted
        smaller_px = int(max(picture.size) * 0.95 * math.sqrt(size_bytes / len(data)))
        picture = picture.resize(fit(picture.size, smaller_px), Image.Resampling.LANCZOS)


def _packings(picture: Image.Image, *, lossless: bool) -> Iterator[tuple[bytes, str]]:
    """Encode a picture in ever fewer bytes, each time as well as that goes."""
    if lossless or picture.mode == "RGBA":
        yield as_png(picture), "image/png"
    if picture.mode == "RGBA":
        yield _encoded(picture, "WEBP", quality=_FULL_QUALITIES[0], method=1), "image/webp"
        return
    for quality in _FULL_QUALITIES:
        yield _encoded(picture, "JPEG", quality=quality, subsampling="4:4:4"), "image/jpeg"


def _upright(opened: Image.Image, *, side_px: int) -> Image.Image:
    """Return the picture of at most `side_px`, upright and in sRGB: RGBA where anything is transparent, else RGB."""
    size, profile = fit(opened.size, side_px), _profile(opened)
    small = decoded(opened, side_px=side_px).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    result = _to_srgb(small.convert("RGB") if small.mode == "RGBA" else small, profile)
    if small.mode == "RGBA":
        result.putalpha(small.getchannel("A"))
    return _turned(result, metadata.orientation(opened))


def _reduced(picture: Image.Image) -> Image.Image:
    factor = max(picture.size) // _SHARP_SIDE_PX
    return picture.reduce(factor) if factor > 1 else picture


def _on(picture: Image.Image, colour: str) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, colour), picture).convert("RGB")


def _look_different(one: Image.Image, other: Image.Image) -> bool:
    return any(highest > _VISIBLE_LEVELS for _, highest in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]


def _hides_a_picture(bare: Image.Image, alpha: Image.Image) -> bool:
    """Whether the colours vary where nothing can be seen. One flat colour there is what drawing programs leave."""
    unseen = alpha.filter(ImageFilter.MaxFilter(_EDGE_PX)).point([255 * (value <= _FAINT) for value in range(256)])
    counts = bare.histogram(unseen)
    for band in (counts[:256], counts[256:512], counts[512:]):
        commonest = band.index(max(band))
        if sum(n for level, n in enumerate(band) if abs(level - commonest) > _HIDDEN_LEVELS) > _HIDDEN_PIXELS:
            return True
    return False


def _profile(opened: Image.Image) -> bytes | None:
    found = opened.info.get("icc_profile")
    return found if isinstance(found, bytes) else None


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture as sRGB; with a profile that is broken or of another mode, as viewers show it: without."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if converted := ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB"):
                return converted
    return picture.convert("RGB")


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def _encoded(picture: Image.Image, format_name: str, **options: object) -> bytes:
    picture.info.clear()  # else comments, text and profiles travel on
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()
