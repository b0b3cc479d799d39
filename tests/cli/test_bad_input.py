"""Whatever is wrong is said in one sentence that names it and what to do, with an exit code and without a traceback."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.storage.folder import held
from tests.cli.conftest import Flashbulb

BAD_POLICY = "version: 1\ngates: {}\nactoins: {}\n"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        pytest.param(["run"], {"FLASHBULB_PROT": "1"}, "There is no setting FLASHBULB_PROT", id="unknown-setting"),
        pytest.param(["tag", "a.png"], {"FLASHBULB_PORT": "x"}, "FLASHBULB_PORT must be a number", id="malformed-number"),
        pytest.param(["run"], {"GEMINI_API_KEY": "'AIza'"}, "GEMINI_API_KEY is in quotes", id="key-in-quotes"),
        pytest.param(["run"], {"FLASHBULB_SECRET_KEY": "short"}, "FLASHBULB_SECRET_KEY is not a key", id="secret-key"),
        pytest.param(
            ["run"], {"FLASHBULB_DATABASE_URL": "mysql://x/y"}, "FLASHBULB_DATABASE_URL is not", id="database-address"
        ),
        pytest.param(
            ["db", "upgrade"], {"FLASHBULB_DATABASE_URL": "mysql://x/y"}, "FLASHBULB_DATABASE_URL is not", id="upgrade"
        ),
        pytest.param(["run"], {"FLASHBULB_HOST": "0.0.0.0"}, "FLASHBULB_URL must say", id="open-to-others"),
        pytest.param(["run"], {"FLASHBULB_CONFIG": "gone.toml"}, "FLASHBULB_CONFIG names gone.toml", id="config-missing"),
        pytest.param(["run"], {"FLASHBULB_DATA": "/dev/null/x"}, "Set FLASHBULB_DATA to", id="data-folder"),
        pytest.param(
            ["moderate", "hi", "--policy", "gone.yaml"],
            {},
            "There is no file gone.yaml, and no preset of that name",
            id="policy-missing",
        ),
        pytest.param(["emulate", "--fault", "gremlins"], {}, "There is no fault gremlins", id="unknown-fault"),
        pytest.param(
            ["moderate", "hi"],
            {"GEMINI_BASE_URL": "", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"},
            "Set GEMINI_API_KEY",
            id="understudy-beside-real",
        ),
        pytest.param(
            ["moderate", "hi"],
            {"GEMINI_BASE_URL": "", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
            '[models.moderation] models = ["local:ID"]',
            id="local-server-without-a-model",
        ),
        pytest.param(["moderate", ""], {}, "This is empty. Name a file, or give a text.", id="empty-text"),
        pytest.param(["tag", ""], {}, "This is empty.", id="empty-name"),
        pytest.param(["tga"], {}, "No such command 'tga'", id="unknown-command"),
        pytest.param(["run", "--loud"], {}, "No such option", id="unknown-option"),
    ],
)
def test_wrong_settings_and_options_end_with_two(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], says: str
) -> None:
    for name, value in {"FLASHBULB_PORT": "0", **environment}.items():
        monkeypatch.setenv(name, value)

    ran = flashbulb(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_a_real_platform_without_a_model_does_not_start(flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_BASE_URL")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-123-abc")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A-1-abc")

    ran = flashbulb("run")

    assert ran.code == 2
    assert "never judges a real community. Set GEMINI_API_KEY" in ran.err
    assert "xoxb" not in ran.err


@pytest.mark.parametrize("arguments", [["run"], ["moderate", "hi"]])
def test_a_policy_with_a_typo_is_named_by_file_and_key(flashbulb: Flashbulb, arguments: list[str]) -> None:
    Path("data").mkdir()
    Path("data/policy.yaml").write_text(BAD_POLICY)

    ran = flashbulb(*arguments)

    assert ran.code == 2
    assert "data/policy.yaml, line 3: actoins: there is no such key." in ran.err


def test_a_port_in_use_is_named(flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    monkeypatch.setenv("FLASHBULB_PORT", str(taken_port))

    ran = flashbulb("run")

    assert ran.code == 2
    assert f"Port {taken_port} is taken" in ran.err


def test_emulate_names_a_port_in_use(flashbulb: Flashbulb, taken_port: int) -> None:
    ran = flashbulb("emulate", "--port", str(taken_port))

    assert ran.code == 2
    assert f"Port {taken_port} cannot be used" in ran.err


@pytest.mark.parametrize("arguments", [["run"], ["db", "upgrade"]])
def test_a_data_folder_that_another_process_holds_is_named(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("FLASHBULB_PORT", "0")

    with held(Path("data")):
        ran = flashbulb(*arguments)

    assert ran.code == 2
    assert "The data folder data is in use by another Flashbulb" in ran.err


def test_a_database_of_a_newer_version_is_refused(flashbulb: Flashbulb) -> None:
    first = flashbulb("db", "upgrade")
    with closing(sqlite3.connect("data/records.db")) as records, records:
        records.execute("UPDATE alembic_version SET version_num = 'of-tomorrow'")

    ran = flashbulb("db", "upgrade")

    assert first.code == 0
    assert ran.code == 2
    assert "written by a newer Flashbulb" in ran.err


def test_a_file_in_the_place_of_the_files_folder_is_named(flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASHBULB_PORT", "0")
    Path("data").mkdir(mode=0o700)
    Path("data/files").touch()

    ran = flashbulb("run")

    assert ran.code == 2
    assert "The folder data/files cannot be used (something else is in its place)" in ran.err


def test_a_folder_in_the_place_of_the_records_is_named(flashbulb: Flashbulb) -> None:
    Path("data/records.db").mkdir(parents=True, mode=0o700)

    ran = flashbulb("db", "upgrade")

    assert ran.code == 3
    assert "The database data/records.db cannot be opened" in ran.err


def test_a_file_that_is_no_database_is_refused(flashbulb: Flashbulb) -> None:
    Path("data").mkdir(mode=0o700)
    Path("data/records.db").write_bytes(b"x" * 4096)

    ran = flashbulb("db", "upgrade")

    assert ran.code == 2
    assert "records.db is not a database" in ran.err
