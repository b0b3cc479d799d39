"""Answers as layouts: within Discord's limits, whatever members and models wrote, and escaped once."""

import json
import re
from datetime import UTC, datetime, timedelta
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
from bot.words import standing_of_case
from emulators.discord.components import V2, prepare, walk
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    CaseFile,
    CaseLine,
    CaseList,
    CaseStep,
    Digest,
    DigestLine,
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
from pipelines.language import catalogue
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
AT = datetime(2026, 3, 9, 14, 2, tzinfo=UTC)
FULL_CARD = CARD.model_copy(update={"pictured": True, "measures": ("timeout", "ban"), "picture": True})
CASE_FILE = CaseFile(
    card=CARD,
    why=("Hate, slur: severe, 95 % sure. That opens remove.",),
    said="what it says",
    files=("cat.jpg",),
    steps=(CaseStep(at=AT, text="Ann posted it."), CaseStep(at=AT + timedelta(hours=1), text="Mo kept it removed.")),
    url="https://flashbulb.example/desk/discord/7/cases/abcdefghijkl",
)
LINE = CaseLine(
    case="abcdefghijkl", title="Held", author="Ann", channel="11", message="12", at=AT, category=Category.HATE, state="open"
)
CASE_LIST = CaseList(title="Cases that wait", items=(LINE,), waiting=23, more=22, url="https://flashbulb.example/desk")
DIGEST = Digest(
    since=AT - timedelta(days=7),
    until=AT,
    lines=(DigestLine(category=Category.HATE, held=3, right=2, wrong=1, by_hand=1, precision=0.67, low=0.2, high=0.94),),
    missed=2,
    notes=("It takes 30 decisions.",),
    buttons=(("enforce", "Enforce hate", "hate"), ("enforce", "Enforce glue", "own:glue")),
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
    id="w1",
    wish="a cat",
    prompt="a grey cat",
    avoid="people, text",
    options=(("Format", "16:9"),),
    cost_usd="0.08",
    why="It costs more than usual.",
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
    "full-case": FULL_CARD,
    "case-file": CASE_FILE,
    "case-list": CASE_LIST,
    "digest": DIGEST,
    "held": Held(case="abcdefghijkl", action=Action.HOLD, reasons=("So.",), channel="11", appealable=True),
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
    "full-case": FULL_CARD.model_copy(
        update={"author": LONG, "reasons": (LONG,) * 60, "appeal": "denied", "appeal_text": LONG, "appeal_decided_by": LONG}
        | {"findings": (FINDING.model_copy(update={"evidence": LONG}),) * 60, "right_category": "own:glue", "gone": True}
    ),
    "case-file": CASE_FILE.model_copy(
        update={"why": (LONG,) * 60, "said": LONG, "files": (LONG,) * 60, "steps": (CaseStep(at=AT, text=LONG),) * 60}
    ),
    "case-list": CASE_LIST.model_copy(update={"title": LONG, "items": (LINE.model_copy(update={"author": LONG}),) * 60}),
    "digest": DIGEST.model_copy(
        update={
            "lines": DIGEST.lines * 60,
            "notes": (LONG,) * 60,
            "buttons": tuple(("enforce", LONG, f"own:{at}") for at in range(22)),
        }
    ),
    "held": Held(case="abcdefghijkl", action=Action.HOLD, reasons=(LONG,) * 60, text=LONG, timeout_minutes=1, appealable=True),
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
    "wish-shown": WISH_SHOWN.model_copy(
        update=dict.fromkeys(("about", "wish", "prompt", "avoid", "why"), LONG)
        | {"deed": "animated", "options": ((LONG, LONG),) * 60}
    ),
    "making": Making(id="w1", media="voice", deed="prompted", about=LONG, wish=LONG, prompt=LONG, ahead=99_999, total=4),
    "made": MADE.model_copy(
        update={"wish": LONG, "prompt": LONG, "model": LONG, "engine": LONG, "notes": (LONG,) * 60}
        | {"deed": "prompted", "about": LONG}
        | {
            "items": tuple(
                each.model_copy(update=dict.fromkeys(("alt_text", "missing", "prompt"), LONG)) for each in MADE.items
            )
        }
    ),
    "not-made": NotMade(id="w1", deed="upscaled", about=LONG, wish=LONG, text=LONG, buttons=(("wish_again", LONG),)),
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
        CARD.model_copy(update={"appeal": "open", "appeal_text": f"It is fine.\n{RAW}"}),
        CASE_FILE.model_copy(update={"card": CARD.model_copy(update={"appeal": "denied", "appeal_text": RAW})}),
        CASE_FILE.model_copy(update={"said": RAW}),
        CASE_FILE.model_copy(update={"files": (RAW,)}),
        CASE_FILE.model_copy(update={"why": (RAW,)}),
        CASE_FILE.model_copy(update={"steps": (CaseStep(at=AT, text=RAW),)}),
        CARD.model_copy(update={"state": "kept", "decided_by": RAW}),
        CASE_LIST.model_copy(update={"items": (LINE.model_copy(update={"author": RAW}),)}),
        DIGEST.model_copy(update={"notes": (RAW,)}),
        Held(case="c", action=Action.REMOVE, reasons=(RAW,)),
        Held(case="c", action=Action.REMOVE, reasons=(), text=RAW),
        Alert(title="x", text=RAW),
        WISH_SHOWN.model_copy(update={"wish": RAW, "prompt": f"{RAW}\n{RAW}"}),
        MADE.model_copy(update={"prompt": RAW, "items": (MADE.items[0].model_copy(update={"caption": RAW}),)}),
        NotMade(id="", text=RAW),
    ],
    ids=[
        *("notice", "tagged", "case", "appeal", "file-appeal", "file-says", "file-names", "file-why", "file-steps", "decider"),
        *("list", "digest", "held", "given-back", "alert", "wish", "made", "not-made"),
    ],
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


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        pytest.param(WISH_SHOWN, r"### Shall this be made? Upscaling · a \*red\* boat", id="shown"),
        pytest.param(Making(id="w1", media="image", wish="x"), r"### Upscaling: next in turn · a \*red\* boat", id="making"),
        pytest.param(MADE, r"### Upscaled (4 pictures) · a \*red\* boat", id="made"),
        pytest.param(NotMade(id="w1", text="No."), r"### Upscaling · a \*red\* boat", id="not-made"),
    ],
)
def test_the_heading_says_what_is_done_to_what(answer: WishShown | Making | Made | NotMade, heading: str) -> None:
    shown = said(answer.model_copy(update={"deed": "upscaled", "about": "a *red*\nboat"})).replace("\\:", ":")

    assert shown.splitlines()[0].replace("\\(", "(").replace("\\)", ")") == heading


