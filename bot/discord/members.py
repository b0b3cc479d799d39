"""Members of a server: who people are there, and how one is made to be silent or shut out."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import discord
import structlog

from bot.discord.client import DiscordClient
from bot.discord.messages import Gateway
from bot.discord.outcomes import FORBIDDEN, UNKNOWN_BAN, UNKNOWN_MEMBER, UNKNOWN_USER, Denied, answered
from bot.discord.parse import Json
from bot.discord.permissions import LABELS
from handlers.effects import Ban, Performed, Timeout
from handlers.events import Person, Role

KNOWN_S: Final = 300.0  # how long what was asked about a member is believed
KNOWN_MAX: Final = 10_000
CLOSE: Final = timedelta(seconds=1)  # Discord may keep fewer digits of a moment than we sent
GONE: Final = frozenset({UNKNOWN_MEMBER, UNKNOWN_USER})
DONE: Final = Performed(status="done")
GONE_ALREADY: Final = Performed(status="gone")

log = structlog.get_logger()


def role_of(permissions: discord.Permissions) -> Role:
    """Return what somebody with these permissions may do with us. A command's default permissions are only its default."""
    if permissions.administrator or permissions.manage_guild:
        return Role.ADMIN
    if permissions.manage_messages or permissions.moderate_members:
        return Role.MODERATOR
    return Role.MEMBER


def role_in_server(user: discord.User | discord.Member) -> Role:
    """Return what somebody may do with us by what their roles allow in the whole server; nothing where we are not in it.

    What a channel allows beyond that makes nobody a moderator: cases of all channels are decided, wherever one asks.
    """
    # Of a server that is not known there are no roles, and no owner.
    return role_of(user.guild_permissions) if isinstance(user, discord.Member) else Role.MEMBER


def in_server(person: Person, member: Json, guild: discord.Guild) -> Person:
    """Return a person with the roles that `member` has in a server, by their ids and names."""
    ids = tuple(str(each) for each in member.get("roles") or ())
    held = [role for each in ids if each.isdecimal() and (role := guild.get_role(int(each))) is not None]
    permissions = discord.Permissions(guild.default_role.permissions.value)
    for role in held:
        permissions.value |= role.permissions.value
    owns = str(guild.owner_id) == person.id
    names = tuple(role.name for role in held)
    return person.model_copy(update={"roles": (*ids, *names), "role": Role.ADMIN if owns else role_of(permissions)})


async def member_of(client: discord.Client, workspace: str, person: str) -> discord.Member | None:
    """Return a member of a server as they are now, or None where there is no such member or server, or we may not know.

    Raises: `Unavailable` when Discord does not answer.
    """
    guild = client.get_guild(int(workspace)) if workspace.isdecimal() else None
    if guild is None or not person.isdecimal():
        return None
    try:
        with answered():
            return await guild.fetch_member(int(person))
    except Denied:
        return None


async def role_in(client: discord.Client, workspace: str, person: str) -> Role:
    """Return what somebody may do in a server, wherever they are. Raises: `Unavailable` when Discord does not answer."""
    member = await member_of(client, workspace, person)
    return Role.MEMBER if member is None else role_in_server(member)


class Members:
    """Looks members up, for messages that do not say what their authors are: those read from a channel's history."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, str], tuple[float, Json]] = OrderedDict()

    async def find(self, client: DiscordClient, guild: discord.Guild, user: str) -> Json:
        """Return a member; without roles where there is none (any more). Raises: `Unavailable`."""
        at, member = self._known.get((guild.id, user), (0.0, {}))
        if at and monotonic() - at < KNOWN_S:
            return member
        try:
            with answered():
                member = dict(await client.http.get_member(guild.id, int(user)))
        except Denied as denied:
            if denied.code not in GONE:
                log.warning("discord.member_unknown", code=denied.code)
            member = {}
        self._known[guild.id, user] = monotonic(), {"roles": member.get("roles") or ()}
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return member


class Timeouts:
    """Makes members be silent, or lets them write again. All methods raise `Unavailable` when Discord does not answer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def look(self, effect: Timeout) -> Performed | None:
        """Return what became of a time-out, or None where its person may still write, or still may not."""
        try:
            with answered():
                member = await self._gateway.client.http.get_member(int(effect.place.workspace), int(effect.person))
        except Denied as denied:
            if denied.code not in GONE:
                raise
            return GONE_ALREADY
        since = member.get("communication_disabled_until")
        silent_until = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        if effect.until is None:
            return DONE if silent_until <= datetime.now(UTC) else None
        return DONE if silent_until >= effect.until - CLOSE else None

    async def act(self, effect: Timeout) -> Performed:
        """Have a person be silent; a longer time that a moderator chose stays. Raises: `Denied`, in words for moderators."""
        if effect.until is not None and effect.until <= datetime.now(UTC):
            return GONE_ALREADY  # to set a moment that is past would end a moderator's own
        if found := await self.look(effect):
            return found
        guild, until = int(effect.place.workspace), effect.until and effect.until.astimezone(UTC).isoformat()
        try:
            with answered():
                await self._gateway.client.http.edit_member(
                    guild, int(effect.person), reason=reason_of(effect), communication_disabled_until=until
                )
        except Denied as denied:
            if denied.code in GONE:
                return GONE_ALREADY
            raise why_not(
                self._gateway,
                effect,
                denied,
                needed="moderate_members",
                against="members without administration whose roles are all below Flashbulb's",
            ) from None
        return DONE


class Bans:
    """Shuts people out of a server, or lets them in again. All methods raise `Unavailable` when Discord does not answer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def look(self, effect: Ban) -> Performed | None:
        """Return what became of a ban or of its end, or None where it is still to do."""
        banned = True
        try:
            with answered():
                await self._gateway.client.http.get_ban(int(effect.person), int(effect.place.workspace))
        except Denied as denied:
            if denied.code == UNKNOWN_USER:
                return GONE_ALREADY
            if denied.code != UNKNOWN_BAN:
                raise
            banned = False
        return DONE if banned is not effect.lift else None

    async def act(self, effect: Ban) -> Performed:
        """Shut a person out, whose messages stay, or let them in again; what is so already is done.

        Raises: `Denied`, in words for moderators.
        """
        http, person, guild = self._gateway.client.http, int(effect.person), int(effect.place.workspace)
        try:
            with answered():
                if effect.lift:
                    await http.unban(person, guild, reason=reason_of(effect))
                else:
                    await http.ban(person, guild, delete_message_seconds=0, reason=reason_of(effect))
        except Denied as denied:
            if denied.code == UNKNOWN_USER:
                return GONE_ALREADY
            if denied.code != UNKNOWN_BAN:
                against = "people whose roles are all below Flashbulb's"
                raise why_not(self._gateway, effect, denied, needed="ban_members", against=against) from None
        return DONE


def reason_of(effect: Timeout | Ban) -> str:
    """Return what the server's audit log is told: the case alone, for what it is about is not everybody's to read."""
    return f"Flashbulb case {effect.case}"


def why_not(gateway: Gateway, effect: Timeout | Ban, denied: Denied, *, needed: str, against: str) -> Denied:
    """Return a refusal in words for moderators: the permission `needed` lacks, or it may be done `against` others only."""
    if denied.code not in FORBIDDEN:
        return denied
    guild = gateway.client.get_guild(int(effect.place.workspace))
    if guild is not None and not getattr(guild.me.guild_permissions, needed):
        return Denied(denied.code, f"Flashbulb lacks the permission {LABELS[needed]} in this server.")
    return Denied(denied.code, f"Discord allows it only against {against}.")
