"""The README names the kinds of files that are read, and each of them is."""

import re
from pathlib import Path

import pytest

from pipelines.content import Attachment, Content
from pipelines.media.extras import missing_readers
from pipelines.media.intake import MediaReader
from pipelines.media.kinds import KINDS, kind_of
from pipelines.media.sandbox import Sandbox
from tests.media import corpus

README = (Path(__file__).parents[2] / "README.md").read_text()
UNMADE = {"XLSB", "XLS"}  # no library that writes them is at hand; tests/media/test_sheets.py reads real ones


def named() -> set[str]:
    section = README[README.index("## What it reads") :]
    rows = re.findall(r"^\| [A-Z]\w+ \| (.*?) \|", section[: section.index("Everything else")], re.MULTILINE)
    return {kind for row in rows for kind in row.split(", ")}


def test_the_readme_names_every_kind_that_is_read_and_no_other() -> None:
    assert named() == {kind.name for kind in KINDS.values() if kind.reader}


@pytest.mark.skipif(bool(missing_readers()), reason="an optional reader is not installed")
async def test_each_kind_that_the_readme_names_is_read() -> None:
    files = {name: data for name, data in corpus.files().items() if not name.startswith("locked")}

    class Made:
        async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
            return files[attachment.url]

    read: set[str] = set()
    async with Sandbox(workers=1) as sandbox:
        for name, data in files.items():
            sent = Attachment(id=name, url=name, name=name, media_type="", size_bytes=len(data))
            intake = await MediaReader(Made(), sandbox).intake(Content(attachments=(sent,)))
            [whole, *_] = intake.readings
            assert (whole.status, whole.reason) == ("ok", ""), name
            kind = kind_of(data)
            assert kind is not None
            read.add(kind.name)

    assert read == named() - UNMADE
