"""All that the emulated Discord knows, and the small community that it starts with."""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.discord.clock import Clock
from emulators.discord.files import FILE_BYTES_BY_TIER, Files
from emulators.discord.permissions import BITS, GROUP, bits

Json = dict[str, Any]

APPLICATION = "1000000000000000001"
GUILD = "1000000000000000100"
BOT_ROLE, MODERATOR_ROLE, ADMIN_ROLE = "1000000000000000101", "1000000000000000102", "1000000000000000103"
GENERAL, PICS, MODERATORS = "1000000000000000201", "1000000000000000202", "1000000000000000203"
OLGA, MO, ANN, BOB = "1000000000000000301", "1000000000000000302", "1000000000000000303", "1000000000000000304"
OTHER_BOT = "1000000000000000305"

TOKEN = "emulated.discord.token"
INVITED_WITH = 1425929268420  # the permissions of the bot's invite link, and Embed Links
EVERYONE = bits(
    (
        "view_channel",
        "send_messages",
        "send_messages_in_threads",
        "read_message_history",
        "add_reactions",
        "attach_files",
        "embed_links",
        "create_public_threads",
        "change_nickname",
        "use_application_commands",
    )
)
CONTENT_FLAG, MEMBERS_FLAG, PRESENCE_FLAG = 1 << 19, 1 << 15, 1 << 13  # "limited", as for apps in few servers
VOICES = (2, 13)  # channels beside which one writes, and opens no thread
JOINED = "2026-01-01T00:00:00.000000+00:00"


class World:
    """Users, one guild with its channels and members, what was posted, and what the application registered.

    Messages are kept as REST shows them, save that names with an underscore are the emulator's own and files have no
    address yet (`shapes` gives both their final form). `emit` hands an event to the gateway.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.files = Files(self.clock)
        self.emit: Callable[..., None] = lambda *_, **__: None
        self.changed: Callable[[], None] = lambda: None
        self.application: Json = {
            "id": APPLICATION,
            "name": "Flashbulb",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0",
            "flags": CONTENT_FLAG | MEMBERS_FLAG | PRESENCE_FLAG,
            "interactions_endpoint_url": None,
        }
        self.users: dict[str, Json] = {}
        self.members: dict[str, Json] = {}
        self.roles: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}  # also threads and direct messages
        self.messages: dict[str, dict[str, Json]] = {}  # by channel, then by id, oldest first
        self.hidden: dict[str, Json] = {}  # ephemeral messages by id
        self.bans: dict[str, str | None] = {}  # user -> reason
        self.audit: list[Json] = []  # oldest first
        self.commands: dict[str | None, list[Json]] = {}  # by guild, None is everywhere
        self.closed_dms: set[str] = set()  # users who take no direct messages
        self.webhooks: dict[str, Json] = {}  # by channel: the author that posts there
        self.nonces: dict[tuple[str, str], tuple[int, str, str]] = {}  # (author, nonce) -> when, channel, message
        self.guild: Json = {"id": GUILD, "name": "Darkroom", "owner_id": OLGA, "premium_tier": 0}
        self._settle()

    def _settle(self) -> None:
        self.add_role(GUILD, "@everyone", EVERYONE, 0)
        self.add_role(MODERATOR_ROLE, "moderators", bits(("manage_messages", "moderate_members")), 1)
        self.add_role(BOT_ROLE, "Flashbulb", INVITED_WITH, 2)
        self.add_role(ADMIN_ROLE, "admins", BITS["administrator"], 3)
        self.add_user(APPLICATION, "flashbulb", roles=(BOT_ROLE,), bot=True)
        self.add_user(OLGA, "olga", roles=(ADMIN_ROLE,))
        self.add_user(MO, "mo", roles=(MODERATOR_ROLE,))
        self.add_user(ANN, "ann")
        self.add_user(BOB, "bob")
        self.add_user(OTHER_BOT, "otherbot", bot=True)
        self.application["owner"] = self.users[OLGA]
        self.add_channel(GENERAL, "general")
        self.add_channel(PICS, "pics")
        view = str(BITS["view_channel"])
        self.add_channel(MODERATORS, "moderators")["permission_overwrites"] = [
            {"id": GUILD, "type": 0, "allow": "0", "deny": view},
            {"id": MODERATOR_ROLE, "type": 0, "allow": view, "deny": "0"},
            {"id": APPLICATION, "type": 1, "allow": view, "deny": "0"},
        ]

    def add_role(self, role: str, name: str, permissions: int, position: int) -> None:
        self.roles[role] = {
            "id": role,
            "name": name,
            "permissions": str(permissions),
            "position": position,
            "color": 0,
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    def add_user(self, user: str, name: str, *, roles: tuple[str, ...] = (), bot: bool = False) -> Json:
        """Make a user who is a member."""
        self.users[user] = {"id": user, "username": name, "global_name": None, "discriminator": "0", "avatar": None}
        if bot:
            self.users[user]["bot"] = True
        self.members[user] = {"roles": list(roles), "flags": 0, "joined_at": JOINED}
        return self.users[user]

    def add_channel(self, channel: str, name: str, kind: int = 0, *, nsfw: bool = False) -> Json:
        self.channels[channel] = {
            "id": channel,
            "type": kind,
            "guild_id": GUILD,
            "name": name,
            "position": len(self.channels),
            "permission_overwrites": [],
            "nsfw": nsfw,
            "parent_id": None,
            "topic": None,
            "last_message_id": None,
        }
        if kind in VOICES:
            self.channels[channel] |= {"bitrate": 64_000, "user_limit": 0}
        self.messages[channel] = {}
        return self.channels[channel]

    def group(self, users: Sequence[str]) -> Json:
        """Open a conversation of users, without the bot."""
        channel: Json = {"id": self.clock.new_id(), "type": GROUP, "recipients": [self.users[each] for each in users]}
        channel |= {"owner_id": users[0], "name": None, "icon": None, "last_message_id": None}
        self.messages[channel["id"]] = {}
        self.channels[channel["id"]] = channel
        return channel

    def direct(self, user: str) -> Json:
        """Return the direct channel between the bot and a user, opening it where there was none."""
        for channel in self.channels.values():
            if channel["type"] == 1 and channel["recipients"][0]["id"] == user:
                return channel
        channel = {"id": self.clock.new_id(), "type": 1, "recipients": [self.users[user]], "last_message_id": None}
        self.messages[channel["id"]] = {}
        self.channels[channel["id"]] = channel
        return channel

    def dm_parties(self, channel: Json) -> tuple[str, str]:
        return APPLICATION, channel["recipients"][0]["id"]

    def find(self, message: str) -> Json | None:
        """Return a message wherever it is, also an ephemeral one."""
        if message in self.hidden:
            return self.hidden[message]
        return next((each[message] for each in self.messages.values() if message in each), None)

    @property
    def file_limit_bytes(self) -> int:
        return FILE_BYTES_BY_TIER[self.guild["premium_tier"]]
