"""Every exception raised on purpose. The class says who can fix it.

The message is a sentence which that person may read: it says what to do and holds no secret, no prompt and nothing that a
member wrote, so it may be shown and logged.
"""


class FlashbulbError(Exception):
    """Anything that Flashbulb raises on purpose."""


class UserError(FlashbulbError):
    """The member asked for something that cannot be done as asked; the message says what to do instead."""


class Gone(UserError):
    """Nothing lies at an address: not any more, or not yet."""


class Unavailable(FlashbulbError):
    """A service does not answer now. Waiting may help."""

    def __init__(self, service: str, why: str = "does not answer") -> None:
        super().__init__(f"{service} {why}. Try again later.")
        self.service = service
        self.why = why


class Refused(FlashbulbError):
    """A service will not answer about this content. That is evidence, not an outage: nobody else is asked."""

    def __init__(self, service: str, reason: str = "") -> None:
        super().__init__(f"{service} declined to answer about this content.")
        self.service = service
        self.reason = reason


class BadAnswer(FlashbulbError):
    """A service answered something that cannot be used, also when asked again."""

    def __init__(self, service: str, why: str = "sent an answer that cannot be used") -> None:
        super().__init__(f"{service} {why}. Try again; if it stays so, choose another model.")
        self.service = service
        self.why = why


class Misconfigured(FlashbulbError):
    """The operator must change a setting: the message names it and a value that works."""
