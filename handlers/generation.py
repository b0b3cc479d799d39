"""`/imagine`, `/remix` and mentions that ask for as much: a wish is thought through, judged, and taken up."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from handlers.answers import Held, Notice, NotMade, WishShown
from handlers.attachments import SIDES_PX, linked, original_of, pixels, posted_here, sha256_of, source_intake
from handlers.effects import AnyEffect, Make, Notify, Plan, Post
from handlers.events import CommandUsed, Event, FormSubmitted, MessagePosted, Place, Tenant
from handlers.ports.channels import Posted
from handlers.ports.generation import OnceMore, Source, StoredWish
from handlers.ports.services import Services
from handlers.showing import GONE, NO_MAKER, about_of, deed_of
from handlers.studio import making_said, waiting_before
from pipelines.content import Attachment, Intake
from pipelines.errors import UserError
from pipelines.generation.asking import parse
from pipelines.generation.brief import write_brief
from pipelines.generation.checking import wish_intake
from pipelines.generation.options import asked_of, in_format_of, model_for, refuse_unspoken
from pipelines.generation.permission import NOT_CHECKED, Permission, permission
from pipelines.generation.wish import WORDLESS, Brief, Wish, is_thought_through
from pipelines.media.extras import VIDEO
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Action
from pipelines.ports import Call, Generator

FIRST_FRAME: Final = "This picture moves. What is made begins with its first frame."
NO_SOURCE: Final = "There is no picture here. Post one here and write /remix again, or give the address of one."
_ADDRESS: Final = re.compile(r"<?https?://[^\s<>]+>?", re.IGNORECASE)


async def on_imagine(event: CommandUsed, services: Services) -> Plan:
    """Take up a wish in words."""
    if not event.argument.strip():
        raise UserError("Write what you wish for after /imagine, such as /imagine a lighthouse in a storm.")
    wish = parse(event.argument)
    if wish.operation != "imagine":
        raise UserError("That begins with a picture: write it after /remix.")
    return await take_up(event, wish, services, place=event.place)


async def on_remix(event: CommandUsed, services: Services) -> Plan:
    """Take up a wish that begins with a picture: the command's, the one at its address, its message's, or the newest here."""
    words, address = _without_address(event.argument)
    wish = parse(words, operation="restyle")
    source, place = await _source_of(event, address, services)
    return await take_up(event, wish, services, place=place, source=source)


async def on_imagine_asked(event: MessagePosted, words: str, services: Services) -> Plan:
    """Take up a wish that a mention asks for."""
    return await take_up(event, parse(words), services, place=event.place.in_thread_of(event.message))


async def on_remix_asked(event: MessagePosted, words: str, services: Services) -> Plan:
    """Take up a remix that a mention asks for, of its own picture, the one at its address, or the one that it answers."""
    words, address = _without_address(words)
    wish = parse(words, operation="restyle")
    posted = Posted(place=event.place, message=event.message, author=event.author, content=event.content)
    if address and not event.attachments:
        source = await _at(address, event, services)
    else:
        if not event.attachments and event.answers:
            posted = await services.channels.message(event.place, event.answers) or posted
        if not posted.content.attachments:
            raise UserError(NO_SOURCE)
        source = _of(posted)
    return await take_up(event, wish, services, place=event.place.in_thread_of(event.message), source=source)


async def on_wish_form(event: FormSubmitted, services: Services) -> Plan:
    """Take up what somebody filled in."""
    values = event.values
    match event.form:
        case "imagine":
            wish = parse(_with_flags(values, "wish"))
            return await take_up(event, wish, services, place=event.place)
        case "remix":
            if values.get("do") in WORDLESS:
                wish = parse(str(values["do"]), operation="restyle")
            else:
                wish = parse(_with_flags(values, "change"), operation="restyle")
            posted = await services.channels.message(event.place, event.about) if event.about else None
            if posted is None or not posted.content.attachments:
                raise UserError("The picture is gone from its channel. Post it again.")
            place = event.place.in_thread_of(posted.message)
            return await take_up(event, wish, services, place=place, source=_of(posted))
        case _:
            raise UserError("This form is of an older version. Open it again.")


# --- A new wish ---------------------------------------------------------------------------------------------------------------


async def take_up(
    event: Event,
    wish: Wish,
    services: Services,
    *,
    place: Place,
    source: Source | None = None,
    brief: Brief | None = None,
    once_more: OnceMore | None = None,
) -> Plan:
    """Think a wish through, judge it, and have it made; a dear one waits for a yes.

    Raises: `UserError` with what is in the way, what the model's reply raises when it has no answer.
    """
    generator = maker_of(services)
    known = await services.wishes.find(place.tenant, wish_id(event))
    if known is not None:  # taken up before a crash, or by the same message as it came before
        return Plan(effects=_announced(event, known, services) if known.event == event.key else ())
    model = model_for(wish, generator.models)
    _refuse_unreadable(wish)
    price = None if model.price_usd is None else model.price_usd * wish.count
    await services.wishes.refuse_beyond(place.tenant, event.author.id, usd=price or Decimal(0), budget=services.budget)
    intake = await source_intake(place.tenant, source, services) if source else None
    notices: list[str] = []
    if source and intake:
        source = replace(source, sha256=sha256_of(intake))
        notices = await _notices(source, intake, wish, services, tenant=place.tenant)
    wish = in_format_of(intake, wish) if intake else wish
    root = await _root_of(source, event, place, services)
    brief = brief or await _brief(event, wish, intake, services)
    refuse_unspoken(wish, brief, model)
    judged, through = wish_intake(wish, brief, intake), is_thought_through(wish, brief)
    allowed = await _judged(event, judged, services, place=place, of_somebody=root.of_somebody, thought_through=through)
    if allowed.refusal:
        return _refused(event, _with_reason(allowed, intake))
    stored = StoredWish(
        id=wish_id(event),
        event=event.key,
        place=place,
        asked_by=event.author,
        wish=wish,
        brief=brief,
        model=model.name,
        price_usd=model.price_usd,
        source=source,
        of_somebody=root.of_somebody,
        root=root.message,
        root_channel=root.channel,
        state="shown" if wish.show_first or _is_dear(price, services) else "begun",
        cost_usd=price or Decimal(0),
        begun_at=datetime.now(UTC),
        once_more=once_more,
    )
    stored = await services.wishes.save(stored, budget=services.budget)
    if stored.event != event.key:  # the same message came once more meanwhile, as with its preview, and was quicker
        return Plan()
    told = [Notify.author_of(event, "source", Notice(text=" ".join(notices)), place=place)] if notices else []
    return Plan(effects=(*told, *_announced(event, stored, services)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """Where the picture comes from with which a row of wishes began. `message` is empty where it did not stand in one."""

    of_somebody: bool = False
    message: str = ""
    channel: str = ""


async def _root_of(source: Source | None, event: Event, place: Place, services: Services) -> _Root:
    """Return where a source picture comes from in the end, also if it was made of another one."""
    if source is None:
        return _Root()
    if source.wish:
        before = await services.wishes.find(place.tenant, source.wish)
        if before is None:
            raise UserError(GONE)
        return _Root(of_somebody=before.of_somebody, message=before.root, channel=before.root_channel)
    if not source.message and isinstance(event, MessagePosted):  # an address in the mention itself, which shows a preview of it
        return _Root(of_somebody=True, message=event.message, channel=event.place.channel)
    return _Root(of_somebody=True, message=source.message, channel=source.place.channel if source.place else "")


async def _notices(source: Source, intake: Intake, wish: Wish, services: Services, *, tenant: Tenant) -> list[str]:
    """Return what of a source picture is not taken as it was posted. Raises: as `attachments.original_of`."""
    notices = [FIRST_FRAME] if any("/frame:" in part.id for part in intake.parts) else []
    if wish.operation in SIDES_PX:  # refused now rather than once it is paid for
        original = await original_of(tenant, source, wish.operation, services)
        if original.is_smaller:
            had, has = pixels(original.posted_px), pixels(original.size_px)
            notices.append(f"The picture has {had} pixels, more than fit. What is made of it will have {has}.")
    return notices


def _with_reason(allowed: Permission, source: Intake | None) -> Permission:
    """Return a refusal with what is true of a picture that is not looked at in full: waiting would not change that."""
    if allowed.refusal != NOT_CHECKED or not source or not source.gaps:
        return allowed
    return replace(allowed, refusal=f"Not all of the picture could be checked, so nothing was made. {source.gaps[0].why}")


def _refuse_unreadable(wish: Wish) -> None:
    """Raises: `UserError` when the result could not be judged, since what reads it is not installed."""
    if wish.kind != "image" and not VIDEO.present:
        raise UserError(f"Clips and sound are not made here: what is in them could not be judged. {VIDEO.what_to_do}")


def _announced(event: Event, stored: StoredWish, services: Services) -> tuple[AnyEffect, ...]:
    """Return the answer to a wish that was taken up, and that it is to be made where it is."""
    key, generator = f"{event.key}#wish", maker_of(services)
    # Only a message of the same channel can be looked for there.
    about = stored.root if stored.root and stored.root_channel == stored.place.channel else None
    if stored.state == "shown":
        return (Post(key=key, place=stored.place, answer=_shown(stored, services), about=about, reply=event.reply),)
    said = making_said(stored, generator, ahead=waiting_before(stored, services))
    return (
        Post(key=key, place=stored.place, answer=said, about=about, reply=event.reply),
        Make(key=f"{event.key}#make", place=stored.place, wish=stored.id, post=key),
    )


def _shown(stored: StoredWish, services: Services) -> WishShown:
    model = maker_of(services).models.get(stored.model)
    return WishShown(
        id=stored.id,
        deed=deed_of(stored),
        about=about_of(stored),
        wish=stored.wish.text,
        prompt=stored.prompt,
        avoid=stored.brief.avoid,
        options=asked_of(stored.wish, stored.brief, model) if model else (("Model", stored.model),),
        cost_usd=f"{stored.cost_usd.normalize():f}" if stored.price_usd is not None else "",
        why="It costs more than what is made without asking." if _is_dear(stored.cost_usd, services) else "",
    )


def _refused(event: Event, allowed: Permission) -> Plan:
    words = NotMade(id="", text=allowed.refusal)
    effects: tuple[AnyEffect, ...] = (Notify.author_of(event, "words", words),)
    if allowed.distress:
        held = Held(case="", action=Action.ALLOW, reasons=(), support=True, channel=event.place.channel)
        effects = (Notify.author_of(event, "help", held),)
    return Plan(effects=effects)


async def _brief(event: Event, wish: Wish, source: Intake | None, services: Services) -> Brief:
    calls: list[Call] = []
    try:
        return await write_brief(wish, model=services.model, source=source, calls=calls)
    finally:
        await services.ledger.record(event.place.tenant, event=event.key, task="brief", calls=calls)


async def _judged(
    event: Event, intake: Intake, services: Services, *, place: Place, of_somebody: bool, thought_through: bool
) -> Permission:
    """Judge the wish, what became of it, and its picture, before anything is spent."""
    if not intake.parts:
        return Permission(refusal=NOT_CHECKED)
    tenant = event.place.tenant
    policy = await services.policies.for_place(place)
    verdict, calls = await moderate(
        intake, policy=policy, model=services.model, bank=services.banks.of(tenant), memory=services.memories.of(tenant)
    )
    await services.ledger.record(tenant, event=event.key, task="moderation", calls=calls)
    return permission(verdict, policy, of_somebody=of_somebody, thought_through=thought_through)


def wish_id(event: Event) -> str:
    """Return the id of the wish that an event makes: always the same, also when its message is seen once more, as edited."""
    of = f"{event.place.platform}:{event.message}" if isinstance(event, MessagePosted) else event.key
    return hashlib.sha256(f"{of}#wish".encode()).hexdigest()[:16]


def maker_of(services: Services) -> Generator:
    if services.generator is None:
        raise UserError(NO_MAKER)
    return services.generator


def _is_dear(price: Decimal | None, services: Services) -> bool:
    above = services.budget.confirm_above_usd
    return above is not None and price is not None and price > above


# --- Which picture ------------------------------------------------------------------------------------------------------------


def _without_address(argument: str) -> tuple[str, str]:
    found = _ADDRESS.search(argument)
    if found is None:
        return argument, ""
    return f"{argument[: found.start()]} {argument[found.end() :]}".strip(), found[0]


async def _source_of(event: CommandUsed, address: str, services: Services) -> tuple[Source, Place]:
    """Return the picture that a command means, and where its answer belongs."""
    if event.attachments:
        return Source(attachment=event.attachments[0]), event.place
    if address:
        return await _at(address, event, services), event.place
    here = await posted_here(event, services, pictures=True)
    if here is None or not here.content.attachments:
        raise UserError(NO_SOURCE)
    return _of(here), event.place.in_thread_of(here.message)


async def _at(address: str, event: Event, services: Services) -> Source:
    """Return the picture of the message that an address leads to, as far as who asks may read it, else the file there."""
    posted = await services.channels.linked(event.place.tenant, address.strip("<>").partition("|")[0], event.author.id)
    if posted is None:
        return Source(attachment=_file_at(address))
    if not posted.content.attachments:
        raise UserError("There is no picture in the message that the link leads to.")
    return _of(posted)


def _file_at(address: str) -> Attachment:
    found = linked(address)
    if not found:
        raise UserError(NO_SOURCE)
    return found[0]


def _of(posted: Posted) -> Source:
    """Return the first picture of a message, or its first file, which says itself that it is none."""
    files = posted.content.attachments
    pictures = [each for each in files if each.media_type.startswith("image/")]
    return Source(place=posted.place, message=posted.message, attachment=(pictures or list(files))[0])


def _with_flags(values: dict[str, str], words: str) -> str:
    """Return a form's values as somebody would have typed them after the command."""
    flags = {"aspect": "--ar", "count": "--count", "style": "--style", "kind": "--kind", "do": "--as", "strength": "--strength"}
    given = [f"{flag} {values[name]}" for name, flag in flags.items() if values.get(name)]
    return " ".join((*given, values.get(words, "").strip()))  # what is written among the words counts more
