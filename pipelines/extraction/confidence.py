"""How far a value can be trusted: computed from where it was found and what confirms it, never a model's own number."""

from collections.abc import Sequence
from typing import Final

from pipelines.extraction.checks import BOUNDS
from pipelines.extraction.ground import NOT_THERE
from pipelines.extraction.schema import FieldType, SchemaField
from pipelines.extraction.values import Check, Confidence, Value

# A wrong one looks as good as the right one, so that being found on the page is not enough.
_TO_CONFIRM: Final[frozenset[FieldType]] = frozenset({"amount", "number", "percent", "date"})


def graded(value: Value, *, field: SchemaField, checks: Sequence[Check]) -> Value:
    """Return the value with the checks it took part in, which are `checks`, and its confidence. The first fitting rule decides:

    | The value | confidence |
    | --- | --- |
    | was typed by a person | high |
    | cannot be read as what it should be, or in two ways | low |
    | has another value standing against it, or two looks differ | low |
    | breaks a hard check | low |
    | comes from the e-invoice in the file, breaks no check | high |
    | is not in the text of a page that has text | low |
    | is in a picture only, and neither a check nor another look confirms it | low |
    | is in a picture only | medium |
    | breaks a soft check | medium |
    | is an amount, number, percentage or date that neither a check nor another look confirms | medium |
    | is found in the text | high |

    A check confirms when it holds and a wrong value would hardly keep it, unlike bounds such as `to pay ≤ total`. None does
    for dates: those of order, delivery and invoice are in order whichever is taken for which, each with a label beside it.
    """
    mine = {
        "checks": tuple(dict.fromkeys(each.name for each in checks if each.holds)),
        "failed": tuple(dict.fromkeys(each.name for each in checks if not each.holds)),
    }
    return value.model_copy(update={**mine, "confidence": _confidence(value, field, checks)})


def _confidence(value: Value, field: SchemaField, checks: Sequence[Check]) -> Confidence:
    if value.source == "correction":
        return "high"
    if value.value is None or value.ambiguous or value.conflict or value.readings == "disagree":
        return "low"
    broken = [each for each in checks if not each.holds]
    if any(each.hard for each in broken):
        return "low"
    if value.source == "embedded-xml":
        return "medium" if broken else "high"
    confirmed = value.readings == "agree" or any(each.holds and each.name not in BOUNDS for each in checks)
    if not value.grounded:
        return "medium" if confirmed and NOT_THERE not in value.notes else "low"
    if broken or (field.type in _TO_CONFIRM and not confirmed):
        return "medium"
    return "high"
