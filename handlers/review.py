"""What moderators decide about a case. The first press wins, whoever comes later is told who was first."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from handlers.answers import Held, Notice
from handlers.bursts import JOINED
from handlers.cases import PUT_BACK, TIMEOUT_MINUTES, card, forget, may_keep, measures_of, words_to_author
from handlers.effects import AnyEffect, Ban, Edit, Notify, Plan, Remove, Restore, TakeBack, Timeout
from handlers.events import ButtonPressed, Event, FormSubmitted, Person, Role
from handlers.outages import log_place
from handlers.ports.cases import Case, CaseFilter, Decision, Measure
from handlers.ports.services import Services
from pipelines.errors import Unavailable, UserError
from pipelines.language import Catalogue, catalogue
from pipelines.moderation.policy import Action, Policy
from pipelines.moderation.report import Category, Finding

DECISIONS: Final = frozenset({"restore", "keep", "dismiss", "remove", "allow_exact", "deny_near", "wrong_category"})
MEASURES: Final[dict[str, Measure]] = {"timeout": "timeout", "ban": "ban"}
UNDO_WITHIN: Final = timedelta(minutes=60)
SETTLE_S: Final = 5.0  # then the press is put off
LOOK_S: Final = 0.05
SILENT_FOR_MAX: Final = timedelta(days=28)  # the longest that a time-out may last, so that older ones have ended
# What is said to a form that asks for nothing.
NOTHING_CHOSEN: Final = {
    "wrong_category": "Choose another category than the one that was found.",
    "timeout": "Choose for how long.",
    "ban": "Nobody was banned.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What holds for somebody's decision about a case."""

    case: Case
    policy: Policy
    supports: frozenset[Action]

    @property
    def words(self) -> Catalogue:
        return catalogue(self.policy.language)


async def look_up(event: Event, case: str, services: Services) -> Hearing:
    """Return a case and what holds for it.

    Raises: `UserError` when there is no such case, or the author of `event` decides none.
    """
    if not event.author.role.reviews:
        raise UserError("Only moderators decide cases.")
    tenant = event.place.tenant
    found = await services.cases.find(tenant, case)
    if found is None:
        raise UserError("There is no such case here (any more).")
    return Hearing(
        case=found,
        policy=(await services.policies.current(tenant)).policy,
        supports=services.channels.supports(tenant),
    )


async def settled(event: Event, case: Case, services: Services) -> None:
    """Return once nothing is being done about the message of a case: what is brought back could be taken out after that.

    Raises: `Unavailable` when that takes long.
    """
    begun = {case.event, f"{case.event}{JOINED}", case.decided_event} - {"", event.key}
    try:
        async with asyncio.timeout(SETTLE_S):
            for key in begun:
                while await services.cases.is_under_way(case.place.tenant, key):  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise Unavailable("What is being done about the message", "is not finished") from None


def is_own(case: Case, person: Person) -> bool:
    """Whether somebody may not decide a case, as it is about what they wrote. The operator may be all alone with the bot."""
    return case.author.id == person.id and person.role is not Role.OPERATOR


def refuse_wrongful(hearing: Hearing, button: str, person: Person) -> None:
    """Refuse what may not be decided, or not by this person.

    Raises: `UserError` with a sentence for whoever pressed.
    """
    case = hearing.case
    if is_own(case, person):
        raise UserError("This is about a message of your own. Another moderator decides it.")
    match button:
        case "restore" if not may_keep(case):
            raise UserError("No copy of this message may be kept, so it cannot be put back.")
        case "allow_exact" | "deny_near" if not may_keep(case) or not any(each.picture for each in case.known_by):
            raise UserError("There is no picture in this message that could be known again.")
        case "deny_near" if case.category == Category.CHILD_SAFETY:
            raise UserError("Hashes of what may harm children are not kept here. Choose Wrong category, or take it out.")
        case "deny_near" if not _denied_for(case):
            raise UserError("Nothing was found in it, so nobody knows what to deny it for. Choose Wrong category first.")
        case "timeout" | "ban" if MEASURES[button] not in measures_of(case, hearing.supports):
            raise UserError("That cannot be done here.")
        case "undo" if case.undecided or case.appeal is not None:
            raise UserError("There is no decision here that could be taken back.")
        case "undo" if case.decided_by_id != person.id and person.role is not Role.OPERATOR:
            raise UserError("Only who decided this takes it back. Its author may appeal.")
        case "undo" if case.decided_at and datetime.now(UTC) - case.decided_at > UNDO_WITHIN:
            raise UserError("It is too late to take this back: the author was told an hour ago.")
        case _:
            return


