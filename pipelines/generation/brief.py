"""What a wish comes to once a model has thought it through: the prompt that a maker is asked, and what it is made of."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, Field

from pipelines.content import ImagePart, Intake, Part, TextPart
from pipelines.errors import UserError
from pipelines.generation.languages import LANGUAGES
from pipelines.generation.styles import style_named
from pipelines.generation.wish import AVOID_CHARS, PROMPT_CHARS, WORDLESS, Brief, MediaKind, Operation, Wish
from pipelines.ports import Call, LanguageModel, Question
from pipelines.questions import fresh_nonce, prompt
from pipelines.tagging import cut

USUAL: Final = next(iter(LANGUAGES))
SEEN_WORDS: Final = (50, 80)  # of what a picture shows

# Of voice only the language is thought about: its words are spoken as they are.
_MAKES: Final[dict[MediaKind, str]] = {
    "image": "a still picture",
    "video": "a clip of a few seconds",
    "music": "a piece of music",
}
_TECHNICAL: Final[dict[MediaKind, str]] = {
    "image": "light, lens or medium, framing, level of detail",
    "video": "light, framing, movement of the camera, pace",
    "music": "tempo in beats per minute, instruments, production",
}
_ASKS: Final[dict[MediaKind, str]] = {
    "image": "It describes the finished picture: subject, surroundings, composition, light, colours, manner.",
    "video": "It describes what can be seen, what moves and how, and what the camera does, in one unbroken shot.",
    "music": "It names genre, tempo in beats per minute, instruments, mood and how it develops, and no band or musician.",
}
_ASKS_OF_PICTURE: Final[dict[Operation, str]] = {
    "restyle": "The picture is redrawn by it: describe the whole of it again, as it is, changed as the wish and the style say.",
    "inspire": (
        "A new picture is made from these words alone, the maker does not see this one: take over the manner, light, colours"
        " and mood that you see, and the subject where the wish names no other."
    ),
    "edit": "It is an instruction to an editing model that sees the picture: what to change, and that all else stays as it is.",
    "animate": (
        "The picture is the first frame of the clip: say what in it moves and how, and what the camera does; do not describe"
        " what stays."
    ),
}
OTHER: Final = "other"  # a language in which nothing is spoken here
_BETWEEN: Final = re.compile(r"[,;\n]")
_WITHOUT: Final = " Without: "
_STYLE: Final = "The style is chosen, and the prompt says it in words that fit the subject: "


class Draft(BaseModel):
    """What a model makes of a wish. All of it is a claim."""

    nonce: str
    subject: str
    style: str
    mood: str
    technical: str
    avoid: str = Field(json_schema_extra={"maxLength": AVOID_CHARS})
    prompt: str = Field(json_schema_extra={"maxLength": PROMPT_CHARS})


class DraftOfPicture(Draft):
    """The same where a picture was looked at: `seen` is what it shows."""

    seen: str


class Spoken(BaseModel):
    """In which language words are, by a model's word: a name of `LANGUAGES`, or `OTHER`."""

    nonce: str
    language: str = Field(json_schema_extra={"enum": [*LANGUAGES, OTHER]})


async def write_brief(wish: Wish, *, model: LanguageModel, source: Intake | None = None, calls: list[Call]) -> Brief:
    """Have `wish` thought through, about `source` where it begins with a picture; what asking cost is added to `calls`.

    Nobody is asked where there is nothing to think about: the words are the prompt, or change nothing. Of those that are spoken
    only the language is asked for, if nobody chose one.

    Raises: `UserError` when there is no picture in `source`, or nobody speaks the language of the words; `Refused`,
        `Unavailable` or `BadAnswer` when there is no answer.
    """
    if wish.kind == "voice":
        language = "" if wish.as_written or wish.language else await _language_of(wish, model, calls)
        return Brief(prompt=wish.text, avoid=wish.avoid, language=language)
    if wish.as_written or wish.operation in WORDLESS or wish.operation == "vary":
        return Brief(prompt=whole_words(wish.text, PROMPT_CHARS), avoid=wish.avoid)
    nonce = fresh_nonce()
    instructions = prompt(
        "brief" if source is None else "brief_of_picture",
        nonce=nonce,
        makes=_MAKES[wish.kind],
        technical=_TECHNICAL[wish.kind],
        asks=_ASKS[wish.kind] if source is None else _ASKS_OF_PICTURE.get(wish.operation, _ASKS[wish.kind]),
        characters=str(PROMPT_CHARS),
        style=f"{_STYLE}{style_named(wish.style).prompt}." if wish.style else "",
    ).text
    views = () if source is None else _views(source)
    draft = await _asked(wish, model, instructions, nonce, views, calls)
    return Brief(
        subject=_line(draft.subject),
        style=_line(draft.style),
        mood=_line(draft.mood),
        technical=_line(draft.technical),
        avoid=_avoided(wish.avoid, draft.avoid),
        avoid_is_known=_phrases(wish.avoid) <= _phrases(draft.avoid),
        prompt=whole_words(_line(draft.prompt), PROMPT_CHARS),
        seen=_first_words(draft.seen, SEEN_WORDS[1]) if isinstance(draft, DraftOfPicture) else "",
    )


