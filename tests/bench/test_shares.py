"""Samples of the main process are told apart by whose code runs."""

import sys
import threading
import types

import pytest

from bench.shares import part_of, threads_cpu_s


def called_from(*modules: str) -> types.FrameType:
    """Return a frame whose function, of the last module, was called from one of each module before."""
    frames: list[types.FrameType] = []
    code = "def call(rest):\n    return rest[0](rest[1:]) if rest else look()\n"
    spaces = [{"__name__": name, "look": lambda: frames.append(sys._getframe(1))} for name in modules]
    for space in spaces:
        exec(code, space)
    first, *rest = (space["call"] for space in spaces)
    first(rest)
    return frames[0]


@pytest.mark.parametrize(
    ("modules", "part"),
    [
        pytest.param(("handlers.uploads", "pipelines.models.models", "httpx2._client", "json"), "model client", id="library"),
        pytest.param(("bot.durable", "bot.storage.work", "sqlalchemy.engine"), "records", id="innermost-of-ours"),
        pytest.param(("asyncio.base_events", "json"), "event loop", id="nobody's"),
        pytest.param(("botanist", "json"), "event loop", id="only-alike"),
    ],
)
def test_a_sample_belongs_to_the_innermost_part(modules: tuple[str, ...], part: str) -> None:
    assert part_of(called_from(*modules)) == part


def test_the_time_of_other_threads_is_told_by_their_names() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="records-write_0")
    thread.start()
    try:
        used = threads_cpu_s()
    finally:
        stop.set()
        thread.join()

    assert used["records"] >= 0
