"""What others delete: cases of messages say so, and what was asked for about messages and made of files goes as well.

All of this holds in every channel of which a platform tells, be it watched or not: nothing new is kept.
"""

from functools import partial

from handlers.cases import card, forget, take_back
from handlers.effects import Edit, Plan, TakeBack
from handlers.events import FileDeleted, MessageDeleted, MessagePosted
from handlers.outages import log_place
from handlers.ports.cases import Case, Link
from handlers.ports.services import Services


async def on_deleted(event: MessageDeleted, services: Services) -> Plan:
    """Note that a message is gone, and take back what was made of its pictures.

    What we took out ourselves arrives as well where a platform does not tell, and changes no case; neither does what we had
    brought back and is deleted now.
    """
    tenant = event.place.tenant
    cases = await services.cases.of_message(tenant, event.place.channel, event.message)
    ours = any([await _was_ours(each, services) for each in cases])
    made = await forget(event, event.place, event.message, services, keep=ours)
    if ours:
        return Plan(effects=made)
    if not cases and event.by == "moderator" and (await services.setups.of(tenant)).watches(event.place.channel):
        link = Link(
            key=f"{event.key}!removed_by_hand",
            kind="removed_by_hand",
            facts={"channel": event.place.channel, "message": event.message},
            actor=event.author.id,
        )
        await services.audit.record(tenant, link)
    gone = [await services.cases.mark_gone(tenant, each.id, by=event.by, event=event.key) for each in cases]
    edits = [await _card_anew(event, each, services) for each in gone]
    return Plan(effects=(*made, *(edit for edit in edits if edit is not None)))


async def on_file_deleted(event: FileDeleted, services: Services) -> Plan:
    """Take back what was made of a file that is gone, wherever it was shown."""
    erase = partial(services.wishes.forget_file, event.place.tenant, event.file, by=event.key)
    return Plan(effects=await take_back(event, erase, services))


async def on_edited(event: MessagePosted, services: Services) -> tuple[TakeBack, ...]:
    """Take back what was made of files that an edited message holds no more; once it holds none, what is known of it goes too.

    Of one with links that is not known: their previews, which are files as well, may come only some moments after the edit.
    """
    if not event.edit or "://" in event.text:
        return ()
    left = {each.id for each in event.attachments}
    if not left:
        return await forget(event, event.place, event.message, services)
    tenant, channel = event.place.tenant, event.place.channel
    erase = partial(
        services.wishes.forget_of, tenant, channel, event.message, by=event.key, is_gone=lambda file: file not in left
    )
    return await take_back(event, erase, services)


async def _was_ours(case: Case, services: Services) -> bool:
    """Whether the message of a case was taken out by us: then its deletion is our own, or of what is out already."""
    if case.taken_out or case.state == "removed":
        links = await services.audit.of_case(case.place.tenant, case.id)
        acts = [each.facts for each in links if each.kind == "acted" and each.facts.get("effect") == "remove"]
        return not acts or any(each.get("status") != "failed" for each in acts)
    return False


async def _card_anew(event: MessageDeleted, case: Case, services: Services) -> Edit | None:
    tenant = event.place.tenant
    message = await services.cases.shown(tenant, f"{case.event}#card")
    if message is None:
        return None
    answer = card(case, services.channels.supports(tenant))
    return Edit(key=f"{event.key}#card:{case.id}", place=await log_place(tenant, services), message=message, answer=answer)
