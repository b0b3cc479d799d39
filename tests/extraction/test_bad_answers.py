"""Answers that are not what was asked for, over the wire: asked for again once, then given up; what is only odd is used."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from emulators.gemini import ModelEmulator
from emulators.wire import Asked
from pipelines.errors import BadAnswer
from pipelines.extraction.extract import extract
from pipelines.extraction.schema import shipped
from pipelines.extraction.values import Extraction
from pipelines.models import Models, Profiles
from tests.extraction.papers import A_FILE, INVOICE, RIGHT, Desk, a_document
from tests.models.asking import FLASH, accounts


async def over_the_wire(answers: Callable[[Asked], str]) -> tuple[Extraction, int]:
    """Extract the made invoice with the real client; return what was found, and how many questions that took."""
    async with ModelEmulator(answers) as emulator:
        profile = {"models": [FLASH], "read_s": 2.0, "request_s": 3.0, "total_s": 10.0}
        profiles = Profiles.model_validate(dict.fromkeys(("extraction", "second_look", "third_look"), profile))
        async with Models(accounts(gemini=emulator), profiles=profiles, allow_understudy=False) as models:
            _, found = await extract(A_FILE, media=Desk(a_document(INVOICE)), model=models, schema=shipped("invoice"))
            return found, len(emulator.requests)


def as_json(asked: Asked, **changes: Any) -> str:
    """Return the right answer to a question, with these things different in each value."""
    instructions = asked.instructions + "\n".join(part for part in asked.parts if isinstance(part, str))
    nonce = re.search(r'nonce="([0-9a-f]+)"', instructions)
    assert nonce is not None
    values = [
        {"field": name, "row": row, "raw": raw, "quote": quote, "page": 1, "box": [], **changes}
        for name, row, raw, quote in RIGHT
        if f"`{name.partition('.')[0]}" in instructions
    ]
    return json.dumps({"nonce": nonce[1], "looks_like": "invoice", "country": "DE", "begins": [1], "values": values})


async def test_a_right_answer_comes_through_as_it_is() -> None:
    found, asked = await over_the_wire(as_json)

    assert (asked, found.doubtful, found.fields["gross_total"].value) == (1, (), "529.87")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda _: "The invoice number is 471102.", id="text-instead-of-json"),
        pytest.param(lambda _: "", id="nothing"),
        pytest.param(lambda _: "[]", id="a-list"),
        pytest.param(lambda asked: as_json(asked)[:-40], id="cut-short"),
        pytest.param(lambda asked: as_json(asked, page="the first"), id="a-page-in-words"),
        pytest.param(lambda asked: as_json(asked, row="x"), id="a-row-in-words"),
        pytest.param(lambda asked: as_json(asked, box="top left"), id="a-box-in-words"),
        pytest.param(lambda asked: as_json(asked, raw=None), id="no-raw"),
        pytest.param(lambda asked: as_json(asked, field="colour"), id="nothing-but-fields-of-no-schema"),
        pytest.param(lambda asked: as_json(asked).replace('"nonce": "', '"nonce": "0'), id="another-nonce"),
    ],
)
async def test_an_answer_of_another_shape_is_asked_for_again_and_then_given_up(wrong: Callable[[Asked], str]) -> None:
    answers = iter([wrong, as_json])

    found, asked = await over_the_wire(lambda question: next(answers)(question))

    assert (asked, found.fields["gross_total"].value) == (2, "529.87")
    with pytest.raises(BadAnswer):
        await over_the_wire(wrong)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"page": "1"}, id="a-page-as-a-string"),
        pytest.param({"box": [1, 2, 3]}, id="a-box-of-three-numbers"),
        pytest.param({"page": 99}, id="a-page-that-is-not-there"),
        pytest.param({"colour": "red"}, id="more-than-was-asked-for"),
    ],
)
async def test_an_answer_that_is_odd_beside_the_values_is_used(changes: dict[str, Any]) -> None:
    found, asked = await over_the_wire(lambda question: as_json(question, **changes))

    gross = found.fields["gross_total"]
    assert (asked, gross.value, gross.page, gross.grounded) == (1, "529.87", 1, True)
