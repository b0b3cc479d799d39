"""What people do about cases: the first one wins, a repeat changes nothing, and every change grows a link in the audit."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal

import pytest
import sqlalchemy as sa

from bot.storage.audit import StoredAudit
from bot.storage.cases import StoredCases
from bot.storage.database import Records, address, in_turn
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, now
from bot.storage.work import Ended, Work
from handlers.effects import Performed
from handlers.events import Frozen, Person, Role, Tenant
from handlers.ports.cases import Case, Decision, KnownBy, Link
from pipelines.errors import Unavailable, UserError
from pipelines.moderation.lists import Hash
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.databases import Home
from tests.fakes import ADA, GENERAL, MO, a_message

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
KIM = Person(id="kim", name="Kim", role=Role.MODERATOR)
FILE = KnownBy(
    place="file:0", picture=True, exact=(Hash(kind="sha256", value="a" * 64),), near=(Hash(kind="pdq", value="b" * 64),)
)
VERDICT = Verdict(
    decision="act",
    action=Action.REMOVE,
    enforced=Action.REMOVE,
    findings=(
        Finding(category=Category.HATE, severity=2, confidence=0.9, evidence="canary"),
        Finding(category=Category.GORE, severity=3, confidence=0.5),
        Finding(category=Category.VIOLENCE, severity=3, confidence=0.7),
    ),
    coverage=Coverage(judged=1, total=2),
    urgent=True,
    policy="p1",
    profile="calm",
    prompt="q1",
    engine="test",
)


@pytest.fixture
def changed() -> list[str]:
    return []


@pytest.fixture
def cases(records: Records, seal: Seal, changed: list[str]) -> StoredCases:
    return StoredCases(records, seal, changed=lambda tenant, case: changed.append(f"{tenant.workspace}:{case}"))


@pytest.fixture
def audit(records: Records, seal: Seal) -> StoredAudit:
    return StoredAudit(records, seal)


async def opened(
    cases: StoredCases,
    number: int = 1,
    *,
    action: Action = Action.REMOVE,
    shadow: bool = False,
    state: Literal["open", "reported"] = "open",
    keep_copy: bool = True,
    workspace: str = "w1",
) -> Case:
    place = GENERAL.model_copy(update={"workspace": workspace})
    event = a_message(key=f"test:{number}").model_copy(update={"place": place})
    verdict = VERDICT.model_copy(update={"keep_copy": keep_copy})
    return await cases.open(event, verdict, action=action, shadow=shadow, state=state, known_by=(FILE,))


async def acted(records: Records, seal: Seal, case: Case, effect: str, *, status: str = "done") -> None:
    """Have an effect on the message of a case end."""
    key, performed = f"{case.event}#{effect}:{case.version}", Performed.model_validate({"status": status, "why": ""})
    facts = {"effect": effect, "status": status, "why": ""}
    link = Link(key=f"{key}!acted", kind="acted", facts=facts, case=case.id)
    ended = Ended(effect=key, performed=performed, link=link)
    await Work(records, seal).forget(case.place.tenant, case.event, ended=ended)


async def kinds(audit: StoredAudit, case: Case) -> list[str]:
    return [each.kind for each in await audit.of_case(case.place.tenant, case.id)]


async def columns(records: Records, case: Case) -> sa.RowMapping:
    row = sa.select(CaseRow.__table__).where(CaseRow.id == case.id)
    return await records.read(lambda connection: connection.execute(row).mappings().one())


async def test_a_case_says_all_that_was_found_and_the_audit_tells_it_without_words(
    cases: StoredCases, audit: StoredAudit
) -> None:
    case = await opened(cases)
    await opened(cases)

    assert (case.category, case.known_by, case.names, case.version) == ("violence", (FILE,), {"ada": "Ada"}, 0)
    [link] = await audit.of_case(OURS, case.id)
    assert (link.key, link.kind, link.subject, link.actor) == (f"test:1!opened:{case.id}", "opened", "ada", "")
    assert link.facts == {
        "event": "test:1",
        "channel": "general",
        "message": "m1",
        "decision": "act",
        "action": "remove",
        "called_for": "remove",
        "shadow": False,
        "state": "open",
        "findings": [["hate", "", 2, 0.9], ["gore", "", 3, 0.5], ["violence", "", 3, 0.7]],
        "incomplete": [],
        "judged": 1,
        "total": 2,
        "policy": "p1",
        "profile": "calm",
        "prompt": "q1",
        "engine": "test",
        "files": ["a" * 64],
        "over_quota": False,
        "raid": "",
    }


async def test_of_what_nobody_may_keep_no_hash_is_kept(cases: StoredCases, audit: StoredAudit) -> None:
    case = await opened(cases, keep_copy=False)

    assert case.known_by == ()
    [link] = await audit.of_case(OURS, case.id)
    assert link.facts["files"] == []


async def test_what_turns_out_to_be_what_nobody_may_keep_is_known_by_nothing_any_more(
    cases: StoredCases, audit: StoredAudit
) -> None:
    case = await opened(cases)

    joined = await cases.join(OURS, case.id, VERDICT.model_copy(update={"keep_copy": False}), action=Action.REMOVE, raid="r")

    assert joined.known_by == ()
    again = (await audit.of_case(OURS, case.id))[1]
    assert (again.kind, again.facts["raid"], again.facts["files"]) == ("judged_again", "r", [])


async def test_the_first_decision_wins_and_is_written_down_once(
    cases: StoredCases, audit: StoredAudit, changed: list[str]
) -> None:
    case = await opened(cases)
    deciding = [
        cases.decide(OURS, case.id, decision="kept", by=by, event=f"press:{by.id}", right_category="hate")
        for by in (MO, KIM, MO, KIM)
    ]

    decided = await asyncio.gather(*deciding)

    winner = decided[0][0].decided_by_id
    assert [won for _, won in decided] == [winner == by for by in ("mo", "kim", "mo", "kim")]
    assert {each.right_category for each, _ in decided} == {"hate"}
    [_, link] = await audit.of_case(OURS, case.id)
    assert (link.kind, link.subject, link.actor) == ("decided", "ada", winner)
    assert link.facts == {"decision": "kept", "right_category": "hate"}
    assert changed == [f"w1:{case.id}"] * 2  # opened, decided


async def test_what_is_decided_waits_no_longer_and_is_urgent_no_longer(cases: StoredCases, records: Records) -> None:
    case = await opened(cases)
    before = await columns(records, case)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")

    after = await columns(records, case)
    assert [(row["undecided"], row["urgent"]) for row in (before, after)] == [(True, True), (False, False)]


@pytest.mark.parametrize("state", ["open", "reported"])
async def test_a_decision_can_be_taken_back_once(
    cases: StoredCases, audit: StoredAudit, records: Records, state: Literal["open", "reported"]
) -> None:
    case = await opened(cases, state=state)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press:1", right_category="hate")

    undone = [
        await cases.undo(OURS, case.id, decided_event="press:1", by=MO, event=event) for event in ("undo:1", "undo:1", "undo:2")
    ]

    assert [won for _, won in undone] == [True, True, False]
    found, _ = undone[0]
    assert (found.state, found.decided_by, found.decided_by_id, found.decided_event) == (state, "", "", "")
    assert (found.decided_at, found.right_category) == (None, "")
    assert (await columns(records, case))["undecided"]
    assert await kinds(audit, case) == ["opened", "decided", "undone"]
    assert (await audit.of_case(OURS, case.id))[2].facts == {"decision": "kept"}
    again, won = await cases.decide(OURS, case.id, decision="dismissed", by=KIM, event="press:2")
    assert (again.state, again.decided_by, won) == ("dismissed", "Kim", True)


async def test_what_was_taken_back_is_not_decided_by_a_repeat(cases: StoredCases) -> None:
    case = await opened(cases)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    await cases.undo(OURS, case.id, decided_event="press", by=MO, event="undo")

    found, won = await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")

    assert (found.state, won) == ("open", False)


async def test_only_the_decision_that_is_meant_is_taken_back(cases: StoredCases) -> None:
    case = await opened(cases)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")

    found, won = await cases.undo(OURS, case.id, decided_event="another", by=MO, event="undo")

    assert (found.state, won) == ("kept", False)


async def test_a_measure_is_taken_once_and_can_be_lifted(cases: StoredCases, audit: StoredAudit) -> None:
    case = await opened(cases)

    async def measure(event: str, kind: Literal["timeout", "ban"], *, lift: bool = False) -> tuple[tuple[str, ...], bool]:
        found, won = await cases.measure(OURS, case.id, measure=kind, by=MO, event=event, lift=lift)
        return found.measures, won

    assert await measure("e1", "timeout") == (("timeout",), True)
    assert await measure("e1", "timeout") == (("timeout",), True)
    assert await measure("e2", "timeout") == (("timeout",), False)
    assert await measure("e3", "ban") == (("timeout", "ban"), True)
    assert await measure("e4", "timeout", lift=True) == (("ban",), True)
    assert await measure("e5", "timeout", lift=True) == (("ban",), False)
    links = (await audit.of_case(OURS, case.id))[1:]
    assert [(each.facts["measure"], each.facts["lift"]) for each in links] == [
        ("timeout", False),
        ("ban", False),
        ("timeout", True),
    ]


async def test_there_is_one_appeal_and_it_waits(cases: StoredCases, audit: StoredAudit, records: Records) -> None:
    case = await opened(cases)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")

    appealed = await asyncio.gather(
        *(cases.appeal(OURS, case.id, text="canary-appeal", by=ADA, event=event) for event in ("a1", "a2", "a1"))
    )

    assert sorted(won for _, won in appealed) in ([False, True, True], [False, False, True])
    found = await cases.find(OURS, case.id)
    assert found is not None
    assert found.appeal is not None
    assert (found.appeal.text, found.appeal.state, found.state) == ("canary-appeal", "open", "kept")
    row = await columns(records, case)
    assert row["undecided"]
    assert "canary" not in str(dict(row))
    assert await kinds(audit, case) == ["opened", "decided", "appealed"]
    assert "canary" not in str(await audit.of_case(OURS, case.id))


@pytest.mark.parametrize(
    ("action", "shadow", "first", "granted", "state"),
    [
        pytest.param(Action.REMOVE, False, "kept", True, "restored", id="granted-and-brought-back"),
        pytest.param(Action.REMOVE, False, None, True, "restored", id="granted-before-anybody-had-decided"),
        pytest.param(Action.FLAG, False, "removed", True, "restored", id="what-was-taken-out-by-hand"),
        pytest.param(Action.FLAG, False, "kept", True, "dismissed", id="what-stands"),
        pytest.param(Action.HOLD, False, "kept", True, "dismissed", id="what-could-not-be-taken-out"),
        pytest.param(Action.REMOVE, True, None, True, "dismissed", id="what-was-only-recorded"),
        pytest.param(Action.REMOVE, False, "kept", False, "kept", id="denied"),
        pytest.param(Action.FLAG, False, "removed", False, "removed", id="denied-and-what-was-decided-stands"),
        pytest.param(Action.REMOVE, False, None, False, "kept", id="denied-before-anybody-had-decided"),
    ],
)
async def test_an_appeal_is_decided_once(
    cases: StoredCases,
    audit: StoredAudit,
    records: Records,
    seal: Seal,
    action: Action,
    shadow: bool,
    first: Decision | None,
    granted: bool,
    state: str,
) -> None:
    case = await opened(cases, action=action, shadow=shadow)
    if first:
        await cases.decide(OURS, case.id, decision=first, by=MO, event="press")
    if (action is Action.REMOVE and not shadow) or first == "removed":
        await acted(records, seal, case, "remove")
    await cases.appeal(OURS, case.id, text="Please.", by=ADA, event="appeal")

    decided = [
        await cases.decide_appeal(OURS, case.id, granted=outcome, by=KIM, event=event)
        for event, outcome in (("d1", granted), ("d1", granted), ("d2", not granted))
    ]

    assert [won for _, won in decided] == [True, True, False]
    found, _ = decided[2]
    assert found.appeal is not None
    assert (found.state, found.appeal.state, found.appeal.decided_by) == (state, "granted" if granted else "denied", "Kim")
    assert found.appeal.decided_by_id == "kim"
    assert found.decided_by == ("Mo" if first and not granted else "Kim")
    assert not (await columns(records, case))["undecided"]
    assert (await audit.of_case(OURS, case.id))[-1].facts == {"granted": granted}


async def test_an_appeal_against_which_nobody_appealed_cannot_be_decided(cases: StoredCases) -> None:
    case = await opened(cases)

    with pytest.raises(UserError, match="Nobody has appealed"):
        await cases.decide_appeal(OURS, case.id, granted=True, by=KIM, event="d1")


@pytest.mark.parametrize(
    ("decision", "appeal"), [("restored", "granted"), ("dismissed", "granted"), ("kept", "open"), ("removed", "open")]
)
async def test_what_is_brought_back_grants_the_appeal_that_waits(cases: StoredCases, decision: Decision, appeal: str) -> None:
    case = await opened(cases)
    await cases.appeal(OURS, case.id, text="Please.", by=ADA, event="appeal")

    found, _ = await cases.decide(OURS, case.id, decision=decision, by=MO, event="press")
    assert found.appeal is not None
    assert (found.state, found.appeal.state) == (decision, appeal)

    undone, _ = await cases.undo(OURS, case.id, decided_event="press", by=MO, event="undo")
    assert undone.appeal is not None
    assert (undone.state, undone.appeal.state, undone.appeal.decided_by) == ("open", "open", "")


async def test_what_an_appeal_has_decided_is_not_taken_back_with_what_was_before(cases: StoredCases) -> None:
    case = await opened(cases)
    await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    await cases.appeal(OURS, case.id, text="Please.", by=ADA, event="appeal")
    await cases.decide_appeal(OURS, case.id, granted=False, by=KIM, event="denied")

    found, won = await cases.undo(OURS, case.id, decided_event="press", by=MO, event="undo")

    assert (found.state, won) == ("kept", False)


async def test_one_person_looks_at_a_case_until_they_let_go_or_it_ends(
    cases: StoredCases, records: Records, changed: list[str]
) -> None:
    case, soon = await opened(cases), now() + timedelta(minutes=5)

    claims = await asyncio.gather(*(cases.claim(OURS, case.id, by=by, until=soon) for by in (MO, KIM)))
    [holder] = {each.claimed_by for each in claims}
    other, who = (KIM, MO) if holder == "mo" else (MO, KIM)
    assert (await cases.claim(OURS, case.id, by=other, until=None)).claimed_by == holder
    again = await cases.claim(OURS, case.id, by=who, until=soon + timedelta(minutes=5))
    assert again.claimed_until == soon + timedelta(minutes=5)
    assert (await cases.claim(OURS, case.id, by=who, until=None)).claimed_by == ""
    assert (await cases.claim(OURS, case.id, by=other, until=soon)).claimed_by == other.id

    over = sa.update(CaseRow).values(claimed_until=now() - timedelta(seconds=1))
    await records.write(lambda connection: connection.execute(over))
    found = await cases.find(OURS, case.id)
    assert found is not None
    assert (found.claimed_by, found.claimed_until) == ("", None)
    assert (await cases.claim(OURS, case.id, by=who, until=soon)).claimed_by == who.id
    assert len(changed) == 6


async def test_a_message_that_others_deleted_is_gone_once(cases: StoredCases, audit: StoredAudit) -> None:
    case = await opened(cases)

    for event in ("d1", "d1", "d2"):
        found = await cases.mark_gone(OURS, case.id, by="moderator", event=event)

    assert found.gone
    assert found.undecided
    assert await kinds(audit, case) == ["opened", "gone"]
    assert (await audit.of_case(OURS, case.id))[1].facts == {"by": "moderator"}


async def test_a_case_knows_all_who_had_to_do_with_it(cases: StoredCases) -> None:
    case = await opened(cases)
    await cases.measure(OURS, case.id, measure="ban", by=KIM, event="e1")
    found, _ = await cases.decide(OURS, case.id, decision="kept", by=MO, event="e2")

    assert found.names == {"ada": "Ada", "kim": "Kim", "mo": "Mo"}
    assert found.version == 2


async def test_one_event_may_decide_several_cases(cases: StoredCases, audit: StoredAudit) -> None:
    both = [await opened(cases, number) for number in (1, 2)]

    for case in both:
        await cases.decide(OURS, case.id, decision="restored", by=MO, event="press")

    assert [await kinds(audit, case) for case in both] == [["opened", "decided"]] * 2


async def test_cases_of_another_workspace_are_not_there(cases: StoredCases, audit: StoredAudit) -> None:
    case = await opened(cases)
    theirs = await opened(cases, workspace="w2")

    for deciding in (
        cases.undo(THEIRS, case.id, decided_event="x", by=MO, event="e"),
        cases.measure(THEIRS, case.id, measure="ban", by=MO, event="e"),
        cases.appeal(THEIRS, case.id, text="", by=ADA, event="e"),
        cases.decide_appeal(THEIRS, case.id, granted=True, by=MO, event="e"),
        cases.claim(THEIRS, case.id, by=MO, until=now()),
        cases.mark_gone(THEIRS, case.id, by="unknown", event="e"),
    ):
        with pytest.raises(UserError, match="no such case"):
            await deciding
    assert await cases.of_message(OURS, "general", "m1") == (case,)
    assert await cases.of_message(THEIRS, "general", "m1") == (theirs,)
    assert await cases.of_message(OURS, "general", "m2") == ()
    assert (await audit.verify(OURS)).links == (await audit.verify(THEIRS)).links == 1


@pytest.mark.parametrize(("decision", "strikes"), [("kept", 1), ("removed", 1), ("restored", 0), ("dismissed", 0)])
async def test_what_a_person_found_to_be_fine_counts_against_nobody(
    cases: StoredCases, decision: Decision, strikes: int
) -> None:
    case = await opened(cases)
    await cases.decide(OURS, case.id, decision=decision, by=MO, event="press")

    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == strikes


@pytest.mark.parametrize(
    ("distress", "strikes"),
    [pytest.param(False, 1, id="whatever-the-policy-thought"), pytest.param(True, 0, id="never-of-who-may-be-at-risk")],
)
async def test_what_a_person_takes_out_counts_against_its_author(cases: StoredCases, distress: bool, strikes: int) -> None:
    found = VERDICT.model_copy(update={"enforced": Action.FLAG, "distress": distress})
    case = await cases.open(a_message(), found, action=Action.FLAG, shadow=False)
    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == 0

    await cases.decide(OURS, case.id, decision="removed", by=MO, event="press")

    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == strikes


async def test_a_case_ends_when_its_time_is_over_and_its_links_stay(
    cases: StoredCases, audit: StoredAudit, records: Records
) -> None:
    case, old = await opened(cases), await opened(cases, 2)
    before_0006 = sa.update(CaseRow).where(CaseRow.id == old.id).values(expires_at=None)
    await records.write(lambda connection: connection.execute(before_0006))

    await delete_expired(records, moment=now() + timedelta(days=365, minutes=-1))
    assert await cases.find(OURS, case.id) == case
    await delete_expired(records, moment=now() + timedelta(days=365))

    assert [await cases.find(OURS, each.id) for each in (case, old)] == [None, None]
    with pytest.raises(UserError, match=r"no such case here \(any more\)"):
        await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    assert await kinds(audit, case) == ["opened"]


class Before(Frozen):
    """What was sealed of a case before people could appeal."""

    verdict: Verdict
    author: Person
    decided_by: str = ""


async def test_a_case_from_before_can_be_read_and_decided(cases: StoredCases, records: Records, seal: Seal) -> None:
    case = await opened(cases)
    closed = seal.close(Before(verdict=VERDICT, author=ADA, decided_by="Mo"))
    old = sa.update(CaseRow).values(sealed=closed, state="kept", decided_by="mo", decided_event="press", undecided=False)
    await records.write(lambda connection: connection.execute(old))

    found = await cases.find(OURS, case.id)
    assert found is not None
    assert (found.decided_by, found.decided_by_id, found.known_by) == ("Mo", "mo", ())
    _, won = await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    assert won


@contextmanager
def busy(home: Home) -> Iterator[None]:
    """Hold what a change to a case needs: on SQLite the right to write, on Postgres the end of the audit."""
    engine = sa.create_engine(address(home.data, home.url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if home.url is None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        in_turn(connection, "audit", "test", "w1")
        yield
        connection.rollback()


async def test_while_the_database_is_busy_nothing_is_half_done(
    cases: StoredCases, audit: StoredAudit, records: Records, home: Home, changed: list[str]
) -> None:
    case = await opened(cases)
    impatient = "PRAGMA busy_timeout = 100" if home.url is None else "SET lock_timeout = 100"
    await records.write(lambda connection: connection.exec_driver_sql(impatient))

    with busy(home), pytest.raises(Unavailable, match="The database"):
        await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")

    assert await cases.find(OURS, case.id) == case
    assert (await audit.verify(OURS)).links == len(changed) == 1
    _, won = await cases.decide(OURS, case.id, decision="kept", by=MO, event="press")
    assert won