def test_made_things_say_their_prompt_model_time_and_price() -> None:
    assert "**Prompt:**\n> a grey cat on a sofa" in said(MADE)
    assert "-# FLUX, understudy\\: no model, in 1 min 15 s, 0.02 USD" in said(MADE)


def test_what_was_made_from_another_prompt_says_from_which() -> None:
    second = MADE.items[1].model_copy(update={"prompt": "a grey cat, simply"})

    shown = said(MADE.model_copy(update={"items": (MADE.items[0], second, *MADE.items[2:])}))

    assert "**Prompt:**\n> a grey cat on a sofa\n**Prompt of 2:**\n> a grey cat, simply" in shown
    assert "Cat number 4" in shown


def test_what_would_be_made_says_what_it_will_not_show() -> None:
    assert "**Format:** 16\\:9\n**Without:** people, text" in said(WISH_SHOWN)
    assert "Without" not in said(WISH_SHOWN.model_copy(update={"avoid": " "}))


def test_only_ones_own_wishes_can_be_cancelled() -> None:
    buttons = [read_button(each["custom_id"]) for each in walk(components(QUEUE)) if "custom_id" in each]

    assert buttons == [("7", "w1", "wish_cancel")]


def rows_of(answer: Answer, **more: Any) -> list[list[dict[str, Any]]]:
    return [each["components"] for each in walk(components(answer, **more)) if each["type"] == 1]


