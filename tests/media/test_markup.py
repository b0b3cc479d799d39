"""HTML pages: what they show, what they hide, and the pictures within them."""

import base64
import time

import pytest

from pipelines import limits
from pipelines.media.documents.markup import read
from pipelines.media.read import Asked, NotRead, Read
from tests.media.samples import encoded, plain


def of(page: str | bytes) -> Read:
    return read(page if isinstance(page, bytes) else page.encode(), Asked())


def texts(page: str | bytes) -> dict[str, str]:
    return {part.id: part.text for part in of(page).parts}


def test_blocks_are_lines_and_cells_are_tab_separated() -> None:
    table = "<table><tr><td>a<td>b</tr><tr><td>c</table>"
    page = f"<title>T &amp; X</title><h1>Head</h1><p>One <b>bold</b>\n  word<br>next</p>after{table}"

    lines = [line.strip() for line in texts(page)["/text:0"].splitlines() if line.strip()]
    assert lines == ["T & X", "Head", "One bold word", "next", "after", "a\tb", "c"]


@pytest.mark.parametrize(
    "hiding",
    [
        '<p style="display:none">{}</p>',
        '<p style="color:red; DISPLAY : none">{}</p>',
        '<p style="visibility:hidden"><b>{}</b></p>',
        "<p hidden>{}</p>",
        '<span style="font-size:0">{}</span>',
        '<span style="font-size:0px;">{}</span>',
        '<span style="opacity:0.0">{}</span>',
        '<p style="color:#fff">{}</p>',
        '<p style="color:white"><i>{}</i></p>',
        '<div style="background:black"><p style="color:rgb(0, 0, 0)">{}</p></div>',
        '<body bgcolor="#000"><font color="#000000">{}</font>',
        '<p style="color:transparent">{}</p>',
    ],
)
def test_what_a_page_hides_is_read_apart(hiding) -> None:
    found = of(f"<p>seen</p>{hiding.format('unseen')}")

    assert {part.id: (part.text, part.note) for part in found.parts} == {
        "/text:0": ("seen", ""),
        "/hidden:0": ("unseen", "hidden from readers"),
    }


@pytest.mark.parametrize(
    "showing",
    [
        '<p style="font-size:0.9em">{}</p>',
        '<p style="opacity:0.5">{}</p>',
        '<p style="background-color:#fff;color:#000">{}</p>',
        '<div style="background:black"><p style="color:white">{}</p></div>',
        '<p style="display:none"></p>{}',
    ],
)
def test_what_only_resembles_it_is_shown(showing) -> None:
    assert texts(showing.format("seen")) == {"/text:0": "seen"}


def test_scripts_styles_and_templates_are_left_out() -> None:
    found = of("<style>p{}</style><script>alert(1)</script><template>t</template><p>seen</p><!-- comment -->")

    assert [part.text for part in found.parts] == ["seen"]
    assert [(fact.about, fact.kind, fact.severity) for fact in found.facts] == [("note", "script", 0)]


def test_links_and_what_attributes_say_are_read_and_nothing_is_loaded() -> None:
    page = (
        '<img alt="a cat" src="https://x.example/a.png"><a href="https://x.example/pay" title="free">go</a>'
        '<form action="https://y.example/login"><input value="seen"><input type="hidden" value="token"></form>'
        '<meta name="description" content="about"><a href="#top">up</a>'
    )

    found = of(page)

    said = {part.id: part.text for part in found.parts}
    assert said["/attributes:0"].splitlines() == ["a cat", "free", "seen", "about"]
    assert said["/links:0"].splitlines() == ["https://x.example/pay", "https://y.example/login"]
    assert [fact.kind for fact in found.facts] == ["external_reference"]


def test_pictures_within_the_page_are_members_each_once() -> None:
    picture = encoded(plain(), "PNG")
    address = "data:image/png;base64," + base64.b64encode(picture).decode()
    page = (
        f'<img src="{address}"><img src="{address}"><p style="background:url(\'{address}\')">x</p>'
        '<img src="data:image/svg+xml,%3Csvg%3E"><iframe srcdoc="&lt;p&gt;inside"></iframe><link href="data:text/css,p{}">'
    )

    assert [member.data for member in of(page).members] == [picture, b"<svg>", b"<p>inside"]


def test_more_pictures_than_an_answer_may_name_leave_a_gap() -> None:
    found = of("".join(f'<img src="data:,{at}">' for at in range(limits.OFFICE_MEMBERS + 1)))

    assert len(found.members) == limits.OFFICE_MEMBERS
    assert [gap.kind for gap in found.gaps] == ["partial"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param("<meta charset=koi8-r><p>Привет".encode("koi8-r"), "Привет", id="declared"),
        pytest.param("<p>naïve".encode("utf-16"), "naïve", id="utf-16"),
        pytest.param("<meta charset=ascii><p>naïve".encode(), "naïve", id="declared-wrongly"),
        pytest.param("<meta charset=idna><p>naïve".encode(), "naïve", id="declared-as-what-is-no-encoding-for-texts"),
    ],
)
def test_pages_are_read_in_their_encoding(page, expected) -> None:
    assert texts(page) == {"/text:0": expected}


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("<p>hello <b>world</b>", id="words"),
        pytest.param("<p></p>", id="nothing-but-tags"),
        pytest.param("hello ", id="no-tags"),
        pytest.param("<!--", id="comments"),
    ],
)
def test_large_pages_are_cut_in_time(unit) -> None:
    started_s = time.process_time()

    found = of(unit * (limits.FILE_BYTES // len(unit)))

    assert time.process_time() - started_s < 8
    assert [gap.kind for gap in found.gaps] == ["partial"]


def test_a_long_list_to_choose_from_takes_no_quadratic_time() -> None:
    started_s = time.process_time()

    of("<select>" + "<option>a" * 30_000)

    assert time.process_time() - started_s < 2


def test_what_is_no_text_is_declined() -> None:
    with pytest.raises(NotRead):
        of(b"<p>" + bytes(range(8)) * 500)
