"""Which model a wish is made with, and what of it the model is asked."""

from decimal import Decimal
from typing import Any

import pytest

from emulators.modelslab.operations import LANGUAGES as DOCUMENTED
from pipelines.content import ImagePart, Intake
from pipelines.errors import UserError
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.languages import LANGUAGES
from pipelines.generation.options import asked_of, in_format_of, model_for, order_of, refuse_unspoken
from pipelines.generation.wish import Brief, MakerModel, Wish

MODELS = {name: offer.model for name, offer in OFFERS.items()}
BRIEF = Brief(prompt="a red fox", avoid="people, text")


def a_model(name: str, **more: Any) -> MakerModel:
    fields = {"kind": "image", "operations": frozenset({"imagine", "vary", "restyle"}), "price_usd": Decimal("0.01")}
    return MakerModel.model_validate({"name": name, "title": name, **fields, **more})


@pytest.mark.parametrize(
    ("name", "prompt", "avoid"),
    [
        pytest.param("sdxl", "a red fox", "people, text", id="told-apart"),
        pytest.param("flux", "a red fox Without: people, text.", "", id="folded-in"),
    ],
)
def test_what_shall_not_be_seen_is_folded_in_where_a_model_has_no_place_for_it(name: str, prompt: str, avoid: str) -> None:
    order = order_of(Wish(text="a fox"), BRIEF, MODELS[name], position=1)

    assert (order.prompt, order.avoid) == (prompt, avoid)


def test_nothing_is_folded_into_what_is_spoken_or_changed_by_no_words() -> None:
    spoken = order_of(Wish(kind="voice", text="hello"), Brief(prompt="hello", avoid="x"), MODELS["speech"], position=1)
    larger = order_of(Wish(operation="upscale"), Brief(prompt="", avoid="x"), MODELS["realesrgan"], position=1)

    assert (spoken.prompt, larger.prompt) == ("hello", "")


@pytest.mark.parametrize(
    ("operation", "strength", "changes"),
    [
        pytest.param("restyle", "subtle", 0.35, id="redrawn-a-little"),
        pytest.param("restyle", "medium", 0.6, id="redrawn"),
        pytest.param("restyle", "strong", 0.8, id="redrawn-freely"),
        pytest.param("vary", "subtle", 0.35, id="varied-a-little"),
        pytest.param("vary", "strong", 0.65, id="varied-a-lot"),
        pytest.param("imagine", "medium", None, id="made-anew"),
    ],
)
def test_how_much_may_change_is_a_number_for_the_maker(operation: Any, strength: Any, changes: float | None) -> None:
    wish = Wish(operation=operation, text="a fox", strength=strength)

    assert order_of(wish, BRIEF, MODELS["flux"], position=1).strength == changes


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        pytest.param(Wish(operation="restyle", text="ink", strength="strong"), "measure of change", id="how-much-changes"),
        pytest.param(Wish(text="a fox", seed=7), r"a seed \(--seed\)", id="a-seed"),
        pytest.param(Wish(text="a fox", aspect="16:9"), r"the format 16:9 \(--ar\)", id="a-format"),
    ],
)
def test_what_no_model_takes_is_refused_in_a_sentence(wish: Wish, says: str) -> None:
    with pytest.raises(UserError, match=says):
        model_for(wish, {"plain": a_model("plain")})


def test_a_model_that_takes_what_is_asked_for_comes_before_the_usual_one() -> None:
    models = {"plain": a_model("plain"), "other": a_model("other", takes=frozenset({"strength"}))}

    assert model_for(Wish(operation="vary", strength="subtle"), models).name == "other"
    assert model_for(Wish(operation="vary"), models).name == "plain"


def test_a_new_picture_after_another_one_has_the_format_that_is_asked_for() -> None:
    wish = Wish(operation="inspire", text="a fox", aspect="21:9", model="imagen-4")

    with pytest.raises(UserError, match="the format 21:9"):
        model_for(wish, MODELS)
    assert model_for(wish.model_copy(update={"model": ""}), MODELS).name == "fast"


def test_what_is_made_of_a_picture_keeps_its_format() -> None:
    wide = Intake(parts=(ImagePart(id="file:0", data=b"", media_type="image/png", width_px=1900, height_px=1000),))

    assert in_format_of(wide, Wish(operation="edit", text="add a hat")).aspect == "16:9"
    assert in_format_of(wide, Wish(operation="inspire", text="a fox", aspect="3:4")).aspect == "3:4"


