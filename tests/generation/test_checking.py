"""What is judged before something is made and once it is: all that goes to a maker, and all that comes back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pipelines.content import Attachment, AudioPart, Content, Intake, Part, Reading, TextPart
from pipelines.errors import Unavailable
from pipelines.generation.checking import Checker, wish_intake
from pipelines.generation.permission import NOT_AS_WRITTEN, NOT_HERE
from pipelines.generation.wish import Brief, Wish
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Channel
from pipelines.moderation.report import Category, Finding
from pipelines.ports import Known, Question, Reply
from tests.fakes import PlainMedia, ScriptedModel, a_comparison, a_judgement, an_image_part, parts

MADE = Attachment(id="w1:1:0", url="made:w1:1:0", name="made", media_type="", size_bytes=0)
SOUND = AudioPart(id="file:0/sound", data=b"ID3", media_type="audio/mpeg", duration_s=3)
WISH = Wish(text="a portrait", avoid="nudity, children")
BRIEF = Brief(prompt="a portrait of an old man", avoid="nudity, children, blur")
POOR: dict[str, Any] = {"score": 2, "repaired_prompt": "an old man, simply"}


@dataclass
class MadeMedia(PlainMedia):
    """Reads a result as these parts, of this type."""

    shown: tuple[Part, ...] = (an_image_part("file:0"),)
    media_type: str = "image/png"

    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        return Intake(parts=self.shown, readings=(Reading(place="file:0", media_type=self.media_type, status="ok"),))


@dataclass
class Bank:
    """Knows every file as one that was denied."""

    asked: list[tuple[Reading, ...]] = field(default_factory=list)

    async def match(self, readings: tuple[Reading, ...]) -> Known:
        self.asked.append(readings)
        return Known(denied=(Finding(category=Category.GORE, severity=4, confidence=1, place="file:0"),))


def a_checker(model: ScriptedModel, *, wish: Wish = WISH, brief: Brief = BRIEF, **more: Any) -> Checker:
    there = preset("default").at(Channel(platform="discord", id="c2", age_gated=True))
    usual = {"policy": there, "of_somebody": False, "media": MadeMedia()}
    return Checker(**{"wish": wish, "brief": brief, "model": model, **usual, **more})


def judged(model: ScriptedModel, at: int = 0) -> list[str]:
    """Return what the judge was asked about: texts as they are, everything else by its id."""
    question = [each for each in model.questions if each.task == "moderation"][at]
    return [part.text if isinstance(part, TextPart) else part.id for part in question.parts]


def poor(**said: Any) -> Callable[[Question[Any]], dict[str, Any]]:
    return lambda question: a_comparison(question, **{**POOR, **said})


@pytest.mark.parametrize(
    ("wish", "brief", "told"),
    [
        pytest.param(Wish(text="a fox"), Brief(prompt="a red fox"), ["a fox", "a red fox"], id="the-wish-and-its-prompt"),
        pytest.param(Wish(text="a fox", as_written=True), Brief(prompt="a fox"), ["a fox"], id="the-same-words-once"),
        pytest.param(
            WISH,
            BRIEF,
            ["a portrait Without: nudity, children.", "a portrait of an old man Without: nudity, children, blur."],
            id="what-is-avoided-in-its-context",
        ),
        pytest.param(
            Wish(text="a fox"),
            Brief(prompt="a red fox", avoid="snow"),
            ["a fox", "a red fox Without: snow."],
            id="by-the-model",
        ),
        pytest.param(
            Wish(text="a fox"),
            Brief(prompt="fox " * 375, avoid="snow"),
            ["a fox", f"{'fox ' * 375} Without: snow."],
            id="uncut",
        ),
        pytest.param(Wish(operation="restyle", style="ink"), Brief(prompt=""), [], id="no-words-at-all"),
    ],
)
def test_all_words_that_go_to_a_maker_are_judged(wish: Wish, brief: Brief, told: list[str]) -> None:
    intake = wish_intake(wish, brief, parts("file:0"))

    assert [part.text for part in intake.parts if isinstance(part, TextPart)] == told
    assert intake.parts[-1].id == "file:0"


async def test_frames_sound_and_what_is_said_in_it_are_judged() -> None:
    media = MadeMedia(shown=(*parts("file:0/frame:0", "file:0/frame:9").parts, SOUND), media_type="video/mp4")
    model = ScriptedModel(by_task={"quality": [lambda question: a_comparison(question, transcript=" What is said. ")]})

    checked = await a_checker(model, wish=Wish(kind="video", text="waves"), media=media).check(MADE, attempt=0, prompt="waves")

    assert judged(model) == ["What is said.", "file:0/frame:0", "file:0/frame:9", "file:0/sound"]
    assert checked.refusal == ""


async def test_what_is_only_said_in_a_result_is_refused_as_well() -> None:
    media = MadeMedia(shown=(SOUND,), media_type="audio/mpeg")
    model = ScriptedModel(by_task={"quality": [lambda question: a_comparison(question, transcript="hateful")]})
    model.by_task["moderation"] = [lambda question: a_judgement(question, hate=(3, 0.95))]

    checked = await a_checker(model, wish=Wish(kind="music", text="a song"), media=media).check(
        MADE, attempt=0, prompt="a song"
    )

    assert judged(model) == ["hateful", "file:0/sound"]
    assert "hate" in checked.refusal


async def test_a_result_that_the_workspace_has_denied_is_not_shown() -> None:
    bank = Bank()

    checked = await a_checker(ScriptedModel(), bank=bank).check(MADE, attempt=0, prompt=BRIEF.prompt)

    assert checked.refusal == "The rules here do not allow it (gore)."
    assert [reading.place for reading in bank.asked[0]] == ["file:0"]


@pytest.mark.parametrize(
    ("sent", "asked_next"),
    [
        pytest.param(BRIEF.prompt, "an old man, simply", id="the-model-has-a-place-of-its-own-for-what-is-avoided"),
        pytest.param(
            f"{BRIEF.prompt} Without: {BRIEF.avoid}.", f"an old man, simply Without: {BRIEF.avoid}.", id="it-is-folded-in"
        ),
    ],
)
@pytest.mark.parametrize("repaired", ["an old man, simply", f"an old man, simply Without: {BRIEF.avoid}."])
async def test_a_better_prompt_is_judged_with_what_it_will_not_show(sent: str, asked_next: str, repaired: str) -> None:
    model = ScriptedModel(by_task={"quality": [poor(repaired_prompt=repaired)]})

    checked = await a_checker(model).check(MADE, attempt=0, prompt=sent)

    assert judged(model, 1) == [f"an old man, simply Without: {BRIEF.avoid}."]
    assert checked.better_prompt == asked_next


async def test_a_better_prompt_that_is_not_allowed_is_not_asked_for() -> None:
    model = ScriptedModel(by_task={"quality": [poor()]})
    model.by_task["moderation"] = [a_judgement, lambda question: a_judgement(question, hate=(3, 0.95))]

    checked = await a_checker(model).check(MADE, attempt=0, prompt=BRIEF.prompt)

    assert (checked.refusal, checked.better_prompt) == ("", "")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        pytest.param(WISH.model_copy(update={"as_written": True}), POOR, id="words-as-they-are"),
        pytest.param(WISH, {**POOR, "repaired_prompt": " "}, id="there-is-no-better-one"),
    ],
)
async def test_the_same_prompt_is_tried_once_more_where_it_may_not_change(wish: Wish, said: dict[str, Any]) -> None:
    model = ScriptedModel(by_task={"quality": [poor(**said)]})

    checked = await a_checker(model, wish=wish).check(MADE, attempt=0, prompt=BRIEF.prompt)

    assert checked.better_prompt == BRIEF.prompt


@pytest.mark.parametrize(
    ("wish", "known", "refusal"),
    [
        pytest.param(Wish(text="a portrait"), False, "", id="thought-through"),
        pytest.param(Wish(text="a portrait", as_written=True), True, NOT_AS_WRITTEN, id="as-it-was-written"),
        pytest.param(Wish(text="a portrait", avoid="a hat"), False, NOT_AS_WRITTEN, id="with-words-to-avoid"),
        pytest.param(Wish(text="a portrait", avoid="a hat"), True, "", id="with-words-to-avoid-that-were-gone-over"),
        pytest.param(Wish(text="a portrait", kind="voice"), True, NOT_AS_WRITTEN, id="spoken-word-for-word"),
    ],
)
async def test_a_result_for_adults_is_covered_and_shown_only_where_nobody_real_was_named(
    wish: Wish, known: bool, refusal: str
) -> None:
    voice = MadeMedia(shown=(SOUND,), media_type="audio/mpeg")
    media = voice if wish.kind == "voice" else MadeMedia()
    model = ScriptedModel(by_task={"moderation": [lambda question: a_judgement(question, sexual=(3, 0.9, "explicit"))]})

    brief = Brief(prompt="a portrait", avoid=wish.avoid, avoid_is_known=known)

    checked = await a_checker(model, wish=wish, brief=brief, media=media).check(MADE, attempt=0, prompt="a portrait")

    assert (checked.refusal, checked.adults_only) == (refusal, not refusal)


async def test_children_are_never_shown_however_unsure_the_judge_is() -> None:
    model = ScriptedModel(by_task={"moderation": [lambda question: a_judgement(question, child_safety=(1, 0.05))]})

    assert (await a_checker(model).check(MADE, attempt=0, prompt="a portrait")).refusal == NOT_HERE


async def test_what_nobody_can_judge_now_is_judged_later() -> None:
    model = ScriptedModel(by_task={"moderation": [Reply(outcome="unavailable", reason="away")] * 2})

    with pytest.raises(Unavailable):
        await a_checker(model).check(MADE, attempt=0, prompt="a portrait")


@dataclass
class Silent(ScriptedModel):
    """Never answers, and knows who stopped listening to it."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: set[str] = field(default_factory=set)

    async def ask(self, question: Question[Any]) -> Reply[Any]:
        self.questions.append(question)
        if {each.task for each in self.questions} == {"moderation", "quality"}:
            self.asked.set()
        try:
            return await asyncio.Future()
        finally:
            self.left.add(question.task)


async def test_nobody_goes_on_comparing_once_a_check_is_given_up() -> None:
    model = Silent()
    check = asyncio.create_task(a_checker(model).check(MADE, attempt=0, prompt="a portrait"))
    await model.asked.wait()

    check.cancel()
    await asyncio.wait([check])
    await asyncio.sleep(0)

    assert model.left == {"moderation", "quality"}


async def test_a_caption_and_an_alt_text_are_a_models_and_else_the_wishs_own() -> None:
    says = lambda question: a_comparison(question, caption="An old man.", alt_text="A man with a beard.")  # noqa: E731
    model = ScriptedModel(by_task={"quality": [says, Reply(outcome="unavailable", reason="away")]})
    checker = replace(a_checker(model), brief=BRIEF.model_copy(update={"subject": "An old man in oil"}))

    first, second = [await checker.check(MADE, attempt=at, prompt=BRIEF.prompt) for at in range(2)]

    assert (first.caption, first.alt_text) == ("An old man.", "A man with a beard.")
    assert (second.caption, second.alt_text) == ("", "An old man in oil")
