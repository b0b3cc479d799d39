"""Which models are asked what, through which accounts: plain data, handed in by the composition root."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from pipelines import limits
from pipelines.errors import Misconfigured
from pipelines.ports import Task

Provider = Literal["gemini", "anthropic", "openai", "local"]
ThinkingLevel = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"]

TASKS: Final[tuple[Task, ...]] = get_args(Task)

# Whoever of these has a key is asked, in this order. One model per provider: each may be asked twice, see `limits`.
_FLASH = ("gemini:gemini-3-flash-preview", "anthropic:claude-haiku-5-5", "openai:gpt-5.4-nano")
_PRO = ("gemini:gemini-3.1-pro-preview", "anthropic:claude-haiku-5-5", "openai:gpt-5.4-nano")
DEFAULT_MODELS: Final[Mapping[Task, tuple[str, ...]]] = {
    "moderation": _FLASH,
    "tagging": _FLASH,
    "escalation": _PRO,
    "extraction": _FLASH,
    "second_look": _FLASH,
    "third_look": _PRO,
    "long_documents": _FLASH,
    "brief": _FLASH,
    "quality": _FLASH,
}


# Whose models are asked where a task names none, so that not every one has to be written down.
_AS: Final[Mapping[Task, Task]] = {
    "extraction": "tagging",
    "second_look": "extraction",
    "third_look": "escalation",
    "long_documents": "extraction",
    "brief": "tagging",
    "quality": "tagging",
}


def _named(name: str) -> str:
    if not re.fullmatch(r"(gemini|anthropic|openai|local):\S+", name):
        raise ValueError("a model is named PROVIDER:ID, where PROVIDER is gemini, anthropic, openai or local")
    return name


# A model as `provider:id`. The id may hold colons itself, as in `local:llama3.2-vision:11b`.
ModelName = Annotated[str, AfterValidator(_named)]


def provider_of(name: str) -> Provider:
    provider: Any = name.split(":", 1)[0]
    return provider  # type: ignore[no-any-return]  # `_named` checked it


def id_of(name: str) -> str:
    return name.split(":", 1)[1]


class Price(BaseModel):
    """US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (self.input * input_tokens + self.output * output_tokens) / 1_000_000


class Profile(BaseModel):
    """How one kind of question is asked.

    `models` are tried in order until one answers; left empty, they are the defaults of the task for which there is a key.
    `media_resolution` is what Gemini spends on a picture: 280, 560, 1120 or 2240 tokens. `thinking` at `lowest` becomes the
    lowest level that the model knows; `thinking_levels` tells the levels of a model id that is too new to be known. A deadline
    can only be shortened: one read, one request, all models and re-asks together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ModelName, ...] = ()
    media_resolution: Literal["low", "medium", "high", "ultra_high"] = "medium"
    max_tokens: int = Field(default=4096, ge=64, le=16_000)
    thinking: Literal["lowest", "low", "medium", "high"] = "lowest"
    thinking_levels: Mapping[str, frozenset[ThinkingLevel]] = Field(default_factory=dict)
    read_s: float = Field(default=limits.MODEL_READ_S, gt=0, le=limits.MODEL_READ_S)
    request_s: float = Field(default=limits.MODEL_REQUEST_S, gt=0, le=limits.MODEL_REQUEST_S)
    total_s: float = Field(default=limits.MODEL_TOTAL_S, gt=0, le=limits.MODEL_TOTAL_S)


class DocumentProfile(Profile):
    """How a document is asked about, whose answers are long: nobody's message waits for them."""

    max_tokens: int = Field(default=16_000, ge=64, le=16_000)
    read_s: float = Field(default=limits.DOCUMENT_READ_S, gt=0, le=limits.DOCUMENT_READ_S)
    request_s: float = Field(default=limits.DOCUMENT_REQUEST_S, gt=0, le=limits.DOCUMENT_REQUEST_S)
    total_s: float = Field(default=limits.DOCUMENT_TOTAL_S, gt=0, le=limits.DOCUMENT_TOTAL_S)


