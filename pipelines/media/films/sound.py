"""The sound of a video or voice note: one channel of 16 kHz, which is what models listen to.

MP3 at 32 kbit/s, since every model that hears takes it and five minutes are 1.2 MB.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from pipelines import limits
from pipelines.content import AudioPart
from pipelines.media.films.pace import Pace
from pipelines.media.films.scenes import clock

LISTEN: Final = 0.85  # of the time for one file; see `pace`

_RATE_HZ: Final = 16_000
_BIT_RATE: Final = 32_000
_QUICK: Final = {"compression_level": "7"}  # half the time of the default, and speech sounds the same
_SILENT: Final = 33  # of 32,768: -60 dB at the loudest moment
_CANCELLED: Final = 0.02  # of the power that is left when left and right are mixed
_BROKEN_PACKETS: Final = 500

Samples = NDArray[np.int16]  # channels x samples


@dataclass(slots=True)
class Heard:
    """What listening came to. No `part` where there is only silence, or nothing could be decoded (`length_s` is 0)."""

    part: AudioPart | None = None
    length_s: float = 0.0
    why_partial: list[str] = field(default_factory=list)


def listen(container: InputContainer, stream: AudioStream, pace: Pace) -> Heard:
    """Listen to one sound track."""
    heard, recorder = Heard(), _Recorder()
    for stereo in _stereo(container, stream, heard, pace):
        room = int(limits.SOUND_S * _RATE_HZ) - recorder.samples
        recorder.record(stereo[:, :room])
        if stereo.shape[1] > room:
            heard.why_partial.append(f"Only the first {clock(limits.SOUND_S)} of the sound are listened to; it is longer.")
            break
    data = recorder.finish()
    heard.length_s = recorder.samples / _RATE_HZ
    if recorder.loudest <= _SILENT:
        return heard
    if recorder.left_of_power < _CANCELLED:
        heard.why_partial.append("Left and right cancel each other out, so that whoever listens to both at once hears little.")
    note = f"{clock(heard.length_s)} long"
    heard.part = AudioPart(id="/sound", data=data, media_type="audio/mpeg", duration_s=heard.length_s, note=note)
    return heard


class _Recorder:
    """Mixes left and right into one channel, and measures what is lost by that."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        # Without tags: nothing of the file but its sound travels on.
        self._container = av.open(self._file, "w", format="mp3", options={"id3v2_version": "0", "write_xing": "0"})
        self._encoder = self._container.add_stream(
            "libmp3lame", rate=_RATE_HZ, layout="mono", bit_rate=_BIT_RATE, options=_QUICK
        )
        self.samples = 0
        self.loudest = 0
        self._power_before = self._power_after = 0.0

    @property
    def left_of_power(self) -> float:
        return self._power_after / self._power_before if self._power_before else 1.0

    def record(self, stereo: Samples) -> None:
        if not stereo.shape[1]:
            return
        both = stereo.astype(np.float32)
        mono = both.mean(axis=0)
        self.samples += stereo.shape[1]
        self.loudest = max(self.loudest, int(np.abs(both).max()))
        self._power_before += float((both**2).mean(axis=0).sum())
        self._power_after += float((mono**2).sum())
        self._encode(mono.astype(np.int16))

    def finish(self) -> bytes:
        self._container.mux(self._encoder.encode(None))
        self._container.close()
        return self._file.getvalue()

    def _encode(self, mono: NDArray[np.int16]) -> None:
        frame = AudioFrame.from_ndarray(mono[np.newaxis], format="s16p", layout="mono")
        frame.sample_rate = _RATE_HZ
        self._container.mux(self._encoder.encode(frame))


def _stereo(container: InputContainer, stream: AudioStream, heard: Heard, pace: Pace) -> Iterator[Samples]:
    """Return left and right, as long as there is time to compute; of one channel both are the same."""
    resampler = _resampler()
    for frame in _frames(container, stream, heard, pace):
        try:
            ready = resampler.resample(frame)
        except (av.FFmpegError, ValueError):  # rate or channels have changed on the way
            resampler = _resampler()
            ready = resampler.resample(frame)
        yield from map(_samples, ready)
    yield from map(_samples, resampler.resample(None))


def _samples(frame: AudioFrame) -> Samples:
    return frame.to_ndarray().astype(np.int16, copy=False)


def _resampler() -> AudioResampler:
    return AudioResampler(format="s16p", layout="stereo", rate=_RATE_HZ)


def _frames(container: InputContainer, stream: AudioStream, heard: Heard, pace: Pace) -> Iterator[AudioFrame]:
    """Decode frame after frame; what is broken is left out, as players do, and noted."""
    stream.codec_context.thread_count, broken = 1, 0
    try:
        for packet in container.demux(stream):
            if pace.spent > LISTEN:
                heard.why_partial.append("The sound takes too long to decode to be listened to in full.")
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                broken += 1
                if broken > _BROKEN_PACKETS:
                    break
    except av.FFmpegError:
        broken += 1
    if broken:
        heard.why_partial.append("The sound is damaged: some of it cannot be read.")
