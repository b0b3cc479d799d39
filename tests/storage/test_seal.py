"""Sealed columns and their key."""

import shlex
import stat
import subprocess
import time
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


def test_bytes_are_sealed_as_well_and_those_that_were_sealed_with_fernet_are_opened(tmp_path: Path) -> None:
    key = Fernet.generate_key()
    seal = Seal(key.decode())

    sealed = seal.close(b"canary")

    assert b"canary" not in sealed
    assert seal.close(b"canary") != sealed
    assert (seal.open(sealed), seal.open(seal.close(b"")), seal.open(Fernet(key).encrypt(b"old"))) == (b"canary", b"", b"old")
    for altered in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:9], b"", Seal(key.decode()).close(b"")[:-1]):
        with pytest.raises(Misconfigured, match="sealed with another key"):
            seal.open(altered)
    with pytest.raises(Misconfigured, match="sealed with another key"):
        Seal(Fernet.generate_key().decode()).open(sealed)


def test_a_large_file_is_sealed_and_opened_without_holding_everything_up(seal: Seal) -> None:
    data = bytes(25 * 1024 * 1024)

    begun = time.thread_time()
    sealed = seal.close(data)
    closed = time.thread_time()
    opened = seal.open(sealed)
    ended = time.thread_time()

    # Seconds of this thread's own work, at most so long is any other one held up; Fernet takes twice as many.
    assert max(closed - begun, ended - closed) < 0.15
    assert opened == data


def test_the_first_start_makes_a_private_key_and_the_next_ones_use_it(tmp_path: Path) -> None:
    sealed = load_seal(tmp_path, None).close(b"hello")

    assert load_seal(tmp_path, None).open(sealed) == b"hello"
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_from_the_settings_goes_before_the_file(tmp_path: Path) -> None:
    key = Fernet.generate_key()

    sealed = load_seal(tmp_path, key.decode()).close(b"hello")

    assert Seal(key.decode()).open(sealed) == b"hello"
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
