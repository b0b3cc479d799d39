"""Whoever makes pictures, clips and sound, opened as the settings describe it: ModelsLab, or the understudy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientSession
from pydantic import SecretStr
from yarl import URL

from bot.config_file import Config
from bot.downloads import Downloads, guarded_session
from bot.models import NO_KEY
from bot.settings import Settings, is_loopback
from pipelines.ports import UNDERSTUDY, Generator

NAME: Final = "ModelsLab"
HOPS: Final = 3  # a content network may send on to a nearer one


def needs_understudy(settings: Settings) -> bool:
    """Whether the understudy draws what is wished for. It never does for a real community, where its drawings would mislead."""
    return not settings.has_maker and not settings.real_platforms


@asynccontextmanager
async def open_generator(settings: Settings, *, config: Config, understudy_url: str | None) -> AsyncIterator[Generator | None]:
    """Open the maker that is configured, else the understudy at `understudy_url` where one is needed, else None."""
    understudy = understudy_url if needs_understudy(settings) else None
    if understudy is None and not settings.has_maker:
        yield None
        return
    from pipelines.generation.modelslab import API, ModelsLab  # only now: it brings an HTTP library that nothing else needs

    address = understudy or settings.modelslab_base_url or API
    async with (
        guarded_session(address) as session,
        ModelsLab(
            key=SecretStr(UNDERSTUDY) if understudy else settings.modelslab_api_key or NO_KEY,
            base_url=address,
            name=UNDERSTUDY if understudy else NAME,
            max_in_flight=config.modelslab.max_in_flight,
            prices=config.modelslab.prices,
            download=results_of(address, session).fetch,
        ) as maker,
    ):
        yield maker


def results_of(address: str, session: ClientSession) -> Downloads:
    """Return what fetches results of the maker at `address`: from anywhere on the internet, since its hosts change, by https.

    An emulator on this machine serves its results itself, by http. It alone may do so, and only at exactly its host and port.
    """
    emulator = URL(address).origin() if is_loopback(address) else None

    def allowed(url: URL) -> bool:
        return url.origin() == emulator or (url.scheme == "https" and url.port == 443)

    return Downloads(session, allowed=allowed, hops=HOPS)
