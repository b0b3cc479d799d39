"""The understudy as a tagger: what it measures in pictures, and that it says how it knows."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFilter, ImageOps

from emulators.problems import Rejected
from emulators.understudy import answer
from emulators.understudy.describing import alt_text
from emulators.understudy.measuring import measure
from pipelines.media.pictures.colours import NAMED, nearest_name
from pipelines.tagging import ALT_TEXT_CHARS, Tags
from tests.emulators.understudy_questions import (
    a_picture,
    a_text,
    encoded,
    grain,
    logo,
    page,
    plain,
    question,
    scene,
    screenshot,
    tagged,
)

SHARED = Path(__file__).parents[2].parent / "shared/data/images"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared pictures are not there")


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("picture", "subjects", "colours"),
    [
        pytest.param(scene(), ["photograph", "landscape format", "light above dark"], {"dark green", "light blue"}, id="scene"),
        pytest.param(page(), ["text page", "portrait format", "30 lines of writing"], {"white"}, id="page"),
        pytest.param(
            page("#dddddd", "#111111"), ["text page", "portrait format", "30 lines of writing"], {"black"}, id="dark-page"
        ),
        pytest.param(screenshot(), ["screenshot", "landscape format"], {"white"}, id="screenshot"),
        pytest.param(logo(), ["graphic", "square format"], {"white", "red"}, id="logo"),
        pytest.param(Image.linear_gradient("L").convert("RGB"), ["graphic", "square format"], {"grey"}, id="gradient"),
        pytest.param(plain("#2461d0"), ["plain surface", "landscape format"], {"blue"}, id="plain"),
        pytest.param(plain("#2461d0", (1, 1)), ["plain surface", "square format"], {"blue"}, id="one-pixel"),
        pytest.param(plain("#2461d0", (2, 100)), ["plain surface", "portrait format"], {"blue"}, id="strip"),
    ],
)
def test_kind_format_and_colours_come_from_the_pixels(
    picture: Image.Image, subjects: list[str], colours: set[str], format: str
) -> None:
    tags = tagged(a_picture(encoded(picture, format)))

    assert [subject for subject in subjects if subject not in tags.subjects] == []
    assert colours <= set(tags.colours)


@pytest.mark.parametrize(
    ("picture", "mood"),
    [
        pytest.param(plain("#f5ecd7"), "bright and warm", id="cream"),
        pytest.param(plain("#142350"), "dark and cool", id="night"),
        pytest.param(plain("#808080"), "mid-toned and colourless", id="grey"),
        pytest.param(plain("#3c9a3c"), "mid-toned and neutral", id="green"),
    ],
)
def test_light_and_warmth_make_the_mood(picture: Image.Image, mood: str) -> None:
    tags = tagged(a_picture(picture))

    assert tags.mood == f"{mood} (understudy: no model)"


@pytest.mark.parametrize(
    ("picture", "aspect", "word"),
    [
        pytest.param(scene(), "sharpness", "sharp", id="as-it-is"),
        pytest.param(scene().filter(ImageFilter.GaussianBlur(6)), "sharpness", "blurred", id="out-of-focus"),
        pytest.param(plain("red"), "sharpness", "nothing to tell by", id="nothing-to-focus-on"),
        pytest.param(scene(), "contrast", "medium", id="usual-contrast"),
        pytest.param(plain("red"), "contrast", "low", id="no-contrast"),
        pytest.param(logo(), "contrast", "high", id="strong-contrast"),
        pytest.param(scene(), "exposure", "balanced", id="usual-light"),
        pytest.param(scene().point(lambda level: min(255, level * 2)), "exposure", "highlights lost", id="overexposed"),
        pytest.param(scene().point(lambda level: max(0, level - 110)), "exposure", "shadows lost", id="underexposed"),
        pytest.param(logo(), "noise", "hardly any", id="drawn"),
        pytest.param(Image.blend(scene(), grain((1024, 640), 60), 0.2), "noise", "strong", id="grainy"),
    ],
)
def test_technical_quality_is_measured(picture: Image.Image, aspect: str, word: str) -> None:
    tags = tagged(a_picture(picture))

    assert getattr(tags.technical_quality, aspect) == word


def test_whoever_reads_the_alt_text_learns_that_no_model_looked() -> None:
    tags = tagged(a_picture(page()))

    assert tags.alt_text == ("A bright, colourless text page, mostly white and light grey. Described by understudy: no model.")


def test_the_answer_keeps_to_the_numbers_that_the_prompt_names() -> None:
    tags = tagged(a_picture(scene()))

    assert len(tags.subjects) <= 8
    assert 1 <= len(tags.colours) <= 5
    assert 5 <= len(tags.tags) <= 12
    assert len(set(tags.tags)) == len(tags.tags)
    assert len(tags.alt_text) <= 125


def test_no_alt_text_is_longer_than_one_may_be() -> None:
    kinds = ("plain surface", "text page", "graphic", "screenshot", "scanned page", "photograph")
    colours = sorted(NAMED, key=len)[-2:]

    sentences = [alt_text(kind, ["mid-toned", "colourless"], colours, has_code=True) for kind in kinds]

    assert max(len(sentence) for sentence in sentences) <= ALT_TEXT_CHARS


def test_a_code_is_named_and_read() -> None:
    tags = tagged(a_picture(logo()), a_text("https://example.org", id="file:0/code:0", role="code"))

    assert "qr code" in tags.tags
    assert "qr code" in tags.subjects
    assert tags.text == "https://example.org"
    assert "with a code" in tags.alt_text


def test_frames_are_an_animation_and_the_first_that_opens_stands_for_all() -> None:
    tags = tagged(
        a_picture(b"broken", id="file:0/frame:0"),
        a_picture(plain("red"), id="file:0/frame:3"),
        a_picture(logo(), id="file:0/frame:9"),
    )

    assert "animation" in tags.tags
    assert tags.colours == ["red"]


def test_transparent_places_are_shown_on_white() -> None:
    drawn = logo().convert("RGBA")
    drawn.putalpha(0)

    tags = tagged(a_picture(encoded(drawn, "PNG")))

    assert tags.colours == ["white"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"GIF89a", id="another-format"),
        pytest.param(encoded(scene())[:5000], id="cut-short"),
        pytest.param(encoded(plain("red", (5000, 5000)), "PNG"), id="far-too-large"),
    ],
)
def test_no_picture_that_opens_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        answer(question([a_picture(data)], Tags))

    assert refused.value.problem.status == 400


@pytest.mark.parametrize("name", list(NAMED))
def test_a_named_colour_has_its_own_name(name: str) -> None:
    red, green, blue = bytes.fromhex(NAMED[name][1:])

    assert nearest_name(red, green, blue) == name


@pytest.mark.parametrize("draw", [pytest.param(scene, id="scene"), pytest.param(page, id="page")])
def test_the_same_file_gets_the_same_answer(draw: Callable[[], Image.Image]) -> None:
    first, second = (question([a_picture(draw(), id=name)], Tags) for name in ("file:0", "file:7"))

    assert answer(first) == answer(first) == answer(second)


def test_a_picture_takes_less_than_60_ms() -> None:
    data = encoded(scene(size=(1024, 1024)))
    measure(data)

    times = []
    for _ in range(5):
        began = time.thread_time()
        measure(data)
        times.append(time.thread_time() - began)

    assert min(times) < 0.060


@needs_shared
@pytest.mark.parametrize(
    ("name", "shape", "warmth"),
    [
        pytest.param("photos/desk_12mp_orientation6_gps.jpg", "portrait", "neutral", id="desk"),
        pytest.param("photos/bridge_1600x1004.jpg", "landscape", "warm", id="bridge"),
        pytest.param("photos/bridge_cmyk_1600x1004.jpg", "landscape", "warm", id="bridge-cmyk"),
        pytest.param("odd/hopper_orientation_6.jpg", "square", "neutral", id="hopper"),
    ],
)
def test_real_photographs_are_called_so(name: str, shape: str, warmth: str) -> None:
    with Image.open(io.BytesIO((SHARED / name).read_bytes())) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((1024, 1024))

    tags = tagged(a_picture(picture))

    assert tags.subjects[:2] == ["photograph", f"{shape} format"]
    assert warmth in tags.mood
