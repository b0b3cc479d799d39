"""Forms as Slack's modals, and what comes back from them."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from pydantic import BaseModel, ConfigDict, Field

from handlers.events import Frozen, Place
from handlers.forms import WATCHED_MAX, Form, FormField

Json = dict[str, Any]

# Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
INPUT_MAX: Final = 3_000
# Source: https://docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_MAX: Final = 75
# The action of the one element in each question's block.
ANSWER: Final = "answer"


class Carried(Frozen):
    """What a modal brings back unchanged, in its `private_metadata` (at most 3000 characters)."""

    about: str
    place: Place


class _Option(BaseModel):
    value: str


class _Answered(BaseModel):
    """The state of one question; which field is set depends on its element."""

    model_config = ConfigDict(hide_input_in_errors=True)

    value: str | None = None
    selected_option: _Option | None = None
    selected_conversation: str | None = None
    selected_conversations: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        chosen = self.selected_option.value if self.selected_option else None
        return self.value or chosen or self.selected_conversation or " ".join(self.selected_conversations)


class _State(BaseModel):
    values: dict[str, dict[str, _Answered]] = Field(default_factory=dict)


class _View(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    callback_id: str
    private_metadata: str
    state: _State


def view(form: Form, place: Place) -> Json:
    """Return a form as a modal. `place` comes back with it: what a modal sends says nothing about where it was opened."""
    return {
        "type": "modal",
        "callback_id": form.name,
        "private_metadata": Carried(about=form.about, place=place).model_dump_json(),
        "title": _plain(form.title),
        "submit": _plain(form.submit),
        "close": _plain("Cancel"),
        "blocks": [_question(field) for field in form.fields],
    }


def read(submitted: Mapping[str, Any]) -> tuple[str, str, Place, dict[str, str]]:
    """Return (form, about, place, values) of a submitted modal; the values are not checked.

    Raises: `ValidationError` when it is none of ours.
    """
    got = _View.model_validate(submitted)
    carried = Carried.model_validate_json(got.private_metadata)
    values = {name: answered[ANSWER].words for name, answered in got.state.values.items() if ANSWER in answered}
    return got.callback_id, carried.about, carried.place, values


def _question(field: FormField) -> Json:
    block = {"type": "input", "block_id": field.name, "label": _plain(field.label), "optional": not field.required}
    hint = {"hint": _plain(field.hint)} if field.hint else {}
    return block | hint | {"element": {"action_id": ANSWER} | _element(field)}


def _element(field: FormField) -> Json:
    # Both menus of channels know private ones, of which the person sees those that they are in.
    only_channels = {"include": ["public", "private"], "exclude_bot_users": True}
    match field.control:
        case "line" | "lines":
            lines = {"multiline": field.control == "lines", "max_length": min(field.max_chars, INPUT_MAX)}
            return {"type": "plain_text_input"} | lines | _initially("initial_value", field.value)
        case "choice":
            options = [{"text": _plain(label[:OPTION_MAX]), "value": value} for value, label in field.options]
            chosen = next((option for option in options if option["value"] == field.value), None)
            return {"type": "static_select", "options": options} | _initially("initial_option", chosen)
        case "channel":
            menu: Json = {"type": "conversations_select", "filter": only_channels}
            return menu | _initially("initial_conversation", field.value)
        case "channels":
            menus: Json = {"type": "multi_conversations_select", "filter": only_channels, "max_selected_items": WATCHED_MAX}
            return menus | _initially("initial_conversations", field.value.split())
        case _:
            assert_never(field.control)


def _initially(name: str, value: object) -> Json:
    return {name: value} if value else {}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}
