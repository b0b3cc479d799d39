"""Commands, menus, buttons and forms are made durable and answered in time, whoever made them."""

import asyncio

import pytest
from discord.ui import ActionRow, Button, LayoutView, TextDisplay

from bot.discord import interactions
from bot.discord.interactions import BUSY, FAULT, OLD_BUTTON, OLD_COMMAND, OLD_FORM
from bot.discord.views import PersistentButton, Pressed
from emulators.discord import DiscordEmulator
from handlers.events import AnyEvent, ButtonPressed, CommandUsed, FormSubmitted, Role
from handlers.forms import Form, FormField
from pipelines.generation.asking import parse
from tests.app.test_metrics import value
from tests.discord_side.receiving.ears import PNG, Ears

FORM = Form(
    name="report", title="Report", fields=(FormField(name="reason", label="Why?", required=False),), submit="Send", about="77"
)
EPHEMERAL = 64
MESSAGE, DEFERRED, DEFERRED_UPDATE, FORM_OPENED = 4, 5, 6, 9


async def answer_to(emulator: DiscordEmulator, interaction: str) -> dict[str, object]:
    async def answer() -> object:
        return await emulator.answer(interaction)

    return await emulator.wait_for(answer)


async def a_card(ears: Ears, emulator: DiscordEmulator, channel: str, pressed: Pressed) -> tuple[str, str]:
    """Let the bot post a button; return the message and the button's id."""
    view = LayoutView(timeout=None)
    view.add_item(TextDisplay("A case"))
    view.add_item(ActionRow(PersistentButton(pressed, label="Restore")))
    sent = await ears.connection._gateway.client.get_partial_messageable(int(channel)).send(view=view)
    return str(sent.id), f"fb:{pressed.workspace}:{pressed.value}:{pressed.button}"


async def test_a_command_is_accepted_before_it_is_answered(ears: Ears, emulator: DiscordEmulator) -> None:
    answered_at_accept = []
    ears.on_accept = lambda event: answered_at_accept.append(emulator.interactions.known[event.key.split(":")[1]].answer)

    interaction = await emulator.command(emulator.pics, emulator.ann, "tag", files=[("cat.png", PNG)])

    answer = await answer_to(emulator, interaction)
    event = await ears.first(CommandUsed)
    assert answered_at_accept == [None]
    assert (answer["type"], answer["data"]) == (DEFERRED, {})
    assert (event.key, event.command, [each.name for each in event.attachments]) == (
        f"discord:{interaction}",
        "tag",
        ["cat.png"],
    )
    assert event.reply == f"c:{emulator.application}:{emulator.interactions.known[interaction].token}"
    assert event.author.role is Role.MEMBER


async def test_what_is_said_about_a_private_command_stays_private(ears: Ears, emulator: DiscordEmulator) -> None:
    interaction = await emulator.command(emulator.pics, emulator.mo, "moderate", text="is this fine?")

    answer = await answer_to(emulator, interaction)
    event = await ears.first(CommandUsed)
    assert answer["data"] == {"flags": EPHEMERAL}
    assert (event.argument, event.author.role) == ("is this fine?", Role.MODERATOR)


