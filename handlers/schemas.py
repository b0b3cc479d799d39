"""A workspace's own schemas: made with `/extract new`, read with `/flashbulb schema`."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import ValidationError

from handlers.answers import Listing, Notice
from handlers.effects import Notify, Plan
from handlers.events import CommandUsed, FormSubmitted
from handlers.ports.services import Services
from pipelines.errors import UserError
from pipelines.extraction.asking import NO_DOCUMENT
from pipelines.extraction.schema import AUTO, SHIPPED, FieldType, Schema, shipped_text, written

TYPES: Final = get_args(FieldType)
# Words of our own: of the command, of what a mention is looked through for, and of what a model says where it is no document.
TAKEN: Final = frozenset({AUTO, "new", "extract", "as", NO_DOCUMENT, *SHIPPED})
OWN_MAX: Final = 50  # of one workspace; all are named to the model that picks one

# `total*: amount - What is to be paid`, `items.kind: choice (goods, service)`, `remarks`. A dot after which no name begins at
# once belongs to its title, as in `No. of boxes`.
_CHAR: Final = r"(?:[^.:*]|\.(?=[\s:*]|$))"
_LINE: Final = re.compile(
    rf"(?:(?P<group>(?:(?!\s[-–—]\s){_CHAR})+)\.(?=[^\s:*]))?(?P<name>{_CHAR}+?)(?P<required>\*)?\s*"
    r"(?::\s*(?P<type>\w+)\s*(?:\((?P<options>[^)]*)\))?\s*)?"
    r"(?:\s[-–—]\s*(?P<says>.*))?"
)
_HOW: Final = "Write a line such as: total*: amount - What is to be paid"


async def on_schema(event: CommandUsed, words: Sequence[str], services: Services) -> Plan:
    """Show which schemas there are, or one of them as it is written."""
    if not event.author.role.reviews:
        raise UserError("Only moderators read and make schemas.")
    own = await services.schemas.of(event.place.tenant)
    match words:
        case [] | ["show"]:
            lines = [f"{name}  shipped" for name in SHIPPED]
            lines += [f"{each.name}  {each.title}, version {each.version}" for each in own]
            lines.append("\nTo read one: /flashbulb schema show NAME. To make one, or another version of one: /extract new")
            listing = Listing(title="Schemas", body="\n".join(lines), file_name="schemas.txt")
        case ["show", name]:
            listing = _shown(name.casefold(), own)
        case _:
            raise UserError("Write /flashbulb schema show NAME.")
    return Plan(effects=(Notify.author_of(event, "schema", listing),))


def _shown(name: str, own: Sequence[Schema]) -> Listing:
    if name in SHIPPED:
        return Listing(title=f"The schema {name}", body=shipped_text(name), file_name=f"{name}.yaml")
    for each in own:
        if each.name == name:
            return Listing(title=f"The schema {name}, version {each.version}", body=written(each), file_name=f"{name}.yaml")
    raise UserError("There is no schema of that name. Write /flashbulb schema for those that there are.")


async def on_schema_form(event: FormSubmitted, services: Services) -> Plan:
    """Keep a schema as somebody wrote it in a form, as the next version of its name."""
    if not event.author.role.reviews:
        raise UserError("Only moderators read and make schemas.")
    tenant, schema = event.place.tenant, read(event.values)
    own = await services.schemas.of(tenant)
    if len(own) >= OWN_MAX and schema.name not in {each.name for each in own}:
        raise UserError(f"There are {OWN_MAX} schemas already. Make another version of one of them.")
    saved = await services.schemas.save(tenant, schema, by=event.author, event=event.key)
    use = f"Write /extract {saved.name} to use it, /flashbulb schema show {saved.name} to read it."
    said = f"Saved as version {saved.version}. {use}"
    return Plan(effects=(Notify.author_of(event, "schema", Notice(text=said)),))


def read(values: dict[str, str]) -> Schema:
    """Return the schema that a form describes.

    Raises: `UserError` naming the line that is wrong, without quoting it.
    """
    name = values.get("name", "").strip().casefold().replace(" ", "_")
    if name in TAKEN:
        raise UserError("That name is taken by a shipped schema or a command. Choose another one.")
    fields: list[dict[str, Any]] = []
    groups: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(values.get("fields", "").splitlines(), start=1):
        if not line.strip():
            continue
        group, field = _read_line(" ".join(line.split()), number)
        if not group:
            fields.append(field)
            continue
        of_group = groups.setdefault(_name_of(group), {"name": _name_of(group), "title": _title_of(group), "fields": []})
        of_group["fields"].append(field)
    made = {"name": name, "title": values.get("title", "").strip(), "says": values.get("says", "").strip()}
    try:
        return Schema.model_validate({**made, "fields": fields, "groups": list(groups.values())})
    except ValidationError as error:
        raise UserError(_why(error)) from None


def _read_line(line: str, number: int) -> tuple[str, dict[str, Any]]:
    """Return the title of the group that a line names, which may be empty, and its field.

    Raises: `UserError` naming the line.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise UserError(f"Line {number} cannot be read. {_HOW}")
    title, type = found["name"].strip(), (found["type"] or "text").casefold()
    if type not in TYPES:
        near = get_close_matches(type, TYPES, n=1)
        raise UserError(f"Line {number}: there is no such type. {f'Did you mean {near[0]}?' if near else ', '.join(TYPES)}")
    options = [each.strip() for each in (found["options"] or "").split(",") if each.strip()]
    if (type == "choice") != bool(options):
        raise UserError(f"Line {number}: values in brackets are for a choice, which needs them: kind: choice (goods, service)")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", _name_of(title)) or len(title) > 60:
        raise UserError(f"Line {number}: a name begins with a letter and has letters, digits and _, at most 40. {_HOW}")
    field = {"name": _name_of(title), "title": _title_of(title), "type": type, "required": bool(found["required"])}
    return (found["group"] or "").strip(), {**field, "says": (found["says"] or "").strip(), "options": options}


def _name_of(title: str) -> str:
    return re.sub(r"[\s-]+", "_", title.replace(".", "").strip().casefold())


def _title_of(name: str) -> str:
    title = name.replace("_", " ").strip()
    return title[:1].upper() + title[1:]


def _why(error: ValidationError) -> str:
    """Say what is wrong with a schema as a whole; of single lines it is known by now."""
    first = error.errors(include_url=False, include_input=False)[0]
    match (first["loc"], first["type"]):
        case (("name",), _):
            return "The name begins with a letter and has small letters, digits and _, at most 40."
        case (("title",), _):
            return "Give it a title of 1 to 60 characters."
        case (_, "value_error"):
            return f"{first['msg'].removeprefix('Value error, ').capitalize()}."
        case (("fields" | "groups", *_), _):
            return "A description or a table's name is too long, or that name has other characters than letters, digits and _."
        case _:
            return "This cannot be read as a schema. Change its fields."
