"""Words that all platforms share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words import cut, in_pieces, one_line, place_in_words, plain


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param("text:0", "in the text", id="text"),
        pytest.param("text:1", "in the text", id="a-piece-of-a-long-text"),
        pytest.param("file:0/name", "in file 1, name", id="name-of-a-file"),
        pytest.param("file:1", "in file 2", id="picture"),
        pytest.param("file:0/on-black", "in file 1, on black", id="picture-on-black"),
        pytest.param("file:0/frame:17", "in file 1, frame 17", id="frame"),
        pytest.param("file:0/code:0", "in file 1, code 1", id="code"),
        pytest.param("", "", id="nowhere"),
    ],
)
def test_a_place_is_said_as_people_count(place: str, said: str) -> None:
    assert place_in_words(place) == said


@given(st.text(alphabet=st.sampled_from("abc \n\u2003"), max_size=400), st.integers(5, 60))
def test_pieces_break_between_words_and_lose_none(text: str, size: int) -> None:
    pieces = list(in_pieces(text, size))

    assert all(0 < len(piece) <= size and piece == piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    if all(len(word) <= size for word in text.split()):
        assert [word for piece in pieces for word in piece.split()] == text.split()


def test_a_piece_keeps_its_own_white_space() -> None:
    assert list(in_pieces("  one  two\n three four", 12)) == ["one  two", "three four"]


@pytest.mark.parametrize("turning", [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))])
def test_letters_that_turn_others_are_gone(turning: str) -> None:
    text = f"a{turning}b"

    assert [plain(text), cut(text, 50), one_line(text), *in_pieces(text, 50)] == ["ab"] * 4
