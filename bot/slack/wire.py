"""Slack's wire format: what is read of a payload, and its texts as people see them.

The models ignore the rest. What does not fit them raises pydantic's `ValidationError`: such a payload is skipped, save for a
message (`read_message`).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipelines.content import Attachment

ID: Final = r"^[A-Z][A-Z0-9]{1,30}$"
Id = Annotated[str, Field(pattern=ID)]
# When something happened, in seconds with six decimals: the id of a message in its channel.
Ts = Annotated[str, Field(pattern=r"^[0-9]{1,11}\.[0-9]{1,6}$")]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,120}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
Json = Mapping[str, Any]

# Of messages with these something is said by a member or another bot; others tell of joins, topics and the like.
# Source: https://docs.slack.dev/reference/events/message
SPOKEN: Final = frozenset({None, "file_share", "thread_broadcast", "bot_message", "me_message"})
TOMBSTONE: Final = "tombstone"  # the mode of a file that was deleted, and the subtype of such a message
# Files of which there are no bytes for us: deleted, hidden by the workspace's plan.
WITHOUT_BYTES: Final = frozenset({TOMBSTONE, "hidden_by_limit"})
STUB: Final = "check_file_info"  # what `file_access` says of a file in Slack Connect that has to be looked up first
LINKED: Final = "slack-link:"  # before the address of a picture that lies elsewhere, which an app shows in a message
PICTURE: Final = "picture"  # the name of one that has none
# Source: https://docs.slack.dev/reference/objects/file-object (url_private, url_private_download)
FILE_HOST: Final = "slack.com"
# Where Slack itself keeps pictures. Those of a link's preview are looked at only there: from elsewhere they could be others for
# us than for the people in the channel, and whoever posts a link would learn where Flashbulb runs.
SLACKS_HOSTS: Final = (FILE_HOST, "slack-edge.com", "slack-imgs.com")
UNKNOWN_FILE: Final = "slack-file:"  # the address of a file of which Slack does not tell us one
UNREAD: Final = "slack-unread:"  # the address of what stands in a message and does not fit these models
ELSEWHERE: Final = "slack-elsewhere:"  # the address of a file that a message holds and that does not lie at Slack
SNIPPET: Final = "snippet"  # the mode of a text that people may change in Slack, and that is a file all the same
WRITTEN: Final = "application/vnd.slack-"  # begins the types of canvases and lists
PAGE: Final = "text/html"  # as which these are fetched
UNTYPED: Final = "application/octet-stream"
# Under these names blocks hold what people read, and where it leads.
SAID: Final = ("text", "alt_text", "url")


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WireFile(Wire):
    """A file as a message shows it. Source: https://docs.slack.dev/reference/objects/file-object"""

    id: Id
    user: str | None = None
    mode: str | None = None
    file_access: str | None = None
    is_external: bool | None = None
    editable: bool | None = None
    name: str | None = None
    title: str | None = None
    alt_txt: str | None = None
    mimetype: str | None = None
    size: int | None = Field(default=None, ge=0)
    url_private: str | None = None
    url_private_download: str | None = None
    permalink: str | None = None
    # What Slack shows of it. Whatever shape these have, the message is judged.
    thumb_1024: Any = None
    thumb_720: Any = None
    thumb_360: Any = None

    @property
    def is_stub(self) -> bool:
        return self.file_access == STUB

    @property
    def is_written(self) -> bool:
        """Whether it is something that people write in Slack itself: a canvas, a list, a post."""
        return (bool(self.editable) and self.mode != SNIPPET) or (self.mimetype or "").startswith(WRITTEN)

    @property
    def thumb(self) -> str | None:
        """Return the address of the largest picture of it that Slack shows."""
        return next((each for each in (self.thumb_1024, self.thumb_720, self.thumb_360) if isinstance(each, str)), None)

    @property
    def is_unread(self) -> bool:
        """Whether it stands for what could not be read."""
        return self.url_private == UNREAD

    @property
    def is_at_slack(self) -> bool:
        """Whether Slack itself keeps it."""
        url = self.url_private
        return url is None or _is_at(url.removeprefix(LINKED), *SLACKS_HOSTS)

    def is_linked_in(self, text: str) -> bool:
        """Whether a text has the link to what lies elsewhere: then Slack may have made a file of it by itself."""
        address = (self.url_private or "").partition("?")[0]
        return bool(address) and address in text

    @property
    def state(self) -> str:
        """Return what Slack shows of what it holds. Of one that can be written in, the same state may hold other words."""
        shown = (self.name, self.title, self.alt_txt, self.mimetype, self.size, self.url_private, self.url_private_download)
        return hashlib.sha256(repr(shown).encode(errors="surrogatepass")).hexdigest()

    @property
    def attachment(self) -> Attachment:
        """Return what can be fetched of it: of what lies elsewhere only the picture that Slack shows."""
        if self.is_external and self.thumb:
            return Attachment(id=self.id, url=self.thumb, name=PICTURE, media_type=UNTYPED, size_bytes=0)
        kept = ELSEWHERE if self.is_external else self.url_private_download or self.url_private
        return Attachment(
            id=self.id,
            url=kept or f"{UNKNOWN_FILE}{self.id}",
            name=self.name or self.title or "",
            media_type=PAGE if self.is_written else self.mimetype or UNTYPED,
            size_bytes=self.size or 0,
        )


