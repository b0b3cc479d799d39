"""Every fault switch, and what the unmodified client makes of it."""

import asyncio
import time
from typing import Any

import aiohttp
import discord
import pytest

from emulators.discord import FAULTS, DiscordEmulator
from emulators.discord.faults import RETRY_AFTER_S
from tests.emulators.discord.client import Bot, running
from tests.emulators.discord.test_messages import PNG, a_channel, a_message

SEND = "POST /channels/{id}/messages"


def sends(emulator: DiscordEmulator) -> list[int | None]:
    return [call.status for call in emulator.calls if call.method == SEND]


@pytest.mark.parametrize("fault", ["error_500", "error_502", "error_504"])
async def test_the_client_repeats_after_a_server_error(discord_emulator: DiscordEmulator, bot: Bot, fault: str) -> None:
    discord_emulator.fault(fault, times=1, method=SEND)

    await a_channel(bot, discord_emulator.pics).send("once")

    assert sends(discord_emulator) == [FAULTS[fault].status, 200]
    assert len(await discord_emulator.messages(discord_emulator.pics)) == 1


async def test_503_is_not_repeated(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    discord_emulator.fault("error_503", times=1, method=SEND)

    with pytest.raises(discord.DiscordServerError):
        await a_channel(bot, discord_emulator.pics).send("x")

    assert sends(discord_emulator) == [503]


@pytest.mark.parametrize(("options", "stored"), [({}, 2), ({"nonce": "key", "enforce_nonce": True}, 1)], ids=["plain", "nonce"])
async def test_a_lost_answer_posts_twice_unless_there_is_a_nonce(
    discord_emulator: DiscordEmulator, bot: Bot, options: dict[str, Any], stored: int
) -> None:
    discord_emulator.fault("error_500_after_storing", times=1, method=SEND)
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=discord_emulator.pics)

    await bot.http.request(route, json={"content": "x", **options})

    assert sends(discord_emulator) == [500, 200]
    assert len(await discord_emulator.messages(discord_emulator.pics)) == stored


@pytest.mark.parametrize(("fault", "stored"), [("reset", 1), ("reset_after_storing", 1)])
async def test_a_reset_is_the_caller_s_to_repeat(discord_emulator: DiscordEmulator, bot: Bot, fault: str, stored: int) -> None:
    discord_emulator.fault(fault, times=1, method=SEND)
    channel = a_channel(bot, discord_emulator.pics)

    with pytest.raises(aiohttp.ClientOSError):
        await channel.send("x", nonce="key")
    await channel.send("x", nonce="key")

    assert sends(discord_emulator) == [None, 200]
    assert len(await discord_emulator.messages(discord_emulator.pics)) == stored


@pytest.mark.parametrize("fault", ["rate_limited", "rate_limited_globally"])
async def test_a_rate_limit_is_waited_out(discord_emulator: DiscordEmulator, bot: Bot, fault: str) -> None:
    discord_emulator.fault(fault, times=1, method=SEND)
    began = time.monotonic()

    await a_channel(bot, discord_emulator.pics).send("x")

    assert time.monotonic() - began >= RETRY_AFTER_S
    assert sends(discord_emulator) == [429, 200]


@pytest.mark.parametrize("fault", ["rate_limited_without_via", "rate_limited_as_page"])
async def test_a_rate_limit_of_another_kind_is_raised_at_once(discord_emulator: DiscordEmulator, bot: Bot, fault: str) -> None:
    discord_emulator.fault(fault, times=1)

    with pytest.raises(discord.HTTPException) as caught:
        await a_channel(bot, discord_emulator.pics).send("x")

    assert caught.value.status == 429


