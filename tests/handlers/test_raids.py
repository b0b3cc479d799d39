"""Raids: what counts as one, what happens to its messages, and one card for all of them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.raids import watching_raids
from handlers.answers import Alert, CaseCard
from handlers.bursts import FLOOD
from handlers.dispatch import Planner
from handlers.effects import Card, Edit, Notify, Performed, Plan, Remove, Restore
from handlers.events import AnyEvent, ButtonPressed, MessagePosted, Person
from handlers.ports import Setup
from pipelines.content import Attachment, Intake
from pipelines.moderation.decide import decide
from pipelines.moderation.policy import Action, Channel, Gate, Raid, Rule
from pipelines.moderation.report import Category, Coverage, Report
from tests.fakes import ADA, GENERAL, MO, a_message, a_picture, kinds
from tests.handlers.keeping import Keeping

RULES = Raid(copies=4, channels=3, within_s=60, deny_minutes=10)
LONG = "Free coins for everybody who writes to me in the next hour, be quick"


def keeping(**changes: Any) -> Keeping:
    known = Keeping()
    known.policies.policy = known.policies.policy.model_copy(update={"raid": RULES, **changes})
    known.setups.setup = Setup(log_channel="log")
    return known


def posted(
    number: int, text: str = "", *files: Attachment, by: Person | None = None, channel: str = "general"
) -> MessagePosted:
    author = by or Person(id=f"p{number}", name=f"P{number}")
    place = GENERAL.model_copy(update={"channel": channel})
    changes = {"author": author, "message": f"m{number}", "place": place}
    return a_message(text, *files, key=f"test:{number}").model_copy(update=changes)


async def post(known: Keeping, *events: MessagePosted) -> list[Plan]:
    """Post one after the other; every card is seen at once."""
    plans = []
    for event in events:
        plan = await Planner(known.services).plan(event)
        known.cases.cards |= {each.key: f"of {each.key}" for each in plan.effects if isinstance(each, Card)}
        plans.append(plan)
    return plans


def removed(plans: list[Plan]) -> list[str]:
    return [each.message for plan in plans for each in plan.effects if isinstance(each, Remove)]


def alerts(plans: list[Plan]) -> list[Alert]:
    shown = [each for plan in plans for each in plan.effects if isinstance(each, Card | Edit)]
    return [each.answer for each in shown if isinstance(each.answer, Alert)]


def pressed(button: str, raid: str, *, by: Person = MO, key: str = "press:1") -> ButtonPressed:
    return ButtonPressed(key=key, place=GENERAL, author=by, button=button, value=raid, message="the-summary")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param((LONG,), id="a-long-text"),
        pytest.param(("https://x.example",), id="a-link"),
        pytest.param(("", a_picture()), id="a-picture"),
        pytest.param(("look", a_picture()), id="a-picture-with-words"),
    ],
)
async def test_the_copy_that_is_one_too_many_takes_all_of_them_out(content: Any) -> None:
    known = keeping()

    plans = await post(known, *(posted(each, *content) for each in range(6)))

    assert [kinds(plan.effects) for plan in plans[:3]] == [[], [], []]
    assert sorted(removed(plans[3:4])) == ["m0", "m1", "m2", "m3"]
    assert removed(plans[4:]) == ["m4", "m5"]
    assert {each.action for each in known.cases.cases.values()} == {Action.HOLD}
    assert len({each.raid for each in known.cases.cases.values()}) == 1


async def test_copies_that_look_a_little_different_are_the_same() -> None:
    known = keeping()
    texts = (LONG, LONG.upper(), f"  {LONG}\n", LONG.replace("c", "c\u200b"))

    plans = await post(known, *(posted(each, text) for each, text in enumerate(texts)))

    assert len(removed(plans)) == 4


@pytest.mark.parametrize("text", ["gg", "😂😂😂", "good morning", "happy birthday!!"])
async def test_what_many_people_say_anyway_never_counts(text: str) -> None:
    known = keeping()

    plans = await post(known, *(posted(each, text) for each in range(20)))

    assert removed(plans) == []


async def test_one_member_in_many_channels_is_one_too() -> None:
    known = keeping()

    plans = await post(known, *(posted(each, LONG, by=ADA, channel=f"c{each}") for each in range(3)))

    assert sorted(removed(plans)) == ["m0", "m1", "m2"]
    assert alerts(plans)[0].channels == ("c2", "c0", "c1")


async def test_one_member_who_repeats_it_in_one_channel_is_none() -> None:
    known = keeping()

    plans = await post(known, *(posted(each, LONG, by=ADA) for each in range(10)))

    assert removed(plans) == []


async def test_copies_that_come_slowly_are_none() -> None:
    known = keeping()
    plans = []

    for each in range(8):
        known.now += RULES.within_s / 2
        plans += await post(known, posted(each, LONG))

    assert removed(plans) == []


@pytest.mark.parametrize("who", ["bots", "exempt"])
async def test_whoever_does_not_count_is_no_raid(who: str) -> None:
    known = keeping()
    changes: dict[str, Any] = {"bot": True} if who == "bots" else {"roles": ("staff",)}
    if who == "exempt":
        exempt = known.policies.policy.exempt.model_copy(update={"roles": ("staff",)})
        known.policies.policy = known.policies.policy.model_copy(update={"exempt": exempt})
    people = [Person(id=f"p{each}", name="P", **changes) for each in range(8)]

    plans = await post(known, *(posted(at, LONG, by=each) for at, each in enumerate(people)))

    assert removed(plans) == []


async def test_a_policy_may_know_no_raids() -> None:
    known = keeping(raid=None)

    plans = await post(known, *(posted(each, LONG) for each in range(8)))

    assert removed(plans) == []


async def test_a_policy_decides_what_a_flood_leads_to() -> None:
    known = keeping()
    lenient = Rule(remove=(Gate(severity=3, confidence=0.85),))
    categories = {**known.policies.policy.categories, Category.SCAM_SPAM: lenient}
    known.policies.policy = known.policies.policy.model_copy(update={"categories": categories})

    plans = await post(known, *(posted(each, LONG) for each in range(8)))

    assert [plan.effects for plan in plans] == [()] * 8


async def test_files_of_a_raid_are_denied_for_a_while() -> None:
    known = keeping()

    await post(known, *(posted(each, "look", a_picture(), a_picture(f"other-{each}.jpg")) for each in range(6)))

    [(readings, finding)] = known.banks.denied
    assert [each.hashes.sha256 for each in readings if each.hashes] == ["cat.jpg"]
    assert finding == FLOOD


async def test_there_is_one_card_which_grows_at_powers_of_two() -> None:
    known = keeping()

    plans = await post(known, *(posted(each, LONG) for each in range(20)))

    shown = [each for plan in plans for each in plan.effects if isinstance(each, Card | Edit)]
    assert [each.kind for each in shown] == ["card", "edit", "edit"]
    texts = [alert.text.split(" in ")[0] for alert in alerts(plans)]
    assert texts == [f"{each} messages by {each} members" for each in (4, 8, 16)]
    assert {each.message for each in shown if isinstance(each, Edit)} == {shown[0].key.join(("of ", ""))}


async def test_what_the_judge_removes_anyway_joins_the_card() -> None:
    known = keeping()
    await post(known, *(posted(each, LONG) for each in range(4)))
    known.model.judges(scam_spam=(3, 0.95))

    [plan] = await post(known, posted(4, LONG))

    assert kinds(plan.effects) == ["remove", "notify"]
    assert known.cases.cases["case-test:4"].action is Action.REMOVE
    assert known.cases.cases["case-test:4"].raid


async def test_what_was_removed_before_stays_removed() -> None:
    known = keeping()
    known.model.judges(scam_spam=(3, 0.95))

    plans = await post(known, *(posted(each, LONG) for each in range(4)))

    assert removed(plans) == ["m0", "m3", "m1", "m2"]
    assert known.cases.cases["case-test:0"].action is Action.REMOVE


async def test_what_only_was_flagged_is_held_and_its_card_says_so() -> None:
    known = keeping()
    known.model.judges(scam_spam=(2, 0.6))

    *_, plan = await post(known, *(posted(each, LONG) for each in range(4)))

    [edit] = [each for each in plan.effects if isinstance(each, Edit)]
    assert isinstance(edit.answer, CaseCard)
    assert (edit.message, edit.answer.action) == ("of test:0#card", Action.HOLD)
    assert known.cases.cases["case-test:0"].raid


async def test_deciding_again_after_a_crash_does_the_same() -> None:
    known = keeping()
    plans = await post(known, *(posted(each, LONG) for each in range(4)))
    known.cases.cards.clear()

    again = await Planner(known.services).plan(posted(3, LONG))

    assert again == plans[3]


async def test_whoever_is_judged_again_after_a_crash_is_not_put_right_twice() -> None:
    known = keeping()
    bursts, policy = known.bursts, known.policies.policy.at(Channel(platform="test", id="general"))
    fine = decide(Report(coverage=Coverage(judged=1, total=1)), policy)
    bursts.noticed(posted(0, LONG), Intake(), RULES)
    assert bursts.judged(posted(0, LONG), fine) is None
    for each in range(1, 4):
        bursts.noticed(posted(each, LONG), Intake(), RULES)

    raid = bursts.judged(posted(0, LONG), fine)

    assert raid is not None
    assert bursts.left_standing(raid, posted(0, LONG)) == ()


async def raided(known: Keeping, number: int = 6) -> str:
    plans = await post(known, *(posted(each, LONG) for each in range(number)))
    alert = alerts(plans)[0]
    assert [name for name, _ in alert.buttons] == ["raid_restore", "raid_keep"]
    return alert.value


async def test_one_press_brings_everything_back_and_lets_the_content_pass() -> None:
    known = keeping()
    raid = await raided(known)

    plan = await Planner(known.services).plan(pressed("raid_restore", raid))
    [later] = await post(known, posted(6, LONG))

    edit, *rest = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Alert)
    assert (edit.answer.buttons, edit.message) == ((), "the-summary")
    assert sorted(each.message for each in rest if isinstance(each, Restore)) == [f"m{each}" for each in range(6)]
    assert sorted(each.person for each in rest if isinstance(each, Notify)) == [f"p{each}" for each in range(6)]
    assert {each.state for each in known.cases.cases.values()} == {"restored"}
    assert known.banks.lifted == [f"raid {raid}"]
    assert later.effects == ()


async def test_keeping_them_removed_changes_nothing_for_them() -> None:
    known = keeping()
    raid = await raided(known)

    plan = await Planner(known.services).plan(pressed("raid_keep", raid))

    assert kinds(plan.effects) == ["edit"]
    assert {each.state for each in known.cases.cases.values()} == {"kept"}
    assert known.banks.lifted == []


async def test_the_first_press_wins() -> None:
    known = keeping()
    raid = await raided(known)
    await Planner(known.services).plan(pressed("raid_keep", raid))

    plan = await Planner(known.services).plan(pressed("raid_restore", raid, key="press:2"))

    assert kinds(plan.effects) == ["edit", "notify"]
    assert {each.state for each in known.cases.cases.values()} == {"kept"}
    assert known.banks.lifted == []


async def test_pressing_again_after_a_crash_brings_the_same_back() -> None:
    known = keeping()
    raid = await raided(known)

    first = await Planner(known.services).plan(pressed("raid_restore", raid))

    assert await Planner(known.services).plan(pressed("raid_restore", raid)) == first


async def test_members_decide_nothing() -> None:
    known = keeping()
    raid = await raided(known)

    plan = await Planner(known.services).plan(pressed("raid_restore", raid, by=ADA))

    assert kinds(plan.effects) == ["notify"]
    assert {each.state for each in known.cases.cases.values()} == {"open"}


async def test_beyond_the_quota_copies_stay_and_the_card_says_so() -> None:
    known = keeping()
    quota = known.policies.policy.automation_quota.model_copy(update={"remove_per_hour": 5})
    known.policies.policy = known.policies.policy.model_copy(update={"automation_quota": quota})

    plans = await post(known, *(posted(each, LONG) for each in range(8)))

    assert len(removed(plans)) == 5
    assert "3 stay where they are" in alerts(plans)[-1].text


async def test_in_shadow_nothing_is_done_and_the_card_says_so() -> None:
    known = keeping()
    known.channels.real = True

    plans = await post(known, *(posted(each, LONG) for each in range(4)))

    assert removed(plans) == []
    [alert] = alerts(plans)
    assert (alert.buttons, "In shadow mode" in alert.text) == ((), True)


async def test_that_one_cannot_be_taken_out_is_told_once_for_each_raid() -> None:
    known = keeping()
    plans = await post(known, *(posted(each, LONG) for each in range(6)))
    planner, failed = Planner(known.services), Performed(status="failed", why="The bot may not delete here.")

    told = [await planner.failed(posted(each), plans[each].effects[0], failed, plans[each].effects[1:]) for each in (4, 5)]

    cards = [each for plan in told if plan for each in plan.effects if isinstance(each, Card)]
    assert len({each.key for each in cards}) == 1
    assert isinstance(cards[0].answer, Alert)
    assert "The bot may not delete here." in cards[0].answer.text


async def test_workspaces_count_for_themselves() -> None:
    known = keeping()
    events = [posted(each, LONG) for each in range(6)]
    elsewhere = [
        each.model_copy(update={"place": each.place.model_copy(update={"workspace": f"w{at % 2}"})})
        for at, each in enumerate(events)
    ]

    assert removed(await post(known, *elsewhere)) == []


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.bursts.CONTENTS", 10)
    known = keeping()

    await post(known, *(posted(each, f"{LONG} {each}") for each in range(30)))

    [contents] = known.bursts._of.values()
    assert (len(contents.bursts), len(contents.of_event)) == (10, 10)


def test_services_of_two_tests_share_nothing() -> None:
    assert replace(keeping().services).bursts is not keeping().services.bursts


async def test_when_no_more_come_the_card_says_how_many_there_were() -> None:
    known = keeping()
    raid = await raided(known, 11)
    accepted: list[AnyEvent] = []
    heard = asyncio.Event()

    async def accept(event: AnyEvent) -> None:
        accepted.append(event)
        heard.set()

    early = known.bursts.gone_quiet()
    known.now += RULES.within_s
    async with asyncio.timeout(5), watching_raids(known.bursts, accept, look_s=0.01):
        await heard.wait()
    [plan] = [await Planner(known.services).plan(event) for event in accepted]

    assert (early, known.bursts.gone_quiet()) == ((), ())
    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Alert)
    assert edit.answer.text.startswith("11 messages by 11 members")
    assert edit.answer.value == raid
