"""A policy's text changed in one place: every other character, comments too, stays as somebody wrote it.

A library that reads YAML and writes it anew moves the comments at the end of a mapping below what is added there, and writes
`null` as nothing. So the text is cut open where PyYAML's marks (https://pyyaml.org/wiki/PyYAMLDocumentation) say that a value
stands.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from pipelines.moderation.learning import Suggestion, free_profile
from pipelines.moderation.policies import parse
from pipelines.moderation.policy import Channel, ChannelRule, Gate, Gates, Policy, Profile, Rule
from pipelines.moderation.report import OWN, Category, CategoryName

SOURCE: Final = "The policy"

Path = tuple[str | int, ...]


def raise_gate(text: str, suggestion: Suggestion) -> str:
    """Return a policy's text with the confidence that is suggested.

    A category without gates of its own gets all those of the policy. In one channel the change goes into a profile that no
    other rule uses, and into a rule that only that channel has; where either is missing it is added.

    Raises: `Misconfigured` when the text is no policy, naming the line and key that is wrong.
    """
    policy = parse(text, source=SOURCE)
    if suggestion.channel is not None:
        return _in_channel(text, policy, suggestion, suggestion.channel)
    at, rule = _key_of(suggestion.category), _named(policy, suggestion.category)
    if rule is not None and rule.names_gates:
        return _with_confidence(text, at, getattr(rule, suggestion.action), suggestion)
    for action in Gates.model_fields:
        if action in policy.gates.model_fields_set:
            text = put(text, (*at, action), _raised(getattr(policy.gates, action), suggestion, action))
    return text


def enforce(text: str, category: CategoryName) -> str:
    """Return a policy's text in which what is found of a category is acted upon, wherever no channel's rule says otherwise.

    Raises: `Misconfigured` when the text is no policy, or would be none then.
    """
    parse(text, source=SOURCE)
    changed = put(text, (*_key_of(category), "mode"), "enforce")
    parse(changed, source=SOURCE)
    return changed


def _in_channel(text: str, policy: Policy, suggestion: Suggestion, channel: Channel) -> str:
    action, category = suggestion.action, Category(suggestion.category)
    raised = _raised(getattr(policy.at(channel).rule_for(category), action), suggestion, action)
    fitting = (position for position, each in enumerate(policy.channels) if each.match.fits(channel))
    position = next(fitting, None)
    rule = None if position is None else policy.channels[position]
    is_its_own = rule is not None and rule.match.id == channel.id
    if is_its_own and rule and rule.profile and sum(each.profile == rule.profile for each in policy.channels) == 1:
        at: Path = ("profiles", rule.profile, "categories", category.value)
        named = policy.profiles[rule.profile].categories.get(category)
        if named is not None and action.value in named.model_fields_set:
            return _with_confidence(text, at, getattr(named, action), suggestion)
        return put(text, (*at, action.value), raised)
    name = free_profile(policy)
    profile = _as_written(policy.profiles[rule.profile]) if rule and rule.profile else {}
    profile.setdefault("categories", {}).setdefault(category.value, {})[action.value] = raised
    text = put(text, ("profiles", name), profile)
    if is_its_own and position is not None:
        return put(text, ("channels", position, "profile"), name)
    carried = _as_written(rule) if rule else {}
    return put_first(text, "channels", {**carried, "match": {"platform": channel.platform, "id": channel.id}, "profile": name})


def _key_of(category: CategoryName) -> Path:
    if category.startswith(OWN):
        return "own_categories", category.removeprefix(OWN)
    return "categories", Category(category).value


def _named(policy: Policy, category: CategoryName) -> Rule | None:
    if category.startswith(OWN):
        return policy.own_categories[category.removeprefix(OWN)]
    return policy.categories.get(Category(category))


def _with_confidence(text: str, at: Path, gates: Sequence[Gate], suggestion: Suggestion) -> str:
    for position, gate in enumerate(gates):
        if gate == suggestion.gate:
            text = put(text, (*at, suggestion.action.value, position, "confidence"), suggestion.new)
    return text


def _raised(gates: Sequence[Gate], suggestion: Suggestion, action: str) -> list[dict[str, Any]]:
    written = [_as_written(gate) for gate in gates]
    if action == suggestion.action:
        for gate, values in zip(gates, written, strict=True):
            if gate == suggestion.gate:
                values["confidence"] = suggestion.new
    return written


def _as_written(rules: Gates | Gate | Profile | ChannelRule) -> dict[str, Any]:
    return rules.model_dump(mode="json", exclude_unset=True)


def put(text: str, at: Path, value: Any) -> str:
    """Return YAML in which `value` stands at a path of keys. What is missing on the way is added as mappings.

    A value that stands there already must be a single word or number.
    """
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, step in enumerate(at):
        child = _child(node, step)
        if child is None:
            for key in reversed(at[depth + 1 :]):
                value = {key: value}
            return _with_key(text, node, str(step), value)
        node = child
    return text[: node.start_mark.index] + _flow(value) + text[node.end_mark.index :]


def put_first(text: str, key: str, item: Any) -> str:
    """Return YAML in which `item` is the first of the list at a key of the whole; where there is none, it becomes one."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    found = next(((name, node) for name, node in root.value if name.value == key), None)
    if found is None:
        return put(text, (key,), [item])
    name, node = found
    if node.flow_style:
        at = node.start_mark.index + 1
        return f"{text[:at]}{_flow(item)}{', ' if node.value else ''}{text[at:]}"
    at = _line_end(text, name.end_mark.index)  # above what is said about the item that was the first
    return f"{text[:at]}\n{' ' * node.start_mark.column}- {_flow(item)}{text[at:]}"


def _with_key(text: str, node: yaml.MappingNode, key: str, value: Any) -> str:
    """Return YAML in which a mapping has another key, its last one."""
    if node.flow_style:
        at = node.value[-1][1].end_mark.index if node.value else node.start_mark.index + 1
        return f"{text[:at]}{', ' if node.value else ''}{_flow({key: value})[1:-1]}{text[at:]}"
    last: Any = node.value[-1][1]
    while last.value and not (isinstance(last, yaml.ScalarNode) or last.flow_style):
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    at = _line_end(text, len(text[: last.end_mark.index].rstrip()))  # a text of several lines ends where the next key begins
    lines = "".join(f"\n{' ' * node.start_mark.column}{line}" for line in _block(key, value))
    return f"{text[:at]}{lines}{text[at:]}"


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _child(node: yaml.Node, step: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(step)]
    return next((value for key, value in node.value if key.value == str(step)), None)


def _block(key: str, value: Any) -> Iterator[str]:
    """Yield the lines of a key with its value, as policies are written: what holds numbers alone stands on one line."""
    if isinstance(value, dict) and any(isinstance(each, dict | list) for each in value.values()):
        yield f"{key}:"
        for inner, each in value.items():
            yield from (f"  {line}" for line in _block(inner, each))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield f"{key}:"
        yield from (f"  - {_flow(each)}" for each in value)
    else:
        yield f"{key}: {_flow(value)}"


def _flow(value: Any) -> str:
    """Return a value on one line."""
    listed: str = yaml.safe_dump([value], default_flow_style=True, sort_keys=False, allow_unicode=True, width=1_000_000)
    return listed.strip()[1:-1]
