"""What decisions suggest about a policy: figures by hand, and claims that hold when everything is decided anew."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.moderation.changing import raise_gate
from pipelines.moderation.comparing import compare
from pipelines.moderation.learning import (
    DECISIONS_NEEDED,
    Outcome,
    Reviewed,
    Suggestion,
    as_now,
    decided_by_category,
    suggestions,
    with_gate,
)
from pipelines.moderation.policies import PRESETS, parse, preset, preset_text
from pipelines.moderation.policy import Action, Channel, Gate, Policy
from pipelines.moderation.report import Finding
from pipelines.moderation.verdict import Decided
from tests.moderation.test_decide import found

GENERAL = Channel(platform="discord", id="100", name="general")
RANDOM = Channel(platform="discord", id="200", name="random")
_numbers = count()


def case(
    outcome: Outcome,
    *findings: Finding,
    channel: Channel = GENERAL,
    exempt: bool = False,
    incomplete: tuple[str, ...] = (),
) -> Reviewed:
    name = f"e{next(_numbers)}"
    decided = Decided(
        event=name,
        channel=channel,
        exempt=exempt,
        findings=findings,
        incomplete=incomplete,
        action=Action.HOLD,
        policy="",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Reviewed(case=f"case-{name}", decided=decided, outcome=outcome, shadow=False)


def cases(
    outcome: Outcome, *confidences: float, category: str = "harassment", severity: int = 2, channel: Channel = GENERAL
) -> tuple[Reviewed, ...]:
    return tuple(case(outcome, found(category, severity, each), channel=channel) for each in confidences)


# 11 overturned, 9 of which below 0.78; 40 upheld, one of which below it.
FIGURES = (
    *cases("overturned", 0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77, 0.77, 0.9, 0.95),
    *cases("upheld", 0.73, *[0.85] * 39),
)


UPHELD = cases("upheld", *[0.9] * 40)


def nine(*findings: Finding, exempt: bool = False, incomplete: tuple[str, ...] = ()) -> list[Reviewed]:
    return [case("overturned", *findings, exempt=exempt, incomplete=incomplete) for _ in range(9)]


def everywhere(found: Iterable[Suggestion]) -> list[Suggestion]:
    return [each for each in found if each.channel is None]


def test_figures_by_hand_are_said_in_a_sentence() -> None:
    [here, all_over] = suggestions(preset(), FIGURES)

    assert all_over.says == (
        "Raising hold for harassment from 0.70 to 0.78 would have spared 9 of 11 overturned and missed 1 of 40 upheld"
        " (0 to 13 % with 95 % certainty)."
    )
    assert here.says == all_over.says.replace("harassment", "harassment in general")
    assert (here.channel, all_over.channel) == (GENERAL, None)
    assert all_over.gate == Gate(severity=2, confidence=0.7)


@pytest.mark.parametrize(
    "reviewed",
    [
        pytest.param((*cases("overturned", *[0.72] * 9), *cases("upheld", *[0.9] * 20)), id="29-decisions"),
        pytest.param((*cases("overturned", *[0.72] * 2), *UPHELD), id="spares-too-few"),
        pytest.param(
            (*cases("overturned", *[0.72] * 2, *[0.8] * 9), *cases("upheld", *[0.75] * 9), *UPHELD),
            id="spares-too-few-before-it-misses-too-many",
        ),
        pytest.param(
            (*cases("overturned", *[0.72] * 20), *cases("upheld", *[0.72] * 3), *UPHELD), id="misses-too-large-a-share"
        ),
        pytest.param((*cases("overturned", *[0.72] * 6), *cases("upheld", 0.72, 0.72, *[0.9] * 40)), id="misses-outweigh-it"),
        pytest.param((*cases("overturned", *[1.0] * 9, *[0.99] * 9), *cases("upheld", *[1.0] * 40)), id="no-gate-is-above"),
        pytest.param(cases("overturned", *[0.72] * 40, category="child_safety"), id="children"),
        pytest.param(
            (*cases("overturned", *[0.72] * 9), *cases("other_category", *[0.9] * 40), *cases("open", *[0.9] * 40)),
            id="neither-another-category-nor-nobody's-decision-counts",
        ),
        pytest.param(
            (*nine(found("harassment", 2, 0.72), found("hate", 2, 0.9)), *UPHELD),
            id="another-finding-holds-them-anyway",
        ),
        pytest.param(
            (*cases("overturned", *[0.72] * 9, severity=3), *UPHELD),
            id="another-gate-holds-them-anyway",
        ),
        pytest.param(
            (*nine(found("harassment", 2, 0.72), incomplete=("partial",)), *UPHELD),
            id="they-were-not-judged-in-full-and-are-held-for-that",
        ),
        pytest.param(
            (*nine(found("harassment", 2, 0.72), exempt=True), *UPHELD),
            id="nothing-is-done-about-their-authors",
        ),
        pytest.param((), id="nothing"),
    ],
)
def test_what_would_not_be_clearly_better_is_not_suggested(reviewed: tuple[Reviewed, ...]) -> None:
    assert suggestions(preset(), reviewed) == ()


@pytest.mark.parametrize("upheld", [DECISIONS_NEEDED - 9, 40])
def test_what_is_clearly_better_is_suggested_from_the_thirtieth_decision_on(upheld: int) -> None:
    [suggestion] = everywhere(suggestions(preset(), (*nine(found("harassment", 2, 0.72)), *UPHELD[:upheld])))

    assert (suggestion.new, suggestion.spared, suggestion.missed, suggestion.upheld) == (0.73, 9, 0, upheld)


@pytest.mark.parametrize(
    ("overturned", "upheld", "new", "spared", "missed"),
    [
        pytest.param([0.72] * 5, [0.9] * 40, 0.73, 5, 0, id="the-smallest-that-spares-them-all"),
        pytest.param([0.715] * 5, [0.9] * 40, 0.72, 5, 0, id="rounded-up"),
        pytest.param([0.72] * 5 + [0.8] * 3, [0.75] + [0.9] * 40, 0.73, 5, 0, id="three-more-do-not-outweigh-a-miss"),
        pytest.param([0.72] * 5 + [0.8] * 4, [0.75] + [0.9] * 40, 0.81, 9, 1, id="four-more-do"),
        pytest.param([0.98] * 5, [0.99] * 40, 0.99, 5, 0, id="as-high-as-it-goes"),
        pytest.param([0.72] * 30, [], 0.73, 30, 0, id="nothing-was-upheld"),
    ],
)
def test_the_confidence_is_chosen_by_the_written_rule(
    overturned: list[float], upheld: list[float], new: float, spared: int, missed: int
) -> None:
    [suggestion] = everywhere(suggestions(preset(), (*cases("overturned", *overturned), *cases("upheld", *upheld))))

    assert (suggestion.new, suggestion.spared, suggestion.missed) == (new, spared, missed)
    assert (suggestion.overturned, suggestion.upheld) == (len(overturned), len(upheld))


def test_where_nothing_was_upheld_no_certainty_is_claimed() -> None:
    [suggestion] = everywhere(suggestions(preset(), cases("overturned", *[0.72] * 30)))

    assert suggestion.missed_interval is None
    assert suggestion.says.endswith("would have spared 30 of 30 overturned. None was upheld.")


def test_each_gate_is_looked_at_by_itself() -> None:
    reviewed = (
        *cases("overturned", *[0.55] * 5),
        *cases("overturned", *[0.87] * 5, severity=3),
        *cases("upheld", *[0.95] * 40),
    )

    found = everywhere(suggestions(preset(), reviewed))

    assert {(each.action, each.gate.severity, each.gate.confidence, each.new) for each in found} == {
        (Action.FLAG, 2, 0.5, 0.56),
        (Action.REMOVE, 3, 0.85, 0.88),
    }


def test_a_gate_for_a_kind_is_told_from_the_one_without() -> None:
    reviewed = (
        *[case("overturned", found("self_harm", 2, 0.65, "distress")) for _ in range(9)],
        *cases("upheld", *[0.9] * 40, category="self_harm"),
    )

    [suggestion] = everywhere(suggestions(preset(), reviewed))

    assert suggestion.gate == Gate(severity=2, confidence=0.6, kinds=("distress",))
    assert suggestion.new == 0.66


def test_nobody_is_timed_out_because_less_is_found_of_a_risk() -> None:
    both = [case("overturned", found("self_harm", 2, 0.65, "distress"), found("hate", 4, 0.9)) for _ in range(3)]
    distress = [case("overturned", found("self_harm", 2, 0.65, "distress")) for _ in range(9)]
    upheld = cases("upheld", *[0.9] * 40, category="self_harm")

    assert suggestions(preset(), (*both, *distress, *upheld)) == ()
    assert len(everywhere(suggestions(preset(), (*distress, *upheld)))) == 1


def test_a_channel_with_enough_decisions_comes_first_and_is_counted_alone() -> None:
    elsewhere = (*cases("overturned", *[0.8] * 5, channel=RANDOM), *cases("upheld", *[0.9] * 20, channel=RANDOM))

    found = suggestions(preset(), (*FIGURES, *elsewhere))

    assert [(each.channel, each.new, each.overturned, each.upheld) for each in found] == [
        (GENERAL, 0.78, 11, 40),
        (None, 0.81, 16, 60),
    ]


def test_a_renamed_channel_is_still_the_same() -> None:
    renamed = Channel(platform="discord", id="100", name="lounge")
    reviewed = (*cases("overturned", *[0.72] * 9, channel=renamed), *UPHELD)

    here = suggestions(preset(), reviewed)[0]

    assert here.channel == renamed
    assert {each.decided.channel for each in as_now(reviewed)} == {renamed}
    nameless = Channel(platform="discord", id="100")
    assert {each.decided.channel for each in as_now((*cases("open", 0.9, channel=nameless), *reviewed))} == {renamed}


def test_a_category_of_ones_own_is_learnt_for_the_whole_workspace() -> None:
    reviewed = (
        *cases("overturned", *[0.72] * 9, category="own:cheats", severity=3),
        *cases("upheld", *[0.9] * 40, category="own:cheats"),
    )

    [suggestion] = suggestions(preset("gaming"), reviewed)

    assert (suggestion.category, suggestion.channel, suggestion.new) == ("own:cheats", None, 0.73)
    assert suggestion.says.startswith("Raising hold for cheats from 0.70 to 0.73")


def test_an_id_names_the_change_and_the_policy_and_not_the_counts() -> None:
    one = everywhere(suggestions(preset(), FIGURES))[0]
    more = everywhere(suggestions(preset(), (*FIGURES, *cases("upheld", *[0.9] * 3))))[0]
    changed = preset().model_copy(update={"language": "de"})

    assert one.upheld != more.upheld
    assert one.id == more.id
    assert everywhere(suggestions(changed, FIGURES))[0].id != one.id
    assert suggestions(preset(), FIGURES)[0].id != one.id  # in one channel


@pytest.mark.parametrize(
    ("missed", "upheld", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        pytest.param(81, 263, 0.2553, 0.3662, id="81-of-263"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1-of-29"),
        pytest.param(0, 20, 0.0, 0.1611, id="none-of-20"),
    ],
)
def test_the_interval_is_wilsons(missed: int, upheld: int, low: float, high: float) -> None:
    gate = Gate(severity=2, confidence=0.7)
    suggestion = Suggestion(
        policy="",
        category="hate",
        channel=None,
        action=Action.HOLD,
        gate=gate,
        new=0.8,
        missed=missed,
        upheld=upheld,
        overturned=1,
    )

    assert suggestion.missed_interval == pytest.approx((low, high), abs=5e-5)


def test_decided_cases_are_of_each_category_about_which_anything_is_done() -> None:
    both = case("upheld", found("hate", 3, 0.9), found("gore", 2, 0.6), found("privacy", 1, 0.9))
    exempt = case("upheld", found("hate", 3, 0.9), exempt=True)
    reviewed = (both, exempt, *cases("overturned", 0.4), *cases("open", 0.9))

    assert decided_by_category(preset(), reviewed) == {"hate": [both], "gore": [both]}


# What a moderator might have decided: mostly right where the judge was sure, mostly wrong where it was not.
ADULTS = Channel(platform="discord", id="300", name="art", age_gated=True)
channels = st.sampled_from([GENERAL, GENERAL, RANDOM, ADULTS])
categories = st.sampled_from(["harassment", "harassment", "harassment", "self_harm"])
others = st.builds(
    found,
    st.sampled_from(["hate", "self_harm"]),
    st.integers(1, 4),
    st.integers(30, 100).map(lambda each: each / 100),
    st.just(""),
)
besides = st.one_of(st.just([]), st.just([]), st.lists(others, max_size=1))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Reviewed, ...]:
    def some(outcome: Outcome, low: int, high: int, least: int) -> Iterator[Reviewed]:
        confidences = st.integers(low, high).map(lambda each: each / 1000)
        one = st.tuples(categories, st.integers(2, 4), confidences, channels, besides, st.booleans())
        for category, severity, confidence, channel, more, exempt in draw(st.lists(one, min_size=least, max_size=least + 20)):
            yield case(outcome, found(category, severity, confidence), *more, channel=channel, exempt=exempt and severity == 4)

    return (*some("overturned", 600, 800, 30), *some("upheld", 790, 1000, 30))


@settings(deadline=None, max_examples=25)
@given(histories(), st.sampled_from(PRESETS))
def test_a_claim_is_exactly_what_the_changed_text_does(reviewed: tuple[Reviewed, ...], name: str) -> None:
    policy = preset(name)

    for suggestion in suggestions(policy, reviewed):
        new = parse(raise_gate(preset_text(name), suggestion), source="test")

        assert counted(policy, new, reviewed) == (suggestion.spared, suggestion.missed)
        assert counted(policy, with_gate(policy, suggestion), reviewed) == (suggestion.spared, suggestion.missed)
        assert suggestion.missed <= 0.05 * suggestion.upheld
        assert suggestion.spared >= 3


def counted(old: Policy, new: Policy, reviewed: Iterable[Reviewed]) -> tuple[int, int]:
    """Return how many overturned and upheld cases another policy does less about; about none it does more."""
    decided = {each.decided.event: each for each in reviewed}
    changes = compare(old, new, (each.decided for each in decided.values())).changes
    assert all(each.after.strength < each.before.strength for each in changes)
    outcomes = [decided[each.event].outcome for each in changes]
    return outcomes.count("overturned"), outcomes.count("upheld")
