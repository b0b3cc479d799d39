"""Wire samples to our words, without any Slack."""

import pytest
from pydantic import ValidationError

from bot.slack.parse import Identity, order, posted, pressed, seen
from bot.slack.wire import ELSEWHERE, UNREAD, WireActions, WireEnvelope, WireFile, WireMessage, plain
from handlers.events import Person

US = Identity(team="T1", user="U0BOT", bot="B0BOT")
ANN = Person(id="UANN", name="ann")
MESSAGE = {
    "type": "message",
    "channel": "C1",
    "channel_type": "channel",
    "user": "U1",
    "text": "look",
    "ts": "1795398917.000100",
}
CHANGED = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1795398918.000200"}
PREVIEWED = MESSAGE | {"attachments": [{"text": "a preview"}]}
EDITED = MESSAGE | {"edited": {"user": "U1", "ts": "1795398918.000000"}}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c", id="entities-once"),
        pytest.param("<https://x.org/a?b=1&amp;c>", "https://x.org/a?b=1&c", id="a-link"),
        pytest.param("<https://evil.org|your bank>", "your bank (https://evil.org)", id="a-link-shows-where-it-leads"),
        pytest.param("<http://x.org|x.org>", "http://x.org", id="a-link-that-says-so-itself"),
        pytest.param("<@U1> <@U2|ann> <#C1|pics> <#C2>", "@U1 @ann #pics #C2", id="people-and-channels"),
        pytest.param("<!here> <!subteam^S1|@mods> <!date^1^{date}|today>", "@here @mods today", id="special-words"),
        pytest.param("1 < 2 <", "1 < 2 <", id="no-reference"),
    ],
)
def test_text_loses_slacks_own_marks(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("9.000001", "10.000000"), ("1795398917.000100", "1795398917.000101"), ("1.1", "1.100001"), ("0.000000", "1.0")],
)
def test_moments_are_compared_as_numbers(earlier: str, later: str) -> None:
    assert order(earlier) < order(later)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(MESSAGE | {"subtype": "channel_join"}, id="a-join"),
        pytest.param(MESSAGE | {"subtype": "channel_topic"}, id="a-topic"),
        pytest.param(MESSAGE | {"user": "U0BOT"}, id="ours"),
        pytest.param({**MESSAGE, "user": None, "bot_id": "B0BOT", "subtype": "bot_message"}, id="ours-as-a-bot"),
        pytest.param(CHANGED | {"subtype": "message_deleted", "deleted_ts": "1.1"}, id="a-deletion"),
        pytest.param(CHANGED | {"message": MESSAGE, "previous_message": MESSAGE}, id="a-count-of-replies"),
        pytest.param(CHANGED | {"message": PREVIEWED, "previous_message": PREVIEWED}, id="nothing-new-beside-a-preview"),
        pytest.param(CHANGED | {"message": EDITED | {"user": "U0BOT"}, "previous_message": MESSAGE}, id="our-own-edit"),
        pytest.param(CHANGED | {"message": MESSAGE | {"subtype": "tombstone", "text": "gone"}}, id="a-tombstone"),
        pytest.param(CHANGED | {"channel_type": "im", "message": EDITED | {"text": "x"}}, id="an-edit-in-a-direct-message"),
    ],
)
def test_nothing_is_seen_where_nobody_said_anything_new(event: dict) -> None:
    assert seen(event, US) is None


def test_an_edit_has_the_key_of_its_own_moment() -> None:
    found = seen(CHANGED | {"message": EDITED | {"text": "new"}, "previous_message": MESSAGE}, US)

    event = posted(found, US, author=ANN, files=())
    assert event.key == "slack:T1:C1:1795398917.000100:1795398918.000000:posted"
    assert (event.message, event.edit) == ("1795398917.000100", 1795398918000000)
    assert found.moment == "1795398918.000000"


def test_live_and_in_history_a_message_is_the_same() -> None:
    first = MESSAGE | {"thread_ts": MESSAGE["ts"], "reply_count": 2, "latest_reply": "1795398919.000000"}

    live, swept = (posted(seen(each, US), US, author=ANN, files=()) for each in (MESSAGE, first))
    assert live == swept


def test_a_file_in_another_subtype_is_seen() -> None:
    workflow = MESSAGE | {"subtype": "workflow_step", "files": [{"id": "F1", "name": "a.png", "mimetype": "image/png"}]}

    assert [each.id for each in seen(workflow, US).message.all_files] == ["F1"]


def test_a_hint_has_an_address_that_nobody_fetches_from() -> None:
    stub = WireFile.model_validate({"id": "F1", "mode": "file_access", "file_access": "check_file_info", "created": 0})

    assert stub.is_stub
    assert (stub.attachment.url, stub.attachment.size_bytes) == ("slack-file:F1", 0)


