"""Commands, menu entries, buttons and forms."""

import pytest

from bot.slack.listening import AT_WORK, FOR_MODERATORS
from emulators.slack import SlackEmulator
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, Role
from handlers.forms import Form, FormField
from handlers.ports.channels import Setup
from tests.slack.receiving.bots import Desk, listening
from tests.slack.receiving.test_messages import BOTH_WAYS, PICTURE

REPORT = Form(
    name="report",
    title="Report",
    fields=(FormField(name="reason", label="Why?", required=False),),
    submit="Report",
    about="1.000001",
)


@BOTH_WAYS
async def test_a_command_is_accepted_with_its_argument_and_its_address(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        trigger = await slack.command(slack.general, slack.olga, "moderate", "<#C1|mods> &amp; <@U1>")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))
        await slack.wait_for(lambda: slack.deliveries[0].acknowledged)

    assert event.key == f"slack:T1:{trigger}"
    assert (event.command, event.argument, event.place.channel) == ("moderate", "#mods & @U1", "CGENERAL")
    assert event.reply.startswith(f"{slack.origin}/hooks/commands/")
    assert slack.deliveries[0].answer is None


@BOTH_WAYS
@pytest.mark.parametrize("command", ["tag", "extract", "imagine", "remix"])
async def test_what_is_answered_elsewhere_shows_at_once_that_it_was_heard(
    slack: SlackEmulator, desk: Desk, http: bool, command: str
) -> None:
    async with listening(slack, desk, http=http):
        await slack.command(slack.general, slack.ann, command)
        told = await slack.wait_for(lambda: slack.private(slack.ann))

    assert desk.the(CommandUsed)
    assert [each["text"] for each in told] == [AT_WORK[command]]


@BOTH_WAYS
@pytest.mark.parametrize(("user", "channel"), [("UANN", "CGENERAL"), ("UMO", "CGENERAL")], ids=["member", "not-here"])
async def test_moderate_is_for_moderators(slack: SlackEmulator, desk: Desk, http: bool, user: str, channel: str) -> None:
    desk.setup = Setup(log_channel="GMODS")
    async with listening(slack, desk, http=http):
        await slack.command(channel, user, "moderate", "does this pass?")
        told = await slack.wait_for(lambda: slack.private(user))
        await slack.command(slack.moderators, slack.mo, "moderate", "and this?")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert [each["text"] for each in told] == [FOR_MODERATORS.format(command="/moderate")]
    assert (event.author.id, event.argument) == ("UMO", "and this?")


