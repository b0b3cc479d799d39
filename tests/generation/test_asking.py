"""What a member writes after a command, read as a wish and written again."""

from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.errors import UserError
from pipelines.generation.asking import SECONDS_MAX, parse, written
from pipelines.generation.languages import LANGUAGES
from pipelines.generation.styles import STYLES
from pipelines.generation.wish import ASPECTS, COUNT_MAX, PROMPT_CHARS, SEED_MAX, WISH_CHARS, Operation, Wish


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("a cat", {"text": "a cat"}, id="words-alone"),
        pytest.param("a cat --ar 16:9 on a mat", {"text": "a cat on a mat", "aspect": "16:9"}, id="an-option-in-between"),
        pytest.param("a cat --aspect=tall", {"text": "a cat", "aspect": "9:16"}, id="an-alias-and-a-word-for-a-format"),
        pytest.param("a cat --AR 3x2,", {"text": "a cat", "aspect": "3:2"}, id="capitals-an-x-and-a-comma"),
        pytest.param("a cat —ar wide –n 2", {"text": "a cat", "aspect": "16:9", "count": 2}, id="dashes-of-a-phone"),
        pytest.param("a cat —asleep— on a mat", {"text": "a cat —asleep— on a mat"}, id="dashes-between-words"),
        pytest.param("a cat - a dog -- both", {"text": "a cat - a dog -- both"}, id="hyphens-alone"),
        pytest.param("a cat --no people, text --seed 7", {"text": "a cat", "avoid": "people, text", "seed": 7}, id="avoid"),
        pytest.param("--no a --seed 7 a cat --no b", {"text": "a cat", "avoid": "a, b", "seed": 7}, id="avoid-twice"),
        pytest.param("a cat --style Watercolour", {"text": "a cat", "style": "watercolour"}, id="style"),
        pytest.param("a cat --model Flux-2", {"text": "a cat", "model": "flux-2"}, id="model"),
        pytest.param("rain --kind music --seconds 60", {"text": "rain", "kind": "music", "seconds": 60}, id="music"),
        pytest.param("kind: video a river", {"text": "a river", "kind": "video"}, id="kind-in-words-first"),
        pytest.param("salut --language FR", {"text": "salut", "language": "french"}, id="a-language-by-its-tag"),
        pytest.param("oi --language pt_BR", {"text": "oi", "language": "brazilian-portuguese"}, id="a-tag-with-a-country"),
        pytest.param("hi --language british.", {"text": "hi", "language": "british-english"}, id="a-language-by-its-word"),
        pytest.param("hi --voice Tara", {"text": "hi", "voice": "tara"}, id="a-voice"),
        pytest.param("Good morning\nall, Kind: voice", {"text": "Good morning\nall,", "kind": "voice"}, id="kind-last"),
        pytest.param("a new kind: voice of a bell", {"text": "a new kind: voice of a bell"}, id="kind-as-a-word"),
        pytest.param("a cat --show --raw", {"text": "a cat", "show_first": True, "as_written": True}, id="switches"),
        pytest.param("a\u0000 cat\ud800", {"text": "a cat?"}, id="characters-that-cannot-be-kept"),
    ],
)
def test_words_and_options_make_a_wish(text: str, fields: dict[str, Any]) -> None:
    assert parse(text) == Wish(**fields)


@pytest.mark.parametrize(
    ("option", "strength"),
    [
        pytest.param("--iw 0", "strong", id="weight-0"),
        pytest.param("--iw 1", "medium", id="weight-1-the-usual"),
        pytest.param("--iw 2,5", "subtle", id="weight-with-a-comma"),
        pytest.param("--strength Strong", "strong", id="by-a-word"),
    ],
)
def test_how_much_of_a_picture_may_change_is_said_by_weight_or_in_a_word(option: str, strength: str) -> None:
    assert parse(f"a cat {option}", operation="restyle").strength == strength


@pytest.mark.parametrize(
    ("text", "operation", "words"),
    [
        pytest.param("as a watercolour", "restyle", "as a watercolour", id="redrawn-unless-said-otherwise"),
        pytest.param("in the style of an old map", "restyle", "in the style of an old map", id="a-style-by-name"),
        pytest.param("a dog in the style of this picture", "inspire", "a dog in the style of this picture", id="its-style"),
        pytest.param("inspire: a harbour", "inspire", "a harbour", id="inspire"),
        pytest.param("Upscale", "upscale", "", id="upscale"),
        pytest.param("upscale it 4x", "upscale", "", id="upscale-by"),
        pytest.param("make this picture bigger!", "upscale", "", id="bigger"),
        pytest.param("remove the background", "cutout", "", id="background"),
        pytest.param("remove the car", "edit", "remove the car", id="something-else-is-removed"),
        pytest.param("edit: make the sky green", "edit", "make the sky green", id="edit"),
        pytest.param("add a hat", "edit", "add a hat", id="an-instruction"),
        pytest.param("animate", "animate", "", id="animate"),
        pytest.param("animate: the leaves fall", "animate", "the leaves fall", id="animate-with-words"),
        pytest.param("--kind video the leaves fall", "animate", "the leaves fall", id="a-clip-of-a-picture"),
        pytest.param("upscale --as restyle", "restyle", "upscale", id="the-option-outweighs-the-words"),
        pytest.param("--as cutout", "cutout", "", id="the-option-alone"),
        pytest.param("upscale it --as upscale", "upscale", "", id="the-option-and-the-words"),
        pytest.param("--style ink", "restyle", "", id="a-style-is-enough"),
    ],
)
def test_words_about_a_picture_say_what_to_do_with_it(text: str, operation: str, words: str) -> None:
    wish = parse(text, operation="restyle")

    assert (wish.operation, wish.text, wish.kind) == (operation, words, "video" if operation == "animate" else "image")


