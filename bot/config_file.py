"""The optional TOML file beside the environment (`FLASHBULB_CONFIG`): which models answer which task, what they and making
cost, and how much may be spent.

[models.moderation]
models = ["gemini:gemini-3-flash-preview", "anthropic:claude-haiku-5-5"]

[prices."gemini-3-flash-preview"]
input = 0.50
output = 3.00

[modelslab.prices]
flux = 0.002

[budget]
member_per_day = 20
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.settings import Settings
from handlers.ports.generation import Budget
from pipelines.errors import Misconfigured
from pipelines.generation.catalogue import OFFERS
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
    "finite_number": "it must be a number",
    "missing": "it is missing",
}


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _made_with(name: str) -> str:
    if name not in OFFERS:
        near = difflib.get_close_matches(name, OFFERS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(OFFERS)}"
        raise ValueError(f"nothing is made with such a model. {hint}")
    return name


Dollars = Annotated[Decimal, Field(ge=0)]
Limit = Annotated[Decimal, Field(gt=0)]


class ModelsLabTable(Table):
    """How ModelsLab is used. `prices`: US dollars for one picture, clip or piece of sound; without one, none is known.

    `max_in_flight`: how many jobs of the account may exist at once: 5, 10 or 15, by its plan.
    Source: https://docs.modelslab.com/rate-limits
    """

    max_in_flight: int = Field(default=5, ge=1, le=15)
    prices: Mapping[Annotated[str, AfterValidator(_made_with)], Dollars] = Field(default_factory=dict)


class BudgetTable(Table):
    """What may be spent in a day (UTC). What is left out is without limit, save for what has a default.

    What has no price is counted, and neither limited in dollars nor confirmed. So the default limit is a number: 50 wishes are
    more than a person looks at in a day, and stop a script. Two seconds are shorter than any wish takes to write, and longer
    than a double click. Ten cents are what nobody should spend by a slip of the finger.
    """

    member_per_day_usd: Limit | None = None
    workspace_per_day_usd: Limit | None = None
    member_per_day: int = Field(default=50, ge=1)
    cool_down_s: float = Field(default=2, ge=0, le=3600, allow_inf_nan=False)
    confirm_above_usd: Dollars = Decimal("0.10")

    @property
    def budget(self) -> Budget:
        return Budget(
            member_usd=self.member_per_day_usd,
            workspace_usd=self.workspace_per_day_usd,
            member_wishes=self.member_per_day,
            cool_down_s=self.cool_down_s,
            confirm_above_usd=self.confirm_above_usd,
        )


class Config(Table):
    """What the file decides. `prices` are US dollars per million tokens, by model id; they win over the bundled ones."""

    models: Profiles = Profiles()
    prices: Mapping[str, Price] = Field(default_factory=dict)
    modelslab: ModelsLabTable = ModelsLabTable()
    budget: BudgetTable = BudgetTable()


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
    tables: dict[tuple[str, int], type[BaseModel]] = {
        ("models", 2): Profiles,
        ("models", 3): Profile,
        ("prices", 3): Price,
        ("modelslab", 2): ModelsLabTable,
        ("budget", 2): BudgetTable,
    }
    return list(tables.get((steps[0], len(steps)), Config).model_fields)


def _place(steps: list[str], text: str) -> str:
    """Return the table and the key as TOML writes them, after the line where one can be told."""
    deep = 1 if steps[0] in ("modelslab", "budget") and steps[1:2] != ["prices"] else 2
    table, key = steps[:deep], steps[deep] if len(steps) > deep else ""
    header = f"[{'.'.join(map(_quoted, table))}]"
    line = _line_of(header, key, text.splitlines())
    return f"{f'line {line}, ' if line else ''}{header}{f' {key}' if key else ''}"


def _line_of(header: str, key: str, rows: list[str]) -> int | None:
    start = next((number for number, row in enumerate(rows, 1) if row.strip().startswith(header)), None)
    if not key or start is None:
        return start
    return next((n for n, row in enumerate(rows, 1) if n > start and re.match(rf'\s*"?{re.escape(key)}"?\s*=', row)), start)


def _quoted(step: str) -> str:
    return step if re.fullmatch(r"[\w-]+", step) else f'"{step}"'
