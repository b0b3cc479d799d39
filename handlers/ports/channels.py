"""What the handlers need of platforms and their channels."""

from dataclasses import dataclass
from typing import Literal, Protocol

from handlers.effects import Performed, PlatformEffect
from handlers.events import Frozen, MessagePosted, Person, Place, Role, Tenant
from pipelines.content import Content, Intake, Part
from pipelines.moderation.policy import Action, Channel, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that stands in a channel, as its platform shows it now."""

    place: Place
    message: str
    author: Person
    content: Content


class Setup(Frozen):
    """What a workspace's admins chose. `watched`: ids of channels; empty means every channel that the bot is in.

    `log_channel`: where cases are shown; what is written there is not judged. `mode` None: nobody has chosen one yet.
    `while_away`: what moderators chose for messages that no model judges because none answers; it ends when one does.
    """

    watched: tuple[str, ...] = ()
    log_channel: str | None = None
    mode: Mode | None = None
    while_away: Literal["hold", "flag"] | None = None

    def watches(self, channel: str) -> bool:
        return channel != self.log_channel and (not self.watched or channel in self.watched)


class Connection(Protocol):
    """One platform: how effects become visible, and how its messages are read.

    Effects are performed look, act, confirm: after a crash the engine calls `look` with an effect that may have been carried
    out already, and `act` only when nothing is found. Both raise `Unavailable` when the platform does not answer.
    """

    @property
    def platform(self) -> str: ...

    @property
    def emulated(self) -> bool:
        """Whether no real community is behind it (the console, an emulator on loopback)."""
        ...

    @property
    def supports(self) -> frozenset[Action]: ...

    @property
    def chooses_channels(self) -> bool:
        """Whether its workspaces choose what is watched and where cases are shown. The console has channels of its own."""
        ...

    @property
    def threads_are_channels(self) -> bool:
        """Whether a thread is a channel of its own, with its own id and readers, in which its messages stand."""
        ...

    async def ready(self) -> None:
        """Return once effects can be performed."""
        ...

    async def look(self, effect: PlatformEffect) -> Performed | None: ...

    async def act(self, effect: PlatformEffect) -> Performed: ...

    async def message(self, place: Place, message: str) -> Posted | None:
        """Return one message of `place`'s channel, or None when it is gone."""
        ...

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None:
        """Return the newest message with a file in `place` (its thread with the message it hangs on, else its channel).

        `pictures`: with a file that says it is a picture, or does not say what it is.
        """
        ...

    async def channel(self, place: Place) -> Channel:
        """Return what a policy may know of `place`'s channel; without a request where the platform has told us."""
        ...

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None:
        """Return the message that a link of this platform to a message leads to, None where it is no such link.

        Raises: `UserError` when it is gone, of another workspace, or in a channel that `person` may not read.
        """
        ...

    def upload_limit(self, place: Place) -> int:
        """Return how many bytes a file of ours in `place` may have."""
        ...

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        """Return what the sealed copy of a removed message holds, or None where none is kept.

        Its attachments' addresses are fetched from the copy.
        """
        ...

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]:
        """Return those of `channels` (ids, also of threads) that `person` may read now. What cannot be told is left out."""
        ...

    async def role(self, tenant: Tenant, person: str) -> Role:
        """Return what somebody may do now in a workspace, wherever they are. Whoever is not known is a member.

        Raises: `Unavailable` when the platform does not answer.
        """
        ...


class Channels(Protocol):
    """All platforms' messages, by the platform that a place names."""

    def emulated(self, tenant: Tenant) -> bool: ...

    def supports(self, tenant: Tenant) -> frozenset[Action]: ...

    def chooses_channels(self, tenant: Tenant) -> bool: ...

    def threads_are_channels(self, tenant: Tenant) -> bool: ...

    async def message(self, place: Place, message: str) -> Posted | None: ...

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None: ...

    async def channel(self, place: Place) -> Channel: ...

    async def linked(self, tenant: Tenant, address: str, person: str) -> Posted | None: ...

    def upload_limit(self, place: Place) -> int: ...

    async def taken_out(self, place: Place, message: str) -> Posted | None: ...

    async def readable(self, tenant: Tenant, person: str, channels: frozenset[str]) -> frozenset[str]: ...

    async def role(self, tenant: Tenant, person: str) -> Role: ...


class Earlier(Protocol):
    """What an author wrote in the last seconds, kept in memory alone."""

    def before(self, event: MessagePosted) -> tuple[Part, ...]:
        """Return the parts of what the author of `event` wrote in this channel shortly before it, the oldest first."""
        ...

    def note(self, event: MessagePosted, intake: Intake) -> None:
        """Remember the parts of a message for those that follow it."""
        ...

    def forget(self, event: MessagePosted) -> None:
        """Forget a message about which something is done."""
        ...


class Setups(Protocol):
    """How each workspace is set up."""

    async def of(self, tenant: Tenant) -> Setup:
        """Return the set-up of a workspace; before anybody chose, one that watches everything."""
        ...

    async def save(self, tenant: Tenant, setup: Setup) -> None: ...
