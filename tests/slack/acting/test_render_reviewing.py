"""Cases, their lists and files, shadow mode and words to authors, as blocks and text."""

from typing import Any

import pytest

from bot.slack import pieces, render
from bot.slack.pieces import BLOCKS_MAX
from bot.slack.reviewing import LISTED_MAX, STEPS_MAX
from emulators.slack.blocks import problems_of
from handlers.answers import CaseStep, Digest, DigestLine, Held, Invitation
from pipelines.language import catalogue
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.slack.acting.shown import APPEALED, AT, CARD, CASES, DESK, DIGEST, FILE, FOUND, HOME, LINE, NASTY, rows, runs, words


@pytest.mark.parametrize(
    ("changed", "stands"),
    [
        pytest.param({}, False, id="held"),
        pytest.param({"shadow": True}, True, id="shadow"),
        pytest.param({"undone": "Slack refused it."}, True, id="could-not-be-taken-out"),
        pytest.param({"action": Action.FLAG}, True, id="flagged"),
        pytest.param({"action": Action.FLAG, "state": "dismissed"}, True, id="dismissed"),
        pytest.param({"action": Action.FLAG, "state": "removed"}, False, id="taken-out-by-hand"),
        pytest.param({"action": Action.FLAG, "gone": True}, False, id="gone"),
        pytest.param({"state": "restored"}, False, id="what-came-back-is-another-message"),
    ],
)
def test_a_card_leads_to_what_still_stands(changed: dict[str, Any], stands: bool) -> None:
    said = render.render(CARD.model_copy(update=changed), home=HOME)

    links = [item["url"] for item in runs(said) if item["type"] == "link"]
    assert links == (["https://x.slack.com/archives/CPICS/p1795398917000100"] if stands else [])


@pytest.mark.parametrize(
    ("changed", "buttons"),
    [
        pytest.param({}, [["restore", "keep", "why"], ["wrong_category"]], id="open"),
        pytest.param({"state": "kept", "decided_by": "Mo"}, [["why"]], id="decided"),
        pytest.param({"state": "kept", "undoable": True}, [["undo", "why"]], id="decided-a-moment-ago"),
        pytest.param({"shadow": True}, [["dismiss", "remove", "why"], ["wrong_category"]], id="shadow"),
        pytest.param({"restorable": False}, [["keep", "why"], ["wrong_category"]], id="no-copy"),
        pytest.param(
            {"pictured": True, "measures": ("timeout", "ban")},
            [["restore", "keep", "why"], ["wrong_category", "allow_exact", "deny_near", "timeout", "ban"]],
            id="with-a-picture",
        ),
        pytest.param({"state": "kept", "appeal": "open"}, [["overturn", "uphold", "why"]], id="appealed"),
    ],
)
def test_a_card_has_two_rows_of_buttons_about_its_case(changed: dict[str, Any], buttons: list[list[str]]) -> None:
    said = render.render(CARD.model_copy(update=changed))

    assert [[button["action_id"] for button in row] for row in rows(said)] == buttons
    assert {button["value"] for row in rows(said) for button in row} == {"c7"}
    assert said["text"].splitlines()[-1].startswith("[")


def test_what_is_hard_to_take_back_stands_out_and_so_does_what_changes_nothing() -> None:
    card = CARD.model_copy(update={"shadow": True, "pictured": True, "measures": ("timeout", "ban")})

    styles = {button["action_id"]: button.get("style") for row in rows(render.render(card)) for button in row}
    assert {name for name, style in styles.items() if style == "danger"} == {"remove", "deny_near", "ban"}
    assert "primary" not in styles.values()  # none is what a moderator should do


def test_a_card_says_where_slack_could_not_do_as_much() -> None:
    said = render.render(CARD.model_copy(update={"action": Action.FLAG, "called_for": Action.REMOVE}))

    assert "The policy calls for more: removed. Flashbulb cannot do that here; the rest is yours." in words(said)


@pytest.mark.parametrize(
    ("changed", "standing"),
    [
        pytest.param({}, "Waits for a decision", id="open"),
        pytest.param({"state": "restored", "decided_by": "Mo"}, "Restored by Mo", id="restored"),
        pytest.param({"state": "kept", "decided_by": "Mo"}, "Kept removed by Mo", id="kept"),
    ],
)
def test_a_card_says_right_below_its_title_where_it_stands(changed: dict[str, Any], standing: str) -> None:
    said = render.render(CARD.model_copy(update=changed))

    assert [item["text"] for item in runs({"blocks": said["blocks"][:2]})] == ["Held", standing]


