"""Answers as blocks and text: both say the same, within Slack's limits, and nothing that others wrote acts."""

import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack import pieces, render
from bot.slack.pieces import escape
from bot.storage.copies import Copy
from bot.words import PICTURE_ALT, one_line
from emulators.slack.blocks import problems_of
from handlers.answers import (
    Alert,
    Answer,
    Extracted,
    Invitation,
    Judged,
    Listing,
    Notice,
    SetUp,
    Tagged,
)
from handlers.commands import help_for
from handlers.events import Person, Role
from pipelines.moderation.policy import Action
from tests.console.made import MAKING, NOT_MADE, QUEUE, SHOWN, USAGE, a_made
from tests.extracted import TOGETHER, an_endless_extraction, an_extracted, what_was_found
from tests.slack.acting.conftest import at
from tests.slack.acting.shown import CARD, FOUND, HOME, NASTY, REVIEWS, runs, words

TAGGED = Tagged(
    file_name="cat.jpg",
    subjects=("cat", "sofa"),
    style="photograph",
    mood="calm",
    quality=(("sharpness", "very_good"),),
    colours=("grey",),
    text="EXIT",
    alt_text="A grey cat on a sofa.",
    tags=("cat", "pet"),
    engine="understudy",
)
JUDGED = Judged(
    verdict="act",
    action=Action.REMOVE,
    reasons=("Spam.",),
    findings=(FOUND,),
    judged=1,
    total=1,
    policy="p1",
    engine="gemini-x",
)
ANSWERS: list[Answer] = [
    Notice(text="Saved.", channel="CPICS"),
    TAGGED,
    JUDGED,
    Listing(title="The policy", body="version: 1\ngates:\n  hold:\n    - {severity: 2}\n"),
    Alert(
        title="No model answers", text="What shall be done?", value="v1", buttons=(("away_hold", "Hold"),), channels=("CPICS",)
    ),
    help_for(Role.ADMIN),
    SetUp(watched=("CPICS",), log_channel="GMODS", mode="shadow", policy="gaming, 2nd version", unseen=("CPICS",), public=True),
    Invitation(name="Ada", role="member", url="http://127.0.0.1:8321/enter#code", minutes=30),
    an_extracted(),
    an_extracted(rows=0, state="confirmed", decided_by="Mo"),
    TOGETHER,
    what_was_found("CPICS", "1795398917.000100", file="F1"),
    SHOWN,
    MAKING,
    a_made(4, notes=("One of them is not there.",)),
    NOT_MADE,
    QUEUE,
    USAGE,
    *REVIEWS,
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.kind)
def test_every_answer_is_taken_and_its_text_says_all_of_it(answer: Answer) -> None:
    said = render.render(answer, home=HOME)

    told = unescape(re.sub(r"<#(\w+)>", r"#\1", re.sub(r"<[^|>]*\|([^>]*)>", r"\1", said["text"])))
    assert problems_of(said["blocks"]) == []
    for item in runs(said):
        spoken = item.get("text") or f"#{item['channel_id']}"
        for line in spoken.strip().splitlines():
            assert line.strip() in told


def test_a_listing_keeps_its_lines_and_columns() -> None:
    body = "".join(f"{'  ' * (number % 5)}key_{number}: value\n" for number in range(400))

    said = render.render(Listing(title="The policy", body=body))

    shown = [block["elements"][0] for block in said["blocks"][1:]]
    assert problems_of(said["blocks"]) == []
    assert {each["type"] for each in shown} == {"rich_text_preformatted"}
    assert "".join(each["elements"][0]["text"] for each in shown) == body.rstrip()
    assert all(each["elements"][0]["text"].endswith("\n") for each in shown[:-1])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("short", False, id="short"),
        pytest.param("a line\n" * 1_700, False, id="four-pieces"),
        pytest.param("a line\n" * 1_800, True, id="five-pieces"),
        pytest.param("x" * 12_001, True, id="one-line"),
        pytest.param("\n" * 50, False, id="nothing"),
    ],
)
def test_what_does_not_fit_into_a_message_comes_as_a_file(body: str, expected: bool) -> None:
    listing = Listing(title="The policy", body=body)

    said = render.render(listing)

    assert render.too_long(listing) is expected
    assert ("more characters did not fit." in words(said)) is expected
    assert problems_of(said["blocks"]) == problems_of(render.beside_file(listing)["blocks"]) == []


def test_a_picture_stands_above_the_buttons_with_its_alt_text() -> None:
    said = render.render(CARD, pictures=(pieces.Picture("F7", PICTURE_ALT),), added="More below.")

    picture = said["blocks"][-4]
    assert [block["type"] for block in said["blocks"]][-4:] == ["image", "actions", "actions", "context"]
    assert (picture["slack_file"], picture["alt_text"]) == ({"id": "F7"}, PICTURE_ALT)


