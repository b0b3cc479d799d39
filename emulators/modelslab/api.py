"""The routes of the API: submits, fetches, uploads and what else the account can be asked."""

import asyncio
import base64
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

from emulators.data_urls import from_base64
from emulators.delivery import Reply, as_html, as_json, drip, reset, send
from emulators.modelslab import answers
from emulators.modelslab.drawing import NotAPicture, opened
from emulators.modelslab.faults import Point, Switch
from emulators.modelslab.jobs import Job
from emulators.modelslab.journal import Call, masked
from emulators.modelslab.making import media_type
from emulators.modelslab.operations import FAMILIES, OPERATIONS, Operation, check, flag, number, samples, sources, text
from emulators.modelslab.problems import (
    NOT_FETCHED,
    NOT_FOUND,
    TOO_LARGE,
    WARMING,
    Json,
    Refused,
    bad_request,
    invalid,
    refusal,
)
from emulators.problems import Problem, Rejected

if TYPE_CHECKING:
    from emulators.modelslab.server import ModelsLabEmulator

Work = Callable[[Json], Awaitable[Json]]

UPLOAD_BYTES: Final = 5 * 1024 * 1024
UPLOADED: Final = ("base64_string", "init_image", "init_audio", "init_obj")
SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "video/mp4": ".mp4"}
BAD_GATEWAY: Final = Problem(status=502, message="Bad gateway")
TOO_LATE: Final = Problem(status=524, message="A timeout occurred")


