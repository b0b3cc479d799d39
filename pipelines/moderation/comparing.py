"""Policies tried without a model: on cases with known ends, and on what was found before."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from pipelines.moderation.decide import action_for, action_unjudged, decide, in_words, is_distress, within
from pipelines.moderation.policy import Action, Author, Channel, ChannelPolicy, Mode, Policy, Rules, strongest, wrong
from pipelines.moderation.report import OWN, Category, Coverage, Finding, Incomplete, Report
from pipelines.moderation.verdict import Decided, Verdict
from pipelines.yaml_text import parse_as

Cause = Literal["judge_down", "judge_blocked", "bad_answer", "partial", "unreadable"]

NOT_NAMED: Final = "not named"

CAUSES: Final[Mapping[str, str]] = {
    "judge_down": "no model answered",
    "judge_blocked": "the model refused",
    "bad_answer": "the model's answer could not be used",
    "partial": "not judged in full",
    "unreadable": "it could not be opened",
}


class CaseChannel(Rules):
    """Where a case happens; what is left out is not known."""

    platform: str = "discord"
    id: str = ""
    name: str = ""
    age_gated: bool = False


class CaseAuthor(Rules):
    """Who wrote what a case is about."""

    id: str = "somebody"
    name: str = ""
    roles: tuple[str, ...] = ()
    bot: bool = False


class Case(Rules):
    """What was found or not judged, and what a policy shall make of it: `expect` is what it calls for, `done` what is carried
    out where `mode` holds for all that the policy says nothing else about."""

    says: str = ""
    findings: tuple[Finding, ...] = ()
    incomplete: tuple[Cause, ...] = ()
    channel: CaseChannel = CaseChannel()
    author: CaseAuthor = CaseAuthor()
    mode: Mode = "enforce"
    expect: Action | None = None
    done: Action | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> "Case":
        if self.expect is None and self.done is None:
            raise wrong("must name what to expect: expect, done or both")
        return self


class Cases(Rules):
    cases: tuple[Case, ...] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a policy made of a case."""

    case: Case
    verdict: Verdict

    @property
    def as_expected(self) -> bool:
        case = self.case
        return case.expect in (None, self.verdict.action) and case.done in (None, self.verdict.enforced)


def read_cases(text: str, *, source: str) -> tuple[Case, ...]:
    """Read cases from YAML.

    Raises: `Misconfigured` naming the line and key that is wrong.
    """
    return parse_as(Cases, text, source=source, begins="cases are a mapping that begins with `cases:`").cases


def try_cases(policy: Policy, cases: Iterable[Case]) -> tuple[Tried, ...]:
    """Decide cases by `policy`."""
    return tuple(Tried(case=case, verdict=_decided(policy, case)) for case in cases)


def _decided(policy: Policy, case: Case) -> Verdict:
    here = policy.at(Channel(**case.channel.model_dump()))
    author = Author(**{**case.author.model_dump(), "roles": frozenset(case.author.roles)})
    report = Report(
        findings=case.findings,
        coverage=Coverage(judged=0 if case.incomplete else 1, total=1),
        incomplete=tuple(Incomplete(cause=cause, why=f"{CAUSES[cause].capitalize()}.") for cause in case.incomplete),
    )
    return decide(report, here, mode=case.mode, exempt=here.exempts(author))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A message about which another policy would do something else. `why` is what decides where more is done, in words."""

    event: str
    channel: Channel
    before: Action
    after: Action
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What another policy would change in what was decided, in the order in which it was given."""

    looked_at: int
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[tuple[Action, Action], int]:
        """Return how many go from which action to which, the most frequent first."""
        counted: dict[tuple[Action, Action], int] = {}
        for change in self.changes:
            step = (change.before, change.after)
            counted[step] = counted.get(step, 0) + 1
        return dict(sorted(counted.items(), key=lambda each: -each[1]))


