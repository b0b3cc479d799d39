"""What people do in the workspace: the verbs that tests, benches and the control API drive it with."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulators.slack.chat_methods import status_shown
from emulators.slack.events import Events
from emulators.slack.files import File
from emulators.slack.journal import Journal
from emulators.slack.parts import Parts
from emulators.slack.state import (
    ADMIN_TOKEN,
    BOT,
    BOT_TOKEN,
    TEAM,
    TEAM_DOMAIN,
    ApiError,
    Channel,
    Json,
    Kind,
    Token,
    User,
    Workspace,
    message_in,
)

Given = tuple[str, bytes] | dict[str, str]


class Members:
    """Act as a member. Channels, users and messages are ids; a message's id is its `ts`.

    Interactions return at once with their trigger's id; what the app answers is found in `private`, `messages` or `form`.
    Raises: `ApiError` or `ValueError` for what a person could not do either.
    """

    team, team_domain, bot = TEAM, TEAM_DOMAIN, BOT
    general, pics, moderators = "CGENERAL", "CPICS", "GMODS"
    olga, ann, bob, mo = "UADMIN", "UANN", "UBOB", "UMO"
    bot_token, admin_token = BOT_TOKEN, ADMIN_TOKEN

    def __init__(self, parts: Parts, events: Events, journal: Journal) -> None:
        self._parts = parts
        self._events = events
        self._journal = journal
        self.workspace: Workspace = parts.workspace

    # Messages and files.

    async def post(
        self, channel: str, user: str, text: str = "", files: Sequence[Given] = (), thread: str | None = None, **content: Any
    ) -> str:
        """Post, as `user`, text and files: name and bytes, `{"name", "base64"}`, `{"name", "path"}`, or `{"id"}`.

        The last is a file that is there already, of whomever, and that they may see.

        The text is as the API shows it: `&`, `<` and `>` written by a person are `&amp;`, `&lt;` and `&gt;`.
        """
        where = self.workspace.writable(self._place(channel, user).id, user)
        added = [self._add_file(file, user) for file in files]
        content.setdefault("blocks", [_rich_text(text)] if text else None)
        message = self._parts.messages.post(where, user, text, thread=thread, files=added, **content)
        self._journal.tell()
        return str(message["ts"])

    async def edit(self, channel: str, message: str, text: str | None = None, files: Sequence[Given] | None = None) -> str:
        """Edit a message as its author; `files` take the place of those it had."""
        where = self._channel(channel)
        stored = message_in(where, message)
        changes: Json = {}
        if text is not None:
            changes |= {"text": text, "blocks": [_rich_text(text)]}
        if files is not None:
            changes["files"] = self._parts.files.shared_anew(
                [self._add_file(file, stored["user"]) for file in files], stored.get("files", ()), where.id, message
            )
        self._parts.messages.edit(where, stored, stored["user"], **changes)
        self._journal.tell()
        return message

    async def post_as_bot(self, channel: str, bot: str, text: str = "", username: str = "", **content: Any) -> str:
        """Post as an app or a webhook, which may sign with whatever `username` it likes."""
        message = self._parts.messages.post_as_bot(self._channel(channel), bot, text, username, content)
        self._journal.tell()
        return str(message["ts"])

    async def unfurl(self, channel: str, message: str, previews: Sequence[Json]) -> None:
        """Show previews of a message's links, as Slack adds them."""
        where = self._channel(channel)
        self._parts.messages.unfurl(where, message_in(where, message), previews)
        self._journal.tell()

    async def delete(self, channel: str, message: str) -> None:
        """Delete a message as its author."""
        where = self._channel(channel)
        self._parts.messages.delete(where, message_in(where, message))
        self._journal.tell()

    async def delete_file(self, file: str) -> None:
        """Delete a file as its author."""
        self._parts.messages.delete_file(self._parts.files.get(file))
        self._journal.tell()

    async def change_file(self, file: str, title: str | None = None, content: Given | None = None) -> None:
        """Give a file another title, or other bytes, as its author; its messages stay as they are."""
        changed = self._parts.files.get(file)
        changed.title = changed.title if title is None else title
        if content is not None:
            self._parts.files.fill(changed, _read(content)[1])
        self._parts.messages.tell_of_change_in(changed)
        self._journal.tell()

    async def file(self, file: str) -> Json:
        """Return a file as messages show it, also once it was deleted."""
        return self._parts.files.in_message(file)

    async def react(self, channel: str, message: str, user: str, name: str) -> None:
        self._parts.messages.react(self._channel(channel), message, user, name)
        self._journal.tell()

    async def messages(self, channel: str, thread: str | None = None) -> list[Json]:
        """Return the messages of a channel, or of a thread with its first, oldest first. A user's id means the DM."""
        where = self._channel(channel)
        stored = list(where.messages.values())
        if thread:
            stored = [where.messages[ts] for ts in (thread, *where.replies.get(thread, ())) if ts in where.messages]
        return [self._parts.messages.shown(message) for message in stored]

    async def private(self, user: str) -> list[Json]:
        """Return what only this user saw: ephemeral messages and what the bot wrote in the DM, newest last."""
        direct = self.workspace.direct(user)
        own = [
            self._parts.messages.shown(message) | {"channel": direct.id}
            for message in direct.messages.values()
            if message.get("user") == BOT
        ]
        return sorted([*self.workspace.ephemerals.get(user, []), *own], key=lambda message: float(message["ts"]))

    async def status(self, channel: str, thread: str) -> str:
        """Return what the app says it is doing in a thread; empty for nothing."""
        return status_shown(self._parts, channel, thread)

    # Interactions.

    async def command(self, channel: str, user: str, name: str, text: str = "") -> str:
        """Type a slash command, such as `tag`."""
        return self._parts.interactions.command(self._place(channel, user), user, name, text)

    async def shortcut(self, channel: str, user: str, message: str, name: str) -> str:
        """Choose the entry with callback_id `name` in a message's menu."""
        return self._parts.interactions.shortcut(self._place(channel, user), user, message, name)

    async def press(self, channel: str, message: str, user: str, button_id: str, value: Any = None) -> str:
        """Press the element with this `action_id`, or choose `value` in it."""
        return self._parts.interactions.press(self._place(channel, user), user, message, button_id, value)

    async def press_form(self, user: str, button_id: str, value: Any = None) -> str:
        """Press the element with this `action_id` in the modal on top, or else in the app's Home."""
        return self._parts.views.press(user, button_id, value)

    async def form(self, user: str) -> Json | None:
        """Return the modal that is open for this user, with `errors` by block, or None."""
        return self._parts.views.form(user)

    async def submit(self, user: str, form: str, values: Json) -> str:
        """Fill a modal in, by block id or action id, and submit it."""
        return self._parts.views.submit(user, form, values)

    async def close(self, user: str, form: str) -> None:
        """Close a modal without submitting it."""
        self._parts.views.close(user, form)

    async def open_home(self, user: str, tab: str = "home") -> Json | None:
        """Open the app's Home, or its `messages`; return the Home view that is shown at that moment."""
        event = {"type": "app_home_opened", "user": user, "channel": self.workspace.direct(user).id, "tab": tab}
        self._events.happened("app_home_opened", event | {"event_ts": self.workspace.timestamp()})
        return self._parts.views.homes.get(user)

    # The workspace.

    async def add_user(
        self,
        user: str,
        name: str = "",
        is_admin: bool = False,
        is_guest: bool = False,
        channels: Sequence[str] = (),
        is_bot: bool = False,
    ) -> str:
        """Add a member, or the user of another app, to these channels too."""
        called = name or user.lower()
        self.workspace.users[user] = User(id=user, name=called, is_admin=is_admin, is_guest=is_guest, is_bot=is_bot)
        for channel in channels:
            await self.join(channel, user)
        return user

    async def add_bot(self, bot: str, name: str) -> str:
        """Install another app, which posts under this bot id."""
        self.workspace.bots[bot] = name
        return bot

    async def add_channel(
        self, channel: str, name: str = "", kind: Kind = "channel", members: Sequence[str] = (), is_ext_shared: bool = False
    ) -> str:
        """Add a channel; without `members`, everybody is in it."""
        everybody = list(members) or list(self.workspace.users)
        made = Channel(id=channel, name=name or channel.lower(), kind=kind, members=everybody, is_ext_shared=is_ext_shared)
        return self.workspace.add(made).id

    async def direct(self, user: str) -> str:
        """Return the id of the DM between a member and the bot."""
        return self.workspace.direct(user).id

    async def join(self, channel: str, user: str) -> None:
        """Let a member, or the bot, join a channel; the bot hears of it."""
        where = self._channel(channel)
        if user in where.members:
            return
        where.members.append(user)
        self._tell_of_member("member_joined_channel", where, user)

    async def leave(self, channel: str, user: str) -> None:
        """Let a member leave a channel; the bot hears of it where it subscribes to that."""
        where = self._channel(channel)
        where.members.remove(user)
        self._tell_of_member("member_left_channel", where, user)

    async def remove_bot(self, channel: str) -> None:
        """Remove the bot from a channel."""
        where = self._channel(channel)
        where.members.remove(BOT)
        event = {"type": "channel_left", "channel": channel, "event_ts": self.workspace.timestamp()}
        self._events.happened("channel_left", event)

    async def rename(self, channel: str, name: str) -> None:
        """Give a channel another name, as an admin."""
        self._parts.messages.rename(self._channel(channel), name, self.olga)
        self._journal.tell()

    async def archive(self, channel: str) -> None:
        where = self._channel(channel)
        where.is_archived = True
        event = {"type": "channel_archive", "channel": channel, "user": self.olga, "event_ts": self.workspace.timestamp()}
        self._events.in_channel("channel_archive", where, event)

    async def advance_clock(self, seconds: float) -> None:
        """Put the workspace's clock forward, by which triggers, response URLs and statuses expire."""
        self.workspace.advance(seconds)
        self._journal.tell()

    async def grant(self, token: str, scopes: Sequence[str], user: str = BOT) -> None:
        """Make a token (`xoxb-`, `xoxp-` or `xapp-`) that has these scopes, or change the scopes of one."""
        kind = {"xoxp": "user", "xapp": "app"}.get(token[:4], "bot")
        made = Token(value=token, kind=kind, user=user, scopes=frozenset(scopes))  # type: ignore[arg-type]
        self.workspace.tokens[token] = made

    async def revoke(self, token: str) -> None:
        """Revoke a token: every call with it fails, and the app hears of it."""
        revoked = self.workspace.tokens[token]
        kinds = {"bot": "bot", "user": "oauth", "app": "app"}
        self._events.happened("tokens_revoked", {"type": "tokens_revoked", "tokens": {kinds[revoked.kind]: [revoked.user]}})
        revoked.error = "token_revoked"

    async def uninstall(self) -> None:
        """Remove the app from the workspace: it hears of it, and none of its tokens works any more."""
        self._events.happened("app_uninstalled", {"type": "app_uninstalled"})
        for token in self.workspace.tokens.values():
            if token.kind == "bot":
                token.error = "account_inactive"

    async def subscribe(self, events: Sequence[str]) -> None:
        """Subscribe the app to further events, such as `file_shared`."""
        self.workspace.subscriptions.update(events)

    async def send_event(self, event: Json) -> None:
        """Deliver an event as it is, of whatever type."""
        self._parts.deliveries.send_event(self._events.wrapped(event))

    def _place(self, channel: str, user: str) -> Channel:
        """Return a conversation that `user` can see; a user's id means the bot's DM with them."""
        return self.workspace.channel(self._channel(channel).id, user)

    def _channel(self, channel: str) -> Channel:
        if channel in self.workspace.users:
            return self.workspace.direct(channel)
        found = self.workspace.channels.get(channel)
        if found is None:
            raise ApiError("channel_not_found")
        return found

    def _tell_of_member(self, name: str, channel: Channel, user: str) -> None:
        letter = {"channel": "C", "group": "G", "im": "D"}[channel.kind]
        event = {"type": name, "user": user, "channel": channel.id, "channel_type": letter, "team": TEAM}
        event |= {"inviter": self.olga} if name == "member_joined_channel" else {}
        self._events.in_channel(name, channel, event | {"event_ts": self.workspace.timestamp()})
        self._journal.tell()

    def _add_file(self, given: Given, user: str) -> File:
        if isinstance(given, dict) and "id" in given:
            return self._parts.files.readable(given["id"], user)
        name, content = _read(given)
        return self._parts.files.add(name, content, user)


def _read(given: Given) -> tuple[str, bytes]:
    if not isinstance(given, dict):
        return given
    content = base64.b64decode(given["base64"]) if "base64" in given else Path(given["path"]).read_bytes()
    return given["name"], content


def _rich_text(text: str) -> Json:
    """Return the block that Slack's own clients write."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": "b1", "elements": [section]}
