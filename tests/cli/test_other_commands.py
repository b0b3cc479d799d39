"""Versions, help, faults, the database, and what a terminal shows."""

import io
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.text import Text

from bot.cli import printing
from bot.cli.ends import End
from bot.cli.looking import Input, Seen
from tests.cli.conftest import Flashbulb
from tests.fakes import TAGS

VERDICT = {
    "file": None,
    "verdict": "act",
    "action": "remove",
    "reasons": ["Hate: severe, 95% sure."],
    "findings": [
        {
            "category": "hate",
            "kind": "slur",
            "severity": 3,
            "confidence": 0.95,
            "evidence": "[red]not markup[/red]",
            "place": "text:0",
        }
    ],
    "coverage": {"judged": 1, "total": 1},
    "policy": "abc",
}
MADE_BY = {"engine": "understudy", "elapsed_ms": 12}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_version_is_that_of_the_package(flashbulb: Flashbulb) -> None:
    ran = flashbulb("--version")

    assert (ran.code, ran.out) == (0, f"flashbulb {version('flashbulb')}\n")


def test_without_a_command_the_help_is_shown(flashbulb: Flashbulb) -> None:
    ran = flashbulb()

    assert "moderate" in ran.out + ran.err
    assert ran.code == 2


def test_every_fault_is_listed_with_what_it_does(flashbulb: Flashbulb) -> None:
    ran = flashbulb("emulate", "--list-faults")

    assert ran.code == 0
    for name in ("http-500", "slack:ratelimited", "discord:", "modelslab:reset_after_accept"):
        assert any(line.startswith(name) and len(line.split()) > 2 for line in ran.out.splitlines()), name


def test_upgrade_makes_the_tables_once(flashbulb: Flashbulb) -> None:
    first, second = flashbulb("db", "upgrade"), flashbulb("db", "upgrade")

    assert first.out.startswith("Upgraded by ")
    assert (second.code, second.out) == (0, "The tables are up to date.\n")
    assert Path("data/records.db").exists()


@pytest.mark.parametrize(
    ("show", "document", "shown"),
    [
        pytest.param(printing.show_tags, {"file": "cat.jpg", **TAGS}, ("A grey cat on a sofa.", "sharpness good"), id="tags"),
        pytest.param(printing.show_verdict, VERDICT, ("act: remove", "hate (slur)", "[red]not markup[/red]"), id="verdict"),
    ],
)
def test_a_terminal_gets_a_panel_of_eighty_columns(monkeypatch: pytest.MonkeyPatch, show, document, shown) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    seen = Seen(input=Input(given="cat.jpg", path=Path("cat.jpg")), document={**document, **MADE_BY}, end=End.DONE)

    show(seen)

    text = Text.from_ansi(terminal.getvalue()).plain
    assert all(words in text for words in ("╭", "cat.jpg", "understudy: no model, 12 ms", *shown))
    assert max(map(len, text.splitlines())) <= 80
