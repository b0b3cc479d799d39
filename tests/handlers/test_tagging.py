"""Tags: what is measured beside what a model says, alt texts that keep to their length, and what a channel gets unasked."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answers import Notice
from handlers.dispatch import Planner
from handlers.effects import Plan, Post, React
from handlers.reactions import REACTIONS_MAX, reactions_to
from pipelines.content import Attachment, Content, Intake, Reading
from pipelines.errors import Misconfigured
from pipelines.media.pictures.measures import Measures
from pipelines.moderation.policies import parse, preset
from pipelines.moderation.policy import Policy
from pipelines.ports import Question, Reply
from pipelines.tagging import Tags, cut, plain_alt_text, tag, tidy_tags
from tests.fakes import TAGS, PlainMedia, ScriptedModel, a_message, a_picture, kinds, parts
from tests.handlers.keeping import HashedMedia, Keeping

LONG = (
    "A grey cat with white paws that sleeps on a red sofa below a window"
    " through which one sees a garden with apple trees in bloom."
)
MEASURES = Measures(
    width_px=800,
    height_px=600,
    light=120,
    contrast=40,
    too_dark=0,
    too_light=0,
    warmth=0,
    colourfulness=30,
    sharpness=100,
    noise=0.5,
    flat=0.3,
    few_levels=0.1,
    paper=0,
    lines=0,
    top_light=0,
    colours=(("slate blue", 0.624), ("white", 0.2)),
)


@dataclass
class Stubborn:
    """Answers `answers` in turn, once more where the check objects, as a real client does."""

    answers: list[dict[str, Any]]
    objections: list[str] = field(default_factory=list)

    def profile(self, task: str) -> str:
        return "stubborn"

    async def ask(self, question: Question[Tags]) -> Reply[Tags]:
        for _ in range(2):
            output = question.shape.model_validate(self.answers.pop(0))
            wrong = question.check(output)
            if wrong is None:
                return Reply(outcome="ok", output=output)
            self.objections.append(wrong)
        return Reply(outcome="bad_answer")


async def tagged(model: Any, measures: Measures | None = None) -> Tags:
    return (await tag(parts("file:0"), model=model, media=PlainMedia(measures=measures))).value()


def said(**changes: Any) -> ScriptedModel:
    return ScriptedModel(answers=[{**TAGS, **changes}])


async def test_colours_are_measured_and_quality_stands_beside_what_the_model_says() -> None:
    quality = {"sharpness": "Good", "exposure": "balanced", "contrast": "", "noise": "low"}

    tags = await tagged(said(technical_quality=quality), MEASURES)

    assert tags.colours == ["slate blue 62%", "white 20%"]
    assert tags.technical_quality.model_dump() == {
        "sharpness": "soft (model: Good)",
        "exposure": "balanced",
        "contrast": "medium",
        "noise": "hardly any (model: low)",
    }


async def test_what_cannot_be_measured_is_left_to_the_model() -> None:
    tags = await tagged(said())

    assert (tags.colours, tags.technical_quality.sharpness) == (["grey"], "good")


async def test_an_alt_text_that_is_too_long_is_asked_for_once_more() -> None:
    model = Stubborn([{**TAGS, "alt_text": LONG}, TAGS])

    tags = await tagged(model)

    assert tags.alt_text == "A grey cat on a sofa."
    assert model.objections == ["alt_text has 126 characters, which is more than 125. Say the same in fewer words."]


async def test_one_that_stays_too_long_is_cut_after_a_word() -> None:
    model = Stubborn([{**TAGS, "alt_text": LONG}, {**TAGS, "alt_text": LONG}])

    tags = await tagged(model)

    assert tags.alt_text == LONG.removesuffix(" bloom.") + "…"
    assert len(model.objections) == 1


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("A cat\non a  sofa.", "A cat on a sofa."),
        ("**A cat** on a `sofa`", "A cat on a sofa"),
        ("# A cat\n> on <b>a</b> sofa", "A cat on a sofa"),
        ("A [cat](https://x.example) on a sofa", "A cat on a sofa"),
        ("An image of a cat", "A cat"),
        ("Picture showing two cats", "Two cats"),
        ("Map of a picture of the sea", "Map of a picture of the sea"),
        ("A sign that says 3 < 5 and 7 > 5, C# and snake_case", "A sign that says 3 < 5 and 7 > 5, C# and snake_case"),
        ("**", "**"),
    ],
)
def test_alt_texts_are_plain(given: str, plain: str) -> None:
    assert plain_alt_text(given) == plain


@given(st.text(max_size=300), st.integers(2, 130))
def test_a_cut_text_is_never_too_long(text: str, most: int) -> None:
    assert len(cut(text, most)) <= most
    assert cut(text, 1000) == text


def test_tags_are_as_a_channel_uses_them() -> None:
    given = ["#Cat", "cat", "Black_and_white", "red  sofa.", "a cat on a sofa", " ", "#"]

    assert tidy_tags(given) == ["cat", "black and white", "red sofa"]


def test_at_most_three_reactions_fit_and_none_twice() -> None:
    assert reactions_to(["kitten", "two cats", "sofa", "red flower", "tree", "dog"]) == (
        ("🐱", "cat"),
        ("🌸", "cherry_blossom"),
        ("🌳", "deciduous_tree"),
    )
    assert reactions_to(["nothing", "known"]) == ()
    assert REACTIONS_MAX == 3


def a_policy(tagging: str = "{alt_text: true, reactions: true}", more: str = "") -> Policy:
    rule = f"channels:\n  - {{match: {{name: general}}, tagging: {tagging}}}\n"
    return parse(f"{RULES}{rule}{more}", source="the policy")


RULES = """version: 1
gates: {hold: [{severity: 3, confidence: 0.5}]}
categories:
  child_safety: {remove: [{severity: 2, confidence: 0.5}]}
  harassment: {tag: [{severity: 1, confidence: 0.5}]}
