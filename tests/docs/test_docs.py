"""What the documentation names must exist: commands, targets, settings, files, test strings."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

from bot.cli.commands import app
from bot.cli.ends import INTERRUPTED, End
from bot.config_file import Config
from bot.doctor import FORMATS, examine
from bot.durable import ENGINE_FILE
from bot.settings import Settings
from bot.storage.database import RECORDS_FILE
from bot.storage.folder import LOCK_FILE
from bot.storage.seal import KEY_FILE
from handlers.commands import COMMANDS
from pipelines.content import FactKind
from pipelines.moderation.report import Category

ROOT = Path(__file__).parents[2]
POLICY = (ROOT / "docs/policy.md").read_text("utf-8")
NOTES = {"embedded_file", "external_reference", "e_invoice", "script", "motion_photo", "second_picture"}  # are no findings
MANUAL = (ROOT / "docs/operating.md").read_text("utf-8")
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


@pytest.mark.parametrize("example", re.findall(r"^```toml\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL))
def test_every_example_of_the_configuration_is_taken(example: str) -> None:
    config = Config.model_validate(tomllib.loads(example, parse_float=Decimal))

    assert config != Config()


def test_the_manual_gives_the_defaults_that_hold() -> None:
    for name, field in Settings.model_fields.items():
        if field.default is not None and name not in {"flashbulb_port", "google_cloud_location"}:
            assert re.search(rf"`{name.upper()}`.*`{field.default}`", MANUAL), name


def test_the_manual_names_every_file_of_the_data_folder() -> None:
    rows = re.findall(r"^\| (`.*?) \|", MANUAL[MANUAL.index("## Data") :], re.MULTILINE)

    named = set(re.findall(r"`([^`]+)`", " ".join(rows)))

    assert {RECORDS_FILE, ENGINE_FILE, KEY_FILE, LOCK_FILE, "files/", "policy.yaml", "flashbulb.toml"} <= named


async def test_the_manual_names_every_check_of_the_doctor_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    section = MANUAL[MANUAL.index("## Doctor") : MANUAL.index("## Health")]
    named = re.findall(r"`([a-z ]+)`", " ".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE)))

    made = [check.name async for check in examine(lambda: Settings(_env_file=None, gemini_api_key=None))]

    assert named == made
    assert set(map(str.lower, FORMATS)) <= set(named)


def test_the_manual_says_every_exit_code() -> None:
    section = MANUAL[MANUAL.index("Each command ends with") : MANUAL.index("## Health")]

    assert {int(number) for number in re.findall(r"\b\d+\b", section)} == {*map(int, End), INTERRUPTED}


def code_of(text: str) -> list[str]:
    """Return what stands in code blocks and code spans."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))]


def test_the_policys_manual_names_every_finding_that_reading_a_file_can_be() -> None:
    section = POLICY[POLICY.index("Some findings come from reading") : POLICY.index("## What follows")]
    named = set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))))

    assert named == set(get_args(FactKind)) - NOTES
