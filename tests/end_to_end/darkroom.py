"""The emulated Discord server "Darkroom" as an end-to-end test sees it: what people do there, and what they read."""

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from emulators.discord import DiscordEmulator
from emulators.discord import messages as posting
from emulators.gemini import ModelEmulator
from emulators.modelslab import ModelsLabEmulator
from emulators.understudy import answer
from emulators.wire import Asked

Json = dict[str, Any]

CASE: Final = re.compile(r"case `([^`]+)`", re.IGNORECASE)
SECONDS: Final = 20.0  # for anything that a person waits for


class Darkroom:
    """Does things in the emulated server, and reads it by what is written there.

    Every violation is another one, and cards quote it: so each card is told from all others.
    """

    def __init__(self, discord: DiscordEmulator, models: ModelEmulator, maker: ModelsLabEmulator) -> None:
        self.discord = discord
        self.models = models
        self.maker = maker
        self.violations = _violations()

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a bot that serves here."""
        keys = {"GEMINI_API_KEY": "emulated", "GEMINI_BASE_URL": self.models.base_url}
        return {**self.discord.environment, **keys, **self.maker.environment}

    async def set_up(self, *, watched: tuple[str, ...], mode: str = "enforce") -> None:
        """Let the owner fill in the form of `/flashbulb setup`, with the moderators' channel for cases.

        It may be done again: what was said of an earlier time does not count.
        """
        discord, words = self.discord, f"**Watched:** {', '.join(f'<#{each}>' for each in watched)}\n"
        before = len(await self.all_whispered(discord.olga, words))
        await self.offered("flashbulb")
        await discord.command(discord.general, discord.olga, "flashbulb setup")
        form = await discord.wait_for(lambda: discord.form(discord.olga), SECONDS)
        chosen = {"watched": list(watched), "log_channel": [discord.moderators], "mode": [mode]}
        await discord.submit(discord.olga, form["custom_id"], chosen)

        async def confirmed() -> list[Json]:
            return (await self.all_whispered(discord.olga, words))[before:]

        await discord.wait_for(confirmed, SECONDS)

    async def offered(self, command: str) -> None:
        """Wait until the bot has registered a command."""
        world = self.discord.world
        await self.discord.wait_for(lambda: any(each["name"] == command for each in world.commands.get(None, ())), SECONDS)

    async def post_described(self, channel: str, user: str, name: str, data: bytes, alt_text: str, text: str = "") -> str:
        """Post a picture with a description, as people write one for those who cannot see it."""
        payload = {"content": text, "attachments": [{"id": 0, "filename": name, "description": alt_text}]}
        message = posting.compose(self.discord.world, channel, user, payload, [(name, data)])
        return str(posting.post(self.discord.world, message)["id"])

    def stands(self, channel: str, message: str) -> bool:
        return message in self.discord.world.messages[channel]

    async def gone(self, channel: str, message: str) -> None:
        """Wait until a message was taken out."""
        await self.discord.wait_for(lambda: not self.stands(channel, message), SECONDS)

    async def answered(self) -> None:
        """Wait until nobody reads any more that Flashbulb is thinking."""

        async def nobody_waits() -> bool:
            return not await self.discord.thinking()

        await self.discord.wait_for(nobody_waits, SECONDS)

    async def asked(self, words: str) -> None:
        """Wait until a model was asked about something that holds `words`."""
        await self.discord.wait_for(lambda: self.times_asked(words), SECONDS)

    def times_asked(self, words: str) -> int:
        return sum(any(words in text for text in own_texts(each)) for each in self.models.requests)

    async def said(self, channel: str, words: str) -> Json:
        """Wait for a message of the bot in a channel or thread that holds `words`."""
        return await self._first(lambda: self.all_said(channel, words))

    async def whispered(self, user: str, words: str) -> Json:
        """Wait for words that only one person sees."""
        return await self._first(lambda: self.all_whispered(user, words))

    async def all_said(self, channel: str, words: str) -> list[Json]:
        return [each for each in await self.discord.messages(channel) if posting.own(each) and words in words_of(each)]

    async def all_whispered(self, user: str, words: str) -> list[Json]:
        return [each for each in await self.discord.private(user) if words in words_of(each)]

    async def card(self, words: str) -> Json:
        """Wait for the card of a case."""
        return await self.said(self.discord.moderators, words)

    async def press(self, card: Json, user: str, label: str) -> None:
        """Press a button of a message by what stands on it."""
        [button] = [each for each in walk(card["components"]) if each.get("label") == label]
        await self.discord.press(card["channel_id"], card["id"], user, button["custom_id"])

    async def fill_in(self, user: str, values: Mapping[str, Any]) -> None:
        """Fill in the form that opens for somebody, and send it."""
        form = await self.discord.wait_for(lambda: self.discord.form(user), SECONDS)
        await self.discord.submit(user, form["custom_id"], values)

    async def _first(self, find: Callable[[], Awaitable[list[Json]]]) -> Json:
        found: list[Json] = await self.discord.wait_for(find, SECONDS)
        return found[0]


@asynccontextmanager
async def darkroom() -> AsyncIterator[Darkroom]:
    """Open the server, a model that goes by rules, and a maker who draws."""
    async with DiscordEmulator() as discord, ModelEmulator(answer=answer) as models, ModelsLabEmulator() as maker:
        yield Darkroom(discord, models, maker)


def own_texts(asked: Asked) -> Iterator[str]:
    """Yield the texts of a question, without what the same author had sent shortly before."""
    return (part for part in asked.parts if isinstance(part, str) and 'part id="earlier:' not in part)


def _violations() -> Iterator[str]:
    """Yield one test string after another for which a message is removed (docs/policy.md)."""
    kinds = ("HATE", "HARASSMENT", "VIOLENCE", "GORE", "SEXUAL", "ILLICIT", "SCAM_SPAM")
    for kind, severity, percent in itertools.product(kinds, (3, 4), range(85, 100)):
        yield f"FLASHBULB-TEST-{kind}-S{severity}-C{percent}"


def words_of(message: Json) -> str:
    """Return all texts of a message, without the marks that keep members' words from being markup."""
    inside = (each["content"] for each in walk(message["components"]) if "content" in each)
    return "\n".join([message["content"], *inside]).replace("\\", "")


def case_of(card: Json) -> str:
    """Return the id of a card's case, which its author's notice names too."""
    found = CASE.search(words_of(card))
    assert found, words_of(card)
    return found[1]


def pictures_of(message: Json) -> list[Json]:
    """Return the pictures that a message of the bot shows."""
    return [item for each in walk(message["components"]) for item in each.get("items", ())]


def labels_of(message: Json) -> list[str]:
    """Return what stands on the buttons of a message."""
    return [each["label"] for each in walk(message["components"]) if "label" in each]


def walk(components: list[Json]) -> Iterator[Json]:
    for each in components:
        yield each
        yield from walk(each.get("components", []))
