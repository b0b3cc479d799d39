"""What moderators are shown: cases and alerts in the channel for cases, or the owner's direct messages while there is none."""

from contextlib import suppress
from typing import Any, Final

import structlog

from bot.slack.enclosing import Enclosing
from bot.slack.history import History, metadata
from bot.slack.owner import Owner
from bot.slack.pictures import CardPictures
from bot.slack.pieces import Picture
from bot.slack.speech import Speech, to
from bot.slack.web import SlackError, Web
from bot.words import LOG_CHANNEL_LOST, NO_LOG_CHANNEL, PICTURE_ALT
from handlers.answers import CaseCard, SetUp
from handlers.effects import Card, Edit, Performed
from handlers.events import Tenant
from handlers.ports.channels import Setups

NO_OWNER: Final = "No channel for cases is set yet, and Slack does not say who owns the workspace. Write /flashbulb setup."

log = structlog.get_logger()

Json = dict[str, Any]


class Cards:
    """Shows cards, finds them again and changes them. Every method raises `SlackError` and `Unavailable`."""

    def __init__(
        self,
        web: Web,
        *,
        setups: Setups,
        speech: Speech,
        history: History,
        enclosing: Enclosing,
        pictures: CardPictures,
    ) -> None:
        self._web = web
        self._setups = setups
        self._speech = speech
        self._history = history
        self._enclosing = enclosing
        self._pictures = pictures
        self._owner = Owner(web)

    async def of_owner(self) -> str:
        """Return the channel of the direct messages with the workspace's owner."""
        return await self._speech.direct(await self._owner.id())

    async def show_no_more(self, tenant: Tenant, message: str) -> None:
        """Take away what earlier cards show of a message of which nothing may stay."""
        where = (await self._setups.of(tenant)).log_channel
        try:
            where = where or await self.of_owner()
            shown = await self._history.pictures_about(where, message)
        except SlackError as error:
            log.warning("slack.cards_unread", code=error.code)
            return
        for picture in shown:
            await self._pictures.take_away(picture)

    async def show(self, effect: Card) -> Performed:
        """Show a case in the channel for cases; to the owner while there is none, or where it cannot be written into."""
        log_channel = (await self._setups.of(effect.place.tenant)).log_channel
        case = effect.answer if isinstance(effect.answer, CaseCard) else None
        self._web.expect_room(log_channel or await self._owner.id())
        picture = await self._pictures.bring(effect.place.tenant, case.message) if case and case.picture else ""
        added = NO_LOG_CHANNEL
        if log_channel:
            try:
                return await self._say_with(picture, log_channel, effect)
            except SlackError as error:
                if isinstance(effect.answer, SetUp):
                    raise  # whoever chose that channel is told so
                log.warning("slack.log_channel_refuses", channel=log_channel, code=error.code)
                added = LOG_CHANNEL_LOST
        owner = await self._owner.id()
        if not owner:
            return Performed(status="failed", why=NO_OWNER)
        return await self._say_with(picture, owner, effect, added=added)

    async def _say_with(self, picture: str, channel: str, effect: Card, *, added: str = "") -> Performed:
        """Show a card with its picture, and without it where Slack finds fault with that."""
        about = effect.answer.message if isinstance(effect.answer, CaseCard) else ""
        if picture:
            pictures = (Picture(picture, PICTURE_ALT),)
            said = await self._speech.rendered(effect.answer, added=added, pictures=pictures)
            where = {**to(channel), "metadata": metadata(effect.key, about, pictures=(picture,))}
            if sent := await self._enclosing.with_pictures("chat.postMessage", said, pictures, where):
                return Performed(status="done", message=str(sent["ts"]))
        said = await self._speech.rendered(effect.answer, added=added)
        return await self._speech.say(channel, None, said, effect, about=about)

    async def find(self, effect: Card) -> Performed | None:
        """Return that a card was shown, where it is found by its key."""
        found, log_channel = None, (await self._setups.of(effect.place.tenant)).log_channel
        if log_channel:
            with suppress(SlackError):  # it may be the owner who got it
                found = await self._history.made_by(log_channel, None, effect.key)
        found = found or await self._history.made_by(await self.of_owner(), None, effect.key)
        return Performed(status="done", message=found) if found else None

    async def edit(self, channel: str, effect: Edit, case: CaseCard) -> None:
        """Show a case as it is now. Its picture stays for as long as it may, and comes where it may only now."""
        carried = await self._enclosing.carried(channel, effect.message)
        had = carried.get("picture", "")
        picture, marked = had if case.picture else "", None
        if case.picture and not had and "key" in carried:
            picture = await self._pictures.bring(effect.place.tenant, case.message)
            marked = metadata(carried["key"], case.message, pictures=(picture,)) if picture else None
        where: Json = {"channel": channel, "ts": effect.message}
        if picture:
            pictures = (Picture(picture, PICTURE_ALT),)
            said = await self._speech.rendered(case, pictures=pictures)
            if await self._enclosing.with_pictures("chat.update", said, pictures, where | {"metadata": marked}):
                return
        await self._web.say("chat.update", await self._speech.rendered(case), **where)
        if had and not picture:
            await self._pictures.take_away(had)
