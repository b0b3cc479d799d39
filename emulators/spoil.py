"""How an emulated model spoils its answer: from the right text to a wrong one.

Each function takes the answer's text and its schema, where one was sent. It raises `CannotSpoil` where the answer holds
nothing of the kind that it spoils, so that no test passes because its fault did nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Spoiler = Callable[[str, Schema], str]


class CannotSpoil(Exception):
    """The answer holds nothing of the kind that the fault spoils; the message says what was missing."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value inside an answer, which can be replaced. `schema` is empty where none describes the value."""

    holder: Any
    key: str | int
    schema: Schema

    @property
    def value(self) -> Any:
        return self.holder[self.key]


def leaves(value: Any, schema: Schema, root: Schema) -> Iterator[Leaf]:
    """Yield every value inside `value` with its schema, outer ones first."""
    schema = _resolved(schema, root)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        inner = [(key, properties.get(key, {})) for key in value]
    elif isinstance(value, list):
        inner = [(index, schema.get("items", {})) for index in range(len(value))]
    else:
        return
    for key, described in inner:
        yield Leaf(value, key, _resolved(described, root))
        yield from leaves(value[key], described, root)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow references, and take the one alternative of an `anyOf` that is not null."""
    if reference := schema.get("$ref"):
        return _resolved(root.get("$defs", {}).get(str(reference).rsplit("/", 1)[-1], {}), root)
    others = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return _resolved(others[0], root) if others else schema


def always(text: str) -> Spoiler:
    """Write `text` whatever the answer is."""
    return lambda _answer, _schema: text


def around(before: str, after: str = "") -> Spoiler:
    """Write the answer between `before` and `after`."""
    return lambda answer, _schema: f"{before}{answer}{after}"


def replaced(wanted: Callable[[Leaf], bool], by: Any, *, what: str) -> Spoiler:
    """Replace the first value that is `wanted`."""

    def spoil(answer: str, schema: Schema) -> str:
        value = _parsed(answer)
        for leaf in leaves(value, schema, schema):
            if wanted(leaf):
                leaf.holder[leaf.key] = by
                return json.dumps(value)
        raise CannotSpoil(f"the answer holds no {what}")

    return spoil


def field_missing(answer: str, _schema: Schema) -> str:
    """Leave out the first field of the first object inside the answer, else of the answer itself."""
    value = _parsed(answer)
    inner = [leaf.value for leaf in leaves(value, {}, {}) if isinstance(leaf.value, dict) and leaf.value]
    outer = inner[0] if inner else value
    if not isinstance(outer, dict) or not outer:
        raise CannotSpoil("the answer is not an object with fields")
    del outer[next(iter(outer))]
    return json.dumps(value)


def item_missing(answer: str, _schema: Schema) -> str:
    """Leave out the last item of the first list inside the answer."""
    value = _parsed(answer)
    for leaf in leaves(value, {}, {}):
        if isinstance(leaf.value, list) and leaf.value:
            leaf.value.pop()
            return json.dumps(value)
    raise CannotSpoil("the answer holds no list with items")


def nothing_found(answer: str, _schema: Schema) -> str:
    """Set every whole number to 0, as a model does that was talked into finding nothing."""
    value = _parsed(answer)
    numbers = [leaf for leaf in leaves(value, {}, {}) if is_whole(leaf)]
    if not numbers:
        raise CannotSpoil("the answer holds no whole number")
    for leaf in numbers:
        leaf.holder[leaf.key] = 0
    return json.dumps(value)


def is_whole(leaf: Leaf) -> bool:
    return isinstance(leaf.value, int) and not isinstance(leaf.value, bool)


def is_fraction(leaf: Leaf) -> bool:
    """Tell a number that may be fractional: by its schema, else because it is."""
    if "type" in leaf.schema:
        return bool(leaf.schema["type"] == "number")
    return isinstance(leaf.value, float)


def is_choice(leaf: Leaf) -> bool:
    return isinstance(leaf.value, str) and ("enum" in leaf.schema or "const" in leaf.schema)


def is_nonce(leaf: Leaf) -> bool:
    return leaf.key == "nonce"


def _parsed(answer: str) -> Any:
    try:
        return json.loads(answer)
    except json.JSONDecodeError:
        raise CannotSpoil("the answer is not JSON") from None
