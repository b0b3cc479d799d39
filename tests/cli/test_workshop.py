"""What making needs where nothing is on record: what becomes of a picture that cannot be written to the disk."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cli.workshop import save
from tests.cli.conftest import Flashbulb
from tests.making import PNG

ROOM_BYTES = 4_096  # for what is known of a picture, and not for the picture


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size_bytes", [10, ROOM_BYTES], ids=["not-even-what-is-known", "only-what-is-known"])
def test_what_cannot_be_written_in_full_is_not_there_at_all(tmp_path: Path, size_bytes: int) -> None:
    with room_for(size_bytes), pytest.raises(OSError, match="File too large"):
        save(PNG + bytes(10_000), {"prompt": "a cat"}, folder=tmp_path, stem="cat", number=1, step=1)

    assert list(tmp_path.iterdir()) == []


def test_a_picture_for_which_there_is_no_room_is_told_as_one_that_may_be_charged(flashbulb: Flashbulb) -> None:
    with room_for(ROOM_BYTES):
        [document] = flashbulb("imagine", "a red boat", "--out", "made", "--json").documents

    assert (document["status"], document["files"]) == ("failed", [])
    assert document["reasons"] == ["It was made, but cannot be saved in made (File too large). It may have been charged."]
    assert list(Path("made").iterdir()) == []
