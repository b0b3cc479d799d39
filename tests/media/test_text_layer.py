import dataclasses
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.media.documents.text_layer import SCALE, TextLayer, TextPage, pack, unpack


def a_page(chars: str = "ab", boxes: list[int] | None = None, number: int = 1) -> TextPage:
    numbers = array("H", boxes if boxes is not None else [0] * 4 * len(chars))
    return TextPage(number=number, width_pt=595.0, height_pt=842.5, chars=chars, boxes=numbers)


def a_layer(*pages: TextPage, total: int = 9) -> TextLayer:
    return TextLayer(pages_total=total, pages=pages)


@given(st.lists(st.text(st.characters()), max_size=3), st.integers(0, SCALE))
def test_what_is_packed_comes_out_as_it_was(texts: list[str], edge: int) -> None:
    layer = a_layer(*(a_page(text, [edge] * 4 * len(text), number=at) for at, text in enumerate(texts, 1)))

    assert unpack(*pack(layer)) == layer


def test_half_characters_keep_their_index() -> None:
    layer = a_layer(a_page("a\ud83d\udcdeb\ufffe\x02"))

    assert unpack(*pack(layer)).pages[0].chars == "a\ud83d\udcdeb\ufffe\x02"


def test_an_answer_of_another_shape_is_refused() -> None:
    head, body = pack(a_layer(a_page("ab"), a_page("c", number=2)))
    (first, second), total = head["pages"], head["pages_total"]
    wrong = [
        ({}, body),
        (head, body + b"x"),
        (head, body[:-1]),
        ({**head, "pages": [first]}, body),
        ({**head, "pages": [second, first]}, body),
        ({**head, "pages": None}, body),
        ({**head, "pages_total": 1}, body),
        ({**head, "pages_total": "many"}, body),
        ({"pages_total": total, "pages": [{**first, "chars": -2}, second]}, body),
        ({"pages_total": total, "pages": [{**first, "chars": 10**9}, second]}, body),
        ({"pages_total": total, "pages": [{**first, "width_pt": float("nan")}, second]}, body),
        ({"pages_total": total, "pages": [{**first, "height_pt": 0}, second]}, body),
        (head, b"\xff" * len(body)),
    ]

    for odd_head, odd_body in wrong:
        with pytest.raises(ValueError, match=r"."):
            unpack(odd_head, odd_body)


def test_the_box_of_some_characters_encloses_them_all() -> None:
    half, quarter = SCALE // 2, SCALE // 4
    page = a_page("ab\r\n", [0, 0, quarter, quarter, quarter, half, half, SCALE, *[0] * 8])

    assert page.box(0, 1) == (0, 0, 250, 250)
    assert page.box(0, 4) == (0, 0, 500, 1000)
    assert page.box(1, 2) == (249, 499, 500, 1000)
    assert page.box(2, 4) is None
    assert dataclasses.replace(page, chars="").box(0, 0) is None
