"""What people do with what was taken out of a document: correct, confirm, export it, or have a bigger model read it."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from handlers.answers import Notice
from handlers.attachments import fresh
from handlers.effects import Edit, Plan, Post
from handlers.events import ButtonPressed, Event, FormSubmitted, Person
from handlers.extraction import export, extracted
from handlers.ports.extraction import RESULT_GONE, StoredExtraction
from handlers.ports.services import Services
from pipelines.errors import UserError
from pipelines.extraction.extract import extract, regraded
from pipelines.extraction.normalise import locale_of, normalised
from pipelines.extraction.schema import FieldType, Schema, SchemaField
from pipelines.extraction.values import Extraction, Value
from pipelines.ports import Call

# Options of one menu. Source: https://docs.discord.com/developers/components/reference (string select)
CHOICES_MAX: Final = 25
# Characters of an option, Slack's limit.
# Source: https://docs.slack.dev/reference/block-kit/composition-objects/option-object
CHOICE_CHARS: Final = 75
DIGEST_CHARS: Final = 8
TYPED_SHOWN: Final = 5  # of the options, as far as the others need the room

NOT_YOURS: Final = "Only who asked for this, and moderators, can do that. Write /extract to have a document read yourself."
_CHANGED: Final = (
    "That value has changed meanwhile or is not there any more, so nothing was changed. Press the button once more."
)
_READING: Final = "The bigger model is reading it already. What it finds is shown where the values are."
_CONFIRMED: Final = (
    "Somebody confirmed the values while the bigger model was reading, so they stay as they are. To have it read once more,"
    " correct a value first."
)
_IN_ROW: Final = re.compile(r"(?P<group>[a-z0-9_]+)\[(?P<row>\d+)\]\.(?P<name>.+)", re.DOTALL)

# How a value of each type is written so that it can be read.
_WRITTEN: Final[dict[FieldType, str]] = {
    "amount": "an amount, such as 1234.50 EUR",
    "number": "a number, such as 12.5",
    "percent": "a percentage, such as 19 %",
    "date": "a date, such as 2025-03-31",
    "currency": "a currency, such as EUR",
    "country": "a country, such as DE or Germany",
    "phone": "a phone number, such as +49 30 123456",
    "email": "an e-mail address",
    "iban": "an IBAN",
    "vat_id": "a VAT id, such as DE123456789",
    "tick": "yes or no",
    "choice": "one of the values that the schema lists",
}


def may_change(person: Person, stored: StoredExtraction) -> bool:
    """Whether a person may say what a document holds: who asked for it, and moderators."""
    return person.id == stored.asked_by or person.role.reviews


def choices(stored: StoredExtraction) -> tuple[tuple[str, str], ...]:
    """Return (value, label) of what can be corrected: first what is doubtful or missing, then what is required, then others.

    What people typed comes last: what the menu had no room for takes its place, but a slip can still be mended.
    """
    extraction, schema = stored.extraction, stored.schema
    known = dict(extraction.each())
    empty = (each.name for each in schema.fields if each.name not in known)
    required = (each.name for each in schema.fields if each.required)
    order = dict.fromkeys((*extraction.doubtful, *extraction.missing, *required, *known, *empty))
    typed = dict.fromkeys(path for path in order if path in known and known[path].way == "person")
    others = [path for path in order if path not in typed]
    shown = [*others[: CHOICES_MAX - min(len(typed), TYPED_SHOWN)], *typed][:CHOICES_MAX]
    return tuple((_key(path, extraction), _label(path, known.get(path), schema)) for path in shown)


def fit(stored: StoredExtraction) -> bool:
    """Whether one menu holds all that can be corrected."""
    return len(list(_paths(stored))) <= CHOICES_MAX


def _key(path: str, extraction: Extraction) -> str:
    """Return what stands for a value in a menu: its path and a digest of what it says; in a row, of all that the row says.

    While a form is open another value may come to its place, or another row: then this is another one.
    """
    in_row = _IN_ROW.fullmatch(path)
    there = extraction.rows[in_row["group"]][int(in_row["row"])] if in_row else {"": extraction.fields.get(path)}
    said = [(name, value.raw, value.value, value.currency) for name, value in sorted(there.items()) if value]
    return f"{_short(path)}#{hashlib.sha256(repr(said).encode()).hexdigest()[:DIGEST_CHARS]}"


def _short(path: str) -> str:
    """Return a path as it fits into a menu's value; the columns of a free table can have very long names."""
    fits = len(path) <= CHOICE_CHARS - DIGEST_CHARS - 1
    return path if fits else hashlib.sha256(path.encode()).hexdigest()[:32]