@BOTH_WAYS
async def test_a_menu_entry_is_a_command_about_its_message(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    async with listening(slack, desk, http=http):
        first = await slack.post(slack.pics, slack.ann, "first")
        ts = await slack.post(slack.pics, slack.ann, files=[("cat.png", PICTURE)], thread=first)
        await slack.shortcut(slack.pics, slack.bob, ts, "tag_message")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert (event.command, event.message, event.author.id) == ("tag", ts, "UBOB")
    assert (event.place.channel, event.place.thread) == ("CPICS", first)
    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_a_menu_entry_works_on_a_message_that_does_not_fit(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.ann, "look", attachments=[{"text": ["no text"]}])
        await slack.shortcut(slack.pics, slack.bob, ts, "report_message")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert (event.command, event.message) == ("report", ts)


@BOTH_WAYS
async def test_a_form_opens_in_place_of_the_command_and_comes_back(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    desk.form = REPORT
    async with listening(slack, desk, http=http):
        ts = await slack.post(slack.pics, slack.ann, "bad words")
        await slack.shortcut(slack.pics, slack.bob, ts, "report_message")
        form = await slack.wait_for(lambda: slack.form(slack.bob))
        assert desk.the(CommandUsed) is None
        await slack.submit(slack.bob, form["id"], {"reason": "rude"})
        event = await slack.wait_for(lambda: desk.the(FormSubmitted))
        await slack.wait_for(_closed(slack, slack.bob))

    assert event.key == f"slack:T1:{form['id']}:{form['hash']}"
    assert (event.form, event.about, event.values) == ("report", "1.000001", {"reason": "rude"})
    assert (event.place.channel, event.author.id) == ("CPICS", "UBOB")


@BOTH_WAYS
async def test_a_button_opens_its_form_and_what_comes_back_knows_where(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    desk.form = REPORT
    async with listening(slack, desk, http=http):
        root = await slack.post(slack.pics, slack.ann, "an invoice")
        ts = await slack.post(slack.pics, slack.bot, "values", thread=root, blocks=[_buttons("extraction_correct")])
        await slack.press(slack.pics, ts, slack.bob, "extraction_correct")
        form = await slack.wait_for(lambda: slack.form(slack.bob))
        assert desk.the(ButtonPressed) is None
        await slack.submit(slack.bob, form["id"], {"reason": "it says 12"})
        event = await slack.wait_for(lambda: desk.the(FormSubmitted))

    assert (event.form, event.about, event.values) == ("report", "1.000001", {"reason": "it says 12"})
    assert (event.place.channel, event.place.thread) == ("CPICS", root)


async def test_a_button_whose_form_cannot_open_is_accepted(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.pics, slack.bot, "values", blocks=[_buttons("extraction_correct")])
        await slack.press(slack.pics, ts, slack.bob, "extraction_correct")

        assert (await slack.wait_for(lambda: desk.the(ButtonPressed))).value == "case-42"


async def test_a_form_that_cannot_be_sent_yet_stays_open(slack: SlackEmulator, desk: Desk) -> None:
    desk.form = REPORT
    async with listening(slack, desk):
        await slack.command(slack.general, slack.olga, "flashbulb", "setup")
        form = await slack.wait_for(lambda: slack.form(slack.olga))
        desk.down = True
        await slack.submit(slack.olga, form["id"], {"reason": "x"})

        async def refused() -> bool:
            shown = await slack.form(slack.olga)
            return bool(shown and shown["errors"])

        assert await slack.wait_for(refused)
    assert desk.the(FormSubmitted) is None


@pytest.mark.parametrize("fault", ["trigger_expired", "trigger_exchanged"])
async def test_a_command_whose_form_cannot_open_is_accepted(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    desk.form = REPORT
    async with listening(slack, desk):
        slack.fault(fault, times=1)
        await slack.command(slack.general, slack.olga, "flashbulb", "setup")
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert (event.command, event.argument) == ("flashbulb", "setup")


async def test_a_button_brings_its_value_and_the_role_of_this_moment(slack: SlackEmulator, desk: Desk) -> None:
    desk.setup = Setup(log_channel="GMODS")
    async with listening(slack, desk):
        ts = await slack.post(slack.moderators, slack.bot, "a case", blocks=[_buttons()])
        await slack.command(slack.moderators, slack.mo, "tag")
        await slack.wait_for(lambda: desk.the(CommandUsed))
        slack.workspace.users["UMO"].is_admin = True
        await slack.press(slack.moderators, ts, slack.mo, "restore")
        event = await slack.wait_for(lambda: desk.the(ButtonPressed))

    assert (event.button, event.value, event.message) == ("restore", "case-42", ts)
    assert event.author.role is Role.ADMIN


async def test_a_press_by_somebody_of_whom_slack_tells_nothing_is_not_taken(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.moderators, slack.bot, "a case", blocks=[_buttons()])
        slack.fault("error_500", method="users.info")
        await slack.press(slack.moderators, ts, slack.mo, "restore")
        told = await slack.wait_for(lambda: slack.private(slack.mo))

    assert told[0]["text"] == "dispatch_failed"
    assert desk.the(ButtonPressed) is None


async def test_a_link_is_acknowledged_and_no_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        ts = await slack.post(slack.moderators, slack.bot, "a link", blocks=[_buttons()])
        await slack.press(slack.moderators, ts, slack.mo, "link")
        await slack.wait_for(lambda: len(slack.deliveries) == 2 and slack.deliveries[1].acknowledged)

    assert desk.the(ButtonPressed) is None


async def test_a_command_without_a_database_is_not_acknowledged(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        desk.down = True
        await slack.command(slack.general, slack.ann, "tag")
        told = await slack.wait_for(lambda: slack.private(slack.ann))

    assert "dispatch_failed" in told[0]["text"]
    assert desk.the(CommandUsed) is None


async def test_an_admins_token_lends_nobody_its_role(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk, slack_admin_user_token=slack.admin_token):
        await slack.command(slack.general, slack.olga, "tag")
        await slack.wait_for(lambda: len(desk.events) == 1)
        await slack.command(slack.general, slack.ann, "tag")
        await slack.wait_for(lambda: len(desk.events) == 2)

    assert [event.author.role for event in desk.events.values()] == [Role.ADMIN, Role.MEMBER]
    assert {call.user for call in slack.calls if call.user} == {slack.bot}


def _closed(slack: SlackEmulator, user: str):
    async def closed() -> bool:
        return await slack.form(user) is None

    return closed


def _buttons(name: str = "restore") -> dict[str, object]:
    def button(action: str, **more: str) -> dict[str, object]:
        return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": action}, **more}

    return {
        "type": "actions",
        "block_id": "b1",
        "elements": [button(name, value="case-42"), button("link", url="https://x.org")],
    }


@pytest.mark.parametrize(
    ("text", "role"),
    [
        pytest.param("help", Role.ADMIN, id="help-is-for-everybody"),
        pytest.param("setup", Role.MEMBER, id="setup"),
        pytest.param("Policy use strict", Role.MEMBER, id="policy"),
    ],
)
async def test_who_changes_the_workspace_is_asked_for_anew(slack: SlackEmulator, desk: Desk, text: str, role: Role) -> None:
    await slack.add_user("UEVE", "eve", is_admin=True, channels=[slack.general])
    async with listening(slack, desk):
        await slack.post(slack.general, "UEVE", "hello")
        await slack.wait_for(lambda: desk.messages)
        slack.workspace.users["UEVE"].is_admin = False
        await slack.command(slack.general, "UEVE", "flashbulb", text)
        event = await slack.wait_for(lambda: desk.the(CommandUsed))

    assert event.author.role is role
