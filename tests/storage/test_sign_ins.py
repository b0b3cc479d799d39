"""Who may open the console, in the records."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from bot.storage import migration
from bot.storage.console_people import ConsolePeople
from bot.storage.database import Records, address, open_records
from bot.storage.sign_ins import CODE_LASTS, KNOWN_FOR, SIGN_IN_IDLE, SIGN_IN_LASTS, SignedIn, SignIns, sha256_of
from bot.storage.tables import UtcDateTime, now
from handlers.events import Person, Role, Tenant
from pipelines.errors import Unavailable
from tests.console.elsewhere import MIA, OTHER_SLACK, SLACK, Elsewhere
from tests.databases import Home

OURS, THEIRS = Tenant(platform="console", workspace="w1"), Tenant(platform="console", workspace="w2")


@dataclass
class Clock:
    moment: datetime = field(default_factory=now)

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, time: timedelta) -> None:
        self.moment += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def sign_ins(records: Records, clock: Clock, elsewhere: Elsewhere) -> SignIns:
    return SignIns(records, address="http://127.0.0.1:8321", role_now=elsewhere.role, clock=clock)


def code_of(link: str) -> str:
    return link.removeprefix("http://127.0.0.1:8321/enter#")


async def enter(sign_ins: SignIns, link: str) -> SignedIn | None:
    """Spend the code of a link and return who is signed in then."""
    cookie = await sign_ins.enter(code_of(link))
    return None if cookie is None else (await sign_ins.find(sha256_of(cookie)))[0]


async def somebody(sign_ins: SignIns, *, name: str = "Ayse", tenant: Tenant = OURS, event: str = "e1") -> SignedIn:
    who = await enter(sign_ins, await sign_ins.invite(tenant, name=name, role=Role.MODERATOR, event=event))
    assert who is not None
    return who


async def test_an_invitation_signs_in_whom_it_names(sign_ins: SignIns) -> None:
    who = await somebody(sign_ins, tenant=THEIRS)

    assert (who.person.name, who.person.role, who.workspace) == ("Ayse", Role.MODERATOR, "w2")


async def test_of_many_who_spend_a_code_at_once_one_gets_in(sign_ins: SignIns) -> None:
    code = code_of(await sign_ins.invite(OURS, name="Ayse", role=Role.MEMBER, event="e1"))

    cookies = await asyncio.gather(*(sign_ins.enter(code) for _ in range(8)))

    assert sum(cookie is not None for cookie in cookies) == 1


async def test_a_code_expires(sign_ins: SignIns, clock: Clock) -> None:
    link = await sign_ins.invite(OURS, name="Ayse", role=Role.MEMBER, event="e1")

    clock.passes(CODE_LASTS)

    assert await enter(sign_ins, link) is None


async def test_the_same_invitation_asked_for_again_is_the_same_person_with_a_link_that_works(sign_ins: SignIns) -> None:
    first = await sign_ins.invite(OURS, name="Ayse", role=Role.MEMBER, event="e1")
    again = await sign_ins.invite(OURS, name="Ayse", role=Role.MEMBER, event="e1")
    other = await sign_ins.invite(OURS, name="Ayse", role=Role.MEMBER, event="e2")

    people = [await enter(sign_ins, link) for link in (first, again, other)]

    assert people[0] is None
    assert [who.person.name for who in people if who] == ["Ayse", "Ayse"]
    assert len({who.person.id for who in people if who}) == 2


async def test_an_invitation_of_one_workspace_is_none_of_another(sign_ins: SignIns) -> None:
    ours, theirs = await somebody(sign_ins), await somebody(sign_ins, tenant=THEIRS, event="e2")

    assert (ours.workspace, theirs.workspace) == ("w1", "w2")
    assert ours.person.id != theirs.person.id


async def test_the_operator_is_made_once(sign_ins: SignIns, clock: Clock) -> None:
    first = await enter(sign_ins, await sign_ins.operator_link())
    clock.passes(timedelta(days=30))
    second = await enter(sign_ins, await sign_ins.operator_link())

    assert first is not None
    assert second is not None
    assert first.person == second.person
    assert first.person.role is Role.OPERATOR


async def test_a_sign_in_ends_after_twelve_idle_hours(sign_ins: SignIns, clock: Clock) -> None:
    who = await somebody(sign_ins)

    clock.passes(SIGN_IN_IDLE - timedelta(minutes=1))
    seen = await sign_ins.find(who.hash, renew=True)
    clock.passes(SIGN_IN_IDLE - timedelta(minutes=1))
    looked_up = await sign_ins.find(who.hash)
    clock.passes(timedelta(minutes=1))
    idle = await sign_ins.find(who.hash, renew=True)

    assert seen == (who, True)
    assert looked_up == (who, False)
    assert idle == (None, False)


async def test_a_sign_in_ends_after_seven_days_however_busy(sign_ins: SignIns, clock: Clock) -> None:
    who = await somebody(sign_ins)
    step = timedelta(hours=6)

    seen = []
    for _ in range(SIGN_IN_LASTS // step):
        clock.passes(step)
        seen.append((await sign_ins.find(who.hash, renew=True))[0])

    assert seen == [who] * (len(seen) - 1) + [None]


async def test_who_left_is_no_longer_valid(sign_ins: SignIns) -> None:
    stays, left = await somebody(sign_ins), await somebody(sign_ins, event="e2")

    await sign_ins.leave(left.hash)

    assert await sign_ins.still_valid([stays.hash, left.hash, "unknown"]) == ({stays.hash}, set())
    assert await sign_ins.find(left.hash) == (None, False)


async def test_secrets_are_not_shown_where_a_sign_in_is_printed(sign_ins: SignIns) -> None:
    who = await somebody(sign_ins)

    assert who.csrf not in repr(who)
    assert who.hash not in repr(who)


async def test_a_person_of_another_platform_is_known_by_platform_and_workspace(sign_ins: SignIns) -> None:
    people = [
        (SLACK, MIA),
        (OTHER_SLACK, MIA.model_copy(update={"name": "Max"})),
        (Tenant(platform="discord", workspace="T1"), MIA.model_copy(update={"name": "Ines"})),
    ]

    links = [await sign_ins.dashboard(tenant, person) for tenant, person in people]
    found = [await enter(sign_ins, link) for link in links]

    assert [(who.tenant, who.person.name, who.of_console) for who in found if who] == [
        (tenant, person.name, False) for tenant, person in people
    ]


async def test_a_dashboard_link_changes_nothing_about_people_of_the_console(sign_ins: SignIns) -> None:
    who = await somebody(sign_ins)

    again = await enter(sign_ins, await sign_ins.dashboard(OURS, Person(id=who.person.id, name="Eve", role=Role.OPERATOR)))

    assert again is not None
    assert again.person == who.person
    assert not again.operates


async def test_what_somebody_may_do_is_as_another_platform_says_now(sign_ins: SignIns, elsewhere: Elsewhere) -> None:
    elsewhere.roles[MIA.id] = Role.ADMIN

    who = await enter(sign_ins, await sign_ins.dashboard(SLACK, MIA))

    assert who is not None
    assert who.person.role is Role.ADMIN


async def test_whoever_does_not_decide_cases_any_more_does_not_even_get_in(sign_ins: SignIns, elsewhere: Elsewhere) -> None:
    link = await sign_ins.dashboard(SLACK, MIA)
    elsewhere.roles.clear()

    assert await enter(sign_ins, link) is None


async def test_where_nobody_has_told_yet_nobody_is_let_in(sign_ins: SignIns, elsewhere: Elsewhere) -> None:
    link = await sign_ins.dashboard(SLACK, MIA)
    elsewhere.down = True

    with pytest.raises(Unavailable, match="Slack"):
        await enter(sign_ins, link)


async def test_of_open_pages_those_of_which_nobody_tells_are_told_apart(
    sign_ins: SignIns, elsewhere: Elsewhere, clock: Clock
) -> None:
    ours, hers = await somebody(sign_ins), await enter(sign_ins, await sign_ins.dashboard(SLACK, MIA))
    assert hers is not None
    elsewhere.down = True

    soon = await sign_ins.still_valid([ours.hash, hers.hash])
    clock.passes(KNOWN_FOR + timedelta(seconds=1))
    later = await sign_ins.still_valid([ours.hash, hers.hash])

    assert soon == ({ours.hash, hers.hash}, set())
    assert later == ({ours.hash}, {hers.hash})


async def test_whoever_is_banned_gets_in_neither_with_a_new_link_nor_with_an_old_cookie(
    sign_ins: SignIns, records: Records
) -> None:
    who = await somebody(sign_ins)
    await sign_ins.dashboard(OURS, who.person)
    before = await ConsolePeople(records).shut_out(OURS.workspace, who.person.id)
    link = await sign_ins.dashboard(OURS, who.person)

    assert before == {who.hash}
    assert await sign_ins.find(who.hash) == (None, False)
    assert await sign_ins.enter(code_of(link)) is None

    await ConsolePeople(records).let_in(OURS.workspace, who.person.id)
    assert await enter(sign_ins, await sign_ins.dashboard(OURS, who.person)) is not None


async def test_a_ban_is_of_one_person_of_one_platform(sign_ins: SignIns, records: Records, elsewhere: Elsewhere) -> None:
    ours, slack = await somebody(sign_ins), Tenant(platform="slack", workspace=OURS.workspace)
    elsewhere.roles[ours.person.id] = Role.MODERATOR
    same_id = await enter(sign_ins, await sign_ins.dashboard(slack, MIA.model_copy(update={"id": ours.person.id})))
    assert same_id is not None

    ended = await ConsolePeople(records).shut_out(OURS.workspace, ours.person.id)

    assert ended == {ours.hash}
    assert (await sign_ins.find(same_id.hash))[0] == same_id


def as_before(table_name: str, **columns: object) -> sa.Insert:
    """Return what writes a row as tables were before people of other platforms came."""
    kinds = {True: UtcDateTime(), False: sa.Text()}
    table = sa.table(table_name, *(sa.column(each, kinds[isinstance(value, datetime)]) for each, value in columns.items()))
    return sa.insert(table).values(columns)


async def test_people_codes_and_sign_ins_of_before_still_work(bare_home: Home) -> None:
    where, moment = address(bare_home.data, bare_home.url), now()
    rows = [
        as_before("console_person", workspace="w1", id="p1", name="Ayse", role="moderator", at=moment),
        as_before("console_code", hash=sha256_of("code"), workspace="w1", person="p1", expires_at=moment + CODE_LASTS),
        as_before(
            "console_sign_in",
            hash=sha256_of("cookie"),
            workspace="w1",
            person="p1",
            csrf="token",
            seen_at=moment,
            expires_at=moment + SIGN_IN_LASTS,
        ),
    ]
    bare_home.data.mkdir(exist_ok=True)
    with migration._connected(where) as connection:
        command.upgrade(migration._config(connection), "0005")
        for row in rows:
            connection.execute(row)

    async with open_records(bare_home.data, bare_home.url) as records:
        sign_ins = SignIns(records, address="http://127.0.0.1:8321", role_now=Elsewhere().role)
        old, _ = await sign_ins.find(sha256_of("cookie"))
        new = await enter(sign_ins, "code")

    assert old is not None
    assert new is not None
    assert (old.tenant, old.person) == (OURS, Person(id="p1", name="Ayse", role=Role.MODERATOR))
    assert new.person == old.person
