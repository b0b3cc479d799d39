"""All platforms behind the handlers' ports: each place and file is answered for by its own platform."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import structlog

from bot.metrics import Metrics
from bot.storage.copies import Copies
from bot.storage.marks import Marks
from handlers.effects import Edit, Enclosure, Notify, Post
from handlers.events import AnyEvent, ButtonPressed, CommandUsed, Place, Role, Tenant
from handlers.forms import Form
from handlers.ports.channels import Connection, Posted, Setups
from pipelines.content import Attachment
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.moderation.policy import Action, Channel
from pipelines.ports import Files, Media

log = structlog.get_logger()

# How a file is seen where the platform can show it: as a picture, a clip or a player; else it is there to be opened.
ShownAs = Literal["picture", "video", "sound", "file"]
PICTURES: Final = frozenset({"marked_page", "thumbnail", "made_picture", "usage_chart"})  # among the kinds of enclosures
PLAYED: Final[dict[str, ShownAs]] = {"made_video": "video", "made_sound": "sound"}
MADE: Final = frozenset({"made_picture", "made_video", "made_sound"})  # what was paid for, and the words are about
ENCLOSING_S: Final = 20.0  # for each file; then the words go without it, or later together with what was paid for

# Makes an event durable. Only then acknowledge it. Raises `Unavailable` when that is not possible now.
Accept = Callable[[AnyEvent], Awaitable[object]]
# Says which form opens in place of a command or a press.
FormFor = Callable[[CommandUsed | ButtonPressed], Awaitable[Form | None]]


class FileHost(Files, Protocol):
    """Fetches the files that lie at its own addresses."""

    def has(self, url: str) -> bool: ...


@dataclass(slots=True)
class HostedFiles:
    """Files by their address; implements `pipelines.ports.Files`. Each platform adds its own host when it is opened."""

    hosts: list[FileHost] = field(default_factory=list)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        """Return the file's bytes from its host.

        Raises: `UserError` when no host is known for its address, and what the host raises.
        """
        for host in self.hosts:
            if host.has(attachment.url):
                return await host.fetch(attachment, limit_bytes=limit_bytes)
        raise UserError("This file lies where Flashbulb does not fetch from.")


class Enclosures(Protocol):
    """Makes the files that go with our words, at the moment when they are sent."""

    async def opened(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        """Return an enclosure's bytes.

        Raises: `FlashbulbError` when it cannot be made (any more): `UserError` for good, `Unavailable` for now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A file that goes with our words, made. `key` is the same whenever it is made for the same effect.

    `spoiler`: it is covered until somebody wants to see it, where the platform can do that.
    """

    key: str
    name: str
    data: bytes = field(repr=False)
    alt_text: str
    shown: ShownAs
    spoiler: bool = False

    @property
    def is_picture(self) -> bool:
        return self.shown == "picture"


async def enclosed(enclosures: Enclosures, effect: Post | Edit | Notify) -> tuple[Enclosed, ...]:
    """Make the files of an effect. One that cannot be made is left out: what is said does not depend on it.

    Raises: `Unavailable` where what a wish was for cannot be read now. So this comes before all else that an effect does.
    """
    made = []
    for at, file in enumerate(effect.files):
        try:
            data = await _opened(enclosures, effect.place.tenant, file)
        except FlashbulbError as error:
            if isinstance(error, Unavailable) and file.kind in MADE:
                raise
            log.warning("enclosure.left_out", effect=effect.key, kind=file.kind, error=type(error).__name__)
            continue
        shown: ShownAs = "picture" if file.kind in PICTURES else PLAYED.get(file.kind, "file")
        key = f"{effect.key}#{at}"
        made.append(Enclosed(key=key, name=file.name, data=data, alt_text=file.alt_text, shown=shown, spoiler=file.spoiler))
    return tuple(made)


async def _opened(enclosures: Enclosures, tenant: Tenant, file: Enclosure) -> bytes:
    try:
        async with asyncio.timeout(ENCLOSING_S):
            return await enclosures.opened(tenant, file)
    except TimeoutError as error:
        raise Unavailable("What a file is made of", "does not come") from error


def small_enough(
    files: Sequence[Enclosed], *, each_bytes: int, all_bytes: int | None = None
) -> tuple[tuple[Enclosed, ...], str]:
    """Return the files that a platform takes, and a sentence about those that it does not; it is empty when it takes all.

    `each_bytes`: how large a file may be; `all_bytes`: all files of one message together.
    """
    kept: list[Enclosed] = []
    left = 0 if all_bytes is None else all_bytes
    for file in files:
        if len(file.data) > each_bytes or (all_bytes is not None and len(file.data) > left):
            log.warning("enclosure.too_large", file=file.key, size_bytes=len(file.data), limit_bytes=each_bytes)
            continue
        left -= len(file.data)
        kept.append(file)
    missing = len(files) - len(kept)
    if not missing:
        return tuple(kept), ""
    what = "One file is" if missing == 1 else f"{missing} files are"
    together = "" if all_bytes is None else f", {_megabytes(all_bytes)} together"
    return tuple(kept), f"{what} not shown: a file may have {_megabytes(each_bytes)} here{together}."


def _megabytes(size: int) -> str:
    return f"{size / 1_048_576:.3g} MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a platform's connection is given of the rest of the bot.

    `form_for` says which form opens in place of a command or a press; `files` is where it adds its file host.
    """

    accept: Accept
    form_for: FormFor
    setups: Setups
    marks: Marks
    copies: Copies
    enclosures: Enclosures
    files: HostedFiles
    media: Media
    metrics: Metrics


# Opens one platform. Its connection is there before the engine starts, so that recovered work finds it, but need not be ready
# by then.
OpenConnection = Callable[[Given], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Connected:
    """The open connections by platform; implements `handlers.ports.channels.Channels`."""

    connections: Mapping[str, Connection]

    def emulated(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).emulated

    def supports(self, tenant: Tenant) -> frozenset[Action]:
        return self._of(tenant.platform).supports

    def chooses_channels(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).chooses_channels

    def threads_are_channels(self, tenant: Tenant) -> bool:
        return self._of(tenant.platform).threads_are_channels

    async def message(self, place: Place, message: str) -> Posted | None:
        return await self._of(place.platform).message(place, message)

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        return await self._of(place.platform).latest_with_files(place, pictures=pictures)

    async def channel(self, place: Place) -> Channel:
        return await self._of(place.platform).channel(place)

    def upload_limit(self, place: Place) -> int:
        return self._of(place.platform).upload_limit(place)

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        return await self._of(tenant.platform).linked(tenant, address, person)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return await self._of(place.platform).taken_out(place, message)

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        return await self._of(tenant.platform).readable(tenant, person, channels)

    async def role(self, tenant: Tenant, person: str) -> Role:
        return await self._of(tenant.platform).role(tenant, person)

    def _of(self, platform: str) -> Connection:
        """Return a platform's connection.

        Raises: `Unavailable` when it was configured once and is no longer.
        """
        if platform not in self.connections:
            raise Unavailable(platform, "is not connected")
        return self.connections[platform]