"""


def here(policy: Policy) -> Keeping:
    known = Keeping()
    known.policies.policy = policy
    return known


async def plan_for(known: Keeping, *files: Attachment, **more: Any) -> Plan:
    event = a_message("look", *files, mentions_us=more.pop("mentions_us", False))
    return await Planner(known.services).plan(event.model_copy(update=more))


async def test_a_channel_may_want_alt_texts_and_reactions_below_its_pictures() -> None:
    known = here(a_policy())

    post, react = (await plan_for(known, a_picture())).effects

    assert isinstance(post, Post)
    assert (post.place.thread, post.about) == ("m1", "m1")
    assert post.answer == Notice(text="Alt text: A grey cat on a sofa.")
    assert isinstance(react, React)
    assert (react.message, react.emoji, react.name, react.place.thread) == ("m1", "🐱", "cat", None)
    assert [each.alt_text for each in known.results.saved] == ["A grey cat on a sofa."]
    assert known.results.seen == [a_picture()]
    assert [task for task, _ in known.ledger.calls] == ["moderation", "tagging"]


async def test_several_pictures_are_one_post() -> None:
    known = here(a_policy("{alt_text: true}"))

    [post] = (await plan_for(known, a_picture("a.jpg"), a_picture("b.jpg"))).effects

    assert post.answer == Notice(
        text="Alt text of picture 1: A grey cat on a sofa.\nAlt text of picture 2: A grey cat on a sofa."
    )


@pytest.mark.parametrize(("tagging", "effects"), [("{reactions: true}", ["react"]), ("{}", [])])
async def test_only_what_the_channel_wants_is_done(tagging: str, effects: list[str]) -> None:
    known = here(a_policy(tagging))

    assert kinds((await plan_for(known, a_picture())).effects) == effects
    assert len(known.model.questions) == (2 if effects else 1)


async def test_without_a_rule_nothing_is_said_and_nothing_asked() -> None:
    known = here(preset())

    assert (await plan_for(known, a_picture())).effects == ()
    assert [question.task for question in known.model.questions] == ["moderation"]


@pytest.mark.parametrize(
    ("more", "category"),
    [
        pytest.param("", "hate", id="held"),
        pytest.param("", "harassment", id="tagged"),
        pytest.param("mode: shadow\n", "hate", id="in-shadow"),
        pytest.param("exempt: {roles: [member]}\n", "hate", id="by-somebody-exempt"),
    ],
)
async def test_nothing_is_said_below_a_picture_that_is_not_all_right(more: str, category: str) -> None:
    known = here(a_policy(more=more))
    known.model.judges(**{category: (3, 0.9)})

    effects = (await plan_for(known, a_picture())).effects

    assert not any(isinstance(effect, Post | React) for effect in effects)
    assert [question.task for question in known.model.questions] == ["moderation"]


async def test_a_picture_of_somebody_exempt_that_nothing_is_found_in_is_described() -> None:
    known = here(a_policy(more="exempt: {roles: [member]}\n"))

    assert kinds((await plan_for(known, a_picture())).effects) == ["post", "react"]


async def test_what_could_not_be_judged_is_not_described() -> None:
    known = here(a_policy())
    known.model.answers.append(Reply(outcome="unavailable"))

    assert "post" not in kinds((await plan_for(known, a_picture())).effects)


async def test_an_edit_is_not_described_once_more() -> None:
    known = here(a_policy())

    assert (await plan_for(known, a_picture(), edit=1)).effects == ()


async def test_who_mentions_us_gets_the_answer_alone() -> None:
    known = here(a_policy())

    [post] = (await plan_for(known, a_picture(), mentions_us=True)).effects

    assert post.answer.kind == "tagged"
    assert [question.task for question in known.model.questions] == ["moderation", "tagging"]


@dataclass
class Papers(HashedMedia):
    async def intake(self, content: Content, *, fine: bool = False, file_bytes: int = 0) -> Intake:
        made = await super().intake(content, fine=fine, file_bytes=file_bytes)
        return replace(made, readings=(Reading(place="file:0", media_type="application/pdf", status="ok"),))


async def test_documents_are_no_pictures() -> None:
    known = here(a_policy())
    known.media = Papers()

    assert (await plan_for(known, a_picture("paper.pdf"))).effects == ()
    assert known.results.saved == []


async def test_a_model_that_fails_at_it_is_no_matter_for_the_channel() -> None:
    known = here(a_policy())
    judged = ScriptedModel()._usual
    known.model.answers += [judged, Reply(outcome="refused")]

    assert (await plan_for(known, a_picture())).effects == ()


def test_a_misspelt_key_is_named_with_its_line() -> None:
    with pytest.raises(Misconfigured) as refused:
        a_policy("{alt_texts: true}")

    assert "line 7" in str(refused.value)
    assert "alt_texts" in str(refused.value)
