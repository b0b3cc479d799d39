"""Accepted means done, for the whole app: it is killed at every point of an exchange, and nothing is lost or doubled."""

import asyncio
import itertools
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from emulators.gemini import ModelEmulator
from emulators.understudy import answer
from emulators.wire import Asked
from handlers.events import MessagePosted, Person, Place
from tests.databases import Home, emptied
from tests.end_to_end import child
from tests.killing import RANDOM_DEATHS, SEED, at_random_times, death, kill, killing, started
from tests.relay import Point, Relay

PLACE = Place(platform="relay", workspace="w1", channel="general")

# What a message that must go leads to, by the ends of the effects' keys.
CONSEQUENCES = ("remove", "notice", "card")

RELAYED: tuple[Point, ...] = ("effect_arrived", "effect_stored", "effect_answered")


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as running:
        yield running


@pytest.fixture
async def vendor() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(answer=answer) as running:
        yield running


@pytest.fixture
def messages() -> Iterator[MessagePosted]:
    """Return one message after another that must be taken out."""
    return (
        MessagePosted(
            key=f"relay:{number}",
            place=PLACE,
            author=Person(id=f"ada-{number}", name="Ada"),  # so that nobody is timed out for the third one
            message=f"m{number}",
            text=f"FLASHBULB-TEST-HATE-S3-C95 {number}",
        )
        for number in itertools.count(1)
    )


async def test_a_death_at_any_point_of_an_exchange_loses_and_doubles_nothing(
    tmp_path: Path, relay: Relay, vendor: ModelEmulator, messages: Iterator[MessagePosted]
) -> None:
    await die_everywhere(Home(tmp_path / "data", None), relay, vendor, messages)


@pytest.mark.postgres
async def test_on_postgres_as_well(
    tmp_path: Path, postgres_url: str, relay: Relay, vendor: ModelEmulator, messages: Iterator[MessagePosted]
) -> None:
    await die_everywhere(Home(tmp_path / "data", emptied(postgres_url)), relay, vendor, messages)


@at_random_times
async def test_deaths_at_random_times_lose_and_double_nothing(
    tmp_path: Path, relay: Relay, vendor: ModelEmulator, messages: Iterator[MessagePosted]
) -> None:
    dice = random.Random(SEED)
    home = Home(tmp_path / "data", None)

    for _ in range(RANDOM_DEATHS):
        async with alive(home, relay, vendor) as process:
            await relay.deliver(*itertools.islice(messages, 2))
            await asyncio.sleep(dice.uniform(0, 2.5))  # the time of death is what this test is about
            kill(process)
            assert await death(process) == -signal.SIGKILL

    await assert_all_is_done_once(home, relay, vendor)


async def die_everywhere(home: Home, relay: Relay, vendor: ModelEmulator, messages: Iterator[MessagePosted]) -> None:
    async with alive(home, relay, vendor) as process:
        vendor.on_arrival = killer(process)
        await relay.deliver(*itertools.islice(messages, 2))
        assert await death(process) == -signal.SIGKILL, "the model was not asked"
        vendor.on_arrival = None
    async with alive(home, relay, vendor) as process:
        vendor.on_answered = killer(process)
        await relay.deliver(*itertools.islice(messages, 2))
        assert await death(process) == -signal.SIGKILL, "the model did not answer"
        vendor.on_answered = None
    for point in RELAYED:
        async with alive(home, relay, vendor) as process:
            relay.at(point, killing(process, 1))
            await relay.deliver(*itertools.islice(messages, 2))
            assert await death(process) == -signal.SIGKILL, f"{point} was not reached"
            relay.at(point, None)
    await assert_all_is_done_once(home, relay, vendor)


def alive(home: Home, relay: Relay, vendor: ModelEmulator) -> AbstractAsyncContextManager[ForkServerProcess]:
    return started(child.run, home.data, home.url, relay.url, vendor.base_url)


def killer(process: ForkServerProcess) -> Callable[[Asked], Awaitable[None]]:
    async def at(_: Asked) -> None:
        kill(process)

    return at


async def assert_all_is_done_once(home: Home, relay: Relay, vendor: ModelEmulator) -> None:
    """Let one more start finish everything, stop it in peace, and look at what the platform has."""
    keys = {delivery.event.key for delivery in relay.deliveries}
    wanted = {f"{key}#{what}" for key in keys for what in CONSEQUENCES}
    async with alive(home, relay, vendor) as process:
        await relay.until(lambda: all(each.acknowledged for each in relay.deliveries), seconds=60)
        await relay.until(lambda: wanted <= relay.stored.keys(), seconds=60)
        process.terminate()
        assert await death(process) == 0

    assert relay.stored.keys() == wanted
    assert [key for key, stored in relay.stored.items() if len(stored) != 1] == []
