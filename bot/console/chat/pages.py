"""The pages of the chat, their parts, and what a browser sends back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.console.access import SIGNED_IN, SignedIn, allow, may_open_desk
from bot.console.chat import CHANNELS, PLATFORM, Channel, channel_for, parse, topic_of
from bot.console.chat.connection import id_of
from bot.console.chat.render import Renderer, composer, message_pictured
from bot.console.chat.sending import Sending
from bot.console.downloads import is_download
from bot.console.files import FileStore
from bot.console.live import Live
from bot.console.pages import Pages
from bot.console.pictures import Sight
from bot.console.uploads import receive
from bot.platforms import FormFor
from bot.storage.console_messages import ConsoleMessages, Draft, StoredMessage, sha256_of
from bot.storage.sign_ins import CONSOLE
from bot.storage.tables import now
from handlers.answers import Made, WishQueue
from handlers.dispatch import WORDS
from handlers.events import AnyEvent, Person, Place, Tenant
from handlers.forms import OPENS_FORM, Form
from handlers.ports.generation import Wishes
from pipelines.content import Attachment
from pipelines.errors import UserError

AT_ONCE: Final = 50  # messages of a channel on a page
UNREAD_COUNTED: Final = 100  # then a number says nothing any more
ANSWERED_ALONE: Final = frozenset({"report"})  # entries of a message's menu of which nobody else in the channel hears


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """The routes of the chat. `accept` makes an event durable, `form_for` says which form opens in place of a command."""

    pages: Pages
    live: Live
    messages: ConsoleMessages
    files: FileStore
    sending: Sending
    accept: Callable[[AnyEvent], Awaitable[object]]
    form_for: FormFor
    wishes: Wishes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/channels/{channel}", self.channel),
            web.get("/channels/{channel}/threads/{message}", self.thread),
            web.get("/parts/channels/{channel}", self.channel_part),
            web.get("/parts/threads/{message}", self.thread_part),
            web.get("/parts/messages/{message}", self.message_part),
            web.post("/channels/{channel}/messages", self.send),
            web.post("/channels/{channel}/messages/{message}/shortcuts/{command}", self.choose),
            web.post("/channels/{channel}/messages/{message}/buttons/{button}", self.press),
            web.post("/channels/{channel}/forms/{form}", self.submit),
        ]

    @allow("member")
    async def home(self, _request: web.Request) -> web.Response:
        return web.Response(status=303, headers={"Location": f"/channels/{CHANNELS[0].name}"})

    @allow("member")
    async def channel(self, request: web.Request) -> web.Response:
        """Show a channel; `?before=SEQ` shows what was said before that message."""
        return await self._page(request, _channel(request), None)

    @allow("member")
    async def thread(self, request: web.Request) -> web.Response:
        """Show a channel with one of its threads beside it."""
        channel = _channel(request)
        root = await self._seen(request)
        if root.channel != channel.name or root.thread is not None:
            raise _nothing_here()
        return await self._page(request, channel, root)

    @allow("member")
    async def channel_part(self, request: web.Request) -> web.Response:
        """Answer with a channel's messages alone."""
        shown, _ = await self._messages_of(request, _channel(request))
        return _html(shown)

    @allow("member")
    async def thread_part(self, request: web.Request) -> web.Response:
        """Answer with a thread's panel alone."""
        root = await self._seen(request)
        if root.thread is not None:
            raise _nothing_here()
        return _html(await self._panel(root, _person(request)))

    @allow("member")
    async def message_part(self, request: web.Request) -> web.Response:
        """Answer with one message: as a reply where it is one, or with `?in=thread` for the root in its panel.

        204 where we took it back: pages that show it ask, and for them that is no error.
        """
        viewer, named = _person(request), await self.messages.find(_workspace(request), request.match_info["message"])
        if named is not None and named.state == "taken_back" and channel_for(named.channel, viewer.role) is not None:
            return web.Response(status=204)
        message = await self._seen(request)
        in_thread = message.thread is not None or request.query.get("in") == "thread"
        counts = await self.messages.count_replies(_workspace(request), [message.id], viewer=viewer.id)
        renderer = await self._renderer([message])
        return _html(renderer.message(message, viewer=viewer, replies=counts.get(message.id), in_thread=in_thread))

    @allow("member")
    async def send(self, request: web.Request) -> web.Response:
        """Take a message or a command in. Answers with JSON: the id of what is shown, or the form that opens.

        `words` is the id of what its sender alone is told where a command is not followed.
        """
        channel, person, words = _channel(request), _person(request), None
        submission = await receive(request, self.files)
        line = parse.line(submission.fields, files=len(submission.files))
        if submission.files or line.command is None or not line.command.private:
            _refuse_the_silent(request)
        place = _place(request, channel, await self._open_thread(request, channel, submission.fields.get("thread", "")))
        if line.command is not None:
            used = parse.command_used(line.command, line.text, id=line.id, place=place, author=person, files=submission.files)
            words = _words_for(used)
            # With files there is something to begin with, which a form would lose.
            if not submission.files and (form := await self.form_for(used)):
                return self._form(form, place)
        draft = Draft(
            id=line.id,
            channel=channel.name,
            thread=place.thread,
            person=person.id,
            text=line.text,
            command=line.command.name if line.command else None,
            only_for=person.id if line.command and line.command.private else None,
            files=submission.files,
        )
        await self.sending.send(place.workspace, draft)
        return web.json_response({"message": line.id, "thread": place.thread, "words": words}, status=201)

    @allow("member")
    async def choose(self, request: web.Request) -> web.Response:
        """Take a choice from a message's menu in."""
        channel, person, fields = _channel(request), _person(request), await _fields(request)
        about = await self._seen(request)
        if about.channel != channel.name:
            raise _nothing_here()
        if request.match_info["command"] not in ANSWERED_ALONE:
            _refuse_the_silent(request)
        place = _place(request, channel, about.thread)
        used = parse.shortcut_used(request.match_info["command"], fields, about=about, place=place, author=person)
        if form := await self.form_for(used):
            return self._form(form, place)
        await self.accept(used)
        return web.json_response({}, status=202)

    @allow("member")
    async def press(self, request: web.Request) -> web.Response:
        """Take the press of a button of one of our messages in; what it brings back is what the message holds.

        `words` of the answer is the id of what is told to whom pressed it alone.
        """
        channel, person, fields = _channel(request), _person(request), await _fields(request)
        message = await self._seen(request)
        button = request.match_info["button"]
        value = parse.value_of(button, message, asked=request.query.get("of", ""))
        if message.channel != channel.name or value is None:
            raise web.HTTPConflict(text="Somebody was first: this button is gone.")
        place = _place(request, channel, message.thread)
        pressed = parse.button_pressed(button, value, fields, message=message.id, place=place, author=person)
        if button in OPENS_FORM and (form := await self.form_for(pressed)):
            return self._form(form, place)
        await self.accept(pressed)
        return web.json_response({"words": _words_for(pressed)}, status=202)

    @allow("member")
    async def submit(self, request: web.Request) -> web.Response:
        """Take a form in; `words` of the answer is the id of what is told to its sender alone."""
        channel, person, fields, form = _channel(request), _person(request), await _fields(request), request.match_info["form"]
        # An author is told below what was taken out, and appeals there.
        thread = await self._open_thread(request, channel, fields.get("thread", ""), even_closed=form == "appeal")
        place = _place(request, channel, thread)
        submitted = parse.form_submitted(form, fields, place=place, author=person)
        await self.accept(submitted)
        return web.json_response({"words": _words_for(submitted)}, status=202)

    async def _page(self, request: web.Request, channel: Channel, root: StoredMessage | None) -> web.Response:
        since = self.live.since  # before anything is read, so that nothing falls in between
        viewer = _person(request)
        mine = [each for each in CHANNELS if each.open_to(viewer.role)]
        newest = {
            each.name: await self.messages.newest_seqs(_workspace(request), each.name, viewer=viewer.id, limit=UNREAD_COUNTED)
            for each in mine
        }
        shown, earlier = await self._messages_of(request, channel)
        return self.pages.page(
            request,
            "chat/page.html",
            since=since,
            topics=[topic_of(each.name) for each in mine],
            channels=mine,
            newest=newest,
            channel=channel,
            messages=shown,
            earlier=earlier,
            latest=not request.query.get("before"),
            root=root,
            panel=await self._panel(root, viewer) if root else "",
            writing=composer(viewer.role),
        )

    async def _messages_of(self, request: web.Request, channel: Channel) -> tuple[str, int | None]:
        """Return the messages of a channel, rendered, and the `seq` before which there are more."""
        workspace, viewer, before = _workspace(request), _person(request), request.query.get("before", "")
        found = await self.messages.newest(
            workspace,
            channel.name,
            viewer=viewer.id,
            before=int(before) if before.isdecimal() and len(before) < 16 else None,
            limit=AT_ONCE + 1,
        )
        shown = found[-AT_ONCE:]
        counts = await self.messages.count_replies(workspace, [each.id for each in shown], viewer=viewer.id)
        rendered = (await self._renderer(shown)).messages(shown, viewer=viewer, replies=counts)
        return rendered, shown[0].seq if len(found) > AT_ONCE else None

    async def _panel(self, root: StoredMessage, viewer: Person) -> str:
        replies = await self.messages.replies(CONSOLE.workspace, root.id, viewer=viewer.id)
        return (await self._renderer([root])).thread(root, replies, viewer=viewer)

    async def _renderer(self, messages: Sequence[StoredMessage]) -> Renderer:
        """Return what renders `messages`, and knows which cases among them have a picture, and which wishes have ended."""
        pictured = {each.id: message for each in messages if (message := message_pictured(each.answer))}
        held = await self.messages.pictures_taken_out(CONSOLE.workspace, pictured.values()) if pictured else {}
        queued = {each.id for message in messages if isinstance(message.answer, WishQueue) for each in message.answer.items}
        known = {id: await self.wishes.find(CONSOLE, id) for id in queued}
        ended = {id: wish.state if wish else None for id, wish in known.items() if wish is None or wish.state != "begun"}
        shown = frozenset(card for card, message in pictured.items() if message in held)
        return Renderer(self.pages, pictured=shown, ended=ended)

    async def _seen(self, request: web.Request) -> StoredMessage:
        """Return the message that the address names, as if there were none where this person may not see it."""
        message = await self.messages.find(_workspace(request), request.match_info["message"])
        if message is None or not _may_see(_person(request), message):
            raise _nothing_here()
        return message

    async def _open_thread(
        self, request: web.Request, channel: Channel, thread: str, *, even_closed: bool = False
    ) -> str | None:
        """Return the thread that a form names, if one may write there; `even_closed`: also where its first message is gone.

        Raises: `UserError` when not.
        """
        if not thread:
            return None
        root = await self.messages.find(_workspace(request), thread)
        fits = root and root.channel == channel.name and root.thread is None and _may_see(_person(request), root)
        if root is None or not fits or (root.state != "shown" and not even_closed):
            raise UserError("The message that this thread hangs on was taken out. Write in the channel.")
        return thread

    def _form(self, form: Form, place: Place) -> web.Response:
        return web.json_response({"form": Renderer(self.pages).form(form, channel=place.channel, thread=place.thread)})


