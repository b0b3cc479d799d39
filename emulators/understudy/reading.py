"""Reads a question back into its parts, as `pipelines/models/fence.py` puts them to a model.

A header announces each part: `<part id="file:0" nonce="7f3a91" role="picture">`. A text follows its header and ends with
`</part nonce="7f3a91">`, a picture or sound is the file after it. The first header is the client's own, for nothing that a
member wrote precedes it; after that only headers with its nonce count.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

from emulators.wire import Asked, Blob

HEADER: Final = re.compile(r"<part ([^<>]*)>\n?")
ATTRIBUTE: Final = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Something written. `role` says what it was: `message`, `file_name`, `code`, `metadata`."""

    id: str
    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Something drawn: the bytes as they came, unchecked."""

    id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Something to listen to: the bytes as they came, unchecked."""

    id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a question is about, in order, and the word that fences it."""

    nonce: str
    texts: tuple[Text, ...]
    pictures: tuple[Picture, ...]
    sounds: tuple[Sound, ...]


def parts_of(asked: Asked) -> Parts | None:
    """Return the fenced parts of a question, or None where nothing is fenced. What stands outside of the fences is left out."""
    nonce = ""
    texts: list[Text] = []
    pictures: list[Picture] = []
    sounds: list[Sound] = []
    announced = ""
    for item in asked.parts:
        if isinstance(item, Blob):
            if announced and item.is_sound:
                sounds.append(Sound(id=announced, data=item.data))
            elif announced:
                pictures.append(Picture(id=announced, data=item.data))
            announced = ""
            continue
        header, body = _opened(item)
        nonce = nonce or header.get("nonce", "")
        ours = bool(nonce) and header.get("nonce") == nonce
        announced = header["id"] if ours and not body else ""
        if ours and body:
            text = body.partition(f'\n</part nonce="{nonce}">')[0]
            texts.append(Text(id=header["id"], role=header.get("role", "message"), text=text))
    if not nonce:
        return None
    return Parts(nonce=nonce, texts=tuple(texts), pictures=tuple(pictures), sounds=tuple(sounds))


def _opened(item: str) -> tuple[dict[str, str], str]:
    """Return a header's attributes and what follows it; no attributes where there is no header."""
    header = HEADER.match(item)
    if header is None:
        return {}, item
    attributes = {name: unescape(value) for name, value in ATTRIBUTE.findall(header[1])}
    return (attributes, item[header.end() :]) if attributes.get("id") else ({}, item)
