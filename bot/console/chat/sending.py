"""What people send: stored, accepted, and only then shown, so that a crash loses nothing and nobody sees what is not judged.

Stored first, for the work on an event may take its message out before we hear that it was accepted. Shown last, for what nobody
accepted would stand there without ever being judged. A crash in between leaves an `arriving` row, which `recover` finishes.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.console.chat import PLATFORM, parse
from bot.console.chat.connection import ConsoleConnection
from bot.storage.console_messages import ConsoleMessages, Draft, StoredMessage
from bot.storage.retention import REMEMBERED_FOR
from bot.storage.sign_ins import CONSOLE
from bot.storage.tables import now
from handlers.events import AnyEvent, Place
from pipelines.errors import Unavailable, UserError

# What could not be accepted waits this long for its author to send it again. It may have been accepted all the same, and while
# the engine remembers that, the same id with other words would pass for judged.
UNSENT_KEPT = REMEMBERED_FOR + timedelta(days=1)

log = structlog.get_logger()


class Sending:
    """Takes messages and command lines in. `accept` makes an event durable; accepting it again changes nothing."""

    def __init__(
        self, *, messages: ConsoleMessages, connection: ConsoleConnection, accept: Callable[[AnyEvent], Awaitable[object]]
    ) -> None:
        self._messages = messages
        self._connection = connection
        self._accept = accept

    async def send(self, workspace: str, draft: Draft) -> None:
        """Take `draft` in; the same one may come again.

        Raises: `Unavailable` when it could not be accepted, `UserError` when its id stands for something else.
        """
        message = await self._messages.keep(workspace, draft)
        if message is None or not message.was(draft):
            raise UserError("This was sent before with other words. Reload the page and send it again.")
        if message.state == "unsent":
            await self._messages.arrives(workspace, message.id)
        await self._take_in(workspace, message)

    async def recover(self) -> None:
        """Finish what a crash left half done, and forget what nobody sent again. Call it once `accept` works.

        What cannot be accepted now is unsent: it waits for its author as any other, and keeps nobody from starting.
        """
        workspace, finished = CONSOLE.workspace, 0
        arriving = await self._messages.arriving(workspace)
        for message in arriving:
            with suppress(Unavailable):
                await self._take_in(workspace, message)
                finished += 1
        await self._messages.forget_unsent(workspace, before=now() - UNSENT_KEPT)
        log.info("console.recovered", messages=finished, unsent=len(arriving) - finished)

    async def _take_in(self, workspace: str, message: StoredMessage) -> None:
        try:
            for event in events_of(workspace, message):
                await self._accept(event)
        except Unavailable:
            await self._messages.put_aside(workspace, message.id)
            raise
        if shown := await self._messages.show(workspace, message.id):
            self._connection.announce(shown, new=True)


def events_of(workspace: str, message: StoredMessage) -> list[AnyEvent]:
    """Return what happened with `message`. The files of a command's line are posted as well where others see them."""
    place = Place(platform=PLATFORM, workspace=workspace, channel=message.channel, thread=message.thread)
    if message.command is None:
        return [parse.posted(message, place)]
    used: list[AnyEvent] = [parse.line_used(message, place)]
    return [parse.posted(message, place), *used] if message.files and message.only_for is None else used
