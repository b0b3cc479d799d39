"""One bot on several platforms at once, with what `flashbulb emulate` prints as its `.env`."""

import asyncio
import base64
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from dotenv import dotenv_values

from bench.scenes import photo
from tests.end_to_end.bot import Bot
from tests.end_to_end.slack_team import picture_that_says
from tests.slack.receiving.bots import free_port

BAD = "FLASHBULB-TEST-HATE-S3-C95"
PATIENCE_S = 30.0
LOOK_AGAIN_S = 0.05
LAST_LINE = re.compile("/control/")


class Control:
    """An emulator in another process, driven through its control API."""

    def __init__(self, http: aiohttp.ClientSession, api_url: str) -> None:
        self._http = http
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(api_url))

    async def __call__(self, verb: str, **arguments: Any) -> Any:
        async with self._http.post(f"{self._origin}/control/{verb}", json=arguments) as answer:
            said = await answer.json()
            assert answer.status == 200, said
        return said["result"] if isinstance(said, dict) and set(said) == {"result"} else said

    async def ids(self) -> dict[str, str]:
        async with self._http.get(f"{self._origin}/control/ids") as answer:
            return dict((await answer.json())["ids"])


async def test_one_bot_serves_slack_by_socket_and_discord_and_another_slack_by_http(tmp_path: Path) -> None:
    async with emulated() as env, aiohttp.ClientSession() as http:
        printed = dotenv_values(stream=StringIO(env))
        slack, discord = (Control(http, printed[name] or "") for name in ("SLACK_API_URL", "DISCORD_API_URL"))
        ids = await discord.ids()
        async with Bot(_home(tmp_path / "both", env), {}) as bot:
            await bot.start()
            assert set((await bot.readiness())[1]) == {"console", "database", "discord", "slack"}
            await _both_platforms_work(slack, discord, ids)
            assert await slack("connections") == 2
            await bot.stop()

        address = f"127.0.0.1:{free_port()}"
        await slack("settings", http_url=f"http://{address}/slack/events")
        async with Bot(_home(tmp_path / "http", env), {"FLASHBULB_SLACK_HTTP": address}) as bot:
            await bot.start()
            await _both_platforms_work(slack, discord, ids)
            assert await slack("connections") == 0
            await bot.stop()


async def _both_platforms_work(slack: Control, discord: Control, ids: dict[str, str]) -> None:
    """Post a photo on both and have it tagged, and post what is against the rules."""
    fine, bad = _file("fine.jpg", photo(1, 800, 600)), _file("bad.jpg", picture_that_says(BAD))
    on_slack = await slack("post", channel="CPICS", user="UANN", files=[fine])
    on_discord = await discord("post", channel=ids["pics"], user=ids["ann"], files=[fine])
    await slack("shortcut", channel="CPICS", user="UBOB", message=on_slack, name="tag_message")
    await discord("shortcut", channel=ids["pics"], user=ids["bob"], message=on_discord, name="Tag image")
    await _until(lambda: slack("messages", channel="CPICS", thread=on_slack), "Tags for")
    await _until(lambda: discord("messages", channel=on_discord), "Tags for")

    told = len(await slack("private", user="UANN"))
    await slack("post", channel="CGENERAL", user="UANN", files=[bad])
    removed = await discord("post", channel=ids["general"], user=ids["ann"], files=[bad])
    await _until(lambda: _after(told, slack("private", user="UANN")), "Please delete your message")
    await _until(lambda: _standing(discord("messages", channel=ids["general"]), removed), "it is gone")


async def _after(number: int, messages: Any) -> Any:
    return (await messages)[number:]


async def _standing(messages: Any, message: str) -> str:
    return "it stands" if message in str(await messages) else "it is gone"


async def _until(look: Callable[[], Any], words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while words not in str(await look()):  # noqa: ASYNC110 - another process tells nobody when it changes
            await asyncio.sleep(LOOK_AGAIN_S)


@asynccontextmanager
async def emulated() -> AsyncIterator[str]:
    """Start `flashbulb emulate` on free ports; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("flashbulb")),
        "emulate",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    )
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not LAST_LINE.search(printed):
                printed += (await process.stdout.readline()).decode()
        yield printed
    finally:
        process.terminate()
        await process.communicate()


def _home(folder: Path, env: str) -> Path:
    """Return a new home's data folder, beside which the printed lines lie as `.env`."""
    folder.mkdir()
    (folder / ".env").write_text(env)
    return folder / "data"


def _file(name: str, data: bytes) -> dict[str, str]:
    return {"name": name, "base64": base64.b64encode(data).decode()}
