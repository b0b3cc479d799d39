"""What stands in the XML parts of office documents: Office Open XML, also Strict, and OpenDocument."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from pipelines import limits
from pipelines.media.documents.xml_events import Enough, attribute

_FALSE: Final = frozenset({"0", "false", "off"})
_DDE: Final = re.compile(r"\bDDE(AUTO)?\b", re.IGNORECASE)
_NESTED: Final = 20  # places within each other whose text is set apart
_WORDED: Final = frozenset({"p", "h", "title", "desc"})  # elements of OpenDocument
_SPACES: Final = 1_000  # that one element of OpenDocument may stand for


class Channels:
    """Texts by what they are: `text`, `hidden`, `deleted`, `fallback`, `comments`, `notes`, `pictures` (their alternative
    texts), `links`, `metadata`."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[str]] = defaultdict(list)
        self._chars = 0

    def write(self, channel: str, text: str) -> None:
        """Raises: `Enough` when there is more than is looked at of a document."""
        self._pieces[channel].append(text)
        self._chars += len(text)
        if self._chars > limits.DOCUMENT_CHARS:
            raise Enough

    def text(self, channel: str) -> str:
        return "".join(self._pieces[channel])

    @property
    def fallback(self) -> str:
        """What only programs that do not know an extension show; mostly the same words, which is then nothing."""
        shown = set(self.text("text").split())
        return "" if shown.issuperset(self.text("fallback").split()) else self.text("fallback")