@pytest.mark.parametrize("field", ["ts", "channel", "user", "thread_ts"])
@pytest.mark.parametrize("value", ["", "C1:posted", "x" * 99, 5, None, "1.1\n", "\ud800"])
def test_ids_are_ids_or_are_not_there(field: str, value: object) -> None:
    event = MESSAGE | {field: value}
    if field in ("ts", "channel"):
        with pytest.raises(ValidationError):
            seen(event, US)
    elif value is None:
        assert (seen(event, US) is None) == (field == "user")
    else:
        found = seen(event, US)
        assert getattr(found.message, field) is None
        assert found.message.unread


@pytest.mark.parametrize(
    ("strange", "files"),
    [
        pytest.param({"files": "none"}, [], id="no-list-of-files"),
        pytest.param({"files": [{"id": "F1", "name": "a.png"}, {"id": 2}]}, ["F1"], id="one-strange-file"),
        pytest.param({"attachments": [{"text": ["no text"]}]}, [], id="a-strange-share"),
        pytest.param({"subtype": {}, "edited": "then", "blocks": 5}, [], id="all-around-it"),
    ],
)
def test_what_does_not_fit_counts_as_a_file_that_nobody_can_read(strange: dict, files: list[str]) -> None:
    found = seen(MESSAGE | strange, US)

    event = posted(found, US, author=ANN, files=found.message.all_files)
    assert event.key == "slack:T1:C1:1795398917.000100:0:posted"
    assert event.text == "look"
    assert [each.id for each in event.attachments] == [*files, "UNREAD"]
    assert event.attachments[-1].url == UNREAD


def test_a_change_that_cannot_be_read_in_full_is_never_taken_for_none() -> None:
    strange = MESSAGE | {"attachments": 5}

    assert seen(CHANGED | {"message": strange, "previous_message": strange}, US)
    assert seen(CHANGED | {"message": MESSAGE, "previous_message": {"ts": 5}}, US)


@pytest.mark.parametrize(
    ("envelope", "ours"),
    [
        pytest.param({"team_id": "T1"}, True, id="our-team"),
        pytest.param({"team_id": "T2"}, False, id="another-team"),
        pytest.param({"team_id": "T2", "authorizations": [{"team_id": "T1"}]}, True, id="a-shared-channel-authorized-for-us"),
        pytest.param({"team_id": "T1", "authorizations": [{"team_id": "T2"}]}, False, id="authorized-for-another"),
    ],
)
def test_an_envelope_says_whose_it_is(envelope: dict, ours: bool) -> None:
    assert WireEnvelope.model_validate(envelope | {"event": {}}).is_for("T1") is ours


def test_a_choice_in_a_form_is_no_button() -> None:
    wire = {"trigger_id": "1.2", "user": {"id": "U1"}, "channel": {"id": "C1"}, "container": {"message_ts": "1.1"}}
    choice = WireActions.model_validate(wire | {"actions": [{"type": "static_select", "action_id": "restore", "value": "x"}]})

    assert pressed(choice, US, author=ANN) is None


def test_a_bots_words_are_found_in_its_blocks_and_attachments() -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "one"}, "fields": [{"type": "plain_text", "text": "two"}]}]
    message = {"ts": "1.1", "bot_id": "B1", "blocks": blocks, "attachments": [{"fallback": "three"}]}

    assert WireMessage.model_validate(message).words == "one\ntwo\nthree"


def test_what_an_app_shows_in_place_of_its_text_is_read() -> None:
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "what is shown"}},
        {"type": "image", "image_url": "https://e.org/a.png", "alt_text": "a picture"},
    ]
    fields = [{"title": "name", "value": "value"}]
    around = {"pretext": "above", "title": "head", "text": "body", "fields": fields, "footer": "below"}
    message = {"ts": "1.1", "bot_id": "B1", "text": "harmless", "blocks": blocks, "attachments": [around]}

    words = WireMessage.model_validate(message).words
    assert words.split("\n") == ["harmless", "what is shown", "a picture", "above", "head", "body", "below", "name", "value"]


def test_what_stands_in_the_text_is_not_read_twice() -> None:
    parts = [{"type": "user", "user_id": "U1"}, {"type": "text", "text": " a < b "}, {"type": "text", "text": "bold"}]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}]

    message = WireMessage.model_validate({"ts": "1.1", "text": "<@U1> a &lt; b *bold*", "blocks": blocks})
    assert message.words == "@U1 a < b *bold*"


OUTSIDE = {"id": "F1", "is_external": True, "title": "a title", "mimetype": "image/png", "url_private": "https://e.org/x"}
SLACKS = "https://files.slack.com/files-tmb/T1-F1-ab"
THUMBS = {"thumb_360": f"{SLACKS}/x_360.png", "thumb_720": f"{SLACKS}/x_720.png", "thumb_1024": None}