def test_coverage_and_model_share_one_small_line() -> None:
    small = [words({"blocks": [block]}) for block in render.render(CARD)["blocks"] if block["type"] == "context"]

    assert small == ["2 of 3 parts judged, case c7, by gemini-x"]


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        pytest.param({"urgent": True}, "Urgent: a model refuses to look at this.", id="urgent"),
        pytest.param({"strikes": 1}, "One earlier message of this author was removed lately.", id="one-strike"),
        pytest.param({"strikes": 3}, "3 earlier messages of this author were removed lately.", id="strikes"),
        pytest.param({"timeout_minutes": 1440}, "Its author cannot write for 1 day.", id="a-day"),
        pytest.param({"timeout_minutes": 90}, "Its author cannot write for 90 minutes.", id="minutes"),
        pytest.param({"over_quota": True}, "It was only flagged: as much as the policy allows", id="over-quota"),
    ],
)
def test_a_card_notes_what_else_counts(changed: dict[str, Any], note: str) -> None:
    assert note in words(render.render(CARD.model_copy(update=changed)))
    assert note not in words(render.render(CARD))


def test_an_author_gets_back_what_was_taken_out_word_by_word() -> None:
    held = Held(case="c7", action=Action.HOLD, reasons=(), channel="CPICS", text="buy *now* <!here>\n" + "x" * 4_000)

    said = render.render(held)

    [quote] = [part for block in said["blocks"] for part in block.get("elements", ()) if part["type"] == "rich_text_quote"]
    assert quote["elements"][0]["text"].startswith("buy *now* <!here>\nxxx")
    assert len(quote["elements"][0]["text"]) <= render.PARAGRAPH_MAX
    assert "> buy *now* &lt;!here&gt;" in said["text"]


def test_a_finding_quotes_what_it_saw() -> None:
    said = render.render(CARD)

    assert "Scam or spam (fake shop): severe, 80% certain, in file 1, frame 17" in words(said)
    assert "\n> buy now\n> quick\n" in said["text"]


def test_words_of_help_do_not_say_that_a_message_is_gone_which_stands() -> None:
    stands = render.render(Held(case="c7", action=Action.FLAG, reasons=(), support=True))
    gone = render.render(Held(case="c7", action=Action.HOLD, reasons=(), support=True))

    assert "is not shown for now" not in words(stands)
    assert "is not shown for now" in words(gone)
    assert "You have done nothing wrong." in words(stands)


def test_many_findings_are_counted() -> None:
    said = render.render(CARD.model_copy(update={"findings": (FOUND,) * 80, "reasons": ("r" * 900,) * 80}))

    assert problems_of(said["blocks"]) == []
    assert words(said).count("…and 70 more") == 2
    assert said["blocks"][-1]["type"] == "actions"
    assert said["text"].endswith(pieces.MORE)
    assert len(said["text"]) <= pieces.TEXT_MAX


def test_the_buttons_stay_where_a_message_is_too_long() -> None:
    said = pieces.message(
        [pieces.Title("Many")]
        + [pieces.Line((pieces.run(str(number)),)) for number in range(80)]
        + [pieces.Small("foot"), pieces.Buttons.about("c7", CARD.buttons), pieces.Buttons.about("c7", (("ban", "Ban"),))]
    )

    assert len(said["blocks"]) == BLOCKS_MAX
    assert problems_of(said["blocks"]) == []
    assert [[button["action_id"] for button in row] for row in rows(said)] == [["restore", "keep", "why"], ["ban"]]
    assert pieces.MORE in words(said)


def test_a_card_quotes_what_its_author_says_against_it() -> None:
    hostile = APPEALED.model_copy(update={"appeal_text": f"{NASTY}\n" + "x" * 4_000})

    said = render.render(hostile)

    quotes = [part for block in said["blocks"] for part in block.get("elements", ()) if part["type"] == "rich_text_quote"]
    appeal = quotes[0]["elements"][0]["text"]
    assert appeal.startswith(NASTY.replace("\u202e", "") + "\nxxx")
    assert len(appeal) <= pieces.PARAGRAPH_MAX
    assert "> &lt;!channel&gt; &lt;@U1&gt; *b* &amp; &lt;https://evil.example|bank&gt; txt" in said["text"]
    assert "Its author appeals: another moderator than Mo decides" in words(said)


