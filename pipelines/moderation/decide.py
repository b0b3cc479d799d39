"""Findings and a policy to a verdict: plain code, replayable without a model."""

from typing import Literal

from pipelines.language import ENGLISH, Catalogue, message
from pipelines.moderation.policy import Action, ChannelPolicy, Mode, strongest
from pipelines.moderation.report import Category, Finding, Incomplete, Report, kind_in_words, label_of
from pipelines.moderation.verdict import Verdict

SEVERITY_WORDS = (message("none"), message("mild"), message("moderate"), message("severe"), message("critical"))


def decide(report: Report, policy: ChannelPolicy, *, mode: Mode = "enforce", exempt: bool = False) -> Verdict:
    """Take the strongest action that any finding calls for; what was not judged in full is never `allow`.

    `mode` holds where the policy names none for the channel or the category. `exempt`: of what this author writes only the
    policy's `still_scan` counts, and what could not be judged is shown to moderators but stays.
    """
    incomplete = report.incomplete
    if not incomplete and report.coverage.judged < report.coverage.total:
        incomplete = (Incomplete(cause="partial", why="Some parts were not judged."),)
    called_for = [(finding, action_for(finding, policy, exempt=exempt)) for finding in report.findings]
    telling = [(finding, action) for finding, action in called_for if action != Action.ALLOW]
    distress = any(is_distress(finding) for finding, _ in telling)
    helped = any(
        is_distress(finding) and finding.severity >= 2 and policy.rule_for(finding.category).help for finding in report.findings
    )
    unjudged = strongest(*(action_unjudged(each.cause, policy, exempt=exempt) for each in incomplete))
    enforced: list[Action] = [action for finding, action in telling if policy.mode_for(finding.category, mode) == "enforce"]
    if policy.mode_for(None, mode) == "enforce":
        enforced.append(unjudged)
    reasons = (*(in_words(finding) for finding, _ in telling), *(item.why for item in incomplete))
    children = any(finding.category == Category.CHILD_SAFETY for finding, _ in telling)
    return Verdict(
        decision="act" if telling else "unknown" if incomplete else "allow",
        action=within(strongest(*(action for _, action in telling), unjudged), distress=distress),
        enforced=within(strongest(*enforced), distress=distress),
        reasons=tuple(dict.fromkeys(reasons)),  # two damaged files are one sentence
        findings=report.findings,
        coverage=report.coverage,
        incomplete=incomplete,
        keep_copy=report.keep_copy and not children,
        distress=distress or helped,
        urgent=any(item.cause == "judge_blocked" for item in incomplete),
        spares_quota=children,
        policy=policy.fingerprint,
        profile=policy.profile,
        prompt=report.prompt,
        engine=report.engine,
    )


def action_for(finding: Finding, policy: ChannelPolicy, *, exempt: bool = False) -> Action:
    """Return what one finding calls for, of an author who may be exempt."""
    if exempt and finding.category not in policy.policy.exempt.still_scan:
        return Action.ALLOW
    action = policy.action_for(finding)
    # Somebody who may be at risk is shown to a human, never punished.
    return _at_most(action, Action.HOLD) if is_distress(finding) else action


def action_unjudged(cause: str, policy: ChannelPolicy, *, exempt: bool = False) -> Action:
    """Return what follows from what was not judged, by the cause of `Incomplete`."""
    action = policy.unreadable if cause == "unreadable" else policy.unknown
    return _at_most(action, Action.FLAG) if exempt else action


def within(action: Action, *, distress: bool) -> Action:
    """Return what is done at most about a message: who may be at risk is not timed out for what else it holds."""
    return _at_most(action, Action.REMOVE) if distress else action


def is_distress(finding: Finding) -> bool:
    """Whether its author may be at risk."""
    return finding.category == Category.SELF_HARM and finding.kind != "promotion"


def after_strikes(verdict: Verdict, policy: ChannelPolicy, *, earlier: int) -> Verdict:
    """Return the verdict as it is for somebody who had `earlier` messages removed of late: one too many is a time-out."""
    strikes = policy.policy.strikes
    if strikes is None or verdict.strikes != "at_once" or earlier + 1 < strikes.count:
        return verdict
    reason = f"This is number {earlier + 1} within {strikes.days} days that had to be removed."
    changes = {"action": strongest(verdict.action, Action.TIMEOUT), "enforced": Action.TIMEOUT}
    return verdict.model_copy(update={**changes, "reasons": (*verdict.reasons, reason)})


def while_away(verdict: Verdict, chosen: Literal["hold", "flag"]) -> Verdict:
    """Return the verdict as moderators want it for what is only unknown because no model gives an answer."""
    if verdict.decision != "unknown" or not all(each.cause in ("judge_down", "bad_answer") for each in verdict.incomplete):
        return verdict

    def as_chosen(action: Action) -> Action:
        if chosen == "flag":
            return _at_most(action, Action.FLAG)
        return strongest(action, Action.HOLD) if action.strength >= Action.FLAG.strength else action

    return verdict.model_copy(update={"action": as_chosen(verdict.action), "enforced": as_chosen(verdict.enforced)})


def in_words(finding: Finding, words: Catalogue = ENGLISH) -> str:
    """Say a finding in one sentence, without its evidence."""
    label = label_of(finding.category, words)
    kind = f", {kind_in_words(finding.kind, words)}" if finding.kind else ""
    return words.say(
        "{what}: {severity}, {percent}% sure.",
        what=f"{label[:1].upper()}{label[1:]}{kind}",
        severity=words.say(SEVERITY_WORDS[finding.severity]),
        percent=f"{finding.confidence:.0%}"[:-1],
    )


def _at_most(action: Action, most: Action) -> Action:
    return min(action, most, key=lambda each: each.strength)
