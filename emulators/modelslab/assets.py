"""The hosts that files lie at: results under two addresses each, and what was brought. With the faults of downloads."""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from aiohttp import web

from emulators.delivery import Reply, cut, send
from emulators.modelslab import making
from emulators.modelslab.faults import Value
from emulators.modelslab.jobs import Clock, Job

PAGE: Final = b"<!doctype html><title>Just a moment</title><p>Checking your browser."
GONE: Final = Reply(pieces=(b"<Error><Code>NoSuchKey</Code></Error>",), status=404, media_type="application/xml")
EXPIRED: Final = Reply(pieces=(b"<Error><Code>AccessDenied</Code></Error>",), status=403, media_type="application/xml")
CHUNK: Final = bytes(64 * 1024)


@dataclass(slots=True, kw_only=True)
class Asset:
    """One file. It is made ahead, in a thread; who asks before that waits. `missed`: 404s so far, by address."""

    name: str
    made_s: float
    job: Job | None
    content: asyncio.Future[bytes]
    missed: dict[str, int] = field(default_factory=dict)


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
        """Begin to make the files of a job."""
        stem = uuid.uuid4()
        for index in range(count):
            name = f"{stem}-{index}{making.extension(job)}"
            job.names.append(name)
            self._put(f"generations/{name}", job, self._made(job, index, source))

    def store(self, data: bytes, suffix: str) -> str:
        """Keep what was brought; return its path."""
        path = f"uploads/{uuid.uuid4()}{suffix}"
        content: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        content.set_result(data)
        self._put(path, None, content)
        return path

    async def read(self, path: str) -> bytes | None:
        """Return the bytes of a file that is still there."""
        asset = self._assets.get(path.removeprefix("proxy/"))
        if asset is None or self._is_over(asset) or (asset.job and asset.job.deleted):
            return None
        return await asyncio.shield(asset.content)

    async def close(self) -> None:
        """Wait for what is being made: a thread cannot be stopped."""
        await asyncio.gather(*(asset.content for asset in self._assets.values()), return_exceptions=True)

    def clear(self) -> None:
        self._assets.clear()

    def _made(self, job: Job, index: int, source: bytes | None) -> asyncio.Future[bytes]:
        def work() -> bytes:
            data = making.make(job, index, source, label=self._label)
            return base64.b64encode(data) if "base64_file" in job.faults else data

        return asyncio.ensure_future(asyncio.to_thread(work))

    def _put(self, path: str, job: Job | None, content: asyncio.Future[bytes]) -> None:
        made_s = max(self._clock.now_s(), job.ends_s if job else 0)
        self._assets[path] = Asset(name=path, made_s=made_s, job=job, content=content)
        while self._keeps is not None and len(self._assets) > self._keeps:
            del self._assets[next(iter(self._assets))]

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
        reply = Reply(pieces=(await asyncio.shield(asset.content),), media_type=making.media_type(asset.name))
        return await _sent(request, reply, faults)


async def _sent(request: web.Request, reply: Reply, faults: Mapping[str, Value]) -> web.StreamResponse:
    """Send a file as the first fault of downloads wants it."""
    if "html_as_image" in faults:
        return await send(request, replace(reply, pieces=(PAGE,)))
    if "text_plain" in faults:
        return await send(request, replace(reply, media_type="text/plain"))
    if "short_length" in faults:
        return await cut(request, reply)
    if "stall_mid" in faults or "huge" in faults:
        return await _endless(request, reply, faults)
    return await send(request, reply)


async def _endless(request: web.Request, reply: Reply, faults: Mapping[str, Value]) -> web.StreamResponse:
    """Send half of a file and then nothing, until the client leaves; or more than all of it."""
    response = web.StreamResponse(headers={"Content-Type": reply.media_type})
    if "stall_mid" in faults:
        response.content_length = len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
        await asyncio.Event().wait()
    await response.prepare(request)
    await response.write(reply.body)
    left = faults["huge"]
    for _ in range((int(left) if isinstance(left, int | float) else 0) // len(CHUNK)):
        await response.write(CHUNK)
    await response.write_eof()
    return response
