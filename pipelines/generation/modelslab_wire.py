"""What ModelsLab says: a reader that takes whatever comes, and what an answer means.

Almost everything varies between endpoints: names, types, and whether a failure has an HTTP status of its own. So the body
counts first and the status last. Nothing that is read here is shown to members: `meta` holds prompts that the server
has rewritten, links are public, and messages may repeat what was sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from math import isfinite
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.generation.failures import REJECTIONS, FailureKind
from pipelines.generation.wish import SEED_MAX

DEPTH_MAX: Final = 4  # of lists and objects in which texts are looked for
WAIT_MAX_S: Final = 3600.0  # of what it asks us to wait
WARMING_S: Final = 5.0  # Observed by integrators: a model is loaded after a few of these.
SPAM_S: Final = 30.0  # "please wait for 30 seconds and try again"

_ID: Final = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,199}")  # so that it stays one segment of a path


def _texts(value: object, depth: int = DEPTH_MAX) -> tuple[str, ...]:
    """Return all texts in a text, list or object that are not blank, without half characters: those could not be stored."""
    if isinstance(value, str):
        whole = value.encode("utf-8", "ignore").decode()
        return (whole,) if whole.strip() else ()
    inner: list[object] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return tuple(text for each in inner for text in _texts(each, depth - 1)) if depth else ()


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _id(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else None


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _seed(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number <= SEED_MAX else None


def _flag(value: object) -> bool | None:
    """Return what a boolean, a "yes" or a list of such says; None where it says nothing."""
    if isinstance(value, list):
        flags = {_flag(each) for each in value if not isinstance(each, list)}
        return True if True in flags else False if False in flags else None
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(value).lower())


def _object(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else {}


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Word = Annotated[str, BeforeValidator(_word)]
Number = Annotated[float | None, BeforeValidator(_number)]


class Meta(BaseModel):
    """The server's echo of a request. Its seed is the one that is used; its prompt is not ours any more and is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: Annotated[int | None, BeforeValidator(_seed)] = None


def _decimal(value: object) -> Decimal | None:
    number = _number(value)
    return Decimal(str(value).strip()) if number is not None else None


class Wallet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    balance: Annotated[Decimal | None, BeforeValidator(_decimal)] = None


