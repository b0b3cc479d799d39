"""ModelsLab (https://modelslab.com) as the maker of pictures, clips and sound.

One call is one request, save for what costs nothing: whether something is asked for once more is decided where it is on record
(`make`). There is no way to cancel a job and none to recognise a repeated request, so that every request counts as paid for
until the answer says that no job was made.
"""

import asyncio
import base64
import binascii
import hashlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from types import MappingProxyType, TracebackType
from typing import Final, Protocol, Self
from urllib.parse import quote

import structlog
from pydantic import SecretStr, ValidationError

from pipelines.errors import Gone, Misconfigured, Unavailable, UserError
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.failures import REJECTIONS, FailureKind, GenerationFailed
from pipelines.generation.modelslab_bodies import Upload
from pipelines.generation.modelslab_calls import Calls, Timeouts, Trouble
from pipelines.generation.modelslab_wire import Answer, Said, after_poll, after_submit, why
from pipelines.generation.wish import SEED_MAX, MakerJob, MakerModel, Order
from pipelines.media.kinds import kind_of

log = structlog.get_logger()

API: Final = "https://modelslab.com/api"
BROUGHT_BYTES: Final = 3_700_000  # 5 MB are taken; it is not documented whether of the picture or of its base64

# Asking before the estimate is over can be answered "not found", and estimates can be hours (both observed by integrators).
FIRST_PAUSE_S: Final = (3.0, 60.0)
NEXT_PAUSE_S: Final = 3.0
GROWTH: Final = 1.5
PAUSE_MAX_S: Final = 10.0
JITTER: Final = 0.2  # of a pause, so that jobs begun together are not asked about together

NOT_FOUND_S: Final = 60.0  # A job that exists can be "not found" at first (observed).
ODD_ANSWERS: Final = 3  # that are endured about one job
MISSING_TRIES: Final = 16  # Results answer 404 for up to 40 s (observed); these take 45.
MISSING_PAUSE_S: Final = 3.0
FAILING_TRIES: Final = 3
FREE_PAUSES_S: Final = (1.0, 3.0)  # between tries of what costs nothing

TIMEOUTS: Final = Timeouts()
MEDIA: Final = frozenset({"picture", "video", "sound"})


class Download(Protocol):
    """Fetches an address that a stranger has named, so that it cannot lead into our network (`bot.downloads`).

    Raises: `Gone` when nothing is there, another `UserError` when it is too large or not ours to read, `Unavailable` when the
    host fails.
    """

    async def __call__(self, url: str, *, limit_bytes: int) -> bytes: ...