def _label(path: str, value: Value | None, schema: Schema) -> str:
    title = path
    if found := _IN_ROW.fullmatch(path):
        group = schema.group(found["group"])
        spec = None if group is None or group.free else group.field(found["name"])
        title = f"Line {int(found['row']) + 1}, {spec.title if spec else found['name']}"
    elif spec := schema.field(path):
        title = spec.title
    label = f"{title}: {value.shown if value else 'not found'}"
    return label if len(label) <= CHOICE_CHARS else f"{label[: CHOICE_CHARS - 1]}…"


async def on_extraction_pressed(event: ButtonPressed, services: Services) -> Plan:
    """Do what a button below an extraction says."""
    match event.button.removeprefix("extraction_"):
        case "confirm":
            return await _confirm(event, services)
        case "bigger":
            return await _read_again(event, services)
        case "correct":
            if not choices(await _theirs(event, event.value, services)):
                raise UserError("There is no value that could be corrected.")
            raise UserError("The form for that could not be opened. Press the button once more.")
        case kind:
            return await _export(kind, event, services)


async def on_correct_form(event: FormSubmitted, services: Services) -> Plan:
    """Put what a person typed in place of a value, and grade the others anew."""
    id, _, message = event.about.partition(":")
    await _theirs(event, id, services)
    typed = " ".join(event.values.get("value", "").split())
    corrected = partial(_corrected, chosen=event.values.get("field", ""), typed=typed)
    changed = await services.results.change(event.place.tenant, id, corrected, event=event.key)
    return Plan(effects=(_edit(event, changed, message),))


async def _confirm(event: ButtonPressed, services: Services) -> Plan:
    await _theirs(event, event.value, services)

    def confirmed(stored: StoredExtraction) -> StoredExtraction:
        return stored if stored.state == "confirmed" else replace(stored, state="confirmed", decided_by=event.author.name)

    changed = await services.results.change(event.place.tenant, event.value, confirmed, event=event.key)
    return Plan(effects=(_edit(event, changed, event.message),))


async def _read_again(event: ButtonPressed, services: Services) -> Plan:
    """Have the bigger model read the document, for one person at a time; what people corrected stays.

    Who asks is written down first, so that a press that was cut short is taken up again and another one is told.
    """
    tenant, id = event.place.tenant, event.value
    await _theirs(event, id, services)
    stored = await services.results.change(tenant, id, partial(_claimed, by=event.key), event=f"{event.key}#claim")
    if stored.reading not in ("", event.key):
        raise UserError(_READING)
    if stored.reading:
        try:
            found = await _bigger_reading(event, stored, services)
            stored = await services.results.change(tenant, id, partial(_with_reading, found=found), event=event.key)
        except Exception:  # whatever it was: it can be asked again
            await services.results.change(tenant, id, partial(_given_back, by=event.key), event=f"{event.key}#back")
            raise
    return Plan(effects=(_edit(event, stored, event.message),))


async def _bigger_reading(event: ButtonPressed, stored: StoredExtraction, services: Services) -> Extraction:
    """Return what the bigger model finds; what that cost is written down in any case."""
    attachment = await fresh(stored.attachment, stored.place, stored.message, services.channels)
    own = await services.schemas.of(event.place.tenant)
    calls: list[Call] = []
    try:
        _, found = await extract(
            attachment,
            media=services.media,
            model=services.model,
            schema=stored.schema,
            own=own,
            bigger=True,
            calls=calls,
        )
    finally:
        await services.ledger.record(event.place.tenant, event=event.key, task="extraction", calls=calls)
    return found


async def _export(kind: str, event: ButtonPressed, services: Services) -> Plan:
    """Post a file with everything; whoever sees the answer may have it."""
    tenant = event.place.tenant
    found = await services.results.extractions(tenant, event.value)
    if not found:
        raise UserError(RESULT_GONE)
    first = found[0]
    if first.place.channel not in (event.place.channel, *await _readable(event, first, services)):
        raise UserError(NOT_YOURS)
    file = export(kind, event.value, found)
    return Plan(
        effects=(
            Post(
                key=f"{event.key}#file",
                place=event.place.in_thread_of(event.message),
                answer=Notice(text=f"Here is what was taken out, as {kind.upper()}."),
                files=(file,),
                about=first.message or None,
                reply=event.reply,
            ),
        )
    )


async def _readable(event: Event, stored: StoredExtraction, services: Services) -> frozenset[str]:
    if stored.place.channel == event.place.channel:
        return frozenset()
    channels = frozenset({stored.place.channel})
    return await services.channels.readable(event.place.tenant, event.author.id, channels)


