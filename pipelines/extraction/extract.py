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
from pipelines.errors import Unavailable, UserError
from pipelines.extraction.answer import Answer
from pipelines.extraction.asking import NO_DOCUMENT, ask_kind, ask_values
from pipelines.extraction.assemble import Draft, assembled
from pipelines.extraction.checks import check
from pipelines.extraction.confidence import graded
from pipelines.extraction.e_invoice import from_e_invoice
from pipelines.extraction.ground import NOT_THERE, Ground
from pipelines.extraction.looks import names_of, together
from pipelines.extraction.normalise import Locale
from pipelines.extraction.pages import Page, filled_of, in_chunks, of_numbers, pages_of, texts_of
from pipelines.extraction.schema import SHIPPED, Schema, shipped
from pipelines.extraction.values import WAYS, Check, Extraction, Way
from pipelines.limits import DOCUMENT_TOKENS
from pipelines.media.documents.e_invoice import EInvoice
from pipelines.ports import UNDERSTUDY, Call, Document, Documents, LanguageModel, Task

INVOICE: Final = "invoice"
QUESTION_TOKENS: Final = DOCUMENT_TOKENS
CHUNKS_AT_ONCE: Final = 4
NOTHING: Final = "Nothing of what was looked for was found in it."
HIDDEN: Final = (
    "A page holds text that people do not see, and values may have been found in that alone. Compare them with what it shows."
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
    calls: list[Call] | None = None,
) -> tuple[Schema, Extraction]:
    """Take out of one document what `schema` lists; return the schema and what was found.

    `schema` None: the document is looked at first, and one of the shipped schemas or of `own` is picked. `bigger`: the bigger
    model reads it, also where an e-invoice inside it says everything. Without `e_invoices` those are ignored, to try the rest.

    Raises: `UserError` when it is no document or cannot be read; `Unavailable`, `Refused` or `BadAnswer` when no model gives a
    first answer. What fails later leaves what is there. `calls` gets what asking cost, also when it raises.
    """
    document = await media.document(attachment)
    inside = document.e_invoice if e_invoices and (schema is None or schema.name == INVOICE) else None
    if inside and not bigger:
        used = shipped(INVOICE)
        return used, await asyncio.to_thread(_from_e_invoice_alone, inside, document)
    pages = pages_of(document)
    calls = [] if calls is None else calls
    used = shipped(INVOICE) if inside else schema or await _picked(pages, model=model, own=own, calls=calls)
    reader = _Reader(
        attachment=attachment,
        document=document,
        pages=pages,
        schema=used,
        own=own,
        media=media,
        model=model,
        calls=calls,
    )
    draft = await (reader.read("third_look", "bigger-model", closer=True) if bigger else reader.looks())
    remarks = [*reader.notes]
    if inside:
        draft, more = await asyncio.to_thread(_with_e_invoice, draft, document)
        remarks += more
    extraction = await asyncio.to_thread(_finished, draft, schema=used, document=document, notes=remarks)
    cost = sum((call.cost_usd for call in reader.calls if call.cost_usd is not None), Decimal(0))
    return used, extraction.model_copy(update={"engine": _engine(reader.calls), "cost_usd": cost})


