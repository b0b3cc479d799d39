"""Messages as the wire shows them become events: pure, from plain dicts."""

from typing import Any

import pytest

from bot.discord.parse import Us, author_of, is_emptied, is_ours, is_spoken, message_posted, shown
from handlers.events import Place

US = Us(user="1", application="2")
HERE = Place(platform="discord", workspace="5", channel="4")
ANN = {"id": "3", "username": "ann"}
CAT = {"id": "9", "filename": "cat.png", "size": 7, "url": "https://cdn.discordapp.com/attachments/4/9/cat.png?ex=1"}
PREVIEW = {
    "type": "image",
    "url": "https://pictures.example/cat.png",
    "thumbnail": {
        "url": "https://pictures.example/big/cat%20one.png",
        "proxy_url": "https://images-ext-1.discordapp.net/external/abc/https/pictures.example/cat.png?format=png",
    },
}


def a_message(**changes: Any) -> dict[str, Any]:
    return {"id": "10", "channel_id": "4", "type": 0, "author": ANN, **changes}


def test_the_smallest_message_shows_nothing_and_is_no_event() -> None:
    assert message_posted(a_message(), HERE, US) is None


def test_what_the_uploader_claims_is_passed_on() -> None:
    event = message_posted(a_message(attachments=[CAT | {"content_type": "image/png; charset=x"}, CAT | {"id": "8"}]), HERE, US)

    assert event is not None
    assert [(each.id, each.media_type, each.size_bytes) for each in event.attachments] == [
        ("9", "image/png", 7),
        ("8", "application/octet-stream", 7),
    ]


@pytest.mark.parametrize(
    ("edited", "edit"),
    [
        pytest.param(None, 0, id="never"),
        pytest.param("2026-08-06T00:00:00.123000+00:00", 1785974400123, id="as-discord-writes-it"),
        pytest.param("2026-08-06T02:00:00.123999+02:00", 1785974400123, id="another-zone-and-more-digits"),
        pytest.param("1970-01-01T00:00:01", 1000, id="without-a-zone"),
    ],
)
def test_the_time_of_an_edit_is_in_the_key(edited: str | None, edit: int) -> None:
    event = message_posted(a_message(content="x", edited_timestamp=edited), HERE, US)

    assert event is not None
    assert (event.edit, event.key) == (edit, f"discord:10:{edit}:posted")


@pytest.mark.parametrize(
    ("kind", "reference", "answers"),
    [
        pytest.param(19, {"type": 0, "channel_id": "4", "message_id": "9"}, "9", id="reply"),
        pytest.param(19, {"channel_id": "4", "message_id": "9"}, "9", id="reply-of-old"),
        pytest.param(19, {"type": 0, "channel_id": "6", "message_id": "9"}, "", id="of-another-channel"),
        pytest.param(0, {"type": 1, "channel_id": "4", "message_id": "9"}, "", id="forward"),
        pytest.param(0, {"type": 0, "channel_id": "4", "message_id": "9"}, "", id="no-reply"),
        pytest.param(19, {"type": 0, "channel_id": "4", "message_id": "../9"}, "", id="no-id"),
        pytest.param(0, None, "", id="none"),
    ],
)
def test_a_reply_names_the_message_that_it_answers(kind: int, reference: Any, answers: str) -> None:
    event = message_posted(a_message(content="x", type=kind, message_reference=reference), HERE, US)

    assert event is not None
    assert event.answers == answers


def test_a_preview_is_fetched_through_the_proxy_and_changes_the_key_whatever_signs_it() -> None:
    event = message_posted(a_message(content="x", embeds=[PREVIEW]), HERE, US)
    signed_anew = {**PREVIEW, "thumbnail": {**PREVIEW["thumbnail"], "proxy_url": PREVIEW["thumbnail"]["proxy_url"] + "&ex=2"}}
    again = message_posted(a_message(content="x", embeds=[signed_anew]), HERE, US)
    without = message_posted(a_message(content="x"), HERE, US)

    assert event is not None
    assert again is not None
    assert without is not None
    assert (event.attachments[0].url, event.attachments[0].name) == (PREVIEW["thumbnail"]["proxy_url"], "cat one.png")
    assert event.key == again.key != without.key


