"""Lives of a bot on an emulated Discord, each of which ends where a test says, and what people do meanwhile."""

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from typing import Any, Final, Literal, Protocol

import yaml

from emulators.discord import Call
from emulators.discord.moderation import MEMBER_UPDATE
from emulators.wire import Asked
from pipelines.moderation.policies import preset_text
from tests.databases import Home
from tests.end_to_end import hurried_child
from tests.end_to_end.darkroom import SECONDS, Darkroom, Json, case_of, pictures_of, words_of
from tests.end_to_end.slack_team import picture_that_says
from tests.killing import death, kill, started

Point = Literal["arrived", "stored", "answered"]

SEND: Final = "POST /channels/{id}/messages"
DELETE: Final = "DELETE /channels/{id}/messages/{id}"
EDIT: Final = "PATCH /channels/{id}/messages/{id}"
TIME_OUT: Final = "PATCH /guilds/{id}/members/{id}"
MODEL: Final = "the model's answer"


class Deed(Protocol):
    """What people do, over which the bot may die."""

    async def do(self) -> None: ...

    def is_about(self, call: Call) -> bool: ...

    async def until_done(self) -> None: ...

    async def assert_done_once(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Death:
    """The bot dies when a call of `method` that is about the deed reaches `point`; with `where`, only in that channel."""

    method: str
    point: Point
    where: str = ""


@dataclass(slots=True)
class Lives:
    """One life of the bot after the other, and what was done meanwhile."""

    room: Darkroom
    home: Home
    deeds: list[Deed] = field(default_factory=list)

    async def begin(self, **rules: Any) -> None:
        """Set the server up, under the shipped policy with other `rules`."""
        self.home.data.mkdir(parents=True)
        policy = yaml.safe_load(preset_text("default")) | rules
        (self.home.data / "policy.yaml").write_text(yaml.safe_dump(policy))
        async with self.alive() as process:
            await self.room.set_up(watched=(self.room.discord.pics,))
            await end(process)

    async def die(self, deed: Deed, planned: Death) -> None:
        """Die over a deed, which may be one that an earlier life died over already."""
        async with self.alive() as process:
            await self.die_in(process, deed, planned)

    async def die_in(self, process: ForkServerProcess, deed: Deed, planned: Death) -> None:
        def killing(call: Call) -> bool:
            if planned.where not in call.path or not deed.is_about(call):
                return False
            kill(process)
            return True

        async def kill_over(asked: Asked) -> None:
            kill(process)

        if planned.method == MODEL:
            self.room.models.on_arrival = kill_over
        else:
            self.room.discord.at(planned.point, planned.method, killing)
        if deed not in self.deeds:
            self.deeds.append(deed)
        await deed.do()
        assert await death(process) == -signal.SIGKILL, f"not reached: {planned}"
        self.room.models.on_arrival = None
        self.room.discord.at(planned.point, planned.method, None)

    async def assert_all_is_done_once(self) -> None:
        """Let one more life finish everything, end it in peace, and look at what stands."""
        async with self.alive() as process:
            await self.until_done()
            await end(process)

        for deed in self.deeds:
            await deed.assert_done_once()

    async def until_done(self) -> None:
        for deed in self.deeds:
            await deed.until_done()

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[ForkServerProcess]:
        gateway = self.room.discord.gateway
        before = gateway.identifies
        async with started(hurried_child.run, self.home.data, self.home.url, self.room.environment) as process:
            await self.room.discord.wait_for(lambda: gateway.identifies > before, SECONDS)
            yield process


async def end(process: ForkServerProcess) -> None:
    process.terminate()
    assert await death(process) == 0


@dataclass(slots=True)
class TakenOut:
    """A newcomer posts what goes; `severity` 4 times them out as well. With `in_picture` it stands in a picture alone."""

    room: Darkroom
    severity: int = 3
    in_picture: bool = False
    author: str = ""
    message: str = ""
    name: str = ""
    words: str = ""

    async def do(self) -> None:
        discord = self.room.discord
        self.words = next(self.room.violations).replace("-S3-", f"-S{self.severity}-")
        self.name = f"newcomer {self.words[-3:]}"
        self.author = await discord.join(self.name)
        picture = [("photo.jpg", picture_that_says(self.words))] if self.in_picture else []
        self.message = await discord.post(discord.pics, self.author, "" if picture else self.words, picture)

    def is_about(self, call: Call) -> bool:
        said = f"{call.path} {json.dumps(call.arguments)}".replace("\\", "")
        return bool(self.message) and any(each in said for each in (self.message, self.author, f"**{self.name}**"))

    async def card(self) -> Json:
        return await self.room.card(f"**{self.name}**")

    async def until_done(self) -> None:
        await self.room.gone(self.room.discord.pics, self.message)
        await self.room.whispered(self.author, case_of(await self.card()))

    async def assert_done_once(self) -> None:
        discord, room = self.room.discord, self.room
        assert not room.stands(discord.pics, self.message)
        [card] = await room.all_said(discord.moderators, f"**{self.name}**")
        [told] = await room.all_whispered(self.author, "")
        assert len(pictures_of(card)) == self.in_picture
        times_out = [each for each in discord.world.audit if each["action_type"] == MEMBER_UPDATE]
        assert len([each for each in times_out if each["target_id"] == self.author]) == (self.severity == 4)
        assert ("cannot write here" in words_of(told)) is (self.severity == 4), words_of(told)
