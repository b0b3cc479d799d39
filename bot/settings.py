"""Everything that the environment decides. `bot/cli` reads it once; nobody else looks at the environment."""

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import Misconfigured

# How a key begins where its vendor documents it. Used to name a key that was pasted into the wrong setting.
# Sources: https://docs.slack.dev/authentication/tokens, https://docs.claude.com/en/api/overview
PREFIXES = {
    "anthropic_api_key": "sk-ant-",
    "slack_bot_token": "xoxb-",
    "slack_app_token": "xapp-",
    "slack_admin_user_token": "xoxp-",
}
# These vendors do not promise a prefix, but what begins so is theirs.
HABITS = {"gemini_api_key": "AIza", "openai_api_key": "sk-"}
PLACEHOLDER = re.compile(
    r"<.*>|\.{3,}|x{3,}|\*{3,}|change[-_ ]?me|todo|none|null|your[-_ ].*|.*[-_ ]here|(api[-_ ]?)?key", re.I
)

# What a setting takes, in words, where pydantic's own check fails.
TAKES = {
    "flashbulb_port": "a number from 0 to 65535, such as 8321 (0: any free port)",
    "flashbulb_data": "a folder, such as data",
    "flashbulb_config": "a TOML file, such as data/flashbulb.toml",
}
ADDRESSES = {
    "slack_api_url": "http://127.0.0.1:8323/api/",
    "discord_api_url": "http://127.0.0.1:8324/api/v10",
    "discord_gateway_url": "ws://127.0.0.1:8324/gateway",
    "gemini_base_url": "http://127.0.0.1:8322",
    "openai_base_url": "http://127.0.0.1:11434/v1",
    "anthropic_base_url": "http://127.0.0.1:8322",
    "modelslab_base_url": "http://127.0.0.1:8325/api",
}