@pytest.mark.parametrize(
    ("outside", "address"),
    [
        pytest.param(OUTSIDE, ELSEWHERE, id="nothing-to-look-at"),
        pytest.param(OUTSIDE | THUMBS, f"{SLACKS}/x_720.png", id="the-largest-picture-of-it"),
        pytest.param(OUTSIDE | {"thumb_360": 5}, ELSEWHERE, id="a-thumb-that-is-none"),
    ],
)
@pytest.mark.parametrize("passed_on", [False, True], ids=["its-own", "passed-on"])
def test_of_a_file_that_lies_elsewhere_its_name_is_read_and_what_slack_shows_of_it_looked_at(
    outside: dict, address: str, passed_on: bool
) -> None:
    held = {"attachments": [{"is_share": True, "files": [outside]}]} if passed_on else {"files": [outside]}

    found = seen(MESSAGE | {"text": "", "subtype": "file_share"} | held, US)
    assert found is not None
    assert [file.attachment.url for file in found.message.all_files] == [address]
    assert passed_on or found.message.words == "a title"


@pytest.mark.parametrize("shown", [False, True], ids=["nothing-to-look-at", "a-picture-of-it"])
@pytest.mark.parametrize("passed_on", [False, True], ids=["its-own", "passed-on"])
def test_a_link_of_which_slack_makes_a_file_is_looked_at_as_a_link_is(shown: bool, passed_on: bool) -> None:
    outside = OUTSIDE | {"url_private": "https://e.org/x?usp=slack"} | (THUMBS if shown else {})
    says = {"text": "read <https://e.org/x?usp=sharing|this>", "files": [outside]}
    held = {"text": "", "attachments": [says | {"is_share": True}]} if passed_on else says

    message = WireMessage.model_validate({"ts": "1.1"} | held)
    assert [file.attachment.url for file in message.all_files] == ([f"{SLACKS}/x_720.png"] if shown else [])


@pytest.mark.parametrize(
    ("told", "written"),
    [
        pytest.param({"mimetype": "application/vnd.slack-docs", "mode": "quip", "editable": True}, True, id="a-canvas"),
        pytest.param({"mimetype": "text/plain", "mode": "space", "editable": True}, True, id="a-post"),
        pytest.param({"mimetype": "text/plain", "mode": "snippet", "editable": True}, False, id="a-snippet"),
        pytest.param({"mimetype": "text/html", "mode": "hosted", "editable": False}, False, id="a-page"),
    ],
)
def test_what_people_write_in_slack_itself_is_told_from_files(told: dict, written: bool) -> None:
    file = WireFile.model_validate({"id": "F1"} | told)

    assert file.is_written is written
    assert file.attachment.media_type == ("text/html" if written else told["mimetype"])


def test_of_the_preview_of_a_link_only_what_slack_shows_is_looked_at() -> None:
    previews = [{"files": [OUTSIDE]}, {"files": [OUTSIDE | THUMBS | {"id": "F2"}]}]

    message = WireMessage.model_validate({"ts": "1.1", "text": "https://e.org/x", "attachments": previews})
    assert [file.attachment.url for file in message.all_files] == [f"{SLACKS}/x_720.png"]


def test_an_edit_of_which_slack_keeps_no_moment_is_an_event_of_its_own() -> None:
    before = MESSAGE | {"user": None, "bot_id": "B1", "text": "fine"}
    after = before | {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "not fine"}}]}

    first, changed = seen(before, US), seen(CHANGED | {"message": after, "previous_message": before}, US)
    again = seen(CHANGED | {"message": after, "previous_message": before}, US)
    assert first.key(US) != changed.key(US) == again.key(US)


def test_pictures_that_an_app_shows_from_elsewhere_are_files_of_its_message() -> None:
    picture = {"type": "image", "image_url": "https://e.org/a.gif", "alt_text": "a"}
    blocks = [
        picture,
        {
            "type": "section",
            "text": {"type": "plain_text", "text": "x"},
            "accessory": picture | {"image_url": "https://e.org/b"},
        },
        {"type": "image", "slack_file": {"id": "F7"}, "alt_text": "c"},
        {"type": "image", "slack_file": {"url": "https://files.slack.com/d"}, "alt_text": "d"},
        {"type": "image", "slack_file": 5},
        "no block",
    ]
    around = {
        "image_url": "https://e.org/e",
        "thumb_url": "https://e.org/f",
        "blocks": [picture | {"image_url": "https://e.org/g"}],
    }
    message = WireMessage.model_validate({"ts": "1.1", "bot_id": "B1", "blocks": blocks, "attachments": [around]})

    assert {each.attachment.url for each in message.all_files} == {
        "slack-link:https://e.org/a.gif",
        "slack-link:https://e.org/b",
        "slack-file:F7",
        "https://files.slack.com/d",
        *(f"slack-link:https://e.org/{name}" for name in "efg"),
    }


def test_a_picture_in_place_of_another_is_an_event_of_its_own() -> None:
    def showing(url: str) -> dict:
        return MESSAGE | {"user": None, "bot_id": "B1", "blocks": [{"type": "image", "image_url": url, "alt_text": "a"}]}

    before, after = showing("https://e.org/a"), showing("https://e.org/b")
    assert seen(CHANGED | {"message": after, "previous_message": before}, US) is not None