def test_the_file_of_a_case_says_why_and_what_happened_the_newest_last() -> None:
    steps = tuple(CaseStep(at=AT, text=f"Step {number}.") for number in range(1, STEPS_MAX + 6))

    said = render.render(FILE.model_copy(update={"steps": steps}), home=HOME)

    told = words(said)
    assert "The policy holds that from 0.7 on." in told
    assert "Its files: offer.png, terms.pdf" in told
    assert "…and 5 more before2026-11-28 09:30 UTC: Step 6." in told
    assert f"Step {STEPS_MAX + 5}." in told
    assert "Step 5." not in told
    assert [item["url"] for item in runs(said) if item["type"] == "link"] == [f"{DESK}/c7"]
    assert rows(said) == []  # it stands for one person alone, the card for all


def test_a_list_leads_to_each_message_and_names_each_case() -> None:
    items = tuple(LINE.model_copy(update={"case": f"c{number}"}) for number in range(LISTED_MAX + 3))

    said = render.render(CASES.model_copy(update={"items": items, "more": 4}), home=HOME)

    told = words(said)
    links = [item["url"] for item in runs(said) if item["type"] == "link"]
    assert problems_of(said["blocks"]) == []
    assert links == ["https://x.slack.com/archives/CPICS/p1795398917000100"] * LISTED_MAX + [DESK]
    assert "Held: a message of Ada in #CPICS (the message), urgent, scam or spam, appealed, waits, 2026-11-28 09:30 UTC" in told
    assert f"case c{LISTED_MAX - 1}" in told
    assert f"case c{LISTED_MAX}" not in told
    assert "…and 7 more" in told


def test_a_digest_is_a_table_whose_buttons_can_be_told_apart() -> None:
    said = render.render(DIGEST)

    [table] = [block["elements"][0] for block in said["blocks"] if block["type"] == "rich_text" and _is_table(block)]
    lines = table["elements"][0]["text"].splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["Scam", "or", "spam", "3", "30", "1,204", "38", "of", "40", "95%", "(83%–99%)", "31"],
        ["Gore", "1", "0", "0", "none", "seen", "0"],
    ]
    assert problems_of(said["blocks"]) == []
    assert [[(button["action_id"], button["value"]) for button in row] for row in rows(said)] == [
        [("enforce", "scam_spam")],
        [("enforce", "gore")],
    ]


def test_all_categories_fit_into_the_table() -> None:
    one = DigestLine(
        category=f"own:{'x' * 40}", flagged=99_999, held=99_999, removed=99_999, right=9_999, wrong=0, by_hand=9_999
    )
    line = one.model_copy(update={"precision": 1.0, "low": 1.0, "high": 1.0})

    said = render.render(Digest(since=AT, until=AT, lines=(line,) * (len(Category) + 10)))

    assert "more column" not in words(said)
    assert words(said).count("9,999 of 9,999  100% (100%–100%)  9,999") == len(Category) + 10


@pytest.mark.parametrize("language", ["en", "de"])
def test_whoever_may_appeal_has_a_button_in_their_language(language: str) -> None:
    held = Held(case="c7", action=Action.HOLD, reasons=("Spam.",), channel="CPICS", appealable=True, language=language)

    [[button]] = rows(render.render(held))

    assert (button["action_id"], button["value"]) == ("appeal", "c7")
    assert button["text"]["text"] == catalogue(language).say("Appeal")
    assert rows(render.render(held.model_copy(update={"appealable": False}))) == []


def test_in_words_of_help_no_reason_is_named() -> None:
    said = render.render(
        Held(case="c7", action=Action.HOLD, reasons=("It speaks of self-harm.",), support=True, appealable=True)
    )

    assert "self-harm" not in said["text"]
    assert "self-harm" not in words(said)
    assert [button["action_id"] for row in rows(said) for button in row] == ["appeal"]


def test_the_link_to_the_review_desk_is_for_one_alone() -> None:
    said = words(render.render(Invitation(name="Ada", role="moderator", desk=True, url=DESK, minutes=10)))

    assert "Your link to the review desk (moderator)" in said
    assert "It works once, within 10 minutes. Whoever opens it is Ada. Keep it to yourself." in said


def _is_table(block: dict[str, Any]) -> bool:
    return bool(block["elements"][0]["type"] == "rich_text_preformatted")
