"""Messages over the emulator's real sockets, and over signed HTTP."""

from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.downloads import guarded_session
from bot.slack.files import CANNOT_READ, SlackFiles
from bot.slack.parse import Identity
from bot.slack.people import People
from bot.slack.wire import LINKED
from emulators.slack import SlackEmulator
from handlers.events import CommandUsed, MessagePosted, Role
from handlers.ports.channels import Setup
from pipelines.content import Attachment
from pipelines.errors import UserError
from tests.app.test_metrics import value
from tests.media.samples import encoded, plain
from tests.slack.receiving.bots import Desk, listening

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(400)

BOTH_WAYS = pytest.mark.parametrize("http", [pytest.param(False, id="socket"), pytest.param(True, id="http")])


@BOTH_WAYS
async def test_an_upload_is_accepted_with_its_file_and_its_author(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http) as bot:
        ts = await slack.post(slack.pics, slack.ann, "look &lt;here&gt; <https://x.org|news>", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        data = await bot.files.fetch(event.attachments[0], limit_bytes=1000)

    assert event.key == f"slack:T1:CPICS:{ts}:0:posted"
    assert (event.place.channel, event.place.thread, event.message) == ("CPICS", None, ts)
    assert (event.author.id, event.author.name, event.author.role) == ("UANN", "ann", Role.MEMBER)
    assert event.text == "look <here> news (https://x.org)"
    assert (event.attachments[0].name, event.attachments[0].media_type) == ("cat.png", "image/png")
    assert data == PICTURE


@BOTH_WAYS
async def test_an_event_is_acknowledged_only_after_it_was_accepted(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        desk.down = True
        await slack.post(slack.general, slack.ann, "hello")
        await slack.wait_for(lambda: desk.turned_away >= 2)
        delivery = slack.deliveries[0]
        assert not delivery.acknowledged
        desk.down = False
        await slack.wait_for(lambda: delivery.acknowledged)

    assert desk.said() == ["hello"]


async def test_a_delivery_that_comes_four_times_is_one_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        slack.fault("ack_lost", times=3)
        await slack.post(slack.general, slack.ann, "hello")
        await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert slack.deliveries[0].attempts == 4
    assert (desk.said(), desk.duplicates) == (["hello"], 3)


async def test_an_edit_of_words_or_files_is_an_event_of_its_own(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "hello")
        await slack.edit(slack.general, ts, text="goodbye")
        await slack.wait_for(lambda: len(desk.messages) == 2)

    first, second = desk.messages
    assert first.message == second.message == ts
    assert second.key.split(":")[4] != "0"
    assert second.edit > first.edit == 0
    assert second.text == "goodbye"


async def test_a_change_of_neither_words_nor_files_is_no_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, "hello")
        await slack.edit(slack.general, ts, text="hello")
        await slack.wait_for(lambda: all(each.acknowledged for each in slack.deliveries) and len(slack.deliveries) == 2)

    assert desk.said() == ["hello"]


async def test_a_file_that_changes_is_an_edit_of_every_message_that_shows_it(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        first = await slack.post(slack.general, slack.ann, "first")
        ts = await slack.post(slack.general, slack.ann, "look", files=[("cat.png", PICTURE)], thread=first)
        await slack.wait_for(lambda: len(desk.messages) == 2)
        file = desk.messages[1].attachments[0].id
        await slack.change_file(file, content=("cat.png", PICTURE + b"more"))
        await slack.wait_for(lambda: len(desk.messages) == 3)
        await slack.change_file(file, title="another")
        event = await slack.wait_for(lambda: desk.messages[3:])

    told = [each.event_id for each in slack.deliveries if each.payload["event"]["type"] == "file_change"]
    assert [each.key for each in desk.messages[2:]] == [f"slack:T1:CGENERAL:{ts}:0+{id}:posted" for id in told]
    assert (event[0].message, event[0].place.thread, event[0].text) == (ts, first, "look")
    assert [each.size_bytes for message in desk.messages[1:] for each in message.attachments] == [408, 412, 412]


async def test_an_upload_that_slack_still_works_on_is_one_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        slack.fault("changed_after", times=1)
        await slack.post(slack.general, slack.ann, "look", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and all(each.acknowledged for each in slack.deliveries))

    assert desk.said() == ["look"]


async def test_a_changed_file_is_judged_also_where_history_is_closed(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "look", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        slack.fault("missing_scope", method="conversations.replies")
        await slack.change_file(event.attachments[0].id, title="another")
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert (desk.messages[1].author.id, desk.messages[1].message) == ("UANN", event.message)
    assert [each.name for each in desk.messages[1].attachments] == ["cat.png"]


async def test_a_change_that_slack_does_not_explain_is_counted(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.post(slack.general, slack.ann, "look", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        slack.fault("missing_scope", method="files.info")
        await slack.change_file(event.attachments[0].id, title="another")
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and slack.deliveries[1].acknowledged)

    assert value(bot.metrics, 'flashbulb_deliveries_skipped_total{platform="slack"}') == 1


async def test_our_own_posts_are_left_and_other_bots_taken(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.bot, "I said that")
        event = {"type": "message", "subtype": "bot_message", "channel": "CGENERAL", "bot_id": "BOTHER", "username": "news"}
        await slack.send_event(event | {"ts": slack.workspace.timestamp(), "text": "", "blocks": [_section("Read this")]})
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and all(each.acknowledged for each in slack.deliveries))

    event = desk.the(MessagePosted)
    assert (event.author.id, event.author.bot) == ("BOTHER", True)
    assert event.text == "Read this"


async def test_what_is_passed_on_is_part_of_the_message(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)])
        shown = (await slack.messages(slack.pics))[0]
        share = {"is_share": True, "text": "the first words", "files": shown["files"]}
        await slack.post(slack.general, slack.bob, "see", attachments=[share])
        await slack.wait_for(lambda: len(desk.messages) == 2)

    passed_on = desk.messages[1]
    assert passed_on.text == "see\nthe first words"
    assert [each.name for each in passed_on.attachments] == ["cat.png"]


async def test_a_reply_and_a_broadcast_stand_in_their_thread(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        first = await slack.post(slack.general, slack.ann, "first")
        await slack.post(slack.general, slack.bob, "reply", thread=first)
        await slack.post(slack.general, slack.bob, "told all", thread=first, broadcast=True)
        await slack.wait_for(lambda: len(desk.messages) == 3)

    assert [each.place.thread for each in desk.messages] == [None, first, first]
    assert [each.answers for each in desk.messages] == ["", first, first]


async def test_a_file_that_slack_connect_hints_at_is_looked_up(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        slack.fault("connect_stub", times=1)
        await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert [(each.name, each.size_bytes) for each in event.attachments] == [("cat.png", len(PICTURE))]


async def test_a_hinted_file_that_may_not_be_known_counts_as_not_to_be_read(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        slack.fault("connect_stub", times=1)
        slack.fault("missing_scope", method="files.info")
        await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

        with pytest.raises(UserError, match="check the `files:read` scope"):
            await bot.files.fetch(event.attachments[0], limit_bytes=1000)


@pytest.mark.parametrize("fault", ["tombstone", "hidden_by_limit"])
async def test_files_without_bytes_are_left_out(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    async with listening(slack, desk):
        slack.fault(fault, times=1)
        await slack.post(slack.pics, slack.ann, "two", files=[("gone.png", PICTURE), ("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_of_a_file_that_lies_elsewhere_what_slack_shows_is_fetched_or_it_counts_as_not_to_be_read(
    slack: SlackEmulator, desk: Desk
) -> None:
    async with listening(slack, desk) as bot:
        slack.fault("external", times=2)
        await slack.post(slack.pics, slack.ann, "two", files=[("cat.png", encoded(plain(), "PNG")), ("plan.gdoc", b"words")])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        picture, document = event.attachments

        assert (await bot.files.fetch(picture, limit_bytes=100_000)).startswith(b"\x89PNG")
        with pytest.raises(UserError, match="does not lie at Slack"):
            await bot.files.fetch(document, limit_bytes=100_000)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param("notes.html", None, id="a-page"),
        pytest.param("notes", "canvas", id="a-canvas"),
        pytest.param("todo", "list", id="a-list"),
        pytest.param("a.parquet", None, id="of-unknown-type"),
    ],
)
async def test_what_is_a_page_itself_is_read(slack: SlackEmulator, desk: Desk, name: str, fault: str | None) -> None:
    async with listening(slack, desk) as bot:
        if fault:
            slack.fault(fault, times=1)
        await slack.post(slack.pics, slack.ann, files=[(name, b"<html>Agenda</html>")])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        page = event.attachments[0]

        assert await bot.files.fetch(page, limit_bytes=1000) == b"<html>Agenda</html>"

        slack.fault("login_page")
        with pytest.raises(UserError, match="check the `files:read` scope"):
            await bot.files.fetch(page, limit_bytes=1000)


async def test_a_page_in_place_of_another_file_is_refused(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.post(slack.pics, slack.ann, files=[("notes.html", b"<html>sign in</html>")])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

        with pytest.raises(UserError, match="cannot read this file"):
            await bot.files.fetch(replace(event.attachments[0], media_type="image/png"), limit_bytes=1000)


async def test_the_sign_in_page_is_understood_as_a_missing_scope(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))
        slack.fault("login_page")

        with pytest.raises(UserError) as refused:
            await bot.files.fetch(event.attachments[0], limit_bytes=1000)

    assert str(refused.value) == CANNOT_READ


async def test_the_token_goes_to_slack_alone(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        host = bot.files.hosts[0]

        fits = [slack.origin + "/files-pri/x", "slack-file:F1"]
        foreign = ["https://files.slack.com/x", "https://evil.org/x", "http://127.0.0.1:1/x", "https://[", "/x", "slack.com"]
        assert [host.has(url) for url in fits] == [True] * len(fits)
        assert [host.has(url) for url in foreign] == [False] * len(foreign)


@BOTH_WAYS
async def test_a_mention_with_a_file_is_one_event_with_the_file(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        slack.fault("mention_first", times=1)
        ts = await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> tag", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and all(each.acknowledged for each in slack.deliveries))

    event = desk.the(MessagePosted)
    assert event.key == f"slack:T1:CPICS:{ts}:0:posted"
    assert event.mentions_us
    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_a_mention_without_its_file_never_wins_where_history_is_closed(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        slack.fault("missing_scope", method="conversations.history")
        slack.fault("mention_first", times=1)
        await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> tag", files=[("cat.png", PICTURE)])
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and all(each.acknowledged for each in slack.deliveries))

    assert [each.name for each in desk.the(MessagePosted).attachments] == ["cat.png"]


async def test_a_mention_that_comes_alone_is_looked_up_with_its_files(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.subscriptions -= {"message.channels"}
    async with listening(slack, desk):
        slack.fault("mention_first", times=1)
        await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> tag", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.mentions_us
    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_a_mention_alone_is_taken_as_it_is_where_history_is_closed(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.subscriptions -= {"message.channels"}
    async with listening(slack, desk):
        slack.fault("missing_scope", method="conversations.history")
        await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> help")
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert event.mentions_us


async def test_an_edit_of_a_mention_does_not_call_us_again(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.general, slack.ann, f"<@{slack.bot}> hello")
        await slack.edit(slack.general, ts, text=f"<@{slack.bot}> hello!")
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert [each.mentions_us for each in sorted(desk.messages, key=lambda each: each.edit)] == [True, False]


@pytest.mark.parametrize(
    ("files", "asks"),
    [
        pytest.param([("cat.png", PICTURE)], ("tag", ""), id="a-picture-is-to-be-tagged"),
        pytest.param([], ("flashbulb", "help"), id="words-ask-what-there-is"),
    ],
)
async def test_a_direct_message_is_a_command(slack: SlackEmulator, desk: Desk, files: list, asks: tuple[str, str]) -> None:
    async with listening(slack, desk):
        await slack.post(slack.ann, slack.ann, "hi", files=files)
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert (event.command, event.argument) == asks
    assert len(event.attachments) == len(files)
    assert event.place.channel.startswith("D")


@pytest.mark.parametrize(
    ("user", "channel", "role"),
    [
        pytest.param("UADMIN", "CGENERAL", Role.ADMIN, id="admins-everywhere"),
        pytest.param("UMO", "GMODS", Role.MODERATOR, id="who-is-in-the-private-log-channel"),
        pytest.param("UMO", "CGENERAL", Role.MEMBER, id="not-elsewhere"),
        pytest.param("UMO", "CPICS", Role.MEMBER, id="nobody-in-a-public-log-channel"),
    ],
)
async def test_roles_come_from_the_workspace(slack: SlackEmulator, desk: Desk, user: str, channel: str, role: Role) -> None:
    desk.setup = Setup(log_channel="CPICS" if channel == "CPICS" else "GMODS")
    async with listening(slack, desk):
        await slack.command(channel, user, "tag")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert event.author.role is role


async def test_a_member_is_judged_also_when_slack_does_not_say_who_it_is(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        slack.fault("error_500", method="users.info")
        await slack.post(slack.general, slack.ann, "hello")
        await slack.wait_for(lambda: desk.the(MessagePosted))

    assert desk.messages[0].author.name == "UANN"


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_mention_waits_for_its_files_while_slack_does_not_say_which(slack: SlackEmulator, desk: Desk) -> None:
    slack.workspace.subscriptions -= {"message.channels"}
    async with listening(slack, desk):
        slack.fault("mention_first", times=1)
        slack.fault("error_500", method="conversations.history", times=3)
        await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> tag", files=[("cat.png", PICTURE)])
        event = await slack.wait_for(lambda: desk.the(MessagePosted))

    assert [each.name for each in event.attachments] == ["cat.png"]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"team_id": "T2"}, id="another-workspace"),
        pytest.param({"is_stranger": True}, id="a-stranger"),
        pytest.param({"team_id": "T2", "enterprise_user": {"teams": ["T2", "T3"]}}, id="another-organisation"),
    ],
)
async def test_an_admin_of_another_workspace_is_none_here(told: dict) -> None:
    assert await _role_of(told) is Role.MEMBER


async def test_an_admin_may_come_from_a_sister_workspace() -> None:
    assert await _role_of({"team_id": "T2", "enterprise_user": {"teams": ["T1", "T2"]}}) is Role.ADMIN


async def _role_of(told: dict) -> Role:
    class Asked:
        async def call(self, _method: str, **_arguments: str) -> dict:
            return {"user": {"id": "UEXT", "is_admin": True, "is_owner": True} | told}

    people = People(Asked(), us=lambda: Identity(team="T1", user="UBOT"), setups=Desk())
    return (await people.person("UEXT", "CGENERAL")).role


async def test_a_picture_from_elsewhere_is_fetched_without_our_token(slack: SlackEmulator, desk: Desk) -> None:
    async def serve(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization"))
        return web.Response(body=PICTURE, content_type="image/png")

    asked: list[str | None] = []
    server = TestServer(web.Application())
    server.app.router.add_get("/a.png", serve)
    async with server, guarded_session(str(server.make_url("/"))) as session:
        files = SlackFiles(None, session, token=SecretStr("xoxb-1"), emulator=str(server.make_url("/")))
        picture = Attachment(id="L1", url=f"{LINKED}{server.make_url('/a.png')}", name="", media_type="image/png", size_bytes=0)

        assert files.has(picture.url)
        assert await files.fetch(picture, limit_bytes=1000) == PICTURE
        assert asked == [None]
        with pytest.raises(UserError):
            await files.fetch(replace(picture, url=f"{LINKED}http://127.0.0.1:1/a.png"), limit_bytes=1000)
