"""Clips and sounds that no model has made. Needs `av` (the extra `video`) for MP4 and MP3; without it they are GIF and WAV.

Clips and sounds are cut at a few seconds: nobody has to look at them for long.
"""

import io
import wave
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emulators.modelslab.drawing import Subject

FRAMES_A_SECOND: Final = 8
CLIP_S_MAX: Final = 3.0
SOUND_S_MAX: Final = 12.0
RATE_HZ: Final = 22_050
MP3_RATE_HZ: Final = 44_100
NOTES_HZ: Final = (220.0, 261.6, 293.7, 329.6, 392.0, 440.0, 523.3)  # a scale in which everything goes with everything

Samples = NDArray[np.int16]
FilmType = Literal["mp4", "gif"]
SoundType = Literal["mp3", "wav"]


def film_type() -> FilmType:
    """Return what clips are here."""
    return "mp4" if find_spec("av") else "gif"


def film(first: Image.Image, seconds: float, finish: Callable[[Image.Image], Image.Image]) -> bytes:
    """Return a clip in which a camera moves slowly over the picture; `finish` is done to each frame."""
    frames = [finish(frame) for frame in _moving(first, seconds)]
    return _mp4(frames) if film_type() == "mp4" else _gif(frames)


def tune(subject: Subject, seconds: float) -> Samples:
    """Return notes of a scale, one after the other."""
    random = subject.random
    length_s = random.choice((0.25, 0.4, 0.5))
    return _notes([random.choice(NOTES_HZ) for _ in range(max(1, round(seconds / length_s)))], length_s, seconds)


def murmur(subject: Subject) -> Samples:
    """Return what speech sounds like through a wall: a tone for each few letters."""
    random = subject.random
    syllables = max(2, min(len(subject.prompt) // 3, int(SOUND_S_MAX / 0.18)))
    return _notes([random.uniform(110, 180) for _ in range(syllables)], 0.18, syllables * 0.18)


def sound_type(wanted: SoundType) -> SoundType:
    """Return what a sound is here that is wanted as this."""
    return wanted if find_spec("av") else "wav"


def sound(samples: Samples, kind: SoundType) -> bytes:
    """Return the bytes of a sound."""
    if kind == "mp3":
        return _mp3(samples)
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(RATE_HZ)
        made.writeframes(samples.tobytes())
    return file.getvalue()


def _moving(first: Image.Image, seconds: float) -> Sequence[Image.Image]:
    size = (first.width // 2 * 2, first.height // 2 * 2)
    count = max(2, round(min(seconds, CLIP_S_MAX) * FRAMES_A_SECOND))
    plain = first.convert("RGB")
    frames = []
    for number in range(count):
        x, y = (0.08 * side * number / count for side in plain.size)
        frames.append(plain.resize(size, Image.Resampling.BILINEAR, (x / 2, y / 2, plain.width - x / 2, plain.height - y / 2)))
    return frames


def _mp4(frames: Sequence[Image.Image]) -> bytes:
    import av  # optional, and 36 MB

    file = io.BytesIO()
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(file, "w", format="mp4") as made:
        stream = made.add_stream(codec, rate=FRAMES_A_SECOND, options={"preset": "ultrafast"} if codec == "libx264" else {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        made.mux(stream.encode(None))
    return file.getvalue()


def _gif(frames: Sequence[Image.Image]) -> bytes:
    file = io.BytesIO()
    first, *others = frames
    first.save(file, "GIF", save_all=True, append_images=others, duration=1000 // FRAMES_A_SECOND, loop=0)
    return file.getvalue()


def _mp3(samples: Samples) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as made:
        stream = made.add_stream("libmp3lame", rate=MP3_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        context = stream.codec_context
        into = av.AudioResampler(format=context.format, layout=context.layout, rate=MP3_RATE_HZ, frame_size=1152)
        for each in (*into.resample(frame), *into.resample(None)):
            made.mux(stream.encode(each))
        made.mux(stream.encode(None))
    return file.getvalue()


def _notes(tones_hz: Sequence[float], length_s: float, seconds: float) -> Samples:
    at = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    fading = np.minimum(1, at / 0.02) * np.exp(-2.5 * at / length_s)
    whole = np.concatenate([np.sin(2 * np.pi * tone * at) * fading for tone in tones_hz])
    return (whole[: int(seconds * RATE_HZ)] * 9000).astype(np.int16)
