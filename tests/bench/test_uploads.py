"""A run counts only what the model looked at."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.gallery import Upload
from bench.model import Model
from bench.uploads import judged
from emulators.wire import Asked, Blob


class HastyChat:
    """Acts at once, upon the last `blind` uploads without asking the model."""

    def __init__(self, model: Model, *, blind: int, pictures: bool = True) -> None:
        self._model = model
        self._left_until_blind = len(UPLOADS) - blind
        self._pictures = pictures

    def on_action(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def post(self, upload: Upload) -> str:
        if self._left_until_blind > 0:
            self._left_until_blind -= 1
            blobs = (Blob(data=b"any", media_type="image/jpeg"),) if upload.file and self._pictures else ()
            self._model.answer(Asked(dialect="gemini", model="any", instructions="", parts=blobs, schema=None))
        asyncio.get_running_loop().call_soon(self._tell, upload.text)
        return upload.text


UPLOADS = [Upload(text=str(number), file=Path("any.jpg") if number % 2 else None) for number in range(6)]


async def test_what_the_model_looked_at_counts() -> None:
    model = Model()

    timeline = await judged(HastyChat(model, blind=0), UPLOADS, per_s=1000, model=model)

    assert len(timeline.acted) == len(UPLOADS)


@pytest.mark.parametrize(("blind", "pictures"), [pytest.param(1, True, id="not-asked"), pytest.param(0, False, id="not-shown")])
async def test_an_action_without_the_model_is_no_moderation(blind: int, pictures: bool) -> None:
    model = Model()

    with pytest.raises(RuntimeError, match="6 uploads with 3 pictures"):
        await judged(HastyChat(model, blind=blind, pictures=pictures), UPLOADS, per_s=1000, model=model, patience=0)
