"""Serves the understudy behind Gemini's wire format, and behind ModelsLab's: `python -m emulators.understudy`.

Prints one line, `READY http://127.0.0.1:PORT http://127.0.0.1:PORT/api`, and lives until SIGTERM or until its standard input
ends. Its parent holds the other end of that pipe, so it can never outlive its parent, however that one dies.
"""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from threading import Thread
from typing import Final

from emulators.gemini import ModelEmulator
from emulators.modelslab import ModelsLabEmulator
from emulators.understudy import MODEL_VERSION, answer

PICTURE_S: Final = 0.3
FILM_S: Final = 2.0


def main() -> None:
    """Read the command line and serve."""
    arguments = argparse.ArgumentParser(
        prog="emulators.understudy", description="Answers like Gemini and draws like ModelsLab."
    )
    arguments.add_argument("--port", type=int, default=0, help="of Gemini, at the loopback interface; 0 takes a free one")
    arguments.add_argument("--modelslab-port", type=int, default=0, help="of ModelsLab")
    given = arguments.parse_args()
    asyncio.run(serve(given.port, given.modelslab_port))


async def serve(port: int, modelslab_port: int) -> None:
    """Answer until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def stop_at_end_of_input() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        with suppress(RuntimeError):  # the loop is closed: a signal came first
            loop.call_soon_threadsafe(stop.set)

    # Without a journal: tests look at the requests, here they would pile up, pictures and all.
    async with (
        ModelEmulator(answer, port=port, model_version=MODEL_VERSION, journal=False) as model,
        ModelsLabEmulator(port=modelslab_port, work_s=PICTURE_S, film_s=FILM_S, label=True, journal=False) as maker,
    ):
        print(f"READY {model.base_url} {maker.base_url}", flush=True)
        # A thread, for an event loop can wait for pipes but not for every other kind of standard input.
        Thread(target=stop_at_end_of_input, daemon=True).start()
        await stop.wait()


if __name__ == "__main__":
    main()
