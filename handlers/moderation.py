"""`/moderate`: judge a text or a file on request, and do nothing about it."""

from handlers.answers import Judged
from handlers.cases import card_findings, card_reasons
from handlers.commands import is_open_to
from handlers.effects import Notify, Plan
from handlers.events import CommandUsed
from handlers.intake import within_limits
from handlers.ports.services import Services
from pipelines.content import Content
from pipelines.errors import UserError
from pipelines.moderation.moderate import moderate


async def on_moderate(event: CommandUsed, services: Services) -> Plan:
    """Say what the workspace's policy would make of a text, of files, or of a message."""
    if not is_open_to("moderate", event.author.role):
        raise UserError("Only moderators use /moderate.")
    content = Content(text=event.argument, attachments=event.attachments)
    if not content.text and not content.attachments:
        posted = await services.channels.message(event.place, event.message) if event.message else None
        if posted is None:
            raise UserError("Write what is to be judged after /moderate.")
        content = posted.content
    policy = await services.policies.for_place(event.place)
    intake = await within_limits(content, policy, services)
    tenant = event.place.tenant
    verdict, calls = await moderate(
        intake, policy=policy, model=services.model, bank=services.banks.of(tenant), memory=services.memories.of(tenant)
    )
    await services.ledger.record(event.place.tenant, event=event.key, task="moderation", calls=calls)
    answer = Judged(
        verdict=verdict.decision,
        action=verdict.action,
        reasons=card_reasons(verdict),
        findings=card_findings(verdict),
        judged=verdict.coverage.judged,
        total=verdict.coverage.total,
        policy=verdict.policy,
        engine=verdict.engine,
    )
    return Plan(effects=(Notify.author_of(event, "judged", answer),))
