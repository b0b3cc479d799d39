"""`/flashbulb`: help, looking things up, what is made and spent, setting up, cases, policy, schemas, invitations."""

from typing import Final, Literal

from handlers.answers import Invitation
from handlers.casebook import on_case, on_cases
from handlers.commands import help_for
from handlers.digest import on_digest, on_policy_enforce
from handlers.effects import Notify, Plan
from handlers.events import CommandUsed, Event, Role
from handlers.policies import on_policy
from handlers.ports.services import Services
from handlers.schemas import on_schema
from handlers.search import on_find
from handlers.setup import refuse_unless_admin
from handlers.suggestions import on_suggestions
from handlers.usage import on_queue, on_usage
from pipelines.errors import UserError
from pipelines.limits import NAME_CHARS

INVITATION_MINUTES = 10
INVITABLE = {"member": Role.MEMBER, "moderator": Role.MODERATOR}
REVIEWERS: Final[dict[Role, Literal["moderator", "admin", "operator"]]] = {
    Role.MODERATOR: "moderator",
    Role.ADMIN: "admin",
    Role.OPERATOR: "operator",
}


async def on_flashbulb(event: CommandUsed, services: Services) -> Plan:
    """Answer what may stand after `/flashbulb`; the form of `setup` has not opened then."""
    match event.argument.split():
        case [] | ["help"]:
            return Plan(effects=(Notify.author_of(event, "help", help_for(event.author.role)),))
        case ["setup"]:
            refuse_unless_admin(event)
            raise UserError("The form for that could not be opened. Write /flashbulb setup once more.")
        case ["find", *words]:
            return await on_find(event, " ".join(words), services)
        case ["queue"]:
            return await on_queue(event, services)
        case ["usage"]:
            return await on_usage(event, services)
        case ["cases", *words]:
            return await on_cases(event, words, services)
        case ["case", id]:
            return await on_case(event, id, services)
        case ["case", *_]:
            raise UserError("Write /flashbulb case and the id that stands on the card of the case.")
        case ["dashboard"]:
            return await dashboard(event, services)
        case ["schema", *words]:
            return await on_schema(event, words, services)
        case ["digest", *words]:
            return await on_digest(event, words, services)
        case ["policy", word] if word.lower() == "suggestions":
            return await on_suggestions(event, services)
        case ["policy", word, *words] if word.lower() == "enforce":
            return await on_policy_enforce(event, words, services)
        case ["policy", *words]:
            return await on_policy(event, words, services)
        case ["invite", *name, role] if name and role.lower() in INVITABLE:
            return await invite(event, name=" ".join(name), role=role.lower(), services=services)
        case ["invite", *_]:
            raise UserError("Write /flashbulb invite NAME member or /flashbulb invite NAME moderator.")
        case _:
            raise UserError("That is not something /flashbulb does. Write /flashbulb help for what there is.")


async def invite(event: Event, *, name: str, role: str, services: Services) -> Plan:
    """Make a one-time link to the console for somebody new. Only the operator may."""
    if event.author.role is not Role.OPERATOR:
        raise UserError("Only the operator invites people to the console.")
    if role not in INVITABLE:
        raise UserError("Choose member or moderator.")
    if not 0 < len(name.strip()) <= NAME_CHARS:
        raise UserError(f"Give a name of 1 to {NAME_CHARS} characters.")
    name = name.strip()
    url = await services.invitations.invite(event.place.tenant, name=name, role=INVITABLE[role], event=event.key)
    answer = Invitation(name=name, role="moderator" if role == "moderator" else "member", url=url, minutes=INVITATION_MINUTES)
    return Plan(effects=(Notify.author_of(event, "invitation", answer),))


async def dashboard(event: Event, services: Services) -> Plan:
    """Make a one-time link to the review desk of this workspace, for whoever asks."""
    role = REVIEWERS.get(event.author.role)
    if role is None:
        raise UserError("Only moderators open the review desk.")
    tenant = event.place.tenant
    if not services.desk_url and not services.channels.emulated(tenant):
        raise UserError(
            "The review desk opens only on the machine that Flashbulb runs on: nobody has said where others reach it."
            " Its operator sets FLASHBULB_URL, such as FLASHBULB_URL=https://flashbulb.example.org."
        )
    url = await services.invitations.dashboard(tenant, event.author)
    answer = Invitation(name=event.author.name, role=role, desk=True, url=url, minutes=INVITATION_MINUTES)
    return Plan(effects=(Notify.author_of(event, "dashboard", answer),))
