"""What is taken out of a kind of document: a plain list of fields, shipped (`schemas/*.yaml`) or a workspace's own.

Both are written in the same way, so that every shipped schema is an example of how to write one.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.errors import Misconfigured
from pipelines.yaml_text import parse_as, read_text

FieldType = Literal[
    "text", "amount", "number", "percent", "date", "currency", "country", "phone", "email", "iban", "vat_id", "tick", "choice"
]

# `auto` is none of them: it has the document looked at first, and picks one.
SHIPPED: Final = ("invoice", "receipt", "contract", "paper", "form", "entities", "table")
AUTO: Final = "auto"
FIELDS_MAX: Final = 60  # of one schema, with those of its groups

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Says = Annotated[str, Field(max_length=400)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemaField(_Strict):
    """One value to look for. `says` tells a model, and people, what is meant.

    `required`: a document of this kind has it, so that somebody should look where it is not found. `options`: the values that a
    `choice` may have.
    """

    name: Name
    title: Annotated[str, Field(min_length=1, max_length=60)]
    type: FieldType = "text"
    says: _Says = ""
    required: bool = False
    options: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = ()

    @model_validator(mode="after")
    def _options_are_for_choices(self) -> Self:
        if (self.type == "choice") != bool(self.options):
            raise ValueError("options are for a choice, which needs them")
        return self


class Group(_Strict):
    """Rows of the same kind, such as line items.

    `free`: its columns are not known before, but those of the document, by their headings; it has no fields then.
    """

    name: Name
    title: Annotated[str, Field(min_length=1, max_length=60)]
    says: _Says = ""
    free: bool = False
    fields: tuple[SchemaField, ...] = ()

    @model_validator(mode="after")
    def _has_fields_or_is_free(self) -> Self:
        if self.free == bool(self.fields):
            raise ValueError("a group has fields, or is free")
        return self

    def field(self, name: str) -> SchemaField | None:
        """Return the column of that name; in a free group every name is one."""
        if self.free:
            return SchemaField(name="column", title=name[:60] or "column")
        return next((each for each in self.fields if each.name == name), None)


class Schema(_Strict):
    """What is taken out of one kind of document. `says` tells a model what kind that is, and what to heed.

    `version` counts up with a workspace's own changes. What an invoice or a receipt must add up to goes by the schema's name.
    """

    name: Name
    title: Annotated[str, Field(min_length=1, max_length=60)]
    version: int = Field(default=1, ge=1)
    says: Annotated[str, Field(max_length=2000)] = ""
    fields: tuple[SchemaField, ...] = ()
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        names = [*(each.name for each in self.fields), *(each.name for each in self.groups)]
        inside = [[each.name for each in group.fields] for group in self.groups]
        if any(len(set(some)) < len(some) for some in (names, *inside)):
            raise ValueError("a name stands here twice: leave one")
        if not names:
            raise ValueError("there is nothing to look for: add fields")
        if len(self.fields) + sum(map(len, inside)) > FIELDS_MAX:
            raise ValueError(f"there are more than {FIELDS_MAX} fields: leave some out")
        return self

    def field(self, path: str) -> SchemaField | None:
        """Return the field at a path such as `gross_total` or `line_items.quantity`; None where there is none."""
        group, _, name = path.partition(".")
        if not name:
            return next((each for each in self.fields if each.name == path), None)
        found = self.group(group)
        return found.field(name) if found else None

    def group(self, name: str) -> Group | None:
        return next((each for each in self.groups if each.name == name), None)

    def paths(self) -> Iterator[str]:
        """Yield the path of every field; a free group's columns are not known."""
        yield from (each.name for each in self.fields)
        yield from (f"{group.name}.{each.name}" for group in self.groups for each in group.fields)


@cache
def shipped(name: str) -> Schema:
    """Return a schema that comes with Flashbulb.

    Raises: `KeyError` when there is none of that name.
    """
    return parse(shipped_text(name), source=f"schemas/{name}.yaml")


def shipped_text(name: str) -> str:
    """Return a shipped schema as it is written, with its comments.

    Raises: `KeyError` when there is none of that name.
    """
    if name not in SHIPPED:
        raise KeyError(name)
    return (files("pipelines.extraction") / "schemas" / f"{name}.yaml").read_text("utf-8")


def named(name: str) -> Schema | None:
    """Return a shipped schema by its name, else the one in the file of that name; None for `auto`.

    Raises: `Misconfigured` naming the file and the line or key that is wrong.
    """
    if name == AUTO:
        return None
    if name in SHIPPED:
        return shipped(name)
    if not Path(name).exists():
        raise Misconfigured(f"There is no file {name}, and no schema of that name. There are {', '.join((AUTO, *SHIPPED))}.")
    return parse(read_text(Path(name)), source=name)


def parse(text: str, *, source: str) -> Schema:
    """Read a schema from YAML. `source` names it in errors.

    Raises: `Misconfigured` naming the line and key that is wrong.
    """
    return parse_as(Schema, text, source=source, begins="a schema is a mapping that begins with `name:`")


def written(schema: Schema) -> str:
    """Return a schema as YAML that `parse` reads."""
    return yaml.safe_dump(schema.model_dump(mode="json", exclude_defaults=True), sort_keys=False, allow_unicode=True, width=120)
