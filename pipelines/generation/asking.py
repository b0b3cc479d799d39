"""A member's words to a wish, and back: what to make, with options anywhere between, such as `--ar 16:9`."""

import re
import unicodedata
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NoReturn, get_args

from pipelines.errors import UserError
from pipelines.generation.brief import with_avoided
from pipelines.generation.languages import language_named
from pipelines.generation.styles import style_named
from pipelines.generation.wish import (
    ASPECTS,
    AVOID_CHARS,
    COUNT_MAX,
    FORMATTED,
    SECONDS_MAX,
    SEED_MAX,
    WISH_CHARS,
    WORDLESS,
    MediaKind,
    Operation,
    Strength,
    Wish,
    prompt_chars,
)

# What members may name after `--as`; all of it begins with a picture. `vary` has buttons only.
NAMED: Final[tuple[Operation, ...]] = ("restyle", "inspire", "edit", "upscale", "cutout", "animate")

_KINDS: Final[tuple[MediaKind, ...]] = get_args(MediaKind)
_STRENGTHS: Final[tuple[Strength, ...]] = get_args(Strength)
_SHAPES: Final = {"wide": "16:9", "tall": "9:16", "square": "1:1"}
_ALIASES: Final = {"aspect": "ar", "n": "count"}
_SWITCHES: Final = {"show": "show_first", "raw": "as_written"}
_OPTIONS_CHARS: Final = 500  # more than all options together need, apart from the words of --no

_DASH: Final = r"[\u2012-\u2015\u2212]"
# What a phone makes of two hyphens: one dash, sometimes two. As a dash also stands between words, only what is the name of an
# option counts after it.
_OPTION: Final = re.compile(rf"(--|{_DASH}{{1,2}})(\w[\w-]*)(.*)", re.DOTALL)
_TRAILING: Final = ",;."
_NEWLINES: Final = re.compile(r"\s*\n\s*")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")

# --- What plain words mean, where no option says it ---------------------------------------------------------------------------

