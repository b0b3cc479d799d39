"""What moderating costs: the time that is added to the model's own, copies of one picture, and CPU by part."""

import json
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.chats import Bot, flashbulb
from bench.figures import Figure
from bench.gallery import Upload, talk, uploads
from bench.load import offer
from bench.model import Model, open_model
from bench.scenes import photo
from bench.uploads import LOADS, compare, judged

ROUNDS: Final = 2
COPIES: Final = 200
COPIES_PER_S: Final = 10.0
MINUTE_S: Final = 60.0
EVENTS: Final = {"text": 300, "1 MP picture": 100}
PER_S: Final = 8.0
WARM_UP: Final = 12
WARM_UP_SEED: Final = 1_000_000  # other texts than those that are measured, which would be known else


async def moderation() -> list[Figure]:
    """The design's bars for added latency and for 200 copies, and CPU per event that is fine with the share of each part."""
    alone = [replace(load, counts={}, times={}) for load in LOADS]
    latency = [each for each in await compare("discord", loads=alone, rounds=ROUNDS) if "added to the model" in each.name]
    async with open_model() as model:
        copies = await _copies(model)
        with tempfile.TemporaryDirectory() as folder:
            pictures = _pictures(Path(folder), EVENTS["1 MP picture"])
            cpu = [
                *await _cpu("text", talk(EVENTS["text"], acts_every=EVENTS["text"]), model),
                *await _cpu("1 MP picture", pictures, model),
            ]
    return [*latency, *copies, *cpu]


async def _copies(model: Model) -> list[Figure]:
    """Post copies of one picture: each is acted upon, and the model is asked once."""
    copies = uploads("1 MP picture", [7_000_000]) * COPIES
    with tempfile.TemporaryDirectory() as folder:
        async with flashbulb("discord", model_url=model.url, data=Path(folder) / "data") as bot:
            model.forget()
            timeline = await offer(bot.chat, copies, per_s=COPIES_PER_S)
    took_s = max(timeline.acted.values()) - min(timeline.posted.values())
    return [
        Figure(name=f"{COPIES} copies: questions to the model", unit="", values=(float(model.asked),), bar=1),
        Figure(name=f"{COPIES} copies: actions", unit="", values=(float(len(timeline.acted)),), at_least=COPIES),
        Figure(name=f"{COPIES} copies: from the first upload to the last action", unit="s", values=(took_s,), bar=MINUTE_S),
    ]


async def _cpu(what: str, posts: Sequence[Upload], model: Model) -> list[Figure]:
    """CPU per event of each process, and what the main process works for, which is sampled in a run of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with flashbulb("discord", model_url=model.url, data=Path(folder) / "data") as bot:
            spent = await _spent(bot, posts, model)
        sampled = Path(folder) / "shares.json"
        async with flashbulb("discord", model_url=model.url, data=Path(folder) / "sampled", sampled=sampled) as bot:
            await _spent(bot, posts, model, sampled=True)
        shares: dict[str, float] = json.loads(sampled.read_text())
    return [
        *(Figure(name=f"CPU per {what}, {process}", unit="ms", values=(ms,)) for process, ms in spent.items()),
        *(
            Figure(name=f"main process, {what}: {part}", unit="%", values=(100 * share,))
            for part, share in sorted(shares.items(), key=lambda item: -item[1])
        ),
    ]


async def _spent(bot: Bot, posts: Sequence[Upload], model: Model, *, sampled: bool = False) -> dict[str, float]:
    """Return the CPU milliseconds per event and process while `posts` are judged, the last of which is acted upon."""
    await judged(bot.chat, uploads("text", range(WARM_UP_SEED, WARM_UP_SEED + WARM_UP)), per_s=PER_S, model=model)
    if sampled:
        bot.process.process.send_signal(signal.SIGUSR1)
    before = bot.process.cpu_s()
    await judged(bot.chat, posts, per_s=PER_S, model=model)
    after = bot.process.cpu_s()
    return {process: (after[process] - before.get(process, 0)) * 1000 / len(posts) for process in after}


def _pictures(folder: Path, count: int) -> Sequence[Upload]:
    """Draw pictures that are fine; behind the last comes a text that is acted upon."""
    made = []
    for number in range(count):
        file = folder / f"{number}.jpg"
        file.write_bytes(photo(number, 1000, 1000))
        made.append(Upload(file=file, acts=False))
    return [*made, *uploads("text", [0])]