class WireShare(Wire):
    """What is attached to a message: another message that it passes on, what an app wrote, or the preview of a link.

    Source: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
    """

    is_share: bool | None = None
    text: str | None = None
    fallback: str | None = None
    files: tuple[WireFile, ...] | None = None
    # What stands around its text. Whatever shape it has, the message is judged.
    pretext: Any = Field(default=None, repr=False)
    author_name: Any = Field(default=None, repr=False)
    title: Any = Field(default=None, repr=False)
    title_link: Any = Field(default=None, repr=False)
    fields: Any = Field(default=None, repr=False)
    footer: Any = Field(default=None, repr=False)
    blocks: Any = Field(default=None, repr=False)
    message_blocks: Any = Field(default=None, repr=False)  # those of the message that is passed on
    image_url: Any = Field(default=None, repr=False)
    thumb_url: Any = Field(default=None, repr=False)

    @property
    def said(self) -> Iterator[str]:
        """Yield what it shows. Of a message that is passed on, Slack itself says who wrote it and where."""
        head = (self.pretext, None if self.is_share else self.author_name, self.title, self.title_link)
        around = (*head, self.text or self.fallback, None if self.is_share else self.footer)
        yield from (each for each in around if isinstance(each, str))
        yield from _texts([self.fields, self.blocks, self.message_blocks], names=("title", "value", *SAID))

    @property
    def pictures(self) -> Iterator[WireFile]:
        """Yield the pictures that it shows beside its files."""
        yield from (_linked(each) for each in (self.image_url, self.thumb_url) if isinstance(each, str))
        yield from _pictures([self.blocks, self.message_blocks])


class WireEdit(Wire):
    ts: Ts


class WireBot(Wire):
    name: str | None = None


