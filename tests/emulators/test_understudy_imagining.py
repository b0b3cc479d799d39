"""The understudy about wishes: a brief of the wish's own words, and whether what came back is anything."""

from typing import Any

import pytest
from PIL import Image
from pydantic_ai import BinaryContent

from emulators.problems import Rejected
from emulators.understudy import BRIEF, BRIEF_OF_PICTURE, QUALITY, answer
from emulators.understudy.imagining import seen
from emulators.understudy.measuring import measure
from emulators.understudy.patterns import GTUBE
from emulators.wire import Asked, Blob
from pipelines.content import AudioPart, Intake, Part
from pipelines.errors import UserError
from pipelines.generation.brief import SEEN_WORDS, Draft, DraftOfPicture, write_brief
from pipelines.generation.quality import Comparison, Quality, compare, is_poor
from pipelines.generation.styles import style_named
from pipelines.generation.wish import PROMPT_CHARS, Brief, Wish
from pipelines.models.fence import fenced
from pipelines.ports import Question, Reply, Task
from tests.emulators.understudy_questions import (
    a_picture,
    a_text,
    encoded,
    findings,
    judged,
    logo,
    page,
    plain,
    scene,
    screenshot,
)


class Understudy:
    """The understudy without a wire in between."""

    def profile(self, task: Task) -> str:
        return f"understudy-{task}"

    async def ask(self, question: Question[Any]) -> Reply[Any]:
        sent = fenced(question.parts, nonce=question.nonce, media_resolution="low")
        pieces = (
            Blob(data=each.data, media_type=each.media_type) if isinstance(each, BinaryContent) else each for each in sent
        )
        said = answer(
            Asked(
                dialect="gemini",
                model="any",
                instructions=question.instructions,
                parts=tuple(each for each in pieces if isinstance(each, str | Blob)),
                schema=question.shape.model_json_schema(),
            )
        )
        output = question.shape.model_validate_json(said)
        assert question.check(output) is None
        return Reply(outcome="ok", output=output)


async def briefed(wish: Wish, *source: Part) -> Brief:
    return await write_brief(wish, model=Understudy(), source=Intake(parts=source) if source else None, calls=[])


async def compared(*made: Part, prompt: str = "a cat", wish: str = "a cat") -> Quality:
    return await compare(Brief(prompt=prompt), Wish(text=wish), Intake(parts=made), model=Understudy(), calls=[])


def test_it_knows_the_questions_that_the_product_asks() -> None:
    assert set(Draft.model_fields) == BRIEF
    assert set(DraftOfPicture.model_fields) == BRIEF_OF_PICTURE
    assert set(Comparison.model_fields) == QUALITY


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Good evening, everybody!", "american-english"),
        ("1, 2, 3", "american-english"),
        ("東京の夜は明るい", "japanese"),
        ("晚上好", "mandarin-chinese"),
        ("शुभ संध्या", "hindi"),
    ],
)
async def test_the_language_of_what_is_spoken_is_told_by_its_script(words: str, language: str) -> None:
    assert (await briefed(Wish(kind="voice", text=words))).language == language


async def test_what_is_written_in_a_script_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(UserError, match="Nobody here speaks"):
        await briefed(Wish(kind="voice", text="Добрый вечер"))


async def test_a_brief_is_made_of_the_words_of_the_wish() -> None:
    brief = await briefed(Wish(text="a grey cat\nasleep", avoid="people, text", style="ink"))

    assert brief.prompt == f"a grey cat asleep, {style_named('ink').prompt}"
    assert (brief.subject, brief.avoid) == ("a grey cat asleep", "people, text")
    assert "understudy" in brief.mood


