"""`/flashbulb policy suggestions`: what moderators' decisions say about the policy, applied by a click."""

import asyncio
from collections.abc import Sequence
from typing import Final

from handlers.answers import Alert, Notice
from handlers.effects import Notify, Plan
from handlers.events import ButtonPressed, CommandUsed
from handlers.policies import hold, refuse_unless_admin
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.errors import UserError
from pipelines.moderation.changing import raise_gate
from pipelines.moderation.learning import (
    DECISIONS_NEEDED,
    Reviewed,
    Suggestion,
    as_now,
    decided_by_category,
    suggestions,
)
from pipelines.moderation.policy import Policy
from pipelines.moderation.report import Category, label_of

SHOWN_MAX: Final = 5  # at once; the others come when these are done
APPLY: Final = (("suggestion_apply", "Apply"),)
STALE: Final = (
    "This suggestion is not there any more: other decisions were made, or the policy is another."
    " Write /flashbulb policy suggestions for those that there are now."
)


async def on_suggestions(event: CommandUsed, services: Services) -> Plan:
    """Say what would be better by what moderators decided, and by how much: to who asks alone."""
    refuse_unless_admin(event)
    tenant = event.place.tenant
    policy = readable(await services.policies.current(tenant)).policy
    reviewed = await services.cases.reviewed(tenant)
    found = await asyncio.to_thread(suggestions, policy, reviewed)
    if not found:
        return Plan(effects=(Notify.author_of(event, "none", Notice(text=why_none(policy, reviewed))),))
    shown = [Notify.author_of(event, f"suggestion{n}", _said(each)) for n, each in enumerate(found[:SHOWN_MAX])]
    if more := len(found) - len(shown):
        are = "is 1 more" if more == 1 else f"are {more} more"
        said = Notice(text=f"There {are}. With each version of the policy they are looked for anew.")
        shown.append(Notify.author_of(event, "more", said))
    return Plan(effects=tuple(shown))


async def on_suggestion_applied(event: ButtonPressed, services: Services) -> Plan:
    """Make a suggestion a new version of the policy, if it is still one.

    The version before the newest is looked at as well: there it is when the same press comes again after a crash.
    """
    refuse_unless_admin(event)
    tenant = event.place.tenant
    now, *before = (await services.policies.versions(tenant))[:2]
    readable(now)
    reviewed = await services.cases.reviewed(tenant)
    for version in (now, *(each for each in before if not each.trouble)):
        found = await asyncio.to_thread(suggestions, version.policy, reviewed)
        suggestion = next((each for each in found if each.id == event.value), None)
        if suggestion is not None:
            text = await asyncio.to_thread(raise_gate, version.text, suggestion)
            if version is now or text == now.text:
                return await hold(event, text, services, why=suggestion.says, based_on=now.number)
    raise UserError(STALE)


def readable(version: PolicyVersion) -> PolicyVersion:
    """Return a version whose text can be changed. Raises: `UserError` where it cannot be read."""
    if version.trouble:
        raise UserError(
            f"The text of the policy cannot be read, so nothing can be changed in it. Mend it first: {version.trouble}"
        )
    return version


def _said(suggestion: Suggestion) -> Alert:
    label = label_of(suggestion.category)
    kinds = f", for {' or '.join(each.replace('_', ' ') for each in suggestion.gate.kinds)}" if suggestion.gate.kinds else ""
    return Alert(
        title=f"Raise {suggestion.action} for {label} to {suggestion.new:.2f}",
        text=f"{suggestion.says} It is the gate at severity {suggestion.gate.severity}{kinds}. Applied, it is a new version of"
        " the policy, and can be rolled back.",
        value=suggestion.id,
        buttons=APPLY,
        channels=(suggestion.channel.id,) if suggestion.channel else (),
    )


def why_none(policy: Policy, reviewed: Sequence[Reviewed]) -> str:
    """Say why there is no suggestion."""
    decided = decided_by_category(policy, as_now(reviewed))
    counts = {label_of(each): len(cases) for each, cases in decided.items() if each != Category.CHILD_SAFETY}
    few = sorted(((count, label) for label, count in counts.items() if count < DECISIONS_NEEDED), reverse=True)
    enough = sorted(label for label, count in counts.items() if count >= DECISIONS_NEEDED)
    sentences = []
    if few or not enough:
        those = ", ".join(f"{count} of {DECISIONS_NEEDED} decisions for {label}" for count, label in few)
        sentences.append(f"Nothing to suggest yet: {those or f'0 of {DECISIONS_NEEDED} decisions for any category'}.")
    if enough:
        sentences.append(f"Enough was decided about {', '.join(enough)}, and no higher number would have been clearly better.")
    return " ".join(sentences)
