"""Commands, menus, buttons and forms, through the unmodified client."""

import io
from typing import Any

import discord
import pytest
from discord import ui

from emulators.discord import DiscordEmulator, Problem
from tests.emulators.discord.client import running
from tests.emulators.discord.interactive import Interactive, Question
from tests.emulators.discord.test_messages import PNG, a_file, refusal


async def answered(emulator: DiscordEmulator, interaction: str) -> dict[str, Any]:
    return await emulator.wait_for(lambda: emulator.answer(interaction))


async def test_a_command_brings_its_options_and_its_answer_is_public(discord_emulator: DiscordEmulator) -> None:
    given: list[Any] = []

    async def script(interaction: discord.Interaction, prompt: str, image: discord.Attachment | None) -> None:
        given.extend([prompt, await image.read(), interaction.permissions.manage_messages, interaction.filesize_limit])
        await interaction.response.send_message("working", file=a_file(description="alt"))

    async with running(discord_emulator, Interactive(script)):
        used = await discord_emulator.command(
            discord_emulator.pics, discord_emulator.ann, "imagine", "a cat", [("cat.png", PNG)]
        )
        answer = await answered(discord_emulator, used)

    (message,) = await discord_emulator.messages(discord_emulator.pics)
    assert given == ["a cat", PNG, False, 10 * 1024 * 1024]
    assert (answer["type"], answer["message"]["id"]) == (4, message["id"])
    assert (message["content"], message["type"], message["attachments"][0]["description"]) == ("working", 20, "alt")
    assert message["interaction_metadata"]["user"]["username"] == "ann"


async def test_commands_are_known_by_their_registration(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("set up", ephemeral=True)

    async with running(discord_emulator, Interactive(script)):
        with pytest.raises(LookupError, match="imagine, "):
            await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "tag")
        with pytest.raises(ValueError, match="prompt is required"):
            await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine")
        with pytest.raises(Problem, match="50013"):
            await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "flashbulb setup")
        await answered(
            discord_emulator, await discord_emulator.command(discord_emulator.pics, discord_emulator.mo, "flashbulb setup")
        )

    (private,) = await discord_emulator.private(discord_emulator.mo)
    assert (private["content"], private["flags"] & 64) == ("set up", 64)
    assert await discord_emulator.messages(discord_emulator.pics) == []


async def test_choices_are_suggested(discord_emulator: DiscordEmulator) -> None:
    async with running(discord_emulator, Interactive(None)):
        typed = await discord_emulator.autocomplete(discord_emulator.pics, discord_emulator.ann, "imagine", "prompt", "cat")

        answer = await answered(discord_emulator, typed)

    assert answer["data"]["choices"] == [{"name": "cat!", "value": "cat!"}]


async def test_a_deferred_answer_is_filled_and_stays_private(discord_emulator: DiscordEmulator) -> None:
    sent: list[discord.Message] = []

    async def script(interaction: discord.Interaction, *_: Any) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        sent.append(await interaction.followup.send("first", wait=True))
        sent.append(await interaction.followup.send("second", wait=True, file=a_file()))
        await interaction.edit_original_response(content="first, edited")
        assert (await interaction.original_response()).content == "first, edited"
        await sent[1].edit(content="second, edited")

    async with running(discord_emulator, Interactive(script)):
        used = await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")
        await discord_emulator.wait_for(
            lambda: [call for call in discord_emulator.calls if call.method.startswith("PATCH")][1:]
        )
        answer = await answered(discord_emulator, used)
        (private,) = await discord_emulator.private(discord_emulator.ann)
        (public,) = await discord_emulator.messages(discord_emulator.pics)

    assert (answer["type"], private["content"], private["flags"]) == (5, "first, edited", 64)
    assert (private["id"], public["id"]) == (str(sent[0].id), str(sent[1].id))
    assert (public["content"], public["attachments"][0]["filename"]) == ("second, edited", "o.png")


