"""`/flashbulb policy`: read the rules of a workspace, change them, and see what that changes."""

import asyncio
from collections.abc import Sequence
from typing import Final

from handlers.answers import Answer, Listing, Notice
from handlers.attachments import posted_here
from handlers.effects import Card, Notify, Plan
from handlers.events import CommandUsed, Event, FormSubmitted, Tenant
from handlers.forms import form_for, put_together
from handlers.modes import mode_of
from handlers.ports.moderation import PolicyVersion
from handlers.ports.services import Services
from pipelines.content import Attachment
from pipelines.errors import Misconfigured, UserError
from pipelines.moderation.comparing import Comparison, compare, differences, remarks
from pipelines.moderation.policies import PRESETS, parse, preset_text
from pipelines.moderation.policy import Exempt, Policy
from pipelines.moderation.report import label_of
from pipelines.yaml_text import TEXT_BYTES

USAGE: Final = (
    "Write /flashbulb policy show, versions, edit, use NAME, use with a file, lint with a file, rollback NUMBER,"
    " diff NUMBER NUMBER, suggestions, or enforce CATEGORY."
)
COMPARED_MAX: Final = 5_000  # stored verdicts on which another policy is tried
LISTED_MAX: Final = 50  # versions, and messages that would be treated differently


async def on_policy(event: CommandUsed, words: Sequence[str], services: Services) -> Plan:
    """Answer `/flashbulb policy` and what may stand after it."""
    refuse_unless_admin(event)
    match [word.lower() for word in words]:
        case [] | ["show"]:
            return await _show(event, services)
        case ["versions"]:
            return await _versions(event, services)
        case ["edit"]:
            raise UserError(await _why_no_form(event, services))
        case ["use"]:
            return await hold(event, await _file(event, services), services)
        case ["use", name] if name in PRESETS:
            return await hold(event, preset_text(name), services)
        case ["use", _]:
            raise UserError(f"There is no policy of that name. Choose {', '.join(PRESETS)}, or attach a file.")
        case ["lint"]:
            return await _lint(event, await _file(event, services), services)
        case ["rollback", number]:
            return await hold(event, (await _version(number, event, services)).text, services)
        case ["diff", number]:
            now = await services.policies.current(event.place.tenant)
            return await _diff(event, await _version(number, event, services), now, services)
        case ["diff", number, other]:
            old, new = await _version(number, event, services), await _version(other, event, services)
            return await _diff(event, old, new, services)
        case _:
            raise UserError(USAGE)


async def on_policy_form(event: FormSubmitted, services: Services) -> Plan:
    """Make the edited text hold, unless somebody else changed the policy while the form was open."""
    refuse_unless_admin(event)
    text = as_file(put_together(event.values))
    now = await services.policies.current(event.place.tenant)
    if str(now.number) != event.about and text != now.text:
        raise UserError(
            f"{now.author or 'Somebody'} changed the policy meanwhile: version {now.number} holds."
            " Write /flashbulb policy edit once more."
        )
    return await hold(event, text, services, based_on=now.number)


def refuse_unless_admin(event: Event) -> None:
    """Raises: `UserError` for whoever neither sees nor changes the policy."""
    if not event.author.role.sets_up:
        raise UserError("Only who administers this workspace sees and changes its policy.")


async def _show(event: CommandUsed, services: Services) -> Plan:
    tenant = event.place.tenant
    version, here = await services.policies.current(tenant), await services.policies.for_place(event.place)
    setup = await services.setups.of(tenant)
    mode = mode_of(setup, version.policy, emulated=services.channels.emulated(tenant))
    sentences = [
        f"Version {version.number} holds ({_by(version)}). Its fingerprint is {version.policy.fingerprint}.",
        f"The mode is {mode}. In this channel it is {here.mode_for(None, mode)}, and"
        f" {f'the profile {here.profile}' if here.profile else 'no profile'} holds.",
    ]
    if version.trouble:
        sentences.append(
            "Its text cannot be read by this Flashbulb, so the operator's policy holds in its place until it is mended:"
            f" {version.trouble}"
        )
    if exempt := _exempt(version.policy.exempt):
        sentences.append(exempt)
    listing = Listing(title=f"Version {version.number} of the policy", body=version.text)
    return _privately(event, Notice(text=" ".join(sentences)), listing)


def _exempt(exempt: Exempt) -> str:
    whose = [f"the role {role}" for role in exempt.roles]
    whose += ["every bot" if bot == "*" else f"the bot {bot}" for bot in exempt.bots]
    if not whose:
        return ""
    still = ", ".join(label_of(each) for each in exempt.still_scan) or "nothing"
    return f"Exempt: {', '.join(whose)}; still looked for in their messages: {still}."


async def _versions(event: CommandUsed, services: Services) -> Plan:
    versions = await services.policies.versions(event.place.tenant)
    lines = [
        f"{each.number:>4}  {each.policy.fingerprint if not each.trouble else 'cannot be read'}  {_by(each)}"
        for each in versions[:LISTED_MAX]
    ]
    if len(versions) > LISTED_MAX:
        lines.append(f"and {len(versions) - LISTED_MAX} older ones")
    lines.append("\nTo go back to one: /flashbulb policy rollback NUMBER")
    title = f"Policies of this workspace: {versions[0].number} holds"
    return _privately(event, Listing(title=title, body="\n".join(lines), file_name="versions.txt"))


