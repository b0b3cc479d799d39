"""The same question in each dialect, and the answer that a model gives to it."""

import json
from typing import Any

from emulators.gemini import ModelEmulator

MODEL = "gemini-3-flash-preview"
PICTURE = bytes([0xFF, 0xD8, 0xFF, 0xE0, 0x3E, 0x3F])  # its base64 differs between the two alphabets
PICTURE_URLSAFE = "_9j_4D4_"
PICTURE_PLAIN = "/9j/4D4/"

ANSWER: dict[str, Any] = {
    "nonce": "7f3a91",
    "parts": ["text:0", "file:0"],
    "verdict": {"choice": "allow", "severity": 3, "confidence": 0.9, "note": None},
}
TEXT = json.dumps(ANSWER)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {
        "Verdict": {
            "type": "object",
            "properties": {
                "choice": {"enum": ["allow", "block"]},
                "severity": {"type": "integer", "minimum": 0, "maximum": 4},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        }
    },
    "properties": {
        "nonce": {"type": "string"},
        "parts": {"type": "array", "items": {"type": "string"}},
        "verdict": {"$ref": "#/$defs/Verdict"},
    },
}

GEMINI: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "verdict?"}, {"inlineData": {"data": PICTURE_URLSAFE, "mime_type": "image/jpeg"}}],
        }
    ],
    "systemInstruction": {"role": "user", "parts": [{"text": "Moderate."}]},
    "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
}

OPENAI: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "Moderate."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "verdict?"},
                {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PICTURE_PLAIN}"}},
            ],
        },
    ],
    "response_format": {"type": "json_schema", "json_schema": {"name": "Verdict", "schema": SCHEMA}},
}

ANTHROPIC: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 512,
    "system": "Moderate.",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "verdict?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PICTURE_PLAIN}},
            ],
        }
    ],
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}

BODIES = {"gemini": GEMINI, "openai": OPENAI, "anthropic": ANTHROPIC}


def address(emulator: ModelEmulator, dialect: str, *, model: str = MODEL, verb: str = "generateContent") -> str:
    """Return where a question of this dialect is sent."""
    paths = {"gemini": f"v1beta/models/{model}:{verb}", "openai": "v1/chat/completions", "anthropic": "v1/messages"}
    return f"{emulator.base_url}/{paths[dialect]}"
