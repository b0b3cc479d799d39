"""`/imagine`, `/remix` and mentions that ask for as much: a wish is thought through, judged, and taken up."""

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from math import log
from typing import Final

from handlers.answers import Held, Notice, NotMade, WishShown
from handlers.attachments import linked, posted_here
from handlers.effects import AnyEffect, Make, Notify, Plan, Post
from handlers.events import CommandUsed, Event, FormSubmitted, MessagePosted, Place
from handlers.ports import Posted, Services, Source, StoredWish
from handlers.showing import NO_MAKER
from handlers.studio import making_said, source_intake
from pipelines.content import Attachment, ImagePart, Intake, TextPart
from pipelines.errors import UserError
from pipelines.generation.asking import parse
from pipelines.generation.brief import write_brief
from pipelines.generation.options import model_for
from pipelines.generation.permission import NOT_CHECKED, Permission, permission
from pipelines.generation.wish import ASPECTS, WORDLESS, Brief, MakerModel, Wish
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
    """Take up a remix that a mention asks for, of its own picture or of the one that it answers."""
    posted = Posted(place=event.place, message=event.message, author=event.author, content=event.content)
    if not event.attachments and event.answers:
        answered = await services.channels.message(event.place, event.answers)
        posted = answered if answered is not None else posted
    if not posted.content.attachments:
        raise UserError(NO_SOURCE)
    wish = parse(words, operation="restyle")
    place = event.place.in_thread_of(event.message)
    return await take_up(event, wish, services, place=place, source=_of(posted))


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
) -> Plan:
    """Think a wish through, judge it, and have it made; a dear one waits for a yes.

    Raises: `UserError` with what is in the way, what the model's reply raises when it has no answer.
    """
    generator = maker_of(services)
    model = model_for(wish, generator.models)
    intake = await source_intake(place.tenant, source, services) if source else None
    if intake and wish.operation != "inspire":
        wish = wish.model_copy(update={"aspect": _aspect_of(intake)})
    brief = brief or await _brief(event, wish, intake, services)
    allowed = await _judged(event, wish, brief, intake, services, place=place, source=source)
    if allowed.refusal:
        return _refused(event, allowed)
    price = None if model.price_usd is None else model.price_usd * wish.count
    dear = _is_dear(price, services)
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
        state="shown" if wish.show_first or dear else "begun",
        cost_usd=price or Decimal(0),
        begun_at=datetime.now(UTC),
    )
    stored = await services.wishes.save(stored, budget=services.budget)
    about = source.message if source and source.message else None
    effects = _announced(event, stored, model, generator, dear=dear, about=about)
    if intake and any("/frame:" in part.id for part in intake.parts):
        effects = (Notify.author_of(event, "frame", Notice(text=FIRST_FRAME), place=place), *effects)
    return Plan(effects=effects)


def _announced(
    event: Event, stored: StoredWish, model: MakerModel, generator: Generator, *, dear: bool, about: str | None
) -> tuple[AnyEffect, ...]:
    key = f"{event.key}#wish"
    if stored.state == "shown":
        answer = _shown(stored, model, dear=dear)
        return (Post(key=key, place=stored.place, answer=answer, about=about, reply=event.reply),)
    said = making_said(stored, generator)
    return (
        Post(key=key, place=stored.place, answer=said, about=about, reply=event.reply),
        Make(key=f"{event.key}#make", place=stored.place, wish=stored.id, post=key),
    )


def _shown(stored: StoredWish, model: MakerModel, *, dear: bool) -> WishShown:
    wish = stored.wish
    options = [("Model", model.title), ("Number", str(wish.count))]
    if wish.operation == "imagine" and wish.kind in ("image", "video"):
        options.append(("Format", wish.aspect))
    if wish.style:
        options.append(("Style", wish.style))
    if wish.seed is not None:
        options.append(("Seed", str(wish.seed)))
    return WishShown(
        id=stored.id,
        wish=wish.text,
        prompt=stored.prompt,
        options=tuple(options),
        cost_usd=f"{stored.cost_usd.normalize():f}" if stored.price_usd is not None else "",
        why="It costs more than what is made without asking." if dear else "",
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
    event: Event,
    wish: Wish,
    brief: Brief,
    source_intake: Intake | None,
    services: Services,
    *,
    place: Place,
    source: Source | None,
) -> Permission:
    """Judge the wish, what became of it, and its picture, before anything is spent."""
    texts = dict.fromkeys(each.strip() for each in (wish.text, brief.prompt, wish.avoid) if each.strip())
    parts = tuple(TextPart(id=f"text:{at}", text=text, role="message") for at, text in enumerate(texts))
    intake = source_intake or Intake()
    intake = replace(intake, parts=(*parts, *intake.parts))
    if not intake.parts:
        return Permission(refusal=NOT_CHECKED)
    tenant = event.place.tenant
    policy = await services.policies.for_place(place)
    verdict, calls = await moderate(
        intake, policy=policy, model=services.model, bank=services.banks.of(tenant), memory=services.memories.of(tenant)
    )
    await services.ledger.record(tenant, event=event.key, task="moderation", calls=calls)
    return permission(verdict, policy, of_somebody=source is not None and not source.wish)


def wish_id(event: Event) -> str:
    """Return the id of the wish that an event makes: always the same."""
    return hashlib.sha256(f"{event.key}#wish".encode()).hexdigest()[:16]


def maker_of(services: Services) -> Generator:
    if services.generator is None:
        raise UserError(NO_MAKER)
    return services.generator


def _is_dear(price: Decimal | None, services: Services) -> bool:
    above = services.budget.confirm_above_usd
    return above is not None and price is not None and price > above


# --- Which picture ------------------------------------------------------------------------------------------------------------


def _aspect_of(intake: Intake) -> str:
    """Return the format that is nearest to a source picture's own."""
    picture = next(part for part in intake.parts if isinstance(part, ImagePart))
    ratio = picture.width_px / picture.height_px
    return min(ASPECTS, key=lambda each: abs(log(ratio / _ratio(each))))


def _ratio(aspect: str) -> float:
    width, height = aspect.split(":")
    return int(width) / int(height)


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
        posted = await services.channels.linked(event.place.tenant, address.strip("<>").partition("|")[0], event.author.id)
        if posted is None:
            return Source(attachment=_file_at(address)), event.place
        if not posted.content.attachments:
            raise UserError("There is no picture in the message that the link leads to.")
        return _of(posted), event.place
    here = await posted_here(event, services)
    if here is None or not here.content.attachments:
        raise UserError(NO_SOURCE)
    return _of(here), event.place.in_thread_of(here.message)


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
    return " ".join((values.get(words, "").strip(), *given))