def compare(old: Policy, new: Policy, decided: Iterable[Decided]) -> Comparison:
    """Decide anew, by both policies, what was found before. Strikes, quotas and shadow are left out: they are not findings."""
    here: dict[Channel, tuple[ChannelPolicy, ChannelPolicy]] = {}
    changes, looked_at = [], 0
    for each in decided:
        looked_at += 1
        if each.channel not in here:
            here[each.channel] = old.at(each.channel), new.at(each.channel)
        then, now = here[each.channel]
        before, after = _action(each, then), _action(each, now)
        if before is not after:
            why = _why(each, then, before) if before.strength > after.strength else _why(each, now, after)
            changes.append(Change(event=each.event, channel=each.channel, before=before, after=after, why=why))
    return Comparison(looked_at=looked_at, changes=tuple(changes))


def _action(each: Decided, policy: ChannelPolicy) -> Action:
    """Return what `decide` calls for, without making a verdict of it."""
    distress = False
    called_for = [action_unjudged(cause, policy, exempt=each.exempt) for cause in each.incomplete]
    for finding in each.findings:
        action = action_for(finding, policy, exempt=each.exempt)
        if action is not Action.ALLOW:
            called_for.append(action)
            distress = distress or is_distress(finding)
    return within(strongest(*called_for), distress=distress) if called_for else Action.ALLOW


def _why(each: Decided, policy: ChannelPolicy, action: Action) -> str:
    for finding in each.findings:
        if action_for(finding, policy, exempt=each.exempt).strength >= action.strength:
            return in_words(finding)
    for cause in each.incomplete:
        if action_unjudged(cause, policy, exempt=each.exempt) is action:
            return f"{CAUSES[cause].capitalize()}."
    return ""


def differences(old: Policy, new: Policy) -> tuple[str, ...]:
    """Say in words which keys differ, each with what it is and what it becomes."""
    before, after = dict(_leaves(_as_written(old))), dict(_leaves(_as_written(new)))
    keys = (*after, *(key for key in before if key not in after))
    pairs = ((key, before.get(key, NOT_NAMED), after.get(key, NOT_NAMED)) for key in keys)
    return tuple(f"{key}: {_said(was)} -> {_said(becomes)}" for key, was, becomes in pairs if was != becomes)


def _as_written(policy: Policy) -> dict[str, Any]:
    """Return all values that hold, but of rules and profiles only those that are named."""
    as_named = {"categories", "own_categories", "profiles", "channels"}
    every = policy.model_dump(mode="json", exclude=as_named)
    return {**every, **policy.model_dump(mode="json", include=as_named, exclude_unset=True)}


def _leaves(data: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{within}{key}.")
        else:
            yield f"{within}{key}", value


def _said(value: Any) -> str:
    if value in (None, []):
        return "none"
    if isinstance(value, list) and all(isinstance(each, dict) and "severity" in each for each in value):
        return " or ".join(map(gate_in_words, value))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def gate_in_words(gate: Mapping[str, Any]) -> str:
    """Say a gate as `severity 3, confidence 0.85`, with its kinds."""
    kinds = f" ({', '.join(gate['kinds'])})" if gate.get("kinds") else ""
    return f"severity {gate['severity']}, confidence {gate['confidence']:g}{kinds}"


def remarks(policy: Policy) -> tuple[str, ...]:
    """Say what is allowed in a policy and hardly meant."""
    used = {rule.profile for rule in policy.channels}
    said = [f"profiles.{name}: no channel uses it" for name in policy.profiles if name not in used]
    for position, rule in enumerate(policy.channels):
        if any(earlier.match == rule.match for earlier in policy.channels[:position]):
            said.append(f"channels.{position}: an earlier rule matches the same channels, so this one never holds")
    every = (*Category, *(f"{OWN}{name}" for name in policy.own_categories))
    for category in every:
        worst = Finding(category=category, severity=4, confidence=1)
        if policy.rule_for(category).action_for(worst) is Action.ALLOW:
            said.append(f"{category}: a finding without a kind leads to nothing, however severe")
    return tuple(said)
