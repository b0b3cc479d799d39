"""The options of `/imagine` and `/remix`, and the one line that they come to, as somebody writes it who knows the flags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pipelines.generation.styles import STYLES
from pipelines.generation.wish import ASPECTS, AVOID_CHARS, COUNT_MAX, WISH_CHARS
from pipelines.limits import COMMAND_CHARS

Option = Mapping[str, Any]

# Types of options. Source: https://docs.discord.com/developers/interactions/application-commands
STRING, ATTACHMENT = 3, 11
MODEL_CHARS: Final = 64

# By command, the flag of each option, in the order of the line; those without a flag are the words themselves. What is to be
# avoided comes last, since those words go on to the next flag.
FLAGS: Final[dict[str, dict[str, str]]] = {
    "imagine": {
        "wish": "",
        "kind": "--kind",
        "aspect": "--ar",
        "count": "--count",
        "style": "--style",
        "model": "--model",
        "seed": "--seed",
        "show": "--show",
        "avoid": "--no",
    },
    "remix": {"change": "", "address": "", "as": "--as", "strength": "--strength"},
}
SWITCHES: Final = frozenset({"show"})  # flags without a value
SENTENCES: Final = frozenset({"wish", "change", "avoid"})  # whose value is many words


def flagged(command: str, options: Sequence[Option]) -> str:
    """Return the line that options come to."""
    values = {str(each["name"]): str(each["value"]).strip() for each in options if each["type"] == STRING}
    return " ".join(
        part for name, flag in FLAGS[command].items() if values.get(name) for part in _said(name, flag, values[name])
    )


def _said(name: str, flag: str, value: str) -> Iterable[str]:
    if flag:
        yield flag
    if name not in SWITCHES:
        yield value if name in SENTENCES else "-".join(value.split())  # a second word would become one of the wish


def _text(name: str, description: str, most: int) -> Option:
    return {"type": STRING, "name": name, "description": description, "max_length": most}


def _choice(name: str, description: str, choices: Iterable[tuple[str, str]]) -> Option:
    offered = [{"name": label, "value": value} for value, label in choices]
    return {"type": STRING, "name": name, "description": description, "choices": offered}


IMAGINE: Final = (
    _text("wish", "What you wish for; without it, a form opens", WISH_CHARS),
    _choice("aspect", "The format: wide or high", [(each, each) for each in ASPECTS]),
    _choice("style", "How it shall look", [(each.name, each.title) for each in STYLES]),
    _choice("count", "How many", [(str(each), str(each)) for each in range(1, COUNT_MAX + 1)]),
    _choice(
        "kind",
        "What shall be made; without it, a picture",
        [("image", "Picture"), ("video", "Video"), ("music", "Music"), ("voice", "Speech")],
    ),
    _text("model", "The name of a model that makes it", MODEL_CHARS),
    _text("seed", "A number: the same one makes nearly the same picture again", 10),
    _text("avoid", "What shall not be seen", AVOID_CHARS),
    _choice("show", "See the prompt before anything is made", [("yes", "Yes")]),
)
REMIX: Final = (
    _text("change", "In which style, or what shall change", WISH_CHARS),
    _choice(
        "as",
        "What to do with the picture",
        [
            ("restyle", "Redraw it in another style"),
            ("inspire", "Make a new one like it"),
            ("edit", "Change something in it"),
            ("upscale", "Make it larger"),
            ("cutout", "Remove the background"),
            ("animate", "Make a clip of it"),
        ],
    ),
    _choice("strength", "How much may change", [("subtle", "A little"), ("medium", "Some"), ("strong", "A lot")]),
    {"type": ATTACHMENT, "name": "file", "description": "A picture to begin with instead of the newest one here"},
    _text("address", "Where on the internet a picture lies, or the link of a message", COMMAND_CHARS),
)
