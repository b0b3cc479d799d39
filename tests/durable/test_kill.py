"""Accepted means done: the process is killed at every point of an exchange, and nothing is lost and nothing doubled."""

import asyncio
import itertools
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from bot.storage.database import open_records
from bot.storage.seal import load_seal
from bot.storage.tables import now
from bot.storage.work import Work
from handlers.effects import Notify, Post
from handlers.events import MessagePosted, Person, Place
from tests.databases import Home
from tests.durable import child
from tests.killing import RANDOM_DEATHS, SEED, at_random_times, death, kill, killing, started
from tests.relay import Point, Relay

PLACE = Place(platform="relay", workspace="w1", channel="general")
ADA = Person(id="ada", name="Ada")

# Where the other side is killed, and at which visit: later ones leave more events behind in every state.
POINTS: tuple[tuple[Point, float | None, int], ...] = (
    ("question_arrived", None, 1),
    ("question_arrived", None, 3),
    ("question_answered", None, 1),
    ("question_answered", None, 2),
    ("effect_arrived", None, 1),
    ("effect_arrived", None, 4),
    ("effect_arrived", 1.0, 1),  # the platform carries it out after its sender has died
    ("effect_arrived", 1.0, 3),
    ("effect_stored", None, 1),
    ("effect_stored", None, 2),
    ("effect_answered", None, 1),
    ("effect_answered", None, 3),
)
# On Postgres, where a start takes longer.
EACH_ONCE = [each for each in POINTS if each[2] == 1]


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as running:
        yield running


@pytest.fixture
def messages() -> Iterator[MessagePosted]:
    """Return one message after another."""
    return (
        MessagePosted(key=f"relay:{number}", place=PLACE, author=ADA, message=f"m{number}", text=f"message {number}")
        for number in itertools.count(1)
    )


async def test_a_death_at_any_point_of_an_exchange_loses_and_doubles_nothing(
    home: Home, relay: Relay, messages: Iterator[MessagePosted]
) -> None:
    for point, late_s, visit in POINTS if home.url is None else EACH_ONCE:
        async with alive(home, relay) as process:
            relay.late_s = late_s
            relay.at(point, killing(process, visit))
            await relay.deliver(*some(messages))
            assert await death(process) == -signal.SIGKILL, f"{point} was not reached"
            relay.at(point, None)

    await assert_all_is_done_once(home, relay)


@at_random_times
async def test_deaths_at_random_times_lose_and_double_nothing(
    tmp_path: Path, relay: Relay, messages: Iterator[MessagePosted]
) -> None:
    dice = random.Random(SEED)
    home = Home(tmp_path / "data", None)

    for _ in range(RANDOM_DEATHS):
        async with alive(home, relay) as process:
            await relay.deliver(*some(messages))
            await asyncio.sleep(dice.uniform(0, 0.7))  # the time of death is what this test is about
            kill(process)
            assert await death(process) == -signal.SIGKILL

    await assert_all_is_done_once(home, relay)


def some(messages: Iterator[MessagePosted]) -> list[MessagePosted]:
    """Return three new messages, the second of which is delivered twice."""
    first, second, third = itertools.islice(messages, 3)
    return [first, second, second, third]


def alive(home: Home, relay: Relay) -> AbstractAsyncContextManager[ForkServerProcess]:
    return started(child.run, home.data, home.url, relay.url)


async def assert_all_is_done_once(home: Home, relay: Relay) -> None:
    """Let one more start finish everything, stop it in peace, and look at what the platform has."""
    keys = {delivery.event.key for delivery in relay.deliveries}
    wanted = {f"{key}#{what}" for key in keys for what in ("post", "notice")}
    async with alive(home, relay) as process:
        await relay.until(lambda: all(each.acknowledged for each in relay.deliveries))
        await relay.until(lambda: wanted <= relay.stored.keys())
        process.terminate()
        assert await death(process) == 0

    assert relay.stored.keys() == wanted
    assert [key for key, stored in relay.stored.items() if len(stored) != 1] == []
    assert [key for key in keys if len(said(relay, key)) != 1] == []
    seal = load_seal(home.data, None)
    async with open_records(home.data, home.url, seal=seal) as records:
        assert await Work(records, seal).unfinished(before=now()) == []


def said(relay: Relay, key: str) -> set[object]:
    """Return the answers that the effects of one event carry: more than one means that two plans were mixed."""
    effects = (*relay.stored[f"{key}#post"], *relay.stored[f"{key}#notice"])
    return {effect.answer for effect in effects if isinstance(effect, Post | Notify)}
