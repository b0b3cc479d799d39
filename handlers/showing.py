"""What is said of what was made: the answer with its buttons, and the files that go with it."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from handlers.answers import Deed, Made, MadeItem, NotMade
from handlers.effects import Enclosure
from handlers.ports.generation import MadeThing, OnceMore, StoredWish
from pipelines.generation.options import can, spoken
from pipelines.generation.wish import WORDLESS, MakerModel, MediaKind, Operation, Strength
from pipelines.ports import Generator
from pipelines.tagging import cut

GONE: Final = "This is kept no longer, or was deleted. Make a new one with /imagine."
NO_MAKER: Final = "Nothing can be made here at present. The operator has to set MODELSLAB_API_KEY."
CANCELLED: Final = (
    "It was cancelled, and nothing of it will be posted. What was begun already may still be charged by the service."
)
CANCELLED_UNSPENT: Final = "It was cancelled before anything of it was begun."
TRY_AGAIN: Final = ("wish_again", "Try again")
LOOK_AGAIN: Final = ("wish_look", "Look once more")
TRY_AGAIN_UNCLEAR: Final = ("wish_again", "Make it anyway")

_FILES: Final[dict[MediaKind, str]] = {
    "image": "made_picture",
    "video": "made_video",
    "music": "made_sound",
    "voice": "made_sound",
}
_ENDINGS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/aac": "aac",
}
# What can be done with one picture, in order. Source of the order: what people reach for first.
_WITH_ONE: Final[tuple[tuple[str, str, Operation], ...]] = (
    ("wish_vary_subtle", "Vary (subtle)", "vary"),
    ("wish_vary_strong", "Vary (strong)", "vary"),
    ("wish_upscale", "Upscale", "upscale"),
    ("wish_animate", "Animate", "animate"),
    ("wish_cutout", "Remove background", "cutout"),
)

_VARIED: Final[dict[Strength, Deed]] = {"subtle": "varied_subtle", "medium": "varied", "strong": "varied_strong"}
_DONE: Final[dict[Operation, Deed]] = {
    "imagine": "made",
    "restyle": "redrawn",
    "inspire": "inspired",
    "edit": "edited",
    "cutout": "cut_out",
    "upscale": "upscaled",
    "animate": "animated",
}
_DONE_AGAIN: Final[dict[OnceMore, Deed]] = {"reroll": "rerolled", "prompt": "prompted", "rest": "completed"}
ABOUT_CHARS: Final = 60  # of what something is done to: a heading holds it


def deed_of(wish: StoredWish) -> Deed:
    """Return what is done for a wish."""
    if wish.once_more:
        return _DONE_AGAIN[wish.once_more]
    return _VARIED[wish.wish.strength] if wish.wish.operation == "vary" else _DONE[wish.wish.operation]


def about_of(wish: StoredWish) -> str:
    """Return in a few words what it is done to; nothing where something is made from words."""
    if deed_of(wish) == "made":
        return ""
    source = None if wish.once_more else wish.source
    which, words = "", (wish.brief.subject, wish.wish.text)
    if source and not source.wish:  # whose words are those of the change
        which, words = "the posted picture", (wish.wish.text, wish.brief.subject)
    elif source and source.among > 1:
        which = f"picture {source.position} of {source.among}"
    said = cut(" ".join(next(filter(None, words), "").split()).rstrip("."), ABOUT_CHARS)
    return ": ".join(filter(None, (which, said))) or "a picture"


def not_made(wish: StoredWish, text: str, *, buttons: tuple[tuple[str, str], ...] = ()) -> NotMade:
    """Return the answer that says why there is nothing for a wish."""
    return NotMade(id=wish.id, deed=deed_of(wish), about=about_of(wish), wish=wish.wish.text, text=text, buttons=buttons)


def made_answer(
    wish: StoredWish, *, reasons: Sequence[str], generator: Generator | None, elapsed_s: int, missing: int = 0
) -> Made:
    """Return the answer that says what was made.

    `reasons`: why some of it is not there. `missing`: how many of those can be made by another attempt, which somebody presses
    for: it is paid for anew.
    """
    model = generator.models.get(wish.model) if generator else None
    prompt = Counter(map(wish.asked_for, wish.made)).most_common(1)[0][0] if wish.made else wish.prompt
    repeatable = wish.wish.operation not in WORDLESS
    rest = "Make the missing one" if missing == 1 else f"Make the missing {missing}"
    buttons = (
        *((("wish_missing", rest, f"{wish.id}:{missing}"),) if missing else ()),
        *((("wish_reroll", "Reroll", wish.id), ("wish_prompt", "Edit prompt", wish.id)) if repeatable else ()),
        ("wish_delete", "Delete", wish.id),
    )
    return Made(
        id=wish.id,
        media=wish.wish.kind,
        deed=deed_of(wish),
        about=about_of(wish),
        wish=wish.wish.text,
        prompt=prompt if repeatable else "",
        items=tuple(_item(wish, each, generator, prompt) for each in wish.made),
        model=_by(wish, model),
        engine=generator.name if generator else "none",
        elapsed_s=elapsed_s,
        cost_usd=f"{wish.cost_usd.normalize():f}" if wish.price_usd is not None else "",
        notes=tuple(reasons),
        spoiler=any(each.adults_only for each in wish.made),
        buttons=buttons,
    )


def _by(wish: StoredWish, model: MakerModel | None) -> str:
    """Return what something was made with: the model, and in which language it speaks."""
    if model is None:
        return wish.model
    language, _ = spoken(wish.wish, wish.brief, model)
    return f"{model.title}, {language}" if language else model.title


def _item(wish: StoredWish, thing: MadeThing, generator: Generator | None, prompt: str) -> MadeItem:
    """Return what is said of one thing; `prompt` is that of all."""
    value, own = f"{wish.id}:{thing.position}", wish.asked_for(thing)
    done = wish.wish.operation if wish.wish.operation in WORDLESS else None  # doing that again changes nothing
    buttons = tuple(
        (name, label, value)
        for name, label, operation in _WITH_ONE
        if wish.wish.kind == "image" and generator and operation != done and can(generator.models, operation)
        # A picture that was only made larger has no words to vary it by.
        if wish.prompt or wish.wish.text or operation in WORDLESS
    )
    return MadeItem(
        position=thing.position,
        alt_text=thing.alt_text,
        caption=thing.caption,
        prompt=own if own != prompt else "",
        seed="" if thing.seed is None else str(thing.seed),
        score=thing.score,
        missing=thing.missing,
        attempts=thing.attempt - wish.first_attempt + 1,
        buttons=buttons,
    )


def made_files(wish: StoredWish) -> tuple[Enclosure, ...]:
    """Return the files of what was made, in its order."""
    kind = _FILES[wish.wish.kind]
    stem = re.sub(r"[^a-z0-9]+", "-", (wish.brief.subject or wish.wish.text).lower())[:40].strip("-") or "made"
    return tuple(
        Enclosure.model_validate(
            {
                "kind": "made_picture" if kind == "made_video" and each.media_type.startswith("image/") else kind,
                "of": wish.id,
                "page": each.position,
                "name": f"{stem}-{each.position}.{_ENDINGS.get(each.media_type, 'bin')}",
                "alt_text": each.alt_text,
                "spoiler": each.adults_only,
            }
        )
        for each in wish.made
    )
