"""Whether something may be made, or shown once it is made: the judge reports, the policy and plain code decide.

What is refused here is refused in shadow mode as well, and to moderators: nobody's message is touched by it.
"""

from dataclasses import dataclass
from typing import Final

from pipelines.moderation.policy import Action, ChannelPolicy
from pipelines.moderation.report import Category, Finding, label_of
from pipelines.moderation.verdict import Verdict

# What is refused here beyond the policy is refused when the judge is at least so sure; of children, always.
LEAST_SURE: Final = 0.3
# From this severity on something sexual is for adults: 1 is mild, such as swimwear.
ADULT_SEVERITY: Final = 2
ADULT_KINDS: Final = frozenset({"explicit", "nudity"})
# Words to a member never name these.
UNSPOKEN: Final = frozenset({Category.CHILD_SAFETY, Category.SELF_HARM})

NOT_CHECKED: Final = "It could not be checked, so nothing was made. Try again later."
NOT_SHOWN: Final = "It was made, but what came back could not be checked in full, so it is not shown."
NOT_HERE: Final = "Flashbulb does not make this."
NOT_OF_PEOPLE: Final = "Flashbulb makes nothing sexual out of a picture that somebody posted."
NOT_IN_THIS_CHANNEL: Final = "This is for adults, so it is made only in channels that are marked as age-restricted."
NOT_AS_WRITTEN: Final = (
    "This is for adults, so it is made only from a wish that was thought through, which names no real person. Wish for it anew"
    " without --raw, name nobody after --no, and leave the prompt as it is."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Whether it may be: `refusal` is a sentence to who asked, empty where it may. `adults_only`: it is shown covered.

    `distress`: who asked may be at risk, and is to be told where there is help.
    """

    refusal: str = ""
    adults_only: bool = False
    distress: bool = False


def permission(
    verdict: Verdict, policy: ChannelPolicy, *, of_somebody: bool, thought_through: bool, made: bool = False
) -> Permission:
    """Return what a verdict on a wish, or on a result, means for it.

    `of_somebody`: it begins with a picture that somebody posted, so that a real person may be in it. `thought_through`: a model
    has gone over its words (`wish.is_thought_through`). `made`: it is a result.
    """
    if refusal := _refusal(verdict, policy, of_somebody=of_somebody) or _unchecked(verdict, made=made):
        return Permission(refusal=refusal, distress=verdict.distress)
    adults_only = any(_is_for_adults(each) for each in _sure(verdict))
    if adults_only and not policy.channel.age_gated:
        return Permission(refusal=NOT_IN_THIS_CHANNEL)
    if adults_only and not thought_through:
        return Permission(refusal=NOT_AS_WRITTEN)
    return Permission(adults_only=adults_only)


def _refusal(verdict: Verdict, policy: ChannelPolicy, *, of_somebody: bool) -> str:
    found = [each for each in verdict.findings if each.severity >= 1]
    if any(each.category == Category.CHILD_SAFETY for each in found) or not verdict.keep_copy:
        return NOT_HERE
    if of_somebody and any(each.category == Category.SEXUAL for each in _sure(verdict)):
        return NOT_OF_PEOPLE
    against = [each for each in found if policy.action_for(each).strength >= Action.FLAG.strength]
    named = dict.fromkeys(label_of(each.category) for each in against if each.category not in UNSPOKEN)
    if against:
        return f"The rules here do not allow it ({', '.join(named)})." if named else NOT_HERE
    return ""


def _sure(verdict: Verdict) -> list[Finding]:
    return [each for each in verdict.findings if each.severity >= 1 and each.confidence >= LEAST_SURE]


def _unchecked(verdict: Verdict, *, made: bool) -> str:
    if not verdict.incomplete and verdict.coverage.judged >= verdict.coverage.total:
        return ""
    return NOT_SHOWN if made else NOT_CHECKED


def _is_for_adults(finding: Finding) -> bool:
    return finding.category == Category.SEXUAL and (
        finding.severity > ADULT_SEVERITY or (finding.severity >= ADULT_SEVERITY and finding.kind in ADULT_KINDS)
    )