async def test_one_sees_that_an_answer_is_thought_about_until_it_comes_or_its_time_is_over(
    discord_emulator: DiscordEmulator,
) -> None:
    async def script(interaction: discord.Interaction, prompt: str, image: Any) -> None:
        await interaction.response.defer(thinking=True)
        if prompt == "fast":
            await interaction.edit_original_response(content="done")

    async with running(discord_emulator, Interactive(script)):
        for prompt in ("slow", "fast"):
            await answered(
                discord_emulator,
                await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", prompt),
            )
        await discord_emulator.wait_for(lambda: "PATCH" in str([call.method for call in discord_emulator.calls]))

    slow, _ = await discord_emulator.messages(discord_emulator.pics)
    assert [each["id"] for each in await discord_emulator.thinking()] == [slow["id"]]
    await discord_emulator.advance_clock(15 * 60 + 1)
    assert await discord_emulator.thinking() == []


async def test_an_answer_can_be_deleted(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, *_: Any) -> None:
        await interaction.response.send_message("oops")
        await interaction.delete_original_response()

    async with running(discord_emulator, Interactive(script)) as bot:
        await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")

        await discord_emulator.wait_for(lambda: bot.of("raw_message_delete"))
    assert await discord_emulator.messages(discord_emulator.pics) == []


@pytest.mark.parametrize(
    ("seconds", "refused"),
    [pytest.param(3.5, (404, 10062), id="late"), pytest.param(0, (400, 40060), id="twice")],
)
async def test_the_first_answer_must_come_in_time_and_once(
    discord_emulator: DiscordEmulator, seconds: float, refused: tuple[int, int]
) -> None:
    seen: list[tuple[int, int]] = []

    async def script(interaction: discord.Interaction, *_: Any) -> None:
        if seconds:
            await discord_emulator.advance_clock(seconds)
        else:
            await interaction.response.send_message("one")
            interaction.response._response_type = None
        seen.append(await refusal(interaction.response.send_message("late")))

    async with running(discord_emulator, Interactive(script)):
        await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")

        await discord_emulator.wait_for(lambda: seen)
    assert seen == [refused]


async def test_a_token_lives_fifteen_minutes(discord_emulator: DiscordEmulator) -> None:
    seen: list[Any] = []

    async def script(interaction: discord.Interaction, *_: Any) -> None:
        seen.append(await refusal(interaction.followup.send("too early")))
        await interaction.response.defer(thinking=True)
        await discord_emulator.advance_clock(15 * 60 + 1)
        seen.append(await refusal(interaction.edit_original_response(content="too late")))
        await interaction.channel.send("here instead")
        seen.append("sent")

    async with running(discord_emulator, Interactive(script)):
        await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")

        await discord_emulator.wait_for(lambda: len(seen) == 3)
    assert seen == [(404, 10015), (401, 50027), "sent"]


async def test_a_menu_shows_its_target_without_the_intent(discord_emulator: DiscordEmulator) -> None:
    given: list[discord.Message] = []

    async def script(interaction: discord.Interaction, message: discord.Message) -> None:
        given.append(message)
        await interaction.response.send_message("reading", ephemeral=True)

    await discord_emulator.set_intents(message_content=False)
    async with running(discord_emulator, Interactive(script, intents=discord.Intents(38405 & ~(1 << 15)))):
        posted = await discord_emulator.post(discord_emulator.pics, discord_emulator.bob, "invoice", [("a.png", PNG)])
        await answered(
            discord_emulator,
            await discord_emulator.shortcut(discord_emulator.pics, discord_emulator.ann, posted, "Extract data"),
        )

    assert (given[0].content, given[0].author.name, given[0].attachments[0].size) == ("invoice", "bob", len(PNG))


async def test_a_button_updates_its_message_and_answers_as_a_reply(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="pressed", view=None)
        await interaction.followup.send("thanks")

    async with running(discord_emulator, Interactive(script)) as bot:
        view = ui.View(timeout=None)
        view.add_item(ui.Button(label="Up", custom_id="fb:J1:up"))
        view.add_item(ui.Button(label="Off", custom_id="fb:J1:off", disabled=True))
        sent = await bot.get_channel(int(discord_emulator.pics)).send("press", view=view)
        with pytest.raises(LookupError, match="disabled"):
            await discord_emulator.press(discord_emulator.pics, str(sent.id), discord_emulator.bob, "fb:J1:off")

        await discord_emulator.press(discord_emulator.pics, str(sent.id), discord_emulator.bob, "fb:J1:up")

        await discord_emulator.wait_for(lambda: len(bot.of("message")) == 2)
    pressed, reply = await discord_emulator.messages(discord_emulator.pics)
    assert (pressed["content"], pressed["components"]) == ("pressed", [])
    assert (reply["content"], reply["type"], reply["message_reference"]["message_id"]) == ("thanks", 19, str(sent.id))


