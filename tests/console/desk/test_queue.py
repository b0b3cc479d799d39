"""The queue: who sees it, what it shows and in which order, and how it is narrowed down."""

import re
from urllib.parse import urlencode

import pytest

from handlers.events import MessagePosted, Person, Place, Role
from handlers.ports.cases import Case
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.console.desk.serving import CONSOLE, DESK, DeskSite, a_finding, a_photo, a_verdict
from tests.console.elsewhere import MIA, SLACK

EVE = Person(id="eve", name="Eve")
KIM = Person(id="kim", name="Kim", role=Role.MODERATOR)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def shown(html: str) -> list[str]:
    """Return the ids of the cases of a page, in their order."""
    return re.findall(r'<li class="case[^>]* data-case="(\w+)"', html)


async def ids(site: DeskSite, **query: str) -> list[str]:
    mo = await site.visitor("Mo")
    status, html = await mo.get(f"{DESK}/cases?{urlencode(query)}")
    assert status == 200
    return shown(html)


@pytest.mark.parametrize(("role", "status"), [(Role.MEMBER, 403), (Role.MODERATOR, 200), (Role.OPERATOR, 200)])
async def test_only_who_decides_cases_sees_the_queue(site: DeskSite, role: Role, status: int) -> None:
    visitor = await site.visitor("Somebody", role)

    assert (await visitor.get(f"{DESK}/cases"))[0] == status
    assert (await visitor.get(f"{DESK}/parts/cases"))[0] == status


async def test_nobody_sees_the_cases_of_another_workspace(site: DeskSite) -> None:
    case = await site.open("secret words")
    there = Place(platform=SLACK.platform, workspace=SLACK.workspace, channel="general")
    posted = MessagePosted(key="slack:m1", place=there, author=MIA, message="m1", text="words of theirs")
    theirs = await site.cases.open(posted, a_verdict(), action=Action.HOLD, shadow=False)
    mo = await site.visitor("Mo")

    for path in (f"/desk/{SLACK.platform}/{SLACK.workspace}/cases", f"/desk/slack/T1/cases/{case.id}"):
        assert (await mo.get(path))[0] == 404
    olga = await site.visitor("Olga", Role.OPERATOR)
    assert shown((await olga.get("/desk/slack/T1/cases"))[1]) == [theirs.id]
    assert (await olga.get(f"/desk/slack/T1/cases/{case.id}"))[0] == 404  # hers to open, but it is none of its cases
    _, ours = await olga.get(f"{DESK}/cases")
    assert shown(ours) == [case.id]
    assert f"authors/{MIA.id}" not in ours


async def test_what_is_urgent_comes_first_and_then_the_oldest(site: DeskSite) -> None:
    old, new = await site.open(), await site.open()
    urgent = await site.open(verdict=a_verdict(decision="unknown", urgent=True))

    assert await ids(site) == [urgent.id, old.id, new.id]


async def test_a_card_says_what_was_found_in_whose_message(site: DeskSite) -> None:
    await site.open(author=EVE, verdict=a_verdict(a_finding(Category.HATE, 4, evidence="so vile")))
    mo = await site.visitor("Mo")

    _, html = await mo.get(f"{DESK}/cases")

    for words in ("Held", "Eve", "#<bdi>general</bdi>", "Hate: critical", "so vile", "Restore", "Keep removed"):
        assert words in html


async def test_what_others_wrote_is_shown_as_text(site: DeskSite) -> None:
    author = Person(id=HOSTILE, name=HOSTILE)
    verdict = a_verdict(a_finding(evidence=HOSTILE), reasons=(HOSTILE,))
    case = await site.open(HOSTILE, author=author, files=[(f"{HOSTILE}.jpg", a_photo())], verdict=verdict)
    await site.cases.decide(CONSOLE, case.id, decision="kept", by=KIM, event="d")
    await site.cases.appeal(CONSOLE, case.id, text=HOSTILE, by=author, event="a")
    mo = await site.visitor("Mo")

    for path in (f"{DESK}/cases", f"{DESK}/cases/{case.id}", f"{DESK}/cases?{urlencode({'author': HOSTILE})}"):
        status, html = await mo.get(path)
        assert status == 200
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;" in html
    assert 'href="authors/%22%3E%3Cscript%3E' in (await mo.get(f"{DESK}/cases"))[1]


async def test_a_page_has_25_cases_and_the_next_one_goes_on_after_them(site: DeskSite) -> None:
    opened = [(await site.open()).id for _ in range(30)]
    mo = await site.visitor("Mo")

    _, first = await mo.get(f"{DESK}/cases")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    _, second = await mo.get(f"{DESK}/cases{following[1].replace('&amp;', '&')}")

    assert shown(first) == opened[:25]
    assert shown(second) == opened[25:]
    assert 'rel="next"' not in second
    assert "First page" in second
    assert (await mo.get(f"{DESK}/cases?after=nonsense"))[0] == 422


