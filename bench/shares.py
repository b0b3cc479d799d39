"""What the bot's main process works for, sampled from within: run as `python bench/shares.py FILE run`.

A signal comes after every few milliseconds of the process's CPU time, whichever thread used it, and is handled by the thread of
the event loop. Where that is at work, the sample belongs to the innermost frame whose code is one of our parts, so that a
library counts for whoever called it. Where it waits, another thread was at work: those are told apart by the CPU time of each.
SIGUSR1 begins anew, so that the start does not count.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

EVERY_S: Final = 0.002  # of CPU time
WAITING: Final = ("selectors", "select")

# By the beginning of a module's name.
PARTS: Final = (
    ("pydantic_ai", "model client"),
    ("google.genai", "model client"),
    ("httpx2", "model client"),
    ("httpcore2", "model client"),
    ("pipelines.models", "model client"),
    ("pipelines.media", "media"),
    ("dbos", "engine"),
    ("bot.durable", "engine"),
    ("bot.perform", "engine"),
    ("bot.storage", "records"),
    ("discord", "platform"),
    ("slack_bolt", "platform"),
    ("slack_sdk", "platform"),
    ("bot.discord", "platform"),
    ("bot.slack", "platform"),
    ("bot.console", "console"),
    ("handlers", "deciding"),
    ("pipelines", "deciding"),
    ("bot", "rest"),
)
# By the beginning of a thread's name.
THREADS: Final = (("records-", "records"), ("engine-", "engine"), ("dbos", "engine"), ("Thread-", "engine"))


class Sampler:
    """Counts samples of the main thread by part, and the CPU time of the others."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._before: dict[str, float] = {}

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._begin_anew)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def shares(self) -> dict[str, float]:
        """Return the share of each part since the beginning, of 1."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        others = {name: used - self._before.get(name, 0) for name, used in threads_cpu_s().items()}
        waited = self._counts.pop("", 0)
        for name, used in others.items():
            self._counts[name] += round(waited * used / (sum(others.values()) or 1))
        total = sum(self._counts.values()) or 1
        return {part: count / total for part, count in self._counts.items() if count}

    def _begin_anew(self, *_: object) -> None:
        self._counts.clear()
        self._before = threads_cpu_s()

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self._counts[part_of(frame)] += 1


def part_of(frame: FrameType | None) -> str:
    """Return the part that the main thread works for, empty where it waits."""
    if frame is None or (frame.f_globals.get("__name__"), frame.f_code.co_name) == WAITING:
        return ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        for name, part in PARTS:
            if module == name or module.startswith(f"{name}."):
                return part
        frame = frame.f_back
    return "event loop"


def threads_cpu_s() -> dict[str, float]:
    """Return the CPU seconds of all threads but the main one, by part. Source: proc(5), /proc/pid/task/tid/stat."""
    used: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.native_id is None:
            continue
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rsplit(")", 1)[1].split()
        part = next((part for name, part in THREADS if thread.name.startswith(name)), f"thread {thread.name.split('_')[0]}")
        used[part] = used.get(part, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def main(result: Path, arguments: list[str]) -> None:
    """Run `flashbulb` with some arguments; when it ends, write the shares."""
    from bot.cli.commands import app

    sampler = Sampler()
    sampler.start()
    app(arguments, standalone_mode=False)
    result.write_text(json.dumps(sampler.shares()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
