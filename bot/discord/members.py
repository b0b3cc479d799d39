"""Members of a server: who the authors of messages are there, and how one is made to be silent."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import discord
import structlog

from bot.discord.client import DiscordClient
from bot.discord.messages import Gateway
from bot.discord.outcomes import FORBIDDEN, UNKNOWN_MEMBER, UNKNOWN_USER, Denied, answered
from bot.discord.parse import Json
from bot.discord.permissions import LABELS
from handlers.effects import Performed, Timeout
from handlers.events import Person, Role

KNOWN_S: Final = 300.0  # how long what was asked about a member is believed
KNOWN_MAX: Final = 10_000
CLOSE: Final = timedelta(seconds=1)  # Discord may keep fewer digits of a moment than we sent
GONE: Final = frozenset({UNKNOWN_MEMBER, UNKNOWN_USER})

log = structlog.get_logger()


def role_of(permissions: discord.Permissions) -> Role:
    """Return what somebody with these permissions may do with us. A command's default permissions are only its default."""
    if permissions.administrator or permissions.manage_guild:
        return Role.ADMIN
    if permissions.manage_messages or permissions.moderate_members:
        return Role.MODERATOR
    return Role.MEMBER


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
    """Makes members be silent. All methods raise `Unavailable` when Discord does not answer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def look(self, effect: Timeout) -> Performed | None:
        """Return what became of a time-out, or None where its person may still write."""
        try:
            with answered():
                member = await self._gateway.client.http.get_member(int(effect.place.workspace), int(effect.person))
        except Denied as denied:
            if denied.code not in GONE:
                raise
            return Performed(status="gone")
        until = member.get("communication_disabled_until")
        return Performed(status="done") if until and datetime.fromisoformat(until) >= effect.until - CLOSE else None

    async def act(self, effect: Timeout) -> Performed:
        """Have a person be silent; a longer time that a moderator chose stays. Raises: `Denied`, in words for moderators."""
        if effect.until <= datetime.now(UTC):
            return Performed(status="gone")  # to set a moment that is past would end a moderator's own
        if found := await self.look(effect):
            return found
        guild, until = int(effect.place.workspace), effect.until.astimezone(UTC).isoformat()
        reason = f"Flashbulb case {effect.case}"
        try:
            with answered():
                await self._gateway.client.http.edit_member(
                    guild, int(effect.person), reason=reason, communication_disabled_until=until
                )
        except Denied as denied:
            if denied.code in GONE:
                return Performed(status="gone")
            raise Denied(denied.code, self._why(guild, denied)) from None
        return Performed(status="done")

    def _why(self, workspace: int, denied: Denied) -> str:
        if denied.code not in FORBIDDEN:
            return str(denied)
        guild = self._gateway.client.get_guild(workspace)
        if guild is not None and not guild.me.guild_permissions.moderate_members:
            return f"Flashbulb lacks the permission {LABELS['moderate_members']} in this server."
        return "Discord allows it only against members without administration whose roles are all below Flashbulb's."
