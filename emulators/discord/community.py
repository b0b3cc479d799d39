"""What people do in the emulated community: the verbs of tests and demonstrations, save those that use the bot's commands."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from emulators.discord import messages, moderation, reactions, shapes, threads
from emulators.discord.clock import written
from emulators.discord.components import V2
from emulators.discord.dimensions import size_of
from emulators.discord.gateway import CONTENT, MEMBERS, PRESENCES, PRIVILEGED, Drop, Gateway
from emulators.discord.messages import Upload
from emulators.discord.permissions import THREADS, bits
from emulators.discord.problems import Problem
from emulators.discord.state import APPLICATION, BOT_ROLE, World

Json = dict[str, Any]
Names = int | str | Iterable[str]

KINDS = {"text": 0, "voice": 2, "announcement": 5, "stage": 13, "forum": 15}


class Community:
    """Verbs whose arguments and results are JSON, files excepted. What Discord refuses raises `Problem`."""

    world: World
    gateway: Gateway

    async def post(
        self,
        channel: str,
        user: str,
        text: str = "",
        files: Sequence[Upload] = (),
        thread: str | None = None,
        reply_to: str | None = None,
        sticker: str | None = None,
    ) -> str:
        """Post as a member, in a channel, thread or direct channel; return the message's id."""
        place = thread or channel
        payload: Json = {"content": text}
        payload |= {"message_reference": {"message_id": reply_to}} if reply_to else {}
        payload |= {"sticker_ids": [sticker]} if sticker else {}
        if user != APPLICATION:
            threads.check_may_post(self.world, user, place, payload, list(files))
        message = messages.compose(self.world, place, user, payload, list(files))
        return str(messages.post(self.world, message)["id"])

    async def direct(self, user: str, text: str = "", files: Sequence[Upload] = ()) -> str:
        """Write to the bot privately; return the message's id."""
        return await self.post(self.world.direct(user)["id"], user, text, files)

    async def converse(self, users: Sequence[str]) -> str:
        """Open a private conversation without the bot; return its channel."""
        return str(self.world.group(users)["id"])

    async def post_as_webhook(self, channel: str, name: str, text: str = "", files: Sequence[Upload] = ()) -> str:
        """Post as a webhook of that name does, as proxies of members' messages do."""
        message = self._as_webhook(channel, name, text, list(files))
        return str(messages.post(self.world, message)["id"])

    async def post_in_forum(self, channel: str, user: str, title: str, text: str = "", files: Sequence[Upload] = ()) -> str:
        """Open a forum post; its first message has the returned id too."""
        payload = {"name": title, "message": {"content": text}}
        thread, _ = threads.open_in_forum(self.world, channel, user, payload, list(files))
        return str(thread["id"])

    async def post_layout(self, channel: str, user: str, components: list[Json], files: Sequence[Upload] = ()) -> str:
        """Post components without content, as other bots do."""
        payload = {"flags": V2, "components": components}
        return str(messages.post(self.world, messages.compose(self.world, channel, user, payload, list(files)))["id"])

    async def forward(self, channel: str, user: str, source_channel: str, message: str) -> str:
        """Forward a message; return the id of the forward."""
        reference = {"type": 1, "channel_id": source_channel, "message_id": message}
        forwarded = messages.compose(self.world, channel, user, {"message_reference": reference})
        return str(messages.post(self.world, forwarded)["id"])

    async def edit(self, channel: str, message: str, text: str | None = None, files: Sequence[Upload] | None = None) -> None:
        """Edit as its author: a new text, new files in place of the old ones."""
        payload: Json = {} if text is None else {"content": text}
        payload |= {} if files is None else {"attachments": []}
        messages.edit(self.world, self._message(channel, message), payload, list(files or ()))

    async def delete(self, channel: str, message: str | list[str], by: str | None = None) -> None:
        """Delete a message, or several with one event, as its author or as `by`; the audit log names whoever deletes another's.

        Raises: `Problem` 10008, 50013.
        """
        ids = [message] if isinstance(message, str) else message
        if by is None:
            messages.remove(self.world, channel, ids)
        else:
            moderation.delete(self.world, by, channel, [self._message(channel, each) for each in ids])

    async def react(self, channel: str, user: str, message: str, emoji: str) -> None:
        reactions.add(self.world, self._message(channel, message), emoji, user)

    async def unreact(self, channel: str, user: str, message: str, emoji: str) -> None:
        reactions.take(self.world, self._message(channel, message), emoji, user)

    async def unfurl(self, channel: str, message: str, image_url: str, files: Sequence[Upload] = ()) -> None:
        """Add the late embed of a link. The first of `files` is what the proxy shows of it; without one there is no proxy."""
        picture: Json = {"url": image_url}
        if files:
            name, data = files[0]
            kept = self.world.files.keep(name, data, folder="external")
            wide, high = size_of(data) or (0, 0)
            proxy = self.world.files.addresses(kept["id"])["proxy_url"]
            picture |= {"proxy_url": proxy, "width": wide, "height": high}
        found = self._message(channel, message)
        found["embeds"] = [*found["embeds"], {"type": "image", "url": image_url, "thumbnail": picture}]
        messages.announce(self.world, "MESSAGE_UPDATE", found)

    async def open_thread(self, channel: str, user: str, message: str, name: str) -> str:
        thread = threads.open_under(self.world, self._message(channel, message), user, {"name": name})
        return str(thread["id"])

    async def archive(self, channel: str) -> None:
        """Archive a thread; of a channel, which Discord cannot archive: delete it."""
        place = self._channel(channel)
        if place["type"] in THREADS:
            threads.change(self.world, place, {"archived": True}, self.world.guild["owner_id"])
            return
        del self.world.channels[channel], self.world.messages[channel]
        self.world.emit("CHANNEL_DELETE", place)

    async def lock(self, thread: str) -> None:
        """Lock a thread, so that only those with Manage Threads may post."""
        threads.change(self.world, self._channel(thread), {"locked": True}, self.world.guild["owner_id"])

    async def messages(self, channel: str, thread: str | None = None) -> list[Json]:
        """Return what stands in a channel or thread, oldest first, thread starters (type 21) and notices included."""
        stored = self.world.messages.get(thread or channel, {}).values()
        return [shapes.message(self.world, each) for each in stored]

    async def private(self, user: str) -> list[Json]:
        """Return what only this user saw, oldest first: ephemeral answers and the bot's direct messages.

        Flag 64 marks an ephemeral one, 128 one that is deferred still.
        """
        seen = [each for each in self.world.hidden.values() if each["_only"] == user]
        for channel, posted in self.world.messages.items():
            place = self.world.channels.get(channel, {"type": 0})
            if place["type"] == 1 and place["recipients"][0]["id"] == user:
                seen += [each for each in posted.values() if messages.own(each)]
        return [shapes.message(self.world, each) for each in sorted(seen, key=lambda each: int(each["id"]))]

    async def close_direct_messages(self, user: str, closed: bool = True) -> None:
        """Let a user refuse direct messages (50007), or take them again."""
        (self.world.closed_dms.add if closed else self.world.closed_dms.discard)(user)

    async def set_avatar(self, user: str, file: Upload) -> None:
        """Give a member a picture."""
        digest = hashlib.md5(file[1], usedforsecurity=False).hexdigest()
        self.world.files.put(f"avatars/{user}/{digest}.png", file[1])
        self.world.users[user]["avatar"] = digest
        self.world.emit("GUILD_MEMBER_UPDATE", {"guild_id": self.world.guild["id"], **shapes.member(self.world, user)})

    async def put_asset(self, path: str, file: Upload) -> None:
        """Serve a file at a CDN path, such as `stickers/1.png` or `emojis/2.png`."""
        self.world.files.put(path, file[1])

    async def join(self, name: str, permissions: Names = 0) -> str:
        """Let somebody new join, with a role of these permissions where there are any; return the user's id."""
        user = self.world.clock.new_id()
        self.world.add_user(user, name)
        if held := bits(permissions):
            role = self.world.clock.new_id()
            self.world.add_role(role, name, held, 1)
            self.world.members[user]["roles"] = [role]
            self.world.emit("GUILD_ROLE_CREATE", {"guild_id": self.world.guild["id"], "role": self.world.roles[role]})
        self.world.emit("GUILD_MEMBER_ADD", {"guild_id": self.world.guild["id"], **shapes.member(self.world, user)})
        return user

    async def leave(self, user: str) -> None:
        """Let a member leave; of the bot: remove it from the guild."""
        if user != APPLICATION:
            moderation.leave(self.world, user)
            return
        del self.world.members[user]
        self.world.emit("GUILD_DELETE", {"id": self.world.guild["id"]})

    async def outage(self, over: bool = False) -> None:
        """Make the guild unavailable, or available again."""
        gone = {"id": self.world.guild["id"], "unavailable": True}
        self.world.emit("GUILD_CREATE" if over else "GUILD_DELETE", shapes.guild(self.world) if over else gone)

    async def timeout(self, moderator: str, user: str, seconds: float, reason: str | None = None) -> None:
        until = written(self.world.clock.now_ms() + round(seconds * 1000))
        moderation.change_member(self.world, moderator, user, {"communication_disabled_until": until}, reason)

    async def ban(self, moderator: str, user: str, reason: str | None = None) -> None:
        moderation.ban(self.world, moderator, user, reason)

    async def unban(self, moderator: str, user: str) -> None:
        moderation.unban(self.world, moderator, user, None)

    async def add_channel(self, name: str, kind: str = "text", nsfw: bool = False) -> str:
        channel = self.world.add_channel(self.world.clock.new_id(), name, KINDS[kind], nsfw=nsfw)
        self.world.emit("CHANNEL_CREATE", channel)
        return str(channel["id"])

    async def remove_bot(self, channel: str) -> None:
        """Hide a channel from the bot."""
        await self.set_permissions(channel, deny=["view_channel"])

    async def set_permissions(
        self, channel: str | None = None, allow: Names = 0, deny: Names = 0, user: str = APPLICATION
    ) -> None:
        """Change what the bot (or another user) may do in a channel; without one, what the bot's role may do anywhere."""
        if channel is None:
            role = self.world.roles[BOT_ROLE]
            role["permissions"] = str(int(role["permissions"]) & ~bits(deny) | bits(allow))
            self.world.emit("GUILD_ROLE_UPDATE", {"guild_id": self.world.guild["id"], "role": role})
            return
        place = self._channel(channel)
        kept = [each for each in place["permission_overwrites"] if each["id"] != user]
        own = next((each for each in place["permission_overwrites"] if each["id"] == user), {"allow": "0", "deny": "0"})
        allowed = (int(own["allow"]) | bits(allow)) & ~bits(deny)
        denied = (int(own["deny"]) | bits(deny)) & ~bits(allow)
        place["permission_overwrites"] = [*kept, {"id": user, "type": 1, "allow": str(allowed), "deny": str(denied)}]
        self.world.emit("CHANNEL_UPDATE", place)

    async def set_intents(
        self, message_content: bool | None = None, members: bool | None = None, presences: bool | None = None
    ) -> None:
        """Turn the privileged intents of the application on or off, as its settings page does."""
        wanted = {CONTENT: message_content, MEMBERS: members, PRESENCES: presences}
        for intent, on in wanted.items():
            if on is not None:
                flags, mask = self.world.application["flags"], PRIVILEGED[intent]
                limited = mask & ~(mask >> 1) if on else 0
                self.world.application["flags"] = flags & ~mask | limited

    async def drop(self, kind: Drop) -> None:
        """Do this to every gateway connection: a close code, "op7", "op9_true", "op9_false", "abort" or "zombie"."""
        await self.gateway.drop(kind)

    async def dispatch(self, event: str, data: Json) -> None:
        """Send any event as it is."""
        self.world.emit(event, data)

    async def advance_clock(self, seconds: float) -> None:
        """Move the emulator's time on: tokens expire, addresses too."""
        self.world.clock.advance(seconds)
        self.world.changed()

    def _as_webhook(self, channel: str, name: str, text: str, files: list[Upload]) -> Json:
        world = self.world
        hook = world.webhooks.setdefault(channel, {"id": world.clock.new_id()})
        self._channel(channel)
        message = messages.compose(world, channel, world.guild["owner_id"], {"content": text}, files)
        author = {"id": hook["id"], "username": name, "discriminator": "0000", "avatar": None, "bot": True}
        return message | {"author": author, "webhook_id": hook["id"]}

    def _channel(self, channel: str) -> Json:
        if channel not in self.world.channels:
            raise Problem(10003)
        return self.world.channels[channel]

    def _message(self, channel: str, message: str) -> Json:
        self._channel(channel)
        if message in self.world.hidden:
            return self.world.hidden[message]
        if message not in self.world.messages[channel]:
            raise Problem(10008)
        return self.world.messages[channel][message]