def regraded(schema: Schema, extraction: Extraction) -> Extraction:
    """Return an extraction with its checks made anew and every value graded by them, after values were changed."""
    checks = check(schema, extraction.fields, extraction.rows)
    by_path: dict[str, list[Check]] = {path: [] for path, _ in extraction.each()}
    for each in checks:
        for path in each.paths:
            by_path[path].append(each)
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
    calls: list[Call]
    notes: list[str] = field(default_factory=list)
    _ground: Ground | None = field(init=False, default=None)
    _locale: Locale | None = field(init=False, default=None)
    _next_begins: int | None = field(init=False, default=None)  # the page on which another document begins

    def __post_init__(self) -> None:
        self.notes += [gap.why for gap in self.document.intake.gaps]

    async def looks(self) -> Draft:
        """Look once, and again at what is doubtful; what two looks do not settle goes to the bigger model."""
        draft = await self.read("extraction", "first-look")
        for task, way in _FURTHER:
            result = await asyncio.to_thread(_finished, draft, schema=self.schema, document=self.document)
            doubtful = (*result.doubtful, *result.missing)
            if not doubtful or (way == "bigger-model" and not _is_unsettled(result)):
                break
            only = names_of(doubtful)
            # All pages of a group, since its rows are taken from one look as a whole.
            numbers = {value.page for path, value in result.each() if names_of([path]) <= only} if not result.missing else ()
            try:
                further = await self.read(task, way, numbers=numbers, only=only, closer=True)
            except (UserError, Unavailable):
                self.notes.append("It could not be looked at once more, closer: the file could not be read again.")
                break
            draft = await asyncio.to_thread(together, draft, further, schema=self.schema)
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
        pages = of_numbers(await self._closer() if closer else self.pages, numbers)
        chunks = tuple(in_chunks([page for page in pages if self._is_ours(page.number)], tokens=QUESTION_TOKENS))
        if len(chunks) > 1 and task == "extraction":
            task = "long_documents"
        turns = asyncio.Semaphore(CHUNKS_AT_ONCE)

        async def ask(chunk: tuple[Page, ...]) -> Answer | None:
            async with turns:
                reply = await ask_values(chunk, schema=self.schema, model=self.model, task=task, own=self.own, only=only)
            self.calls += reply.calls
            return reply.output if only is not None and reply.outcome != "ok" else reply.value()

        asked = zip(chunks, await asyncio.gather(*map(ask, chunks)), strict=True)
        answered = [(chunk, answer) for chunk, answer in asked if answer is not None]
        if only is None:
            self._find_next_document(answered)
            self._say_what_it_is([answer for _, answer in answered])
        return await asyncio.to_thread(self._assembled, [answer for _, answer in answered], way)

    def _assembled(self, answers: Sequence[Answer], way: Way) -> Draft:
        if self._ground is None:
            layer = self.document.layer
            self._ground = Ground(layer, () if layer else texts_of(self.pages), filled_of(self.document, self.pages))
        ours = [
            answer.model_copy(update={"values": [each for each in answer.values if self._is_ours(each.page)]})
            for answer in answers
        ]
        numbers = [page.number for page in self.pages]
        draft = assembled(ours, schema=self.schema, ground=self._ground, numbers=numbers, way=way, locale=self._locale)
        self._locale = draft.locale
        if draft.cut:
            self.notes.append("There is more in it than is taken out of one document: the last rows are left out.")
        return draft

    def _is_ours(self, page: int | None) -> bool:
        """Whether a page belongs to the document that is read, which is the first one in the file."""
        return self._next_begins is None or page is None or page < self._next_begins

    async def _closer(self) -> tuple[Page, ...]:
        return pages_of(await self.media.document(self.attachment, fine=True))

    def _find_next_document(self, answered: Sequence[tuple[tuple[Page, ...], Answer]]) -> None:
        """Note where another document begins in the same file, and say so.

        That one begins on the first page of a later question may be said because that question began there.
        """
        numbers = [page.number for page in self.pages]
        begins = sorted(
            {
                page
                for chunk, answer in answered
                for page in answer.begins
                if page in numbers and page not in (numbers[0], chunk[0].number)
            }
        )
        if not begins:
            return
        self._next_begins = begins[0]
        said = ", ".join(map(str, [numbers[0], *begins]))
        self.notes.append(
            f"The file holds {len(begins) + 1} documents, which begin on pages {said}. Only the first was read: send the"
            " others in files of their own."
        )

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
    fields, rows, notes = from_e_invoice(document.e_invoice, document.layer)
    return replace(draft, fields={**draft.fields, **fields}, rows={**draft.rows, **rows}), notes


def _from_e_invoice_alone(invoice: EInvoice, document: Document) -> Extraction:
    fields, rows, notes = from_e_invoice(invoice, document.layer)
    draft = Draft(looks_like=INVOICE, fields=fields, rows=rows)
    return _finished(draft, schema=shipped(INVOICE), document=document, notes=notes)


def _finished(draft: Draft, *, schema: Schema, document: Document, notes: Sequence[str] = ()) -> Extraction:
    """Return the extraction with everything checked and graded."""
    if not draft.fields and not draft.rows:
        notes = (*notes, NOTHING)
    if any(fact.kind == "hidden_text" for fact in document.intake.facts):
        notes = (*notes, HIDDEN)
    layer = document.layer
    extraction = Extraction(
        schema_name=schema.name,
        schema_version=schema.version,
        looks_like=draft.looks_like,
        country=draft.country,
        fields=dict(draft.fields),
        rows=dict(draft.rows),
        notes=tuple(dict.fromkeys(notes)),
        pages=layer.pages_total if layer else 0,
        pages_read=len(layer.pages) if layer else 0,
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


def _engine(calls: Sequence[Call]) -> str:
    name = calls[-1].model if calls else "none"
    return UNDERSTUDY if name.startswith(UNDERSTUDY) else name
