"""The history of a case in sentences: who did what, and what became of it."""

from collections.abc import Iterable, Iterator
from typing import Any

from handlers.answers import CaseStep
from handlers.events import FLASHBULB
from handlers.ports.cases import Case, Link
from pipelines.language import Catalogue
from pipelines.moderation.explaining import DONE
from pipelines.moderation.policy import Action
from pipelines.moderation.report import label_of


def steps_of(case: Case, links: Iterable[Link], words: Catalogue) -> Iterator[CaseStep]:
    """Yield what the audit tells of a case, the oldest first."""
    for link in links:
        text = _step(case, link, words)
        if text and link.at is not None:
            yield CaseStep(at=link.at, text=text)


def _step(case: Case, link: Link, words: Catalogue) -> str:
    """Say one link, or nothing where a case is not what it is about."""
    facts, who = link.facts, _name(link.actor, case, words)
    match link.kind:
        case "opened":
            return _opened(facts, words)
        case "judged_again":
            return words.say("It was judged again: {done}.", done=_done(facts, words))
        case "acted":
            return _acted(facts, _name(link.subject or case.author.id, case, words), words)
        case "decided":
            return _decided(case, facts, who, words)
        case "undone":
            return words.say("{who} took that decision back.", who=who)
        case "measure":
            return _measure(facts, who, words)
        case "appealed":
            return words.say("{who} asked for another look.", who=who)
        case "appeal_decided" if facts.get("granted"):
            return words.say("{who} granted the appeal.", who=who)
        case "appeal_decided":
            return words.say("{who} denied the appeal.", who=who)
        case "gone" if facts.get("by") == "moderator":
            return words.say("A moderator deleted the message by hand.")
        case "gone":
            return words.say("The message was deleted by somebody else than Flashbulb.")
        case "revealed":
            return words.say("{who} looked at picture {number} without blur.", who=who, number=int(facts.get("picture", 0)) + 1)
        case _:
            return ""


def _name(person: str, case: Case, words: Catalogue) -> str:
    """Return the name of a person as the case knows it. What Flashbulb does itself names its id as well."""
    if not person:
        return words.say("Somebody who was erased")
    return FLASHBULB.name if person == FLASHBULB.id else case.names.get(person) or person


def _opened(facts: Any, words: Catalogue) -> str:
    if facts.get("state") == "reported":
        return words.say("A member reported the message.")
    if facts.get("shadow"):
        return words.say(
            "The case was opened in shadow mode: without it, the message would have been {done}.", done=_done(facts, words)
        )
    return words.say("The case was opened: {done}.", done=_done(facts, words))


def _done(facts: Any, words: Catalogue) -> str:
    return words.say(DONE[Action(facts.get("action", Action.ALLOW))])


def _acted(facts: Any, whom: str, words: Catalogue) -> str:
    """Say what became of what was to be carried out. Why it failed is said in the platform's words."""
    done, why = facts.get("status") != "failed", facts.get("why", "")
    match facts.get("effect"), bool(facts.get("lift")):
        case "remove", _ if facts.get("status") == "gone":
            return words.say("The message was gone already when it was to be taken out.")
        case "remove", _ if done:
            return words.say("The message was taken out of the channel.") + (f" {why}" if why else "")
        case "remove", _:
            return words.say("The message could not be taken out: {why}", why=why)
        case "restore", _ if facts.get("status") == "gone":
            return words.say("There was nothing left to bring back.")
        case "restore", _ if done:
            return words.say("The message was brought back.") + (f" {why}" if why else "")
        case "restore", _:
            return words.say("The message could not be brought back: {why}", why=why)
        case "timeout", False if done:
            return words.say("{whom} was timed out.", whom=whom)
        case "timeout", True if done:
            return words.say("{whom} may write again.", whom=whom)
        case "timeout", False:
            return words.say("{whom} could not be timed out: {why}", whom=whom, why=why)
        case "timeout", True:
            return words.say("The time-out of {whom} could not be ended: {why}", whom=whom, why=why)
        case "ban", False if done:
            return words.say("{whom} was banned.", whom=whom)
        case "ban", True if done:
            return words.say("The ban of {whom} was lifted.", whom=whom)
        case "ban", _:
            return words.say("The ban of {whom} could not be carried out or lifted: {why}", whom=whom, why=why)
        case _:
            return ""


def _decided(case: Case, facts: Any, who: str, words: Catalogue) -> str:
    match facts.get("decision"):
        case "restored":
            said = words.say("{who} had the message put back.", who=who)
        case "dismissed":
            said = words.say("{who} found nothing wrong with the message.", who=who)
        case "removed":
            said = words.say("{who} had the message taken out.", who=who)
        case _ if case.taken_out:
            said = words.say("{who} kept the message removed.", who=who)
        case _:
            said = words.say("{who} agreed with what was found.", who=who)
    if right := facts.get("right_category"):
        return f"{said} {words.say('The right category is {category}.', category=label_of(right, words))}"
    return said


def _measure(facts: Any, who: str, words: Catalogue) -> str:
    match facts.get("measure"), bool(facts.get("lift")):
        case "timeout", False:
            return words.say("{who} decided on a time-out for its author.", who=who)
        case "timeout", True:
            return words.say("{who} decided to end the time-out of its author.", who=who)
        case "ban", False:
            return words.say("{who} decided to ban its author.", who=who)
        case _:
            return words.say("{who} decided to lift the ban of its author.", who=who)
