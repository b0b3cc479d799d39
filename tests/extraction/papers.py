"""Documents made on the spot, as a reader finds them: real PDFs, whose text layer is read by the real reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.content import Attachment, Gap, ImagePart, Intake, Part, Reading, TextPart
from pipelines.extraction.answer import Answer, Said
from pipelines.media.documents import pdf
from pipelines.ports import Document, Question
from tests.media.documents import Sheet, document, line

INVOICE = (
    "Lieferant GmbH, Lieferantenstr. 20, 80333 München",
    "Rechnung Nr. 471102",
    "Rechnungsdatum 05.03.2026",
    "Fällig am 04.04.2026",
    "An: Kunden AG Mitte, Frankfurt",
    "Trennblätter A4 20 Stück 9,90 € 198,00 €",
    "Joghurt Banane 50 Stück 5,50 € 275,00 €",
    "Nettobetrag 473,00 €",
    "19 % auf 198,00 € ergibt 37,62 €",
    "7 % auf 275,00 € ergibt 19,25 €",
    "Umsatzsteuer 56,87 €",
    "Gesamtbetrag 529,87 €",
    "IBAN DE02 1203 0000 0000 2020 51",
)
RIGHT = (
    ("number", -1, "471102", "Rechnung Nr. 471102"),
    ("issue_date", -1, "05.03.2026", "Rechnungsdatum 05.03.2026"),
    ("due_date", -1, "04.04.2026", "Fällig am 04.04.2026"),
    ("seller", -1, "Lieferant GmbH", "Lieferant GmbH, Lieferantenstr. 20, 80333 München"),
    ("buyer", -1, "Kunden AG Mitte", "An: Kunden AG Mitte, Frankfurt"),
    ("currency", -1, "€", "Gesamtbetrag 529,87 €"),
    ("net_total", -1, "473,00 €", "Nettobetrag 473,00 €"),
    ("tax_total", -1, "56,87 €", "Umsatzsteuer 56,87 €"),
    ("gross_total", -1, "529,87 €", "Gesamtbetrag 529,87 €"),
    ("line_items.description", 0, "Trennblätter A4", "Trennblätter A4 20 Stück 9,90 € 198,00 €"),
    ("line_items.quantity", 0, "20", "Trennblätter A4 20 Stück 9,90 € 198,00 €"),
    ("line_items.unit_price", 0, "9,90 €", "Trennblätter A4 20 Stück 9,90 € 198,00 €"),
    ("line_items.line_total", 0, "198,00 €", "Trennblätter A4 20 Stück 9,90 € 198,00 €"),
    ("line_items.description", 1, "Joghurt Banane", "Joghurt Banane 50 Stück 5,50 € 275,00 €"),
    ("line_items.quantity", 1, "50", "Joghurt Banane 50 Stück 5,50 € 275,00 €"),
    ("line_items.unit_price", 1, "5,50 €", "Joghurt Banane 50 Stück 5,50 € 275,00 €"),
    ("line_items.line_total", 1, "275,00 €", "Joghurt Banane 50 Stück 5,50 € 275,00 €"),
    ("iban", -1, "DE02 1203 0000 0000 2020 51", "IBAN DE02 1203 0000 0000 2020 51"),
)

Wrong = dict[str, tuple[str, str] | None]


def a_pdf(*pages: Sequence[str]) -> bytes:
    """Return a PDF with these lines on its pages, in the letters of Windows-1252."""
    drawn = ["".join(line(text, at=(60, 780 - 24 * at)) for at, text in enumerate(lines)) for lines in pages]
    return document([Sheet(drawn=each.encode("cp1252")) for each in drawn])


def a_scan(pages: int = 1) -> Document:
    """Return a document that is nothing but pictures."""
    return Document(intake=_intake([[] for _ in range(pages)]), layer=pdf.text_layer(a_pdf(*([] for _ in range(pages)))))


def a_document(*pages: Sequence[str], gaps: Sequence[str] = ()) -> Document:
    """Return what reading a PDF with these lines gives."""
    intake = _intake(pages)
    return Document(
        intake=Intake(
            parts=intake.parts,
            readings=intake.readings,
            gaps=tuple(Gap(place="file:0", kind="partial", why=why) for why in gaps),
        ),
        layer=pdf.text_layer(a_pdf(*pages)),
    )


def _intake(pages: Sequence[Sequence[str]]) -> Intake:
    parts: list[Part] = [TextPart(id="file:0/name", text="invoice.pdf", role="file_name")]
    for number, lines in enumerate(pages, start=1):
        place = f"file:0/page:{number}"
        parts.append(ImagePart(id=place, data=b"jpg", media_type="image/jpeg", width_px=724, height_px=1024))
        if lines:
            parts.append(TextPart(id=f"{place}/text", text="\n".join(lines), role="document"))
    return Intake(parts=tuple(parts), readings=(Reading(place="file:0", media_type="application/pdf", status="ok"),))


@dataclass
class Desk:
    """Reads one document, whatever is asked for; `closer` counts how often tiles were wanted."""

    document_: Document
    closer: int = field(default=0)

    async def document(self, attachment: Attachment, *, fine: bool = False) -> Document:
        self.closer += fine
        return self.document_


A_FILE = Attachment(id="f1", url="test:invoice.pdf", name="invoice.pdf", media_type="application/pdf", size_bytes=9)


def answering(
    said: Sequence[tuple[str, int, str, str]] = RIGHT,
    *,
    wrong: dict[str, tuple[str, str] | None] | None = None,
    looks_like: str = "invoice",
    begins: Sequence[int] = (1,),
    pages: dict[str, int] | None = None,
    country: str = "DE",
) -> Callable[[Question[Any]], dict[str, Any]]:
    """Return a model's answer: what is right, save for `wrong` (field to raw and quote; None leaves it out)."""

    def answer(question: Question[Any]) -> dict[str, Any]:
        values = []
        for name, row, raw, quote in said:
            changed = (wrong or {}).get(name if row < 0 else f"{name}:{row}", (raw, quote))
            if changed is None or f"`{name.partition('.')[0]}" not in question.instructions:
                continue
            page = (pages or {}).get(name, 1)
            values.append(Said(field=name, row=row, raw=changed[0], quote=changed[1], page=page, box=[]))
        shape = Answer(nonce=question.nonce, looks_like=looks_like, country=country, begins=list(begins), values=values)
        return shape.model_dump()

    return answer


def of_kind(kind: str) -> Callable[[Question[Any]], dict[str, Any]]:
    return lambda question: {"nonce": question.nonce, "kind": kind}
