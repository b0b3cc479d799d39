"""The understudy: a local stand-in for Gemini, so that everything can be tried without a key.

It answers by plain rules from what it receives: patterns in texts, test strings (docs/policy.md), measured pixels. The same
question always gets the same answer. No model looks at anything, and it says so. It never judges a real community.
"""

import json
from typing import Any, Final

from emulators.problems import Problem, Rejected
from emulators.understudy.describing import describe
from emulators.understudy.extracting import extract, kind_of
from emulators.understudy.imagining import brief, brief_of_picture, compared, language
from emulators.understudy.judging import judge, judge_together, own_categories
from emulators.understudy.reading import Parts, parts_of
from emulators.wire import Asked

MODEL_VERSION: Final = "understudy-1"

# A question is told by what its answer must hold.
MODERATION: Final = {"nonce", "parts", "categories", "tampering", "own"}
TOGETHER: Final = {"nonce", "judgements"}
EXTRACTION: Final = {"nonce", "looks_like", "country", "begins", "values"}
KIND: Final = {"nonce", "kind"}
TAGGING: Final = {"subjects", "style", "mood", "technical_quality", "colours", "text", "alt_text", "tags"}
BRIEF: Final = {"nonce", "subject", "style", "mood", "technical", "avoid", "prompt"}
BRIEF_OF_PICTURE: Final = {*BRIEF, "seen"}
LANGUAGE: Final = {"nonce", "language"}
QUALITY: Final = {
    "nonce",
    "parts",
    "score",
    "missing",
    "broken",
    "caption",
    "alt_text",
    "transcript",
    "repaired_prompt",
}


def answer(asked: Asked) -> str:
    """Answer a question about moderation, tagging, a document or a wish with the JSON text that its schema asks for.

    Raises: `Rejected` for any other question, and for one that it cannot read.
    """
    wanted = set((asked.schema or {}).get("properties", ()))
    if wanted not in (MODERATION, TOGETHER, TAGGING, EXTRACTION, KIND, BRIEF, BRIEF_OF_PICTURE, LANGUAGE, QUALITY):
        raise Rejected(
            Problem(
                status=501,
                rpc="UNIMPLEMENTED",
                message="The understudy answers the questions of Flashbulb only. Set GEMINI_API_KEY for more.",
            )
        )
    parts = parts_of(asked)
    if parts is None:
        raise Rejected(Problem(status=400, message="The understudy found no part that begins with <part id=… nonce=…>."))
    said = _said(wanted, parts, asked.instructions)
    if said is None:
        raise Rejected(Problem(status=400, message="The understudy found no picture that can be opened."))
    return json.dumps(said, ensure_ascii=False)


def _said(wanted: set[str], parts: Parts, instructions: str) -> dict[str, Any] | None:
    """Return the answer, or None where it needs a picture and none can be opened."""
    if wanted == TAGGING:
        return describe(parts)
    if wanted in (BRIEF, BRIEF_OF_PICTURE):
        return (brief if wanted == BRIEF else brief_of_picture)(parts, instructions)
    if wanted == LANGUAGE:
        return language(parts)
    if wanted == QUALITY:
        return compared(parts)
    if wanted in (EXTRACTION, KIND):
        return (extract if wanted == EXTRACTION else kind_of)(parts, instructions)
    return (judge if wanted == MODERATION else judge_together)(parts, own=own_categories(instructions))
