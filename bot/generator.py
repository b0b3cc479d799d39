"""Whoever makes pictures, clips and sound, opened as the settings describe it: ModelsLab, or the understudy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Final

from aiohttp import ClientSession
from pydantic import SecretStr
from yarl import URL

from bot.config_file import Config
from bot.downloads import Downloads, guarded_session
from bot.models import NO_KEY
from bot.settings import Settings, is_loopback
from bot.understudy import Understudy
from pipelines.errors import Unavailable
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.failures import GenerationFailed
from pipelines.generation.wish import MakerJob, Order
from pipelines.ports import UNDERSTUDY, Generator

NAME: Final = "ModelsLab"
HOPS: Final = 3  # a content network may send on to a nearer one


def needs_understudy(settings: Settings) -> bool:
    """Whether the understudy draws what is wished for. It never does for a real community, where its drawings would mislead."""
    return not settings.has_maker and not settings.real_platforms


@asynccontextmanager
async def open_generator(
    settings: Settings, *, config: Config, understudy: Understudy | None = None
) -> AsyncIterator[Generator | None]:
    """Open the maker that is configured, else `understudy`, which is started with the first wish; None where neither is there.

    The understudy makes nothing for a real community: its drawings would be taken for what was asked for.
    """
    if settings.has_maker:
        key = settings.modelslab_api_key or NO_KEY
        async with _open(settings.modelslab_base_url, NAME, key, config) as maker:
            yield maker
    elif understudy is not None and needs_understudy(settings):
        async with AsyncExitStack() as stack:
            yield _Drawing(understudy, config, stack)
    else:
        yield None


@asynccontextmanager
async def _open(address: str | None, name: str, key: SecretStr, config: Config) -> AsyncIterator[Generator]:
    from pipelines.generation.modelslab import API, ModelsLab  # only now: it brings an HTTP library that nothing else needs

    address = address or API
    async with (
        guarded_session(address) as session,
        ModelsLab(
            key=key,
            base_url=address,
            name=name,
            max_in_flight=config.modelslab.max_in_flight,
            prices=config.modelslab.prices,
            download=results_of(address, session).fetch,
        ) as maker,
    ):
        yield maker


class _Drawing:
    """The understudy as a `Generator`: a process of its own, which nobody needs who never wishes for anything."""

    name = UNDERSTUDY
    account = UNDERSTUDY

    def __init__(self, understudy: Understudy, config: Config, stack: AsyncExitStack) -> None:
        self.slots = config.modelslab.max_in_flight
        prices = config.modelslab.prices
        self.models = {each: offer.model.model_copy(update={"price_usd": prices.get(each)}) for each, offer in OFFERS.items()}
        self._understudy = understudy
        self._config = config
        self._stack = stack
        self._opening = asyncio.Lock()
        self._maker: Generator | None = None

    async def bring(self, picture: bytes, media_type: str) -> str:
        return await (await self._opened()).bring(picture, media_type)

    async def submit(self, order: Order) -> MakerJob:
        return await (await self._opened()).submit(order)

    async def poll(self, job: MakerJob) -> MakerJob:
        return await (await self._opened()).poll(job)

    def pause_s(self, job: MakerJob, polls: int) -> float:
        return self._maker.pause_s(job, polls) if self._maker else 0.0

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        return await (await self._opened()).fetch(job, limit_bytes=limit_bytes)

    async def balance(self) -> Decimal | None:
        return None

    async def _opened(self) -> Generator:
        """Return the maker that speaks with it. Raises: `GenerationFailed` when it does not start."""
        async with self._opening:
            if self._maker is None:
                try:
                    address = (await self._understudy.addresses()).maker
                except Unavailable:
                    raise GenerationFailed("away") from None
                self._maker = await self._stack.enter_async_context(_open(address, UNDERSTUDY, NO_KEY, self._config))
            return self._maker


def results_of(address: str, session: ClientSession) -> Downloads:
    """Return what fetches results of the maker at `address`: from anywhere on the internet, since its hosts change, by https.

    An emulator on this machine serves its results itself, by http. It alone may do so, and only at exactly its host and port.
    """
    emulator = URL(address).origin() if is_loopback(address) else None

    def allowed(url: URL) -> bool:
        return url.origin() == emulator or (url.scheme == "https" and url.port == 443)

    return Downloads(session, allowed=allowed, hops=HOPS)
