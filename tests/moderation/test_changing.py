"""A policy's text changed in one place: what differs, what stays as it was written, and what cannot be changed."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import Misconfigured
from pipelines.moderation.changing import enforce, put, put_first, raise_gate
from pipelines.moderation.comparing import differences
from pipelines.moderation.learning import Suggestion
from pipelines.moderation.policies import PRESETS, parse, preset, preset_text
from pipelines.moderation.policy import Action, Channel, Gate, Policy
from pipelines.moderation.report import Category, CategoryName

GENERAL = Channel(platform="discord", id="81384788765712384", name="general")
ART = Channel(platform="discord", id="300", name="art", age_gated=True)
SLACK = Channel(platform="slack", id="C0123ABC", name="support-night")


def raising(
    policy: Policy, category: CategoryName, *, channel: Channel | None = None, action: Action = Action.HOLD, new: float = 0.91
) -> Suggestion:
    """Return a suggestion about the first gate of what holds for a category."""
    rule = policy.at(channel).rule_for(category) if channel else policy.rule_for(category)
    gate = getattr(rule, action)[0]
    return Suggestion(
        policy=policy.fingerprint,
        category=category,
        channel=channel,
        action=action,
        gate=gate,
        new=new,
        overturned=1,
        upheld=1,
    )


def read(text: str) -> Policy:
    return parse(text, source="test")


def changed_lines(old: str, new: str) -> list[str]:
    lines = unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=0)
    return [each for each in lines if not each.startswith(("---", "+++", "@@"))]


def test_a_gate_of_a_categorys_own_is_one_number() -> None:
    old = preset_text("gaming")

    new = raise_gate(old, raising(preset("gaming"), "harassment", new=0.78))

    assert changed_lines(old, new) == ["-      - {severity: 3, confidence: 0.6}", "+      - {severity: 3, confidence: 0.78}"]
    assert differences(read(old), read(new)) == (
        "categories.harassment.hold: severity 3, confidence 0.6 -> severity 3, confidence 0.78",
    )


def test_a_category_without_gates_gets_all_of_the_policys_with_one_raised() -> None:
    old = preset_text("default")

    new = raise_gate(old, raising(preset(), "harassment", new=0.78))

    assert changed_lines(old, new) == [
        "+  harassment:",
        "+    flag:",
        "+      - {severity: 2, confidence: 0.5}",
        "+    hold:",
        "+      - {severity: 2, confidence: 0.78}",
        "+      - {severity: 3, confidence: 0.5}",
        "+    remove:",
        "+      - {severity: 3, confidence: 0.85}",
        "+    timeout:",
        "+      - {severity: 4, confidence: 0.85}",
    ]
    assert "      - {severity: 3, confidence: 0.8}\n  harassment:\n" in new  # above what is said about what follows
    for category in Category:
        was, becomes = read(old).rule_for(category), read(new).rule_for(category)
        assert (was == becomes) is (category != Category.HARASSMENT)


def test_a_category_that_only_has_a_mode_keeps_it() -> None:
    old = preset_text("default").replace("  tampering:\n", "  hate: {mode: shadow}\n  tampering:\n")

    new = raise_gate(old, raising(read(old), "hate", new=0.78))

    rule = read(new).rule_for("hate")
    assert (rule.mode, rule.hold[0], rule.remove) == ("shadow", Gate(severity=2, confidence=0.78), read(old).gates.remove)
    assert [each for each in changed_lines(old, new) if each.startswith("-")] == ["-  hate: {mode: shadow}"]


def test_a_category_of_ones_own_is_changed_where_it_is_described() -> None:
    old = preset_text("art-18")

    new = raise_gate(old, raising(preset("art-18"), "own:real_people", new=0.55))

    assert differences(read(old), read(new)) == (
        "own_categories.real_people.hold: severity 2, confidence 0.4 -> severity 2, confidence 0.55",
    )


def test_every_gate_that_reads_the_same_is_raised() -> None:
    old = preset_text("default").replace(
        "  tampering:\n", "  hate: {hold: [{severity: 2, confidence: 0.7}, {confidence: 0.70, severity: 2}]}\n  tampering:\n"
    )

    new = raise_gate(old, raising(read(old), "hate"))

    assert read(new).rule_for("hate").hold == (Gate(severity=2, confidence=0.91),) * 2


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channel", [None, GENERAL, ART, SLACK], ids=["everywhere", "general", "art", "support"])
@pytest.mark.parametrize("category", ["harassment", "gore", "self_harm", "privacy"])
def test_in_every_preset_only_one_gate_changes_and_no_line_is_lost(
    name: str, channel: Channel | None, category: CategoryName
) -> None:
    old, policy = preset_text(name), preset(name)
    suggestion = raising(policy, category, channel=channel)

    new = raise_gate(old, suggestion)

    after = read(new)
    for there in (GENERAL, ART, SLACK):
        concerned = channel in (None, there)
        for each in Category:
            was, becomes = policy.at(there).rule_for(each), after.at(there).rule_for(each)
            if concerned and each == category and suggestion.gate in was.hold:
                raised = [suggestion.gate.model_copy(update={"confidence": 0.91})]
                assert [gate for gate in becomes.hold if gate not in was.hold] == raised
                assert was.model_copy(update={"hold": ()}) == becomes.model_copy(update={"hold": ()})
            else:
                assert was == becomes
        assert (policy.at(there).unknown, policy.at(there).mode) == (after.at(there).unknown, after.at(there).mode)
    left = [each for each in changed_lines(old, new) if each.startswith("-")]
    assert left in (
        [],
        [f"-      - {{severity: {suggestion.gate.severity}, confidence: {suggestion.gate.confidence}{_kinds(suggestion)}}}"],
    )
    concerned_keys = {"categories", "profiles", "channels"}
    assert after.model_dump(exclude=concerned_keys) == policy.model_dump(exclude=concerned_keys)


def _kinds(suggestion: Suggestion) -> str:
    return f", kinds: [{', '.join(suggestion.gate.kinds)}]" if suggestion.gate.kinds else ""


CHANNELS = """version: 1
gates: {hold: [{severity: 2, confidence: 0.7}]}
categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}
profiles:
  calm: {unknown: flag, categories: {gore: {allow: []}}} # rough talk
  loud: {categories: {hate: {hold: [{severity: 2, confidence: 0.8}], mode: shadow}}}
