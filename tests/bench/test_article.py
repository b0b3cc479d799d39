"""The baseline against the emulated model. It needs its own environment, which the first `python -m bench uploads` makes."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from bench.article import PYTHON, WAYS, article
from bench.gallery import Upload, uploads
from bench.load import offer
from bench.model import LATENCY_S, open_model

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the baseline's environment is not there: python -m bench uploads")


@pytest.mark.parametrize("way", WAYS)
async def test_every_picture_and_text_is_judged_by_the_old_sdk(way: str, tmp_path: Path) -> None:
    file = tmp_path / "small.jpg"
    Image.new("RGB", (320, 200), "teal").save(file)
    async with open_model() as model, article(way, model_url=model.url, log=tmp_path / "log") as chat:
        timeline = await offer(chat, [Upload(file=file), *uploads("text", range(3))], per_s=100, patience_s=20)

    assert len(timeline.acted) == 4
    assert (sum(timeline.latencies_s) > 9 * LATENCY_S) is (way == "article")  # one after the other: 1 + 2 + 3 + 4
    [sent] = model.pictures
    assert sent.media_type == ("image/jpeg" if "path" in way else "image/webp")
    assert (sent.data == file.read_bytes()) is ("path" in way)


async def test_what_fails_there_is_called_safe_so_that_nothing_is_done(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"not a picture")
    acted: asyncio.Queue[str] = asyncio.Queue()
    async with open_model() as model, article("article", model_url=model.url, log=tmp_path / "log") as chat:
        chat.on_action(acted.put_nowait)

        await chat.post(Upload(file=damaged))
        after = await chat.post(Upload(text="any"))

        assert await asyncio.wait_for(acted.get(), 20) == after
