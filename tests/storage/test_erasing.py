"""Deleting what is kept about a person: all of it, of nobody else, and the audit still verifies."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage.audit import StoredAudit
from bot.storage.banks import StoredBanks
from bot.storage.cases import StoredCases
from bot.storage.copies import CopiedFile, Copies, Copy
from bot.storage.database import Records
from bot.storage.erasing import Erasing, Traces
from bot.storage.policies import StoredPolicies
from bot.storage.results import StoredResults
from bot.storage.schemas import StoredSchemas
from bot.storage.seal import Seal
from bot.storage.sign_ins import SignIns
from bot.storage.tables import ConsolePersonRow, CopiedFileRow, Table, VerdictRow, WishRow, now
from bot.storage.verdicts import StoredVerdicts
from bot.storage.wishes import StoredWishes
from handlers.answers import Tagged
from handlers.events import Person, Role, Tenant
from handlers.ports.generation import Budget
from handlers.ports.moderation import PolicyVersion
from pipelines.moderation.lists import Hash
from pipelines.moderation.policies import preset, preset_text
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.fakes import ADA, GENERAL, MO, ListedChannels, a_message
from tests.storage.test_schemas import a_schema
from tests.storage.test_wishes import a_wish

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")
BOB = Person(id="bob", name="Bob")
NOTHING = Traces(cases=0, copies=0, verdicts=0, results=0, wishes=0, sign_ins=0, decisions=0, signed=0, links=0)
VERDICT = Verdict(
    decision="act",
    action=Action.HOLD,
    findings=(Finding(category="hate", severity=3, confidence=0.9),),
    coverage=Coverage(judged=1, total=1),
    policy="p1",
    prompt="q1",
    engine="test",
)


@pytest.fixture
def cases(records: Records, seal: Seal) -> StoredCases:
    return StoredCases(records, seal)


@pytest.fixture
async def erasing(records: Records, seal: Seal, cases: StoredCases) -> Erasing:
    """Return records in which Ada and Bob are known in two workspaces, and Mo has decided about both."""
    policies = StoredPolicies(records, PolicyVersion(number=0, policy=preset(), text=""), ListedChannels(), seal)
    verdicts, copies, results = StoredVerdicts(records, policies), Copies(records, seal), StoredResults(records, seal)
    copy = Copy(place=GENERAL, author=ADA, text="words", files=(CopiedFile(name="a.png", media_type="image/png", data=b"a"),))
    said = dict.fromkeys(("style", "mood", "text"), "") | dict.fromkeys(("subjects", "quality", "colours"), ())
    tagged = Tagged(file_name="cat.jpg", tags=("cat",), alt_text="A cat.", engine="test", **said)
    for tenant in (OURS, THEIRS):
        place = GENERAL.model_copy(update={"workspace": tenant.workspace})
        for author in (ADA, BOB):
            event = a_message(key=f"test:{author.id}").model_copy(
                update={"place": place, "author": author, "message": f"of {author.id}"}
            )
            case = await cases.open(event, VERDICT, action=Action.HOLD, shadow=False)
            await verdicts.record(event, VERDICT, channel=Channel(platform="test", id="general"), exempt=False)
            await copies.keep(tenant, event.message, copy)
            await results.save_tags(place, event=f"tag:{author.id}", message=event.message, tagged=(tagged,))
            await cases.decide(tenant, case.id, decision="kept", by=MO, event=f"press:{author.id}")
            await cases.appeal(tenant, case.id, text="Please.", by=author, event=f"appeal:{author.id}")
    await StoredWishes(records, seal).save(a_wish(asked_by=ADA), budget=Budget())
    return Erasing(records, seal)


async def test_what_is_kept_about_a_person_is_counted(erasing: Erasing) -> None:
    assert await erasing.traces(OURS, "ada") == Traces(
        cases=1, copies=1, verdicts=1, results=1, wishes=1, sign_ins=0, decisions=0, signed=0, links=3
    )
    assert await erasing.traces(OURS, "mo") == Traces(
        cases=0, copies=0, verdicts=0, results=0, wishes=0, sign_ins=0, decisions=2, signed=0, links=2
    )
    assert await erasing.traces(OURS, "nobody") == NOTHING


async def test_a_person_is_deleted_and_nobody_else(erasing: Erasing, cases: StoredCases, records: Records, seal: Seal) -> None:
    others = {(tenant, person): await erasing.traces(tenant, person) for tenant, person in ((OURS, "bob"), (THEIRS, "ada"))}
    [case] = [each for each in (await cases.reviewed(OURS)) if each.decided.event == "test:ada"]

    await erasing.erase(OURS, "ada")

    assert await erasing.traces(OURS, "ada") == NOTHING
    assert {(tenant, person): await erasing.traces(tenant, person) for tenant, person in others} == others
    assert await cases.find(OURS, case.case) is None
    assert await cases.strikes(OURS, "ada", days=30, apart_from="") == 0
    assert await Copies(records, seal).find(OURS, "of ada") is None
    tables = (CopiedFileRow, VerdictRow)
    counted = [sa.select(sa.func.count()).select_from(table).where(table.workspace == "w1") for table in tables]
    assert await records.read(lambda connection: [connection.scalar(each) for each in counted]) == [1, 1]
    wish = sa.select(WishRow.state, WishRow.person, WishRow.sealed)
    assert await records.read(lambda connection: tuple(connection.execute(wish).one())) == ("erased", "", None)


async def test_the_audit_goes_on_without_the_person_and_verifies(erasing: Erasing, records: Records, seal: Seal) -> None:
    audit = StoredAudit(records, seal)

    await erasing.erase(OURS, "ada")

    ours, theirs = await audit.verify(OURS), await audit.verify(THEIRS)
    assert (ours.links, ours.erased, ours.broken) == (7, 3, None)
    assert (theirs.links, theirs.erased, theirs.broken) == (6, 0, None)
    exported = "".join([text async for text in audit.export(OURS, form="jsonl")])
    links = [each for each in exported.splitlines() if '"kind": "erased"' in each]
    assert len(links) == 1
    assert '"cases": 1' in links[0]
    assert '"ada"' not in exported
    assert exported.count('"actor": "mo"') == 2  # what Mo did stays proven


async def test_a_moderator_is_deleted_out_of_the_cases_of_others(erasing: Erasing, cases: StoredCases) -> None:
    await erasing.erase(OURS, "mo")

    reviewed = await cases.reviewed(OURS)
    for each in reviewed:
        case = await cases.find(OURS, each.case)
        assert case is not None
        assert (case.state, case.decided_by, case.decided_by_id) == ("kept", "", "")
        assert "mo" not in case.names
        assert case.author.id in case.names
    assert (await erasing.traces(THEIRS, "mo")).decisions == 2
    found, won = await cases.decide(OURS, reviewed[0].case, decision="restored", by=BOB, event="later")
    assert (found.state, won) == ("kept", False)


async def test_a_moderators_name_stands_nowhere_any_more(
    erasing: Erasing, cases: StoredCases, records: Records, seal: Seal
) -> None:
    mo = Person(id="mo", name="Mo-who-is-not-named", role=Role.MODERATOR)
    [of_ada, of_bob] = sorted(each.case for each in await cases.reviewed(OURS))
    await cases.claim(OURS, of_ada, by=mo, until=now() + timedelta(minutes=5))
    await cases.claim(OURS, of_ada, by=mo, until=None)  # only the names know of it
    await cases.measure(OURS, of_bob, measure="timeout", by=mo, event="measure")
    policies = StoredPolicies(records, PolicyVersion(number=0, policy=preset(), text=""), ListedChannels(), seal)
    await policies.save(OURS, preset_text("default"), by=mo, event="policy")
    await policies.save(OURS, preset_text("gaming"), by=BOB, event="policy of Bob")
    banks, hash = StoredBanks(records, seal), Hash(kind="sha256", value="a" * 64)
    entry = await banks.put(OURS, "allow", (hash,), finding=None, reason="", by=mo, event="press")
    await StoredSchemas(records).save(OURS, a_schema(), by=mo, event="schema")
    assert await seen(records, seal, mo.name) == {"case", "known_hash", "policy", "extraction_schema"}
    assert (await erasing.traces(OURS, "mo")).signed == 3

    await erasing.erase(OURS, "mo")

    assert await seen(records, seal, mo.name) == set()
    assert await erasing.traces(OURS, "mo") == NOTHING
    assert [each.author for each in await policies.versions(OURS)] == ["Bob", "", ""]
    [listed] = await banks.entries(OURS)
    assert (listed.entry.id, listed.entry.by) == (entry, "")
    assert (await StoredAudit(records, seal).verify(OURS)).broken is None
    assert await seen(records, seal, "Bob") >= {"case", "policy"}


async def seen(records: Records, seal: Seal, name: str) -> set[str]:
    """Return the tables of our workspace in which a name stands, also in what is sealed."""

    def read(connection: sa.Connection) -> set[str]:
        found = set()
        for table in Table.metadata.sorted_tables:
            for row in connection.execute(sa.select(table).where(table.c.workspace == "w1")):
                cells = ((column, cell) for column, cell in row._mapping.items() if cell)
                texts = [str(seal.open(cell) if column == "sealed" else cell) for column, cell in cells]
                found |= {table.name} if any(name in text for text in texts) else set()
        return found

    return await records.read(read)


async def test_who_has_only_looked_at_a_case_is_forgotten_too(
    erasing: Erasing, cases: StoredCases, records: Records, seal: Seal
) -> None:
    kim = Person(id="kim", name="Kim-who-looked", role=Role.MODERATOR)
    [of_ada, _] = sorted(each.case for each in await cases.reviewed(OURS))
    for until in (now() + timedelta(minutes=5), None):
        await cases.claim(OURS, of_ada, by=kim, until=until)
    assert await erasing.traces(OURS, "kim") == replace(NOTHING, decisions=1)

    await erasing.erase(OURS, "kim")

    assert await seen(records, seal, kim.name) == set()
    assert await erasing.traces(OURS, "kim") == NOTHING


async def test_many_cases_are_looked_through_and_changed(erasing: Erasing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.erasing.AT_ONCE", 1)

    await erasing.erase(OURS, "mo")

    assert await erasing.traces(OURS, "mo") == NOTHING


async def test_a_person_of_the_console_is_signed_out(erasing: Erasing, records: Records, seal: Seal) -> None:
    async def role(tenant: Tenant, person: str) -> Role:
        return Role.MODERATOR

    sign_ins = SignIns(records, address="http://127.0.0.1:1", role_now=role)
    codes = []
    for person in (MO, BOB):
        link = await sign_ins.dashboard(OURS, person)
        cookie = await sign_ins.enter(link.partition("#")[2])
        codes.append(cookie)
    assert (await erasing.traces(OURS, "bob")).sign_ins == 1

    await erasing.erase(OURS, "bob")

    people = sa.select(ConsolePersonRow.id)
    assert await records.read(lambda connection: list(connection.scalars(people))) == ["mo"]


async def test_erasing_again_does_no_harm(erasing: Erasing, records: Records, seal: Seal) -> None:
    for _ in range(2):
        await erasing.erase(OURS, "ada")

    assert (await StoredAudit(records, seal).verify(OURS)).broken is None