class Api:
    """Answers the requests to an emulator."""

    def __init__(self, emulator: "ModelsLabEmulator") -> None:
        self._emulator = emulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes below `/api/`."""
        families = ("v6", *(family for family in FAMILIES if family.startswith("v6/")))
        return [
            *(web.post(f"/api/{path}", partial(self._on_submit, each)) for path, each in OPERATIONS.items()),
            *(web.post(f"/api/{family}/fetch/{{id}}", partial(self._on_fetch, family)) for family in FAMILIES),
            web.post("/api/v6/images/fetch", partial(self._on_fetch, "v6/images")),
            *(web.post(f"/api/{family}/base64_to_url", self._on_upload) for family in families),
            *(web.post(f"/api/{at}wallet_balance", self._on_balance) for at in ("", "v6/")),
            web.post("/api/v6/processing/request_count", self._on_count),
            *(web.post(f"/api/{version}/delete_image", self._on_delete) for version in ("v3", "v6")),
        ]

    # --- One call ------------------------------------------------------------------------------------------------------------

    async def _on_submit(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        body = await self._body_of(request, submit=True)
        return await self._answer(request, body, "submit", lambda given: self._submit(operation, given))

    async def _on_fetch(self, family: str, request: web.Request) -> web.StreamResponse:
        body = await self._body_of(request)
        job = self._job_of(family, request.match_info.get("id") or str((body or {}).get("request_id")))
        also = job.calls if job else []
        return await self._answer(request, body, "fetch", lambda _: self._told(job, family), also=also)

    async def _on_upload(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self._body_of(request), "upload", self._upload)

    async def _on_balance(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self._body_of(request), "balance", self._balance)

    async def _on_count(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self._body_of(request), "count", self._count)

    async def _on_delete(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self._body_of(request), "delete", self._delete)

    async def _body_of(self, request: web.Request, *, submit: bool = False) -> Json | None:
        """Return the body, noted in the journal; None where it is no JSON object."""
        try:
            given = json.loads(await request.read())
        except ValueError:
            given = None
        body: Json | None = given if isinstance(given, dict) and request.content_type == "application/json" else None
        call = Call(
            method=request.method,
            path=request.path.removeprefix("/api/"),
            body=masked(body or {}),
            at_s=self._emulator.clock.now_s(),
        )
        self._emulator.take_down(call, submit=submit)
        return body

    async def _answer(
        self,
        request: web.Request,
        body: Json | None,
        point: Point,
        work: Work,
        *,
        also: list[Switch] | None = None,
    ) -> web.StreamResponse:
        """Do what a call is for and answer it, as the first fault that is on for it wants it."""
        emulator = self._emulator
        path = request.path.removeprefix("/api/")
        switch = emulator.faults.of_call(point, path, text(body or {}, "prompt"), also)
        if switch is None:
            return await send(request, await self._done(body, work))
        if switch.fault.done:
            return await _sent(request, await self._done(body, work), switch)
        return await self._spoilt(request, switch.name)

    async def _done(self, body: Json | None, work: Work) -> Reply:
        try:
            if body is None:
                raise bad_request()
            self._check_key(body)
            return as_json(await work(body))
        except Refused as refused:
            return refused.reply(self._emulator.errors)
        finally:
            self._emulator.tell()

    async def _spoilt(self, request: web.Request, fault: str) -> web.StreamResponse:
        """Answer without having done anything."""
        emulator = self._emulator
        match fault:
            case "reset_before":
                return reset(request)
            case "warmup":
                return await send(request, as_json(WARMING))
            case "empty_body":
                return await send(request, Reply())
            case "502_html":
                return await send(request, as_html(BAD_GATEWAY))
            case "redirect_307":
                there = emulator.addresses.evil("foreign", request.path)
                return await send(request, Reply(status=307, headers={"Location": there}))
            case _:
                queue, now_s = emulator.queue, emulator.clock.now_s()
                refused = refusal(fault, slots=queue.slots, current=queue.in_flight, now_s=now_s)
                return await send(request, refused.reply(emulator.errors))

    def _check_key(self, body: Json) -> None:
        given = body.get("key")
        if not given:
            raise Refused(status=401, body={"message": "API key required"})
        if self._emulator.key is not None and given != self._emulator.key:
            raise Refused(status=401, body={"message": "Invalid API key"})

    # --- Making --------------------------------------------------------------------------------------------------------------

    async def _submit(self, operation: Operation, body: Json) -> Json:
        emulator = self._emulator
        check(operation, body)
        self._check_model(body)
        source = await self._source_of(body)
        emulator.queue.admit(operation)
        own = {name: value for name, value in body.items() if name != "key"}
        prompt = text(body, "prompt")
        at_once = operation.made == "picture" and not flag(body, "instant_response")
        job = emulator.queue.accept(
            operation,
            own,
            prompt=prompt,
            seed=int(number(body, "seed", 0)) if body.get("seed") is not None else None,
            work_s=emulator.work_s if operation.made == "picture" or emulator.film_s is None else emulator.film_s,
            sync_wait_s=emulator.sync_wait_s if at_once else -math.inf,
            faults=emulator.faults.of_job(operation.path, prompt),
        )
        emulator.assets.begin(job, samples(body) if operation.made == "picture" else 1, source)
        emulator.webhooks.begin(job, *self._for_webhook(job))
        emulator.tell()
        await emulator.call(emulator.on_submit_accepted, job)
        if job.later:
            return answers.processing(job, emulator.addresses, emulator.clock.now_s(), submitted=True)
        await emulator.clock.reach(job.ends_s)
        return await self._success(job, submitted=True)

    def _for_webhook(self, job: Job) -> tuple[list[str], str]:
        at = self._emulator.addresses
        return at.results(job)[0], at.evil("foreign", "/generations/forged.png")

    def _check_model(self, body: Json) -> None:
        models, name = self._emulator.models, body.get("model_id")
        if models is not None and name is not None and name not in models:
            raise invalid(f"Model not found: {name}")

    async def _source_of(self, body: Json) -> bytes | None:
        """Return the picture that the request begins with; all that it names must be there. Raises: `Refused`."""
        found = [await self._fetched(url) for url in sources(body)]
        for data in found:
            try:
                await asyncio.to_thread(opened, data)
            except NotAPicture:
                raise invalid(NOT_FETCHED) from None
        return found[0] if found else None

    async def _fetched(self, url: str) -> bytes:
        """Return what lies at an address of ours or within a data: address; an emulator goes nowhere else."""
        if url.startswith("data:"):
            return _decoded(url)
        parts = urlsplit(url)
        ours = f"{parts.scheme}://{parts.netloc}" == self._emulator.origin
        data = await self._emulator.assets.read(parts.path.removeprefix("/")) if ours else None
        if data is None:
            raise invalid(NOT_FETCHED)
        return data

    # --- Telling -------------------------------------------------------------------------------------------------------------

    def _job_of(self, family: str, id: str) -> Job | None:
        job = self._emulator.queue.jobs.get(int(id)) if id.isdecimal() else None
        # Pictures of v7 can be asked for among those of v6.
        if job and (job.operation.family == family or {job.operation.family, family} == {"v6/images", "v7/images"}):
            return job
        return None

    async def _told(self, job: Job | None, family: str) -> Json:
        emulator = self._emulator
        if job is None:
            raise _not_found(family)
        await emulator.call(emulator.on_poll, job)
        job.polls += 1
        if "not_found_forever" in job.faults or job.takes("not_found_early"):
            raise _not_found(family)
        if job.takes("try_again_poll"):
            return WARMING
        if "unknown_status" in job.faults:
            return answers.unknown(job)
        now_s = emulator.clock.now_s()
        state = job.state(now_s)
        if state in ("queued", "running"):
            job.polls_left = max(0, job.polls_left - 1)
            return answers.processing(job, emulator.addresses, now_s, submitted=False)
        return answers.failed(job) if state == "failed" else await self._success(job, submitted=False)

    async def _success(self, job: Job, *, submitted: bool) -> Json:
        emulator = self._emulator
        outputs = emulator.addresses.results(job)[0]
        if "inline_base64" in job.faults or "data_uri" in job.faults:
            outputs = [await self._inline(job, name) for name in job.names]
        return answers.success(job, emulator.addresses, outputs, submitted=submitted)

    async def _inline(self, job: Job, name: str) -> str:
        data = base64.b64encode(await self._emulator.assets.read(f"generations/{name}") or b"").decode()
        return f"data:{media_type(name)};base64,{data}" if "data_uri" in job.faults else data

    # --- The account ---------------------------------------------------------------------------------------------------------

    async def _upload(self, body: Json) -> Json:
        given = next((body[name] for name in UPLOADED if isinstance(body.get(name), str)), "")
        if not given:
            raise invalid("base64_string is required")
        data = _decoded(given)
        if len(data) > UPLOAD_BYTES:
            raise invalid(TOO_LARGE)
        emulator = self._emulator
        suffix = SUFFIXES.get(given.partition(";")[0].removeprefix("data:"), "")
        return {"status": "success", "id": 1, "output": [f"{emulator.origin}/{emulator.assets.store(data, suffix)}"]}

    async def _balance(self, body: Json) -> Json:
        return {"status": "success", "data": {"balance": float(self._emulator.wallet_usd), "currency": "USD"}}

    async def _count(self, body: Json) -> Json:
        message = "Current processing request count retrieved successfully"
        return {"status": "success", "processing_count": self._emulator.in_flight, "message": message}

    async def _delete(self, body: Json) -> Json:
        id = str(body.get("request_id"))
        job = self._emulator.queue.jobs.get(int(id)) if id.isdecimal() else None
        if job is None:
            raise invalid("Request not found")
        job.deleted = True
        return {"status": "success", "messege": "image deleted"}


def _decoded(url: str) -> bytes:
    try:
        return from_base64(url.partition("base64,")[2] if url.startswith("data:") else url)
    except Rejected:
        raise invalid("The base64 string is invalid.") from None


def _not_found(family: str) -> Refused:
    """Return the answer about a job that nobody knows; for clips it has the status that is documented for them."""
    return Refused(status=404 if "video" in family else 200, body=NOT_FOUND)


async def _sent(request: web.Request, reply: Reply, switch: Switch) -> web.StreamResponse:
    """Send an answer as a fault wants it that lets the work be done."""
    wait_s = float(switch.value) if isinstance(switch.value, int | float) else 0.0
    match switch.name:
        case "reset_after_accept":
            return reset(request)
        case "truncated_json":
            return await send(request, replace(reply, pieces=(reply.body[: len(reply.body) // 2],)))
        case "json_array":
            return await send(request, replace(reply, pieces=(b"[" + reply.body + b"]",)))
        case "error_with_result":
            return await send(request, replace(reply, status=500))
        case "drip_body":
            return await drip(request, reply, every_s=wait_s)
        case "524_html":
            return await send(request, as_html(TOO_LATE))
        case "524_json":
            return await send(request, as_json({"status": "error", "message": TOO_LATE.message}, status=TOO_LATE.status))
        case _:
            await asyncio.sleep(wait_s)
            return await send(request, reply)
