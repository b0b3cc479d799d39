"""An event to a plan: the one place where an error becomes words."""

from dataclasses import dataclass
from typing import Final, assert_never

from handlers.answers import Notice
from handlers.appeals import on_appeal_decided, on_appeal_form, on_appeal_pressed
from handlers.casebook import on_why
from handlers.commands import SHORTCUTS
from handlers.corrections import on_correct_form, on_extraction_pressed
from handlers.deletions import on_deleted, on_edited, on_file_deleted
from handlers.digest import on_digest_due, on_enforce
from handlers.effects import AnyEffect, Make, Notify, Performed, Plan
from handlers.events import (
    FLASHBULB,
    AnyEvent,
    ButtonPressed,
    CasesWait,
    CommandUsed,
    DigestDue,
    FileDeleted,
    FormSubmitted,
    MessageDeleted,
    MessagePosted,
    ModelAway,
    ModelReturned,
    RaidGrew,
    RaidJoined,
)
from handlers.extraction import on_extract
from handlers.failures import after_failure
from handlers.generation import on_imagine, on_remix, on_wish_form
from handlers.made import on_prompt_changed, on_wish_pressed
from handlers.making import make_wish
from handlers.moderation import on_moderate
from handlers.outages import on_choice_for_outage, on_model_away, on_model_returned
from handlers.policies import on_policy_form
from handlers.ports.services import Services
from handlers.raids import on_raid_decided, on_raid_grew, on_raid_joined
from handlers.reports import on_report
from handlers.review import on_button, on_case_form
from handlers.schemas import on_schema_form
from handlers.settings import invite, on_flashbulb
from handlers.setup import on_setup
from handlers.studio import Say
from handlers.suggestions import on_suggestion_applied
from handlers.tagging import on_tag
from handlers.uploads import on_message, on_message_after_fault
from handlers.waiting import on_cases_wait
from pipelines.errors import BadAnswer, Refused, Unavailable, UserError

