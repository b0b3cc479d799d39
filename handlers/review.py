"""What moderators decide about a case. The first press wins, whoever comes later is told who was first."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from handlers.answers import Held, Notice
from handlers.cases import PUT_BACK, card, forget, may_keep, measures_of, words_to_author
from handlers.effects import AnyEffect, Ban, Edit, Notify, Plan, Remove, Restore, TakeBack, Timeout
from handlers.events import ButtonPressed, Event, FormSubmitted, Person, Role
from handlers.outages import log_place
from handlers.ports import Case, CaseFilter, Decision, Measure, Services
from pipelines.errors import UserError
from pipelines.language import Catalogue, catalogue
from pipelines.moderation.policy import Action, Policy
from pipelines.moderation.report import Category, Finding

DECISIONS: Final = frozenset({"restore", "keep", "dismiss", "remove", "allow_exact", "deny_near", "wrong_category"})
MEASURES: Final[dict[str, Measure]] = {"timeout": "timeout", "ban": "ban"}
UNDO_WITHIN: Final = timedelta(minutes=60)
SILENT_FOR_MAX: Final = timedelta(days=28)  # the longest that a time-out may last, so that older ones have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What holds for somebody's decision about a case."""

    case: Case
    policy: Policy
    supports: frozenset[Action]
    out: bool  # the message is out of its channel now

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
        out=await _is_out(found, services),
    )


async def _is_out(case: Case, services: Services) -> bool:
    """Whether the message of a case was taken out and is not back, as far as what was carried out says."""
    out = case.taken_out
    for link in await services.audit.of_case(case.place.tenant, case.id):
        if link.kind == "acted" and link.facts.get("effect") in ("remove", "restore"):
            done = link.facts.get("status") in ("done", "gone")
            out = done if link.facts["effect"] == "remove" else out and not done
        elif link.kind == "undone" and link.facts.get("decision") == "restored":
            out = True
    return out


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
                raise UserError("Choose another category than the one that was found.")
            return await _decide(event, hearing, event.form, services, right_category=right)
        case "timeout":
            minutes = event.values.get("minutes", "")
            if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes) <= SILENT_FOR_MAX.total_seconds() // 60):
                raise UserError("Choose for how long.")
            return await _silence(event, hearing, int(minutes), services)
        case _:
            if event.values.get("sure") != "yes":
                return Plan(effects=(Notify.author_of(event, "not", Notice(text="Nobody was banned.")),))
            return await _ban(event, hearing, services)


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
            return "restored" if hearing.out else "dismissed"
        case "remove":
            return "kept" if hearing.out else "removed"
        case "deny_near" if not hearing.out and Action.REMOVE in hearing.supports and not hearing.case.gone:
            return "removed"
        case "wrong_category" if right_category == Category.CHILD_SAFETY and not hearing.out:
            return "removed"
        case _:
            return "kept"


async def _carry_out(event: Event, hearing: Hearing, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    """Return what follows from a decision, for the message and for its author."""
    match case.state:
        case "restored":
            return (*_bring_back(event, hearing, case), *await let_write_again(event, case, hearing.supports, services))
        case "dismissed":
            return await let_write_again(event, case, hearing.supports, services)
        case "removed":
            return await _take_out(event, hearing, case, services)
        case _ if case.right_category == Category.CHILD_SAFETY:  # a person says so: no copy stays
            return (_removal(event, hearing, case), *await forget(event, case.message, services))
        case _:
            return ()


def _bring_back(event: Event, hearing: Hearing, case: Case) -> tuple[AnyEffect, ...]:
    restore = Restore(key=f"{event.key}#restore", place=case.place, message=case.message, case=case.id)
    return (restore, *to_author(event, case, Notice(text=hearing.words.say(PUT_BACK))))


async def _take_out(event: Event, hearing: Hearing, case: Case, services: Services) -> tuple[AnyEffect, ...]:
    made = () if may_keep(case) else await forget(event, case.message, services)
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


async def let_write_again(event: Event, case: Case, supports: frozenset[Action], services: Services) -> tuple[AnyEffect, ...]:
    """Return what ends a time-out that came with a case, unless another case silences its author as well."""
    silenced = (case.action is Action.TIMEOUT and not case.shadow) or "timeout" in case.measures
    if not silenced or Action.TIMEOUT not in supports:
        return ()
    since = datetime.now(UTC) - SILENT_FOR_MAX
    others = await services.cases.page(case.place.tenant, CaseFilter(author=case.author.id, since=since), limit=50)
    if any(_silences(each) for each in others.cases if each.id != case.id):
        return ()
    return (Timeout(key=f"{event.key}#lift", place=case.place, person=case.author.id, until=None, case=case.id),)


def _silences(case: Case) -> bool:
    overturned = case.state in ("restored", "dismissed")
    return "timeout" in case.measures or (case.action is Action.TIMEOUT and not case.shadow and not overturned)


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
    case, won = await services.cases.measure(
        event.place.tenant, hearing.case.id, measure="timeout", by=event.author, event=event.key
    )
    if not won:
        raise UserError("Somebody was first: they cannot write already.")
    until = datetime.now(UTC) + timedelta(minutes=minutes)
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
    # Whoever is shut out cannot be written to any more.
    told = to_author(event, case, Notice(text=hearing.words.say("A moderator has shut you out of this community.")))
    act = Ban(key=f"{event.key}#ban", place=case.place, person=case.author.id, case=case.id)
    return Plan(effects=(*told, act, *await card_anew(event, case, services)))


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
            posted = f"{before.decided_event}#restore"
            message = await services.cases.shown(before.place.tenant, posted) or before.message
            out = TakeBack(key=f"{event.key}#out", place=before.place, message=message, posted=posted)
            return (out, *to_author(event, before, words_to_author(before, hearing.policy)))
        case "removed" if may_keep(before):
            return _bring_back(event, hearing, before)
        case _:
            return ()


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
