"""Messages with files: pictures stand in the message, other files beside it in its channel or thread."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import structlog
from pydantic import ValidationError

from bot.platforms import Enclosed
from bot.slack.history import GONE, History, Ours, metadata
from bot.slack.pictures import Pictures
from bot.slack.pieces import Line, Picture, Small, link_run, message, run
from bot.slack.speech import Speech, to
from bot.slack.web import BLOCKS_REFUSED, FILE_GONE, SlackError, Web
from bot.slack.wire import WirePlace, WireSharedFile
from handlers.effects import Edit, Notify, Performed, Post, TakeBack
from pipelines.errors import FlashbulbError

BELONGS: Final = "This belongs to the answer below."
LEFT_OUT: Final = "A file that belongs here could not be brought to Slack."
PATIENCE_S: Final = 15.0  # for a picture; then the words go without it, or it comes beside them
# Of one file, far above what is made here. Source: https://slack.com/help/articles/201330736-Add-files-to-Slack
FILE_BYTES: Final = 1_000_000_000

log = structlog.get_logger()

Json = dict[str, Any]


class Enclosing:
    """Says things together with files, and takes them back. What goes wrong with a file costs nothing but the file."""

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
        pictures = await self._brought(files)
        said = await self._speech.rendered(effect.answer, pictures=pictures)
        documents = [each for each in files if not each.is_picture]
        changes = bool(getattr(effect.answer, "buttons", ()))
        if documents and not changes and await self._share(channel, thread, documents, said["blocks"], effect.key, about):
            return Performed(status="done")
        beside: list[str] = []
        if documents and changes:
            line = message([Small(BELONGS)])["blocks"]
            beside = await self._share_once(channel, thread, documents, line, f"{effect.key}#files", about)
        marked = metadata(effect.key, about, beside=beside)
        if pictures:
            where = {**to(channel, thread), "metadata": metadata(effect.key, about, pictures=_ids(pictures), beside=beside)}
            if sent := await self.with_pictures("chat.postMessage", said, pictures, where):
                return Performed(status="done", message=str(sent["ts"]))
        plain = await self._speech.rendered(effect.answer)
        return await self._speech.say(channel, thread, plain, effect, marked=marked, about=about)

    async def change(self, channel: str, effect: Edit, files: Sequence[Enclosed]) -> Performed:
        """Say something else in a message of ours, with files: pictures in it, others in its thread, each once.

        A picture that Slack shows in no message is shared like the others. The message comes last: once it carries the
        effect's key, all is done. Raises: `SlackError`, `Unavailable`.
        """
        carried = await self.carried(channel, effect.message)
        if not carried and await self._history.is_gone(channel, effect.message):
            return Performed(status="gone")
        pictures = await self._brought(files)
        shown = {picture.at for picture in pictures}
        left = [each for each in files if _at(each) not in shown]
        beside = await self._share_beside(channel, effect, left, "files", carried)
        if not pictures or not await self._update(channel, effect, carried, pictures, beside):
            refused = [each for each in files if _at(each) in shown]
            beside += await self._share_beside(channel, effect, refused, "pictures", carried)
            await self._update(channel, effect, carried, (), beside)
        for before in carried.get("picture", "").split():
            await self._pictures.take_away(before)
        return Performed(status="done", message=effect.message)

    async def take_back(self, effect: TakeBack) -> Performed:
        """Delete a message of ours, with its files; with `posted`, all that this effect posted. It may be repeated.

        Raises: `SlackError` where one stays, `Unavailable`.
        """
        channel, last = effect.place.channel, await self._last(effect)
        posted = {last.ts: last} if last else {}
        if effect.posted:
            for thread in dict.fromkeys((effect.place.thread, None)):  # whose first message may have gone before it was posted
                posted |= {ours.ts: ours async for ours in self._history.made(channel, thread, effect.posted)}
        refused = [error for ours in posted.values() if (error := await self._take_back(channel, ours))]
        if refused:
            raise refused[0]
        return Performed(status="done", message=effect.message) if posted else Performed(status="gone")

    async def _last(self, effect: TakeBack) -> Ours | None:
        """Return the message that an effect names, if it is ours and stands; without what it shows where it may not be read.

        Raises: `SlackError` there, where it may as well be another's.
        """
        try:
            return await self._history.ours(effect.place.channel, effect.message)
        except SlackError as error:
            if effect.posted:
                raise
            log.info("slack.message_unread", code=error.code)
            return Ours(ts=effect.message, files=())

    async def _take_back(self, channel: str, ours: Ours) -> SlackError | None:
        """Delete a message with the files that it holds or shows and those beside it. Return why one of these stays.

        The files go first: once the message is gone nobody knows them. Raises: as `take_back`.
        """
        refused: SlackError | None = None
        beside = (await self.carried(channel, ours.ts)).get("beside", "").split()
        for file in (*ours.files, *beside):
            try:
                await self._delete_file(file, shared_in=channel if file in beside else "")
            except SlackError as error:
                refused = refused or error
        await self._delete_message(channel, ours.ts)
        return refused

    async def carried(self, channel: str, ts: str) -> dict[str, str]:
        """Return what our own message carries (`history.metadata`); nothing where it may not be read."""
        try:
            return await self._history.carried(channel, ts)
        except SlackError as error:
            log.info("slack.message_unread", code=error.code)
            return {}

    async def with_pictures(self, method: str, said: Json, pictures: Sequence[Picture], where: Json) -> Json | None:
        """Send a message with pictures. None where Slack finds fault with those: then they are gone."""
        try:
            return await self._web.call(method, **said, **where)
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            log.warning("slack.pictures_refused", method=method, code=error.code)
            await self._take_away(pictures)
            return None

    async def _update(
        self, channel: str, effect: Edit, carried: dict[str, str], pictures: Sequence[Picture], beside: Sequence[str]
    ) -> bool:
        """Change the message itself; return whether it shows the pictures that it is to show."""
        complete = len(pictures) + len(beside) >= len(effect.files)
        said = await self._speech.rendered(effect.answer, pictures=pictures, added="" if complete else LEFT_OUT)
        marked = metadata(
            carried.get("key", effect.key),
            carried.get("about", ""),
            pictures=_ids(pictures),
            beside=list(dict.fromkeys((*carried.get("beside", "").split(), *beside))),
            edit=effect.key,
        )
        where: Json = {"channel": channel, "ts": effect.message, "metadata": marked}
        if not pictures:
            await self._web.say("chat.update", said, **where)
            return True
        try:
            return await self.with_pictures("chat.update", said, pictures, where) is not None
        except SlackError:
            await self._take_away(pictures)  # nobody would ever see them
            raise

    async def _brought(self, files: Sequence[Enclosed]) -> list[Picture]:
        """Bring the pictures among the files to Slack, all at once; return those that it is ready to show."""
        brought = await asyncio.gather(*(self._bring(each) for each in files if each.is_picture))
        return [picture for picture in brought if picture]

    async def _bring(self, picture: Enclosed) -> Picture | None:
        alt_text = picture.alt_text or picture.name
        try:
            async with asyncio.timeout(PATIENCE_S):
                file = await self._pictures.bring(picture.name, picture.data, alt_text=alt_text)
        except (FlashbulbError, TimeoutError) as error:
            log.warning("slack.without_picture", error=type(error).__name__)
            return None
        return Picture(file, alt_text, _at(picture)) if file else None

    async def _share_beside(
        self, channel: str, effect: Edit, files: Sequence[Enclosed], what: str, carried: dict[str, str]
    ) -> list[str]:
        """Share files in the thread of a message that is to be changed, with a line that leads to it; return their ids."""
        if not files:
            return []
        thread, about = effect.place.thread or effect.message, carried.get("about", "")
        link = await self._speech.link(channel, effect.message)
        answer = link_run(link, "the answer above") if link else run("the answer above")
        line = Line((run("This belongs to "), answer, run(".")))
        return await self._share_once(channel, thread, files, message([line])["blocks"], f"{effect.key}#{what}", about)

    async def _share_once(
        self, channel: str, thread: str | None, files: Sequence[Enclosed], blocks: list[Json], key: str, about: str
    ) -> list[str]:
        try:
            stands = await self._history.found(channel, thread, key)
        except SlackError:
            stands = None
        return list(stands.files) if stands else await self._share(channel, thread, files, blocks, key, about)

    async def _share(
        self, channel: str, thread: str | None, files: Sequence[Enclosed], blocks: list[Json], key: str, about: str
    ) -> list[str]:
        """Share files below blocks; return their ids, none where Slack does not take them."""
        try:
            uploads = {await self._web.upload(each.name, each.data, alt_text=each.alt_text): each.name for each in files}
            await self._speech.share(channel, thread, uploads, blocks, key=key, about=about)
        except SlackError as error:
            log.warning("slack.upload_refused", effect=key, code=error.code)
            return []
        return list(uploads)

    async def _take_away(self, pictures: Sequence[Picture]) -> None:
        for picture in pictures:
            await self._pictures.take_away(picture.file)

    async def _delete_file(self, file: str, *, shared_in: str = "") -> None:
        """Delete a file of ours, and before it the message with which we shared it in a channel."""
        try:
            if shared_in:
                answer = await self._web.call("files.info", file=file)
                for channel, place in _shares(answer.get("file")):
                    if channel == shared_in and self._history.is_us(place.share_user_id):
                        await self._delete_message(channel, place.ts)
            await self._web.call("files.delete", file=file)
        except SlackError as error:
            if error.code not in FILE_GONE:
                raise

    async def _delete_message(self, channel: str, ts: str) -> None:
        """Delete a message of ours, if it stands."""
        try:
            await self._web.call("chat.delete", channel=channel, ts=ts)
        except SlackError as error:
            if error.code not in GONE:
                raise


def _at(file: Enclosed) -> int:
    """Return which of its effect's files it is, from 0: some of those may have been left out."""
    return int(file.key.rpartition("#")[2])


def _shares(file: object) -> list[tuple[str, WirePlace]]:
    """Return where a file is shown, by channel, as far as that can be read."""
    try:
        return list(WireSharedFile.model_validate(file).shares.places)
    except ValidationError:
        return []


def _ids(pictures: Sequence[Picture]) -> list[str]:
    return [picture.file for picture in pictures]
