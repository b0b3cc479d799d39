"""Policies in the records: numbered versions by workspace, and which of them holds where."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from bot.storage.audit import StoredAudit
from bot.storage.database import Records
from bot.storage.policies import StoredPolicies, _parsed
from bot.storage.seal import Seal
from bot.storage.tables import PolicyRow
from handlers.events import Place, Tenant
from handlers.ports.moderation import PolicyVersion
from pipelines.errors import FlashbulbError, UserError
from pipelines.moderation.policies import parse, preset, preset_text
from pipelines.moderation.policy import Action, Channel
from tests.fakes import GENERAL, GRACE, OLGA, ListedChannels

OURS, THEIRS = GENERAL.tenant, Tenant(platform="test", workspace="w2")
STRICT = """version: 1
unknown: remove
gates: {hold: [{severity: 2, confidence: 0.5}]}
categories: {child_safety: {remove: [{severity: 2, confidence: 0.5}]}}
"""
CAREFUL = STRICT.replace("unknown: remove", "unknown: hold")
OPERATORS = PolicyVersion(number=0, policy=parse(CAREFUL, source="test"), text=CAREFUL)
BY_CHANNEL = STRICT + "profiles: {calm: {unknown: flag}}\nchannels:\n  - {match: {name: 'calm-*'}, profile: calm}\n"


@dataclass
class CountedChannels(ListedChannels):
    asked: list[str] = field(default_factory=list)

    async def channel(self, place: Place) -> Channel:
        self.asked.append(place.channel)
        return await super().channel(place)


SEAL = Seal(Fernet.generate_key().decode())


def stored(records: Records, channels: ListedChannels | None = None) -> StoredPolicies:
    return StoredPolicies(records, OPERATORS, channels or CountedChannels(), SEAL)


@pytest.fixture
def reads(records: Records, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Collect what is read from the database."""
    seen: list[object] = []
    read = records.read

    async def counted(work: object) -> object:
        seen.append(work)
        return await read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(records, "read", counted)
    return seen


async def test_until_a_workspace_has_its_own_the_operators_holds(records: Records) -> None:
    policies = stored(records)

    assert await policies.current(OURS) == OPERATORS
    assert await policies.versions(OURS) == (OPERATORS,)
    assert (await policies.for_place(GENERAL)).unknown is Action.HOLD


async def test_versions_are_numbered_and_kept_as_they_were_written(records: Records) -> None:
    policies = stored(records)
    first = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    second = await policies.save(OURS, preset_text("default"), by=OLGA, event="e2")

    again = stored(records)
    for each in (policies, again):
        assert await each.versions(OURS) == (second, first, OPERATORS)
        assert await each.current(OURS) == second
    assert (first.number, first.text, first.author, first.policy.unknown) == (1, STRICT, "Grace", Action.REMOVE)
    assert (second.number, second.policy.fingerprint, second.author) == (2, preset().fingerprint, "Olga")
    assert first.at is not None
    fingerprints = sa.select(PolicyRow.fingerprint).order_by(PolicyRow.number)
    in_rows = await records.read(lambda connection: connection.scalars(fingerprints).all())
    assert in_rows == [first.policy.fingerprint, preset().fingerprint]


async def test_what_was_saved_holds_at_once(records: Records) -> None:
    policies = stored(records)
    before = await policies.for_place(GENERAL)

    await policies.save(OURS, STRICT, by=GRACE, event="e1")

    assert (before.unknown, (await policies.for_place(GENERAL)).unknown) == (Action.HOLD, Action.REMOVE)


async def test_the_same_event_makes_no_second_version(records: Records) -> None:
    first = await stored(records).save(OURS, STRICT, by=GRACE, event="e1")
    policies = stored(records)

    assert await policies.save(OURS, STRICT, by=GRACE, event="e1") == first
    assert len(await policies.versions(OURS)) == 2


async def test_a_repeat_of_an_older_event_does_not_bring_its_version_back(records: Records) -> None:
    policies = stored(records)
    first = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    second = await policies.save(OURS, BY_CHANNEL, by=GRACE, event="e2")

    assert await policies.save(OURS, STRICT, by=GRACE, event="e1") == first
    assert await policies.current(OURS) == second