channels: # the first that fits
  # Where everybody meets.
  - {match: {platform: discord, id: "300"}, profile: loud}
  - match: {id: 81384788765712384}
    profile: calm
    mode: shadow
    tagging: {alt_text: true}
  - {match: {name: "support-*"}, profile: calm, mode: enforce, tagging: {reactions: true}}
"""


def test_a_channel_that_has_a_profile_to_itself_keeps_it() -> None:
    new = raise_gate(CHANNELS, raising(read(CHANNELS), "hate", channel=ART))

    assert changed_lines(CHANNELS, new) == [
        "-  loud: {categories: {hate: {hold: [{severity: 2, confidence: 0.8}], mode: shadow}}}",
        "+  loud: {categories: {hate: {hold: [{severity: 2, confidence: 0.91}], mode: shadow}}}",
    ]
    other = raise_gate(CHANNELS, raising(read(CHANNELS), "gore", channel=ART))
    assert differences(read(CHANNELS), read(other)) == (
        "profiles.loud.categories.gore.hold: not named -> severity 2, confidence 0.91",
    )


def test_a_channel_that_shares_its_profile_gets_one_of_its_own_in_its_own_rule() -> None:
    new = raise_gate(CHANNELS, raising(read(CHANNELS), "hate", channel=GENERAL))

    assert changed_lines(CHANNELS, new) == [
        "+  channel_1:",
        "+    unknown: flag",
        "+    categories:",
        "+      gore:",
        "+        allow: []",
        "+      hate:",
        "+        hold:",
        "+          - {severity: 2, confidence: 0.91}",
        "-    profile: calm",
        "+    profile: channel_1",
    ]
    here = read(new).at(GENERAL)
    assert (here.mode, here.profile, here.unknown, here.tagging.alt_text) == ("shadow", "channel_1", Action.FLAG, True)


def test_a_rule_for_one_channel_comes_first_and_says_the_same_of_all_else() -> None:
    new = raise_gate(CHANNELS, raising(read(CHANNELS), "hate", channel=SLACK))

    rule = "  - {match: {platform: slack, id: C0123ABC}, profile: channel_1, mode: enforce, tagging: {reactions: true}}"
    assert f"channels: # the first that fits\n{rule}\n  # Where everybody meets.\n" in new
    before, here = read(CHANNELS).at(SLACK), read(new).at(SLACK)
    assert (here.mode, here.unknown, here.tagging) == (before.mode, before.unknown, before.tagging)
    assert here.rule_for("hate").hold == (Gate(severity=2, confidence=0.91),)


def test_a_second_change_finds_the_profile_of_the_first() -> None:
    once = raise_gate(CHANNELS, raising(read(CHANNELS), "hate", channel=SLACK))

    twice = raise_gate(once, raising(read(once), "hate", channel=SLACK, new=0.95))
    other = raise_gate(twice, raising(read(twice), "gore", channel=Channel(platform="slack", id="C9", name="support-day")))

    assert changed_lines(once, twice) == [
        "-          - {severity: 2, confidence: 0.91}",
        "+          - {severity: 2, confidence: 0.95}",
    ]
    assert list(read(other).profiles) == ["calm", "loud", "channel_1", "channel_2"]


LAYOUTS = {
    "flow": '{"version": 1, "gates": {"hold": [{"severity": 2, "confidence": 0.70}]}, "categories": {"child_safety": {"remove":'
    ' [{"severity": 2, "confidence": 0.5}]}}}',
    "flow-with-last-commas": "{version: 1, gates: {hold: [{severity: 2, confidence: 0.7},],},\n"
    " categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}, # nothing after it\n } }\n",
    "not-indented": "version: 1\ngates:\n  hold:\n  - severity: 2\n    confidence: 0.7\n"
    "categories:\n  child_safety:\n    remove:\n"
    "    - severity: 2\n      confidence: 0.5 # never less\n\n# the end\n",
    "no-last-line-end": "categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}\nversion: 1\n"
    "gates: {hold: [{severity: 2, confidence: 0.7}]}",
    "windows": "version: 1\r\ngates: {hold: [{severity: 2, confidence: 0.7}]}\r\ncategories:\r\n"
    "  child_safety: {remove: [{severity: 2, confidence: 0.5}]}\r\n",
    "in-a-document": "---\nversion: 1\ngates: {hold: [{severity: 2, confidence: 0.7}]}\ncategories:\n"
    "    child_safety: {remove: [{severity: 2, confidence: 0.5}]}\nown_categories:\n    duck:\n        says: >\n"
    "            Pictures of ducks\n            that are no ducks.\n\n...\n",
    "empty": "version: 1\ngates: {hold: [{severity: 2, confidence: 0.7}]}\nprofiles: {}\nchannels: []\n"
    "categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_however_it_is_laid_out_it_stays_a_policy_with_one_change(layout: str) -> None:
    old = LAYOUTS[layout]

    everywhere = raise_gate(old, raising(read(old), "hate", new=0.78))
    here = raise_gate(old, raising(read(old), "hate", channel=GENERAL, new=0.78))

    assert differences(read(old), read(everywhere)) == ("categories.hate.hold: not named -> severity 2, confidence 0.78",)
    assert read(here).at(GENERAL).rule_for("hate").hold == (Gate(severity=2, confidence=0.78),)
    assert read(here).at(ART).rule_for("hate") == read(old).at(ART).rule_for("hate")
    assert differences(read(old), read(enforce(old, "hate"))) == ("categories.hate.mode: not named -> enforce",)


def test_enforcing_says_so_in_the_categorys_rule() -> None:
    old = preset_text("gaming").replace("  harassment:\n", "  hate: {mode: shadow} # soon\n  harassment:\n    mode: shadow\n")

    new = enforce(enforce(enforce(enforce(old, "hate"), "harassment"), "own:cheats"), "privacy")

    assert changed_lines(old, new) == [
        "-  hate: {mode: shadow} # soon",
        "+  hate: {mode: enforce} # soon",
        "-    mode: shadow",
        "+    mode: enforce",
        "+  privacy: {mode: enforce}",
        "+    mode: enforce",
    ]
    assert {each: read(new).rule_for(each).mode for each in ("hate", "harassment", "own:cheats", "privacy", "gore")} == {
        "hate": "enforce",
        "harassment": "enforce",
        "own:cheats": "enforce",
        "privacy": "enforce",
        "gore": None,
    }
    assert read(new).rule_for("privacy").hold == read(old).gates.hold


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_enforced_by_one_key(name: str) -> None:
    for category in Category:
        new = enforce(preset_text(name), category)

        assert differences(preset(name), read(new)) == (f"categories.{category}.mode: not named -> enforce",)


@pytest.mark.parametrize(
    "text", ["", "version: 1\n", "- a\n", "version: 1\ngates: {hold: [}\n", preset_text("default") + "dance: 1\n"]
)
def test_what_is_no_policy_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(Misconfigured, match="The policy"):
        raise_gate(text, raising(preset(), "hate"))
    with pytest.raises(Misconfigured, match="The policy"):
        enforce(text, "hate")


words = st.sampled_from(["a", "b", "c", "on", "two words", "# no", "it: is", "x\ny", ""])
keys = st.sampled_from(["a", "b", "c", "d"])
values = st.recursive(
    st.one_of(st.none(), st.integers(0, 9), words),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)
ADDED = {"one": [{"severity": 2, "confidence": 0.78}], "two": {"mode": "enforce"}, "three": ["x", "81384788765712384"]}


def mappings(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all mappings."""
    if isinstance(data, dict):
        yield at
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, each in inner:
        yield from mappings(each, (*at, step))


