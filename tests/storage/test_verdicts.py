"""Verdicts in the records: what was found, as numbers and names."""

from datetime import timedelta

import sqlalchemy as sa

from bot.storage.database import Records
from bot.storage.tables import VerdictRow, now
from bot.storage.verdicts import StoredVerdicts
from handlers.events import MessagePosted, Tenant
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, Channel, Retention
from pipelines.moderation.report import Coverage, Finding, Incomplete
from pipelines.moderation.verdict import Decided, Verdict
from tests.fakes import GENERAL, FixedPolicy, a_message

OURS, THEIRS = GENERAL.tenant, Tenant(platform="test", workspace="w2")
PICS = Channel(platform="test", id="general", name="pics", age_gated=True)
HATE = Finding(category="hate", kind="slur", severity=3, confidence=0.83, evidence="what Ada wrote", place="text:0")


def stored(records: Records, *, days: int = 365) -> StoredVerdicts:
    policy = preset().model_copy(update={"retention": Retention(verdicts=days)})
    return StoredVerdicts(records, FixedPolicy(policy))


def a_verdict(*findings: Finding, action: Action = Action.HOLD, incomplete: tuple[Incomplete, ...] = ()) -> Verdict:
    decision = "act" if findings else "unknown"
    coverage = Coverage(judged=1, total=1)
    return Verdict.model_validate(
        {
            "decision": decision,
            "action": action,
            "findings": findings,
            "coverage": coverage,
            "incomplete": incomplete,
            "policy": "abc",
            "prompt": "",
            "engine": "none",
        }
    )


def in_workspace(tenant: Tenant, key: str) -> MessagePosted:
    return a_message(key=key).model_copy(update={"place": GENERAL.model_copy(update={"workspace": tenant.workspace})})


async def test_what_was_found_comes_back_without_evidence_and_place(records: Records) -> None:
    verdicts, partial = stored(records), Incomplete(cause="partial", why="A page was left out.")

    await verdicts.record(a_message("secret"), a_verdict(HATE, incomplete=(partial,)), channel=PICS, exempt=True)

    [decided] = await verdicts.newest(OURS, limit=10)
    assert decided == Decided(
        event="test:m1",
        channel=PICS,
        exempt=True,
        findings=(Finding(category="hate", kind="slur", severity=3, confidence=0.83),),
        incomplete=("partial",),
        action=Action.HOLD,
        policy="abc",
        at=decided.at,
    )
    row = await records.read(lambda connection: connection.execute(sa.select(VerdictRow)).one())
    assert "Ada" not in repr(row)


async def test_the_same_message_is_one_verdict_and_the_last_judgement_counts(records: Records) -> None:
    verdicts = stored(records)
    away = a_verdict(incomplete=(Incomplete(cause="judge_down", why="Nobody answers."),))

    for verdict in (away, a_verdict(HATE), a_verdict(HATE)):
        await verdicts.record(a_message(), verdict, channel=PICS, exempt=False)

    [decided] = await verdicts.newest(OURS, limit=10)
    assert (len(decided.findings), decided.incomplete) == (1, ())


async def test_the_newest_come_first_and_no_more_than_asked_for(records: Records) -> None:
    verdicts = stored(records)
    for key in ("test:1", "test:2", "test:3"):
        await verdicts.record(a_message(key=key), a_verdict(HATE), channel=PICS, exempt=False)

    assert [each.event for each in await verdicts.newest(OURS, limit=2)] == ["test:3", "test:2"]


async def test_two_tenants_do_not_meet(records: Records) -> None:
    verdicts = stored(records)
    await verdicts.record(in_workspace(OURS, "test:1"), a_verdict(HATE), channel=PICS, exempt=False)
    await verdicts.record(in_workspace(THEIRS, "test:1"), a_verdict(), channel=PICS, exempt=False)

    assert [len(each.findings) for each in await verdicts.newest(OURS, limit=10)] == [1]
    assert [len(each.findings) for each in await verdicts.newest(THEIRS, limit=10)] == [0]


async def test_a_verdict_is_kept_for_as_long_as_the_policy_says(records: Records) -> None:
    verdicts = stored(records, days=7)
    await verdicts.record(a_message(), a_verdict(HATE), channel=PICS, exempt=False)

    row = await records.read(lambda connection: connection.execute(sa.select(VerdictRow)).one())
    assert row.expires_at - row.at == timedelta(days=7)

    past = sa.update(VerdictRow).values(expires_at=now() - timedelta(seconds=1))
    await records.write(lambda connection: connection.execute(past))
    assert await verdicts.newest(OURS, limit=10) == ()
