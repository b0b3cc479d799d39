"""`/flashbulb cases`, `/flashbulb case ID` and *Why?*: what was decided, by which rule, and what people made of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from handlers.answers import CaseFile, CaseLine, CaseList, CaseStep
from handlers.cases import REPORTED, card, posted_of
from handlers.categories import category_named
from handlers.effects import Notify, Plan
from handlers.events import ButtonPressed, CommandUsed, Event, Tenant
from handlers.history import steps_of
from handlers.ports.cases import Case, CaseFilter
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.errors import Unavailable, UserError
from pipelines.language import Catalogue, catalogue
from pipelines.moderation.explaining import DONE, action_in_words, explain, explain_without_policy
from pipelines.moderation.policy import Channel, ChannelPolicy, Policy
from pipelines.moderation.report import label_of

SHOWN: Final = 10  # cases of a list
ID_MAX: Final = 64
NO_CASE: Final = "There is no such case here (any more). Write /flashbulb cases for those that wait."
ASK: Final = "Write /flashbulb cases, then waiting, appealed, shadow or decided, then a category"
FILTERS: Final = {
    "waiting": ("Cases that wait", CaseFilter(waiting=True)),
    "appealed": ("Cases with an appeal", CaseFilter(appealed=True)),
    "shadow": ("Cases in shadow mode", CaseFilter(mode="shadow")),
    "decided": ("Cases that are decided", CaseFilter(waiting=False)),
}


async def on_cases(event: CommandUsed, words: Sequence[str], services: Services) -> Plan:
    """List cases, for whoever asks alone."""
    _refuse_members(event)
    tenant = event.place.tenant
    named, rest = ("waiting", words) if not words or words[0].lower() not in FILTERS else (words[0].lower(), words[1:])
    title, wanted = FILTERS[named]
    if rest:
        policy = (await services.policies.current(tenant)).policy
        category = category_named(" ".join(rest), policy, ask=ASK)
        title, wanted = f"{title}: {label_of(category)}", replace(wanted, category=category)
    page = await services.cases.page(tenant, wanted, limit=SHOWN)
    waiting = await services.cases.page(tenant, CaseFilter(waiting=True), limit=1)
    answer = CaseList(
        title=title,
        items=tuple(map(_line, page.cases)),
        waiting=waiting.total,
        more=page.total - len(page.cases),
        url=desk_page(tenant, services),
    )
    return Plan(effects=(Notify.author_of(event, "cases", answer),))


async def on_case(event: CommandUsed, id: str, services: Services) -> Plan:
    """Show all that is known of a case, to whoever asks alone."""
    return await _shown(event, id, services)


async def on_why(event: ButtonPressed, services: Services) -> Plan:
    """Explain a case to whoever pressed *Why?* on its card, alone."""
    return await _shown(event, event.value, services)


async def _shown(event: Event, id: str, services: Services) -> Plan:
    _refuse_members(event)
    id = id.strip("`").lower()
    case = await services.cases.find(event.place.tenant, id) if id.isprintable() and 0 < len(id) <= ID_MAX else None
    if case is None:
        raise UserError(NO_CASE)
    return Plan(effects=(Notify.author_of(event, "case", await case_file(case, services)),))


async def case_file(case: Case, services: Services) -> CaseFile:
    """Return all that is known of a case, for moderators."""
    tenant = case.place.tenant
    current = await services.policies.current(tenant)
    held = await services.policies.by_fingerprint(tenant, case.verdict.policy)
    words = catalogue(current.policy.language)
    case = await _with_strikes(case, current.policy, services)
    steps = [*steps_of(case, await services.audit.of_case(tenant, case.id), words)]
    posted = None
    try:
        posted = await posted_of(case, services)
    except (Unavailable, UserError) as error:
        text = words.say("What the message says cannot be shown now: {why}", why=str(error))
        steps.append(CaseStep(at=datetime.now(UTC), text=text))
    return CaseFile(
        card=card(case, services.channels.supports(tenant)),
        why=(*_why(case, held, current, words), *_of_case(case, current.policy, words)),
        said=posted.content.text if posted else "",
        files=tuple(each.name for each in posted.content.attachments) if posted else (),
        steps=tuple(steps),
        url=desk_page(tenant, services, case.id),
    )


def desk_page(tenant: Tenant, services: Services, case: str = "") -> str:
    """Return the address of a case in the console, or of the list of all, empty where nobody but this machine reaches it."""
    if not services.desk_url and tenant.platform != "console":
        return ""
    page = f"{services.desk_url}/desk/{quote(tenant.platform, safe='')}/{quote(tenant.workspace, safe='')}/cases"
    return f"{page}/{quote(case, safe='')}" if case else page


def _refuse_members(event: Event) -> None:
    """Raises: `UserError` for whoever decides no cases."""
    if not event.author.role.reviews:
        raise UserError("Only moderators see cases.")


def _line(case: Case) -> CaseLine:
    done = DONE[case.action]
    return CaseLine(
        case=case.id,
        title="Reported" if case.state == "reported" else f"Would be {done}" if case.shadow else done.capitalize(),
        author=case.author.name,
        channel=case.place.channel,
        message=case.message,
        at=case.at,
        category=case.category,
        state=case.state,
        urgent=case.verdict.urgent and case.undecided,
        appealed=case.appeal is not None and case.appeal.state == "open",
    )


async def _with_strikes(case: Case, policy: Policy, services: Services) -> Case:
    if policy.strikes is None or case.author.bot:
        return case
    days, tenant = policy.strikes.days, case.place.tenant
    return replace(case, strikes=await services.cases.strikes(tenant, case.author.id, days=days, apart_from=case.event))


def _why(case: Case, held: PolicyVersion | None, now: PolicyVersion, words: Catalogue) -> Iterator[str]:
    """Explain the verdict by the policy that held then, and by no other."""
    if held is None:
        yield from explain_without_policy(case.verdict, words)
        return
    policy = _as_then(held.policy, case)
    yield from explain(case.verdict, policy, words, exempt=policy.exempts(case.author.as_author))
    if now.number == held.number:
        yield words.say("That is version {number} of the policy, which holds now.", number=held.number)
    else:
        yield words.say(
            "That is version {number} of the policy, which held then. Version {now} holds now.",
            number=held.number,
            now=now.number,
        )


def _as_then(policy: Policy, case: Case) -> ChannelPolicy:
    """Return what held in the case's channel: the verdict names the profile, whatever the channel is called by now."""
    rule = next((each for each in policy.channels if each.profile and each.profile == case.verdict.profile), None)
    channel = Channel(platform=case.place.platform, id=case.place.channel)
    return ChannelPolicy(policy=policy, channel=channel, rule=rule)


def _of_case(case: Case, policy: Policy, words: Catalogue) -> Iterator[str]:
    """Say what beside the rules has led to what was done."""
    reported = any(each.startswith(REPORTED) for each in case.verdict.reasons)
    if reported:
        yield words.say("A member reported it. That alone does nothing to a message.")
    if case.raid:
        yield words.say("It belongs to a raid, of which all copies are treated alike.")
    if case.over_quota:
        yield words.say("It was only flagged, since as much as the policy allows within an hour had been taken out already.")
    elif not reported and not case.shadow and case.action.strength < case.verdict.enforced.strength:
        yield words.say(
            "Flashbulb cannot do that much here: {done} is done, and {called_for} is left to moderators.",
            done=action_in_words(case.action, words),
            called_for=action_in_words(case.verdict.enforced, words),
        )
    if case.strikes and policy.strikes:
        yield words.count(
            "{number} other message of this author was removed lately.",
            "{number} other messages of this author were removed lately.",
            case.strikes,
        )
    if case.gone:
        yield words.say("The message is gone from its channel: somebody else has deleted it.")
