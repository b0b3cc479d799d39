"""How many tokens an emulated model says it used: plausible, not exact."""

from collections.abc import Iterable

from emulators.wire import Blob

# Gemini 3 per picture and resolution. Source: https://ai.google.dev/gemini-api/docs/media-resolution
IMAGE_TOKENS = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
IMAGE_TOKENS_DEFAULT = IMAGE_TOKENS["HIGH"]
CHARS_PER_TOKEN = 4

# Gemini's 32 tokens a second, at the 32 kbit/s in which the product sends sound.
# Source: https://ai.google.dev/gemini-api/docs/audio
SOUND_BYTES_PER_TOKEN = 125


def of_text(text: str) -> int:
    """Return one token for every four characters begun."""
    return -(-len(text) // CHARS_PER_TOKEN)


def of_blob(blob: Blob, resolution: str | None = None) -> int:
    """Return what a picture, page or sound costs; `resolution` is the request's, used where the part names none."""
    if blob.is_sound:
        return -(-len(blob.data) // SOUND_BYTES_PER_TOKEN)
    level = (blob.resolution or resolution or "").removeprefix("MEDIA_RESOLUTION_")
    return IMAGE_TOKENS.get(level, IMAGE_TOKENS_DEFAULT)


def of_parts(parts: Iterable[str | Blob], resolution: str | None = None) -> tuple[int, int]:
    """Return the tokens of all texts and the tokens of all files."""
    parts = tuple(parts)
    texts = sum(of_text(part) for part in parts if isinstance(part, str))
    return texts, sum(of_blob(part, resolution) for part in parts if isinstance(part, Blob))