async def _why_no_form(event: CommandUsed, services: Services) -> str:
    if await form_for(
        event,
        channels=services.channels,
        policies=services.policies,
        setups=services.setups,
        results=services.results,
        wishes=services.wishes,
        cases=services.cases,
    ):
        return "The form for that could not be opened. Write /flashbulb policy edit once more."
    return (
        "This policy is too long for a form. Change the text of /flashbulb policy show in a file, post it here, and write"
        " /flashbulb policy use."
    )


async def hold(event: Event, text: str, services: Services, *, why: str = "", based_on: int | None = None) -> Plan:
    """Make `text` the newest version, the one after `based_on`, and say it and `why`: to who did it, and in the log channel."""
    tenant = event.place.tenant
    saved = await services.policies.save(tenant, text, by=event.author, event=event.key, based_on=based_on)
    before = await _numbered(tenant, saved.number - 1, services)
    then = f"To go back: /flashbulb policy rollback {before.number}"
    body = await _changes(tenant, before.policy, saved.policy, services, then=then)
    body = f"{why}\n\n{body}" if why else body
    title = f"Version {saved.number} of the policy holds now"
    said = Listing(title=title, body=body, file_name=f"policy-{saved.number}.txt")
    card = said.model_copy(update={"title": f"{title}, by {event.author.name}"})
    return Plan(
        effects=(
            Notify.author_of(event, "policy", said),
            Card(key=f"{event.key}#log", place=event.place, answer=card),
        )
    )


async def _lint(event: CommandUsed, text: str, services: Services) -> Plan:
    try:
        policy = await asyncio.to_thread(parse, text, source="The policy")
    except Misconfigured as error:
        raise UserError(str(error)) from error
    now = await services.policies.current(event.place.tenant)
    then = "To make it hold: /flashbulb policy use"
    body = await _changes(event.place.tenant, now.policy, policy, services, then=then)
    return _privately(event, Listing(title="This policy is in order", body=body, file_name="changes.txt"))


async def _diff(event: CommandUsed, old: PolicyVersion, new: PolicyVersion, services: Services) -> Plan:
    body = await _changes(event.place.tenant, old.policy, new.policy, services, listed=LISTED_MAX)
    title = f"From version {old.number} to version {new.number} of the policy"
    return _privately(event, Listing(title=title, body=body, file_name="changes.txt"))


async def _changes(tenant: Tenant, old: Policy, new: Policy, services: Services, *, then: str = "", listed: int = 0) -> str:
    """Say what another policy would have changed for the newest messages, what can be done `then`, and what differs in it."""
    decided = await services.verdicts.newest(tenant, limit=COMPARED_MAX)
    comparison = await asyncio.to_thread(compare, old, new, decided)
    keys = differences(old, new) or ("nothing that counts: only comments or layout",)
    paragraphs = [_counted(comparison), *((then,) if then else ())]
    if shown := comparison.changes[:listed]:
        lines = [f"  {each.channel.name or each.channel.id}: {each.before} -> {each.after}  {each.why}" for each in shown]
        more = len(comparison.changes) - len(shown)
        paragraphs.append("\n".join(("The newest of them:", *lines, *((f"  and {more} more",) if more else ()))))
    paragraphs.append("\n".join(("Changed:", *(f"  {each}" for each in keys))))
    if noted := remarks(new):
        paragraphs.append("\n".join(("To think about:", *(f"  {each}" for each in noted))))
    return "\n\n".join(paragraphs)


def _counted(comparison: Comparison) -> str:
    if not comparison.looked_at:
        return "Nothing was found in any message yet, so nothing can be said about what that changes."
    of = f"the last {comparison.looked_at:,} messages in which something was found or not judged"
    if not comparison.changes:
        return f"It changes nothing about {of}."
    steps = (f"  {count:,} from {before} to {after}" for (before, after), count in comparison.counts.items())
    return "\n".join((f"It changes {len(comparison.changes):,} of {of}:", *steps))


async def _version(number: str, event: Event, services: Services) -> PolicyVersion:
    if not (number.isascii() and number.isdigit()):
        raise UserError(USAGE)
    return await _numbered(event.place.tenant, int(number), services)


async def _numbered(tenant: Tenant, number: int, services: Services) -> PolicyVersion:
    for each in await services.policies.versions(tenant):
        if each.number == number:
            return each
    raise UserError(f"There is no version {number}. Write /flashbulb policy versions for those that there are.")


async def _file(event: CommandUsed, services: Services) -> str:
    """Return the text of the YAML file that came with the command, or else was posted here by the same person."""
    attachments = event.attachments or await _posted(event, services)
    named = [each for each in attachments if each.name.lower().endswith((".yaml", ".yml"))]
    if len(named) != 1:
        raise UserError("Post one file here whose name ends in .yaml, then write that again.")
    data = await services.files.fetch(named[0], limit_bytes=TEXT_BYTES)
    try:
        return as_file(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError("This file is not a text in UTF-8.") from error


async def _posted(event: CommandUsed, services: Services) -> tuple[Attachment, ...]:
    posted = await posted_here(event, services)
    if posted is None or posted.author.id != event.author.id:  # nobody else's file may become the policy by being newer
        return ()
    return posted.content.attachments


def as_file(text: str) -> str:
    """Return a text as it stands in a file, whichever line ends a form or an editor gave it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"


def _by(version: PolicyVersion) -> str:
    return f"by {version.author}, {version.at:%Y-%m-%d %H:%M} UTC" if version.at else "the operator's"


def _privately(event: Event, *answers: Answer) -> Plan:
    return Plan(effects=tuple(Notify.author_of(event, f"policy{n}", each) for n, each in enumerate(answers)))
