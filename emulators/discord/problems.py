"""What goes wrong in Discord's own words: a status, a code and a message.

Source: https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from typing import Any, Final

PROBLEMS: Final[dict[int, tuple[int, str]]] = {
    0: (404, "404: Not Found"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (404, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10026: (404, "Unknown Ban"),
    10062: (404, "Unknown interaction"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete.",
    ),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "You can only bulk delete messages that are under 14 days old."),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    110000: (202, "Index not yet available. Try again later"),
    160004: (400, "A thread has already been created for this message"),
    160005: (403, "Thread is locked"),
    160014: (400, "You cannot forward a message whose content you cannot read"),
}


class Problem(Exception):
    """An answer other than success. `errors` names the fields of a refused form, such as `{"content": "Must be …"}`."""

    def __init__(self, code: int, errors: dict[str, str] | None = None) -> None:
        self.code = code
        self.status, self.message = PROBLEMS[code]
        self.errors = errors or {}
        super().__init__(f"{self.status} {self.message} ({code}) {', '.join(self.errors)}".rstrip())

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        for field, reason in self.errors.items():
            place = body.setdefault("errors", {})
            for step in field.split("."):
                place = place.setdefault(step, {})
            place["_errors"] = [{"code": "BASE_TYPE_INVALID", "message": reason}]
        return body


def bad_form(field: str, reason: str) -> Problem:
    """Return the refusal of one field."""
    return Problem(50035, {field: reason})
