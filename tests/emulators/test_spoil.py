"""Faults find what they spoil by the schema as pydantic writes it: references, alternatives, fractions without a point."""

import json
from enum import StrEnum

import pytest
from pydantic import BaseModel

from emulators import spoil
from emulators.fault_kinds import Spoilt
from emulators.faults import FAULTS


class Colour(StrEnum):
    RED = "red"


class Patch(BaseModel):
    colour: Colour | None
    share: float | None
    count: int


class Picture(BaseModel):
    title: str
    patches: list[Patch]


SCHEMA = Picture.model_json_schema()
ANSWER = '{"title": "red", "patches": [{"colour": "red", "share": 1, "count": 3}]}'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("unknown-choice", {"colour": "unheard-of", "share": 1, "count": 3}, id="enum-behind-a-reference"),
        pytest.param("out-of-range", {"colour": "red", "share": 1.7, "count": 3}, id="fraction-that-is-whole"),
        pytest.param("nothing-found", {"colour": "red", "share": 0, "count": 0}, id="whole-numbers"),
        pytest.param("field-missing", {"share": 1, "count": 3}, id="first-field-of-the-inner-object"),
    ],
)
def test_the_schema_says_what_can_be_spoilt(name: str, expected: dict[str, object]) -> None:
    fault = FAULTS[name]
    assert isinstance(fault, Spoilt)

    spoilt = json.loads(fault.spoil(ANSWER, SCHEMA))

    assert spoilt == {"title": "red", "patches": [expected]}


def test_without_a_schema_a_fraction_is_what_looks_like_one() -> None:
    out_of_range = spoil.replaced(spoil.is_fraction, 1.7, what="fractional number")

    assert json.loads(out_of_range('{"count": 3, "share": 0.5}', {})) == {"count": 3, "share": 1.7}
