"""Documents with known values are read from a folder, and what was read of them is scored value by value."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import FlashbulbError, UserError
from pipelines.extraction.samples import Sample, read_samples
from pipelines.extraction.schema import shipped
from pipelines.extraction.scoring import Read, says, score
from pipelines.extraction.values import Check, Extraction, Value
from tests.extraction.test_schema import OWN

INVOICE = shipped("invoice")


def put(folder: Path, name: str, known: Any, *, suffix: str = ".pdf") -> None:
    (folder / f"{name}{suffix}").write_bytes(b"%PDF")
    (folder / f"{name}.json").write_text(known if isinstance(known, str) else json.dumps(known), "utf-8")


def a_sample(fields: dict[str, str] | None = None, **rows: Any) -> Sample:
    return Sample(id="a.pdf", path=Path("a.pdf"), schema=INVOICE, fields=fields or {}, rows=rows)


def a_value(value: str | None, **more: Any) -> Value:
    return Value.model_validate(
        {"value": value, "raw": value or "?", "source": "text-layer", "grounded": True, "confidence": "high", **more}
    )


def an_extraction(fields: dict[str, Value] | None = None, **more: Any) -> Extraction:
    return Extraction(schema_name="invoice", fields=fields or {}, **more)


def of(sample: Sample, extraction: Extraction | None, elapsed_ms: int = 100) -> Read:
    return Read(sample=sample, extraction=extraction, elapsed_ms=elapsed_ms)


# Folders.


def test_a_document_is_read_with_the_values_that_stand_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "a", {"schema": "invoice", "fields": {"number": "1"}, "rows": {"line_items": [{"quantity": "2"}]}})
    (tmp_path / "alone.json").write_text("not of a document, and not read")
    (tmp_path / "other.pdf").write_bytes(b"%PDF")

    (sample,) = read_samples(tmp_path)

    assert (sample.id, sample.path, sample.schema) == ("a.pdf", tmp_path / "a.pdf", INVOICE)
    assert sample.fields == {"number": "1"}
    assert sample.rows == {"line_items": ({"quantity": "2"},)}
    assert sample.shown is None


def test_folders_within_are_read_as_well_and_a_schema_may_stand_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/own.yaml").write_text(OWN, "utf-8")
    put(tmp_path / "more", "b", {"schema": "own.yaml", "fields": {"number": "7"}}, suffix=".png")

    (sample,) = read_samples(tmp_path)

    assert (sample.id, sample.schema.name) == ("more/b.png", "delivery_note")


def test_a_seed_draws_the_same_samples_each_time(tmp_path: Path) -> None:
    for at in range(20):
        put(tmp_path, f"{at:02}", {"schema": "invoice"})

    drawn = [[each.id for each in read_samples(tmp_path, most=5, seed=seed)] for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 5
    assert drawn[0] == sorted(drawn[0])
    assert len(read_samples(tmp_path, most=99)) == 20


def test_a_published_list_is_read_with_what_our_schemas_know_of_it(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf", "c.jpg"):
        (tmp_path / name).write_bytes(b"x")
    line = {"line_total": "9.90", "colour": "red", "quantity": None}
    values = {"number": "1", "type_code": "381", "colour": "red", "gross_total": "9.90", "lines": [line]}
    entries = [
        {"file": "a.pdf", "kind": "invoice", "values": values},
        {"file": "b.pdf", "values": values, "page_values": {"number": "2"}},
        {"file": "c.jpg", "values": {"merchant": "Shop", "total": "4.80"}},
        {"file": "gone.pdf", "values": values},
        {"file": "a.pdf", "values": {"title": "Neither number nor total"}},
    ]
    (tmp_path / "answers.json").write_text(json.dumps(entries))

    first, second, receipt = read_samples(tmp_path)

    assert first.fields == {"number": "1", "gross_total": "9.90", "kind": "credit note"}
    assert first.rows == {"line_items": ({"line_total": "9.90"},)}
    assert (second.rows, second.shown) == ({}, {"number": "2"})
    assert (receipt.schema.name, receipt.fields) == ("receipt", {"merchant": "Shop", "total": "4.80"})


@pytest.mark.parametrize(
    ("known", "says"),
    [
        pytest.param("{", "not the JSON of known values", id="cut-short"),
        pytest.param("[]", "not the JSON of known values", id="a-list"),
        pytest.param({"fields": {}}, "not the JSON of known values", id="no-schema"),
        pytest.param({"schema": "invoice", "fields": {"number": 1}}, "not the JSON of known values", id="a-number"),
        pytest.param({"schema": "invoice", "extra": 1}, "not the JSON of known values", id="more-than-there-is"),
        pytest.param({"schema": "invoyce"}, "There is no file", id="a-schema-that-is-not-there"),
    ],
)
def test_what_is_not_written_as_it_should_be_is_said_with_its_file(tmp_path: Path, known: Any, says: str) -> None:
    put(tmp_path, "a", known)

    with pytest.raises(FlashbulbError, match=says):
        read_samples(tmp_path)


def test_bytes_that_are_no_text_are_said_as_well(tmp_path: Path) -> None:
    put(tmp_path, "a", "")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UserError, match=r"a\.json is not the JSON"):
        read_samples(tmp_path)


# Scores.


def test_every_known_value_counts_and_what_is_not_known_does_not() -> None:
    sample = a_sample({"number": "1", "gross_total": "9.90", "issue_date": "2026-03-05", "seller": "Ada"})
    read = an_extraction(
        {
            "number": a_value("1"),
            "gross_total": a_value("9.9"),
            "issue_date": a_value("2026-05-03"),
            "buyer": a_value("whoever, nobody knows"),
        }
    )

    scores = score([of(sample, read)])

    assert (scores.precision.hits, scores.precision.of) == (2, 3)
    assert (scores.recall.hits, scores.recall.of) == (2, 4)
    assert (scores.totals.hits, scores.totals.of) == (1, 1)
    assert (scores.dates.hits, scores.dates.of) == (0, 1)
    assert scores.f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


def test_rows_are_compared_by_their_place() -> None:
    sample = a_sample(line_items=({"quantity": "1"}, {"quantity": "2"}, {"quantity": "3"}))
    read = an_extraction(rows={"line_items": ({"quantity": a_value("1")}, {"quantity": a_value("3")})})

    scores = score([of(sample, read)])

    assert (scores.recall.hits, scores.recall.of, scores.precision.of) == (1, 3, 2)


@pytest.mark.parametrize(
    ("more", "unmarked"),
    [
        pytest.param({"confidence": "high"}, 1, id="certain"),
        pytest.param({"confidence": "medium"}, 1, id="rather-certain"),
        pytest.param({"confidence": "low"}, 0, id="doubtful"),
        pytest.param({"confidence": "medium", "failed": ("net + tax = gross",)}, 0, id="a-check-fails"),
    ],
)
def test_a_wrong_value_is_unmarked_when_nothing_speaks_against_it(more: dict[str, Any], unmarked: int) -> None:
    scores = score([of(a_sample({"number": "1"}), an_extraction({"number": a_value("2", **more)}))])

    assert (scores.unmarked.hits, scores.unmarked.of) == (unmarked, 1)


def test_a_document_that_was_not_read_has_all_its_values_missing() -> None:
    scores = score([of(a_sample({"number": "1", "gross_total": "2"}), None)])

    assert (scores.documents, scores.unread) == (1, 1)
    assert (scores.recall.hits, scores.recall.of) == (0, 2)
    assert scores.precision.value is None
    assert scores.f1 is None
    assert scores.ms_per_page == 0


def test_nothing_that_is_right_scores_nothing() -> None:
    assert score([of(a_sample({"number": "1"}), an_extraction({"number": a_value("2")}))]).f1 == 0
    assert score([]).f1 is None


def test_looks_checks_costs_and_time_are_counted() -> None:
    holds, fails = (Check(name="sum", holds=each, hard=True, says="") for each in (True, False))
    one = an_extraction(
        {"number": a_value("1"), "seller": a_value("Ada", grounded=False, source="vision")},
        checks=(holds, fails),
        ways=("first-look", "second-look"),
        pages=4,
        cost_usd=Decimal("0.02"),
    )
    other = an_extraction({"number": a_value("1", grounded=False, source="embedded-xml")}, ways=("embedded-xml",), pages=0)

    scores = score([of(a_sample(), one, 1_000), of(a_sample(), other, 50)])

    assert (scores.grounded.hits, scores.grounded.of) == (2, 3)
    assert (scores.checks.hits, scores.checks.of) == (1, 2)
    assert (scores.escalated.hits, scores.escalated.of) == (1, 2)
    assert (scores.pages, scores.cost_usd, scores.ms_per_page) == (5, Decimal("0.02"), 150)


@pytest.mark.parametrize(
    ("value", "gold", "right"),
    [
        pytest.param(a_value("9.9"), "9.90", True, id="zeros-behind"),
        pytest.param(a_value("-9.90"), "9.90", False, id="the-sign"),
        pytest.param(a_value("9.91"), "9.90", False, id="a-cent"),
        pytest.param(a_value("0471102"), "471102", False, id="zeros-before-a-code"),
        pytest.param(a_value("Lieferant  gmbh"), "Lieferant GmbH", True, id="case-and-blanks"),
        pytest.param(a_value("Lieferant AG"), "Lieferant GmbH", False, id="another-name"),
        pytest.param(a_value(None, raw="5.3.26"), "2026-03-05", False, id="not-read"),
        pytest.param(a_value(None, raw="PO-7"), "PO-7", True, id="as-it-is-printed"),
        pytest.param(a_value("NaN"), "NaN", True, id="a-name-that-looks-like-no-number"),
    ],
)
def test_a_value_is_right_when_it_says_what_is_known(value: Value, gold: str, right: bool) -> None:
    assert says(value, gold) is right
