"""One question that every test of this folder asks, and models that look for their vendors at the emulators."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from emulators.gemini import ModelEmulator
from emulators.wire import Asked, Blob
from pipelines.content import ImagePart, Part, TextPart
from pipelines.models import Models, Profile, Profiles, Providers
from pipelines.ports import Question

FLASH = "gemini:gemini-3-flash-preview"
HAIKU = "anthropic:claude-haiku-5-5"
NANO = "openai:gpt-5.4-nano"
OLLAMA = "local:llama3.2-vision:11b"

NONCE = "0badcafe"
PICTURE = b"\xff\xd8\xff\xe0 not really a picture, but \xfb\xef\xbe bytes are bytes"


class Opinion(BaseModel):
    severity: int = Field(ge=0, le=4)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class Answer(BaseModel):
    nonce: str
    parts: list[str]
    action: Literal["allow", "flag"]
    opinion: Opinion


RIGHT = {
    "nonce": NONCE,
    "parts": ["text:0", "file:0"],
    "action": "allow",
    "opinion": {"severity": 1, "confidence": 0.5},
}


def right(_: Asked) -> str:
    """Answer as a model does that has nothing to say against the content: what a fault must never lead to."""
    return json.dumps(RIGHT)


def _is_complete(answer: Answer) -> str | None:
    if answer.nonce != NONCE:
        return "The nonce is not the one of this question."
    return None if answer.parts == RIGHT["parts"] else "`parts` must name every part."


def a_question(*parts: Part, task: Literal["moderation", "tagging", "escalation"] = "moderation") -> Question[Answer]:
    return Question(
        task=task,
        instructions="Judge the parts.",
        parts=parts or (a_text(), a_picture()),
        shape=Answer,
        nonce=NONCE,
        check=_is_complete,
    )


def a_text(text: str = "hello there") -> TextPart:
    return TextPart(id="text:0", text=text, role="message")


def a_picture(note: str = "") -> ImagePart:
    return ImagePart(id="file:0", data=PICTURE, media_type="image/jpeg", width_px=8, height_px=6, note=note)


def accounts(**at: ModelEmulator) -> Providers:
    """Return keys for the providers named, each to be found at its emulator: `accounts(gemini=first, local=second)`."""
    fields: dict[str, Any] = {}
    for provider, emulator in at.items():
        dialect = "/v1" if provider in ("openai", "local") else ""
        fields |= {f"{provider}_base_url": emulator.base_url + dialect, f"{provider}_api_key": SecretStr(f"key-of-{provider}")}
    return Providers(**fields)


# Long enough for a busy machine, short enough that a fault which only time ends does not hold the suite up.
READ_S, REQUEST_S, TOTAL_S = 1.2, 1.8, 10.0


def asking(*models: str, providers: Providers, profile: dict[str, Any] | None = None, **options: Any) -> Models:
    """Return models whose every task is put to `models` in this order."""
    deadlines = {"read_s": READ_S, "request_s": REQUEST_S, "total_s": TOTAL_S}
    settings = Profile.model_validate({"models": models, **deadlines, **(profile or {})})
    profiles = Profiles.model_validate(dict.fromkeys(("moderation", "tagging", "escalation"), settings))
    return Models(providers, profiles=profiles, **{"allow_understudy": False, **options})


def blobs(asked: Asked) -> list[Blob]:
    return [part for part in asked.parts if isinstance(part, Blob)]


def texts(asked: Asked) -> str:
    return "\n".join(part for part in asked.parts if isinstance(part, str))
