"""One client per provider, made at first use, closed together.

The vendors' libraries are imported when their provider is first asked: together they take seconds and tens of megabytes, and a
fall-back may never be needed. Every key and address is passed to them, for each would look in the environment for what is
missing, and proxies named there are not used.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from pipelines import limits
from pipelines.models.profiles import Profile, Provider, Providers, id_of, provider_of
from pipelines.models.watch import note_arrival, note_gemini_refusal, note_request

# The vendors' own addresses, which would else be read from the environment.
_GEMINI: Final = "https://generativelanguage.googleapis.com"
_ANTHROPIC: Final = "https://api.anthropic.com"
_OPENAI: Final = "https://api.openai.com/v1"

# At DEBUG, which `ANTHROPIC_LOG` sets, Anthropic's writes whole requests, texts and pictures included. None is ours to read.
_TALKATIVE: Final = ("openai", "anthropic", "google_genai", "httpx2", "httpcore2")

# What we moderate must reach the model: the answer is ours to judge. Sent although it is the default of current models.
_SAFETY_OFF: Final = [
    {"category": f"HARM_CATEGORY_{name}", "threshold": "OFF"}
    for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
]

# Makes the model of an id for a profile.
Maker = Callable[[str, Profile], Model]


class Clients:
    """The models of all providers, made on demand. Belongs to one event loop."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._makers: dict[Provider, asyncio.Task[Maker]] = {}
        self._http: list[httpx2.AsyncClient] = []

    async def model(self, name: str, profile: Profile) -> Model:
        """Return the model `name` (`provider:id`), set up as `profile` says."""
        provider = provider_of(name)
        if provider not in self._makers:
            # In a thread, as the imports take a second; in a task, so that one caller's deadline does not undo it for all.
            self._makers[provider] = asyncio.create_task(asyncio.to_thread(self._maker, provider))
        maker = await asyncio.shield(self._makers[provider])
        return maker(id_of(name), profile)

    async def close(self) -> None:
        """Close what was opened, also when some of it could not be made."""
        await asyncio.gather(*self._makers.values(), return_exceptions=True)
        await asyncio.gather(*(client.aclose() for client in self._http))

    def _maker(self, provider: Provider) -> Maker:
        http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(limits.MODEL_READ_S, connect=5),
            limits=httpx2.Limits(max_keepalive_connections=limits.MODEL_CALLS_IN_FLIGHT, keepalive_expiry=30),
            trust_env=False,
            follow_redirects=False,
            event_hooks={
                "request": [note_request],
                "response": [note_arrival, note_gemini_refusal] if provider == "gemini" else [note_arrival],
            },
        )
        self._http.append(http)
        maker = _MAKERS[provider](self._providers, http)
        for logger in _TALKATIVE:
            logging.getLogger(logger).setLevel(logging.WARNING)
        return maker


def _gemini(providers: Providers, http: httpx2.AsyncClient) -> Maker:
    from pydantic_ai.models.google import GoogleModel, GoogleModelSettings
    from pydantic_ai.profiles.google import GoogleModelProfile
    from pydantic_ai.providers import Provider as Account
    from pydantic_ai.providers.google import GoogleProvider
    from pydantic_ai.providers.google_cloud import GoogleCloudProvider

    account: Account[Any]
    if key := providers.key("gemini_api_key"):
        account = GoogleProvider(api_key=key, base_url=providers.gemini_base_url or _GEMINI, http_client=http)
    else:
        account = GoogleCloudProvider(
            project=providers.google_cloud_project,
            location=providers.google_cloud_location,
            credentials=providers.google_credentials,
            base_url=providers.gemini_base_url or _vertex_url(providers.google_cloud_location),
            http_client=http,
        )

    def make(id: str, profile: Profile) -> Model:
        levels = profile.thinking_levels.get(id)
        return GoogleModel(
            id,
            provider=account,
            profile=GoogleModelProfile(google_thinking_levels=levels) if levels else None,
            settings=GoogleModelSettings(**_settings(profile), google_safety_settings=_SAFETY_OFF),  # type: ignore[typeddict-item]
        )

    return make


def _vertex_url(location: str) -> str:
    """Return where Vertex AI serves `location`. Source: https://cloud.google.com/vertex-ai/docs/reference/rest"""
    match location:
        case "global":
            return "https://aiplatform.googleapis.com"
        case "us" | "eu":
            return f"https://aiplatform.{location}.rep.googleapis.com"
        case _:
            return f"https://{location}-aiplatform.googleapis.com"


def _anthropic(providers: Providers, http: httpx2.AsyncClient) -> Maker:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    account = AnthropicProvider(
        api_key=providers.key("anthropic_api_key"), base_url=providers.anthropic_base_url or _ANTHROPIC, http_client=http
    )
    return lambda id, profile: AnthropicModel(id, provider=account, settings=_settings(profile))


def _openai(providers: Providers, http: httpx2.AsyncClient) -> Maker:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    account = OpenAIProvider(
        api_key=providers.key("openai_api_key"), base_url=providers.openai_base_url or _OPENAI, http_client=http
    )
    return lambda id, profile: OpenAIChatModel(id, provider=account, settings=_settings(profile))


def _local(providers: Providers, http: httpx2.AsyncClient) -> Maker:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    account = OpenAICompatibleProvider(
        "local", base_url=providers.local_base_url or "", api_key=providers.key("local_api_key"), http_client=http
    )
    # Ollama knows `max_tokens` alone, the others both. https://github.com/rapidaai/voice-ai/issues/108
    # Whether a model hears is not known by its name, so none is taken to.
    dialect = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False, supports_audio_file_input=False)
    return lambda id, profile: OpenAIChatModel(id, provider=account, profile=dialect, settings=_settings(profile))


_MAKERS: Final[Mapping[Provider, Callable[[Providers, httpx2.AsyncClient], Maker]]] = {
    "gemini": _gemini,
    "anthropic": _anthropic,
    "openai": _openai,
    "local": _local,
}


def _settings(profile: Profile) -> ModelSettings:
    request_s = min(profile.request_s, profile.total_s)
    return ModelSettings(
        max_tokens=profile.max_tokens,
        # `False` becomes the lowest level that the model has; a level that it lacks is refused by some with a 400.
        thinking=False if profile.thinking == "lowest" else profile.thinking,
        timeout=min(profile.read_s, request_s),
        request_timeout=request_s,
        max_retries=0,
    )
