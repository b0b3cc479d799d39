"""When to stop: at SIGTERM, or at Ctrl-C."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Yield an event that the first SIGTERM or SIGINT sets; a second one ends us at once, as it would without this."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave_the_rest_to_python() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)

    def first() -> None:
        stop.set()
        leave_the_rest_to_python()

    for number in SIGNALS:
        loop.add_signal_handler(number, first)
    try:
        yield stop
    finally:
        leave_the_rest_to_python()


async def until_told_to_stop() -> None:
    """Return at SIGTERM or Ctrl-C."""
    with stop_signals() as stop:
        await stop.wait()
