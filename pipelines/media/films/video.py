"""Videos, voice notes and other sound. FFmpeg comes with an optional package; where that is absent, none of them is read."""

from pipelines.media.extras import VIDEO
from pipelines.media.read import Asked, NotRead, Read

try:
    from pipelines.media.films import tracks
except ModuleNotFoundError:
    tracks = None  # type: ignore[assignment]


def read(data: bytes, asked: Asked) -> Read:
    """Read an MP4, MOV, WebM or MKV, or an MP3, M4A, AAC, OGG, WAV or FLAC.

    Gives `/frame:N` (the frames that look unlike the others, see `scenes`), `/sound`, `/subtitles:N`, `/code:N` and
    `/metadata`; cover art and attached files are members. A track that cannot be read is a gap, and so is all that is beyond
    a limit. `asked` changes nothing.

    Raises: `NotRead`, also where the package is absent; whatever FFmpeg raises where nothing at all can be read.
    """
    if tracks is None:
        raise NotRead("unreadable", f"Videos and sound are not read here: {VIDEO.what_to_do}")
    return tracks.read(data)
