"""Pictures that no model has made: calm compositions from the words and the seed, and simple changes to a given picture."""

import hashlib
import io
import math
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

Colour = tuple[int, int, int]
Form = Literal["PNG", "JPEG"]

LABEL: Final = "understudy: no model"
PROMPT_LINES: Final = 2
SIDE_MAX: Final = 4096
# Pillow's own font has no more letters; others would be boxes.
UNDRAWABLE: Final = re.compile(r"[^ -~]+")
# What the understudy would take for a test when it looks at the picture itself.
NOT_DRAWN: Final = re.compile(r"\S*(?:FLASHBULB[-_]TEST|GTUBE)\S*|\[\[fault:[^\]]*\]\]", re.IGNORECASE)

WORDS: Final[dict[str, str]] = {
    "sunset": "orangered",
    "sunrise": "orange",
    "sea": "steelblue",
    "ocean": "teal",
    "sky": "skyblue",
    "forest": "forestgreen",
    "tree": "seagreen",
    "mountain": "slategray",
    "night": "midnightblue",
    "moon": "lightsteelblue",
    "snow": "aliceblue",
    "winter": "lightblue",
    "autumn": "chocolate",
    "desert": "sandybrown",
    "beach": "khaki",
    "fire": "firebrick",
    "rose": "palevioletred",
    "flower": "orchid",
    "city": "slategray",
    "coffee": "saddlebrown",
}


class NotAPicture(ValueError):
    """What was given as a source is no picture that can be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is drawn: the words, and a seed that makes the same words another picture. `label` says that no model was here."""

    prompt: str
    seed: int
    label: bool = False

    @property
    def random(self) -> Random:
        return Random(hashlib.sha256(f"{self.seed} {self.prompt}".encode()).digest())


# --- Whole pictures ----------------------------------------------------------------------------------------------------------


def draw(subject: Subject, size: tuple[int, int]) -> Image.Image:
    """Draw a composition: a sky, a disc in it, hills before it."""
    random, palette = subject.random, palette_of(subject)
    width, height = size
    picture = _gradient(size, palette[0], palette[1], turned=random.random() < 0.3)
    _discs(picture, palette, random)
    hills = ImageDraw.Draw(picture)
    layers = random.randint(2, 4)
    for layer in range(layers):
        base = height * (0.5 + 0.4 * (layer + 0.5) / layers)
        colour = _mixed(palette[(layer + 2) % len(palette)], (18, 22, 34), layer / layers * 0.6)
        hills.polygon(_ridge(random, width, height, base), fill=colour)
    return picture


def redraw(source: Image.Image, subject: Subject, size: tuple[int, int], strength: float) -> Image.Image:
    """Draw over a picture: at 0 it is kept, at 1 nothing of it is left."""
    kept = ImageOps.fit(source.convert("RGB"), size)
    if strength > 0.2:
        bits = max(2, round(7 - 5 * strength))
        kept = Image.blend(kept, ImageOps.posterize(kept, bits), 0.7)
    dark, light = palette_of(subject)[2], palette_of(subject)[0]
    tinted = ImageOps.colorize(ImageOps.grayscale(kept), dark, light)
    kept = Image.blend(kept, tinted, min(1.0, 0.6 * strength))
    return Image.blend(kept, draw(subject, size), strength**2)


