"""Findings and a policy to a verdict: plain code, replayable without a model."""

from pipelines.moderation.policy import Action, ChannelPolicy, Mode, strongest
from pipelines.moderation.report import Category, Finding, Report, label_of
from pipelines.moderation.verdict import Verdict

SEVERITY_WORDS = ("none", "mild", "moderate", "severe", "critical")


def decide(report: Report, policy: ChannelPolicy, *, mode: Mode = "enforce", exempt: bool = False) -> Verdict:
    """Take the strongest action that any finding calls for; what was not judged in full is never `allow`.

    `mode` holds where the policy names none for the channel or the category. `exempt`: of what this author writes only the
    policy's `still_scan` counts, and what could not be judged is shown to moderators but stays.
    """
    called_for = [(finding, _action_for(finding, policy, exempt=exempt)) for finding in report.findings]
    telling = [(finding, action) for finding, action in called_for if action != Action.ALLOW]
    unjudged = strongest(*(policy.unreadable if each.cause == "unreadable" else policy.unknown for each in report.incomplete))
    if exempt:
        unjudged = _at_most(unjudged, Action.FLAG)
    enforced: list[Action] = [action for finding, action in telling if policy.mode_for(finding.category, mode) == "enforce"]
    if policy.mode_for(None, mode) == "enforce":
        enforced.append(unjudged)
    distressed = [finding for finding in report.findings if _is_distress(finding)]
    reasons = (*(in_words(finding) for finding, _ in telling), *(item.why for item in report.incomplete))
    children = any(finding.category == Category.CHILD_SAFETY for finding, _ in telling)
    return Verdict(
        decision="act" if telling else "unknown" if report.incomplete else "allow",
        action=strongest(*(action for _, action in telling), unjudged),
        enforced=strongest(*enforced),
        reasons=tuple(dict.fromkeys(reasons)),  # two damaged files are one sentence
        findings=report.findings,
        coverage=report.coverage,
        incomplete=report.incomplete,
        keep_copy=report.keep_copy and not children,
        distress=any(_is_distress(finding) for finding, _ in telling)
        or any(policy.rule_for(finding.category).help and finding.severity >= 2 for finding in distressed),
        urgent=any(item.cause == "judge_blocked" for item in report.incomplete),
        spares_quota=children,
        policy=policy.fingerprint,
        profile=policy.profile,
        prompt=report.prompt,
        engine=report.engine,
    )


def after_strikes(verdict: Verdict, policy: ChannelPolicy, *, earlier: int) -> Verdict:
    """Return the verdict as it is for somebody who had `earlier` messages removed of late: one too many is a time-out."""
    strikes = policy.policy.strikes
    if strikes is None or verdict.strikes != "at_once" or earlier + 1 < strikes.count:
        return verdict
    reason = f"This is number {earlier + 1} within {strikes.days} days that had to be removed."
    changes = {"action": strongest(verdict.action, Action.TIMEOUT), "enforced": Action.TIMEOUT}
    return verdict.model_copy(update={**changes, "reasons": (*verdict.reasons, reason)})


def in_words(finding: Finding) -> str:
    """Say a finding in one sentence, without its evidence."""
    label = label_of(finding.category)
    kind = f", {finding.kind.replace('_', ' ')}" if finding.kind else ""
    severity = SEVERITY_WORDS[finding.severity]
    return f"{label[:1].upper()}{label[1:]}{kind}: {severity}, {finding.confidence:.0%} sure."


def _action_for(finding: Finding, policy: ChannelPolicy, *, exempt: bool) -> Action:
    if exempt and finding.category not in policy.policy.exempt.still_scan:
        return Action.ALLOW
    action = policy.action_for(finding)
    # Somebody who may be at risk is shown to a human, never punished.
    return _at_most(action, Action.HOLD) if _is_distress(finding) else action


def _at_most(action: Action, most: Action) -> Action:
    return min(action, most, key=lambda each: each.strength)


def _is_distress(finding: Finding) -> bool:
    return finding.category == Category.SELF_HARM and finding.kind != "promotion"
