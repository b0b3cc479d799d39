"""Insight: what the charts say, and that their tables hold the same numbers."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from bot.charts import DARK, LIGHT
from bot.console.desk.insight import Chart, charts_of, figures_of, span_in_words
from bot.storage.insight import BOUNDS_S, DayOfAsking, DayOfCases, Insight, Overturned, Reviewer, Waited
from handlers.events import Person, Role
from pipelines.ports import Call
from pipelines.rates import Rate
from tests.console.desk.pages import CONSOLE, HOSTILE, PagesSite
from tests.console.desk.serving import DESK

INSIGHT = f"{DESK}/insight"
FIRST, SECOND = date(2026, 11, 27), date(2026, 11, 28)
SEEN = Insight(
    cases=(DayOfCases(day=FIRST, done={"held": 3, "removed": 1}), DayOfCases(day=SECOND, done={"held": 1, "shadow": 1})),
    asking=(
        DayOfAsking(day=FIRST),
        DayOfAsking(day=SECOND, calls=7, median_ms=400, p95_ms=900, cost_usd=Decimal("0.05"), unpriced=2),
    ),
    overturned=(Overturned(category="hate", rate=Rate(hits=2, of=8)),),
    unknowns=(("judge_down", 4), ("partial", 1)),
    reviewers=(Reviewer(id="a", cases=5, overturned=2, appeals=1), Reviewer(id="b", cases=3)),
    waited=Waited(cases=8, median_s=90, p95_s=7_200, within=(5, 1, 2, 0, 0)),
)
NOTHING = Insight(
    cases=(DayOfCases(day=FIRST, done={}),),
    asking=(DayOfAsking(day=FIRST),),
    overturned=(),
    unknowns=(),
    reviewers=(),
    waited=Waited(),
)


def drawn(seen: Insight) -> dict[str, Chart]:
    return {each.id: each for each in charts_of(seen, {each.id: each.id.upper() for each in seen.reviewers})}


def sizes(svg: str, side: str) -> list[float]:
    """Return the widths or heights of what is drawn, without its paper and what explains the colours."""
    boxes = re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"', svg)
    return [float(box[("width", "height").index(side)]) for box in boxes if box[0] != box[1]]


def test_findings_are_said_in_words() -> None:
    charts = drawn(SEEN)

    assert {id: each.finding for id, each in charts.items()} == {
        "cases": "6 cases: 1 removed, 4 held, 1 in shadow. Most on 27 Nov: 4.",
        "overturned": "Most often overturned: hate, 2 of 8 (25%).",
        "latency": "On 28 Nov half of the questions took at most 0.40 s, and 95 % at most 0.90 s. Slowest on 28 Nov: 0.90 s.",
        "cost": "$0.050 in all. Most on 28 Nov: $0.050. Of 2 questions nobody knows the price.",
        "unknowns": "Most often: no model answered, 4 messages.",
        "waited": "Half of 8 decisions came within 1.5 min, and 95 % within 2 h.",
        "reviewers": "A decided most: 5 of 8 cases.",
    }


def test_tables_hold_the_numbers_that_are_drawn() -> None:
    charts = drawn(SEEN)

    assert charts["cases"].rows == (("2026-11-28", "0", "1", "0", "1", "0", "2"), ("2026-11-27", "1", "3", "0", "0", "0", "4"))
    removed, held, held_later, shadow = sizes(charts["cases"].draw(LIGHT), "height")
    assert held == pytest.approx(3 * removed, abs=0.05)
    assert held_later == pytest.approx(shadow) == pytest.approx(removed)
    assert charts["overturned"].rows == (("Hate", "2", "8", "25%", "7% to 59%"),)
    assert charts["latency"].rows == (("2026-11-28", "7", "0.40 s", "0.90 s"), ("2026-11-27", "0", "–", "–"))
    median, more = sizes(charts["latency"].draw(LIGHT), "height")
    assert median / (median + more) == pytest.approx(400 / 900, abs=0.01)
    assert charts["unknowns"].rows == (("No model answered", "4"), ("Not judged in full", "1"))
    most, least = sizes(charts["unknowns"].draw(LIGHT), "width")
    assert most == pytest.approx(4 * least, abs=0.1)
    assert [count for _, count in charts["waited"].rows] == ["5", "1", "2", "0", "0"]
    assert len(charts["waited"].rows) == len(BOUNDS_S) + 1
    assert charts["reviewers"].rows == (("A", "5", "2", "1"), ("B", "3", "0", "0"))


def test_the_same_data_give_the_same_picture_and_each_ground_has_its_own() -> None:
    for first, second in zip(charts_of(SEEN, {}), charts_of(SEEN, {}), strict=True):
        assert first.draw(LIGHT) == second.draw(LIGHT)
        assert DARK.paper in first.draw(DARK)
        assert DARK.paper not in first.draw(LIGHT)


def test_without_anything_each_chart_says_so() -> None:
    charts = drawn(NOTHING)

    assert charts["cases"].finding == "No case in these days."
    assert charts["cost"].finding == "Nothing was spent."
    assert charts["unknowns"].finding == "Everything could be judged."
    assert [each.rows for id, each in charts.items() if id in ("overturned", "unknowns", "reviewers")] == [(), (), ()]
    assert "No model was asked." in charts["latency"].draw(LIGHT)
    assert dict(figures_of(NOTHING)) == {
        "Cases": "0",
        "Overturned": "–",
        "Median time to a decision": "–",
        "Cost of asking models": "$0.00",
    }


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (5_400, "1.5 h"), (172_800, "2 days")])
def test_times_are_said_in_their_largest_unit(seconds: int, words: str) -> None:
    assert span_in_words(seconds) == words


async def test_the_page_shows_what_is_stored_and_its_pictures_can_be_fetched(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")
    case = await pages.open()
    await pages.cases.decide(CONSOLE, case.id, decision="restored", by=mo.who.person, event="d1")
    call = Call(model="g", outcome="ok", requests=1, input_tokens=1, output_tokens=1, cost_usd=Decimal("0.5"), latency_ms=70)
    await pages.ledger.record(CONSOLE, event="e1", task="moderation", calls=[call])

    html = (await mo.get(INSIGHT))[1]

    assert 'alt="1 case: 1 held. Most on' in html
    assert "Mo decided most: 1 of 1 case." in html
    assert f'<th scope="row">{datetime.now(UTC).date()}</th>' in html
    assert "<dd>100%</dd>" in html
    assert "<dd>$0.50</dd>" in html
    addresses = re.findall(r'(?:src|srcset)="([^"]+\.svg)"', html[html.index('class="charts"') :])
    assert len(addresses) == 2 * 6  # nothing was left unjudged
    for address in addresses:
        async with mo.session.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, "image/svg+xml")
            assert "immutable" in answer.headers["Cache-Control"]
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_pictures_are_those_of_the_workspace_and_for_moderators(pages: PagesSite) -> None:
    mo, mia, olga = await pages.visitor("Mo"), await pages.visitor("Mia", Role.MEMBER), await pages.visitor("O", Role.OPERATOR)
    html = (await mo.get(INSIGHT))[1]
    address = re.findall(r'src="([^"]+/insight/[^"]+\.svg)"', html)[0]

    assert (await mia.get(INSIGHT))[0] == (await mia.get(address))[0] == 403
    assert (await olga.get(address.replace(DESK, "/desk/slack/T1")))[0] == 404
    assert (await mo.get(f"{INSIGHT}/{'0' * 24}.svg"))[0] == 404


async def test_the_days_are_chosen_and_what_is_no_number_is_thirty(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")

    for query, rows in (("", 30), ("?days=7", 7), ("?days=x", 30), ("?days=9999", 90)):
        html = (await mo.get(f"{INSIGHT}{query}"))[1]
        cases = html[html.index('id="cases"') : html.index('id="overturned"')]
        assert cases.count('<th scope="row">') == rows, query


async def test_hostile_names_of_reviewers_are_text_on_the_page_and_in_pictures(pages: PagesSite) -> None:
    mo = await pages.visitor("Mo")
    case = await pages.open()
    await pages.cases.decide(CONSOLE, case.id, decision="kept", by=Person(id="h", name=HOSTILE), event="d1")

    html = (await mo.get(INSIGHT))[1]

    assert "<script>alert" not in html
    pictures = [(await mo.get(each))[1] for each in re.findall(r'src="([^"]+/insight/[^"]+\.svg)"', html)]
    assert not any("<script" in each or "<img" in each for each in pictures)
    assert any("&lt;script&gt;" in each for each in pictures)
