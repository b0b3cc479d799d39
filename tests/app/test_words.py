"""Words that all platforms share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words import cut, in_pieces, minutes_in_words, notes_of_case, one_line, place_in_words, plain, silence_in_words
from handlers.answers import CaseCard, Held
from pipelines.moderation.policy import Action

CARD = CaseCard(
    case="c7",
    author="Ada",
    channel="general",
    action=Action.HOLD,
    shadow=False,
    reasons=(),
    findings=(),
    judged=1,
    total=1,
    engine="understudy",
    state="open",
)


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


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"urgent": True}, ["Urgent: a model refuses to look at this. Look at it first, with care."], id="urgent"),
        pytest.param({"urgent": True, "state": "kept"}, [], id="nobody-need-look-any-more"),
        pytest.param(
            {"over_quota": True},
            ["It was only flagged: as much as the policy allows within an hour has been taken out already."],
            id="over-the-quota",
        ),
        pytest.param(
            {"timeout_minutes": 60, "strikes": 2},
            ["Its author cannot write for 1 hour.", "2 earlier messages of this author were removed lately."],
            id="silent-after-strikes",
        ),
        pytest.param({"strikes": 1}, ["One earlier message of this author was removed lately."], id="one-strike"),
    ],
)
def test_a_card_says_what_moderators_should_know_beside_what_was_found(known: dict[str, object], expected: list[str]) -> None:
    assert list(notes_of_case(CARD.model_copy(update=known))) == expected


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (120, "2 hours"), (1_440, "1 day"), (40_320, "28 days")],
)
def test_a_time_is_said_in_the_largest_whole_unit(minutes: int, said: str) -> None:
    assert minutes_in_words(minutes) == said


def test_an_author_hears_for_how_long_they_are_silent() -> None:
    held = Held(case="c7", action=Action.TIMEOUT, reasons=(), timeout_minutes=60)

    assert silence_in_words(held) == "You cannot write here for 1 hour."
    assert silence_in_words(held.model_copy(update={"timeout_minutes": 0})) == ""
