"""E-invoices to their values: own ones in each syntax, hostile ones, and every sample with known answers."""

import json
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from pipelines import limits
from pipelines.content import Attachment, TextPart
from pipelines.errors import UserError
from pipelines.extraction.schema import shipped
from pipelines.media.documents import e_invoice
from pipelines.media.documents.e_invoice import ColumnName, EInvoice, FieldName, GroupName, pack, unpack
from pipelines.media.documents.e_invoice_xml import XML_BYTES, read
from pipelines.media.intake import MediaReader
from pipelines.media.read import NotRead
from pipelines.media.sandbox import Sandbox
from pipelines.ports import Document
from tests.conftest import SHARED_DATA
from tests.media.documents import text_pdf, with_attachments
from tests.media.e_invoices import CII, CREDIT_NOTE, LAUGHS, ORDER, UBL, ZUGFERD_1


def said(xml: str) -> EInvoice:
    found = read(xml.encode())
    assert found is not None
    return found


def test_an_invoice_in_cii_is_read_as_it_is_written() -> None:
    found = said(CII)

    assert (found.syntax, found.profile, found.type_code, found.name) == ("CII", "urn:cen.eu:en16931:2017", "380", "")
    assert found.fields == {
        "kind": "invoice",
        "number": "R-7",
        "issue_date": "2026-01-31",
        "delivery_date": "2026-01-30",
        "due_date": "2026-03-02",
        "payment_terms": "30 days net",
        "order_number": "PO 1",
        "seller": "Seller",
        "seller_address": "Street 1, 80333 Munich, DE",
        "seller_vat_id": "DE123456789",
        "buyer": "Buyer",
        "currency": "EUR",
        "line_total": "123.00",
        "net_total": "123.00",
        "tax_total": "23.37",
        "gross_total": "146.37",
        "due": "146.370",
        "iban": "DE00SELLER",
        "bic": "BANKDEFF",
        "payment_reference": "R-7/2026",
    }
    assert found.rows == {
        "taxes": ({"rate": "19.00", "basis": "123.00", "tax": "23.37"},),
        "line_items": (
            {
                "description": "Oil & vinegar",
                "quantity": "30.50",
                "unit": "LTR",
                "unit_price": "8.00",
                "price_basis_quantity": "2",
                "discount": "4.00",
                "tax_rate": "19.00",
                "line_total": "123.00",
            },
        ),
    }


def test_the_older_names_of_zugferd_1_are_known() -> None:
    found = said(ZUGFERD_1)

    assert found.profile.endswith(":comfort")
    assert found.fields == {
        "kind": "invoice",
        "number": "471102",
        "issue_date": "2013-03-05",
        "delivery_date": "2013-03-04",
        "order_number": "B-1",
        "seller": "Lieferant",
        "currency": "EUR",
        "gross_total": "119.00",
    }
    assert found.rows["taxes"] == ({"rate": "19.00", "basis": "100.00", "tax": "19.00"},)
    line = {"quantity": "20.0000", "unit": "C62", "unit_price": "9.9000", "tax_rate": "19.00", "line_total": "198.00"}
    assert found.rows["line_items"] == (line,)


def test_an_invoice_in_ubl_is_read_as_it_is_written() -> None:
    found = said(UBL)

    assert (found.syntax, found.type_code) == ("UBL", "384")
    assert found.fields == {
        "kind": "corrected invoice",
        "number": "F-9",
        "issue_date": "2026-06-17",
        "due_date": "2026-07-16",
        "order_number": "04011000-1",
        "seller": "Company",
        "seller_address": "Road 2, 69001 Lyon, FR",
        "seller_vat_id": "FR11999999998",
        "buyer": "Shop",
        "currency": "EUR",
        "line_total": "-100.00",
        "net_total": "-100.00",
        "tax_total": "-20.00",
        "gross_total": "-120.00",
        "due": "-120.00",
        "iban": "FR00SELLER",
        "bic": "BANKFRPP",
        "payment_reference": "F-9",
    }
    assert found.rows["taxes"] == ({"rate": "20", "basis": "-100.00", "tax": "-20.00"},)
    assert found.rows["line_items"] == (
        {
            "description": "Chair",
            "quantity": "-4",
            "unit": "H87",
            "unit_price": "250.00",
            "price_basis_quantity": "10",
            "discount": "0.50",
            "tax_rate": "20",
            "line_total": "-100.00",
        },
    )


def test_a_credit_note_in_ubl_has_lines_of_another_name() -> None:
    found = said(CREDIT_NOTE)

    assert (found.type_code, found.fields["kind"], found.fields["due_date"]) == ("381", "credit note", "2026-03-01")
    assert found.rows == {"line_items": ({"quantity": "1", "unit": "EA", "line_total": "10.00"},)}


