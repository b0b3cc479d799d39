"""`/flashbulb`: help, looking things up, what is made and spent, setting up, the policy, schemas, and invitations."""

from handlers.answers import Invitation
from handlers.commands import help_for
from handlers.effects import Notify, Plan
from handlers.events import CommandUsed, Event, Role
from handlers.policies import on_policy
from handlers.ports import Services
from handlers.schemas import on_schema
from handlers.search import on_find
from handlers.setup import refuse_unless_admin
from handlers.usage import on_queue, on_usage
from pipelines.errors import UserError
from pipelines.limits import NAME_CHARS

INVITATION_MINUTES = 10
INVITABLE = {"member": Role.MEMBER, "moderator": Role.MODERATOR}


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
        case ["schema", *words]:
            return await on_schema(event, words, services)
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
