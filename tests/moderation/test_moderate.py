"""What a judge says, and what a policy makes of it."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.content import Fact, Gap, Intake
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, everywhere
from pipelines.moderation.report import Category
from pipelines.ports import Call, Question, Reply
from tests.fakes import ScriptedModel, a_judgement, parts

POLICY = everywhere(preset())


@pytest.mark.parametrize(
    ("opinions", "action", "keeps", "distress"),
    [
        pytest.param({"child_safety": (2, 0.5)}, Action.REMOVE, False, False, id="children-are-never-held-for-later"),
        pytest.param({"self_harm": (4, 0.99, "distress")}, Action.HOLD, True, True, id="distress-is-never-punished"),
        pytest.param({"self_harm": (4, 0.99, "")}, Action.HOLD, True, True, id="self-harm-of-no-kind-counts-as-distress"),
        pytest.param({"self_harm": (3, 0.9, "promotion")}, Action.REMOVE, True, False, id="promotion-is-removed"),
        pytest.param({"hate": (2, 0.6), "gore": (3, 0.9)}, Action.REMOVE, True, False, id="the-strongest-wins"),
        pytest.param({"tampering": (3, 0.9)}, Action.HOLD, True, False, id="instructions-to-the-judge"),
    ],
)
async def test_some_categories_have_rules_of_their_own(
    opinions: dict[str, Any], action: Action, keeps: bool, distress: bool
) -> None:
    model = ScriptedModel().judges(**opinions)

    verdict, _ = await moderate(parts("text:0"), policy=POLICY, model=model)

    assert (verdict.action, verdict.keep_copy, verdict.distress) == (action, keeps, distress)


async def test_a_reason_says_the_kind_in_words() -> None:
    model = ScriptedModel().judges(violence=(3, 0.93, "Threat"))

    verdict, _ = await moderate(parts("text:0"), policy=POLICY, model=model)

    assert verdict.reasons == ("Violence, threat: severe, 93% sure.",)


def without_last_part(question: Question[Any]) -> dict[str, Any]:
    answer = a_judgement(question)
    return {**answer, "parts": answer["parts"][:-1]}


def with_foreign_nonce(question: Question[Any]) -> dict[str, Any]:
    return {**a_judgement(question), "nonce": "other"}


def with_invented_part(question: Question[Any]) -> dict[str, Any]:
    answer = a_judgement(question)
    return {**answer, "parts": [*answer["parts"], "file:9"]}


def with_invented_place(question: Question[Any]) -> dict[str, Any]:
    answer = a_judgement(question, hate=(1, 0.9))
    answer["categories"]["hate"]["place"] = "nowhere"
    return answer


FAILED = Call(model="m", outcome="unavailable")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(Reply(outcome="unavailable", calls=(FAILED,)), "judge_down", id="nobody-answers"),
        pytest.param(Reply(outcome="refused", reason="SAFETY"), "judge_blocked", id="the-model-refuses"),
        pytest.param(Reply(outcome="bad_answer"), "bad_answer", id="nonsense"),
        pytest.param(Reply(outcome="partial"), "partial", id="cut-off"),
        pytest.param(Reply(outcome="ok"), "partial", id="ok-without-an-answer"),
        pytest.param(without_last_part, "partial", id="one-part-not-looked-at"),
        pytest.param(with_foreign_nonce, "bad_answer", id="answer-to-another-question"),
        pytest.param(with_invented_part, "bad_answer", id="a-part-that-is-not-there"),
        pytest.param(with_invented_place, "bad_answer", id="a-place-that-is-not-there"),
    ],
)
async def test_whatever_is_not_judged_in_full_is_unknown_and_held(answer: Any, cause: str) -> None:
    model = ScriptedModel(answers=[answer])

    verdict, _ = await moderate(parts("text:0", "file:0"), policy=POLICY, model=model)

    assert (verdict.decision, verdict.action) == ("unknown", Action.HOLD)
    assert [item.cause for item in verdict.incomplete] == [cause]
    assert verdict.coverage.judged < verdict.coverage.total


@pytest.mark.parametrize(
    ("reason", "keeps"),
    [pytest.param("PROHIBITED_CONTENT", False, id="prohibited"), pytest.param("SAFETY", True, id="safety")],
)
async def test_what_the_vendor_calls_prohibited_is_not_kept(reason: str, keeps: bool) -> None:
    model = ScriptedModel(answers=[Reply(outcome="refused", reason=reason)])

    verdict, _ = await moderate(parts("file:0"), policy=POLICY, model=model)

    assert verdict.keep_copy is keeps


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("unreadable", "unreadable"), ("refused", "unreadable"), ("partial", "partial")],
)
async def test_a_file_that_is_not_among_the_parts_keeps_the_verdict_from_being_allow(kind: Any, cause: str) -> None:
    intake = Intake(parts=parts("text:0").parts, gaps=(Gap(place="file:0", kind=kind, why="It is damaged."),))

    verdict, _ = await moderate(intake, policy=POLICY, model=ScriptedModel())

    assert (verdict.decision, verdict.action) == ("unknown", Action.HOLD)
    assert verdict.incomplete[0].cause == cause
    assert (verdict.coverage.judged, verdict.coverage.total) == (1, 2)


async def test_nothing_but_gaps_asks_no_model() -> None:
    model = ScriptedModel()
    intake = Intake(gaps=(Gap(place="file:0", kind="unreadable", why="It is damaged."),))

    verdict, calls = await moderate(intake, policy=POLICY, model=model)

    assert verdict.decision == "unknown"
    assert (model.questions, calls) == ([], ())


async def test_what_members_wrote_never_enters_the_instructions() -> None:
    model = ScriptedModel()
    intake = parts("text:0")

    await moderate(intake, policy=POLICY, model=model)

    [question] = model.questions
    assert "what Ada wrote" not in question.instructions
    assert question.nonce in question.instructions
    assert question.parts == intake.parts


async def test_long_evidence_is_cut_not_refused() -> None:
    def talkative(question: Question[Any]) -> dict[str, Any]:
        answer = a_judgement(question, hate=(2, 0.8))
        answer["categories"]["hate"]["evidence"] = "x" * 500
        return answer

    verdict, _ = await moderate(parts("text:0"), policy=POLICY, model=ScriptedModel(answers=[talkative]))

    assert len(verdict.findings[0].evidence) == 120


async def test_what_reading_a_file_showed_is_a_finding_whatever_the_judge_says() -> None:
    facts = (
        Fact(place="file:0", about="tampering", kind="polyglot", severity=3, says="The picture is a program too."),
        Fact(place="file:0", about="privacy", kind="location", severity=1, says="The picture says where it was taken."),
        Fact(place="file:0", about="note", kind="script", severity=0, says="The page holds a script."),
    )
    intake = replace(parts("file:0"), facts=facts)

    verdict, _ = await moderate(intake, policy=POLICY, model=ScriptedModel())

    assert (verdict.decision, verdict.action) == ("act", Action.HOLD)
    assert [(each.category, each.kind, each.severity, each.confidence) for each in verdict.findings] == [
        (Category.TAMPERING, "polyglot", 3, 1),
        (Category.PRIVACY, "location", 1, 1),
    ]
