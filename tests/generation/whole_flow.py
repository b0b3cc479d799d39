"""A wish on its whole way, from the command to its last word, with our records and a real client at an emulator.

All waits are by the emulator's clock, which every wait advances, save for the timeouts of requests.
"""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr
from yarl import URL

from bot.downloads import Downloads, guarded_session
from bot.made_files import MadeFiles
from bot.platforms import HostedFiles
from bot.storage.database import open_records
from bot.storage.jobs import HELD_S, StoredJobs
from bot.storage.seal import Seal
from bot.storage.wishes import StoredWishes
from emulators.modelslab import ModelsLabEmulator
from emulators.modelslab.answers import INJECTED
from handlers.answers import Answer, Made, NotMade
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Make, Plan, Post
from handlers.events import ButtonPressed, CommandUsed, Place
from handlers.ports.generation import StoredJob
from handlers.ports.services import Services
from pipelines.content import Attachment
from pipelines.errors import Unavailable
from pipelines.generation.modelslab import ModelsLab
from pipelines.generation.modelslab_calls import Timeouts
from pipelines.generation.turns import Turns
from pipelines.generation.wish import SEED_MAX
from pipelines.media.intake import MediaReader
from pipelines.media.kinds import kind_of
from pipelines.media.sandbox import Sandbox
from tests.fakes import ADA, GENERAL, Known, ScriptedModel
from tests.generation.making_at import KEY, PATIENT, QUICK
from tests.media import samples

WORDS = "a red boat"
SLOTS = 5
PUT_OFF_S = 60.0
PUT_OFFS = 12  # as often as the engine takes something up again; here nothing is away for longer
OURS = GENERAL.tenant
SOURCE = Attachment(id="boat", url="test:boat.png", name="boat.png", media_type="image/png", size_bytes=3)
# What the maker knows and members never see: its addresses, and the prompts that it has rewritten.
THEIRS = ("generations/", "169.254", "file:///", INJECTED, "masterpiece", "HDR 4K")


class Hosted:
    """Whoever holds the picture that a remix begins with."""

    picture = samples.encoded(samples.plain(samples.RED, (420, 180)), "PNG")

    def has(self, url: str) -> bool:
        return url == SOURCE.url

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return self.picture