@pytest.mark.parametrize(
    ("type_code", "kind"),
    [
        pytest.param("380", "invoice", id="invoice"),
        pytest.param("381", "credit note", id="credit-note"),
        pytest.param("384", "corrected invoice", id="corrected"),
        pytest.param("389", "invoice", id="self-billed"),
        pytest.param("261", "credit note", id="self-billed-credit-note"),
        pytest.param("751", "invoice", id="for-booking-only"),
        pytest.param("x" * 3_000, "invoice", id="not-a-code"),
    ],
)
def test_the_type_code_says_what_kind_of_invoice_it_is(type_code, kind) -> None:
    found = said(CII.replace("<ram:TypeCode>380<", f"<ram:TypeCode>{type_code}<"))

    assert found.fields["kind"] == kind
    assert unpack(pack(found)[1]) == found


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + CII.encode(), id="a-byte-order-mark"),
        pytest.param(CII.replace("UTF-8", "UTF-16").encode("utf-16"), id="utf-16"),
        pytest.param(CII.replace("UTF-8", "ISO-8859-1").encode("latin-1"), id="latin-1"),
        pytest.param(CII.replace("UTF-8", "windows-1252").encode("cp1252"), id="windows"),
        pytest.param(CII.replace("ram:", "x:").replace(":ram", ":x").encode(), id="another-prefix"),
    ],
)
def test_how_it_is_encoded_makes_no_difference(data) -> None:
    assert read(data) == said(CII)


@pytest.mark.parametrize(
    ("files", "name", "others"),
    [
        pytest.param({"factur-x.xml": CII}, "factur-x.xml", 0, id="by-its-name"),
        pytest.param({"a note.xml": "<note/>", "xrechnung.xml": CII}, "xrechnung.xml", 0, id="not-the-first"),
        pytest.param({"data.bin": CII}, "data.bin", 0, id="by-its-root"),
        pytest.param({"factur-x.xml": "<garbage", "other.xml": CII}, "other.xml", 0, id="beside-garbage"),
        pytest.param({"a.xml": UBL, "factur-x.xml": CII}, "factur-x.xml", 1, id="two-of-them-so-the-usual-name"),
        pytest.param({"factur-x.xml": CII[:2000], "b.xml": CII}, "b.xml", 1, id="beside-a-cut-one"),
        pytest.param({"a.xml": CII, "b.xml": CII}, "a.xml", 0, id="twice-the-same"),
    ],
)
def test_a_pdf_carries_it_as_an_attachment(files, name, others) -> None:
    found = read(with_attachments({each: xml.encode() for each, xml in files.items()}))

    assert found == replace(said(CII), name=name, others=others)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ORDER.encode(), id="an-order"),
        pytest.param(with_attachments({"order-x.xml": ORDER.encode()}), id="an-order-in-a-pdf"),
        pytest.param(with_attachments({"factur-x.xml": b"\0\1\2 garbage"}), id="garbage-in-a-pdf"),
        pytest.param(with_attachments({"factur-x.xml": LAUGHS.encode()}), id="entities-in-a-pdf"),
        pytest.param(text_pdf(1), id="an-ordinary-pdf"),
        pytest.param(b"<Invoice xmlns='urn:example'><ID>1</ID></Invoice>", id="another-invoice"),
        pytest.param(LAUGHS.encode(), id="entities"),
        pytest.param(b"<html>" + CII.encode(), id="a-page"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_anything_else_is_no_e_invoice(data) -> None:
    assert read(data) is None


def test_limits_are_kept() -> None:
    long = CII.replace("Oil &amp; vinegar", "oil " * 10_000)
    line = "<ram:IncludedSupplyChainTradeLineItem>" + CII.partition("<ram:IncludedSupplyChainTradeLineItem>")[2]
    line = line.partition("<ram:ApplicableHeaderTradeAgreement>")[0]
    deep = CII.replace("<ram:Name>Buyer", "<x>" * 60 + "</x>" * 60 + "<ram:Name>Buyer")

    assert len(said(long).rows["line_items"][0]["description"]) == e_invoice.VALUE_CHARS
    with pytest.raises(NotRead, match="larger than 10 MB"):
        read(CII.encode() + b" " * XML_BYTES)
    with pytest.raises(NotRead, match="more than 5,000 lines"):
        read(CII.replace(line, "<ram:IncludedSupplyChainTradeLineItem><ram:SpecifiedTradeProduct><ram:Name>x</ram:Name>"
                         "</ram:SpecifiedTradeProduct></ram:IncludedSupplyChainTradeLineItem>" * 5_001).encode())  # fmt: skip
    with pytest.raises(NotRead, match="nested deeper"):
        read(deep.encode())


@pytest.mark.parametrize(
    ("old", "new", "name", "value"),
    [
        pytest.param(">20260131<", ">2026-01-31<", "issue_date", "2026-01-31", id="a-date-in-iso"),
        pytest.param(">20260131<", ">January<", "issue_date", "January", id="no-date"),
        pytest.param(">146.37<", ">a lot<", "gross_total", "a lot", id="no-amount"),
        pytest.param(">146.37<", "><", "gross_total", None, id="nothing"),
        pytest.param(
            "<ram:GrandTotalAmount>", '<ram:GrandTotalAmount currencyID="USD">', "gross_total", None, id="another-currency"
        ),
        pytest.param("InvoiceCurrencyCode", "Code", "tax_total", "270.00", id="no-currency"),
    ],
)
def test_what_is_of_the_wrong_type_is_left_as_it_is_written(old, new, name, value) -> None:
    assert said(CII.replace(old, new)).fields.get(name) == value


# Its way through the pipe.


def test_the_names_are_those_of_the_schema() -> None:
    schema = shipped("invoice")
    columns = {field.name for group in schema.groups for field in group.fields}

    assert set(FieldName.__args__) == {field.name for field in schema.fields}
    assert set(GroupName.__args__) == {group.name for group in schema.groups}
    assert set(ColumnName.__args__) == columns


@given(st.text(max_size=9), st.text(min_size=1, max_size=9))
def test_what_is_packed_comes_out_as_it_was(type_code: str, value: str) -> None:
    rows = {"taxes": ({"rate": value}, {}), "line_items": ()}
    invoice = EInvoice(syntax="CII", profile="", type_code=type_code, name=value, fields={"number": value}, rows=rows, others=2)

    assert unpack(pack(invoice)[1]) == invoice
    assert unpack(pack(None)[1]) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"syntax": "EDI"}, id="another-syntax"),
        pytest.param({"fields": {"password": "x"}}, id="an-unknown-field"),
        pytest.param({"fields": {"number": 7}}, id="not-a-text"),
        pytest.param({"fields": {"number": ""}}, id="an-empty-text"),
        pytest.param({"fields": {"number": "x" * 2_001}}, id="too-long"),
        pytest.param({"fields": []}, id="not-fields"),
        pytest.param({"rows": {"people": []}}, id="an-unknown-group"),
        pytest.param({"rows": {"taxes": [{"number": "1"}]}}, id="an-unknown-column"),
        pytest.param({"rows": {"taxes": [{}] * 5_001}}, id="too-many-rows"),
        pytest.param({"others": -1}, id="fewer-than-none"),
        pytest.param({"more": 1}, id="something-else"),
    ],
)
def test_an_answer_of_another_shape_is_refused(change) -> None:
    body = json.loads(pack(said(CII))[1])

    with pytest.raises(ValueError, match=r"."):
        unpack(json.dumps({**body, **change}).encode())
    with pytest.raises(ValueError, match=r"."):
        unpack(b"\xff{")