class Answer(BaseModel):
    """A JSON object from any endpoint. Every field can be of any type there, and be missing."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    status: Word = ""
    id: Annotated[str | None, BeforeValidator(_id)] = None
    output: Texts = Field(default=(), repr=False)
    output_url: Texts = Field(default=(), repr=False)
    proxy_links: Texts = Field(default=(), repr=False)
    fetch_result: Texts = Field(default=(), repr=False)
    eta: Number = None
    nsfw_content_detected: Annotated[bool | None, BeforeValidator(_flag)] = None
    meta: Annotated[Meta, BeforeValidator(_object)] = Meta()
    data: Annotated[Wallet, BeforeValidator(_object)] = Wallet()  # only in answers about the account
    code: Word = ""
    retry_after: Number = None
    message: Texts = Field(default=(), repr=False)
    messege: Texts = Field(default=(), repr=False)
    error: Texts = Field(default=(), repr=False)
    errors: Texts = Field(default=(), repr=False)
    tip: Texts = Field(default=(), repr=False)
    tips: Texts = Field(default=(), repr=False)

    @property
    def said(self) -> tuple[str, ...]:
        """What it says went wrong, without the tips: those advertise."""
        return (*self.message, *self.messege, *self.error, *self.errors)

    @property
    def results(self) -> tuple[str, ...]:
        """Addresses of the result (or the result itself, in base64), each followed by its copy elsewhere."""
        pairs = zip_longest(self.output or self.output_url, self.proxy_links) if self.output or self.output_url else ()
        return tuple(each for pair in pairs for each in pair if each is not None)

    @property
    def job(self) -> str | None:
        """The job's id. Where it is missing, the address to ask at ends with it; that address itself is never used."""
        if self.id is not None or not self.fetch_result:
            return self.id
        try:
            return _id(urlsplit(self.fetch_result[0]).path.rsplit("/", 1)[-1])
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer over HTTP. `answer` is None where the body was no JSON object. `headers` have lower-case names."""

    http_status: int
    headers: Mapping[str, str]
    answer: Answer | None

    def retry_after_s(self, kind: FailureKind, *, now: float) -> float | None:
        """Return how long we shall wait before we ask again, None where it is not said. `now`: seconds since 1970."""
        reset = _number(self.headers.get("x-ratelimit-reset"))
        asked = (
            self.answer.retry_after if self.answer is not None else None,
            _number(self.headers.get("retry-after")),
            reset - now if reset is not None else None,
            WARMING_S if kind == "warming" else None,
            SPAM_S if kind == "rate_limited" and self.answer is not None and _matches(_SPAM, _all(self.answer)) else None,
        )
        wait = next((seconds for seconds in asked if seconds is not None), None)
        return None if wait is None else min(max(wait, 0.0), WAIT_MAX_S)


# `code` beside HTTP 200. Observed in aimeos/prisma, src/Providers/Image/Modelslab.php; not documented.
_CODES: Final[Mapping[str, FailureKind]] = {
    "validation_error": "validation",
    "invalid_api_key": "auth",
    "unauthenticated": "auth",
    "insufficient_balance": "credits",
    "no_subscription": "credits",
    "forbidden": "auth",
    "not_found": "lost",
    "rate_limited": "rate_limited",
    "upstream_unavailable": "upstream",
    "provider_error": "failed",
}
_HTTP: Final[Mapping[int, FailureKind]] = {
    400: "validation",
    401: "auth",
    402: "credits",
    403: "auth",
    404: "lost",
    422: "validation",
    429: "rate_limited",
}


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_SPAM: Final = _pattern(r"spam filter|same request multiple times")
# In this order: "try again" also stands in what is said about a spam filter and a server's trouble.
_TEXTS: Final[tuple[tuple[FailureKind, re.Pattern[str]], ...]] = (
    ("bad_request", _pattern(r"invalid api request")),
    ("auth", _pattern(r"\bapi key\b|\b(invalid|wrong|missing) key\b|premium subscription|unauthenticated|unauthorized")),
    ("credits", _pattern(r"insufficient|not enough|exhausted|depleted|recharge|add (more )?credits")),
    ("queue_full", _pattern(r"queue.*full|queued requests")),
    ("rate_limited", _pattern(r"rate.?limit|too many requests")),
    ("upstream", _pattern(r"internal server error|(temporarily|service) unavailable")),
    ("validation", _pattern(r"\bis required\b|\bmust be\b|\bmodel (id )?not found\b|unable to fetch")),
    ("withheld", _pattern(r"\bnsfw\b|moderation|content polic|inappropriate")),  # not documented: a guess
    ("lost", _pattern(r"^\s*request not found\.?\s*$")),
)
_WARMING: Final = _pattern(r"^\s*(failed,? *)?try again\.?\s*$|\b(loading|warming)\b")


_TAKEN: Final = frozenset({"success", "processing", "pending"})  # A job exists, whatever else is said.
# With these the server says that it had trouble before there was a job. Behind any other status of 500 and above a gateway may
# have given up waiting for a server that took the request.
_TROUBLE_OF_ITS_OWN: Final = frozenset({500, 503})


def _all(answer: Answer) -> tuple[str, ...]:
    return (*answer.said, *answer.tip, *answer.tips)


def _matches(pattern: re.Pattern[str], texts: tuple[str, ...]) -> bool:
    return any(pattern.search(text) for text in texts)


def why(answer: Answer, http_status: int) -> FailureKind:
    """Return what kind of failure an answer without a result tells of; `lost` is also a model or page that is not there."""
    if answer.code in _CODES:
        return _CODES[answer.code]
    if _matches(_SPAM, _all(answer)):
        return "rate_limited"
    for kind, pattern in _TEXTS:
        if _matches(pattern, answer.said):
            return kind
    if http_status < 500 and _matches(_WARMING, answer.said):
        return "warming"
    return "upstream" if http_status >= 500 else _HTTP.get(http_status, "bad_response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """There is a job."""

    answer: Answer
    state: Literal["done", "running"]


def after_submit(said: Said) -> Begun | FailureKind:
    """Return what has become of a request to make something."""
    answer = said.answer
    if 300 <= said.http_status < 400:
        return "bad_response"
    if answer is None:  # whatever answered may have passed the request on, unless it says that it did not
        return "rate_limited" if said.http_status == 429 else "unclear"
    if answer.status == "success" and answer.results:
        return Begun(answer=answer, state="done")
    # A job without an id cannot be asked about, and is paid for.
    running: Begun | FailureKind = Begun(answer=answer, state="running") if answer.job is not None else "unclear"
    refused = answer.status in ("error", "failed") or said.http_status >= 400 or not (answer.status or answer.job)
    if answer.status in _TAKEN or not refused:
        return running
    kind = why(answer, said.http_status)
    if kind in REJECTIONS and answer.job is not None:
        return running  # whatever it says: there is a job to ask about, so that no other may follow
    if kind == "upstream" and said.http_status >= 500 and said.http_status not in _TROUBLE_OF_ITS_OWN and not answer.code:
        return "unclear"
    return "validation" if kind == "lost" else kind


def after_poll(said: Said) -> Literal["done", "running", "odd"] | FailureKind:
    """Return what has become of a job; `odd` is an answer that can be endured a few times."""
    answer = said.answer
    if answer is None:
        return _HTTP[said.http_status] if said.http_status in (404, 429) else "upstream"
    if answer.status == "success":
        return "done" if answer.results else "odd"
    if answer.status in _TAKEN:
        return "running"
    kind = why(answer, said.http_status)
    if kind == "bad_response":
        return "failed" if answer.status in ("error", "failed") else "odd"
    return kind
