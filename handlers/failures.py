"""What is said and done once an effect will never be carried out, or was not carried out whole."""

from handlers.answers import CaseCard, Held, Made, Notice, NotMade, SetUp
from handlers.appeals import OUTCOME
from handlers.effects import AnyEffect, Ban, Card, Edit, Make, Notify, Performed, Plan, Post, Remove, Restore, TakeBack, Timeout
from handlers.events import FLASHBULB, AnyEvent, ButtonPressed, CommandUsed, FormSubmitted, MessagePosted
from handlers.making import made_nothing
from handlers.ports.cases import Measure
from handlers.ports.services import Services
from handlers.raids import undone_in_raid


async def after_failure(
    event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...], services: Services
) -> Plan | None:
    """Tell the moderators when something could not be done, an admin when we cannot write to them.

    Private words about it are left out: they would tell people that what failed was done. What is about other messages stays
    as it is.
    """
    same, others = _of_same_message(rest)
    match effect:
        case Remove() if performed.status != "failed":
            told = tuple(_adding(each, performed.why) for each in same)
            return Plan(effects=(*told, *await undone_in_raid(effect, performed, services), *others))
        case _ if performed.status != "failed":
            return None
        case Remove() | Restore():
            told = tuple(_admitting(each, effect, performed.why) for each in same if not _claims(each))
            return Plan(effects=(*told, *await undone_in_raid(effect, performed, services), *others))
        case TakeBack(case=case) if case:
            return Plan(effects=(*(_admitting(each, effect, performed.why) for each in same if not _claims(each)), *others))
        case Timeout() | Ban():
            await _unmeasured(effect, services)
            told = tuple(_not_silenced(each, effect, performed.why) for each in same if not _claims_measure(each))
            return Plan(effects=(*told, *others))
        case Post(answer=Made() | NotMade()) | Edit(answer=Made() | NotMade()):
            # It is paid for, or somebody waits for it: then they hear of it in private.
            heard = Notify.author_of(event, "made!", effect.answer, place=effect.place)
            return Plan(effects=(heard.model_copy(update={"files": effect.files}), *rest))
        case Make():
            return Plan(effects=(*await made_nothing(effect, performed.why, services), *rest))
        case Post() if _is_asked_for(event):
            notice = Notice(text=f"Flashbulb cannot answer where you asked. {performed.why}")
            return Plan(effects=(Notify.author_of(event, "unposted!", notice, place=effect.place), *rest))
        case Card(answer=SetUp(log_channel=log_channel)):
            words = f"It is saved, but nothing can be written into the channel for cases: {performed.why}"
            notice = Notice(text=words, channel=log_channel or "")
            return Plan(effects=(Notify.author_of(event, "log!", notice),))
        case _:
            return None


def _is_asked_for(event: AnyEvent) -> bool:
    """Whether somebody waits for an answer to `event`: they used us or mentioned us."""
    return isinstance(event, CommandUsed | ButtonPressed | FormSubmitted) or (
        isinstance(event, MessagePosted) and event.mentions_us
    )


def _of_same_message(rest: tuple[AnyEffect, ...]) -> tuple[tuple[AnyEffect, ...], tuple[AnyEffect, ...]]:
    """Return what is left to do about the same message, then what is about others: that begins with taking out the next one
    or bringing it back."""
    others = next((at for at, each in enumerate(rest) if isinstance(each, Remove | Restore)), len(rest))
    return rest[:others], rest[others:]


def _admitting(effect: AnyEffect, failed: Remove | Restore | TakeBack, why: str) -> AnyEffect:
    """Return the effect; where it shows the case, that says what could not be done."""
    if isinstance(effect, Card | Edit) and isinstance(effect.answer, CaseCard):
        says = {"undone": why, "out": isinstance(failed, Restore)}
        return effect.model_copy(update={"answer": effect.answer.model_copy(update=says)})
    return effect


def _adding(effect: AnyEffect, why: str) -> AnyEffect:
    """Return the effect; where it shows the case, that says what was left undone."""
    if isinstance(effect, Card | Edit) and isinstance(effect.answer, CaseCard):
        says = {"reasons": (*effect.answer.reasons, why)}
        return effect.model_copy(update={"answer": effect.answer.model_copy(update=says)})
    return effect


def _claims(effect: AnyEffect) -> bool:
    """Whether an effect tells somebody in private that all was done."""
    return isinstance(effect, Notify) and not effect.key.endswith(f"#{OUTCOME}")


def _claims_measure(effect: AnyEffect) -> bool:
    return isinstance(effect, Notify) and isinstance(effect.answer, Notice) and _claims(effect)


async def _unmeasured(effect: Timeout | Ban, services: Services) -> None:
    """Write down that what a moderator wanted done to somebody was not, so that it can be tried again."""
    lift = effect.lift if isinstance(effect, Ban) else effect.until is None
    if effect.case and not lift:
        measure: Measure = "ban" if isinstance(effect, Ban) else "timeout"
        tenant = effect.place.tenant
        await services.cases.measure(
            tenant, effect.case, measure=measure, by=FLASHBULB, event=f"{effect.key}!failed", lift=True
        )


def _not_silenced(effect: AnyEffect, failed: Timeout | Ban, why: str) -> AnyEffect:
    """Return the effect; where it speaks of a time-out or a ban, it says that there is none."""
    match effect:
        case Card(answer=CaseCard() as card) | Edit(answer=CaseCard() as card):
            return effect.model_copy(update={"answer": _without_measure(card, failed, why)})
        case Notify(answer=Held() as held):
            return effect.model_copy(update={"answer": held.model_copy(update={"timeout_minutes": 0})})
        case _:
            return effect


def _without_measure(card: CaseCard, failed: Timeout | Ban, why: str) -> CaseCard:
    if isinstance(failed, Ban):
        what, measure = "be let in again" if failed.lift else "be banned", "ban"
    else:
        what, measure = "be let write again" if failed.until is None else "be timed out", "timeout"
    changes = {"reasons": (*card.reasons, f"The author could not {what}: {why}"), "timeout_minutes": 0}
    if measure in card.measured:
        left = tuple(each for each in card.measured if each != measure)
        changes |= {"measured": left, "measures": (*card.measures, measure)}
    return card.model_copy(update=changes)
