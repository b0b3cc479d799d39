"""The table of what people try names tests that exist."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.adversarial.rows import LATER, ROWS

ROOT = Path(__file__).parents[2]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_proved_by_tests_that_exist(row: str) -> None:
    assert ROWS[row]
    assert row not in LATER
    for node in ROWS[row]:
        file, _, name = node.partition("::")
        assert name.startswith("test_")
        assert name in names_in(file), node
