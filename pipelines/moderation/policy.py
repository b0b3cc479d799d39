"""What a workspace does about findings: data that can be read, diffed and replayed without a model."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from pipelines import limits
from pipelines.content import FactKind
from pipelines.moderation.report import OWN, Category, CategoryName, Finding


class Action(StrEnum):
    """What can be done about content, from nothing to the most. `strength` orders them. Only a person bans."""

    ALLOW = "allow"
    TAG = "tag"
    FLAG = "flag"
    HOLD = "hold"
    REMOVE = "remove"
    TIMEOUT = "timeout"
    BAN = "ban"

    @property
    def strength(self) -> int:
        return _STRENGTHS[self._value_]  # by its text, which hashes faster than a member

    @property
    def takes_down(self) -> bool:
        """Whether the message leaves the channel."""
        return self.strength >= Action.HOLD.strength


_STRENGTHS: Final = {action.value: strength for strength, action in enumerate(Action)}

Mode = Literal["shadow", "enforce"]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=300)]

# The kinds that are told apart, where a category has any: the judge's (`prompts/moderation.md`), and those of facts, which come
# from reading a file.
KINDS: Final[Mapping[Category, tuple[str, ...]]] = {
    Category.SEXUAL: ("explicit", "nudity", "suggestive"),
    Category.VIOLENCE: ("threat", "glorification", "extremism"),
    Category.SELF_HARM: ("distress", "promotion"),
    Category.PRIVACY: ("location",),
    Category.TAMPERING: tuple(kind for kind in get_args(FactKind) if kind != "location"),
}


def strongest(*actions: Action) -> Action:
    return max(actions, key=lambda action: action.strength, default=Action.ALLOW)


def wrong(says: str, *at: str | int) -> PydanticCustomError:
    """Return the error of a policy that is wrong as a whole; `at` leads to the key that is to be changed."""
    return PydanticCustomError("policy", "{says}", {"says": says, "at": at})


def _for_the_unjudged(action: Action) -> Action:
    if not Action.FLAG.strength <= action.strength <= Action.REMOVE.strength:
        raise wrong("must be flag, hold or remove")
    return action


Unjudged = Annotated[Action, AfterValidator(_for_the_unjudged)]


class Rules(BaseModel):
    """What every part of a policy has in common: it is frozen, and unknown keys are errors.

    Ids may be written as numbers, as Discord's are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Gate(Rules):
    """When a finding calls for an action: both numbers must be reached, and the kind must match where kinds are named."""

    severity: int = Field(ge=1, le=4)
    confidence: float = Field(ge=0, le=1)
    kinds: tuple[Kind, ...] = ()

    def opens_for(self, finding: Finding) -> bool:
        reached = finding.severity >= self.severity and finding.confidence >= self.confidence
        return reached and (not self.kinds or finding.kind in self.kinds)


class Gates(Rules):
    """Which findings call for which action: one is called for when any of its gates opens."""

    tag: tuple[Gate, ...] = ()
    flag: tuple[Gate, ...] = ()
    hold: tuple[Gate, ...] = ()
    remove: tuple[Gate, ...] = ()
    timeout: tuple[Gate, ...] = ()

    def by_action(self) -> Iterator[tuple[Action, tuple[Gate, ...]]]:
        """Yield each action that has gates, the strongest first."""
        if self.timeout:
            yield Action.TIMEOUT, self.timeout
        if self.remove:
            yield Action.REMOVE, self.remove
        if self.hold:
            yield Action.HOLD, self.hold
        if self.flag:
            yield Action.FLAG, self.flag
        if self.tag:
            yield Action.TAG, self.tag


class Rule(Gates):
    """What one category leads to. A rule that names no action at all has the gates of the whole policy.

    `mode` comes before the workspace's. Findings of the kinds in `allow` call for nothing. `help`: who is found to be at risk
    gets words of help also where nothing is done.
    """

    mode: Mode | None = None
    allow: tuple[Kind, ...] = ()
    help: bool = False

    def action_for(self, finding: Finding) -> Action:
        """Return the strongest action that `finding` calls for."""
        if finding.kind in self.allow:
            return Action.ALLOW
        for action, gates in self.by_action():
            for gate in gates:
                if gate.opens_for(finding):
                    return action
        return Action.ALLOW

    @property
    def names_gates(self) -> bool:
        return not self.model_fields_set.isdisjoint(Gates.model_fields)

    def changed_by(self, other: "Rule") -> "Rule":
        """Return this rule with what `other` names in its place."""
        return self.model_copy(update={name: getattr(other, name) for name in other.model_fields_set})


class OwnCategory(Rule):
    """A category of the workspace's own. `says` tells the judge in a sentence what belongs to it."""

    says: Sentence


