"""Which events the app hears of, and the envelope that each comes in."""

from emulators.slack.deliveries import Deliveries
from emulators.slack.state import APP, BOT, TEAM, Channel, Json, Workspace

VERIFICATION_TOKEN = "emulated-verification-token"
# The scope without which an event is not delivered. Source: https://docs.slack.dev/reference/events
NEEDED_SCOPES = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "app_mention": "app_mentions:read",
    "file_change": "files:read",
    "file_shared": "files:read",
    "file_deleted": "files:read",
}
# Of a channel: what its kind is called in events.
SUBSCRIPTION_OF = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


class Events:
    """Wrap what happened and deliver it, where the app subscribes to it and may know of it."""

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self._workspace = workspace
        self._deliveries = deliveries

    def in_channel(self, name: str, channel: Channel, event: Json) -> None:
        """Tell of something that only members of a channel hear of; the bot must be one."""
        if BOT in channel.members:
            self.happened(name, event)

    def message(self, channel: Channel, event: Json) -> None:
        """Tell of a message, an edit or a deletion."""
        kind = channel.kind
        event = {"channel": channel.id, "channel_type": kind, "event_ts": event["ts"]} | event
        self.in_channel(SUBSCRIPTION_OF[kind], channel, event)

    def happened(self, name: str, event: Json) -> None:
        """Tell of an event under the name that apps subscribe to."""
        if name not in self._workspace.subscriptions:
            return
        needed = NEEDED_SCOPES.get(name)
        if needed and not any(
            token.kind == "bot" and needed in token.scopes and token.error is None for token in self._workspace.tokens.values()
        ):
            return
        self._deliveries.send_event(self.wrapped(event))

    def wrapped(self, event: Json) -> Json:
        """Return the envelope of an event, with an id of its own."""
        channel = event.get("channel") or event.get("channel_id")
        shared = isinstance(channel, str) and channel in self._workspace.channels
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.new_id("Ev"),
            "event_time": int(self._workspace.now()),
            "authorizations": [
                {"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
            ],
            "is_ext_shared_channel": shared and self._workspace.channels[str(channel)].is_ext_shared,
            "event_context": f"4-{self._workspace.secret()}",
        }