class Settings(BaseSettings):
    """What the operator set. A platform or provider without a key is left out."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # read_settings refuses unknown FLASHBULB_* names
        frozen=True,
        hide_input_in_errors=True,
    )

    flashbulb_data: Path = Path("data")
    flashbulb_database_url: SecretStr | None = None
    flashbulb_secret_key: SecretStr | None = None
    flashbulb_host: str = "127.0.0.1"
    flashbulb_port: int = Field(default=8321, ge=0, le=65535)
    flashbulb_url: str | None = None
    flashbulb_config: Path | None = None

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_admin_user_token: SecretStr | None = None
    slack_api_url: str | None = None
    flashbulb_slack_http: str | None = None
    discord_token: SecretStr | None = None
    discord_api_url: str | None = None
    discord_gateway_url: str | None = None

    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    google_cloud_project: str | None = None
    google_cloud_location: str = "global"
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None

    modelslab_api_key: SecretStr | None = None
    modelslab_base_url: str | None = None

    @property
    def has_model(self) -> bool:
        """Whether a model is configured. Without one the understudy answers."""
        keys = (self.gemini_api_key, self.google_cloud_project, self.openai_api_key, self.anthropic_api_key)
        addresses = (self.gemini_base_url, self.openai_base_url, self.anthropic_base_url)
        return any((*keys, *addresses))

    @property
    def has_maker(self) -> bool:
        """Whether somebody is configured who makes pictures. Without one the understudy draws, save for real communities."""
        return bool(self.modelslab_api_key or self.modelslab_base_url)

    @property
    def real_platforms(self) -> tuple[str, ...]:
        """Return the platforms with a token and no loopback address: real communities stand behind them."""
        tokens = (("Slack", self.slack_bot_token, self.slack_api_url), ("Discord", self.discord_token, self.discord_api_url))
        return tuple(name for name, token, address in tokens if token and not is_loopback(address))

    @property
    def config_file(self) -> Path:
        return self.flashbulb_config or self.flashbulb_data / "flashbulb.toml"

    @property
    def policy_file(self) -> Path:
        """Return the operator's own policy: where the file exists, it replaces the shipped default."""
        return self.flashbulb_data / "policy.yaml"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not be shown: keys, tokens, the password in the database's address."""
        values = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        password = urlsplit(self.flashbulb_database_url.get_secret_value()).password if self.flashbulb_database_url else None
        return (*values, password) if password else tuple(values)

    @field_validator("flashbulb_host")
    @classmethod
    def _host_is_a_name(cls, value: str) -> str:
        if not value or "/" in value or any(letter.isspace() for letter in value):
            raise ValueError("must be an address to listen on, such as 127.0.0.1")
        return value

    @field_validator("flashbulb_slack_http")
    @classmethod
    def _listener_has_host_and_port(cls, value: str | None) -> str | None:
        if value is not None and not _is_listener(value):
            raise ValueError("must be host:port of a listener for Slack alone, such as 127.0.0.1:3000")
        return value

    @field_validator(*ADDRESSES)
    @classmethod
    def _address_has_scheme_and_host(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = info.field_name or ""
        schemes = ("ws", "wss") if name == "discord_gateway_url" else ("http", "https")
        if value is not None and not _is_web_address(value, schemes):
            raise ValueError(
                f"must be an address that begins with {schemes[0]}:// or {schemes[1]}://, such as {ADDRESSES[name]}"
            )
        return value

    @field_validator(*PREFIXES, *HABITS, "slack_signing_secret", "discord_token", "flashbulb_secret_key", "modelslab_api_key")
    @classmethod
    def _key_is_whole(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and (problem := key_problem(info.field_name or "", value.get_secret_value())):
            raise ValueError(problem)
        return value

    @model_validator(mode="after")
    def _prefixes_where_the_vendor_is_real(self) -> "Settings":
        # An emulator takes any key; the vendor takes only its own.
        addresses = {
            "anthropic_api_key": self.anthropic_base_url,
            "slack_bot_token": self.slack_api_url,
            "slack_app_token": self.slack_api_url,
            "slack_admin_user_token": self.slack_api_url,
        }
        for name, address in addresses.items():
            key = getattr(self, name)
            if key and address is None and not key.get_secret_value().startswith(PREFIXES[name]):
                raise ValueError(f"{name.upper()} must begin with {PREFIXES[name]}. Copy it again from the vendor's page.")
        return self


def read_settings(*, env_file: Path = Path(".env")) -> Settings:
    """Read the environment, and `env_file` for what the environment leaves out.

    Raises: `Misconfigured` naming the setting and a value that works; never the value that was found.
    """
    _refuse_unknown_names(env_file)
    try:
        # What was found stays out of the error's chain as well: it may be a key.
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        raise Misconfigured(" ".join(_in_words(error))) from None
    _refuse_half_a_platform(settings)
    return settings


def refuse_understudy_beside_real(settings: Settings) -> None:
    """Keep the understudy, which answers by plain rules, away from real communities.

    Raises: `Misconfigured` when a real platform has a token and no model is configured.
    """
    if settings.real_platforms and not settings.has_model:
        names = " and ".join(settings.real_platforms)
        raise Misconfigured(
            f"{names} is configured, but no model: without one only the understudy answers, and it never judges a real"
            " community. Set GEMINI_API_KEY (https://aistudio.google.com/apikey), or take the platform's token out."
        )


def is_loopback(url: str | None) -> bool:
    """Whether `url` points at this machine: such a vendor address means an emulator."""
    return url is not None and urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def key_problem(name: str, value: str) -> str | None:
    """Return what is wrong with a key as it was pasted, in words that follow the setting's name, or None."""
    if value[:1] in "\"'`" or value[-1:] in "\"'`":
        return "is in quotes. Remove them."
    if value != value.strip():
        return "has a space or a line break at its begin or end. Remove it."
    if any(letter.isspace() or not letter.isprintable() or ord(letter) > 126 for letter in value):
        return "holds a space or a letter that no key has. Copy it again."
    if PLACEHOLDER.fullmatch(value):
        return "still holds a placeholder. Put the key in, or leave the line out."
    owners = {**PREFIXES, **HABITS}
    if not value.startswith(owners.get(name, "\0")):
        for owner, prefix in owners.items():
            if owner != name and value.startswith(prefix):
                return f"holds what looks like {owner.upper()}. Put each key beside its own name."
    return None


def _is_web_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False


def _is_listener(value: str) -> bool:
    try:
        parts = urlsplit(f"//{value}")
        return bool(parts.hostname) and parts.port is not None and parts.netloc == value and not re.search(r"[\s@]", value)
    except ValueError:
        return False


def _refuse_half_a_platform(settings: Settings) -> None:
    """Refuse what belongs together and is not there together, and what would quietly change how a platform is reached.

    Raises: `Misconfigured`.
    """
    if settings.slack_bot_token is None:
        for name in ("slack_app_token", "slack_admin_user_token", "slack_signing_secret", "flashbulb_slack_http"):
            if getattr(settings, name) is not None:
                raise Misconfigured(f"{name.upper()} needs SLACK_BOT_TOKEN beside it. docs/slack.md says where it is found.")
    elif settings.flashbulb_slack_http is not None and settings.slack_signing_secret is None:
        raise Misconfigured("FLASHBULB_SLACK_HTTP needs SLACK_SIGNING_SECRET beside it: Basic Information on the app's page.")
    elif settings.flashbulb_slack_http is None and settings.slack_app_token is None:
        raise Misconfigured(
            "SLACK_BOT_TOKEN needs SLACK_APP_TOKEN beside it, which begins with xapp-: Basic Information on the app's page."
            " To be reached by HTTP instead, set FLASHBULB_SLACK_HTTP and SLACK_SIGNING_SECRET."
        )
    elif os.environ.keys() >= {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"}:
        # Bolt reads both by itself, then drops the token that it was given and waits for installations by OAuth.
        raise Misconfigured(
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are in the environment: with both, Slack's library leaves SLACK_BOT_TOKEN"
            " aside. Flashbulb needs neither; take them out of its environment."
        )
    api, gateway = settings.discord_api_url, settings.discord_gateway_url
    if (api is None) != (gateway is None) or is_loopback(api) != is_loopback(gateway):
        raise Misconfigured(
            "DISCORD_API_URL and DISCORD_GATEWAY_URL belong together. Set both, to the same machine, or neither."
        )


def _refuse_unknown_names(env_file: Path) -> None:
    known = {name.upper() for name in Settings.model_fields}
    for name, where in (*((name, "the environment") for name in os.environ), *_names_in(env_file)):
        if not name.upper().startswith("FLASHBULB_") or name.upper() in known:
            continue
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        hint = f"Did you mean {near[0]}?" if near else "The settings are listed in .env.example."
        raise Misconfigured(f"There is no setting {name} ({where}). {hint}")


def _names_in(env_file: Path) -> Iterator[tuple[str, str]]:
    """Yield each name that `env_file` sets and where it stands."""
    if not env_file.exists():
        return
    try:
        with env_file.open(encoding="utf-8") as lines:
            for binding in parse_stream(lines):
                where = f"{env_file}, line {binding.original.line}"
                if binding.error:
                    raise Misconfigured(f"{where}: this is not NAME=value. Correct the line, or begin it with #.")
                if binding.key is not None:
                    yield binding.key, where
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{env_file} cannot be read ({type(error).__name__}). It must be a text file in UTF-8.") from error


def _in_words(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False, include_input=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        told = str(item["ctx"]["error"]) if item["type"] == "value_error" else f"must be {TAKES.get(name, 'a text')}"
        yield f"{name.upper()} {told}".strip().removesuffix(".") + "."
