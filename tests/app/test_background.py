"""Work in the background: it outlives what goes wrong with it, ends with its block, and tells no content."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from bot.background import beside, repeating
from pipelines.errors import Unavailable


@pytest.mark.parametrize(
    ("problem", "logged"),
    [
        pytest.param(
            ValueError("canary"), {"event": "it.failed", "error": "ValueError", "log_level": "error"}, id="a-fault-of-ours"
        ),
        pytest.param(
            Unavailable("The maker"), {"event": "it.put_off", "service": "The maker", "log_level": "warning"}, id="an-outage"
        ),
    ],
)
async def test_a_look_that_goes_wrong_is_told_without_content_and_followed_by_the_next(
    problem: Exception, logged: dict[str, str]
) -> None:
    problems, seen = [problem], asyncio.Event()

    async def look() -> None:
        if problems:
            raise problems.pop()
        seen.set()

    with capture_logs() as logs:
        async with asyncio.timeout(5), beside(repeating("it", look, every_s=0)):
            await seen.wait()

    assert logs == [logged]


async def test_what_goes_on_beside_a_block_has_ended_when_that_ends_however_it_does() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    with suppress(KeyError):
        async with beside(work()):
            await begun.wait()
            raise KeyError

    assert ended.is_set()


async def test_work_that_fails_beside_a_block_is_told_without_content_and_the_block_goes_on() -> None:
    failing = asyncio.Event()

    async def work() -> None:
        failing.set()
        raise ValueError("canary")

    with capture_logs() as logs:
        async with beside(work()):
            await failing.wait()
        done = True

    assert done
    [said] = logs
    assert (said["event"], said["error"]) == ("background.failed", "ValueError")
    assert said["work"].endswith("work")
    assert "canary" not in str(said)
