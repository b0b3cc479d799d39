"""Pictures and animations that hide something, are no pictures, or cost too much to look at."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from pipelines.moderation.policy import Action
from tests.adversarial.way import BAD, Way
from tests.media.samples import BOMBS, animation, encoded, plain, qr_code, windows_program, zipped

pytestmark = pytest.mark.asyncio(loop_scope="session")

CODE = qr_code(BAD)
EMPTY = plain((10, 120, 90), CODE.size)


def exif() -> Image.Exif:
    said = Image.Exif()
    said[0x010E] = BAD  # the description
    return said


def png_text(**options: bool) -> PngImagePlugin.PngInfo:
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", BAD, **options)
    return said


def png_itxt() -> PngImagePlugin.PngInfo:
    said = PngImagePlugin.PngInfo()
    said.add_itxt("Comment", BAD, zip=True)
    return said


def xmp() -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{BAD}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def colour_profile() -> bytes:
    """Return a profile whose copyright is a text of ours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    text = b"text\0\0\0\0" + BAD.encode() + b"\0"
    text += bytes(-len(text) % 4)
    at = profile.index(b"cprt", 128)
    struct.pack_into(">II", profile, at + 4, len(profile), len(text))
    profile += text
    struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def zipped_text_bomb() -> bytes:
    """Return a small picture with a comment that begins with our text and unpacks to 100 MB."""
    whole = encoded(plain(), "PNG")
    packer = zlib.compressobj()
    packed = packer.compress(BAD.encode() + b" ")
    packed += b"".join(packer.compress(bytes(1_000_000).replace(b"\0", b"a")) for _ in range(100)) + packer.flush()
    data = b"Comment\0\0" + packed
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    return whole[:33] + chunk + whole[33:]


def frames(total: int, at: int) -> list[Image.Image]:
    made = [EMPTY] * total
    made[at] = CODE
    return made


def moving(kind: str, total: int = 300, at: int = 171, **options: object) -> bytes:
    return animation(frames(total, at), kind, **options)


def short_frame() -> bytes:
    buffer = io.BytesIO()
    first, *others = frames(20, 11)
    durations = [10 if at == 11 else 500 for at in range(20)]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=1)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(plain(), "JPEG", exif=exif()), id="exif"),
        pytest.param(encoded(plain(), "JPEG", xmp=xmp()), id="xmp"),
        pytest.param(encoded(plain(), "JPEG", comment=BAD.encode()), id="jpeg-comment"),
        pytest.param(encoded(plain(), "JPEG", icc_profile=colour_profile()), id="colour-profile"),
        pytest.param(encoded(plain(), "PNG", pnginfo=png_text()), id="png-text"),
        pytest.param(encoded(plain(), "PNG", pnginfo=png_text(zip=True)), id="png-packed-text"),
        pytest.param(encoded(plain(), "PNG", pnginfo=png_itxt()), id="png-international-text"),
        pytest.param(encoded(plain(), "GIF", comment=BAD.encode()), id="gif-comment"),
        pytest.param(encoded(plain(), "WEBP", exif=exif()), id="webp-exif"),
    ],
)
async def test_what_the_metadata_says_is_removed(way: Way, data: bytes) -> None:
    verdict = await way.judged(("picture", data))

    assert verdict.action is Action.REMOVE


async def test_a_packed_comment_that_explodes_costs_little_and_hides_nothing(way: Way) -> None:
    data = zipped_text_bomb()
    began = time.monotonic()

    verdict = await way.judged(("picture.png", data))

    assert verdict.decision != "allow"
    assert time.monotonic() - began < 5  # opened, it would take longer than a worker may live


