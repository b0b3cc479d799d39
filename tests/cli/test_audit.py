"""`flashbulb audit`: the exit code and the place where a chain is broken; exports of one workspace."""

import asyncio
import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from bot.storage.audit import StoredAudit
from bot.storage.database import open_records
from bot.storage.folder import held
from bot.storage.seal import load_seal
from handlers.events import Tenant
from handlers.ports.cases import Link
from tests.cli.conftest import Flashbulb

OURS, THEIRS = ("--workspace", "discord:1"), ("--workspace", "slack:T2")
DATA = Path("data")


def record(platform: str, workspace: str, *numbers: int) -> None:
    links = [
        Link(
            key=f"e{number}!decided", kind="decided", case=f"c{number}", facts={"decision": "kept"}, subject="=ada", actor="mo"
        )
        for number in numbers
    ]

    async def write() -> None:
        seal = load_seal(DATA, None)
        async with open_records(DATA, None, seal=seal) as records:
            await StoredAudit(records, seal).record(Tenant(platform=platform, workspace=workspace), *links)

    asyncio.run(write())


@pytest.fixture
def chains(flashbulb: Flashbulb) -> Flashbulb:
    """Return the command line in a folder with the audits of two workspaces."""
    record("discord", "1", 1, 2, 3)
    record("slack", "T2", 1)
    return flashbulb


def change(statement: str) -> None:
    with sqlite3.connect(DATA / "records.db") as connection:
        connection.execute(statement)
    connection.close()


def test_what_nobody_has_touched_verifies_also_while_the_bot_runs(chains: Flashbulb) -> None:
    with held(DATA):
        ran = chains("audit", "verify")
        [ours] = chains("audit", "verify", *OURS, "--json").documents

    assert ran.code == 0
    assert ran.out.splitlines()[0] == f"discord:1: 3 links fit. Newest: {ours['head']}"
    assert ran.out.splitlines()[1].startswith("slack:T2: 1 links fit. Newest: 1:")
    assert (ours["workspace"], ours["links"], ours["erased"], ours["broken"]) == ("discord:1", 3, 0, None)


def test_one_row_changed_by_hand_is_found_and_named(chains: Flashbulb) -> None:
    change("UPDATE audit SET facts = replace(facts, 'kept', 'KEPT') WHERE workspace = '1' AND seq = 2")

    ran = chains("audit", "verify")
    both = chains("audit", "verify", "--json")

    assert ran.code == both.code == 1
    assert "discord:1: broken at link 2. Link 2 was altered. 1 links before it fit." in " ".join(ran.err.split())
    assert ran.out.startswith("slack:T2: 1 links fit.")
    assert [(each["workspace"], each["broken"]) for each in both.documents] == [("discord:1", 2), ("slack:T2", None)]
    assert chains("audit", "verify", *THEIRS).code == 0


def test_what_was_noted_is_compared(chains: Flashbulb) -> None:
    [ours] = chains("audit", "verify", *OURS, "--json").documents
    record("discord", "1", 4)

    assert chains("audit", "verify", *OURS, "--head", ours["head"]).code == 0
    other = chains("audit", "verify", *OURS, "--head", f"3:{'0' * 64}")
    assert (other.code, "Link 3 is not what was noted" in other.err) == (1, True)
    beyond = chains("audit", "verify", *OURS, "--head", f"9:{'0' * 64}")
    assert (beyond.code, "Link 5 is missing: link 9 was noted" in " ".join(beyond.err.split())) == (1, True)


def test_an_export_is_json_lines_or_csv(chains: Flashbulb) -> None:
    lines = [json.loads(line) for line in chains("audit", "export", *OURS).out.splitlines()]
    assert [(each["seq"], each["facts"]) for each in lines] == [(number, {"decision": "kept"}) for number in (1, 2, 3)]

    assert chains("audit", "export", *THEIRS, "--csv", "--out", "all.csv").code == 0
    [row] = csv.DictReader(io.StringIO(Path("all.csv").read_text()))
    assert (row["case"], row["subject"], row["actor"]) == ("c1", "'=ada", "mo")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(("verify", "--head", f"3:{'0' * 64}"), 2, "Of which workspace", id="whose-head"),
        pytest.param(("verify", *OURS, "--head", "3:xyz"), 2, "is no link", id="no-head"),
        pytest.param(("verify", "--workspace", "1"), 2, "names no workspace", id="no-workspace"),
        pytest.param(("export", *OURS, "--out", "none/all.csv"), 2, "cannot be written", id="no-folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(chains: Flashbulb, arguments: tuple[str, ...], code: int, says: str) -> None:
    ran = chains("audit", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert says in " ".join(ran.err.split())


def test_without_records_or_links_there_is_nothing_to_verify(flashbulb: Flashbulb) -> None:
    assert flashbulb("audit", "verify").code == 3
    record("discord", "1")

    ran = flashbulb("audit", "verify")

    assert (ran.code, ran.out) == (0, "No workspace has an audit yet.\n")
