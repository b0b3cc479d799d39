"""The emulated model of a run: always the same latency, and a note of what it was asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from emulators import understudy
from emulators.gemini import ModelEmulator
from emulators.wire import Asked, Blob

LATENCY_S: Final = 0.4
MODEL: Final = "gemini-3-flash-preview"


@dataclass(slots=True)
class Model:
    """Answers Flashbulb by the understudy's rules, and who sends no schema, as the baseline does, always that it is unsafe."""

    url: str = ""
    asked: int = 0
    pictures: list[Blob] = field(default_factory=list)

    def forget(self) -> None:
        """Begin to count anew."""
        self.asked = 0
        self.pictures.clear()

    def answer(self, asked: Asked) -> str:
        self.asked += 1
        self.pictures += [part for part in asked.parts if isinstance(part, Blob)]
        return understudy.answer(asked) if asked.schema else json.dumps({"safe": False, "reason": "emulated"})


@asynccontextmanager
async def open_model() -> AsyncIterator[Model]:
    """Serve the model on a free port of the loopback interface, in this process."""
    model = Model()
    async with ModelEmulator(model.answer, latency_s=LATENCY_S, journal=False) as emulator:
        model.url = emulator.base_url
        yield model
