"""The page of an author."""

from handlers.events import Person, Role
from pipelines.moderation.policy import Action
from tests.console.desk.pages import CONSOLE, HOSTILE, OPERATORS, PagesSite
from tests.console.desk.serving import DESK
from tests.fakes import ADA

EVE = Person(id="eve", name="Eve")


def words(html: str) -> str:
    return " ".join(html.split())


async def test_it_shows_strikes_cases_measures_and_appeals_of_this_author_alone(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")
    removed, held = await pages.open(author=EVE, action=Action.REMOVE), await pages.open(author=EVE)
    other = await pages.open(author=ADA)
    await pages.cases.decide(CONSOLE, held.id, decision="kept", by=mo.who.person, event="d1")
    await pages.cases.measure(CONSOLE, held.id, measure="ban", by=mo.who.person, event="b1")
    await pages.cases.appeal(CONSOLE, held.id, text="I said nothing bad", by=EVE, event="a1")

    status, html = await mo.get(f"{DESK}/authors/eve")

    assert status == 200
    strikes = await pages.cases.strikes(CONSOLE, "eve", days=30, apart_from="")
    assert f"<dt>Removed within 30 days</dt><dd>{strikes}</dd>" in html
    assert "<dt>Cases</dt><dd>2</dd>" in html
    assert "<dt>Banned</dt><dd>1</dd>" in html
    assert "<dt>Appeals that wait</dt><dd>1</dd>" in html
    assert all(f"{DESK}/cases/{case.id}" in html for case in (removed, held))
    assert other.id not in html
    assert "you fool" not in html  # nothing of what was written
    assert "I said nothing bad" not in html


async def test_a_policy_without_strikes_says_so(pages: PagesSite) -> None:
    await pages.open(author=EVE)
    await pages.saved(OPERATORS.text.replace("strikes: {count: 3, days: 30, timeout_minutes: 60}", "strikes: null"))
    mo = await pages.visitor("Mo")

    assert "This policy counts none." in (await mo.get(f"{DESK}/authors/eve"))[1]


async def test_whoever_is_unknown_or_erased_is_a_sentence(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")

    status, html = await mo.get(f"{DESK}/authors/nobody%20%3Cb%3E")

    assert status == 200
    assert "No case is about somebody of this id" in words(html)
    assert "nobody &lt;b&gt;" in html
    assert "<b>" not in html


async def test_a_hostile_name_is_text(pages: PagesSite) -> None:
    await pages.open(author=Person(id="eve", name=HOSTILE))
    mo = await pages.visitor("Mo")

    html = (await mo.get(f"{DESK}/authors/eve"))[1]

    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


async def test_many_cases_come_in_pages(pages: PagesSite) -> None:
    cases = [await pages.open(author=EVE) for _ in range(52)]
    mo = await pages.visitor("Mo")

    first = (await mo.get(f"{DESK}/authors/eve"))[1]
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    last = (await mo.get(f"{DESK}/authors/eve{following}"))[1]

    assert sum(f"/cases/{case.id}" in first for case in cases) == 50
    assert sum(f"/cases/{case.id}" in last for case in cases) == 2
    assert 'rel="next"' not in last


async def test_members_see_no_author(pages: PagesSite) -> None:
    mia = await pages.visitor("Mia", Role.MEMBER)

    assert (await mia.get(f"{DESK}/authors/eve"))[0] == 403
