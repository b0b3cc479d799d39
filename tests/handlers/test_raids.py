"""Raids: what counts as one, what happens to its messages, and one card for all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.raids import watching_raids
from handlers.answers import Alert, CaseCard, Notice
from handlers.bursts import FLOOD, PAUSE_S, Burst, Bursts, fold
from handlers.dispatch import Planner
from handlers.effects import AnyEffect, Card, Edit, Notify, Performed, Plan, Remove, Restore
from handlers.events import FLASHBULB, AnyEvent, ButtonPressed, MessagePosted, Person, RaidGrew, RaidJoined, Tenant
from handlers.ports.cases import Case
from handlers.ports.channels import Setup
from pipelines.content import Attachment, Intake
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action, Gate, Raid, Rule, Texts
from pipelines.moderation.report import Category, Coverage
from pipelines.moderation.verdict import Verdict
from tests.fakes import ADA, GENERAL, MO, ListedBanks, a_message, a_picture, kinds
from tests.handlers.keeping import Keeping, KeptCases

RULES = Raid(copies=4, channels=3, within_s=60, deny_minutes=10)
NOT_ASKED = Verdict(
    decision="allow", action=Action.ALLOW, coverage=Coverage(judged=0, total=0), policy="p", prompt="", engine="none"
)
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
    """Post one after the other; return what is done about each, and about those of which it led to something."""
    plans = []
    for event in events:
        plan = await Planner(known.services).plan(event)
        see(known, plan)
        plans.append(Plan(effects=(*plan.effects, *(await follow_up(known)).effects)))
    return plans


async def follow_up(known: Keeping) -> Plan:
    """Return what is done about what was accepted meanwhile."""
    effects: list[AnyEffect] = []
    while known.accepted:
        plan = await Planner(known.services).plan(known.accepted[0])
        see(known, plan)
        effects.extend(plan.effects)
        del known.accepted[0]
    return Plan(effects=tuple(effects))


def see(known: Keeping, plan: Plan) -> None:
    """Every card is seen at once."""
    known.cases.cards |= {each.key: f"of {each.key}" for each in plan.effects if isinstance(each, Card)}


async def shown_again(known: Keeping) -> list[Alert]:
    """Return what the cards of raids that have grown say."""
    grown = [
        RaidGrew(key=f"{raid}:{number}", place=GENERAL, author=FLASHBULB, raid=raid) for _, raid, number in known.bursts.grown()
    ]
    return alerts([await Planner(known.services).plan(each) for each in grown])


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
    known.now += PAUSE_S
    assert (await shown_again(known))[0].channels == ("c2", "c0", "c1")


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


async def test_there_is_one_card_which_grows() -> None:
    known = keeping()

    plans = await post(known, *(posted(each, LONG) for each in range(5)))
    at_once = await shown_again(known)
    known.now += PAUSE_S
    at_rest = await shown_again(known)

    assert [each.kind for plan in plans for each in plan.effects if isinstance(each, Card | Edit)] == ["card"]
    assert at_once == []
    [alert] = at_rest
    assert "5 messages by 5 members" in alert.text
    assert await shown_again(known) == []


async def test_the_card_of_a_raid_without_a_pause_grows_too() -> None:
    known = keeping()
    shown = 0

    for each in range(60):
        await post(known, posted(each, LONG))
        shown += len(await shown_again(known))
        known.now += 1

    assert shown == 3


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

    assert removed(plans) == ["m0", "m3", "m1", "m2"]  # the first by the judge, before it was a raid
    assert known.cases.cases["case-test:0"].action is Action.REMOVE


async def test_what_only_was_flagged_is_held_and_its_card_says_so() -> None:
    known = keeping()
    known.model.judges(scam_spam=(2, 0.6))

    *_, plan = await post(known, *(posted(each, LONG) for each in range(4)))

    [edit] = [each for each in plan.effects if isinstance(each, Edit)]
    assert isinstance(edit.answer, CaseCard)
    assert (edit.message, edit.answer.action) == ("of test:0#card", Action.HOLD)
    assert known.cases.cases["case-test:0"].raid


async def test_deciding_again_in_the_same_process_does_the_same() -> None:
    known = keeping()
    await post(known, *(posted(each, LONG) for each in range(3)))
    planner = Planner(known.services)

    first, accepted = await planner.plan(posted(3, LONG)), [*known.accepted]

    assert (await planner.plan(posted(3, LONG)), known.accepted) == (first, accepted)
    assert [each.posted.message for each in accepted if isinstance(each, RaidJoined)] == ["m3", "m0", "m1", "m2"]


async def test_a_crash_of_whoever_began_a_raid_loses_nothing_that_a_case_says_was_held() -> None:
    known = keeping()
    await post(known, *(posted(each, LONG) for each in range(3)))
    await Planner(known.services).plan(posted(3, LONG))
    await Planner(known.services).plan(known.accepted[0])
    known.start_anew()

    plans = [await Planner(known.services).plan(posted(3, LONG)), await follow_up(known)]

    assert sorted(removed(plans)) == sorted(each.message for each in known.cases.cases.values())
    assert len(removed(plans)) == 4
    assert len(alerts(plans)) == 1


async def test_what_could_not_join_a_raid_does_so_when_it_is_tried_again() -> None:
    known = keeping()
    await post(known, *(posted(each, LONG) for each in range(3)))
    known.cases = Failing(for_event="test:1", cases=known.cases.cases)
    await Planner(known.services).plan(posted(3, LONG))
    planner, joined = Planner(known.services), [*known.accepted]
    [late] = [each for each in joined if isinstance(each, RaidJoined) and each.posted.message == "m1"]
    with pytest.raises(Unavailable):
        await planner.plan(late)

    plans = [await planner.plan_after_fault(late), await follow_up(known)]

    assert set(removed(plans)) == {"m0", "m1", "m2", "m3"}


@dataclass
class Failing(KeptCases):
    """The case of `for_event` cannot be opened the first time."""

    for_event: str = ""

    async def open(self, event: MessagePosted, *known: Any, **more: Any) -> Case:
        if event.key == self.for_event:
            self.for_event = ""
            raise Unavailable("The database")
        return await super().open(event, *known, **more)


async def test_a_message_over_which_we_failed_is_one_of_its_raid_too() -> None:
    known = keeping()
    await post(known, *(posted(each, LONG) for each in range(3)))
    known.services.bursts.noticed(posted(3, LONG), Intake(), RULES)

    plans = [await Planner(known.services).plan_after_fault(posted(3, LONG)), await follow_up(known)]

    assert sorted(removed(plans)) == ["m0", "m1", "m2", "m3"]


async def test_texts_that_are_not_judged_count_and_are_caught() -> None:
    known = keeping(texts=Texts(share=0.1))

    plans = await post(known, *(posted(each, LONG) for each in range(30)))

    assert sorted(removed(plans)) == sorted(f"m{each}" for each in range(30))
    assert len(known.model.questions) < 10


@pytest.mark.parametrize("share", [1, 1e-9])
async def test_nobody_in_a_raid_gets_an_answer_to_a_mention(share: float) -> None:
    known = keeping(texts=Texts(share=share))
    events = (posted(each, LONG).model_copy(update={"mentions_us": True}) for each in range(5))

    plans = await post(known, *events)

    assert "post" in kinds(plans[2].effects)
    assert "post" not in kinds((*plans[3].effects, *plans[4].effects))


@pytest.mark.parametrize("known_before", [True, False])
async def test_what_nobody_may_keep_is_never_put_on_the_list_of_what_is_denied(known_before: bool) -> None:
    known = keeping()
    for number in range(8):
        known.model.judges(**({"child_safety": (4, 0.99)} if known_before or number > 3 else {}))

    await post(known, *(posted(each, "", a_picture()) for each in range(5)))

    raids = {each.raid for each in known.cases.cases.values() if each.raid}
    assert len(known.banks.denied) == (not known_before)
    assert known.banks.lifted == ([] if known_before else [f"raid {raid}" for raid in raids])


async def test_what_is_found_out_while_it_is_being_denied_is_lifted_again() -> None:
    known = keeping()
    bank = known.banks = Meanwhile()
    await post(known, *(posted(each, "", a_picture()) for each in range(3)))
    planner = Planner(known.services)

    async def meanwhile() -> None:
        known.model.judges(child_safety=(4, 0.99))
        await planner.plan(posted(4, "", a_picture()))

    bank.meanwhile = meanwhile
    await post(known, posted(3, "", a_picture()))

    assert bank.log[-2:] == ["denied", "lifted"]


@dataclass
class Meanwhile(ListedBanks):
    """Something happens while a file is put on the list."""

    meanwhile: Callable[[], Awaitable[None]] | None = None
    log: list[str] = field(default_factory=list)

    async def deny(self, *known: Any, **more: Any) -> None:
        if self.meanwhile:
            await self.meanwhile()
        self.log.append("denied")

    async def lift(self, tenant: Tenant, *, reason: str) -> None:
        self.log.append("lifted")


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


async def test_what_nobody_may_keep_is_not_put_back_with_the_rest() -> None:
    known = keeping()
    await post(known, *(posted(each, "", a_picture()) for each in range(3)))
    known.model.judges(child_safety=(4, 0.99))
    await post(known, posted(3, "", a_picture()))
    raid = known.cases.cases["case-test:3"].raid

    plan = await Planner(known.services).plan(pressed("raid_restore", raid))

    assert not known.cases.cases["case-test:3"].verdict.keep_copy
    assert [each.message for each in plan.effects if isinstance(each, Restore)] == ["m0", "m1", "m2"]
    [shown] = alerts([plan])
    assert (shown.buttons, "Of 1 no copy may be kept" in shown.text) == ((), True)


async def test_nobody_decides_about_their_own_message_with_the_rest() -> None:
    known = keeping()
    await post(known, posted(0, LONG, by=MO), *(posted(each, LONG) for each in range(1, 4)))
    raid = known.cases.cases["case-test:0"].raid

    plan = await Planner(known.services).plan(pressed("raid_restore", raid, by=MO))

    assert sorted(each.message for each in plan.effects if isinstance(each, Restore)) == ["m1", "m2", "m3"]
    assert known.cases.cases["case-test:0"].state == "open"
    assert alerts([plan])[0].buttons


async def test_what_is_just_being_taken_out_is_put_back_by_the_next_press() -> None:
    known = keeping()
    raid = await raided(known)
    known.cases.under_way = {"test:5"}

    first = await Planner(known.services).plan(pressed("raid_restore", raid))
    known.cases.under_way = set()
    second = await Planner(known.services).plan(pressed("raid_restore", raid, key="press:2"))

    assert "m5" not in [each.message for each in first.effects if isinstance(each, Restore)]
    assert [each.answer for each in first.effects if isinstance(each, Notify)][-1] == Notice(
        text="One message just being taken out: press again in a moment."
    )
    assert alerts([first])[0].buttons
    assert [each.message for each in second.effects if isinstance(each, Restore)] == ["m5"]


async def test_a_copy_that_was_on_its_way_when_they_were_put_back_passes() -> None:
    known = keeping()
    raid = await raided(known)
    await Planner(known.services).plan(posted(6, LONG))

    await Planner(known.services).plan(pressed("raid_restore", raid))
    late = await follow_up(known)

    assert late.effects == ()
    assert "case-test:6" not in known.cases.cases


async def test_that_one_cannot_be_put_back_is_told_and_silences_only_its_own_notice() -> None:
    known = keeping()
    raid = await raided(known)
    planner, press = Planner(known.services), pressed("raid_restore", raid)
    plan = await planner.plan(press)
    at = next(at for at, each in enumerate(plan.effects) if isinstance(each, Restore))

    after = await planner.failed(press, plan.effects[at], Performed(status="failed", why="No copy."), plan.effects[at + 1 :])

    assert after is not None
    assert len([each for each in after.effects if isinstance(each, Restore)]) == 5
    assert len([each for each in after.effects if isinstance(each, Notify)]) == 5
    [told] = alerts([after])
    assert told.title == "Messages of a raid could not be put back"
    assert "No copy." in told.text


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
    known.now += PAUSE_S
    assert "3 stay where they are" in (await shown_again(known))[0].text


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


async def test_that_files_stay_is_told_once_for_each_raid() -> None:
    known = keeping()
    plans = await post(known, *(posted(each, LONG) for each in range(6)))
    planner, left = Planner(known.services), Performed(status="done", why="A file stays.")

    told = [await planner.failed(posted(each), plans[each].effects[0], left, plans[each].effects[1:]) for each in (4, 5)]

    cards = [each for plan in told if plan for each in plan.effects if isinstance(each, Card)]
    assert len({each.key for each in cards}) == 1
    assert isinstance(cards[0].answer, Alert)
    assert cards[0].answer.text == "The messages are out, but not all of their files: A file stays."


async def test_workspaces_count_for_themselves() -> None:
    known = keeping()
    events = [posted(each, LONG) for each in range(6)]
    elsewhere = [
        each.model_copy(update={"place": each.place.model_copy(update={"workspace": f"w{at % 2}"})})
        for at, each in enumerate(events)
    ]

    assert removed(await post(known, *elsewhere)) == []


@pytest.mark.parametrize(("limit", "number"), [("MESSAGES", 10), ("TEXT_CHARS", 10 * len(f"{LONG} 10"))])
async def test_what_is_remembered_is_bounded(limit: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.bursts.CONTENTS", 10)
    monkeypatch.setattr(f"handlers.bursts.{limit}", number)
    known = keeping()

    await post(known, *(posted(each, f"{LONG} {each}") for each in range(30)))

    [contents] = known.bursts._of.values()
    assert (len(contents.bursts), remembered(known)) == (10, 10)


def remembered(known: Keeping) -> int:
    """Return of how many messages the texts are in memory."""
    contents = known.bursts._of.values()
    return len({key for each in contents for burst in each.bursts.values() for key in burst.postings})


async def test_what_is_past_is_forgotten_whether_more_comes_or_not() -> None:
    known, silent = keeping(), keeping()
    for each in (known, silent):
        await post(each, *(posted(number, f"{LONG} {number}") for number in range(30)))
        each.now += 86_400

    await post(known, posted(30, f"{LONG} 30"))
    silent.bursts.grown()

    assert (remembered(known), silent.bursts._of) == (1, {})


def test_of_a_long_text_the_rest_counts_as_it_is() -> None:
    texts = [f"{LONG * 100}{end}" for end in ("a", "b", "a")]

    one, other, same = (fold(each) for each in texts)

    assert one != other
    assert one == same
    assert len(one) < 5_000


def test_services_of_two_tests_share_nothing() -> None:
    assert replace(keeping().services).bursts is not keeping().services.bursts


async def test_what_joins_is_accepted_and_the_card_follows() -> None:
    known = keeping()
    accepted: list[AnyEvent] = []
    grew = asyncio.Event()

    async def accept(event: AnyEvent) -> None:
        accepted.append(event)
        if isinstance(event, RaidGrew):
            grew.set()

    async with asyncio.timeout(5), watching_raids(known.bursts, known.cases, accept, look_s=0.01):
        for each in range(11):
            await Planner(known.services).plan(posted(each, LONG))
        known.now += PAUSE_S
        await grew.wait()
    for event in [each for each in accepted if isinstance(each, RaidJoined)]:
        see(known, await Planner(known.services).plan(event))
    plan = await Planner(known.services).plan(accepted[-1])

    [edit] = plan.effects
    assert isinstance(edit, Edit)
    assert isinstance(edit.answer, Alert)
    assert "11 messages by 11 members" in edit.answer.text
    assert {edit.answer.value} == {each.raid for each in accepted if isinstance(each, RaidJoined)}


async def test_before_we_serve_nothing_joins_a_raid_unnoticed() -> None:
    with pytest.raises(Unavailable):
        await Bursts().join(Burst(id="r1"), posted(1), NOT_ASKED)
