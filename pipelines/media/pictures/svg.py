"""Drawings (SVG): looked through first, then rasterised with resvg, then looked at like any other picture.

resvg runs no script and knows no network, but it opens files that a drawing names; and what a browser draws beyond it would go
unseen. So whatever reaches outside of the file, or is drawn by something else, is declined.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import resvg_py

from pipelines import limits
from pipelines.content import Gap, TextPart
from pipelines.media.documents.xml_events import Budget, walk
from pipelines.media.pictures import images
from pipelines.media.pictures.opening import open_picture
from pipelines.media.read import Asked, Member, NotRead, Read

_ELEMENTS: Final = 50_000  # a large map has some 20,000; resvg stops at a million of them, after `use` was followed
_DEPTH: Final = 200
_FILTERS: Final = 200  # each may cost a tenth of a second

_DECLINED: Final = {
    "script": "The drawing holds a script and is not read.",
    "foreignObject": "The drawing holds parts that are not drawn but HTML, and is not read.",
    "iframe": "The drawing holds another page and is not read.",
}
_OUTSIDE: Final = "The drawing shows something that is not in the file, and is not read."
_MOVING: Final = frozenset({"animate", "animateTransform", "animateMotion", "animateColor", "set"})
_IN_A_LINE: Final = frozenset({"tspan", "tref", "textPath", "a"})  # go on with the line of text around them
_DATA_URL: Final = re.compile(r"data:[^,]*,", re.IGNORECASE)
_CSS_OUTSIDE: Final = re.compile(
    r"@import|@font-face|expression\s*\(|url\(\s*['\"]?(?!\s*#|data:)[^)'\"\s]|\\[0-9a-f]", re.IGNORECASE
)
_CSS_MOVING: Final = re.compile(r"@keyframes|\banimation\b|:hover|@media", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"^\s*<\?xml(?!-)[^>]*\?>")
_STYLESHEET: Final = re.compile(r"<\?xml-stylesheet", re.IGNORECASE)


def read(data: bytes, asked: Asked) -> Read:
    """Rasterise a drawing and read that picture, its text in `/text`, and the pictures inside as members.

    Its text is read apart as well, for without the drawing's fonts on this machine it is missing from the picture.

    Raises: `NotRead`; `ValueError` where it is damaged.
    """
    text = _decoded(data)
    if _STYLESHEET.search(text):
        raise NotRead("refused-format", _OUTSIDE)
    drawing = _Drawing()
    try:
        walk(text.encode(), drawing, Budget(_ELEMENTS))
    except ElementTree.ParseError as error:
        raise NotRead("unreadable", "The drawing is damaged and cannot be read.") from error
    _check_pictures(drawing.pictures)
    side = limits.PREPARED_SIDE_PX  # fits the drawing into this square, whatever size it claims
    picture = images.read(resvg_py.svg_to_bytes(svg_string=text, width=side, height=side), asked)
    said, cut = drawing.text
    gaps = [Gap(place="", kind="partial", why=why) for why in (*drawing.why_partial, *cut)]
    parts = [TextPart(id="/text", text=said, role="document", note="text of the drawing, seen or not")] if said else []
    return Read(
        parts=(*picture.parts, *parts),
        gaps=(*picture.gaps, *gaps),
        facts=picture.facts,
        members=tuple(drawing.pictures),
        coverage="drawn once" if drawing.why_partial else "",
        hashes=picture.hashes,
        text_share=picture.text_share,
    )


class _Drawing:
    """What stands in a drawing; declines what reaches beyond it."""

    def __init__(self) -> None:
        self.pictures: list[Member] = []
        self.why_partial: dict[str, None] = {}
        self._path: list[str] = []
        self._filters = 0
        self._lines: list[str] = []
        self._line: list[str] = []  # in pieces, as it is being read

    @property
    def text(self) -> tuple[str, tuple[str, ...]]:
        """All text, a line each, and the sentence for the case that it is too long."""
        joined = "\n".join(dict.fromkeys(filter(None, (" ".join(line.split()) for line in self._lines))))
        if len(joined) <= limits.TEXT_PART_CHARS:
            return joined, ()
        return joined[: limits.TEXT_PART_CHARS], ("The drawing holds more text than is looked at.",)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        self._break(name)
        if not self._path[1:] and name != "svg":
            raise NotRead("unreadable", "The file is not a drawing.")
        if len(self._path) > _DEPTH:
            raise NotRead("refused-limits", f"The drawing is nested more than {_DEPTH} times.")
        if name in _DECLINED:
            raise NotRead("refused-format", _DECLINED[name])
        self._filters += name.startswith("fe")
        if self._filters > _FILTERS:
            raise NotRead("refused-limits", f"The drawing has more than {_FILTERS} filters.")
        if name in _MOVING:
            self._moves()
        for key, value in attributes.items():
            self._check(name, key, value)

    def data(self, text: str) -> None:
        self._line.append(text)

    def end(self, name: str) -> None:
        self._path.pop()
        if name == "style":
            self._check_css("".join(self._line))
            self._line.clear()
        self._break(name)

    def _break(self, name: str) -> None:
        if name not in _IN_A_LINE:
            self._lines.append("".join(self._line))
            self._line.clear()

    def _check(self, element: str, name: str, value: str) -> None:
        namespace, _, key = name.rpartition("}")
        if key in {"href", "src"}:
            self._follow(element, value.strip())
        elif key == "base":
            raise NotRead("refused-format", _OUTSIDE)
        elif namespace:  # drawing programs' own notes
            return
        elif key.lower().startswith("on"):
            raise NotRead("refused-format", _DECLINED["script"])
        elif key == "systemLanguage":
            self._moves()
        elif key in {"aria-label", "title"}:
            self._lines.append(value)
        elif key == "style" or "url(" in value.lower():
            self._check_css(value)

    def _follow(self, element: str, target: str) -> None:
        if target.lower().startswith("javascript:"):
            raise NotRead("refused-format", _DECLINED["script"])
        if element == "a":  # leads somewhere when clicked, shows nothing
            self._lines.append(target)
        elif found := _DATA_URL.match(target):
            self.pictures.append(Member(name="", data=_from_data_url(found[0], target[found.end() :])))
        elif target and not target.startswith("#"):
            raise NotRead("refused-format", _OUTSIDE)

    def _check_css(self, css: str) -> None:
        if _CSS_OUTSIDE.search(css):
            raise NotRead("refused-format", _OUTSIDE)
        if _CSS_MOVING.search(css):
            self._moves()

    def _moves(self) -> None:
        self.why_partial["The drawing moves or changes; only what it shows at first was looked at."] = None


def _check_pictures(pictures: Iterable[Member]) -> None:
    """Look at the headers of the pictures inside before resvg decodes them, which knows no limit."""
    for picture in pictures:
        try:
            open_picture(picture.data)
        except NotRead as declined:
            if declined.status == "refused-limits":
                raise


def _decoded(data: bytes) -> str:
    """Return the text without its XML declaration, so that both who read it take the same bytes for the same letters."""
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    try:
        return _DECLARATION.sub("", data.decode(encoding).removeprefix("\ufeff"), count=1)
    except UnicodeDecodeError as error:
        raise NotRead("unreadable", "The drawing is not written in UTF-8 and cannot be read.") from error


def _from_data_url(head: str, body: str) -> bytes:
    raw = unquote_to_bytes(body)
    if not head.lower().rstrip(",").endswith(";base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()) + b"===")
    except binascii.Error as error:
        raise NotRead("unreadable", "A picture in the drawing is damaged.") from error
