"""Texts in YAML that people write: read into a model, with errors that name the key and the line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.errors import Misconfigured

TEXT_BYTES: Final = 64 * 1024  # ten times the longest text that is shipped
ERRORS_SAID: Final = 5  # at a time; more are counted

Shape = TypeVar("Shape", bound=BaseModel)
Step = str | int
# Says what is wrong, from pydantic's error and the path of keys, in words of its own subject; None: there are none for it.
Explain = Callable[[Any, Sequence[Step]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a text: its line, from 1 (0: the whole is meant), the path of its key, and a sentence."""

    line: int
    key: str = ""
    says: str


class WrongText(Misconfigured):
    """A text that says something else than it should; `problems` are all that were found, by line."""

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


def read_text(path: Path) -> str:
    """Return what stands in a file of YAML.

    Raises: `Misconfigured` naming the file.
    """
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the name
        raise Misconfigured(f"{path} cannot be read: {type(error).__name__}. Name a YAML file.") from error


def parse_as(shape: type[Shape], text: str, *, source: str, begins: str, explain: Explain = lambda _item, _at: None) -> Shape:
    """Read YAML into `shape`. `begins` says what it should have been where it is something else.

    Raises: `WrongText` naming the lines and keys that are wrong.
    """
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise _whole(source, f"this is longer than {TEXT_BYTES // 1024} KiB. Make it shorter.")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        data = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise _whole(source, f"{_reason(error)}.", line=error.problem_mark.line + 1 if error.problem_mark else 0) from error
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _whole(source, "this is not YAML (a character that it may not hold).", line=line) from error
    except (ValueError, OverflowError) as error:  # a date or number that cannot be one
        raise _whole(source, "it holds a date or number that cannot be one. Put it in quotes.") from error
    except RecursionError as error:
        raise _whole(source, "this is nested too deeply.") from error
    if not isinstance(data, dict):
        raise _whole(source, f"{begins}. Copy one that is shipped.")
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        problems = sorted(_problems(error, shape, root, explain), key=lambda each: each.line)
        raise WrongText(f"{source}, {_in_words(problems)}", problems) from error


class _Loader(yaml.SafeLoader):
    """YAML without what makes a policy hard to read or dangerous to load: no aliases, and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _NotTaken(problem="aliases (`*name`) are not taken: write out what is meant", problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            seen = set[str]()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise _NotTaken(problem=f"{key.value} stands here twice: leave one", problem_mark=key.start_mark)
                seen.add(str(key.value))
        return node


class _NotTaken(yaml.MarkedYAMLError):
    """What would be YAML and is refused all the same."""


def _reason(error: yaml.MarkedYAMLError) -> str:
    return str(error.problem) if isinstance(error, _NotTaken) else f"this is not YAML ({error.problem or 'cannot be read'})"


def _whole(source: str, says: str, *, line: int = 0) -> WrongText:
    """Return the error of a text that could not be read any further."""
    where = f", line {line}" if line else ""
    return WrongText(f"{source}{where}: {says}", (Problem(line=line, says=says),))


def _problems(error: ValidationError, shape: type[BaseModel], root: yaml.Node | None, explain: Explain) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        at = tuple(step for step in (*item["loc"], *item.get("ctx", {}).get("at", ())) if step != "[key]")
        what = explain(item, at) or _what(item, at, shape)
        says = what if what.endswith("?") else f"{what}."
        yield Problem(line=_line_of(root, at), key=".".join(map(str, at)), says=says)


def _in_words(problems: Sequence[Problem]) -> str:
    sentences = [f"line {each.line}: {each.key or 'the whole'}: {each.says}" for each in problems[:ERRORS_SAID]]
    more = f" And {len(problems) - ERRORS_SAID} more." if len(problems) > ERRORS_SAID else ""
    return " ".join(sentences) + more


def _what(item: Any, at: Sequence[Step], shape: type[BaseModel]) -> str:
    """Say what is wrong in words of YAML, where pydantic's are those of Python."""
    match item["type"]:
        case "extra_forbidden":
            return f"there is no such key{near(str(at[-1]) if at else '', _keys(annotation_at(at[:-1], shape)))}"
        case "string_pattern_mismatch":
            return "must be small letters, digits and _, a letter first"
        case "missing":
            return "this key is missing"
        case "model_type" | "dict_type":
            return "must be a mapping of keys"
        case "tuple_type":
            return "must be a list, such as [a, b]"
        case "string_type":
            return "must be a text; put it in quotes"
        case "value_error":
            return str(item["msg"]).removeprefix("Value error, ")
        case _:
            return str(item["msg"]).replace("Input should be", "must be")


def near(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def annotation_at(at: Sequence[Step], shape: type[BaseModel]) -> Any:
    """Return the type of what may stand at a key."""
    annotation: Any = shape
    for step in at:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(step))
            annotation = field.annotation if field else None
        else:
            inner = get_args(annotation)
            annotation = inner[-1 if get_origin(annotation) is dict else 0] if inner else None
        if get_origin(annotation) is UnionType:  # `Strikes | None`
            annotation = get_args(annotation)[0]
    return annotation


def _keys(annotation: Any) -> tuple[str, ...]:
    return tuple(annotation.model_fields) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else ()


def _line_of(node: yaml.Node | None, at: Sequence[Step]) -> int:
    """Return the line of the last key of `at` that is there."""
    line = 1
    for step in at:
        match node:
            case yaml.MappingNode(value=pairs):
                found = next(((key, value) for key, value in pairs if key.value == str(step)), None)
                if found is None:
                    return line
                line, node = found[0].start_mark.line + 1, found[1]
            case yaml.SequenceNode(value=items) if isinstance(step, int) and step < len(items):
                node = items[step]
                line = node.start_mark.line + 1
            case _:
                return line
    return line
