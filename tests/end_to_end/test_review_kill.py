"""Decided means done, once: the bot is killed between what moderators decide on Discord and what follows from that."""

import json
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from emulators.discord import Call
from emulators.discord.moderation import BAN, MEMBER_UPDATE
from tests.databases import Home
from tests.end_to_end.darkroom import SECONDS, Darkroom, Json, case_of, darkroom, words_of
from tests.end_to_end.lives import DELETE, EDIT, SEND, TIME_OUT, Death, Lives, TakenOut

SHUT_OUT: Final = "PUT /guilds/{id}/bans/{id}"
APPEAL: Final = "I was only quoting"


@pytest.fixture
async def room() -> AsyncIterator[Darkroom]:
    async with darkroom() as opened:
        yield opened


@pytest.fixture
def lives(tmp_path: Path, room: Darkroom) -> Lives:
    return Lives(room, Home(tmp_path / "data", None))


@dataclass(slots=True)
class Reviewed(TakenOut):
    """A message is taken out, then people do something about its case; only over that the bot dies.

    `ids` are those of the case and of what else tells a call about it from others.
    """

    ids: list[str] = field(default_factory=list)
    begun: bool = False

    async def do(self) -> None:
        await TakenOut.do(self)
        await TakenOut.until_done(self)
        self.ids.append(case_of(await self.card()))
        await self.prepare()
        self.begun = True
        await self.decide()

    async def prepare(self) -> None:
        """Do what comes before it."""

    @abstractmethod
    async def decide(self) -> None: ...

    def is_about(self, call: Call) -> bool:
        said = f"{call.path} {json.dumps(call.arguments)}"
        return self.begun and (TakenOut.is_about(self, call) or any(each in said for each in self.ids))

    async def press(self, user: str, label: str) -> None:
        await self.room.press(await self.card(), user, label)

    async def card_says(self, words: str) -> None:
        async def says() -> bool:
            return words in words_of(await self.card())

        await self.room.discord.wait_for(says, SECONDS)

    async def backs(self) -> list[Json]:
        return await self.room.all_said(self.room.discord.pics, f"**{self.name}** wrote this")

    async def told(self, words: str) -> int:
        return len(await self.room.all_whispered(self.author, words))

    def audited(self, kind: int) -> int:
        return sum(each["action_type"] == kind and each["target_id"] == self.author for each in self.room.discord.world.audit)


@dataclass(slots=True)
class Restored(Reviewed):
    """A moderator puts a message back."""

    async def decide(self) -> None:
        await self.press(self.room.discord.mo, "Restore")

    async def until_done(self) -> None:
        await self.card_says("Restored by mo")
        await self.room.whispered(self.author, "put it back")

    async def assert_done_once(self) -> None:
        assert len(await self.backs()) == 1
        assert await self.told("put it back") == 1


@dataclass(slots=True)
class Undone(Restored):
    """Whoever put a message back takes it out again."""

    async def prepare(self) -> None:
        await Restored.decide(self)
        await Restored.until_done(self)
        self.ids += [each["id"] for each in await self.backs()]

    async def decide(self) -> None:
        await self.press(self.room.discord.mo, "Undo")

    async def until_done(self) -> None:
        await self.card_says("Waits for a decision")

    async def assert_done_once(self) -> None:
        assert await self.backs() == []
        assert await self.told(f"Case {self.ids[0]}") == 2  # each time that it was taken out


@dataclass(slots=True)
class Banned(Reviewed):
    """A moderator bans the author."""

    async def decide(self) -> None:
        await self.press(self.room.discord.mo, "Ban")
        await self.room.fill_in(self.room.discord.mo, {"sure": ["yes"]})

    async def until_done(self) -> None:
        await self.card_says("A moderator has banned its author.")

    async def assert_done_once(self) -> None:
        assert self.author in self.room.discord.world.bans
        assert self.audited(BAN) == 1
        assert await self.told("A moderator has shut you out") == 1


@dataclass(slots=True)
class Appealed(Reviewed):
    """The author, who is timed out, asks for another look."""

    severity: int = 4

    async def prepare(self) -> None:
        await self.press(self.room.discord.mo, "Keep removed")
        await self.card_says("Kept removed by mo")

    async def decide(self) -> None:
        notice = await self.room.whispered(self.author, f"Case {self.ids[0]}")
        await self.room.press(notice, self.author, "Appeal")
        await self.room.fill_in(self.author, {"text": APPEAL})

    async def until_done(self) -> None:
        await self.card_says(APPEAL)
        await self.room.discord.wait_for(self.alerts, SECONDS)
        await self.room.whispered(self.author, "Thank you. Another moderator looks at it")

    async def alerts(self) -> list[Json]:
        said = await self.room.all_said(self.room.discord.moderators, "An appeal waits")
        return [each for each in said if self.ids[0] in json.dumps(each["components"])]

    async def assert_done_once(self) -> None:
        assert len(await self.alerts()) == 1
        assert words_of(await self.card()).count(APPEAL) == 1
        assert await self.backs() == []


@dataclass(slots=True)
class Overturned(Appealed):
    """Another moderator grants the appeal."""

    async def prepare(self) -> None:
        await Appealed.prepare(self)
        await Appealed.decide(self)
        await Appealed.until_done(self)

    async def decide(self) -> None:
        await self.press(self.room.discord.olga, "Grant the appeal")

    async def until_done(self) -> None:
        await self.card_says("The appeal was granted by olga")
        await self.room.whispered(self.author, "your appeal was granted")

    async def assert_done_once(self) -> None:
        assert len(await self.backs()) == 1
        assert await self.told("your appeal was granted") == 1
        assert self.room.discord.world.members[self.author]["communication_disabled_until"] is None
        assert self.audited(MEMBER_UPDATE) == 2  # silenced, and no more


async def test_deaths_over_what_moderators_decide(lives: Lives, room: Darkroom) -> None:
    pics, moderators = room.discord.pics, room.discord.moderators
    await room.discord.set_permissions(allow=["ban_members"])
    await lives.begin()

    for point in ("arrived", "stored", "answered"):
        await lives.die(Restored(room), Death(SEND, point, pics))
    for point in ("arrived", "stored"):
        await lives.die(Banned(room), Death(SHUT_OUT, point))
    for point in ("arrived", "stored"):
        await lives.die(Undone(room), Death(DELETE, point, pics))
    await lives.die(Undone(room), Death(EDIT, "arrived", moderators))

    await lives.assert_all_is_done_once()


async def test_deaths_over_appeals(lives: Lives, room: Darkroom) -> None:
    pics, moderators = room.discord.pics, room.discord.moderators
    await lives.begin()

    await lives.die(Appealed(room), Death(EDIT, "arrived", moderators))
    await lives.die(Appealed(room), Death(SEND, "stored", moderators))
    await lives.die(Overturned(room), Death(SEND, "arrived", pics))
    await lives.die(Overturned(room), Death(SEND, "stored", pics))
    await lives.die(Overturned(room), Death(TIME_OUT, "stored"))

    await lives.assert_all_is_done_once()
