"""`flashbulb hashes`: lists of known content as CSV, all or nothing; the exit codes that scripts read."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.hash_files import COLUMNS, ReadFile, Wanted, read, written
from bot.storage.banks import made
from bot.storage.folder import held
from bot.storage.tables import now
from pipelines.moderation.lists import Hash
from pipelines.moderation.report import Finding
from tests.cli.conftest import Flashbulb

OURS, THEIRS = ("--workspace", "discord:1"), ("--workspace", "discord:2")
A, B, C = "a" * 64, "b" * 64, "c" * 64
PDQ, SHA256, MD5 = f"{A},HASH_PDQ", f"{B},HASH_SHA256", f"{'d' * 32},HASH_MD5"
HEADING = "td_raw_indicator,td_indicator_type,td_status,td_severity,td_subjective_tags,td_expire_time"
SCAM = Finding(category="scam_spam", severity=3, confidence=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a list of two hashes, and one that is not read."""
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADING}\n{PDQ},MALICIOUS\n{SHA256},MALICIOUS\n{MD5},MALICIOUS\n")
    return path


def test_a_list_is_imported_counted_and_exported_for_one_workspace(flashbulb: Flashbulb, file: Path) -> None:
    ran = flashbulb("hashes", "import", str(file), *OURS, "--category", "hate", "--severity", "4")

    assert (ran.code, ran.out) == (0, "2 hashes were put on the deny list.\n")
    assert "1 MD5 hashes were left out" in ran.err
    [listed] = flashbulb("hashes", "list", *OURS, "--json").documents
    assert (listed["deny"], listed["allow"]) == ({"pdq": 1, "sha256": 1}, {})
    [entry] = listed["entries"]
    assert (entry["category"], entry["severity"], entry["reason"]) == ("hate", 4, "import of list.csv")
    assert "deny: 1 pdq, 1 sha256\nallow: nothing\n" in flashbulb("hashes", "list", *OURS).out
    assert flashbulb("hashes", "list", *THEIRS).out == "deny: nothing\nallow: nothing\n"

    exported = flashbulb("hashes", "export", *OURS).out
    assert [row["td_raw_indicator"] for row in csv.DictReader(io.StringIO(exported))] == [A, B]
    assert flashbulb("hashes", "export", *THEIRS).out.splitlines() == [",".join(COLUMNS)]


def test_what_is_listed_already_is_not_listed_twice(flashbulb: Flashbulb, file: Path) -> None:
    flashbulb("hashes", "import", str(file), *OURS)

    [again] = flashbulb("hashes", "import", str(file), *OURS, "--json").documents

    assert (again["imported"], again["already_listed"], again["skipped"]["md5"]) == (0, 2, 1)


def test_an_export_can_be_imported_elsewhere(flashbulb: Flashbulb, file: Path) -> None:
    flashbulb("hashes", "import", str(file), *OURS, "--category", "own:rumours", "--severity", "1")
    allowed = Path("allowed.csv")
    allowed.write_text(f"{C}\n")
    assert flashbulb("hashes", "import", "allowed.csv", *OURS, "--list", "allow", "--type", "sha256").code == 0

    written_to = flashbulb("hashes", "export", *OURS, "all.csv", "--json").documents
    for name in ("deny", "allow"):
        assert flashbulb("hashes", "import", "all.csv", *THEIRS, "--list", name).code == 0

    assert written_to == [{"file": "all.csv", "exported": 3}]
    ours, theirs = (flashbulb("hashes", "list", *each, "--json").documents[0] for each in (OURS, THEIRS))
    about = ("list", "category", "severity", "hashes")
    assert [[each[key] for key in about] for each in ours["entries"]] == [
        [each[key] for key in about] for each in theirs["entries"]
    ]


def test_with_one_wrong_line_nothing_is_imported(flashbulb: Flashbulb, file: Path) -> None:
    file.write_text(f"{file.read_text()}{A[:-1]},HASH_PDQ\n\n{A[:-1]}x,HASH_SHA256\n")

    ran = flashbulb("hashes", "import", str(file), *OURS)

    assert ran.code == 1
    assert "Line 5: this is no hash of 64 hexadecimal digits." in ran.err
    assert "Line 7: " in ran.err
    assert "Nothing was imported." in ran.err
    [document] = flashbulb("hashes", "import", str(file), *OURS, "--json").documents
    assert (document["imported"], len(document["problems"])) == (0, 2)
    assert not Path("data/records.db").exists()


