"""Which model a wish is made with, and what of it the model is asked."""

from decimal import Decimal
from typing import Any

import pytest

from pipelines.content import ImagePart, Intake
from pipelines.errors import UserError
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.options import in_format_of, model_for, order_of
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
