"""Making pictures: what we add to the time of the model and the maker, and a crowd that wants more than there are slots.

The driver and the emulated Discord, model and maker are one process, so that all times are of one clock; Flashbulb is another.
Our time is what is left of a wish's once that is taken out in which the model was at work, by its own account: from a question
that has arrived to the last byte of its answer. The maker draws while it says that it works, so nobody waits for its drawing.
"""

import asyncio
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.chats import flashbulb
from bench.figures import Figure
from bench.load import percentile
from bench.model import LATENCY_S
from emulators import understudy
from emulators.discord import Call, DiscordEmulator
from emulators.gemini import ModelEmulator
from emulators.modelslab import Job, ModelsLabEmulator
from emulators.wire import Asked

ROUNDS: Final = 3
WISHES: Final = 30  # a round, one after the other
WARM_UP: Final = 3
CROWD: Final = 100
MEMBERS: Final = 10
SLOTS: Final = 5
WORK_S: Final = 0.5  # of the maker for one picture: longer than drawing one takes, and within the wait of a submit
PATIENCE_S: Final = 300.0
SUBMIT_BAR_MS: Final = 150.0
POST_BAR_MS: Final = 500.0
LEAD_BAR: Final = SLOTS + 1  # whoever comes first takes all slots, as nobody else is there

BUDGET: Final = "[budget]\nmember_per_day = 1000000\ncool_down_s = 0\nconfirm_above_usd = 1000000\n"
# How an answer to a command is changed: within its time, and afterwards.
EDITS: Final = ("PATCH /webhooks/{id}/{token}/messages/@original", "PATCH /channels/{id}/messages/{id}")
_WISH: Final = re.compile(r"lighthouse (\d+)")

Interval = tuple[float, float]


@dataclass(slots=True)
class Studio:
    """Discord with a bot that makes things. Times are in seconds since 1970, wishes are known by their number.

    `asked`: when the model was at work, by question. `posted`: when each picture stood in its message. `taken_up`: which have
    an answer, be it with a picture or not.
    """

    chat: DiscordEmulator
    maker: ModelsLabEmulator
    asked: list[Interval] = field(default_factory=list)
    posted: dict[int, float] = field(default_factory=dict)
    taken_up: set[int] = field(default_factory=set)
    _begun: dict[int, float] = field(default_factory=dict)
    _numbers: int = 0

    def listen(self, model: ModelEmulator) -> None:
        model.on_arrival, model.on_answered = self._on_arrival, self._on_answered
        for method in EDITS:
            self.chat.at("answered", method, self._on_edit)

    async def wish(self, member: str) -> tuple[int, float]:
        """Use the command as a member; return the number of the wish and when that was."""
        self._numbers += 1
        number, at = self._numbers, time.time()
        await self.chat.command(self.chat.pics, member, "imagine", values={"wish": f"a lighthouse {number} in a storm"})
        return number, at

    async def until_posted(self, numbers: Iterable[int], seconds: float = PATIENCE_S) -> None:
        """Raises: `TimeoutError` where a picture is not posted in time."""
        wanted = set(numbers)
        await self.chat.wait_for(lambda: wanted <= self.posted.keys(), seconds)

    def submits(self) -> Counter[int]:
        """Return how often each wish was submitted."""
        return Counter(number for each in self.maker.submits if (number := _number(each.body)) is not None)

    async def _on_arrival(self, asked: Asked) -> None:
        self._begun[id(asked)] = time.time()

    async def _on_answered(self, asked: Asked) -> None:
        self.asked.append((self._begun.pop(id(asked)), time.time()))

    def _on_edit(self, call: Call) -> bool:
        number = _number(call.arguments)
        if number is not None:
            self.taken_up.add(number)
        if call.files and number is not None:
            self.posted.setdefault(number, time.time())
        return False  # nobody was killed


async def generation(*, rounds: int = ROUNDS, wishes: int = WISHES, crowd: int = CROWD) -> list[Figure]:
    """Wishes one after the other in rounds, then `crowd` wishes at once."""
    submit_ms, post_ms, crowds = [], [], []
    for _ in range(rounds):
        async with _open_studio() as studio:
            times = await _one_by_one(studio, wishes)
            submit_ms.append([each * 1000 for each, _ in times])
            post_ms.append([each * 1000 for _, each in times])
        async with _open_studio() as studio:
            crowds.append(await _crowded(studio, crowd))
    return [
        *_times("from the command to the maker, without the model's time", submit_ms, SUBMIT_BAR_MS),
        *_times("from the finished job to the posted 1024 px picture, without the model's time", post_ms, POST_BAR_MS),
        *_of_crowds(crowds, crowd),
    ]


