"""Interactions: who used what, how it was answered, and when it is too late.

Source: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from emulators.discord import messages, shapes
from emulators.discord.components import check_form
from emulators.discord.messages import Upload
from emulators.discord.permissions import GROUP, allowed
from emulators.discord.problems import Problem, bad_form
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]

ANSWER_WITHIN_MS, TOKEN_LIVES_MS = 3_000, 15 * 60_000
COMMAND, COMPONENT, AUTOCOMPLETE, SUBMITTED = 2, 3, 4, 5
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
ALLOWED: Final = {
    COMMAND: (MESSAGE, DEFERRED, FORM),
    COMPONENT: (MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM),
    AUTOCOMPLETE: (CHOICES,),
    SUBMITTED: (MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE),
}
SLASH_ANSWER, MENU_ANSWER, CHOICES_MAX = 20, 23, 25
# What Discord calls the context, by the type of a private channel; a guild's is 0.
CONTEXTS: Final = {1: 1, GROUP: 2}


@dataclass(slots=True, kw_only=True)
class Interaction:
    """`message` is the one whose component was used, `original` the first answer, `answer` what the callback said."""

    id: str
    token: str
    kind: int
    user: str
    channel: str
    made_ms: int
    data: Json
    message: Json | None = None
    answer: Json | None = None
    original: str | None = None
    waiting: bool = False  # deferred, and nothing came yet
    follow_ups: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Form:
    """What is open on a user's screen."""

    body: Json
    channel: str
    message: Json | None


