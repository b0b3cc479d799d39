"""Schemas of a workspace's own: made in a form, read as YAML, used by their names."""

import pytest

from handlers.answers import Listing, Notice
from handlers.dispatch import Planner
from handlers.effects import Notify
from handlers.events import CommandUsed, FormSubmitted, Person
from handlers.schemas import OWN_MAX, read
from pipelines.errors import UserError
from pipelines.extraction.schema import Group, Schema, SchemaField, parse, shipped_text, written
from tests.fakes import ADA, GENERAL, MO, Known

LINES = """number*
Delivered on: date - When the goods came
weight: number

condition: choice (good, damaged)
articles.Name
articles.pieces*: number — How many of them"""


def values(fields: str = LINES, *, name: str = "Delivery note", title: str = "Delivery note", says: str = "") -> dict[str, str]:
    return {"name": name, "title": title, "says": says, "fields": fields}


def submitted(fields: str = LINES, *, author: Person = MO, key: str = "test:f1", name: str = "delivery") -> FormSubmitted:
    return FormSubmitted(key=key, place=GENERAL, author=author, form="schema", values=values(fields, name=name))


def a_command(command: str, argument: str, author: Person = MO) -> CommandUsed:
    return CommandUsed(key="test:c1", place=GENERAL, author=author, command=command, argument=argument)


async def said(known: Known, event: CommandUsed | FormSubmitted) -> Notice | Listing:
    [notify] = (await Planner(known.services).plan(event)).effects
    assert isinstance(notify, Notify)
    assert isinstance(notify.answer, Notice | Listing)
    return notify.answer


