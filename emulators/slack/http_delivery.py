"""Delivery to a request URL: signed as Slack signs, events as JSON, commands and interactions as forms."""

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import aiohttp

from emulators.slack.deliveries import Attempt, Delivery
from emulators.slack.faults import Faults
from emulators.slack.state import SIGNING_SECRET

VERIFY_S = 3.0
OLD_S = 6 * 60  # receivers refuse what is older than five minutes


class RequestUrl:
    """Send payloads to one address."""

    def __init__(self, faults: Faults) -> None:
        self.url = ""
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None

    async def attempt(self, delivery: Delivery, within_s: float) -> Attempt:
        """Post the payload; anything but a 2xx in time is a failure."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        body, media_type = encoded(delivery)
        headers = {"Content-Type": media_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if delivery.attempts:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempts), "X-Slack-Retry-Reason": delivery.reason or ""}
        timestamp = int(time.time()) - (OLD_S if self._faults.take("old_timestamp") else 0)
        secret = "another secret" if self._faults.take("bad_signature") else SIGNING_SECRET
        headers |= {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": signature(secret, timestamp, body)}
        try:
            timeout = aiohttp.ClientTimeout(total=within_s)
            async with self._session.post(self.url, data=body, headers=headers, timeout=timeout) as response:
                content = await response.read()
                if 200 <= response.status < 300:
                    return _acknowledged(content, response.content_type)
                return Attempt(reason="http_error", final=response.headers.get("X-Slack-No-Retry") == "1")
        except TimeoutError:
            return Attempt(reason="http_timeout")
        except aiohttp.ClientError:
            return Attempt(reason="connection_failed")

    async def verify(self) -> bool:
        """Ask the address for the answer that Slack wants before it delivers anything there."""
        challenge = secrets.token_hex(16)
        payload = {"token": "emulated", "challenge": challenge, "type": "url_verification"}
        attempt = await self.attempt(Delivery(kind="events_api", payload=payload), VERIFY_S)
        return challenge in (attempt.answer or {}).values()

    async def close(self) -> None:
        if self._session:
            await self._session.close()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return `X-Slack-Signature`. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """Return a payload's body and content type."""
    match delivery.kind:
        case "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        case "slash_commands":
            return urlencode(delivery.payload).encode(), "application/x-www-form-urlencoded"
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), "application/x-www-form-urlencoded"


def _acknowledged(content: bytes, media_type: str) -> Attempt:
    """Return an acknowledgement with what it carries: JSON as it is, words as a text."""
    if not content.strip():
        return Attempt()
    if media_type != "application/json":
        return Attempt(answer={"text": content.decode()})
    try:
        value = json.loads(content)
    except ValueError:
        return Attempt(reason="http_error")
    return Attempt(answer=value if isinstance(value, dict) and value else None)
