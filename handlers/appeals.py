"""The author of a message asks for another look, once; somebody else than who decided first gives it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from handlers.answers import Alert, Notice
from handlers.cases import may_keep
from handlers.effects import AnyEffect, Ban, Card, Notify, Plan, Restore
from handlers.events import ButtonPressed, Event, FormSubmitted, Person
from handlers.forms import APPEAL_CHARS
from handlers.ports.cases import Case
from handlers.ports.services import Services
from handlers.review import Hearing, card_anew, let_write_again, look_up, settled, to_author
from pipelines.errors import UserError
from pipelines.language import Catalogue, catalogue, message

ASKED_ALREADY: Final = message("You have asked for this already. It is looked at once more, and once only.")
OUTCOME: Final = "outcome"  # ends the key of what tells an author how their appeal ended, which is said whatever else fails


async def on_appeal_pressed(event: ButtonPressed, services: Services) -> Plan:
    """Say why the form did not open: it comes only then."""
    case, words = await _their_case(event, event.value, services)
    _refuse_late(case, words, days=(await services.policies.current(event.place.tenant)).policy.review.appeal_days)
    if case.appeal is not None:
        raise UserError(words.say(ASKED_ALREADY))
    raise UserError(words.say("The form for that could not be opened. Press it once more."))


async def on_appeal_form(event: FormSubmitted, services: Services) -> Plan:
    """Keep what an author says, and show it to the moderators."""
    case, words = await _their_case(event, event.about, services)
    policy = (await services.policies.current(event.place.tenant)).policy
    _refuse_late(case, words, days=policy.review.appeal_days)
    text = event.values.get("text", "").strip()
    if not text:
        raise UserError(words.say("Write why it should be looked at again."))
    if len(text) > APPEAL_CHARS:
        raise UserError(
            words.say("Write at most {most} characters; these are {number}.", most=f"{APPEAL_CHARS:,}", number=f"{len(text):,}")
        )
    case, kept = await services.cases.appeal(event.place.tenant, case.id, text=text, by=event.author, event=event.key)
    if not kept:
        raise UserError(words.say(ASKED_ALREADY))
    told = Alert(
        title="An appeal waits",
        text="The author of a message asks for another look. Whoever decided about it first leaves this to somebody else.",
        value=case.id,
        buttons=(("why", "Why?"),),
        channels=(case.place.channel,),
    )
    sent = Notice(text=words.say("Thank you. Another moderator looks at it, and you hear what came of it."))
    return Plan(
        effects=(
            *await card_anew(event, case, services),
            Card(key=f"{event.key}#alert", place=case.place, answer=told),
            Notify.author_of(event, "sent", sent),
        )
    )


async def _their_case(event: Event, id: str, services: Services) -> tuple[Case, Catalogue]:
    tenant = event.place.tenant
    words = catalogue((await services.policies.current(tenant)).policy.language)
    case = await services.cases.find(tenant, id)
    if case is None:
        raise UserError(words.say("This is kept no longer, so it cannot be looked at again."))
    if case.author.id != event.author.id:
        raise UserError(words.say("Only the author of a message can ask for that."))
    return case, words


def _refuse_late(case: Case, words: Catalogue, *, days: int) -> None:
    """Refuse what cannot be appealed (any more).

    Raises: `UserError` in the author's words.
    """
    if case.appeal is not None and case.appeal.state != "open":
        raise UserError(words.say("This was looked at again already."))
    if case.state in ("restored", "dismissed"):
        raise UserError(words.say("There is nothing to appeal: the message was found to be fine."))
    if not case.out:
        raise UserError(words.say("There is nothing to appeal: nothing was done about the message."))
    if datetime.now(UTC) - (case.out_since or case.at) > timedelta(days=days):
        raise UserError(
            words.count(
                "It is too late: an appeal has to come within one day.",
                "It is too late: an appeal has to come within {number} days.",
                days,
            )
        )


def refuse_first_reviewer(hearing: Hearing, person: Person) -> None:
    """Refuse who must not decide an appeal: the author, and whoever decided about the message before.

    Raises: `UserError`.
    """
    case = hearing.case
    if case.appeal is None:
        raise UserError("Nobody has appealed against this.")
    if case.author.id == person.id:
        raise UserError("This is about a message of your own. Another moderator decides it.")
    if case.appeal.state == "open" and case.decided_by_id == person.id:
        raise UserError("You have decided about this message before. Another moderator decides the appeal.")


def appeal_in_words(case: Case) -> str:
    """Say who decided an appeal, and how."""
    appeal = case.appeal
    done = "granted" if appeal and appeal.state == "granted" else "denied"
    return f"{appeal.decided_by if appeal else 'Somebody'} was first and {done} the appeal."


async def on_appeal_decided(event: ButtonPressed, services: Services) -> Plan:
    """Decide an appeal. The first press wins."""
    hearing = await look_up(event, event.value, services)
    refuse_first_reviewer(hearing, event.author)
    await settled(event, hearing.case, services)
    hearing = await look_up(event, event.value, services)
    case, won = await services.cases.decide_appeal(
        event.place.tenant, hearing.case.id, granted=event.button == "overturn", by=event.author, event=event.key
    )
    shown = await card_anew(event, case, services)
    if not won:
        return Plan(effects=(*shown, Notify.author_of(event, "first", Notice(text=appeal_in_words(case)))))
    if event.button == "overturn":
        return Plan(effects=(*await _grant(event, hearing, case, services), *shown))
    denied = hearing.words.say("Another moderator looked at your message again. What was decided about it stands.")
    return Plan(effects=(*to_author(event, case, Notice(text=denied), suffix=OUTCOME), *shown))


async def _grant(event: ButtonPressed, hearing: Hearing, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    words, effects = hearing.words, list[AnyEffect]()
    said = words.say("Another moderator looked at your message again: your appeal was granted, and nothing counts against you.")
    if hearing.case.out and may_keep(case):
        effects.append(Restore(key=f"{event.key}#restore", place=case.place, message=case.message, case=case.id))
        said = f"{said} {words.say('Where that is still possible, the message stands in the channel again.')}"
    elif hearing.case.out:
        said = f"{said} {words.say('The message itself cannot be brought back, since no copy of it is kept.')}"
    effects += await let_write_again(event, case, services)
    if "ban" in case.measures:
        await services.cases.measure(event.place.tenant, case.id, measure="ban", by=event.author, event=event.key, lift=True)
        effects.append(Ban(key=f"{event.key}#unban", place=case.place, person=case.author.id, case=case.id, lift=True))
    return (*effects, *to_author(event, case, Notice(text=said), suffix=OUTCOME))
