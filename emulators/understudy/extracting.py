"""Answers the questions about documents from their text layers, by labels and patterns. What is drawn only is not read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulators.understudy.measuring import Unreadable, measure
from emulators.understudy.reading import Parts, Picture, Text
from pipelines.media.pictures import measures

# What a question looks for, as `pipelines/prompts/extraction.md` lists it: a path, a type and a title.
_FIELD: Final = re.compile(
    r"^\s*- `(?P<path>[a-z0-9_]+(?:\.[a-z0-9_]+)?)` \((?P<type>[a-z_]+)\): (?P<title>[^.(]*)", re.MULTILINE
)
_FREE: Final = re.compile(r"^\s*- `(?P<group>[a-z0-9_]+)\.` and the heading", re.MULTILINE)
_KIND: Final = re.compile(r"^- `(?P<name>[a-z0-9_]+)`: ", re.MULTILINE)
_PAGE: Final = re.compile(r"/page:(\d+)(?:/|$)")

# How the fields of the shipped schemas are called in print; a workspace's own are looked for by their titles.
_LABELS: Final = {
    "number": r"invoice (?:no|number|#)|invoice|rechnungs?(?:nummer|-nr|nr)|facture n|n° de facture|facture|rechnung",
    "issue_date": r"invoice date|date of invoice|issued at|rechnungsdatum|date de facture|datum|date",
    "delivery_date": r"date of delivery|delivery date|lieferdatum|leistungsdatum|date de livraison",
    "due_date": r"due date|please remit until|fällig(?:keitsdatum)?|zahlbar bis|date d'échéance|échéance",
    "payment_terms": r"payment terms|zahlungsbedingungen|conditions de paiement",
    "order_number": r"your order|order (?:no|number)|bestellnummer|votre référence|n° de? ?commande",
    "seller_vat_id": r"vat[- ]id|ust[.-]?-?id(?:nr)?[.-]*|n° tva(?: intra)?|tva",
    "buyer_vat_id": r"your vat[- ]id|ihre ust[.-]?-?id|n° tva client",
    "line_total": r"sum of lines|summe positionen|total lignes",
    "net_total": r"net total|nettobetrag|gesamt ?netto|summe netto|total ht",
    "tax_total": r"vat total|total tax|mwst gesamt|steuerbetrag|umsatzsteuer|total taxes|total tva",
    "gross_total": r"grand total|total amount|gesamtbetrag|rechnungsbetrag|bruttobetrag|total ttc|due payable|total",
    "prepaid": r"prepaid|already paid|anzahlung|acompte versé",
    "due": r"amount due|due payable|zu zahlen|zahlbetrag|solde à payer|net à payer",
    "iban": r"iban",
    "bic": r"bic",
    "transaction": r"txn|receipt (?:no|number|#)|bon-?nr|ticket",
    "subtotal": r"sub-?total|zwischensumme|sous-total",
    "discount": r"discount|rabatt|remise",
    "tax": r"sales tax|vat|mwst|tax",
    "rewards": r"rewards applied|gutschein|bon d'achat",
    "total": r"total|summe|gesamt",
    "card_last4": r"card ending in|karte \*+",
    "effective_date": r"effective date|effective as of|in kraft",
    "governing_law": r"governing law|governed by|anwendbares recht",
    "term": r"term|laufzeit",
    "renewal": r"renewal|verlängerung",
    "termination": r"termination|kündigung",
}
_DATE: Final = r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}\.? \w{3,9} \d{4}|[A-Z][a-z]{2,8} \d{1,2}, \d{4}"
_MONEY: Final = r"[-−(]?\s?(?:[€$£]|[A-Z]{3} ?)?-?\d[\d.,'’\u00a0\u202f ]*\d(?: ?(?:€|\$|£|[A-Z]{3}))?\)?|\d(?: ?€)?"
_PATTERNS: Final = {
    "date": _DATE,
    "amount": _MONEY,
    "number": r"[-−]?\d[\d.,]*",
    "percent": r"\d{1,2}(?:[.,]\d{1,2})? ?%",
    "iban": r"[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,8}",
    "vat_id": r"[A-Z]{2,3} ?[A-Z0-9]{2} ?(?:\d ?){5,11}",
    "phone": r"\+?[\d()][\d ()/-]{6,}\d",
    "email": r"[\w.+-]+@[\w-]+\.[\w.-]+",
    "currency": r"\b(?:EUR|USD|GBP|CHF|INR|JPY)\b|€|\$|£",
}
_CODE: Final = r"[\w/-]*\d[\w/-]*"
_CODES: Final = {
    "number": _CODE,
    "order_number": _CODE,
    "transaction": _CODE,
    "bic": r"[A-Z]{6}[A-Z0-9]{2,5}",
    "card_last4": r"\d{4}",
}
_TEXT: Final = r"[^\s:#].{0,118}"
_AMOUNT: Final = re.compile(rf"(?:{_MONEY})(?![\d.,]*\s?%)")
_CURRENCY: Final = re.compile(_PATTERNS["currency"])
_COMPANY: Final = re.compile(r"^.{1,60}?\b(?:GmbH|AG|SARL|SAS|SA|Ltd|Inc|LLC|KG|e\.K\.|S\.r\.l\.|B\.V\.)\b\.?")
# One line of a table: words, then a quantity, a price and an amount, with a rate or a unit in between.
_ITEM: Final = re.compile(
    r"^(?P<description>[^\d\n].{2,80}?) (?P<quantity>\d[\d.,]*) ?(?P<unit>[^\d\s]{0,9}) "
    r"(?P<unit_price>\d[\d.,' ]*[.,]\d{2,4})(?: ?€)?(?: \d{1,2}(?:[.,]\d+)? ?%)? "
    r"(?P<line_total>-?\d[\d.,' ]*[.,]\d{2})(?: ?€)?$"
)
_WORDS: Final = {
    "invoice": r"\b(?:invoice|rechnung|facture|gutschrift|credit note|avoir)\b",
    "receipt": r"\b(?:receipt|kassenbon|quittung|ticket de caisse|cashier|subtotal)\b",
    "contract": r"\b(?:agreement|contract|vertrag|hereinafter|the parties)\b",
    "paper": r"\b(?:abstract|references|arxiv|doi)\b",
    "form": r"\b(?:please fill|form no|formular|applicant|antragsteller)\b|[☐☑☒]",
}
_COUNTRIES: Final = {
    "US": r", [A-Z]{2} \d{5}\b|\bUSA\b|United States",
    "DE": r"\bDE ?\d{9}\b|Deutschland|Germany",
    "FR": r"\bFR ?\d{2} ?\d{3} ?\d{3} ?\d{3}\b|\bFrance\b",
    "GB": r"\bGB ?\d{9}\b|United Kingdom",
    "CH": r"\bCHE-\d|Schweiz|Switzerland",
}
_QUOTE_CHARS: Final = 200
_VALUES_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    page: int


def extract(parts: Parts, instructions: str) -> dict[str, Any]:
    """Return what the labels and patterns find of what the instructions list."""
    lines = list(_lines(parts.texts))
    fields = [(found["path"], found["type"], found["title"].strip()) for found in _FIELD.finditer(instructions)]
    values = [each for path, kind, title in fields if "." not in path for each in _field(path, kind, title, lines)]
    columns = {path.partition(".")[2] for path, _, _ in fields if path.startswith("line_items.")}
    values += _items(lines, columns)
    for found in _FREE.finditer(instructions):
        values += _table(lines, found["group"])
    if any(path.startswith("dates.") for path, _, _ in fields):
        values += _named(lines)
    return {
        "nonce": parts.nonce,
        "looks_like": _kind(parts.texts),
        "country": _country(parts.texts),
        "begins": [1],
        "values": values[:_VALUES_MAX],
    }


def kind_of(parts: Parts, instructions: str) -> dict[str, Any]:
    """Return what a document may be, by the words in it."""
    offered = {found["name"] for found in _KIND.finditer(instructions)}
    kind = _kind(parts.texts)
    if kind == "none" and any(_is_page(each) for each in parts.pictures):
        kind = "entities"
    return {"nonce": parts.nonce, "kind": kind if kind in offered else "none"}


def _is_page(picture: Picture) -> bool:
    """Whether a picture may be of a page, by how its pixels are distributed; what stands on it nobody reads here."""
    try:
        return measures.kind_of(measure(picture.data)) in ("text page", "scanned page")
    except Unreadable:
        return False


def _kind(texts: Sequence[Text]) -> str:
    text = "\n".join(each.text for each in texts).casefold()
    if not text.strip():
        return "none"
    counts = {kind: len(re.findall(words, text)) for kind, words in _WORDS.items()}
    most = max(counts, key=lambda kind: counts[kind])
    if counts[most]:
        return most
    rows = [line for line in text.splitlines() if line.count("\t") >= 1]
    return "table" if len(rows) >= 3 else "entities"


def _country(texts: Sequence[Text]) -> str:
    """Return the first country that an address or a VAT id names."""
    text = "\n".join(each.text for each in texts)
    places = {code: found.start() for code, words in _COUNTRIES.items() if (found := re.search(words, text))}
    return min(places, key=lambda code: places[code], default="")


def _lines(texts: Sequence[Text]) -> Iterator[_Line]:
    for each in texts:
        found = _PAGE.search(each.id)
        for line in each.text.splitlines():
            if line.strip():
                yield _Line(line.strip() if "\t" not in line else line, int(found[1]) if found else 1)


def _field(path: str, kind: str, title: str, lines: Sequence[_Line]) -> Iterator[dict[str, Any]]:
    """Yield the first value that stands beside or below its label."""
    if path in ("seller", "merchant"):
        found = next((line for line in lines if _COMPANY.match(line.text)), lines[0] if lines and path == "merchant" else None)
        if found:
            company = _COMPANY.match(found.text)
            yield _said(path, -1, company[0] if company else found.text, found)
        return
    if kind == "currency":
        for line in lines:
            if found_currency := _CURRENCY.search(line.text):
                yield _said(path, -1, found_currency[0], line)
                return
        return
    pattern = _CODES.get(path) or _PATTERNS.get(kind, _TEXT)
    label = "|".join(filter(None, (_LABELS.get(path), re.escape(title.casefold()))))
    beside = re.compile(rf"(?i:(?<!\w)(?:{label}))(?!\w)[^\n]{{0,24}}?[\s:#.]\s*(?P<raw>{pattern})")
    if pattern is _TEXT:
        beside = re.compile(rf"(?i:(?<!\w)(?:{label}))\s?[:#.]?\s+(?P<raw>{pattern})")
    for line in lines:
        if said := beside.search(line.text):
            raw = said["raw"] if kind != "amount" else _last_amount(line.text[said.start() :]) or said["raw"]
            yield _said(path, -1, raw.strip(), line)
            return
    if kind == "date" and path in ("date", "issue_date"):  # a till writes it without a word
        for line in lines:
            if found_date := re.search(_DATE, line.text):
                yield _said(path, -1, found_date[0], line)
                return


def _last_amount(text: str) -> str:
    """Return the last amount of a line: rates and quantities stand before it."""
    amounts = [found[0] for found in _AMOUNT.finditer(text) if any(each.isdigit() for each in found[0])]
    return amounts[-1] if amounts else ""


def _items(lines: Sequence[_Line], columns: set[str]) -> Iterator[dict[str, Any]]:
    row = 0
    for line in lines:
        found = _ITEM.match(line.text) if columns else None
        if found is None:
            continue
        for name, raw in found.groupdict().items():
            if name in columns and raw:
                yield _said(f"line_items.{name}", row, raw.strip(), line)
        row += 1


def _table(lines: Sequence[_Line], group: str) -> Iterator[dict[str, Any]]:
    """Yield the cells of the first rows that are cut by tabs; the first of them are the headings."""
    rows = [(line, line.text.split("\t")) for line in lines if "\t" in line.text]
    if not rows:
        return
    heads = rows[0][1]
    for at, (line, cells) in enumerate(rows[1:]):
        for head, cell in zip(heads, cells, strict=False):
            if head.strip() and cell.strip():
                yield _said(f"{group}.{head.strip()}", at, cell.strip(), line)


def _named(lines: Sequence[_Line]) -> Iterator[dict[str, Any]]:
    """Yield the days, companies and addresses of mail that a text names."""
    seen: set[str] = set()
    rows = dict.fromkeys(("dates.date", "organisations.name", "people.name"), 0)
    patterns = (("dates.date", re.compile(_DATE)), ("organisations.name", re.compile(_COMPANY.pattern.lstrip("^"))))
    for line in lines:
        for path, pattern in patterns:
            for found in pattern.finditer(line.text):
                if found[0] not in seen:
                    seen.add(found[0])
                    yield _said(path, rows[path], found[0], line)
                    rows[path] += 1


def _said(path: str, row: int, raw: str, line: _Line) -> dict[str, Any]:
    quote = line.text.strip()
    return {"field": path, "row": row, "raw": raw[:300], "quote": quote[:_QUOTE_CHARS], "page": line.page, "box": []}
