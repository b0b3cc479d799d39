"""Every event and answer that was measured: the emulator sends it, and the unmodified client parses it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import pytest
from discord import ui

from emulators.discord import DiscordEmulator
from tests.emulators.discord import samples
from tests.emulators.discord.client import INTENTS, running
from tests.emulators.discord.interactive import Interactive, Question
from tests.emulators.discord.test_messages import PNG

Act = Callable[[DiscordEmulator, Interactive], Awaitable[Any]]
CAT = [("cat.png", PNG)]
ALL = discord.Intents(INTENTS.value | discord.Intents(members=True).value)


async def script(interaction: discord.Interaction, *_: Any) -> None:
    """Open a form from a command and acknowledge everything else."""
    if interaction.type is discord.InteractionType.application_command and interaction.guild:
        await interaction.response.send_modal(Question())
    else:
        await interaction.response.defer()


async def upload(emulator: DiscordEmulator, bot: Interactive) -> str:
    return await emulator.post(emulator.pics, emulator.ann, "hi", CAT)


async def private_message(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.direct(emulator.ann, "hi", CAT)


async def webhook(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.post_as_webhook(emulator.pics, "proxy", "hi", CAT)


async def edit(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.edit(emulator.pics, await upload(emulator, bot), "better")


async def forward(emulator: DiscordEmulator, bot: Interactive) -> None:
    source = await upload(emulator, bot)
    await emulator.set_permissions(emulator.pics, deny=["view_channel"])
    await emulator.forward(emulator.general, emulator.bob, emulator.pics, source)


async def delete(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.delete(emulator.pics, await upload(emulator, bot))


async def delete_many(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.delete(emulator.pics, [await upload(emulator, bot) for _ in range(2)])


async def react(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.react(emulator.pics, emulator.bob, await upload(emulator, bot), "👀")


async def unreact(emulator: DiscordEmulator, bot: Interactive) -> None:
    message = await upload(emulator, bot)
    await emulator.react(emulator.pics, emulator.bob, message, "👀")
    await emulator.unreact(emulator.pics, emulator.bob, message, "👀")


async def time_out(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.timeout(emulator.mo, emulator.ann, 60, "r")


async def open_thread(emulator: DiscordEmulator, bot: Interactive) -> str:
    return await emulator.open_thread(emulator.pics, emulator.ann, await upload(emulator, bot), "t")


async def lock_thread(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.lock(await open_thread(emulator, bot))


async def delete_thread(emulator: DiscordEmulator, bot: Interactive) -> None:
    await bot.http.delete_channel(int(await open_thread(emulator, bot)))


async def leave(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.leave(emulator.bot)


async def slash(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.command(emulator.pics, emulator.ann, "imagine", "cat", CAT)


async def private_slash(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.command(emulator.world.direct(emulator.ann)["id"], emulator.ann, "imagine", "cat")


async def type_in(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.autocomplete(emulator.pics, emulator.ann, "imagine", "prompt", "cat")


async def menu(emulator: DiscordEmulator, bot: Interactive) -> None:
    await emulator.shortcut(emulator.pics, emulator.ann, await upload(emulator, bot), "Extract data")


async def press(emulator: DiscordEmulator, bot: Interactive) -> None:
    view = ui.View(timeout=None)
    view.add_item(ui.Button(label="Up", custom_id="up"))
    sent = await bot.get_channel(int(emulator.pics)).send("press", view=view)
    await emulator.press(emulator.pics, str(sent.id), emulator.ann, "up")


async def submit(emulator: DiscordEmulator, bot: Interactive) -> None:
    await slash(emulator, bot)
    await emulator.wait_for(lambda: emulator.form(emulator.ann))
    await emulator.submit(emulator.ann, "form:1", {"prompt": "neon", "style": ["neon"], "picture": CAT})


async def chunk(emulator: DiscordEmulator, bot: Interactive) -> None:
    await bot.guilds[0].chunk()


async def nothing(emulator: DiscordEmulator, bot: Interactive) -> None:
    """READY and the guild come by themselves."""


WHERE = {"channel_id": "4", "guild_id": "2"}
EVENTS = [
    pytest.param("READY", samples.READY, nothing, "ready", id="ready"),
    pytest.param("GUILD_CREATE", samples.GUILD_CREATE, nothing, "guild_available", id="guild"),
    pytest.param("GUILD_DELETE", {"id": "2"}, leave, "guild_remove", id="guild-removed"),
    pytest.param("GUILD_MEMBERS_CHUNK", samples.CHUNK, chunk, "ready", id="members"),
    pytest.param("MESSAGE_CREATE", samples.MESSAGE, upload, "message", id="message"),
    pytest.param("MESSAGE_CREATE", samples.PRIVATE_MESSAGE, private_message, "message", id="direct-message"),
    pytest.param("MESSAGE_CREATE", samples.WEBHOOK_MESSAGE, webhook, "message", id="webhook"),
    pytest.param("MESSAGE_CREATE", samples.FORWARD, forward, "message", id="forward"),
    pytest.param("MESSAGE_UPDATE", {**samples.MESSAGE, "edited_timestamp": "…"}, edit, "raw_message_edit", id="edit"),
    pytest.param("MESSAGE_DELETE", {"id": "1", **WHERE}, delete, "raw_message_delete", id="delete"),
    pytest.param("MESSAGE_DELETE_BULK", {"ids": ["1"], **WHERE}, delete_many, "raw_bulk_message_delete", id="bulk-delete"),
    pytest.param("MESSAGE_REACTION_ADD", samples.REACTION, react, "raw_reaction_add", id="reaction"),
    pytest.param("MESSAGE_REACTION_REMOVE", samples.REACTION, unreact, "raw_reaction_remove", id="reaction-gone"),
    pytest.param(
        "GUILD_MEMBER_UPDATE",
        {**samples.MEMBER, "guild_id": "2", "user": samples.USER, "communication_disabled_until": "…"},
        time_out,
        "member_update",
        id="timeout",
    ),
    pytest.param("GUILD_AUDIT_LOG_ENTRY_CREATE", samples.AUDIT_ENTRY, time_out, "audit_log_entry_create", id="audit"),
    pytest.param("THREAD_CREATE", {**samples.THREAD, "newly_created": True}, open_thread, "thread_create", id="thread"),
    pytest.param("THREAD_UPDATE", samples.THREAD, lock_thread, "raw_thread_update", id="thread-locked"),
    pytest.param(
        "THREAD_DELETE",
        {"id": "1", "guild_id": "2", "parent_id": "4", "type": 11},
        delete_thread,
        "raw_thread_delete",
        id="thread-gone",
    ),
    pytest.param("INTERACTION_CREATE", samples.SLASH, slash, "interaction", id="slash"),
    pytest.param("INTERACTION_CREATE", samples.PRIVATE_SLASH, private_slash, "interaction", id="direct-slash"),
    pytest.param("INTERACTION_CREATE", samples.TYPED, type_in, "interaction", id="autocomplete"),
    pytest.param("INTERACTION_CREATE", samples.MENU, menu, "interaction", id="menu"),
    pytest.param("INTERACTION_CREATE", samples.BUTTON, press, "interaction", id="button"),
    pytest.param("INTERACTION_CREATE", samples.SUBMITTED, submit, "interaction", id="form"),
]


@pytest.mark.parametrize(("event", "sample", "act", "parsed"), EVENTS)
async def test_the_event_is_sent_in_full_and_parsed(
    discord_emulator: DiscordEmulator, event: str, sample: dict[str, Any], act: Act, parsed: str
) -> None:
    async with running(discord_emulator, Interactive(script, intents=ALL, enable_debug_events=True)) as bot:
        await act(discord_emulator, bot)

        sent = await discord_emulator.wait_for(
            lambda: next(
                (
                    frame["d"]
                    for frame in map(json.loads, bot.of("socket_raw_receive"))
                    if frame["t"] == event and samples.holds(frame["d"], sample)
                ),
                None,
            ),
            seconds=5,
        )
        await discord_emulator.wait_for(lambda: bot.of(parsed))
    if sample in (samples.PRIVATE_MESSAGE, samples.PRIVATE_SLASH):
        assert not {"guild_id", "member"} & set(sent)
    if sample is samples.WEBHOOK_MESSAGE:
        assert "member" not in sent


@pytest.fixture
async def http(discord_emulator: DiscordEmulator):
    headers = {"Authorization": f"Bot {discord_emulator.environment['DISCORD_TOKEN']}"}
    async with aiohttp.ClientSession(discord_emulator.api_url + "/", headers=headers) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "sent", "status", "sample"),
    [
        pytest.param("GET users/@me", None, 200, samples.USER, id="me"),
        pytest.param("GET users/{ann}", None, 200, samples.USER, id="user"),
        pytest.param("GET oauth2/applications/@me", None, 200, samples.APPLICATION, id="application"),
        pytest.param(
            "GET gateway/bot", None, 200, {"url": "…", "shards": 1, "session_start_limit": {"total": 1}}, id="gateway"
        ),
        pytest.param(
            "PUT applications/{bot}/commands",
            [{"name": "Tag", "type": 3}],
            200,
            [{"id": "1", "application_id": "1", "description": ""}],
            id="commands",
        ),
        pytest.param("PUT applications/{bot}/guilds/{guild}/commands", [], 200, [], id="guild-commands"),
        pytest.param("POST channels/{pics}/messages", {"content": "x"}, 200, {"id": "1", "content": "x"}, id="send"),
        pytest.param("GET channels/{pics}/messages", None, 200, [samples.PRIVATE_MESSAGE], id="history"),
        pytest.param("GET channels/{pics}/messages/{message}", None, 200, samples.PRIVATE_MESSAGE, id="message"),
        pytest.param("DELETE channels/{pics}/messages/{message}", None, 204, None, id="delete"),
        pytest.param("PUT channels/{pics}/messages/{message}/reactions/%F0%9F%91%80/@me", None, 204, None, id="react"),
        pytest.param("DELETE channels/{pics}/messages/{message}/reactions", None, 204, None, id="clear"),
        pytest.param("POST channels/{pics}/messages/{message}/threads", {"name": "t"}, 201, samples.THREAD, id="thread"),
        pytest.param("POST channels/{pics}/threads", {"name": "t", "type": 11}, 201, samples.THREAD, id="bare-thread"),
        pytest.param("GET guilds/{guild}/threads/active", None, 200, {"threads": [], "members": []}, id="active"),
        pytest.param(
            "GET channels/{pics}/threads/archived/public", None, 200, {"threads": [], "has_more": False}, id="archived"
        ),
        pytest.param("GET channels/{pics}", None, 200, samples.CHANNEL, id="channel"),
        pytest.param("GET guilds/{guild}", None, 200, {"id": "1", "owner_id": "2", "roles": []}, id="guild"),
        pytest.param("GET guilds/{guild}/channels", None, 200, [samples.CHANNEL], id="channels"),
        pytest.param("GET guilds/{guild}/roles", None, 200, [{"id": "1", "permissions": "0"}], id="roles"),
        pytest.param("POST channels/{pics}/typing", None, 204, None, id="typing"),
        pytest.param(
            "POST users/@me/channels",
            {"recipient_id": 1000000000000000303},
            200,
            {"type": 1, "recipients": [samples.USER]},
            id="dm",
        ),
        pytest.param("GET guilds/{guild}/members/{ann}", None, 200, {**samples.MEMBER, "user": samples.USER}, id="member"),
        pytest.param("GET guilds/{guild}/audit-logs", None, 200, samples.AUDIT_LOG, id="audit"),
        pytest.param("GET guilds/{guild}/messages/search", None, 200, {"messages": [], "total_results": 1}, id="search"),
    ],
)
async def test_the_route_answers_in_full(
    discord_emulator: DiscordEmulator, http: aiohttp.ClientSession, method: str, sent: Any, status: int, sample: Any
) -> None:
    message = await upload(discord_emulator, None)
    ids = {name: getattr(discord_emulator, name) for name in ("ann", "bot", "guild", "pics")} | {"message": message}
    verb, path = method.format(**ids).split(" ")

    async with http.request(verb, path, json=sent) as response:
        body = await response.read()

    assert (response.status, response.headers.get("Content-Type") if body else None) == (
        status,
        None if sample is None else "application/json",
    )
    assert sample is None if not body else samples.holds(json.loads(body), sample)


async def test_an_unknown_route_is_not_found_and_not_forgiven(
    http: aiohttp.ClientSession, discord_emulator: DiscordEmulator
) -> None:
    async with http.get("guilds/1/vanity-url") as response:
        assert (response.status, await response.json()) == (404, {"code": 0, "message": "404: Not Found"})

    with pytest.raises(AssertionError, match="GET /guilds/1/vanity-url"):
        await discord_emulator.__aexit__(None, None, None)
    discord_emulator.unknown_routes.clear()


async def test_without_its_token_a_bot_is_nobody(discord_emulator: DiscordEmulator) -> None:
    async with aiohttp.ClientSession() as session, session.get(discord_emulator.api_url + "/users/@me") as response:
        assert response.status == 401
