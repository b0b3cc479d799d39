"""Perceptual hashes: against vectors of their authors, against a slow and direct implementation, and against themselves."""

import io
import math
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from bench.scenes import scene
from pipelines.media.pictures.hashes import QUALITY_MIN, hashes
from tests.conftest import SHARED_DATA
from tests.media import samples

PUBLISHED = {
    "dih/bridge-1-original.jpg": "d8f8f0cce0f4a84f0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22",
    "dih/bridge-5-flipx.jpg": "d8f80f31e0f417b00e37f5dd028f980fb36ed12a9662c1e233e64c634e9c64dd",
}  # facebook/ThreatExchange, pdq/python/pdqhashing/tests/pdq_test.py
SCENES = {seed: scene(seed, 512, 384) for seed in range(3)}


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def nearest(query: tuple[str, ...], bank: tuple[str, ...]) -> int:
    return min(bits_apart(one, other) for one in query for other in bank)


def slow_pdq(picture: Image.Image) -> tuple[str, int]:
    """PDQ as its paper writes it: every filter pass, every sum, one pixel after the other."""
    grey = picture.convert("L")
    rows = [[float(grey.getpixel((x, y))) for x in range(grey.width)] for y in range(grey.height)]
    for _ in range(2):
        rows = [slow_box(row) for row in rows]
        rows = transposed([slow_box(column) for column in transposed(rows)])
    taken = [[rows[int((i + 0.5) * len(rows) / 64)][int((j + 0.5) * len(rows[0]) / 64)] for j in range(64)] for i in range(64)]
    steps = sum(abs(int((taken[i][j] - taken[i + 1][j]) * 100 / 255)) for i in range(63) for j in range(64))
    steps += sum(abs(int((taken[i][j] - taken[i][j + 1]) * 100 / 255)) for i in range(64) for j in range(63))
    cosine = [[math.cos(math.pi / 128 * (i + 1) * (2 * j + 1)) for j in range(64)] for i in range(16)]
    half = [[sum(cosine[i][k] * taken[k][j] for k in range(64)) for j in range(64)] for i in range(16)]
    waves = [sum(half[i][k] * cosine[j][k] for k in range(64)) for i in range(16) for j in range(16)]
    median = sorted(waves)[127]
    return f"{sum(1 << at for at, wave in enumerate(waves) if wave > median):064x}", min(100, steps // 90)


def slow_box(line: list[float]) -> list[float]:
    window = (len(line) + 127) // 128
    ahead = (window + 2) // 2
    pieces = [line[max(0, at - window + ahead) : at + ahead] for at in range(len(line))]
    return [sum(piece) / len(piece) for piece in pieces]


def transposed(rows: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.fixture(scope="module")
def vectors() -> Path:
    folder = SHARED_DATA / "moderation/pdq"
    if not folder.is_dir():
        pytest.skip("the published pictures are not here")
    return folder


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_hashes_come_out_bit_by_bit(vectors, name) -> None:
    found = hashes([Image.open(vectors / name).convert("RGB")])

    assert found.pdq[0] == PUBLISHED[name]
    assert found.pdq_quality == 100


def test_a_change_to_the_published_picture_moves_few_bits(vectors) -> None:
    original = hashes([Image.open(vectors / "bridge-mods/aaa-orig.jpg").convert("RGB")])

    moved = [hashes([Image.open(file).convert("RGB")]) for file in sorted((vectors / "bridge-mods").glob("*.jpg"))]

    assert max(bits_apart(original.pdq[0], other.pdq[0]) for other in moved) <= 16


def test_a_black_picture_says_nothing(vectors) -> None:
    found = hashes([Image.open(vectors / "misc-images/small.jpg").convert("RGB")])

    assert (found.pdq, found.pdq_bank, found.pdq_quality) == ((), (), 0)


@pytest.mark.parametrize("size", [(200, 150), (97, 400), (64, 64)], ids=str)
def test_it_is_what_the_slow_way_gives(size) -> None:
    picture = scene(5, *size)

    text, quality = slow_pdq(picture)
    found = hashes([picture])

    assert bits_apart(found.pdq[0], text) <= 2, "rounding may turn a bit beside the median"
    assert abs(found.pdq_quality - quality) <= 1


@pytest.mark.parametrize(
    ("seed", "stored"),
    [
        pytest.param(0, "4792f2a50d726b0d11bae6748d4c7983f4390676cb4c398bc43ba67cf9c62b89", id="0"),
        pytest.param(1, "4c3f9f721e61eea17c0f538e23ce46c1bc258d701b3c26f26287f10fd30e1cb8", id="1"),
        pytest.param(2, "5e5e15ee3a34e091c3c355e33e1c3c1e076e68e1e195c3d20e6e3e1c7934c3c3", id="2"),
    ],
)
def test_hashes_that_are_stored_are_found_again(seed, stored) -> None:
    assert bits_apart(hashes([SCENES[seed]]).pdq[0], stored) <= 4


TURNS = {
    "as-it-is": lambda picture: picture,
    "mirrored": ImageOps.mirror,
    "upside-down": ImageOps.flip,
    **{f"{degrees}-degrees": lambda picture, by=degrees: picture.rotate(by, expand=True) for degrees in (90, 180, 270)},
    "transposed": lambda picture: picture.transpose(Image.Transpose.TRANSPOSE),
    "transversed": lambda picture: picture.transpose(Image.Transpose.TRANSVERSE),
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_a_picture_is_found_in_every_turn_and_mirror_image(turn) -> None:
    bank = hashes([SCENES[0]]).pdq_bank

    assert nearest(hashes([turn(SCENES[0])]).pdq, bank) <= 2


def test_the_eight_forms_are_those_of_the_picture_turned() -> None:
    small = SCENES[1].resize((256, 200))
    turned = [hashes([turn(small)]).pdq[0] for turn in TURNS.values()]

    forms = hashes([small]).pdq[:8]

    assert len(set(forms)) == 8
    assert all(min(bits_apart(form, other) for other in turned) <= 2 for form in forms)


def framed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, border=60, fill=(250, 250, 250))


def cropped(picture: Image.Image) -> Image.Image:
    x, y = round(picture.width * 0.05), round(picture.height * 0.05)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def recompressed(picture: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(samples.encoded(picture, "JPEG", quality=40))).convert("RGB")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(framed, id="a-border"),
        pytest.param(cropped, id="a-crop-of-ten-percent"),
        pytest.param(recompressed, id="recompressed"),
        pytest.param(lambda picture: picture.resize((200, 150)), id="smaller"),
        pytest.param(lambda picture: picture.filter(ImageFilter.GaussianBlur(2)), id="blurred"),
    ],
)
def test_a_changed_copy_is_found_again(change) -> None:
    bank = hashes([SCENES[0]]).pdq_bank

    assert nearest(hashes([change(SCENES[0])]).pdq, bank) <= 31


