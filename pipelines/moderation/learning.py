"""What moderators' decisions say about a policy: numbers only, so that nothing is asked of a model.

Nothing is ever changed by it: a suggestion waits for a person.
"""

from dataclasses import dataclass
from typing import Literal

from pipelines.moderation.verdict import Decided

# `other_category`: something had to be done, but for another reason than was found. `open`: nobody has decided.
Outcome = Literal["upheld", "overturned", "other_category", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A case and what people made of it. `decided` holds what was found; of a report by a member that may be nothing.

    `gone`: the message was deleted by others. `by_appeal`: its appeal decided. `shadow`: nothing had been done about it.
    """

    case: str
    decided: Decided
    outcome: Outcome
    shadow: bool
    reported: bool = False
    gone: bool = False
    by_appeal: bool = False
