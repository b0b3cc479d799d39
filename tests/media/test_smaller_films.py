"""A clip that its platform would not take is made smaller, and still shows and says what it did."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines import limits
from pipelines.errors import UserError
from pipelines.media.intake import MediaReader
from pipelines.media.kinds import kind_of
from pipelines.media.read import NotRead
from pipelines.media.sandbox import Sandbox
from tests.media.samples import BLUE, RED, encoded, plain

pytest.importorskip("av", reason="videos are read with the optional package av")

import av

from pipelines.media.films import smaller, video
from pipelines.media.films.pace import Pace
from tests.media.films import film, pan, tone, voice

SOUND = tone(1.6)


def noisy(frames: int = 48, size: tuple[int, int] = (320, 180)) -> list[Image.Image]:
    """Return pictures that no encoder makes small."""
    chance = np.random.default_rng(1)
    grain = [chance.integers(-30, 30, (size[1], size[0], 3)) for _ in range(4)]
    seen = (np.asarray(each).astype(int) + grain[at % 4] for at, each in enumerate(pan(frames, size)))
    return [Image.fromarray(each.clip(0, 255).astype(np.uint8)) for each in seen]


NOISY = noisy()


@dataclass(frozen=True)
class Shown:
    """What a player makes of a clip."""

    size: tuple[int, int]
    turn: int
    frames: int
    length_s: float
    sound_s: float
    says: dict[str, str]


def shown(data: bytes) -> Shown:
    with av.open(io.BytesIO(data)) as opened:
        frames = list(opened.decode(video=0))
        says, length_s = dict(opened.metadata), float(opened.duration / 1_000_000)
    with av.open(io.BytesIO(data)) as opened:
        heard = list(opened.decode(audio=0)) if opened.streams.audio else []
    sound_s = sum(each.samples / each.sample_rate for each in heard)
    return Shown((frames[0].width, frames[0].height), frames[0].rotation, len(frames), length_s, sound_s, says)


@pytest.mark.parametrize(
    ("kind", "codec", "sound_codec"),
    [("mp4", "mpeg4", "aac"), ("mp4", "libx264", "aac"), ("matroska", "mpeg4", "libopus")],
)
def test_a_clip_keeps_its_frames_its_length_and_its_sound(kind: str, codec: str, sound_codec: str) -> None:
    data = film(NOISY, kind=kind, codec=codec, sound=SOUND, sound_codec=sound_codec, says={"title": "secret"})
    aim = len(data) // 2

    made = video.made_smaller(data, size_bytes=aim)

    before, after = shown(data), shown(made)
    kind_made = kind_of(made)
    assert kind_made is not None
    assert (kind_made.name, len(made) <= aim) == ("MP4", True)
    assert (after.frames, after.length_s) == (before.frames, pytest.approx(before.length_s, abs=0.2))
    assert after.sound_s == pytest.approx(1.6, abs=0.1)
    assert b"secret" not in made


def test_where_the_bytes_are_few_the_pictures_are_smaller_and_look_the_same() -> None:
    data = film([plain(RED, (320, 180))] * 30 + [plain(BLUE, (320, 180))] * 30 + NOISY)

    made = video.made_smaller(data, size_bytes=40_000)

    assert len(made) <= 40_000
    width, height = shown(made).size
    assert width < 320
    assert width / height == pytest.approx(320 / 180, rel=0.02)
    with av.open(io.BytesIO(made)) as opened:
        pictures = [frame.to_image() for frame in opened.decode(video=0)]
    for at, color in ((15, RED), (45, BLUE)):
        found = pictures[at].getpixel((width // 2, height // 2))
        assert max(abs(one - other) for one, other in zip(found, color, strict=True)) < 40


def test_sides_are_even_and_a_small_picture_is_made_no_larger() -> None:
    data = film(noisy(30, (162, 130)), codec="mpeg4")

    assert shown(video.made_smaller(data, size_bytes=len(data))).size == (162, 130)
    assert [side % 2 for side in shown(video.made_smaller(data, size_bytes=len(data) * 2 // 3)).size] == [0, 0]


@pytest.mark.parametrize("sound", [None, SOUND], ids=["silent", "with-sound"])
def test_what_is_shown_turned_is_shown_turned_again(sound: Any) -> None:
    data = film(NOISY, turn=90, sound=sound)

    assert shown(video.made_smaller(data, size_bytes=len(data) // 2)).turn == shown(data).turn != 0


def test_what_is_damaged_in_the_middle_is_made_as_far_as_it_can_be_read() -> None:
    data = bytearray(film(NOISY, codec="libx264"))
    middle = len(data) // 2
    data[middle : middle + 2_000] = bytes(2_000)

    assert shown(video.made_smaller(bytes(data), size_bytes=len(data) // 2)).frames > 30


@pytest.mark.parametrize(
    ("data", "size_bytes"),
    [
        pytest.param(film(NOISY), 4_000, id="too-little-to-be-seen"),
        pytest.param(film(NOISY, sound=SOUND), 20_000, id="too-little-for-both"),
        pytest.param(voice(tone(1.0)), 2_000, id="sound-alone"),
        pytest.param(encoded(plain(), "PNG"), 2_000, id="a-picture"),
        pytest.param(b"#EXTM3U\nfile:///etc/passwd", 2_000, id="a-list-of-other-files"),
        pytest.param(b"", 2_000, id="nothing"),
    ],
)
def test_what_cannot_be_made_smaller_says_so(data: bytes, size_bytes: int) -> None:
    with pytest.raises(NotRead):
        video.made_smaller(data, size_bytes=size_bytes)


class Slow(Pace):
    """Most of the time is gone once so much was decoded."""

    def __init__(self, packets: int) -> None:
        super().__init__()
        self.left = packets

    @property
    def spent(self) -> float:
        self.left -= 1
        return 0.5 if self.left > 0 else 0.95


def test_nothing_is_encoded_for_longer_than_a_worker_has() -> None:
    data = film(NOISY)

    with pytest.raises(NotRead, match="takes too long"):
        smaller.smaller(data, Slow(20), size_bytes=len(data) // 2)


def test_what_is_longer_than_anybody_looks_at_is_not_made_smaller() -> None:
    data = film(noisy(int(limits.VIDEO_S) + 5, (64, 48)), fps=1)

    with pytest.raises(NotRead, match="small enough"):
        video.made_smaller(data, size_bytes=10_000_000)


async def test_a_worker_makes_it_with_all_its_limits() -> None:
    data = film(NOISY, sound=SOUND)
    async with Sandbox(workers=1) as sandbox:
        reader = MediaReader(None, sandbox)  # type: ignore[arg-type]  # it fetches nothing

        made = await reader.smaller_film(data, size_bytes=len(data) // 2)

        assert shown(made).sound_s == pytest.approx(1.6, abs=0.1)
        for broken in (data[:300], b"no clip", encoded(plain(), "PNG")):
            with pytest.raises(UserError):
                await reader.smaller_film(broken, size_bytes=100_000)