@given(st.dictionaries(keys, values, min_size=1, max_size=4), st.sampled_from([True, False, None]), st.booleans(), st.data())
def test_whatever_is_put_wherever_reads_as_if_the_data_had_been_changed(
    data: dict[str, Any], flow: bool | None, remarked: bool, drawn: st.DataObject
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, width=1000)
    if remarked and not flow and "\n\n" not in text:
        text = text.replace("\n", " # a remark\n")
        assert yaml.safe_load(text) == data or "x" in text
    if yaml.safe_load(text) != data:  # the remark became a part of a text
        return
    path = drawn.draw(st.sampled_from(list(mappings(data))))
    expected = yaml.safe_load(text)
    there = expected
    for step in path:
        there = there[step]
    there["new"] = {"deeper": ADDED}

    assert yaml.safe_load(put(text, (*path, "new", "deeper"), ADDED)) == expected


@given(st.dictionaries(keys, st.lists(values, min_size=1, max_size=2), min_size=1), st.sampled_from([True, False, None]))
def test_what_is_put_first_is_first(data: dict[str, Any], flow: bool | None) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, width=1000)

    for key in data:
        assert yaml.safe_load(put_first(text, key, {"a": 1})) == {**data, key: [{"a": 1}, *data[key]]}
    assert yaml.safe_load(put_first(text, "new", {"a": 1})) == {**data, "new": [{"a": 1}]}
