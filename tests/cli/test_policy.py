"""`flashbulb policy`: what a policy says, tried without a model; the exit codes that scripts read."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage import migration
from bot.storage.database import address
from bot.storage.tables import PolicyRow, VerdictRow
from pipelines.moderation.policies import PRESETS, preset, preset_text
from tests.cli.conftest import Flashbulb

STRICTER = preset_text("default").replace("- {severity: 2, confidence: 0.7}", "- {severity: 2, confidence: 0.6}", 1)
SEEN = {"event": "slack:e1", "channel": {"platform": "slack", "name": "general"}}
HATE = {"category": "hate", "severity": 2, "confidence": 0.65}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_when_it_is_copied(flashbulb: Flashbulb, name: str) -> None:
    Path("copy.yaml").write_text(preset_text(name))

    ran = flashbulb("policy", "lint", "copy.yaml", "--json")

    assert ran.code == 0
    assert ran.documents == [
        {"file": "copy.yaml", "valid": True, "error": None, "policy": preset(name).fingerprint, "remarks": []}
    ]


def test_what_is_wrong_is_said_and_the_gravest_end_counts(flashbulb: Flashbulb) -> None:
    Path("good.yaml").write_text(preset_text("default"))
    Path("bad.yaml").write_text("version: 1\nunknwon: hold")

    ran = flashbulb("policy", "lint", "good.yaml", "bad.yaml")

    assert ran.code == 1
    assert ran.out.startswith("good.yaml: valid")
    assert (
        "bad.yaml, line 1: gates: this key is missing. line 2: unknwon: there is no such key; did you mean unknown?" in ran.err
    )
    assert flashbulb("policy", "lint", "good.yaml", "none.yaml").code == 2


def test_a_remark_is_no_error(flashbulb: Flashbulb) -> None:
    Path("mine.yaml").write_text(
        preset_text("default").replace("  tampering:\n    flag:", "  gore: {flag: []}\n  tampering:\n    flag:")
    )

    ran = flashbulb("policy", "lint", "mine.yaml")

    assert ran.code == 0
    assert "gore: a finding without a kind leads to nothing" in ran.out


def test_a_policy_is_shown_as_it_holds_in_a_channel(flashbulb: Flashbulb) -> None:
    everywhere = json.loads(flashbulb("policy", "show", "--json").out)
    adults = json.loads(flashbulb("policy", "show", "default", "--channel", "#studio", "--age-gated", "--json").out)

    assert everywhere["policy"] == adults["policy"] == preset().fingerprint
    assert (everywhere["profile"], adults["profile"]) == (None, "age_gated")
    assert everywhere["categories"]["sexual"]["allow"] == []
    assert adults["categories"]["sexual"]["allow"] == ["explicit", "nudity", "suggestive"]
    assert adults["channel"] == {"platform": "discord", "name": "studio", "age_gated": True}


def test_for_a_pipe_a_policy_is_plain_lines(flashbulb: Flashbulb) -> None:
    ran = flashbulb("policy", "show", "gaming", "--channel", "support-1")

    assert ran.code == 0
    assert "Profile: support" in ran.out
    assert "child_safety: remove at severity 2, confidence 0.5\n" in ran.out
    assert "allows distress; words of help" in ran.out


def test_the_policy_that_holds_is_the_one_in_the_data_folder(flashbulb: Flashbulb) -> None:
    Path("data").mkdir()
    Path("data/policy.yaml").write_text(STRICTER)

    assert json.loads(flashbulb("policy", "show", "--json").out)["policy"] != preset().fingerprint


def test_cases_that_end_otherwise_are_named(flashbulb: Flashbulb) -> None:
    cases = "cases:\n- {findings: [{category: hate, severity: 2, confidence: 0.65}], expect: flag, says: unsure}\n"
    Path("cases.yaml").write_text(cases)
    Path("stricter.yaml").write_text(STRICTER)

    passed = flashbulb("policy", "test", "cases.yaml")
    failed = flashbulb("policy", "test", "cases.yaml", "--policy", "stricter.yaml")

    assert (passed.code, failed.code) == (0, 1)
    assert "Case 1 (unsure): flag expected, hold it is. Hate: moderate, 65% sure." in failed.err
    (document,) = flashbulb("policy", "test", "cases.yaml", "--policy", "stricter.yaml", "--json").documents
    assert (document["passed"], document["failed"], document["cases"][0]["action"]) == (0, 1, "hold")


def test_a_difference_is_said_by_key_and_by_what_it_would_change(flashbulb: Flashbulb) -> None:
    Path("stricter.yaml").write_text(STRICTER)
    Path("seen.jsonl").write_text("\n".join(json.dumps(each) for each in ({**SEEN, "findings": [HATE]}, SEEN)))

    ran = flashbulb("policy", "diff", "default", "stricter.yaml", "--on", "seen.jsonl")
    (document,) = flashbulb("policy", "diff", "default", "stricter.yaml", "--on", "seen.jsonl", "--json").documents

    assert ran.code == 0
    assert "gates.hold: severity 2, confidence 0.7 or severity 3" in ran.out
    assert "1 of 2 verdicts would be others.\n  1 x flag -> hold\n" in ran.out
    assert "slack:e1 in general: flag -> hold: Hate: moderate, 65% sure." in ran.out
    assert (document["looked_at"], document["counts"]) == (2, [{"from": "flag", "to": "hold", "count": 1}])


def test_what_moderate_printed_can_be_decided_anew(flashbulb: Flashbulb) -> None:
    ran = flashbulb("moderate", "FLASHBULB-TEST-HATE-S2-C65", "none.jpg", "--json")
    Path("seen.jsonl").write_text(ran.out)
    Path("stricter.yaml").write_text(STRICTER)

    (document,) = flashbulb("policy", "diff", "default", "stricter.yaml", "--on", "seen.jsonl", "--json").documents

    assert document["looked_at"] == 1
    assert [(each["event"], each["from"], each["to"]) for each in document["changes"]] == [("line 1", "flag", "hold")]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("diff", "default", "nothing.yaml"), 2, "There is no file nothing.yaml, and no preset", id="no-file"),
        pytest.param(("diff", "default", "1"), 2, "--workspace PLATFORM:ID", id="version-of-whom"),
        pytest.param(("diff", "1", "2", "--workspace", "slack"), 2, "slack names no workspace", id="no-workspace"),
        pytest.param(("diff", "1", "2", "--workspace", "slack:T1"), 3, "are not there yet", id="no-records"),
        pytest.param(
            ("diff", "default", "gaming", "--on", "bad.jsonl"), 2, "bad.jsonl, line 2: findings.0.severity", id="line"
        ),
        pytest.param(("test", "none.yaml"), 2, "none.yaml cannot be read", id="no-cases"),
    ],
)
def test_what_cannot_be_done_is_said(flashbulb: Flashbulb, arguments: tuple[str, ...], code: int, words: str) -> None:
    Path("bad.jsonl").write_text('{}\n{"findings": [{"category": "hate", "severity": 9, "confidence": 1}]}')

    ran = flashbulb("policy", *arguments)

    assert ran.code == code
    assert words in ran.err


def keep_a_workspace() -> None:
    """Make records with two versions of a policy and a stored verdict."""
    Path("data").mkdir()
    where = address(Path("data"), None)
    migration.upgrade(where)
    tenant = {"platform": "slack", "workspace": "T1"}
    engine = sa.create_engine(where.set(drivername="sqlite"))
    with engine.begin() as connection:
        for number, text in enumerate((preset_text("default"), STRICTER), 1):
            row = {**tenant, "number": number, "text": text, "fingerprint": "x", "author": "Grace", "event": f"e{number}"}
            connection.execute(sa.insert(PolicyRow).values(row))
        found = {"findings": [["hate", "", 2, 0.65]], "incomplete": [], "action": "flag", "policy": "x"}
        where_found = {"event": "slack:e1", "channel": "C1", "channel_name": "general", "age_gated": False, "exempt": False}
        expires = {"expires_at": datetime(2999, 1, 1, tzinfo=UTC)}
        connection.execute(sa.insert(VerdictRow).values({**tenant, **where_found, **found, **expires}))
    engine.dispose()


def test_stored_versions_and_verdicts_of_a_workspace_are_compared(flashbulb: Flashbulb) -> None:
    keep_a_workspace()

    (document,) = flashbulb("policy", "diff", "1", "2", "--workspace", "slack:T1", "--json").documents

    assert [(each["event"], each["channel"], each["to"]) for each in document["changes"]] == [("slack:e1", "general", "hold")]
    shown = json.loads(flashbulb("policy", "show", "--workspace", "slack:T1", "--json").out)
    assert shown["policy"] == document["new"]
    other = flashbulb("policy", "diff", "1", "2", "--workspace", "slack:T2")
    assert (other.code, "slack:T2 has no version 1 of a policy. There are 0." in other.err) == (2, True)


def test_moderate_takes_a_presets_name(flashbulb: Flashbulb) -> None:
    ran = flashbulb("moderate", "FLASHBULB-TEST-GORE-S2-C99", "--policy", "gaming", "--json")

    assert (ran.documents[0]["action"], ran.code) == ("allow", 0)
