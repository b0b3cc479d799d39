"""Why a verdict is what it is, in sentences for moderators: which gates opened, and what would have had to be different."""

from collections.abc import Iterator
from typing import Final

from pipelines.language import ENGLISH, Catalogue, message
from pipelines.moderation.decide import action_for, action_unjudged, in_words, is_distress, within
from pipelines.moderation.policy import Action, ChannelPolicy, Gate, Rule, strongest
from pipelines.moderation.report import OWN, CategoryName, Finding, Incomplete, kind_in_words, label_of
from pipelines.moderation.verdict import Verdict
from pipelines.ports import UNDERSTUDY

# The actions as a policy names them.
ACTIONS: Final = {
    Action.ALLOW: message("allow"),
    Action.TAG: message("tag"),
    Action.FLAG: message("flag"),
    Action.HOLD: message("hold"),
    Action.REMOVE: message("remove"),
    Action.TIMEOUT: message("remove and time out"),
    Action.BAN: message("ban"),
}
DONE: Final = {
    Action.ALLOW: message("left alone"),
    Action.TAG: message("tagged"),
    Action.FLAG: message("flagged"),
    Action.HOLD: message("held"),
    Action.REMOVE: message("removed"),
    Action.TIMEOUT: message("removed, its author paused"),
    Action.BAN: message("removed, its author banned"),
}
# What is said of each cause where the exact sentence is not translated.
UNJUDGED: Final = {
    "judge_down": message("No model answered in time."),
    "judge_blocked": message("The model refuses to look at this content."),
    "bad_answer": message("The model's answer could not be used."),
    "partial": message("Some parts were not judged."),
    "unreadable": message("Some of it cannot be opened."),
}


def explain(verdict: Verdict, policy: ChannelPolicy, say: Catalogue = ENGLISH, *, exempt: bool = False) -> tuple[str, ...]:
    """Say how `policy`, by which it was decided, led from what was found to the verdict. `exempt`: whether its author is."""
    return (
        *(f"{in_words(each, say)} {_consequence(each, policy, say, exempt=exempt)}" for each in verdict.findings),
        *_of_unjudged(verdict, policy, say, exempt=exempt),
        *_nothing(verdict, say),
        *_of_author(verdict, policy, say, exempt=exempt),
        *_of_whole(verdict, policy, say, exempt=exempt),
        *_of_shadow(verdict, say),
        *_of_judging(verdict, say),
        _of_profile(policy, say),
        say.say("It was decided by the policy with the fingerprint {fingerprint}.", fingerprint=verdict.policy),
    )


def explain_without_policy(verdict: Verdict, say: Catalogue = ENGLISH) -> tuple[str, ...]:
    """Say what can be said where the policy by which it was decided is not known any more."""
    unknown = say.say(
        "The policy by which this was decided ({fingerprint}) is not known any more, so nobody can say which gate opened.",
        fingerprint=verdict.policy,
    )
    return (
        unknown,
        *(in_words(each, say) for each in verdict.findings),
        *(why_in_words(each, say) for each in _distinct(verdict.incomplete)),
        *_nothing(verdict, say),
        *_of_shadow(verdict, say),
        *_of_judging(verdict, say),
    )


def action_in_words(action: Action, say: Catalogue = ENGLISH) -> str:
    return say.say(ACTIONS[action])


def why_in_words(item: Incomplete, say: Catalogue = ENGLISH) -> str:
    """Say why something was not judged: exactly where the language has the sentence, else by its cause."""
    return say.say(item.why) if say.has(item.why) else say.say(UNJUDGED[item.cause])


def _consequence(finding: Finding, policy: ChannelPolicy, say: Catalogue, *, exempt: bool) -> str:
    """Say which gate a finding opens, and what the next one up is."""
    rule, category = policy.rule_for(finding.category), finding.category
    called_for = policy.action_for(finding)
    if finding.kind in rule.allow:
        return say.say("It calls for nothing: {rule} allows this kind.", rule=_whose(category, policy, "allow", say))
    if exempt and category not in policy.policy.exempt.still_scan:
        return say.say("It calls for nothing: its author is exempt.")
    if called_for is Action.ALLOW:
        lowest = _nearest_gate(rule, finding, Action.ALLOW)
        if lowest is None:
            return say.say("It opens nothing: {rule} has no gate for it.", rule=_whose(category, policy, "", say))
        whose, gate = _whose(category, policy, lowest[0], say), _gate_in_words(*lowest, say)
        return say.say("It opens nothing: the lowest gate of {rule} is {gate}.", rule=whose, gate=gate)
    opened = next(each for each in dict(rule.by_action())[called_for] if each.opens_for(finding))
    whose, gate = _whose(category, policy, called_for, say), _gate_in_words(called_for, opened, say)
    said = say.say("It opens {gate} of {rule}.", gate=gate, rule=whose)
    if action_for(finding, policy) is not called_for:
        return f"{said} {say.say('Who may be at risk is never punished, so hold is the most that follows from it.')}"
    if above := _nearest_gate(rule, finding, called_for):
        return f"{said} {say.say('The next one up is {gate}.', gate=_gate_in_words(*above, say))}"
    return said


def _nearest_gate(rule: Rule, finding: Finding, action: Action) -> tuple[Action, Gate] | None:
    """Return the gate of the next stronger action than `action` that asks for the least more than a finding has."""
    for stronger, gates in reversed(list(rule.by_action())):
        fitting = [each for each in gates if not each.kinds or finding.kind in each.kinds]
        if stronger.strength > action.strength and fitting:
            return stronger, min(
                fitting,
                key=lambda gate: (max(gate.severity - finding.severity, 0), max(gate.confidence - finding.confidence, 0)),
            )
    return None


