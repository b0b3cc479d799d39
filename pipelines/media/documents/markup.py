"""HTML to parts. Nothing is loaded or run."""

import base64
import binascii
import itertools
import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from pipelines import limits
from pipelines.content import Fact
from pipelines.media.documents.decoding import decoded
from pipelines.media.documents.packages import external_reference
from pipelines.media.documents.passages import HIDDEN, Passages, within_limit
from pipelines.media.documents.xml_events import root_of
from pipelines.media.read import Asked, Member, NotRead, Read

_CHARSET: Final = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})|<\?xml[^>]{0,200}encoding=["']([\w-]{1,40})""", re.IGNORECASE
)
_HEAD_BYTES: Final = 4_096
_HTML_BYTES: Final = 16 * 1024 * 1024  # pictures in the page mostly
_HTML_TAGS: Final = 500_000  # parsed in half a second; a printed page has some hundred
_BLANKS: Final = re.compile(r"\s+")
_LEFT_OUT: Final = frozenset({"script", "style", "template"})
_BREAKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "caption", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li", "main", "nav", "ol", "option", "p",
    "pre", "section", "summary", "table", "title", "tr", "ul",
})  # fmt: skip
_SAID: Final = ("alt", "title", "placeholder", "aria-label", "value", "label")
_REFERRING: Final = ("src", "href", "xlink:href", "data", "poster", "srcset", "background", "style", "action")
_LOADING: Final = frozenset(
    {"img", "iframe", "script", "link", "object", "embed", "video", "audio", "source", "image", "input"}
)
_DATA_ADDRESS: Final = re.compile(r"data:[^\s\"')]+", re.IGNORECASE)
_NO_CONTENT: Final = (
    "font/",
    "application/font",
    "application/x-font",
    "text/css",
    "text/javascript",
    "application/javascript",
)
_HIDING: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9]))",
    re.IGNORECASE,
)
_COLOUR: Final = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_GROUND: Final = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_COLOURS: Final = {"white": "#ffffff", "black": "#000000", "rgb(255,255,255)": "#ffffff", "rgb(0,0,0)": "#000000"}

_E_INVOICES: Final = ("CrossIndustryInvoice", "CrossIndustryDocument")
_UBL: Final = "urn:oasis:names:specification:ubl:"
_UBL_INVOICES: Final = ("Invoice", "CreditNote")


