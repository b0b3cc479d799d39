"""Forms: what opens to ask a person for more. Opening one changes nothing and asks no model."""

from typing import Literal

from pydantic import Field

from handlers.events import Frozen


class FormField(Frozen):
    """One question. `lines`: a text of several lines; `choice`: one of `options` (value, label)."""

    name: str
    label: str
    control: Literal["line", "lines", "choice"] = "line"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    max_chars: int = Field(default=200, le=3000)
    hint: str = ""


class Form(Frozen):
    """A dialog. `about` comes back unchanged in the `FormSubmitted` event."""

    name: str
    title: str
    fields: tuple[FormField, ...]
    submit: str
    about: str = ""