@asynccontextmanager
async def _open_studio() -> AsyncIterator[Studio]:
    """Run Flashbulb on an empty data folder at an account with few slots, and warm everything up."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "flashbulb.toml").write_text(f"[modelslab]\nmax_in_flight = {SLOTS}\n{BUDGET}")
        async with (
            ModelEmulator(understudy.answer, latency_s=LATENCY_S, journal=False) as model,
            ModelsLabEmulator(slots=SLOTS, work_s=WORK_S) as maker,
            flashbulb("discord", model_url=model.base_url, data=data, environment=maker.environment) as bot,
        ):
            chat = bot.chat.emulator
            assert isinstance(chat, DiscordEmulator)
            studio = Studio(chat, maker)
            studio.listen(model)
            await chat.wait_for(lambda: any(each["name"] == "imagine" for each in _commands(chat)))
            for _ in range(WARM_UP):
                number, _ = await studio.wish(chat.ann)
                await studio.until_posted([number])
            yield studio


def _commands(chat: DiscordEmulator) -> list[dict[str, object]]:
    return [each for registered in chat.world.commands.values() for each in registered]


async def _one_by_one(studio: Studio, count: int) -> list[tuple[float, float]]:
    """Return, by wish, the seconds until it was submitted and those from its result to the post, without the model's."""
    times = []
    for _ in range(count):
        number, at = await studio.wish(studio.chat.ann)
        await studio.until_posted([number])
        submitted = next(each.at_s for each in studio.maker.submits if _number(each.body) == number)
        ready = next(job.ends_s for job in studio.maker.jobs if _number(job.body) == number)
        posted = studio.posted[number]
        times.append((without(studio.asked, (at, submitted)), without(studio.asked, (ready, posted))))
    return times


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What became of many wishes at once. `doubled`: submits beyond one for each wish."""

    peak: int
    lost: int
    doubled: int
    took_s: float
    lead: int
    ranks: float


async def _crowded(studio: Studio, count: int) -> Crowd:
    """Have members wish for `count` pictures at once: all of one member's, then the next one's, as of some who flood.

    The maker answers nobody until all of them wait: else the first ones are done before the last ones have come.
    """
    going = asyncio.Event()

    async def wait(_: Job) -> None:
        await going.wait()

    studio.maker.on_submit_accepted = wait
    members = [await studio.chat.join(f"member{at}") for at in range(MEMBERS)]
    share = -(-count // MEMBERS)
    by = dict[int, str]()
    for at in range(count):
        number, _ = await studio.wish(members[at // share])
        by[number] = members[at // share]
    await studio.chat.wait_for(lambda: by.keys() <= studio.taken_up, PATIENCE_S)
    studio.maker.on_submit_accepted = None
    began = time.time()
    going.set()
    with suppress(TimeoutError):  # what is missing is counted
        await studio.until_posted(by)
    posted = sorted((at, number) for number, at in studio.posted.items() if number in by)
    order = [by[number] for _, number in posted]
    submits = studio.submits()
    return Crowd(
        peak=studio.maker.peak_in_flight,
        lost=count - len(posted),
        doubled=sum(submits[number] - 1 for number in by if submits[number] > 1),
        took_s=max((at for at, _ in posted), default=began) - began,
        lead=largest_lead(order),
        ranks=rank_spread(order),
    )


# --- Measures ---------------------------------------------------------------------------------------------------------------


def without(intervals: Sequence[Interval], within: Interval) -> float:
    """Return the seconds of `within` that lie in none of the intervals, which may overlap."""
    begin, end = within
    left, at = 0.0, begin
    for start, stop in sorted(intervals):
        if stop <= at or start >= end:
            continue
        left += max(0.0, start - at)
        at = max(at, min(stop, end))
    return left + end - at


def largest_lead(order: Sequence[str]) -> int:
    """Return by how many finished wishes one member was ever ahead of another; `order` is by whom each one was."""
    done = dict.fromkeys(order, 0)
    lead = 0
    for member in order:
        done[member] += 1
        lead = max(lead, max(done.values()) - min(done.values()))
    return lead


def rank_spread(order: Sequence[str]) -> float:
    """Return how far the members' mean places in the order lie apart, as a share of its length: 0 is fair, 1 is not."""
    places: dict[str, list[int]] = {}
    for place, member in enumerate(order):
        places.setdefault(member, []).append(place)
    means = [statistics.mean(each) for each in places.values()]
    return (max(means) - min(means)) / len(order) if means else 0.0


def _number(values: Mapping[str, object]) -> int | None:
    found = _WISH.search(json.dumps(values))
    return int(found[1]) if found else None


def _times(name: str, rounds: Sequence[Sequence[float]], bar: float) -> list[Figure]:
    p99 = percentile([each for one in rounds for each in one], 0.99)  # of all rounds: one alone has too few
    return [
        Figure(name=f"{name}, p50", unit="ms", values=tuple(percentile(each, 0.5) for each in rounds), bar=bar),
        Figure(name=f"{name}, p99", unit="ms", values=(p99,)),
    ]


def _of_crowds(crowds: Sequence[Crowd], count: int) -> list[Figure]:
    """The worst round counts where one may not be passed at all."""
    name = f"{count} wishes of {MEMBERS} members at once"
    return [
        Figure(
            name=f"{name}: jobs at the maker at most", unit="", values=(float(max(each.peak for each in crowds)),), bar=SLOTS
        ),
        Figure(name=f"{name}: without a picture", unit="", values=(float(sum(each.lost for each in crowds)),), bar=0),
        Figure(name=f"{name}: submitted twice", unit="", values=(float(sum(each.doubled for each in crowds)),), bar=0),
        Figure(name=f"{name}: all posted after", unit="s", values=tuple(each.took_s for each in crowds)),
        Figure(
            name=f"{name}: largest lead of a member",
            unit="wishes",
            values=tuple(float(each.lead) for each in crowds),
            bar=LEAD_BAR,
        ),
        Figure(name=f"{name}: mean places apart", unit="%", values=tuple(100 * each.ranks for each in crowds)),
    ]
