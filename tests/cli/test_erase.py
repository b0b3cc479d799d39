"""`flashbulb db erase`: says what there is, asks, deletes one person of one workspace."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import app
from bot.storage.cases import StoredCases
from bot.storage.database import open_records
from bot.storage.folder import held
from bot.storage.seal import load_seal
from pipelines.moderation.policy import Action
from tests.cli.conftest import Flashbulb
from tests.fakes import GENERAL, a_message
from tests.storage.test_erasing import VERDICT

OURS, THEIRS = ("--workspace", "test:w1"), ("--workspace", "test:w2")
DATA = Path("data")


@pytest.fixture
def known(flashbulb: Flashbulb) -> Flashbulb:
    """Return the command line in a folder in which Ada has a case in two workspaces."""

    async def write() -> None:
        seal = load_seal(DATA, None)
        async with open_records(DATA, None, seal=seal) as records:
            for workspace in ("w1", "w2"):
                event = a_message().model_copy(update={"place": GENERAL.model_copy(update={"workspace": workspace})})
                await StoredCases(records, seal).open(event, VERDICT, action=Action.HOLD, shadow=False)

    asyncio.run(write())
    return flashbulb


def test_a_person_is_deleted_and_the_audit_still_verifies(known: Flashbulb) -> None:
    ran = known("db", "erase", "ada", *OURS, "--yes")

    assert ran.code == 0
    assert "       1  cases about what they wrote, which counted as strikes\n" in ran.out
    assert "       1  links of the audit, from which their id goes\n" in ran.out
    assert "copies" not in ran.out
    assert "Deleted." in ran.out
    again = known("db", "erase", "ada", *OURS, "--yes")
    assert (again.code, "Nothing is kept about ada in test:w1" in again.err) == (2, True)
    [ours, theirs] = known("audit", "verify", "--json").documents
    assert (ours["links"], ours["erased"], ours["broken"]) == (2, 1, None)
    assert (theirs["links"], theirs["erased"], theirs["broken"]) == (1, 0, None)
    assert known("db", "erase", "ada", *THEIRS, "--yes").code == 0


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, 0), ("\n", 1, 0), ("y\n", 0, 1)])
def test_nothing_is_deleted_before_somebody_says_yes(known: Flashbulb, answer: str, code: int, left: int) -> None:
    ran = CliRunner().invoke(app, ("db", "erase", "ada", *OURS), input=answer)

    assert ran.exit_code == code
    assert "Delete all of this for good?" in ran.stdout
    [ours, _] = known("audit", "verify", "--json").documents
    assert ours["erased"] == left


def test_while_the_bot_runs_nobody_is_deleted(known: Flashbulb) -> None:
    with held(DATA):
        ran = known("db", "erase", "ada", *OURS, "--yes")

    assert (ran.code, ran.out) == (2, "")
    assert "in use by another Flashbulb" in ran.err
