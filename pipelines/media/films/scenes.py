"""Which frames of a video to show a model: those that look unlike the others.

One bad frame at 30 a second lasts 33 ms, and people can stop there. So every frame is decoded and looked at, tiny, for as long
as there is time to compute; then key frames alone, which costs a twentieth; and then the rest is not looked at, which is a gap
like every other frame that nobody saw. Decoding is done once: while it goes on, frames that look unlike each other are kept,
and the frames to show are chosen from these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from pipelines import limits
from pipelines.media.films.pace import Pace
from pipelines.media.pictures import animations
from pipelines.media.pictures.opening import fit
from pipelines.media.read import NotRead

# Shares of the time for one file (see `pace`); choosing, encoding and the sound need the rest.
LOOK_AT_ALL: Final = 0.45
LOOK_AT_KEY_FRAMES: Final = 0.55

_FRAMES: Final = 12_000  # 180 s at 60 a second are 10,800
_FRAME_PIXELS: Final = 8192 * 4320
_BROKEN_PACKETS: Final = 500

_THUMB: Final = (32, 24)
_SAMPLES: Final = 32 * 24 * 3
_BEFORE_THUMB: Final = (128, 96)  # libswscale cannot average more than 256 pixels into one
_KEPT: Final = 48  # pictures of at most 3 MB
_APART_LEVELS: Final = 2.0  # of 255, mean over a thumbnail: as for animations
_APART_GROWS: Final = 1.25
# What moves is never twice the same: beyond 16 frames, a scene is new if it differs as much as a cut does, which is by 20 to
# 80 levels. A change of 100 levels on an eighth of the picture is found by it.
_SCENE_LEVELS: Final = 12.0

_TURNS: Final = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}

Rows = NDArray[np.int16]  # thumbnails, a row each


@dataclass(frozen=True, slots=True)
class Scene:
    """One frame, upright and at most 1024 px. `number` counts from 1 the frames looked at; `at_s` from the first of them."""

    number: int
    at_s: float
    picture: Image.Image
    thumb: Image.Image


@dataclass(slots=True)
class Survey:
    """What looking through a video showed. `why_partial` are sentences, none where every frame was looked at."""

    chosen: tuple[Scene, ...] = ()
    looked_at: int = 0
    frames: int = 0
    length_s: float = 0.0
    all_scenes: bool = True
    why_partial: list[str] = field(default_factory=list)


def survey(container: InputContainer, stream: VideoStream, pace: Pace) -> Survey:
    """Look through one video track.

    Raises: `NotRead` where its frames are too large.
    """
    found, apart, thumbs = Survey(), _Apart(), list[bytes]()
    shrink, show = VideoReformatter(), VideoReformatter()
    start_s: float | None = None
    for frame in _frames(container, stream, found, pace):
        at_s = frame.time if frame.time is not None else found.length_s
        start_s = at_s if start_s is None else start_s
        found.length_s = max(found.length_s, at_s - start_s)
        if found.length_s >= limits.VIDEO_S or len(thumbs) == _FRAMES:
            found.why_partial.append(f"Only the first {clock(found.length_s)} of the video were looked at; it is longer.")
            break
        thumb = _thumb(frame, shrink)
        thumbs.append(thumb.tobytes())
        if apart.is_new(thumb):
            apart.keep(Scene(len(thumbs), max(0.0, at_s - start_s), _upright(frame, show), thumb))
    found.looked_at, found.frames = len(thumbs), max(found.frames, len(thumbs))
    if thumbs:
        found.chosen, found.all_scenes = _chosen(apart.scenes, thumbs)
    if not found.all_scenes:
        found.why_partial.append("The video has more different scenes than are looked at.")
    return found


def clock(seconds: float) -> str:
    """Return a time as players show it: `1:03`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _frames(container: InputContainer, stream: VideoStream, found: Survey, pace: Pace) -> Iterator[VideoFrame]:
    """Decode frame after frame while there is time; what is broken is left out, as players do, and noted."""
    _check_size(stream.codec_context.width, stream.codec_context.height)
    stream.thread_count, stream.thread_type = 1, "NONE"
    broken, only_key_frames = 0, False
    for packet in _packets(container, stream, found):
        spent = pace.spent
        if spent > LOOK_AT_KEY_FRAMES:
            found.why_partial.append(f"The video takes long to decode: nothing after {clock(found.length_s)} was looked at.")
            break
        if spent > LOOK_AT_ALL and not only_key_frames:
            only_key_frames, stream.codec_context.skip_frame = True, "NONKEY"
            found.why_partial.append(
                f"The video takes long to decode: after {clock(found.length_s)} only key frames were looked at."
            )
        found.frames += packet.size > 0
        try:
            frames = packet.decode()
        except av.FFmpegError:
            broken += 1
            if broken > _BROKEN_PACKETS:
                break
            continue
        for frame in frames:
            _check_size(frame.width, frame.height)
            yield frame
    if broken:
        found.why_partial.append("The video is damaged: some of its frames cannot be read.")