def test_channels_stand_in_a_list_with_commas() -> None:
    said = words(render.render(SetUp(watched=("CPICS", "CTALK"), log_channel="GMODS", mode="enforce")))

    assert "Watched: #CPICS, #CTALKCases: " in said
    assert "Mode: enforce, actions are carried out" in said
    assert "Policy" not in said
    assert "Policy: workplace" in words(render.render(SetUp(watched=(), log_channel=None, mode="enforce", policy="workplace")))


def test_where_nothing_can_be_taken_out_the_mode_says_what_happens_and_what_would_help() -> None:
    said = words(render.render(SetUp(watched=(), log_channel="GMODS", mode="enforce", takes_down=False)))

    assert "authors are asked to delete" in said
    assert "actions are carried out" not in said
    assert "SLACK_ADMIN_USER_TOKEN" in said


def test_the_understudy_is_spelled_out() -> None:
    assert "understudy: no model" in words(render.render(TAGGED))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.kind)
def test_what_others_wrote_does_nothing(answer: Answer) -> None:
    raw = json.loads(answer.model_dump_json())
    ours = {"kind", "case", "channel", "message", "action", "called_for", "state", "verdict", "category", "mode", "role"}
    ours |= {"watched", "unseen", "log_channel", "url", "channels", "buttons", "value", "file", "id", "media", "deed"}
    ours |= {"right_category", "measures", "measured", "appeal", "language", "at", "since", "until"}

    def spoiled(value: Any, name: str = "") -> Any:
        if name in ours or not isinstance(value, str | list | dict):
            return value
        if isinstance(value, str):
            return NASTY
        if isinstance(value, list):
            return [spoiled(each) for each in value]
        return {key: spoiled(each, key) for key, each in value.items()}

    is_extraction = isinstance(answer, Extracted)
    said = render.render(
        an_endless_extraction(NASTY) if is_extraction else type(answer).model_validate(spoiled(raw)), home=HOME
    )

    for acts in re.findall(r"<[^>]*>", said["text"]):
        assert acts.startswith(("<#", "<http://127.0.0.1:8321/", f"<{HOME.rstrip('/')}/archives/CPICS/"))
    assert "\u202e" not in json.dumps(said, ensure_ascii=False)
    assert "&amp;lt;" not in said["text"]
    for item in runs(said):
        assert item["type"] in ("text", "channel", "link", "plain_text")
        assert item["type"] != "link" or not item["url"].startswith("https://evil")


def test_what_is_too_long_is_cut_and_said() -> None:
    long = TAGGED.model_copy(update={"text": "x" * 5_000, "alt_text": "y" * 5_000, "file_name": "z" * 5_000})

    said = render.render(long)

    assert problems_of(said["blocks"]) == []
    assert "more characters)" in words(said)
    assert len(said["text"]) <= pieces.TEXT_MAX


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=200), limit=st.integers(min_value=60, max_value=200))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="<>&!@#|ab;lt", max_size=60))
def test_escaping_is_undone_by_reading(text: str) -> None:
    read = escape(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    assert read == text
    assert not re.search(r"[<>]", escape(text))


def test_a_long_message_comes_back_in_parts() -> None:
    copy = Copy(place=at("CPICS"), author=Person(id="UANN", name="ann"), text="ä" * 13_000)

    said = render.restored(copy)

    parts = [len(item["text"]) for item in runs(said)]
    assert problems_of(said["blocks"]) == []
    assert parts[2:6] == [3_000] * 4
    assert "1,000 more characters did not fit." in words(said)


def test_what_comes_back_is_quoted_whole_words_and_does_not_look_like_ours() -> None:
    copy = Copy(place=at("CPICS"), author=Person(id="UANN", name="ann"), text=" every " * 600)

    said = render.restored(copy)

    quotes = [part for block in said["blocks"][1:] for part in block["elements"]]
    assert problems_of(said["blocks"]) == []
    assert {quote["type"] for quote in quotes} == {"rich_text_quote"}
    told = [quote["elements"][0]["text"] for quote in quotes]
    assert len(told) == 2
    assert {word for part in told for word in part.split(" ") if word} == {"every"}
    assert all(part == part.strip() for part in told)
    assert said["text"].splitlines()[1].startswith("> every")


def test_a_sentence_of_ours_stands_below() -> None:
    said = render.render(CARD, added="No channel for cases is set yet.")

    assert said["blocks"][-1]["elements"][0]["text"] == "No channel for cases is set yet."
