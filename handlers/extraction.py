"""Data out of documents: by command, from a message's menu, and where we are mentioned with a document."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import PurePath
from typing import Final

from handlers.answers import DocumentSummary, Extracted, ExtractedTogether, Notice
from handlers.attachments import asked_about, linked
from handlers.effects import AnyEffect, Enclosure, Notify, Plan, Post
from handlers.events import CommandUsed, Event, Place
from handlers.ports.extraction import StoredExtraction
from handlers.ports.services import Services
from pipelines.content import Attachment
from pipelines.errors import FlashbulbError, UserError
from pipelines.extraction.extract import extract
from pipelines.extraction.schema import AUTO, SHIPPED, Schema, shipped
from pipelines.extraction.values import Extraction
from pipelines.limits import ATTACHMENTS_JUDGED
from pipelines.ports import Call

AT_ONCE: Final = 3  # documents of one event, as each may be many pages
PAGES_SHOWN: Final = 3
VALUES_TOLD: Final = 5  # of one of several documents
TITLES_NAMED: Final = 12  # in what a picture of a page says for those who do not see it


async def on_extract(event: CommandUsed, services: Services) -> Plan:
    """Read the command's documents, the one at its address, those of the message it is about, or of the newest with a file."""
    name, address = _asked(event.argument)
    if name == "new":
        raise UserError(
            "The form for that could not be opened. Write /extract new once more."
            if event.author.role.reviews
            else "Only moderators make schemas. There are " + ", ".join((AUTO, *SHIPPED)) + "."
        )
    own = await services.schemas.of(event.place.tenant)
    schema = schema_named(name, own)
    none = "There is no document here. Post one here and write /extract again."
    attachments, message = await asked_about(event, address, services, otherwise=none)
    effects = await extract_documents(
        event,
        documents=dict(enumerate(attachments)),
        schema=schema,
        own=own,
        place=event.place.in_thread_of(message) if message else event.place,
        message=message,
        services=services,
    )
    return Plan(effects=effects)


def _asked(argument: str) -> tuple[str, str]:
    """Return the name and the address that stand after the command; both may be left out."""
    if linked(argument):
        return AUTO, argument
    name, _, rest = argument.strip().partition(" ")
    if rest.strip() and not linked(rest):
        raise UserError("Write /extract, then a schema, then an address. Both can be left out.")
    return name.casefold() or AUTO, rest


def asked_for(text: str, own: Sequence[Schema]) -> str:
    """Return which schema a message asks for, `auto` where it asks for data only, or nothing.

    It is looked through for our own words alone: `extract`, `extract as receipt`, `as receipt`. Nothing else is read.
    """
    words = re.findall(r"\w+", text.casefold())
    known = {AUTO, *SHIPPED, *(each.name for each in own)}
    if "extract" in words:
        return next((word for word in words if word in known), AUTO)
    return next((word for before, word in pairwise(words) if before == "as" and word in known), "")


