"""Word documents and presentations to parts: DOCX, PPTX (also Strict and with macros), ODT, ODP.

What a part of a package is, its first element says; names and places are up to whoever wrote the file.
"""

import base64
from collections.abc import Mapping
from typing import Final

from pipelines.content import Fact
from pipelines.media.documents.office_text import Channels, OpenDocument, OpenXml, Properties
from pipelines.media.documents.packages import (
    Package,
    active_content,
    enclosed,
    external_reference,
    facts_of,
    links_of,
    open_package,
)
from pipelines.media.documents.passages import HIDDEN, Passages, counted
from pipelines.media.documents.xml_events import walk
from pipelines.media.read import Asked, Member, NotRead, Read

_OPEN_DOCUMENT: Final = ("document-content", "document-styles")
# First element: place and note of what stands in it, in the order in which the document is told.
_WORD_PARTS: Final = {
    "document": ("/text", ""),
    "hdr": ("/header", "header or footer"),
    "ftr": ("/header", "header or footer"),
    "footnotes": ("/footnotes", "footnotes"),
    "endnotes": ("/footnotes", "footnotes"),
    "comments": ("/comments", "comments"),
}
SHARED_PARTS: Final = {
    "chartSpace": ("/chart", "chart"),
    "dataModel": ("/diagram", "diagram"),
    "cmLst": ("/comments", "comments"),
    "notes": ("/notes", "speaker's notes"),
}
_LAYOUTS: Final = dict.fromkeys(("sldMaster", "sldLayout"), ("/layout", "on the layout of slides"))
_LEAVES: Final = {
    "chartSpace": frozenset({"t", "v"}),
    "cmLst": frozenset({"t", "text"}),
    "ThreadedComments": frozenset({"text"}),
}
_PROPERTIES: Final = ("coreProperties", "document-meta")
_CHANNELS: Final = {
    "hidden": HIDDEN,
    "deleted": "struck out as a tracked deletion",
    "comments": "comments",
    "notes": "speaker's notes",
    "pictures": "alternative texts of pictures",
    "links": "addresses that the document links to",
}


def read(data: bytes, asked: Asked) -> Read:
    """Read a document or a presentation.

    Raises: `NotRead`; what `zipfile` and `ElementTree` raise on damaged files.
    """
    package = open_package(data)
    told = Telling(package)
    if slides := _slides(package):
        coverage = _read_slides(told, slides)
    elif package.named("document", *_OPEN_DOCUMENT):
        coverage = _read_text(told)
    else:
        raise NotRead("unreadable", "The file has the form of an office document, but holds none.")
    told.tell(SHARED_PARTS | _LAYOUTS)
    told.finish()
    return Read(
        parts=tuple(told.passages.parts),
        gaps=told.passages.gaps,
        facts=tuple(told.facts),
        members=(*enclosed(package), *told.members),
        coverage=", ".join(filter(None, (coverage, told.passages.coverage))),
    )


class Telling:
    """Reads the parts of a package one after the other, each once."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.passages = Passages()
        self.facts: list[Fact] = facts_of(package)
        self.members: list[Member] = []
        self._told: set[str] = set()

    def tell(self, parts: Mapping[str, tuple[str, str]], *, among: list[str] | None = None, under: str = "") -> None:
        """Read the parts with such first elements, of all or of those `among` which they must be; places begin with `under`."""
        for root, (place, note) in parts.items():
            for name in self.package.named(root):
                if among is None or name in among:
                    self.part(name, under + place, note)

    def part(self, name: str, place: str, note: str = "") -> bool:
        """Read one part of an Office Open XML package; return whether it is a slide that is not shown."""
        if name in self._told:
            return False
        self._told.add(name)
        if self.passages.full:
            self.passages.cut()
            return False
        root = self.package.roots[name][1]
        part = OpenXml(
            leaves=_LEAVES.get(root, frozenset({"t"})),
            without_placeholders=root in _LAYOUTS,
        )
        if not walk(self.package.members[name], part, self.package.budget):
            self.passages.cut()
        if part.runs_a_command:
            self.facts.append(active_content("The document has a field that starts a program (DDE)."))
        hidden = part.root.get("show", "") in {"0", "false"}
        self.channels(part.channels, place, f"{note}, {HIDDEN}" if hidden else note)
        return hidden

    def channels(self, channels: Channels, place: str, note: str = "") -> None:
        """Add what was read of one part. What is hidden has a place of its own beside it."""
        above = place.rpartition("/")[0]
        self.passages.add(place, channels.text("text"), note=note)
        for channel, what in _CHANNELS.items():
            self.passages.add(f"{above}/{channel}", channels.text(channel), note=what)
        self.passages.add(f"{above}/fallback", channels.fallback, note="shown by some programs only")
        if channels.text("hidden").strip():
            self._found_hidden()

    def finish(self) -> None:
        """Add what the package says as a whole: links, and its title and description."""
        self.passages.add("/links", "\n".join(links_of(self.package)), note=_CHANNELS["links"])
        for name in self.package.named(*_PROPERTIES):
            properties = Properties()
            walk(self.package.members[name], properties, self.package.budget)
            self.passages.add("/metadata", properties.text, role="metadata")

    def _found_hidden(self) -> None:
        # Templates and drafts hide text innocently, and the text is judged like any other: hence the lowest severity.
        fact = Fact(place="", about="tampering", kind="hidden_text", severity=1, says="The document has text that it hides.")
        if fact not in self.facts:
            self.facts.append(fact)


def _read_text(told: Telling) -> str:
    told.tell(_WORD_PARTS)
    return _read_open_document(told)


def _read_open_document(told: Telling) -> str:
    """Read the parts of an OpenDocument package; return how many slides there are, nothing where there are none."""
    slides = 0
    for root in _OPEN_DOCUMENT:
        for name in told.package.named(root):
            part = OpenDocument()
            if not walk(told.package.members[name], part, told.package.budget):
                told.passages.cut()
            for page in part.pages:
                slides += 1
                told.channels(page, f"/slide:{slides}/text", f"slide {slides}")
            told.channels(part.channels, "/text" if root == "document-content" else "/header", "")
            told.members += [Member(name="", data=base64.b64decode(text)) for text in part.embedded]
            if part.external:
                told.facts.append(external_reference())
    return counted(slides, "slide") if slides else ""


def _slides(package: Package) -> list[str]:
    """Return the slides in the order in which they are shown, then those that none of it names."""
    ordered = []
    for name in package.named("presentation"):
        targets = {relation.id: relation.target for relation in package.relations(name)}
        order = _Order()
        walk(package.members[name], order, package.budget)
        ordered += [targets[id] for id in order.ids if id in targets]
    slides = package.named("sld")
    return [name for name in dict.fromkeys(ordered) if name in slides] + sorted(set(slides) - set(ordered))


def _read_slides(told: Telling, slides: list[str]) -> str:
    hidden = 0
    for number, name in enumerate(slides, start=1):
        hidden += told.part(name, f"/slide:{number}/text", f"slide {number}")
        referred = [relation.target for relation in told.package.relations(name) if not relation.external]
        told.tell(SHARED_PARTS, among=referred, under=f"/slide:{number}")
    return counted(len(slides), "slide") + (f", {hidden} of them hidden" if hidden else "")


class _Order:
    """Handler of `presentation.xml`: the relations of the slides in the order in which they are shown."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sldId":
            self.ids += [value for key, value in attributes.items() if key.endswith("}id")]