def test_every_place_where_a_picture_hides_is_looked_into() -> None:
    forwarded = {"content": "quoted", "attachments": [CAT | {"id": "f"}], "embeds": [], "sticker_items": []}
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "in a section"}],
        "accessory": {"type": 11, "media": {"url": "https://cdn.discordapp.com/t.png"}},
    }
    message = a_message(
        content="said",
        attachments=[CAT],
        message_snapshots=[{"message": forwarded}],
        sticker_items=[
            {"id": "s1", "name": "one", "format_type": 2},
            {"id": "s3", "name": "three", "format_type": 3},
            {"id": "s4", "name": "four", "format_type": 4},
        ],
        components=[
            {
                "type": 17,
                "components": [
                    section,
                    {"type": 13, "file": {"url": "https://cdn.discordapp.com/f.zip", "attachment_id": "z"}},
                ],
            }
        ],
        embeds=[
            {
                "type": "rich",
                "title": "title",
                "fields": [{"name": "n", "value": "v"}],
                "image": {"url": "https://cdn.discordapp.com/i.png"},
            }
        ],
        poll={"question": {"text": "which?"}, "answers": [{"poll_media": {"text": "this"}}]},
    )

    what = shown(message, US)

    assert what.text.split("\n") == [
        "said",
        "quoted",
        "which?",
        "this",
        *("one", "three", "four"),
        "in a section",
        "title",
        "n",
        "v",
    ]
    assert [each.url.partition("#")[0].rpartition("/")[2] for each in what.files] == [
        "cat.png?ex=1",
        "cat.png?ex=1",
        "s1.png",
        "s4.gif",
        "t.png",
        "f.zip",
    ]
    assert [each.url.rpartition("/")[2] for each in what.previews] == ["i.png"]
    assert {each.url.partition("#")[2] for each in what.files[:2]} == {"4/10"}  # where a new address is to be had


def test_previews_of_links_are_judged_by_their_words_and_films_too_and_each_is_another_event() -> None:
    article = {
        "type": "article",
        "provider": {"name": "A site"},
        "title": "Somebody else's title",
        "description": "and words",
        "video": {"url": "https://x.example/a.mp4", "proxy_url": "https://images-ext-1.discordapp.net/external/x/a.mp4"},
    }
    player = {"type": "video", "title": "A film", "video": {"url": "https://www.youtube.com/embed/x"}}
    posted = [
        message_posted(a_message(content="https://x.example", embeds=embeds), HERE, US)
        for embeds in ([], [article], [player], [player | {"title": "Another"}])
    ]

    assert [each and each.text.split("\n")[1:] for each in posted] == [
        [],
        ["A site", "Somebody else's title", "and words"],
        ["A film"],
        ["Another"],
    ]
    assert len({each.key for each in posted if each}) == 4
    assert [each and [file.url.partition("external")[0] for file in each.attachments] for each in posted] == [
        [],
        ["https://images-ext-1.discordapp.net/"],
        [],
        [],
    ]


def test_what_stands_in_letters_beside_a_picture_is_judged() -> None:
    gallery = {"type": 12, "items": [{"media": {"url": "https://cdn.discordapp.com/i.png"}, "description": "in a gallery"}]}
    row = {"type": 1, "components": [{"type": 2, "label": "on a button", "style": 5, "url": "https://x.example"}]}
    message = a_message(
        attachments=[CAT | {"description": "alt text", "title": "its name"}],
        sticker_items=[{"id": "s3", "name": "a sticker", "description": "what it shows", "format_type": 3}],
        components=[gallery, row],
    )

    what = shown(message, US)

    assert what.text.split("\n") == ["alt text", "its name", "a sticker", "what it shows", "in a gallery", "on a button"]
    assert what.files[0].id == "9"
    assert len(what.files) == 2  # of the sticker, a drawing in JSON, there is no picture


@pytest.mark.parametrize(
    ("message", "ours"),
    [
        pytest.param({"author": {"id": "1"}}, True, id="our-user"),
        pytest.param({"author": {"id": "7"}, "application_id": "2"}, True, id="our-answer-to-a-command"),
        pytest.param({"author": {"id": "7"}, "webhook_id": "2"}, True, id="our-follow-up"),
        pytest.param({"author": {"id": "7"}, "webhook_id": "8"}, False, id="a-webhook"),
        pytest.param({"author": {"id": "7", "bot": True}, "application_id": "8"}, False, id="another-bot"),
    ],
)
def test_only_our_own_messages_are_ours(message: dict[str, Any], ours: bool) -> None:
    assert is_ours(message, US) is ours


@pytest.mark.parametrize(
    ("kind", "flags", "spoken"), [(0, 0, True), (19, 4, True), (20, 128, False), (7, 0, False), (21, 0, False)]
)
def test_notes_of_the_platform_and_unfinished_answers_are_not_spoken(kind: int, flags: int, spoken: bool) -> None:
    assert is_spoken(a_message(type=kind, flags=flags)) is spoken


def test_a_forward_whose_lists_were_emptied_is_emptied() -> None:
    empty = {"content": "", "attachments": [], "embeds": [], "components": []}

    assert is_emptied(a_message(**empty, message_snapshots=[{"message": empty}]))
    assert not is_emptied(a_message(**empty, message_snapshots=[{"message": empty | {"content": "x"}}]))


def test_the_servers_name_for_somebody_comes_first() -> None:
    ann = {**ANN, "global_name": "Ann A."}

    assert author_of(a_message(author=ann, member={"nick": "Annie"})).name == "Annie"
    assert author_of(a_message(author=ann)).name == "Ann A."
    assert author_of(a_message()).name == "ann"
