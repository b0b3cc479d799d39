"""Which model a wish is made with, and whether that model has what was asked for."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from pipelines.content import ImagePart, Intake
from pipelines.errors import UserError
from pipelines.generation.brief import folded
from pipelines.generation.wish import (
    ASPECTS,
    FORMATTED,
    SEED_MAX,
    WORDLESS,
    Brief,
    MakerModel,
    Operation,
    Order,
    Strength,
    Takes,
    Wish,
)

# How much of a source picture may change, 0 to 1, by what was asked for. Set by eye; the facts of the vendor name no numbers.
_STRENGTHS: Final[dict[Operation, dict[Strength, float]]] = {
    "vary": {"subtle": 0.35, "medium": 0.5, "strong": 0.65},
    "restyle": {"subtle": 0.35, "medium": 0.6, "strong": 0.8},
}
_DOES: Final[dict[Operation, str]] = {
    "imagine": "make that",
    "vary": "vary a picture",
    "restyle": "redraw a picture",
    "inspire": "make a picture after another one",
    "edit": "edit a picture by words",
    "cutout": "remove a background",
    "upscale": "make a picture larger",
    "animate": "animate a picture",
}


def can(models: Mapping[str, MakerModel], operation: Operation) -> bool:
    """Whether any model can do this."""
    return any(operation in each.operations for each in models.values())


def model_for(wish: Wish, models: Mapping[str, MakerModel]) -> MakerModel:
    """Return the model that a wish is made with: the one that it names, else the usual one for what is to be done.

    Raises: `UserError` when there is none, or it lacks an option that the wish names.
    """
    able = [each for each in models.values() if each.kind == wish.kind and wish.operation in each.operations]
    if not able:
        raise UserError(f"Nothing here can {_DOES[wish.operation]} as {wish.kind}.")
    names = ", ".join(each.name for each in able)
    if not wish.model:
        fitting = [each for each in able if not _lacking(wish, each)]
        if not fitting:
            _refuse(wish, able[0], names)
        return _speaking(wish, fitting[0])
    chosen = next((each for each in able if each.name == wish.model.casefold()), None)
    if chosen is None:
        raise UserError(f"There is no model of that name that can {_DOES[wish.operation]}. There are {names}.")
    if _lacking(wish, chosen):
        _refuse(wish, chosen, names)
    return _speaking(wish, chosen)


def _speaking(wish: Wish, model: MakerModel) -> MakerModel:
    refuse_unspoken(wish, Brief(prompt=wish.text), model)
    return model


def refuse_unspoken(wish: Wish, brief: Brief, model: MakerModel) -> None:
    """Raises: `UserError` where a model lacks the voice that a wish names, or that voice does not speak the language."""
    if wish.voice and wish.voice not in model.voices:
        raise UserError(f"There is no such voice. After --voice write one of {', '.join(model.voices)}.")
    language, voice = spoken(wish, brief, model)
    if voice and language not in model.voices[voice]:
        able = [name for name, languages in model.voices.items() if language in languages]
        instead = f"choose one of {', '.join(able)} for that" if able else "leave --language out"
        raise UserError(f"The voice {voice} speaks {' and '.join(model.voices[voice])}, not {language}: {instead}.")


def spoken(wish: Wish, brief: Brief, model: MakerModel) -> tuple[str, str]:
    """Return the language and the voice that a model speaks with; both are empty where it has no voices."""
    if not model.voices:
        return "", ""
    usual = next(iter(model.voices))
    language = wish.language or brief.language or model.voices[usual][0]
    able = (name for name, languages in model.voices.items() if language in languages)
    return language, wish.voice if wish.voice in model.voices else next(able, usual)


def _lacking(wish: Wish, model: MakerModel) -> list[str]:
    """Return what a wish asks for that a model does not know, in words."""
    asked: dict[Takes, tuple[bool, str]] = {
        "seed": (wish.seed is not None, "a seed (--seed)"),
        "seconds": (wish.seconds is not None, "a length (--seconds)"),
        "language": (bool(wish.language), "a language (--language)"),
        "voice": (bool(wish.voice), "a voice (--voice)"),
        "strength": (wish.operation in _STRENGTHS and wish.strength != "medium", "a measure of change (--strength)"),
    }
    lacking = [words for option, (is_asked, words) in asked.items() if is_asked and option not in model.takes]
    if wish.operation in FORMATTED and wish.aspect != "1:1" and wish.aspect not in model.aspects:
        lacking.append(f"the format {wish.aspect} (--ar)")
    return lacking


def _refuse(wish: Wish, model: MakerModel, names: str) -> None:
    raise UserError(f"{model.title} has not {' and '.join(_lacking(wish, model))}. Leave that out, or choose one of {names}.")


def in_format_of(source: Intake, wish: Wish) -> Wish:
    """Return a wish as it is asked for: what keeps the format of its picture has the nearest one that there is."""
    if wish.operation in FORMATTED:
        return wish
    picture = next(part for part in source.parts if isinstance(part, ImagePart))
    return wish.model_copy(update={"aspect": _nearest(picture.width_px / picture.height_px, ASPECTS)})


def format_of(wish: Wish, model: MakerModel) -> str:
    """Return the format that a model is asked for: the nearest one that it knows; empty where it takes none."""
    return _nearest(_ratio(wish.aspect), model.aspects) if model.aspects else ""


def asked_of(wish: Wish, brief: Brief, model: MakerModel) -> tuple[tuple[str, str], ...]:
    """Return by name what a model is asked for beside the prompt, as `order_of` puts it: only what there is of it."""
    asked = [("Model", model.title), ("Number", str(wish.count))]
    if wish.operation in FORMATTED and (aspect := format_of(wish, model)):
        asked.append(("Format", aspect))
    if model.lengths:
        asked.append(("Length", f"{model.lengths.of(wish.seconds)} s"))
    language, voice = spoken(wish, brief, model)
    if voice:
        asked += [("Language", language), ("Voice", voice)]
    if wish.style:
        asked.append(("Style", wish.style))
    if wish.seed is not None:
        asked.append(("Seed", str(wish.seed)))
    return tuple(asked)


def _nearest(ratio: float, aspects: Sequence[str]) -> str:
    return min(aspects, key=lambda each: abs(log(ratio / _ratio(each))))


def _ratio(aspect: str) -> float:
    width, height = aspect.split(":")
    return int(width) / int(height)


def order_of(wish: Wish, brief: Brief, model: MakerModel, *, position: int) -> Order:
    """Return what a maker is asked for the thing at `position` (from 1) of a wish, but for where its source picture lies."""
    avoid = brief.avoid  # which begins with what the member wrote
    prompt = brief.prompt
    if avoid and "avoid" not in model.takes and wish.operation not in WORDLESS and wish.kind != "voice":
        prompt = folded(prompt, avoid)
    strength = _STRENGTHS.get(wish.operation, {}).get(wish.strength)
    language, voice = spoken(wish, brief, model)
    return Order(
        kind=wish.kind,
        operation=wish.operation,
        model=model.name,
        prompt=prompt,
        avoid=avoid if "avoid" in model.takes else "",
        aspect=format_of(wish, model) or "1:1",
        seed=None if wish.seed is None else (wish.seed + position - 1) % (SEED_MAX + 1),
        strength=strength if "strength" in model.takes else None,
        seconds=model.lengths.of(wish.seconds) if model.lengths else None,
        language=language,
        voice=voice,
    )