@dataclass(slots=True)
class Flow:
    """One bot at one maker, for one wish after the other. `said` is all that was said while something was made."""

    emulator: ModelsLabEmulator
    makers: dict[Timeouts, ModelsLab]
    known: Services
    model: ScriptedModel = field(default_factory=ScriptedModel)
    said: list[Answer] = field(default_factory=list)
    services: Services = field(init=False)
    _numbers: itertools.count = field(default_factory=itertools.count)

    def begin(self, *, impatient: bool) -> None:
        """Forget everything save for the records. `impatient`: where answers are slow on purpose."""
        self.emulator.reset()
        self.said.clear()
        self.model = ScriptedModel()
        self.known = replace(self.known, model=self.model, generator=self.makers[QUICK if impatient else PATIENT])
        self.start_again()

    def start_again(self) -> None:
        """Be as a new process: nothing is known but what is on record."""
        self.services = replace(self.known, turns=Turns(sleep=self.sleep, monotonic=self.emulator.clock.now_s))

    async def sleep(self, seconds: float) -> None:
        self.emulator.advance(seconds)
        await asyncio.sleep(0)

    async def say(self, place: Place, message: str, answer: Answer) -> None:
        self.said.append(answer)

    async def planned(self, *, count: int = 1, remix: bool = False) -> Make:
        """Ask for something; return what is to be made."""
        command = CommandUsed(
            key=f"test:{next(self._numbers)}",
            place=GENERAL,
            author=ADA,
            command="remix" if remix else "imagine",
            argument=f"{WORDS} --count {count}" if remix else f"{WORDS} --count {count} --ar 21:9",  # small
            attachments=(SOURCE,) if remix else (),
        )
        post, make = (await Planner(self.services).plan(command)).effects
        assert isinstance(post, Post)
        assert isinstance(make, Make)
        self.said.append(post.answer)
        return make.model_copy(update={"message": "m2"})

    async def made(self, make: Make) -> Plan:
        """Have it made at last: what is put off is taken up again, as the engine does it."""
        for _ in range(PUT_OFFS):
            try:
                return await Planner(self.services).make(make, self.say)
            except Unavailable:
                await self.sleep(PUT_OFF_S)
        raise AssertionError("it has no end")

    async def made_until(self, requests: int, make: Make, then: Callable[[asyncio.Future[Plan]], Awaitable[None]]) -> None:
        """Have it made, do something about that once the maker was asked so often, and wait until it has ended."""
        making = asyncio.ensure_future(Planner(self.services).make(make, self.say))
        asked = asyncio.ensure_future(self.emulator.wait_for(lambda: len(self.emulator.requests) >= requests, 60))
        await asyncio.wait((making, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not making.done():
            await then(making)
        await asyncio.wait((making, asked))
        if not making.cancelled() and not isinstance(making.exception(), Unavailable):
            making.result()

    async def cancel(self, make: Make) -> None:
        """Press the button that has it made no more."""
        press = ButtonPressed(
            key=f"test:{next(self._numbers)}", place=GENERAL, author=ADA, button="wish_cancel", value=make.wish, message="m2"
        )
        self.said += _answers((await Planner(self.services).plan(press)).effects)

    async def jobs(self, make: Make) -> tuple[StoredJob, ...]:
        return await self.services.jobs.of_wish(OURS, make.wish)

    async def last_word(self, make: Make, plan: Plan) -> Made | NotMade:
        """Return how it ended, once everything is certain that must hold however it ended."""
        words = [each for each in _answers(plan.effects) if isinstance(each, Made | NotMade)]
        assert len(words) == 1, f"it ends with {[each.kind for each in words]}"
        await self._look_at_files(make, plan, words[0])
        await self._look_at_submits(make)
        await self._look_at_slots()
        self._look_at_words(plan)
        return words[0]

    async def _look_at_files(self, make: Make, plan: Plan, word: Made | NotMade) -> None:
        """What was made is there and can be sent; nothing else is kept."""
        jobs, wishes = await self.jobs(make), self.services.wishes
        kept = {each.key: data for each in jobs if (data := await wishes.file(OURS, each.key)) is not None}
        wish = await wishes.find(OURS, make.wish)
        assert wish is not None
        assert kept.keys() == {f"{make.wish}:{each.position}:{each.attempt}" for each in wish.made}
        assert [kind_of(data) is not None for data in kept.values()] == [True] * len(kept)
        sent = [file for each in plan.effects for file in getattr(each, "files", ())]
        assert len(sent) == len(kept) == (len(word.items) if isinstance(word, Made) else 0)

    async def _look_at_submits(self, make: Make) -> None:
        """Each attempt on record was submitted once at most, none that is not, and nothing after one that is unclear."""
        jobs = await self.jobs(make)
        seeds = {_seed_of(each.key): each.key for each in jobs}
        submitted = [str(seeds.get(each.body.get("seed"), "one that is not on record")) for each in self.emulator.submits]
        assert sorted(submitted) == sorted(set(submitted) & set(seeds.values())), "something was submitted twice"
        assert {each.seed for each in self.emulator.jobs} <= seeds.keys() - {
            _seed_of(each.key) for each in jobs if each.state == "rejected"
        }, "there is a job that is said not to be"
        assert self.emulator.accepted <= len(seeds)
        for before, after in itertools.pairwise(jobs):
            same = before.key.rpartition(":")[0] == after.key.rpartition(":")[0]
            assert not (same and before.state == "unclear"), "something was submitted after an attempt that is unclear"
        assert not {each.state for each in jobs} & {"submitting", "running"}

    async def _look_at_slots(self) -> None:
        assert self.emulator.peak_in_flight <= SLOTS
        assert self.services.generator is not None
        self.emulator.advance(HELD_S + 1)
        assert await self.services.jobs.busy(self.services.generator.account) == 0

    def _look_at_words(self, plan: Plan) -> None:
        """Nobody reads the key, an address of the maker or a prompt that it has made up; and nobody else was asked."""
        said = plan.model_dump_json() + "".join(each.model_dump_json() for each in self.said)
        at = self.emulator.addresses
        for theirs in (KEY, at.origin, at.foreign, *THEIRS):
            assert theirs not in said
        assert self.emulator.foreign == []


def _answers(effects: Sequence[AnyEffect]) -> list[Answer]:
    return [each.answer for each in effects if getattr(each, "answer", None) is not None]  # type: ignore[union-attr]


def _seed_of(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % (SEED_MAX + 1)


@asynccontextmanager
async def a_flow(folder: Path) -> AsyncIterator[Flow]:
    """Open the bot on a folder, and the maker that it asks."""
    async with (
        open_records(folder, None) as records,
        Sandbox(workers=1) as sandbox,
        ModelsLabEmulator(key=KEY, slots=SLOTS) as emulator,
        guarded_session(emulator.base_url) as session,
    ):
        seal = Seal(Fernet.generate_key().decode())

        def clock() -> datetime:
            return datetime.fromtimestamp(emulator.clock.now_s(), UTC)

        async def sleep(seconds: float) -> None:
            await flow.sleep(seconds)

        wishes, jobs = StoredWishes(records, seal, clock=clock), StoredJobs(records, seal, clock=clock)
        makers = {
            timeouts: ModelsLab(
                key=SecretStr(KEY),
                base_url=emulator.base_url,
                max_in_flight=SLOTS,
                download=Downloads(session, allowed=lambda url: url.origin() == URL(emulator.origin), total_s=total_s).fetch,
                timeouts=timeouts,
                sleep=sleep,
                now=emulator.clock.now_s,
            )
            for timeouts, total_s in ((PATIENT, 30.0), (QUICK, 0.2))
        }
        files = HostedFiles([Hosted(), MadeFiles(wishes)])
        known = replace(Known().services, files=files, media=MediaReader(files, sandbox), wishes=wishes, jobs=jobs)
        async with makers[PATIENT], makers[QUICK]:
            flow = Flow(emulator, makers, known)
            yield flow
