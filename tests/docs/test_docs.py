"""What the documentation names must exist: commands, targets, settings, files, test strings."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from bot.cli import app
from bot.settings import Settings
from handlers.commands import COMMANDS
from pipelines.moderation.report import Category

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TEXTS = [pytest.param(page.read_text("utf-8"), id=page.name) for page in PAGES]
SETTING = re.compile(r"\b(?:FLASHBULB|SLACK|DISCORD|GEMINI|GOOGLE|OPENAI|ANTHROPIC|MODELSLAB)_[A-Z_]+\b")
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def command_names() -> set[str]:
    root = get_command(app)
    names = set(root.commands)  # type: ignore[attr-defined]
    return names | {f"{name} {sub}" for name, group in root.commands.items() for sub in getattr(group, "commands", {})}  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", TEXTS)
def test_every_command_line_named_in_code_exists(text: str) -> None:
    named = re.findall(r"(?:^|[` ]|bin/)flashbulb ((?:[a-z]+ )?[a-z]+)\b", "\n".join(code_of(text)), re.MULTILINE)

    known = command_names()
    assert [name for name in named if name not in known and name.split()[0] not in known] == []


@pytest.mark.parametrize("text", TEXTS)
def test_every_make_target_named_exists(text: str) -> None:
    named = re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_of(text)))

    assert set(named) <= TARGETS


@pytest.mark.parametrize("text", [*TEXTS, pytest.param((ROOT / ".env.example").read_text("utf-8"), id=".env.example")])
def test_every_setting_named_exists(text: str) -> None:
    known = {name.upper() for name in Settings.model_fields}

    assert set(SETTING.findall(text.replace("FLASHBULB_*", ""))) <= known


def test_every_setting_stands_in_the_example_and_in_the_manual() -> None:
    example, manual = (ROOT / ".env.example").read_text("utf-8"), (ROOT / "docs/operating.md").read_text("utf-8")

    for name in Settings.model_fields:
        assert name.upper() in example, f"{name.upper()} is missing in .env.example"
        assert name.upper() in manual, f"{name.upper()} is missing in docs/operating.md"


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("text", TEXTS)
def test_every_slash_command_named_in_code_exists(text: str) -> None:
    named = re.findall(r"(?<![\w./])/([a-z]+)\b(?![/.\w])", "\n".join(re.findall(r"`(/[^`]*)`", text)))

    assert set(named) <= {command.name for command in COMMANDS} | {"healthz", "readyz", "metrics"}


def test_every_published_test_string_names_a_category() -> None:
    named = re.findall(r"FLASHBULB-TEST-([A-Z_]+)-S\d", "\n".join(page.read_text("utf-8") for page in PAGES))

    assert {name.lower() for name in named} <= {category.value for category in Category}


def code_of(text: str) -> list[str]:
    """Return what stands in code blocks and code spans."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))]
