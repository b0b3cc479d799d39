"""The same verbs for other processes."""

import asyncio
import base64
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulators.discord import FAULTS, DiscordEmulator
from emulators.discord.control import VERBS, __doc__
from tests.emulators.discord.client import Bot
from tests.emulators.discord.test_messages import PNG, a_channel


@pytest.fixture
async def http(discord_emulator: DiscordEmulator):
    async with aiohttp.ClientSession(discord_emulator.origin + "/control/") as session:
        yield session


async def ask(http: aiohttp.ClientSession, verb: str, status: int = 200, **arguments: Any) -> Any:
    async with http.post(verb, json=arguments) as response:
        assert response.status == status, await response.text()
        body = await response.json()
    (name,) = body
    assert name == ("result" if status == 200 else "error")
    return body[name]


async def test_verbs_take_and_return_json(
    discord_emulator: DiscordEmulator, http: aiohttp.ClientSession, bot: Bot, tmp_path: Path
) -> None:
    async with http.get("ids") as response:
        known = await response.json()
    ids = known["ids"]
    (tmp_path / "b.png").write_bytes(PNG)
    files = [
        {"name": "a.png", "base64": base64.b64encode(PNG).decode()},
        {"name": "b.png", "path": str(tmp_path / "b.png")},
    ]

    posted = await ask(http, "post", channel=ids["pics"], user=ids["ann"], text="hi", files=files)

    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))
    (listed,) = await ask(http, "messages", channel=ids["pics"])
    assert [await each.read() for each in message.attachments] == [PNG, PNG]
    assert str(message.id) == posted == listed["id"]
    assert known["environment"] == discord_emulator.environment


async def test_calls_are_listed_from_a_number_on(
    discord_emulator: DiscordEmulator, http: aiohttp.ClientSession, bot: Bot
) -> None:
    before = len(discord_emulator.calls)
    await a_channel(bot, discord_emulator.pics).send("x")

    async with http.get("calls", params={"after": str(before)}) as response:
        answer = await response.json()

    (call,) = answer["calls"]
    assert answer["next"] == before + 1
    assert (call["method"], call["status"]) == ("POST /channels/{id}/messages", 200)
    assert call["arguments"]["content"] == "x"


async def test_faults_are_switched_and_explained(
    discord_emulator: DiscordEmulator, http: aiohttp.ClientSession, bot: Bot
) -> None:
    await ask(http, "fault", name="rate_limited", times=1)
    await a_channel(bot, discord_emulator.pics).send("x")
    async with http.get("faults") as response:
        explained = await response.json()

    assert [call.status for call in discord_emulator.calls[-2:]] == [429, 200]
    assert set(explained) == set(FAULTS)


async def test_a_process_is_killed_once_when_the_point_is_reached(
    discord_emulator: DiscordEmulator, http: aiohttp.ClientSession, bot: Bot
) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    try:
        await ask(http, "kill_at", point="stored", method="POST /channels/{id}/messages", pid=child.pid)

        with pytest.raises(aiohttp.ClientOSError):
            await a_channel(bot, discord_emulator.pics).send("x", nonce="key")
        await a_channel(bot, discord_emulator.pics).send("x", nonce="key")

        assert await asyncio.wait_for(child.wait(), 5) == -signal.SIGKILL
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert len(await discord_emulator.messages(discord_emulator.pics)) == 1


@pytest.mark.parametrize(
    ("verb", "arguments", "status"),
    [
        pytest.param("dance", {}, 404, id="unknown-verb"),
        pytest.param("post", {"channel": "1"}, 400, id="missing-argument"),
        pytest.param("delete", {"channel": "1000000000000000201", "message": "1"}, 400, id="refused-by-discord"),
        pytest.param("_message", {}, 404, id="not-a-verb"),
        pytest.param("fault", {"name": "none"}, 400, id="unknown-fault"),
        pytest.param("drop", {"kind": "none"}, 400, id="unknown-drop"),
    ],
)
async def test_mistakes_are_answered(http: aiohttp.ClientSession, verb: str, arguments: dict[str, Any], status: int) -> None:
    assert await ask(http, verb, status, **arguments)


def test_every_verb_is_documented() -> None:
    words = set(__doc__.replace(",", " ").replace(".", " ").split())

    assert words >= VERBS