async def opened_of_each_kind(site: DeskSite) -> dict[str, Case]:
    kinds = {
        "waiting": await site.open(),
        "flagged": await site.open(action=Action.FLAG, author=EVE, verdict=a_verdict(a_finding(Category.SCAM_SPAM))),
        "shadow": await site.open(shadow=True),
        "decided": await site.open(),
        "appealed": await site.open(author=EVE),
    }
    for kind in ("decided", "appealed"):
        await site.cases.decide(CONSOLE, kinds[kind].id, decision="kept", by=KIM, event=f"d:{kind}")
    await site.cases.appeal(CONSOLE, kinds["appealed"].id, text="It was a joke.", by=EVE, event="a")
    return kinds


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        pytest.param({}, {"waiting", "flagged", "shadow", "appealed"}, id="waiting-unless-something-else-is-asked"),
        pytest.param({"show": "no such tab"}, {"waiting", "flagged", "shadow", "appealed"}, id="an-unknown-tab"),
        pytest.param({"show": "appealed"}, {"appealed"}, id="appealed"),
        pytest.param({"show": "shadow"}, {"shadow"}, id="shadow"),
        pytest.param({"show": "decided"}, {"decided"}, id="decided"),
        pytest.param({"category": "scam_spam"}, {"flagged"}, id="category"),
        pytest.param({"action": "flag"}, {"flagged"}, id="action"),
        pytest.param({"author": "eve"}, {"flagged", "appealed"}, id="author"),
        pytest.param({"channel": "general", "author": "eve", "show": "appealed"}, {"appealed"}, id="several-at-once"),
        pytest.param({"channel": "elsewhere"}, set(), id="channel"),
        pytest.param({"show": "decided", "reviewer": "kim"}, {"decided"}, id="reviewer"),
        pytest.param({"show": "decided", "reviewer": "mo"}, set(), id="another-reviewer"),
    ],
)
async def test_the_address_says_which_cases_are_shown(site: DeskSite, query: dict[str, str], kinds: set[str]) -> None:
    opened = await opened_of_each_kind(site)

    assert set(await ids(site, **query)) == {opened[kind].id for kind in kinds}


async def test_the_tabs_count_what_waits(site: DeskSite) -> None:
    await opened_of_each_kind(site)
    mo = await site.visitor("Mo")

    _, html = await mo.get(f"{DESK}/cases")

    assert re.findall(r'data-count="(\w+)">(\d+)', html) == [("waiting", "4"), ("appealed", "1")]


async def test_the_side_bar_says_how_many_wait(site: DeskSite) -> None:
    mo = await site.visitor("Mo")
    assert 'class="unread"' not in (await mo.get(f"{DESK}/cases"))[1]

    for _ in range(2):
        await site.open()

    assert '<span class="unread">2<span class="say"> waiting</span></span>' in (await mo.get(f"{DESK}/cases"))[1]


async def test_an_empty_queue_says_how_cases_come(site: DeskSite) -> None:
    mo = await site.visitor("Mo")

    assert "Cases come here by themselves" in (await mo.get(f"{DESK}/cases"))[1]
    assert "No case fits." in (await mo.get(f"{DESK}/cases?author=nobody"))[1]


async def test_finding_leads_to_a_case_or_to_what_somebody_wrote(site: DeskSite) -> None:
    case = await site.open()
    mo = await site.visitor("Mo")

    for words, goal in ((case.id.upper(), f"{DESK}/cases/{case.id}"), ("eve", f"{DESK}/cases?show=waiting&author=eve")):
        async with mo.session.get(f"{DESK}/cases?find={words}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, goal)


async def test_removed_messages_of_the_author_are_counted_once_for_all_cards(site: DeskSite) -> None:
    removed = a_verdict(action=Action.REMOVE, enforced=Action.REMOVE)
    await site.open(author=EVE, verdict=removed, action=Action.REMOVE)
    await site.open(author=EVE)
    mo = await site.visitor("Mo")

    assert (await mo.get(f"{DESK}/cases"))[1].count("1 removed of late") == 2


async def test_a_card_says_who_looks_at_the_case(site: DeskSite) -> None:
    case = await site.open()
    ayse, mo = await site.visitor("Ayse"), await site.visitor("Mo")

    await ayse.post(f"{DESK}/cases/{case.id}/claim")
    assert "<bdi>Ayse</bdi> looks at it" in (await mo.get(f"{DESK}/cases"))[1]
    await ayse.post(f"{DESK}/cases/{case.id}/release")
    assert "looks at it" not in (await mo.get(f"{DESK}/cases"))[1]
