"""A clip made small enough for a platform: H.264 and AAC in an MP4, in a bit rate and a size that the bytes allow.

It reads and writes through FFmpeg, so only a worker may import it.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from pipelines import limits
from pipelines.media.films.pace import Pace
from pipelines.media.films.tracks import is_picture, opened
from pipelines.media.pictures.opening import fit
from pipelines.media.read import NotRead

# Shares of the bytes that are aimed at, one after the other: an encoder misses its rate by some per cent.
_AIMS: Final = (0.92, 0.75)
_STOP: Final = 0.9  # of the time for one file; see `pace`

_LONGEST_SIDE_PX: Final = 1_280
_SHORTEST_SIDE_PX: Final = 120  # below it nothing is to be seen
# Bits for each pixel of each frame, with which H.264 at this preset shows no blocks. By eye, on moving pictures.
_BITS_A_PIXEL: Final = 0.07
_FILM_BITS_MIN: Final = 60_000  # a second
_SOUND_BITS: Final = (48_000, 128_000)
_SOUND_SHARE: Final = 0.15
_SOUND_HZ: Final = 48_000
_FPS_MAX: Final = 60
_QUICK: Final = "veryfast"  # 720 px are encoded at some 100 frames a second by one core

_TOO_LARGE: Final = "The clip cannot be made small enough."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    """What is written: sides in px, both even, and bits a second; no sound where there is none."""

    size_px: tuple[int, int]
    film_bits: int
    sound_bits: int


def smaller(data: bytes, pace: Pace, *, size_bytes: int) -> bytes:
    """Return a clip with its sound as an MP4 of at most `size_bytes`, without metadata; it is shown upright as before.

    Raises: `NotRead` where that cannot be, or takes too long; whatever FFmpeg raises where it cannot be read.
    """
    for share in _AIMS:
        made = _encoded(data, int(size_bytes * share), pace)
        if len(made) <= size_bytes:
            return made
    raise NotRead("refused-limits", _TOO_LARGE)


def _encoded(data: bytes, aim_bytes: int, pace: Pace) -> bytes:
    with opened(data) as container:
        film, _ = _tracks(container)
        length_s, frames = _measured(container, film)
    with opened(data) as container:
        film, _ = _tracks(container)
        turn = next((frame.rotation for frame in _frames(container, [film], pace) if isinstance(frame, VideoFrame)), 0)
    if not length_s or length_s > limits.VIDEO_S:
        raise NotRead("refused-limits", _TOO_LARGE)
    with opened(data) as container:
        film, sound = _tracks(container)
        rates = _rates(film, sound, aim_bytes * 8 / length_s, min(frames / length_s, _FPS_MAX))
        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as made:
            _write(container, film, sound, made, rates, pace, turn=turn)
        return file.getvalue()


def _tracks(container: InputContainer) -> tuple[VideoStream, AudioStream | None]:
    film = next((each for each in container.streams.video if not is_picture(each)), None)
    if film is None:
        raise NotRead("refused-format", "This is no clip.")
    return film, next(iter(container.streams.audio), None)


def _measured(container: InputContainer, film: VideoStream) -> tuple[float, int]:
    """Return how long a track is, in seconds, and how many frames it has, whatever it claims."""
    times, frames = list[int](), 0
    for packet in container.demux(film):
        if packet.pts is not None:
            times += (packet.pts, packet.pts + (packet.duration or 0))
            frames += 1
    return (float((max(times) - min(times)) * film.time_base) if times and film.time_base else 0.0), frames


def _rates(film: VideoStream, sound: AudioStream | None, bits: float, fps: float) -> _Rates:
    """Return what `bits` a second allow. Raises: `NotRead` where that is too little to be seen."""
    least, most = _SOUND_BITS
    sound_bits = int(min(max(bits * _SOUND_SHARE, least), most)) if sound else 0
    film_bits = int(bits - sound_bits)
    width, height = film.codec_context.width, film.codec_context.height
    if film_bits < _FILM_BITS_MIN or not width or not height or width * height > max(limits.IMAGE_PIXELS.values()):
        raise NotRead("refused-limits", _TOO_LARGE)
    share = min(1.0, (film_bits / (fps * _BITS_A_PIXEL * width * height)) ** 0.5)
    wide, tall = fit((max(1, int(width * share)), max(1, int(height * share))), _LONGEST_SIDE_PX)
    if min(wide, tall) < min(_SHORTEST_SIDE_PX, width, height):
        raise NotRead("refused-limits", _TOO_LARGE)
    return _Rates(size_px=(max(2, wide - wide % 2), max(2, tall - tall % 2)), film_bits=film_bits, sound_bits=sound_bits)


def _write(
    container: InputContainer,
    film: VideoStream,
    sound: AudioStream | None,
    made: OutputContainer,
    rates: _Rates,
    pace: Pace,
    *,
    turn: int,
) -> None:
    options = {"preset": _QUICK, "maxrate": str(rates.film_bits), "bufsize": str(rates.film_bits)}
    pictures = made.add_stream("libx264", rate=film.average_rate or 24, options=options)
    pictures.width, pictures.height = rates.size_px
    pictures.pix_fmt, pictures.bit_rate = "yuv420p", rates.film_bits
    pictures.codec_context.time_base = film.time_base or Fraction(1, 1_000)
    pictures.codec_context.thread_count = 1
    if turn:
        pictures.set_display_rotation(turn)
    voices = made.add_stream("aac", rate=_SOUND_HZ, layout="stereo", bit_rate=rates.sound_bits) if sound else None
    shrink, last = VideoReformatter(), None
    for frame in _frames(container, [film, sound] if sound else [film], pace):
        if isinstance(frame, AudioFrame):
            assert voices is not None
            made.mux(voices.encode(frame))
            continue
        if frame.pts is None or (last is not None and frame.pts <= last):
            continue
        last = frame.pts
        small = shrink.reformat(frame, *rates.size_px, "yuv420p", interpolation=Interpolation.AREA, threads=1)
        small.pict_type = PictureType.NONE  # the encoder decides
        made.mux(pictures.encode(small))
    made.mux(pictures.encode(None))
    if voices is not None:
        made.mux(voices.encode(None))


def _frames(
    container: InputContainer, tracks: list[VideoStream | AudioStream], pace: Pace
) -> Iterator[VideoFrame | AudioFrame]:
    """Decode what players would show and let hear; what is broken is left out, as they do."""
    for track in tracks:
        track.codec_context.thread_count = 1
    for packet in container.demux(*tracks):
        if pace.spent > _STOP:
            raise NotRead("refused-limits", "The clip takes too long to be made smaller.")
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame | AudioFrame):
                yield frame
