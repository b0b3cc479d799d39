"""Messages that are taken out, come back, and go again: each of that once, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bot.discord.copies import PARTS_MAX, keys_of, part_keys, restored, sealed_copy
from bot.discord.messages import Gateway, Messages
from bot.discord.outcomes import TOO_LARGE, Denied
from bot.discord.posts import Posts, is_post, title_of
from bot.discord.reading import Reading
from bot.platforms import FileHost
from bot.storage.copies import Copies, Copy
from bot.storage.tables import now
from handlers.effects import Performed, Remove, Restore, TakeBack
from handlers.events import Place

log = structlog.get_logger()

KEPT_ON: Final = timedelta(days=1)  # a copy of what came back, so that a moderator can still change their mind
TAKEN_BACK: Final = "A moderator took it back"
GONE_ALREADY: Final = Performed(status="gone")


class Removals:
    """Carries out `Remove`, `Restore` and `TakeBack`. All methods raise `Unavailable` when Discord does not answer."""

    def __init__(
        self, gateway: Gateway, messages: Messages, posts: Posts, reading: Reading, *, copies: Copies, files: FileHost
    ) -> None:
        self._gateway = gateway
        self._messages = messages
        self._posts = posts
        self._reading = reading
        self._copies = copies
        self._files = files

    async def remove(self, effect: Remove) -> Performed:
        """Delete a message with what we answered to it, after a copy of it is kept. Raises: `Denied`; then there is no copy."""
        tenant = effect.place.tenant
        if effect.keep:
            message = await self._messages.fetch(effect.place, effect.message)
            if message is not None:
                place = self._reading.posted(effect.place, message).place
                title = await title_of(effect.message, self._gateway.client) if is_post(message) else None
                copy = await sealed_copy(message, place, us=self._gateway.client.us, files=self._files, title=title)
                await self._copies.keep(tenant, effect.message, copy, days=effect.keep_days)
        else:
            await self._copies.forget(tenant, effect.message)
        try:
            performed = await self._delete(effect)
        except Denied:  # it stands, so that there is nothing to bring back
            await self._copies.forget(tenant, effect.message)
            raise
        await self._messages.tidy(effect.place, effect.message)
        return performed

    async def look_for_restored(self, effect: Restore) -> Performed | None:
        """Return the message that brought another back, or None where it has not come back (whole)."""
        found = await self._messages.find_own(effect.place.thread or effect.place.channel, effect.key)
        return await self._is_back(effect, found) if found else None

    async def restore(self, effect: Restore) -> Performed:
        """Post anew what was taken out. Raises: `Denied`, also when no copy of it is kept (any more)."""
        copy = await self._copies.find(effect.place.tenant, effect.message)
        if copy is None:
            raise Denied(0, "No copy of it is kept (any more).")
        try:
            message = await self._bring_back(effect, copy, with_files=True)
        except Denied as denied:
            if denied.code != TOO_LARGE:
                raise
            message = await self._bring_back(effect, copy, with_files=False)
        return await self._is_back(effect, message)

    async def look_for_taken_back(self, effect: TakeBack) -> Performed | None:
        """Return that nothing is left of a message of ours, or None while some of it stands."""
        if effect.posted:
            _, parts = await self._posted(effect)
            return None if parts else GONE_ALREADY
        return None if await self._messages.fetch(effect.place, effect.message) else GONE_ALREADY

    async def take_back(self, effect: TakeBack) -> Performed:
        """Delete a message of ours, with all that its effect posted. Raises: `Denied`."""
        if not effect.posted:
            deleted = await self._messages.take_back(effect.place, effect.message)
            return _stood(effect.message) if deleted else GONE_ALREADY
        place, parts = await self._posted(effect)
        for each in parts:  # the last one, by which the others are found, goes last
            if each != place.thread:
                await self._messages.take_back(place, each)
        if place.thread in parts:
            await self._posts.take_out(place.thread, reason=TAKEN_BACK)
        elif parts:
            await self._posts.hide_title(place)
        return _stood(effect.message) if parts else GONE_ALREADY

    async def _delete(self, effect: Remove) -> Performed:
        place, reason = effect.place, f"Flashbulb case {effect.case}"
        if place.thread == effect.message:
            message = await self._messages.fetch(place, effect.message)
            if message is not None and is_post(message):
                why = await self._posts.take_out(effect.message, reason=reason)
                return Performed(status="done", message=effect.message, why=why)
        stood = await self._messages.delete(place, effect.message, reason=reason)
        return _stood(effect.message) if stood else GONE_ALREADY

    async def _is_back(self, effect: Restore, message: str) -> Performed:
        await self._copies.expire(effect.place.tenant, effect.message, now() + KEPT_ON)
        return _stood(message)

    async def _bring_back(self, effect: Restore, copy: Copy, *, with_files: bool) -> str:
        place, message, title = copy.place, "", None
        if place.thread == effect.message:  # a post: its copy begins with its title
            title, _, text = copy.text.partition("\n")
            copy = replace(copy, text=text)
        keys = part_keys(copy, effect.key)
        for key, (view, files) in zip(keys, restored(copy, effect.key, with_files=with_files), strict=True):
            if key != effect.key and await self._messages.find_own(place.thread or place.channel, key):
                continue
            if title is not None:
                thread, message = await self._posts.bring_back(place, view, title=title, key=key, files=files)
                place, title = place.model_copy(update={"thread": thread}), None
            else:
                _, message = await self._messages.send_to(place, view, key=key, files=files)
        return message

    async def _posted(self, effect: TakeBack) -> tuple[Place, list[str]]:
        """Return where and what the effect `effect.posted` posted, as far as it stands, the oldest first.

        Where a post in a forum was opened anew for it, that is the thread.
        """
        keys = keys_of(effect.posted, PARTS_MAX)
        parts = await self._messages.posted_by(effect.place, keys, until=effect.message)
        if parts or effect.place.thread is None:
            return effect.place, parts
        for post in self._posts.ours(effect.place.channel):
            place = effect.place.model_copy(update={"thread": post})
            if parts := await self._messages.posted_by(place, keys, until=effect.message):
                return place, parts
        return effect.place, []


def _stood(message: str) -> Performed:
    return Performed(status="done", message=message)
