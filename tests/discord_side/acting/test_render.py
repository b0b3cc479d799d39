"""Answers as layouts: within Discord's limits, whatever members and models wrote, and escaped once."""

import json
import re
from typing import Any, get_args

import discord
import pytest
from discord.ui import MediaGallery
from hypothesis import given
from hypothesis import strategies as st

from bot.discord.layout import COMPONENTS_MAX, TEXT_MAX, component_id, nonce
from bot.discord.markup import MARKUP, escape
from bot.discord.render import render
from bot.discord.said import Said
from bot.discord.views import read_button
from emulators.discord.components import V2, prepare, walk
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    FindingSaid,
    Held,
    Help,
    Invitation,
    Judged,
    Listing,
    Made,
    MadeItem,
    Making,
    Notice,
    NotMade,
    QueuedWish,
    SetUp,
    Tagged,
    Usage,
    UsageLine,
    WishQueue,
    WishShown,
)
from handlers.commands import help_for
from handlers.events import Role
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.discord_side.acting.conftest import words
from tests.extracted import TOGETHER, an_endless_extraction, an_extracted, what_was_found

RAW = "**bold** <@1> @everyone [x](https://x.example) `code` \u202eturned\n# title"
FINDING = FindingSaid(
    category=Category.HATE, finding_kind="slur", severity=3, confidence=0.95, evidence="quoted", place="file:0/frame:17"
)
CARD = CaseCard(
    case="abcdefghijkl",
    author="Ann",
    channel="11",
    message="12",
    action=Action.REMOVE,
    shadow=False,
    reasons=("It is bad.",),
    findings=(FINDING,),
    judged=1,
    total=2,
    engine="gemini-3-flash",
    state="open",
)
TAGGED = Tagged(
    file_name="cat.jpg",
    subjects=("cat",),
    style="photograph",
    mood="calm",
    quality=(("sharpness", "good"), ("noise", "low")),
    colours=("grey",),
    text="OPEN\nTODAY",
    alt_text="A grey cat on a sofa.",
    tags=("cat", "sofa"),
    engine="understudy",
)
JUDGED = Judged(
    verdict="act", action=Action.HOLD, reasons=("So.",), findings=(FINDING,), judged=1, total=1, policy="0a1b2c", engine="none"
)
WISH_SHOWN = WishShown(
    id="w1", wish="a cat", prompt="a grey cat", options=(("Format", "16:9"),), cost_usd="0.08", why="It costs more than usual."
)
MADE = Made(
    id="w1",
    media="image",
    wish="a cat",
    prompt="a grey cat on a sofa",
    items=tuple(
        MadeItem(
            position=at,
            alt_text=f"Cat number {at} on a sofa.",
            seed=str(at),
            score=8,
            missing="The sofa is red.",
            buttons=tuple((f"wish_{name}", name, f"w1:{at}") for name in ("subtle", "strong", "upscale", "animate", "cutout")),
        )
        for at in range(1, 5)
    ),
    model="FLUX",
    engine="understudy",
    elapsed_s=75,
    cost_usd="0.02",
    notes=("One of them was tried twice.",),
    buttons=tuple((f"wish_{name}", name, "w1") for name in ("reroll", "prompt", "delete")),
)
QUEUE = WishQueue(
    items=(
        QueuedWish(id="w1", media="image", wish="a cat", state="making", mine=True),
        QueuedWish(id="w2", media="video", state="waiting", ahead=1),
    ),
    busy=1,
    slots=5,
)
USAGE = Usage(whose="you", days=30, lines=(UsageLine(title="Pictures, FLUX", count=3, cost_usd="0.06"),), total_usd="0.06")
ANSWERS: dict[str, Answer] = {
    "notice": Notice(text="Done.", channel="11"),
    "tagged": TAGGED,
    "judged": JUDGED,
    "case": CARD,
    "held": Held(case="abcdefghijkl", action=Action.HOLD, reasons=("So.",), channel="11"),
    "help": help_for(Role.ADMIN),
    "set-up": SetUp(watched=("11", "12"), log_channel="13", mode="shadow", policy="gaming, version 2"),
    "listing": Listing(title="The policy", body="version: 3\n  mode: shadow"),
    "alert": Alert(title="Look", text="Something happens.", value="raid:1", buttons=(("raid_keep", "Keep"),), channels=("11",)),
    "invitation": Invitation(name="Ann", role="member", url="http://127.0.0.1:8321/enter#code", minutes=10),
    "extracted": an_extracted(),
    "together": TOGETHER,
    "found": what_was_found("5", "6"),
    "wish-shown": WISH_SHOWN,
    "making": Making(id="w1", media="image", wish="a cat", prompt="a grey cat", state="making", done=1, total=4, estimate_s=20),
    "made": MADE,
    "not-made": NotMade(id="w1", wish="a cat", text="It was not made in time.", buttons=(("wish_again", "Try again"),)),
    "queue": QUEUE,
    "usage": USAGE,
}
LONG = "\U0001f600*" * 20_000
EXTREMES: dict[str, Answer] = {
    "notice": Notice(text=LONG),
    "tagged": TAGGED.model_copy(
        update=dict.fromkeys(("file_name", "style", "mood", "text", "alt_text", "engine"), LONG)
        | dict.fromkeys(("subjects", "colours", "tags"), (LONG,) * 60)
        | {"quality": ((LONG, LONG),) * 20}
    ),
    "judged": JUDGED.model_copy(
        update={"reasons": (LONG,) * 60, "findings": (FINDING.model_copy(update={"evidence": LONG, "place": LONG}),) * 60}
    ),
    "case": CARD.model_copy(
        update={
            "author": LONG,
            "reasons": (LONG,) * 60,
            "findings": (FINDING.model_copy(update={"evidence": LONG, "finding_kind": LONG}),) * 60,
            "decided_by": LONG,
            "urgent": True,
            "strikes": 7,
            "timeout_minutes": 7,
            "over_quota": True,
        }
    ),
    "held": Held(case="abcdefghijkl", action=Action.HOLD, reasons=(LONG,) * 60, text=LONG, timeout_minutes=1),
    "help": Help(commands=((LONG, LONG),) * 60),
    "listing": Listing(title=LONG, body=LONG),
    "alert": Alert(title=LONG, text=LONG, value="1", buttons=(("raid_keep", LONG),), channels=("1" * 20,) * 60),
    "set-up": SetUp(watched=("1" * 20,) * 25, log_channel="1" * 20, mode="enforce"),
    "invitation": Invitation(name=LONG, role="moderator", url="http://127.0.0.1/enter#code", minutes=10),
    "extracted": an_endless_extraction(LONG),
    "together": TOGETHER.model_copy(
        update={
            "documents": (TOGETHER.documents[0].model_copy(update={"file_name": LONG, "values": ((LONG, LONG),) * 60}),) * 60
        }
    ),
    "found": what_was_found("5", "6").model_copy(
        update={
            "words": LONG,
            "items": (what_was_found("5", "6").items[0].model_copy(update={"says": LONG, "title": LONG}),) * 60,
        }
    ),
    "wish-shown": WISH_SHOWN.model_copy(update={"wish": LONG, "prompt": LONG, "why": LONG, "options": ((LONG, LONG),) * 60}),
    "making": Making(id="w1", media="voice", wish=LONG, prompt=LONG, ahead=99_999, total=4),
    "made": MADE.model_copy(
        update={"wish": LONG, "prompt": LONG, "model": LONG, "engine": LONG, "notes": (LONG,) * 60}
        | {"items": tuple(each.model_copy(update=dict.fromkeys(("alt_text", "missing"), LONG)) for each in MADE.items)}
    ),
    "not-made": NotMade(id="w1", wish=LONG, text=LONG, buttons=(("wish_again", LONG),)),
    "queue": QUEUE.model_copy(
        update={
            "items": tuple(
                each.model_copy(update={"id": f"w{at}", "wish": LONG}) for at in range(60) for each in QUEUE.items[:1]
            )
        }
    ),
    "usage": USAGE.model_copy(update={"lines": (UsageLine(title=LONG, count=9),) * 60, "left": (LONG,) * 60}),
}


