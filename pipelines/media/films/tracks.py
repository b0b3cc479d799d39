"""Videos and sound to parts. Decodes untrusted bytes through FFmpeg, so only a worker may import it.

The demuxer is the one that the first bytes name, never one that FFmpeg guesses: playlists, which would open other files, are
none of these. No demuxer can open a file or an address of its own.
"""

import io
import re
from collections.abc import Iterator
from typing import Any, Final

import av
from av.container import InputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import BitmapSubtitle

from pipelines import limits
from pipelines.content import Fact, Gap, ImagePart, Part, TextPart
from pipelines.media.films import scenes, sound
from pipelines.media.films.pace import Pace
from pipelines.media.films.scenes import Scene, clock
from pipelines.media.pictures.codes import Codes
from pipelines.media.pictures.views import as_jpeg
from pipelines.media.read import Member, NotRead, Read

_TRACKS: Final = 32
# Last words of keys, such as `com.apple.quicktime.location.ISO6709`; left out unless longer than programs write them.
_TECHNICAL: Final = re.compile(
    "major_brand|minor_version|compatible_brands|creation_?(time|date)|date|duration|encoder|handler_name|horizontal|iso6709"
    "|language|location(-eng)?|make|model|software|vendor_id|version"
)
_TECHNICAL_CHARS: Final = 64
_STYLING: Final = re.compile(r"\{\\[^{}]*\}")  # what FFmpeg writes between the words of subtitles


def read(data: bytes) -> Read:
    """Read all tracks. See `pipelines.media.films.video.read`."""
    pace = Pace()
    with opened(data) as container:
        found = _Found(container)
    found.look(data, pace)
    found.listen(data, pace)
    found.read_subtitles(data)
    found.take_pictures(data)
    return found.as_read()


