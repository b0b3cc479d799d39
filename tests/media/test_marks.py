"""Pages with frames around what was found: through the real sandbox, and pixel by pixel."""

import io
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image, ImageChops

from pipelines.errors import Unavailable, UserError
from pipelines.limits import MARKED_SIDE_PX, MARKS_DRAWN
from pipelines.media.documents.marks import marked_page, with_marks
from pipelines.media.documents.pdf import text_layer
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Mark
from tests.media import samples
from tests.media.documents import Sheet, document, line, text_pdf
from tests.media.test_intake import InMemory, a_file

BLUE, ORANGE = (10, 88, 202), (194, 65, 12)
BOX = (400, 300, 600, 700)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1) as opened:
        yield opened


def paper(size: tuple[int, int] = (1000, 1000), colour: str = "white") -> Image.Image:
    return Image.new("RGB", size, colour)


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in picture.getcolors(maxcolors=1 << 20)}


def extent(picture: Image.Image, ink: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """Return the left, top, right and bottom edge of all pixels that have a colour."""
    away = ImageChops.difference(picture, Image.new("RGB", picture.size, ink)).convert("L")
    return away.point([255] + [0] * 255).getbbox()


async def drawn(sandbox: Sandbox, data: bytes | Exception, *marks: Mark, page: int = 1) -> bytes:
    return await MediaReader(InMemory({"0": data}), sandbox).marked_page(a_file("0"), page=page, marks=marks)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_is_a_png_of_1600_px_with_its_marks(sandbox) -> None:
    data = await drawn(sandbox, text_pdf(2), Mark(box=BOX), Mark(box=(100, 100, 200, 200), doubtful=True), page=2)

    picture = shown(data)
    assert data.startswith(b"\x89PNG")
    assert max(picture.size) == MARKED_SIDE_PX
    assert {BLUE, ORANGE} <= colours(picture)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_picture_stands_upright_and_is_not_enlarged(sandbox) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = samples.encoded(paper((400, 200)), "JPEG", exif=exif)

    picture = shown(await drawn(sandbox, data, Mark(box=BOX)))

    assert picture.size == (200, 400)
    assert extent(picture, BLUE) == (57, 157, 144, 244)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("data", "page", "says"),
    [
        pytest.param(text_pdf(1), 2, "The document does not have this page.", id="no-such-page"),
        pytest.param(text_pdf(1), 0, "The document does not have this page.", id="pages-count-from-one"),
        pytest.param(samples.encoded(paper((9, 9)), "PNG"), 2, "The document does not have this page.", id="one-picture"),
        pytest.param(b"%PDF-1.7\nbroken", 1, "The document is damaged and cannot be read.", id="damaged"),
        pytest.param(b"a,b\n1,2\n", 1, "Only pages of PDF files, and pictures, can be shown.", id="no-pages-at-all"),
        pytest.param(UserError("It is gone."), 1, "It is gone.", id="gone"),
    ],
)
async def test_what_cannot_be_shown_is_said(sandbox, data: bytes, page: int, says: str) -> None:
    with pytest.raises(UserError) as refused:
        await drawn(sandbox, data, page=page)

    assert str(refused.value) == says


@pytest.mark.asyncio(loop_scope="module")
async def test_a_host_that_is_silent_is_no_fault_of_the_document(sandbox) -> None:
    with pytest.raises(Unavailable):
        await drawn(sandbox, Unavailable("The host"))


@pytest.mark.asyncio(loop_scope="module")
async def test_of_too_many_marks_the_doubtful_ones_are_drawn(sandbox) -> None:
    many = [Mark(box=(100, 100, 200, 900))] * MARKS_DRAWN
    data = await drawn(sandbox, text_pdf(1), *many, Mark(box=BOX, doubtful=True))

    assert ORANGE in colours(shown(data))