class CloserProfile(DocumentProfile):
    """How what was doubtful in a document is asked about."""

    media_resolution: Literal["low", "medium", "high", "ultra_high"] = "high"


class Profiles(BaseModel):
    """A profile per task: the `[models.TASK]` tables of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    moderation: Profile = Profile()
    tagging: Profile = Profile()
    escalation: Profile = Profile()
    extraction: DocumentProfile = DocumentProfile()
    second_look: CloserProfile = CloserProfile()
    third_look: CloserProfile = CloserProfile()
    long_documents: DocumentProfile = DocumentProfile()
    brief: Profile = Profile()
    quality: Profile = Profile()

    def of(self, task: Task) -> Profile:
        """Return the profile of a task; one that names no models has those of the task that it is like."""
        profile: Profile = getattr(self, task)
        if profile.models or task not in _AS:
            return profile
        return profile.model_copy(update={"models": self.of(_AS[task]).models})


class Providers(BaseModel):
    """The accounts that models are asked through. A provider without a key is left out.

    Gemini is reached with `gemini_api_key` (AI Studio), else through Vertex AI in `google_cloud_project`; without
    `google_credentials` Vertex AI uses the application default credentials. `local` is any server that speaks OpenAI's dialect;
    its address ends in `/v1`, as OpenAI's does. An address left out is the vendor's own, whatever the environment says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    google_cloud_project: str | None = None
    google_cloud_location: str = "global"
    google_credentials: Any = Field(default=None, exclude=True, repr=False)
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    local_api_key: SecretStr | None = None
    local_base_url: str | None = None

    @model_validator(mode="after")
    def _can_be_sent(self) -> "Providers":
        for name in ("gemini_api_key", "anthropic_api_key", "openai_api_key", "local_api_key"):
            key = self.key(name)
            if key and not re.fullmatch(r"[!-~]+", key):
                raise Misconfigured(f"{name.upper()} holds a character that no key has, such as a space. Copy the key again.")
        for name in ("gemini_base_url", "anthropic_base_url", "openai_base_url", "local_base_url"):
            url = getattr(self, name)
            if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
                raise Misconfigured(f"{name.upper()} is not an address. A value that works: https://models.example.com/v1.")
        return self

    def key(self, name: str) -> str | None:
        """Return the secret in the field `name` without white space around it, or None where there is none."""
        secret: SecretStr | None = getattr(self, name)
        return (secret.get_secret_value().strip() or None) if secret else None

    def has(self, provider: Provider) -> bool:
        """Whether `provider` can be asked."""
        match provider:
            case "gemini":
                return bool(self.key("gemini_api_key") or self.google_cloud_project)
            case "local":
                return bool(self.local_base_url)
            case _:
                return bool(self.key(f"{provider}_api_key"))


# What to set so that a provider can be asked.
_SETTING: Final[Mapping[Provider, str]] = {
    "gemini": "GEMINI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "local": "OPENAI_BASE_URL",
}


def models_of(task: Task, profile: Profile, providers: Providers) -> tuple[str, ...]:
    """Return the names of the models to ask, in order.

    Raises: `Misconfigured` when there is none, or when the profile names one that cannot be asked.
    """
    for name in profile.models:
        if not providers.has(provider_of(name)):
            raise Misconfigured(f"[models.{task}] names {name}, but {_SETTING[provider_of(name)]} is not set. Set it.")
    names = profile.models or tuple(name for name in DEFAULT_MODELS[task] if providers.has(provider_of(name)))
    if not names and providers.has("local"):
        raise Misconfigured(
            f"No model is named for [models.{task}]. OPENAI_BASE_URL without OPENAI_API_KEY is a local server: write"
            f' [models.{task}] models = ["local:ID"] into the file that FLASHBULB_CONFIG names, or set a key.'
        )
    if not names:
        raise Misconfigured("There is no model to ask. Set GEMINI_API_KEY, ANTHROPIC_API_KEY or OPENAI_API_KEY.")
    return names
