"""What holds for the message of a case: out or not, and of nobody's keeping; and what people do to its author for a while."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from bot.storage import migration
from bot.storage.audit import StoredAudit
from bot.storage.case_rows import Sealed
from bot.storage.cases import StoredCases
from bot.storage.database import Records, address, open_records
from bot.storage.seal import Seal
from bot.storage.tables import UtcDateTime, now
from bot.storage.work import Ended, Work
from handlers.effects import Performed
from handlers.ports.cases import Case, Link
from pipelines.moderation.policy import Action, Quota
from tests.databases import Home
from tests.fakes import ADA, GENERAL, MO, a_message
from tests.storage.test_case_decisions import FILE, OURS, VERDICT
from tests.storage.test_case_decisions import audit as audit
from tests.storage.test_case_decisions import cases as cases
from tests.storage.test_case_decisions import changed as changed

PRIVATE = VERDICT.model_copy(update={"keep_copy": False})


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def work(records: Records, seal: Seal, heard: list[str]) -> Work:
    return Work(records, seal, changed=lambda tenant, case: heard.append(case))


async def opened(cases: StoredCases, number: int = 1, *, message: str = "m1", keep_copy: bool = True) -> Case:
    event = a_message(key=f"test:{number}").model_copy(update={"message": message})
    return await cases.open(
        event, VERDICT if keep_copy else PRIVATE, action=Action.HOLD, shadow=False, known_by=(FILE,), quota=Quota()
    )


def ended(case: Case, number: int, effect: str, status: str) -> Ended:
    key, why = f"test:{number}#{effect}", "No permission." if status == "failed" else ""
    facts = {"effect": effect, "status": status, "why": why}
    link = Link(key=f"{key}!acted", kind="acted", facts=facts, case=case.id)
    return Ended(effect=key, performed=Performed.model_validate({"status": status, "why": why}), link=link)


async def found(cases: StoredCases, case: Case) -> Case:
    again = await cases.find(OURS, case.id)
    assert again is not None
    return again


@pytest.mark.parametrize(
    ("happened", "out", "undone", "version"),
    [
        pytest.param(("remove:done",), True, "", 1, id="taken-out"),
        pytest.param(("remove:gone",), True, "", 1, id="gone-already"),
        pytest.param(("remove:failed",), False, "No permission.", 1, id="could-not-be-taken-out"),
        pytest.param(("remove:failed", "remove:done"), True, "", 2, id="could-at-last"),
        pytest.param(("remove:done", "restore:done"), False, "", 2, id="brought-back"),
        pytest.param(("remove:done", "restore:failed"), True, "No permission.", 2, id="could-not-be-brought-back"),
        pytest.param(("remove:done", "restore:failed", "restore:done"), False, "", 3, id="came-back-at-last"),
        pytest.param(("remove:done", "restore:done", "take_back:done"), True, "", 3, id="taken-back"),
        pytest.param(("remove:done", "restore:done", "take_back:gone"), True, "", 3, id="taken-back-already"),
        pytest.param(("remove:done", "restore:done", "take_back:failed"), False, "No permission.", 3, id="not-taken-back"),
        pytest.param(("timeout:failed", "ban:done"), False, "", 0, id="what-is-about-its-author"),
    ],
)
async def test_a_case_says_whether_its_message_is_out_as_far_as_that_was_carried_out(
    cases: StoredCases, work: Work, heard: list[str], happened: tuple[str, ...], out: bool, undone: str, version: int
) -> None:
    case, other = await opened(cases), await opened(cases, 2, message="m2")
    assert not case.out

    for number, each in enumerate(happened):
        effect, status = each.split(":")
        await work.forget(OURS, f"test:{number}", ended=ended(case, number, effect, status))

    after = await found(cases, case)
    assert (after.out, after.undone, after.version) == (out, undone, version)
    assert heard == [case.id] * version
    assert await found(cases, other) == other


async def test_what_is_taken_out_twice_is_out_since_the_first_time(cases: StoredCases, work: Work, heard: list[str]) -> None:
    case = await opened(cases)
    await work.forget(OURS, "test:1", ended=ended(case, 1, "remove", "done"))
    first = await found(cases, case)

    await work.step(OURS, "test:2", ended=ended(case, 2, "remove", "done"), effect="next")

    assert await found(cases, case) == first
    assert heard == [case.id]


async def test_the_next_effect_is_begun_with_what_became_of_the_last(cases: StoredCases, work: Work, heard: list[str]) -> None:
    case = await opened(cases)

    begun = await work.step(OURS, "test:1", ended=ended(case, 1, "remove", "done"), effect="next")

    assert begun is None
    assert (await found(cases, case)).out
    assert heard == [case.id]


async def test_of_a_message_that_nobody_may_keep_no_case_knows_any_file(
    cases: StoredCases, audit: StoredAudit, changed: list[str]
) -> None:
    first, other = await opened(cases), await opened(cases, 9, message="m2")

    second = await opened(cases, 2, keep_copy=False)
    third = await opened(cases, 3)

    assert [(each.private, each.known_by) for each in (first, other)] == [(False, (FILE,))] * 2
    assert [(each.private, each.known_by) for each in (second, third)] == [(True, ())] * 2
    before = await found(cases, first)
    assert (before.private, before.known_by, before.version) == (True, (), 1)
    assert await found(cases, other) == other
    assert [each.facts["files"] for each in await audit.of_case(OURS, third.id)] == [[]]
    assert changed == [f"w1:{each.id}" for each in (first, other, second, first, third)]


async def test_what_a_person_says_about_a_message_holds_for_all_cases_about_it_and_cannot_be_taken_back(
    cases: StoredCases, audit: StoredAudit
) -> None:
    first, second = await opened(cases), await opened(cases, 2)

    await cases.decide(OURS, first.id, decision="kept", by=MO, event="press", right_category="child_safety")
    await cases.undo(OURS, first.id, decided_event="press", by=MO, event="undo")

    third = await opened(cases, 3)
    both = [await found(cases, each) for each in (first, second)]
    assert [(each.private, each.known_by) for each in (*both, third)] == [(True, ())] * 3
    assert [each.verdict for each in both] == [VERDICT] * 2


async def test_another_right_category_makes_nothing_private(cases: StoredCases) -> None:
    first, second = await opened(cases), await opened(cases, 2)

    await cases.decide(OURS, first.id, decision="kept", by=MO, event="press", right_category="hate")

    assert [(await found(cases, each)).known_by for each in (first, second)] == [(FILE,)] * 2


async def test_a_raid_of_what_nobody_may_keep_is_one_for_all_cases_about_the_message(cases: StoredCases) -> None:
    first, second = await opened(cases), await opened(cases, 2)

    joined = await cases.join(OURS, first.id, PRIVATE, action=Action.REMOVE, raid="r")
    again = await cases.join(OURS, second.id, VERDICT, action=Action.REMOVE, raid="r")

    assert [(each.private, each.known_by) for each in (joined, again)] == [(True, ())] * 2


async def test_two_who_say_it_at_once_do_not_wait_for_each_other(cases: StoredCases) -> None:
    several = [await opened(cases, number) for number in range(6)]

    await asyncio.gather(
        *(
            cases.decide(OURS, each.id, decision="kept", by=MO, event=f"press:{each.id}", right_category="child_safety")
            for each in several
        ),
        *(opened(cases, number) for number in range(10, 14)),
    )

    about = await cases.of_message(OURS, GENERAL.channel, "m1")
    assert [(each.private, each.known_by) for each in about] == [(True, ())] * 10


async def test_what_a_person_took_out_and_brought_back_again_is_no_strike(cases: StoredCases) -> None:
    flagged = VERDICT.model_copy(update={"enforced": Action.FLAG})
    case = await cases.open(a_message(), flagged, action=Action.FLAG, shadow=False)

    await cases.decide(OURS, case.id, decision="removed", by=MO, event="press")
    assert await cases.strikes_of(OURS, ["ada"], days=30) == {"ada": 1}
    await cases.undo(OURS, case.id, decided_event="press", by=MO, event="undo")
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press:2")

    assert await cases.strikes_of(OURS, ["ada"], days=30) == {}


@pytest.mark.parametrize(
    ("shadow", "quota", "strikes"),
    [
        pytest.param(False, 2, 1, id="what-was-removed-at-once"),
        pytest.param(True, 2, 0, id="what-was-only-recorded"),
        pytest.param(False, 1, 0, id="what-was-beyond-the-quota"),
    ],
)
async def test_what_is_undone_counts_as_it_did_when_it_was_opened(
    cases: StoredCases, shadow: bool, quota: int, strikes: int
) -> None:
    of_mo = a_message(key="test:0").model_copy(update={"author": MO})
    await cases.open(of_mo, VERDICT, action=Action.REMOVE, shadow=False)
    case = await cases.open(a_message(), VERDICT, action=Action.REMOVE, shadow=shadow, quota=Quota(remove_per_hour=quota))
    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == strikes

    await cases.decide(OURS, case.id, decision="removed", by=MO, event="press")
    await cases.undo(OURS, case.id, decided_event="press", by=MO, event="undo")

    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == strikes


async def test_strikes_of_many_are_counted_at_once(cases: StoredCases) -> None:
    for number, author in enumerate(("ada", "ada", "bob", "eve")):
        by = MO.model_copy(update={"id": author})
        event = a_message(key=f"test:{number}").model_copy(update={"author": by, "message": f"m{number}"})
        await cases.open(event, VERDICT, action=Action.REMOVE, shadow=author == "eve")

    assert await cases.strikes_of(OURS, ["ada", "bob", "eve", "mo"], days=30) == {"ada": 2, "bob": 1}
    assert await cases.strikes_of(OURS, [], days=30) == {}


async def test_a_time_out_may_be_given_again_once_it_is_over(cases: StoredCases, audit: StoredAudit) -> None:
    case, soon, over = await opened(cases), now() + timedelta(minutes=5), now() - timedelta(seconds=1)

    async def silence(event: str, *, lift: bool = False, **until: object) -> tuple[Case, bool]:
        return await cases.measure(OURS, case.id, measure="timeout", by=MO, event=event, lift=lift, **until)  # type: ignore[arg-type]

    first, _ = await silence("e1", until=over)
    second, won = await silence("e2", until=soon)
    third, lost = await silence("e3", until=soon + timedelta(minutes=5))

    assert first.silent_until == over
    assert (second.silent_until, second.measures, won) == (soon, ("timeout",), True)
    assert (third.silent_until, lost) == (soon, False)
    lifted, _ = await silence("e4", lift=True)
    assert (lifted.silent_until, lifted.measures) == (None, ())
    assert [each.kind for each in await audit.of_case(OURS, case.id)] == ["opened", "measure", "measure", "measure"]


async def test_a_ban_ends_with_no_time_out(cases: StoredCases) -> None:
    case, over = await opened(cases), now() - timedelta(seconds=1)
    await cases.measure(OURS, case.id, measure="timeout", by=MO, event="e1", until=over)

    both, _ = await cases.measure(OURS, case.id, measure="ban", by=MO, event="e2")
    _, again = await cases.measure(OURS, case.id, measure="ban", by=MO, event="e3")

    assert (both.measures, both.silent_until, again) == (("timeout", "ban"), over, False)


@pytest.mark.parametrize(
    ("action", "shadow", "state", "out"),
    [
        pytest.param("hold", False, "open", True, id="held"),
        pytest.param("timeout", False, "kept", True, id="kept-out"),
        pytest.param("remove", False, "restored", False, id="brought-back"),
        pytest.param("remove", False, "reported", False, id="reported"),
        pytest.param("remove", True, "open", False, id="only-recorded"),
        pytest.param("flag", False, "open", False, id="flagged"),
    ],
)
async def test_a_case_from_before_is_out_where_it_was_taken_out_and_not_brought_back(
    bare_home: Home, seal: Seal, action: str, shadow: bool, state: str, out: bool
) -> None:
    where, moment = address(bare_home.data, bare_home.url), now()
    row = {
        "platform": "test",
        "workspace": "w1",
        "id": "c1",
        "event": "e1",
        "channel": "general",
        "message": "m1",
        "author": "ada",
        "action": action,
        "shadow": shadow,
        "state": state,
        "policy": "p1",
        "sealed": seal.close(Sealed(verdict=VERDICT, author=ADA)),
        "at": moment,
    }
    columns = (sa.column(name, UtcDateTime() if name == "at" else None) for name in row)
    bare_home.data.mkdir(exist_ok=True)
    with migration._connected(where) as connection:
        command.upgrade(migration._config(connection), "0005")
        connection.execute(sa.insert(sa.table("case", *columns)).values(row))

    async with open_records(bare_home.data, bare_home.url) as records:
        case = await StoredCases(records, seal).find(OURS, "c1")

    assert case is not None
    assert (case.out_since, case.undone, case.private, case.silent_until) == (moment if out else None, "", False, None)