@pytest.mark.parametrize("saved", [False, True], ids=["the-operators", "a-version"])
async def test_the_text_that_holds_already_is_refused(records: Records, saved: bool) -> None:
    policies = stored(records)
    if saved:
        await policies.save(OURS, STRICT, by=GRACE, event="e1")

    with pytest.raises(UserError, match="Nothing changed"):
        await policies.save(OURS, STRICT if saved else OPERATORS.text, by=GRACE, event="e2")
    assert len(await policies.versions(OURS)) == (2 if saved else 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("unknown: [", "line 1", id="no-yaml"),
        pytest.param(STRICT + "colour: red\n", "colour", id="an-unknown-key"),
        pytest.param(STRICT.replace("confidence: 0.5", "confidence: 7", 1), "confidence", id="out-of-range"),
        pytest.param("[" * 5000, "too deeply", id="nested-too-deeply"),
        pytest.param("# " + "x" * 70_000, "longer than", id="too-long"),
    ],
)
async def test_a_text_that_is_wrong_is_refused_in_words(records: Records, text: str, said: str) -> None:
    policies = stored(records)

    with pytest.raises(UserError, match=said):
        await policies.save(OURS, text, by=GRACE, event="e1")
    assert await policies.current(OURS) == OPERATORS


async def test_two_tenants_do_not_meet(records: Records) -> None:
    policies = stored(records)
    ours = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    assert await policies.current(THEIRS) == OPERATORS
    theirs = await policies.save(THEIRS, BY_CHANNEL, by=GRACE, event="e1")

    for each in (policies, stored(records)):
        assert await each.versions(OURS) == (ours, OPERATORS)
        assert await each.versions(THEIRS) == (theirs, OPERATORS)
    assert (ours.number, theirs.number) == (1, 1)
    assert (await policies.for_place(GENERAL.model_copy(update={"workspace": "w2"}))).policy == theirs.policy


async def test_a_profile_holds_in_the_channels_that_match(records: Records) -> None:
    channels = CountedChannels()
    policies = stored(records, channels)
    await policies.save(OURS, BY_CHANNEL, by=GRACE, event="e1")
    calm = GENERAL.model_copy(update={"channel": "calm-sea"})

    assert (await policies.for_place(calm)).unknown is Action.FLAG
    assert (await policies.for_place(GENERAL)).unknown is Action.REMOVE

    channels.known["calm-sea"] = Channel(platform="test", id="calm-sea", name="storm")  # it was renamed
    assert (await policies.for_place(calm)).unknown is Action.REMOVE


async def test_what_every_message_asks_reads_nothing_twice(records: Records, reads: list[object]) -> None:
    channels = CountedChannels()
    policies = stored(records, channels)

    asked = [await policies.for_place(GENERAL) for _ in range(3)]

    assert len(reads) == 1
    assert channels.asked == []  # as this policy is the same everywhere
    assert asked[0] is asked[2]


async def test_a_text_that_a_newer_version_refuses_does_not_stop_moderation(records: Records) -> None:
    first = await stored(records).save(OURS, STRICT, by=GRACE, event="e1")
    broken = sa.update(PolicyRow).values(text="version: 1\nsecret_key: red\n")
    await records.write(lambda connection: connection.execute(broken))
    policies = stored(records)

    with capture_logs() as logs:
        here = await policies.for_place(GENERAL)
        await policies.for_place(GENERAL)

    assert here.policy == OPERATORS.policy
    assert [(each["event"], each["log_level"]) for each in logs] == [("policy.unreadable", "error")]
    assert "secret" not in repr(logs)
    current = await policies.current(OURS)
    assert (current.number, current.text) == (1, "version: 1\nsecret_key: red\n")
    assert "secret_key" in current.trouble
    mended = await policies.save(OURS, first.text, by=GRACE, event="e2")
    assert (mended.number, mended.trouble, await policies.current(OURS)) == (2, "", mended)