@pytest.mark.asyncio(loop_scope="module")
async def test_every_page_of_a_scan_in_one_file_can_be_shown(sandbox) -> None:
    data = samples.encoded(paper((90, 60), "red"), "TIFF", save_all=True, append_images=[paper((60, 90), "blue")])

    assert [shown(await drawn(sandbox, data, page=at)).size for at in (1, 2)] == [(90, 60), (60, 90)]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("", id="upright"),
        pytest.param("/Rotate 90", id="turned"),
        pytest.param("/Rotate 180", id="upside-down"),
        pytest.param("/Rotate 270 /CropBox [50 400 500 800]", id="turned-and-cropped"),
        pytest.param("/CropBox [50 600 300 800]", id="cropped"),
    ],
)
def test_a_frame_stands_around_the_word_that_it_is_for(more: str) -> None:
    data = document([Sheet(drawn=line("Total 4.80"), more=more)])
    layer = text_layer(data).pages[0]
    box = layer.box(0, len("Total 4.80"))

    picture = shown(marked_page(data, page=1, marks=[(box, False)]))

    left, top, right, bottom = extent(picture, BLUE)
    ink = picture.convert("L").point([255] * 60 + [0] * 196).getbbox()
    assert left < ink[0] <= left + 9
    assert top < ink[1] <= top + 9
    assert right - 9 <= ink[2] < right
    assert bottom - 9 <= ink[3] < bottom


def test_a_frame_leaves_its_box_free() -> None:
    left, top, right, bottom = extent(with_marks(paper(), [(BOX, False)]), BLUE)  # on 1000 px a unit is a pixel

    assert (left, top) == (300 - 3, 400 - 3)
    assert (right, bottom) == (700 + 4, 600 + 4)
    assert extent(with_marks(paper(), [(BOX, False)]).crop((300, 400, 700, 600)), BLUE) is None


@pytest.mark.parametrize("doubtful", [False, True])
@pytest.mark.parametrize(
    ("ground", "print_"),
    [pytest.param("white", (0, 0, 0), id="on-paper"), pytest.param("black", (255, 255, 255), id="light-on-dark")],
)
def test_print_keeps_its_colour_below_a_frame(ground: str, print_: tuple[int, int, int], doubtful: bool) -> None:
    picture = paper(colour=ground)
    picture.paste(print_, (0, 490, 1000, 510))

    marked = with_marks(picture, [(BOX, doubtful)])

    assert {marked.getpixel((x, 500)) for x in range(1000)} == {print_}
    assert len(colours(marked)) == 4  # ground, print, frame, filling


def test_doubtful_frames_are_told_apart_without_their_colour() -> None:
    certain, doubtful = (with_marks(paper(), [(BOX, unsure)]) for unsure in (False, True))

    def broken(marked: Image.Image, ink: tuple[int, int, int]) -> bool:
        left, top, right, _ = extent(marked, ink)
        return any(marked.getpixel((x, top)) != ink for x in range(left, right))

    assert not broken(certain, BLUE)
    assert broken(doubtful, ORANGE)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((0, 0, 1000, 1000), id="all"),
        pytest.param((-50, -50, 4000, 4000), id="beyond"),
        pytest.param((5000, 5000, 6000, 6000), id="outside"),
        pytest.param((600, 700, 400, 300), id="inside-out"),
        pytest.param((500, 500, 500, 500), id="a-point"),
    ],
)
@pytest.mark.parametrize("size", [(1000, 1000), (1, 1), (3, 40)])
@pytest.mark.parametrize("doubtful", [False, True])
def test_any_box_can_be_drawn(box: tuple[int, int, int, int], size: tuple[int, int], doubtful: bool) -> None:
    assert extent(with_marks(paper(size), [(box, doubtful)]), ORANGE if doubtful else BLUE) is not None


def test_the_most_marks_take_less_than_150_ms() -> None:
    picture = paper((1600, 1600))
    marks = [((at, 5 * at, at + 20, 5 * at + 100), bool(at % 2)) for at in range(MARKS_DRAWN)]

    times = []
    for _ in range(3):
        began = time.thread_time()
        with_marks(picture, marks)
        times.append(time.thread_time() - began)

    assert min(times) < 0.150
