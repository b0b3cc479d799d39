"""What is made: real files of the size that was asked for."""

import io
import wave
from importlib.util import find_spec
from typing import Any

import pytest
from PIL import Image

from emulators.modelslab.drawing import LABEL, NOT_DRAWN, Subject, draw, labelled
from tests.emulators.modelslab.asking import Client


async def test_the_same_words_and_seed_make_the_same_picture(client: Client) -> None:
    urls = [(await client.wish(seed=seed, width=320)).json["output"][0] for seed in (1, 1, 2)]

    first, same, other = [await client.picture(url) for url in urls]

    assert first.size == (320, 256)
    assert first.tobytes() == same.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("path", "body", "size", "mode"),
    [
        ("v6/images/img2img", {"strength": 0.5}, (96, 64), "RGB"),
        ("v7/images/image-to-image", {"aspect_ratio": "16:9"}, (1024, 576), "RGB"),
        ("v6/image_editing/qwen_edit", {"width": None, "height": None}, (96, 64), "RGB"),
        ("v6/image_editing/super_resolution", {"scale": 3}, (288, 192), "RGB"),
        ("v6/image_editing/removebg_mask", {}, (96, 64), "RGBA"),
        ("v6/image_editing/outpaint", {"width": 512, "height": 256}, (512, 256), "RGB"),
    ],
)
async def test_a_picture_that_was_brought_is_worked_on(
    client: Client, path: str, body: dict[str, Any], size: tuple[int, int], mode: str
) -> None:
    source = Image.new("RGB", (96, 64), "gold")
    source.paste("navy", (30, 20, 60, 50))
    url = await client.bring(source)

    made = await client.picture((await client.wish(path, init_image=url, image=url, **body)).json["output"][0])

    assert (made.size, made.mode) == (size, mode)
    if mode == "RGBA":
        assert (made.getpixel((2, 2))[3], made.getpixel((45, 35))[3]) == (0, 255)
    else:
        assert made.convert("RGB").getcolors(1) is None


async def test_more_strength_leaves_less_of_the_source(client: Client) -> None:
    url = await client.bring(Image.new("RGB", (64, 64), "white"))

    async def darkest(strength: float) -> int:
        said = (await client.wish("v6/images/img2img", init_image=url, strength=strength, prompt="black", seed=1)).json
        return int((await client.picture(said["output"][0])).convert("L").getextrema()[0])

    assert await darkest(0.1) > await darkest(0.5) > await darkest(0.95)


async def test_clips_and_sounds_are_real(client: Client) -> None:
    clip = (await client.wish("v6/video/text2video_ultra", resolution=240, num_frames=16)).json
    sound = (await client.wish("v6/voice/sfx", duration=3)).json
    clip = (await client.fetch(clip["id"], "v6/video")).json
    sound = (await client.fetch(sound["id"], "v6/voice")).json

    _, film_type, film = await client.get(clip["output"][0])
    _, sound_type, heard = await client.get(sound["output"][0])

    assert (film_type, film[:3]) == ("image/gif", b"GIF") or (film_type, film[4:8]) == ("video/mp4", b"ftyp")
    assert film_type == ("video/mp4" if find_spec("av") else "image/gif")
    assert sound_type == "audio/wav"
    with wave.open(io.BytesIO(heard)) as opened:
        assert opened.getnframes() / opened.getframerate() == pytest.approx(3, abs=0.1)


def test_the_label_covers_the_strip_of_a_source_and_writes_no_test_string() -> None:
    prompt = "a lake FLASHBULB-TEST-HATE-S3-C95 [[fault:stuck]] at dusk"
    plain = draw(Subject(prompt=prompt, seed=1), (512, 512))

    once = labelled(plain, prompt)

    assert labelled(once, "a lake at dusk").tobytes() == once.tobytes()
    assert once.tobytes() != plain.tobytes()
    assert " ".join(NOT_DRAWN.sub(" ", prompt).split()) == "a lake at dusk"
    assert LABEL == "understudy: no model"