async def on_button(event: ButtonPressed, services: Services) -> Plan:
    """Decide a case, or take a decision back."""
    hearing = await look_up(event, event.value, services)
    if event.button == "undo":
        hearing = await _as_decided(event, hearing, services)
    refuse_wrongful(hearing, event.button, event.author)
    if event.button == "undo" or event.button in DECISIONS:
        await settled(event, hearing.case, services)
        hearing = replace(hearing, case=await _now(hearing.case, services) if event.button != "undo" else hearing.case)
    match event.button:
        case "undo":
            return await _undo(event, hearing, services)
        case "timeout" | "ban" | "wrong_category":  # each is a form, and comes only if that did not open
            raise UserError("The form for that could not be opened. Press it once more.")
        case button if button in DECISIONS:
            return await _decide(event, hearing, button, services)
        case _:
            raise UserError("This button is of an older version. Use the newest card of the case.")


async def on_case_form(event: FormSubmitted, services: Services) -> Plan:
    """Do what a moderator has said more about: the right category, a time-out, a ban."""
    hearing = await look_up(event, event.about, services)
    refuse_wrongful(hearing, event.form, event.author)
    match event.form:
        case "wrong_category":
            own = {f"own:{name}" for name in hearing.policy.own_categories}
            if (right := event.values.get("category", "")) not in {*Category, *own} or right == hearing.case.category:
                raise UserError(NOTHING_CHOSEN["wrong_category"])
            await settled(event, hearing.case, services)
            hearing = replace(hearing, case=await _now(hearing.case, services))
            return await _decide(event, hearing, event.form, services, right_category=right)
        case "timeout":
            minutes = event.values.get("minutes", "")
            if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes) <= SILENT_FOR_MAX.total_seconds() // 60):
                raise UserError(NOTHING_CHOSEN["timeout"])
            return await _silence(event, hearing, int(minutes), services)
        case _:
            if event.values.get("sure") != "yes":
                return Plan(effects=(Notify.author_of(event, "not", Notice(text=NOTHING_CHOSEN["ban"])),))
            return await _ban(event, hearing, services)


async def _now(case: Case, services: Services) -> Case:
    """Return a case as it stands after what was being done about it."""
    return await services.cases.find(case.place.tenant, case.id) or case


async def _decide(event: Event, hearing: Hearing, button: str, services: Services, *, right_category: str = "") -> Plan:
    tenant, decision = event.place.tenant, _decision(hearing, button, right_category)
    case, won = await services.cases.decide(
        tenant, hearing.case.id, decision=decision, by=event.author, event=event.key, right_category=right_category
    )
    shown = await card_anew(event, case, services)
    if not won:
        if case.undecided:  # it was this press, and has been taken back meanwhile
            return Plan(effects=shown)
        first = Notice(text=f"{case.decided_by} was first and {decided_in_words(case)}.")
        return Plan(effects=(*shown, Notify.author_of(event, "first", first)))
    if button in ("allow_exact", "deny_near"):
        await _list(event, case, button, services)
    return Plan(effects=(*await _carry_out(event, hearing, case, services), *shown))


def decided_in_words(case: Case) -> str:
    """Say what somebody did about a case, after their name."""
    match case.state:
        case "restored":
            return "put the message back"
        case "dismissed":
            return "found nothing wrong with the message"
        case "removed":
            return "took the message out"
        case _:
            return "kept the message removed" if case.taken_out else "agreed with what was found"


def _decision(hearing: Hearing, button: str, right_category: str) -> Decision:
    match button:
        case "restore" | "dismiss" | "allow_exact":
            return "restored" if hearing.case.out else "dismissed"
        case "remove":
            return "kept" if hearing.case.out else "removed"
        case "deny_near" if not hearing.case.out and Action.REMOVE in hearing.supports and not hearing.case.gone:
            return "removed"
        case "wrong_category" if right_category == Category.CHILD_SAFETY and not hearing.case.out:
            return "removed"
        case _:
            return "kept"