def _gate_in_words(action: Action, gate: Gate, say: Catalogue) -> str:
    values = {"action": action_in_words(action, say), "severity": gate.severity, "confidence": f"{gate.confidence:g}"}
    if not gate.kinds:
        return say.say("{action} (severity {severity}, confidence {confidence})", **values)
    kinds = ", ".join(kind_in_words(each, say) for each in gate.kinds)
    return say.say("{action} (severity {severity}, confidence {confidence}, only {kinds})", **values, kinds=kinds)


def _whose(category: CategoryName, policy: ChannelPolicy, part: str, say: Catalogue) -> str:
    """Name the rule that says what holds of a category. `part`: the action whose gates are meant, or `allow`."""
    label, rules = label_of(category, say), policy.policy
    in_profile = rules.profiles[policy.profile].categories if policy.profile else {}
    changed = next((rule for each, rule in in_profile.items() if each == category), None)
    if changed is not None and (part in changed.model_fields_set or not part):
        return say.say("the rule for {category} of the profile {profile}", category=label, profile=policy.profile)
    named = next((rule for each, rule in rules.categories.items() if each == category), None)
    own = rules.own_categories.get(category.removeprefix(OWN)) if category.startswith(OWN) else None
    rule = named or own
    if rule is not None and (rule.names_gates or part == "allow"):
        return say.say("the rule for {category}", category=label)
    return say.say("the rule for every category")


def _of_unjudged(verdict: Verdict, policy: ChannelPolicy, say: Catalogue, *, exempt: bool) -> Iterator[str]:
    for each in _distinct(verdict.incomplete):
        key = "unreadable" if each.cause == "unreadable" else "unknown"
        action = action_in_words(action_unjudged(each.cause, policy, exempt=exempt), say)
        leads = say.say("The policy's word for that ({key}) is {action}.", key=key, action=action)
        yield f"{why_in_words(each, say)} {leads}"


def _distinct(incomplete: tuple[Incomplete, ...]) -> tuple[Incomplete, ...]:
    return tuple({(each.cause, each.why): each for each in incomplete}.values())


def _nothing(verdict: Verdict, say: Catalogue) -> Iterator[str]:
    if not verdict.findings and not verdict.incomplete:
        yield say.say("Nothing was found in it.")


def _of_author(verdict: Verdict, policy: ChannelPolicy, say: Catalogue, *, exempt: bool) -> Iterator[str]:
    if exempt:
        still = ", ".join(label_of(each, say) for each in policy.policy.exempt.still_scan)
        yield say.say("Its author is exempt. Only this is still looked for in what they write: {categories}.", categories=still)
    if verdict.distress:
        yield say.say("Its author may be at risk. Who may be at risk is never punished.")


def _of_whole(verdict: Verdict, policy: ChannelPolicy, say: Catalogue, *, exempt: bool) -> Iterator[str]:
    """Say what beside the findings has made the verdict weaker or stronger."""
    found = (action_for(each, policy, exempt=exempt) for each in verdict.findings)
    unjudged = (action_unjudged(each.cause, policy, exempt=exempt) for each in verdict.incomplete)
    by_rules = within(strongest(*found, *unjudged), distress=any(map(is_distress, verdict.findings)))
    strikes = policy.policy.strikes
    if verdict.action is by_rules:
        return
    if verdict.action is Action.TIMEOUT and strikes is not None:
        yield say.count(
            "It is one of {strikes} removals within one day, which lead to a time-out.",
            "It is one of {strikes} removals within {number} days, which lead to a time-out.",
            strikes.days,
            strikes=strikes.count,
        )
    elif verdict.decision == "unknown" and not exempt:
        chosen = action_in_words(verdict.action, say)
        yield say.say("Moderators chose what follows while no model answers: {action}.", action=chosen)


def _of_shadow(verdict: Verdict, say: Catalogue) -> Iterator[str]:
    if verdict.enforced.strength >= verdict.action.strength:
        return
    action = action_in_words(verdict.action, say)
    if verdict.enforced is Action.ALLOW:
        yield say.say("This is in shadow mode: the rules call for {action}, and nothing is carried out.", action=action)
    else:
        done = action_in_words(verdict.enforced, say)
        yield say.say(
            "A part of this is in shadow mode: the rules call for {action}, and {done} is carried out.",
            action=action,
            done=done,
        )


def _of_judging(verdict: Verdict, say: Catalogue) -> Iterator[str]:
    """Say what was looked at, and by whom."""
    if verdict.urgent:
        yield say.say("A model refuses to look at it, so a person should look first.")
    if not verdict.keep_copy:
        yield say.say("No copy of it is kept.")
    coverage = verdict.coverage
    yield say.count(
        "{judged} of {number} part was judged.",
        "{judged} of {number} parts were judged.",
        coverage.total,
        judged=coverage.judged,
    )
    prompt = verdict.prompt or "–"
    if verdict.engine == UNDERSTUDY:
        yield say.say("The understudy judged it, which is no model. The question's fingerprint is {prompt}.", prompt=prompt)
    elif verdict.engine == "none":
        yield say.say("No model was needed.") if not verdict.incomplete else say.say("No model has judged it.")
    else:
        yield say.say("{model} judged it. The question's fingerprint is {prompt}.", model=verdict.engine, prompt=prompt)


def _of_profile(policy: ChannelPolicy, say: Catalogue) -> str:
    if policy.profile:
        return say.say("The profile {profile} holds in this channel.", profile=policy.profile)
    return say.say("No profile holds in this channel.")