async def test_a_button_of_a_private_answer_is_its_user_s_alone(discord_emulator: DiscordEmulator) -> None:
    view = ui.View(timeout=None)
    view.add_item(ui.Button(label="Again", custom_id="again"))

    async def script(interaction: discord.Interaction, *_: Any) -> None:
        if interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(content="again")
        else:
            await interaction.response.send_message("once", view=view, ephemeral=True)

    async with running(discord_emulator, Interactive(script)):
        await answered(
            discord_emulator, await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")
        )
        (private,) = await discord_emulator.private(discord_emulator.ann)
        with pytest.raises(Problem, match="10008"):
            await discord_emulator.press(discord_emulator.pics, private["id"], discord_emulator.bob, "again")
        pressed = await discord_emulator.press(discord_emulator.pics, private["id"], discord_emulator.ann, "again")
        await answered(discord_emulator, pressed)

    assert [each["content"] for each in await discord_emulator.private(discord_emulator.ann)] == ["again"]


async def test_a_menu_of_a_message_gives_what_was_chosen(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction) -> None:
        await interaction.response.defer()

    async with running(discord_emulator, Interactive(script)) as bot:
        view = ui.View(timeout=None)
        view.add_item(
            ui.Select(custom_id="style", options=[discord.SelectOption(label="neon"), discord.SelectOption(label="ink")])
        )
        view.add_item(ui.UserSelect(custom_id="who"))
        sent = await bot.get_channel(int(discord_emulator.pics)).send("choose", view=view)

        where, ann = (discord_emulator.pics, str(sent.id)), discord_emulator.ann
        await discord_emulator.choose(*where, ann, "style", ["ink"])
        await discord_emulator.choose(*where, ann, "who", [discord_emulator.bob])
        answered = lambda: [each.response.is_done() for each in bot.interactions] == [True, True]  # noqa: E731
        await discord_emulator.wait_for(answered)
        with pytest.raises(ValueError, match="neon, ink"):
            await discord_emulator.choose(*where, ann, "style", ["oil"])

    style, who = (each.data for each in bot.interactions)
    assert (style["values"], who["values"]) == (["ink"], [discord_emulator.bob])
    assert who["resolved"]["users"][discord_emulator.bob]["username"] == "bob"


async def test_a_form_is_opened_filled_in_and_submitted(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, *_: Any) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await interaction.response.send_message("got it", ephemeral=True)
        else:
            await interaction.response.send_modal(Question())

    async with running(discord_emulator, Interactive(script)) as bot:
        await answered(
            discord_emulator, await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")
        )
        form = await discord_emulator.form(discord_emulator.ann)
        with pytest.raises(ValueError, match="prompt is required"):
            await discord_emulator.submit(discord_emulator.ann, "form:1", {"style": ["neon"]})
        values = {"prompt": "neon cat", "where": [discord_emulator.pics], "style": ["neon"], "picture": [("cat.png", PNG)]}
        submitted = await discord_emulator.submit(discord_emulator.ann, "form:1", values)
        await answered(discord_emulator, submitted)

        data = bot.interactions[-1].data
        (picture,) = data["resolved"]["attachments"].values()
        assert await bot.http.get_from_cdn(picture["url"]) == PNG
    assert (form["title"], [each["type"] for each in form["components"]]) == ("Remix", [10, 18, 18, 18, 18])
    _, prompt, where, style, upload = data["components"]
    assert prompt["component"] == {"type": 4, "id": 3, "custom_id": "prompt", "value": "neon cat"}
    assert (where["component"]["values"], style["component"]["values"]) == ([discord_emulator.pics], ["neon"])
    assert (upload["component"]["values"], picture["ephemeral"]) == ([picture["id"]], True)
    assert data["resolved"]["channels"][discord_emulator.pics]["name"] == "pics"
    assert await discord_emulator.form(discord_emulator.ann) is None


