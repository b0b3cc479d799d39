"""What was taken out of an invoice, as handlers say it: twelve values of its own, twenty lines, three checks that fail."""

from decimal import Decimal

from handlers.answers import DocumentSummary, Extracted, ExtractedTogether, Found, FoundItem
from pipelines.extraction.schema import shipped
from pipelines.extraction.values import Check, Extraction, Value

SURE = {"source": "text-layer", "grounded": True, "page": 1, "confidence": "high"}


def value(text: str, *, currency: str | None = None, **more: object) -> Value:
    return Value(**{"value": text, "raw": text, "currency": currency, **SURE, **more})


def amount(text: str, **more: object) -> Value:
    return value(text, currency="EUR", **more)


def invoice_fields() -> dict[str, Value]:
    return {
        "kind": value("invoice"),
        "number": value("RE-2026-0117", way="embedded-xml", source="embedded-xml"),
        "issue_date": value(
            "2026-04-03", ambiguous=True, confidence="low", notes=("It is the 3rd of April or the 4th of March.",)
        ),
        "due_date": Value(
            value=None, raw="soon", source="vision", page=1, confidence="low", notes=("There is no date in it.",)
        ),
        "seller": value("Müller & Söhne GmbH"),
        "seller_vat_id": value("DE123456789", grounded=False, confidence="low"),
        "buyer": value("Example <b>Ltd</b> @everyone"),
        "currency": value("EUR"),
        "net_total": amount("4100.00", checks=("lines add up",)),
        "tax_total": amount("779.00"),
        "gross_total": amount(
            "4897.00",
            way="embedded-xml",
            source="embedded-xml",
            conflict="The invoice inside the file says 4897.00, the page does not show it. It shows 4879.00.",
            confidence="low",
            failed=("total",),
        ),
        "iban": value("DE89370400440532013000", source="correction", way="person"),
    }


def line(at: int) -> dict[str, Value]:
    doubt = {"confidence": "low", "failed": ("line amount",)} if at == 3 else {}
    return {
        "description": value(f"Item {at}: an oak shelf of one hundred and twenty centimetres"),
        "quantity": value(f"{at}"),
        "unit": value("pcs"),
        "unit_price": amount("19.50"),
        "tax_rate": value("19"),
        "line_total": amount(f"{Decimal('19.50') * at}", way="second-look", **doubt),
    }


def an_extraction(rows: int = 20) -> Extraction:
    failed = (
        ("total", "Net 4100.00 and tax 779.00 make 4879.00, and the total says 4897.00.", True),
        ("line amount", "Line 3: 3 times 19.50 is 58.50, and it says 59.50.", True),
        ("due after issue", "It is due before it was written.", False),
    )
    return Extraction(
        schema_name="invoice",
        fields=invoice_fields(),
        rows={
            "line_items": tuple(line(at) for at in range(1, rows + 1)),
            "taxes": ({"rate": value("19"), "tax": amount("779.00")},),
        },
        missing=("buyer_address",),
        checks=tuple(Check(name=name, holds=False, hard=hard, says=says) for name, says, hard in failed),
        notes=("Page 3 was not read: it is a picture of a stamp.",),
        ways=("embedded-xml", "first-look", "second-look"),
        pages=3,
        pages_read=2,
        engine="gemini-flash",
        cost_usd=Decimal("0.00310"),
    )


def an_extracted(rows: int = 20, **more: object) -> Extracted:
    return Extracted(
        **{
            "id": "3f2a9c",
            "file_name": "Rechnung *April*.pdf",
            "schema_used": shipped("invoice"),
            "extraction": an_extraction(rows),
            **more,
        }
    )


def an_endless_extraction(text: str) -> Extracted:
    """Return one in which everything that a document or a model says is `text`."""
    doubtful = value(text, confidence="low", ambiguous=True, notes=(text,), conflict=text, failed=("total",), currency="EUR")
    columns = ("description", "quantity", "unit", "unit_price", "discount", "tax_rate", "line_total")
    schema = shipped("invoice")
    extraction = Extraction(
        schema_name="invoice",
        fields={each.name: doubtful for each in schema.fields},
        rows={"line_items": (dict.fromkeys(columns, doubtful),) * 300, "taxes": ({"rate": doubtful},) * 300},
        missing=tuple(each.name for each in schema.fields),
        checks=(Check(name="total", holds=False, hard=True, says=text),) * 60,
        notes=(text,) * 60,
        pages=300,
        engine=text,
    )
    return an_extracted().model_copy(update={"file_name": text, "extraction": extraction})


TOGETHER = ExtractedTogether(
    id="batch1",
    documents=(
        DocumentSummary(
            file_name="a.pdf", title="Invoice", values=(("Invoice number", "17"), ("Total", "119.00 EUR")), doubtful=2
        ),
        DocumentSummary(file_name="<b>.pdf", title="Receipt", values=(("Total", "9.90 EUR"),), failed=1),
        DocumentSummary(file_name="c.pdf", problem="The file is damaged: send it again."),
    ),
    engine="understudy",
    cost_usd="0.0042",
)


def what_was_found(channel: str, message: str, *, file: str = "") -> Found:
    return Found(
        words="oak *shelf*",
        items=(
            FoundItem(
                title="shelf.png",
                says="An oak shelf @everyone",
                channel=channel,
                message=message,
                file=file,
                picture=bool(file),
            ),
            FoundItem(title="Invoice: a.pdf", says="Total 119.00 EUR", channel=channel, message=message),
        ),
        more=True,
    )
