"""Pictures made on the spot, as bytes."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

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


# What makes small files that say they are huge, or are once they are unpacked, by name.
BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "pixels.png": lambda: png_bomb(20_000),
    "pixels.webp": lambda: webp_bomb(),
    "screen.gif": lambda: b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\0;",
    "flat.zip": lambda: zip_bomb(),
    "lying.zip": lambda: lying_zip_bomb(),
    "overlapping.zip": lambda: overlapping_zip_bomb(),
    "crowded.zip": lambda: crowded_zip(),
    "nested.zip": lambda: zipped({f"{at}.zip": zip_bomb(10_000_000) for at in range(3)}),
    "zeros.gz": lambda: gzip_bomb(),
    "sparse.tar": lambda: sparse_tar(),
}


def swapped_channels() -> bytes:
    """Return an ICC profile in which red and green have changed places: sRGB with two tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")


def _png(header: bytes, extra: bytes, lines: bytes) -> bytes:
    data = _chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + data + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# Archives and files that are something else than they seem.


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """Return a TAR archive of these files, and of entries without content: links, devices."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for other in others:
            archive.addfile(other)
    return buffer.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def zip_link(name: str, target: str) -> bytes:
    """Return a ZIP archive that holds a symbolic link."""
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, target)
    return buffer.getvalue()


def zip_bomb(unpacked_bytes: int = 50_000_000) -> bytes:
    return zipped({"zeros.txt": b"0" * unpacked_bytes})


def lying_zip_bomb() -> bytes:
    """Return a bomb whose directory says that it unpacks to ten bytes."""
    data = bytearray(zip_bomb())
    for signature, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", data, data.rindex(signature) + at, 10)
    return bytes(data)


def overlapping_zip_bomb(times: int = 1_000) -> bytes:
    """Return an archive whose directory names the same bytes again and again."""
    data = zipped({"a": b"0" * 1_000_000})
    at = data.rindex(b"PK\1\2")
    entry, end = data[at : data.rindex(b"PK\5\6")], data[data.rindex(b"PK\5\6") :]
    return data[:at] + entry * times + end[:8] + struct.pack("<2H2L", times, times, len(entry) * times, at) + b"\0\0"


def crowded_zip(entries: int = 60_000) -> bytes:
    """Return an archive of so many empty files."""
    data = zipped({"a": b""})
    at = data.rindex(b"PK\1\2")
    entry = data[at : data.rindex(b"PK\5\6")]
    return data[:at] + entry * entries + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, entries, entries, len(entry) * entries, at, 0)


def gzip_bomb() -> bytes:
    return gzip.compress(b"0" * 50_000_000)


def sparse_tar() -> bytes:
    """Return a TAR of one kilobyte whose only file says it is a terabyte of holes (GNU tar, "Old GNU Format")."""
    header = bytearray(tar_entry("holes.bin", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % (8**11 - 1)
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * 32)
    return bytes(header) + bytes(1024)


def locked_zip() -> bytes:
    """Return an archive whose file says that it is encrypted."""
    data = bytearray(zipped({"secret.txt": b"words"}))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(signature) + at] |= 1
    return bytes(data)


def office(*folders: str) -> bytes:
    """Return the skeleton of an office file; `word`, `xl` or `ppt` says of which program."""
    parts = dict.fromkeys(("[Content_Types].xml", "_rels/.rels", *(f"{folder}/main.xml" for folder in folders)), b"<a/>")
    return zipped(parts)


def open_document(kind: str) -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}".encode()
    return zipped({"mimetype": media_type, "content.xml": b"<a/>"}, zipfile.ZIP_STORED)


def ole(stream: str) -> bytes:
    """Return the header and the directory of an OLE file that holds such a stream ([MS-CFB])."""
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<II", header, 48, 1, 0)  # the directory is the sector behind the table
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2) + bytes(62)
        for name in ("Root Entry", stream)
    )
    return bytes(header) + b"\xfe\xff\xff\xff" * 128 + entries.ljust(512, b"\0")


def windows_program() -> bytes:
    return b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + bytes(200)


def box(name: bytes, content: bytes = b"") -> bytes:
    """Return a box of ISO media."""
    return struct.pack(">I", 8 + len(content)) + name + content
