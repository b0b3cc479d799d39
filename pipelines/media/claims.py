"""What the name and the announced type of a file claim, against what it is."""

import re
from typing import Final

from pipelines.content import Fact
from pipelines.media.kinds import KINDS, Kind
from pipelines.media.read import Asked, tampering

# What opens with a double click and runs something.
_DANGEROUS: Final = frozenset({
    "exe", "scr", "com", "pif", "bat", "cmd", "msi", "cpl", "dll", "lnk", "vbs", "vbe", "js", "jse", "wsf", "ps1",
    "psm1", "hta", "jar", "app", "apk", "dmg", "pkg", "iso", "img", "reg", "sh", "py", "html", "htm", "xhtml", "shtml",
    "svg",
})  # fmt: skip
_HARMLESS: Final = frozenset(
    extension
    for kind in KINDS.values()
    if kind.family in {"picture", "document", "sheet", "video", "sound", "archive"} and kind.name != "HTML"
    for extension in kind.extensions
) | {"txt"}
_TURNS_AROUND: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")  # Unicode UAX 9: embeddings, overrides, isolates
_SAYS_NOTHING: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})


def facts(asked: Asked, kind: Kind | None) -> tuple[Fact, ...]:
    """Return what is wrong with the claims about a file of this kind; None where the kind is not known."""
    found = [_double_extension(asked.name)]
    if kind is not None:
        found += [_wrong_extension(asked.name, kind), _wrong_media_type(asked.media_type, kind)]
    return tuple(fact for fact in found if fact is not None)


def _wrong_extension(name: str, kind: Kind) -> Fact | None:
    extension = _extensions(name)[-1]
    claimed = [each for each in KINDS.values() if extension and extension in each.extensions]
    if not claimed or _stands_for(kind, claimed):
        return None
    return tampering("wrong_extension", 1, f"The file's name says {claimed[0].name}, but it is {kind.name}.")


def _wrong_media_type(media_type: str, kind: Kind) -> Fact | None:
    announced = media_type.partition(";")[0].strip().lower()
    if announced in _SAYS_NOTHING:
        return None
    claimed = [each for each in KINDS.values() if announced in each.media_types]
    if not claimed or _stands_for(kind, claimed):
        return None
    return tampering("wrong_media_type", 1, f"The file was announced as {claimed[0].name}, but it is {kind.name}.")


def _stands_for(kind: Kind, claimed: list[Kind]) -> bool:
    """Whether a kind is one of those claimed, or as good as.

    A table, a script and a page's source are all text, and today's office files are ZIP archives.
    """
    names = {each.name for each in claimed}
    return (
        kind in claimed
        or (_is_text(kind) and any(map(_is_text, claimed)))
        or ("ZIP" in names and kind.name in {"DOCX", "PPTX", "XLSX", "XLSB", "ODT", "ODP", "ODS"})
    )


def _is_text(kind: Kind) -> bool:
    return kind.family in {"text", "mail"} or kind.name in {"HTML", "SVG", "script"}


def _double_extension(name: str) -> Fact | None:
    *before, last = _extensions(name)
    if last in _DANGEROUS and before and before[-1] in _HARMLESS:
        return tampering("double_extension", 2, "The file's name has a harmless ending before its real one.")
    if _TURNS_AROUND.search(name) and last:
        return tampering("double_extension", 2, "Characters in the file's name turn its ending around.")
    return None


def _extensions(name: str) -> list[str]:
    """Return the endings of a name, in lower case; one empty ending where it has none."""
    _, *endings = re.split(r"[/\\]", name)[-1].strip().split(".")
    return [ending.strip().lower() for ending in endings] or [""]
