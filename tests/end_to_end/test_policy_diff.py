"""What `policy diff` says about stored findings is what the changed policy then does about the same content."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
import yaml

from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import SECONDS, Darkroom, darkroom, words_of
from tests.end_to_end.slack_team import PATIENCE_S, Team, keys_of, team_of

STRINGS: Final = tuple(
    f"FLASHBULB-TEST-{each}"
    for each in (
        "HATE-S1-C99",
        "HATE-S3-C60",
        "VIOLENCE-S2-C49",
        "VIOLENCE-S4-C96",
        "SEXUAL-S2-C50",
        "SEXUAL-S2-C70",
        "ILLICIT-S3-C84",
        "HARASSMENT-S1-C95",
        "HARASSMENT-S3-C90",
        "PRIVACY-S2-C60",
        "SCAM_SPAM-S4-C90",
        "GORE-S3-C85",
        "GORE-S3-C70",
        "GORE-S2-C55",
        "SELF_HARM-S3-C90-KDISTRESS",
        "SELF_HARM-S3-C90-KPROMOTION",
        "CHILD_SAFETY-S2-C50",
        "TAMPERING-S3-C80",
    )
)
FINE: Final = "nothing that a rule is against"

# Some gates are stricter than before and some laxer, and one category goes into shadow.
GATES: Final = {
    "flag": [{"severity": 2, "confidence": 0.6}],
    "hold": [{"severity": 2, "confidence": 0.8}, {"severity": 3, "confidence": 0.5}],
    "remove": [{"severity": 3, "confidence": 0.75}],
    "timeout": [{"severity": 4, "confidence": 0.95}],
}
CATEGORIES: Final = {
    "gore": {"mode": "shadow"},
    "harassment": {"flag": [{"severity": 1, "confidence": 0.9}]},
    "privacy": {"hold": [{"severity": 4, "confidence": 0.9}]},
}
INTO_SHADOW: Final = re.compile(r"^categories\.(\w+)\.mode: not named -> shadow$")

CALLED_FOR: Final = re.compile(r"The policy calls for more: (removed, its author paused|removed|held)")
TITLE: Final = re.compile(r"(Would be )?(removed, its author paused|removed|held|flagged)", re.IGNORECASE)
ACTIONS: Final = {"flagged": "flag", "held": "hold", "removed": "remove", "removed, its author paused": "timeout"}


@dataclass(frozen=True, slots=True)
class Done:
    """What was called for about a message, and whether it was done or only shown as what would be."""

    action: str
    shadow: bool = False

    @property
    def takes_down(self) -> bool:
        return not self.shadow and self.action in ("hold", "remove", "timeout")


def done_by(cards: list[str]) -> Done:
    """Read a message's only card; without one, nothing was done."""
    if not cards:
        return Done("allow")
    [card] = cards
    title = TITLE.search(card)
    assert title, card
    called_for = CALLED_FOR.search(card)
    return Done(ACTIONS[called_for[1] if called_for else title[2].lower()], shadow=bool(title[1]))


class Chat(Protocol):
    """A workspace that is set up to enforce."""

    bot: Bot
    workspace: str

    async def post(self, text: str) -> str: ...

    async def make_hold(self, policy: str) -> None: ...

    async def done(self, message: str) -> Done: ...

    async def stands(self, message: str) -> bool: ...


class OnDiscord:
    """Each message is a newcomer's, so that cards are told apart by whose they are."""

    def __init__(self, room: Darkroom, bot: Bot) -> None:
        self.room, self.bot = room, bot
        self.workspace = f"discord:{room.discord.world.guild['id']}"
        self._authors: dict[str, str] = {}

    async def post(self, text: str) -> str:
        discord, name = self.room.discord, f"newcomer-{len(self._authors)}."
        message = await discord.post(discord.general, await discord.join(name), text)
        self._authors[message] = name
        return message

    async def make_hold(self, policy: str) -> None:
        discord = self.room.discord
        await discord.command(discord.general, discord.olga, "flashbulb policy", values={"what": "edit"})
        form = await discord.wait_for(lambda: discord.form(discord.olga), SECONDS)
        await discord.submit(discord.olga, form["custom_id"], {"text1": policy})
        await self.room.whispered(discord.olga, "Version 1 of the policy holds now")

    async def done(self, message: str) -> Done:
        cards = await self.room.all_said(self.room.discord.moderators, f"**{self._authors[message]}**")
        return done_by([words_of(each) for each in cards])

    async def stands(self, message: str) -> bool:
        return self.room.stands(self.room.discord.general, message)


