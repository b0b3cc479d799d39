"""Who may open the console, in the records."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.storage.database import Records
from bot.storage.sign_ins import CODE_LASTS, SIGN_IN_IDLE, SIGN_IN_LASTS, SignedIn, SignIns, sha256_of
from bot.storage.tables import now
from handlers.events import Role, Tenant

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
def sign_ins(records: Records, clock: Clock) -> SignIns:
    return SignIns(records, address="http://127.0.0.1:8321", clock=clock)


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

    assert await sign_ins.still_valid([stays.hash, left.hash, "unknown"]) == {stays.hash}
    assert await sign_ins.find(left.hash) == (None, False)


async def test_secrets_are_not_shown_where_a_sign_in_is_printed(sign_ins: SignIns) -> None:
    who = await somebody(sign_ins)

    assert who.csrf not in repr(who)
    assert who.hash not in repr(who)