async def _carry_out(event: Event, hearing: Hearing, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    """Return what follows from a decision, for the message and for its author."""
    match case.state:
        case "restored":
            return (*_bring_back(event, hearing, case), *await let_write_again(event, case, services))
        case "dismissed":
            return await let_write_again(event, case, services)
        case "removed":
            return await _take_out(event, hearing, case, services)
        case _ if case.right_category == Category.CHILD_SAFETY:  # a person says so: no copy stays
            return (_removal(event, hearing, case), *await forget(event, case.place, case.message, services))
        case _:
            return ()


def _bring_back(event: Event, hearing: Hearing, case: Case) -> tuple[AnyEffect, ...]:
    restore = Restore(key=f"{event.key}#restore", place=case.place, message=case.message, case=case.id)
    return (restore, *to_author(event, case, Notice(text=hearing.words.say(PUT_BACK))))


async def _take_out(event: Event, hearing: Hearing, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    made = await forget(event, case.place, case.message, services, keep=may_keep(case))
    told = to_author(event, case, words_to_author(case, hearing.policy))
    return (_removal(event, hearing, case), *told, *made)


def _removal(event: Event, hearing: Hearing, case: Case) -> Remove:
    return Remove(
        key=f"{event.key}#remove",
        place=case.place,
        message=case.message,
        keep=may_keep(case),
        keep_days=hearing.policy.retention.copies,
        case=case.id,
    )


def to_author(event: Event, case: Case, answer: Notice | Held, *, suffix: str = "notice") -> tuple[AnyEffect, ...]:
    """Return how the author of a case is told something, unless that is a bot."""
    if case.author.bot:
        return ()
    place = case.place.in_thread_of(case.message)
    return (Notify(key=f"{event.key}#{suffix}", place=place, person=case.author.id, answer=answer),)


async def let_write_again(event: Event, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    """Return what ends a time-out that came with a case, unless another case silences its author as well."""
    tenant = case.place.tenant
    strikes = (await services.policies.current(tenant)).policy.strikes
    minutes = strikes.timeout_minutes if strikes else TIMEOUT_MINUTES
    if Action.TIMEOUT not in services.channels.supports(tenant) or not _silences(case, minutes, also_overturned=True):
        return ()
    since = datetime.now(UTC) - SILENT_FOR_MAX
    others = await services.cases.page(tenant, CaseFilter(author=case.author.id, since=since), limit=50)
    if any(_silences(each, minutes) for each in others.cases if each.id != case.id):
        return ()
    return (Timeout(key=f"{event.key}#lift:{case.id}", place=case.place, person=case.author.id, until=None, case=case.id),)


def _silences(case: Case, minutes: int, *, also_overturned: bool = False) -> bool:
    """Whether the author of a case is silent because of it: by the policy, for `minutes`, or by a moderator's word."""
    moment = datetime.now(UTC)
    if "timeout" in case.measures and (case.silent_until is None or case.silent_until > moment):
        return True
    stands = also_overturned or case.state not in ("restored", "dismissed")
    by_policy = case.action is Action.TIMEOUT and not case.shadow
    return by_policy and stands and case.at + timedelta(minutes=minutes) > moment


async def _list(event: Event, case: Case, button: str, services: Services) -> None:
    """Have exactly these pictures pass from now on, or these and near copies lead to what was found."""
    pictures = [each for each in case.known_by if each.picture]
    hashes = [one for each in pictures for one in (*each.exact, *(each.near if button == "deny_near" else ()))]
    await services.banks.put(
        case.place.tenant,
        "deny" if button == "deny_near" else "allow",
        hashes,
        finding=_denied_for(case) if button == "deny_near" else None,
        reason=f"case {case.id}",
        by=event.author,
        event=event.key,
    )


def _denied_for(case: Case) -> Finding | None:
    """Return what near copies of a case's pictures shall lead to: what was found that weighs most."""
    found = [each for each in case.verdict.findings if each.category == case.category]
    worst = max(found, key=lambda each: (each.severity, each.confidence), default=None)
    return worst and Finding(category=worst.category, kind=worst.kind, severity=max(worst.severity, 2), confidence=1)


async def _silence(event: FormSubmitted, hearing: Hearing, minutes: int, services: Services) -> Plan:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    case, won = await services.cases.measure(
        event.place.tenant, hearing.case.id, measure="timeout", by=event.author, event=event.key, until=until
    )
    if not won:
        raise UserError("Somebody was first: they cannot write already.")
    until = case.silent_until or until  # as it was kept, should this be decided again after a crash
    act = Timeout(key=f"{event.key}#timeout", place=case.place, person=case.author.id, until=until, case=case.id)
    text = hearing.words.say(
        "A moderator has decided that you cannot write here until {until} UTC.", until=f"{until:%d.%m. %H:%M}"
    )
    return Plan(effects=(act, *to_author(event, case, Notice(text=text)), *await card_anew(event, case, services)))


async def _ban(event: FormSubmitted, hearing: Hearing, services: Services) -> Plan:
    tenant = event.place.tenant
    case, won = await services.cases.measure(tenant, hearing.case.id, measure="ban", by=event.author, event=event.key)
    if not won:
        raise UserError("Somebody was first: they are banned already.")
    act = Ban(key=f"{event.key}#ban", place=case.place, person=case.author.id, case=case.id)
    # Nobody is told before it is done. Where a platform lets nobody write to whoever is shut out, it has told them itself.
    told = to_author(event, case, Notice(text=hearing.words.say("A moderator has shut you out of this community.")))
    return Plan(effects=(act, *await card_anew(event, case, services), *told))


async def _as_decided(event: ButtonPressed, hearing: Hearing, services: Services) -> Hearing:
    """Return how a case stood before `event` took its decision back, should that have happened in an attempt before a crash."""
    links = await services.audit.of_case(event.place.tenant, hearing.case.id)
    undone = next((each for each in links if each.kind == "undone" and each.key.startswith(f"{event.key}!")), None)
    decided = [each for each in links if each.kind == "decided" and undone and each.seq < undone.seq]
    if not decided:
        return hearing
    last = decided[-1]
    before = replace(
        hearing.case,
        state=last.facts["decision"],
        decided_event=last.key.rpartition("!decided")[0],
        decided_by_id=last.actor,
        decided_at=last.at,
        right_category=last.facts.get("right_category", ""),
    )
    return replace(hearing, case=before)


async def _undo(event: ButtonPressed, hearing: Hearing, services: Services) -> Plan:
    """Open a case again, and reverse what its decision had led to."""
    tenant, before = event.place.tenant, hearing.case
    case, won = await services.cases.undo(
        tenant, before.id, decided_event=before.decided_event, by=event.author, event=event.key
    )
    shown = await card_anew(event, case, services)
    if not won:
        return Plan(effects=shown)
    since = before.decided_at or datetime.now(UTC)
    for link in await services.audit.since(tenant, since - UNDO_WITHIN, "listed"):
        if link.key.startswith(f"{before.decided_event}!"):
            await services.banks.take_off(tenant, str(link.facts["entry"]), by=event.author, event=event.key)
    return Plan(effects=(*await _reversed(event, hearing, before, services), *shown))


async def _reversed(event: ButtonPressed, hearing: Hearing, before: Case, services: Services) -> tuple[AnyEffect, ...]:
    match before.state:
        case "restored":
            posted = await _restored_by(before, services)
            message = await services.cases.shown(before.place.tenant, posted) or before.message
            out = TakeBack(
                key=f"{event.key}#out",
                place=before.place,
                message=message,
                posted=posted,
                case=before.id,
                original=before.message,
            )
            both = dict.fromkeys((before.message, message))
            made = [await forget(event, before.place, each, services, keep=True) for each in both]
            told = to_author(event, before, words_to_author(before, hearing.policy))
            return (out, *told, *(each for those in made for each in those))
        case "removed" if may_keep(before):
            return _bring_back(event, hearing, before)
        case _:
            return ()


async def _restored_by(case: Case, services: Services) -> str:
    """Return the key of the effect that brought the message of a case back, alone or together with others of a raid."""
    links = await services.audit.of_case(case.place.tenant, case.id)
    back = [each.key for each in links if each.kind == "acted" and each.facts.get("effect") == "restore"]
    return back[-1].removesuffix("!acted") if back else f"{case.decided_event}#restore"


async def card_anew(event: Event, case: Case, services: Services) -> tuple[Edit, ...]:
    """Return what changes the card of a case where it is seen: where it was pressed, else in the log channel."""
    tenant = event.place.tenant
    answer = card(case, services.channels.supports(tenant))
    shown = await services.cases.shown(tenant, f"{case.event}#card")
    pressed = event.message if isinstance(event, ButtonPressed) and not event.desk else None
    if pressed is not None and shown in (None, pressed):
        return (Edit(key=f"{event.key}#card", place=event.place, message=pressed, answer=answer),)
    if shown is None:
        return ()
    return (Edit(key=f"{event.key}#card", place=await log_place(tenant, services), message=shown, answer=answer),)