class OnSlack:
    """An admin's token lets the bot delete; nobody can be timed out, of which cards tell."""

    def __init__(self, team: Team) -> None:
        self.team, self.bot = team, team.bot
        self.workspace = f"slack:{team.slack.team}"

    async def post(self, text: str) -> str:
        slack = self.team.slack
        return await slack.post(slack.general, slack.ann, text)

    async def make_hold(self, policy: str) -> None:
        slack = self.team.slack
        await slack.command(slack.general, slack.olga, "flashbulb", "policy edit")
        form = await slack.wait_for(lambda: slack.form(slack.olga), PATIENCE_S)
        await slack.submit(slack.olga, form["id"], {"text1": policy})
        await self.team.told(slack.olga, "Version 1 of the policy holds now")

    async def done(self, message: str) -> Done:
        said = await self.team.said(self.team.slack.moderators)
        return done_by([each["text"] for each in said if f":{message}:" in keys_of(each)])

    async def stands(self, message: str) -> bool:
        slack = self.team.slack
        return message in [each["ts"] for each in await slack.messages(slack.general)]


@asynccontextmanager
async def on_discord(folder: Path) -> AsyncIterator[Chat]:
    async with darkroom() as room, Bot(folder / "data", room.environment) as bot:
        await bot.start()
        await room.set_up(watched=(room.discord.general,))
        yield OnDiscord(room, bot)
        await bot.stop()


@asynccontextmanager
async def on_slack(folder: Path) -> AsyncIterator[Chat]:
    async with team_of(folder, admin=True) as team:
        await team.set_up(team.slack.moderators)
        yield OnSlack(team)


@pytest.mark.parametrize("opened", [on_discord, on_slack], ids=["discord", "slack"])
async def test_what_diff_predicts_is_what_the_changed_gates_do(
    opened: Callable[[Path], AbstractAsyncContextManager[Chat]], tmp_path: Path
) -> None:
    async with opened(tmp_path) as chat:
        messages, before = await judged(chat, "look at {}", posted_before=0)
        old = yaml.safe_load((tmp_path / "data/policy.yaml").read_text())
        new = old | {"gates": GATES, "categories": old["categories"] | CATEGORIES}
        (tmp_path / "new.yaml").write_text(yaml.safe_dump(new))

        said = json.loads(await chat.bot.beside("policy", "diff", "0", "new.yaml", "--workspace", chat.workspace, "--json"))
        predicted = prediction(said, messages, before)
        await chat.make_hold((tmp_path / "new.yaml").read_text())
        _, after = await judged(chat, "and once more {} as before", posted_before=len(messages))

        assert said["looked_at"] == len(STRINGS)  # nothing is kept of what is fine
        assert after == predicted
        steps = {(each["from"], each["to"]) for each in said["changes"]}
        assert steps >= {("allow", "flag"), ("hold", "remove"), ("flag", "allow"), ("hold", "flag"), ("timeout", "remove")}
        assert len(said["changes"]) < len(STRINGS)
        holds = json.loads(await chat.bot.beside("policy", "show", "--workspace", chat.workspace, "--json"))
        assert holds["policy"] == said["new"]


async def judged(chat: Chat, around: str, *, posted_before: int) -> tuple[dict[str, str], dict[str, Done]]:
    """Post every string and a text that is fine; return each one's message, and what was done about it."""
    messages = {each: await chat.post(around.format(each)) for each in (*STRINGS, FINE)}
    await chat.bot.at_rest(messages=posted_before + len(messages))
    done = {each: await chat.done(message) for each, message in messages.items()}
    for each, message in messages.items():
        assert await chat.stands(message) is not done[each].takes_down, each
    return messages, done


def prediction(said: Mapping[str, Any], messages: Mapping[str, str], before: Mapping[str, Done]) -> dict[str, Done]:
    """Return what is to be done about each string after `policy diff`: what it lists, else the same as before.

    Of modes it says only that they differ: what is called for is then shown, and not done.
    """
    listed = {each["event"]: each for each in said["changes"]}
    modes = [found[1].upper() for each in said["differences"] if (found := INTO_SHADOW.match(each))]
    predicted = {}
    for string, message in messages.items():
        found = [listed.pop(event) for event in tuple(listed) if f":{message}:" in event]
        assert [each["from"] for each in found] in ([], [before[string].action]), string
        action = found[0]["to"] if found else before[string].action
        shadow = action != "allow" and any(f"-{mode}-" in string for mode in modes)
        predicted[string] = Done(action, shadow=shadow)
    assert not listed, "it lists what nobody posted"
    return predicted
