"""How making something can fail, and what is said then. Words come from here, never from a maker's answer."""

from typing import Final, Literal

from pipelines.errors import FlashbulbError

# Before a job exists: `auth`, `credits`, `queue_full`, `rate_limited`, `warming`, `upstream`, `validation`, `bad_request`.
# With a job: `failed` (the maker gave up), `lost` (it does not know the job any more), `late` (not done in time),
# `bad_response` (what came cannot be used), `withheld` (the maker replaced the result as not safe).
# `unclear`: nobody knows whether there is a job. `away`: the maker cannot be reached, and nothing was sent.
FailureKind = Literal[
    "auth",
    "credits",
    "queue_full",
    "rate_limited",
    "warming",
    "upstream",
    "validation",
    "bad_request",
    "failed",
    "lost",
    "late",
    "bad_response",
    "withheld",
    "unclear",
    "away",
]

# Kinds after which it is certain that no job was made by this request, so that another one may follow.
REJECTIONS: Final[frozenset[FailureKind]] = frozenset({"queue_full", "rate_limited", "warming", "upstream", "away"})

_SAYS: Final[dict[FailureKind, str]] = {
    "auth": "The account that pictures are made with does not work. The operator was told.",
    "credits": "There is no credit left to make this with. The operator was told.",
    "queue_full": "Too much is being made at the moment. Try again in a few minutes.",
    "rate_limited": "Too much was asked for at the moment. Try again in a few minutes.",
    "warming": "The model is still being loaded. Try again in a few minutes, or choose another one.",
    "upstream": "The service that makes this has trouble at the moment. Try again later.",
    "validation": "The service that makes this did not accept the wish. Change its words or options.",
    "bad_request": "The service that makes this did not understand us. The operator sees it in the log.",
    "failed": "It could not be made. Try again, or say it in other words.",
    "lost": "The service that makes this lost it. Try again.",
    "late": "It was not made in time. Try again later.",
    "bad_response": "What came back cannot be used. Try again, or choose another model.",
    "withheld": "The service that makes this held the result back as not safe. Say it in other words.",
    "unclear": (
        "It is not known whether this was made: the connection broke off at the wrong moment. It may have been charged, so it"
        " is not repeated by itself."
    ),
    "away": "The service that makes this does not answer. Try again later.",
}


class GenerationFailed(FlashbulbError):
    """Something was not made. Its words are for members; `kind` says what may follow.

    `retry_after_s`: how long the maker asks to wait.
    """

    def __init__(self, kind: FailureKind, *, retry_after_s: float | None = None) -> None:
        super().__init__(_SAYS[kind])
        self.kind = kind
        self.retry_after_s = retry_after_s

    @property
    def for_operator(self) -> bool:
        """Whether only the operator can mend it."""
        return self.kind in ("auth", "credits", "bad_request")


def words_for(kind: FailureKind) -> str:
    """Return what is said to a member."""
    return _SAYS[kind]
