"""What the environment, `.env` and the TOML file may say, and what is said about what they may not."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config_file import read_config
from bot.settings import Settings, is_loopback, read_settings, refuse_understudy_beside_real
from handlers.ports.generation import Budget
from pipelines.errors import Misconfigured

GEMINI = "AIzaSyA-0123456789-abcdefghijklmnopqrstu"


def set_environment(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    for name, value in names.items():
        monkeypatch.setenv(name, value)


def test_without_anything_set_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings(env_file=tmp_path / ".env")

    assert (settings.flashbulb_host, settings.flashbulb_port, settings.flashbulb_data) == ("127.0.0.1", 8321, Path("data"))
    assert not settings.has_model
    assert settings.real_platforms == ()


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_environment(monkeypatch, GEMINI_API_KEY="", FLASHBULB_PORT="")

    settings = read_settings(env_file=tmp_path / ".env")

    assert settings.gemini_api_key is None
    assert settings.flashbulb_port == 8321


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FLASHBULB_PORT=9001\nFLASHBULB_HOST=localhost\n")
    set_environment(monkeypatch, FLASHBULB_PORT="9002")

    settings = read_settings(env_file=tmp_path / ".env")

    assert (settings.flashbulb_port, settings.flashbulb_host) == (9002, "localhost")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param(
            "FLASHBULB_PROT", "1", "no setting FLASHBULB_PROT (the environment). Did you mean FLASHBULB_PORT?", id="typo"
        ),
        pytest.param("FLASHBULB_QQQ", "1", "no setting FLASHBULB_QQQ (the environment). The settings are listed", id="unknown"),
        pytest.param(
            "FLASHBULB_PORT", "banana", "FLASHBULB_PORT must be a number from 0 to 65535, such as 8321", id="port-word"
        ),
        pytest.param("FLASHBULB_PORT", "70000", "FLASHBULB_PORT must be a number from 0 to 65535", id="port-too-large"),
        pytest.param(
            "FLASHBULB_HOST", "http://x", "FLASHBULB_HOST must be an address to listen on, such as 127.0.0.1", id="host"
        ),
        pytest.param(
            "GEMINI_BASE_URL", "localhost:1", "GEMINI_BASE_URL must be an address that begins with http://", id="no-scheme"
        ),
        pytest.param("OPENAI_BASE_URL", "http://h:port/v1", "OPENAI_BASE_URL must be an address", id="port-in-address"),
        pytest.param("GEMINI_API_KEY", f'"{GEMINI}"', "GEMINI_API_KEY is in quotes. Remove them.", id="key-in-quotes"),
        pytest.param("GEMINI_API_KEY", f"{GEMINI}\n", "GEMINI_API_KEY has a space or a line break at its", id="key-line-break"),
        pytest.param("GEMINI_API_KEY", f"{GEMINI} {GEMINI}", "GEMINI_API_KEY holds a space", id="key-with-space"),
        pytest.param(
            "GEMINI_API_KEY", "AIzaSy…", "GEMINI_API_KEY holds a space or a letter that no key has", id="key-shortened"
        ),
        pytest.param("GEMINI_API_KEY", "your-key-here", "GEMINI_API_KEY still holds a placeholder", id="placeholder"),
        pytest.param("OPENAI_API_KEY", "<key>", "OPENAI_API_KEY still holds a placeholder", id="placeholder-in-brackets"),
        pytest.param(
            "GEMINI_API_KEY", "sk-ant-api03-abc", "GEMINI_API_KEY holds what looks like ANTHROPIC_API_KEY", id="swapped"
        ),
        pytest.param("OPENAI_API_KEY", GEMINI, "OPENAI_API_KEY holds what looks like GEMINI_API_KEY", id="swapped-google"),
        pytest.param("ANTHROPIC_API_KEY", "abcdef", "ANTHROPIC_API_KEY must begin with sk-ant-", id="anthropic-prefix"),
        pytest.param("MODELSLAB_API_KEY", "'abc123'", "MODELSLAB_API_KEY is in quotes. Remove them.", id="maker-in-quotes"),
        pytest.param("MODELSLAB_API_KEY", GEMINI, "MODELSLAB_API_KEY holds what looks like GEMINI_API_KEY", id="maker-swapped"),
        pytest.param(
            "MODELSLAB_BASE_URL",
            "modelslab.com/api",
            "MODELSLAB_BASE_URL must be an address that begins with http:// or https://, such as http://127.0.0.1:8325/api",
            id="maker-without-a-scheme",
        ),
        pytest.param("FLASHBULB_SLACK_HTTP", "3000", "FLASHBULB_SLACK_HTTP must be host:port", id="listener-without-a-host"),
        pytest.param("FLASHBULB_SLACK_HTTP", "localhost", "FLASHBULB_SLACK_HTTP must be host:port", id="listener-without-port"),
        pytest.param("FLASHBULB_SLACK_HTTP", "localhost:70000", "must be host:port", id="listener-port-too-large"),
        pytest.param("FLASHBULB_SLACK_HTTP", "http://localhost:3000", "must be host:port", id="listener-with-a-scheme"),
        pytest.param("FLASHBULB_SLACK_HTTP", "localhost:3000/slack", "must be host:port", id="listener-with-a-path"),
        pytest.param(
            "DISCORD_GATEWAY_URL",
            "http://127.0.0.1:9002",
            "DISCORD_GATEWAY_URL must be an address that begins with ws://",
            id="gateway-by-http",
        ),
        pytest.param("DISCORD_API_URL", "ws://127.0.0.1:9002", "must be an address that begins with http://", id="api-by-ws"),
        pytest.param(
            "SLACK_SIGNING_SECRET", "'abcdef0123'", "SLACK_SIGNING_SECRET is in quotes", id="signing-secret-in-quotes"
        ),
        pytest.param(
            "SLACK_SIGNING_SECRET",
            "xapp-1-A-1-abc",
            "SLACK_SIGNING_SECRET holds what looks like SLACK_APP_TOKEN",
            id="signing-secret-swapped",
        ),
        pytest.param(
            "SLACK_ADMIN_USER_TOKEN",
            "xoxb-1-abcdef",
            "SLACK_ADMIN_USER_TOKEN holds what looks like SLACK_BOT_TOKEN",
            id="admin-swapped",
        ),
        pytest.param(
            "SLACK_ADMIN_USER_TOKEN", "xoxs-1-abcdef", "SLACK_ADMIN_USER_TOKEN must begin with xoxp-", id="admin-prefix"
        ),
        pytest.param("DISCORD_TOKEN", "Bot abc.def.ghi", "DISCORD_TOKEN holds a space", id="discord-with-its-header"),
        pytest.param(
            "SLACK_BOT_TOKEN", "xapp-1-A-1-abc", "SLACK_BOT_TOKEN holds what looks like SLACK_APP_TOKEN", id="slack-swapped"
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, says: str
) -> None:
    set_environment(monkeypatch, **{name: value})

    with pytest.raises(Misconfigured) as refused:
        read_settings(env_file=tmp_path / ".env")

    assert says in str(refused.value)
    assert len(value) < 6 or value.strip() not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "pydantic" not in str(refused.value).lower()


BOT, APP, SECRET, HTTP = "xoxb-1-abcdef", "xapp-1-A-1-abcdef", "8f742231b10e8888abcd99", "127.0.0.1:3000"
API, GATEWAY = "http://127.0.0.1:9002/api/v10", "ws://127.0.0.1:9002/gateway"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        pytest.param({"SLACK_BOT_TOKEN": BOT}, "SLACK_BOT_TOKEN needs SLACK_APP_TOKEN beside it", id="no-app-token"),
        pytest.param(
            {"SLACK_BOT_TOKEN": BOT, "SLACK_SIGNING_SECRET": SECRET}, "needs SLACK_APP_TOKEN beside it", id="a-secret-alone"
        ),
        pytest.param(
            {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "FLASHBULB_SLACK_HTTP": HTTP},
            "FLASHBULB_SLACK_HTTP needs SLACK_SIGNING_SECRET beside it",
            id="unsigned-http",
        ),
        pytest.param({"SLACK_APP_TOKEN": APP}, "SLACK_APP_TOKEN needs SLACK_BOT_TOKEN beside it", id="app-token-alone"),
        pytest.param({"SLACK_ADMIN_USER_TOKEN": "xoxp-1-abcdef"}, "SLACK_ADMIN_USER_TOKEN needs", id="admin-alone"),
        pytest.param({"SLACK_SIGNING_SECRET": SECRET}, "SLACK_SIGNING_SECRET needs", id="signing-secret-alone"),
        pytest.param({"FLASHBULB_SLACK_HTTP": HTTP}, "FLASHBULB_SLACK_HTTP needs", id="http-alone"),
        pytest.param(
            {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "abc"},
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are in the environment",
            id="oauth-behind-our-back",
        ),
        pytest.param({"DISCORD_API_URL": API}, "DISCORD_API_URL and DISCORD_GATEWAY_URL belong together", id="api-alone"),
        pytest.param({"DISCORD_GATEWAY_URL": GATEWAY}, "belong together", id="gateway-alone"),
        pytest.param(
            {"DISCORD_API_URL": API, "DISCORD_GATEWAY_URL": "wss://gateway.discord.gg"}, "belong together", id="real-gateway"
        ),
    ],
)
def test_half_a_platform_is_refused_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: dict[str, str], says: str
) -> None:
    set_environment(monkeypatch, **names)

    with pytest.raises(Misconfigured) as refused:
        read_settings(env_file=tmp_path / ".env")

    assert says in str(refused.value)
    assert not [value for value in names.values() if len(value) > 5 and value in str(refused.value)]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP}, id="sockets"),
        pytest.param({"SLACK_BOT_TOKEN": BOT, "FLASHBULB_SLACK_HTTP": HTTP, "SLACK_SIGNING_SECRET": SECRET}, id="http"),
        pytest.param(
            {"SLACK_BOT_TOKEN": BOT, "FLASHBULB_SLACK_HTTP": "[::1]:0", "SLACK_SIGNING_SECRET": SECRET}, id="http-any-port"
        ),
        pytest.param({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_SIGNING_SECRET": SECRET}, id="a-secret-as-well"),
        pytest.param(
            {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_ADMIN_USER_TOKEN": "xoxp-1-abcdef"}, id="with-an-admin"
        ),
        pytest.param({"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_CLIENT_ID": "1.2"}, id="half-of-oauth-is-nothing"),
        pytest.param({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "abc"}, id="oauth-of-something-else"),
        pytest.param({"DISCORD_TOKEN": "a.b.c"}, id="discord"),
        pytest.param({"DISCORD_TOKEN": "t", "DISCORD_API_URL": API, "DISCORD_GATEWAY_URL": GATEWAY}, id="emulated-discord"),
    ],
)
def test_whole_platforms_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: dict[str, str]) -> None:
    set_environment(monkeypatch, **names)

    read_settings(env_file=tmp_path / ".env")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(b"# ours\nFLASHBULB_DATTA=x\n", "line 2). Did you mean FLASHBULB_DATA?", id="typo"),
        pytest.param(b"FLASHBULB_PORT=1\nwhat is this\n", "line 2: this is not NAME=value", id="no-assignment"),
        pytest.param(b"GEMINI_API_KEY=\xff\xfe\n", "must be a text file in UTF-8", id="not-text"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / ".env").write_bytes(text)

    with pytest.raises(Misconfigured, match=".env") as refused:
        read_settings(env_file=tmp_path / ".env")

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("names", "model", "real"),
    [
        pytest.param({}, False, (), id="nothing"),
        pytest.param({"gemini_api_key": GEMINI}, True, (), id="studio-key"),
        pytest.param({"google_cloud_project": "p"}, True, (), id="vertex"),
        pytest.param({"openai_base_url": "http://127.0.0.1:11434/v1"}, True, (), id="local-server"),
        pytest.param({"slack_bot_token": "xoxb-1"}, False, ("Slack",), id="slack"),
        pytest.param({"slack_bot_token": "x", "slack_api_url": "http://127.0.0.1:1/"}, False, (), id="slack-emulated"),
        pytest.param({"discord_token": "t", "discord_api_url": "https://discord.com"}, False, ("Discord",), id="discord"),
    ],
)
def test_settings_tell_real_from_emulated(names: dict[str, str], model: bool, real: tuple[str, ...]) -> None:
    settings = Settings(_env_file=None, **names)

    assert (settings.has_model, settings.real_platforms) == (model, real)
    if real and not model:
        with pytest.raises(Misconfigured, match="never judges a real community. Set GEMINI_API_KEY"):
            refuse_understudy_beside_real(settings)
    else:
        refuse_understudy_beside_real(settings)


@pytest.mark.parametrize(
    ("names", "maker"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"gemini_api_key": GEMINI}, False, id="a-model-makes-nothing"),
        pytest.param({"modelslab_api_key": "abc123"}, True, id="key"),
        pytest.param({"modelslab_base_url": "http://127.0.0.1:8325/api"}, True, id="emulator"),
    ],
)
def test_settings_tell_whether_somebody_makes_pictures(names: dict[str, str], maker: bool) -> None:
    assert Settings(_env_file=None, **names).has_maker is maker


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://[::1]/x", True),
        ("http://localhost", True),
        ("http://127.0.0.1.evil.org", False),
        (None, False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(url: str | None, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_every_secret_is_listed_for_redaction_and_hidden_from_print() -> None:
    database = "postgresql://u:hunter2@h/d"
    settings = Settings(_env_file=None, gemini_api_key=GEMINI, modelslab_api_key="ml-8712", flashbulb_database_url=database)

    for secret in (GEMINI, "ml-8712", "hunter2"):
        assert secret in settings.secrets
        assert secret not in repr(settings)


def test_a_secret_stays_hidden_even_where_the_settings_are_made_directly() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, gemini_api_key=f"'{GEMINI}'")

    assert GEMINI not in str(refused.value)


GOOD_TOML = """
[models.moderation]
models = ["gemini:gemini-3.6-flash", "anthropic:claude-haiku-5-5"]
media_resolution = "high"
[prices."gemini-3.6-flash"]
input = 0.75
output = 3.75
[modelslab]
max_in_flight = 15
[modelslab.prices]
flux = 0.004
[budget]
member_per_day_usd = 0.5
workspace_per_day_usd = 10
member_per_day = 20
cool_down_s = 1.5
confirm_above_usd = 0
"""


def test_the_toml_file_chooses_models_and_prices(tmp_path: Path) -> None:
    (tmp_path / "flashbulb.toml").write_text(GOOD_TOML)

    config = read_config(Settings(_env_file=None, flashbulb_data=tmp_path))

    assert config.models.moderation.models[0] == "gemini:gemini-3.6-flash"
    assert str(config.prices["gemini-3.6-flash"].input) == "0.75"


def test_the_toml_file_says_what_may_be_spent_on_making(tmp_path: Path) -> None:
    (tmp_path / "flashbulb.toml").write_text(GOOD_TOML)

    config = read_config(Settings(_env_file=None, flashbulb_data=tmp_path))

    assert (config.modelslab.max_in_flight, dict(config.modelslab.prices)) == (15, {"flux": Decimal("0.004")})
    assert config.budget.budget == Budget(
        member_usd=Decimal("0.5"),
        workspace_usd=Decimal(10),
        member_wishes=20,
        cool_down_s=1.5,
        confirm_above_usd=Decimal(0),
    )


def test_without_the_toml_file_the_defaults_hold(tmp_path: Path) -> None:
    config = read_config(Settings(_env_file=None, flashbulb_data=tmp_path))

    assert config.models.moderation.models == ()
    assert (config.modelslab.max_in_flight, dict(config.modelslab.prices)) == (5, {})
    assert config.budget.budget == Budget(member_wishes=50, cool_down_s=2, confirm_above_usd=Decimal("0.10"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[models.moderation\n", "this is not TOML", id="not-toml"),
        pytest.param("\n[modles.moderation]\n", "[modles] does not exist. Did you mean models?", id="unknown-table"),
        pytest.param("[models.tagin]\n", "line 1, [models.tagin] does not exist. Did you mean tagging?", id="unknown-task"),
        pytest.param(
            "[models.tagging]\nmax_tokns = 9\n",
            "line 2, [models.tagging] max_tokns does not exist. Did you mean max_tokens?",
            id="unknown-key",
        ),
        pytest.param(
            '[models.tagging]\nmodels = ["gpt"]\n',
            "line 2, [models.tagging] models is wrong: a model is named PROVIDER:ID",
            id="model-name",
        ),
        pytest.param(
            "[models.tagging]\n\ntotal_s = 99\n",
            "line 3, [models.tagging] total_s is wrong: it must be at most 25",
            id="over-a-limit",
        ),
        pytest.param(
            '[prices."a.b"]\ninput = "x"\noutput = 1\n',
            'line 2, [prices."a.b"] input is wrong: it must be a number',
            id="price",
        ),
        pytest.param("prices = 3\n", "[prices] is wrong: it must be a table", id="no-table"),
        pytest.param(
            "[modelslab]\nmax_in_flight = 16\n",
            "line 2, [modelslab] max_in_flight is wrong: it must be at most 15",
            id="more-slots-than-there-are",
        ),
        pytest.param(
            "[modelslab]\nslots = 5\n",
            "line 2, [modelslab] slots does not exist. There are: max_in_flight, prices.",
            id="unknown-key-of-the-maker",
        ),
        pytest.param(
            "[modelslab.prices]\n\nflx = 1\n",
            "line 3, [modelslab.prices] flx is wrong: nothing is made with such a model. Did you mean flux?",
            id="unknown-model-of-the-maker",
        ),
        pytest.param(
            '[modelslab.prices]\n"flux" = -1\n',
            "line 2, [modelslab.prices] flux is wrong: it must be at least 0",
            id="negative-price",
        ),
        pytest.param("modelslab = 1\n", "[modelslab] is wrong: it must be a table", id="maker-is-no-table"),
        pytest.param(
            "# ours\n[budget]\nmember_per_day = 0\n",
            "line 3, [budget] member_per_day is wrong: it must be at least 1",
            id="no-wishes-at-all",
        ),
        pytest.param(
            "[budget]\nmember_day_usd = 1\n",
            "line 2, [budget] member_day_usd does not exist. Did you mean member_per_day_usd?",
            id="unknown-key-of-the-budget",
        ),
        pytest.param(
            '[budget]\nworkspace_per_day_usd = "much"\n',
            "line 2, [budget] workspace_per_day_usd is wrong: it must be a number",
            id="no-amount",
        ),
        pytest.param("[budget]\ncool_down_s = nan\n", "line 2, [budget] cool_down_s is wrong: it must be", id="no-number"),
    ],
)
def test_a_wrong_place_of_the_toml_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "flashbulb.toml"
    file.write_text(text)

    with pytest.raises(Misconfigured) as refused:
        read_config(Settings(_env_file=None, flashbulb_config=file))

    assert str(file) in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize("make", [pytest.param(lambda path: None, id="missing"), pytest.param(Path.mkdir, id="folder")])
def test_a_named_toml_file_must_be_readable(tmp_path: Path, make: object) -> None:
    file = tmp_path / "mine.toml"
    make(file)  # type: ignore[operator]

    with pytest.raises(Misconfigured, match=r"mine\.toml"):
        read_config(Settings(_env_file=None, flashbulb_config=file))


def test_the_testers_environment_is_kept_out() -> None:
    assert not [name for name in os.environ if name.startswith(("FLASHBULB_", "GEMINI_"))]
