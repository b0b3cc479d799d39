"""What a judge reports about content: findings and how much of it was looked at. It says nothing about consequences."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipelines.language import ENGLISH, Catalogue, message


class Category(StrEnum):
    """The ten categories of content, and `tampering`, which is about form: an attempt to
    instruct the judge or to hide from it."""

    CHILD_SAFETY = "child_safety"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    GORE = "gore"
    HATE = "hate"
    HARASSMENT = "harassment"
    SELF_HARM = "self_harm"
    ILLICIT = "illicit"
    SCAM_SPAM = "scam_spam"
    PRIVACY = "privacy"
    TAMPERING = "tampering"


OWN: Final = "own:"  # begins the name of a category that a workspace's own policy describes


def _is_category(name: str) -> str:
    if name not in set(Category) and not name.startswith(OWN):
        raise ValueError("there is no such category")
    return str(name)


# A `Category`, or `own:NAME`.
CategoryName = Annotated[str, AfterValidator(_is_category)]


def label_of(category: CategoryName, words: Catalogue = ENGLISH) -> str:
    """Return the words for people. Those of a workspace's own categories are its own, in whatever language."""
    known = _LABELS.get(category)
    return words.say(known) if known else category.removeprefix(OWN).replace("_", " ")


def kind_in_words(kind: str, words: Catalogue = ENGLISH) -> str:
    """Return the words for what narrows a category."""
    said = kind.replace("_", " ")
    return words.say(said) if said in _KINDS else said


_LABELS = {
    "child_safety": message("child safety"),
    "sexual": message("sexual content"),
    "violence": message("violence"),
    "gore": message("gore"),
    "hate": message("hate"),
    "harassment": message("harassment"),
    "self_harm": message("self-harm"),
    "illicit": message("illicit goods or acts"),
    "scam_spam": message("scam or spam"),
    "privacy": message("private data"),
    "tampering": message("tampering"),
}

_KINDS = {
    message("explicit"),
    message("nudity"),
    message("suggestive"),
    message("threat"),
    message("glorification"),
    message("extremism"),
    message("distress"),
    message("promotion"),
    message("location"),
    message("wrong extension"),
    message("wrong media type"),
    message("double extension"),
    message("trailing bytes"),
    message("escaping path"),
    message("device"),
    message("active content"),
    message("hidden text"),
    message("hidden picture"),
    message("polyglot"),
    message("executable"),
    message("embedded file"),
    message("external reference"),
    message("e invoice"),
    message("script"),
    message("motion photo"),
    message("second picture"),
}


class Finding(BaseModel):
    """One thing that the judge saw. Its claims are the judge's; only the ranges are checked.

    `kind` narrows the category where a policy tells kinds apart (`explicit`, `distress` …). `severity` is 0 none, 1 mild,
    2 moderate, 3 severe, 4 critical; `confidence` 0-1. `evidence` may quote the content; `place` is the id of a part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: CategoryName
    kind: str = ""
    severity: int = Field(ge=0, le=4)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    evidence: str = ""
    place: str = ""


class Coverage(BaseModel):
    """How many of the parts were judged. What could not even become a part counts in `total` as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judged: int
    total: int


class Incomplete(BaseModel):
    """Why the content was not judged in full: no such verdict is ever `allow`.

    `cause`: `judge_down` (nobody answered in time), `judge_blocked` (a model refuses to look), `bad_answer`, `partial` (some
    parts were not judged), `unreadable` (some of it cannot be opened). `why` is a sentence without content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str = Field(pattern="^(judge_down|judge_blocked|bad_answer|partial|unreadable)$")
    why: str


class Report(BaseModel):
    """All that the judge said about one message.

    `keep_copy` is False where the vendor hints at content that nobody may keep (`PROHIBITED_CONTENT`). `prompt` is the
    fingerprint of the question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...] = ()
    coverage: Coverage
    incomplete: tuple[Incomplete, ...] = ()
    keep_copy: bool = True
    engine: str = "none"
    prompt: str = ""