def test_what_a_button_does_is_not_read_from_words() -> None:
    assert parse("upscale", operation="vary") == Wish(operation="vary", text="upscale")
    assert parse("upscale") == Wish(text="upscale")


def test_a_kind_that_was_chosen_beside_the_text_yields_to_an_option_alone() -> None:
    assert parse("kind: music", kind="voice") == Wish(kind="voice", text="kind: music")
    assert parse("hello --kind music", kind="voice") == Wish(kind="music", text="hello")


@pytest.mark.parametrize(
    ("text", "operation", "says"),
    [
        pytest.param("", "imagine", "Write what you wish for", id="nothing"),
        pytest.param("--ar 16:9", "imagine", "Write what you wish for", id="options-alone"),
        pytest.param("\u200b \u2060", "imagine", "Write what you wish for", id="nothing-that-can-be-seen"),
        pytest.param("", "restyle", "Write what to make of the picture", id="nothing-about-a-picture"),
        pytest.param("--as edit", "restyle", "Write what to change", id="nothing-to-edit"),
        pytest.param("x" * 4_000, "imagine", "2,000 characters", id="far-too-long"),
        pytest.param("x" * (WISH_CHARS + 1), "imagine", "2,000 characters", id="one-too-long"),
        pytest.param("a cat --no " + "x" * 501, "imagine", "--no may have 500", id="too-much-to-avoid"),
        pytest.param("a cat --no --ar 1:1", "imagine", "After --no write", id="nothing-to-avoid"),
        pytest.param("a cat --secret", "imagine", "There is no such option", id="an-unknown-option"),
        pytest.param("a cat --ar", "imagine", "After --ar write 1:1", id="no-value"),
        pytest.param("a cat --ar --seed 3", "imagine", "After --ar write", id="an-option-for-a-value"),
        pytest.param("a cat --ar 17:9", "imagine", "After --ar write", id="an-odd-format"),
        pytest.param("a cat --seed -1", "imagine", "After --seed write a whole number", id="a-negative-seed"),
        pytest.param("a cat --seed ٣", "imagine", "After --seed write a whole number", id="other-digits"),
        pytest.param("a cat --count 5", "imagine", "from 1 to 4", id="too-many"),
        pytest.param("a cat --iw 3.1", "imagine", "After --iw write", id="a-weight-beyond"),
        pytest.param("a cat --iw nan", "imagine", "After --iw write", id="no-number"),
        pytest.param("a cat --style monet", "imagine", "watercolour", id="an-unknown-style"),
        pytest.param("a cat --model ../x", "imagine", "After --model write", id="no-name"),
        pytest.param("hallo --language german", "imagine", "american-english, .*hindi, italian", id="an-unknown-language"),
        pytest.param("hallo --voice ?", "imagine", "such as madison", id="no-name-of-a-voice"),
        pytest.param("a cat --kind poem", "imagine", "image, video, music, voice", id="an-unknown-kind"),
        pytest.param("a cat --show=yes", "imagine", "--show stands alone", id="a-switch-with-a-value"),
        pytest.param("a cat --as edit", "imagine", "--as is for /remix", id="a-picture-is-needed"),
        pytest.param("a cat --as vary", "restyle", "After --as write", id="only-a-button-does-that"),
        pytest.param("a cat --kind music", "restyle", "made from words alone", id="music-from-a-picture"),
        pytest.param("a cat --kind video --as edit", "restyle", "--as animate", id="a-clip-that-is-edited"),
        pytest.param("rain --kind music --style ink", "imagine", "Styles are for pictures", id="music-in-ink"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_to_write(text: str, operation: Operation, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        parse(text, operation=operation)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "operation", "says"),
    [
        pytest.param("a cat --strength subtle", "imagine", "Leave --strength", id="how-much-changes-of-nothing"),
        pytest.param("edit: add a hat --strength strong", "restyle", "Leave --strength", id="how-much-changes-in-an-edit"),
        pytest.param("inspire: a cat --iw 0", "restyle", "Leave --strength", id="how-much-changes-of-another"),
        pytest.param("a cat --raw --style ink", "imagine", "Leave --raw out", id="a-style-of-words-as-they-are"),
        pytest.param("ink --ar 9:16", "restyle", "Leave --ar out", id="a-format-that-the-picture-has"),
        pytest.param("animate --ar wide", "restyle", "Leave --ar out", id="a-format-of-a-clip-of-a-picture"),
        pytest.param("upscale --style ink", "restyle", "Leave words, --style", id="a-style-of-what-is-only-larger"),
        pytest.param("remove background --no people", "restyle", "and --no out", id="what-a-cutout-shall-not-show"),
        pytest.param("upscale --ar 9:16", "restyle", "Leave --ar out", id="a-format-of-what-is-only-larger"),
        pytest.param("a green sky --as upscale", "restyle", "Leave words", id="words-of-what-is-only-larger"),
        pytest.param("hello --kind voice --no noise", "imagine", "Leave --no out", id="what-speech-shall-not-say"),
        pytest.param(f"{'x' * (PROMPT_CHARS + 1)} --raw", "imagine", "may have 1,500", id="words-that-are-no-prompt"),
        pytest.param(f"{'x' * (PROMPT_CHARS - 5)} --raw --no y", "imagine", "may have 1,500", id="with-what-is-avoided"),
    ],
)
def test_what_would_have_no_effect_is_refused_with_what_to_do(text: str, operation: Operation, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse(text, operation=operation)


def test_what_forms_send_of_themselves_is_refused_nowhere() -> None:
    usual = "--ar 1:1 --count 1 --strength medium"

    assert parse(f"{usual} --as edit add a hat", operation="restyle") == Wish(operation="edit", text="add a hat")
    assert parse(f"{usual} --kind voice hello") == Wish(kind="voice", text="hello")
    assert parse("upscale", operation="restyle") == Wish(operation="upscale")


PIECES: Final = st.one_of(
    st.sampled_from(
        [
            *(
                "--",
                "—",
                "––",
                "-",
                "--no",
                "—no",
                "--ar",
                "--aspect=",
                "16:9",
                "wide",
                "--seed",
                "7",
                "--iw",
                "1.5",
                "--n",
                "3",
            ),
            *(
                "--style",
                "ink",
                "--model",
                "flux",
                "--kind",
                "video",
                "kind:",
                "Kind: voice",
                "--as",
                "edit",
                "--show",
                "--raw",
            ),
            *(
                "upscale",
                "remove background",
                "animate:",
                "edit:",
                "inspire:",
                "in this style",
                "add",
                "\n",
                ", ",
                ".",
                "a cat",
            ),
        ]
    ),
    st.text(max_size=8),
)
OPERATIONS: Final = st.sampled_from(["imagine", "restyle", "vary", "edit", "upscale", "animate"])
KINDS: Final = st.sampled_from([None, "image", "video", "music", "voice"])


@settings(max_examples=150, deadline=None)
@example(pieces=["--no", "text", ",", "a cat", ";"], joint=" ", operation="upscale", kind=None)
@example(pieces=["a cat ", "--no=", "--show"], joint="", operation="imagine", kind=None)
@example(pieces=["a cat", "--model", "\u0130"], joint=" ", operation="imagine", kind=None)
@example(pieces=["edit:", "--ar"], joint="", operation="restyle", kind=None)
@example(pieces=["edit:", "kind: video", " a cat"], joint=" ", operation="restyle", kind=None)
@example(pieces=["animate:", "animate:", "kind: image"], joint=" ", operation="restyle", kind=None)
@given(pieces=st.lists(PIECES, max_size=9), joint=st.sampled_from([" ", ""]), operation=OPERATIONS, kind=KINDS)
def test_whatever_is_written_is_a_wish_or_a_sentence_and_reads_the_same_again(
    pieces: list[str], joint: str, operation: Operation, kind: Any
) -> None:
    with suppress(UserError):
        wish = parse(joint.join(pieces), operation=operation, kind=kind)

        for given_again in {wish.operation, operation if operation == "restyle" else wish.operation}:
            try:
                again = parse(written(wish), operation=given_again)
            except UserError as error:
                raise AssertionError(f"{written(wish)!r} is not read: {error}") from error
            assert again == wish


@settings(max_examples=40, deadline=None)
@given(
    wish=st.builds(
        Wish,
        text=st.just("a cat"),
        avoid=st.sampled_from(["", "people, text"]),
        aspect=st.sampled_from(ASPECTS),
        count=st.integers(1, COUNT_MAX),
        model=st.sampled_from(["", "flux", "wan2.2"]),
        seed=st.none() | st.integers(0, SEED_MAX),
        seconds=st.none() | st.integers(1, SECONDS_MAX),
        language=st.sampled_from(["", *LANGUAGES]),
        voice=st.sampled_from(["", "tara"]),
        show_first=st.booleans(),
        as_written=st.booleans(),
    )
)
def test_every_option_of_a_wish_can_be_written(wish: Wish) -> None:
    assert parse(written(wish)) == wish


@pytest.mark.parametrize("strength", ["subtle", "medium", "strong"])
@pytest.mark.parametrize("style", ["", *(style.name for style in STYLES)])
def test_every_option_of_a_redrawn_picture_can_be_written(style: str, strength: Any) -> None:
    wish = Wish(operation="restyle", text="a cat", style=style, strength=strength)

    assert parse(written(wish), operation="restyle") == wish
