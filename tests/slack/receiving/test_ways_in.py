"""Every way in which something gets into a channel, in the words of an emulated Slack; more are in test_messages."""

from typing import Any

import pytest

from bot.slack.files import CANNOT_READ
from bot.slack.wire import LINKED
from emulators.slack import SlackEmulator
from handlers.events import MessagePosted, Person, Place
from handlers.ports.channels import Setup
from pipelines.errors import UserError
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Channel, Exempt
from tests.slack.receiving.bots import Desk, listening

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(400)
# Source: a message_changed event of the wild, in tattle-made/dau-dashboard (test/support/fixtures/temp.ex)
PREVIEW: dict[str, Any] = {
    "id": 1,
    "fallback": "News: A headline",
    "from_url": "https://news.example/a",
    "original_url": "https://news.example/a",
    "service_icon": "https://a.slack-edge.com/80588/img/unfurl_icons/news.png",
    "service_name": "News",
    "title": "A headline",
    "title_link": "https://news.example/a",
    "text": "What it is about.",
    "image_url": "https://images.news.example/a.jpg",
    "image_width": 1200,
    "image_height": 630,
    "image_bytes": 48545,
}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


async def test_the_preview_of_a_link_that_comes_later_is_judged_with_its_message(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "see <https://news.example/a>")
        await slack.unfurl(slack.general, ts, [PREVIEW])
        await slack.wait_for(lambda: len(desk.messages) == 2)

    first, second = desk.messages
    assert (first.message, first.edit) == (second.message, second.edit) == (ts, 0)
    assert first.key != second.key
    assert second.text.splitlines() == ["see https://news.example/a", "A headline", "What it is about."]
    assert not second.mentions_us


async def test_a_preview_that_comes_after_an_edit_is_judged_as_well(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "see this")
        await slack.edit(slack.general, ts, text="see <https://news.example/a>")
        await slack.wait_for(lambda: len(desk.messages) == 2)
        await slack.unfurl(slack.general, ts, [PREVIEW])
        await slack.wait_for(lambda: len(desk.messages) == 3)

    assert desk.messages[2].text.endswith("What it is about.")
    assert len({each.key for each in desk.messages}) == 3


async def test_of_the_pictures_of_previews_only_those_at_slack_are_taken(slack: SlackEmulator, desk: Desk) -> None:
    proxied = "https://slack-imgs.com/?c=1&o1=ro&url=https%3A%2F%2Fimages.news.example%2Fa.jpg"
    there = "https://files.slack.com/files-pri/T1-F1/a.png"
    elsewhere = [
        "https://slack-imgs.com.evil.example/a",
        "https://evil.example/slack.com/a",
        "http://files.slack.com/a",
        "data:x",
    ]
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "see <https://news.example/a>")
        previews = [PREVIEW | {"image_url": url} for url in (proxied, there, *elsewhere)]
        await slack.unfurl(slack.general, ts, [PREVIEW, *previews])
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert [each.url for each in desk.messages[1].attachments] == [f"{LINKED}{proxied}", there]


async def test_a_preview_that_was_judged_is_not_judged_again(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "see <https://news.example/a>")
        await slack.unfurl(slack.general, ts, [PREVIEW])
        await slack.post(slack.general, slack.bob, "thanks", thread=ts)  # Slack counts it on the first message
        await slack.unfurl(slack.general, ts, [])
        await slack.wait_for(lambda: len(slack.deliveries) == 4 and all(each.acknowledged for each in slack.deliveries))

    assert len(desk.messages) == 3
    assert desk.duplicates == 0


async def test_a_file_that_is_added_by_an_edit_is_an_event_of_its_own(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "look")
        await slack.edit(slack.general, ts, files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert [each.name for each in desk.messages[1].attachments] == ["cat.png"]
    assert desk.messages[1].edit > 0


async def test_what_an_app_wrote_is_read_also_where_it_is_passed_on(slack: SlackEmulator, desk: Desk) -> None:
    blocks = [
        rich({"type": "text", "text": "an app's words "}, {"type": "link", "url": "https://evil.example/x", "text": "bank"}),
        {"type": "image", "image_url": "https://e.org/a.png", "alt_text": "a chart"},
    ]
    passed_on = {
        "is_share": True,
        "author_name": "news",
        "channel_id": "CPICS",
        "ts": "1.000001",
        "text": "",
        "fallback": "[no preview]",
        "message_blocks": [{"team": "T1", "channel": "CPICS", "ts": "1.000001", "message": {"blocks": blocks}}],
    }
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "see", attachments=[passed_on])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.text.split("\n") == ["see", "[no preview]", "an app's words ", "bank", "https://evil.example/x", "a chart"]
    assert [each.url for each in event.attachments] == [f"{LINKED}https://e.org/a.png"]


async def test_a_message_of_nothing_but_blocks_is_read_with_all_its_pictures(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_bot("BNEWS", "News")
    async with listening(slack, desk) as bot:
        await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)])
        file = (await slack.wait_for(lambda: desk.the(MessagePosted))).attachments[0].id
        blocks = [
            rich({"type": "text", "text": "rich words"}),
            {"type": "section", "text": {"type": "mrkdwn", "text": "a section"}},
            {"type": "image", "slack_file": {"id": file}, "alt_text": "a cat"},
            {"type": "context", "elements": [{"type": "image", "image_url": "https://e.org/small.png", "alt_text": "small"}]},
            {"type": "video", "thumbnail_url": "https://e.org/still.png", "alt_text": "a film", "title": {"text": "Film"}},
        ]
        await slack.post_as_bot(slack.general, "BNEWS", blocks=blocks)
        await slack.wait_for(lambda: len(desk.messages) == 2)
        data = await bot.files.fetch(desk.messages[1].attachments[0], limit_bytes=1000)

    event = desk.messages[1]
    assert event.text.split("\n") == ["rich words", "a section", "a cat", "small", "a film", "Film"]
    assert [each.name for each in event.attachments] == ["cat.png", "picture", "picture"]
    assert data == PICTURE


