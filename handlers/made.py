"""What people do with what was made, or is being made: make more of it, change its prompt, cancel it, delete it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from handlers.effects import Edit, Make, Notify, Plan, Post, TakeBack
from handlers.events import ButtonPressed, FormSubmitted, Person, Tenant
from handlers.generation import maker_of, take_up
from handlers.ports.generation import OnceMore, Source, StoredJob, StoredWish, WishState
from handlers.ports.services import Services
from handlers.showing import CANCELLED, CANCELLED_UNSPENT, GONE, not_made
from handlers.studio import making_said, waiting_before
from pipelines.errors import UserError
from pipelines.generation.brief import with_avoided
from pipelines.generation.make import PATIENCE
from pipelines.generation.wish import Brief, Operation, Strength, Wish, prompt_chars
from pipelines.ports import Generator

NOT_YOURS: Final = "Only who asked for this, and moderators, can do that."
_ALREADY: Final = "It is being made already, or was cancelled."
_AWAKE: Final[frozenset[WishState]] = frozenset({"shown", "begun"})


async def on_wish_pressed(event: ButtonPressed, services: Services) -> Plan:
    """Do what a button below a wish says."""
    id, _, position = event.value.partition(":")
    stored = await services.wishes.find(event.place.tenant, id)
    if stored is None:
        if event.button == "wish_delete" and await _may_take_back(event, id, services):
            return _taken_back(event)
        raise UserError(GONE)
    match event.button:
        case "wish_make":
            return await _begin(event, stored, services)
        case "wish_cancel":
            return await _cancel(event, stored, services)
        case "wish_again":
            return await _again(event, stored, services)
        case "wish_look":
            return await _look_again(event, stored, services)
        case "wish_delete":
            return await _delete(event, stored, services)
        case "wish_reroll":
            wish = stored.wish.model_copy(update={"seed": None, "show_first": False})
            brief = _with(stored.brief, stored.prompt)
            return await _derived(event, stored, wish, services, brief=brief, source=stored.source, once_more="reroll")
        case "wish_missing":
            count = _missing(position, stored)
            wish = stored.wish.model_copy(update={"seed": None, "show_first": False, "count": count})
            return await _derived(event, stored, wish, services, brief=stored.brief, source=stored.source, once_more="rest")
        case "wish_edit" | "wish_prompt":
            raise UserError("The form for that could not be opened. Press the button once more.")
        case button:
            return await _with_picture(event, stored, button, position, services)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """What a button does with one picture."""

    operation: Operation
    strength: Strength = "medium"


_DEEDS: Final = {
    "wish_vary_subtle": _Deed(operation="vary", strength="subtle"),
    "wish_vary_strong": _Deed(operation="vary", strength="strong"),
    "wish_upscale": _Deed(operation="upscale"),
    "wish_animate": _Deed(operation="animate"),
    "wish_cutout": _Deed(operation="cutout"),
}


def _with(brief: Brief, prompt: str) -> Brief:
    return brief.model_copy(update={"prompt": prompt})


def _missing(number: str, stored: StoredWish) -> int:
    """Return how many things of a wish are to be made once more."""
    if not number.isdecimal() or not 1 <= int(number) < stored.wish.count:
        raise UserError("This button is of an older version. Use the newest answer.")
    return int(number)


async def _with_picture(event: ButtonPressed, stored: StoredWish, button: str, position: str, services: Services) -> Plan:
    """Make something of one picture that was made."""
    deed = _DEEDS.get(button)
    if deed is None or not position.isdecimal():
        raise UserError("This button is of an older version. Use the newest answer.")
    thing = next((each for each in stored.made if each.position == int(position)), None)
    if thing is None:
        raise UserError(GONE)
    wish = Wish(
        kind="video" if deed.operation == "animate" else "image",
        operation=deed.operation,
        text=stored.wish.text,
        avoid=stored.wish.avoid,
        aspect=stored.wish.aspect,
        strength=deed.strength,
        as_written=stored.wish.as_written,
    )
    source = Source(wish=stored.id, position=thing.position, among=len(stored.made))
    brief = _with(stored.brief, stored.prompt_of(thing))
    return await _derived(event, stored, wish, services, brief=brief, source=source)


async def _derived(
    event: ButtonPressed | FormSubmitted,
    stored: StoredWish,
    wish: Wish,
    services: Services,
    *,
    brief: Brief,
    source: Source | None,
    once_more: OnceMore | None = None,
    message: str = "",
) -> Plan:
    """Take up a wish that came of another one, in the thread of that one."""
    under = message or (event.message if isinstance(event, ButtonPressed) else "")
    place = event.place.in_thread_of(under) if under else stored.place
    return await take_up(event, wish, services, place=place, source=source, brief=brief, once_more=once_more)


async def on_prompt_changed(event: FormSubmitted, services: Services) -> Plan:
    """Make a wish anew with a prompt that somebody changed; one that was only shown is put aside."""
    id, _, message = event.about.partition(":")
    stored = await services.wishes.find(event.place.tenant, id)
    if stored is None:
        raise UserError(GONE)
    prompt, most = event.values.get("prompt", "").strip(), prompt_chars(stored.wish)
    if not prompt:
        raise UserError("Write a prompt, or press Cancel.")
    brief = Brief(prompt=prompt, avoid=stored.brief.avoid, language=stored.brief.language)
    if (beyond := len(with_avoided(prompt, brief.avoid)) - most) > 0:
        raise UserError(f"A prompt may have {most:,} characters with what shall not be seen. Make it {beyond:,} shorter.")
    # It is what is wished for now, as it stands: what it was before says nothing about the result.
    wish = stored.wish.model_copy(update={"text": prompt, "style": "", "as_written": True, "show_first": False})
    once_more: OnceMore | None = None if stored.state == "shown" else "prompt"  # nothing was made by then
    plan = await _derived(
        event, stored, wish, services, brief=brief, source=stored.source, once_more=once_more, message=message
    )
    if any(isinstance(each, Post) for each in plan.effects) and _may(event.author, stored):
        aside = await services.wishes.set_state(
            event.place.tenant, stored.id, become="cancelled", of=frozenset({"shown"}), event=event.key
        )
        if aside and message:
            answer = not_made(stored, "The prompt was changed; see below.")
            edit = Edit(key=f"{event.key}#aside", place=stored.place, message=message, answer=answer)
            return Plan(effects=(edit, *plan.effects))
    return plan


async def _begin(event: ButtonPressed, stored: StoredWish, services: Services) -> Plan:
    """Have made what was shown first."""
    _refuse_others(event.author, stored)
    generator = maker_of(services)
    begun = await services.wishes.set_state(
        event.place.tenant, stored.id, become="begun", of=frozenset({"shown"}), event=event.key, budget=services.budget
    )
    if not begun:
        raise UserError(_ALREADY)
    return _made_in_place(event, stored, generator, services)


async def _again(event: ButtonPressed, stored: StoredWish, services: Services) -> Plan:
    """Make what failed once more, under new numbers of attempts: nothing is submitted twice for the same one."""
    _refuse_others(event.author, stored)
    generator = maker_of(services)
    jobs = await services.jobs.of_wish(event.place.tenant, stored.id)
    last = max((int(each.key.rpartition(":")[2]) for each in jobs), default=stored.first_attempt - 1)
    begun = await services.wishes.set_state(
        event.place.tenant,
        stored.id,
        become="begun",
        of=frozenset({"failed"}),
        event=event.key,
        attempt=last + 1,
        budget=services.budget,
    )
    if not begun:
        raise UserError(_ALREADY)
    return _made_in_place(event, stored, generator, services)


async def _look_again(event: ButtonPressed, stored: StoredWish, services: Services) -> Plan:
    """Look over what was made and paid for and could not be looked over then; only what is not there is made.

    Looking is free. Raises: `UserError` where something is to be made that is beyond the budget; all of it is kept then.
    """
    _refuse_others(event.author, stored)
    generator = maker_of(services)
    if stored.state == "failed" and (missing := await _not_begun(event.place.tenant, stored, services)):
        usd = (stored.price_usd or Decimal(0)) * missing
        await services.wishes.refuse_beyond(event.place.tenant, stored.asked_by.id, usd=usd, budget=services.budget)
    begun = await services.wishes.set_state(
        event.place.tenant, stored.id, become="begun", of=frozenset({"failed"}), event=event.key
    )
    if not begun:
        raise UserError(_ALREADY)
    return _made_in_place(event, stored, generator, services)


async def _not_begun(tenant: Tenant, stored: StoredWish, services: Services) -> int:
    """Return how many things of a wish the maker will be asked for where it is taken up again, by its newest attempts."""
    newest: dict[int, StoredJob] = {}
    for each in await services.jobs.of_wish(tenant, stored.id):  # they come by attempt
        _, position, attempt = each.key.split(":")
        if int(attempt) >= stored.first_attempt:
            newest[int(position)] = each
    over = [each for each in newest.values() if each.state != "rejected" or each.failure not in PATIENCE]
    return stored.wish.count - len(over)


def _made_in_place(event: ButtonPressed, stored: StoredWish, generator: Generator, services: Services) -> Plan:
    said = making_said(stored, generator, ahead=waiting_before(stored, services))
    return Plan(
        effects=(
            Edit(key=f"{event.key}#wish", place=event.place, message=event.message, answer=said),
            Make(key=f"{event.key}#make", place=event.place, wish=stored.id, message=event.message),
        )
    )


async def _cancel(event: ButtonPressed, stored: StoredWish, services: Services) -> Plan:
    """Stop waiting for a wish and never post it. What the maker has begun cannot be stopped."""
    _refuse_others(event.author, stored)
    cancelled = await services.wishes.set_state(event.place.tenant, stored.id, become="cancelled", of=_AWAKE, event=event.key)
    if not cancelled:
        raise UserError("It is done already.")
    services.turns.give_up(stored.id)
    jobs = await services.jobs.of_wish(event.place.tenant, stored.id)
    told = not_made(stored, CANCELLED if jobs else CANCELLED_UNSPENT)
    posted = await services.cases.shown(event.place.tenant, f"{stored.event}#wish")
    if posted is None or posted == event.message:
        return Plan(effects=(Edit(key=f"{event.key}#end", place=event.place, message=event.message, answer=told),))
    return Plan(
        effects=(
            Edit(key=f"{event.key}#end", place=stored.place, message=posted, answer=told),
            Notify.author_of(event, "words", told),
        )
    )


async def _delete(event: ButtonPressed, stored: StoredWish, services: Services) -> Plan:
    """Take back what was posted, and keep nothing of it."""
    _refuse_others(event.author, stored)
    await services.wishes.forget(event.place.tenant, stored.id, by=event.key)
    return _taken_back(event)


async def _may_take_back(event: ButtonPressed, id: str, services: Services) -> bool:
    """Whether somebody may take back what is posted of a wish that is kept no longer; also this event, after a crash."""
    if event.author.role.reviews:
        return True
    return await services.wishes.may_take_back(event.place.tenant, id, person=event.author.id, event=event.key)


def _taken_back(event: ButtonPressed) -> Plan:
    return Plan(effects=(TakeBack(key=f"{event.key}#back", place=event.place, message=event.message),))


def _refuse_others(person: Person, stored: StoredWish) -> None:
    if not _may(person, stored):
        raise UserError(NOT_YOURS)


def _may(person: Person, stored: StoredWish) -> bool:
    return person.id == stored.asked_by.id or person.role.reviews
