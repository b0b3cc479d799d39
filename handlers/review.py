"""Cases after the verdict: moderators decide, members report."""

from typing import Literal

from handlers.answers import Notice
from handlers.cases import card
from handlers.effects import AnyEffect, Card, Edit, Notify, Plan, Restore
from handlers.events import ButtonPressed, FormSubmitted, MessagePosted, Role
from handlers.intake import within_limits
from handlers.ports import Case, Services
from pipelines.errors import UserError
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Action, strongest

DECISIONS: dict[str, Literal["restored", "kept"]] = {"restore": "restored", "keep": "kept"}
DECIDED = {"restored": "put the message back", "kept": "kept the message removed"}


async def on_button(event: ButtonPressed, services: Services) -> Plan:
    """Decide a case. The first press wins; whoever comes later is told who was first."""
    if event.button not in DECISIONS:
        raise UserError("This button is of an older version. Use the newest card of the case.")
    if not event.author.role.reviews:
        raise UserError("Only moderators decide cases.")
    await _refuse_wrongful(event, services)
    case, won = await services.cases.decide(
        event.place.tenant, event.value, decision=DECISIONS[event.button], by=event.author, event=event.key
    )
    edit = Edit(key=f"{event.key}#card", place=event.place, message=event.message, answer=card(case))
    if won:
        return Plan(effects=(*_carry_out(event, case), edit))
    first = Notice(text=f"{case.decided_by} was first and {DECIDED[case.state]}.")
    return Plan(effects=(edit, Notify.author_of(event, "first", first)))


async def _refuse_wrongful(event: ButtonPressed, services: Services) -> None:
    """Refuse a decision about what its reviewer wrote, or that would bring back what nobody may keep.

    The operator runs the bot and may be all alone with it.

    Raises: `UserError`.
    """
    case = await services.cases.find(event.place.tenant, event.value)
    if case is None:
        return
    if case.author.id == event.author.id and event.author.role is not Role.OPERATOR:
        raise UserError("This is about a message of your own. Another moderator decides it.")
    if event.button == "restore" and not case.verdict.keep_copy:
        raise UserError("No copy of this message may be kept, so it cannot be put back.")


def _carry_out(event: ButtonPressed, case: Case) -> tuple[AnyEffect, ...]:
    if case.state != "restored":
        return ()
    back = Notice(text="A moderator looked at your message and put it back. Sorry for the trouble.")
    place = case.place.in_thread_of(case.message)
    return (
        Restore(key=f"{event.key}#restore", place=case.place, message=case.message),
        Notify(key=f"{event.key}#notice", place=place, person=case.author.id, answer=back),
    )


async def on_report(event: FormSubmitted, services: Services) -> Plan:
    """Show a message to the moderators because a member asked for it. Nothing happens to the message itself."""
    posted = await services.channels.message(event.place, event.about)
    if posted is None:
        raise UserError("That message is gone already; there is nothing left to report.")
    reported = MessagePosted(
        key=event.key,
        place=posted.place,
        author=posted.author,
        message=posted.message,
        text=posted.content.text,
        attachments=posted.content.attachments,
    )
    tenant, policy = posted.place.tenant, await services.policies.for_place(posted.place)
    intake = await within_limits(posted.content, policy, services)
    verdict, calls = await moderate(
        intake, policy=policy, model=services.model, bank=services.banks.of(tenant), memory=services.memories.of(tenant)
    )
    await services.ledger.record(event.place.tenant, event=event.key, task="moderation", calls=calls)
    said = event.values.get("reason", "").strip()
    reason = f"Reported by {event.author.name}" + (f": {said}" if said else ".")
    verdict = verdict.model_copy(
        update={"reasons": (reason, *verdict.reasons), "action": strongest(verdict.action, Action.FLAG)}
    )
    case = await services.cases.open(reported, verdict, action=Action.FLAG, shadow=False, state="reported")
    thanks = Notice(text="Thank you. The moderators see your report; the author does not learn who sent it.")
    return Plan(
        effects=(
            Card(key=f"{event.key}#card", place=posted.place, answer=card(case)),
            Notify.author_of(event, "thanks", thanks),
        )
    )