class Profile(Rules):
    """What holds instead in some channels: of a category's rule that which is named here, the rest as everywhere."""

    unknown: Unjudged | None = None
    unreadable: Unjudged | None = None
    categories: dict[Category, Rule] = Field(default_factory=dict)


class Match(Rules):
    """Which channels are meant: all that is named must fit. `name` may hold `*`; Slack has no age-gated channels."""

    platform: Literal["slack", "discord", "console"] | None = None
    id: str | None = None
    name: str | None = None
    age_gated: bool | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise wrong("must name at least one of platform, id, name and age_gated")
        return self

    def fits(self, channel: "Channel") -> bool:
        return (
            self.platform in (None, channel.platform)
            and self.id in (None, channel.id)
            and self.age_gated in (None, channel.age_gated)
            and (self.name is None or fnmatchcase(channel.name.lower(), self.name.lower().removeprefix("#")))
        )


class Tagging(Rules):
    """What is said unasked below a message whose pictures are all right: their alt texts, and emojis that fit their tags."""

    alt_text: bool = False
    reactions: bool = False

    def __bool__(self) -> bool:
        return self.alt_text or self.reactions


class ChannelRule(Rules):
    """What is different in the channels that match. The first rule that matches a channel holds there."""

    match: Match
    profile: Name | None = None
    mode: Mode | None = None
    tagging: Tagging = Tagging()


class Exempt(Rules):
    """Whose messages are not moderated, by names of roles and by ids or names of bots (`*` for all), save for `still_scan`.

    `roles` are `moderator` and `admin`, or the platform's own.
    """

    roles: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()
    still_scan: tuple[Category, ...] = (Category.CHILD_SAFETY, Category.SCAM_SPAM)

    @model_validator(mode="after")
    def _children_are_looked_for(self) -> Self:
        if Category.CHILD_SAFETY not in self.still_scan:
            raise wrong("must name child_safety, of which nobody is exempt", "still_scan")
        return self


class Limits(Rules):
    """How much of a message is looked at, where that shall be less than `pipelines.limits` allow.

    Files of more than `file_bytes` are `unreadable`; other frames, pages and text (of the message itself) lead to `unknown`.
    """

    file_bytes: int = Field(default=limits.FILE_BYTES, ge=1, le=limits.FILE_BYTES)
    frames_judged: int = Field(default=limits.FRAMES_JUDGED, ge=1, le=limits.FRAMES_JUDGED)
    pages_judged: int = Field(default=limits.PAGES_JUDGED, ge=1, le=limits.PAGES_JUDGED)
    text_chars: int = Field(default=limits.TEXT_JUDGED_CHARS, ge=100, le=limits.TEXT_JUDGED_CHARS)


class Texts(Rules):
    """How ordinary texts are judged: messages without a file and without a link.

    `share` of them, chosen by chance, are judged; the others are *not judged*, which nobody takes for `allow`. Up to `together`
    texts that come within `wait_s` seconds are put into one question.
    """

    share: float = Field(default=1.0, gt=0, le=1)
    together: int = Field(default=1, ge=1, le=10)
    wait_s: float = Field(default=1.0, ge=0.1, le=5)


class Strikes(Rules):
    """Who had `count` messages removed within `days` is timed out with the last one, for `timeout_minutes`."""

    count: int = Field(default=3, ge=2, le=20)
    days: int = Field(default=30, ge=1, le=365)
    timeout_minutes: int = Field(default=60, ge=1, le=40_320)  # 28 days, the longest that Discord knows


class Quota(Rules):
    """How much is done in an hour without a person. Beyond it messages are only flagged, and the operator is told.

    `child_safety` is removed whatever was done before.
    """

    remove_per_hour: int = Field(default=50, ge=1, le=100_000)  # held or removed
    timeout_per_hour: int = Field(default=5, ge=0, le=10_000)


class Raid(Rules):
    """What counts as a raid: `copies` of the same content within `within_s` seconds by as many members, or one member's same
    content in `channels` channels. Copies in the next `deny_minutes` are held without asking."""

    copies: int = Field(default=8, ge=3, le=1000)
    channels: int = Field(default=4, ge=2, le=100)
    within_s: int = Field(default=60, ge=5, le=600)
    deny_minutes: int = Field(default=60, ge=1, le=1440)


class Review(Rules):
    """How people look after cases. What waits longer than `ping_after_hours` is named once a day; it is never decided by that.

    `appeal_days`: how long an author may ask for another look. `digest`: when a summary of shadow mode is posted by itself.
    """

    ping_after_hours: int = Field(default=24, ge=1, le=720)
    appeal_days: int = Field(default=7, ge=1, le=90)
    digest: Literal["weekly", "never"] = "weekly"


