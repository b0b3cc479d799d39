"""What a wish comes to once a model has thought it through: the prompt that a maker is asked, and what it is made of."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, Field

from pipelines.content import ImagePart, Intake, Part, TextPart
from pipelines.errors import UserError
from pipelines.generation.styles import style_named
from pipelines.generation.wish import AVOID_CHARS, PROMPT_CHARS, WORDLESS, Brief, MediaKind, Operation, Wish
from pipelines.ports import Call, LanguageModel, Question
from pipelines.questions import fresh_nonce, prompt
from pipelines.tagging import cut

SEEN_WORDS: Final = (50, 80)  # of what a picture shows

# Of voice there is nothing to think through: its words are spoken as they are.
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


async def write_brief(wish: Wish, *, model: LanguageModel, source: Intake | None = None, calls: list[Call]) -> Brief:
    """Have `wish` thought through, about `source` where it begins with a picture; what asking cost is added to `calls`.

    Nobody is asked where there is nothing to think about: the words are the prompt, are spoken as they are, or change nothing.

    Raises: `UserError` when there is no picture in `source`; `Refused`, `Unavailable` or `BadAnswer` when there is no answer.
    """
    if wish.as_written or wish.kind == "voice" or wish.operation in WORDLESS or wish.operation == "vary":
        return Brief(prompt=wish.text if wish.kind == "voice" else whole_words(wish.text, PROMPT_CHARS), avoid=wish.avoid)
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
    known = {each.strip().casefold() for each in by_member.split(",")}
    added = [each for each in map(str.strip, re.split(r"[,;\n]", by_model)) if each and each.casefold() not in known]
    return whole_words(", ".join(([by_member] if by_member else []) + added), AVOID_CHARS)


def _line(text: str) -> str:
    return " ".join(text.split())


def whole_words(text: str, most: int) -> str:
    """Return the whole words of `text` that fit: a prompt ends without a sign that it was longer."""
    return text if len(text) <= most else cut(text, most).removesuffix("…")


def _first_words(text: str, most: int) -> str:
    words = text.split()
    return " ".join(words) if len(words) <= most else f"{' '.join(words[:most])}…"