def test_lines_become_fields_and_those_of_a_table_its_columns() -> None:
    schema = read(values(says=" A paper that goes with goods. "))

    assert schema == Schema(
        name="delivery_note",
        title="Delivery note",
        says="A paper that goes with goods.",
        fields=(
            SchemaField(name="number", title="Number", required=True),
            SchemaField(name="delivered_on", title="Delivered on", type="date", says="When the goods came"),
            SchemaField(name="weight", title="Weight", type="number"),
            SchemaField(name="condition", title="Condition", type="choice", options=("good", "damaged")),
        ),
        groups=(
            Group(
                name="articles",
                title="Articles",
                fields=(
                    SchemaField(name="name", title="Name"),
                    SchemaField(name="pieces", title="Pieces", type="number", required=True, says="How many of them"),
                ),
            ),
        ),
    )
    assert parse(written(schema), source="it") == schema


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param("number\ntotal: amout", "Line 2: there is no such type. Did you mean amount", id="type"),
        pytest.param("number\n\n: date", "Line 3 cannot be read", id="no-name"),
        pytest.param("1st: date", "Line 1: a name begins with a letter", id="name"),
        pytest.param("kind: choice", "Line 1: values in brackets", id="choice-without-values"),
        pytest.param("kind: text (a, b)", "Line 1: values in brackets", id="values-without-choice"),
        pytest.param("number\nnumber", "A name stands here twice", id="twice"),
        pytest.param("", "There is nothing to look for", id="nothing"),
        pytest.param("\n".join(f"f{at}" for at in range(61)), "more than 60 fields", id="too-many"),
        pytest.param("a.b.c: text", "Line 1 cannot be read", id="too-deep"),
        pytest.param(f"a: text - {'x' * 500}", "too long", id="long-description"),
    ],
)
def test_what_is_wrong_is_told_by_its_line_without_quoting_it(fields: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as refusal:
        read(values(fields))

    assert "amout" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "title", "why"),
    [
        pytest.param("invoice", "Mine", "is taken", id="shipped"),
        pytest.param("New", "Mine", "is taken", id="a-word-of-the-command"),
        pytest.param("none", "Mine", "is taken", id="what-a-model-says-of-no-document"),
        pytest.param("Extract", "Mine", "is taken", id="a-word-that-a-mention-is-looked-through-for"),
        pytest.param("as", "Mine", "is taken", id="another-such-word"),
        pytest.param("", "Mine", "begins with a letter", id="no-name"),
        pytest.param("lieferung!", "Mine", "begins with a letter", id="other-characters"),
        pytest.param("mine", " ", "Give it a title", id="no-title"),
    ],
)
def test_a_name_and_a_title_are_needed(name: str, title: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read(values(name=name, title=title))


@pytest.mark.parametrize(
    ("line", "group", "name", "title"),
    [
        pytest.param("No. of boxes: number", "", "no_of_boxes", "No. of boxes", id="before-a-blank"),
        pytest.param("article no.*: number", "", "article_no", "Article no.", id="at-the-end"),
        pytest.param("Pos. no.article no.: number", "pos_no", "article_no", "Article no.", id="in-both-names-of-a-table"),
        pytest.param("items.price: number", "items", "price", "Price", id="between-a-table-and-its-column"),
        pytest.param("remarks - as in form.2 and others", "", "remarks", "Remarks", id="in-what-it-says"),
    ],
)
def test_a_dot_names_a_table_only_where_a_name_follows_at_once(line: str, group: str, name: str, title: str) -> None:
    schema = read(values(line))

    [field] = schema.groups[0].fields if group else schema.fields
    assert [each.name for each in schema.groups] == ([group] if group else [])
    assert (field.name, field.title) == (name, title)


async def test_saving_says_how_to_use_it_and_counts_versions() -> None:
    known = Known()

    first = await said(known, submitted())
    second = await said(known, submitted("number", key="test:f2"))

    assert isinstance(first, Notice)
    assert isinstance(second, Notice)
    assert "version 1. Write /extract delivery to use it" in first.text
    assert "version 2" in second.text
    assert known.schemas.schemas["delivery"].paths() is not None


async def test_only_moderators_make_and_read_schemas() -> None:
    known = Known()

    for event in (submitted(author=ADA), a_command("flashbulb", "schema show invoice", ADA)):
        answer = await said(known, event)
        assert isinstance(answer, Notice)
        assert "Only moderators" in answer.text
    assert known.schemas.schemas == {}


async def test_a_workspace_has_only_so_many_but_may_always_change_one() -> None:
    known = Known()
    field = SchemaField(name="number", title="Number")
    known.schemas.schemas = {f"s{at}": Schema(name=f"s{at}", title="One", fields=(field,)) for at in range(OWN_MAX)}

    refused, changed = await said(known, submitted()), await said(known, submitted(name="s0"))

    assert isinstance(refused, Notice)
    assert isinstance(changed, Notice)
    assert f"There are {OWN_MAX} schemas already" in refused.text
    assert "Saved as version 2" in changed.text


@pytest.mark.parametrize(("author", "opens"), [(ADA, False), (MO, True)])
async def test_the_form_opens_for_moderators(author: Person, opens: bool) -> None:
    known = Known()
    event = a_command("extract", "new", author)

    form = await known.form(event)

    assert (form is not None) is opens


async def test_schemas_are_shown_as_they_are_written() -> None:
    known = Known()
    await said(known, submitted())

    listed = await said(known, a_command("flashbulb", "schema"))
    shipped, own = [await said(known, a_command("flashbulb", f"schema show {name}")) for name in ("invoice", "Delivery")]

    assert isinstance(listed, Listing)
    assert isinstance(shipped, Listing)
    assert isinstance(own, Listing)
    assert "delivery  Delivery note, version 1" in listed.body
    assert shipped.body == shipped_text("invoice")
    assert parse(own.body, source="it") == known.schemas.schemas["delivery"]
    assert own.file_name == "delivery.yaml"


@pytest.mark.parametrize(("argument", "why"), [("schema show letter", "no schema of that name"), ("schema x", "show NAME")])
async def test_what_is_not_there_is_told(argument: str, why: str) -> None:
    answer = await said(Known(), a_command("flashbulb", argument))

    assert isinstance(answer, Notice)
    assert why in answer.text