# Through the sandbox.


@dataclass
class OneFile:
    data: bytes | Exception
    fetched: int = 0

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        self.fetched += 1
        if isinstance(self.data, Exception):
            raise self.data
        return self.data


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=2) as opened:
        yield opened


async def opened(sandbox: Sandbox, data: bytes | Exception, *, size_bytes: int = 1, fine: bool = False) -> Document:
    files = OneFile(data)
    attachment = Attachment(id="a", url="a", name="bill.pdf", media_type="application/pdf", size_bytes=size_bytes)
    found = await MediaReader(files, sandbox).document(attachment, fine=fine)
    assert files.fetched == (size_bytes <= limits.FILE_BYTES)
    return found


@pytest.mark.asyncio(loop_scope="module")
async def test_a_document_has_its_parts_its_layer_and_what_its_e_invoice_says(sandbox) -> None:
    data = with_attachments({"factur-x.xml": CII.encode()})

    found = await opened(sandbox, data)
    closer = await opened(sandbox, data, fine=True)

    places = [part.id for part in found.intake.parts]
    assert places[:3] == ["file:0/name", "file:0/page:1", "file:0/page:1/text"]
    assert found.layer is not None
    assert "Cover letter" in found.layer.pages[0].chars
    assert found.e_invoice == replace(said(CII), name="factur-x.xml")
    assert any(part.id.startswith("file:0/page:1/tile:") for part in closer.intake.parts)