def files_for(messages: ConsoleMessages) -> Callable[[Person, str], Awaitable[Sight | None]]:
    """Return what tells the previews what a person may see now: of a file, or, blurred, of a case by the id of its card."""

    async def sight_of(person: Person, id: str) -> Sight | None:
        message = await messages.with_file(CONSOLE.workspace, id)
        if message is not None:
            if message.state != "shown" or not _may_see(person, message):
                return None
            return next((Sight(sha256=sha256_of(each)) for each in message.files if each.id == id), None)
        card = await messages.find(CONSOLE.workspace, id)
        if card is None or card.state != "shown" or not person.role.reviews or not _may_see(person, card):
            return None
        held = message_pictured(card.answer)
        picture = (await messages.pictures_taken_out(CONSOLE.workspace, [held])).get(held) if held else None
        return Sight(sha256=sha256_of(picture), blurred=True) if picture else None

    return sight_of


def downloads_for(messages: ConsoleMessages) -> Callable[[Person, str], Awaitable[Attachment | None]]:
    """Return what tells the downloads which file of ours a person may have now: data, and what was made for a wish."""

    async def file_of(person: Person, id: str) -> Attachment | None:
        message = await messages.with_file(CONSOLE.workspace, id)
        if message is None or message.author is not None or message.state != "shown" or not _may_see(person, message):
            return None
        made = isinstance(message.answer, Made)
        return next((each for each in message.files if each.id == id and (made or is_download(each))), None)

    return file_of


