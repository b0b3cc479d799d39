"""`flashbulb inspect`: what a model would be shown of a file, in JSON, for people, and as files to look at."""

import gzip
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Flashbulb
from tests.media import documents, samples

FIELDS = {
    "file",
    "media_type",
    "status",
    "reason",
    "facts",
    "parts",
    "coverage",
    "hashes",
    "text_share",
    "inside",
    "timings_ms",
    "engine",
    "elapsed_ms",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_document_becomes_its_parts_with_what_lies_inside_it(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "letter.pdf").write_bytes(documents.with_attachments({"note.txt": b"some words"}))

    ran = flashbulb("inspect", "letter.pdf", "--json")

    (document,) = ran.documents
    assert ran.code == 0
    assert set(document) == FIELDS
    assert (document["media_type"], document["status"], document["engine"]) == ("application/pdf", "ok", "none")
    assert [part["id"] for part in document["parts"]] == [
        "file:0/name",
        "file:0/page:1",
        "file:0/page:1/text",
        "file:0/member:0/name",
        "file:0/member:0/text:0",
    ]
    assert [(each["place"], each["media_type"]) for each in document["inside"]] == [("file:0/member:0", "text/plain")]
    assert len(document["hashes"]["sha256"]) == 64
    assert document["timings_ms"].keys() == {"file:0", "file:0/member:0"}


def test_what_is_missing_is_said_and_ends_with_one(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "bomb.gz").write_bytes(samples.gzip_bomb())

    ran = flashbulb("inspect", "bomb.gz", "--json")

    (document,) = ran.documents
    assert (ran.code, document["status"]) == (1, "refused")
    assert document["reason"].endswith(".")
    assert [gap["place"] for gap in document["coverage"]["gaps"]] == ["file:0"]


def test_for_a_pipe_each_part_and_fact_is_a_line(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "photo.png").write_bytes(samples.encoded(samples.plain(), "JPEG"))

    lines = flashbulb("inspect", "photo.png").out.splitlines()

    assert lines[:3] == ["File: photo.png", "Type: image/jpeg", "Status: ok"]
    assert "Fact: tampering in file:0 (wrong extension): The file's name says PNG, but it is JPEG." in lines
    assert any(line.startswith("Part: file:0: picture, 64 x 48 px, ") for line in lines)
    assert any(line.startswith("By: no model, ") for line in lines)


def test_parts_can_be_written_to_be_looked_at(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "photo.png").write_bytes(samples.encoded(samples.plain(samples.RED, (64, 48)), "PNG"))
    (folder / "sub").mkdir()
    (folder / "sub" / "photo.png").write_bytes(samples.encoded(samples.plain(samples.BLUE, (64, 48)), "PNG"))

    ran = flashbulb("inspect", "photo.png", "sub/photo.png", "--save-parts", "parts")

    assert ran.code == 0
    assert sorted(each.name for each in (folder / "parts").iterdir()) == ["photo.png", "photo.png-2"]
    assert (folder / "parts" / "photo.png" / "000 name.txt").read_text() == "photo.png"
    for name, (red, _, blue) in {"photo.png": samples.RED, "photo.png-2": samples.BLUE}.items():
        shown = Image.open(folder / "parts" / name / "001 whole.jpg").getpixel((30, 20))
        assert isinstance(shown, tuple)
        assert (abs(shown[0] - red) < 8, abs(shown[2] - blue) < 8) == (True, True)


def test_parts_that_cannot_be_written_are_a_sentence(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "text.txt.gz").write_bytes(gzip.compress(b"some words"))
    (folder / "taken").write_text("a file")

    ran = flashbulb("inspect", "text.txt.gz", "--save-parts", "taken")

    assert ran.code == 2
    assert "The parts cannot be written there" in ran.err


def test_small_print_is_cut_into_tiles_when_asked_for(flashbulb: Flashbulb, folder: Path) -> None:
    (folder / "page.png").write_bytes(samples.encoded(samples.plain(samples.WHITE, (2000, 2000)), "PNG"))

    plain, fine = flashbulb("inspect", "page.png", "--json"), flashbulb("inspect", "page.png", "--fine", "--json")

    assert [part["id"] for part in plain.documents[0]["parts"]] == ["file:0/name", "file:0"]
    assert [part["id"] for part in fine.documents[0]["parts"]][2:] == [f"file:0/tile:{at}" for at in range(4)]
