"""The audit's page: links found again, the chain looked through, all of it taken away. And the digest of shadow mode."""

import csv
import io
import json
import re
from typing import get_args

import pytest
import sqlalchemy as sa

from bot.console.desk.records import KINDS
from bot.storage.tables import AuditRow
from handlers.events import ButtonPressed, Role
from handlers.ports.cases import LinkKind
from pipelines.moderation.report import Category
from tests.console.desk.pages import CONSOLE, HOSTILE, OPERATORS, PagesSite, answered, sent
from tests.console.desk.serving import DESK, a_finding, a_verdict

AUDIT, DIGEST = f"{DESK}/audit", f"{DESK}/digest"


def test_every_kind_of_link_has_words() -> None:
    assert set(KINDS) == set(get_args(LinkKind))


def links_of(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'<th scope="row" class="number">(\d+)</th>', html)]


async def some_links(pages: PagesSite) -> tuple[str, str]:
    """Open and decide a case: three links with that of a policy. Return its id and who decided."""
    mo = await pages.visitor("Mo")
    case = await pages.open()
    await pages.cases.decide(CONSOLE, case.id, decision="kept", by=mo.who.person, event="d1")
    await pages.saved(OPERATORS.text + "# more\n")
    return case.id, mo.who.person.id


async def test_links_come_the_newest_first_and_are_narrowed_down(pages: PagesSite) -> None:
    case, reviewer = await some_links(pages)
    mo = await pages.visitor("Mo")

    assert links_of((await mo.get(AUDIT))[1]) == [3, 2, 1]
    assert links_of((await mo.get(f"{AUDIT}?kind=decided"))[1]) == [2]
    assert links_of((await mo.get(f"{AUDIT}?case={case}"))[1]) == [2, 1]
    assert links_of((await mo.get(f"{AUDIT}?person={reviewer}"))[1]) == [2]
    assert links_of((await mo.get(f"{AUDIT}?before=3"))[1]) == [2, 1]
    assert "No link fits" in (await mo.get(f"{AUDIT}?kind=nonsense"))[1]


async def test_many_links_come_in_pages(pages: PagesSite) -> None:
    for _ in range(52):
        await pages.open()
    mo = await pages.visitor("Mo")

    first = (await mo.get(AUDIT))[1]
    last = (await mo.get(f"{AUDIT}?before=3"))[1]

    assert links_of(first) == list(range(52, 2, -1))
    assert 'href="?before=3"' in first
    assert links_of(last) == [2, 1]


async def test_the_chain_is_looked_through_and_one_changed_row_breaks_it(pages: PagesSite) -> None:
    await some_links(pages)
    mo = await pages.visitor("Mo")

    whole = (await mo.get(f"{AUDIT}?verify=1"))[1]
    altered = sa.update(AuditRow).where(AuditRow.seq == 2).values(facts='{"decision":"restored","right_category":""}')
    await pages.records.write(lambda connection: connection.execute(altered))
    broken = (await mo.get(f"{AUDIT}?verify=1"))[1]

    assert "The chain holds." in whole
    assert "3 links were looked through" in whole
    assert "The chain is broken at link 2." in broken
    assert "The chain" not in (await mo.get(AUDIT))[1]


async def test_hostile_facts_and_ids_are_text(pages: PagesSite) -> None:
    proof = {"salt": b"", "people": b"", "digest": b"", "chain": b"", "key": "k", "seq": 9, "kind": "opened"}
    at = (await pages.open()).at
    row = {**CONSOLE.model_dump(), **proof, "at": at, "subject": HOSTILE, "actor": HOSTILE, "case": HOSTILE}
    facts = json.dumps({HOSTILE: HOSTILE, "list": [HOSTILE]})
    await pages.records.write(lambda connection: connection.execute(sa.insert(AuditRow).values({**row, "facts": facts})))
    mo = await pages.visitor("Mo")

    html = (await mo.get(AUDIT))[1]

    assert links_of(html) == [9, 1]
    assert "<script>alert" not in html
    assert "<img src=x" not in html


async def test_admins_take_all_links_away_as_json_and_csv(pages: PagesSite) -> None:
    await some_links(pages)
    olga = await pages.visitor("Olga", Role.OPERATOR)

    async with olga.session.get(f"{AUDIT}/export.jsonl") as answer:
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.DictReader(io.StringIO((await olga.get(f"{AUDIT}/export.csv"))[1])))

    assert [each["seq"] for each in lines] == [1, 2, 3]
    assert [each["kind"] for each in rows] == ["opened", "decided", "policy"]
    assert (await olga.get(f"{AUDIT}/export.exe"))[0] == 404


@pytest.mark.parametrize(
    ("path", "moderator"), [("audit", 200), ("audit?verify=1", 200), ("audit/export.csv", 403), ("digest", 200)]
)
async def test_moderators_read_and_take_nothing_away(pages: PagesSite, path: str, moderator: int) -> None:
    mo, mia = await pages.visitor("Mo"), await pages.visitor("Mia", Role.MEMBER)

    assert (await mo.get(f"{DESK}/{path}"))[0] == moderator
    assert (await mia.get(f"{DESK}/{path}"))[0] == 403


async def in_shadow(pages: PagesSite, number: int, *, right: int) -> None:
    """Have cases of hate be decided that happened in shadow, the first of them rightly found. The policy is version 1."""
    await pages.saved(OPERATORS.text.replace("version: 1\n", "version: 1\nmode: shadow\n"))
    mo = await pages.visitor("Mo")
    for at in range(number):
        case = await pages.judged(a_verdict(a_finding(Category.HATE, 3, evidence="")), shadow=True)
        decision = "kept" if at < right else "dismissed"
        await pages.cases.decide(CONSOLE, case.id, decision=decision, by=mo.who.person, event=f"d{at}")


async def test_the_digest_says_what_shadow_mode_has_shown(pages: PagesSite) -> None:
    await in_shadow(pages, 5, right=4)
    mo = await pages.visitor("Mo")

    html = (await mo.get(f"{DIGEST}?days=30"))[1]

    assert re.search(r'<th scope="row">Hate</th>.*<td class="number">4</td><td class="number">1</td><td>80 %, likely', html)
    assert "hate: 5 of 50 looked at" in html
    assert "data-ask" not in html


async def test_what_is_proven_is_enforced_by_an_admin_as_a_new_version(pages: PagesSite) -> None:
    await in_shadow(pages, 52, right=52)
    mo, olga = await pages.visitor("Mo"), await pages.visitor("Olga", Role.OPERATOR)
    address = f"{DIGEST}/7/enforce/hate"
    assert f'data-ask="{address}"' in (await olga.get(f"{DIGEST}?days=7"))[1]
    assert "data-ask" not in (await mo.get(f"{DIGEST}?days=7"))[1]

    assert (await answered(mo, address, sent()))[0] == 403
    status, leads, _ = await answered(olga, address, sent())

    assert (status, leads) == (303, f"{DESK}/policy/diff?old=1&new=2")
    event = pages.engine.accepted[-1]
    assert isinstance(event, ButtonPressed)
    assert (event.button, event.value, event.desk) == ("enforce", "hate", True)
    assert (await pages.policies.current(CONSOLE)).number == 2
    again, _, words = await answered(olga, address, sent())
    assert (again, words.partition(":")[0]) == (409, "This is not offered any more")
