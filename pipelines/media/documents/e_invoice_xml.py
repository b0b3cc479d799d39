"""E-invoices to their values: Factur-X, ZUGFeRD 1 and 2, XRechnung and UBL, in PDFs or as they are. Only a worker imports it.

The names of elements count, not their namespaces, which change with every version. `e_invoice_syntaxes` knows where
what is.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from pipelines.media.documents.e_invoice import ATTACHMENTS, ROWS, VALUE_CHARS, EInvoice
from pipelines.media.documents.e_invoice_syntaxes import CII, TODAY, UBL, cii, ubl
from pipelines.media.documents.pdf_inside import embedded
from pipelines.media.documents.pdf_page import opened
from pipelines.media.documents.xml_events import Budget, root_of, walk
from pipelines.media.kinds import kind_of
from pipelines.media.read import NotRead

XML_BYTES: Final = 10 * 1024 * 1024  # an invoice of 5,000 lines has as many
_ELEMENTS: Final = 400_000
_DEEP: Final = 50  # EN 16931 has 12 levels
_UBL: Final = "urn:oasis:names:specification:ubl:"

# UNTDID 1001, as EN 16931 uses it: credit notes, among them self-billed (261) and factored (396) ones, and corrections.
_CREDIT_NOTES: Final = frozenset(["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"])
_CORRECTED: Final = frozenset({"384"})


def read(data: bytes) -> EInvoice | None:
    """Return what the e-invoice says that a PDF carries or that an XML file is; None where there is none.

    Raises: `NotRead`, `ParseError` when the file is an e-invoice, but one that cannot be read.
    """
    kind = kind_of(data)
    if kind and kind.name == "PDF":
        return _inside(data)
    return _invoice(data) if kind and kind.family == "text" else None  # XML without declaration or prefix passes for a text


def _inside(data: bytes) -> EInvoice | None:
    """Return the first attachment that can be read as an e-invoice; `embedded` has the likeliest first."""
    with opened(data) as document:
        files = embedded(document, ()).members
    invoices = [file for file in files if _syntax(file.data)]
    for file in invoices:
        with suppress(NotRead, ParseError, LookupError, ValueError):  # as damaged XML of any encoding raises
            if found := _invoice(file.data):
                return replace(found, name=file.name[:VALUE_CHARS] or "unnamed", others=min(len(invoices) - 1, ATTACHMENTS))
    return None


def _syntax(data: bytes) -> str:
    """Return the syntax that the first element stands for; empty where it is no invoice, such as Order-X, or no XML."""
    try:
        namespace, name = root_of(data)
    except (NotRead, ParseError, LookupError, ValueError):
        return ""
    if name in CII:
        return "CII"
    return "UBL" if name in UBL and namespace.startswith(_UBL) else ""


def _invoice(data: bytes) -> EInvoice | None:
    syntax = _syntax(data)
    if not syntax:
        return None
    if len(data) > XML_BYTES:
        raise NotRead("refused-limits", f"The e-invoice is larger than {XML_BYTES // 1024**2} MB.")
    tree = _Tree()
    walk(data, tree, Budget(_ELEMENTS))
    found = (cii if syntax == "CII" else ubl)(tree.root)
    rows = {name: tuple(_rows(rows)) for name, rows in found.rows.items()}
    if any(len(each) > ROWS for each in rows.values()):
        raise NotRead("refused-limits", f"The e-invoice has more than {ROWS:,} lines.")
    fields = {"kind": _kind(found.type_code), **_row(found.fields)}
    return replace(
        found,
        profile=found.profile[:VALUE_CHARS],
        type_code=found.type_code[:VALUE_CHARS],
        fields=fields,
        rows={name: each for name, each in rows.items() if each},
    )


class _Tree:
    """Builds the elements of a document, without namespaces and comments."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self.data = self._builder.data

    @property
    def root(self) -> Element:
        return self._builder.close()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEP:
            raise NotRead("refused-limits", "The e-invoice is nested deeper than is read.")
        self._builder.start(TODAY.get(name, name), dict(attributes))

    def end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(TODAY.get(name, name))


def _kind(type_code: str) -> str:
    """Return the option of `invoice.yaml`; 389 (self-billed), 387 (rent), 575 (insurance), 751 … are invoices too."""
    if type_code in _CREDIT_NOTES:
        return "credit note"
    return "corrected invoice" if type_code in _CORRECTED else "invoice"


def _rows(rows: tuple[Mapping[str, str], ...]) -> Iterator[Mapping[str, str]]:
    """Leave out rows that say nothing, such as lines that are only a note."""
    return (row for row in map(_row, rows) if row)


def _row(values: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is not there; the longest texts are cut."""
    return {name: value[:VALUE_CHARS] for name, value in values.items() if value}
