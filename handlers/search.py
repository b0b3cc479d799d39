"""`/flashbulb find`: what was tagged or extracted and holds certain words, as far as who asks may read it."""

from typing import Final

from handlers.answers import Found, FoundItem, Notice
from handlers.effects import Enclosure, Notify, Plan
from handlers.events import CommandUsed
from handlers.ports.extraction import FoundResult
from handlers.ports.services import Services
from pipelines.errors import UserError

SHOWN_MAX: Final = 5
AT_ONCE: Final = 25  # results that are looked through together
LOOKED_AT_MAX: Final = 200  # so that a word that is everywhere does not have every message asked for


async def on_find(event: CommandUsed, words: str, services: Services) -> Plan:
    """Say where words were found, in messages that still stand and that who asks can read."""
    if not words:
        raise UserError("Write /flashbulb find and the words that you look for.")
    found = await _found(event, words, services)
    if not found:
        nothing = (
            "Nothing was found in the channels that you can read. What is searched are the tags, descriptions and texts of"
            " pictures, and the values that were taken out of documents, of the last months; whole words, all of them."
        )
        return Plan(effects=(Notify.author_of(event, "found", Notice(text=nothing)),))
    shown = found[:SHOWN_MAX]
    items = tuple(
        FoundItem(
            title=each.title,
            says=each.says,
            channel=_stands_in(each, services),
            message=each.message,
            file=each.file,
            picture=each.kind == "tagged",
        )
        for each in shown
    )
    files = tuple(
        Enclosure(kind="thumbnail", of=each.id, name=f"{at}.webp", alt_text=each.says)
        for at, each in enumerate(shown, start=1)
        if each.kind == "tagged"
    )
    answer = Found(words=words, items=items, more=len(found) > SHOWN_MAX)
    return Plan(effects=(Notify.author_of(event, "found", answer).model_copy(update={"files": files}),))


async def _found(event: CommandUsed, words: str, services: Services) -> list[FoundResult]:
    """Return the results to show, and one more where there is one."""
    tenant = event.place.tenant
    found: list[FoundResult] = []
    seen = set[tuple[str, str, str]]()
    for after in range(0, LOOKED_AT_MAX, AT_ONCE):
        results = await services.results.find(tenant, words, limit=AT_ONCE, after=after)
        channels = frozenset(_stands_in(each, services) for each in results)
        readable = await services.channels.readable(tenant, event.author.id, channels) if channels else channels
        for each in results:
            channel = _stands_in(each, services)
            same = (channel, each.message or each.id, each.file)
            if channel not in readable or same in seen:
                continue
            seen.add(same)
            if each.message and await services.channels.message(each.place, each.message) is None:
                continue  # taken out, or deleted by its author
            found.append(each)
            if len(found) > SHOWN_MAX:
                return found
        if len(results) < AT_ONCE:
            break
    return found


def _stands_in(result: FoundResult, services: Services) -> str:
    """Return the id of what decides who can read a result: a thread may have other readers than its channel."""
    place = result.place
    return place.thread if place.thread and services.channels.threads_are_channels(place.tenant) else place.channel
