"""Flashbulb on an emulated Slack or Discord, as something to post to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
import yaml

from bench.gallery import Upload
from bench.running import Running, running
from emulators.discord import DiscordEmulator
from emulators.slack import SlackEmulator
from pipelines.moderation.policies import preset_text

PlatformName = Literal["discord", "slack"]
READY_S: Final = 30
MEMBERS: Final = 100
# The call that takes a message out.
REMOVAL: Final = {"discord": "DELETE /channels/{id}/messages/{id}", "slack": "chat.delete"}

Emulator = DiscordEmulator | SlackEmulator


@dataclass(slots=True)
class EmulatedChat:
    """One channel of an emulated workspace, in which members post in turn.

    What one member writes within half a minute is judged together, pictures too: those of a single one who posts everything
    would be sent to the model five times.
    """

    emulator: Emulator
    platform: PlatformName
    members: Sequence[str] = ()
    _posts: int = 0

    def on_action(self, tell: Callable[[str], None]) -> None:
        def told(message: str) -> bool:
            tell(message)
            return False  # nobody was killed

        if isinstance(self.emulator, DiscordEmulator):
            self.emulator.at("stored", REMOVAL["discord"], lambda call: told(call.path.rsplit("/", 1)[-1]))
        else:
            self.emulator.at("stored", REMOVAL["slack"], lambda call: told(str(call.arguments["ts"])))

    async def post(self, upload: Upload) -> str:
        who = self.members or (self.emulator.ann,)
        member = who[self._posts % len(who)]
        self._posts += 1
        return str(await self.emulator.post(self.emulator.pics, member, text=upload.text, files=upload.files()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A Flashbulb that is connected."""

    chat: EmulatedChat
    process: Running

    async def metrics(self) -> str:
        """Return what Prometheus would read."""
        async with aiohttp.ClientSession() as http, http.get(f"{_origin(self.process)}/metrics") as answer:
            answer.raise_for_status()
            return await answer.text()


@asynccontextmanager
async def flashbulb(
    platform: PlatformName,
    *,
    model_url: str,
    data: Path,
    sampled: Path | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Bot]:
    """Serve the platform in this process, and run Flashbulb on it in one of its own, with more `environment` if given."""
    write_patient_policy(data)
    emulator: Emulator = DiscordEmulator(journal=False) if platform == "discord" else SlackEmulator(journal=False)
    async with emulator:
        given = {**emulator.environment, "GEMINI_API_KEY": "any", "GEMINI_BASE_URL": model_url, **environment}
        if isinstance(emulator, SlackEmulator):  # without it nobody's messages can be taken out
            given["SLACK_ADMIN_USER_TOKEN"] = emulator.admin_token
        async with running(data, sampled=sampled, **given) as process:
            await _connected(process, platform)
            yield Bot(chat=EmulatedChat(emulator, platform, await _members(emulator)), process=process)


async def _members(emulator: Emulator) -> list[str]:
    """Have as many join as post in a busy channel within half a minute."""
    if isinstance(emulator, DiscordEmulator):
        return [await emulator.join(f"member{number}") for number in range(MEMBERS)]
    return [
        await emulator.add_user(f"UMEMBER{number}", f"member{number}", channels=(emulator.pics,)) for number in range(MEMBERS)
    ]


def write_patient_policy(data: Path) -> None:
    """Write the shipped policy without what protects a community from a bot that does too much, or from one member."""
    rules = yaml.safe_load(preset_text("default"))
    rules |= {"strikes": None, "raid": None, "automation_quota": {"remove_per_hour": 100_000}}
    data.mkdir(parents=True, exist_ok=True)
    (data / "policy.yaml").write_text(yaml.safe_dump(rules))


async def _connected(process: Running, platform: str) -> None:
    """Raises: `TimeoutError` where the platform is not connected to."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_S):
        while True:
            async with http.get(f"{_origin(process)}/readyz") as answer:
                if platform in await answer.text() and answer.status == 200:
                    return
            await asyncio.sleep(0.05)


def _origin(process: Running) -> str:
    parts = urlsplit(process.link)
    return f"{parts.scheme}://{parts.netloc}"
