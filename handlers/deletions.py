"""Messages that others delete: their cases say so, and what was asked for about them is deleted as well."""

from handlers.cases import card, forget
from handlers.effects import Edit, Plan
from handlers.events import MessageDeleted
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
    made = await forget(event, event.message, services, keep=ours)
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