def enlarge(source: Image.Image, scale: float) -> Image.Image:
    """Enlarge a picture, to at most `SIDE_MAX` px."""
    scale = min(scale, SIDE_MAX / max(source.size))
    size = (max(1, round(source.width * scale)), max(1, round(source.height * scale)))
    return source.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def cut_out(source: Image.Image) -> Image.Image:
    """Return the picture with alpha: what looks like its border is taken away, or else all but an oval."""
    plain = source.convert("RGB")
    edge = plain.resize((3, 3), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(edge, tuple)
    unlike = ImageOps.grayscale(ImageChops.difference(plain, Image.new("RGB", plain.size, edge)))
    mask = unlike.point(lambda value: 255 if value > 40 else 0).filter(ImageFilter.MedianFilter(3))
    share = sum(mask.histogram()[128:]) / (mask.width * mask.height)
    if not 0.05 < share < 0.9:
        mask = Image.new("L", plain.size)
        left, top = plain.width // 8, plain.height // 8
        ImageDraw.Draw(mask).ellipse((left, top, plain.width - left, plain.height - top), fill=255)
    plain.putalpha(mask.filter(ImageFilter.GaussianBlur(1)))
    return plain


def extend(source: Image.Image, subject: Subject, size: tuple[int, int]) -> Image.Image:
    """Return the picture in the middle of a larger one."""
    whole = draw(subject, size)
    inner = ImageOps.contain(source.convert("RGB"), size)
    whole.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return whole


def replaced(size: tuple[int, int], how: str, original: Image.Image) -> Image.Image:
    """Return what the vendor puts in place of a result that it holds back: `black`, `blur` or `text`."""
    if how == "blur":
        small = original.convert("RGB").resize((6, 6), Image.Resampling.BOX)
        return small.resize(size, Image.Resampling.BICUBIC)
    picture = Image.new("RGB", size)
    if how == "text":
        font = ImageFont.load_default(max(12, size[0] // 20))
        middle = (size[0] / 2, size[1] / 2)
        ImageDraw.Draw(picture).text(middle, "NSFW content detected", "white", font=font, anchor="mm")
    return picture


def labelled(picture: Image.Image, prompt: str) -> Image.Image:
    """Return the picture with a strip that says that no model has made it, and what was wished.

    The strip is always as high, so that it covers that of a source.
    """
    width, height = picture.size
    letter = max(11, min(width // 30, height // 22))
    font, step = ImageFont.load_default(letter), round(letter * 1.35)
    columns = max(8, int(width * 0.94 / font.getlength("n") * 1.1))
    lines = textwrap.wrap(_drawable(prompt), columns, max_lines=PROMPT_LINES, placeholder=" …")
    strip = Image.new("RGB", (width, min(height, step * (PROMPT_LINES + 1) + letter)), "#0c0e14")
    pen = ImageDraw.Draw(strip)
    for row, line in enumerate((LABEL, *lines)):
        pen.text((width * 0.03, letter * 0.45 + row * step), line, "white" if row else "#ffd479", font=font)
    whole = picture.copy()
    whole.paste(strip, (0, height - strip.height))  # into an RGBA picture it goes opaque
    return whole


def _drawable(prompt: str) -> str:
    """Return what of a prompt can be written with the bundled font and is fit to be seen by the understudy itself."""
    plain = unicodedata.normalize("NFKD", NOT_DRAWN.sub(" ", prompt))
    visible = "".join(each for each in plain if not unicodedata.combining(each))
    return " ".join(UNDRAWABLE.sub(" ", visible).split())


# --- Bytes -------------------------------------------------------------------------------------------------------------------


def opened(data: bytes) -> Image.Image:
    """Open a picture that somebody brought, upright and of at most `SIDE_MAX` px. Raises: `NotAPicture`."""
    try:
        picture = Image.open(io.BytesIO(data))
        if max(picture.size) > SIDE_MAX:
            raise NotAPicture
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise NotAPicture from None
    return ImageOps.exif_transpose(picture)


def encoded(picture: Image.Image, form: Form) -> bytes:
    """Return the bytes of a picture."""
    file = io.BytesIO()
    if form == "JPEG":
        picture.convert("RGB").save(file, "JPEG", quality=90)
    else:
        picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


# --- Colours and shapes ------------------------------------------------------------------------------------------------------


def palette_of(subject: Subject) -> Sequence[Colour]:
    """Return five colours: those that the words name, and neighbours of these."""
    named = [_rgb(WORDS.get(word, word)) for word in re.findall(r"[a-z]+", subject.prompt.lower()) if _is_colour(word)]
    random = subject.random
    colours = list(dict.fromkeys(named))[:5]
    hue = random.randrange(360)
    while len(colours) < 5:
        colours.append(_rgb(f"hsl({(hue + 35 * len(colours)) % 360}, {random.randint(30, 60)}%, {random.randint(45, 75)}%)"))
    return colours


def _is_colour(word: str) -> bool:
    return word in WORDS or word in ImageColor.colormap


def _rgb(name: str) -> Colour:
    red, green, blue, *_ = ImageColor.getrgb(name)
    return red, green, blue


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(size: tuple[int, int], one: Colour, other: Colour, *, turned: bool) -> Image.Image:
    shade = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    if turned:
        shade = ImageOps.mirror(Image.linear_gradient("L").rotate(90)).resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(shade, one, other)


def _discs(picture: Image.Image, palette: Sequence[Colour], random: Random) -> None:
    pen = ImageDraw.Draw(picture, "RGBA")
    short = min(picture.size)
    for number in range(random.randint(1, 3)):
        radius = short * random.uniform(0.06, 0.2) / (number + 1) ** 0.5
        x, y = picture.width * random.uniform(0.15, 0.85), picture.height * random.uniform(0.12, 0.5)
        for step, opacity in ((1.5, 40), (1.2, 70), (1.0, 220)):
            box = (x - radius * step, y - radius * step, x + radius * step, y + radius * step)
            pen.ellipse(box, fill=(*_mixed(palette[number + 1], (255, 250, 235), 0.5), opacity))


def _ridge(random: Random, width: int, height: int, base: float) -> list[tuple[float, float]]:
    waves = [(random.uniform(0.5, 3), random.uniform(0, math.tau), random.uniform(0.02, 0.07)) for _ in range(3)]

    def at(x: float) -> float:
        return base + height * sum(high * math.sin(math.tau * often * x / width + begin) for often, begin, high in waves)

    points = [(x, at(x)) for x in range(0, width + 8, 8)]
    return [*points, (width, height), (0, height)]