class WireMessage(Wire):
    """A message as events, history and menu entries show it."""

    ts: Ts
    thread_ts: Ts | None = None
    subtype: str | None = None
    user: Id | None = None
    bot_id: Id | None = None
    username: str | None = None
    bot_profile: WireBot | None = None
    text: str | None = None
    edited: WireEdit | None = None
    files: tuple[WireFile, ...] | None = None
    attachments: tuple[WireShare, ...] | None = None
    blocks: tuple[Any, ...] | None = Field(default=None, repr=False)
    latest_reply: Ts | None = None

    @property
    def spoken(self) -> bool:
        """Whether somebody said something with it that can be judged."""
        return (self.subtype in SPOKEN or bool(self.files)) and bool(self.user or self.bot_id or self.unread)

    @property
    def unread(self) -> bool:
        """Whether more stands in it than could be read."""
        return any(file.is_unread for file in self.files or ())

    @property
    def thread(self) -> str | None:
        """Return the message whose thread this stands in; the first message of a thread stands in the channel."""
        return self.thread_ts if self.thread_ts != self.ts else None

    @property
    def all_files(self) -> tuple[WireFile, ...]:
        """Return every file that is to be looked at, also those of messages that are passed on.

        What lies outside Slack is one of them where the message holds it. Where there is only a link to it, what Slack shows of
        it is.
        """
        held = [*_held(self.files or (), self.text or "")]
        for share in self.attachments or ():
            held += _held(share.files or (), "\n".join(share.said) if share.is_share else None)
        every = {file.id: file for file in (*held, *self._shown_pictures)}
        return tuple(file for file in every.values() if file.mode not in WITHOUT_BYTES)

    @property
    def words(self) -> str:
        """Return what is to be read, as plain text: the text, what is passed on, previews, and what a bot put elsewhere.

        Where there are blocks they are shown in place of the text, and an app may write something else into them.
        """
        said = plain(self.text or "")
        shares = [text for share in self.attachments or () for text in share.said]
        elsewhere = [file.title or file.name or "" for file in self.files or () if file.is_external]
        shown = dict.fromkeys(map(plain, (*_texts(self.blocks or ()), *shares, *elsewhere)))
        return "\n".join(text for text in (said, *(each for each in shown if each.strip() not in said)) if text)

    @property
    def _shown_pictures(self) -> Iterator[WireFile]:
        """Yield the pictures that are shown without being files: those of apps, from anywhere, and of previews, from Slack."""
        yield from _pictures(self.blocks or ())
        for share in self.attachments or ():
            anywhere = bool(share.is_share or self.bot_id)
            yield from (picture for picture in share.pictures if anywhere or picture.is_at_slack)

    @property
    def deleted_files(self) -> frozenset[str]:
        """Return the ids of files that were deleted while the message stands, also in what it passes on."""
        shared = (file for share in self.attachments or () for file in share.files or ())
        return frozenset(file.id for file in (*(self.files or ()), *shared) if file.mode == TOMBSTONE)

    @property
    def is_emptied(self) -> bool:
        """Whether its files were deleted and nothing is left of it but that somebody wrote it."""
        stands = any(file.mode != TOMBSTONE for file in self.files or ())
        return bool(self.deleted_files) and not (stands or self.all_files or self.words)

    def written_by(self, user: str, bot: str) -> bool:
        return self.user == user or (bool(bot) and self.bot_id == bot)

    @property
    def digest(self) -> str:
        """Return what tells this content from another one of the same message."""
        shown = "\n".join((self.words, *sorted(file.id for file in self.all_files)))
        return hashlib.sha256(shown.encode(errors="surrogatepass")).hexdigest()[:8]

    def same_content(self, other: "WireMessage") -> bool:
        """Whether both say the same and show the same files: pins, reactions and counts of replies do not matter."""
        files = ({file.id for file in each.all_files} for each in (self, other))
        return not self.unread and self.words == other.words and next(files) == next(files)


def read_message(raw: Json) -> WireMessage:
    """Return a message. What does not fit is left out, and a file that nobody can fetch stands in its place.

    So it counts as not judged in full, which is what the policy decides about; skipped, it would stand there unseen.

    Raises: `ValidationError` when not even its id can be read.
    """
    try:
        return WireMessage.model_validate(raw)
    except ValidationError as error:
        strange = {each["loc"][0] for each in error.errors() if each["loc"]}
        message = WireMessage.model_validate({name: value for name, value in raw.items() if name not in strange})
        known = message.files or tuple(_fitting(raw.get("files")))
        return message.model_copy(update={"files": (*known, WireFile(id="UNREAD", url_private=UNREAD))})