def with_avoided(words: str, avoid: str) -> str:
    """Return words that say themselves what shall not be seen, however long that is."""
    return f"{words}{_ending(avoid)}".strip()


def folded(prompt: str, avoid: str) -> str:
    """Return the same as a prompt, for models that have no other place for it: it is as long as one may be."""
    end = _ending(avoid)
    return f"{whole_words(prompt, PROMPT_CHARS - len(end))}{end}"


def unfolded(prompt: str, avoid: str) -> str:
    """Return a prompt without what `folded` has added to it."""
    return prompt.removesuffix(_ending(avoid))


def _ending(avoid: str) -> str:
    return f"{_WITHOUT}{avoid}." if avoid else ""


async def _asked(
    wish: Wish, model: LanguageModel, instructions: str, nonce: str, views: tuple[Part, ...], calls: list[Call]
) -> Draft:
    shape: type[Draft] = DraftOfPicture if views else Draft
    said = (TextPart(id=id, text=text, role="message") for id, text in (("wish", wish.text), ("avoid", wish.avoid)) if text)
    reply = await model.ask(
        Question(
            task="brief",
            instructions=instructions,
            parts=(*views, *said),
            shape=shape,
            nonce=nonce,
            check=_checking(nonce),
        )
    )
    calls.extend(reply.calls)
    return reply.value()


async def _language_of(wish: Wish, model: LanguageModel, calls: list[Call]) -> str:
    """Return the language of words that are to be spoken. Raises: as `write_brief`."""
    nonce = fresh_nonce()
    instructions = prompt("language", nonce=nonce, languages=", ".join(f"`{each}`" for each in LANGUAGES), usual=f"`{USUAL}`")

    def check(said: Spoken) -> str | None:
        if said.nonce != nonce:
            return f"nonce must be exactly {nonce}."
        return None if said.language in (*LANGUAGES, OTHER) else "language must be one of those that are named."

    words = TextPart(id="wish", text=wish.text, role="message")
    reply = await model.ask(
        Question(task="brief", instructions=instructions.text, parts=(words,), shape=Spoken, nonce=nonce, check=check)
    )
    calls.extend(reply.calls)
    language = reply.value().language
    if language == OTHER:
        raise UserError(
            f"Nobody here speaks the language of these words: there are {', '.join(LANGUAGES)}. To hear them as if they were in"
            " one of these, name it after --language."
        )
    return language


def _checking(nonce: str) -> Callable[[Draft], str | None]:
    """Return the rule of the answer. That too few or too many words were seen is objected to only once."""
    objected = False

    def check(draft: Draft) -> str | None:
        nonlocal objected
        if draft.nonce != nonce:
            return f"nonce must be exactly {nonce}."
        if not draft.prompt.strip():
            return "prompt must not be empty."
        if isinstance(draft, DraftOfPicture) and not objected:
            least, most = SEEN_WORDS
            words = len(draft.seen.split())
            if not least <= words <= most:
                objected = True
                return f"seen has {words} words; it must have {least} to {most}."
        return None

    return check


def _views(source: Intake) -> tuple[ImagePart, ...]:
    views = tuple(part for part in source.parts if isinstance(part, ImagePart))
    if not views:
        raise UserError(source.gaps[0].why if source.gaps else "There is no picture in this. Choose a message with one.")
    return views


def _avoided(by_member: str, by_model: str) -> str:
    """Return what shall not be seen: the member's words as they are, then what of the model's is new."""
    known = _phrases(by_member)
    added = [each for each in map(str.strip, _BETWEEN.split(by_model)) if each and each.casefold() not in known]
    return whole_words(", ".join(([by_member] if by_member else []) + added), AVOID_CHARS)


def _phrases(avoid: str) -> set[str]:
    return {each for phrase in _BETWEEN.split(avoid) if (each := " ".join(phrase.split()).casefold())}


def _line(text: str) -> str:
    return " ".join(text.split())


def whole_words(text: str, most: int) -> str:
    """Return the whole words of `text` that fit: a prompt ends without a sign that it was longer."""
    return text if len(text) <= most else cut(text, most).removesuffix("…")


def _first_words(text: str, most: int) -> str:
    words = text.split()
    return " ".join(words) if len(words) <= most else f"{' '.join(words[:most])}…"
