"""Requests to ModelsLab, on `requests` in threads of their own. The account's key is known here alone.

It travels in the body of every request, and the exceptions of `requests` hold the request: none of them leaves its thread. What
went wrong comes back as a value.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Final, Literal

import requests
import urllib3
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from pipelines.generation.modelslab_wire import Answer, Said

ANSWER_BYTES: Final = 32 * 1024 * 1024  # results can come within an answer, in base64
PIECE_BYTES: Final = 64 * 1024
THREADS: Final = 20  # at most 15 jobs exist at once; polls are short

# `away`: nothing was sent. `broken`: it was, or may have been, and there is no whole answer.
Trouble = Literal["away", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long is waited, in seconds: for a connection, for the beginning of an answer, and for the rest of it.

    None is documented; others wait 60 to 120 s for a submit and 12 to 30 s for a poll.
    """

    connect_s: float = 5.0
    submit_s: float = 90.0
    poll_s: float = 20.0
    body_s: float = 30.0


class Calls:
    """Sends a JSON object and reads one. `monotonic` is the clock that `body_s` is measured with."""

    def __init__(
        self, *, key: SecretStr, base_url: str, timeouts: Timeouts, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = key
        self._base = base_url.rstrip("/") + "/"
        self._timeouts = timeouts
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="modelslab")
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc, and no proxy that would read the key
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.update({"Content-Type": "application/json", "Accept-Encoding": "identity"})
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=THREADS, max_retries=0))

    async def post(self, path: str, fields: Mapping[str, object], *, read_s: float, to_its_end: bool = False) -> Said | Trouble:
        """Send `fields` and the key to `path`.

        `to_its_end`: a cancelled wait goes on until the request has ended, and is cancelled then.
        """
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._exchange, path, fields, read_s)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while to_its_end and not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({work})
            raise

    def close(self) -> None:
        """Send nothing more; what is under way ends by itself."""
        self._session.close()
        self._threads.shutdown(wait=False)

    def _exchange(self, path: str, fields: Mapping[str, object], read_s: float) -> Said | Trouble:
        body = json.dumps({"key": self._key.get_secret_value(), **fields}).encode()
        try:
            with self._session.post(
                self._base + path,
                data=body,
                timeout=(self._timeouts.connect_s, read_s),
                stream=True,
                allow_redirects=False,  # 307 and 308 would send the key to another host
            ) as response:
                data = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return "away" if _nothing_sent(error) else "broken"
        if data is None:
            return "broken"
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Said(http_status=response.status_code, headers=headers, answer=_answer(data))

    def _read(self, response: requests.Response) -> bytes | None:
        """Return the body; None when it is too large or too slow. A timeout of `requests` is for one piece, not for all."""
        until, read = self._monotonic() + self._timeouts.body_s, bytearray()
        while piece := response.raw.read1(PIECE_BYTES, decode_content=False):
            read += piece
            if len(read) > ANSWER_BYTES or self._monotonic() > until:
                return None
        return bytes(read)


def _answer(data: bytes) -> Answer | None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return Answer.model_validate(body) if isinstance(body, dict) else None


def _nothing_sent(error: Exception) -> bool:
    """Whether a request failed before any of it was sent: there was no connection, or none that can be trusted."""
    if isinstance(error, requests.exceptions.ConnectTimeout | ValueError):  # the latter: the address is none
        return True
    if not isinstance(error, requests.exceptions.ConnectionError) or not error.args:
        return False
    reason = getattr(error.args[0], "reason", error.args[0])
    untrusted = isinstance(reason, urllib3.exceptions.SSLError) and any(
        isinstance(each, ssl.SSLCertVerificationError) for each in reason.args
    )
    return untrusted or isinstance(reason, urllib3.exceptions.NewConnectionError)