@pytest.mark.parametrize(
    ("model", "aspect", "asked"),
    [
        pytest.param("wan", "1:1", "16:9", id="a-clip-has-the-first-of-two-that-are-as-near"),
        pytest.param("wan", "3:4", "9:16", id="a-tall-clip"),
        pytest.param("seedream", "3:2", "4:3", id="the-nearest"),
        pytest.param("flux", "21:9", "21:9", id="the-very-one"),
        pytest.param("music", "16:9", "1:1", id="what-has-none"),
    ],
)
def test_a_model_is_asked_for_the_nearest_format_that_it_knows(model: str, aspect: str, asked: str) -> None:
    wish = Wish(operation="edit", aspect=aspect, text="a fox")

    assert order_of(wish, BRIEF, MODELS[model], position=1).aspect == asked


@pytest.mark.parametrize(
    ("model", "seconds", "asked"),
    [
        ("wan", None, 5),
        ("wan", 2, 2),
        ("wan", 60, 5),
        ("kling", 5, 5),
        ("kling", 6, 10),
        ("kling", 90, 10),
        ("music", 3, 30),
        ("music", 300, 300),
        ("sound-effect", None, 10),
        ("seedance", None, None),
        ("flux", None, None),
    ],
)
def test_a_length_is_brought_into_what_a_model_makes(model: str, seconds: int | None, asked: int | None) -> None:
    wish = Wish(kind="video", text="waves", seconds=seconds)

    assert order_of(wish, BRIEF, MODELS[model], position=1).seconds == asked


@pytest.mark.parametrize(
    ("wish", "brief", "language", "voice"),
    [
        pytest.param({}, "", "american-english", "madison", id="the-usual"),
        pytest.param({}, "french", "french", "madison", id="the-language-of-the-words"),
        pytest.param({"language": "hindi"}, "french", "hindi", "madison", id="the-language-that-was-chosen"),
        pytest.param({"voice": "leo"}, "british-english", "british-english", "leo", id="the-voice-that-was-chosen"),
    ],
)
def test_what_is_spoken_is_spoken_in_one_language_by_one_voice(
    wish: dict[str, str], brief: str, language: str, voice: str
) -> None:
    asked, thought = Wish.model_validate({"kind": "voice", "text": "hi", **wish}), Brief(prompt="hi", language=brief)
    refuse_unspoken(asked, thought, MODELS["speech"])

    order = order_of(asked, thought, MODELS["speech"], position=1)

    assert (order.language, order.voice) == (language, voice)
    assert dict(asked_of(asked, thought, MODELS["speech"])).items() >= {"Language": language, "Voice": voice}.items()


@pytest.mark.parametrize(
    ("wish", "brief", "says"),
    [
        pytest.param({"voice": "bob"}, "", "one of madison, tara, .*zac", id="a-voice-that-is-not-there"),
        pytest.param(
            {"voice": "leo"}, "french", "leo speaks american-english and british-english, not french", id="by-its-words"
        ),
        pytest.param({"voice": "leo", "language": "hindi"}, "", "choose one of madison for that", id="as-chosen"),
    ],
)
def test_a_voice_that_cannot_say_it_is_refused_with_those_that_can(wish: dict[str, str], brief: str, says: str) -> None:
    asked, thought = Wish.model_validate({"kind": "voice", "text": "hi", **wish}), Brief(prompt="hi", language=brief)

    with pytest.raises(UserError, match=says):
        refuse_unspoken(asked, thought, MODELS["speech"])
    if not brief:  # then it is known before anybody thinks about the wish
        with pytest.raises(UserError, match=says):
            model_for(asked, MODELS)


@pytest.mark.parametrize(
    ("more", "says"),
    [({"language": "french"}, r"a language \(--language\)"), ({"voice": "leo"}, r"a voice \(--voice\)")],
    ids=["language", "voice"],
)
def test_only_what_is_spoken_has_a_language_and_a_voice(more: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        model_for(Wish.model_validate({"text": "a fox", **more}), MODELS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_one_that_the_maker_documents(language: str) -> None:
    wish = Wish(kind="voice", text="hi", language=language)

    written = OFFERS["speech"].written(order_of(wish, Brief(prompt="hi"), MODELS["speech"], position=1))

    assert written is not None
    assert written[1]["language"] in DOCUMENTED
    assert (written[1]["voice_id"], written[1]["emotion"]) == ("madison", False)


def test_a_voice_with_feeling_is_asked_for_as_it_is_documented() -> None:
    wish = Wish(kind="voice", text="hi <laugh>", voice="tara")

    written = OFFERS["speech"].written(order_of(wish, Brief(prompt="hi <laugh>"), MODELS["speech"], position=1))

    assert written is not None
    assert written[1].items() >= {"voice_id": "Tara", "emotion": True, "language": "american english"}.items()
