"""The languages that words can be spoken in, by the names that members write."""

from collections.abc import Mapping
from typing import Final

from pipelines.errors import UserError

# Each with what else it is called: plain words, and tags of BCP 47. The first one is spoken where nobody says which.
LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "american-english": ("english", "american", "en", "en-us"),
    "british-english": ("british", "en-gb"),
    "spanish": ("es", "es-es"),
    "japanese": ("ja", "ja-jp"),
    "mandarin-chinese": ("chinese", "mandarin", "zh", "zh-cn"),
    "french": ("fr", "fr-fr"),
    "brazilian-portuguese": ("portuguese", "pt", "pt-br"),
    "hindi": ("hi", "hi-in"),
    "italian": ("it", "it-it"),
}
ENGLISH: Final = ("american-english", "british-english")


def language_named(said: str) -> str:
    """Return the language that somebody calls so. Raises: `UserError` with those that there are."""
    wanted = said.casefold().replace("_", "-")
    for name, others in LANGUAGES.items():
        if wanted == name or wanted in others:
            return name
    raise UserError(f"There is no such language to speak in. After --language write one of {', '.join(LANGUAGES)}.")
