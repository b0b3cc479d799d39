"""An e-invoice to values, without any model; and whether the pages around it show the same invoice.

People see the page, software pays the XML. Where the two disagree, somebody has made a mistake, or wants one to be made.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final

from pipelines import limits
from pipelines.extraction import printed
from pipelines.extraction.ground import sendable
from pipelines.extraction.schema import FieldType, SchemaField, shipped
from pipelines.extraction.values import Value
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.media.documents.text_layer import TextLayer, TextPage

# What the pages of any invoice show, in the words of the note that they do not.
KEYS: Final[Mapping[str, str]] = {
    "number": "number",
    "issue_date": "date",
    "gross_total": "total",
    "due": "amount to pay",
    "iban": "account to pay to",
}
# Never printed as they stand in the XML: options, codes, and texts that we join of several.
_NOT_PRINTED: Final = frozenset({"kind", "currency", "payment_terms", "seller_address", "buyer_address"})
_WORD_CHARS: Final = 3  # of the shortest text that is looked for
_PLACES: Final = 1_000  # of one amount that are looked at
_LINE_CHARS: Final = 100  # of a line on either side of a value
_SAID_CHARS: Final = 60  # of a value in a sentence
_BOOKING_ONLY: Final = "751"  # UNTDID 1001: invoice information for accounting purposes
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,20})?|\.\d{1,20})")
_TOTAL: Final = re.compile(r"total|gesamt|betrag|summe|brutto|zahl|montant|ttc|payer|due|importo", re.IGNORECASE)


def from_e_invoice(
    invoice: EInvoice, layer: TextLayer | None
) -> tuple[dict[str, Value], dict[str, tuple[dict[str, Value], ...]], tuple[str, ...]]:
    """Return the fields, the rows and the notes for the schema `invoice`. What the XML does not say is left out.

    Values that the pages show too are grounded there; number, total, date and account have a `conflict` where they show
    something else. `layer` is None where there are no pages, as for an XML file of its own.
    """
    schema = shipped("invoice")
    pages = layer.pages if layer and _shows_figures(layer) else ()
    currency = _normalised("currency", invoice.fields.get("currency", ""))

    def read(said: Mapping[str, str], group: str = "") -> Iterator[tuple[SchemaField, Value]]:
        for name, raw in said.items():
            if spec := schema.field(group + name):
                yield spec, _value(raw, spec.type, currency)

    fields = {spec.name: _compared(spec, value, pages) for spec, value in read(invoice.fields)}
    rows = {
        group: tuple({spec.name: value for spec, value in read(row, f"{group}.")} for row in some)
        for group, some in invoice.rows.items()
    }
    return fields, rows, tuple(_notes(invoice, layer, fields, compared=bool(pages)))


def _value(raw: str, type_: FieldType, currency: str | None) -> Value:
    return Value(
        value=_normalised(type_, raw),
        raw=raw,
        currency=currency if type_ == "amount" else None,
        source="embedded-xml",
        way="embedded-xml",
    )


def _normalised(type_: FieldType, raw: str) -> str | None:
    """Return a value of XML in our notation, which is nearly the same; None where it is not what it should be."""
    match type_:
        case "amount" | "number" | "percent":
            return format(Decimal(raw), "f") if _DECIMAL.fullmatch(raw) else None
        case "date":
            try:
                return date.fromisoformat(raw[:10]).isoformat()  # UBL may add a time zone
            except ValueError:
                return None
        case "currency":
            return raw.upper() if re.fullmatch("[A-Za-z]{3}", raw) else None
        case "iban" | "vat_id":
            return "".join(raw.split()).upper()
        case _:
            return " ".join(raw.split())


def _compared(spec: SchemaField, value: Value, pages: Sequence[TextPage]) -> Value:
    """Return the value with its place on the pages, or with what they show in its stead."""
    pattern = None if spec.name in _NOT_PRINTED else _pattern(value, spec.type)
    is_key = spec.name in KEYS
    if pattern is None or not pages or (spec.type == "amount" and spec.name != "gross_total" and value.number == 0):
        return value  # a page need not show amounts of nothing, and may show others
    if found := _found(pattern, pages if is_key else _first(pages), is_total=spec.type == "amount"):
        page, (start, end) = found
        shown = {"page": page.number, "quote": _line(page, start, end), "box": page.box(start, end), "grounded": True}
        return value.model_copy(update=shown)
    if not is_key:
        return value
    instead = _instead(spec.name, pages)
    if instead is None:
        return value.model_copy(update={"notes": ("It stands only in the invoice inside the file, not on the page.",)})
    says = f"The invoice inside the file says {(value.value or '')[:_SAID_CHARS]}, the page does not show it. {instead}"
    return value.model_copy(update={"conflict": says.rstrip()})


def _shows_figures(layer: TextLayer) -> bool:
    """Whether the text is that of an invoice: a scan has none, or only a stamp."""
    return any(printed.ANY_AMOUNT.search(page.chars) or printed.ANY_DATE.search(page.chars) for page in layer.pages)


def _pattern(value: Value, type_: FieldType) -> re.Pattern[str] | None:
    """Return what the value looks like in print; None where it would be found by chance."""
    if value.value is None:
        return None
    match type_:
        case "amount":
            return printed.amount(Decimal(value.value))
        case "date":
            return printed.day(date.fromisoformat(value.value))
        case "iban" | "vat_id":
            return printed.account(value.value)
        case _:
            return printed.words(value.value) if len(value.value) >= _WORD_CHARS else None


def _first(pages: Sequence[TextPage]) -> Iterator[TextPage]:
    """Yield the pages on which values other than the keys are looked for: the text of a book takes seconds."""
    left = limits.DOCUMENT_CHARS
    for page in pages:
        left -= len(page.chars)
        if left < 0:
            return
        yield page


def _found(pattern: re.Pattern[str], pages: Iterable[TextPage], *, is_total: bool) -> tuple[TextPage, tuple[int, int]] | None:
    """Return the first place; of a total the last, rather in a line that says so: it stands below what it adds up."""
    places = ((page, match.span()) for page in pages for match in pattern.finditer(page.chars))
    if not is_total:
        return next(places, None)
    lines = ((_TOTAL.search(_line(page, *span)) is not None, (page, span)) for page, span in islice(places, _PLACES))
    by_rank = dict(lines)
    return by_rank.get(True) or by_rank.get(False)


def _line(page: TextPage, start: int, end: int) -> str:
    """Return the line around some characters, or as much of it as is quoted."""
    before = page.chars[max(0, start - _LINE_CHARS) : start].rpartition("\n")[2]
    after = page.chars[end : end + _LINE_CHARS].partition("\n")[0]
    return sendable(f"{before}{page.chars[start:end]}{after}".strip())


def _instead(name: str, pages: Sequence[TextPage]) -> str | None:
    """Return a sentence with what the pages show in place of a value; None where they show nothing of its kind."""
    if name == "number":
        return ""  # what is not known cannot be told from other numbers
    pattern = {"issue_date": printed.ANY_DATE, "iban": printed.ANY_IBAN}.get(name, printed.ANY_AMOUNT)
    shown = [match.group() for page in pages for match in pattern.finditer(page.chars)]
    if not shown:
        return None
    if pattern is printed.ANY_AMOUNT:
        return f"The largest amount there is {sendable(max(shown, key=_digits))}."
    return f"The first {KEYS[name].split()[0]} there is {' '.join(shown[0].split())}."


def _digits(amount: str) -> int:
    return int("".join(char for char in amount if char.isdecimal()))


def _notes(invoice: EInvoice, layer: TextLayer | None, fields: Mapping[str, Value], *, compared: bool) -> Iterator[str]:
    differ = [what for name, what in KEYS.items() if name in fields and fields[name].conflict]
    if differ:
        said = differ[0] if len(differ) == 1 else f"{', '.join(differ[:-1])} and {differ[-1]}"
        yield (
            f"The invoice inside the file is not the one that the page shows: {said} differ{'s' * (len(differ) == 1)}. People"
            " see the page, software pays the invoice inside. Ask the sender before anything is paid."
        )
    if invoice.name and not compared:
        yield "The pages are pictures, which were not compared with the invoice inside the file: look whether they agree."
    if compared and layer and len(layer.pages) < layer.pages_total:
        yield f"Only {len(layer.pages)} of {layer.pages_total} pages were compared with the invoice inside the file."
    if invoice.others:
        yield f"The file holds {invoice.others + 1} e-invoices, which are not the same. Only one was read."
    if invoice.type_code == _BOOKING_ONLY:
        yield "This is for booking only (type 751), not an invoice that taxes can be deducted by."
