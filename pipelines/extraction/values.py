"""What was taken out of a document, value by value: what it says, where it stands, and how far it can be trusted."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# Where a value was read: in the characters that the document holds, in its picture, in the e-invoice inside it, or a person
# typed it.
Source = Literal["text-layer", "vision", "embedded-xml", "correction"]
# Who gave it.
Way = Literal["embedded-xml", "first-look", "second-look", "bigger-model", "person"]
Confidence = Literal["low", "medium", "high"]

WAYS: Final[tuple[Way, ...]] = ("embedded-xml", "first-look", "second-look", "bigger-model", "person")

# [ymin, xmin, ymax, xmax], 0 to 1000 of the page as it is shown, from the upper left, as Gemini has them.
Box = Annotated[tuple[int, int, int, int], Field()]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Frozen):
    """One value. `raw` is how the document writes it, `value` the same in one notation for all documents.

    Amounts, numbers and percentages are decimal strings, dates ISO 8601, currencies ISO 4217, countries ISO 3166-1 alpha-2,
    phones begin with `+` where the country is known, IBANs and VAT ids have no blanks, ticks are `true` or `false`. `value` is
    None where `raw` cannot be read as what it should be. `currency` is that of an amount.

    `page` counts from 1 and is None where there are no pages. `quote` is the passage as it stands in the document; `box` is of
    the value in it, from the text layer, else the model's own claim. `grounded`: it was found there. `checks` names the checks
    that it took part in and that hold, `failed` those that do not. `notes` are sentences for people. `confidence` is computed
    from all this, never the model's own number. `readings` says what came of a further look; `conflict` is a sentence about
    another value that stands against this one.
    """

    value: str | None
    raw: str
    currency: str | None = None
    page: int | None = None
    quote: str = ""
    box: Box | None = None
    source: Source
    grounded: bool = False
    checks: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ambiguous: bool = False
    conflict: str = ""
    readings: Literal["single", "agree", "disagree"] = "single"
    way: Way = "first-look"
    confidence: Confidence = "low"

    @property
    def number(self) -> Decimal | None:
        """Return an amount, number or percentage; None where it is none."""
        try:
            return Decimal(self.value) if self.value is not None else None
        except ArithmeticError:
            return None

    @property
    def shown(self) -> str:
        """Return it for people, on one line: in the one notation, with its currency; as it is printed where that cannot be."""
        text = self.raw if self.value is None else f"{self.value} {self.currency or ''}"
        return " ".join(text.split())


class Check(_Frozen):
    """A rule that the values of a document keep or break. `says` is a sentence with the numbers.

    `hard`: documents that break it are wrong, or were misread; others may. `paths` are the values that took part, such as
    `gross_total` or `line_items[2].quantity`.
    """

    name: str
    holds: bool
    hard: bool
    says: str
    paths: tuple[str, ...] = ()


class Extraction(_Frozen):
    """What was taken out of one document.

    `schema_name` and `schema_version` say what was looked for, `looks_like` what it is: the name of a shipped schema, or empty;
    `country` is that of its issuer, ISO 3166-1 alpha-2, or empty.
    `fields` and `rows` hold what was found; `missing` are the paths of required fields that were not. `notes` are sentences
    about the document as a whole: pages that were not read, other documents in it. `ways` are those that were gone, in order.
    `engine` names the last model that was asked, `understudy` or `none`; `cost_usd` is what all of them cost, as far as prices
    are known.
    """

    schema_name: str
    schema_version: int = 1
    looks_like: str = ""
    country: str = ""
    fields: dict[str, Value] = Field(default_factory=dict)
    rows: dict[str, tuple[dict[str, Value], ...]] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    pages: int = 0
    pages_read: int = 0
    engine: str = "none"
    cost_usd: Decimal = Decimal(0)

    def each(self) -> Iterator[tuple[str, Value]]:
        """Yield every value with its path, such as `gross_total` or `line_items[2].quantity`."""
        yield from self.fields.items()
        for group, rows in self.rows.items():
            for at, row in enumerate(rows):
                yield from ((path_of(group, at, name), value) for name, value in row.items())

    @property
    def failed(self) -> tuple[Check, ...]:
        """Return the checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Return the paths of the values that a person should look at."""
        return tuple(path for path, value in self.each() if value.confidence == "low")


def path_of(group: str, row: int, name: str) -> str:
    """Return the path of a value in a row, which counts from 0."""
    return f"{group}[{row}].{name}"
