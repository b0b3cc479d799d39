"""`flashbulb moderate`: files and texts to verdicts, and the exit codes that scripts read."""

from pathlib import Path

import pytest

from tests.cli.conftest import Flashbulb

HATE = "FLASHBULB-TEST-HATE-S3-C95"
FIELDS = {"file", "verdict", "action", "reasons", "findings", "coverage", "policy", "engine", "elapsed_ms"}

LENIENT = """
version: 1
gates:
  flag:
    - {severity: 3, confidence: 0.5}
categories:
  child_safety:
    remove:
      - {severity: 2, confidence: 0.5}
"""


@pytest.mark.parametrize(
    ("text", "verdict", "action", "code"),
    [
        pytest.param("Good morning, everyone", "allow", "allow", 0, id="harmless"),
        pytest.param(f"You {HATE}", "act", "remove", 1, id="finding"),
    ],
)
def test_a_text_is_judged(flashbulb: Flashbulb, text: str, verdict: str, action: str, code: int) -> None:
    ran = flashbulb("moderate", text, "--json")

    (document,) = ran.documents
    assert set(document) == FIELDS
    assert (document["verdict"], document["action"], ran.code) == (verdict, action, code)
    assert document["file"] is None
    assert document["coverage"] == {"judged": 1, "total": 1}


def test_a_finding_says_where_how_severe_and_why(flashbulb: Flashbulb) -> None:
    ran = flashbulb("moderate", f"You {HATE}", "--json")

    (finding,) = ran.documents[0]["findings"]
    assert set(finding) == {"category", "kind", "severity", "confidence", "evidence", "place"}
    assert (finding["category"], finding["severity"], finding["place"]) == ("hate", 3, "text:0")


def test_files_and_texts_go_together_and_the_gravest_end_counts(flashbulb: Flashbulb, picture: Path) -> None:
    ran = flashbulb("moderate", "teal.png", HATE, "--json")

    assert [document["file"] for document in ran.documents] == ["teal.png", None]
    assert [document["verdict"] for document in ran.documents] == ["allow", "act"]
    assert ran.code == 1


def test_a_file_that_cannot_be_opened_is_unknown_and_never_allowed(flashbulb: Flashbulb) -> None:
    Path("noise.jpg").write_bytes(b"\xff\xd8\xff\xe0 and nothing that is one")

    ran = flashbulb("moderate", "noise.jpg", "--json")

    (document,) = ran.documents
    assert (document["verdict"], document["action"], ran.code) == ("unknown", "hold", 2)
    assert document["coverage"]["judged"] < document["coverage"]["total"]


def test_a_finding_counts_more_than_what_could_not_be_judged(flashbulb: Flashbulb) -> None:
    Path(f"{HATE}.jpg").write_bytes(b"\xff\xd8\xff\xe0 and nothing that is one")

    ran = flashbulb("moderate", f"{HATE}.jpg", "--json")

    assert (ran.documents[0]["verdict"], ran.code) == ("act", 1)


def test_a_word_that_looks_like_a_files_name_is_not_judged_as_a_text(flashbulb: Flashbulb) -> None:
    ran = flashbulb("moderate", "photo.jpg")

    assert ran.code == 2
    assert ran.err == "photo.jpg: There is no such file. Check its name.\n"


def test_no_answer_is_unknown_and_ends_as_unavailable(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("GEMINI_BASE_URL", f"http://127.0.0.1:{unused_tcp_port}")

    ran = flashbulb("moderate", "Good morning", "--json")

    assert (ran.documents[0]["verdict"], ran.code) == ("unknown", 3)


def test_a_policy_of_ones_own_decides(flashbulb: Flashbulb) -> None:
    Path("lenient.yaml").write_text(LENIENT)

    ran = flashbulb("moderate", HATE, "--policy", "lenient.yaml", "--json")

    assert ran.documents[0]["action"] == "flag"


def test_the_policy_in_the_data_folder_is_the_one_that_holds(flashbulb: Flashbulb) -> None:
    Path("data").mkdir()
    Path("data/policy.yaml").write_text(LENIENT)

    ran = flashbulb("moderate", HATE, "--json")

    assert ran.documents[0]["action"] == "flag"


def test_for_a_pipe_the_verdict_is_plain_lines(flashbulb: Flashbulb) -> None:
    ran = flashbulb("moderate", HATE)

    assert "Verdict: act: remove" in ran.out
    assert f"Finding: hate, severe, 95% sure: test string {HATE} in text:0" in ran.out
    assert "By: understudy: no model" in ran.out