def _read_any(raw: Any) -> WireMessage:
    return read_message(raw if isinstance(raw, Mapping) else {})


# A message that stands in another payload, which is not skipped for what does not fit.
AnyMessage = Annotated[WireMessage, BeforeValidator(_read_any)]


def _fitting(files: Any) -> Iterator[WireFile]:
    for file in _listed(files):
        with suppress(ValidationError):
            yield WireFile.model_validate(file)


class WireEvent(Wire):
    """The `event` of an envelope, as far as all kinds have it."""

    type: str
    tokens: Mapping[str, Sequence[Any] | None] | None = None


class WireJoin(Wire):
    """An event of the type `member_joined_channel`."""

    user: Id
    channel: Id
    event_ts: Ts


class WireFileChange(Wire):
    """An event of the type `file_change`: some property of a file is another one. It does not say which, nor where it is shown.

    Source: https://docs.slack.dev/reference/events/file_change
    """

    file_id: Id
    event_id: Token  # of its envelope


class WireFileDeletion(Wire):
    """An event of the type `file_deleted`. It does not say where the file was shown, and nobody can ask for that any more.

    Source: https://docs.slack.dev/reference/events/file_deleted
    """

    file_id: Id


class WirePlace(Wire):
    """One message that shows a file."""

    ts: Ts
    thread_ts: Ts | None = None
    share_user_id: Id | None = None


class WireShares(Wire):
    """The messages that show a file, by channel, as far as the bot may know of them."""

    public: Mapping[Id, tuple[WirePlace, ...]] = Field(default_factory=dict)
    private: Mapping[Id, tuple[WirePlace, ...]] = Field(default_factory=dict)

    @property
    def places(self) -> Iterator[tuple[str, WirePlace]]:
        for channel, places in (*self.public.items(), *self.private.items()):
            yield from ((channel, place) for place in places)


class WireSharedFile(WireFile):
    """A file as `files.info` shows it."""

    shares: WireShares = Field(default_factory=WireShares)


class WireMessageEvent(Wire):
    """An event of the type `message` or `app_mention`."""

    channel: Id
    # Whatever shape these have, the message is judged.
    channel_type: Any = None
    subtype: Any = None
    message: Any = Field(default=None, repr=False)
    previous_message: Any = Field(default=None, repr=False)


class WireDeletion(Wire):
    """What a message event with the subtype `message_deleted` says besides: who deleted the message it does not say.

    Source: https://docs.slack.dev/reference/events/message/message_deleted
    """

    deleted_ts: Ts


class WireAuthorization(Wire):
    team_id: str | None = None


class WireEnvelope(Wire):
    """What an event comes in. Source: https://docs.slack.dev/apis/events-api"""

    team_id: str | None = None
    authorizations: tuple[WireAuthorization, ...] | None = None
    event_id: Any = None
    event: Json = Field(repr=False)

    def is_for(self, team: str) -> bool:
        """Whether it is our workspace's: in channels that several share, the authorization says for whom it came."""
        if self.authorizations:
            return any(each.team_id in (team, None) for each in self.authorizations)
        return self.team_id in (team, None)


class WireWho(Wire):
    id: Id
    name: str | None = None
    username: str | None = None


class WireCommand(Wire):
    """A slash command. Source: https://docs.slack.dev/interactivity/implementing-slash-commands"""

    command: Annotated[str, Field(pattern=r"^/[a-z][a-z0-9_-]{0,31}$")]
    text: str = ""
    team_id: str | None = None
    channel_id: Id
    user_id: Id
    user_name: str | None = None
    trigger_id: Token
    response_url: str = Field(default="", max_length=1000, repr=False)


class WireShortcut(Wire):
    """An entry of a message's menu."""

    callback_id: Name
    trigger_id: Token
    user: WireWho
    channel: WireWho
    message: AnyMessage
    response_url: str = Field(default="", max_length=1000, repr=False)