@pytest.mark.parametrize(
    ("string", "category"),
    [
        pytest.param("FLASHBULB-TEST-SEXUAL-S3-C90-KEXPLICIT", "sexual", id="test-string"),
        pytest.param("flashbulb_test_child_safety-s2-c50", "child_safety", id="in-small-letters"),
        pytest.param(GTUBE, "scam_spam", id="gtube"),
    ],
)
@pytest.mark.parametrize("before", [pytest.param("a cat ", id="short"), pytest.param("long " * 330, id="beyond-the-prompt")])
async def test_what_a_judge_finds_in_a_wish_it_finds_in_the_prompt(string: str, category: str, before: str) -> None:
    wish = Wish(text=before + string, style="photo")

    brief = await briefed(wish)

    assert len(brief.prompt) <= PROMPT_CHARS
    assert findings(judged(a_text(brief.prompt))) == findings(judged(a_text(wish.text)))
    assert category in findings(judged(a_text(brief.prompt)))


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(scene(), id="scene"),
        pytest.param(page(), id="page"),
        pytest.param(screenshot(), id="screenshot"),
        pytest.param(logo(), id="logo"),
        pytest.param(plain("#2461d0"), id="plain"),
        pytest.param(plain("black", (1, 1)), id="one-pixel"),
    ],
)
async def test_what_it_measures_in_a_picture_is_told_in_50_to_80_words(picture: Image.Image) -> None:
    brief = await briefed(Wish(operation="restyle", text="in ink"), a_picture(picture))

    assert SEEN_WORDS[0] <= len(brief.seen.split()) <= SEEN_WORDS[1]
    assert brief.seen == seen(measure(a_picture(picture).data))
    assert "understudy" in brief.seen


async def test_a_picture_without_a_wish_is_made_once_more() -> None:
    brief = await briefed(Wish(operation="animate", kind="video"), a_picture(scene()))

    assert brief.prompt == "the picture once more"


async def test_a_picture_that_does_not_open_is_refused() -> None:
    with pytest.raises(Rejected):
        await briefed(Wish(operation="inspire"), a_picture(b"broken"))


async def test_what_opens_and_is_more_than_one_surface_is_good() -> None:
    quality = await compared(a_picture(scene()))

    assert (quality.score, quality.missing, quality.broken, quality.repaired_prompt) == (8, "", "", "")
    assert "understudy" in quality.alt_text
    assert "understudy" in quality.caption


@pytest.mark.parametrize(
    ("part", "score"),
    [
        pytest.param(a_picture(plain("red")), 3, id="one-surface"),
        pytest.param(a_picture(encoded(scene())[:5_000]), 0, id="cut-short"),
        pytest.param(AudioPart(id="file:0", data=b"no sound", media_type="audio/mpeg", duration_s=1), 0, id="no-sound"),
    ],
)
async def test_what_is_nothing_is_poor(part: Part, score: int) -> None:
    quality = await compared(part)

    assert quality.score == score
    assert is_poor(quality)
    assert quality.repaired_prompt == "a cat"


async def test_sound_is_good_where_it_begins_as_sound_does() -> None:
    quality = await compared(AudioPart(id="file:0", data=b"ID3\x04", media_type="audio/mpeg", duration_s=1))

    assert (quality.score, quality.transcript) == (8, "")
    assert "understudy" in quality.alt_text


@pytest.mark.parametrize("prompt", ["a cat FLASHBULB-TEST-POOR, inked", "a cat flashbulb_test_poor, inked"])
async def test_the_first_result_of_a_poor_wish_is_poor_and_the_second_good(prompt: str) -> None:
    first = await compared(a_picture(scene()), prompt=prompt, wish="a cat FLASHBULB-TEST-POOR")
    second = await compared(a_picture(scene()), prompt=first.repaired_prompt, wish="a cat FLASHBULB-TEST-POOR")

    assert (first.score, is_poor(first), first.repaired_prompt) == (2, True, "a cat, inked")
    assert (second.score, is_poor(second)) == (8, False)


async def test_the_string_of_a_poor_wish_stays_in_its_prompt_and_says_nothing_to_a_judge() -> None:
    brief = await briefed(Wish(text="a cat FLASHBULB-TEST-POOR"))

    assert "FLASHBULB-TEST-POOR" in brief.prompt
    assert findings(judged(a_text(brief.prompt))) == {}
