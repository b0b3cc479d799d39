"""Findings and a policy to a verdict: plain code, replayable without a model."""

from pipelines.moderation.policy import Action, Policy, strongest
from pipelines.moderation.report import Category, Finding, Report
from pipelines.moderation.verdict import Verdict

SEVERITY_WORDS = ("none", "mild", "moderate", "severe", "critical")


def decide(report: Report, policy: Policy, *, prompt: str) -> Verdict:
    """Take the strongest action that any finding calls for; what was not judged in full is never `allow`.

    `prompt` is the fingerprint of the question that led to the report.
    """
    called_for = [(finding, _action_for(finding, policy)) for finding in report.findings]
    telling = [(finding, action) for finding, action in called_for if action is not Action.ALLOW]
    gaps = [policy.unreadable if item.cause == "unreadable" else policy.unknown for item in report.incomplete]
    reasons = (*(in_words(finding) for finding, _ in telling), *(item.why for item in report.incomplete))
    return Verdict(
        decision="act" if telling else "unknown" if report.incomplete else "allow",
        action=strongest(*(action for _, action in telling), *gaps),
        reasons=tuple(dict.fromkeys(reasons)),  # two damaged files are one sentence
        findings=report.findings,
        coverage=report.coverage,
        incomplete=report.incomplete,
        keep_copy=report.keep_copy and not any(finding.category is Category.CHILD_SAFETY for finding, _ in telling),
        distress=any(_is_distress(finding) for finding, _ in telling),
        policy=policy.fingerprint,
        prompt=prompt,
        engine=report.engine,
    )


def in_words(finding: Finding) -> str:
    """Say a finding in one sentence, without its evidence."""
    kind = f", {finding.kind.replace('_', ' ')}" if finding.kind else ""
    severity = SEVERITY_WORDS[finding.severity]
    return f"{finding.category.label.capitalize()}{kind}: {severity}, {finding.confidence:.0%} sure."


def _action_for(finding: Finding, policy: Policy) -> Action:
    action = policy.action_for(finding)
    if _is_distress(finding):  # somebody who may be at risk is shown to a human, never punished
        return min(action, Action.HOLD, key=lambda each: each.strength)
    return action


def _is_distress(finding: Finding) -> bool:
    return finding.category is Category.SELF_HARM and finding.kind != "promotion"
