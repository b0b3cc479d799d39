"""Documents whose values are known, to say how well they are read.

A folder holds documents with a JSON file of the same name beside each: `{"schema": "invoice", "fields": {"number": "…"},
"rows": {"line_items": [{"quantity": "2"}]}}`, where `schema` is a shipped name or a YAML file in the folder. Values are written
as Flashbulb normalises them. Or it holds one `answers.json`, a list of `{"file", "kind", "values", "page_values"?}`, by which
public e-invoices are described.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipelines.errors import UserError
from pipelines.extraction.schema import SHIPPED, Schema, named, shipped

_T = TypeVar("_T")

ANSWERS: Final = "answers.json"
# UNTDID 1001: what an invoice's type code says, as far as our options tell it.
_KINDS: Final = {"380": "invoice", "381": "credit note", "384": "corrected invoice"}
_ROWS: Final = {"lines": "line_items", "taxes": "taxes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A document and what stands in it. Fields that are not named are unknown, not absent.

    `shown` are the fields that its page shows otherwise than the e-invoice inside it; None where they are the same.
    """

    id: str
    path: Path
    schema: Schema
    fields: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    shown: Mapping[str, str] | None = None


class _Gold(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_name: str = Field(alias="schema")
    fields: dict[str, str] = {}
    rows: dict[str, list[dict[str, str]]] = {}


class _Entry(BaseModel):
    """One document of a published list. What our schemas do not know of its values is left out."""

    file: str
    values: dict[str, Any] = {}
    page_values: dict[str, Any] | None = None


def read_samples(folder: Path, *, most: int | None = None, seed: int = 0) -> tuple[Sample, ...]:
    """Return the samples of a folder, at most `most`, drawn by `seed`.

    Raises: `UserError` when there are none, or one cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder. Name the one that holds the documents.")
    samples = tuple(_published(folder) if (folder / ANSWERS).exists() else _own(folder))
    if not samples:
        raise UserError(f"{folder} holds no document with its values. Put a NAME.json beside each NAME.pdf.")
    if most is None or most >= len(samples):
        return samples
    return tuple(sorted(random.Random(seed).sample(samples, most), key=lambda each: each.id))


def _own(folder: Path) -> Iterator[Sample]:
    for gold in sorted(folder.rglob("*.json")):
        documents = [each for each in gold.parent.glob(f"{gold.stem}.*") if each.suffix not in (".json", ".yaml", ".yml")]
        if not documents:
            continue
        known = _read(gold, TypeAdapter(_Gold))
        name = known.schema_name
        schema = named(name if name in SHIPPED else str(gold.parent / name))
        if schema is None:
            raise UserError(f"{gold}: name the schema that its values are of.")
        rows = {group: tuple(some) for group, some in known.rows.items()}
        yield Sample(id=str(documents[0].relative_to(folder)), path=documents[0], schema=schema, fields=known.fields, rows=rows)


def _published(folder: Path) -> Iterator[Sample]:
    for entry in _read(folder / ANSWERS, TypeAdapter(list[_Entry])):
        values, path = entry.values, folder / entry.file
        schema = shipped("receipt") if "merchant" in values and "total" in values else shipped("invoice")
        if not path.exists() or not ({"number", "total"} & values.keys()):
            continue
        fields = dict(_fields(values, schema))
        shown = entry.page_values
        rows = {
            _ROWS[name]: tuple(dict(_cells(row, schema, _ROWS[name])) for row in values[name])
            for name in _ROWS
            if values.get(name)
        }
        yield Sample(
            id=entry.file,
            path=path,
            schema=schema,
            fields=fields,
            rows={} if shown else rows,
            shown=None if shown is None else dict(_fields(shown, schema)),
        )


def _read(file: Path, shape: TypeAdapter[_T]) -> _T:
    try:
        return shape.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"{file} is not the JSON of known values. See docs/extraction.md.") from error


def _fields(values: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if schema.field(name) and isinstance(value, str):
            yield name, value
    if (kind := _KINDS.get(values.get("type_code", ""))) and schema.field("kind"):
        yield "kind", kind


def _cells(row: Mapping[str, Any], schema: Schema, group: str) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if schema.field(f"{group}.{name}") and isinstance(value, str):
            yield name, value