def names_of(answer: Answer) -> list[list[str]]:
    return [[read_button(each["custom_id"]).button for each in row] for row in rows_of(answer)]


def test_a_case_card_has_both_rows_of_buttons_and_each_brings_the_case_back() -> None:
    rows = rows_of(FULL_CARD, file="attachment://picture.jpg")

    assert [[each["label"] for each in row] for row in rows] == [
        ["Restore", "Keep removed", "Why?"],
        ["Wrong category", "Allow this exact picture", "Deny near copies", "Time out", "Ban"],
    ]
    assert {read_button(each["custom_id"])[:2] for row in rows for each in row} == {("7", "abcdefghijkl")}
    assert all(len(row) <= 5 for row in rows)


def test_only_what_hits_hard_is_red() -> None:
    stands = FULL_CARD.model_copy(update={"action": Action.FLAG})
    red = {each["label"] for row in rows_of(stands) for each in row if each["style"] == discord.ButtonStyle.danger.value}

    assert red == {"Remove", "Deny near copies", "Ban"}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        pytest.param({"state": "kept", "undoable": True}, [["undo", "why"]], id="decided"),
        pytest.param({"state": "kept", "appeal": "open"}, [["overturn", "uphold", "why"]], id="appealed"),
        pytest.param({"state": "reported", "findings": ()}, [["dismiss", "remove", "why"]], id="reported"),
        pytest.param({"action": Action.FLAG, "gone": True, "findings": ()}, [["dismiss", "keep", "why"]], id="gone"),
    ],
)
def test_a_case_card_has_the_buttons_of_its_state(change: dict[str, Any], names: list[list[str]]) -> None:
    assert names_of(CARD.model_copy(update=change)) == names


def test_each_button_of_a_digest_brings_its_category_back() -> None:
    assert [read_button(each["custom_id"]) for [*row] in rows_of(DIGEST) for each in row] == [
        ("7", "hate", "enforce"),
        ("7", "own:glue", "enforce"),
    ]


def test_a_digest_says_what_was_right_and_how_sure_that_is() -> None:
    shown = said(DIGEST)

    assert "<t:1772460120:D> to <t:1773064920:D>" in shown
    assert "**Hate:** would be 3 held; 2 of 3 that people looked at were right (67%, likely 20% to 94%)" in shown
    assert "2 messages that moderators took out by hand were missed." in shown
    assert "Nothing would have been done." in said(DIGEST.model_copy(update={"lines": ()}))


def test_a_list_says_how_many_wait_and_where_to_see_them_all() -> None:
    shown = said(CASE_LIST)

    assert "-# 23 wait for a person, there are 22 more than these, [the review desk](https://flashbulb.example/desk)" in shown
    assert "**Held:** a message of **Ann** in <#11>" in shown
    assert "case `abcdefghijkl`" in shown
    assert "There is no such case." in said(CaseList(title="Cases", items=(), waiting=0))


def test_a_file_of_a_case_tells_its_history_and_what_it_says() -> None:
    shown = said(CASE_FILE)

    for words_ in ("**Why**\n- Hate, slur", "The message says:\n>>> what it says", "Its files:\n- cat.jpg"):
        assert words_ in shown
    assert "- <t:1773064920:f> Ann posted it.\n- <t:1773068520:f> Mo kept it removed." in shown
    assert "case `abcdefghijkl`, [its page in the review desk](https://flashbulb.example/desk/" in shown
    assert rows_of(CASE_FILE) == []  # the card is where it is decided


def test_the_newest_of_a_long_history_are_shown() -> None:
    steps = tuple(CaseStep(at=AT, text=f"step {number}") for number in range(25))

    shown = said(CASE_FILE.model_copy(update={"steps": steps}))

    assert "-# …and 15 more before" in shown
    assert ("step 24" in shown, "step 14" in shown) == (True, False)


