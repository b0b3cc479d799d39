"""Videos, voice notes and other sound. FFmpeg comes with an optional package; where that is absent, none of them is read."""

from typing import Final

from pipelines.media.extras import VIDEO
from pipelines.media.films.pace import Pace
from pipelines.media.read import Asked, NotRead, Read

try:
    from pipelines.media.films import smaller, tracks
except ModuleNotFoundError:
    smaller = tracks = None  # type: ignore[assignment]

_ABSENT: Final = f"Videos and sound are not read here: {VIDEO.what_to_do}"


def read(data: bytes, asked: Asked) -> Read:
    """Read an MP4, MOV, WebM or MKV, or an MP3, M4A, AAC, OGG, WAV or FLAC.

    Gives `/frame:N` (the frames that look unlike the others, see `scenes`), `/sound`, `/subtitles:N`, `/code:N` and
    `/metadata`; cover art and attached files are members. A track that cannot be read is a gap, and so is all that is beyond
    a limit. `asked` changes nothing.

    Raises: `NotRead`, also where the package is absent; whatever FFmpeg raises where nothing at all can be read.
    """
    if tracks is None:
        raise NotRead("unreadable", _ABSENT)
    return tracks.read(data)


def made_smaller(data: bytes, *, size_bytes: int) -> bytes:
    """Return a clip with its sound as an MP4 of at most `size_bytes`, without metadata.

    Raises: `NotRead` where that cannot be, or the package is absent; whatever FFmpeg raises where the clip cannot be read.
    """
    if smaller is None:
        raise NotRead("unreadable", _ABSENT)
    return smaller.smaller(data, Pace(), size_bytes=size_bytes)
