"""How people use the bot: commands, menus, buttons, forms."""

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.discord import interactions as kinds
from emulators.discord import options, shapes
from emulators.discord.components import BUTTON, INTERACTIVE, walk
from emulators.discord.interactions import CONTEXTS, Interactions
from emulators.discord.messages import Upload
from emulators.discord.permissions import BITS, PRIVATE, allowed, require
from emulators.discord.problems import Problem
from emulators.discord.state import World

Json = dict[str, Any]

SLASH, MESSAGE_MENU = 1, 3
FOR_ONESELF = 1  # a way to install an application


class Using:
    """Verbs that make interactions and return their ids. `LookupError`: the bot offers no such thing."""

    world: World
    interactions: Interactions

    async def command(
        self,
        channel: str,
        user: str,
        name: str,
        text: str = "",
        files: Sequence[Upload] = (),
        thread: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> str:
        """Use a slash command; a subcommand is named after a space. `values` gives options by name."""
        place = thread or channel
        first, *path = name.split()
        command = self._offered(first, SLASH, user, place)
        data = options.command_data(self.world, command, path, text, files, values or {})
        return self.interactions.start(kinds.COMMAND, user, place, data).id

    async def autocomplete(self, channel: str, user: str, name: str, option: str, text: str = "") -> str:
        """Type into an option of a command; `answer` has the choices."""
        first, *path = name.split()
        command = self._offered(first, SLASH, user, channel)
        typed: list[Json] = [{"name": option, "type": options.STRING, "value": text, "focused": True}]
        for step in reversed(path):
            typed = [{"name": step, "type": options.SUBCOMMAND, "options": typed}]
        data = {"id": command["id"], "name": first, "type": SLASH, "options": typed}
        return self.interactions.start(kinds.AUTOCOMPLETE, user, channel, data).id

    async def shortcut(self, channel: str, user: str, message: str, name: str) -> str:
        """Choose an entry of a message's menu."""
        command = self._offered(name, MESSAGE_MENU, user, channel)
        if message not in self.world.messages.get(channel, {}):
            raise Problem(10008)
        target = shapes.message(self.world, self.world.messages[channel][message])
        data: Json = {"id": command["id"], "name": name, "type": MESSAGE_MENU, "target_id": message}
        data["resolved"] = {"messages": {message: target}}
        return self.interactions.start(kinds.COMMAND, user, channel, data).id

    async def press(self, channel: str, message: str, user: str, button_id: str) -> str:
        """Press a button of a message."""
        stored, button = self._component(channel, message, user, button_id)
        if button["type"] != BUTTON:
            raise LookupError(f"{button_id} is no button")
        data = {"custom_id": button_id, "component_type": BUTTON, "id": button["id"]}
        return self.interactions.start(kinds.COMPONENT, user, channel, data, stored).id

    async def choose(self, channel: str, message: str, user: str, menu_id: str, values: Sequence[str]) -> str:
        """Choose from a menu of a message."""
        stored, menu = self._component(channel, message, user, menu_id)
        resolved = options.Resolved(self.world)
        data = {"custom_id": menu_id, "component_type": menu["type"], "id": menu["id"]}
        data["values"] = options.select(menu, list(values), resolved)
        return self.interactions.start(kinds.COMPONENT, user, channel, resolved.into(data), stored).id

    async def form(self, user: str) -> Json | None:
        """Return the form that is open for a user: custom_id, title, components."""
        opened = self.interactions.forms.get(user)
        return dict(opened.body) if opened else None

    async def submit(self, user: str, form: str, values: Mapping[str, Any]) -> str:
        """Fill in the open form and send it. `values` goes by custom id: a text, a list of choices, a list of files."""
        opened = self.interactions.forms.get(user)
        if opened is None or opened.body["custom_id"] != form:
            raise LookupError(f"no form {form} is open for {user}")
        data = options.form_data(self.world, opened.body, values)
        del self.interactions.forms[user]
        return self.interactions.start(kinds.SUBMITTED, user, opened.channel, data, opened.message).id

    async def answer(self, interaction: str) -> Json | None:
        """Return what the bot's first answer was: its `type` and `data`, and the message as it is now; None before it came."""
        made = self.interactions.known[interaction]
        if made.answer is None:
            return None
        stored = self.world.find(made.original) if made.original else None
        return made.answer | ({"message": shapes.message(self.world, stored)} if stored else {})

    async def thinking(self) -> list[Json]:
        """Return the answers that people still see as "Flashbulb is thinking…", oldest first."""
        found = self.interactions.thinking()
        return [shapes.message(self.world, each) for each in found]

    def _offered(self, name: str, kind: int, user: str, channel: str) -> Json:
        world = self.world
        if channel not in world.channels:
            raise Problem(10003)
        place = world.channels[channel]["type"]
        registered = [each for guild in (world.guild["id"], None) for each in world.commands.get(guild, ())]
        command = next((each for each in registered if each["name"] == name and each["type"] == kind), None)
        if command is None:
            raise LookupError(f"the bot registered no {name}; there are {', '.join(each['name'] for each in registered)}")
        contexts = command.get("contexts")
        if place in PRIVATE and contexts is not None and CONTEXTS[place] not in contexts:
            raise LookupError(f"{name} is not offered in direct messages of this kind")
        if not self.interactions.bot_is_in(channel) and FOR_ONESELF not in (command.get("integration_types") or ()):
            raise LookupError(f"{name} is not offered where the bot is not")
        if place not in PRIVATE:
            require(world, user, "use_application_commands", channel=channel)
            wanted = command.get("default_member_permissions")
            needed = 0 if wanted is None else int(wanted) or BITS["administrator"]
            if allowed(world, user, channel) & needed != needed:
                raise Problem(50013)
        return command

    def _component(self, channel: str, message: str, user: str, custom_id: str) -> tuple[Json, Json]:
        stored = self.world.hidden.get(message) or self.world.messages.get(channel, {}).get(message)
        if stored is None or stored.get("_only", user) != user:
            raise Problem(10008)
        for each in walk(stored["components"]):
            if each["type"] in INTERACTIVE and each.get("custom_id") == custom_id:
                if each.get("disabled"):
                    raise LookupError(f"{custom_id} is disabled")
                return stored, each
        raise LookupError(f"the message has no {custom_id}")