def components(answer: Answer, **more: Any) -> list[dict[str, Any]]:
    return render(answer, key="e1", workspace="7", **more).to_components()


def said(answer: Answer, **more: Any) -> str:
    return words({"components": components(answer, **more), "content": ""})


def test_every_answer_is_rendered_here() -> None:
    assert {type(each) for each in ANSWERS.values()} == set(get_args(get_args(Answer)[0]))
    assert EXTREMES.keys() == ANSWERS.keys()


@pytest.mark.parametrize(
    "answer", [*ANSWERS.values(), *EXTREMES.values()], ids=[*ANSWERS, *(f"long-{each}" for each in EXTREMES)]
)
def test_every_answer_is_one_message_that_discord_takes(answer: Answer) -> None:
    made = components(answer, added="One more sentence.")

    taken = prepare(made, V2, [])  # Discord's own rules, as far as its documentation says them
    shown = said(answer, added="One more sentence.")
    assert len(shown.encode("utf-16-le")) // 2 <= TEXT_MAX
    assert len(str(taken).split("'type'")) - 1 <= COMPONENTS_MAX
    assert made[0]["id"] == component_id("e1")


@pytest.mark.parametrize("name", [name for name in EXTREMES if name not in {"set-up", "invitation"}])
def test_what_is_cut_is_counted(name: str) -> None:
    assert re.search(r"more characters|…and \d+ more|\d+ parts are left out", said(EXTREMES[name]))


