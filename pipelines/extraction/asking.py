"""The questions about a document, and what of an answer can be used."""

from collections.abc import Callable, Collection, Sequence

from pydantic import BaseModel

from pipelines.content import Part
from pipelines.extraction.answer import Answer
from pipelines.extraction.pages import Page
from pipelines.extraction.schema import SHIPPED, Group, Schema, SchemaField, shipped
from pipelines.ports import LanguageModel, Question, Reply, Task
from pipelines.questions import fresh_nonce, prompt

NO_DOCUMENT = "none"


class Kind(BaseModel):
    """What a model takes a document for."""

    nonce: str
    kind: str


async def ask_kind(pages: Sequence[Page], *, model: LanguageModel, own: Sequence[Schema]) -> Reply[Kind]:
    """Ask what kind of document this is: the name of a shipped schema or of one of `own`, or `none`."""
    nonce = fresh_nonce()
    known = {each.name: each for each in (*(shipped(name) for name in SHIPPED), *own)}
    kinds = "\n".join(f"- `{name}`: {_line(each.title)}. {_line(each.says)}" for name, each in known.items())

    def check(kind: Kind) -> str | None:
        return _wrong_nonce(kind.nonce, nonce) or (
            None if kind.kind in (*known, NO_DOCUMENT) else f"kind must be one of {', '.join((*known, NO_DOCUMENT))}."
        )

    instructions = prompt("extraction_kind", nonce=nonce, kinds=kinds).text
    return await model.ask(
        Question(task="extraction", instructions=instructions, parts=_parts(pages[:2]), shape=Kind, nonce=nonce, check=check)
    )


async def ask_values(
    pages: Sequence[Page],
    *,
    schema: Schema,
    model: LanguageModel,
    task: Task,
    own: Sequence[Schema] = (),
    only: Collection[str] | None = None,
) -> Reply[Answer]:
    """Ask for the values of `schema` on these pages; `only` for the fields and groups of these names."""
    nonce = fresh_nonce()
    fields = "\n".join(_described(schema, only))
    kinds = ", ".join(f"`{name}`" for name in (*SHIPPED, *(each.name for each in own), NO_DOCUMENT))
    instructions = prompt(
        "extraction", nonce=nonce, kinds=kinds, title=_line(schema.title), says=_line(schema.says), fields=fields
    ).text
    return await model.ask(
        Question(
            task=task,
            instructions=instructions,
            parts=_parts(pages),
            shape=Answer,
            nonce=nonce,
            check=_checking(schema, nonce),
        )
    )


def _checking(schema: Schema, nonce: str) -> Callable[[Answer], str | None]:
    def check(answer: Answer) -> str | None:
        known = [said for said in answer.values if schema.field(said.field)]
        if answer.values and not known:
            return f"field must be one of: {', '.join(schema.paths())}."
        return _wrong_nonce(answer.nonce, nonce)

    return check


def _wrong_nonce(said: str, nonce: str) -> str | None:
    return None if said == nonce else f"nonce must be exactly {nonce}."


def _described(schema: Schema, only: Collection[str] | None) -> list[str]:
    def wanted(name: str) -> bool:
        return only is None or name in only

    lines = [f"- {_field(each, each.name)}" for each in schema.fields if wanted(each.name)]
    for group in schema.groups:
        if wanted(group.name):
            lines += [
                f"- `{group.name}` is a group of rows: {_line(group.title)}. {_line(group.says)}".rstrip(),
                *_columns(group),
            ]
    return lines


def _columns(group: Group) -> list[str]:
    if group.free:
        return [f"  - `{group.name}.` and the heading of the column"]
    return [f"  - {_field(each, f'{group.name}.{each.name}')}" for each in group.fields]


def _field(field: SchemaField, path: str) -> str:
    options = f" (one of: {', '.join(map(_line, field.options))})" if field.options else ""
    return f"`{path}` ({field.type}): {_line(field.title)}{options}. {_line(field.says)}".rstrip()


def _line(text: str) -> str:
    """Return a text of a schema on one line: a workspace's own, written by its moderators, stays one entry of the list."""
    return " ".join(text.replace("`", "'").split()).rstrip(".")


def _parts(pages: Sequence[Page]) -> tuple[Part, ...]:
    return tuple(part for page in pages for part in page.parts)
