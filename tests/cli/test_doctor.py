"""`flashbulb doctor`: a line for each check, a fix for each problem."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from bot.config_file import BudgetTable, Config
from bot.doctor import check_making
from bot.settings import Settings
from bot.storage.folder import held
from emulators.modelslab import ModelsLabEmulator
from tests.cli.conftest import Flashbulb, Ran


@pytest.fixture(autouse=True)
def _any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASHBULB_PORT", "0")


def says(ran: Ran) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["says"]) for check in json.loads(ran.out)["checks"]}


def test_on_a_fresh_machine_all_is_well_and_nothing_is_made(flashbulb: Flashbulb) -> None:
    ran = flashbulb("doctor", "--json")

    assert (ran.code, json.loads(ran.out)["ok"]) == (0, True)
    assert [name for name, (status, _) in says(ran).items() if status != "ok"] == []
    assert {"python", "settings", "data folder", "secret key", "database", "port", "policy", "media workers", "webp"} <= set(
        says(ran)
    )
    assert not Path("data").exists()


def test_each_configured_model_is_asked(flashbulb: Flashbulb) -> None:
    checks = says(flashbulb("doctor", "--json"))

    assert checks["gemini:gemini-3-flash-preview"][0] == "ok"
    assert checks["gemini:gemini-3.1-pro-preview"][1].startswith("answered as understudy-1 in ")


def test_without_a_model_the_understudy_is_named(flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_BASE_URL")

    checks = says(flashbulb("doctor", "--json"))

    assert checks["models"][1].startswith("understudy: no model. Set GEMINI_API_KEY")
    assert checks["making"] == ("ok", "understudy: it draws labelled pictures. Set MODELSLAB_API_KEY to have them really made")


def test_for_people_each_check_is_a_line(flashbulb: Flashbulb) -> None:
    ran = flashbulb("doctor")

    assert ran.code == 0
    assert "✓ policy        " in ran.out
    assert ran.out.endswith("All is well. Start it with: flashbulb run\n")


def an_open_folder() -> None:
    Path("data").mkdir()
    Path("data").chmod(0o755)


def a_broken_policy() -> None:
    Path("data").mkdir(mode=0o700)
    Path("data/policy.yaml").write_text("version: 2\ngates: {}\n")


def a_broken_key() -> None:
    Path("data").mkdir(mode=0o700)
    Path("data/secret.key").write_text("x")


def a_file_in_its_place() -> None:
    Path("data").touch()


def no_database() -> None:
    Path("data").mkdir(mode=0o700)
    Path("data/records.db").write_bytes(b"x" * 4096)


@pytest.mark.parametrize(
    ("spoil", "environment", "name", "fix"),
    [
        pytest.param(None, {"FLASHBULB_PORT": "x"}, "settings", "FLASHBULB_PORT must be a number", id="setting"),
        pytest.param(an_open_folder, {}, "data folder", "Run: chmod 700 data", id="folder-open-to-others"),
        pytest.param(a_file_in_its_place, {}, "data folder", "Set FLASHBULB_DATA to", id="folder-is-a-file"),
        pytest.param(a_broken_key, {}, "secret key", "data/secret.key is not a key", id="key"),
        pytest.param(no_database, {}, "database", "Put a backup in its place", id="database"),
        pytest.param(a_broken_policy, {}, "policy", "data/policy.yaml, line 1: version", id="policy"),
        pytest.param(None, {"FLASHBULB_HOST": "0.0.0.0"}, "port", "FLASHBULB_URL must say", id="host"),
        pytest.param(None, {"GEMINI_BASE_URL": "", "DISCORD_TOKEN": "a.b.c"}, "platforms", "Set GEMINI_API_KEY", id="real"),
    ],
)
def test_a_problem_comes_with_its_fix_and_ends_with_one(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, spoil, environment, name, fix
) -> None:
    if spoil:
        spoil()
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)

    ran = flashbulb("doctor", "--json")

    assert ran.code == 1
    assert says(ran)[name][0] == "problem"
    assert fix in says(ran)[name][1]


def test_a_platform_without_a_token_is_left_out_with_a_line(flashbulb: Flashbulb) -> None:
    checks = says(flashbulb("doctor", "--json"))

    assert checks["platforms"][1] == (
        "console; Slack left out, for want of SLACK_BOT_TOKEN: docs/slack.md;"
        " Discord left out, for want of DISCORD_TOKEN: docs/discord.md"
    )
    assert not [name for name in checks if name.startswith(("slack", "discord"))]


def test_a_platform_with_a_token_is_asked_and_its_silence_is_a_problem(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    nowhere = f"127.0.0.1:{unused_tcp_port}"
    for name, value in {
        "SLACK_BOT_TOKEN": "xoxb-1-abcdef",
        "SLACK_APP_TOKEN": "xapp-1-A-1-abcdef",
        "SLACK_API_URL": f"http://{nowhere}/api/",
        "DISCORD_TOKEN": "a.b.c",
        "DISCORD_API_URL": f"http://{nowhere}/api/v10",
        "DISCORD_GATEWAY_URL": f"ws://{nowhere}/gateway",
    }.items():
        monkeypatch.setenv(name, value)

    ran = flashbulb("doctor", "--json")

    checks = says(ran)
    assert ran.code == 1
    assert checks["platforms"] == ("ok", "console, Slack, Discord")
    assert (checks["slack token"][0], checks["discord token"][0]) == ("problem", "problem")
    assert list(checks).index("platforms") < list(checks).index("slack token") < list(checks).index("discord token")


def test_a_model_that_does_not_answer_is_a_problem(
    flashbulb: Flashbulb, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("GEMINI_BASE_URL", f"http://127.0.0.1:{unused_tcp_port}")

    ran = flashbulb("doctor", "--json")

    assert ran.code == 1
    assert says(ran)["gemini:gemini-3-flash-preview"][0] == "problem"


def test_beside_a_running_flashbulb_its_folder_and_port_are_no_problem(flashbulb: Flashbulb) -> None:
    with held(Path("data")):
        ran = flashbulb("doctor", "--json")

    assert ran.code == 0
    assert says(ran)["data folder"][1] == "data, in use by a running Flashbulb"


async def making(config: Config | None = None, **names: str) -> tuple[str, str]:
    check = await check_making(Settings(_env_file=None, **names), config or Config())
    return check.status, check.says


@pytest.mark.parametrize(
    ("key", "wallet_usd", "status", "says"),
    [
        pytest.param(
            "ml-8712",
            "43.6",
            "ok",
            "ModelsLab accepts the key, 43.60 USD left; 5 jobs at once ([modelslab] max_in_flight)",
            id="well",
        ),
        pytest.param("ml-8712", "0.42", "problem", "ModelsLab has 0.42 USD left for this account. Add credit", id="poor"),
        pytest.param("ml-9999", "43.6", "problem", "ModelsLab refuses MODELSLAB_API_KEY. Copy it again from", id="wrong-key"),
    ],
)
async def test_whoever_makes_pictures_is_asked_for_the_credit(key: str, wallet_usd: str, status: str, says: str) -> None:
    async with ModelsLabEmulator(key="ml-8712", wallet_usd=Decimal(wallet_usd)) as vendor:
        found = await making(modelslab_api_key=key, modelslab_base_url=vendor.base_url)

    assert found[0] == status
    assert found[1].startswith(says)
    assert key not in found[1]


async def test_a_maker_that_answers_nonsense_is_a_problem() -> None:
    async with ModelsLabEmulator() as vendor:
        vendor.fault("redirect_307", at="balance")
        found = await making(modelslab_api_key="ml-8712", modelslab_base_url=vendor.base_url)

    assert vendor.foreign == []
    assert found[0] == "problem"
    assert "Look at MODELSLAB_BASE_URL" in found[1]


async def test_for_a_real_community_nothing_is_made_without_a_key() -> None:
    assert await making(discord_token="a.b.c") == ("ok", "left out, for want of MODELSLAB_API_KEY: docs/operating.md")


async def test_a_limit_in_dollars_without_a_price_is_a_problem() -> None:
    limited = Config(budget=BudgetTable(member_per_day_usd=Decimal(1)))
    async with ModelsLabEmulator(key="ml-8712") as vendor:
        outcome, said = await making(limited, modelslab_api_key="ml-8712", modelslab_base_url=vendor.base_url)

    assert outcome == "problem"
    assert "Set [modelslab.prices]" in said
