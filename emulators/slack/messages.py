"""Messages: stored, shown, edited, deleted, and told of in events."""

from collections.abc import Sequence

from emulators.slack.events import Events
from emulators.slack.faults import Faults
from emulators.slack.files import File, Files
from emulators.slack.state import APP, BOT, BOT_ID, TEAM, ApiError, Channel, Json, Workspace, message_in


class Messages:
    """Keep the messages of every channel. In the store, `files` are ids; what is shown has the files in full."""

    def __init__(self, workspace: Workspace, files: Files, events: Events, faults: Faults) -> None:
        self._workspace = workspace
        self._files = files
        self._events = events
        self._faults = faults

    def shown(self, message: Json, *, metadata: bool = True) -> Json:
        """Return a message as the API shows it; metadata only where it was asked for."""
        shown = dict(message)
        if not metadata:
            shown.pop("metadata", None)
        if "files" in message:
            shown["files"] = [self._files.in_message(file) for file in message["files"]]
        return shown

    def written(self, user: str, text: str, content: Json) -> Json:
        """Return a new message of `user`, without its place."""
        message: Json = {"type": "message", "user": user, "text": text, "ts": self._workspace.timestamp(), "team": TEAM}
        if user == BOT:
            message |= {"bot_id": BOT_ID, "app_id": APP, "bot_profile": bot_profile()}
        else:
            message["client_msg_id"] = self._workspace.secret()
        return message | {key: value for key, value in content.items() if value}

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        thread: str | None = None,
        files: Sequence[File] = (),
        broadcast: bool = False,
        **content: object,
    ) -> Json:
        """Store a message and tell of it. Raises: `ApiError` where the thread is gone."""
        thread = self._thread(channel, thread) if thread else None
        message = self.written(user, text, content)
        if thread:
            message["thread_ts"] = thread
        if files:
            message |= {"files": [file.id for file in files], "upload": False, "subtype": "file_share"}
        if broadcast and thread:
            message["subtype"] = "thread_broadcast"
        channel.messages[message["ts"]] = message
        if thread:
            channel.replies.setdefault(thread, []).append(message["ts"])
            self._count_replies(channel, thread)
            self._workspace.statuses.pop((channel.id, thread), None)
        for file in files:
            file.shares.setdefault(channel.id, []).append(message["ts"])
        self._tell_of_post(channel, message, files)
        return message

    def post_as_bot(self, channel: Channel, bot: str, text: str, username: str, content: Json) -> Json:
        """Store what an app posts without a user of its own, such as a webhook, and tell of it."""
        message = {"type": "message", "subtype": "bot_message", "bot_id": bot, "text": text, "ts": self._workspace.timestamp()}
        message |= {"username": username} | {key: value for key, value in content.items() if value}
        channel.messages[message["ts"]] = message
        self._events.message(channel, self.shown(message))
        return message

    def unfurl(self, channel: Channel, message: Json, attachments: Sequence[Json]) -> None:
        """Add the previews of links, as Slack does some moments later, and tell of it; nobody has edited the message."""
        before = self.shown(message)
        message["attachments"] = [*message.get("attachments", ()), *attachments]
        self._tell_of_change(channel, "message_changed", {"message": self.shown(message), "previous_message": before})

    def rename(self, channel: Channel, name: str, user: str) -> None:
        """Give a channel another name, of which a message in it tells."""
        change = {"old_name": channel.name, "name": name}
        channel.name = name
        words = f'<@{user}> has renamed the channel from "{change["old_name"]}" to "{name}"'
        subtype = "group_name" if channel.kind == "group" else "channel_name"
        message = {"type": "message", "subtype": subtype, "user": user, "text": words, "ts": self._workspace.timestamp()}
        channel.messages[message["ts"]] = message | change
        self._events.message(channel, message | change)

    def edit(self, channel: Channel, message: Json, editor: str, **content: object) -> Json:
        """Change what is given and tell of it."""
        before = self.shown(message)
        for key, value in content.items():
            if value:
                message[key] = value
            else:
                message.pop(key, None)
        message.setdefault("text", "")
        message["edited"] = {"user": editor, "ts": self._workspace.timestamp()}
        change = {"message": self.shown(message), "previous_message": before}
        self._tell_of_change(channel, "message_changed", change)
        return message

    def delete(self, channel: Channel, message: Json) -> None:
        """Take a message away; a thread that has answers keeps a tombstone in its first message's place."""
        ts = message["ts"]
        before = self.shown(message)
        if channel.replies.get(ts):
            kept = {key: message[key] for key in ("type", "ts", "thread_ts", "reply_count", "latest_reply") if key in message}
            tombstone = kept | {
                "subtype": "tombstone",
                "text": "This message was deleted.",
                "user": "USLACKBOT",
                "hidden": True,
            }
            channel.messages[ts] = tombstone
            self._tell_of_change(channel, "message_changed", {"message": tombstone, "previous_message": before})
        else:
            del channel.messages[ts]
            thread = message.get("thread_ts")
            if thread and thread != ts:
                channel.replies[thread].remove(ts)
                self._count_replies(channel, thread)
            self._tell_of_change(channel, "message_deleted", {"deleted_ts": ts, "previous_message": before})

    def delete_file(self, file: File) -> None:
        """Leave the tombstone of a file and tell of it, and of the messages that showed it."""
        heard = any(BOT in self._workspace.channels[channel].members for channel in file.shares)
        showing = [(self._workspace.channels[channel], ts) for channel, messages in file.shares.items() for ts in messages]
        stood = [(channel, channel.messages[ts]) for channel, ts in showing if ts in channel.messages]
        before = [self.shown(message) for _, message in stood]
        self._files.delete(file)
        for (channel, message), shown in zip(stood, before, strict=True):
            self._tell_of_change(channel, "message_changed", {"message": self.shown(message), "previous_message": shown})
        if heard:
            event_ts = self._workspace.timestamp()
            self._events.happened("file_deleted", {"type": "file_deleted", "file_id": file.id, "event_ts": event_ts})

    def tell_of_change_in(self, file: File) -> None:
        """Tell that something about a file is another."""
        if any(BOT in self._workspace.channels[channel].members for channel in file.shares):
            self._events.happened("file_change", {"type": "file_change", "file_id": file.id, "file": {"id": file.id}})

    def _thread(self, channel: Channel, thread: str) -> str:
        """Return the first message of the thread that `thread` is in."""
        message = channel.messages.get(thread)
        if message is None:
            raise ApiError("thread_not_found")
        return str(message.get("thread_ts", thread))

    def _count_replies(self, channel: Channel, thread: str) -> None:
        """Bring the first message of a thread up to date."""
        first, replies = channel.messages.get(thread), channel.replies[thread]
        if first is None:
            return
        if not replies:
            for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
                first.pop(key, None)
            if first.get("subtype") == "tombstone":
                del channel.messages[thread]
            return
        # Only those at the end, as Slack names at most five; a long thread must not cost more with each answer.
        users = list(dict.fromkeys(channel.messages[ts]["user"] for ts in replies[-5:]))
        first |= {"thread_ts": thread, "reply_count": len(replies), "latest_reply": replies[-1]}
        first |= {"reply_users": users, "reply_users_count": len(users)}

    def _tell_of_post(self, channel: Channel, message: Json, files: Sequence[File]) -> None:
        mention = f"<@{BOT}>" in message["text"] and message["user"] != BOT and channel.kind != "im"
        shown = self.shown(message)
        if mention and files and self._faults.take("mention_first"):
            bare = {key: value for key, value in shown.items() if key != "files"}
            self._tell_of_mention(channel, bare)
            mention = False
        if files:
            self._tell_of_files(channel, message, files)
        self._events.message(channel, shown)
        if mention:
            self._tell_of_mention(channel, shown)
        if files and self._faults.take("changed_after"):
            self.tell_of_change_in(files[0])
        if self._faults.take("edited_after"):
            self.edit(channel, message, message["user"], text=message["text"] + " (edited)")
        if self._faults.take("deleted_after"):
            self.delete(channel, message)

    def _tell_of_mention(self, channel: Channel, shown: Json) -> None:
        event = {key: value for key, value in shown.items() if key not in ("subtype", "upload")}
        event |= {"type": "app_mention", "channel": channel.id, "event_ts": shown["ts"]}
        self._events.in_channel("app_mention", channel, event)

    def _tell_of_files(self, channel: Channel, message: Json, files: Sequence[File]) -> None:
        for file in files:
            event = {
                "type": "file_shared",
                "channel_id": channel.id,
                "file_id": file.id,
                "user_id": message["user"],
                "file": {"id": file.id},
                "event_ts": self._workspace.timestamp(),
            }
            self._events.in_channel("file_shared", channel, event)

    def _tell_of_change(self, channel: Channel, subtype: str, change: Json) -> None:
        ts = self._workspace.timestamp()
        self._events.message(channel, {"type": "message", "subtype": subtype, "hidden": True, "ts": ts} | change)

    def react(self, channel: Channel, ts: str, user: str, name: str) -> None:
        """Add a reaction. Raises: `ApiError` `already_reacted`."""
        reactions = message_in(channel, ts).setdefault("reactions", [])
        reaction = next((one for one in reactions if one["name"] == name), None)
        if reaction is None:
            reactions.append(reaction := {"name": name, "users": [], "count": 0})
        if user in reaction["users"]:
            raise ApiError("already_reacted")
        reaction["users"].append(user)
        reaction["count"] += 1

    def unreact(self, channel: Channel, ts: str, user: str, name: str) -> None:
        """Take a reaction away. Raises: `ApiError` `no_reaction`."""
        message = message_in(channel, ts)
        reactions = message.get("reactions", [])
        reaction = next((one for one in reactions if one["name"] == name and user in one["users"]), None)
        if reaction is None:
            raise ApiError("no_reaction")
        reaction["users"].remove(user)
        reaction["count"] -= 1
        message["reactions"] = [one for one in reactions if one["count"]]
        if not message["reactions"]:
            del message["reactions"]


def bot_profile() -> Json:
    """Return who posted, as messages of apps show it."""
    return {"id": BOT_ID, "app_id": APP, "name": "Flashbulb", "deleted": False, "team_id": TEAM}
