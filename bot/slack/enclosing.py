"""Messages with files: pictures stand in the message, other files beside it in its channel or thread."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import structlog

from bot.platforms import Enclosed
from bot.slack.history import History, metadata
from bot.slack.pictures import Pictures
from bot.slack.pieces import Picture, Small, message
from bot.slack.speech import Speech, to
from bot.slack.web import BLOCKS_REFUSED, SlackError, Web
from handlers.effects import Notify, Performed, Post
from pipelines.errors import FlashbulbError

BELONGS: Final = "This belongs to the answer below."
PATIENCE_S: Final = 15.0  # for all pictures together; then the words go without those that are not there

log = structlog.get_logger()

Json = dict[str, Any]


class Enclosing:
    """Says things together with files. What goes wrong with a file costs nothing but the file."""

    def __init__(self, web: Web, *, speech: Speech, history: History, pictures: Pictures) -> None:
        self._web = web
        self._speech = speech
        self._history = history
        self._pictures = pictures

    async def say(
        self, channel: str, thread: str | None, effect: Post | Notify, files: Sequence[Enclosed], *, about: str = ""
    ) -> Performed:
        """Post an answer with its files, each once: after a crash, what stands there already is found by its key.

        A message that came with files cannot be changed later. So those beside an answer that may change come first, in a
        message of their own. Raises: `SlackError`, `Unavailable`.
        """
        pictures = await self._brought([each for each in files if each.is_picture])
        said = await self._speech.rendered(effect.answer, pictures=pictures)
        documents = [each for each in files if not each.is_picture]
        changes = bool(getattr(effect.answer, "buttons", ()))
        if documents and not changes and await self._share(channel, thread, documents, said["blocks"], effect.key, about):
            return Performed(status="done")
        beside = f"{effect.key}#files"
        if documents and changes and not await self._stands(channel, thread, beside):
            await self._share(channel, thread, documents, message([Small(BELONGS)])["blocks"], beside, about)
        if pictures:
            marked = metadata(effect.key, about, picture=" ".join(each.file for each in pictures))
            try:
                sent = await self._web.call("chat.postMessage", **said, **to(channel, thread), metadata=marked)
                return Performed(status="done", message=str(sent["ts"]))
            except SlackError as error:
                if error.code not in BLOCKS_REFUSED:
                    raise
                log.warning("slack.pictures_refused", effect=effect.key, code=error.code)
                for picture in pictures:
                    await self._pictures.take_away(picture.file)
        return await self._speech.say(channel, thread, await self._speech.rendered(effect.answer), effect, about=about)

    async def _brought(self, pictures: Sequence[Enclosed]) -> list[Picture]:
        brought = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                for each in pictures:
                    if file := await self._pictures.bring(each.name, each.data, alt_text=each.alt_text or each.name):
                        brought.append(Picture(file, each.alt_text or each.name))
        except (FlashbulbError, TimeoutError) as error:
            log.warning("slack.without_picture", error=type(error).__name__)
        return brought

    async def _share(
        self, channel: str, thread: str | None, files: Sequence[Enclosed], blocks: list[Json], key: str, about: str
    ) -> bool:
        """Share files below blocks. False where Slack does not take them."""
        try:
            uploads = {await self._web.upload(each.name, each.data): each.name for each in files}
            await self._speech.share(channel, thread, uploads, blocks, key=key, about=about)
        except SlackError as error:
            log.warning("slack.upload_refused", effect=key, code=error.code)
            return False
        return True

    async def _stands(self, channel: str, thread: str | None, key: str) -> bool:
        try:
            return await self._history.made_by(channel, thread, key) is not None
        except SlackError:
            return False
