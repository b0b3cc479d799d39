"""Pictures made on the spot, as bytes."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import zxingcpp
from PIL import Image, ImageCms, ImageDraw, ImageFont

RED, BLUE, GREEN, WHITE = (220, 20, 20), (20, 20, 220), (20, 160, 20), (255, 255, 255)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(colour: tuple[int, int, int] = BLUE, size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, colour)


def scene(at: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Return one of many pictures that look unlike each other."""
    picture = plain(((at * 67) % 256, (at * 131) % 256, (at * 29) % 256), size)
    ImageDraw.Draw(picture).rectangle((at * 7 % size[0], 0, at * 7 % size[0] + 20, size[1]), fill=WHITE)
    return picture


def corner(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Return a blue picture whose upper left corner is red, so that one sees how it is turned."""
    picture = plain(BLUE, size)
    picture.paste(RED, (0, 0, size[0] // 4, size[1] // 4))
    return picture


def animation(frames: Sequence[Image.Image], kind: str, **options: Any) -> bytes:
    return encoded(frames[0], kind, save_all=True, append_images=list(frames[1:]), duration=40, **options)


def written(text: str, *, ink: tuple[int, ...], ground: tuple[int, ...], size: tuple[int, int] = (400, 100)) -> Image.Image:
    """Return a text on a ground, in RGBA; with a transparent ground or ink where their fourth value says so."""
    picture = Image.new("RGBA", size, ground)
    stencil = Image.new("L", size, 0)
    ImageDraw.Draw(stencil).text((20, 20), text, fill=255, font=ImageFont.load_default(48))
    picture.paste(Image.new("RGBA", size, ink), mask=stencil.point(lambda value: 255 * (value > 127)))
    return picture


def qr_code(text: str, side_px: int = 200) -> Image.Image:
    code = memoryview(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode), scale=4))
    return Image.frombytes("L", (code.shape[1], code.shape[0]), bytes(code)).resize((side_px, side_px)).convert("RGB")


def grey_16_bit(rows: Sequence[Sequence[int]], transparent: int | None = None) -> bytes:
    """Return a PNG of 16-bit grey; `transparent` is the value of its transparent colour."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 16, 0, 0, 0, 0)
    lines = b"".join(b"\0" + struct.pack(f">{len(row)}H", *row) for row in rows)
    key = _chunk(b"tRNS", struct.pack(">H", transparent)) if transparent is not None else b""
    return _png(header, key, lines)


def rgb_16_bit_with_a_transparent_colour() -> bytes:
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    return _png(header, _chunk(b"tRNS", struct.pack(">3H", 65535, 0, 1)), b"\0" + struct.pack(">6H", 65535, 0, 1, 65535, 0, 2))


def png_bomb(side_px: int) -> bytes:
    """Return a small PNG that says it is a large square."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    return _png(header, b"", b"\0" * ((side_px // 8 + 1) * 64))


def webp_bomb() -> bytes:
    """Return 34 bytes that say they are 16,383 x 16,383 pixels."""
    bits = (16382 | 16382 << 14).to_bytes(4, "little")
    return (
        b"RIFF"
        + struct.pack("<I", 26)
        + b"WEBPVP8L"
        + struct.pack("<I", 13)
        + b"/"
        + bits
        + b"\x07\x10\x11\x11\x88\x88\xfe\x07\0"
    )


def swapped_channels() -> bytes:
    """Return an ICC profile in which red and green have changed places: sRGB with two tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")


def _png(header: bytes, extra: bytes, lines: bytes) -> bytes:
    data = _chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + data + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
