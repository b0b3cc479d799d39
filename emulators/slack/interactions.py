"""What members do with the app: commands, menu entries, buttons; with triggers and response URLs that wear out."""

import json
from dataclasses import dataclass, field
from typing import Any

from emulators.slack.blocks import blocks_of, problems_of, with_ids
from emulators.slack.deliveries import Deliveries, Delivery
from emulators.slack.events import VERIFICATION_TOKEN
from emulators.slack.faults import Faults
from emulators.slack.journal import Journal
from emulators.slack.messages import Messages
from emulators.slack.state import APP, BOT, TEAM, TEAM_DOMAIN, ApiError, Channel, Json, Workspace, message_in

TRIGGER_S = 3.0  # Source: https://docs.slack.dev/interactivity/handling-user-interaction
RESPONSE_USES = 5  # and for half an hour. Source: the same page
RESPONSE_S = 30 * 60.0


@dataclass(slots=True, kw_only=True)
class Trigger:
    """What lets the app open a modal, once and at once."""

    id: str
    user: str
    expires: float
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """Where the app may answer an interaction. `source` is the ts of the message that it began at, if any."""

    channel: Channel
    user: str
    expires: float
    left: int = RESPONSE_USES
    source: str | None = None
    thread: str | None = None


@dataclass(slots=True)
class Triggers:
    """Hand triggers out and take them in."""

    workspace: Workspace
    faults: Faults
    _triggers: dict[str, Trigger] = field(default_factory=dict)

    def new(self, user: str) -> Trigger:
        trigger = Trigger(
            id=f"{self.workspace.new_id('')}.1.{self.workspace.secret()}", user=user, expires=self.workspace.now() + TRIGGER_S
        )
        if self.faults.take("trigger_expired"):
            trigger.expires = 0
        if self.faults.take("trigger_exchanged"):
            trigger.used = True
        self._triggers[trigger.id] = trigger
        return trigger

    def take(self, trigger_id: str) -> Trigger:
        """Use a trigger up. Raises: `ApiError` where it is unknown, used or too old."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self.workspace.now() > trigger.expires:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger


class Interactions:
    """Send interactions to the app and show the members what it answers."""

    def __init__(
        self, workspace: Workspace, messages: Messages, deliveries: Deliveries, faults: Faults, journal: Journal
    ) -> None:
        self.origin = ""
        self.triggers = Triggers(workspace, faults)
        self._workspace = workspace
        self._messages = messages
        self._deliveries = deliveries
        self._faults = faults
        self._journal = journal
        self._urls: dict[str, ResponseUrl] = {}

    # What members do.

    def command(self, channel: Channel, user: str, name: str, text: str) -> str:
        """Type a slash command; return its trigger's id."""
        trigger = self.triggers.new(user)
        payload = {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.kind == "im" else channel.name,
            "user_id": user,
            "user_name": self._workspace.users[user].name,
            "command": f"/{name.removeprefix('/')}",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url("commands", ResponseUrl(channel=channel, user=user, expires=self._ends())),
            "trigger_id": trigger.id,
        }
        delivery = self._deliveries.made("slash_commands", payload, accepts_response=True)
        self._deliveries.run(self._send_command(channel, user, delivery))
        return trigger.id

    def shortcut(self, channel: Channel, user: str, message: str, callback_id: str) -> str:
        """Choose an entry of a message's menu; return the trigger's id."""
        trigger = self.triggers.new(user)
        stored = message_in(channel, message)
        where = ResponseUrl(channel=channel, user=user, expires=self._ends(), source=message, thread=stored.get("thread_ts"))
        payload = self._interaction("message_action", channel, user, trigger) | {
            "callback_id": callback_id,
            "message_ts": message,
            "action_ts": self._workspace.timestamp(),
            "message": self._messages.shown(stored),
            "response_url": self._response_url("app", where),
        }
        self._deliveries.run(self._send_action(channel, user, self._deliveries.made("interactive", payload)))
        return trigger.id

    def press(self, channel: Channel, user: str, message: str, button: str, value: Any = None) -> str:
        """Press a button of a message that `user` sees, or choose `value` in a menu; return the trigger's id.

        `button` is an `action_id`; of several buttons with the same one, `value` is that of the one that is meant. Raises:
        `ValueError` where there is no such element.
        """
        trigger = self.triggers.new(user)
        ephemeral = next((one for one in self._workspace.ephemerals.get(user, []) if one["ts"] == message), None)
        stored = ephemeral or message_in(channel, message)
        block, element = element_of(stored.get("blocks", []), button, value)
        container: Json = {"type": "message", "message_ts": message, "channel_id": channel.id, "is_ephemeral": bool(ephemeral)}
        if "thread_ts" in stored:
            container["thread_ts"] = stored["thread_ts"]
        where = ResponseUrl(channel=channel, user=user, expires=self._ends(), source=message, thread=stored.get("thread_ts"))
        payload = self._interaction("block_actions", channel, user, trigger) | {
            "container": container,
            "response_url": self._response_url("actions", where),
            "actions": [chosen(element, value) | {"block_id": block["block_id"], "action_ts": self._workspace.timestamp()}],
            "state": {"values": {}},
        }
        if not ephemeral:
            payload["message"] = self._messages.shown(stored)
        self._deliveries.run(self._send_action(channel, user, self._deliveries.made("interactive", payload)))
        return trigger.id

    def _interaction(self, kind: str, channel: Channel, user: str, trigger: Trigger) -> Json:
        return {
            "type": kind,
            "token": VERIFICATION_TOKEN,
            "team": {"id": TEAM, "domain": TEAM_DOMAIN},
            "user": self.member(user),
            "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
            "api_app_id": APP,
            "trigger_id": trigger.id,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def member(self, user: str) -> Json:
        """Return who acts, as interactions name them."""
        name = self._workspace.users[user].name
        return {"id": user, "name": name, "username": name, "team_id": TEAM}

    async def _send_command(self, channel: Channel, user: str, delivery: Delivery) -> None:
        await self._deliveries.send_once(delivery)
        if not delivery.acknowledged:
            self.refuse(channel.id, user, f'{delivery.payload["command"]} failed with the error "dispatch_failed"')
        elif delivery.answer and problems_of(blocks_of(delivery.answer)):
            self.refuse(channel.id, user, f'{delivery.payload["command"]} failed with the error "invalid_command_response"')
        elif delivery.answer:
            self._show(self._urls[delivery.payload["response_url"].rpartition("/")[2]], delivery.answer)
        self._journal.tell()

    async def _send_action(self, channel: Channel, user: str, delivery: Delivery) -> None:
        await self._deliveries.send_once(delivery)
        if not delivery.acknowledged:
            self.refuse(channel.id, user, "dispatch_failed")

    def refuse(self, channel: str, user: str, words: str) -> None:
        """Show a member that the app did not answer."""
        self.whisper(channel, user, {"text": words, "user": "USLACKBOT"})

    def whisper(self, channel: str, user: str, content: Json) -> Json:
        """Show a message to one member only."""
        message: Json = {"type": "message", "subtype": "bot_message", "user": BOT, "ts": self._workspace.timestamp()}
        message |= {"channel": channel, "is_ephemeral": True} | content
        self._workspace.ephemerals.setdefault(user, []).append(message)
        self._journal.tell()
        return message

    # How the app answers.

    def _ends(self) -> float:
        return self._workspace.now() + RESPONSE_S

    def _response_url(self, kind: str, where: ResponseUrl) -> str:
        secret = self._workspace.secret()
        self._urls[secret] = where
        return f"{self.origin}/hooks/{kind}/{TEAM}/1/{secret}"

    def answer(self, secret: str, body: Json) -> None:
        """Show what the app sent to a response URL. Raises: `ApiError` where it is worn out or the content is not valid."""
        where = self._urls.get(secret)
        if where is None:
            raise ApiError("no_service")
        if where.left == 0 or self._faults.take("response_url_used"):
            raise ApiError("used_url")
        if self._workspace.now() > where.expires or self._faults.take("response_url_expired"):
            raise ApiError("expired_url")
        if problems_of(blocks_of(body)):
            raise ApiError("invalid_blocks")
        if not (body.get("text") or body.get("blocks") or body.get("attachments") or body.get("delete_original")):
            raise ApiError("no_text")
        where.left -= 1
        self._show(where, body)

    def _show(self, where: ResponseUrl, body: Json) -> None:
        content: Json = {key: body[key] for key in ("text", "blocks", "attachments") if body.get(key)}
        if "blocks" in content:
            content["blocks"] = with_ids(content["blocks"], self._workspace.secret)
        if body.get("delete_original") or body.get("replace_original"):
            self._replace(where, content, delete=bool(body.get("delete_original")))
        elif body.get("response_type") == "in_channel":
            text = content.pop("text", "")
            thread = body.get("thread_ts") or where.thread
            self._messages.post(where.channel, BOT, text, thread=thread, **content)
        else:
            threaded = {"thread_ts": where.thread} if where.thread else {}
            self.whisper(where.channel.id, where.user, content | threaded)

    def _replace(self, where: ResponseUrl, content: Json, *, delete: bool) -> None:
        """Change the message that the interaction began at: an ephemeral one, or the app's own."""
        whispers = self._workspace.ephemerals.get(where.user, [])
        ephemeral = next((one for one in whispers if one["ts"] == where.source), None)
        if ephemeral and delete:
            whispers.remove(ephemeral)
        elif ephemeral:
            for key in ("text", "blocks", "attachments"):
                ephemeral.pop(key, None)
            ephemeral |= content
        elif where.source and where.channel.messages.get(where.source, {}).get("user") == BOT:
            message = message_in(where.channel, where.source)
            if delete:
                self._messages.delete(where.channel, message)
            else:
                blank = {"text": "", "blocks": None, "attachments": None}
                self._messages.edit(where.channel, message, BOT, **(blank | content))


def element_of(blocks: list[Json], action_id: str, value: Any = None) -> tuple[Json, Json]:
    """Return an element with its block: the first of that id, or the button of that id with this value."""
    for block in blocks:
        for element in (*block.get("elements", ()), block.get("accessory") or {}, block.get("element") or {}):
            meant = element.get("type") != "button" or value in (None, element.get("value"))
            if element.get("action_id") == action_id and meant:
                return block, element
    raise ValueError(f"There is no element {action_id!r}.")


def chosen(element: Json, value: Any) -> Json:
    """Return an element with what was chosen in it, as `actions` and a form's state show it."""
    kind = element["type"]
    shown: Json = {"type": kind, "action_id": element["action_id"]}
    options = [*element.get("options", ()), *(one for group in element.get("option_groups", ()) for one in group["options"])]
    match kind:
        case "button":
            return shown | {"text": element["text"]} | ({"value": element["value"]} if "value" in element else {})
        case "static_select" | "radio_buttons" | "overflow" | "external_select":
            picked = next((one for one in options if one["value"] == value), None)
            if picked is None and value is not None:
                raise ValueError(f"{element['action_id']!r} has no option {value!r}.")
            return shown | {"selected_option": picked}
        case "multi_static_select" | "checkboxes":
            wanted = list(value or ())
            picked_all = [one for one in options if one["value"] in wanted]
            if len(picked_all) != len(wanted):
                raise ValueError(f"{element['action_id']!r} has no such options: {json.dumps(wanted)}.")
            return shown | {"selected_options": picked_all}
        case "users_select":
            return shown | {"selected_user": value}
        case "channels_select":
            return shown | {"selected_channel": value}
        case "conversations_select":
            return shown | {"selected_conversation": value}
        case "multi_conversations_select":
            return shown | {"selected_conversations": list(value or ())}
        case "datepicker":
            return shown | {"selected_date": value}
        case _:
            return shown | {"value": value}
