"""The optional TOML file beside the environment (`FLASHBULB_CONFIG`): which models answer which task, and what they cost.

[models.moderation]
models = ["gemini:gemini-3-flash-preview", "anthropic:claude-haiku-5-5"]

[prices."gemini-3-flash-preview"]
input = 0.50
output = 3.00
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.settings import Settings
from pipelines.errors import Misconfigured
from pipelines.models.profiles import Price, Profile, Profiles

# What pydantic found, in our words. The values in braces are its own: limits and alternatives, never what the file says.
_SAYS = {
    "value_error": "{error}",
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "tuple_type": "it must be a list in brackets",
    **dict.fromkeys(
        ("int_parsing", "int_type", "float_parsing", "float_type", "decimal_parsing", "decimal_type"), "it must be a number"
    ),
    **dict.fromkeys(("model_type", "model_attributes_type", "mapping_type", "dict_type"), "it must be a table"),
    "missing": "it is missing",
}


class Config(BaseModel):
    """What the file decides. Prices are US dollars per million tokens, by model id; they win over the bundled ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    models: Profiles = Profiles()
    prices: Mapping[str, Price] = Field(default_factory=dict)


def read_config(settings: Settings) -> Config:
    """Read the file that `settings` name; the default one may be missing.

    Raises: `Misconfigured` naming the line or table that is wrong.
    """
    path = settings.config_file
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        if settings.flashbulb_config is None:
            return Config()
        raise Misconfigured(f"FLASHBULB_CONFIG names {path}, which is not there. Leave it out, or write that file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read ({type(error).__name__}). It must be a TOML file in UTF-8.") from error
    try:
        return Config.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: this is not TOML. {error}.") from error
    except ValidationError as error:
        raise Misconfigured(f"{path}: {' '.join(_in_words(error, text))}") from None


def _in_words(error: ValidationError, text: str) -> Iterator[str]:
    for item in error.errors(include_url=False, include_input=False):
        steps = [str(step) for step in item["loc"]]
        yield f"{_place(steps, text)} {_what(item, steps)}"


def _what(item: Mapping[str, Any], steps: list[str]) -> str:
    if item["type"] == "extra_forbidden":
        known = _known_beside(steps)
        near = difflib.get_close_matches(steps[-1], known, n=1)
        return "does not exist. " + (f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.")
    return f"is wrong: {_SAYS.get(item['type'], 'this is not what belongs here').format(**item.get('ctx', {}))}."


def _known_beside(steps: list[str]) -> list[str]:
    """Return the names that could stand in place of the last of `steps`."""
    tables: dict[tuple[str, int], type[BaseModel]] = {("models", 2): Profiles, ("models", 3): Profile, ("prices", 3): Price}
    return list(tables.get((steps[0], len(steps)), Config).model_fields)


def _place(steps: list[str], text: str) -> str:
    """Return the table and the key as TOML writes them, after the line where one can be told."""
    table, key = steps[:2], steps[2] if len(steps) > 2 else ""
    header = f"[{'.'.join(map(_quoted, table))}]"
    line = _line_of(header, key, text.splitlines())
    return f"{f'line {line}, ' if line else ''}{header}{f' {key}' if key else ''}"


def _line_of(header: str, key: str, rows: list[str]) -> int | None:
    start = next((number for number, row in enumerate(rows, 1) if row.strip().startswith(header)), None)
    if not key or start is None:
        return start
    return next((n for n, row in enumerate(rows, 1) if n > start and re.match(rf"\s*{re.escape(key)}\s*=", row)), start)


def _quoted(step: str) -> str:
    return step if re.fullmatch(r"[\w-]+", step) else f'"{step}"'
