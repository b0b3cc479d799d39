"""The hosts that files lie at: results under two addresses each, and what was brought. With the faults of downloads."""

import asyncio
import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web

from emulators.delivery import Reply, send
from emulators.modelslab import making
from emulators.modelslab.faults import Value
from emulators.modelslab.jobs import Clock, Job

PAGE: Final = b"<!doctype html><title>Just a moment</title><p>Checking your browser."
GONE: Final = Reply(pieces=(b"<Error><Code>NoSuchKey</Code></Error>",), status=404, media_type="application/xml")
EXPIRED: Final = Reply(pieces=(b"<Error><Code>AccessDenied</Code></Error>",), status=403, media_type="application/xml")
CHUNK: Final = bytes(64 * 1024)


@dataclass(slots=True, kw_only=True)
class Asset:
    """One file, made by `make` in a thread, into `content`; who asks waits for it. `missed`: 404s so far, by address."""

    name: str
    made_s: float
    job: Job | None
    make: Callable[[], bytes]
    content: asyncio.Future[bytes] | None = None
    missed: dict[str, int] = field(default_factory=dict)

    async def read(self) -> bytes:
        self.begin()
        assert self.content is not None
        return await asyncio.shield(self.content)

    def begin(self) -> None:
        if self.content is None:
            self.content = asyncio.ensure_future(asyncio.to_thread(self.make))


class Assets:
    """All files, by path. `keeps` of them at most, the newest (all, if None)."""

    def __init__(self, clock: Clock, *, ttl_s: float, label: bool, keeps: int | None) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._label = label
        self._keeps = keeps
        self._assets: dict[str, Asset] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/generations/{name}", self._on_get),
            web.get("/proxy/generations/{name}", self._on_get),
            web.get("/uploads/{name}", self._on_get),
        ]

    def begin(self, job: Job, count: int, source: bytes | None) -> None:
        """Name the files of a job and begin with its pictures. Clips and sounds take longer: they wait until somebody asks."""
        stem = uuid.uuid4()
        for index in range(count):
            name = f"{stem}-{index}{making.extension(job)}"
            job.names.append(name)
            asset = self._put(f"generations/{name}", job, partial(self._made, job, index, source))
            if job.operation.made == "picture":
                asset.begin()

    def store(self, data: bytes, suffix: str) -> str:
        """Keep what was brought; return its path."""
        return self._put(f"uploads/{uuid.uuid4()}{suffix}", None, lambda: data).name

    async def read(self, path: str) -> bytes | None:
        """Return the bytes of a file that is still there."""
        asset = self._assets.get(path.removeprefix("proxy/"))
        if asset is None or self._is_over(asset) or (asset.job and asset.job.deleted):
            return None
        return await asset.read()

    async def close(self) -> None:
        """Wait for what is being made: a thread cannot be stopped."""
        begun = [asset.content for asset in self._assets.values() if asset.content]
        await asyncio.gather(*begun, return_exceptions=True)

    def clear(self) -> None:
        self._assets.clear()

    def _made(self, job: Job, index: int, source: bytes | None) -> bytes:
        data = making.make(job, index, source, label=self._label)
        return base64.b64encode(data) if "base64_file" in job.faults else data

    def _put(self, path: str, job: Job | None, make: Callable[[], bytes]) -> Asset:
        made_s = max(self._clock.now_s(), job.ends_s if job else 0)
        asset = self._assets[path] = Asset(name=path, made_s=made_s, job=job, make=make)
        while self._keeps is not None and len(self._assets) > self._keeps:
            del self._assets[next(iter(self._assets))]
        return asset

    def _is_over(self, asset: Asset) -> bool:
        return self._clock.now_s() - asset.made_s >= self._ttl_s

    async def _on_get(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/")
        asset = self._assets.get(path.removeprefix("proxy/"))
        if asset is None or (asset.job and (asset.job.deleted or self._clock.now_s() < asset.job.ends_s)):
            return await send(request, GONE)
        if self._is_over(asset):
            return await send(request, EXPIRED)
        faults = asset.job.faults if asset.job else {}
        if "url_404_forever" in faults or ("proxy_only" in faults and not path.startswith("proxy/")):
            return await send(request, GONE)
        missed, times = asset.missed.get(path, 0), faults.get("url_404_k")
        if isinstance(times, int | float) and missed < times:
            asset.missed[path] = missed + 1
            return await send(request, GONE)
        if "url_403_expired" in faults:
            return await send(request, EXPIRED)
        return await _sent(request, await asset.read(), making.media_type(asset.name), faults)


async def _sent(request: web.Request, data: bytes, media_type: str, faults: Mapping[str, Value]) -> web.StreamResponse:
    """Send a file as the faults of downloads want it."""
    if "html_as_image" in faults:
        data = PAGE
    response = web.StreamResponse(headers={"Content-Type": "text/plain" if "text_plain" in faults else media_type})
    if "huge" not in faults:
        response.content_length = len(data)
    await response.prepare(request)
    if "stall_mid" in faults or "short_length" in faults:
        await response.write(data[: len(data) // 2])
        if "stall_mid" in faults:
            await asyncio.Event().wait()  # until the client leaves
        if request.transport:
            request.transport.close()
        return response
    await response.write(data)
    huge = faults.get("huge")
    for _ in range((int(huge) if isinstance(huge, int | float) else 0) // len(CHUNK)):
        await response.write(CHUNK)
    await response.write_eof()
    return response
