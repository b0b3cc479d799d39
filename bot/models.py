"""The models that the settings describe, opened: whoever is configured, or the understudy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module

import pydantic_ai
from pydantic import SecretStr

from bot.config_file import read_config
from bot.settings import Settings, refuse_understudy_beside_real
from bot.understudy import Understudy
from pipelines.models import Models, Providers
from pipelines.ports import UNDERSTUDY

# Sent where an address is set and no key: an emulator or a local server takes any.
NO_KEY = SecretStr("none")


@asynccontextmanager
async def open_models(settings: Settings, *, understudy: Understudy | None = None) -> AsyncIterator[Models]:
    """Open the models, loaded and ready to be asked; where none is configured `understudy` answers, or one of their own.

    Raises: `Misconfigured` when a model cannot be asked as configured, or when the understudy would stand beside a real
    platform; `Unavailable` when it does not start.
    """
    refuse_understudy_beside_real(settings)
    pydantic_ai.BANNER_ENABLED = False  # it would be printed among our answers
    config = read_config(settings)
    async with AsyncExitStack() as stack:
        accounts = providers(settings)
        if not settings.has_model:
            # The understudy is asked as Gemini is: what that needs is loaded while the child starts, which saves a second.
            loading = asyncio.create_task(asyncio.to_thread(import_module, "pydantic_ai.models.google"))
            if understudy is None:
                understudy = await stack.enter_async_context(Understudy())
            addresses = await understudy.addresses()
            await loading
            accounts = Providers(gemini_api_key=SecretStr(UNDERSTUDY), gemini_base_url=addresses.model)
        models = Models(accounts, allow_understudy=not settings.real_platforms, profiles=config.models, prices=config.prices)
        await stack.enter_async_context(models)
        await models.warm_up()
        yield models


def providers(settings: Settings) -> Providers:
    """Return the accounts that the settings give access to. An address for OpenAI is also that of a `local:` model."""
    return Providers(
        gemini_api_key=settings.gemini_api_key or (NO_KEY if settings.gemini_base_url else None),
        gemini_base_url=settings.gemini_base_url,
        google_cloud_project=settings.google_cloud_project,
        google_cloud_location=settings.google_cloud_location,
        anthropic_api_key=settings.anthropic_api_key or (NO_KEY if settings.anthropic_base_url else None),
        anthropic_base_url=settings.anthropic_base_url,
        openai_api_key=settings.openai_api_key,
        openai_base_url=settings.openai_base_url,
        local_api_key=settings.openai_api_key,
        local_base_url=settings.openai_base_url,
    )