@pytest.mark.parametrize(
    "answer",
    [
        Notice(text=RAW),
        TAGGED.model_copy(update={"file_name": RAW, "tags": (RAW,), "text": RAW, "alt_text": RAW, "subjects": (RAW,)}),
        CARD.model_copy(update={"author": RAW, "reasons": (RAW,), "findings": (FINDING.model_copy(update={"evidence": RAW}),)}),
        Held(case="c", action=Action.REMOVE, reasons=(RAW,)),
        Held(case="c", action=Action.REMOVE, reasons=(), text=RAW),
        Alert(title="x", text=RAW),
        WISH_SHOWN.model_copy(update={"wish": RAW, "prompt": f"{RAW}\n{RAW}"}),
        MADE.model_copy(update={"prompt": RAW, "items": (MADE.items[0].model_copy(update={"caption": RAW}),)}),
        NotMade(id="", text=RAW),
    ],
    ids=["notice", "tagged", "case", "held", "given-back", "alert", "wish", "made", "not-made"],
)
def test_what_people_wrote_is_shown_as_it_is_and_escaped_once(answer: Answer) -> None:
    shown = said(answer)

    assert r"\*\*bold\*\* \<\@1\> \@everyone \[x\]\(https\://x.example\) \`code\`" in shown
    assert "\u202e" not in shown
    assert r"\# title" in shown


@given(st.text())
def test_no_letter_of_markup_stays_and_none_is_lost(text: str) -> None:
    escaped = escape(text, 100_000)

    assert MARKUP.search(re.sub(r"\\[\\`*_~|<>\[\]()#@:+.\-]", "", escaped)) is None
    assert re.sub(r"\\(?=[\\`*_~|<>\[\]()#@:+.\-])(.)", r"\1", escaped) == re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)


@given(st.text(alphabet=st.sampled_from("ab*\\\U0001f600\n"), max_size=400), st.integers(60, 300))
def test_a_cut_never_ends_in_the_middle_of_an_escape(text: str, limit: int) -> None:
    escaped = escape(text, limit)

    assert len(escaped.encode("utf-16-le")) // 2 <= limit
    kept = escaped.split("… (and ")[0]
    assert re.fullmatch(r"(\\.|[^\\*])*", kept, re.DOTALL)


@pytest.mark.parametrize("made", [MADE, EXTREMES["made"]], ids=["usual", "long"])
def test_four_pictures_keep_all_their_buttons_in_rows_of_five(made: Made) -> None:
    gallery = MediaGallery(*(discord.MediaGalleryItem(f"attachment://{at}.png") for at in range(4)))

    drawn = list(walk(components(made, enclosed=[gallery], added="One file is not shown.")))

    rows = [[read_button(each["custom_id"]) for each in part["components"]] for part in drawn if part["type"] == 1]
    assert [len(row) for row in rows] == [5, 5, 5, 5, 3]
    assert rows[1][2] == ("7", "w1:2", "wish_upscale")
    assert rows[4][2] == ("7", "w1", "wish_delete")
    assert len(drawn) <= COMPONENTS_MAX


def test_what_is_said_of_each_picture_goes_before_any_button_does() -> None:
    assert "Cat number 4" in said(MADE)
    assert "seed 4, fits the wish 8 of 10" in said(MADE)
    assert "seed 4" in said(EXTREMES["made"])
    beside = [discord.ui.File(f"attachment://{at}.mp3") for at in range(4)]  # which take more room than one gallery
    drawn = list(walk(components(MADE, enclosed=beside, added="One file is not shown.")))
    assert "seed 4" not in str(drawn)
    assert len([each for each in drawn if each["type"] == 2]) == 23
    assert len(drawn) <= COMPONENTS_MAX


def test_made_things_say_their_prompt_model_time_and_price() -> None:
    assert "**Prompt:**\n> a grey cat on a sofa" in said(MADE)
    assert "-# FLUX, understudy\\: no model, in 1 min 15 s, 0.02 USD" in said(MADE)


def test_only_ones_own_wishes_can_be_cancelled() -> None:
    buttons = [read_button(each["custom_id"]) for each in walk(components(QUEUE)) if "custom_id" in each]

    assert buttons == [("7", "w1", "wish_cancel")]


def test_a_case_card_has_buttons_only_while_it_waits() -> None:
    assert "fb:7:abcdefghijkl:restore" in str(components(CARD))
    assert "custom_id" not in str(components(CARD.model_copy(update={"state": "kept"})))