async def test_a_form_outlives_the_client_that_opened_it(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, *_: Any) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await interaction.response.send_message("still works", ephemeral=True)
        else:
            await interaction.response.send_modal(Question())

    async with running(discord_emulator, Interactive(script)):
        await answered(
            discord_emulator, await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")
        )
    async with running(discord_emulator, Interactive(script)):
        submitted = await discord_emulator.submit(discord_emulator.ann, "form:1", {"prompt": "cat", "style": ["neon"]})

        await answered(discord_emulator, submitted)
    assert [each["content"] for each in await discord_emulator.private(discord_emulator.ann)] == ["still works"]


async def test_a_form_must_be_the_first_answer_and_fit(discord_emulator: DiscordEmulator) -> None:
    seen: list[tuple[int, int]] = []

    async def script(interaction: discord.Interaction, *_: Any) -> None:
        long = Question()
        long.title = "x" * 46
        seen.append(await refusal(interaction.response.send_modal(long)))
        await interaction.response.defer()
        interaction.response._response_type = None
        seen.append(await refusal(interaction.response.send_modal(Question())))

    async with running(discord_emulator, Interactive(script)):
        await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")

        await discord_emulator.wait_for(lambda: len(seen) == 2)
    assert seen == [(400, 50035), (400, 40060)]


async def test_it_works_in_direct_messages(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, *_: Any) -> None:
        assert (interaction.guild, interaction.user.name) == (None, "ann")
        await interaction.response.send_message("privately")

    async with running(discord_emulator, Interactive(script)):
        channel = discord_emulator.world.direct(discord_emulator.ann)["id"]
        await answered(discord_emulator, await discord_emulator.command(channel, discord_emulator.ann, "imagine", "cat"))

    assert [each["content"] for each in await discord_emulator.messages(channel)] == ["privately"]


async def test_people_bring_the_bot_into_conversations_that_it_is_not_in(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"read {message.content}")

    bot = Interactive(script)
    async with running(discord_emulator, bot):
        channel = await discord_emulator.converse([discord_emulator.ann, discord_emulator.bob])
        message = await discord_emulator.post(channel, discord_emulator.bob, "look")
        [menu] = [each for each in discord_emulator.world.commands[None] if each["name"] == "Extract data"]
        menu |= {"contexts": [0, 1], "integration_types": [0]}
        with pytest.raises(LookupError, match="not offered in direct messages"):
            await discord_emulator.shortcut(channel, discord_emulator.ann, message, "Extract data")
        menu["contexts"] = [0, 1, 2]
        with pytest.raises(LookupError, match="not offered where the bot is not"):
            await discord_emulator.shortcut(channel, discord_emulator.ann, message, "Extract data")
        menu["integration_types"] = [0, 1]

        await answered(
            discord_emulator, await discord_emulator.shortcut(channel, discord_emulator.ann, message, "Extract data")
        )
        assert await refusal(bot.http.get_message(int(channel), int(message))) == (404, 10003)

    [used] = bot.interactions
    assert (used.guild_id, used.context.private_channel, used.is_user_integration()) == (None, True, True)
    assert [each["content"] for each in await discord_emulator.messages(channel)] == ["look", "read look"]


async def test_with_an_endpoint_set_nothing_reaches_the_gateway(discord_emulator: DiscordEmulator) -> None:
    discord_emulator.world.application["interactions_endpoint_url"] = "https://example.com/interactions"
    async with running(discord_emulator, Interactive(None)) as bot:
        await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat")
        await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "later")
        await discord_emulator.wait_for(lambda: bot.of("message"))

        assert bot.interactions == []


async def test_a_command_in_a_thread_answers_there(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction, *_: Any) -> None:
        await interaction.response.send_message(f"in {interaction.channel.name}")

    async with running(discord_emulator, Interactive(script)):
        posted = await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "hi")
        thread = await discord_emulator.open_thread(discord_emulator.pics, discord_emulator.ann, posted, "talk")
        await answered(
            discord_emulator,
            await discord_emulator.command(discord_emulator.pics, discord_emulator.ann, "imagine", "cat", thread=thread),
        )

    assert (await discord_emulator.messages(discord_emulator.pics, thread))[-1]["content"] == "in talk"


def a_layout(*, galleries: int = 1, texts: int = 1) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    container: ui.Container = ui.Container(id=900)
    for _ in range(texts):
        container.add_item(ui.TextDisplay("words"))
    for _ in range(galleries):
        container.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://o.png", description="alt")))
    container.add_item(ui.ActionRow(ui.Button(label="Up", custom_id="up")))
    view.add_item(container)
    return view


