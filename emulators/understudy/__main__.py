"""Serves the understudy behind Gemini's wire format: `python -m emulators.understudy --port 0`.

Prints one line, `READY http://127.0.0.1:PORT`, and lives until SIGTERM or until its standard input ends. Its parent holds the
other end of that pipe, so it can never outlive its parent, however that one dies.
"""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from threading import Thread

from emulators.gemini import ModelEmulator
from emulators.understudy import MODEL_VERSION, answer


def main() -> None:
    """Read the command line and serve."""
    arguments = argparse.ArgumentParser(prog="emulators.understudy", description="Answers like Gemini, by plain rules.")
    arguments.add_argument("--port", type=int, default=0, help="of the loopback interface; 0 takes a free one")
    asyncio.run(serve(arguments.parse_args().port))


async def serve(port: int) -> None:
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
    async with ModelEmulator(answer, port=port, model_version=MODEL_VERSION, journal=False) as emulator:
        print(f"READY {emulator.base_url}", flush=True)
        # A thread, for an event loop can wait for pipes but not for every other kind of standard input.
        Thread(target=stop_at_end_of_input, daemon=True).start()
        await stop.wait()


if __name__ == "__main__":
    main()
