"""What a picture shows, in words that one can search for and read aloud."""

from pydantic import BaseModel, Field

from pipelines.content import ImagePart, Intake
from pipelines.errors import UserError
from pipelines.ports import LanguageModel, Question, Reply
from pipelines.questions import fresh_nonce, prompt


class TechnicalQuality(BaseModel):
    """How well the picture is made, each in one to three words."""

    sharpness: str
    exposure: str
    contrast: str
    noise: str


class Tags(BaseModel):
    """What one picture shows. Lists are most important first; all of it is the model's claim."""

    subjects: list[str]
    style: str
    mood: str
    technical_quality: TechnicalQuality
    colours: list[str]
    text: str = Field(json_schema_extra={"maxLength": 500})
    alt_text: str = Field(min_length=1, json_schema_extra={"maxLength": 300})
    tags: list[str]


async def tag(picture: Intake, *, model: LanguageModel) -> Reply[Tags]:
    """Describe one picture; `picture` holds its parts alone.

    Raises: `UserError` when there is no picture in it, with the reason that intake gave.
    """
    views = tuple(part for part in picture.parts if isinstance(part, ImagePart))
    if not views:
        raise UserError(picture.gaps[0].why if picture.gaps else "There is no picture to tag.")
    nonce = fresh_nonce()
    return await model.ask(
        Question(task="tagging", instructions=prompt("tagging", nonce=nonce).text, parts=views, shape=Tags, nonce=nonce)
    )
