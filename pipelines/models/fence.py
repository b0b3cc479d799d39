"""How parts are put to a model: each announced by a fence that whoever wrote the part cannot imitate."""

import html
import re
from collections.abc import Iterator

from pydantic_ai import BinaryContent
from pydantic_ai.framing import neutralize_tags
from pydantic_ai.messages import UserContent

from pipelines.content import AudioPart, ImagePart, Part, TextPart

# Anything in a text that could be taken for the beginning or the end of a part.
_IMITATION = re.compile(r"<(?=\s*/?\s*part\b)", re.IGNORECASE)


def fenced(parts: tuple[Part, ...], *, nonce: str, media_resolution: str) -> list[UserContent]:
    """Return the parts as a user's turn. Pictures and sound travel as bytes, never as an address that a client would fetch.

    `media_resolution` is Gemini's (`low` …); the other dialects ignore it.
    """
    return [piece for part in parts for piece in _pieces(part, nonce, media_resolution)]


def _pieces(part: Part, nonce: str, media_resolution: str) -> Iterator[UserContent]:
    match part:
        case TextPart():
            header = _header(part.id, nonce, role=part.role, note=part.note)
            yield f'{header}\n{_harmless(part.text, nonce)}\n</part nonce="{nonce}">'
        case ImagePart():
            yield _header(part.id, nonce, role="picture", note=part.note)
            level = {"level": f"MEDIA_RESOLUTION_{media_resolution.upper()}"}
            yield BinaryContent(part.data, media_type=part.media_type, vendor_metadata={"media_resolution": level})
        case AudioPart():
            yield _header(part.id, nonce, role="sound", note=part.note)
            yield BinaryContent(part.data, media_type=part.media_type)


def _header(id: str, nonce: str, **attributes: str) -> str:
    said = "".join(f' {name}="{_attribute(value, nonce)}"' for name, value in attributes.items() if value)
    return f'<part id="{_attribute(id, nonce)}" nonce="{nonce}"{said}>'


def _attribute(value: str, nonce: str) -> str:
    return html.escape(" ".join(_harmless(value, nonce).split()), quote=True)


def _harmless(text: str, nonce: str) -> str:
    """Take out the nonce, whatever looks like a fence of ours or the client's, and lone surrogates, which cannot be sent.

    The client speaks to the model in `<system>` blocks when it asks once more.
    """
    sendable = neutralize_tags(text.encode("utf-8", "replace").decode("utf-8"))
    return _IMITATION.sub("‹", sendable.replace(nonce, "…") if nonce else sendable)
