"""What a model says of a result: what it is asked, what of the answer is used, and when a second result is worth its price."""

from typing import Any

import pytest

from pipelines.content import AudioPart, Gap, Intake
from pipelines.errors import BadAnswer, FlashbulbError, Refused, Unavailable
from pipelines.generation.failures import GenerationFailed
from pipelines.generation.quality import POOR_BELOW, REMARK_CHARS, Quality, compare, is_poor
from pipelines.generation.wish import PROMPT_CHARS, Brief, Wish
from pipelines.ports import Call, Reply
from pipelines.tagging import ALT_TEXT_CHARS
from tests.fakes import ScriptedModel, a_comparison, parts

BRIEF = Brief(prompt="a grey cat asleep")
WISH = Wish(text="a WISHED cat")
SOUND = AudioPart(id="file:0/sound", data=b"ID3", media_type="audio/mpeg", duration_s=3)


async def test_the_result_is_compared_with_the_wish_and_the_prompt() -> None:
    model, calls = ScriptedModel(), list[Call]()
    made = Intake(parts=(*parts("text:0", "file:0/frame:0", "file:0/frame:9").parts, SOUND))

    quality = await compare(BRIEF, WISH.model_copy(update={"kind": "video"}), made, model=model, calls=calls)

    [question] = model.questions
    assert question.task == "quality"
    assert [part.id for part in question.parts] == ["wish", "prompt", "file:0/frame:0", "file:0/frame:9", "file:0/sound"]
    assert [getattr(part, "text", "") for part in question.parts[:2]] == ["a WISHED cat", "a grey cat asleep"]
    assert "WISHED" not in question.instructions
    assert "asleep" not in question.instructions
    assert "$" not in question.instructions
    assert quality == Quality(score=8, caption="It.", alt_text="A grey cat.")
    assert [call.model for call in calls] == ["scripted-1"]


async def test_words_that_were_the_prompt_are_sent_once_and_none_not_at_all() -> None:
    model = ScriptedModel()

    await compare(Brief(prompt="hello"), Wish(kind="voice", text="hello"), Intake(parts=(SOUND,)), model=model, calls=[])
    await compare(Brief(prompt=""), Wish(operation="upscale"), parts("file:0"), model=model, calls=[])

    assert [[part.id for part in question.parts] for question in model.questions] == [["prompt", "file:0/sound"], ["file:0"]]


async def test_what_is_said_is_tidy_and_within_its_limits() -> None:
    said = {
        "alt_text": "An image of **a cat** " + "that sleeps " * 30,
        "caption": "`A cat`\nasleep",
        "missing": "gone " * 100,
        "transcript": " Hello. ",
        "repaired_prompt": "prompt " * 400,
    }
    model = ScriptedModel(answers=[lambda question: a_comparison(question, score=2.4, **said)])

    quality = await compare(BRIEF, WISH, parts("file:0"), model=model, calls=[])

    assert quality.score == 2
    assert quality.alt_text.startswith("A cat that sleeps")
    assert len(quality.alt_text) <= ALT_TEXT_CHARS
    assert (quality.caption, quality.transcript) == ("A cat asleep", "Hello.")
    assert len(quality.missing) <= REMARK_CHARS
    assert len(quality.repaired_prompt) <= PROMPT_CHARS
    assert quality.repaired_prompt.endswith(" prompt")


@pytest.mark.parametrize(
    ("score", "poor"), [(0, True), (4, True), (4.4, True), (4.6, False), (POOR_BELOW, False), (7, False), (10, False)]
)
async def test_only_a_poor_result_is_worth_a_second_one(score: float, poor: bool) -> None:
    model = ScriptedModel(answers=[lambda question: a_comparison(question, score=score, repaired_prompt="a cat, simply")])

    quality = await compare(BRIEF, WISH, parts("file:0"), model=model, calls=[])

    assert is_poor(quality) is poor
    assert quality.repaired_prompt == ("a cat, simply" if poor else "")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(lambda question: {**a_comparison(question), "nonce": "another"}, BadAnswer, id="about-another-question"),
        pytest.param(lambda question: {**a_comparison(question), "parts": ["prompt"]}, BadAnswer, id="nothing-was-looked-at"),
        pytest.param(lambda question: a_comparison(question, alt_text=" "), BadAnswer, id="nothing-to-read-aloud"),
        pytest.param(Reply(outcome="refused", calls=(Call(model="m", outcome="refused"),)), Refused, id="refused"),
        pytest.param(Reply(outcome="unavailable", calls=(Call(model="m", outcome="unavailable"),)), Unavailable, id="away"),
    ],
)
async def test_without_an_answer_the_caller_decides_and_what_it_cost_is_known(script: Any, error: type[FlashbulbError]) -> None:
    calls: list[Call] = []

    with pytest.raises(error):
        await compare(BRIEF, WISH, parts("file:0"), model=ScriptedModel(answers=[script]), calls=calls)

    assert len(calls) == 1


async def test_a_result_that_cannot_be_opened_is_not_asked_about() -> None:
    made = Intake(gaps=(Gap(place="file:0", kind="unreadable", why="This file is damaged."),))
    model = ScriptedModel()

    with pytest.raises(GenerationFailed):
        await compare(BRIEF, WISH, made, model=model, calls=[])

    assert model.questions == []
