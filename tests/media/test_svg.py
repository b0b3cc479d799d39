"""Drawings: what is drawn, what is said of the rest, and what is declined because it reaches outside of the file."""

import base64
import io

import pytest
from PIL import Image

from pipelines import limits
from pipelines.content import ImagePart, TextPart
from pipelines.media.pictures import svg
from pipelines.media.read import Asked, NotRead, Read
from tests.media.samples import GREEN, RED, encoded, plain, png_bomb

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100"'


def drawing(inside: str, *, root: str = SVG, before: str = "") -> bytes:
    return f"{before}<svg {root}>{inside}</svg>".encode()


def read(data: bytes) -> Read:
    return svg.read(data, Asked())


def pictures(done: Read) -> dict[str, ImagePart]:
    return {part.id: part for part in done.parts if isinstance(part, ImagePart)}


def text(done: Read) -> str:
    return "".join(part.text for part in done.parts if isinstance(part, TextPart) and part.id == "/text")


def colours(part: ImagePart) -> set[tuple[int, int, int]]:
    """Return the colours of the picture, in steps of 64."""
    small = Image.open(io.BytesIO(part.data)).convert("RGB").resize((64, 32))
    raw = small.tobytes()
    return {(r // 64, g // 64, b // 64) for r, g, b in zip(raw[::3], raw[1::3], raw[2::3], strict=True)}


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def test_a_drawing_is_a_picture() -> None:
    done = read(drawing('<rect width="200" height="100" fill="#dc1414"/>'))

    shown = pictures(done)
    assert list(shown) == [""]
    assert (shown[""].width_px, shown[""].height_px) == (1024, 512)
    assert colours(shown[""]) == {(3, 0, 0)}
    assert done.gaps == ()


def test_white_on_nothing_is_shown_on_black() -> None:
    done = read(drawing('<circle cx="100" cy="50" r="40" fill="white"/>'))

    assert list(pictures(done)) == ["", "/on-black"]
    assert (3, 3, 3) in colours(pictures(done)["/on-black"])


def test_texts_are_read_apart_from_the_picture() -> None:
    done = read(
        drawing(
            "<title>A sign</title><text>FLASHBULB-TEST&#45;<tspan>HATE</tspan>-S3-<tspan dy='3'>C95</tspan></text>"
            "<text>two   words</text><a href='https://example.com/win'><rect width='9' height='9'/></a>"
            "<g aria-label='for those who listen'/><style>rect { fill: red }</style>"
        )
    )

    assert text(done).splitlines() == [
        "A sign",
        "FLASHBULB-TEST-HATE-S3-C95",
        "two words",
        "https://example.com/win",
        "for those who listen",
    ]


def test_pictures_inside_are_drawn_and_are_files_of_their_own() -> None:
    inside = f'<image width="200" height="100" preserveAspectRatio="none" href="{data_url(encoded(plain(GREEN), "PNG"))}"/>'

    done = read(drawing(inside))

    assert [Image.open(io.BytesIO(member.data)).size for member in done.members] == [(64, 48)]
    assert (0, 2, 0) in colours(pictures(done)[""])


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<rect width='9' height='9'><animate attributeName='fill' to='red'/></rect>", id="animation"),
        pytest.param("<style>rect { animation: turn 2s }</style>", id="animation-in-a-style"),
        pytest.param("<style>@media (prefers-color-scheme: dark) { rect { fill: red } }</style>", id="dark-mode"),
        pytest.param("<switch><text systemLanguage='de'>x</text></switch>", id="languages"),
    ],
)
def test_what_changes_is_looked_at_once_and_says_so(inside: str) -> None:
    done = read(drawing(inside))

    assert [gap.kind for gap in done.gaps] == ["partial"]
    assert "only what it shows at first" in done.gaps[0].why


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(drawing("<script>alert(1)</script>"), id="script"),
        pytest.param(drawing("<rect width='9' height='9' onclick='alert(1)'/>"), id="handler"),
        pytest.param(drawing("<a xlink:href=' JavaScript:alert(1)'><rect/></a>"), id="script-in-a-link"),
        pytest.param(drawing("<foreignObject><p>hello</p></foreignObject>"), id="html"),
        pytest.param(drawing("<image href='file:///etc/passwd'/>"), id="a-file"),
        pytest.param(drawing("<image href='picture.png'/>"), id="a-file-beside"),
        pytest.param(drawing("<image xlink:href='https://example.com/a.png'/>"), id="an-address"),
        pytest.param(drawing("<filter id='f'><feImage href='//example.com/a.png'/></filter>"), id="an-address-in-a-filter"),
        pytest.param(drawing("<use href='other.svg#part'/>"), id="another-drawing"),
        pytest.param(drawing("<rect fill='url(https://example.com/a.svg#p)'/>"), id="an-address-in-a-fill"),
        pytest.param(drawing("<rect style='fill: URL( \"a.svg#p\" )'/>"), id="a-file-in-a-style"),
        pytest.param(drawing("<style>@import 'https://example.com/a.css';</style>"), id="a-style-sheet"),
        pytest.param(drawing("<style>@font-face { src: url(data:font/woff2;base64,AA) }</style>"), id="letters-of-its-own"),
        pytest.param(drawing("<style>rect { fill: u\\72l(x) }</style>"), id="escaped"),
        pytest.param(drawing("<g xml:base='https://example.com/'/>"), id="another-base"),
        pytest.param(drawing("", before="<?xml-stylesheet href='a.css'?>"), id="a-style-sheet-before"),
        pytest.param(drawing("&a;", before="<!DOCTYPE svg [<!ENTITY a 'aaaa'>]>"), id="entities"),
        pytest.param(drawing("", before="<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>"), id="doctype"),
        pytest.param(drawing("<g>" * 300 + "</g>" * 300), id="depth"),
        pytest.param(drawing("<g/>" * 50_001), id="elements"),
        pytest.param(drawing("<feGaussianBlur/>" * 201), id="filters"),
        pytest.param(drawing(f"<image href='{data_url(png_bomb(10_000))}'/>"), id="a-picture-bomb"),
        pytest.param(drawing("", root='width="9" height="9"').replace(b"svg", b"html"), id="another-document"),
        pytest.param(b"\x1f\x8b\x08\0compressed", id="compressed"),
        pytest.param(b"<svg><g>", id="cut-off"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_reaches_outside_or_is_too_much_is_declined(data: bytes) -> None:
    with pytest.raises(NotRead):
        read(data)


@pytest.mark.parametrize(
    "root",
    [
        pytest.param('xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"', id="huge"),
        pytest.param('xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000000 500000"', id="a-huge-view"),
        pytest.param('xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"', id="no-size"),
        pytest.param('xmlns="http://www.w3.org/2000/svg"', id="no-size-at-all"),
    ],
)
def test_any_claimed_size_is_drawn_within_1024_px(root: str) -> None:
    done = read(drawing('<rect width="100%" height="100%" fill="#dc1414"/>', root=root))

    assert max(pictures(done)[""].width_px, pictures(done)[""].height_px) == limits.PREPARED_SIDE_PX


def test_a_strip_is_refused() -> None:
    with pytest.raises(NotRead) as declined:
        read(drawing("<rect width='9' height='9'/>", root='xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 100000000"'))

    assert declined.value.status == "refused-limits"


def test_notes_of_drawing_programs_are_no_reason_to_decline() -> None:
    notes = "xmlns:inkscape='http://www.inkscape.org/namespaces/inkscape' inkscape:note='url(C:\\a.png)'"
    inside = f"<defs><linearGradient id='g'/></defs><g {notes}><rect style='fill: url(#g)' width='9' height='9'/></g>"

    done = read(drawing(inside, before='<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n'))

    assert done.gaps == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding: str) -> None:
    source = drawing("<text>Grüße</text><rect width='200' height='100' fill='#dc1414'/>").decode()

    done = read(f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{source}'.encode(encoding))

    assert text(done) == "Grüße"
    assert colours(pictures(done)[""]) == {(RED[0] // 64, 0, 0)}