async def test_an_empty_bucket_delays_what_follows(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    discord_emulator.fault("bucket_empty", times=1, method=SEND)
    channel = a_channel(bot, discord_emulator.pics)
    began = time.monotonic()

    await channel.send("one")
    await channel.send("two")

    assert time.monotonic() - began >= RETRY_AFTER_S * 0.9


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param("missing_permissions", (403, 50013), id="permissions"),
        pytest.param("missing_access", (403, 50001), id="access"),
        pytest.param("unauthorized", (401, 0), id="token"),
    ],
)
async def test_a_refusal_names_its_code(
    discord_emulator: DiscordEmulator, bot: Bot, fault: str, error: tuple[int, int]
) -> None:
    message = await a_message(discord_emulator, bot)
    discord_emulator.fault(fault, method="DELETE /channels/{id}/messages/{id}")

    with pytest.raises(discord.HTTPException) as caught:
        await message.delete()
    assert (caught.value.status, caught.value.code) == error

    discord_emulator.clear_faults()
    await message.delete()


async def test_an_unknown_fault_is_named(discord_emulator: DiscordEmulator) -> None:
    with pytest.raises(KeyError, match="error_418"):
        discord_emulator.fault("error_418")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param("cdn_missing", discord.NotFound, id="missing"),
        pytest.param("cdn_forbidden", discord.Forbidden, id="forbidden"),
        pytest.param("cdn_truncated", aiohttp.ClientPayloadError, id="truncated"),
        pytest.param("cdn_huge_length", aiohttp.ClientPayloadError, id="huge"),
    ],
)
async def test_a_file_does_not_arrive(discord_emulator: DiscordEmulator, bot: Bot, fault: str, error: type[Exception]) -> None:
    message = await a_message(discord_emulator, bot, files=[("cat.png", PNG)])
    discord_emulator.fault(fault, times=1)

    with pytest.raises(error):
        await message.attachments[0].read()
    assert await message.attachments[0].read() == PNG


async def test_a_file_is_of_another_kind_or_elsewhere_or_slow(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, files=[("cat.png", PNG)])
    url = message.attachments[0].url
    async with aiohttp.ClientSession() as session:
        discord_emulator.fault("cdn_wrong_type", times=1)
        async with session.get(url) as response:
            assert (response.content_type, await response.read()) == ("text/html", PNG)
        discord_emulator.fault("cdn_redirect_private", times=1)
        async with session.get(url, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"][:23]) == (302, "http://169.254.169.254/")
        discord_emulator.fault("cdn_drip", times=1)
        async with session.get(url) as response:
            assert await response.content.readany() == PNG[:1]
        async with session.get(url.replace("hm=", "hm=0")) as response:
            assert response.status == 404


async def test_a_call_can_be_cut_off_at_each_point(discord_emulator: DiscordEmulator) -> None:
    seen: list[tuple[str, int]] = []

    def dies_once(point: str):
        def hook(call) -> bool:
            seen.append((point, len(discord_emulator.world.messages[discord_emulator.pics])))
            discord_emulator.at(point, SEND, None)
            return point != "answered"

        return hook

    for point in ("arrived", "stored", "answered"):
        discord_emulator.at(point, SEND, dies_once(point))
    async with running(discord_emulator) as bot:
        for _ in range(2):
            with pytest.raises(aiohttp.ClientOSError):
                await a_channel(bot, discord_emulator.pics).send("x", nonce="key")
        await a_channel(bot, discord_emulator.pics).send("x", nonce="key")

    assert seen == [("arrived", 0), ("stored", 1), ("answered", 1)]
    assert sends(discord_emulator) == [None, None, 200]
    with pytest.raises(ValueError, match="no such point"):
        discord_emulator.at("never", SEND, None)


async def test_waiting_in_vain_says_what_was_called(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    with pytest.raises(TimeoutError, match="GET /users/@me -> 200"):
        await discord_emulator.wait_for(lambda: None, seconds=0.01)


async def test_without_a_journal_no_call_is_kept() -> None:
    async with DiscordEmulator(journal=False) as emulator, running(emulator) as bot:
        await a_channel(bot, emulator.pics).send("x")

        assert emulator.calls == []


async def test_a_hundred_posts_cost_little(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    began = time.process_time()

    for number in range(200):
        await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, str(number), [("cat.png", PNG)])
        await asyncio.sleep(0)
    await discord_emulator.wait_for(lambda: len(bot.of("message")) == 200)

    assert time.process_time() - began < 2  # client included; measured 0.15 s
    assert len(discord_emulator.world.files.by_digest) == 1
