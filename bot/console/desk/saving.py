"""Changes of the policy from the desk: the same events as in a chat, and the version that each of them makes."""

import asyncio
import re
from typing import Final

from aiohttp import web

from bot.console.desk.desk import Desk, person_of, tenant_of
from handlers.events import AnyEvent, ButtonPressed, FormSubmitted
from handlers.outages import log_place
from handlers.ports.moderation import PolicyVersion
from pipelines.errors import UserError

SAVED_WITHIN_S: Final = 8.0
LOOK_EVERY_S: Final = 0.05
SENT_ID: Final = re.compile(r"[0-9a-f-]{36}")
TAKES_LONG: Final = (
    "This was taken in and takes longer than usual. Look at the versions of the policy in a moment, before you send it again."
)


async def policy_sent(desk: Desk, request: web.Request, text: str, *, based_on: int, id: str) -> FormSubmitted:
    """Return the event of a policy that was sent: the form of `/flashbulb policy edit`."""
    return FormSubmitted(
        key=key_of(id),
        place=await log_place(tenant_of(request), desk.services),
        author=person_of(request),
        desk=True,
        form="policy",
        about=str(based_on),
        values={"text1": text},
    )


async def pressed(desk: Desk, request: web.Request, button: str, value: str, *, id: str) -> ButtonPressed:
    """Return the event of a button that changes the policy."""
    place = await log_place(tenant_of(request), desk.services)
    return ButtonPressed(
        key=key_of(id), place=place, author=person_of(request), desk=True, button=button, value=value, message=""
    )


async def made_by(desk: Desk, event: AnyEvent, *, before: int) -> PolicyVersion:
    """Have an event make the version of the policy that follows `before`, and return it.

    Raises: `HTTPConflict` when others changed the policy and this event did not; `HTTPServiceUnavailable` when that takes too
    long; `Unavailable` when the event is not taken in.
    """
    tenant = event.place.tenant
    await desk.accept(event)
    for _ in range(int(SAVED_WITHIN_S / LOOK_EVERY_S)):
        under_way = await desk.services.cases.is_under_way(tenant, event.key)  # asked first: it may end in between
        holds = await desk.services.policies.current(tenant)
        if holds.number > before:
            versions = await desk.services.policies.versions(tenant)
            if saved := next((each for each in versions if each.event == event.key), None):
                return saved
            if not under_way:
                words = f"{holds.author or 'Somebody'} changed the policy meanwhile: version {holds.number} holds."
                raise web.HTTPConflict(text=f"{words} Reload the page.")
        await asyncio.sleep(LOOK_EVERY_S)
    raise web.HTTPServiceUnavailable(text=TAKES_LONG)


def key_of(id: str) -> str:
    """Return the key of what a page sent under an id of its own, so that sending it twice is one thing."""
    if not SENT_ID.fullmatch(id):
        raise UserError("Reload the page and try again.")
    return f"desk:{id}"
