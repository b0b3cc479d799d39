"""The looks that a wish can name."""

import re

import pytest

from pipelines.errors import UserError
from pipelines.generation.asking import parse
from pipelines.generation.styles import STYLES, Style, style_named


@pytest.mark.parametrize("style", [pytest.param(style, id=style.name) for style in STYLES])
def test_a_style_is_found_by_its_name_and_fits_into_a_prompt(style: Style) -> None:
    assert style_named(f" {style.name.upper()}") is style
    assert parse(f"a cat --style {style.name}").style == style.name
    assert 20 <= len(style.prompt) <= 160
    assert re.fullmatch(r"[\w ,'-]+", style.prompt), "it stands inside a sentence of ours"


def test_no_two_styles_have_one_name() -> None:
    assert len({style.name for style in STYLES}) == len({style.title for style in STYLES}) == len(STYLES)


def test_an_unknown_style_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UserError) as caught:
        style_named("monet")

    assert all(style.name in str(caught.value) for style in STYLES)
