"""Modals: opened by a trigger, stacked at most three high, submitted by members."""

import json
from dataclasses import dataclass, field
from typing import Any

from emulators.slack.blocks import view_problems, with_ids
from emulators.slack.deliveries import Deliveries, Delivery
from emulators.slack.events import VERIFICATION_TOKEN
from emulators.slack.interactions import Interactions, chosen, element_of
from emulators.slack.journal import Journal
from emulators.slack.state import APP, BOT_ID, TEAM, TEAM_DOMAIN, ApiError, Json, Workspace

STACK_MAX = 3  # Source: https://docs.slack.dev/surfaces/modals
VIEW_BYTES_MAX = 250_000  # Source: https://docs.slack.dev/reference/methods/views.open, "view_too_large"


@dataclass(slots=True, kw_only=True)
class _Open:
    """A view that `user` has open. `errors` are what the last submission was refused with, by block."""

    view: Json
    user: str
    errors: Json = field(default_factory=dict)


class Views:
    """Keep the modals that members have open, and their Home tabs."""

    def __init__(self, workspace: Workspace, interactions: Interactions, deliveries: Deliveries, journal: Journal) -> None:
        self.homes: dict[str, Json] = {}
        self._workspace = workspace
        self._interactions = interactions
        self._deliveries = deliveries
        self._journal = journal
        self._stacks: dict[str, list[_Open]] = {}

    # What the app does.

    def open(self, trigger_id: str, view: Json) -> Json:
        """Open a modal; it takes the place of any that the member had open."""
        self._check(view)
        user = self._interactions.triggers.take(trigger_id).user
        made = self._made(view)
        self._stacks[user] = [_Open(view=made, user=user)]
        return made

    def push(self, trigger_id: str, view: Json) -> Json:
        """Put a modal on top of the one that is open."""
        self._check(view)
        user = self._interactions.triggers.take(trigger_id).user
        return self._pushed(user, view)

    def update(self, view: Json, *, view_id: str | None, external_id: str | None, hash_: str | None) -> Json:
        """Change a view that is open."""
        self._check(view)
        opened = self._find(view_id, external_id)
        if hash_ and hash_ != opened.view["hash"]:
            raise ApiError("hash_conflict")
        kept = {key: opened.view[key] for key in ("id", "root_view_id", "previous_view_id")}
        opened.view = self._made(view) | kept
        opened.errors = {}
        return opened.view

    def publish(self, user: str, view: Json) -> Json:
        """Show a member their Home tab."""
        self._workspace.user(user)
        self._check(view)
        made = self._made(view)
        self.homes[user] = made
        return made

    # What members do.

    def form(self, user: str) -> Json | None:
        """Return the modal on top, with the `errors` of its last submission."""
        stack = self._stacks.get(user)
        return stack[-1].view | {"errors": stack[-1].errors} if stack else None

    def submit(self, user: str, view_id: str, values: Json) -> str:
        """Submit the modal on top; return the trigger's id.

        `values` is by block id (or action id): what was written or chosen. Raises: `ValueError` where the form has no
        such field, is not on top, or lacks something that it requires.
        """
        opened = self._on_top(user, view_id)
        trigger = self._interactions.triggers.new(user)
        submitted = opened.view | {"state": {"values": filled(opened.view, values)}}
        payload = self._payload("view_submission", user, submitted) | {"trigger_id": trigger.id, "response_urls": []}
        self._deliveries.run(self._send(opened, self._deliveries.made("interactive", payload, accepts_response=True)))
        return trigger.id

    def press(self, user: str, button: str, value: Any = None) -> str:
        """Press or choose something in the modal on top, or else in the Home tab; return the trigger's id."""
        stack = self._stacks.get(user)
        view = stack[-1].view if stack else self.homes[user]
        block, element = element_of(view["blocks"], button)
        trigger = self._interactions.triggers.new(user)
        action = chosen(element, value) | {"block_id": block["block_id"], "action_ts": self._workspace.timestamp()}
        container = {"type": "view", "view_id": view["id"]}
        payload = self._payload("block_actions", user, view) | {
            "trigger_id": trigger.id,
            "container": container,
            "actions": [action],
        }
        self._deliveries.run(self._deliveries.send_once(self._deliveries.made("interactive", payload)))
        return trigger.id

    def close(self, user: str, view_id: str) -> None:
        """Close the modal on top; the app hears of it where the view asks for that."""
        opened = self._on_top(user, view_id)
        self._stacks[user].remove(opened)
        if opened.view.get("notify_on_close"):
            payload = self._payload("view_closed", user, opened.view) | {"is_cleared": False}
            self._deliveries.run(self._deliveries.send_once(self._deliveries.made("interactive", payload)))

    async def _send(self, opened: _Open, delivery: Delivery) -> None:
        await self._deliveries.send_once(delivery)
        answer, stack = delivery.answer or {}, self._stacks.get(opened.user, [])
        try:
            if not delivery.acknowledged:
                opened.errors = {"": "dispatch_failed"}
            elif answer.get("response_action") == "errors":
                opened.errors = answer["errors"]
            elif answer.get("response_action") == "update":
                self.update(answer["view"], view_id=opened.view["id"], external_id=None, hash_=None)
            elif answer.get("response_action") == "push":
                self._check(answer["view"])
                self._pushed(opened.user, answer["view"])
            elif answer.get("response_action") == "clear":
                stack.clear()
            elif opened in stack:
                stack.remove(opened)
        except ApiError as error:
            opened.errors = {"": error.error}
        self._journal.tell()

    def _payload(self, kind: str, user: str, view: Json) -> Json:
        return {
            "type": kind,
            "team": {"id": TEAM, "domain": TEAM_DOMAIN},
            "user": self._interactions.member(user),
            "api_app_id": APP,
            "token": VERIFICATION_TOKEN,
            "view": view,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _on_top(self, user: str, view_id: str) -> _Open:
        stack = self._stacks.get(user)
        if not stack or stack[-1].view["id"] != view_id:
            raise ValueError(f"{user} does not have {view_id} open.")
        return stack[-1]

    def _pushed(self, user: str, view: Json) -> Json:
        stack = self._stacks.get(user)
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= STACK_MAX:
            raise ApiError("push_limit_reached")
        below = stack[-1].view
        made = self._made(view) | {"root_view_id": below["root_view_id"], "previous_view_id": below["id"]}
        stack.append(_Open(view=made, user=user))
        return made

    def _find(self, view_id: str | None, external_id: str | None) -> _Open:
        for stack in self._stacks.values():
            for opened in stack:
                if view_id == opened.view["id"] or (external_id and external_id == opened.view["external_id"]):
                    return opened
        raise ApiError("not_found")

    def _check(self, view: Json) -> None:
        if len(json.dumps(view)) > VIEW_BYTES_MAX:
            raise ApiError("view_too_large")
        if problems := view_problems(view):
            raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})

    def _made(self, view: Json) -> Json:
        view_id = self._workspace.new_id("V")
        return {
            "id": view_id,
            "team_id": TEAM,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": {"values": {}},
            "hash": f"{int(self._workspace.now())}.{self._workspace.secret()}",
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            "previous_view_id": None,
            "root_view_id": view_id,
            "app_id": APP,
            "bot_id": BOT_ID,
            **view,
            "blocks": with_ids(view["blocks"], self._workspace.secret),
        }


def filled(view: Json, values: Json) -> Json:
    """Return the state of a form that was filled in. Raises: `ValueError` as `Views.submit` does."""
    state: Json = {}
    left = dict(values)
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, name = block["element"], block["block_id"]
        given: Any = left.pop(name) if name in left else left.pop(element["action_id"], _initial(element))
        if isinstance(given, dict) and element["action_id"] in given:
            given = given[element["action_id"]]
        if given in (None, "", []) and not block.get("optional"):
            raise ValueError(f"The field {name!r} must be filled in.")
        state[name] = {element["action_id"]: chosen(element, given)}
        del state[name][element["action_id"]]["action_id"]
    if left:
        raise ValueError(f"The form has no field {', '.join(map(repr, left))}.")
    return state


def _initial(element: Json) -> Any:
    """Return what a field holds before anybody touches it."""
    if "initial_option" in element:
        return element["initial_option"]["value"]
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    return next((element[key] for key in element if key.startswith("initial_")), None)
