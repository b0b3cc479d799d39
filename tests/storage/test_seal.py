"""Sealed columns and their key."""

import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.storage.database import open_records
from bot.storage.seal import KEY_FILE, Seal, load_seal
from bot.storage.work import Work
from handlers.events import EVENT
from pipelines.errors import Misconfigured
from tests.databases import Home
from tests.fakes import a_message


def test_what_is_closed_can_be_opened_and_cannot_be_read(seal: Seal) -> None:
    sealed = seal.close(a_message("canary"))

    assert b"canary" not in sealed
    assert EVENT.validate_json(seal.open(sealed)) == a_message("canary")


def test_the_first_start_makes_a_private_key_and_the_next_ones_use_it(tmp_path: Path) -> None:
    sealed = load_seal(tmp_path, None).close(b"hello")

    assert load_seal(tmp_path, None).open(sealed) == b"hello"
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_from_the_settings_goes_before_the_file(tmp_path: Path) -> None:
    key = Fernet.generate_key()

    sealed = load_seal(tmp_path, key.decode()).close(b"hello")

    assert Fernet(key).decrypt(sealed) == b"hello"
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("key", ["", "hunter2", "x" * 44, "ä" * 43 + "="])
def test_a_malformed_key_is_told_with_a_command_that_makes_a_good_one(key: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="FLASHBULB_SECRET_KEY is not a key") as refusal:
        load_seal(tmp_path, key)

    assert not key or key not in str(refusal.value)
    make_one = str(refusal.value).partition("Make one with: ")[2].partition(" (rows")[0]
    made = subprocess.run(shlex.split(make_one), capture_output=True, text=True, check=True).stdout
    load_seal(tmp_path, made.strip())


@pytest.mark.parametrize("content", [b"", b"hunter2", b"\xff\xfe"])
def test_a_damaged_key_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)

    with pytest.raises(Misconfigured, match=r"secret\.key is not a key"):
        load_seal(tmp_path, None)


async def test_a_key_that_does_not_fit_the_records_is_found_at_the_start(home: Home, seal: Seal) -> None:
    async with open_records(home.data, home.url, seal=seal) as records:
        await Work(records, seal).keep_event(a_message())

    with pytest.raises(Misconfigured, match="sealed with another key"):
        async with open_records(home.data, home.url, seal=Seal(Fernet.generate_key().decode())):
            pass
    async with open_records(home.data, home.url, seal=seal):
        pass