WORDS: Final = "words"  # ends the key of what is said to an event's author alone, in place of what the event was for


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides what to do about events; the durable engine calls it and performs what it says."""

    services: Services

    async def plan(self, event: AnyEvent) -> Plan:
        """Decide what to do about one event. Repeating it costs model calls and harms nobody.

        Raises: for a message whatever went wrong, since words to its author would leave it standing unjudged.
        """
        try:
            return _for_whoever_looks(event, await self._plan(event))
        except (UserError, Unavailable, Refused, BadAnswer) as error:
            if isinstance(event, MessagePosted | RaidJoined) or await self._has_begun(event):
                raise
            return _say(event, str(error))

    async def _plan(self, event: AnyEvent) -> Plan:
        match event:
            case MessagePosted():
                return await self._with_what_goes(event, await on_message(event, self.services))
            case CommandUsed():
                return await on_command(event, self.services)
            case ButtonPressed():
                return await on_pressed(event, self.services)
            case FormSubmitted():
                return await on_form(event, self.services)
            case MessageDeleted():
                return await on_deleted(event, self.services)
            case FileDeleted():
                return await on_file_deleted(event, self.services)
            case CasesWait():
                return await on_cases_wait(event, self.services)
            case DigestDue():
                return await on_digest_due(event, self.services)
            case ModelAway():
                return await on_model_away(event, self.services)
            case ModelReturned():
                return await on_model_returned(event, self.services)
            case RaidJoined():
                return await on_raid_joined(event, self.services)
            case RaidGrew():
                return await on_raid_grew(event, self.services)
            case _:
                assert_never(event)

    async def _with_what_goes(self, event: MessagePosted, plan: Plan) -> Plan:
        """Add that what was made of files goes with them, where the plan does not say so: it may take the whole message out."""
        planned = {each.key for each in plan.effects}
        gone = (each for each in await on_edited(event, self.services) if each.key not in planned)
        return Plan(effects=(*plan.effects, *gone))

    async def plan_after_fault(self, event: AnyEvent) -> Plan:
        """Decide what to do about an event over which we failed: content counts as not judged, a person gets an apology."""
        if isinstance(event, MessagePosted):
            return await self._with_what_goes(event, await on_message_after_fault(event, self.services))
        if isinstance(event, RaidJoined):  # there is nothing else that could be done about it, so it is put off
            return await on_raid_joined(event, self.services)
        if await self._has_begun(event):
            raise Unavailable("Flashbulb", "tries again what it has begun")
        return _say(event, "Something went wrong on our side and nothing was done. Try again; the operator sees it in the log.")

    async def _has_begun(self, event: AnyEvent) -> bool:
        """Whether an event has decided something that is on record: then what follows from it is owed, and it is put off."""
        tenant = event.place.tenant
        match event:
            case ButtonPressed(button="raid_restore" | "raid_keep"):
                of_raid = await self.services.cases.of_raid(tenant, event.value)
                return any(each.decided_event == event.key for each in of_raid)
            case ButtonPressed(value=case) | FormSubmitted(about=case) if case:
                links = await self.services.audit.of_case(tenant, case)
                return any(each.key.startswith(f"{event.key}!") for each in links)
            case _:
                return False

    async def make(self, effect: Make, say: Say) -> Plan:
        """Have made what an effect asks for, and return what is to be done then. It may be called again after a crash.

        Raises: `Unavailable` when it has to be put off.
        """
        return await make_wish(effect, self.services, say)

    def stop_waiting(self) -> None:
        """Have `make` leave off where nothing is lost by it, with `Unavailable`: the bot stops."""
        self.services.turns.close()

    async def failed(
        self, event: AnyEvent, effect: AnyEffect, performed: Performed, rest: tuple[AnyEffect, ...]
    ) -> Plan | None:
        """Tell people what could not be done, in place of what would have said that it was."""
        return await after_failure(event, effect, performed, rest, self.services)


async def on_command(event: CommandUsed, services: Services) -> Plan:
    match event.command:
        case "tag":
            return await on_tag(event, services)
        case "extract":
            return await on_extract(event, services)
        case "imagine":
            return await on_imagine(event, services)
        case "remix":
            return await on_remix(event, services)
        case "moderate":
            return await on_moderate(event, services)
        case "flashbulb":
            return await on_flashbulb(event, services)
        case command if command in {each.command for each in SHORTCUTS}:  # it is a form, and comes only if that did not open
            raise UserError("The form could not be opened. Try it again from the message's menu.")
        case _:
            raise UserError(f"There is no /{event.command}. Write /flashbulb help for what there is.")


async def on_pressed(event: ButtonPressed, services: Services) -> Plan:
    match event.button:
        case "away_hold" | "away_flag":
            return await on_choice_for_outage(event, services)
        case "raid_restore" | "raid_keep":
            return await on_raid_decided(event, services)
        case "why":
            return await on_why(event, services)
        case "overturn" | "uphold":
            return await on_appeal_decided(event, services)
        case "appeal":
            return await on_appeal_pressed(event, services)
        case "suggestion_apply":
            return await on_suggestion_applied(event, services)
        case "enforce":
            return await on_enforce(event, services)
        case button if button.startswith("extraction_"):
            return await on_extraction_pressed(event, services)
        case button if button.startswith("wish_"):
            return await on_wish_pressed(event, services)
        case _:
            return await on_button(event, services)


async def on_form(event: FormSubmitted, services: Services) -> Plan:
    match event.form:
        case "report":
            return await on_report(event, services)
        case "wrong_category" | "timeout" | "ban":
            return await on_case_form(event, services)
        case "appeal":
            return await on_appeal_form(event, services)
        case "setup":
            return await on_setup(event, services)
        case "policy":
            return await on_policy_form(event, services)
        case "correct":
            return await on_correct_form(event, services)
        case "imagine" | "remix":
            return await on_wish_form(event, services)
        case "wish_prompt":
            return await on_prompt_changed(event, services)
        case "schema":
            return await on_schema_form(event, services)
        case "invite":
            values = event.values
            return await invite(event, name=values.get("name", ""), role=values.get("role", ""), services=services)
        case _:
            raise UserError("This form is of an older version. Open it again.")


def _for_whoever_looks(event: AnyEvent, plan: Plan) -> Plan:
    """Leave out what tells somebody at the review desk in private what that shows anyway."""
    if not event.desk:
        return plan
    said = (each for each in plan.effects if not (isinstance(each, Notify) and each.person == event.author.id))
    return Plan(effects=tuple(said))


def _say(event: AnyEvent, text: str) -> Plan:
    if event.author == FLASHBULB or event.desk:  # what we told ourselves comes again; the desk has said it
        return Plan()
    return Plan(effects=(Notify.author_of(event, WORDS, Notice(text=text)),))
