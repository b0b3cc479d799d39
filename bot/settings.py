"""Everything that the environment decides. `bot/cli.py` reads it once; nobody else looks at the environment."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the operator set. A platform or provider without a key is left out."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)  # bot/cli.py refuses unknown FLASHBULB_*

    flashbulb_data: Path = Path("data")
    flashbulb_database_url: str | None = None
    flashbulb_secret_key: SecretStr | None = None
    flashbulb_host: str = "127.0.0.1"
    flashbulb_port: int = Field(default=8321, ge=1, le=65535)
    flashbulb_url: str | None = None
    flashbulb_config: Path | None = None

    slack_bot_token: SecretStr | None = None
    slack_api_url: str | None = None
    discord_token: SecretStr | None = None
    discord_api_url: str | None = None

    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    google_cloud_project: str | None = None
    google_cloud_location: str = "global"
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None


def is_loopback(url: str | None) -> bool:
    """Whether `url` points at this machine: such a vendor address means an emulator."""
    return url is not None and urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
