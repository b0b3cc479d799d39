"""What a person types into a command or a form, as the interaction's data carries it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emulators.discord import components as kinds
from emulators.discord import shapes
from emulators.discord.messages import Upload
from emulators.discord.state import APPLICATION, World

Json = dict[str, Any]

SUBCOMMAND, SUBCOMMAND_GROUP, STRING, USER, CHANNEL, ROLE, MENTIONABLE, FILE = 1, 2, 3, 6, 7, 8, 9, 11
_SELECTED = {
    kinds.USER_SELECT: USER,
    kinds.CHANNEL_SELECT: CHANNEL,
    kinds.ROLE_SELECT: ROLE,
    kinds.MENTIONABLE_SELECT: MENTIONABLE,
}


class Resolved:
    """The things that values name: users, channels, roles, files."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.found: dict[str, Json] = {}

    def file(self, upload: Upload) -> str:
        """Keep an uploaded file and return its id."""
        name, data = upload
        folder = f"ephemeral-attachments/{APPLICATION}"
        kept = shapes.attachment(self.world, self.world.files.keep(name, data, folder=folder)) | {"ephemeral": True}
        self.found.setdefault("attachments", {})[kept["id"]] = kept
        return str(kept["id"])

    def name(self, kind: int, value: str) -> None:
        """Describe what an id of this option type stands for."""
        world = self.world
        if kind in (USER, MENTIONABLE) and value in world.users:
            self.found.setdefault("users", {})[value] = world.users[value]
            if value in world.members:
                self.found.setdefault("members", {})[value] = world.members[value] | {"permissions": "0"}
        elif kind in (ROLE, MENTIONABLE):
            self.found.setdefault("roles", {})[value] = world.roles[value]
        elif kind == CHANNEL:
            place = shapes.plain(world.channels[value])
            self.found.setdefault("channels", {})[value] = place | {"permissions": "0"}

    def into(self, data: Json) -> Json:
        return data | ({"resolved": self.found} if self.found else {})


def command_data(
    world: World, command: Json, path: Sequence[str], text: str, files: Sequence[Upload], values: Mapping[str, Any]
) -> Json:
    """Return the data of a slash command. `text` fills the first text option that `values` leaves, `files` the file options.

    Raises: `ValueError` where the command has no such option or needs another.
    """
    resolved = Resolved(world)
    specs: list[Json] = command.get("options") or []
    chosen: list[Json] = []
    for step in path:
        spec = next((each for each in specs if each["name"] == step and each["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)), None)
        if spec is None:
            raise ValueError(f"/{command['name']} has no subcommand {step}")
        chosen.append({"name": step, "type": spec["type"]})
        specs = spec.get("options") or []
    if any(each["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for each in specs):
        raise ValueError(f"/{command['name']} needs a subcommand")
    options = list(_filled(specs, text, list(files), dict(values), resolved))
    for outer in reversed(chosen):
        options = [outer | {"options": options}]
    data = {"id": command["id"], "name": command["name"], "type": 1, "options": options}
    return resolved.into(data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {}))


def _filled(specs: list[Json], text: str, files: list[Upload], values: dict[str, Any], resolved: Resolved) -> Iterator[Json]:
    for spec in specs:
        name, kind = spec["name"], spec["type"]
        value = values.pop(name, None)
        if value is None and kind == STRING and text:
            value, text = text, ""
        if kind == FILE and value is None and files:
            value = files.pop(0)
        if value is None:
            if spec.get("required"):
                raise ValueError(f"the option {name} is required")
            continue
        if spec.get("choices") and value not in [each["value"] for each in spec["choices"]]:
            raise ValueError(f"{value!r} is no choice of the option {name}")
        if kind == FILE:
            value = resolved.file(value)
        elif kind in (USER, CHANNEL, ROLE, MENTIONABLE):
            resolved.name(kind, value)
        yield {"name": name, "type": kind, "value": value}
    if text or files or values:
        raise ValueError("the command has no option for all of this")


def form_data(world: World, form: Json, values: Mapping[str, Any]) -> Json:
    """Return the data of a submitted form. `values` goes by custom id; what is left out keeps what the form shows.

    Raises: `ValueError` where something required is empty or the form has no such field.
    """
    resolved, left = Resolved(world), dict(values)
    answered: list[Json] = []
    for each in form["components"]:
        shell: Json = {"type": each["type"], "id": each["id"]}
        if each["type"] == kinds.LABEL:
            shell["component"] = _field(each["component"], left, resolved)
        elif each["type"] == kinds.ROW:
            shell["components"] = [_field(inner, left, resolved) for inner in each["components"]]
        answered.append(shell)
    if left:
        raise ValueError(f"the form has no field {', '.join(left)}")
    return resolved.into({"custom_id": form["custom_id"], "components": answered})


def _field(spec: Json, values: dict[str, Any], resolved: Resolved) -> Json:
    kind, name = spec["type"], spec["custom_id"]
    field: Json = {"type": kind, "id": spec["id"], "custom_id": name}
    shown = [option["value"] for option in spec.get("options", ()) if option.get("default")]
    shown += [each["id"] for each in spec.get("default_values", ())]
    value: Any
    if kind == kinds.TEXT_INPUT:
        value = field["value"] = values.pop(name, spec.get("value") or "")
        if value and not (spec.get("min_length") or 0) <= len(value) <= (spec.get("max_length") or kinds.INPUT_MAX):
            raise ValueError(f"the text of {name} is too short or too long")
    elif kind == kinds.CHECKBOX:
        value = field["value"] = values.pop(name, bool(spec.get("default")))
        return field
    elif kind == kinds.RADIO:
        value = field["value"] = values.pop(name, shown[0] if shown else None)
    elif kind == kinds.UPLOAD:
        value = field["values"] = [resolved.file(each) for each in values.pop(name, ())]
    else:
        value = field["values"] = select(spec, values.pop(name, shown), resolved)
    if not value and spec.get("required", True):
        raise ValueError(f"the field {name} is required")
    return field


def select(spec: Json, values: list[str], resolved: Resolved) -> list[str]:
    """Return the checked choice of a menu."""
    offered = [each["value"] for each in spec.get("options", ())]
    if spec["type"] in (kinds.SELECT, kinds.CHECKBOXES) and set(values) - set(offered):
        raise ValueError(f"{spec['custom_id']} offers only {', '.join(offered)}")
    if len(values) > (spec.get("max_values") or (len(offered) if spec["type"] == kinds.CHECKBOXES else 1)):
        raise ValueError(f"{spec['custom_id']} takes fewer values")
    for value in values:
        if kind := _SELECTED.get(spec["type"]):
            resolved.name(kind, value)
    return list(values)