def test_an_import_is_taken_back_by_its_entry(flashbulb: Flashbulb, file: Path) -> None:
    flashbulb("hashes", "import", str(file), *OURS)
    [listed] = flashbulb("hashes", "list", *OURS, "--json").documents
    entry = listed["entries"][0]["entry"]

    assert flashbulb("hashes", "remove", entry, *THEIRS).code == 2
    assert flashbulb("hashes", "remove", entry, *OURS).code == 0
    assert flashbulb("hashes", "list", *OURS).out == "deny: nothing\nallow: nothing\n"
    [again] = flashbulb("hashes", "remove", entry, *OURS, "--json").documents
    assert again == {"entry": entry, "removed": False}


def test_the_audit_tells_of_what_is_put_on_lists_and_taken_off(flashbulb: Flashbulb, file: Path) -> None:
    for _ in range(2):
        flashbulb("hashes", "import", str(file), *OURS, "--category", "hate")
        flashbulb("hashes", "import", str(file), *OURS, "--category", "hate")  # is on it already
        entry = flashbulb("hashes", "list", *OURS, "--json").documents[0]["entries"][0]["entry"]
        for _ in range(2):
            flashbulb("hashes", "remove", entry, *OURS)

    links = flashbulb("audit", "export", *OURS).documents

    assert [(each["kind"], each["facts"]["entry"], each["actor"]) for each in links] == 2 * [
        ("listed", entry, ""),
        ("unlisted", entry, ""),
    ]
    assert links[0]["facts"] == {"entry": entry, "listed": "deny", "category": "hate", "hashes": 2}
    [verified] = flashbulb("audit", "verify", "--json").documents
    assert (verified["links"], verified["broken"]) == (4, None)


def test_while_the_bot_runs_lists_are_read_and_not_changed(flashbulb: Flashbulb, file: Path) -> None:
    flashbulb("hashes", "import", str(file), *OURS)
    with held(Path("data")):
        changed = flashbulb("hashes", "import", str(file), *OURS)
        assert flashbulb("hashes", "list", *OURS).code == 0
        assert flashbulb("hashes", "export", *OURS).code == 0

    assert changed.code == 2
    assert "in use by another Flashbulb" in changed.err
    assert "Stop it" in changed.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(("import", "none.csv", *OURS), 2, "none.csv cannot be read", id="no-file"),
        pytest.param(("import", "list.csv", "--workspace", "1"), 2, "1 names no workspace", id="no-workspace"),
        pytest.param(("import", "list.csv", *OURS, "--category", "spam"), 2, "There is no category spam", id="no-category"),
        pytest.param(
            ("import", "list.csv", *OURS, "--category", "child_safety"), 2, "are not kept here", id="nobody-keeps-these"
        ),
        pytest.param(("export", *OURS, "--json"), 2, "Name a file", id="two-documents-on-one-output"),
        pytest.param(("list", *OURS), 3, "not there yet", id="no-records"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    flashbulb: Flashbulb, file: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ran = flashbulb("hashes", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert says in " ".join(ran.err.split())


# --- The forms ----------------------------------------------------------------------------------------------------------------


def hashes_of(found: ReadFile) -> list[Hash]:
    return [each for those in found.hashes.values() for each in those.values()]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        pytest.param(f"{HEADING}\r\n{PDQ}\r\n{SHA256}\r\n", ["pdq", "sha256"], id="columns-of-the-exchange"),
        pytest.param(
            f"collab,signal_type,signal_str,category,tags\nSample Signals,pdq,{A},WORTH_INVESTIGATING,\n",
            ["pdq"],
            id="columns-of-its-samples",
        ),
        pytest.param(f"{A.upper()},28807,2020-07-31T18:47:52+0000,disputed media_type_photo\n", ["pdq"], id="no-heading"),
        pytest.param(f"{A}\n\n{B}\n", ["pdq", "pdq"], id="hashes-alone"),
    ],
)
def test_every_form_of_the_exchange_is_read(text: str, kinds: list[str]) -> None:
    found = read(text, Wanted(type="pdq"))

    assert found.problems == []
    assert [each.kind for each in hashes_of(found)] == kinds
    assert hashes_of(found)[0].value == A