async def test_a_subcommand_is_the_commands_argument_and_its_user_an_admin(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.command(emulator.pics, emulator.olga, "flashbulb help")

    event = await ears.first(CommandUsed)
    assert (event.command, event.argument, event.author.role) == ("flashbulb", "help", Role.ADMIN)


async def test_what_is_filled_in_becomes_one_line_with_flags(ears: Ears, emulator: DiscordEmulator) -> None:
    values = {"avoid": "hands, text", "wish": "a lighthouse at dawn", "count": "2", "aspect": "16:9", "show": "yes"}

    await emulator.command(emulator.pics, emulator.ann, "imagine", values=values)

    event = await ears.first(CommandUsed)
    assert event.argument == "a lighthouse at dawn --ar 16:9 --count 2 --show --no hands, text"
    wish = parse(event.argument)
    assert (wish.text, wish.aspect, wish.count, wish.show_first, wish.avoid) == (
        "a lighthouse at dawn",
        "16:9",
        2,
        True,
        "hands, text",
    )


async def test_a_remix_says_what_to_do_with_which_picture(ears: Ears, emulator: DiscordEmulator) -> None:
    values = {"as": "edit", "strength": "subtle", "change": "make the sky green", "address": "https://example.org/a.png"}

    await emulator.command(emulator.pics, emulator.ann, "remix", values=values, files=[("cat.png", PNG)])

    event = await ears.first(CommandUsed)
    assert event.argument == "make the sky green https://example.org/a.png --as edit --strength subtle"
    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_a_menu_brings_the_message_and_its_files(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.bob, files=[("cat.png", PNG)])

    await emulator.shortcut(emulator.pics, emulator.ann, message, "Tag image")

    event = await ears.first(CommandUsed)
    assert (event.command, event.message, [each.name for each in event.attachments]) == ("tag", message, ["cat.png"])


async def test_a_form_opens_at_once_and_nothing_is_accepted(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.bob, "rude")
    ears.form = FORM

    interaction = await emulator.shortcut(emulator.pics, emulator.ann, message, "Report to moderators")

    assert (await answer_to(emulator, interaction))["type"] == FORM_OPENED
    assert (await emulator.form(emulator.ann))["custom_id"] == f"ff:{emulator.guild}:report:77"
    assert [each for each in ears.offered if isinstance(each, CommandUsed)] == []


async def test_a_form_that_an_earlier_process_opened_is_accepted_and_shows_that_we_are_at_work(
    emulator: DiscordEmulator,
) -> None:
    ears = Ears(emulator, form=FORM)
    async with ears.listening():
        message = await emulator.post(emulator.pics, emulator.bob, "rude")
        await answer_to(emulator, await emulator.shortcut(emulator.pics, emulator.ann, message, "Report to moderators"))

    async with ears.listening():
        interaction = await emulator.submit(emulator.ann, f"ff:{emulator.guild}:report:77", {"reason": "it is"})
        answer = await answer_to(emulator, interaction)

    event = await ears.first(FormSubmitted)
    assert (answer["type"], answer["data"]) == (DEFERRED, {"flags": EPHEMERAL})
    assert (event.form, event.about, event.values) == ("report", "77", {"reason": "it is"})
    assert event.reply == f"c:{emulator.application}:{emulator.interactions.known[interaction].token}"


async def test_a_button_that_an_earlier_process_made_works(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        message, button = await a_card(ears, emulator, emulator.moderators, Pressed(emulator.guild, "C1", "restore"))

    async with ears.listening():
        interaction = await emulator.press(emulator.moderators, message, emulator.mo, button)
        answer = await answer_to(emulator, interaction)

    event = await ears.first(ButtonPressed)
    assert answer["type"] == DEFERRED_UPDATE
    assert (event.button, event.value, event.message, event.author.role) == ("restore", "C1", message, Role.MODERATOR)
    assert (event.place.workspace, event.place.channel) == (emulator.guild, emulator.moderators)
    assert event.reply.startswith("b:")


@pytest.mark.parametrize(("user", "role"), [("olga", Role.ADMIN), ("mo", Role.MODERATOR), ("ann", Role.MEMBER)])
async def test_a_press_in_a_private_message_has_the_role_of_the_server_of_the_case(
    ears: Ears, emulator: DiscordEmulator, user: str, role: Role
) -> None:
    channel = emulator.world.direct(getattr(emulator, user))["id"]
    message, button = await a_card(ears, emulator, channel, Pressed(emulator.guild, "C1", "restore"))

    await emulator.press(channel, message, getattr(emulator, user), button)

    event = await ears.first(ButtonPressed)
    assert (event.author.role, event.place.workspace, event.place.channel) == (role, emulator.guild, channel)


HERE_ALONE = ("manage_messages", "moderate_members", "manage_guild", "administrator")


@pytest.mark.parametrize("way", ["command", "menu", "press", "form"])
async def test_what_a_channel_allows_somebody_makes_them_no_moderator(ears: Ears, emulator: DiscordEmulator, way: str) -> None:
    await emulator.set_permissions(emulator.general, allow=HERE_ALONE, user=emulator.ann)
    message, button = await a_card(ears, emulator, emulator.general, Pressed(emulator.guild, "C1", "restore"))

    match way:
        case "command":
            await emulator.command(emulator.general, emulator.ann, "flashbulb case", values={"id": "C1"})
        case "menu":
            await emulator.shortcut(emulator.general, emulator.ann, message, "Tag image")
        case "press":
            await emulator.press(emulator.general, message, emulator.ann, button)
        case "form":
            data = {"custom_id": f"ff:{emulator.guild}:report:77", "components": []}
            emulator.interactions.start(5, emulator.ann, emulator.general, data)

    await emulator.wait_for(lambda: ears.accepted)
    assert ears.accepted[0].author.role is Role.MEMBER


async def test_what_a_channel_takes_from_a_moderator_leaves_them_one(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.set_permissions(emulator.general, deny=HERE_ALONE, user=emulator.mo)

    await emulator.command(emulator.general, emulator.mo, "flashbulb help")

    assert (await ears.first(CommandUsed)).author.role is Role.MODERATOR


@pytest.mark.parametrize("why", ["owner", "administrator", "manages the server"])
async def test_who_may_do_everything_in_a_server_is_an_admin(ears: Ears, emulator: DiscordEmulator, why: str) -> None:
    user = emulator.olga
    if why == "owner":
        emulator.world.members[user]["roles"] = []
    else:
        user = await emulator.join("ida", ["administrator" if why == "administrator" else "manage_guild"])

    await emulator.command(emulator.general, user, "flashbulb help")

    assert (await ears.first(CommandUsed)).author.role is Role.ADMIN


async def test_an_admin_of_a_server_that_we_are_not_in_is_a_member(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.general, emulator.ann, "look", [("cat.png", PNG)])
    await emulator.leave(emulator.bot)

    await emulator.shortcut(emulator.general, emulator.olga, message, "Tag image")

    event = await ears.first(CommandUsed)
    assert (event.place.workspace, event.author.role) == (emulator.guild, Role.MEMBER)


async def test_a_role_that_was_taken_away_is_gone_at_the_next_press(ears: Ears, emulator: DiscordEmulator) -> None:
    message, button = await a_card(ears, emulator, emulator.general, Pressed(emulator.guild, "C1", "restore"))
    emulator.world.members[emulator.mo]["roles"] = []

    await emulator.press(emulator.general, message, emulator.mo, button)

    assert (await ears.first(ButtonPressed)).author.role is Role.MEMBER


@pytest.mark.parametrize("button_id", ["reroll:1", "fb:99:C1:restore"])
async def test_a_button_that_is_not_ours_says_so(ears: Ears, emulator: DiscordEmulator, button_id: str) -> None:
    view = LayoutView(timeout=None)
    view.add_item(ActionRow(Button(label="Old", custom_id=button_id)))
    sent = await ears.connection._gateway.client.get_partial_messageable(int(emulator.general)).send(view=view)

    interaction = await emulator.press(emulator.general, str(sent.id), emulator.ann, button_id)

    await says(emulator, interaction, OLD_BUTTON)
    assert ears.offered == []


async def test_a_form_and_a_command_of_another_version_say_so(ears: Ears, emulator: DiscordEmulator) -> None:
    client = ears.connection._gateway.client
    menu = {"id": "1", "name": "Caption image", "type": 3, "target_id": "5", "resolved": {"messages": {}}}
    form = {"custom_id": "old:1", "components": []}

    command = emulator.interactions.start(2, emulator.ann, emulator.general, menu).id
    submitted = emulator.interactions.start(5, emulator.ann, emulator.general, form).id

    await says(emulator, command, OLD_COMMAND)
    await says(emulator, submitted, OLD_FORM)
    assert not client.is_closed()


async def test_what_cannot_be_stored_is_said_in_place_of_the_answer(ears: Ears, emulator: DiscordEmulator) -> None:
    ears.failures = 1_000

    interaction = await emulator.command(emulator.pics, emulator.ann, "tag")

    assert (await answer_to(emulator, interaction))["type"] == DEFERRED
    await emulator.wait_for(lambda: contents(emulator, emulator.pics) == [BUSY])
    assert await emulator.thinking() == []
    assert ears.accepted == []


async def test_what_cannot_be_stored_of_a_press_is_said_to_the_presser_alone(ears: Ears, emulator: DiscordEmulator) -> None:
    message, button = await a_card(ears, emulator, emulator.pics, Pressed(emulator.guild, "C1", "restore"))
    ears.failures = 1_000

    await emulator.press(emulator.pics, message, emulator.mo, button)

    async def whispered() -> list[str]:
        return [each["content"] for each in await emulator.private(emulator.mo)]

    assert await emulator.wait_for(whispered) == [BUSY]


async def test_what_is_stored_a_little_late_is_never_called_refused(ears: Ears, emulator: DiscordEmulator) -> None:
    ears.failures = 1

    interaction = await emulator.command(emulator.pics, emulator.ann, "tag")

    event = await ears.first(CommandUsed)
    await ears.connection._gateway.answered(event.reply)
    assert (await answer_to(emulator, interaction))["type"] == DEFERRED
    assert contents(emulator, emulator.pics) == [""]  # it waits for its answer


async def test_what_takes_longer_than_discord_waits_is_deferred_in_time(
    emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "BUDGET_S", 0.05)
    ears, stored = SlowEars(emulator), asyncio.Event()
    ears.stored = stored
    async with ears.listening():
        interaction = await emulator.command(emulator.pics, emulator.ann, "tag")
        assert (await answer_to(emulator, interaction))["type"] == DEFERRED
        assert ears.accepted == []

        stored.set()

        event = await ears.first(CommandUsed)
        await ears.connection._gateway.answered(event.reply)
        assert contents(emulator, emulator.pics) == [""]


class SlowEars(Ears):
    """Does not accept before `stored` is set."""

    stored: asyncio.Event

    async def accept(self, event: AnyEvent) -> str:
        await self.stored.wait()
        return await super().accept(event)


def contents(emulator: DiscordEmulator, channel: str) -> list[str]:
    return [each["content"] for each in emulator.world.messages[channel].values()]


async def test_a_fault_of_our_own_is_said_and_logged_without_words(ears: Ears, emulator: DiscordEmulator) -> None:
    def fail(event: object) -> None:
        raise ZeroDivisionError("what Ann wrote")

    ears.on_accept = fail

    interaction = await emulator.command(emulator.pics, emulator.ann, "tag", text="")

    await says(emulator, interaction, FAULT)
    entry = await ears.logged("discord.interaction_failed")
    assert entry["key"] == interaction
    assert "Ann" not in str(entry)
    assert value(ears.metrics, 'flashbulb_deliveries_skipped_total{platform="discord"}') == 1


async def test_an_answer_that_comes_too_late_costs_nothing_but_itself(ears: Ears, emulator: DiscordEmulator) -> None:
    clock = emulator.world.clock
    ears.on_accept = lambda _: clock.advance(4)

    await emulator.command(emulator.pics, emulator.ann, "tag")

    assert (await ears.logged("discord.answer_failed"))["code"] == 10062
    assert len(await ears.heard(CommandUsed)) == 1


async def test_effects_wait_until_the_interaction_is_answered(ears: Ears, emulator: DiscordEmulator) -> None:
    order: list[str] = []
    emulator.at("stored", "POST /interactions/{id}/{token}/callback", lambda call: order.append("answered") or False)
    waiting = []

    async def follow(reply: str) -> None:
        await ears.connection._gateway.answered(reply)
        order.append("effect")

    ears.on_accept = lambda event: waiting.append(asyncio.create_task(follow(event.reply)))
    await emulator.command(emulator.pics, emulator.ann, "tag")

    await emulator.wait_for(lambda: len(order) == 2)
    assert order == ["answered", "effect"]


async def says(emulator: DiscordEmulator, interaction: str, sentence: str) -> None:
    """Assert that the interaction is answered with a sentence that only its user sees."""
    answer = await answer_to(emulator, interaction)
    assert (answer["type"], answer["data"]["content"], answer["data"]["flags"]) == (MESSAGE, sentence, EPHEMERAL)


async def test_a_button_that_opens_a_form_does_so_at_once_and_what_comes_back_is_accepted(
    ears: Ears, emulator: DiscordEmulator
) -> None:
    message, button = await a_card(ears, emulator, emulator.pics, Pressed(emulator.guild, "x1", "extraction_correct"))
    ears.form = FORM

    interaction = await emulator.press(emulator.pics, message, emulator.ann, button)
    assert (await answer_to(emulator, interaction))["type"] == FORM_OPENED
    form = await emulator.form(emulator.ann)
    assert ears.accepted == []
    await emulator.submit(emulator.ann, form["custom_id"], {"reason": "wrong"})

    event = await ears.first(FormSubmitted)
    assert (event.form, event.about, event.values, event.place.channel) == ("report", "77", {"reason": "wrong"}, emulator.pics)


async def test_a_button_whose_form_does_not_open_is_accepted(ears: Ears, emulator: DiscordEmulator) -> None:
    message, button = await a_card(ears, emulator, emulator.pics, Pressed(emulator.guild, "x1", "extraction_correct"))

    interaction = await emulator.press(emulator.pics, message, emulator.ann, button)

    assert (await answer_to(emulator, interaction))["type"] == DEFERRED_UPDATE
    assert (await ears.first(ButtonPressed)).value == "x1"


async def test_schemas_are_completed_while_one_types(ears: Ears, emulator: DiscordEmulator) -> None:
    interaction = await emulator.autocomplete(emulator.pics, emulator.ann, "extract", "schema", "rec")

    answer = await answer_to(emulator, interaction)
    assert [each["value"] for each in answer["data"]["choices"]] == ["receipt"]
    assert ears.accepted == []


async def test_a_schema_comes_before_an_address(ears: Ears, emulator: DiscordEmulator) -> None:
    asked = {"where": "https://example.org/a.pdf", "schema": "invoice"}
    await emulator.command(emulator.pics, emulator.ann, "extract", values=asked)

    assert (await ears.first(CommandUsed)).argument == "invoice https://example.org/a.pdf"


APPEAL = Form(
    name="appeal",
    title="Appeal",
    fields=(FormField(name="text", label="Why?", control="lines", max_chars=1000),),
    submit="Send",
    about="C1",
)


@pytest.mark.parametrize(("user", "role"), [("ann", Role.MEMBER), ("mo", Role.MODERATOR)])
async def test_an_appeal_in_a_private_message_names_its_server_and_author(
    ears: Ears, emulator: DiscordEmulator, user: str, role: Role
) -> None:
    author = getattr(emulator, user)
    channel = emulator.world.direct(author)["id"]
    message, button = await a_card(ears, emulator, channel, Pressed(emulator.guild, "C1", "appeal"))
    ears.form = APPEAL

    pressed = await emulator.press(channel, message, author, button)
    assert (await answer_to(emulator, pressed))["type"] == FORM_OPENED
    await emulator.submit(author, f"ff:{emulator.guild}:appeal:C1", {"text": "It is *fine*. @everyone"})

    event = await ears.first(FormSubmitted)
    assert (event.form, event.about, event.values) == ("appeal", "C1", {"text": "It is *fine*. @everyone"})
    assert (event.place.workspace, event.place.channel) == (emulator.guild, channel)
    assert (event.author.id, event.author.role) == (author, role)


async def test_an_appeal_form_that_an_earlier_process_opened_is_accepted(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator, form=APPEAL)
    channel = emulator.world.direct(emulator.ann)["id"]
    async with ears.listening():
        message, button = await a_card(ears, emulator, channel, Pressed(emulator.guild, "C1", "appeal"))
        await answer_to(emulator, await emulator.press(channel, message, emulator.ann, button))

    async with ears.listening():
        submitted = await emulator.submit(emulator.ann, f"ff:{emulator.guild}:appeal:C1", {"text": "please"})
        answer = await answer_to(emulator, submitted)

    event = await ears.first(FormSubmitted)
    assert (answer["type"], event.place.workspace, event.values) == (DEFERRED_UPDATE, emulator.guild, {"text": "please"})


@pytest.mark.parametrize("button", ["wrong_category", "timeout", "ban"])
async def test_a_form_about_a_case_comes_back_from_where_its_card_stands(
    ears: Ears, emulator: DiscordEmulator, button: str
) -> None:
    message, id = await a_card(ears, emulator, emulator.moderators, Pressed(emulator.guild, "C1", button))
    options = (("no", "No"), ("yes", "Yes"))
    asked = FormField(name="sure", label="Sure?", control="choice", options=options, value="no")
    ears.form = Form(name=button, title="Sure?", fields=(asked,), submit="Go on", about="C1")

    pressed = await emulator.press(emulator.moderators, message, emulator.mo, id)
    assert (await answer_to(emulator, pressed))["type"] == FORM_OPENED
    await emulator.submit(emulator.mo, f"ff:{emulator.guild}:{button}:C1", {"sure": ["yes"]})

    event = await ears.first(FormSubmitted)
    assert (event.form, event.about, event.values, event.author.role) == (button, "C1", {"sure": "yes"}, Role.MODERATOR)
    assert (event.place.workspace, event.place.channel) == (emulator.guild, emulator.moderators)


@pytest.mark.parametrize(
    ("form", "direct"),
    [
        pytest.param("ff:1000000000000000777:appeal:C1", False, id="of-another-server"),
        pytest.param("ff:appeal:C1", True, id="of-an-older-version"),
    ],
)
async def test_a_form_that_cannot_be_from_here_says_so(ears: Ears, emulator: DiscordEmulator, form: str, direct: bool) -> None:
    channel = emulator.world.direct(emulator.ann)["id"] if direct else emulator.general

    submitted = emulator.interactions.start(5, emulator.ann, channel, {"custom_id": form, "components": []}).id

    await says(emulator, submitted, OLD_FORM)
    assert ears.offered == []


async def test_in_a_server_that_we_are_not_in_everybody_is_a_member(ears: Ears, emulator: DiscordEmulator) -> None:
    channel = emulator.world.direct(emulator.olga)["id"]
    data = {"custom_id": "ff:1000000000000000777:appeal:C1", "components": []}

    emulator.interactions.start(5, emulator.olga, channel, data)

    event = await ears.first(FormSubmitted)
    assert (event.place.workspace, event.author.role) == ("1000000000000000777", Role.MEMBER)


async def test_a_role_that_cannot_be_asked_for_stops_the_form(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.fault("error_503", times=1, method="GET /guilds/{id}/members/{id}")
    channel = emulator.world.direct(emulator.ann)["id"]
    data = {"custom_id": f"ff:{emulator.guild}:appeal:C1", "components": []}

    submitted = emulator.interactions.start(5, emulator.ann, channel, data).id

    await says(emulator, submitted, BUSY)
    assert ears.offered == []
