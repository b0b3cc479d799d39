"""The shipped policies: what each makes of what its community lives with."""

import pytest

from pipelines.moderation.comparing import read_cases, remarks, try_cases
from pipelines.moderation.decide import decide
from pipelines.moderation.policies import PRESETS, preset, preset_text
from pipelines.moderation.policy import Channel
from pipelines.moderation.report import Coverage, Finding, Incomplete, Report
from tests.docs.test_docs import ROOT

GENERAL = Channel(platform="discord", id="1", name="general")
ADULTS = Channel(platform="discord", id="2", name="studio", age_gated=True)
NSFW = Channel(platform="slack", id="3", name="nsfw-studio")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_complete_and_holds_nothing_hardly_meant(name: str) -> None:
    policy = preset(name)

    assert remarks(policy) == ()
    assert policy.unknown == policy.unreadable
    assert preset_text(name).startswith("#")


def test_the_shipped_cases_end_as_the_default_policy_says() -> None:
    cases = read_cases((ROOT / "policies/cases.yaml").read_text("utf-8"), source="cases.yaml")

    assert [each.case.says for each in try_cases(preset(), cases) if not each.as_expected] == []


@pytest.mark.parametrize(
    ("name", "channel", "found", "action"),
    [
        pytest.param("workplace", GENERAL, ("sexual", "suggestive", 1, 0.7), "flag", id="work-suggestive"),
        pytest.param("workplace", GENERAL, ("sexual", "nudity", 2, 0.6), "hold", id="work-nudity"),
        pytest.param("workplace", GENERAL, ("sexual", "explicit", 4, 0.95), "remove", id="work-never-times-out"),
        pytest.param("workplace", GENERAL, ("privacy", "", 3, 0.6), "hold", id="work-secrets"),
        pytest.param("workplace", GENERAL, ("scam_spam", "", 3, 0.8), "remove", id="work-phishing"),
        pytest.param("workplace", GENERAL, ("harassment", "", 2, 0.4), "flag", id="work-early-words"),
        pytest.param("workplace", GENERAL, ("hate", "", 3, 0.9), "remove", id="work-hate"),
        pytest.param("gaming", GENERAL, ("violence", "threat", 2, 0.99), "allow", id="game-trash-talk"),
        pytest.param("gaming", GENERAL, ("violence", "threat", 4, 0.9), "timeout", id="game-credible-threat"),
        pytest.param("gaming", GENERAL, ("violence", "extremism", 2, 0.7), "hold", id="game-extremism"),
        pytest.param("gaming", GENERAL, ("gore", "", 2, 0.99), "allow", id="game-drawn-blood"),
        pytest.param("gaming", GENERAL, ("gore", "", 4, 0.9), "remove", id="game-real-wounds"),
        pytest.param("gaming", GENERAL, ("scam_spam", "", 2, 0.85), "remove", id="game-free-skins"),
        pytest.param("gaming", GENERAL, ("hate", "", 3, 0.85), "remove", id="game-hate"),
        pytest.param("gaming", GENERAL, ("own:cheats", "", 3, 0.8), "hold", id="game-cheats"),
        pytest.param("gaming", ADULTS, ("sexual", "explicit", 3, 0.9), "remove", id="game-explicit-even-there"),
        pytest.param("art-18", GENERAL, ("sexual", "nudity", 3, 0.99), "allow", id="art-nude"),
        pytest.param("art-18", GENERAL, ("sexual", "explicit", 4, 0.99), "hold", id="art-explicit-in-the-open"),
        pytest.param("art-18", ADULTS, ("sexual", "explicit", 4, 0.99), "allow", id="art-explicit-at-home"),
        pytest.param("art-18", NSFW, ("sexual", "explicit", 4, 0.99), "allow", id="art-explicit-at-home-on-slack"),
        pytest.param("art-18", ADULTS, ("child_safety", "", 1, 0.6), "remove", id="art-any-doubt-about-children"),
        pytest.param("art-18", ADULTS, ("child_safety", "", 2, 0.3), "remove", id="art-unsure-about-children"),
        pytest.param("art-18", ADULTS, ("own:real_people", "", 3, 0.8), "remove", id="art-real-people"),
        pytest.param("art-18", ADULTS, ("hate", "", 3, 0.9), "remove", id="art-hate"),
    ],
)
def test_a_preset_suits_its_community(name: str, channel: Channel, found: tuple[str, str, int, float], action: str) -> None:
    category, kind, severity, confidence = found
    finding = Finding(category=category, kind=kind, severity=severity, confidence=confidence)

    verdict = decide(Report(findings=(finding,), coverage=Coverage(judged=1, total=1)), preset(name).at(channel))

    assert verdict.action.value == action


@pytest.mark.parametrize(
    ("name", "action"), [("default", "hold"), ("workplace", "flag"), ("gaming", "hold"), ("art-18", "hold")]
)
@pytest.mark.parametrize("cause", ["judge_down", "unreadable"])
def test_what_a_preset_does_about_what_was_not_judged(name: str, action: str, cause: str) -> None:
    report = Report(coverage=Coverage(judged=0, total=1), incomplete=(Incomplete(cause=cause, why="So it is."),))

    assert decide(report, preset(name).at(GENERAL)).action.value == action
