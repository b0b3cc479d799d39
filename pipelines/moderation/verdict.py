"""What moderation concluded about one message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Coverage, Finding, Incomplete


class Verdict(BaseModel):
    """The judge's findings, and what the policy makes of them.

    `decision`: `allow` only after a complete, valid answer about every part; `act` when a finding calls for an action;
    `unknown` when the content could not be judged in full. `action` is what the policy calls for, `enforced` that part of it
    which is not in shadow mode. `reasons` are sentences for people. `policy` is the fingerprint of the rules, `profile` the
    name of what is different in this channel, `prompt` the fingerprint of the question. `keep_copy` is False where nobody may
    keep the content. `distress`: the author may need help, so the words are kind and nothing is a punishment. `urgent`: a model
    refuses to look at it, so a person looks first of all. `spares_quota`: it is done however much was done before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["allow", "act", "unknown"]
    action: Action
    enforced: Action = Action.ALLOW
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: Coverage
    incomplete: tuple[Incomplete, ...] = ()
    keep_copy: bool = True
    distress: bool = False
    urgent: bool = False
    spares_quota: bool = False
    policy: str
    profile: str | None = None
    prompt: str
    engine: str

    @property
    def strikes(self) -> Literal["never", "if_kept", "at_once"]:
        """Whether this counts against its author: at once where something was found that is removed, else once a person has
        decided that it stays out; never where somebody may be at risk."""
        if self.distress or not self.enforced.takes_down:
            return "never"
        return "at_once" if self.decision == "act" and self.enforced.strength >= Action.REMOVE.strength else "if_kept"

    @property
    def waits_for_model(self) -> bool:
        """Whether it is worth judging again once a model answers."""
        return any(item.cause in ("judge_down", "bad_answer") for item in self.incomplete)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A verdict as it is stored: numbers and names only, so that a policy can be tried on it again without a model.

    `incomplete` are causes, as in `Incomplete`; findings come without evidence and place.
    """

    event: str
    channel: Channel
    exempt: bool
    findings: tuple[Finding, ...]
    incomplete: tuple[str, ...]
    action: Action
    policy: str
    at: datetime
