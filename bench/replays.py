"""Known documents as a model would answer about them: each value as the page prints it, in a passage of its text layer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from pipelines.extraction import printed
from pipelines.extraction.answer import Said
from pipelines.extraction.samples import Sample
from pipelines.extraction.schema import SchemaField
from pipelines.media.documents.text_layer import TextLayer

QUOTE_CHARS: Final = 200
_KNOWN_BY: Final = 16  # characters of a description, which print may break or shorten
_BREAKS: Final = re.compile(r"[\x02\ufffe]\s*")
_SIGNS: Final = {"EUR": "€|EUR|Euro", "USD": r"\$|USD", "GBP": "£|GBP"}


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    lines: tuple[str, ...]


def replay(sample: Sample, layer: TextLayer, *, pages_alone: bool = True) -> list[Said]:
    """Return what of a sample's values stands on its pages. A value that is not printed is not said."""
    pages = [_Page(page.number, tuple(_lines(page.chars))) for page in layer.pages]
    fields = sample.shown if pages_alone and sample.shown is not None else sample.fields
    said = [each for name, value in fields.items() for each in _field(name, value, sample, pages)]
    for group, rows in sample.rows.items():
        found = [_row(group, row, sample, pages) for row in rows]
        for at, cells in enumerate(each for each in found if each):
            said += [cell.model_copy(update={"row": at}) for cell in cells]
    return said


def country_of(sample: Sample) -> str:
    """Return the country of the issuer, which a model that reads rightly would see."""
    vat_id = sample.fields.get("seller_vat_id", "")
    return vat_id[:2] if vat_id[:2].isalpha() else {"USD": "US"}.get(sample.fields.get("currency", ""), "")


def _lines(chars: str) -> Iterator[str]:
    for line in _BREAKS.sub("", chars).splitlines():
        if line.strip():
            yield " ".join(line.split())


def _field(name: str, value: str, sample: Sample, pages: list[_Page]) -> Iterator[Said]:
    spec = sample.schema.field(name)
    pattern = _pattern(spec, value) if spec else None
    if pattern is None:
        return
    hits = [
        (page.number, at, found, line)
        for page in pages
        for at, line in enumerate(page.lines)
        if (found := pattern.search(line))
    ]
    if not hits:
        return
    # With a word beside it, which says what it is, and rather at the end, where the totals stand.
    hits.sort(key=lambda hit: (bool(re.search(r"[^\W\d_]{2}", hit[3].replace(hit[2][0], ""))), hit[0], hit[1]))
    number, at, found, line = hits[-1]
    lines = next(page.lines for page in pages if page.number == number)
    quote = line if re.search(r"[^\W\d_]{2}", line.replace(found[0], "")) or not at else f"{lines[at - 1]} {line}"
    yield _said(name, found[0], quote, number)


def _row(group: str, row: Mapping[str, str], sample: Sample, pages: list[_Page]) -> list[Said]:
    """Return the cells of a row that stand close together: in the line of its amount and the few around it."""
    last = "line_total" if group == "line_items" else "tax"
    spec = sample.schema.field(f"{group}.{last}")
    pattern = _pattern(spec, row[last]) if spec and last in row else None
    if pattern is None:
        return []
    first = row.get("description") or row.get("sku") or ""
    best: list[Said] = []
    for page in pages:
        for at, line in enumerate(page.lines):
            if not pattern.search(line):
                continue
            for begin in range(at, max(-1, at - 4), -1):
                block = " ".join(page.lines[begin : at + 1])
                cells = list(_cells(group, row, sample, block, page.number))
                if len(cells) > len(best) and first[:_KNOWN_BY].casefold() in block.casefold():
                    best = cells
    return best if len(best) > 1 else []


def _cells(group: str, row: Mapping[str, str], sample: Sample, block: str, page: int) -> Iterator[Said]:
    quote = block[-QUOTE_CHARS:]
    for name, value in row.items():
        spec = sample.schema.field(f"{group}.{name}")
        pattern = _pattern(spec, value) if spec else None
        found = list(pattern.finditer(quote)) if pattern else []
        if found:  # what a row comes to stands last in it
            hit = found[-1] if name in ("line_total", "tax") else found[0]
            yield _said(f"{group}.{name}", hit[0], quote, page)


def _said(field: str, raw: str, quote: str, page: int) -> Said:
    at = max(0, quote.find(raw) - QUOTE_CHARS // 2)
    return Said(field=field, row=-1, raw=raw.strip(), quote=quote[at : at + QUOTE_CHARS], page=page, box=[])


def _pattern(spec: SchemaField, value: str) -> re.Pattern[str] | None:
    """Return what matches a known value in print; None where that cannot be told."""
    try:
        match spec.type:
            case "amount":
                number = Decimal(value)
                if not number:  # nobody copies out the discounts that there are not
                    return None
                sign = r"[-−(]\s?[$£]?" if number < 0 else r"[$£]?"
                return re.compile(sign + printed.amount(number).pattern + r"(?:\)|\s?(?:€|EUR))?")
            case "date":
                return printed.day(date.fromisoformat(value))
            case "percent":
                return re.compile(rf"(?<![\d.,]){_trimmed(value)}(?:[.,]0+)?\s?%")
            case "number":
                return re.compile(rf"(?<![\d.,]){_trimmed(value)}(?:[.,]0+)?(?![\d.,%])(?!\s?%)")
            case "currency":
                return re.compile(_SIGNS.get(value, re.escape(value)))
            case "choice":
                return None
            case "iban" | "vat_id":
                return re.compile(r"\s?".join(map(re.escape, value.replace(" ", ""))))
            case _:
                return _text(value)
    except (InvalidOperation, ValueError):
        return None


def _trimmed(value: str) -> str:
    number = Decimal(value)
    text = format(number.to_integral() if number == number.to_integral() else number.normalize(), "f")
    return re.escape(text).replace(r"\.", "[.,]")


def _text(value: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, value.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
