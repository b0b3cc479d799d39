"""Seeded pictures that look enough like photographs to measure with, made from nothing but numbers."""

import math
import random
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def scene(seed: int, width_px: int, height_px: int) -> Image.Image:
    """Draw a landscape: sky, sun, rows of hills, water and grain. The same seed gives the same pixels."""
    dice = random.Random(seed)
    small = Image.new("RGB", (width_px // 2 or 1, height_px // 2 or 1))
    draw = ImageDraw.Draw(small)
    width, height = small.size
    horizon = int(height * dice.uniform(0.5, 0.65))
    top, low = _sky(dice)
    for y in range(horizon):
        draw.line((0, y, width, y), fill=_between(top, low, y / max(1, horizon)))
    left, high, radius = dice.uniform(0.2, 0.8) * width, horizon * dice.uniform(0.35, 0.8), height * 0.05
    draw.ellipse((left - radius, high - radius, left + radius, high + radius), fill=(255, 240, 205))
    for row in range(5):
        _hills(
            draw,
            dice,
            width,
            height,
            base=horizon - height * (0.16 - 0.045 * row),
            shade=_between(low, (18, 30, 38), 0.25 + row * 0.17),
        )
    for y in range(horizon, height):
        draw.line((0, y, width, y), fill=_between(low, (16, 32, 52), (y - horizon) / max(1, height - horizon)))
        if dice.random() < 0.5:
            left = dice.uniform(0, width)
            draw.line((left, y, left + dice.uniform(4, width / 8), y), fill=_between(low, (255, 245, 220), 0.35))
    picture = small.filter(ImageFilter.GaussianBlur(0.8)).resize((width_px, height_px), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).normal(128, 14, (height_px, width_px))
    grain = Image.fromarray(noise.clip(0, 255).astype(np.uint8)).convert("RGB")
    return Image.blend(picture, grain, 0.045).filter(ImageFilter.UnsharpMask(2, 60))


def photo(seed: int, width_px: int, height_px: int, *, quality: int = 90) -> bytes:
    """Return a scene as a JPEG."""
    out = BytesIO()
    scene(seed, width_px, height_px).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _sky(dice: random.Random) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    return dice.choice([((38, 62, 120), (250, 178, 120)), ((70, 120, 190), (235, 225, 205)), ((60, 42, 100), (245, 140, 110))])


def _between(a: tuple[int, int, int], b: tuple[int, int, int], t: float) -> tuple[int, int, int]:
    return (round(a[0] + (b[0] - a[0]) * t), round(a[1] + (b[1] - a[1]) * t), round(a[2] + (b[2] - a[2]) * t))


def _hills(
    draw: ImageDraw.ImageDraw, dice: random.Random, width: int, height: int, *, base: float, shade: tuple[int, int, int]
) -> None:
    waves = [(dice.uniform(0.5, 6), dice.uniform(0, 7), dice.uniform(0.01, 0.05) * height) for _ in range(4)]
    line = [
        (x, base + sum(high * math.sin(often * 6.283 * x / width + shift) for often, shift, high in waves))
        for x in range(0, width + 1, 2)
    ]
    draw.polygon([(0, height), *line, (width, height)], fill=shade)
