"""Messages in watched channels: judge what was posted, say nothing about what is fine."""

import re
from collections.abc import Awaitable
from functools import partial
from typing import Final

from handlers.answers import CaseCard, Notice
from handlers.cases import Standing, follow, standing_of
from handlers.commands import help_for
from handlers.effects import AnyEffect, Card, Notify, Plan, Post, Remove
from handlers.events import MessagePosted, Place
from handlers.extraction import asked_for, extract_documents, schema_named
from handlers.generation import on_imagine_asked, on_remix_asked
from handlers.intake import within_limits
from handlers.ports.services import Services
from handlers.raids import join_raids, notice
from handlers.tagging import tag_pictures, tag_unasked
from pipelines.content import Intake
from pipelines.errors import FlashbulbError
from pipelines.extraction.schema import AUTO
from pipelines.media.kinds import KINDS
from pipelines.moderation.decide import decide
from pipelines.moderation.judge import ask
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Coverage, Incomplete, Report
from pipelines.moderation.together import is_chosen, is_ordinary
from pipelines.moderation.verdict import Verdict

# Media types of the files out of which data is taken where nothing is said about it; others are tagged.
_DOCUMENTS: Final = frozenset(
    kind.media_types[0] for kind in KINDS.values() if kind.family in ("document", "sheet", "mail", "text")
)

# What a mention may ask for: one of our own words, at the beginning or right after our name, and what stands behind it.
_WISH: Final = re.compile(
    r"(?:^|<@[!&]?\w+>|@\w+)[\s,:]*(?:please\s+)?(?P<verb>imagine|remix)\b[:,]?\s*(?P<words>.*)", re.IGNORECASE | re.DOTALL
)
_MENTION: Final = re.compile(r"<@[!&]?\w+>")


async def on_message(event: MessagePosted, services: Services) -> Plan:
    """Moderate what was posted where that is watched, and answer where we were mentioned."""
    setup = await services.setups.of(event.place.tenant)
    watched = setup.watches(event.place.channel)
    if not watched and not event.mentions_us:
        return Plan()
    intake = await within_limits(event.content, await services.policies.for_place(event.place), services)
    effects = await _moderate(event, intake, services) if watched else ()
    if effects is None:
        return Plan()
    if event.mentions_us and not any(_is_last_word(effect) for effect in effects):
        effects = (*effects, *await _answer_mention(event, intake, services))
    return Plan(effects=effects)


def _is_last_word(effect: AnyEffect) -> bool:
    """Whether nothing may be said about a message any more: it goes, or nobody may keep anything of it."""
    match effect:
        case Card(answer=CaseCard(restorable=restorable)):
            return not restorable
        case _:
            return isinstance(effect, Remove)


async def _moderate(event: MessagePosted, intake: Intake, services: Services) -> tuple[AnyEffect, ...] | None:
    """Return what follows from what a message holds, or None where that is left to the raid that it has joined."""
    tenant = event.place.tenant
    standing = await standing_of(event, services)
    earlier = services.earlier.before(event)
    services.earlier.note(event, intake)
    notice(event, intake, standing, services)
    ordinary = is_ordinary(event.content)
    if ordinary and not is_chosen(event.key, standing.policy.policy.texts.share):
        not_asked = decide(Report(coverage=Coverage(judged=0, total=0)), standing.policy)
        raids = services.bursts.judged(event, not_asked)
        if raids:
            await join_raids(event, intake, not_asked, raids, services)
        return None if raids else ()  # not judged, which is no verdict at all
    verdict, calls = await moderate(
        intake,
        policy=standing.policy,
        model=services.model,
        bank=services.banks.of(tenant),
        memory=services.memories.of(tenant, days=standing.policy.policy.retention.findings),
        earlier=earlier,
        mode=standing.mode,
        exempt=standing.exempt,
        besides=partial(services.bursts.findings, event),
        asker=services.together.of(f"{tenant.platform}:{tenant.workspace}") if ordinary else ask,
    )
    if verdict.action is not Action.ALLOW:
        services.earlier.forget(event)  # it has been dealt with, and is no reason to act upon what follows it
    raids = services.bursts.judged(event, verdict)  # at once: whoever begins a raid now has to know of this one
    await services.ledger.record(tenant, event=event.key, task="moderation", calls=calls)
    if verdict.decision == "unknown" and await _is_gone(event, services):
        return ()  # nobody could judge it, and nobody has to any more
    if raids:
        await join_raids(event, intake, verdict, raids, services)
        return None
    effects = await follow(event, verdict, standing, services, intake=intake)
    tagging = standing.policy.tagging
    if tagging and not (effects or event.mentions_us or event.edit) and _is_fine(verdict, standing):
        return await tag_unasked(event, intake, tagging, services)
    return effects