def may_follow(who: SignedIn, topic: str) -> bool:
    """Whether somebody's pages may hear of a topic: of the channels that they may read, and of the desks that they may open."""
    if topic.startswith("desk:"):
        platform, _, workspace = topic.removeprefix("desk:").partition(":")
        return may_open_desk(who, Tenant(platform=platform, workspace=workspace))
    open_to = (each.name for each in CHANNELS if who.of_console and each.open_to(who.person.role))
    return topic in map(topic_of, open_to)


def _words_for(event: AnyEvent) -> str:
    """Return the id of the message that says what came of an event to its author alone."""
    return id_of(event.place.workspace, f"{event.key}#{WORDS}")


def _html(fragment: str) -> web.Response:
    return web.Response(text=fragment, content_type="text/html")


def _person(request: web.Request) -> Person:
    return request[SIGNED_IN].person


def _workspace(request: web.Request) -> str:
    return request[SIGNED_IN].workspace


def _channel(request: web.Request) -> Channel:
    channel = channel_for(request.match_info["channel"], _person(request).role)
    if channel is None:
        raise _nothing_here()
    return channel


def _place(request: web.Request, channel: Channel, thread: str | None) -> Place:
    return Place(platform=PLATFORM, workspace=_workspace(request), channel=channel.name, thread=thread)


def _may_see(person: Person, message: StoredMessage) -> bool:
    return message.visible_to(person.id) and channel_for(message.channel, person.role) is not None


def _refuse_the_silent(request: web.Request) -> None:
    """Raises: `UserError` while this person may say nothing that others see."""
    until = request[SIGNED_IN].silent_until
    if until is not None and until > now():
        raise UserError(f"You cannot write here until {until:%-d %b, %H:%M} UTC. You can still read, and report messages.")


def _nothing_here() -> web.HTTPException:
    return web.HTTPNotFound(text="There is nothing here, or not for you.")


async def _fields(request: web.Request) -> Mapping[str, str]:
    """Return the fields of a form without files. What a menu of several brings comes with spaces between it."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Send this as a form.")
    sent = await request.post()
    return {name: " ".join(value for value in sent.getall(name) if isinstance(value, str)) for name in sent}
