"""What ModelsLab refuses, in its own words."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from emulators.delivery import Reply, as_json

Json = dict[str, Any]

# How errors come: with their status, or with 200 as integrators saw it, there also with a code.
Errors = Literal["http", "200", "200+code"]

RETRY_AFTER_S: Final = 30
CODES: Final[Mapping[int, str]] = {
    400: "validation_error",
    401: "invalid_api_key",
    402: "insufficient_balance",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
    500: "upstream_unavailable",
    503: "upstream_unavailable",
}


class Refused(Exception):
    """A request is not accepted. `body` is completed by `"status": "error"`."""

    def __init__(self, *, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"status": "error", **body}
        self.headers = headers or {}

    def reply(self, errors: Errors) -> Reply:
        """Return the answer, as errors come at the moment."""
        if errors == "http" or self.status == 200:
            return as_json(self.body, status=self.status, headers=self.headers)
        code = {"code": CODES[self.status]} if errors == "200+code" and self.status in CODES else {}
        return as_json({**self.body, **code}, headers=self.headers)


def invalid(message: str) -> Refused:
    """Return the refusal of a field."""
    return Refused(status=400, body={"message": message})


def bad_request() -> Refused:
    """Return the refusal of a request that is no JSON object."""
    tip = "1. Make sure you are passing Content-Type: application/json in header. 2. Make sure the JSON body is valid."
    return Refused(status=200, body={"message": "Invalid API Request", "tip": tip})


def queue_full(slots: int, current: int) -> Refused:
    """Return the refusal of a job beyond those that the account may have."""
    return Refused(
        status=429,
        body={
            "message": f"Rate limit exceeded. Maximum {slots} queued requests allowed.",
            "retry_after": RETRY_AFTER_S,
            "current_queue": current,
        },
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


NO_CREDITS: Final = "Insufficient credits. Please add more credits to continue."
NOT_FETCHED: Final = "Unable to fetch image from provided URL"
TOO_LARGE: Final = "The base64 string must not be greater than 5 MB."
SPAM: Final = "you are sending same request multiple times, spam filter is enabled, please wait for 30 seconds and try again"

WARMING: Final[Json] = {"status": "failed", "id": "", "message": "Failed, Try Again", "output": ""}
NOT_FOUND: Final[Json] = {
    "status": "failed",
    "id": "",
    "message": "Request not found",
    "output": "",
    "tip": "Make sure that the id belongs to a request of yours.",
}


def refusal(name: str, *, slots: int, current: int, now_s: float) -> Refused:
    """Return the refusal that a fault of calls stands for. Raises: `KeyError` where it stands for none."""
    if name == "queue_full":
        return queue_full(slots, max(current, slots))
    if name == "rate_limit":
        return Refused(
            status=429,
            body={"message": "Rate limit exceeded", "retry_after": RETRY_AFTER_S},
            headers={"Retry-After": str(RETRY_AFTER_S), "X-RateLimit-Reset": str(int(now_s) + RETRY_AFTER_S)},
        )
    status, body = _REFUSALS[name]
    return Refused(status=status, body=body)


_REFUSALS: Final[Mapping[str, tuple[int, Json]]] = {
    "invalid_key": (401, {"message": "Invalid API key"}),
    "no_key": (401, {"message": "API key required"}),
    "credits": (402, {"message": NO_CREDITS}),
    "premium": (403, {"message": "This feature requires a premium subscription"}),
    "spam_dup": (200, {"message": "Rate limit exceeded", "tips": SPAM}),
    "validation_str": (400, {"message": "width must be between 256 and 1024"}),
    "validation_dict": (400, {"message": {"prompt": ["The prompt field is required."]}}),
    "validation_list": (400, {"message": ["The prompt field is required."]}),
    "http_500": (500, {"message": "Internal server error. Please try again."}),
    "503": (503, {"message": "Service temporarily unavailable. Please try again later."}),
}
