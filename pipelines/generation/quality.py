"""Whether what was made is what was asked for, and how it is described: one question about the result."""

from collections.abc import Callable, Sequence
from typing import Final

from pydantic import BaseModel, Field

from pipelines.content import AudioPart, ImagePart, Intake, Part, TextPart
from pipelines.generation.brief import whole_words
from pipelines.generation.failures import GenerationFailed
from pipelines.generation.wish import PROMPT_CHARS, Brief, MediaKind, Wish
from pipelines.ports import Call, LanguageModel, Question
from pipelines.questions import fresh_nonce, prompt
from pipelines.tagging import ALT_TEXT_CHARS, cut, plain_alt_text

# Below this score something is made once more. At 5, by the words of the question, the subject is right: a second one costs as
# much as the first, and what differs is said beside the result. Below it the member would throw it away.
POOR_BELOW: Final = 5

REMARK_CHARS: Final = 200  # of what is missing, broken, and of a caption
TRANSCRIPT_CHARS: Final = 4_000

_MADE: Final[dict[MediaKind, str]] = {
    "image": "a picture",
    "video": "frames of a clip, in order, and its sound where it has any",
    "music": "a piece of music",
    "voice": "speech, whose words `prompt` gives",
}


class Quality(BaseModel):
    """How well something fits what was asked for, by a model's word: `score` is 0 to 10.

    `missing` and `broken` are empty where nothing is. `transcript`: what is spoken in it. `repaired_prompt`: what to ask for
    instead, only where the result is poor.
    """

    score: int = Field(ge=0, le=10)
    missing: str = ""
    broken: str = ""
    caption: str = ""
    alt_text: str = Field(max_length=ALT_TEXT_CHARS)
    transcript: str = ""
    repaired_prompt: str = ""


class Comparison(BaseModel):
    """What a model answers. All of it is a claim. `parts` are the ids of what it looked at or listened to."""

    nonce: str
    parts: list[str]
    score: float = Field(ge=0, le=10, allow_inf_nan=False)
    missing: str = Field(json_schema_extra={"maxLength": REMARK_CHARS})
    broken: str = Field(json_schema_extra={"maxLength": REMARK_CHARS})
    caption: str = Field(json_schema_extra={"maxLength": REMARK_CHARS})
    alt_text: str = Field(min_length=1, json_schema_extra={"maxLength": ALT_TEXT_CHARS})
    transcript: str = Field(json_schema_extra={"maxLength": TRANSCRIPT_CHARS})
    repaired_prompt: str = Field(json_schema_extra={"maxLength": PROMPT_CHARS})


async def compare(brief: Brief, wish: Wish, made: Intake, *, model: LanguageModel, calls: list[Call]) -> Quality:
    """Compare what was made with what was asked for; what asking cost is added to `calls`.

    Raises: `GenerationFailed` when there is nothing to be seen or heard in `made`; `Refused`, `Unavailable` or `BadAnswer` when
    there is no answer, also where no model that was asked can hear sound that is all there is.
    """
    shown = [part for part in made.parts if isinstance(part, ImagePart | AudioPart)]
    if not shown:
        raise GenerationFailed("bad_response")
    nonce = fresh_nonce()
    instructions = prompt(
        "quality",
        nonce=nonce,
        made=_MADE[wish.kind],
        characters=str(ALT_TEXT_CHARS),
        poor=str(POOR_BELOW),
        prompt_characters=str(PROMPT_CHARS),
    ).text
    # A voice's prompt is the wish; a prompt that was written as it is, too.
    texts = {"wish": wish.text if wish.text != brief.prompt else "", "prompt": brief.prompt}
    asked: list[Part] = [TextPart(id=id, text=text, role="message") for id, text in texts.items() if text]
    reply = await model.ask(
        Question(
            task="quality",
            instructions=instructions,
            parts=(*asked, *shown),
            shape=Comparison,
            nonce=nonce,
            check=_checking(nonce, shown),
        )
    )
    calls.extend(reply.calls)
    return _tidy(reply.value())


def is_poor(quality: Quality) -> bool:
    """Whether it should be made once more."""
    return quality.score < POOR_BELOW


def _checking(nonce: str, shown: Sequence[Part]) -> Callable[[Comparison], str | None]:
    """Return the rule of the answer: about the right question, by somebody who has seen or heard something of it."""

    def check(comparison: Comparison) -> str | None:
        if comparison.nonce != nonce:
            return f"nonce must be exactly {nonce}."
        if not {part.id for part in shown} & set(comparison.parts):
            return "`parts` names nothing of what was made. Look at it, and name what you looked at."
        return None if comparison.alt_text.strip() else "alt_text must not be empty."

    return check


def _tidy(said: Comparison) -> Quality:
    score = round(said.score)
    return Quality(
        score=score,
        missing=_remark(said.missing),
        broken=_remark(said.broken),
        caption=_remark(plain_alt_text(said.caption)),
        alt_text=cut(plain_alt_text(said.alt_text), ALT_TEXT_CHARS),
        transcript=cut(said.transcript.strip(), TRANSCRIPT_CHARS),
        repaired_prompt=whole_words(" ".join(said.repaired_prompt.split()), PROMPT_CHARS) if score < POOR_BELOW else "",
    )


def _remark(text: str) -> str:
    return cut(" ".join(text.split()), REMARK_CHARS)