async def test_a_version_is_found_by_its_fingerprint_and_no_other_is_read(records: Records, reads: list[object]) -> None:
    policies = stored(records)
    first = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    again = await policies.save(OURS, f"# the same rules\n{STRICT}", by=GRACE, event="e2")
    now_so = await policies.save(OURS, BY_CHANNEL, by=GRACE, event="e3")
    _parsed.cache_clear()
    reads.clear()

    assert await policies.by_fingerprint(OURS, now_so.policy.fingerprint) == now_so
    assert await policies.by_fingerprint(OURS, OPERATORS.policy.fingerprint) == OPERATORS
    assert reads == []
    assert await policies.by_fingerprint(OURS, first.policy.fingerprint) == again
    assert (len(reads), _parsed.cache_info().misses) == (1, 1)
    assert await policies.by_fingerprint(THEIRS, first.policy.fingerprint) is None
    assert await policies.by_fingerprint(OURS, "none") is None


async def test_a_fingerprint_that_an_update_changed_is_found_too(records: Records) -> None:
    policies = stored(records)
    first = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    await policies.save(OURS, BY_CHANNEL, by=GRACE, event="e2")
    await records.write(lambda connection: connection.execute(sa.update(PolicyRow).values(fingerprint="of before")))

    assert await policies.by_fingerprint(OURS, first.policy.fingerprint) == first
    found = await policies.by_fingerprint(OURS, "of before")
    assert found is not None
    assert found.number == 2


async def test_a_version_that_can_no_longer_be_read_explains_nothing(records: Records) -> None:
    policies = stored(records)
    first = await policies.save(OURS, STRICT, by=GRACE, event="e1")
    await policies.save(OURS, BY_CHANNEL, by=GRACE, event="e2")
    broken = sa.update(PolicyRow).where(PolicyRow.number == 1).values(text="version: 99\n")
    await records.write(lambda connection: connection.execute(broken))

    assert await policies.by_fingerprint(OURS, first.policy.fingerprint) is None


async def test_the_audit_says_who_changed_the_policy(records: Records) -> None:
    policies = stored(records)
    for text, event in ((STRICT, "e1"), (STRICT, "e1"), (CAREFUL, "e2")):
        await policies.save(OURS, text, by=GRACE, event=event)

    links = await StoredAudit(records, SEAL).since(OURS, datetime.min.replace(tzinfo=UTC), "policy")
    assert [(each.key, each.actor, each.facts["number"], each.facts["before"]) for each in links] == [
        ("e1!policy", "grace", 1, 0),
        ("e2!policy", "grace", 2, 1),
    ]
    assert links[0].facts["fingerprint"] == parse(STRICT, source="test").fingerprint
    assert await StoredAudit(records, SEAL).since(THEIRS, datetime.min.replace(tzinfo=UTC), "policy") == ()


async def test_of_two_who_change_the_same_version_the_second_is_told(records: Records) -> None:
    policies = stored(records)
    texts = {f"e{number}": f"{STRICT}# {number}\n" for number in range(6)}

    saved = await asyncio.gather(
        *(policies.save(OURS, text, by=GRACE, event=event, based_on=0) for event, text in texts.items()),
        return_exceptions=True,
    )

    [winner] = [each for each in saved if isinstance(each, PolicyVersion)]
    told = {str(each) for each in saved if isinstance(each, UserError)}
    assert told == {"Grace changed the policy meanwhile: version 1 holds. Look at it first."}
    assert (await policies.current(OURS)).text == winner.text
    assert len(await policies.versions(OURS)) == 2
    again = {text: event for event, text in texts.items()}[winner.text]
    assert await policies.save(OURS, winner.text, by=GRACE, event=again, based_on=0) == winner
    assert (await policies.save(OURS, CAREFUL, by=OLGA, event="e9", based_on=1)).number == 2


async def test_nothing_is_saved_that_the_audit_does_not_tell(records: Records) -> None:
    reading = StoredPolicies(records, OPERATORS, CountedChannels())

    with pytest.raises(FlashbulbError, match="audit"):
        await reading.save(OURS, STRICT, by=GRACE, event="e1")