_KIND: Final = re.compile(
    rf"\A\s*kind:\s*({'|'.join(_KINDS)})[,;.]?(?=\s|\Z)|(?:\A|(?<=\s))kind:\s*({'|'.join(_KINDS)})[.]?\s*\Z", re.IGNORECASE
)
_THIS: Final = r" (?:it|this|that|(?:the|this|that) (?:picture|image|photo))"
_LARGER: Final = rf"(?:upscale|enlarge)(?:{_THIS})?(?: (?:by )?[24] ?x?)?|make(?:{_THIS})? (?:bigger|larger)|higher resolution"
_CUT_OUT: Final = (
    r"cut ?out|(?:remove|delete|erase|cut out|take away) (?:the |its )?background|background removal|no background"
    r"|(?:make )?(?:the |a )?(?:transparent background|background transparent)"
)
_REST: Final = rf"(?P<rest>(?!-|{_DASH}).+)"
_SAID: Final[tuple[tuple[Operation, str], ...]] = (
    ("upscale", rf"(?:{_LARGER})[.!]?"),
    ("cutout", rf"(?:{_CUT_OUT})[.!]?"),
    ("animate", rf"(?:animate(?:{_THIS})?|make{_THIS} move)(?:[.!]|\s*[:,]\s*{_REST})?"),
    ("edit", rf"(?:edit|change)\s*:\s*{_REST}"),
    ("inspire", rf"inspire\s*:\s*{_REST}"),
    ("restyle", rf"restyle\s*:\s*{_REST}"),
    # Instructions about one thing, which redrawing the whole does not follow.
    ("edit", r"(?P<rest>(?:add|remove|erase|replace)\s.+)"),
    ("inspire", rf"(?P<rest>(?:.*\b)?(?:in (?:this style|the style of{_THIS})|inspired by{_THIS})\b.*)"),
)
_PLAIN: Final = tuple((operation, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for operation, pattern in _SAID)


def parse(text: str, *, kind: MediaKind | None = None, operation: Operation = "imagine") -> Wish:
    """Return what a member's command asks for.

    `kind` is what was chosen beside the text; an option in it wins. `operation` is `imagine` for words alone. `restyle` is
    where a picture is at hand: then the words may name another one (`upscale`, `edit: make the sky green`), and with all but
    `imagine` the option `--as` may.

    Raises: `UserError` with a sentence that says what to write.
    """
    clean = _clean(text)
    if len(clean) > WISH_CHARS + AVOID_CHARS + _OPTIONS_CHARS:
        _too_long()
    words, said = _apart(clean)
    chosen: MediaKind | None = said.pop("kind", kind)
    if chosen is None:
        chosen, words = _kind_in(words)
    named: Operation | None = said.pop("operation", None)
    if named and operation == "imagine":
        raise UserError("--as is for /remix, which begins with a picture. Leave it out here.")
    if operation == "restyle":
        said_plainly, rest = _operation_in(words)
        if named is None:
            operation, words = said_plainly, rest
        elif (said_plainly, rest) == (named, ""):
            words = ""  # it is said twice
    chosen, operation = _fitting(chosen or "image", named or operation, named=named is not None)
    if len(words) > WISH_CHARS:
        _too_long()
    wish = Wish(kind=chosen, operation=operation, text=words, **said)
    _check(wish)
    return wish


def written(wish: Wish) -> str:
    """Return a wish as a member would write it: `parse` makes the same of it, given its `operation`.

    What was read where `restyle` was given can be read there again.
    """
    kind, _ = _kind_in(wish.text)
    plain = _operation_in(wish.text) == (wish.operation, wish.text)
    animated = wish.operation == "animate"
    options = {
        "kind": wish.kind if kind or (wish.kind != "image" and not animated) else "",
        "as": wish.operation if wish.operation in NAMED and not plain else "",
        "ar": wish.aspect if wish.aspect != "1:1" else "",
        "count": wish.count if wish.count != 1 else "",
        "style": wish.style,
        "model": wish.model,
        "seed": "" if wish.seed is None else wish.seed,
        "strength": wish.strength if wish.strength != "medium" else "",
        "seconds": wish.seconds or "",
        "language": wish.language,
        "voice": wish.voice,
    }
    said = [f"--{name} {value}" for name, value in options.items() if value != ""]
    said += [f"--{name}" for name, field in _SWITCHES.items() if getattr(wish, field)]
    said += [f"--no {wish.avoid}"] if wish.avoid else []
    return " ".join([wish.text, *said] if wish.text else said)


def _clean(text: str) -> str:
    """Return the text without what no wish is made of: half characters and control characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each if each.isspace() else "" if unicodedata.category(each) == "Cc" else each for each in whole)


def _apart(text: str) -> tuple[str, dict[str, Any]]:
    """Return the words and what the options say, by the fields of a wish, save that `kind` and `operation` may be missing."""
    words: list[str] = []
    avoided: list[list[str]] = []
    said: dict[str, Any] = {}
    into = words
    tokens = deque(re.findall(r"\S+|\n", text))
    while tokens:
        token = tokens.popleft()
        option = _option(token)
        if option is None:
            if token != "\n" or into is words:
                into.append(token)
            continue
        name, value = option
        into = words
        if name == "no":
            into = []
            avoided.append(into)
            if value:
                tokens.appendleft(value)
        elif name in _SWITCHES:
            if value:
                raise UserError(f"--{name} stands alone, without a value.")
            said[_SWITCHES[name]] = True
        else:
            if not value and tokens and _option(tokens[0]) is None:
                value = tokens.popleft()
            said.update(_READERS[name](value.strip(_TRAILING)))
    phrases = [" ".join(each).rstrip(f"{_TRAILING} ") for each in avoided]
    if not all(phrases):
        raise UserError("After --no write what shall not be seen, such as --no people, text.")
    said["avoid"] = ", ".join(phrases)
    if len(said["avoid"]) > AVOID_CHARS:
        raise UserError(f"What stands after --no may have {AVOID_CHARS} characters. Write fewer words there.")
    return _NEWLINES.sub("\n", " ".join(words)).strip(), said


def _option(token: str) -> tuple[str, str] | None:
    """Return the name and the attached value of an option, or None where it is a word.

    Raises: `UserError` for two hyphens before what is no option.
    """
    found = _OPTION.fullmatch(token)
    if found is None:
        return None
    dashes, name, rest = found.groups()
    name = _ALIASES.get(name.lower(), name.lower())
    attached = rest[:1] in ("=", ":")
    if (name in _READERS or name in _SWITCHES or name == "no") and (attached or not rest.strip(_TRAILING)):
        return name, rest[1:] if attached else ""
    if dashes != "--":
        return None
    known = ", ".join(f"--{each}" for each in (*_READERS, "no", *_SWITCHES))
    raise UserError(f"There is no such option. Write one of {known}, or a space after the hyphens.")


def _kind_in(text: str) -> tuple[MediaKind | None, str]:
    """Return the kind that the text begins or ends with, as in `kind: video`, and the rest."""
    found = _KIND.search(text)
    if found is None:
        return None, text
    said = (found[1] or found[2]).lower()
    return next(each for each in _KINDS if each == said), (text[: found.start()] + text[found.end() :]).strip()


def _operation_in(text: str) -> tuple[Operation, str]:
    """Return what the words ask for where a picture is at hand, and those that remain; without more it is redrawn."""
    for operation, pattern in _PLAIN:
        if found := pattern.fullmatch(text):
            return operation, (found.groupdict().get("rest") or "").strip()
    return "restyle", text


def _fitting(kind: MediaKind, operation: Operation, *, named: bool) -> tuple[MediaKind, Operation]:
    """Return kind and operation as they go together: a clip of a picture is that picture animated."""
    if operation == "imagine" or kind == "image":
        return ("video" if operation == "animate" else kind), operation
    if kind != "video":
        raise UserError("Music and voice are made from words alone. Write /imagine for them.")
    if named and operation != "animate":
        raise UserError("A clip of a picture is made with --as animate. Leave --kind or --as out.")
    return "video", "animate"


def _check(wish: Wish) -> None:
    if wish.style and wish.kind in ("music", "voice"):
        raise UserError("Styles are for pictures and clips. Leave --style out and say it in your words.")
    _refuse_without_effect(wish)
    if _says_something(wish.text) or wish.operation in WORDLESS:
        return
    if wish.operation == "edit":
        raise UserError("Write what to change, such as: edit: make the sky green.")
    if wish.operation == "restyle" and not wish.style:
        raise UserError("Write what to make of the picture, such as: as a watercolour. Or: upscale, remove background.")
    if wish.operation == "imagine" or wish.as_written:
        raise UserError("Write what you wish for, such as: a lighthouse at dawn --ar 16:9.")


def _refuse_without_effect(wish: Wish) -> None:
    """Raises: `UserError` about what would be dropped without a word."""
    if wish.operation in WORDLESS and (wish.text or wish.style or wish.avoid):
        raise UserError("What is made larger or cut out is not changed by words. Leave words, --style and --no out.")
    if wish.kind == "voice" and wish.avoid:
        raise UserError("What is spoken is spoken word for word. Leave --no out.")
    if wish.as_written and wish.style:
        raise UserError("With --raw your words are the prompt as they are. Leave --raw out, or say the style in your words.")
    if wish.operation not in ("restyle", "vary") and wish.strength != "medium":
        raise UserError(
            "How much may change counts where a picture is redrawn. Leave --strength and --iw out, or choose Some in a form."
        )
    if wish.operation not in FORMATTED and wish.aspect != "1:1":
        raise UserError("What is made of a picture has its format. Leave --ar out, or write --as inspire for a new picture.")
    if wish.as_written and len(with_avoided(wish.text, wish.avoid)) > prompt_chars(wish):
        raise UserError(
            f"With --raw your words are the prompt, which may have {prompt_chars(wish):,} characters together with those after"
            " --no. Say it in fewer words, or leave --raw out."
        )


def _says_something(text: str) -> bool:
    """Whether anything in it can be seen."""
    return any(unicodedata.category(each)[0] not in "CZ" for each in text)


def _too_long() -> NoReturn:
    raise UserError(f"A wish may have {WISH_CHARS:,} characters. Say it in fewer words.")


# --- The options that have a value: each reader returns fields of a wish ------------------------------------------------------


def _aspect(value: str) -> dict[str, Any]:
    aspect = _SHAPES.get(value.lower()) or re.sub(r"[x×/]", ":", value.lower())
    if aspect not in ASPECTS:
        raise UserError(f"After --ar write {', '.join(ASPECTS)}, {', '.join(_SHAPES)}.")
    return {"aspect": aspect}


def _whole(option: str, field: str, least: int, most: int) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        if not re.fullmatch(r"[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise UserError(f"After --{option} write a whole number from {least} to {most}.")
        return {field: int(value)}

    return read


def _weight(value: str) -> dict[str, Any]:
    """Read how much of the picture is kept, 0 to 3 as other makers count it: 1, the usual, is medium."""
    if not re.fullmatch(r"[0-9](?:[.,][0-9]{1,6})?", value) or float(value.replace(",", ".")) > 3:
        raise UserError("After --iw write a number from 0 (change much) to 3 (keep much), such as 1.5.")
    change = 1 - float(value.replace(",", ".")) / 3
    return {"strength": "subtle" if change < 0.4 else "medium" if change < 0.7 else "strong"}


def _choice(option: str, field: str, choices: tuple[str, ...]) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        if value.lower() not in choices:
            raise UserError(f"After --{option} write one of {', '.join(choices)}.")
        return {field: value.lower()}

    return read


def _style(value: str) -> dict[str, Any]:
    return {"style": style_named(value).name}


def _name(option: str, example: str) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        if not _NAME.fullmatch(value):
            raise UserError(f"After --{option} write the name of a {option}, such as {example}.")
        return {option: value.lower()}

    return read


def _language(value: str) -> dict[str, Any]:
    return {"language": language_named(value)}


_READERS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "ar": _aspect,
    "seed": _whole("seed", "seed", 0, SEED_MAX),
    "iw": _weight,
    "strength": _choice("strength", "strength", _STRENGTHS),
    "count": _whole("count", "count", 1, COUNT_MAX),
    "style": _style,
    "model": _name("model", "flux"),
    "kind": _choice("kind", "kind", _KINDS),
    "seconds": _whole("seconds", "seconds", 1, SECONDS_MAX),
    "language": _language,
    "voice": _name("voice", "madison"),
    "as": _choice("as", "operation", NAMED),
}
