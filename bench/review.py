"""Moderators at work: a long queue, a decision seen by two, the audit proven, a policy tried on what is stored."""

import asyncio
import random
import re
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from cryptography.fernet import Fernet

from bench.figures import Figure
from bench.running import running
from bench.visitor import Visitor
from bot.storage.audit import StoredAudit
from bot.storage.cases import StoredCases
from bot.storage.database import Records, open_records
from bot.storage.seal import Seal, load_seal
from bot.storage.tables import Table, now
from bot.storage.verdicts import StoredVerdicts
from handlers.events import MessagePosted, Person, Place, Role, Tenant
from handlers.ports.cases import Link
from pipelines.moderation.comparing import compare
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Coverage, Finding
from pipelines.moderation.verdict import Verdict
from tests.fakes import FixedPolicy

CASES: Final = 1_000
LOADS: Final = 40
DECISIONS: Final = 20  # of the first page
LINKS: Final = 100_000
VERDICTS: Final = 100_000
ROUNDS: Final = 5
CONSOLE: Final = Tenant(platform="console", workspace="console")
QUEUE: Final = "/desk/console/console/cases"


async def review() -> list[Figure]:
    """The figures of the review desk, the audit and the policy's diff."""
    return [*await desk(), *await audit(), *await diff()]


async def desk() -> list[Figure]:
    """A thousand open cases: the queue as it comes to a browser, and decisions as a second reviewer hears of them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        await _fill(data)
        async with running(data) as flashbulb, Visitor(flashbulb.link) as operator:
            pages, sizes = [], []
            for _ in range(LOADS):
                began = time.perf_counter()
                page = await operator.read(QUEUE)
                pages.append((time.perf_counter() - began) * 1000)
                sizes.append(len(page.encode()) / 1000)
            heard = [each async for each in _decisions(operator)]
    return [
        Figure(name=f"queue page, {CASES:,} open cases", unit="ms", values=tuple(pages), bar=100),
        Figure(name=f"queue page, {CASES:,} open cases, HTML", unit="kB", values=tuple(sizes), bar=60),
        Figure(name="decision seen by a second reviewer", unit="ms", values=tuple(heard), bar=300),
    ]


async def _decisions(operator: Visitor) -> AsyncIterator[float]:
    """Decide cases one after another; yield how long each took until another page heard of it, in ms."""
    ids = list(dict.fromkeys(re.findall(r'data-case="([a-z2-7]{12})"', await operator.read(QUEUE))))[:DECISIONS]
    assert len(ids) == DECISIONS
    async with operator.follow("desk:console:console") as said:
        for case in ids:
            began = time.perf_counter()
            await operator.send(f"{QUEUE}/{case}/buttons/keep", {"id": str(uuid.uuid4())})
            async with asyncio.timeout(10):
                while case not in (text := await said()) or "kept removed" not in text.lower():
                    pass
            yield (time.perf_counter() - began) * 1000


async def audit() -> list[Figure]:
    """A chain of 100,000 links, looked through from its beginning to its head."""
    async with _records() as (records, seal):
        stored = StoredAudit(records, seal)
        for first in range(0, LINKS, 2_000):
            await stored.record(CONSOLE, *(_link(number) for number in range(first, first + 2_000)))
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            verified = await stored.verify(CONSOLE)
            took.append(time.perf_counter() - began)
            assert (verified.links, verified.broken) == (LINKS, None)
    return [Figure(name=f"audit of {LINKS:,} links verified", unit="s", values=tuple(took), bar=5)]


async def diff() -> list[Figure]:
    """Another policy tried on 100,000 stored verdicts, from the first query to the last change."""
    async with _records() as (records, _):
        rows = _verdicts()
        await records.write(lambda connection: connection.execute(sa.insert(Table.metadata.tables["verdict"]), rows))
        stored, old, new = StoredVerdicts(records, FixedPolicy()), preset("default"), preset("workplace")
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            comparison = await asyncio.to_thread(compare, old, new, await stored.newest(CONSOLE, limit=VERDICTS))
            took.append(time.perf_counter() - began)
            assert comparison.looked_at == VERDICTS
    return [Figure(name=f"policy diff over {VERDICTS:,} verdicts", unit="s", values=tuple(took), bar=3)]


@asynccontextmanager
async def _records() -> AsyncIterator[tuple[Records, Seal]]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_records(Path(folder), None) as records:
            yield records, Seal(Fernet.generate_key().decode())


async def _fill(data: Path) -> None:
    """Open cases as if as many messages had been held: with two findings each, by a hundred authors."""
    async with open_records(data, None) as records:
        cases, chance = StoredCases(records, load_seal(data, None)), random.Random(8)
        for number in range(CASES):
            author = Person(id=f"p{number % 100}", name=f"Member {number % 100}", role=Role.MEMBER)
            place = Place(platform="console", workspace="console", channel="general")
            event = MessagePosted(key=f"bench:{number}", place=place, author=author, message=str(number), text="")
            await cases.open(event, _verdict(chance), action=Action.HOLD, shadow=False)


def _verdict(chance: random.Random) -> Verdict:
    found = tuple(
        Finding(
            category=chance.choice(list(Category)[1:]),
            severity=chance.randint(2, 4),
            confidence=round(chance.uniform(0.7, 0.99), 2),
            evidence="What a judge quotes of a message, at most a line of it.",
            place="text",
        )
        for _ in range(2)
    )
    coverage = Coverage(judged=2, total=2)
    rules = {"policy": "0123456789ab", "prompt": "0123456789ab", "engine": "gemini-2.5-flash-lite"}
    return Verdict(decision="act", action=Action.HOLD, enforced=Action.HOLD, findings=found, coverage=coverage, **rules)


def _link(number: int) -> Link:
    facts = {
        "event": f"bench:{number}",
        "channel": "general",
        "message": str(number),
        "action": "hold",
        "findings": [["hate", "", 3, 0.93, "text"], ["harassment", "", 2, 0.71, "text"]],
        "judged": 2,
        "total": 2,
        "policy": "0123456789ab",
        "prompt": "0123456789ab",
        "engine": "gemini-2.5-flash-lite",
    }
    return Link(key=f"bench:{number}!opened", kind="opened", case=f"case{number}", subject=f"p{number % 100}", facts=facts)


def _verdicts() -> list[dict[str, object]]:
    chance, moment = random.Random(9), now()
    categories = [each.value for each in list(Category)[1:]]
    return [
        {
            **CONSOLE.model_dump(),
            "event": f"bench:{number}",
            "channel": f"c{number % 20}",
            "channel_name": f"channel-{number % 20}",
            "age_gated": False,
            "exempt": False,
            "findings": [
                [chance.choice(categories), "", chance.randint(1, 4), round(chance.random(), 2)] for _ in range(1 + number % 2)
            ],
            "incomplete": [],
            "action": "hold",
            "policy": "0123456789ab",
            "at": moment - timedelta(seconds=number),
            "expires_at": moment + timedelta(days=365),
        }
        for number in range(VERDICTS)
    ]
