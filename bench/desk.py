"""The desk photo, a real picture of 12 MP: how much of it is sent to the model, and how faithful that is."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from bench.article import article
from bench.chats import PlatformName, flashbulb
from bench.figures import Figure
from bench.gallery import Upload
from bench.load import Chat
from bench.model import Model
from bench.psnr import psnr

PHOTO: Final = Path(__file__).parents[2] / "shared/data/images/photos/desk_12mp_orientation6_gps.jpg"
SENT_BAR_KB: Final = 110
FAITHFUL_DB: Final = 40
ANSWER_S: Final = 60


async def desk_photo(platform: PlatformName, model: Model) -> list[Figure]:
    """Post the photo and look at what arrives at the model. Nothing is measured where the photo is not beside the project."""
    if not PHOTO.exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        async with flashbulb(platform, model_url=model.url, data=Path(folder) / "data") as bot:
            ours = await _sent(bot.chat, model)
        async with article("article", model_url=model.url, log=Path(folder) / "log") as chat:
            theirs = await _sent(chat, model)
    name, faithful = "desk photo, 12 MP: sent to the model", psnr(ours, PHOTO.read_bytes())
    return [
        Figure(name=f"{name}, Flashbulb", unit="kB", values=(len(ours) / 1000,), bar=SENT_BAR_KB),
        Figure(name=f"{name}, article", unit="kB", values=(len(theirs) / 1000,)),
        Figure(name=f"{name}, Flashbulb, PSNR", unit="dB", values=(faithful,), at_least=FAITHFUL_DB),
    ]


async def _sent(chat: Chat, model: Model) -> bytes:
    """Return the picture that the model is sent after the photo was posted."""
    model.forget()
    async with asyncio.timeout(ANSWER_S):
        await chat.post(Upload(file=PHOTO))
        while not model.pictures:  # noqa: ASYNC110 - it is filled from a thread
            await asyncio.sleep(0.02)
    return model.pictures[0].data