@pytest.mark.parametrize(
    ("line", "listed", "skipped"),
    [
        pytest.param(MD5, "deny", "md5", id="md5"),
        pytest.param("d" * 32, "deny", "md5", id="md5-by-its-length"),
        pytest.param(f"{A},HASH_TMK", "deny", "other", id="another-type"),
        pytest.param(f"{PDQ},NON_MALICIOUS", "deny", "harmless", id="harmless-is-not-denied"),
        pytest.param(f"{SHA256},MALICIOUS", "allow", "harmful", id="harmful-is-not-allowed"),
        pytest.param(f"{PDQ},NON_MALICIOUS", "allow", "near_allow", id="nothing-is-allowed-for-being-similar"),
        pytest.param(f"{PDQ},,,,2019-12-04T15:05:28-05:00", "deny", "ended", id="over"),
        pytest.param(f"{PDQ},,,,1575489928", "deny", "ended", id="over-as-a-number"),
    ],
)
def test_what_is_of_no_use_is_counted(line: str, listed: str, skipped: str) -> None:
    found = read(f"{HEADING}\n{line}\n", Wanted(listed=listed))  # type: ignore[arg-type]

    assert (found.problems, dict(found.skipped), hashes_of(found)) == ([], {skipped: 1}, [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("zz,HASH_PDQ", "this is no hash", id="no-hash"),
        pytest.param(A, "it does not say whether this is a PDQ or a SHA-256 hash", id="either"),
        pytest.param(f"{PDQ},,,tag;child_safety", "not kept", id="child-safety"),
        pytest.param(f"{PDQ},,,CSAM", "not kept", id="child-safety-in-their-words"),
        pytest.param(f"{PDQ},,,,tomorrow", "td_expire_time", id="no-moment"),
        pytest.param(f'"{A}', "this is not CSV", id="an-open-quote"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(line: str, says: str) -> None:
    found = read(f"{HEADING}\n{SHA256}\n{line}\n", Wanted())

    [problem] = found.problems
    assert problem.startswith("Line 3: ")
    assert says in problem


@pytest.mark.parametrize(
    ("wanted", "line", "expected"),
    [
        pytest.param(Wanted(), PDQ, ("scam_spam", "", 3), id="the-default"),
        pytest.param(Wanted(), f"{PDQ},,APOCALYPSE,x;sexual;kind:nudity", ("sexual", "nudity", 4), id="as-the-line-says"),
        pytest.param(Wanted(), f"{PDQ},,INFO,hate", ("hate", "", 3), id="no-word-about-severity"),
        pytest.param(
            Wanted(category="gore", severity=2), f"{PDQ},,SEVERE,sexual;kind:nudity", ("gore", "", 2), id="options-win"
        ),
    ],
)
def test_what_a_line_leads_to(wanted: Wanted, line: str, expected: tuple[str, str, int]) -> None:
    [(finding, until)] = read(f"{HEADING}\n{line}\n", wanted).hashes

    assert finding
    assert (finding.category, finding.kind, finding.severity, until) == (*expected, None)


def test_what_is_written_reads_back_as_the_same() -> None:
    hashes = (Hash(kind="pdq", value=A, text_bearing=True), Hash(kind="pixels", value=B), Hash(kind="sha256", value=C))
    until = now().replace(microsecond=0) + timedelta(days=1)
    finding = SCAM.model_copy(update={"kind": "flood", "severity": 2})

    found = read(written([(made("deny", hashes, finding=finding, reason="x", until=until), hashes)]), Wanted())

    assert found.hashes == {(finding, until): {(each.kind, each.value): each for each in hashes}}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_spreadsheet_finds_nothing_to_calculate(start: str) -> None:
    hashes = (Hash(kind="sha256", value=A),)

    text = written([(made("deny", hashes, finding=SCAM, reason=f'{start}HYPERLINK("https://a.test","x")'), hashes)])

    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["td_description"].startswith(f"'{start}")