@pytest.mark.parametrize(
    ("change", "links"),
    [
        pytest.param({}, False, id="taken-out"),
        pytest.param({"shadow": True}, True, id="shadow"),
        pytest.param({"state": "reported", "action": Action.FLAG}, True, id="reported"),
    ],
)
def test_a_case_card_links_to_the_message_where_it_stands(change: dict[str, Any], links: bool) -> None:
    shown = said(CARD.model_copy(update=change))

    assert ("https://discord.com/channels/7/11/12" in shown) is links
    assert "<#11>" in shown


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        pytest.param({}, "Waits for a decision", id="open"),
        pytest.param({"state": "restored", "decided_by": "Mo"}, "Restored by Mo", id="restored"),
        pytest.param({"state": "kept", "decided_by": "Mo"}, "Kept removed by Mo", id="kept"),
    ],
)
def test_a_case_card_says_right_below_its_title_where_it_stands(change: dict[str, Any], standing: str) -> None:
    assert said(CARD.model_copy(update=change)).startswith(f"### Removed\n**{standing}**\n")


def test_a_decided_card_has_another_colour_than_an_open_one() -> None:
    states = [{}, {"state": "restored"}, {"state": "kept"}]

    colours = [components(CARD.model_copy(update=state))[0]["accent_color"] for state in states]

    assert len(set(colours)) == 3


def test_coverage_and_model_share_one_small_line() -> None:
    assert "-# 1 of 2 parts judged, case `abcdefghijkl`, by gemini\\-3\\-flash" in said(CARD).splitlines()


def test_a_card_says_what_is_left_to_moderators() -> None:
    shown = said(CARD.model_copy(update={"action": Action.FLAG, "called_for": Action.REMOVE}))

    assert "The policy calls for more: removed. Flashbulb cannot do that here; the rest is yours." in shown
    assert "95% certain, in file 1, frame 17" in shown


def test_the_understudy_is_spelled_out() -> None:
    assert "understudy: no model" in said(TAGGED)


def test_a_message_that_stands_asks_its_author_to_delete_it() -> None:
    assert "Please delete your message" in said(Held(case="c", action=Action.FLAG, reasons=(), stands=True))


def test_words_of_help_name_no_reason() -> None:
    shown = said(Held(case="c", action=Action.HOLD, reasons=("secret",), support=True))

    assert "is not shown for now" in shown
    assert "You have done nothing wrong" in shown
    assert "secret" not in shown


def test_words_of_help_for_a_message_that_stands_do_not_say_it_is_gone() -> None:
    shown = said(Held(case="c", action=Action.FLAG, reasons=(), support=True))

    assert "not shown" not in shown
    assert "You have done nothing wrong" in shown


def test_a_card_says_what_else_moderators_should_know() -> None:
    plain = said(CARD)
    shown = said(CARD.model_copy(update={"urgent": True, "strikes": 1, "timeout_minutes": 2880, "over_quota": True}))

    for words_ in ("Urgent", "cannot write for 2 days", "One earlier message of this author was removed", "only flagged"):
        assert words_ in shown
        assert words_ not in plain


def test_an_author_gets_back_what_they_wrote_and_learns_how_long_they_are_silent() -> None:
    shown = said(Held(case="c", action=Action.TIMEOUT, reasons=(), text="all\nmy words", timeout_minutes=60))

    assert "You cannot write here for 1 hour." in shown
    assert "This is what you wrote:\n>>> all\nmy words" in shown


def test_a_listing_keeps_its_columns_and_cannot_end_its_block() -> None:
    shown = said(Listing(title="Policy", body="a:\n  - b\n```\n@everyone"))

    assert shown.startswith("### Policy\n```\na:\n  - b\n`")
    assert shown.count("```") == 2
    assert shown.endswith("```")


def test_a_listing_too_long_for_a_message_is_a_file_that_holds_all_of_it() -> None:
    long = Listing(title="Policy", body="line\n" * 2000, file_name="the policy.yaml")
    message = Said(answer=long, key="e1", workspace="7")

    [file] = message.files()

    assert (file.filename, file.fp.read().decode()) == ("the_policy.yaml", long.body)
    assert '"attachment://the_policy.yaml"' in json.dumps(message.view.to_components())
    assert "attachment://" not in json.dumps(message.bare.to_components())
    assert Said(answer=Listing(title="Policy", body="short"), key="e1", workspace="7").files() == []


@pytest.mark.parametrize("value", ["", "raid:1", "discord:5:away:2026-11-28T03:42:44+00:00"])
def test_a_button_brings_back_what_was_put_into_it(value: str) -> None:
    made = components(Alert(title="x", text="y", value=value, buttons=(("away_hold", "Hold"), ("away_flag", "Flag"))))

    ids = [each["custom_id"] for each in made[0]["components"][-1]["components"]]
    assert [read_button(each) for each in ids] == [("7", value, "away_hold"), ("7", value, "away_flag")]


def test_keys_make_nonces_and_ids_that_discord_takes() -> None:
    assert len(nonce("e1")) <= 25
    assert 1 << 30 <= component_id("e1") < 1 << 31
    assert component_id("e1") != component_id("e2")
