"""What moderation concluded about one message."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipelines.moderation.policy import Action
from pipelines.moderation.report import Coverage, Finding, Incomplete


class Verdict(BaseModel):
    """The judge's findings, and what the policy makes of them.

    `decision`: `allow` only after a complete, valid answer about every part; `act` when a finding calls for an action;
    `unknown` when the content could not be judged in full. `reasons` are sentences for people. `policy` is the fingerprint of
    the rules, `prompt` that of the question. `keep_copy` is False where nobody may keep the content. `distress`: the author may
    need help, so the words are kind and nothing is a punishment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["allow", "act", "unknown"]
    action: Action
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: Coverage
    incomplete: tuple[Incomplete, ...] = ()
    keep_copy: bool = True
    distress: bool = False
    policy: str
    prompt: str
    engine: str