def schema_named(name: str, own: Sequence[Schema]) -> Schema | None:
    """Return a schema by its name, None for `auto`.

    Raises: `UserError` naming those that there are.
    """
    if name == AUTO:
        return None
    if name in SHIPPED:
        return shipped(name)
    for each in own:
        if each.name == name:
            return each
    names = ", ".join((AUTO, *SHIPPED, *(each.name for each in own)))
    raise UserError(f"There is no schema of that name. There are {names}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What reading one document came to: what was found, or why it was not read."""

    attachment: Attachment
    found: tuple[Schema, Extraction] | None = None
    problem: FlashbulbError | None = None


async def extract_documents(
    event: Event,
    *,
    documents: Mapping[int, Attachment],
    schema: Schema | None,
    own: Sequence[Schema],
    place: Place,
    message: str,
    services: Services,
) -> tuple[AnyEffect, ...]:
    """Return what is to be said about some documents, which are by their position: one by one, or all together.

    What was found is kept first, so that a press on a button always finds it.

    Raises: what `extract` raises, when it does so for the only one; `UserError` when they are too many.
    """
    if len(documents) > ATTACHMENTS_JUDGED:
        raise UserError(f"These are more than {ATTACHMENTS_JUDGED} files. Post them in several messages.")
    reads = await _read(event, documents, schema=schema, own=own, services=services)
    batch = id_of(event)
    kept = {
        position: StoredExtraction(
            id=id_of(event, position),
            batch=batch,
            place=event.place,
            message=message,
            attachment=each.attachment,
            schema=each.found[0],
            extraction=each.found[1],
            asked_by=event.author.id,
        )
        for position, each in reads.items()
        if each.found
    }
    await services.results.save_extractions(event=event.key, extractions=tuple(kept.values()))
    if len(kept) > 1:
        summaries = tuple(_summary(kept[position]) if position in kept else _unread(each) for position, each in reads.items())
        return (_together(event, batch, tuple(kept.values()), summaries, place=place, message=message),)
    effects: list[AnyEffect] = []
    for position, each in reads.items():
        if position in kept:
            effects.append(_alone(event, kept[position], place=place, message=message))
        elif len(reads) == 1 and each.problem:
            raise each.problem
        else:
            effects.append(Notify.author_of(event, f"extract{position}", Notice(text=str(each.problem)), place=place))
    return tuple(effects)


async def _read(
    event: Event, documents: Mapping[int, Attachment], *, schema: Schema | None, own: Sequence[Schema], services: Services
) -> dict[int, _Read]:
    """Read documents, a few at once; what that cost is written down in any case."""
    turns = asyncio.Semaphore(AT_ONCE)
    calls: dict[int, list[Call]] = {position: [] for position in documents}

    async def read(position: int, attachment: Attachment) -> _Read:
        async with turns:
            try:
                used, extraction = await extract(
                    attachment, media=services.media, model=services.model, schema=schema, own=own, calls=calls[position]
                )
            except FlashbulbError as error:
                return _Read(attachment=attachment, problem=error)
            return _Read(attachment=attachment, found=(used, extraction))

    try:
        found = await asyncio.gather(*(read(position, attachment) for position, attachment in documents.items()))
    finally:
        asked = [call for some in calls.values() for call in some]
        await services.ledger.record(event.place.tenant, event=event.key, task="extraction", calls=asked)
    return dict(zip(documents, found, strict=True))


def id_of(event: Event, position: int | None = None) -> str:
    """Return the id of what an event took out of the document at `position`, or of all that it did: always the same."""
    return hashlib.sha256(f"{event.key}#{'' if position is None else position}".encode()).hexdigest()[:16]


def extracted(stored: StoredExtraction) -> Extracted:
    """Return the answer that says what was taken out."""
    return Extracted(
        id=stored.id,
        file_name=stored.attachment.name,
        schema_used=stored.schema,
        extraction=stored.extraction,
        state=stored.state,
        decided_by=stored.decided_by,
        bigger=stored.bigger,
    )


def export(kind: str, id: str, stored: Sequence[StoredExtraction]) -> Enclosure:
    """Return a file with everything of an extraction, or of a batch."""
    stem = PurePath(stored[0].attachment.name).stem if len(stored) == 1 else ""
    match kind:
        case "json" | "csv" | "xlsx" as kind:
            return Enclosure(kind=kind, of=id, name=f"{stem or 'documents'}.{kind}")
        case _:
            raise UserError("This button is of an older version. Use the newest answer.")


def _alone(event: Event, stored: StoredExtraction, *, place: Place, message: str) -> Post:
    return Post(
        key=f"{event.key}#extracted",
        place=place,
        answer=extracted(stored),
        files=_pages(stored),
        about=message or None,
        reply=event.reply,
    )


def _together(
    event: Event,
    batch: str,
    kept: Sequence[StoredExtraction],
    summaries: tuple[DocumentSummary, ...],
    *,
    place: Place,
    message: str,
) -> Post:
    cost = sum((each.extraction.cost_usd for each in kept), Decimal(0))
    engines = dict.fromkeys(each.extraction.engine for each in kept if each.extraction.engine != "none")
    answer = ExtractedTogether(
        id=batch, documents=summaries, engine=", ".join(engines) or "none", cost_usd=f"{cost:f}" if cost else ""
    )
    files = (export("xlsx", batch, kept),)
    return Post(key=f"{event.key}#extracted", place=place, answer=answer, files=files, about=message or None, reply=event.reply)


def _summary(stored: StoredExtraction) -> DocumentSummary:
    """Return the values by which a document is told from others: the required ones, then others; amounts say their currency."""
    found = stored.extraction.fields
    known = [each for each in stored.schema.fields if each.name in found and each.type != "currency"]
    there = sorted(known, key=lambda each: not each.required)
    return DocumentSummary(
        file_name=stored.attachment.name,
        title=stored.schema.title,
        values=tuple((each.title, found[each.name].shown) for each in there[:VALUES_TOLD]),
        doubtful=len(stored.extraction.doubtful),
        failed=len(stored.extraction.failed),
    )


def _unread(each: _Read) -> DocumentSummary:
    return DocumentSummary(file_name=each.attachment.name, problem=str(each.problem))


def _pages(stored: StoredExtraction) -> tuple[Enclosure, ...]:
    """Return the pages on which something is framed, those with doubtful values first, as far as there is room."""
    framed: dict[int, list[tuple[str, bool]]] = {}
    for path, value in stored.extraction.each():
        if value.box is not None:
            framed.setdefault(value.page or 1, []).append((path, value.confidence == "low"))
    first = sorted(framed, key=lambda page: (not any(doubtful for _, doubtful in framed[page]), page))
    stem = PurePath(stored.attachment.name).stem or "document"
    return tuple(
        Enclosure(
            kind="marked_page",
            of=stored.id,
            page=page,
            name=f"{stem}.page{page}.png",
            alt_text=_alt_text(page, framed[page], stored.schema),
        )
        for page in first[:PAGES_SHOWN]
    )


def _alt_text(page: int, framed: Sequence[tuple[str, bool]], schema: Schema) -> str:
    """Say what is framed on a page, by the names of the values alone."""
    doubtful = [path for path, unsure in framed if unsure]
    said = f"Page {page} of the document with {len(framed)} framed value{'s' if len(framed) > 1 else ''}:"
    said += f" {_titles([path for path, _ in framed], schema)}."
    return f"{said} Doubtful: {_titles(doubtful, schema)}." if doubtful else said


def _titles(paths: Sequence[str], schema: Schema) -> str:
    titles = list(dict.fromkeys(_title(path, schema) for path in paths))
    more = len(titles) - TITLES_NAMED
    return ", ".join(titles[:TITLES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _title(path: str, schema: Schema) -> str:
    """Return the title of a field, or of the group that a value in a row belongs to."""
    name, bracket, _ = path.partition("[")
    spec = schema.group(name) if bracket else schema.field(name)
    return spec.title if spec else name
