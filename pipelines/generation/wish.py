"""What somebody wants made, as they said it and as it is put to a maker."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.limits import SOUND_S

MediaKind = Literal["image", "video", "music", "voice"]

# `imagine` makes something from words alone. All others begin with a picture: `vary` keeps its subject, `restyle` redraws it,
# `inspire` makes a new one from what was seen in it, `edit` follows an instruction, `cutout` takes its background away,
# `upscale` makes it larger and `animate` a clip of it.
Operation = Literal["imagine", "vary", "restyle", "inspire", "edit", "cutout", "upscale", "animate"]
Strength = Literal["subtle", "medium", "strong"]

WISH_CHARS: Final = 2_000  # of what a member writes
PROMPT_CHARS: Final = 1_500  # of what is put to a maker
AVOID_CHARS: Final = 500
COUNT_MAX: Final = 4
SECONDS_MAX: Final = int(SOUND_S)  # more of it could not be judged, so that it would be paid for and never shown
SEED_MAX: Final = 2**32 - 1
ASPECTS: Final = ("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9")
FORMATTED: Final[frozenset[Operation]] = frozenset({"imagine", "inspire"})  # all others keep the format of their picture
WORDLESS: Final[frozenset[Operation]] = frozenset({"cutout", "upscale"})  # need no words and change nothing that words say


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wish(Value):
    """What a member asks for. `model` and `style` are names of ours, empty for the usual; `avoid` is what shall not be seen.

    `show_first`: the refined prompt is shown before anything is made. `as_written`: `text` is the prompt itself, not refined;
    so it is of all that is made of its result. `seconds`: how long sound or a clip shall be. `strength`: how much of a source
    picture may change. `language` (a name of `languages.LANGUAGES`) and `voice` are for what is spoken, empty for the usual.
    """

    kind: MediaKind = "image"
    operation: Operation = "imagine"
    text: str = Field(default="", max_length=WISH_CHARS, repr=False)
    avoid: str = Field(default="", max_length=AVOID_CHARS, repr=False)
    aspect: str = "1:1"
    count: int = Field(default=1, ge=1, le=COUNT_MAX)
    style: str = ""
    model: str = ""
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX)
    strength: Strength = "medium"
    seconds: int | None = Field(default=None, ge=1, le=SECONDS_MAX)
    language: str = ""
    voice: str = ""
    show_first: bool = False
    as_written: bool = False


def prompt_chars(wish: Wish) -> int:
    """Return how long a prompt may be; words that are spoken are the wish itself."""
    return WISH_CHARS if wish.kind == "voice" else PROMPT_CHARS


class Brief(Value):
    """What a wish comes to once it was thought through. `prompt` is what a maker is asked; the rest says what it is made of.

    `seen`: what a source picture shows, in 50 to 80 words. `language`: of what is to be spoken, where nobody chose one.
    `avoid_is_known`: the model has left what the member would not see as it was, which it was told to do save for real people.
    """

    subject: str = ""
    style: str = ""
    mood: str = ""
    technical: str = ""
    avoid: str = ""
    prompt: str
    seen: str = ""
    language: str = ""
    avoid_is_known: bool = False


def is_thought_through(wish: Wish, brief: Brief) -> bool:
    """Whether a model has gone over every word that a maker gets, so that they name no real person.

    What is spoken is put to a maker in the member's own words, and so is what shall not be seen: a name there may bring about
    what it shall keep away, since many models get it within their prompt.
    """
    return not wish.as_written and wish.kind != "voice" and (not wish.avoid or brief.avoid_is_known)


class Order(Value):
    """One thing to be made: a picture, a clip, a piece of sound. `model` is the name of a `MakerModel`.

    `aspect`, `seconds`, `language` and `voice` are such as the model knows; those that it does not take are not heeded.
    `source` is an address from `Generator.bring`. `strength`: 0 keeps the source picture, 1 forgets it.
    """

    kind: MediaKind
    operation: Operation
    model: str
    prompt: str = Field(repr=False)
    avoid: str = Field(default="", repr=False)
    aspect: str = "1:1"
    seed: int | None = None
    strength: float | None = None
    seconds: int | None = None
    language: str = ""
    voice: str = ""
    source: str = Field(default="", repr=False)


Takes = Literal["avoid", "seed", "strength", "aspect", "seconds", "language", "voice"]


class Lengths(Value):
    """How long what a model makes can be, in seconds: from `least_s` to `most_s` by `step_s`; `usual_s` where nobody says."""

    least_s: int = Field(ge=1)
    most_s: int
    usual_s: int
    step_s: int = Field(default=1, ge=1)

    def of(self, seconds: int | None) -> int:
        """Return how long it becomes where so much is asked for: no shorter than that, as far as there is such a length."""
        if seconds is None:
            return self.usual_s
        steps = -((self.least_s - seconds) // self.step_s)
        return min(self.least_s + max(0, steps) * self.step_s, self.most_s)


class MakerModel(Value):
    """What one model of a maker can do. `name` is what members write. Options that are not in `takes` do not exist for it.

    `aspects` are the formats it knows, `lengths` how long its clips or sound can be; None where that is not known. `voices`
    names the languages of each of its voices; the first voice is the usual one.
    `price_usd` is for one picture, clip or piece of sound; None where it is not known. `usual_s` is how long one takes.
    """

    name: str
    title: str
    kind: MediaKind
    operations: frozenset[Operation]
    takes: frozenset[Takes] = frozenset()
    aspects: tuple[str, ...] = ()
    lengths: Lengths | None = None
    voices: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    price_usd: Annotated[Decimal, Field(ge=0)] | None = None
    usual_s: float = 10.0


class MakerJob(Value):
    """A job at a maker, as far as it has told us. It can be stored, and asked about after a restart.

    `handle` is its id there, `family` where it is asked about. `urls` are addresses of the result, the first that works counts;
    only `done` jobs have any. `nsfw`: the maker says that it replaced the result; None where it says nothing. `eta_s` is the
    maker's estimate in seconds. `seed` is the one that was used, None where the model takes none. `prompt` is what was asked.

    What `poll` returns is stored in place of what was asked about, for what it says of the asking: `asked_at` is when it began,
    in seconds since 1970, `odd_answers` how many answers since then made no sense.
    """

    handle: str
    family: str
    state: Literal["running", "done"]
    urls: tuple[str, ...] = Field(default=(), repr=False)
    eta_s: float | None = None
    seed: int | None = None
    nsfw: bool | None = None
    asked_at: float | None = None
    odd_answers: int = 0
    prompt: str = Field(default="", repr=False)