class ModelsLab:
    """The `Generator` at ModelsLab, or at whoever speaks like it.

    `max_in_flight`: how many jobs the account may have at once, 5, 10 or 15 by its plan. `prices`: US dollars by model.
    """

    def __init__(
        self,
        *,
        key: SecretStr,
        base_url: str = API,
        name: str = "ModelsLab",
        max_in_flight: int = 5,
        prices: Mapping[str, Decimal] = MappingProxyType({}),
        download: Download,
        timeouts: Timeouts = TIMEOUTS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises: `Misconfigured` when a price is for a model that is not offered."""
        if unknown := sorted(prices.keys() - OFFERS.keys()):
            raise Misconfigured(f"There is a price for {unknown[0]}, which is no model. These are: {', '.join(OFFERS)}.")
        self._calls = Calls(key=key, base_url=base_url, timeouts=timeouts, monotonic=monotonic)
        self._name = name
        self._account = "modelslab:" + hashlib.sha256(b"account:" + key.get_secret_value().encode()).hexdigest()[:16]
        self._slots = max_in_flight
        self._models = {each: offer.model.model_copy(update={"price_usd": prices.get(each)}) for each, offer in OFFERS.items()}
        self._download = download
        self._timeouts = timeouts
        self._sleep = sleep
        self._now = now

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.close()

    @property
    def name(self) -> str:
        return self._name

    @property
    def account(self) -> str:
        return self._account

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def models(self) -> Mapping[str, MakerModel]:
        return self._models

    async def bring(self, picture: bytes, media_type: str) -> str:
        """Lay a picture where ModelsLab reads it, and everybody else who knows the address, for 24 hours.

        Raises: `GenerationFailed` (`validation`) for more than `BROUGHT_BYTES` and what is neither PNG, JPEG nor WebP.
        """
        fields = _upload(picture, media_type)
        if fields is None:
            raise GenerationFailed("validation")
        answer = await self._ask_freely("v6/base64_to_url", fields, read_s=self._timeouts.submit_s)
        if not answer.results or not answer.results[0].startswith(("https://", "http://")):
            raise GenerationFailed("bad_response")
        return answer.results[0]

    async def submit(self, order: Order) -> MakerJob:
        """Ask for one thing, once. A seed of our own stands in for none, since equal requests are taken for spam."""
        offer = OFFERS.get(order.model)
        seeded = order if order.seed is not None else order.model_copy(update={"seed": secrets.randbelow(SEED_MAX + 1)})
        written = offer.written(seeded) if offer is not None else None
        if offer is None or written is None:
            raise GenerationFailed("validation")
        way, fields = written
        said = await self._calls.post(way.path, fields, read_s=self._timeouts.submit_s, to_its_end=True)
        begun = _trouble(said, broken="unclear") if isinstance(said, str) else after_submit(said)
        if isinstance(begun, str):
            raise self._failed(begun, said, way.path)
        answer, used = begun.answer, begun.answer.meta.seed if begun.answer.meta.seed is not None else seeded.seed
        return MakerJob(
            handle=answer.job or "",
            family=way.family,
            state=begun.state,
            urls=answer.results if begun.state == "done" else (),
            eta_s=answer.eta,
            seed=used if "seed" in offer.model.takes else None,
            nsfw=answer.nsfw_content_detected,
        )

    def pause_s(self, job: MakerJob, polls: int) -> float:
        if polls == 0:
            least, most = FIRST_PAUSE_S
            return min(max(job.eta_s or 0.0, least), most)
        pause_s = min(NEXT_PAUSE_S * GROWTH ** min(polls - 1, 9), PAUSE_MAX_S)
        return pause_s * random.uniform(1 - JITTER, 1)

    async def poll(self, job: MakerJob) -> MakerJob:
        if job.state == "done":
            return job
        if not job.handle:
            raise GenerationFailed("bad_response")
        now = self._now()
        job = job if job.asked_at is not None else job.model_copy(update={"asked_at": now})
        path = f"{job.family}/fetch/{quote(job.handle, safe='')}"  # never the address that the server names: it gets our key
        said = await self._calls.post(path, {}, read_s=self._timeouts.poll_s)
        outcome = _trouble(said, broken="upstream") if isinstance(said, str) else after_poll(said)
        match outcome:
            case "running":
                return job
            case "done" if isinstance(said, Said) and said.answer is not None:
                flag = said.answer.nsfw_content_detected
                done = {"state": "done", "urls": said.answer.results, "nsfw": job.nsfw if flag is None else flag}
                return job.model_copy(update=done)
            case "odd" if job.odd_answers < ODD_ANSWERS:
                return job.model_copy(update={"odd_answers": job.odd_answers + 1})
            case "lost" if job.asked_at is not None and now - job.asked_at < NOT_FOUND_S:
                return job
            case "done" | "odd":
                raise self._failed("bad_response", said, job.family)
            case _:
                raise self._failed(outcome, said, job.family)

    async def fetch(self, job: MakerJob, *, limit_bytes: int) -> bytes:
        """Return the first of a job's results that can be had and is a picture, a clip or sound.

        All of its addresses are tried in turn, for longer than results are known to need until they are there.
        """
        left, failures = list(job.urls), dict.fromkeys(job.urls, 0)
        for tried in range(MISSING_TRIES):
            if tried:
                await self._sleep(MISSING_PAUSE_S)
            for address in tuple(left):
                try:
                    data = await self._at(address, limit_bytes)
                except Gone:
                    continue
                except Unavailable:
                    failures[address] += 1
                    if failures[address] == FAILING_TRIES:
                        left.remove(address)
                    continue
                if data is not None:
                    return data
                left.remove(address)
            if not left:
                break
        # What a host may only have trouble with can be had later: it is paid for.
        raise self._failed("upstream" if any(failures.values()) else "bad_response", None, job.family)

    async def balance(self) -> Decimal | None:
        return (await self._ask_freely("wallet_balance", {}, read_s=self._timeouts.poll_s)).data.balance

    async def _ask_freely(self, path: str, fields: Mapping[str, object], *, read_s: float) -> Answer:
        """Return a good answer to what costs nothing, asked for again where that may help."""
        for pause_s in (*FREE_PAUSES_S, None):
            said = await self._calls.post(path, fields, read_s=read_s)
            if isinstance(said, Said) and said.answer is not None and said.answer.status == "success":
                return said.answer
            kind = _free_failure(said)
            if pause_s is None or kind not in REJECTIONS:
                break
            await self._sleep(pause_s)
        raise self._failed(kind, said, path)

    async def _at(self, address: str, limit_bytes: int) -> bytes | None:
        """Return what lies at an address, or is written in its place; None where that is of no use.

        Raises: `Gone`, `Unavailable`.
        """
        try:
            data = _decoded(address) if not address.startswith(("https://", "http://")) else None
            data = data if data is not None else await self._download(address, limit_bytes=limit_bytes)
        except Gone:
            raise
        except UserError:
            return None
        if not _is_media(data):
            data = _decoded(data.decode("ascii", "replace"))
        return data if data is not None and len(data) <= limit_bytes and _is_media(data) else None

    def _failed(self, kind: FailureKind, said: Said | Trouble | None, path: str) -> GenerationFailed:
        status, wait_s = None, None
        if isinstance(said, Said):
            status, wait_s = said.http_status, said.retry_after_s(kind, now=self._now())
        log.warning("modelslab.failed", kind=kind, path=path, http_status=status)
        return GenerationFailed(kind, retry_after_s=wait_s)


def _trouble(trouble: Trouble, *, broken: FailureKind) -> FailureKind:
    return "away" if trouble == "away" else broken


def _free_failure(said: Said | Trouble) -> FailureKind:
    if isinstance(said, str):
        return _trouble(said, broken="upstream")
    if said.answer is None:
        return "bad_response" if 300 <= said.http_status < 400 else "upstream"
    kind = why(said.answer, said.http_status)
    return "bad_response" if kind == "lost" else kind


def _upload(picture: bytes, media_type: str) -> dict[str, object] | None:
    if len(picture) > BROUGHT_BYTES:
        return None
    try:
        return Upload(base64_string=f"data:{media_type};base64,{base64.b64encode(picture).decode()}").fields()
    except ValidationError:
        return None


def _decoded(text: str) -> bytes | None:
    """Return what is written in base64, with or without `data:` before it; None where it is something else."""
    head, comma, tail = text.partition(",")
    if head.startswith("data:"):
        if not comma or not head.endswith(";base64"):
            return None
        text = tail
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_media(data: bytes) -> bool:
    """Whether the bytes begin like something that is made here: a page is none, whatever type it is announced with."""
    kind = kind_of(data)
    return kind is not None and kind.family in MEDIA
