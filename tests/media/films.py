"""Small videos and sounds made on the spot, as bytes. Needs the optional package `av`."""

import io
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet
from numpy.typing import NDArray
from PIL import Image

from tests.media.samples import BLUE, GREEN, encoded, plain, scene

RATE_HZ = 48_000

_STYLES = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\nFormat: Layer, Text\n"

Wave = NDArray[np.float32]  # channels x samples, -1 to 1


def one_bad_frame(frames: int, at: int) -> list[Image.Image]:
    """Return blue pictures, of which the one at `at` is green."""
    return [plain(GREEN if each == at else BLUE) for each in range(frames)]


def pan(frames: int, size: tuple[int, int] = (160, 120)) -> list[Image.Image]:
    """Return what a camera sees that is moved over a wide picture of stripes, slowly."""
    wide = Image.new("RGB", (size[0] * 4, size[1]))
    for at in range(16):
        wide.paste(scene(at, (size[0] // 4, size[1])), (at * size[0] // 4, 0))
    steps = (wide.width - size[0]) / max(1, frames - 1)
    return [wide.crop((round(at * steps), 0, round(at * steps) + size[0], size[1])) for at in range(frames)]


def film(
    pictures: Sequence[Image.Image],
    *,
    kind: str = "mp4",
    codec: str = "mpeg4",
    sound: Wave | None = None,
    sound_codec: str = "aac",
    turn: int | None = None,
    says: Mapping[str, str] | None = None,
    subtitles: Sequence[str] = (),
    tracks: int = 1,
    fps: int = 30,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Return a video. `turn` is counter-clockwise, in degrees; with `tracks`, all show the same."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options=dict(options or {})) as made:
        made.metadata.update(says or {})
        streams = [made.add_stream(codec, rate=fps) for _ in range(tracks)]
        for stream in streams:
            stream.width, stream.height = pictures[0].size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if turn is not None:
                stream.set_display_rotation(turn)
        spoken = made.add_stream(sound_codec, rate=RATE_HZ, layout=_layout(sound)) if sound is not None else None
        written = made.add_stream("mov_text" if kind in {"mp4", "mov"} else "subrip") if subtitles else None
        if written is not None:
            written.codec_context.subtitle_header = _STYLES
        for picture in pictures:
            for stream in streams:
                made.mux(stream.encode(av.VideoFrame.from_image(picture)))
        for stream in streams:
            made.mux(stream.encode(None))
        if spoken is not None and sound is not None:
            _speak(made, spoken, sound)
        for at, text in enumerate(subtitles):
            _write(made, written, text, at)
    return file.getvalue()


def motion_jpeg(pictures: Sequence[Image.Image]) -> bytes:
    """Return an MKV whose frames are JPEG pictures as they are, each of its own size."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as made:
        stream = made.add_stream("mjpeg", rate=30)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuvj420p"
        for at, picture in enumerate(pictures):
            packet = av.Packet(encoded(picture, "JPEG"))
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = at
            packet.is_keyframe = True
            made.mux(packet)
    return file.getvalue()


def voice(sound: Wave, *, kind: str = "ogg", codec: str = "libopus", says: Mapping[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as made:
        made.metadata.update(says or {})
        _speak(made, made.add_stream(codec, rate=RATE_HZ, layout=_layout(sound)), sound)
    return file.getvalue()


def tone(seconds: float, *, loud: float = 0.3) -> Wave:
    return (np.sin(np.arange(int(seconds * RATE_HZ)) * (2 * np.pi * 440 / RATE_HZ)) * loud).astype(np.float32)[np.newaxis]


def both(left: Wave, right: Wave) -> Wave:
    return np.vstack((left, right))


def with_cover(mp3: bytes, cover: Image.Image) -> bytes:
    """Return the sound with a picture in a tag before it: ID3v2.3, frame APIC."""
    frame = b"\0image/png\0\x03\0" + encoded(cover, "PNG")
    tag = b"APIC" + len(frame).to_bytes(4, "big") + b"\0\0" + frame
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + tag + mp3


def decoded_sound(data: bytes) -> tuple[int, int, float]:
    """Return rate, channels and length in seconds of a sound."""
    with av.open(io.BytesIO(data)) as opened:
        frames = list(opened.decode(audio=0))
    return frames[0].sample_rate, frames[0].layout.nb_channels, sum(each.samples for each in frames) / frames[0].sample_rate


def _layout(sound: Wave | None) -> str:
    return "stereo" if sound is not None and len(sound) == 2 else "mono"


def _speak(made: "av.container.OutputContainer", stream: "av.AudioStream", sound: Wave) -> None:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=_layout(sound))
    frame.sample_rate = RATE_HZ
    context = stream.codec_context
    into = av.AudioResampler(format=context.format, layout=context.layout, rate=RATE_HZ, frame_size=context.frame_size or 1024)
    for each in _all(into.resample(frame), into.resample(None)):
        made.mux(stream.encode(each))
    made.mux(stream.encode(None))


def _all(*several: Iterable["av.AudioFrame"]) -> Iterable["av.AudioFrame"]:
    return (each for frames in several for each in frames)


def _write(made: "av.container.OutputContainer", stream: "av.stream.Stream | None", text: str, at: int) -> None:
    assert stream is not None
    said = SubtitleSet.create(f"{at},0,Default,,0,0,0,,{text}".encode(), 0, 100, at * 100_000)
    packet = stream.codec_context.encode_subtitle(said)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = at * 100
    packet.duration = 100
    made.mux(packet)
