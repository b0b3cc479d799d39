"""Questions as the product puts them, and pictures that are drawn on the spot."""

import base64
import json
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel
from pydantic_ai import BinaryContent

from emulators.understudy import answer
from emulators.wire import Asked, Blob
from pipelines.content import ImagePart, Part, TextPart
from pipelines.models.fence import fenced
from pipelines.moderation.judge import Judgement
from pipelines.tagging import Tags

NONCE = "7f3a91c2"


def question(parts: Sequence[Part], shape: type[BaseModel]) -> Asked:
    """Return a question with its parts fenced as every client fences them."""
    return asked(pieces(parts), shape)


def pieces(parts: Sequence[Part]) -> list[str | Blob]:
    """Return the fenced parts as they are decoded from the wire."""
    sent = fenced(tuple(parts), nonce=NONCE, media_resolution="low")
    files = (Blob(data=each.data, media_type=each.media_type) if isinstance(each, BinaryContent) else each for each in sent)
    return [each for each in files if isinstance(each, str | Blob)]


def asked(sent: Sequence[str | Blob], shape: type[BaseModel]) -> Asked:
    schema = shape.model_json_schema()
    return Asked(dialect="gemini", model="any", instructions="", parts=tuple(sent), schema=schema)


def judged(*parts: Part) -> Judgement:
    return Judgement.model_validate_json(answer(question(parts, Judgement)))


def tagged(*parts: Part) -> Tags:
    return Tags.model_validate_json(answer(question(parts, Tags)))


def findings(judgement: Judgement) -> dict[str, tuple[int, float]]:
    """Return severity and confidence of every category in which something was found."""
    opinions = [*judgement.categories, ("tampering", judgement.tampering)]
    return {name: (opinion.severity, opinion.confidence) for name, opinion in opinions if opinion.severity}


def a_text(text: str, id: str = "text:0", role: Any = "message") -> TextPart:
    return TextPart(id=id, text=text, role=role)


def a_picture(picture: Image.Image | bytes, id: str = "file:0") -> ImagePart:
    data = picture if isinstance(picture, bytes) else encoded(picture)
    return ImagePart(id=id, data=data, media_type="image/jpeg", width_px=1, height_px=1)


def encoded(picture: Image.Image, format: str = "JPEG") -> bytes:
    out = BytesIO()
    picture.save(out, format, **({"quality": 90} if format == "JPEG" else {}))
    return out.getvalue()


def plain(colour: str, size: tuple[int, int] = (400, 300)) -> Image.Image:
    return Image.new("RGB", size, colour)


def page(ink: str = "black", ground: str = "white") -> Image.Image:
    """Draw thirty lines of writing."""
    picture = plain(ground, (768, 1024))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    for line in range(30):
        pen.text(
            (60, 60 + 30 * line), f"Line {line}: the quick brown fox jumps over the lazy dog, {line * 37} times", ink, font
        )
    return picture


def screenshot() -> Image.Image:
    """Draw the window of a chat: a dark column of names, a light one of messages with coloured heads."""
    picture = plain("white", (1024, 640))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    pen.rectangle((0, 0, 220, 640), "#3f0e40")
    for line in range(18):
        pen.text((20, 20 + 34 * line), f"# channel-{line}", "#cccccc", font)
    for line in range(9):
        pen.rectangle((240, 30 + 66 * line, 276, 66 + 66 * line), ("#e01e5a", "#2eb67d", "#36c5f0")[line % 3])
        pen.text(
            (290, 30 + 66 * line), f"Ada 10:0{line}\nThe quick brown fox jumps over the lazy dog {line} times", "#222222", font
        )
    return picture


def logo() -> Image.Image:
    picture = plain("white", (512, 512))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 60, 450, 450), "#d81e1e")
    pen.rectangle((180, 180, 330, 330), "#142350")
    return picture


def scene(sky: str = "#9cc8ec", land: str = "#3f5a2a", size: tuple[int, int] = (1024, 640)) -> Image.Image:
    """Paint something like a photograph: a sky, a land below, light that changes and grain over all."""
    picture = plain(sky, size)
    ImageDraw.Draw(picture).rectangle((0, size[1] * 5 // 8, *size), land)
    shade = Image.linear_gradient("L").rotate(90).resize(size).convert("RGB")
    return Image.blend(Image.blend(picture, shade, 0.2), grain(size, 60), 0.12)


def grain(size: tuple[int, int], sigma: int) -> Image.Image:
    """Return noise that is the same in every run, which `Image.effect_noise` is not."""
    tile = Image.frombytes("L", (256, 256), _grain(sigma))
    picture = Image.new("L", size)
    for left in range(0, size[0], 256):
        for top in range(0, size[1], 256):
            picture.paste(tile, (left, top))
    return picture.convert("RGB")


@cache
def _grain(sigma: int) -> bytes:
    state, values = 1, bytearray()
    while len(values) < 256 * 256:
        state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        values.append(max(0, min(255, 128 + ((state >> 16) % (4 * sigma)) - 2 * sigma)))
    return bytes(values)


def gemini_body(parts: Sequence[Part], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a bare `generateContent` request."""
    sent = [
        {"inlineData": {"mimeType": each.media_type, "data": base64.urlsafe_b64encode(each.data).decode()}}
        if isinstance(each, Blob)
        else {"text": each}
        for each in pieces(parts)
    ]
    return {
        "contents": [{"role": "user", "parts": sent}],
        "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": schema},
    }


def said(reply: dict[str, Any]) -> Any:
    """Return the JSON that stands in a `generateContent` reply."""
    return json.loads(reply["candidates"][0]["content"]["parts"][0]["text"])
