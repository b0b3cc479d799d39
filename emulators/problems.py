"""What a vendor's server refuses, before any dialect has put it into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# google.rpc.Code names by HTTP status. Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
RPC_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal, for any dialect.

    `rpc` is Google's status name, `details` are its error details, `code` is OpenAI's error code, `said` replaces `message`
    in the dialects that it names. A problem with `html` comes from a proxy in front of the API and has no JSON.
    """

    status: int
    message: str
    rpc: str = ""
    details: tuple[dict[str, Any], ...] = ()
    code: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    html: bool = False

    def words(self, dialect: str) -> str:
        """Return what `dialect` says."""
        return self.said.get(dialect, self.message)

    @property
    def rpc_status(self) -> str:
        return self.rpc or RPC_STATUS.get(self.status, "UNKNOWN")


class Rejected(Exception):
    """The emulated vendor does not accept a request; the dialect puts `problem` into words."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def invalid(message: str) -> Rejected:
    """Return the refusal of a malformed request."""
    return Rejected(Problem(status=400, message=message))


BAD_KEY = Problem(
    status=400,
    message="API key not valid. Please pass a valid API key.",
    details=(
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
    ),
    code="invalid_api_key",
    said={"openai": "Incorrect API key provided.", "anthropic": "invalid x-api-key"},
)

UNAUTHENTICATED = Problem(
    status=401,
    message="Request had invalid authentication credentials.",
    code="invalid_api_key",
    said={"openai": "Incorrect API key provided.", "anthropic": "invalid x-api-key"},
)

TOO_LARGE = Problem(status=413, message="Your client issued a request that was too large.", html=True)
