"""Data out of a document: nothing is asked that code can read, and what a model says is looked for on the page.

The way of a document: the e-invoice inside it; else a first look at all of its pages; a second, closer one at what is doubtful;
a bigger model for what the two looks do not settle; then a person.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.extraction.answer import Answer
from pipelines.extraction.asking import NO_DOCUMENT, ask_kind, ask_values
from pipelines.extraction.assemble import Draft, assembled
from pipelines.extraction.checks import check
from pipelines.extraction.confidence import graded
from pipelines.extraction.e_invoice import from_e_invoice
from pipelines.extraction.ground import NOT_THERE, Ground
from pipelines.extraction.looks import names_of, together
from pipelines.extraction.pages import Page, filled_of, in_chunks, of_numbers, pages_of, texts_of
from pipelines.extraction.schema import SHIPPED, Schema, shipped
from pipelines.extraction.values import WAYS, Extraction, Value, Way
from pipelines.limits import DOCUMENT_TOKENS
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.ports import UNDERSTUDY, Call, Document, Documents, LanguageModel, Task

INVOICE: Final = "invoice"
QUESTION_TOKENS: Final = DOCUMENT_TOKENS
CHUNKS_AT_ONCE: Final = 4
NOTHING: Final = "Nothing of what was looked for was found in it."
HIDDEN: Final = (
    "The page holds text that people do not see, so that the e-invoice may agree with that alone. Compare it with what the page"
    " shows."
)


async def extract(
    attachment: Attachment,
    *,
    media: Documents,
    model: LanguageModel,
    schema: Schema | None,
    own: Sequence[Schema] = (),
    bigger: bool = False,
    e_invoices: bool = True,
) -> tuple[Schema, Extraction, tuple[Call, ...]]:
    """Take out of one document what `schema` lists; return the schema, what was found, and what it cost.

    `schema` None: the document is looked at first, and one of the shipped schemas or of `own` is picked. `bigger`: the bigger
    model reads it, also where an e-invoice inside it says everything. Without `e_invoices` those are ignored, to try the rest.

    Raises: `UserError` when it is no document or cannot be read; `Unavailable`, `Refused` or `BadAnswer` when no model gives a
    first answer. What fails later leaves what is there.
    """
    document = await media.document(attachment)
    inside = document.e_invoice if e_invoices and (schema is None or schema.name == INVOICE) else None
    if inside and not bigger:
        used = shipped(INVOICE)
        fields, rows, notes = _of_e_invoice(inside, document)
        draft = Draft(looks_like=INVOICE, fields=fields, rows=rows)
        return used, _finished(draft, schema=used, pages=_count(document), notes=notes), ()
    pages = pages_of(document)
    calls: list[Call] = []
    used = shipped(INVOICE) if inside else schema or await _picked(pages, model=model, own=own, calls=calls)
    reader = _Reader(attachment=attachment, document=document, pages=pages, schema=used, own=own, media=media, model=model)
    reader.calls += calls
    draft = await (reader.read("third_look", "bigger-model", closer=True) if bigger else reader.looks())
    remarks = [*reader.notes]
    if inside:
        draft, more = _with_e_invoice(draft, document)
        remarks += more
    extraction = _finished(draft, schema=used, pages=_count(document), notes=remarks)
    cost = sum((call.cost_usd for call in reader.calls if call.cost_usd is not None), Decimal(0))
    return used, extraction.model_copy(update={"engine": _engine(reader.calls), "cost_usd": cost}), tuple(reader.calls)


def regraded(schema: Schema, extraction: Extraction) -> Extraction:
    """Return an extraction with its checks made anew and every value graded by them, after values were changed."""
    checks = check(schema, extraction.fields, extraction.rows)
    by_path = {path: [each for each in checks if path in each.paths] for path, _ in extraction.each()}
    specs = {path: schema.field(_column_of(path)) for path in by_path}
    values = {
        path: graded(value, field=spec, checks=by_path[path]) if (spec := specs[path]) else value
        for path, value in extraction.each()
    }
    rows = {
        group: tuple({name: values[f"{group}[{at}].{name}"] for name in row} for at, row in enumerate(some))
        for group, some in extraction.rows.items()
    }
    used = {value.way for value in values.values()}
    return extraction.model_copy(
        update={
            "fields": {name: values[name] for name in extraction.fields},
            "rows": rows,
            "checks": checks,
            "missing": tuple(each.name for each in schema.fields if each.required and each.name not in extraction.fields),
            "ways": tuple(way for way in WAYS if way in used),
        }
    )


@dataclass(slots=True, kw_only=True)
class _Reader:
    """The looks at one document. `calls` and `notes` grow with each."""

    attachment: Attachment
    document: Document
    pages: tuple[Page, ...]
    schema: Schema
    own: Sequence[Schema]
    media: Documents
    model: LanguageModel
    calls: list[Call] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _ground: Ground = field(init=False)

    def __post_init__(self) -> None:
        layer = self.document.layer
        self._ground = Ground(layer, () if layer else texts_of(self.pages), filled_of(self.document, self.pages))
        self.notes += [gap.why for gap in self.document.intake.gaps]

    async def looks(self) -> Draft:
        """Look once, and again at what is doubtful; what two looks do not settle goes to the bigger model."""
        draft = await self.read("extraction", "first-look")
        for task, way in _FURTHER:
            result = _finished(draft, schema=self.schema, pages=0)
            doubtful = (*result.doubtful, *result.missing)
            if not doubtful or (way == "bigger-model" and not _is_unsettled(result)):
                break
            numbers = {value.page for path, value in result.each() if path in doubtful} if not result.missing else ()
            further = await self.read(task, way, numbers=numbers, only=names_of(doubtful), closer=True)
            draft = together(draft, further, schema=self.schema)
        return draft

    async def read(
        self,
        task: Task,
        way: Way,
        *,
        numbers: Collection[int | None] = (),
        only: Collection[str] | None = None,
        closer: bool = False,
    ) -> Draft:
        """Ask for all values, or those of `only`; of all pages, or those of `numbers`; `closer`: with pictures in tiles.

        Raises: what `Reply.value` raises, unless it is about `only` some of them.
        """
        pages = await self._closer() if closer else self.pages
        chunks = tuple(in_chunks(of_numbers(pages, numbers), tokens=QUESTION_TOKENS))
        if len(chunks) > 1 and task == "extraction":
            task = "long_documents"
        turns = asyncio.Semaphore(CHUNKS_AT_ONCE)

        async def ask(chunk: tuple[Page, ...]) -> Answer | None:
            async with turns:
                reply = await ask_values(chunk, schema=self.schema, model=self.model, task=task, own=self.own, only=only)
            self.calls += reply.calls
            return reply.output if only is not None and reply.outcome != "ok" else reply.value()

        answers = [answer for answer in await asyncio.gather(*map(ask, chunks)) if answer is not None]
        if only is None:
            answers = self._of_first_document(answers)
            self._say_what_it_is(answers)
        numbers = [page.number for page in self.pages]
        return assembled(answers, schema=self.schema, ground=self._ground, numbers=numbers, way=way)

    async def _closer(self) -> tuple[Page, ...]:
        return pages_of(await self.media.document(self.attachment, fine=True))

    def _of_first_document(self, answers: Sequence[Answer]) -> list[Answer]:
        """Leave out what stands on the pages of further documents in the same file, and say so."""
        begins = sorted(
            {page for answer in answers for page in answer.begins if any(page == each.number for each in self.pages)}
        )
        if len(begins) < 2:
            return list(answers)
        said = ", ".join(map(str, begins))
        self.notes.append(
            f"The file holds {len(begins)} documents, which begin on pages {said}. Only the first was read: send the others in"
            " files of their own."
        )
        return [
            answer.model_copy(update={"values": [each for each in answer.values if each.page < begins[1]]})
            for answer in answers
        ]

    def _say_what_it_is(self, answers: Sequence[Answer]) -> None:
        looks_like = next((answer.looks_like for answer in answers if answer.looks_like), "")
        if looks_like == NO_DOCUMENT:
            self.notes.append("This does not look like a document.")
        elif looks_like in _KINDS and self.schema.name in _KINDS and looks_like != self.schema.name:
            title = shipped(looks_like).title.lower()
            self.notes.append(f"This looks like another kind of document ({title}). Try /extract {looks_like}.")


# Kinds of document that exclude each other: anything may be looked through for names, or holds a table.
_KINDS: Final = frozenset(SHIPPED) - {"entities", "table"}
# What follows the first look, in order.
_FURTHER: Final[tuple[tuple[Task, Way], ...]] = (("second_look", "second-look"), ("third_look", "bigger-model"))


async def _picked(pages: Sequence[Page], *, model: LanguageModel, own: Sequence[Schema], calls: list[Call]) -> Schema:
    """Return the schema that fits the document best."""
    reply = await ask_kind(pages, model=model, own=own)
    calls += reply.calls
    kind = reply.value().kind
    if kind == NO_DOCUMENT:
        raise UserError("This does not look like a document. Name what to take out, such as /extract table, or try /tag.")
    return next((each for each in own if each.name == kind), None) or shipped(kind)


def _with_e_invoice(draft: Draft, document: Document) -> tuple[Draft, tuple[str, ...]]:
    """Return a reading of the page, with what the e-invoice inside the file says in its place."""
    assert document.e_invoice is not None
    fields, rows, notes = _of_e_invoice(document.e_invoice, document)
    return replace(draft, fields={**draft.fields, **fields}, rows={**draft.rows, **rows}), notes


def _of_e_invoice(
    invoice: EInvoice, document: Document
) -> tuple[dict[str, Value], dict[str, tuple[dict[str, Value], ...]], tuple[str, ...]]:
    """Return what an e-invoice says; where text is hidden on the page, its agreement with the page proves nothing."""
    fields, rows, notes = from_e_invoice(invoice, document.layer)
    hidden = any(fact.kind == "hidden_text" for fact in document.intake.facts)
    return fields, rows, (*notes, HIDDEN) if hidden else notes


def _finished(draft: Draft, *, schema: Schema, pages: int, notes: Sequence[str] = ()) -> Extraction:
    if not draft.fields and not draft.rows:
        notes = (*notes, NOTHING)
    extraction = Extraction(
        schema_name=schema.name,
        schema_version=schema.version,
        looks_like=draft.looks_like,
        country=draft.country,
        fields=dict(draft.fields),
        rows=dict(draft.rows),
        notes=tuple(dict.fromkeys(notes)),
        pages=pages,
    )
    return regraded(schema, extraction)


def _is_unsettled(extraction: Extraction) -> bool:
    """Whether looking again may help: readings differ, or a value that should be on the page is not.

    A document may be wrong by itself: what two looks read alike and find on the page is not asked about again.
    """
    return bool(extraction.missing) or any(
        value.readings == "disagree" or not (value.grounded or (value.readings == "agree" and NOT_THERE not in value.notes))
        for _, value in extraction.each()
        if value.confidence == "low"
    )


def _column_of(path: str) -> str:
    group, bracket, rest = path.partition("[")
    return f"{group}.{rest.partition('].')[2]}" if bracket else path


def _count(document: Document) -> int:
    return document.layer.pages_total if document.layer else 0


def _engine(calls: Sequence[Call]) -> str:
    name = calls[-1].model if calls else "none"
    return UNDERSTUDY if name.startswith(UNDERSTUDY) else name
