"""The page of a case: what it says, who looks at it, and which case comes next."""

import json
from datetime import timedelta

import pytest

from bot.console.desk.case import address_of
from bot.storage.tables import now
from handlers.events import Person, Place, Role
from handlers.ports.cases import Case
from pipelines.errors import Unavailable
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Coverage
from tests.console.chat.serving import Visitor
from tests.console.desk.serving import CONSOLE, DESK, DeskSite, a_finding, a_photo, a_verdict
from tests.fakes import ADA

KIM = Person(id="kim", name="Kim", role=Role.MODERATOR)


async def page_of(visitor: Visitor, case: Case) -> str:
    status, html = await visitor.get(f"{DESK}/cases/{case.id}")
    assert status == 200
    return html


async def after(visitor: Visitor, case: Case, query: str = "") -> str | None:
    status, answer = await visitor.get(f"{DESK}/cases/{case.id}/next{query}")
    assert status == 200
    return json.loads(answer)["id"]


async def test_a_case_shows_all_that_is_known_of_it(site: DeskSite) -> None:
    found = a_finding(Category.HATE, 4, evidence="so vile", place="file:0/frame:17", confidence=0.87)
    verdict = a_verdict(found, coverage=Coverage(judged=16, total=300), policy="abcdef0123456789", prompt="fedcba987654")
    case = await site.open("what they wrote", files=[("cat.jpg", a_photo())], verdict=verdict)
    mo = await site.visitor("Mo")

    html = await page_of(mo, case)

    for words in (
        *("Held: a message of <bdi>Ada</bdi>", "what they wrote", "cat.jpg", "#<bdi>general</bdi>"),
        *("Hate: critical", "87% certain, in file 1, frame 17", "so vile", "16 of 300 parts judged"),
        *("<code>abcdef012345</code>", "<code>fedcba987654</code>", "The case was opened: held."),
        *("Restore", "Keep removed", "Wrong category", "Allow this exact picture", "Deny near copies", "Time out", "Ban"),
    ):
        assert words in html, words


async def test_an_appeal_stands_beside_the_first_decision(site: DeskSite) -> None:
    case, mo = await site.open(), await site.visitor("Mo")
    await site.cases.decide(CONSOLE, case.id, decision="kept", by=KIM, event="d")
    await site.cases.appeal(CONSOLE, case.id, text="It was a quote.", by=ADA, event="a")

    html = await page_of(mo, case)

    assert "Kim kept the message removed." in html
    assert "It was a quote." in html
    assert "Grant the appeal" in html
    assert 'data-press="restore"' not in html


async def test_other_cases_of_the_author_are_linked(site: DeskSite) -> None:
    earlier = await site.open(verdict=a_verdict(action=Action.REMOVE, enforced=Action.REMOVE), action=Action.REMOVE)
    case, foreign = await site.open(), await site.open(author=KIM)
    mo = await site.visitor("Mo")

    html = await page_of(mo, case)

    assert f'href="{DESK}/cases/{earlier.id}"' in html
    assert f'href="{DESK}/cases/{foreign.id}"' not in html
    assert f'href="{DESK}/authors/ada"' in html
    assert "1 message was removed of late" in html


async def test_whoever_wrote_it_is_told_that_somebody_else_decides(site: DeskSite) -> None:
    mo = await site.visitor("Mo")

    assert "a message of your own" in await page_of(mo, await site.open(author=mo.who.person))
    assert "a message of your own" not in await page_of(mo, await site.open())


async def test_a_platform_that_does_not_answer_leaves_the_rest_to_be_read(
    site: DeskSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, mo = await site.open(files=[("cat.jpg", a_photo())]), await site.visitor("Mo")

    async def silent(*_: object) -> None:
        raise Unavailable("Slack")

    monkeypatch.setattr(site.channels, "taken_out", silent)
    html = await page_of(mo, case)
    status, _ = await mo.get(f"{DESK}/cases/{case.id}/pictures/0/blurred")

    assert "Harassment: severe" in html
    assert "What the message says cannot be shown now" in html
    assert status == 503


async def test_an_erased_case_is_not_there(site: DeskSite) -> None:
    mo = await site.visitor("Mo")

    for path in ("cases/nothing", "parts/cases/nothing"):
        assert (await mo.get(f"{DESK}/{path}"))[0] == 404


async def test_cases_follow_each_other_as_in_the_queue(site: DeskSite) -> None:
    first, second, third = [await site.open() for _ in range(3)]
    mo = await site.visitor("Mo")

    assert [await after(mo, case) for case in (first, second, third)] == [second.id, third.id, first.id]
    assert [await after(mo, case, "?back") for case in (first, second, third)] == [None, first.id, second.id]


async def test_from_a_decided_case_the_first_that_waits_comes_next(site: DeskSite) -> None:
    first, second = await site.open(), await site.open()
    mo = await site.visitor("Mo")
    await site.cases.decide(CONSOLE, second.id, decision="kept", by=KIM, event="d1")

    assert await after(mo, second) == first.id
    await site.cases.decide(CONSOLE, first.id, decision="kept", by=KIM, event="d2")
    assert await after(mo, second) is None


async def test_the_first_who_looks_holds_a_case_for_ten_minutes(site: DeskSite) -> None:
    case, other = await site.open(), await site.open()
    mo, ayse = await site.visitor("Mo"), await site.visitor("Ayse")

    assert json.loads((await ayse.post(f"{DESK}/cases/{case.id}/claim"))[1]) == {"mine": True, "by": "Ayse"}
    assert json.loads((await mo.post(f"{DESK}/cases/{case.id}/claim"))[1]) == {"mine": False, "by": "Ayse"}
    until = (await site.find(case)).claimed_until
    assert until
    assert timedelta(minutes=9) < until - now() <= timedelta(minutes=10)
    assert await after(mo, other) is None
    assert "<b><bdi>Ayse</bdi></b> looks at it" in await page_of(mo, case)
    assert "looks at it" not in await page_of(ayse, case)
    await mo.post(f"{DESK}/cases/{case.id}/release")
    assert (await site.find(case)).claimed_by == ayse.who.person.id
    await ayse.post(f"{DESK}/cases/{case.id}/release")
    assert await after(mo, other) == case.id


@pytest.mark.parametrize(
    ("platform", "address"),
    [
        ("console", "/channels/C1#m-m1"),
        ("discord", "https://discord.com/channels/W1/C1/m1"),
        ("slack", "https://slack.com/app_redirect?team=W1&channel=C1"),
        ("test", None),
    ],
)
def test_a_message_has_an_address_where_its_platform_knows_one(platform: str, address: str | None) -> None:
    place = Place(platform=platform, workspace="W1", channel="C1")
    said = {"message": "m1", "author": ADA, "verdict": a_verdict(), "action": Action.HOLD, "shadow": False, "state": "open"}
    case = Case(id="c1", place=place, **said)

    found = address_of(case)

    assert (found and found[0]) == address
    assert address_of(Case(id="c1", place=place, gone=True, **said)) is None
