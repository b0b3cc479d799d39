"""The understudy: a local stand-in for Gemini, so that everything can be tried without a key.

It answers by plain rules from what it receives: patterns in texts, test strings (docs/policy.md), measured pixels. The same
question always gets the same answer. No model looks at anything, and it says so. It never judges a real community.
"""

import json
from typing import Any, Final

from emulators.problems import Problem, Rejected
from emulators.understudy.describing import describe
from emulators.understudy.extracting import extract, kind_of
from emulators.understudy.judging import judge, judge_together, own_categories
from emulators.understudy.reading import parts_of
from emulators.wire import Asked

MODEL_VERSION: Final = "understudy-1"

# A question is told by what its answer must hold.
MODERATION: Final = {"nonce", "parts", "categories", "tampering", "own"}
TOGETHER: Final = {"nonce", "judgements"}
EXTRACTION: Final = {"nonce", "looks_like", "country", "begins", "values"}
KIND: Final = {"nonce", "kind"}
TAGGING: Final = {"subjects", "style", "mood", "technical_quality", "colours", "text", "alt_text", "tags"}


def answer(asked: Asked) -> str:
    """Answer a question about moderation, tagging or a document with the JSON text that its schema asks for.

    Raises: `Rejected` for any other question, and for one that it cannot read.
    """
    wanted = set((asked.schema or {}).get("properties", ()))
    if wanted not in (MODERATION, TOGETHER, TAGGING, EXTRACTION, KIND):
        raise Rejected(
            Problem(
                status=501,
                rpc="UNIMPLEMENTED",
                message="The understudy answers questions on moderation, tags and documents only. Set GEMINI_API_KEY for more.",
            )
        )
    parts = parts_of(asked)
    if parts is None:
        raise Rejected(Problem(status=400, message="The understudy found no part that begins with <part id=… nonce=…>."))
    said: dict[str, Any] | None
    if wanted == TAGGING:
        said = describe(parts)
    elif wanted in (EXTRACTION, KIND):
        said = (extract if wanted == EXTRACTION else kind_of)(parts, asked.instructions)
    else:
        said = (judge if wanted == MODERATION else judge_together)(parts, own=own_categories(asked.instructions))
    if said is None:
        raise Rejected(Problem(status=400, message="The understudy found no picture that can be opened."))
    return json.dumps(said, ensure_ascii=False)
