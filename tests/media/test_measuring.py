"""What a picture measures, through the real sandbox, and what its numbers say in words."""

import dataclasses
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFilter

from pipelines.content import Content, ImagePart
from pipelines.errors import Unavailable
from pipelines.media.intake import MediaReader
from pipelines.media.pictures.colours import main_colours
from pipelines.media.pictures.measures import Measures, kind_of, quality_of
from pipelines.media.pictures.measuring import measure
from pipelines.media.sandbox import Answer, Sandbox
from tests.media import samples
from tests.media.test_intake import InMemory, a_file


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1) as opened:
        yield opened


def a_part(data: bytes) -> ImagePart:
    return ImagePart(id="file:0", data=data, media_type="image/jpeg", width_px=4, height_px=4)


def meadow(size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Return a light sky above a green meadow of many blades, always the same one."""
    chance, picture = random.Random(1), Image.new("RGB", size, "#9cc8ec")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, size[1] // 2, *size), fill="#3c9a3c")
    for _ in range(4_000):
        x, y = chance.randrange(size[0]), chance.randrange(size[1] // 2, size[1])
        draw.line((x, y, x + chance.randrange(-6, 6), y - 14), fill=(40, chance.randrange(90, 200), 40), width=2)
    return picture


@dataclasses.dataclass
class Odd:
    """A sandbox whose worker answers as it likes."""

    answer: Answer | Exception

    async def run(self, *_: Any, **__: Any) -> Answer:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.asyncio(loop_scope="module")
async def test_a_prepared_picture_is_measured_in_a_worker(sandbox) -> None:
    reader = MediaReader(InMemory({"0": samples.encoded(meadow(), "PNG")}), sandbox)
    intake = await reader.intake(Content(attachments=(a_file("0"),)))
    [part] = [part for part in intake.parts if isinstance(part, ImagePart)]

    measures = await reader.measure(part)

    assert measures is not None
    assert (measures.width_px, measures.height_px) == (800, 600)
    assert measures.top_light > 25
    colours = dict(measures.colours)
    assert max(colours, key=colours.__getitem__) == "green"
    assert 0.4 < colours["light blue"] < 0.6


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_picture_has_no_measures(sandbox) -> None:
    assert await MediaReader(InMemory({}), sandbox).measure(a_part(b"I am no picture")) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"light": float("nan")}, id="no-number"),
        pytest.param({"more": 1}, id="more-than-asked"),
        pytest.param({"colours": [["<script>", 1.0]]}, id="no-colour"),
        pytest.param({"colours": [["red", 0.1]] * 99}, id="too-many-colours"),
        pytest.param({"light": None}, id="nothing"),
    ],
)
async def test_what_a_worker_says_is_checked(change: dict[str, Any]) -> None:
    head = {"status": "ok", "measures": measure(meadow()).model_dump() | change}

    answer = Answer(status="ok", why="", head=head, body=b"")

    assert await MediaReader(InMemory({}), Odd(answer)).measure(a_part(b"")) is None


async def test_without_a_worker_there_are_no_measures_and_nothing_is_raised() -> None:
    assert await MediaReader(InMemory({}), Odd(Unavailable("The reader of files"))).measure(a_part(b"")) is None


@pytest.mark.parametrize(
    ("picture", "aspect", "word"),
    [
        pytest.param(meadow(), "sharpness", "sharp", id="sharp"),
        pytest.param(meadow().filter(ImageFilter.GaussianBlur(8)), "sharpness", "blurred", id="out-of-focus"),
        pytest.param(samples.plain(), "sharpness", "nothing to tell by", id="nothing-to-focus-on"),
        pytest.param(meadow(), "exposure", "balanced", id="usual-light"),
        pytest.param(meadow().point(lambda level: min(255, level * 2)), "exposure", "highlights lost", id="overexposed"),
        pytest.param(samples.plain(samples.WHITE), "exposure", "bright", id="white-paper-is-meant-to-be-white"),
        pytest.param(samples.plain(), "contrast", "low", id="no-contrast"),
    ],
)
def test_quality_is_told_by_the_pixels(picture: Image.Image, aspect: str, word: str) -> None:
    assert quality_of(measure(picture))[aspect] == word


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 400), (1024, 3)])
def test_the_smallest_pictures_can_be_measured(size: tuple[int, int]) -> None:
    measures = measure(samples.plain(samples.RED, size))

    assert Measures.model_validate(measures.model_dump()) == measures
    assert kind_of(measures) == "plain surface"
    assert measures.colours == (("red", 1.0),)


def test_shares_of_colours_come_most_first() -> None:
    picture = Image.new("RGB", (100, 100), "white")
    picture.paste((0, 0, 0), (0, 0, 30, 100))

    assert main_colours(picture) == (("white", 0.7), ("black", 0.3))


def test_measuring_takes_less_than_60_ms() -> None:
    picture = meadow((1024, 1024))

    times = []
    for _ in range(3):
        began = time.thread_time()
        measure(picture)
        times.append(time.thread_time() - began)

    assert min(times) < 0.060
