"""Answers to commands and presses: the placeholder ends as the answer, as a way to it, or not at all; late ones arrive too."""

import pytest

from tests.discord_side.acting.conftest import Discord, words
from tests.discord_side.acting.test_saying import CASE

EPHEMERAL = 1 << 6  # only one person sees it
FIFTEEN_MINUTES_S = 15 * 60 + 1


async def test_a_public_placeholder_becomes_the_answer_that_belongs_there(discord: Discord) -> None:
    reply = await discord.asked()

    performed = await discord.connection.act(discord.post(reply=reply))

    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]
    assert discord.sent("POST /channels/{id}/messages") == []
    assert await discord.connection.look(discord.post(reply=reply)) == performed


async def test_the_second_answer_to_a_command_is_a_message_of_its_own(discord: Discord) -> None:
    reply = await discord.asked()

    await discord.connection.act(discord.post(reply=reply))
    await discord.connection.act(discord.post(key="e2", reply=reply))

    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."] * 2


async def test_an_answer_in_a_thread_leaves_a_way_to_it_where_it_was_asked_for(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    reply = await discord.asked()

    performed = await discord.connection.act(discord.post(thread=message, reply=reply))

    link = f"https://discord.com/channels/{discord.emulator.guild}/{message}/{performed.message}"
    assert await discord.shown(discord.emulator.pics) == [f"[Here is the answer]({link})."]
    assert await discord.shown(discord.emulator.pics, message) == ["Flashbulb says so."]


async def test_a_look_that_finds_the_answer_finishes_the_placeholder_too(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    reply = await discord.asked()
    performed = await discord.connection.act(discord.post(thread=message))

    assert await discord.connection.look(discord.post(thread=message, reply=reply)) == performed

    [placeholder] = await discord.shown(discord.emulator.pics)
    assert str(performed.message) in placeholder


async def test_the_placeholder_becomes_the_answer_where_the_thread_is_closed_to_us(discord: Discord) -> None:
    await discord.emulator.set_permissions(deny=["manage_threads"])
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, message, "talk")
    await discord.emulator.lock(message)
    reply = await discord.asked()

    performed = await discord.connection.act(discord.post(thread=message, reply=reply))

    assert performed.status == "done"
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_no_placeholder_waits_for_an_answer_about_a_message_that_is_gone(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    reply = await discord.asked()
    await discord.emulator.delete(discord.emulator.pics, message)

    performed = await discord.connection.act(discord.post(thread=message, about=message, reply=reply))

    assert performed.status == "gone"
    assert await discord.emulator.messages(discord.emulator.pics) == []


async def test_after_fifteen_minutes_an_answer_is_an_ordinary_message(discord: Discord) -> None:
    reply = await discord.asked()
    await discord.emulator.advance_clock(FIFTEEN_MINUTES_S)

    performed = await discord.connection.act(discord.post(reply=reply))

    assert performed.status == "done"
    [call] = discord.sent("POST /channels/{id}/messages")
    assert call.status == 200
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_a_private_command_is_answered_in_its_private_placeholder(discord: Discord) -> None:
    reply = await discord.asked("moderate")
    effect = discord.notify(person=discord.emulator.olga, reply=reply)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    assert await discord.whispered(discord.emulator.olga) == ["Flashbulb says so."]
    assert await discord.emulator.messages(discord.emulator.pics) == []
    assert await discord.connection.look(effect) == performed


async def test_words_for_one_person_take_the_place_of_a_placeholder_that_all_see(discord: Discord) -> None:
    reply = await discord.asked()

    await discord.connection.act(discord.notify(reply=reply))

    [whispered] = await discord.emulator.private(discord.emulator.ann)
    assert (words(whispered), whispered["flags"] & EPHEMERAL) == ("Flashbulb says so.", EPHEMERAL)
    assert await discord.emulator.messages(discord.emulator.pics) == []


async def test_after_fifteen_minutes_words_for_one_person_are_a_direct_message(discord: Discord) -> None:
    reply = await discord.asked("moderate")
    await discord.emulator.advance_clock(FIFTEEN_MINUTES_S)
    effect = discord.notify(person=discord.emulator.olga, reply=reply)

    performed = await discord.connection.act(effect)

    direct = await discord.emulator.private(discord.emulator.olga)
    assert direct[-1]["id"] == performed.message
    assert await discord.connection.look(effect) == performed


async def test_a_press_is_answered_to_the_presser_alone(discord: Discord) -> None:
    card = await discord.connection.act(discord.card(CASE))
    assert card.message is not None
    button = f"fb:{discord.emulator.guild}:{CASE.case}:keep"
    await discord.emulator.press(discord.emulator.moderators, card.message, discord.emulator.mo, button)
    pressed = await discord.emulator.wait_for(lambda: discord.accepted and discord.accepted[-1])

    await discord.connection.act(discord.notify(key="e2", person=discord.emulator.mo, reply=pressed.reply))

    assert await discord.whispered(discord.emulator.mo) == ["Flashbulb says so."]


async def test_a_form_of_a_command_leads_to_the_answer_that_all_see(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "rude")
    reply = await filled_in(discord, message)

    performed = await discord.connection.act(discord.post(reply=reply))

    [placeholder] = await discord.whispered(discord.emulator.ann)
    assert str(performed.message) in placeholder
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]
    assert await discord.emulator.thinking() == []


async def test_a_form_of_a_command_is_answered_where_it_showed_that_we_are_at_work(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "rude")
    reply = await filled_in(discord, message)
    effect = discord.notify(reply=reply)

    performed = await discord.connection.act(effect)

    assert await discord.whispered(discord.emulator.ann) == ["Flashbulb says so."]
    assert await discord.emulator.thinking() == []
    assert await discord.connection.look(effect) == performed


@pytest.mark.parametrize("where", ["a hidden channel", "a conversation of others", "a server without the bot"])
async def test_a_menu_is_answered_also_where_we_cannot_see_its_message(discord: Discord, where: str) -> None:
    emulator = discord.emulator
    channel = await emulator.converse([emulator.ann, emulator.bob]) if where == "a conversation of others" else emulator.pics
    message = await emulator.post(channel, emulator.bob, "look", [("cat.png", b"cat")])
    if where == "a hidden channel":
        await emulator.remove_bot(channel)
    if where == "a server without the bot":
        await emulator.leave(emulator.bot)

    await emulator.shortcut(channel, emulator.ann, message, "Tag image")
    asked = await emulator.wait_for(lambda: discord.accepted and discord.accepted[-1])
    effect = discord.post(place=asked.place.in_thread_of(message), about=message, reply=asked.reply)
    performed = await discord.connection.act(effect)

    assert performed.status == "done"
    assert await discord.shown(channel) == ["Flashbulb says so."]
    assert await emulator.thinking() == []


async def filled_in(discord: Discord, message: str) -> str:
    """Let Ann report a message; return the address of the reply to her form once it is deferred."""
    emulator, known = discord.emulator, len(discord.accepted)
    await emulator.shortcut(emulator.pics, emulator.ann, message, "Report to moderators")
    form = await emulator.wait_for(lambda: emulator.form(emulator.ann))
    await emulator.submit(emulator.ann, form["custom_id"], {"reason": "it is"})
    await emulator.wait_for(lambda: discord.accepted[known:])
    await emulator.wait_for(emulator.thinking)
    return discord.accepted[-1].reply
