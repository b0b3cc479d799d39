"""A ModelsLab on two ports of the loopback interface: its own, and a foreign host to which nobody may ever be led."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from emulators.modelslab import admin
from emulators.modelslab.answers import Addresses
from emulators.modelslab.api import Api
from emulators.modelslab.assets import Assets
from emulators.modelslab.faults import Faults, Point, Value
from emulators.modelslab.jobs import Clock, Job, Queue
from emulators.modelslab.journal import Call, Hit, Journal
from emulators.modelslab.problems import Errors
from emulators.modelslab.sites import Site
from emulators.modelslab.webhooks import Webhooks

Hook = Callable[[Job], Awaitable[None]]

BODY_LIMIT_BYTES: Final = 32 * 1024 * 1024
DAY_S: Final = 24 * 60 * 60
WALLET_USD: Final = Decimal("43.60")
KEEPS: Final = 64  # files, where nothing may pile up


class ModelsLabEmulator:
    """Make what is asked for, at `base_url`, and fail as `fault` or the prompt says (`faults.FAULTS`, `faults.TOKEN`).

    One queue for everything: `slots` jobs may exist at once, of which `workers` (all, if None) are worked on, first in first
    out. A picture takes `work_s` seconds, a clip or sound `film_s` (as a picture, if None). A submit is answered with the
    picture if it is done within `sync_wait_s`. Files can be had for `ttl_s`. With `key` other keys are refused, with `models`
    other models are not found; `errors` says how errors come. With `label` pictures say that no model has made them.
    `on_submit_accepted` is awaited when a job was made and before the answer leaves, `on_poll` before a fetch is answered.
    Without `journal` the lists stay empty and old jobs and files are dropped. Raises: `ValueError` where `host` is not a
    loopback address.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: str | None = None,
        models: Collection[str] | None = None,
        slots: int = 5,
        workers: int | None = None,
        work_s: float = 0.02,
        film_s: float | None = None,
        sync_wait_s: float = 5.0,
        wallet_usd: Decimal = WALLET_USD,
        ttl_s: float = DAY_S,
        errors: Errors = "http",
        label: bool = False,
        journal: bool = True,
    ) -> None:
        self.key = key
        self.models = models
        self.work_s = work_s
        self.film_s = film_s
        self.sync_wait_s = sync_wait_s
        self.errors = errors
        self.on_submit_accepted: Hook | None = None
        self.on_poll: Hook | None = None
        self.foreign: list[Hit] = []
        self.clock = Clock()
        self._wallet_usd = wallet_usd
        self.faults = Faults()
        self.queue = Queue(
            self.clock, slots=slots, workers=workers, wallet_usd=wallet_usd, keeps=None if journal else KEEPS * 4
        )
        self.assets = Assets(self.clock, ttl_s=ttl_s, label=label, keeps=None if journal else KEEPS)
        self.webhooks = Webhooks(self.clock)
        self.journal = Journal(keeps=journal)
        self._changed = asyncio.Event()
        self._hooks: set[asyncio.Future[None]] = set()
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.add_routes([*Api(self).routes(), *self.assets.routes(), *admin.routes(self)])
        foreign = web.Application(client_max_size=BODY_LIMIT_BYTES)
        foreign.router.add_route("*", "/{path:.*}", self._on_foreign)
        self._site = Site(app, host=host, port=port)
        self._foreign_site = Site(foreign, host=host, port=0)

    async def __aenter__(self) -> Self:
        await self._site.open()
        await self._foreign_site.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._site.close()
        await self._foreign_site.close()
        await self.webhooks.close()
        for hook in self._hooks:
            hook.cancel()
        await asyncio.gather(*self._hooks, return_exceptions=True)
        await self.assets.close()

    # Addresses.

    @property
    def origin(self) -> str:
        return self._site.origin

    @property
    def base_url(self) -> str:
        return f"{self.origin}/api"

    @property
    def addresses(self) -> Addresses:
        return Addresses(origin=self.origin, foreign=self._foreign_site.origin)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of an app that has things made here."""
        return {"MODELSLAB_API_KEY": self.key or "emulated", "MODELSLAB_BASE_URL": self.base_url}

    # What happened.

    @property
    def accepted(self) -> int:
        """Return how many jobs were made."""
        return self.queue.accepted

    @property
    def in_flight(self) -> int:
        """Return how many jobs are queued or running."""
        return self.queue.in_flight

    @property
    def peak_in_flight(self) -> int:
        """Return how many jobs there were at most at one time, queued and running."""
        return self.queue.peak_in_flight

    @property
    def wallet_usd(self) -> Decimal:
        """Return what is left of the credit."""
        return self.queue.wallet_usd

    @property
    def jobs(self) -> list[Job]:
        """Return the jobs, oldest first."""
        return list(self.queue.jobs.values())

    @property
    def requests(self) -> list[Call]:
        """Return every request to the API, in order of arrival."""
        return self.journal.calls

    @property
    def submits(self) -> list[Call]:
        """Return every request to make something, whatever became of it."""
        return self.journal.submits

    async def wait_for(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait until `condition` holds; it is looked at after each request. Raises: `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self._changed.wait()

    # What shall happen.

    def fault(self, name: str, times: int | None = 1, *, value: Value = None, at: Point = "submit", path: str = "") -> None:
        """Switch a fault of `FAULTS` on, for `times` uses or until cleared. Faults of calls are for the calls `at`.

        `path` is a piece of the path of the requests that it is for; of several for one call, the first is used.
        Raises: `KeyError` for an unknown name, `ValueError` for an unknown `at`.
        """
        self.faults.switch_on(name, times=times, value=value, at=at, path=path)

    def clear_faults(self) -> None:
        self.faults.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass: jobs go on, files expire."""
        self.clock.advance(seconds)

    def reset(self) -> None:
        """Forget all jobs, files, faults and requests, and fill the wallet."""
        self.faults.clear()
        self.queue.clear(self._wallet_usd)
        self.assets.clear()
        self.journal.clear()
        self.foreign.clear()

    # For the routes.

    def take_down(self, call: Call, *, submit: bool) -> None:
        """Write a request into the journal and wake who waits for it."""
        self.journal.add(call, submit=submit)
        self.tell()

    def tell(self) -> None:
        """Wake everybody who waits for something to happen."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def call(self, hook: Hook | None, job: Job) -> None:
        """Run a hook to its end, even where the client leaves meanwhile, as one does that the hook kills."""
        if hook:
            running = asyncio.ensure_future(hook(job))
            self._hooks.add(running)
            running.add_done_callback(self._hooks.discard)
            await asyncio.shield(running)

    async def _on_foreign(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.foreign.append(Hit(method=request.method, path=request.path_qs, headers=dict(request.headers), body=body))
        self.tell()
        return web.json_response({"status": "success", "id": 1, "output": []})