def _is_fine(verdict: Verdict, standing: Standing) -> bool:
    """Whether nothing at all was found that would be dealt with, were it enforced, and whoever had written it."""
    is_allowed = verdict.decision == "allow" and verdict.action is Action.ALLOW
    return is_allowed and not (standing.exempt and verdict.findings)


async def _is_gone(event: MessagePosted, services: Services) -> bool:
    """Whether a message was deleted meanwhile; where its platform does not say so, it stands."""
    try:
        return await services.channels.message(event.place, event.message) is None
    except FlashbulbError:
        return False


async def on_message_after_fault(event: MessagePosted, services: Services) -> Plan:
    """Treat a message that we failed over as what it is: not judged."""
    if not (await services.setups.of(event.place.tenant)).watches(event.place.channel):
        return Plan()
    standing = await standing_of(event, services)
    why = Incomplete(cause="judge_down", why="Flashbulb itself failed while judging this.")
    report = Report(coverage=Coverage(judged=0, total=1), incomplete=(why,))
    verdict = decide(report, standing.policy, mode=standing.mode)
    raids = services.bursts.judged(event, verdict)
    if raids:
        await join_raids(event, Intake(), verdict, raids, services)
        return Plan()
    return Plan(effects=await follow(event, verdict, standing, services))


async def _answer_mention(event: MessagePosted, intake: Intake, services: Services) -> tuple[AnyEffect, ...]:
    place = event.place.in_thread_of(event.message)
    if asked := _WISH.search(event.text.strip()):
        if event.edit:
            return ()  # it was asked for before it was changed
        take_up = on_imagine_asked if asked["verb"].lower() == "imagine" else on_remix_asked
        words = _MENTION.sub(" ", asked["words"]).strip()
        return await _or_words(event, "words", place, _effects(take_up(event, words, services)))
    if not event.attachments:
        if event.author.bot:
            return ()  # two bots that explain themselves to each other never end
        return (Post(key=f"{event.key}#help", place=place, answer=help_for(event.author.role)),)
    return await _look_into(event, intake, place, services)


async def _effects(plan: Awaitable[Plan]) -> tuple[AnyEffect, ...]:
    return (await plan).effects


async def _look_into(event: MessagePosted, intake: Intake, place: Place, services: Services) -> tuple[AnyEffect, ...]:
    """Take data out of the documents of a message, and tag its other files; whoever asks for data gets it from all of them."""
    own = await services.schemas.of(event.place.tenant)
    files = dict(enumerate(event.attachments))
    name = asked_for(event.text, own)
    documents = {at: file for at, file in files.items() if name or _is_document(intake, at)}
    pictures = {at: file for at, file in files.items() if at not in documents}
    said: tuple[AnyEffect, ...] = ()
    if documents:
        schema = schema_named(name or AUTO, own)
        answers = extract_documents(
            event, documents=documents, schema=schema, own=own, place=place, message=event.message, services=services
        )
        said += await _or_words(event, "extract", place, answers)
    if pictures:
        answers = tag_pictures(event, pictures=pictures, intake=intake, place=place, message=event.message, services=services)
        said += await _or_words(event, "words", place, answers)
    return said


async def _or_words(
    event: MessagePosted, suffix: str, place: Place, answers: Awaitable[tuple[AnyEffect, ...]]
) -> tuple[AnyEffect, ...]:
    """Return what is to be answered, or why there is no answer: nothing else about the message must be lost with it."""
    try:
        return await answers
    except FlashbulbError as error:
        return (Notify.author_of(event, suffix, Notice(text=str(error)), place=place),)


def _is_document(intake: Intake, position: int) -> bool:
    """Whether a file is one of those out of which data is taken, by its bytes."""
    return any(each.place == f"file:{position}" and each.media_type in _DOCUMENTS for each in intake.readings)
