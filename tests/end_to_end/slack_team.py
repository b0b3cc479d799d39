"""An emulated Slack with a real Flashbulb in it, and what tests want to know of both."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bench.scenes import scene
from emulators.gemini import ModelEmulator
from emulators.slack import SlackEmulator
from emulators.understudy import answer
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import own_texts
from tests.media.samples import qr_code

Json = dict[str, Any]

# Slack waits for minutes before it sends an event again; tests do not.
RETRY_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The workspace `slack`, the model's `vendor`, and the `bot` that works in it. `data` is the bot's folder."""

    slack: SlackEmulator
    vendor: ModelEmulator
    bot: Bot
    data: Path

    async def set_up(self, log_channel: str, *, mode: str = "enforce") -> None:
        """Choose, as the workspace's owner, where cases are shown and whether actions are carried out; all is watched."""
        slack, before = self.slack, len(await self.slack.messages(log_channel))
        await slack.command(slack.general, slack.olga, "flashbulb", "setup")
        form = await slack.wait_for(lambda: slack.form(slack.olga), PATIENCE_S)
        await slack.submit(slack.olga, form["id"], {"watched": [], "log_channel": log_channel, "mode": mode})
        [said] = await self.until(lambda: self.said(log_channel, before), "set up")
        assert mode in said["text"]

    async def heard(self) -> None:
        """Return once everything that happened was acknowledged."""
        await self.slack.wait_for(lambda: all(each.acknowledged for each in self.slack.deliveries), PATIENCE_S)

    async def said(self, channel: str, after: int = 0, *, thread: str | None = None) -> list[Json]:
        """Return what the bot said there, beyond the first `after` messages."""
        return [each for each in (await self.slack.messages(channel, thread))[after:] if each["user"] == self.slack.bot]

    async def told(self, user: str, words: str) -> Json:
        """Return the newest thing that only `user` saw and that says `words`, once it is there."""
        found = await self.until(lambda: self.slack.private(user), words)
        return found[-1]

    async def answer(self, channel: str, thread: str, words: str = "Tags for") -> Json:
        """Return the bot's only answer in a thread, once it is there."""
        [said] = await self.until(lambda: self.said(channel, thread=thread), words)
        return said

    async def card(self, channel: str, message: str, log_channel: str) -> Json:
        """Return the only card of a message that was never edited, once it is there."""
        [card] = await self.until(
            lambda: self.said(log_channel), key=f"slack:{self.slack.team}:{channel}:{message}:0:posted#card"
        )
        return card

    async def until(self, messages: Callable[[], Any], words: str = "", *, key: str = "") -> list[Json]:
        """Return those of `messages` that say `words` and come from the effect `key`, once there are any."""

        async def found() -> list[Json]:
            return [each for each in await messages() if words in words_of(each) and key in keys_of(each)]

        return await self.slack.wait_for(found, PATIENCE_S)

    def questions(self, words: str) -> int:
        """Return how many questions to the model hold `words`."""
        return sum(any(words in text for text in own_texts(asked)) for asked in self.vendor.requests)


@asynccontextmanager
async def team_of(folder: Path, *, admin: bool = False, keyless: bool = False, **settings: str) -> AsyncIterator[Team]:
    """Start all three. With `admin`, the bot may delete what others wrote; `keyless`, it does with the understudy."""
    data = folder / "data"
    async with ModelEmulator(answer=answer) as vendor, SlackEmulator(ack_s=1.5, retry_waits_s=RETRY_WAITS_S) as slack:
        model = {} if keyless else {"GEMINI_API_KEY": "emulated", "GEMINI_BASE_URL": vendor.base_url}
        environment = slack.environment | model | settings
        if admin:
            environment["SLACK_ADMIN_USER_TOKEN"] = slack.admin_token
        async with Bot(data, environment) as bot:
            await bot.start()
            yield Team(slack=slack, vendor=vendor, bot=bot, data=data)
            if bot.alive:
                await bot.stop()


def picture_that_says(text: str, seed: int = 1) -> bytes:
    """Return a photo in which a QR code stands."""
    picture, out = scene(seed, 1000, 750), BytesIO()
    picture.paste(qr_code(text, 300), (80, 80))
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(data)).size


def words_of(message: Json) -> str:
    """Return all that a message says: its text and, as JSON, its blocks."""
    return f"{message['text']} {json.dumps(message.get('blocks'), ensure_ascii=False)}"


def keys_of(message: Json) -> str:
    """Return what tells which effect made a message: the key in its metadata, or the ids of its blocks."""
    carried = (message.get("metadata") or {}).get("event_payload", {}).get("key", "")
    return " ".join([carried, *(block.get("block_id", "") for block in message.get("blocks") or ())])


def effects_shown(slack: SlackEmulator) -> Counter[str]:
    """Return how often each effect's message stands anywhere, by its key (or the id of its block where it shows files)."""
    return Counter(
        carried
        for channel in slack.workspace.channels.values()
        for message in channel.messages.values()
        if message.get("user") == slack.bot
        for carried in keys_of(message).split()
        if carried.startswith(("slack:", "fb-"))
    )