def read(data: bytes, asked: Asked) -> Read:
    """Read a page.

    Raises: `NotRead` when it is no text.
    """
    page, passages = Page(data), Passages()
    page.tell(passages)
    members, gaps = within_limit([Member(name="", data=member) for member in page.members])
    return Read(
        parts=tuple(passages.parts),
        gaps=(*passages.gaps, *gaps),
        facts=page.facts,
        members=members,
        coverage=passages.coverage,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """How a page shows what stands in an element: not at all, hidden or plainly, on which ground, in which block."""

    left_out: bool = False
    hidden: bool = False
    ground: str = "#ffffff"
    block: int = 0


class Page:
    """What an HTML page holds: the words that it shows, those that it hides, what its attributes say, its links and pictures.

    Raises: `NotRead` when it is no text.
    """

    def __init__(self, data: bytes, *, declared: str = "") -> None:
        self.shown = self.hidden = ""
        self.said: dict[str, None] = {}
        self.links: dict[str, None] = {}
        self.members: dict[bytes, None] = {}
        self.cut = False
        self._loads = self._scripted = False
        self._blocks = {False: 0, True: 0}  # in which the last words stand
        self._words: dict[bool, list[str]] = {False: [], True: []}
        self._read(self._source(data, declared))
        self.shown, self.hidden = ("".join(self._words[hidden]) for hidden in (False, True))

    @property
    def facts(self) -> tuple[Fact, ...]:
        says = "The page holds a script, which is not looked at."
        script = Fact(place="", about="note", kind="script", severity=0, says=says)
        return (script,) * self._scripted + (external_reference(),) * self._loads

    def tell(self, passages: Passages) -> None:
        """Add all texts."""
        passages.add("/text", self.shown)
        passages.add("/hidden", self.hidden, note=HIDDEN)
        passages.add("/attributes", "\n".join(self.said), note="alternative texts, tooltips and labels")
        passages.add("/links", "\n".join(self.links), note="addresses that the page links to")
        if self.cut:
            passages.cut()

    def _source(self, data: bytes, declared: str) -> str:
        named = _CHARSET.search(data[:_HEAD_BYTES])
        encoding = declared or (named[1] or named[2] or b"" if named else b"").decode("ascii", "replace")
        source = decoded(data, declared=encoding, limit_bytes=_HTML_BYTES)
        self.cut = len(data) > _HTML_BYTES
        if source.count("<") > _HTML_TAGS:
            self.cut = True
            source = source[: next(itertools.islice(re.finditer("<", source), _HTML_TAGS, None)).start()]
        return source

    def _read(self, source: str) -> None:
        # Without events: with them every option of a list copies the chosen one, which takes quadratic time.
        root = LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS).root
        looks: dict[int, _Look] = {}
        left = limits.DOCUMENT_CHARS
        for node in root.traverse(include_text=True) if root else ():
            above = looks.get(node.parent.mem_id, _Look()) if node.parent else _Look()
            if node.is_text_node:
                left -= self._add_text(node.text_content or "", above)
            elif node.is_element_node:
                looks[node.mem_id] = self._element(node, above)
            if left < 0:
                self.cut = True
                return

    def _add_text(self, text: str, look: _Look) -> int:
        """Add a piece of text; return its length."""
        if look.left_out:
            return 0
        words = self._words[look.hidden]
        if look.block != self._blocks[look.hidden]:
            words.append("\n")
            self._blocks[look.hidden] = look.block
        plain = _BLANKS.sub(" ", text)
        words.append(plain)
        return len(plain)

    def _element(self, node: LexborNode, above: _Look) -> _Look:
        tag, attributes = node.tag or "", node.attributes
        if tag in {"br", "td", "th"} and not above.left_out:
            self._words[above.hidden].append("\n" if tag == "br" else "\t")
        self._scripted |= tag == "script" and "json" not in (attributes.get("type") or "")
        if attributes:
            self._look_at_attributes(tag, attributes)
        look = _look(tag, attributes, above) if attributes or tag in _LEFT_OUT else above
        return replace(look, block=node.mem_id) if tag in _BREAKS else look

    def _look_at_attributes(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag != "input" or attributes.get("type") != "hidden":
            self.said |= {text: None for name in _SAID if (text := (attributes.get(name) or "").strip())}
        if tag == "meta" and "description" in (attributes.get("name") or attributes.get("property") or ""):
            self.said[attributes.get("content") or ""] = None
        if srcdoc := attributes.get("srcdoc"):
            self.members[srcdoc.encode("utf-8", "replace")] = None
        for name in _REFERRING:
            if address := (attributes.get(name) or "").strip():
                self._look_at_address(tag, name, address)

    def _look_at_address(self, tag: str, name: str, address: str) -> None:
        if address[:5].lower() == "data:":
            self._take(address)
        elif name in {"style", "srcset"}:
            for inside in _DATA_ADDRESS.findall(address):
                self._take(inside)
        elif "://" in address[:20] or address.startswith("//"):
            if tag in _LOADING:
                self._loads = True
            else:
                self.links[address] = None

    def _take(self, address: str) -> None:
        """Keep the content of a `data:` address (RFC 2397)."""
        head, _, body = address[5:].partition(",")
        if head.lower().startswith(_NO_CONTENT):
            return
        content = unquote_to_bytes(body)
        if head.lower().rstrip().endswith(";base64"):
            content = from_base64(content)
        if content:
            self.members[content] = None


def _look(tag: str, attributes: dict[str, str | None], above: _Look) -> _Look:
    style = attributes.get("style") or ""
    ground = _colour(_GROUND.search(style), attributes.get("bgcolor")) or above.ground
    ink = _colour(_COLOUR.search(style), attributes.get("color"))
    return _Look(
        left_out=above.left_out or tag in _LEFT_OUT,
        hidden=above.hidden or "hidden" in attributes or bool(_HIDING.search(style)) or ink in {ground, "transparent"},
        ground=ground,
        block=above.block,
    )


def _colour(declared: re.Match[str] | None, attribute: str | None) -> str:
    """Return a colour as `#rrggbb` where it is white, black or hexadecimal, else as it is written."""
    written = "".join((declared[1] if declared else attribute or "").lower().split())
    if re.fullmatch("#[0-9a-f]{3}", written):
        return "#" + "".join(2 * digit for digit in written[1:])
    return _COLOURS.get(written, written)


def from_base64(text: bytes) -> bytes:
    """Return what is encoded, as far as it can be read; nothing where it cannot."""
    try:
        return base64.b64decode(text + b"==")
    except binascii.Error:
        return b""


def e_invoice(data: bytes) -> tuple[Fact, ...]:
    """Say whether an XML file is an invoice in one of the two European syntaxes, CII (ZUGFeRD, Factur-X, XRechnung) or UBL."""
    try:
        namespace, root = root_of(data)
    except (ElementTree.ParseError, NotRead, LookupError, ValueError):  # it is shown as a text, well formed or not
        return ()
    if root not in _E_INVOICES and not (root in _UBL_INVOICES and namespace.startswith(_UBL)):
        return ()
    return (Fact(place="", about="note", kind="e_invoice", severity=0, says="The file is an electronic invoice."),)