def test_other_pictures_are_not() -> None:
    assert nearest(hashes([SCENES[0]]).pdq, hashes([SCENES[1]]).pdq_bank) > 60


def test_a_border_adds_eight_forms_and_five_views() -> None:
    full = Image.effect_noise((40, 30), 90).resize((400, 300)).convert("RGB")

    plain, bordered = hashes([full]), hashes([framed(full)])

    assert (len(plain.pdq), len(bordered.pdq)) == (8, 16)
    assert len(plain.pdq_bank) <= 5 < len(bordered.pdq_bank) <= 10


def test_what_says_nothing_is_left_out() -> None:
    found = hashes([samples.plain(size=(300, 200))])

    assert (found.pdq, found.pdq_bank) == ((), ())
    assert found.pdq_quality < QUALITY_MIN
    assert len(found.pixels) == 64


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 3), (1024, 21)], ids=str)
def test_any_size_has_hashes(size) -> None:
    assert len(hashes([Image.effect_noise(size, 90).convert("RGB")]).pixels) == 64


def test_a_picture_that_is_blank_on_white_is_known_by_how_it_looks_on_black() -> None:
    blank, drawn, other = samples.plain(samples.WHITE), Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48))
    ImageDraw.Draw(drawn).ellipse((9, 9, 40, 30), fill=samples.WHITE)

    assert hashes([blank, drawn]).pixels != hashes([blank, other]).pixels
    assert hashes([blank, drawn]).pdq_quality == hashes([drawn]).pdq_quality


def test_pixels_of_another_shape_are_another_picture() -> None:
    wide, high = samples.plain(size=(20, 10)), samples.plain(size=(10, 20))

    assert hashes([wide]).pixels != hashes([high]).pixels


def test_all_hashes_of_a_picture_take_little_time() -> None:
    picture = scene(3, 1024, 768)
    hashes([picture])

    each_s = []
    for _ in range(5):
        started_s = time.process_time()
        hashes([picture])
        each_s.append(time.process_time() - started_s)

    assert min(each_s) < 0.04, "0.009 s on a quiet machine; the products of matrices took 0.05 s in several threads"


def test_the_thumbnail_is_made_of_any_picture_alike() -> None:
    large = SCENES[2].resize((1024, 768), Image.Resampling.BICUBIC)

    assert bits_apart(hashes([large]).pdq[0], hashes([SCENES[2]]).pdq[0]) <= 10
