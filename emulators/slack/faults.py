"""Everything that can be made to go wrong: the switches by name, and which of them are on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Place = Literal["call", "error", "file", "serve", "delivery", "interaction", "socket"]

RETRY_AFTER_S = 1
SLOW_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One switch: where it is looked for, and what it does."""

    place: Place
    does: str


@dataclass(slots=True, kw_only=True)
class Switch:
    """A fault that is on. `left` counts the uses; `value` is a number of seconds, a type or a size, by fault."""

    name: str
    fault: Fault
    left: int | None = None
    method: str | None = None
    value: float | str | None = None

    def seconds(self, default: float) -> float:
        return float(self.value) if self.value is not None else default


def _of(place: Place, **does: str) -> dict[str, Fault]:
    return {name: Fault(place=place, does=text) for name, text in does.items()}


# Errors that a method answers with, in place of doing anything: the fault's name is the code.
ERRORS = (
    "account_inactive",
    "cant_delete_file",
    "cant_delete_message",
    "channel_not_found",
    "compliance_exports_prevent_deletion",
    "expired_trigger_id",
    "exchanged_trigger_id",
    "fatal_error",
    "file_deleting_disabled",
    "file_not_found",
    "internal_error",
    "invalid_auth",
    "invalid_blocks",
    "is_archived",
    "message_not_found",
    "messages_tab_disabled",
    "method_not_supported_for_channel_type",
    "missing_scope",
    "not_in_channel",
    "restricted_action",
    "service_unavailable",
    "team_access_not_granted",
    "thread_not_found",
    "token_revoked",
)

FAULTS: dict[str, Fault] = {
    **_of(
        "call",
        ratelimited="429 with `Retry-After` of `value` seconds (1); nothing is done",
        error_500="status 500 with an empty body; nothing is done",
        error_503="status 503 with a proxy's HTML page; nothing is done",
        html="status 200 with an HTML page; nothing is done",
        reset="the connection is reset before anything is done",
        lost="it is done, then the connection is reset without an answer",
        cut="it is done, then half of the answer is sent",
        slow="the answer comes after `value` seconds (5)",
    ),
    **{code: Fault(place="error", does=f"the method answers {code}; nothing is done") for code in ERRORS},
    **_of(
        "file",
        connect_stub="the next file is shown in its message as Slack Connect shows one: only files.info knows it",
        tombstone="the next file is shown as deleted",
        hidden_by_limit="the next file is shown as hidden by the plan's limit",
        external="the next file is one on Google Drive",
        canvas="the next file is a canvas",
        list="the next file is one of Slack's lists",
        mimetype_lie="the next file claims to be of type `value` (image/png)",
        size_lie="the next file claims a size of `value` bytes (10)",
        processed_late="the next completed upload is looked through after `value` seconds (0.5); until then no block shows it",
        shares_delayed="the next completed upload is shared after `value` seconds (1)",
        slack_file_not_ready="a block that shows a file of Slack's is refused: invalid_blocks",
    ),
    **_of(
        "serve",
        login_page="a download is answered with 302 to the login page, as without permission",
        truncated="half of a file is sent as if it were all of it",
        wrong_bytes="an HTML page is sent as 200 under the file's own type",
        oversize="`value` zero bytes (64 MiB) follow the file, without an announced length",
    ),
    **_of(
        "delivery",
        duplicate="an event is delivered twice, both with the same event_id",
        out_of_order="an event is delivered after the one that follows it",
        ack_lost="the acknowledgement is not counted, so the event is delivered again",
        mention_first="a mention with files is delivered first as app_mention without them",
        changed_after="a posted file is told of as changed at once, as Slack does while it works on it",
        edited_after="a posted message is edited at once",
        deleted_after="a posted message is deleted at once",
        bad_signature="HTTP: the signature is wrong",
        old_timestamp="HTTP: the signature is right but older than five minutes",
        missing_keys="socket: the frame has no envelope_id",
    ),
    **_of(
        "interaction",
        trigger_expired="the trigger of the next interaction has expired",
        trigger_exchanged="the trigger of the next interaction has been used",
        response_url_used="a response_url is answered as after five uses",
        response_url_expired="a response_url is answered as after thirty minutes",
    ),
    **_of(
        "socket",
        url_refused="the WebSocket address is refused with 403",
        silent="a connection is greeted and then neither sent to nor answered, not even its pings",
        no_hello="a connection is not greeted",
    ),
}


class Faults:
    """The switches that are on. Of several for one place, the one switched on first is used."""

    def __init__(self) -> None:
        self._on: list[Switch] = []

    def switch_on(
        self, name: str, *, times: int | None = None, method: str | None = None, value: float | str | None = None
    ) -> None:
        """Switch a fault on. Raises: `KeyError` for an unknown name."""
        self._on.append(Switch(name=name, fault=FAULTS[name], left=times, method=method, value=value))

    def clear(self) -> None:
        self._on.clear()

    def take(self, *names: str, method: str | None = None) -> Switch | None:
        """Use up one of `names` if one is on (for `method`)."""
        return self._take(lambda switch: switch.name in names, method)

    def take_at(self, place: Place, method: str | None = None) -> Switch | None:
        """Use up one of a place if one is on (for `method`)."""
        return self._take(lambda switch: switch.fault.place == place, method)

    def _take(self, wanted: Callable[[Switch], bool], method: str | None) -> Switch | None:
        for switch in self._on:
            if switch.left != 0 and wanted(switch) and switch.method in (None, method):
                if switch.left is not None:
                    switch.left -= 1
                return switch
        return None
