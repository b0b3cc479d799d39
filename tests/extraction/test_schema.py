"""Schemas: those that are shipped, and those that people write."""

from pathlib import Path

import pytest

from pipelines.errors import Misconfigured
from pipelines.extraction.schema import SHIPPED, named, parse, shipped

OWN = """\
name: delivery_note
title: Delivery note
says: A paper that goes with goods.
fields:
  - {name: number, title: Number, required: true}
  - {name: delivered, title: Delivered on, type: date}
groups:
  - name: items
    title: Items
    fields:
      - {name: article, title: Article}
      - {name: count, title: Pieces, type: number}
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_schema_is_one(name: str) -> None:
    schema = shipped(name)

    assert schema.name == name
    assert schema.title
    assert all(schema.field(path) for path in schema.paths())


def test_an_own_schema_is_written_in_the_same_way(tmp_path: Path) -> None:
    file = tmp_path / "delivery.yaml"
    file.write_text(OWN)

    schema = named(str(file))

    assert schema is not None
    assert list(schema.paths()) == ["number", "delivered", "items.article", "items.count"]


def test_a_path_leads_to_its_field() -> None:
    schema = parse(OWN, source="own.yaml")

    assert schema.field("items.count").type == "number"
    assert schema.field("items") is None
    assert schema.field("items.colour") is None
    assert schema.field("number.count") is None


def test_the_columns_of_a_free_group_are_those_of_the_document() -> None:
    schema = shipped("table")

    assert schema.field("rows.Anything at all").type == "text"
    assert list(schema.paths()) == ["caption"]


def test_auto_is_no_schema_but_a_question() -> None:
    assert named("auto") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(OWN.replace("type: date", "type: day"), "line 6: fields.1.type: must be ", id="type"),
        pytest.param(OWN.replace("name: number", "name: Number"), "line 5: fields.0.name: must be small letters", id="name"),
        pytest.param(OWN.replace("title: Delivered on", "titel: x"), "did you mean title?", id="key"),
        pytest.param(OWN.replace("name: delivered", "name: number"), "a name stands here twice", id="twice"),
        pytest.param("name: empty\ntitle: Empty\n", "there is nothing to look for: add fields", id="empty"),
        pytest.param(OWN.replace("type: date", "type: choice"), "options are for a choice, which needs them", id="choice"),
        pytest.param("- a list", "begins with `name:`", id="list"),
        pytest.param("name: [", "this is not YAML", id="not-yaml"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=r"own\.yaml") as error:
        parse(text, source="own.yaml")

    assert says in str(error.value)


def test_a_schema_that_is_not_there_says_what_is() -> None:
    with pytest.raises(Misconfigured, match="auto, invoice, receipt"):
        named("invoyce")
