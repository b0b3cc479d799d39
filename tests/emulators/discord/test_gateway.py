"""Connections that break in every way, and what the unmodified client makes of it."""

import asyncio
import time

import aiohttp
import discord
import pytest

from emulators.discord import DiscordEmulator, gateway
from emulators.discord.state import APPLICATION
from tests.emulators.discord.client import INTENTS, Bot, aimed_at, running


async def post(emulator: DiscordEmulator, text: str) -> None:
    await emulator.post(emulator.general, emulator.ann, text)


async def texts(emulator: DiscordEmulator, bot: Bot, count: int) -> list[str]:
    """Wait until the client has seen `count` messages and return them all."""
    await emulator.wait_for(lambda: len(bot.of("message")) >= count)
    return [each.content for each in bot.of("message")]


async def start(emulator: DiscordEmulator, bot: Bot) -> None:
    with aimed_at(emulator):
        async with bot:
            await bot.start(emulator.environment["DISCORD_TOKEN"])


async def test_it_comes_up_with_its_guild(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    (guild,) = bot.guilds

    assert {each.name for each in guild.text_channels} == {"general", "pics", "moderators"}
    assert (guild.me.name, str(guild.owner_id)) == ("flashbulb", discord_emulator.olga)
    assert not guild.default_role.permissions.manage_messages
    assert guild.me.guild_permissions.value & 1425929268416 == 1425929268416
    assert [call.method for call in discord_emulator.calls] == ["GET /users/@me", "GET /oauth2/applications/@me"]


@pytest.mark.parametrize("kind", ["4000", "op7", "op9_true", "abort"])
async def test_a_broken_connection_resumes_and_loses_nothing(discord_emulator: DiscordEmulator, bot: Bot, kind: str) -> None:
    await post(discord_emulator, "before")
    assert await texts(discord_emulator, bot, 1) == ["before"]

    await discord_emulator.drop(kind)
    await post(discord_emulator, "meanwhile")
    await discord_emulator.wait_for(lambda: bot.of("resumed"))
    await post(discord_emulator, "after")

    assert await texts(discord_emulator, bot, 3) == ["before", "meanwhile", "after"]
    assert (discord_emulator.gateway.identifies, discord_emulator.gateway.resumes) == (1, 1)


async def test_an_ended_session_loses_the_gap(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.drop("op9_false")
    await post(discord_emulator, "meanwhile")
    await discord_emulator.wait_for(lambda: len(bot.of("ready")) == 2)
    await post(discord_emulator, "after")

    assert await texts(discord_emulator, bot, 1) == ["after"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param("4004", discord.ConnectionClosed, id="bad-token"),
        pytest.param("4013", discord.ConnectionClosed, id="bad-intents"),
        pytest.param("4014", discord.PrivilegedIntentsRequired, id="refused-intents"),
    ],
)
async def test_a_final_close_code_ends_the_client(discord_emulator: DiscordEmulator, kind: str, error: type[Exception]) -> None:
    bot = Bot()
    task = asyncio.create_task(start(discord_emulator, bot))
    await discord_emulator.wait_for(lambda: bot.of("ready"))

    await discord_emulator.drop(kind)

    with pytest.raises(error):
        await task


async def test_intents_that_are_switched_off_are_refused(discord_emulator: DiscordEmulator) -> None:
    await discord_emulator.set_intents(message_content=False)

    with pytest.raises(discord.PrivilegedIntentsRequired):
        await start(discord_emulator, Bot())

    await discord_emulator.set_intents(message_content=True)
    async with running(discord_emulator) as bot:
        assert bot.application_flags.gateway_message_content_limited


async def test_a_wrong_token_is_refused(discord_emulator: DiscordEmulator) -> None:
    with aimed_at(discord_emulator), pytest.raises(discord.LoginFailure):
        async with Bot() as bot:
            await bot.login("wrong")


async def test_a_zombie_is_left_and_resumed(discord_emulator: DiscordEmulator) -> None:
    async with (
        DiscordEmulator(heartbeat_ms=50) as emulator,
        running(emulator, Bot(heartbeat_timeout=0.3)) as bot,
    ):
        await emulator.drop("zombie")
        await post(emulator, "unheard")

        assert await texts(emulator, bot, 1) == ["unheard"]
        assert emulator.gateway.resumes == 1


async def test_unanswered_heartbeats_end_the_connection(discord_emulator: DiscordEmulator) -> None:
    async with (
        DiscordEmulator(heartbeat_ms=50) as emulator,
        running(emulator, Bot(heartbeat_timeout=0.3)),
    ):
        emulator.fault("no_acks")
        await emulator.wait_for(lambda: emulator.gateway.resumes)
        emulator.clear_faults()


async def test_a_heartbeat_is_answered_as_late_as_by_a_network(discord_emulator: DiscordEmulator) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(discord_emulator.gateway_url) as socket:
        await socket.receive_json()
        before = time.monotonic()
        await socket.send_json({"op": 1, "d": None})

        assert (await socket.receive_json())["op"] == 11
        assert time.monotonic() - before >= gateway.ACK_AFTER_S >= 0.02


async def test_a_refused_handshake_is_tried_again(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    discord_emulator.fault("refuse_handshake", times=1)

    await discord_emulator.drop("abort")
    await post(discord_emulator, "meanwhile")

    assert await texts(discord_emulator, bot, 1) == ["meanwhile"]
    assert discord_emulator.gateway.connects == 3


async def test_a_gateway_that_is_down_at_the_start_ends_the_client(discord_emulator: DiscordEmulator) -> None:
    discord_emulator.fault("refuse_handshake")

    with pytest.raises(AttributeError, match="sequence"):
        await start(discord_emulator, Bot())


async def test_resumes_that_are_closed_repeat_at_once(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    discord_emulator.fault("close_resumes", times=20)

    await discord_emulator.drop("abort")
    await post(discord_emulator, "at last")

    assert await texts(discord_emulator, bot, 1) == ["at last"]
    assert discord_emulator.gateway.resumes == 21


async def test_a_malformed_event_ends_the_client(discord_emulator: DiscordEmulator) -> None:
    bot = Bot()
    task = asyncio.create_task(start(discord_emulator, bot))
    await discord_emulator.wait_for(lambda: bot.of("ready"))
    discord_emulator.fault("malformed_dispatch", times=1, method="MESSAGE_CREATE")

    await post(discord_emulator, "?")

    with pytest.raises((TypeError, KeyError)):
        await task


async def test_events_come_twice_or_in_another_order(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    discord_emulator.fault("duplicate_dispatch", times=1, method="MESSAGE_CREATE")
    await post(discord_emulator, "one")
    discord_emulator.fault("out_of_order", times=1, method="MESSAGE_CREATE")
    await post(discord_emulator, "two")
    await post(discord_emulator, "three")

    assert await texts(discord_emulator, bot, 4) == ["one", "one", "three", "two"]


async def test_compressed_frames_are_read(discord_emulator: DiscordEmulator) -> None:
    async with DiscordEmulator(compress=True) as emulator, running(emulator) as bot:
        await post(emulator, "squeezed")

        assert await texts(emulator, bot, 1) == ["squeezed"]


async def test_members_come_in_a_chunk_and_with_their_events(discord_emulator: DiscordEmulator) -> None:
    intents = discord.Intents(INTENTS.value | discord.Intents(members=True).value)
    async with running(discord_emulator, Bot(intents=intents)) as bot:
        await bot.guilds[0].chunk()
        joined = await discord_emulator.join("cleo", ["manage_messages"])
        await discord_emulator.leave(discord_emulator.bob)

        await discord_emulator.wait_for(lambda: bot.of("member_join") and bot.of("member_remove"))
        assert {each.name for each in bot.guilds[0].members} == {"flashbulb", "olga", "mo", "ann", "otherbot", "cleo"}
        assert bot.guilds[0].get_member(int(joined)).guild_permissions.manage_messages


async def test_only_asked_for_and_visible_events_arrive(discord_emulator: DiscordEmulator) -> None:
    async with running(discord_emulator, Bot(intents=discord.Intents(guilds=True, guild_messages=True))) as bot:
        await discord_emulator.remove_bot(discord_emulator.pics)
        hidden = await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "unseen")
        shown = await discord_emulator.post(discord_emulator.general, discord_emulator.ann, "seen")
        await discord_emulator.react(discord_emulator.general, discord_emulator.bob, shown, "👀")
        await discord_emulator.post(discord_emulator.general, discord_emulator.bob, "last")
        await texts(discord_emulator, bot, 2)

        assert next(each.id for each in bot.of("message")) == int(shown)
        assert not bot.of("raw_reaction_add")
        with pytest.raises(discord.Forbidden) as caught:
            await bot.get_channel(int(discord_emulator.pics)).fetch_message(int(hidden))
        assert caught.value.code == 50001


async def test_a_sharded_client_comes_up(discord_emulator: DiscordEmulator) -> None:
    class Sharded(Bot, discord.AutoShardedClient):
        """The same bot with shards."""

    async with running(discord_emulator, Sharded()) as bot:
        await post(discord_emulator, "hello")

        assert await texts(discord_emulator, bot, 1) == ["hello"]
        assert next(iter(discord_emulator.gateway.sessions.values())).shard == [0, 1]


async def test_being_removed_from_the_guild_is_told(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.leave(APPLICATION)

    await discord_emulator.wait_for(lambda: bot.of("guild_remove"))
    assert list(bot.guilds) == []


async def test_an_outage_of_the_guild_is_told(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.outage()
    await discord_emulator.wait_for(lambda: bot.of("guild_unavailable"))
    await discord_emulator.outage(over=True)

    await discord_emulator.wait_for(lambda: len(bot.of("guild_available")) == 2)


async def test_what_left_the_replay_buffer_is_lost(
    discord_emulator: DiscordEmulator, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "BUFFER_EVENTS", 5)
    discord_emulator.fault("refuse_handshake", times=1)
    await discord_emulator.drop("abort")
    await discord_emulator.wait_for(lambda: not discord_emulator.gateway.connections)

    for number in range(12):
        await post(discord_emulator, str(number))
    await discord_emulator.wait_for(lambda: len(bot.of("ready")) == 2)
    await post(discord_emulator, "after")

    assert await texts(discord_emulator, bot, 1) == ["after"]
