"""What a picture shows, in words that one can search for and read aloud, and how well it is made, measured."""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from pipelines.content import ImagePart, Intake
from pipelines.errors import UserError
from pipelines.media.pictures.measures import Measures, quality_of
from pipelines.ports import LanguageModel, Media, Question, Reply
from pipelines.questions import fresh_nonce, prompt

# What guides to accessibility commonly recommend: some screen readers read longer ones in pieces.
ALT_TEXT_CHARS: Final = 125
TAGS_MAX: Final = 12
_TAG_WORDS: Final = 3

_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKUP: Final = re.compile(r"</?[a-z][^<>]{0,100}>|\*+|`+|__+|^\s*(?:#{1,6}|>|-)\s+", re.IGNORECASE | re.MULTILINE)
_NEEDLESS: Final = re.compile(r"^(?:(?:an?|the|this) )?(?:image|picture) (?:of|shows|showing|that shows) ", re.IGNORECASE)


class TechnicalQuality(BaseModel):
    """How well the picture is made, each in one to three words."""

    sharpness: str
    exposure: str
    contrast: str
    noise: str


class Tags(BaseModel):
    """What one picture shows. Lists are most important first.

    From a model all of it is a claim. From `tag`, `colours` and `technical_quality` are measured wherever the picture could be:
    `dark green 42%`, and `soft (model: sharp)` where the model says something else. `alt_text` and `tags` are tidy then.
    """

    subjects: list[str]
    style: str
    mood: str
    technical_quality: TechnicalQuality
    colours: list[str]
    text: str = Field(json_schema_extra={"maxLength": 500})
    alt_text: str = Field(min_length=1, json_schema_extra={"maxLength": ALT_TEXT_CHARS})
    tags: list[str]


async def tag(picture: Intake, *, model: LanguageModel, media: Media) -> Reply[Tags]:
    """Describe one picture, and measure it meanwhile; `picture` holds its parts alone.

    Raises: `UserError` when there is no picture in it, with the reason that intake gave.
    """
    views = tuple(part for part in picture.parts if isinstance(part, ImagePart))
    if not views:
        raise UserError(picture.gaps[0].why if picture.gaps else "There is no picture to tag.")
    nonce = fresh_nonce()
    question = Question(
        task="tagging",
        instructions=prompt("tagging", nonce=nonce, characters=str(ALT_TEXT_CHARS)).text,
        parts=views,
        shape=Tags,
        nonce=nonce,
        check=_once_too_long(),
    )
    reply, measures = await asyncio.gather(model.ask(question), media.measure(views[0]))
    return replace(reply, output=_finished(reply.output, measures)) if reply.output else reply


def _once_too_long() -> Callable[[Tags], str | None]:
    """Return a check that objects to an alt text that is too long, but only once: then it is cut."""
    objected = False

    def check(tags: Tags) -> str | None:
        nonlocal objected
        length = len(plain_alt_text(tags.alt_text))
        if objected or length <= ALT_TEXT_CHARS:
            return None
        objected = True
        return f"alt_text has {length} characters, which is more than {ALT_TEXT_CHARS}. Say the same in fewer words."

    return check


def _finished(tags: Tags, measures: Measures | None) -> Tags:
    tidy = {"alt_text": cut(plain_alt_text(tags.alt_text), ALT_TEXT_CHARS), "tags": tidy_tags(tags.tags)}
    if measures is None:
        return tags.model_copy(update=tidy)
    said = tags.technical_quality.model_dump()
    seen = {aspect: _beside(word, said[aspect]) for aspect, word in quality_of(measures).items()}
    colours = [f"{name} {share:.0%}" for name, share in measures.colours]
    return tags.model_copy(update={**tidy, "technical_quality": TechnicalQuality(**seen), "colours": colours})


def _beside(measured: str, said: str) -> str:
    said = " ".join(said.split())
    return measured if not said or said.lower() == measured else f"{measured} (model: {said})"


def plain_alt_text(text: str) -> str:
    """Return an alt text as one line without markup, and without saying that it is a picture, which is clear."""
    plain = " ".join(_MARKUP.sub(" ", _LINK.sub(r"\1", text)).split())
    shorter = _NEEDLESS.sub("", plain)
    if not shorter:
        return text.strip()
    return shorter if shorter == plain else shorter[0].upper() + shorter[1:]


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` characters that ends with a whole word and `…` where it was longer."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    whole = kept if text[most - 1].isspace() else kept.rpartition(" ")[0]
    return f"{(whole or kept).rstrip(' ,;:.–-')}…"


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Return tags as a channel uses them: lower case, one to three words, without `#` and without any twice."""
    words = (" ".join(tag.lower().replace("#", " ").replace("_", " ").split()).strip(" .,;:") for tag in tags)
    return list(dict.fromkeys(tag for tag in words if tag and len(tag.split()) <= _TAG_WORDS))[:TAGS_MAX]
