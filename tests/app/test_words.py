"""Words that all platforms share."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.words import (
    HeldWords,
    cut,
    digest_line_in_words,
    held_words,
    in_pieces,
    line_of_case,
    minutes_in_words,
    missed_in_words,
    notes_of_case,
    one_line,
    place_in_words,
    plain,
    silence_in_words,
    standing_of_case,
    title_of_case,
    tone_of_case,
)
from handlers.answers import CaseCard, CaseLine, DigestLine, Held
from pipelines.language import catalogue
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
        pytest.param({"gone": True}, ["The message is gone from its channel: somebody else has deleted it."], id="gone"),
        pytest.param(
            {"state": "kept", "decided_by": "Mo", "right_category": "scam_spam"},
            ["It is scam or spam, says Mo."],
            id="another-category",
        ),
        pytest.param(
            {"measured": ("timeout", "ban"), "measures": ()},
            ["A moderator has timed its author out.", "A moderator has banned its author."],
            id="measures",
        ),
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


@pytest.mark.parametrize(
    ("known", "title", "standing", "tone"),
    [
        pytest.param({}, "Held", "Waits for a decision", "bad", id="open"),
        pytest.param({"action": "flag"}, "Flagged", "Waits for a decision", "warn", id="flagged"),
        pytest.param({"restorable": False}, "Held", "No copy is kept: it cannot be restored", "bad", id="no-copy"),
        pytest.param({"state": "reported", "action": "flag"}, "Reported", "Nothing was done to it", "warn", id="reported"),
        pytest.param({"state": "restored", "decided_by": "Mo"}, "Held", "Restored by Mo", "ok", id="restored"),
        pytest.param(
            {"state": "restored", "decided_by": "Mo", "undone": "No copy."},
            "Held",
            "Restored by Mo, but it could not be brought back: No copy. Please do it by hand.",
            "bad",
            id="not-brought-back",
        ),
        pytest.param({"state": "kept", "decided_by": "Mo"}, "Held", "Kept removed by Mo", "", id="kept"),
        pytest.param(
            {"state": "kept", "decided_by": "Mo", "action": "flag"},
            "Flagged",
            "Found not to be fine by Mo",
            "",
            id="stays-though",
        ),
        pytest.param(
            {"state": "dismissed", "decided_by": "Mo", "shadow": True},
            "Would be held (shadow mode)",
            "Found to be fine by Mo",
            "ok",
            id="dismissed",
        ),
        pytest.param(
            {"state": "removed", "decided_by": "Mo", "action": "flag"}, "Flagged", "Taken out by Mo", "", id="taken-out-by-hand"
        ),
        pytest.param(
            {"state": "removed", "decided_by": "Mo", "action": "flag", "undone": "Not allowed."},
            "Flagged",
            "Removed by Mo, but it could not be taken out: Not allowed. Please do it by hand.",
            "bad",
            id="not-taken-out-by-hand",
        ),
        pytest.param(
            {"undone": "Not allowed."},
            "Not held",
            "It could not be taken out: Not allowed. Please do it by hand.",
            "bad",
            id="not-taken-out",
        ),
        pytest.param({"appeal": "open"}, "Held", "Its author appeals: a moderator decides", "warn", id="appealed"),
        pytest.param(
            {"appeal": "open", "state": "kept", "decided_by": "Mo"},
            "Held",
            "Kept removed by Mo. Its author appeals: another moderator than Mo decides",
            "warn",
            id="decided-and-appealed",
        ),
        pytest.param(
            {"appeal": "granted", "appeal_decided_by": "Eve", "state": "restored", "decided_by": "Eve"},
            "Held",
            "Restored by Eve. The appeal was granted by Eve",
            "ok",
            id="granted",
        ),
        pytest.param(
            {"appeal": "denied", "appeal_decided_by": "Eve", "state": "kept", "decided_by": "Mo"},
            "Held",
            "Kept removed by Mo. The appeal was denied by Eve",
            "",
            id="denied",
        ),
    ],
)
def test_a_card_says_what_was_done_where_it_stands_and_how_much_it_matters(
    known: dict[str, object], title: str, standing: str, tone: str
) -> None:
    card = CaseCard.model_validate({**CARD.model_dump(), **known})

    assert (title_of_case(card), standing_of_case(card), tone_of_case(card)) == (title, standing, tone)


HELD = Held(case="c7", action=Action.REMOVE, reasons=("Hate.",), channel="general", text="what I said")


@pytest.mark.parametrize(
    ("known", "title", "lines"),
    [
        pytest.param({}, ("Your message in ", " was taken out."), (), id="removed"),
        pytest.param(
            {"action": Action.HOLD},
            ("Your message in ", " was taken out until a moderator has looked at it."),
            (),
            id="held",
        ),
        pytest.param({"channel": ""}, ("Your message was taken out.", ""), (), id="without-a-channel"),
        pytest.param(
            {"stands": True, "action": Action.FLAG},
            ("Please delete your message in ", ": it goes against the rules there."),
            (),
            id="stands",
        ),
        pytest.param(
            {"timeout_minutes": 120},
            ("Your message in ", " was taken out."),
            ("You cannot write here for 2 hours.",),
            id="silent",
        ),
    ],
)
def test_an_author_is_told_what_was_done(known: dict[str, object], title: tuple[str, str], lines: tuple[str, ...]) -> None:
    words = held_words(HELD.model_copy(update=known))

    assert (words.title, words.title_end, words.lines) == (*title, lines)
    assert (words.given_back, words.foot) == ("This is what you wrote:", "Case c7")
    assert (words.appeal, words.appeal_hint) == ("", "")


@pytest.mark.parametrize("action", [Action.ALLOW, Action.HOLD])
def test_who_may_be_at_risk_gets_words_of_help_and_no_number_of_a_case(action: Action) -> None:
    words = held_words(HELD.model_copy(update={"support": True, "action": action, "text": ""}))

    assert words.title == ("Your message in " if action.takes_down else "")
    assert words.title_end == (" is not shown for now, so that somebody can read it with care." if action.takes_down else "")
    [line] = words.lines
    assert line.startswith("You have done nothing wrong.")
    assert (words.given_back, words.foot) == ("", "")


@pytest.mark.parametrize(("days", "within"), [(1, "within one day"), (7, "within 7 days")])
def test_an_author_may_ask_for_another_look(days: int, within: str) -> None:
    words = held_words(HELD.model_copy(update={"appealable": True, "appeal_days": days}))

    assert words.appeal == "Appeal"
    assert f"ask {within} for another moderator" in words.appeal_hint


def test_without_a_case_there_is_nothing_to_appeal() -> None:
    assert held_words(Held(case="", action=Action.ALLOW, reasons=(), support=True, appealable=True)).appeal == ""


def test_all_of_a_notice_is_said_in_the_language_of_the_policy() -> None:
    held = HELD.model_copy(update={"language": "de-AT", "appealable": True, "timeout_minutes": 60, "action": Action.TIMEOUT})

    assert held_words(held) == HeldWords(
        title="Ihre Nachricht in ",
        title_end=" wurde herausgenommen.",
        lines=("Sie können hier 1 Stunde lang nicht schreiben.",),
        given_back="Das haben Sie geschrieben:",
        appeal="Widerspruch einlegen",
        appeal_hint=(
            "Wenn Sie das für einen Irrtum halten, können Sie innerhalb von 7 Tagen verlangen, dass jemand anderes aus der"
            " Moderation es noch einmal ansieht."
        ),
        foot="Fall c7",
    )


def test_a_time_is_said_in_another_language() -> None:
    assert [minutes_in_words(each, catalogue("de")) for each in (1, 120, 1_440)] == ["1 Minute", "2 Stunden", "1 Tag"]


def test_a_line_of_a_list_says_what_matters_of_a_case() -> None:
    line = CaseLine(
        case="c7",
        title="Held",
        author="Ada",
        channel="general",
        at=datetime(2026, 11, 28, 14, 3, tzinfo=UTC),
        category="scam_spam",
        state="kept",
        urgent=True,
        appealed=True,
    )

    assert line_of_case(line) == "urgent, scam or spam, appealed, kept, 2026-11-28 14:03 UTC"
    plainer = line.model_copy(update={"category": "", "urgent": False, "appealed": False, "state": "open"})
    assert line_of_case(plainer) == "waits, 2026-11-28 14:03 UTC"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        pytest.param({}, "nothing would be done; nobody has looked at any of them", id="nothing"),
        pytest.param(
            {"flagged": 12, "held": 1_047, "removed": 3, "by_hand": 6},
            "would be 3 removed, 1,047 held, 12 flagged; nobody has looked at any of them; 6 are gone from the channel",
            id="not-looked-at",
        ),
        pytest.param(
            {"held": 50, "right": 44, "wrong": 6, "precision": 0.88, "low": 0.76, "high": 0.944, "by_hand": 1},
            "would be 50 held; 44 of 50 that people looked at were right (88%, likely 76% to 94%); 1 is gone from the channel",
            id="looked-at",
        ),
    ],
)
def test_a_line_of_a_digest_is_said_in_words(known: dict[str, float], said: str) -> None:
    assert digest_line_in_words(DigestLine.model_validate({"category": "hate", **known})) == said


def test_what_was_missed_is_counted() -> None:
    assert [missed_in_words(each) for each in (0, 1, 3)] == [
        "",
        "1 message that moderators took out by hand was missed.",
        "3 messages that moderators took out by hand were missed.",
    ]