class _Handler:
    """What both families have in common: the open elements, and places whose text is set apart or left out."""

    def __init__(self) -> None:
        self.channels = Channels()
        self.external = False  # it loads something from another address
        self.root: Mapping[str, str] = {}
        self._open: list[str] = []
        self._apart: list[tuple[int, str]] = []  # depth and channel; an empty channel leaves out
        self._cells = 0

    def _enter(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self._open:
            self.root = attributes
        self._open.append(name)

    def _leave(self) -> None:
        if self._apart and max(depth for depth, _ in self._apart) >= len(self._open):
            self._write("\n")
            self._apart = [(depth, channel) for depth, channel in self._apart if depth < len(self._open)]
        self._open.pop()

    def _set_apart(self, channel: str, depth: int | None = None) -> None:
        """Nested ones of the same kind count once, and what is nested beyond reason stays where it is."""
        if len(self._apart) < _NESTED and (not self._apart or self._apart[-1][1] != channel):
            self._apart.append((len(self._open) if depth is None else depth, channel))

    def _write(self, text: str) -> None:
        channel = self._apart[-1][1] if self._apart else "text"
        if any(not apart for _, apart in self._apart):
            return
        self.channels.write(channel, text)

    def _end_of_paragraph(self) -> None:
        self._write(" " if self._cells else "\n")

    def _end_of_row(self) -> None:
        self._write(" " if self._cells else "\n")


class OpenXml(_Handler):
    """Reads a part of a DOCX, PPTX or XLSX: body, header, slide, notes, comments, chart, diagram.

    `leaves` are the elements that hold text. `without_placeholders` leaves out the prompts of layouts, which no slide shows.
    """

    def __init__(self, *, leaves: frozenset[str] = frozenset({"t"}), without_placeholders: bool = False) -> None:
        super().__init__()
        self.runs_a_command = False
        self._leaves = leaves
        self._without_placeholders = without_placeholders
        self._shape = 0
        self._hidden_runs: list[bool] = []
        self._hiding = 0  # of the open runs
        self._field: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        parent = self._open[-1] if self._open else ""
        self._enter(name, attributes)
        match name:
            case "Fallback":
                self._set_apart("fallback")
            case "delText" | "moveFrom":
                self._set_apart("deleted")
            case "r":
                self._hidden_runs.append(False)
            case "vanish" if self._hidden_runs and parent == "rPr" and "r" in self._open[-3:]:
                hides = attribute(attributes, "val").lower() not in _FALSE
                self._hiding += hides - self._hidden_runs[-1]
                self._hidden_runs[-1] = hides
            case "tab" if parent not in {"tabs", "tabLst"}:
                self._write("\t")
            case "br" | "cr":
                self._write("\n")
            case "noBreakHyphen":
                self._write("-")
            case "tc":
                self._cells += 1
            case "sp":
                self._shape = len(self._open)
            case "ph" if self._without_placeholders and self._shape:
                self._set_apart("", self._shape)
            case "docPr" | "cNvPr":
                self._write_alternative(attributes)
            case "fldSimple":
                self._field.append(attribute(attributes, "instr"))

    def data(self, text: str) -> None:
        if not self._open:
            return
        if self._open[-1] in self._leaves or self._open[-1] == "delText":
            self._write_run(text)
        elif self._open[-1] == "instrText":
            self._field.append(text)

    def end(self, name: str) -> None:
        match name:
            case "p" | "pt":
                self._end_of_paragraph()
            case "text" if name in self._leaves:
                self._end_of_paragraph()
            case "si" | "comment":
                self._write("\n")
            case "tc":
                self._cells -= 1
                self._write("\t")
            case "tr":
                self._end_of_row()
            case "r" if self._hidden_runs:
                self._hiding -= self._hidden_runs.pop()
            case "sp":
                self._shape = 0
        self._leave()
        if not self._open:
            self._read_fields()

    def _write_run(self, text: str) -> None:
        if self._hiding and not self._apart:
            self.channels.write("hidden", text)
        else:
            self._write(text)

    def _write_alternative(self, attributes: Mapping[str, str]) -> None:
        for key in ("title", "descr"):
            if (text := attributes.get(key, "")).strip():
                self.channels.write("pictures", text + "\n")

    def _read_fields(self) -> None:
        """Field codes are cut into runs as programs like; a DDE field starts a program."""
        self.runs_a_command = bool(_DDE.search("".join(self._field)))


class OpenDocument(_Handler):
    """Reads `content.xml` and `styles.xml` of an ODT or ODP. `pages` are the slides of an ODP, `embedded` files in base64."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[Channels] = []
        self.embedded: list[str] = []
        self._document = self.channels
        self._readable = 0  # open elements that hold words
        self._style = ""
        self._hidden_styles: set[str] = set()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        parent = self._open[-1] if self._open else ""
        self._enter(name, attributes)
        self._readable += name in _WORDED
        match name:
            case "annotation":
                self._set_apart("comments")
            case "tracked-changes":
                self._set_apart("deleted")
            case "notes" if parent == "page":
                self._set_apart("notes")
            case "binary-data":
                self.embedded.append("")
            case "hidden-text" | "hidden-paragraph":
                self._set_apart("hidden")
                self._write(attribute(attributes, "string-value"))
            case "title" | "desc":
                self._set_apart("pictures")
            case "style":
                self._style = attribute(attributes, "name")
            case "text-properties" if attribute(attributes, "display") == "none":
                self._hidden_styles.add(self._style)
            case "page":
                self.pages.append(Channels())
                self.channels = self.pages[-1]
            case "table-cell":
                self._cells += 1
            case "s":
                self._write(" " * min(_number(attribute(attributes, "c")), _SPACES))
            case "tab":
                self._write("\t")
            case "line-break":
                self._write("\n")
            case "p" | "h" | "span" if attribute(attributes, "style-name") in self._hidden_styles:
                self._set_apart("hidden")
        self._look_at_link(name, attribute(attributes, "href"))

    def data(self, text: str) -> None:
        if self._open[-1:] == ["binary-data"]:
            self.embedded[-1] += text
        elif self._readable:
            self._write(text)

    def end(self, name: str) -> None:
        match name:
            case "p" | "h":
                self._end_of_paragraph()
            case "table-cell":
                self._cells -= 1
                self._write("\t")
            case "table-row":
                self._end_of_row()
            case "page":
                self.channels = self._document
        self._readable -= name in _WORDED
        self._leave()

    def _look_at_link(self, name: str, address: str) -> None:
        if "://" not in address:
            return
        if name == "a":
            self.channels.write("links", address + "\n")
        else:
            self.external = True


class Properties:
    """Handler of a document's title, subject, description and keywords, in either family."""

    _ASKED: Final = frozenset({"title", "subject", "description", "keywords", "keyword", "category"})

    def __init__(self) -> None:
        self._name = ""
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def start(self, name: str, _: Mapping[str, str]) -> None:
        self._name = name

    def data(self, text: str) -> None:
        if self._name in self._ASKED:
            self._texts.append(text)

    def end(self, name: str) -> None:
        if name in self._ASKED:
            self._texts.append("\n")
        self._name = ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1