def kind_of(data: bytes) -> str | None:
    """Return FFmpeg's name of the container that the first bytes show."""
    if data.startswith(b"ID3"):  # a tag before MP3, and before others too
        size = 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]) if len(data) > 10 else len(data)
        return kind_of(data[size : size + 16]) or "mp3"
    if data[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return "mov"
    if data[:1] == b"\xff" and len(data) > 1:
        if data[1] & 0xF6 == 0xF0:  # ADTS: layer bits are 0
            return "aac"
        return "mp3" if data[1] & 0xE0 == 0xE0 else None
    if data.startswith(b"RIFF"):
        return "wav" if data[8:12] == b"WAVE" else None
    for magic, kind in ((b"\x1aE\xdf\xa3", "matroska"), (b"OggS", "ogg"), (b"fLaC", "flac")):
        if data.startswith(magic):
            return kind
    return None


def opened(data: bytes) -> InputContainer:
    kind = kind_of(data)
    if kind is None:
        raise NotRead("refused-format", "This kind of video or sound is not read. MP4, MOV, WebM, MKV, MP3, M4A, OGG, WAV are.")
    if len(data) > limits.FILE_BYTES:
        raise NotRead("refused-limits", f"The file is larger than {limits.FILE_BYTES // 1024 // 1024} MB.")
    return av.open(io.BytesIO(data), "r", format=kind, metadata_errors="replace", io_open=_nothing_else)


def _nothing_else(*_: Any) -> Any:
    raise PermissionError("a video opens no other file")


class _Found:
    """What has been found so far in one file, whose tracks are read one after the other."""

    def __init__(self, container: InputContainer) -> None:
        self.parts: list[Part] = []
        self.gaps: list[Gap] = []
        self.facts: list[Fact] = []
        self.members: list[Member] = []
        self._coverage: list[str] = []
        self._codes = Codes()
        tracks = container.streams
        if len(tracks) > _TRACKS:
            raise NotRead("refused-limits", f"The file has more than {_TRACKS} tracks.")
        # Positions among the tracks of their kind.
        self._pictures = [at for at, track in enumerate(tracks.video) if is_picture(track)]
        self._films = [at for at, track in enumerate(tracks.video) if not is_picture(track)]
        best = tracks.best("audio")  # what players choose
        self._sounds = sorted(range(len(tracks.audio)), key=lambda at: tracks.audio[at] is not best)
        self._subtitles = range(len(tracks.subtitles))
        attached = (track for track in tracks if isinstance(track, AttachmentStream))
        self.members += [Member(name=track.name or "", data=track.data) for track in attached]
        self._note_location(container)
        self._metadata = _texts(container)

    def as_read(self) -> Read:
        """Return what was found.

        Raises: `NotRead` where it is nothing.
        """
        if not self.parts and not self.members and not self._coverage:
            why = self.gaps[0].why if self.gaps else "The file has no video and no sound."
            raise NotRead("unreadable", why)
        said: list[Part] = [TextPart(id=f"/code:{at}", text=text, role="code") for at, text in enumerate(self._codes.texts)]
        if self._codes.left_over:
            self._gap(f"There are more codes than are read, which is {limits.CODES_JUDGED}.")
        if self._metadata:
            whole, most = self._metadata.encode("utf-8", "replace"), limits.METADATA_JUDGED_BYTES
            if len(whole) > most:
                self._gap(f"The file says more about itself than the {most:,} bytes looked at.")
            said.append(TextPart(id="/metadata", text=whole[:most].decode("utf-8", "ignore"), role="metadata"))
        return Read(
            parts=(*self.parts, *said),
            gaps=tuple(self.gaps),
            facts=tuple(self.facts),
            members=tuple(self.members),
            coverage="; ".join(self._coverage),
        )

    def look(self, data: bytes, pace: Pace) -> None:
        """Show the scenes of the video."""
        if not self._films:
            return
        with opened(data) as container:
            track = container.streams.video[self._films[0]]
            if not _can_be_decoded(track):
                self._unreadable("The video is in a format that is not read here.")
                return
            found = scenes.survey(container, track, pace)
        if not found.looked_at:
            self._unreadable("The video is damaged and cannot be read.")
            return
        for why in found.why_partial:
            self._gap(why)
        total = "" if found.why_partial else f" of {clock(found.length_s)}"
        self.parts += [self._shown(scene, f"at {clock(scene.at_s)}{total}") for scene in found.chosen]
        scenes_shown = "all scenes" if found.all_scenes else "not all scenes"
        if found.looked_at < found.frames:
            scenes_shown = f"chosen from {found.looked_at:,} that were looked at"
        self._coverage.append(f"{len(found.chosen)} of {found.frames:,} frames, {scenes_shown}")
        if len(self._films) > 1:
            self._gap("The file has more than one video track; only the first is looked at.")
        if _is_transparent(track):
            self._gap("The video is transparent; it was looked at as if it were not.")

    def listen(self, data: bytes, pace: Pace) -> None:
        """Add the sound."""
        if not self._sounds:
            return
        with opened(data) as container:
            track = container.streams.audio[self._sounds[0]]
            if not _can_be_decoded(track):
                self._unreadable("The sound is in a format that is not read here.")
                return
            heard = sound.listen(container, track, pace)
        for why in heard.why_partial:
            self._gap(why)
        if not heard.length_s:
            self._unreadable("The sound is damaged and cannot be read.")
        elif heard.part is None:
            self._coverage.append(f"{clock(heard.length_s)} of silence")
        else:
            self.parts.append(heard.part)
            self._coverage.append(f"{clock(heard.length_s)} of sound")
        if len(self._sounds) > 1:
            self._gap("The file has more than one sound track; only the one that players choose is listened to.")

    def read_subtitles(self, data: bytes) -> None:
        """Add the text of all subtitles, each line once."""
        lines: dict[str, None] = {}
        for at in self._subtitles:
            with opened(data) as container:
                lines |= dict.fromkeys(self._lines(container, container.streams.subtitles[at]))
        text, size = "\n".join(lines), limits.TEXT_PART_CHARS
        if len(text) > limits.TEXT_JUDGED_CHARS:
            self._gap(f"The subtitles are longer than the {limits.TEXT_JUDGED_CHARS:,} characters that are looked at.")
        for at, start in enumerate(range(0, min(len(text), limits.TEXT_JUDGED_CHARS), size)):
            piece = text[start : start + size]
            self.parts.append(TextPart(id=f"/subtitles:{at}", text=piece, role="document", note="subtitles of the video"))

    def take_pictures(self, data: bytes) -> None:
        """Take cover art out, as files that are read on their own."""
        for at in self._pictures:
            with opened(data) as container:
                packet = next(container.demux(container.streams.video[at]))
                self.members.append(Member(name="cover", data=bytes(packet)))

    def _lines(self, container: InputContainer, track: SubtitleStream) -> Iterator[str]:
        if not _can_be_decoded(track):
            self._gap("Subtitles of the video are in a format that is not read here.")
            return
        try:
            for packet in container.demux(track):
                for subtitle in track.decode(packet) if packet.size else ():
                    if isinstance(subtitle, BitmapSubtitle):
                        self._gap("Subtitles of the video are pictures, which are not read.")
                        return
                    said = _STYLING.sub("", subtitle.dialogue.decode("utf-8", "replace"))
                    yield from said.replace("\\N", "\n").splitlines()
        except av.FFmpegError:
            self._gap("Subtitles of the video are damaged.")

    def _shown(self, scene: Scene, note: str) -> ImagePart:
        self._codes.look_at(scene.picture, scene.picture)
        return ImagePart(
            id=f"/frame:{scene.number}",
            data=as_jpeg(scene.picture),
            media_type="image/jpeg",
            width_px=scene.picture.width,
            height_px=scene.picture.height,
            note=note,
        )

    def _note_location(self, container: InputContainer) -> None:
        keys = (_last_word(key) for each in (container, *container.streams) for key in each.metadata)
        if any(key in {"location", "location-eng", "iso6709"} for key in keys):
            says = "The file says where it was recorded."
            self.facts.append(Fact(place="", about="privacy", kind="location", severity=1, says=says))

    def _gap(self, why: str) -> None:
        if all(gap.why != why for gap in self.gaps):
            self.gaps.append(Gap(place="", kind="partial", why=why))

    def _unreadable(self, why: str) -> None:
        self.gaps.insert(0, Gap(place="", kind="unreadable", why=why))


def is_picture(track: Stream) -> bool:
    return track.type == "video" and bool(track.disposition & Disposition.attached_pic)


def _can_be_decoded(track: Stream) -> bool:
    return track.codec_context is not None


def _is_transparent(track: Any) -> bool:
    """Whether the track carries opacity: in its pixels, or beside them as in WebM."""
    shown = track.codec_context.format
    beside = track.metadata.get("alpha_mode", track.metadata.get("ALPHA_MODE")) == "1"
    return beside or (shown is not None and any(component.is_alpha for component in shown.components))


def _texts(container: InputContainer) -> str:
    """Return what the file, its tracks and chapters say about themselves, a line each."""
    tracks = [track.metadata for track in container.streams if not is_picture(track)]
    tables = (container.metadata, *tracks, *(chapter["metadata"] for chapter in container.chapters()))
    said = (f"{key}: {text.strip()}" for table in tables for key, text in table.items() if not _is_technical(key, text))
    return "\n".join(dict.fromkeys(said))


def _is_technical(key: str, text: str) -> bool:
    usual = _TECHNICAL.fullmatch(_last_word(key)) or key.startswith("_STATISTICS") or not any(map(str.isalpha, text))
    return bool(usual) and len(text) <= _TECHNICAL_CHARS


def _last_word(key: str) -> str:
    return key.rsplit(".", 1)[-1].lower()