async def test_a_file_name_is_judged(way: Way) -> None:
    verdict = await way.judged((f"{BAD}.png", encoded(plain(), "PNG")))

    assert verdict.action is Action.REMOVE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(moving("GIF"), id="one-gif-frame-of-300"),
        pytest.param(moving("PNG"), id="one-apng-frame-of-300"),
        pytest.param(moving("WEBP"), id="one-webp-frame-of-300"),
        pytest.param(moving("GIF", 110, 104), id="after-frame-100"),
        pytest.param(short_frame(), id="a-frame-of-10-ms-in-the-only-loop"),
        pytest.param(moving("PNG", 3, 0, default_image=True), id="apng-default-picture"),
        pytest.param(
            encoded(EMPTY.copy(), "TIFF", save_all=True, append_images=[CODE.copy()], compression="tiff_lzw"),
            id="a-later-page-of-a-tiff",
        ),
        pytest.param(encoded(EMPTY, "MPO", save_all=True, append_images=[CODE]), id="second-picture-of-an-mpo"),
    ],
)
async def test_the_one_picture_that_matters_is_found(way: Way, data: bytes) -> None:
    verdict = await way.judged(("moving", data))

    assert verdict.action is Action.REMOVE


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(CODE, id="upright"),
        pytest.param(CODE.rotate(90), id="turned"),
        pytest.param(CODE.rotate(20, expand=True, fillcolor=(255, 255, 255)), id="slanted"),
        pytest.param(ImageOps.mirror(CODE), id="mirrored"),
        pytest.param(ImageOps.invert(CODE), id="inverted"),
    ],
)
async def test_a_code_is_read_however_it_lies(way: Way, picture: Image.Image) -> None:
    verdict = await way.judged(("code.png", encoded(picture, "PNG")))

    assert verdict.action is Action.REMOVE


async def test_a_tiny_picture_is_allowed(way: Way) -> None:
    verdict = await way.judged(("dot.png", encoded(plain(size=(1, 1)), "PNG")))

    assert verdict.decision == "allow"


async def test_a_code_at_the_end_of_a_strip_is_never_waved_through(way: Way) -> None:
    strip = Image.new("RGB", (200, 10_000), (255, 255, 255))
    strip.paste(CODE, (0, 9_700))

    verdict = await way.judged(("strip.png", encoded(strip, "PNG")))

    assert verdict.decision != "allow"


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_is_unknown_and_held_and_the_next_file_is_read(way: Way, name: str) -> None:
    began = time.monotonic()

    verdict = await way.judged((name, BOMBS[name]()))

    assert (verdict.decision, verdict.action) == ("unknown", Action.HOLD)
    assert time.monotonic() - began < 5  # opened, it would take longer than a worker may live
    assert (await way.judged(("dot.png", encoded(plain(), "PNG")))).decision == "allow"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_a_picture_that_is_cut_off_is_never_allowed(way: Way, kind: str) -> None:
    whole = encoded(qr_code("nothing", 300), kind)

    verdict = await way.judged(("cut", whole[: len(whole) // 2]))

    assert verdict.decision == "unknown"
    assert verdict.action is Action.HOLD


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(plain(), "JPEG") + zipped({"a.txt": BAD.encode()}), id="jpeg-and-zip"),
        pytest.param(encoded(plain(), "GIF") + f"/* {BAD} */ alert(1)".encode().ljust(2_000), id="gif-and-script"),
        pytest.param(encoded(plain(), "PNG") + f"<html><body>{BAD}</body></html>".encode().ljust(2_000), id="png-and-page"),
    ],
)
async def test_both_sides_of_a_polyglot_are_judged(way: Way, data: bytes) -> None:
    verdict = await way.judged(("picture", data))

    assert verdict.action is Action.REMOVE


async def test_a_drawing_is_read_and_one_that_reaches_outside_is_held(way: Way) -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">'
    says = f"{head}<text y='20'>{BAD}</text></svg>".encode()
    reaches = f"{head}<image href='http://127.0.0.1/a.png' width='9' height='9'/></svg>".encode()

    assert (await way.judged(("a.svg", says))).action is Action.REMOVE
    assert (await way.judged(("b.svg", reaches))).decision != "allow"


@pytest.mark.parametrize("data", [b"\x00\x01\x02" * 500, windows_program(), b""], ids=["noise", "program", "nothing"])
async def test_what_is_of_no_kind_that_we_read_is_never_allowed(way: Way, data: bytes) -> None:
    verdict = await way.judged(("holiday.jpg", data))

    assert verdict.decision != "allow"
    assert verdict.action.strength >= Action.HOLD.strength