async def test_a_layout_shows_files_that_leave_the_attachments(discord_emulator: DiscordEmulator) -> None:
    async with running(discord_emulator, Interactive(None)) as bot:
        channel = bot.get_channel(int(discord_emulator.pics))

        sent = await channel.send(view=a_layout(), file=a_file())

        fetched = await channel.fetch_message(sent.id)
        container = fetched.components[0]
        gallery = next(each for each in container.children if isinstance(each, discord.MediaGalleryComponent))
        media = gallery.items[0].media
        assert (fetched.attachments, container.id, gallery.items[0].description) == ([], 900, "alt")
        assert (media.width, media.content_type, await bot.http.get_from_cdn(media.url)) == (3, "image/png", PNG)
        ids = [each.id for each in container.children]
        assert all(ids)
        assert len(set(ids)) == len(ids)


async def test_a_layout_has_rules(discord_emulator: DiscordEmulator) -> None:
    async with running(discord_emulator, Interactive(None)) as bot:
        channel = bot.get_channel(int(discord_emulator.pics))
        text = {"type": 10, "content": "x"}

        async def send(**payload: Any) -> tuple[int, int]:
            route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
            return await refusal(bot.http.request(route, json={"flags": 1 << 15, **payload}))

        assert await send(content="x", components=[text]) == (400, 50035)
        assert await send(components=[text] * 41) == (400, 50035)
        assert await send(components=[{"type": 10, "content": "x" * 4001}]) == (400, 50035)
        assert await send(components=[text], flags=0) == (400, 50035)
        assert await send(components=[{"type": 13, "file": {"url": "attachment://none.png"}}]) == (400, 50035)
        old = await channel.send("first", file=a_file())
        assert await refusal(old.edit(view=a_layout(galleries=0))) == (400, 50035)
        changed = await old.edit(content=None, embeds=[], attachments=[], view=a_layout(galleries=0))
        assert changed.flags.components_v2
        assert await refusal(changed.edit(content="back")) == (400, 50035)


async def test_a_layout_s_button_is_pressed(discord_emulator: DiscordEmulator) -> None:
    async def script(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=a_layout(texts=2), attachments=[discord.File(io.BytesIO(PNG), "o.png")])

    async with running(discord_emulator, Interactive(script)) as bot:
        sent = await bot.get_channel(int(discord_emulator.pics)).send(view=a_layout(), file=a_file())

        await answered(
            discord_emulator, await discord_emulator.press(discord_emulator.pics, str(sent.id), discord_emulator.ann, "up")
        )

    (stored,) = await discord_emulator.messages(discord_emulator.pics)
    assert [each["type"] for each in stored["components"][0]["components"]] == [10, 10, 12, 1]


async def test_a_layout_sent_back_as_it_was_keeps_its_picture(discord_emulator: DiscordEmulator) -> None:
    async with running(discord_emulator, Interactive(None)) as bot:
        channel = bot.get_channel(int(discord_emulator.pics))
        sent = await channel.send(view=a_layout(), file=a_file())

        await sent.edit(view=ui.LayoutView.from_message(sent))
        await discord_emulator.advance_clock(discord_emulator.world.files.lifetime_s + 1)

        (stored,) = await discord_emulator.messages(discord_emulator.pics)
        media = stored["components"][0]["components"][1]["items"][0]["media"]
        assert await bot.http.get_from_cdn(media["url"]) == PNG
        assert stored["attachments"] == []


async def test_a_message_that_is_gone_cannot_be_updated(discord_emulator: DiscordEmulator) -> None:
    seen: list[tuple[int, int]] = []

    async def script(interaction: discord.Interaction) -> None:
        await discord_emulator.delete(discord_emulator.pics, str(interaction.message.id))
        seen.append(await refusal(interaction.response.edit_message(content="pressed")))

    async with running(discord_emulator, Interactive(script)) as bot:
        sent = await bot.get_channel(int(discord_emulator.pics)).send(view=a_layout(), file=a_file())
        await discord_emulator.press(discord_emulator.pics, str(sent.id), discord_emulator.ann, "up")

        await discord_emulator.wait_for(lambda: seen)
    assert seen == [(404, 10008)]