def test_a_long_appeal_is_shown_whole() -> None:
    appeal = "*" * 1000  # each of which has to be escaped

    assert said(CARD.model_copy(update={"appeal": "open", "appeal_text": appeal})).count(r"\*") == 1000


def test_a_link_to_the_desk_is_for_whoever_asked() -> None:
    shown = said(Invitation(name="Mo", role="moderator", desk=True, url="https://flashbulb.example/enter#x", minutes=10))

    assert "Your link to the review desk" in shown
    assert "keep it to yourself" in shown
    assert "Mo" not in shown


@pytest.mark.parametrize(
    ("change", "links"),
    [
        pytest.param({}, False, id="taken-out"),
        pytest.param({"shadow": True}, True, id="shadow"),
        pytest.param({"state": "reported", "action": Action.FLAG}, True, id="reported"),
        pytest.param({"undone": "No."}, True, id="could-not-be-taken-out"),
        pytest.param({"action": Action.FLAG, "state": "dismissed"}, True, id="dismissed"),
        pytest.param({"action": Action.FLAG, "state": "removed"}, False, id="taken-out-by-hand"),
        pytest.param({"action": Action.FLAG, "state": "removed", "undone": "No."}, True, id="could-not-be-by-hand"),
        pytest.param({"state": "restored", "undone": "No copy."}, False, id="could-not-be-brought-back"),
        pytest.param({"action": Action.FLAG, "gone": True}, False, id="gone"),
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
        pytest.param({"state": "dismissed", "decided_by": "Mo"}, "Found to be fine by Mo", id="dismissed"),
        pytest.param({"state": "removed", "decided_by": "Mo"}, "Taken out by Mo", id="removed"),
        pytest.param(
            {"state": "kept", "decided_by": "Mo", "appeal": "denied", "appeal_text": "x", "appeal_decided_by": "Olga"},
            "Kept removed by Mo. The appeal was denied by Olga",
            id="denied",
        ),
        pytest.param(
            {"state": "restored", "decided_by": "Mo", "appeal": "granted", "appeal_text": "x", "appeal_decided_by": "Olga"},
            "Restored by Mo. The appeal was granted by Olga",
            id="granted",
        ),
    ],
)
def test_a_case_card_says_right_below_its_title_where_it_stands(change: dict[str, Any], standing: str) -> None:
    assert said(CARD.model_copy(update=change)).startswith(f"### Removed\n**{escape(standing, 500)}**\n")


def test_an_appeal_that_waits_stands_where_the_decision_does() -> None:
    card = CARD.model_copy(update={"appeal": "open", "appeal_text": "It is my own cat."})

    assert said(card).startswith(f"### Removed\n**{escape(standing_of_case(card), 500)}**\n")
    assert "appeals" in standing_of_case(card)
    assert "Its author says:\n>>> It is my own cat" in said(card)


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


def test_a_card_says_that_it_is_something_else_and_that_it_is_gone() -> None:
    shown = said(CARD.model_copy(update={"right_category": Category.HARASSMENT, "decided_by": "Mo", "gone": True}))

    assert "It is harassment, says Mo." in shown
    assert "The message is gone from its channel" in shown


def test_an_author_can_appeal_from_a_private_message() -> None:
    notice = ANSWERS["held"]

    [[button]] = rows_of(notice)

    assert (button["label"], read_button(button["custom_id"])) == ("Appeal", ("7", "abcdefghijkl", "appeal"))
    assert "within 7 days" in said(notice)
    assert rows_of(notice.model_copy(update={"appealable": False})) == []


def test_an_author_is_spoken_to_in_the_language_of_the_policy() -> None:
    german = catalogue("de")
    notice = ANSWERS["held"].model_copy(update={"language": "de", "timeout_minutes": 60})

    before, after = german.say(
        "Your message in {channel} was taken out until a moderator has looked at it.", channel="|"
    ).split("|")
    assert f"**{before}<#11>{after}**" in said(notice)
    assert [each["label"] for each in rows_of(notice)[0]] == [german.say("Appeal")]


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