@pytest.mark.asyncio(loop_scope="module")
async def test_an_xml_file_has_no_layer(sandbox) -> None:
    found = await opened(sandbox, UBL.encode())

    assert found.layer is None
    assert found.e_invoice == said(UBL)
    assert [part.id for part in found.intake.parts] == ["file:0/name", "file:0/text:0"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("data", "size_bytes", "status"),
    [
        pytest.param(LAUGHS.encode(), 1, "ok", id="entities"),
        pytest.param(CII.encode() + b" " * (11 * 1024 * 1024), 1, "ok", id="eleven-megabytes"),
        pytest.param(CII.encode()[:-40], 1, "ok", id="cut-off"),
        pytest.param(CII.replace("Seller<", "Séller<").encode("latin-1"), 1, "ok", id="another-encoding-than-it-says"),
        pytest.param(with_attachments({"factur-x.xml": b"\xff\xfe" * 99}), 1, "ok", id="garbage-inside"),
        pytest.param(b"%PDF-1.7\n" + b"\0" * 999, 1, "unreadable", id="a-damaged-pdf"),
        pytest.param(b"\x89PNG\r\n\x1a\n", 1, "unreadable", id="no-document"),
        pytest.param(UserError("This file is gone."), 1, "unreadable", id="gone"),
        pytest.param(b"", limits.FILE_BYTES + 1, "refused", id="too-large"),
    ],
)
async def test_what_cannot_be_read_ends_without_an_e_invoice_and_the_workers_live(sandbox, data, size_bytes, status) -> None:
    found = await opened(sandbox, data, size_bytes=size_bytes)
    before = sandbox.pids
    next_one = await opened(sandbox, CII.encode())

    assert found.e_invoice is None
    assert [reading.status for reading in found.intake.readings][:1] == [status]
    assert isinstance(found.intake.parts[0], TextPart)
    assert next_one.e_invoice == said(CII)
    assert set(before) <= set(sandbox.pids)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_sandbox_that_gives_out_costs_the_layer_and_the_invoice_but_raises_nothing() -> None:
    async with Sandbox(workers=1) as closed:
        pass

    found = await opened(closed, with_attachments({"factur-x.xml": CII.encode()}))

    assert (found.layer, found.e_invoice) == (None, None)
    assert found.intake.gaps[0].place == "file:0"


# The samples.


def with_answers() -> list[Mapping[str, Any]]:
    path = SHARED_DATA / "documents/answers.json"
    every = json.loads(path.read_text()) if path.is_file() else []
    return [answer for answer in every if answer["file"].endswith(".xml") or answer.get("attachments")]


def sample(answer: Mapping[str, Any]) -> bytes:
    return (SHARED_DATA / "documents" / answer["file"]).read_bytes()


AMOUNTS = {"rate", "basis", "tax", "quantity", "unit_price", "price_basis_quantity", "rounding", "prepaid", "due"}


def like(name: str, value: str | None) -> Any:
    """Return a value as it is compared: amounts as numbers, texts without line ends, as the answers have them."""
    if value is None:
        return None
    return Decimal(value) if name in AMOUNTS or name.endswith("_total") else " ".join(value.split())


@pytest.mark.parametrize("answer", [pytest.param(each, id=each["file"]) for each in with_answers()])
def test_every_sample_says_what_the_answers_say(answer: Mapping[str, Any]) -> None:
    found = read(sample(answer))
    values = dict(answer.get("values", {}))

    if "order" in answer["kind"]:
        assert found is None
        return
    assert found is not None
    taxes, items = values.pop("taxes"), values.pop("lines")
    values.pop("debited_iban", None)
    assert {name: str(values.pop(name)) for name in ("syntax", "profile", "type_code")} == {
        "syntax": found.syntax,
        "profile": found.profile,
        "type_code": found.type_code,
    }
    assert {name: like(name, found.fields.get(name)) for name in values} == {
        name: like(name, value) for name, value in values.items()
    }
    for group, rows in (("taxes", taxes), ("line_items", items)):
        ours = found.rows.get(group, ())
        assert len(ours) == len(rows)
        for row, known in zip(ours, rows, strict=True):
            known.pop("category", None)
            assert {name: like(name, row.get(name)) for name in known} == {
                name: like(name, value) for name, value in known.items()
            }


@pytest.mark.asyncio(loop_scope="module")
async def test_reading_a_sample_takes_a_moment(sandbox) -> None:
    answers = with_answers()
    if not answers:
        pytest.skip("the sample documents are not beside the project")
    took_ms: dict[str, float] = {}
    for answer in answers:
        data = sample(answer)
        started_s = time.perf_counter()
        found = await opened(sandbox, data)
        took_ms[answer["file"]] = (time.perf_counter() - started_s) * 1000
        assert (found.e_invoice is not None) == ("order" not in answer["kind"])
    slowest = max(took_ms, key=took_ms.__getitem__)
    print(
        f"\n{len(took_ms)} files: median {statistics.median(took_ms.values()):.0f} ms, {took_ms[slowest]:.0f} ms for {slowest}"
    )

    assert statistics.median(took_ms.values()) < 1_000