class Interactions:
    """Every interaction by id, and the form that each user has open."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[str, Interaction] = {}
        self.forms: dict[str, Form] = {}
        self._by_token: dict[str, Interaction] = {}

    def start(self, kind: int, user: str, channel: str, data: Json, message: Json | None = None) -> Interaction:
        """Make an interaction and send it to the bot."""
        world = self.world
        made = Interaction(
            id=world.clock.new_id(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            user=user,
            channel=channel,
            made_ms=world.clock.now_ms(),
            data=data,
            message=message,
        )
        self.known[made.id] = self._by_token[made.token] = made
        if not world.application["interactions_endpoint_url"]:
            world.emit("INTERACTION_CREATE", self._shown(made), channel=channel)
        return made

    def respond(self, made_id: str, token: str, payload: Json, uploads: list[Upload]) -> Json:
        """Take the callback and return its resource. Raises: `Problem` 10062 when late, 40060 when there was one."""
        made = self.known.get(made_id)
        if made is None or made.token != token or self._age_ms(made) > ANSWER_WITHIN_MS:
            raise Problem(10062)
        if made.answer is not None:
            raise Problem(40060)
        kind, data = int(payload["type"]), payload.get("data") or {}
        if kind not in ALLOWED[made.kind] or (kind == UPDATE and made.message is None):
            raise bad_form("type", "Invalid interaction callback type")
        stored = self._first_answer(made, kind, data, uploads)
        made.answer = {"type": kind, "data": data}
        about: Json = {"id": made.id, "type": made.kind}
        if stored is None:
            self.world.changed()
            return {"interaction": about}
        about |= {
            "response_message_id": stored["id"],
            "response_message_loading": made.waiting,
            "response_message_ephemeral": stored["id"] in self.world.hidden,
        }
        self.world.changed()
        if kind == DEFERRED:
            return {"interaction": about}
        return {"interaction": about, "resource": {"type": kind, "message": shapes.message(self.world, stored)}}

    def by_token(self, application: str, token: str) -> Interaction:
        """Return whose token it is. Raises: `Problem` 10015 for none or an unanswered one, 50027 after 15 minutes."""
        made = self._by_token.get(token)
        if made is None or application != APPLICATION or made.answer is None:
            raise Problem(10015)
        if self._age_ms(made) > TOKEN_LIVES_MS:
            raise Problem(50027)
        return made

    def message_of(self, made: Interaction, message: str) -> Json:
        """Return one of its answers, `@original` for the first. Raises: `Problem` 10008."""
        wanted = made.original if message == "@original" else message
        its_own = [made.original, *made.follow_ups, made.message["id"] if made.message else None]
        found = self.world.find(wanted) if wanted in its_own and wanted else None
        if found is None:
            raise Problem(10008)
        return found

    def edit(self, made: Interaction, message: str, payload: Json, uploads: list[Upload]) -> Json:
        stored = self.message_of(made, message)
        edited = messages.edit(self.world, stored, payload, uploads)
        if stored["id"] == made.original:
            made.waiting = False
        return edited

    def delete(self, made: Interaction, message: str) -> None:
        stored = self.message_of(made, message)
        if self.world.hidden.pop(stored["id"], None):
            self.world.changed()
        else:
            messages.remove(self.world, stored["channel_id"], [stored["id"]])

    def follow_up(self, made: Interaction, payload: Json, uploads: list[Upload]) -> Json:
        """Post a further answer; while a deferred answer waits, that one is filled instead and stays as private as it was."""
        if made.waiting:
            return self.edit(made, "@original", payload, uploads)
        stored = messages.compose(self.world, made.channel, APPLICATION, payload, uploads)
        self._publish(made, stored, payload, replies_to=made.original)
        made.follow_ups.append(stored["id"])
        return stored

    def thinking(self) -> list[Json]:
        """Return the deferred answers to which nothing came yet. Those whose token has expired say instead that it failed."""
        waiting = [each for each in self.known.values() if each.waiting and self._age_ms(each) <= TOKEN_LIVES_MS]
        return [found for each in waiting if each.original and (found := self.world.find(each.original))]

    def bot_is_in(self, channel: str) -> bool:
        """Whether the bot is where this is, or in a conversation with it; else people bring it along, as their own."""
        kind = self.world.channels[channel]["type"]
        return kind == 1 or (kind != GROUP and APPLICATION in self.world.members)

    def _first_answer(self, made: Interaction, kind: int, data: Json, uploads: list[Upload]) -> Json | None:
        world = self.world
        if kind == FORM:
            form = data | {"components": check_form(data)}
            self.forms[made.user] = Form(body=form, channel=made.channel, message=made.message)
        elif kind == CHOICES:
            if len(data.get("choices") or ()) > CHOICES_MAX:
                raise bad_form("data.choices", f"Must be {CHOICES_MAX} or fewer in length.")
        elif kind in (DEFERRED_UPDATE, UPDATE):
            if made.message is not None:
                made.original = made.message["id"]
                self.message_of(made, "@original")
                return messages.edit(world, made.message, data, uploads) if kind == UPDATE else None
        else:
            made.waiting = kind == DEFERRED
            if made.waiting:
                stored = messages.bare(world, made.channel, APPLICATION)
                stored["flags"] |= shapes.LOADING
            else:
                stored = messages.compose(world, made.channel, APPLICATION, data, uploads)
            kinds = {1: SLASH_ANSWER, 2: MENU_ANSWER, 3: MENU_ANSWER}
            stored["type"] = kinds[made.data["type"]] if made.kind == COMMAND else messages.DEFAULT
            self._publish(made, stored, data, replies_to=made.message["id"] if made.message else None)
            made.original = stored["id"]
            return stored
        return None

    def _publish(self, made: Interaction, stored: Json, payload: Json, *, replies_to: str | None) -> None:
        """Show an answer to its user alone (flag 64) or to the channel."""
        stored |= {"application_id": APPLICATION, "webhook_id": APPLICATION}
        stored["interaction_metadata"] = {
            "id": made.id,
            "type": made.kind,
            "user": self.world.users[made.user],
            "authorizing_integration_owners": {"0": self.world.guild["id"]},
        }
        if replies_to in self.world.messages[made.channel]:
            stored["type"] = messages.REPLY if stored["type"] == messages.DEFAULT else stored["type"]
            stored["message_reference"] = {"type": 0, "channel_id": made.channel, "message_id": replies_to}
        if int(payload.get("flags") or 0) & shapes.EPHEMERAL:
            stored["flags"] |= shapes.EPHEMERAL
            stored["_only"] = made.user
            self.world.hidden[stored["id"]] = stored
            self.world.changed()
        else:
            messages.post(self.world, stored)

    def _age_ms(self, made: Interaction) -> int:
        return self.world.clock.now_ms() - made.made_ms

    def _shown(self, made: Interaction) -> Json:
        world = self.world
        place = world.channels[made.channel]
        shown: Json = {
            "id": made.id,
            "application_id": APPLICATION,
            "type": made.kind,
            "token": made.token,
            "version": 1,
            "data": made.data,
            "channel": shapes.plain(place),
            "channel_id": made.channel,
            "app_permissions": str(allowed(world, APPLICATION, made.channel)),
            "attachment_size_limit": world.file_limit_bytes,
            "locale": "en-US",
            "entitlements": [],
        }
        if made.message is not None:
            shown["message"] = shapes.message(world, made.message)
        guild = world.guild["id"]
        owners = {"0": "0" if place["type"] == 1 else guild} if self.bot_is_in(made.channel) else {"1": made.user}
        if context := CONTEXTS.get(place["type"]):
            return shown | {"user": world.users[made.user], "context": context, "authorizing_integration_owners": owners}
        member = shapes.member(world, made.user) | {"permissions": str(allowed(world, made.user, made.channel))}
        shown |= {"guild_id": guild, "guild_locale": "en-US", "guild": {"id": guild, "locale": "en-US", "features": []}}
        return shown | {"member": member, "context": 0, "authorizing_integration_owners": owners}
