"""What a file says beside its pictures. It never travels with them; what reads like text is judged on its own."""

import html
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from PIL import ExifTags, Image, ImageCms

from pipelines import limits
from pipelines.media.pictures.opening import BROKEN

_XP_TAGS: Final = frozenset({0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F})  # Windows' title, comment, author, keywords, subject
_USER_COMMENT: Final = 0x9286
_ENCODINGS: Final = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"\0" * 8: "utf-8"}  # EXIF 2.32, 4.6.5 UserComment
_LEGIBLE_SHARE: Final = 0.8
# What every camera and drawing program writes; left out unless it is longer than they write it.
_TECHNICAL: Final = frozenset({"Make", "Model", "Software", "LensMake", "LensModel", "HostComputer"})
_TECHNICAL_CHARS: Final = 64
_PROFILE_TEXTS: Final = (
    ImageCms.getProfileDescription,
    ImageCms.getProfileCopyright,
    ImageCms.getProfileManufacturer,
    ImageCms.getProfileModel,
)
_RIGHTS: Final = re.compile(
    r"copyright|\(c\)|©|public domain|no copyright|cc0|freely|$", re.IGNORECASE
)  # how a profile's usually begins
_PNG_BOOKKEEPING: Final = ("Raw profile type", "date:", "XML:com.adobe.xmp")
_XMP_ATTRIBUTE: Final = re.compile(r"""(?<![\w:-])(?!xmlns|rdf:|x:)[\w-]+:[\w-]+\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_XMP_TOOL: Final = re.compile(r"(?:CreatorTool|softwareAgent)(>[^<]{0,64}|\s*=\s*[\"'][^\"'<]{0,64}[\"'])")
_XMP_CHARS: Final = 64 * limits.METADATA_JUDGED_BYTES
_XMP_TAG: Final = re.compile(r"<[^<>]*>")
# Titles, descriptions and keywords stand in lists, where a single word is somebody's; ids stand there as well.
_XMP_ITEM: Final = re.compile(r"<rdf:li[^<>]*>([^<>]+)</rdf:li>")
_ID: Final = re.compile(r"(?:xmp\.|uuid:|adobe:)\S*|[0-9A-Fa-f-]{32,36}|[\W\d_]*")
_XMP_PLACE: Final = re.compile(r"""exif:GPSLatitude\s*(?:=\s*["']|>)\s*[\d-]""")  # XMP specification, part 2, 1.4.4
# Dates, numbers, ids and single words, of which XMP is full.
_MACHINE_VALUE: Final = re.compile(r"[\W\d_]*|[\w.:/#+-]+")


class Texts:
    """The texts of one file, each once. `tells_a_place`: the file says where it was taken."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._too_long = False
        self.tells_a_place = False

    def add_comments(self, opened: Image.Image) -> None:
        """Take what stands beside the frame that is open now: comments, PNG's text chunks."""
        for text in _comments(opened):
            self._add(text)

    def add_all(self, opened: Image.Image) -> None:
        """Take everything that a file says about itself. A PNG must be decoded before: its texts may stand at the end."""
        self.add_comments(opened)
        xmp = _xmp_packet(opened.info)
        self._too_long |= len(xmp) > _XMP_CHARS
        self.tells_a_place |= _has_position(opened) or bool(_XMP_PLACE.search(xmp))
        for text in (*_exif(opened), *_xmp(xmp[:_XMP_CHARS]), *_profile_texts(opened.info)):
            self._add(text)

    @property
    def joined(self) -> str:
        """All texts, a line each, cut at the limit."""
        return self._all()[: limits.METADATA_JUDGED_BYTES].decode("utf-8", "ignore").strip()

    @property
    def cut(self) -> bool:
        """Whether there is more than is judged."""
        return self._too_long or len(self._all()) > limits.METADATA_JUDGED_BYTES

    def _all(self) -> bytes:
        return "\n".join(self._found).encode("utf-8", "replace")

    def _add(self, text: str) -> None:
        if clean := text.replace("\0", " ").strip():
            self._found[clean[: limits.METADATA_JUDGED_BYTES + 1]] = None


def orientation(opened: Image.Image) -> int:
    """Return how the camera was held, 1 to 8; 1 is upright and what is unreadable."""
    try:
        value = opened.getexif().get(ExifTags.Base.Orientation, 1)
    except BROKEN:
        return 1
    return value if isinstance(value, int) else 1


def _comments(opened: Image.Image) -> Iterator[str]:
    info = opened.info
    comment = info.get("comment")
    if isinstance(comment, bytes | str):
        yield _text(comment)
    if opened.format != "PNG":
        return
    for key, value in info.items():  # strings are tEXt, zTXt and iTXt chunks
        if key != "comment" and isinstance(key, str) and isinstance(value, str) and not key.startswith(_PNG_BOOKKEEPING):
            short = key in _TECHNICAL and len(value) <= _TECHNICAL_CHARS
            yield "" if short else f"{key}: {value}"


def _exif(opened: Image.Image) -> Iterator[str]:
    try:
        exif = opened.getexif()
        fields = [*exif.items(), *exif.get_ifd(ExifTags.IFD.Exif).items()]
    except BROKEN:
        return
    for tag, value in fields:
        if tag in _XP_TAGS and isinstance(value, bytes):
            yield value.decode("utf-16-le", "replace")
        elif tag == _USER_COMMENT and isinstance(value, bytes):
            comment = value[8:].decode(_ENCODINGS.get(value[:8], "utf-8"), "replace")
            yield comment if _is_legible(comment) else ""  # some phones keep numbers of their own there
        elif isinstance(value, str) and not _is_technical(tag, value):
            yield value


def _is_legible(text: str) -> bool:
    plain = sum((letter.isprintable() and letter != "\ufffd") or letter.isspace() for letter in text)
    return plain >= _LEGIBLE_SHARE * len(text.rstrip("\0"))


def _has_position(opened: Image.Image) -> bool:
    try:
        position = opened.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    except BROKEN:
        return False
    return ExifTags.GPS.GPSLatitude in position and ExifTags.GPS.GPSLongitude in position


def _is_technical(tag: int, value: str) -> bool:
    name = ExifTags.TAGS.get(tag, "")
    usual = name in _TECHNICAL or not any(letter.isalpha() for letter in value)  # dates, offsets, versions
    return usual and len(value) <= _TECHNICAL_CHARS


def _xmp_packet(info: Mapping[Any, Any]) -> str:
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    return _text(packet) if isinstance(packet, bytes | str) else ""


def _xmp(xml: str) -> Iterator[str]:
    xml = _XMP_TOOL.sub(lambda tool: ">" if tool[1].startswith(">") else "", xml)
    for item in _XMP_ITEM.findall(xml):
        plain = html.unescape(item).strip()
        if not _ID.fullmatch(plain):
            yield plain
    values = [one or other for one, other in _XMP_ATTRIBUTE.findall(xml)]
    for value in (*_XMP_TAG.sub("\n", xml).splitlines(), *values):
        plain = html.unescape(value).strip()
        if not _MACHINE_VALUE.fullmatch(plain):
            yield plain


def _profile_texts(info: Mapping[Any, Any]) -> Iterator[str]:
    profile = info.get("icc_profile")
    if not isinstance(profile, bytes):
        return
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        texts = [said(opened).strip() for said in _PROFILE_TEXTS]
    except (ImageCms.PyCMSError, OSError):
        return
    yield from (text for text in texts if len(text) > _TECHNICAL_CHARS)
    rights = texts[1]
    if len(rights) <= _TECHNICAL_CHARS and not _RIGHTS.match(rights):
        yield rights


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
