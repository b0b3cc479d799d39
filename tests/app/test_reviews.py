"""What waits is named once a day, and shadow mode is summed up once a week, whenever we run."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bot.reviews import Reviews, watching_reviews
from bot.storage.audit import StoredAudit
from bot.storage.cases import StoredCases
from bot.storage.database import Records, open_records
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow
from handlers.events import FLASHBULB, AnyEvent, CasesWait, DigestDue, Place
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action, Review
from pipelines.moderation.report import Coverage
from pipelines.moderation.verdict import Verdict
from tests.durable.parts import until
from tests.fakes import GENERAL, MO, FixedPolicy, a_message

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
THEIRS = GENERAL.model_copy(update={"workspace": "w2"})
HELD = Verdict(
    decision="act",
    action=Action.HOLD,
    enforced=Action.HOLD,
    coverage=Coverage(judged=1, total=1),
    policy="p",
    prompt="q",
    engine="none",
)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with open_records(tmp_path, None) as opened:
        yield opened


@dataclass
class Watch:
    """The watcher with a clock that a test turns, and what it had accepted. `problems` are raised first, once each."""

    records: Records
    moment: datetime = MONDAY
    policies: FixedPolicy = field(default_factory=FixedPolicy)
    platforms: tuple[str, ...] = ("test",)
    accepted: list[AnyEvent] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        seal = Seal(Fernet.generate_key().decode())
        self.cases, self.audit = StoredCases(self.records, seal), StoredAudit(self.records, seal)
        self.start_anew()

    def start_anew(self) -> None:
        """Forget what only this process knew."""
        self.reviews = Reviews(
            cases=self.cases,
            audit=self.audit,
            policies=self.policies,
            platforms=self.platforms,
            accept=self.accept,
            clock=lambda: self.moment,
        )

    async def accept(self, event: AnyEvent) -> None:
        if self.problems:
            raise self.problems.pop()
        self.accepted.append(event)

    async def case(self, at: datetime, *, place: Place = GENERAL, shadow: bool = False) -> str:
        message = a_message(key=f"test:{place.workspace}:{at.timestamp()}").model_copy(update={"place": place})
        case = await self.cases.open(message, HELD, action=Action.HOLD, shadow=shadow)
        of_case = sa.update(CaseRow).where(CaseRow.id == case.id).values(at=at)
        await self.records.write(lambda connection: connection.execute(of_case))
        return case.id

    def holds(self, **review: object) -> None:
        changed = Review.model_validate(review)
        self.policies.policy = self.policies.policy.model_copy(update={"review": changed})

    async def look(self, moment: datetime | None = None) -> list[AnyEvent]:
        """Return what is accepted newly."""
        self.moment = moment or self.moment
        before = len(self.accepted)
        await self.reviews.look()
        return self.accepted[before:]


async def test_what_waits_for_too_long_is_named_once_a_day(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(hours=23))

    assert await watch.look(MONDAY) == []
    [event] = await watch.look(MONDAY + timedelta(hours=2))
    assert event == CasesWait(
        key="test:waits:w1:2026-11-23", place=GENERAL.model_copy(update={"channel": ""}), author=FLASHBULB
    )
    assert await watch.look(MONDAY + timedelta(hours=3)) == []
    assert [each.key for each in await watch.look(MONDAY + timedelta(days=1))] == ["test:waits:w1:2026-11-24"]


async def test_after_a_start_the_same_day_makes_the_same_event(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(days=3))
    first = await watch.look(MONDAY)

    watch.start_anew()

    assert await watch.look(MONDAY + timedelta(hours=5)) == first


async def test_the_policy_says_how_long_is_too_long(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(hours=47))
    watch.holds(ping_after_hours=48)

    assert await watch.look(MONDAY) == []
    assert len(await watch.look(MONDAY + timedelta(hours=2))) == 1


async def test_what_is_decided_waits_no_more_and_nothing_is_said_where_nothing_can_be(records: Records) -> None:
    watch = Watch(records, platforms=("test",))
    case = await watch.case(MONDAY - timedelta(days=3))
    await watch.case(MONDAY - timedelta(days=3), place=GENERAL.model_copy(update={"platform": "discord"}))
    await watch.cases.decide(GENERAL.tenant, case, decision="kept", by=MO, event="test:b1")

    assert await watch.look(MONDAY) == []


async def test_each_workspace_with_shadow_cases_gets_a_digest_on_monday_morning(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(days=2), shadow=True)
    await watch.case(MONDAY - timedelta(days=2), place=THEIRS)
    watch.holds(ping_after_hours=720)

    assert await watch.look(MONDAY + timedelta(hours=8, minutes=59)) == []
    [event] = await watch.look(MONDAY + timedelta(hours=9))
    assert isinstance(event, DigestDue)
    assert (event.key, event.place.workspace, event.since) == ("test:digest:w1:2026-W48", "w1", MONDAY - timedelta(days=7))
    assert await watch.look(MONDAY + timedelta(hours=10)) == []
    assert await watch.look(MONDAY + timedelta(days=7)) == []


async def test_whoever_was_away_on_monday_makes_up_for_it_in_the_week(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(days=2), shadow=True)
    watch.holds(ping_after_hours=720)

    [event] = await watch.look(MONDAY + timedelta(days=3))

    assert isinstance(event, DigestDue)
    assert (event.key, event.since) == ("test:digest:w1:2026-W48", MONDAY - timedelta(days=7))


async def test_a_decided_case_of_shadow_mode_is_summed_up_too_and_an_old_one_is_not(records: Records) -> None:
    watch = Watch(records)
    watch.holds(ping_after_hours=720)
    old = await watch.case(MONDAY - timedelta(days=8), shadow=True)
    await watch.cases.decide(GENERAL.tenant, old, decision="kept", by=MO, event="test:b1")
    assert await watch.look(MONDAY + timedelta(hours=9)) == []

    new = await watch.case(MONDAY - timedelta(days=6), shadow=True)
    await watch.cases.decide(GENERAL.tenant, new, decision="kept", by=MO, event="test:b2")

    assert len(await watch.look(MONDAY + timedelta(hours=9))) == 1


async def test_a_policy_may_want_no_digest(records: Records) -> None:
    watch = Watch(records)
    await watch.case(MONDAY - timedelta(days=2), shadow=True)
    watch.holds(ping_after_hours=720, digest="never")

    assert await watch.look(MONDAY + timedelta(hours=9)) == []


async def test_the_week_of_a_key_is_that_of_the_calendar(records: Records) -> None:
    watch = Watch(records)
    monday = datetime(2026, 12, 28, tzinfo=UTC)  # of the 53rd week, most of which lies in the next year
    await watch.case(monday - timedelta(days=2), shadow=True)
    watch.holds(ping_after_hours=720)

    [event] = await watch.look(monday + timedelta(days=5))

    assert event.key == "test:digest:w1:2026-W53"


async def test_it_goes_on_after_what_could_not_be_told(records: Records) -> None:
    watch = Watch(records, problems=[Unavailable("the engine"), ValueError()])
    await watch.case(MONDAY - timedelta(days=3))

    async with watching_reviews(
        watch.cases,
        watch.audit,
        watch.policies,
        watch.accept,
        platforms=watch.platforms,
        clock=lambda: MONDAY,
        look_s=0.01,
    ):
        await until(lambda: bool(watch.accepted))

    assert [each.key for each in watch.accepted] == ["test:waits:w1:2026-11-23"]
