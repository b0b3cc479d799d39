"""`flashbulb tag`: pictures to tags, in JSON or for people; what cannot be tagged is said, and the rest still done."""

from pathlib import Path

import pytest

from tests.cli.conftest import Flashbulb

FIELDS = {
    "file",
    "subjects",
    "style",
    "mood",
    "technical_quality",
    "colours",
    "text",
    "alt_text",
    "tags",
    "engine",
    "elapsed_ms",
}


def test_a_picture_becomes_one_json_document(flashbulb: Flashbulb, picture: Path) -> None:
    ran = flashbulb("tag", "teal.png", "--json")

    (document,) = ran.documents
    assert ran.code == 0
    assert set(document) == FIELDS
    assert (document["file"], document["engine"]) == ("teal.png", "understudy")
    assert ran.err == ""
    assert not Path("data").exists()


def test_documents_come_in_the_order_of_the_files_and_a_bad_one_stops_none(flashbulb: Flashbulb, picture: Path) -> None:
    (picture.parent / "text.jpg").write_text("I am no picture")

    ran = flashbulb("tag", "teal.png", "gone.png", "text.jpg", "teal.png", "--json")

    assert ran.code == 2
    assert [document["file"] for document in ran.documents] == ["teal.png", "gone.png", "text.jpg", "teal.png"]
    assert ["error" in document for document in ran.documents] == [False, True, True, False]
    assert "gone.png: There is no such file." in ran.err
    assert "text.jpg: " in ran.err


def test_for_a_pipe_the_answer_is_plain_lines(flashbulb: Flashbulb, picture: Path) -> None:
    ran = flashbulb("tag", "teal.png")

    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0] == "File: teal.png"
    assert any(line.startswith("Alt text: ") for line in lines)
    assert any(line.startswith("By: understudy: no model, ") for line in lines)


def test_what_a_terminal_would_obey_in_a_name_does_not_reach_it(flashbulb: Flashbulb, picture: Path) -> None:
    name = "evil\x1b[2J\x07\u202egpj.png"
    picture.rename(picture.parent / name)

    ran = flashbulb("tag", name, "gone\x07.png")

    assert ran.out.startswith("File: evil\ufffd[2J\ufffd\ufffdgpj.png\n")
    assert "\x07" not in ran.err


def test_without_a_file_the_usage_is_shown(flashbulb: Flashbulb) -> None:
    ran = flashbulb("tag")

    assert ran.code == 2
    assert "{FILE}..." in ran.err


def an_empty_file() -> str:
    Path("empty.png").touch()
    return "empty.png"


def a_folder() -> str:
    Path("folder").mkdir()
    return "folder"


def a_damaged_picture() -> str:
    Path("cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    return "cut.png"


def a_large_file() -> str:
    with Path("large.jpg").open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    return "large.jpg"


def a_device() -> str:
    Path("zero.png").symlink_to("/dev/zero")
    return "zero.png"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda: "gone.png", "There is no such file. Check its name.", id="missing"),
        pytest.param(an_empty_file, "This file is empty. Choose another one.", id="empty"),
        pytest.param(a_folder, "This is a folder. Name the files in it, such as FOLDER/*.jpg.", id="folder"),
        pytest.param(a_large_file, "This file is larger than 50 MB. Make it smaller first.", id="too-large"),
        pytest.param(a_device, "This is not a regular file. Save it to one first.", id="device"),
        pytest.param(lambda: "x" * 300, "The file cannot be looked up (OSError). Check its name.", id="name-too-long"),
        pytest.param(a_damaged_picture, "", id="damaged"),
    ],
)
def test_a_file_that_cannot_be_tagged_is_named_in_one_sentence(flashbulb: Flashbulb, make, says) -> None:
    name = make()

    ran = flashbulb("tag", name)

    assert ran.code == 2
    assert ran.err.startswith(f"{name}: {says}")
    assert len(ran.err.splitlines()) == 1
    assert "Traceback" not in ran.out + ran.err


def test_a_model_that_does_not_answer_ends_as_unavailable(
    flashbulb: Flashbulb, picture: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("GEMINI_BASE_URL", f"http://127.0.0.1:{unused_tcp_port}")

    ran = flashbulb("tag", "teal.png", "--json")

    (document,) = ran.documents
    assert ran.code == 3
    assert document["error"].endswith("Try again later.")
    assert "teal.png: The model " in ran.err