async def _theirs(event: Event, id: str, services: Services) -> StoredExtraction:
    """Return an extraction that the author may change.

    Raises: `UserError` when there is none, or it is somebody else's.
    """
    stored = await services.results.extraction(event.place.tenant, id)
    if stored is None:
        raise UserError(RESULT_GONE)
    if not may_change(event.author, stored):
        raise UserError(NOT_YOURS)
    return stored


def _edit(event: Event, stored: StoredExtraction, message: str) -> Edit:
    return Edit(key=f"{event.key}#extracted", place=event.place, message=message, answer=extracted(stored))


def _paths(stored: StoredExtraction) -> Iterator[str]:
    """Yield the paths of all that can be corrected: what was found, and the fields that were not."""
    yield from (path for path, _ in stored.extraction.each())
    yield from (each.name for each in stored.schema.fields if each.name not in stored.extraction.fields)


def _corrected(stored: StoredExtraction, *, chosen: str, typed: str) -> StoredExtraction:
    """Return an extraction with what was typed in place of the value `chosen` in the menu; it has to be confirmed anew.

    Raises: `UserError` when the value says something else by now, or what was typed cannot be read as what it should be.
    """
    name = chosen.rpartition("#")[0]
    path = next((path for path in _paths(stored) if _short(path) == name), None)
    spec = _spec(path, stored.schema) if path else None
    if path is None or spec is None or _key(path, stored.extraction) != chosen:
        raise UserError(_CHANGED)
    old = dict(stored.extraction.each()).get(path)
    value = _typed(typed, spec, old, stored)
    extraction = _with(stored.extraction, path, value)
    return replace(stored, extraction=regraded(stored.schema, extraction), state="open", decided_by="")


def _typed(typed: str, spec: SchemaField, old: Value | None, stored: StoredExtraction) -> Value:
    said = [(known, value.raw) for path, value in stored.extraction.each() if (known := _spec(path, stored.schema))]
    normal = normalised(typed, spec, locale_of(said, country=stored.extraction.country))
    if normal.value is None or normal.ambiguous:
        how = _WRITTEN.get(spec.type, "a text")
        trouble = "can be read in two ways" if normal.ambiguous else "cannot be read"
        raise UserError(f"What you typed {trouble}, so nothing was changed. Write {how}.")
    currency = normal.currency or (old.currency if old else None)
    return Value(
        value=normal.value,
        raw=typed,
        currency=currency if spec.type == "amount" else None,
        source="correction",
        way="person",
        notes=normal.notes,
        confidence="high",
    )


def _spec(path: str, schema: Schema) -> SchemaField | None:
    in_row = _IN_ROW.fullmatch(path)
    return schema.field(f"{in_row['group']}.{in_row['name']}" if in_row else path)


def _with(extraction: Extraction, path: str, value: Value) -> Extraction:
    """Return an extraction with another value at `path`; its row is there."""
    in_row = _IN_ROW.fullmatch(path)
    if in_row is None:
        return extraction.model_copy(update={"fields": {**extraction.fields, path: value}})
    rows = list(extraction.rows.get(in_row["group"], ()))
    at = int(in_row["row"])
    rows[at] = {**rows[at], in_row["name"]: value}
    return extraction.model_copy(update={"rows": {**extraction.rows, in_row["group"]: tuple(rows)}})


def _claimed(stored: StoredExtraction, *, by: str) -> StoredExtraction:
    may = stored.bigger and not stored.reading and stored.state == "open"
    return replace(stored, reading=by) if may else stored


def _given_back(stored: StoredExtraction, *, by: str) -> StoredExtraction:
    return replace(stored, reading="") if stored.reading == by else stored


def _with_reading(stored: StoredExtraction, *, found: Extraction) -> StoredExtraction:
    """Return an extraction with what the bigger model found, save for what people typed.

    Raises: `UserError` when somebody has said meanwhile that the values are right.
    """
    if stored.state == "confirmed":
        raise UserError(_CONFIRMED)
    typed = [(path, value) for path, value in stored.extraction.each() if value.way == "person"]
    rows, before = dict(found.rows), stored.extraction.rows
    for group in {path.partition("[")[0] for path, _ in typed} & set(before):
        if len(rows.get(group, ())) != len(before[group]):  # nobody can tell which row is which now
            rows[group] = before[group]
    merged = found.model_copy(update={"rows": rows})
    for path, value in typed:
        merged = _with(merged, path, value)
    cost = stored.extraction.cost_usd + found.cost_usd
    graded = regraded(stored.schema, merged).model_copy(update={"cost_usd": cost})
    return replace(stored, extraction=graded, bigger=False, reading="")
