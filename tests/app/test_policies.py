"""The operator's policy: the file in the data folder, else the shipped one."""

from pathlib import Path

import pytest

from bot.policies import own_policy, own_version
from bot.settings import Settings
from pipelines.errors import Misconfigured
from pipelines.moderation.policies import preset, preset_text
from pipelines.moderation.policy import Action

OWN = preset_text("default").replace("unknown: hold", "unknown: flag", 1)


def settings(data: Path, text: str | None = None) -> Settings:
    if text is not None:
        (data / "policy.yaml").write_text(text, "utf-8")
    return Settings(flashbulb_data=data)


def test_without_a_file_it_is_the_shipped_one(tmp_path: Path) -> None:
    version = own_version(settings(tmp_path))

    assert (version.number, version.text) == (0, preset_text("default"))
    assert version.policy == own_policy(settings(tmp_path)) == preset()


def test_a_file_in_the_data_folder_takes_its_place(tmp_path: Path) -> None:
    version = own_version(settings(tmp_path, OWN))

    assert (version.number, version.text, version.policy.unknown) == (0, OWN, Action.FLAG)
    assert own_policy(settings(tmp_path)) == version.policy


def test_a_file_that_is_wrong_stops_the_start_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"policy\.yaml.*colour"):
        own_policy(settings(tmp_path, OWN + "colour: red\n"))
