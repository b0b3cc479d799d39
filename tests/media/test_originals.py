"""Pictures as they were posted, for whoever works on them: in this process, and the same as a worker answers it."""

import io
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageCms

from pipelines.errors import UserError
from pipelines.media import originals
from pipelines.media.intake import MediaReader
from pipelines.media.originals import Original
from pipelines.media.pictures.images import original
from pipelines.media.sandbox import Answer, Sandbox
from tests.fakes import ListedFiles
from tests.media import samples

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLENTY = 3_700_000
PNG = b"\x89PNG\r\n\x1a\n"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reader() -> AsyncIterator[MediaReader]:
    async with Sandbox(workers=1) as sandbox:
        yield MediaReader(ListedFiles(), sandbox)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    return Image.fromarray(levels, mode)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
async def test_what_lost_nothing_loses_nothing(kind: str) -> None:
    picture = samples.corner((300, 200))

    data, media_type, size, posted = original(samples.encoded(picture, kind), side_px=2048, size_bytes=PLENTY)

    assert (media_type, size, posted) == ("image/png", (300, 200), (300, 200))
    assert opened(data).convert("RGB").tobytes() == picture.tobytes()


@pytest.mark.parametrize("turn", range(1, 9))
async def test_however_the_camera_was_held_it_is_upright(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    photo = samples.encoded(samples.plain(samples.RED, (300, 200)), "JPEG", exif=exif)

    data, media_type, size, posted = original(photo, side_px=150, size_bytes=PLENTY)

    assert media_type == "image/jpeg"
    assert (size, posted) == (((150, 100), (300, 200)) if turn < 5 else ((100, 150), (200, 300)))
    assert opened(data).size == size


@pytest.mark.parametrize("profile", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
async def test_nothing_travels_along(profile: bytes | None) -> None:
    photo = samples.encoded(samples.corner(), "JPEG", icc_profile=profile, comment=b"canary", exif=b"Exif\0\0canary")

    data, *_ = original(photo, side_px=2048, size_bytes=PLENTY)

    assert b"canary" not in data
    assert not {"icc_profile", "comment", "exif"} & opened(data).info.keys()


async def test_what_transparency_hides_is_not_there() -> None:
    picture = samples.corner((64, 48)).convert("RGBA")
    picture.putalpha(Image.new("L", (64, 48), 0))
    picture.paste((20, 160, 20, 128), (0, 0, 10, 10))

    data, *_ = original(samples.encoded(picture, "PNG"), side_px=2048, size_bytes=PLENTY)

    assert opened(data).getpixel((5, 5)) == (20, 160, 20, 128)
    assert opened(data).getpixel((40, 40)) == (255, 255, 255, 0)


@pytest.mark.parametrize(
    ("mode", "size_bytes", "media_type", "same"),
    [
        pytest.param("RGB", 700_000, "image/png", True, id="as-it-is"),
        pytest.param("RGB", 300_000, "image/jpeg", True, id="packed"),
        pytest.param("RGB", 40_000, "image/jpeg", False, id="smaller"),
        pytest.param("RGBA", 900_000, "image/png", True, id="transparent"),
        pytest.param("RGBA", 60_000, "image/webp", False, id="transparent-and-smaller"),
    ],
)
async def test_it_has_as_many_bytes_as_may_be(mode: str, size_bytes: int, media_type: str, same: bool) -> None:
    picture = samples.encoded(noise((450, 450), mode), "PNG")

    data, found, size, posted = original(picture, side_px=2048, size_bytes=size_bytes)

    assert (found, size == posted) == (media_type, same)
    assert size_bytes / 4 < len(data) <= size_bytes
    assert (opened(data).size, opened(data).mode) == (size, mode)


async def test_a_worker_returns_it(reader: MediaReader) -> None:
    photo = samples.encoded(samples.corner((1600, 900)), "PNG")

    found = await reader.original(photo, side_px=800, size_bytes=PLENTY)

    assert (found.size_px, found.posted_px, found.is_smaller) == ((800, 450), (1600, 900), True)
    assert opened(found.data).size == (800, 450)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"%PDF-1.7", "not a picture", id="something-else"),
        pytest.param(samples.encoded(samples.corner(), "PNG")[:90], "damaged", id="cut-off"),
        pytest.param(samples.png_bomb(12_000), "megapixels", id="gigantic"),
    ],
)
async def test_what_cannot_be_read_says_why(reader: MediaReader, data: bytes, says: str) -> None:
    with pytest.raises(UserError, match=says):
        await reader.original(data, side_px=800, size_bytes=PLENTY)


GOOD = {"media_type": "image/png", "size_px": [8, 6], "posted_px": [80, 60]}


async def test_an_answer_is_taken_as_it_is_meant() -> None:
    found = originals.unpack(Answer(status="ok", head={"original": GOOD}, body=PNG), side_px=8, size_bytes=8)

    assert found == Original(data=PNG, media_type="image/png", size_px=(8, 6), posted_px=(80, 60))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param({}, PNG, id="nothing"),
        pytest.param({"original": {**GOOD, "media_type": "text/html"}}, PNG, id="another-type"),
        pytest.param({"original": GOOD}, b"<html>", id="not-what-it-says"),
        pytest.param({"original": GOOD}, PNG + b"1", id="too-many-bytes"),
        pytest.param({"original": {**GOOD, "size_px": [9, 6]}}, PNG, id="too-large"),
        pytest.param({"original": {**GOOD, "size_px": [0, 6]}}, PNG, id="no-width"),
        pytest.param({"original": {**GOOD, "more": 1}}, PNG, id="more-than-asked-for"),
    ],
)
async def test_an_odd_answer_is_none(head: dict[str, Any], body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of its kinds does not matter
        originals.unpack(Answer(status="ok", head=head, body=body), side_px=8, size_bytes=8)
