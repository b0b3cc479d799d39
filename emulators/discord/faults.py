"""The switches that make the emulated Discord misbehave, and how many times each still does."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["rest", "stored", "cdn", "gateway"]

RETRY_AFTER_S = 0.2  # what a 429 asks for


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One switch: `rest` answers in place of the API, `stored` after the state changed, `cdn` spoils a file's delivery.

    `status` and `code` are those of the answer; None closes the connection without one.
    """

    kind: Kind
    does: str
    status: int | None = None
    code: int = 0


FAULTS: Final[dict[str, Fault]] = {
    "error_500": Fault(kind="rest", does="answers 500 and does nothing", status=500),
    "error_502": Fault(kind="rest", does="answers 502 with a proxy's page", status=502),
    "error_503": Fault(kind="rest", does="answers 503 with a proxy's page", status=503),
    "error_504": Fault(kind="rest", does="answers 504 with a proxy's page", status=504),
    "unauthorized": Fault(kind="rest", does="answers 401", status=401),
    "missing_permissions": Fault(kind="rest", does="answers 403, code 50013", status=403, code=50013),
    "missing_access": Fault(kind="rest", does="answers 403, code 50001", status=403, code=50001),
    "rate_limited": Fault(kind="rest", does="answers 429 with a Via header, as the API does", status=429),
    "rate_limited_globally": Fault(kind="rest", does="answers 429 for all routes, with a Via header", status=429),
    "rate_limited_without_via": Fault(kind="rest", does="answers 429 without a Via header, as the edge does", status=429),
    "rate_limited_as_page": Fault(kind="rest", does="answers 429 with a Via header and a page instead of JSON", status=429),
    "search_indexing": Fault(kind="rest", does="answers 202, code 110000, with retry_after", status=202, code=110000),
    "reset": Fault(kind="rest", does="resets the connection and does nothing"),
    "error_500_after_storing": Fault(kind="stored", does="does what was asked, then answers 500", status=500),
    "reset_after_storing": Fault(kind="stored", does="does what was asked, then resets the connection"),
    "bucket_empty": Fault(kind="stored", does="answers well, with X-RateLimit-Remaining: 0", status=200),
    "cdn_missing": Fault(kind="cdn", does="answers 404", status=404),
    "cdn_forbidden": Fault(kind="cdn", does="answers 403", status=403),
    "cdn_drip": Fault(kind="cdn", does="sends one byte every 50 ms"),
    "cdn_truncated": Fault(kind="cdn", does="announces the whole length and sends half"),
    "cdn_wrong_type": Fault(kind="cdn", does="sends the bytes as text/html"),
    "cdn_huge_length": Fault(kind="cdn", does="announces 5 GB"),
    "cdn_redirect_private": Fault(kind="cdn", does="redirects to http://169.254.169.254/latest/meta-data"),
    "refuse_handshake": Fault(kind="gateway", does="answers 503 to new gateway connections"),
    "close_resumes": Fault(kind="gateway", does="accepts every RESUME and closes with 4000"),
    "no_acks": Fault(kind="gateway", does="leaves heartbeats unanswered"),
    "malformed_dispatch": Fault(kind="gateway", does="leaves out what the client's parser needs"),
    "duplicate_dispatch": Fault(kind="gateway", does="sends the event twice"),
    "out_of_order": Fault(kind="gateway", does="holds the event back until the next one was sent"),
}


@dataclass(slots=True, kw_only=True)
class Switch:
    """A fault that is on; `left` counts its further uses, None is without end."""

    name: str
    method: str | None
    left: int | None


class Switches:
    """The faults that are on, those switched on first are played first."""

    def __init__(self) -> None:
        self._on: list[Switch] = []

    def switch_on(self, name: str, *, times: int | None, method: str | None) -> None:
        """Raises: `KeyError` for an unknown name."""
        if name not in FAULTS:
            raise KeyError(f"no such fault: {name}; there are {', '.join(FAULTS)}")
        self._on.append(Switch(name=name, method=method, left=times))

    def clear(self) -> None:
        self._on.clear()

    def take(self, kind: Kind, method: str) -> str | None:
        """Use up one fault of this kind for a call or event; None where all is well."""
        for switch in self._on:
            if FAULTS[switch.name].kind == kind and switch.method in (None, method):
                return self._use(switch)
        return None

    def take_named(self, name: str, method: str) -> bool:
        """Use up one named fault."""
        for switch in self._on:
            if switch.name == name and switch.method in (None, method):
                self._use(switch)
                return True
        return False

    def _use(self, switch: Switch) -> str:
        if switch.left is not None:
            switch.left -= 1
            if switch.left <= 0:
                self._on.remove(switch)
        return switch.name
