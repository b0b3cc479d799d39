"""Members report messages: moderators see a case, and nothing happens to the message itself."""

from handlers.answers import Notice
from handlers.cases import REPORTED, card, known_by
from handlers.effects import Card, Notify, Plan
from handlers.events import FormSubmitted, MessagePosted
from handlers.intake import within_limits
from handlers.ports.services import Services
from pipelines.errors import UserError
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Action, strongest


async def on_report(event: FormSubmitted, services: Services) -> Plan:
    """Show a message to the moderators because a member asked for it."""
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
    exempt = policy.exempts(posted.author.as_author)
    await services.verdicts.record(reported, verdict, channel=policy.channel, exempt=exempt)
    said = event.values.get("reason", "").strip()
    reason = f"{REPORTED}a member: {said}" if said else f"{REPORTED}a member."
    verdict = verdict.model_copy(
        update={"reasons": (reason, *verdict.reasons), "action": strongest(verdict.action, Action.FLAG)}
    )
    case = await services.cases.open(
        reported,
        verdict,
        action=Action.FLAG,
        shadow=False,
        state="reported",
        known_by=known_by(intake, verdict),
        keep_days=policy.policy.retention.cases,
    )
    shown = card(case, services.channels.supports(tenant))
    thanks = Notice(text="Thank you. The moderators see your report; the author does not learn who sent it.")
    return Plan(
        effects=(
            Card(key=f"{event.key}#card", place=posted.place, answer=shown),
            Notify.author_of(event, "thanks", thanks),
        )
    )
