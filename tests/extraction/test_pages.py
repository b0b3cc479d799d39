"""A document's parts by page, and pages by question."""

from collections.abc import Sequence

import pytest

from pipelines.content import Gap, ImagePart, Intake, Part, Reading, TextPart
from pipelines.errors import UserError
from pipelines.extraction.pages import Page, in_chunks, of_numbers, pages_of, texts_of
from pipelines.ports import Document


def text(id: str, words: str = "words", role: str = "document") -> TextPart:
    return TextPart(id=id, text=words, role=role)


def picture(id: str) -> ImagePart:
    return ImagePart(id=id, data=b"jpg", media_type="image/jpeg", width_px=9, height_px=9)


def a_document(*parts: Part, media_type: str = "application/pdf", gaps: Sequence[str] = ()) -> Document:
    reading = Reading(place="file:0", media_type=media_type, status="ok")
    found = tuple(Gap(place="file:0", kind="unreadable", why=why) for why in gaps)
    return Document(intake=Intake(parts=tuple(parts), readings=(reading,), gaps=found))


def sorted_out(*parts: Part, **more: str) -> list[tuple[int | None, list[str]]]:
    return [(page.number, [part.id for part in page.parts]) for page in pages_of(a_document(*parts, **more))]


def a_page(number: int, tokens: int) -> Page:
    return Page(number=number, parts=(text(f"file:0/page:{number}/text", "abc" * tokens),))


def numbers(chunks: Sequence[Sequence[Page]]) -> list[list[int | None]]:
    return [[page.number for page in chunk] for chunk in chunks]


def test_parts_go_by_their_page_in_the_order_of_the_numbers() -> None:
    parts = [picture("file:0/page:10"), text("file:0/page:2/text"), picture("file:0/page:2"), text("file:0/page:10/text")]

    assert sorted_out(*parts) == [
        (2, ["file:0/page:2/text", "file:0/page:2"]),
        (10, ["file:0/page:10", "file:0/page:10/text"]),
    ]


def test_a_file_without_pages_is_one_piece() -> None:
    parts = [text("file:0/text:0"), text("file:0/sheet:1"), picture("file:0/picture:0")]

    assert sorted_out(*parts, media_type="text/plain") == [(None, [part.id for part in parts])]


def test_what_stands_beside_the_pages_goes_with_the_first() -> None:
    parts = [text("file:0/code:0", role="code"), picture("file:0/page:3"), picture("file:0/page:2")]

    assert sorted_out(*parts) == [(2, ["file:0/page:2", "file:0/code:0"]), (3, ["file:0/page:3"])]


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(text("file:0/name", role="file_name"), id="the-name"),
        pytest.param(text("file:0/metadata", role="metadata"), id="metadata"),
        pytest.param(text("text:0", role="message"), id="the-message"),
        pytest.param(text("file:0/page:1/hidden"), id="text-that-people-do-not-see"),
        pytest.param(text("file:0/member:0/text:0"), id="a-file-inside-a-pdf"),
    ],
)
def test_what_no_reader_sees_is_not_asked_about(part: Part) -> None:
    assert sorted_out(part, picture("file:0/page:1")) == [(1, ["file:0/page:1"])]


def test_files_inside_an_archive_or_mail_are_asked_about() -> None:
    assert sorted_out(text("file:0/member:0/text:0"), media_type="message/rfc822") == [(None, ["file:0/member:0/text:0"])]


@pytest.mark.parametrize("media_type", ["video/mp4", "audio/mpeg"])
def test_videos_and_sounds_are_sent_back(media_type: str) -> None:
    with pytest.raises(UserError, match="This is a video or sound"):
        pages_of(a_document(picture("file:0/frame:0"), media_type=media_type))


def test_where_nothing_could_be_read_the_reason_is_said() -> None:
    name = text("file:0/name", role="file_name")

    with pytest.raises(UserError, match="protected with a password"):
        pages_of(a_document(name, gaps=["The document is protected with a password."]))
    with pytest.raises(UserError, match="nothing in this file that could be read"):
        pages_of(a_document(name))
    with pytest.raises(UserError, match="nothing in this file that could be read"):
        pages_of(Document(intake=Intake()))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({2}, [2], id="one"),
        pytest.param({3, 1}, [1, 3], id="several-in-order"),
        pytest.param({2, 99, None}, [2], id="with-some-that-are-not-there"),
        pytest.param({99}, [1, 2, 3], id="only-such-that-are-not-there"),
        pytest.param((), [1, 2, 3], id="none"),
    ],
)
def test_pages_are_picked_by_number(wanted: set[int | None], found: list[int]) -> None:
    pages = [a_page(number, 1) for number in (1, 2, 3)]

    assert [page.number for page in of_numbers(pages, wanted)] == found


@pytest.mark.parametrize(
    ("tokens", "chunks"),
    [
        pytest.param([10, 10, 10], [[1, 2, 3]], id="all-in-one"),
        pytest.param([40, 60, 1], [[1, 2], [3]], id="exactly-as-much-as-may-be"),
        pytest.param([41, 60, 40], [[1], [2, 3]], id="a-little-more"),
        pytest.param([500, 1, 500], [[1], [2], [3]], id="pages-that-are-too-long-go-alone"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_question_holds_as_many_pages_as_it_may_cost(tokens: list[int], chunks: list[list[int]]) -> None:
    pages = [a_page(number, cost) for number, cost in enumerate(tokens, 1)]

    assert numbers(list(in_chunks(pages, tokens=100))) == chunks


def test_the_estimate_counts_bytes_and_pictures() -> None:
    latin = Page(number=1, parts=(text("file:0/page:1/text", "a" * 300),))
    chinese = Page(number=1, parts=(text("file:0/page:1/text", "中" * 300),))
    odd = Page(number=1, parts=(text("file:0/page:1/text", "\ud83d" * 3), picture("file:0/page:1")))

    assert (latin.tokens, chinese.tokens, odd.tokens) == (100, 300, 1_121)


def test_the_texts_are_those_of_the_pages() -> None:
    pages = pages_of(a_document(picture("file:0/page:1"), text("file:0/page:1/text", "one"), text("file:0/page:2/text", "two")))

    assert texts_of(pages) == ("one", "two")