class Retention(Rules):
    """How many days things are kept. Copies are of held and removed messages, sealed, until somebody decides.

    A case ends after `cases` days, with what was quoted in it; its links in the audit stay for `audit` days. `results`: what
    members asked for, such as tags, extracted values, and wishes with what was made of them; buttons below them work as long.
    """

    copies: int = Field(default=30, ge=1, le=90)
    cases: int = Field(default=365, ge=30, le=3650)
    audit: int = Field(default=365, ge=30, le=3650)
    findings: int = Field(default=30, ge=1, le=365)  # sealed, so that a known message is not asked about again
    verdicts: int = Field(default=365, ge=1, le=3650)
    results: int = Field(default=180, ge=1, le=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a policy can know of a channel. Everything is the platform's claim; `name` is without `#`, empty where unknown."""

    platform: str
    id: str
    name: str = ""
    age_gated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """What a policy can know of who wrote something. `roles` are names and ids."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    bot: bool = False


class Policy(Rules):
    """The rules of one workspace.

    `mode`: `shadow` judges and records but does nothing; left out, real workspaces are in shadow and emulated ones in enforce.
    `unknown` and `unreadable` say what follows when content could not be judged in full, or could not be opened. `language` is
    that of the judge's evidence, as a tag of BCP 47. `escalate`: what is severe but not sure enough for the strongest action
    that it might call for is put to the bigger model as well.
    """

    version: Literal[1]
    mode: Mode | None = None
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    unknown: Unjudged = Action.HOLD
    unreadable: Unjudged = Action.HOLD
    escalate: bool = True
    gates: Gates
    categories: dict[Category, Rule] = Field(default_factory=dict)
    own_categories: dict[Name, OwnCategory] = Field(default_factory=dict, max_length=10)
    profiles: dict[Name, Profile] = Field(default_factory=dict)
    channels: tuple[ChannelRule, ...] = Field(default=(), max_length=100)
    exempt: Exempt = Exempt()
    texts: Texts = Texts()
    limits: Limits = Limits()
    strikes: Strikes | None = Strikes()
    automation_quota: Quota = Quota()
    raid: Raid | None = Raid()
    review: Review = Review()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _children_are_never_waved_through(self) -> Self:
        everywhere = self.rule_for(Category.CHILD_SAFETY)
        _refuse_leniency(everywhere, "categories", "child_safety")
        for name, profile in self.profiles.items():
            if Category.CHILD_SAFETY in profile.categories:
                changed = everywhere.changed_by(profile.categories[Category.CHILD_SAFETY])
                _refuse_leniency(changed, "profiles", name, "categories", "child_safety")
        return self

    @model_validator(mode="after")
    def _kinds_exist(self) -> Self:
        all_kinds = tuple(kind for kinds in KINDS.values() for kind in kinds)
        _refuse_other_kinds(self.gates, all_kinds, "gates", ())
        for category, rule in self.categories.items():
            _refuse_other_kinds(rule, KINDS.get(category), category.value, ("categories", category.value))
        for name, profile in self.profiles.items():
            for category, rule in profile.categories.items():
                at = ("profiles", name, "categories", category.value)
                _refuse_other_kinds(rule, KINDS.get(category), category.value, at)
        return self

    @model_validator(mode="after")
    def _own_categories_are_new(self) -> Self:
        for name in self.own_categories:
            if name in set(Category):
                raise wrong("is a category already; write it under categories, or choose another name", "own_categories", name)
        return self

    @model_validator(mode="after")
    def _profiles_exist(self) -> Self:
        for position, rule in enumerate(self.channels):
            if rule.profile is not None and rule.profile not in self.profiles:
                there = f"those named under profiles are {', '.join(self.profiles)}" if self.profiles else "none is named"
                raise wrong(f"there is no profile {rule.profile}: {there}", "channels", position, "profile")
        return self

    def rule_for(self, category: CategoryName) -> Rule:
        """Return what a category leads to where no profile changes it."""
        own = category.removeprefix(OWN) if category.startswith(OWN) else None
        rule = self.own_categories.get(own) if own is not None else self.categories.get(Category(category))
        if rule is None:
            return Rule(**dict(self.gates))
        return rule if rule.names_gates else rule.model_copy(update=dict(self.gates))

    def at(self, channel: Channel) -> "ChannelPolicy":
        """Return what holds in a channel."""
        rule = next((each for each in self.channels if each.match.fits(channel)), None)
        return ChannelPolicy(policy=self, channel=channel, rule=rule)

    @property
    def calls_for(self) -> frozenset[Action]:
        """Return every action that the policy may call for, anywhere."""
        profiles = self.profiles.values()
        rules = (self.gates, *self.categories.values(), *self.own_categories.values())
        changed = (rule for profile in profiles for rule in profile.categories.values())
        gated = (action for each in (*rules, *changed) for action, _ in each.by_action())
        unjudged = (each for profile in profiles for each in (profile.unknown, profile.unreadable) if each)
        return frozenset((*gated, *unjudged, self.unknown, self.unreadable))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("fingerprint", None)  # it names the original
        return copy

    @cached_property
    def fingerprint(self) -> str:
        """Return what names these rules in every verdict: a hash of the policy as data, not of its comments.

        What a rule does not name counts as well, since it is then another's word that holds.
        """
        named = self.model_dump(mode="json", include={"categories", "own_categories", "profiles"}, exclude_unset=True)
        canonical = json.dumps([self.model_dump(mode="json"), named], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


class ChannelPolicy:
    """A policy as it holds in one channel: its profile is put over its rules."""

    def __init__(self, *, policy: Policy, channel: Channel, rule: ChannelRule | None = None) -> None:
        self.policy = policy
        self.channel = channel
        self.profile = rule.profile if rule else None
        self.mode = rule.mode if rule else None
        self.tagging = rule.tagging if rule else Tagging()
        self._profile = policy.profiles[self.profile] if self.profile else Profile()
        self._rules: dict[CategoryName, Rule] = {}

    @property
    def fingerprint(self) -> str:
        return self.policy.fingerprint

    @property
    def unknown(self) -> Action:
        return self._profile.unknown or self.policy.unknown

    @property
    def unreadable(self) -> Action:
        return self._profile.unreadable or self.policy.unreadable

    def rule_for(self, category: CategoryName) -> Rule:
        """Return what a category leads to here."""
        if category not in self._rules:
            rule = self.policy.rule_for(category)
            changes: Mapping[str, Rule] = {each.value: changed for each, changed in self._profile.categories.items()}
            self._rules[category] = rule.changed_by(changes[category]) if category in changes else rule
        return self._rules[category]

    def action_for(self, finding: Finding) -> Action:
        """Return the strongest action that `finding` calls for."""
        return self.rule_for(finding.category).action_for(finding)

    def mode_for(self, category: CategoryName | None, otherwise: Mode) -> Mode:
        """Return whether what a category calls for is carried out: the channel's word, the category's, then `otherwise`.

        No channel's word puts `child_safety` into shadow.
        """
        channel = None if category == Category.CHILD_SAFETY and self.mode == "shadow" else self.mode
        return channel or (self.rule_for(category).mode if category else None) or otherwise

    def exempts(self, author: Author) -> bool:
        """Whether only the categories of `exempt.still_scan` count in what `author` writes."""
        exempt = self.policy.exempt
        if author.bot:
            return any(each in ("*", author.id, author.name) for each in exempt.bots)
        return not author.roles.isdisjoint(exempt.roles)


def everywhere(policy: Policy) -> ChannelPolicy:
    """Return what holds where no channel is known, as on the command line."""
    return policy.at(Channel(platform="", id=""))


def _refuse_leniency(rule: Rule, *at: str) -> None:
    weaker = [action for action, _ in rule.by_action() if action.strength < Action.REMOVE.strength]
    if weaker:
        needed = "name it under categories with remove: [{severity: 2, confidence: 0.5}]"
        raise wrong(f"may not lead to less than remove (found: {', '.join(weaker)}); {needed}", *at)
    if rule.allow:
        raise wrong("nothing of it may be allowed", *at, "allow")
    if rule.mode == "shadow":
        raise wrong("may not be in shadow on its own; the mode of the whole policy may", *at, "mode")
    if not any(gate.severity <= 2 and gate.confidence <= 0.5 and not gate.kinds for gate in (*rule.remove, *rule.timeout)):
        raise wrong("needs a gate for remove at severity 2, confidence 0.5 or stricter, for all kinds", *at)


def _refuse_other_kinds(rules: Gates, known: tuple[str, ...] | None, whose: str, at: tuple[str, ...]) -> None:
    """Refuse a kind that nothing is ever reported as: its gate would never open."""
    if known is None:
        return
    at = at or (whose,)
    named: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [
        ((action.value, position, "kinds"), gate.kinds)
        for action, gates in rules.by_action()
        for position, gate in enumerate(gates)
    ]
    if isinstance(rules, Rule):
        named.append((("allow",), rules.allow))
    for where, kinds in named:
        for kind in kinds:
            if kind not in known:
                raise wrong(f"there is no kind {kind}: those of {whose} are {', '.join(known)}", *at, *where)