async def test_a_bot_goes_by_its_id_and_the_name_that_the_workspace_knows(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_bot("BNEWS", "News")
    await slack.add_user("UNEWS", "news", channels=[slack.general], is_bot=True)
    async with listening(slack, desk):
        await slack.post_as_bot(slack.general, "BNEWS", "one", username="Olga the admin")
        await slack.post_as_bot(slack.general, "BHOOK", "two", username="News")
        await slack.post(slack.general, "UNEWS", "three", bot_id="BNEWS", bot_profile={"name": "News"})
        await slack.wait_for(lambda: len(desk.messages) == 3)

    said = sorted(desk.messages, key=lambda each: each.message)
    assert [(each.author.id, each.author.name, each.author.bot) for each in said] == [
        ("BNEWS", "News", True),
        ("BHOOK", "BHOOK", True),
        ("BNEWS", "News", True),
    ]
    judged = {"*": [], "BNEWS": ["BHOOK"], "News": ["BHOOK"], "Olga the admin": ["BNEWS", "BHOOK", "BNEWS"]}
    for exempt, left in judged.items():
        policy = preset().model_copy(update={"exempt": Exempt(bots=(exempt,))}).at(Channel(platform="slack", id="CGENERAL"))
        assert [each.author.id for each in said if not policy.exempts(each.author.as_author)] == left


async def test_whoever_writes_through_an_app_is_themselves(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_bot("BNEWS", "News")
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "by my own token", bot_id="BNEWS", bot_profile={"name": "News"})
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.author == Person(id=slack.ann, name="ann")


async def test_where_slack_does_not_say_who_writes_through_an_app_it_is_the_app(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_bot("BNEWS", "News")
    async with listening(slack, desk):
        slack.fault("missing_scope", method="users.info")
        await slack.post(slack.general, slack.ann, "one", bot_id="BNEWS", bot_profile={"name": "News"})
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.author == Person(id="BNEWS", name="News", bot=True)


async def test_our_own_words_are_never_a_persons(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        ours = await slack.post(slack.general, slack.bot, "an answer")
        slack.workspace.users[slack.bot].is_bot = False
        posted = await bot.connection.message(Place(platform="slack", workspace="T1", channel=slack.general), ours)
        await slack.post(slack.general, slack.ann, "hello")
        await slack.wait_for(lambda: desk.messages)

    assert posted is not None
    assert posted.author.bot
    assert desk.said() == ["hello"]


async def test_slackbot_is_a_bot(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_user("USLACKBOT", "slackbot", channels=[slack.general])
    async with listening(slack, desk):
        await slack.post(slack.general, "USLACKBOT", "an answer that somebody taught it")
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.author.bot


@pytest.mark.parametrize("kind", ["canvas", "list"])
async def test_what_is_written_in_slack_itself_is_a_file(slack: SlackEmulator, desk: Desk, kind: str) -> None:
    async with listening(slack, desk):
        slack.fault(kind, times=1)
        await slack.post(slack.general, slack.ann, files=[("plans", b"<html>plans</html>")])
        await slack.wait_for(lambda: desk.messages)
        await slack.change_file(
            desk.messages[0].attachments[0].id
        )  # of one that can be written in any change may be of its words
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert [[each.name for each in message.attachments] for message in desk.messages] == [["plans"], ["plans"]]


async def test_a_snippet_is_a_file(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.post(slack.general, slack.ann, files=[("notes.txt", b"bad words")])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

        assert await bot.files.fetch(event.attachments[0], limit_bytes=1000) == b"bad words"


async def test_a_huddle_and_a_custom_emoji_are_nothing_to_judge(slack: SlackEmulator, desk: Desk) -> None:
    huddle = {
        "type": "message",
        "subtype": "huddle_thread",
        "user": "USLACKBOT",
        "text": "A huddle started",
        "room": {"id": "R1"},
    }
    smile = rich({"type": "emoji", "name": "our_cat"})
    async with listening(slack, desk):
        await slack.send_event(huddle | {"channel": slack.general, "ts": slack.workspace.timestamp()})
        await slack.post(slack.general, slack.ann, ":our_cat:", blocks=[smile])
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and all(each.acknowledged for each in slack.deliveries))

    assert [(each.text, each.attachments) for each in desk.messages] == [(":our_cat:", ())]


async def test_a_file_that_is_gone_before_it_is_fetched_is_not_to_be_read(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        ts = await slack.post(slack.general, slack.ann, "look", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        await slack.delete_file(event.attachments[0].id)

        with pytest.raises(UserError, match=CANNOT_READ.partition(";")[0]):
            await bot.files.fetch(event.attachments[0], limit_bytes=1000)
        left = await bot.connection.message(event.place, ts)

    assert left is not None
    assert left.content.attachments == ()


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
async def test_a_channel_that_gets_another_name_is_known_by_that(slack: SlackEmulator, desk: Desk, private: bool) -> None:
    channel = slack.moderators if private else slack.pics
    desk.setup = Setup()
    async with listening(slack, desk) as bot:
        await slack.post(channel, slack.mo, "hello")
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        before = await bot.connection.channel(event.place)
        await slack.rename(channel, "elsewhere")
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and slack.deliveries[1].acknowledged)
        after = await bot.connection.channel(event.place)

    assert [before.name, after.name] == ["moderators" if private else "pics", "elsewhere"]
    assert len(desk.messages) == 1  # nobody wrote that