def _packets(container: InputContainer, stream: VideoStream, found: Survey) -> "Iterator[av.Packet[VideoStream]]":
    """Return the track's packets; say where the file ends before its track does."""
    end, unit = 0, stream.time_base
    try:
        for packet in container.demux(stream):
            end = max(end, (packet.pts or 0) + (packet.duration or 0))
            yield packet
    except av.FFmpegError:
        found.why_partial.append("The video is damaged: it cannot be read to its end.")
        return
    if unit and (announced_s := _length_s(stream)) and float(end * unit) + max(1.0, announced_s / 20) < announced_s:
        found.why_partial.append("The video ends before the length that it announces.")


def _length_s(stream: VideoStream) -> float:
    """Return the length that the track claims, which is relative to its start; 0 where it claims none."""
    if stream.duration and stream.time_base:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    try:  # Matroska's tag, as in 00:00:10.000000000
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0


class _Apart:
    """Frames that look unlike each other, at most `_KEPT` of them.

    A frame is new if it is further than `apart` from all that are kept. That distance grows when there are too many, and then
    some are let go (k-centre of a stream; Charikar, Chekuri, Feder, Motwani 1997). What is unlike all else is never let go.
    """

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self._rows: Rows = np.empty((0, _SAMPLES), np.int16)
        self._apart = _APART_LEVELS

    def is_new(self, thumb: Image.Image) -> bool:
        return not self.scenes or bool(_distances(self._rows, _row(thumb)).min() >= self._apart)

    def keep(self, scene: Scene) -> None:
        self.scenes.append(scene)
        self._rows = np.vstack((self._rows, _row(scene.thumb)))
        while len(self.scenes) > _KEPT:
            self._apart *= _APART_GROWS
            self._let_go()

    def _let_go(self) -> None:
        kept = [0]
        for at in range(1, len(self.scenes)):
            if _distances(self._rows[kept], self._rows[at]).min() >= self._apart:
                kept.append(at)
        self.scenes, self._rows = [self.scenes[at] for at in kept], self._rows[kept]


def _chosen(scenes: list[Scene], thumbs: list[bytes]) -> tuple[tuple[Scene, ...], bool]:
    """Return the frames to show, in order, and whether they show every scene that any of `thumbs` is of."""
    at, _ = animations.choose([(scene.thumb,) for scene in scenes], most=limits.FRAMES_JUDGED)
    chosen = tuple(scenes[each] for each in at)
    everything = np.frombuffer(b"".join(thumbs), np.uint8).reshape(len(thumbs), -1).astype(np.int16)
    novelty = np.full(len(thumbs), np.inf)
    for scene in chosen:
        novelty = np.minimum(novelty, _distances(everything, _row(scene.thumb)))
    return chosen, bool(novelty.max() < _SCENE_LEVELS)


def _distances(rows: Rows, row: Rows) -> NDArray[np.float64]:
    return np.asarray(np.abs(rows - row).mean(axis=1))


def _row(thumb: Image.Image) -> Rows:
    return np.frombuffer(thumb.tobytes(), np.uint8).reshape(1, _SAMPLES).astype(np.int16)


def _thumb(frame: VideoFrame, shrink: VideoReformatter) -> Image.Image:
    return _picture(frame, shrink, _BEFORE_THUMB).resize(_THUMB, Image.Resampling.BOX)


def _upright(frame: VideoFrame, show: VideoReformatter) -> Image.Image:
    picture = _picture(frame, show, fit((frame.width, frame.height), limits.PREPARED_SIDE_PX))
    turn = _TURNS.get(round(frame.rotation / 90) * 90 % 360)  # counter-clockwise, as FFmpeg's display matrix has it
    return picture if turn is None else picture.transpose(turn)


def _picture(frame: VideoFrame, reformatter: VideoReformatter, size: tuple[int, int]) -> Image.Image:
    """Return the frame in RGB, each pixel the mean of those that it stands for."""
    small = reformatter.reformat(frame, *size, "rgb24", interpolation=Interpolation.AREA, threads=1)
    return Image.fromarray(small.to_ndarray())


def _check_size(width_px: int, height_px: int) -> None:
    if width_px * height_px > _FRAME_PIXELS:
        raise NotRead("refused-limits", f"The video has frames of more than {_FRAME_PIXELS // 1_000_000} megapixels.")
