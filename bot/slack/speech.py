"""Our own messages: answers become blocks and text, are posted, shown to one person, or come as a file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bot.slack.history import block_id, metadata
from bot.slack.joined import joined
from bot.slack.pieces import Picture, message_link
from bot.slack.render import beside_file, render, too_long
from bot.slack.web import SlackError, Web
from handlers.answers import Answer, Listing, SetUp
from handlers.effects import Card, Notify, Performed, Post
from pipelines.errors import Unavailable

CONVERSATIONS: Final = ("C", "G", "D")  # begin the ids of what files can be shared in; those of people begin otherwise

log = structlog.get_logger()

Json = dict[str, Any]


class Speech:
    """Says things as the bot. Every method raises `SlackError` for what Slack will not do, and `Unavailable`."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._home = ""

    async def show_in_place(self, effect: Notify, *, added: str = "") -> bool:
        """Show something to one person where they are. False where that is not possible."""
        said = await self.rendered(effect.answer, added=added)
        if await self.respond(effect, said, "ephemeral"):
            return True
        try:
            where = {"channel": effect.place.channel, "user": effect.person, "thread_ts": effect.place.thread}
            await self._web.say("chat.postEphemeral", said, **where)
        except SlackError as error:
            log.info("slack.not_shown_in_place", effect=effect.key, code=error.code)
            return False
        return True

    async def say(
        self,
        channel: str,
        thread: str | None,
        said: Json,
        effect: Post | Card | Notify,
        *,
        marked: Json | None = None,
        about: str = "",
    ) -> Performed:
        """Post a message that is found again by the effect's key. What is too long for one comes as a file.

        `marked`: its metadata, where there is more to it than that key and `about`.
        """
        if isinstance(effect.answer, Listing) and too_long(effect.answer):
            try:
                listing = effect.answer
                file = await self._web.upload(listing.file_name, listing.body.encode())
                blocks = beside_file(listing)["blocks"]
                await self.share(channel, thread, {file: listing.title}, blocks, key=effect.key, about=about)
                return Performed(status="done")
            except SlackError as error:
                log.warning("slack.upload_refused", code=error.code)
        marked = marked or metadata(effect.key, about)
        sent = await self._web.say("chat.postMessage", said, **to(channel, thread), metadata=marked)
        return Performed(status="done", message=str(sent["ts"]))

    async def share(
        self, channel: str, thread: str | None, files: Mapping[str, str], blocks: list[Json], *, key: str, about: str = ""
    ) -> None:
        """Post uploads (titles by their ids) below blocks, found again by the first one's id: an upload carries no metadata."""
        if not channel.startswith(CONVERSATIONS):
            channel = await self.direct(channel)
        await self._web.call(
            "files.completeUploadExternal",
            files=[{"id": file, "title": title} for file, title in files.items()],
            channel_id=channel,
            thread_ts=thread,
            blocks=[{**blocks[0], "block_id": block_id(key, about)}, *blocks[1:]],
        )

    async def respond(self, effect: Post | Notify, said: Json, to: str) -> bool:
        """Answer an interaction at its own address. False where that does not take anything any more."""
        words: Json = {"response_type": to, "replace_original": False}
        if effect.place.thread and to == "in_channel":
            words["thread_ts"] = effect.place.thread
        try:
            return await self._web.respond(effect.reply, words | said)
        except SlackError as error:
            log.warning("slack.blocks_refused", method="response_url", code=error.code)
            return await self._web.respond(effect.reply, words | {"text": said["text"]})

    async def rendered(self, answer: Answer, *, added: str = "", pictures: Sequence[Picture] = ()) -> Json:
        if isinstance(answer, SetUp):
            answer = await self._looked_at(answer)
        return render(answer, home=await self.home(), added=added, pictures=pictures)

    async def _looked_at(self, answer: SetUp) -> SetUp:
        """Return the answer with what will not work in the channels that were chosen, as far as Slack says."""
        try:
            mine = {str(each.get("id")): each for each in await joined(self._web)}
        except (SlackError, Unavailable) as error:
            log.info("slack.channels_unlisted", error=type(error).__name__)
            return answer
        unseen = tuple(each for each in answer.watched if each not in mine)
        public = answer.log_channel in mine and mine[answer.log_channel].get("is_private") is not True
        return answer.model_copy(update={"unseen": unseen, "public": public})

    async def link(self, channel: str, message: str) -> str:
        """Return the address of a message, or nothing where our own is not known."""
        home = await self.home()
        return message_link(home, channel, message) if home else ""

    async def home(self) -> str:
        """Return the workspace's own address; an answer without links is better than none."""
        if not self._home:
            try:
                self._home = str((await self._web.call("auth.test")).get("url") or "")
            except SlackError as error:
                log.info("slack.address_unknown", code=error.code)
        return self._home

    async def direct(self, person: str) -> str:
        """Return the channel of the direct messages with somebody, which can be read; opening it shows nobody anything."""
        opened = await self._web.call("conversations.open", users=person)
        return str(opened["channel"]["id"])


def to(channel: str, thread: str | None = None) -> Json:
    """Return where a message goes, whose links show nothing of where they lead."""
    return {"channel": channel, "thread_ts": thread, "unfurl_links": False, "unfurl_media": False}
