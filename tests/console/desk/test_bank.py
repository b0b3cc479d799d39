"""The lists: what people have allowed and denied, found and taken off again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from handlers.events import Person, Role
from pipelines.moderation.lists import Hash
from pipelines.moderation.report import Category
from tests.console.desk.pages import CONSOLE, HOSTILE, OLGA, PagesSite, answered, sent
from tests.console.desk.serving import DESK, a_finding

LISTS = f"{DESK}/lists"
OPEN_SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def a_hash(number: int, kind: str = "pdq") -> Hash:
    return Hash(kind=kind, value=f"{number:064x}")


async def put(
    pages: PagesSite,
    number: int,
    listed: str = "deny",
    *,
    reason: str = "a scam",
    by: Person = OLGA,
    kinds: Sequence[str] = ("pdq",),
) -> str:
    finding = a_finding(Category.SCAM_SPAM) if listed == "deny" else None
    hashes = [a_hash(number * 10 + at, kind) for at, kind in enumerate(kinds)]
    return await pages.banks.put(CONSOLE, listed, hashes, finding=finding, reason=reason, by=by, event=f"test:{number}")


async def shown(pages: PagesSite, query: str = "") -> list[str]:
    olga = await pages.visitor("Olga", Role.OPERATOR)
    html = (await olga.get(f"{LISTS}{query}"))[1]
    return re.findall(r"/lists/([^/\"]+)/remove", html)


async def test_an_entry_says_what_it_leads_to_and_why_and_how_many_hashes_it_has(pages: PagesSite) -> None:
    await put(pages, 1, reason="copies of case 7", kinds=("sha256", "pdq", "pdq"))
    mo = await pages.visitor("Mo")

    html = (await mo.get(LISTS))[1]

    row = re.sub(r"\s+", " ", html[html.index("<tbody>") : html.index("</tbody>")])
    for words in ("Denied", "Scam or spam, severity 3", "copies of case 7", "Olga", "For good", "near copies: 2, file: 1"):
        assert words in row, words
    assert a_hash(11).value not in html
    assert "data-ask" not in html  # moderators read


async def test_hostile_reasons_and_names_are_text(pages: PagesSite) -> None:
    await put(pages, 1, reason=HOSTILE, by=Person(id="x", name=HOSTILE))
    olga = await pages.visitor("Olga", Role.OPERATOR)

    html = (await olga.get(LISTS))[1]

    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;alert(1)") == 3  # reason, name, and what the dialog asks


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param("?list=allow", [2], id="one-list"),
        pytest.param("?category=scam_spam", [3, 1], id="one-category"),
        pytest.param("?find=CATS", [3, 2], id="words-of-the-reason"),
        pytest.param("?list=deny&find=cats", [3], id="all-that-is-named"),
        pytest.param("?find=nothing+of+it", [], id="none"),
    ],
)
async def test_the_lists_are_narrowed_down(pages: PagesSite, query: str, numbers: list[int]) -> None:
    ids = {1: await put(pages, 1), 2: await put(pages, 2, "allow", reason="cats"), 3: await put(pages, 3, reason="more Cats")}

    assert await shown(pages, query) == [ids[number] for number in numbers]


async def test_many_entries_come_in_pages_the_newest_first(pages: PagesSite) -> None:
    ids = [await put(pages, number) for number in range(51)]

    assert await shown(pages) == ids[:0:-1]
    assert await shown(pages, "?page=2") == ids[:1]
    assert await shown(pages, "?page=99") == ids[:1]
    assert await shown(pages, "?page=x") == ids[:0:-1]


async def test_an_admin_takes_an_entry_off_and_the_audit_tells_of_it(pages: PagesSite) -> None:
    entry, other = await put(pages, 1), await put(pages, 2)
    olga, fields = await pages.visitor("Olga", Role.OPERATOR), sent()

    status, leads, _ = await answered(olga, f"{LISTS}/{entry}/remove", fields)
    again, _, _ = await answered(olga, f"{LISTS}/{entry}/remove", fields)

    assert (status, leads, again) == (303, LISTS, 303)
    assert [each.entry.id for each in await pages.banks.entries(CONSOLE)] == [other]
    links = await pages.audit.since(CONSOLE, OPEN_SINCE, "unlisted")
    assert [(each.facts["entry"], each.actor) for each in links] == [(entry, olga.who.person.id)]
    gone, _, words = await answered(olga, f"{LISTS}/{entry}/remove", sent())
    assert (gone, words) == (422, "This entry is not on the list any more.")


async def test_a_moderator_takes_nothing_off(pages: PagesSite) -> None:
    entry = await put(pages, 1)
    mo = await pages.visitor("Mo")

    assert (await answered(mo, f"{LISTS}/{entry}/remove", sent()))[0] == 403
    assert len(await pages.banks.entries(CONSOLE)) == 1