class WireAction(Wire):
    type: str
    action_id: str = ""
    value: str | None = None


class WireContainer(Wire):
    message_ts: Ts | None = None
    thread_ts: Ts | None = None


class WireActions(Wire):
    """A pressed button, in a message or in a form."""

    trigger_id: Token
    user: WireWho
    channel: WireWho | None = None
    container: WireContainer
    actions: tuple[WireAction, ...]
    response_url: str = Field(default="", max_length=1000, repr=False)


class WireViewKey(Wire):
    id: Id
    hash: Token


class WireSubmission(Wire):
    """A form that came back; what is in it, `bot.slack.forms` reads."""

    user: WireWho
    view: WireViewKey


# Source: https://docs.slack.dev/messaging/formatting-message-text
_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def plain(text: str) -> str:
    """Return a message's text without Slack's own marks: references by name where Slack gives one, links in full."""
    bare = _REFERENCE.sub(_spelled, text)
    for entity, letter in _ENTITIES:
        bare = bare.replace(entity, letter)
    return bare


def _spelled(reference: re.Match[str]) -> str:
    kind, target, label = reference.group(1), reference.group(2), reference.group(3)
    if kind == "!":
        return label or f"@{target.partition('^')[0]}"
    if kind:
        return f"{kind}{label or target}"
    return f"{label} ({target})" if label and label not in target else target


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _pictures(blocks: Any) -> Iterator[WireFile]:
    """Yield the pictures of blocks, however deep they stand.

    Sources: https://docs.slack.dev/reference/block-kit/blocks/image-block and …/video-block
    """
    for item in _mappings(blocks):
        uploaded = item.get("slack_file")
        if isinstance(uploaded, Mapping) and re.fullmatch(ID, str(uploaded.get("id"))):
            yield WireFile(id=uploaded["id"], file_access=STUB)
        elif isinstance(uploaded, Mapping) and isinstance(uploaded.get("url"), str):
            yield WireFile(id=_id_of(uploaded["url"]), name=PICTURE, url_private=uploaded["url"])
        else:
            yield from (_linked(item[name]) for name in ("image_url", "thumbnail_url") if isinstance(item.get(name), str))


def _linked(url: str) -> WireFile:
    return WireFile(id=_id_of(url), name=PICTURE, url_private=url if _is_at(url, FILE_HOST) else f"{LINKED}{url}")


def _is_at(url: str, *hosts: str) -> bool:
    found = re.match(r"https://([a-z0-9.-]+)(?:[/?#]|$)", url, re.IGNORECASE)
    host = found[1].lower() if found else ""
    return any(host == each or host.endswith(f".{each}") for each in hosts)


def _id_of(url: str) -> str:
    return f"L{hashlib.sha256(url.encode(errors='surrogatepass')).hexdigest()[:16].upper()}"


def _held(files: Sequence[WireFile], said: str | None) -> Iterator[WireFile]:
    """Yield the files of a message that says `said` (of a link's preview: None) without what is only linked to."""
    for file in files:
        linked = said is None or file.is_linked_in(said)
        if not (file.is_external and linked) or file.thumb:
            yield file


def _texts(blocks: Any, *, names: Sequence[str] = SAID) -> Iterator[str]:
    """Yield every text under these names in blocks, however deep, in order."""
    for item in _mappings(blocks):
        yield from (item[name] for name in names if isinstance(item.get(name), str))


def _mappings(blocks: Any) -> Iterator[Json]:
    """Yield every mapping in blocks, however deep, in order; what points to an uploaded file belongs to what shows it."""
    left: list[Any] = [blocks]
    while left:
        item = left.pop()
        if isinstance(item, Mapping):
            yield item
            left.extend(reversed([value for name, value in item.items() if name != "slack_file"]))
        elif isinstance(item, list | tuple):
            left.extend(reversed(item))
