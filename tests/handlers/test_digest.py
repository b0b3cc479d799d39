"""What shadow mode has shown: counted by hand, posted when it is due, and how a category leaves shadow mode."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from handlers.answers import Digest, DigestLine, Listing
from handlers.digest import on_digest_due, on_enforce
from handlers.effects import Card, Notify, Plan
from handlers.events import FLASHBULB, DigestDue, Person
from handlers.ports.cases import Link, LinkKind
from handlers.ports.channels import Setup
from handlers.settings import on_flashbulb
from pipelines.errors import UserError
from pipelines.moderation.changing import enforce
from pipelines.moderation.learning import Outcome, Reviewed
from pipelines.moderation.policies import preset_text
from pipelines.moderation.policy import Action
from tests.fakes import ADA, GRACE, MO, OLGA, kinds
from tests.handlers.deciding import LOUNGE, Workspace, asked, now, pressed
from tests.moderation.test_decide import found
from tests.moderation.test_learning import FIGURES, case


def shadow(
    outcome: Outcome,
    number: int = 1,
    *,
    category: str = "hate",
    action: Action = Action.HOLD,
    days_ago: float = 1,
    gone: bool = False,
) -> list[Reviewed]:
    """Return cases of messages about which only shadow mode would have done something."""
    return [
        at(replace(case(outcome, found(category, 3, 0.9)), shadow=True, gone=gone), days_ago, action) for _ in range(number)
    ]


def at(case: Reviewed, days_ago: float, action: Action = Action.HOLD) -> Reviewed:
    return replace(case, decided=replace(case.decided, at=now() - timedelta(days=days_ago), action=action))


def in_shadow(*cases: Sequence[Reviewed]) -> Workspace:
    workspace = Workspace()
    workspace.known.setups.setup = Setup(mode="shadow")
    workspace.decided([each for several in cases for each in several])
    return workspace


async def link(workspace: Workspace, kind: LinkKind, **facts: str) -> None:
    of = facts.pop("case", "")
    key = f"link-{len(workspace.known.audit.links)}"
    await workspace.known.audit.record(LOUNGE.tenant, Link(key=key, kind=kind, case=of, facts=facts))


async def digest_of(workspace: Workspace, argument: str = "digest", author: Person = MO) -> Digest:
    plan = await on_flashbulb(asked(argument, author=author), workspace.services)
    [effect] = plan.effects
    assert isinstance(effect, Notify)
    assert (effect.person, effect.reply) == (author.id, "secret")
    assert isinstance(effect.answer, Digest)
    return effect.answer


def said(plan: Plan) -> Listing:
    [answer] = [each.answer for each in plan.effects if isinstance(each, Notify)]
    assert isinstance(answer, Listing)
    return answer


async def test_a_week_in_shadow_is_counted_by_hand() -> None:
    right = shadow("upheld", 4)
    workspace = in_shadow(
        right,
        shadow("overturned", 1, action=Action.FLAG),
        shadow("open", 2, action=Action.REMOVE),
        shadow("open", 1, action=Action.TIMEOUT, gone=True),
        shadow("other_category", 1),
        shadow("upheld", 1, category="gore"),
        shadow("upheld", 9, days_ago=8),
        [at(case("upheld", found("hate", 3, 0.9)), 1)],  # this was acted upon
        [at(replace(case("upheld"), reported=True), 1), at(replace(case("overturned"), reported=True), 1)],
        [at(replace(case("upheld", found("hate", 3, 0.9)), reported=True, shadow=True), 1)],  # a member found it
        [at(replace(case("open", incomplete=("judge_down",)), shadow=True), 1)],
        [at(replace(case("open", found("hate", 1, 0.9), incomplete=("partial",)), shadow=True), 1)],
    )
    for each in right[:3]:
        await link(workspace, "decided", case=each.case, decision="removed")
    await link(workspace, "decided", case=right[3].case, decision="kept")  # it stands where it cannot be taken out
    await link(workspace, "removed_by_hand", channel="100", message="m1")
    await link(workspace, "removed_by_hand", channel="100", message="m2")

    digest = await digest_of(workspace)

    hate, gore = digest.lines
    assert (hate.flagged, hate.held, hate.removed) == (1, 5, 3)
    assert (hate.right, hate.wrong, hate.by_hand) == (4, 1, 4)
    assert hate.precision == 0.8
    assert (hate.low, hate.high) == pytest.approx((0.3755, 0.9638), abs=5e-5)  # Wilson's of 4 of 5
    assert gore == DigestLine(category="gore", held=1, right=1, precision=1, low=gore.low, high=1)
    assert digest.missed == 3
    assert digest.until - digest.since == timedelta(days=7)
    assert digest.buttons == ()
    assert digest.notes == (
        "hate: 14 of 50 looked at",
        "gore: 1 of 50 looked at",
        "Besides, 2 could not be judged in full, and would have been treated as the policy says of that.",
        "What is gone by hand may also have been deleted by its author.",
    )


@pytest.mark.parametrize(("argument", "counted"), [("digest", 1), ("digest 1", 0), ("digest 10", 2), ("digest 90", 3)])
async def test_the_days_are_those_that_are_asked_for(argument: str, counted: int) -> None:
    workspace = in_shadow(shadow("open", days_ago=6.9), shadow("open", days_ago=9), shadow("open", days_ago=89))

    digest = await digest_of(workspace, argument)

    assert sum(each.held for each in digest.lines) == counted
    assert ("Nothing that was found ran in shadow in this time." in digest.notes) is (counted == 0)


@pytest.mark.parametrize(
    "argument", ["digest 0", "digest 91", "digest -1", "digest ²", "digest week", "digest 1 2", "digest " + "9" * 500]
)
async def test_other_days_are_refused(argument: str) -> None:
    with pytest.raises(UserError, match="from 1 to 90"):
        await on_flashbulb(asked(argument, author=MO), in_shadow().services)


async def test_members_do_not_see_it() -> None:
    with pytest.raises(UserError, match="Only moderators"):
        await on_flashbulb(asked("digest", author=ADA), in_shadow(shadow("open")).services)


@pytest.mark.parametrize(
    ("right", "wrong", "note"),
    [
        pytest.param(50, 0, "", id="enough-and-right"),
        pytest.param(46, 4, "", id="81-percent-at-least"),
        pytest.param(49, 0, "hate: 49 of 50 looked at", id="too-few"),
        pytest.param(45, 5, "hate: 45 of 50 were right, which may mean 79 %; 80 % are needed", id="79-percent-at-least"),
    ],
)
async def test_a_category_can_be_enforced_once_it_is_proven(right: int, wrong: int, note: str) -> None:
    workspace = in_shadow(shadow("upheld", right, days_ago=60), shadow("overturned", wrong, days_ago=60), shadow("open"))

    digest = await digest_of(workspace)

    assert digest.buttons == (() if note else (("enforce", "Enforce hate", "hate"),))
    assert digest.notes == ((note,) if note else ())


async def test_what_the_policy_would_no_longer_act_upon_proves_nothing() -> None:
    weak = [at(replace(case("upheld", found("hate", 2, 0.55)), shadow=True), 1) for _ in range(60)]
    workspace = in_shadow(weak)
    assert (await digest_of(workspace)).buttons != ()

    workspace.policies.operators = preset_text("default").replace(
        "  tampering:\n", "  hate: {hold: [{severity: 2, confidence: 0.7}]}\n  tampering:\n"
    )

    digest = await digest_of(workspace)
    assert digest.notes == ("hate: 0 of 50 looked at",)
    assert digest.buttons == ()


async def test_what_is_enforced_already_has_no_button() -> None:
    workspace = in_shadow(shadow("upheld", 60))
    workspace.policies.operators = enforce(preset_text("default"), "hate")

    digest = await digest_of(workspace)

    assert (digest.buttons, digest.notes) == ((), ())


async def test_it_tells_of_suggestions() -> None:
    workspace = in_shadow(shadow("open"), FIGURES)

    assert "There are 2 suggestions: /flashbulb policy suggestions" in (await digest_of(workspace)).notes


def due(since: datetime) -> DigestDue:
    return DigestDue(key="digest:discord:w1:2026-48", place=LOUNGE, author=FLASHBULB, since=since)


async def test_when_it_is_due_it_is_posted_where_anything_ran_in_shadow() -> None:
    workspace = in_shadow(shadow("open", 3, days_ago=3), shadow("open", days_ago=20))
    since = now() - timedelta(days=7)

    [card] = (await on_digest_due(due(since), workspace.services)).effects

    assert isinstance(card, Card)
    assert card.key == "digest:discord:w1:2026-48#digest"
    assert isinstance(card.answer, Digest)
    assert (card.answer.since, card.answer.lines[0].held) == (since, 3)


async def test_the_weeks_that_are_posted_do_not_overlap() -> None:
    begun = shadow("upheld", days_ago=6.9), shadow("upheld", days_ago=0.05)
    workspace = in_shadow(*begun, shadow("upheld", 5, days_ago=7.2))
    await link(workspace, "removed_by_hand", channel="100", message="m1")  # just now

    counted = {}
    for name, since in (("before", now() - timedelta(days=14.1)), ("last", now() - timedelta(days=7.1))):
        [card] = (await on_digest_due(due(since), workspace.services)).effects
        assert isinstance(card, Card)
        assert isinstance(card.answer, Digest)
        assert card.answer.until == since + timedelta(days=7)
        counted[name] = (card.answer.lines[0].held, card.answer.missed)

    assert counted == {"before": (5, 0), "last": (1, 0)}


async def test_what_moderators_have_deleted_is_gone_by_their_hand() -> None:
    cases = shadow("open", 2, gone=True)
    workspace = in_shadow(cases)
    for each in cases:
        await link(workspace, "gone", case=each.case, by="moderator")

    digest = await digest_of(workspace)

    assert digest.lines[0].by_hand == 2
    assert not any("gone by hand" in each for each in digest.notes)


async def test_nothing_is_posted_where_nothing_ran_in_shadow_or_nobody_wants_it() -> None:
    since = now() - timedelta(days=7)
    quiet = in_shadow(shadow("open", days_ago=20), [at(case("upheld", found("hate", 3, 0.9)), 1)])
    unwanted = in_shadow(shadow("open"))
    unwanted.policies.operators = preset_text("default").replace("digest: weekly", "digest: never")

    assert await on_digest_due(due(since), quiet.services) == Plan()
    assert await on_digest_due(due(since), unwanted.services) == Plan()
    assert (await digest_of(unwanted)).lines != ()  # who asks gets it


async def test_a_press_enforces_the_category_and_says_what_that_changes() -> None:
    workspace = in_shadow(shadow("upheld", 50), shadow("overturned", 2))

    plan = await on_enforce(pressed("enforce", "hate"), workspace.services)

    assert kinds(plan.effects) == ["notify", "card"]
    assert workspace.texts == [enforce(preset_text("default"), "hate")]
    assert said(plan).title == "Version 1 of the policy holds now"
    assert said(plan).body.startswith(
        "What is found of hate is acted upon now. Of 52 cases of it that moderators decided in shadow within 90 days 50 were"
        " right (87 to 99 % with 95 % certainty)."
    )
    assert "categories.hate.mode: not named -> enforce" in said(plan).body
    assert "To go back: /flashbulb policy rollback 0" in said(plan).body


@pytest.mark.parametrize("named", ["hate", "HATE", "scam_spam", "scam or spam", "cheats", "own:cheats"])
async def test_an_admin_may_enforce_what_is_not_proven(named: str) -> None:
    workspace = in_shadow()
    workspace.policies.operators = preset_text("gaming")
    category = {"HATE": "hate", "scam or spam": "scam_spam", "cheats": "own:cheats"}.get(named, named)

    plan = await on_flashbulb(asked(f"policy Enforce {named}"), workspace.services)

    assert workspace.texts == [enforce(preset_text("gaming"), category)]
    assert "No moderator has decided a case of it that was found in shadow within 90 days." in said(plan).body


async def test_what_is_enforced_already_stays_as_it_is() -> None:
    workspace = in_shadow(shadow("upheld", 60))
    press = pressed("enforce", "hate")
    first = await on_enforce(press, workspace.services)

    assert await on_enforce(press, workspace.services) == first  # the same press, after a crash
    with pytest.raises(UserError, match="Nothing changed"):
        await on_enforce(pressed("enforce", "hate", author=OLGA, key="test:b2"), workspace.services)
    await on_enforce(pressed("enforce", "gore", key="test:b3"), workspace.services)
    with pytest.raises(UserError, match="What is found of hate is acted upon already"):
        await on_enforce(pressed("enforce", "hate", key="test:b4"), workspace.services)
    assert len(workspace.texts) == 2


async def test_nobodys_version_is_overwritten_that_comes_between_looking_and_saving() -> None:
    workspace = in_shadow()
    workspace.cases.meanwhile = lambda: workspace.policies.save(LOUNGE.tenant, preset_text("gaming"), by=OLGA, event="test:c9")

    with pytest.raises(UserError, match="changed the policy meanwhile"):
        await on_enforce(pressed("enforce", "hate"), workspace.services)
    assert workspace.texts == [preset_text("gaming")]


async def test_where_the_whole_workspace_enforces_nothing_is_to_be_enforced() -> None:
    workspace = in_shadow()
    workspace.known.setups.setup = Setup(mode="enforce")

    with pytest.raises(UserError, match="acted upon already"):
        await on_flashbulb(asked("policy enforce hate"), workspace.services)
    assert workspace.texts == []


@pytest.mark.parametrize("named", ["", "manners", "own:", "hate gore", "<b>"])
async def test_a_category_that_does_not_exist_is_refused(named: str) -> None:
    workspace = in_shadow()

    with pytest.raises(UserError, match="Name one category: child_safety, sexual"):
        await on_flashbulb(asked(f"policy enforce {named}"), workspace.services)
    with pytest.raises(UserError, match="Name one category"):
        await on_enforce(pressed("enforce", named), workspace.services)
    assert workspace.texts == []


@pytest.mark.parametrize("author", [ADA, MO], ids=["member", "moderator"])
async def test_only_who_sets_up_enforces(author: Person) -> None:
    workspace = in_shadow(shadow("upheld", 60))

    with pytest.raises(UserError, match="Only who administers"):
        await on_enforce(pressed("enforce", "hate", author=author), workspace.services)
    with pytest.raises(UserError, match="Only who administers"):
        await on_flashbulb(asked("policy enforce hate", author=author), workspace.services)
    assert workspace.texts == []


async def test_a_text_that_cannot_be_read_any_more_is_mended_first() -> None:
    workspace = in_shadow(shadow("upheld", 60))
    await on_flashbulb(asked("policy use gaming", author=GRACE), workspace.services)
    workspace.policies.saved[0] = replace(workspace.policies.saved[0], text="dance: 1\n", trouble="line 1: no such key.")

    with pytest.raises(UserError, match="Mend it first: line 1"):
        await on_enforce(pressed("enforce", "hate"), workspace.services)
    assert len(workspace.texts) == 1
