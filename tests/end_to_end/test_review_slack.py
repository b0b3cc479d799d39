"""Reviewing in an emulated Slack as its moderators do: cards, explanations, appeals, lists, and the review desk."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.end_to_end.slack_team import PATIENCE_S, Team, picture_that_says, size_of, team_of, words_of
from tests.slack.receiving.bots import free_port

HELD: Final = "FLASHBULB-TEST-SCAM_SPAM-S3-C80"
REMOVED: Final = "FLASHBULB-TEST-HATE-S3-C95"
HOSTILE: Final = '<img src=x onerror="document.title=1"> \u202eknat eht'

Json = dict[str, Any]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A workspace in which an admin's token lets the bot delete, and whose review desk others can reach."""
    port = free_port()
    address = {"FLASHBULB_PORT": str(port), "FLASHBULB_URL": f"http://127.0.0.1:{port}"}
    async with team_of(tmp_path_factory.mktemp("review"), admin=True, **address) as made:
        await made.set_up(made.slack.moderators)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lenient_team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A workspace in which the bot may not delete what others wrote."""
    async with team_of(tmp_path_factory.mktemp("review")) as made:
        await made.set_up(made.slack.moderators)
        yield made


def rows(card: Json) -> list[list[str]]:
    """Return the labels of a message's buttons, row by row."""
    return [[each["text"]["text"] for each in block["elements"]] for block in card["blocks"] if block["type"] == "actions"]


def case_of(card: Json) -> str:
    """Return the id of a card's case, which every button carries."""
    return str(next(block["elements"][0]["value"] for block in card["blocks"] if block["type"] == "actions"))


async def card_says(team: Team, card: Json, words: str) -> Json:
    """Return a card once it says `words`; it is changed in place."""

    async def changed() -> Json | None:
        shown = [each for each in await team.said(team.slack.moderators) if each["ts"] == card["ts"]]
        return next((each for each in shown if words in words_of(each)), None)

    return await team.slack.wait_for(changed, PATIENCE_S)


async def posted(team: Team, text: str, picture: bytes | None = None, *, channel: str = "") -> Json:
    """Let Ann post something; return its card."""
    where = channel or team.slack.pics
    message = await team.slack.post(where, team.slack.ann, text, files=[("lake.jpg", picture)] if picture else [])
    return await team.card(where, message, team.slack.moderators)


async def press(team: Team, card: Json, user: str, button: str) -> None:
    await team.slack.press(team.slack.moderators, card["ts"], user, button)


async def command(team: Team, user: str, text: str, words: str) -> Json:
    """Write `/flashbulb` and return the answer, which says `words`; the same may have been answered before."""
    slack, before = team.slack, len(await team.slack.private(user))
    await slack.command(slack.moderators, user, "flashbulb", text)

    async def answers() -> list[Json]:
        return (await slack.private(user))[before:]

    return (await team.until(answers, words))[-1]


async def test_a_held_message_is_explained_to_who_asks_alone_and_restored(team: Team) -> None:
    slack = team.slack
    card = await posted(team, f"{HELD} &amp; more")
    before = len(await slack.messages(slack.moderators))
    assert rows(card) == [["Restore", "Keep removed", "Why?"], ["Wrong category"]]

    await press(team, card, slack.mo, "why")
    why = words_of(await team.told(slack.mo, "What happened"))
    assert "Scam or spam: severe, 80% sure. It opens hold (severity 2, confidence 0.7)" in why
    assert "That is version 0 of the policy, which holds now." in why
    assert "The message was taken out of the channel." in why
    assert f"{HELD} & more" in why
    assert len(await slack.messages(slack.moderators)) == before

    await press(team, card, slack.mo, "restore")
    decided = await card_says(team, card, "Restored by mo")
    [back] = await team.until(lambda: team.said(slack.pics), HELD)
    await team.told(slack.ann, "put it back")

    assert "ann wrote this. A moderator put it back." in back["text"]
    assert rows(decided) == [["Undo", "Why?"]]


async def test_an_appeal_is_decided_by_another_moderator_and_brings_the_message_back(team: Team) -> None:
    slack = team.slack
    bad = picture_that_says(REMOVED, 21)
    card = await posted(team, "at the lake", bad)
    case = case_of(card)
    await press(team, card, slack.mo, "keep")
    await card_says(team, card, "Kept removed by mo")

    notice = await team.told(slack.ann, f"Case {case}")
    await slack.press(notice["channel"], notice["ts"], slack.ann, "appeal")
    form = await slack.wait_for(lambda: slack.form(slack.ann), PATIENCE_S)
    await slack.submit(slack.ann, form["id"], {"text": f"It is a joke. {HOSTILE}"})
    await team.told(slack.ann, "Thank you. Another moderator looks at it")
    appealed = await card_says(team, card, "Its author appeals: another moderator than mo decides")
    assert rows(appealed)[0] == ["Grant the appeal", "Deny the appeal", "Why?"]
    assert '<img src=x onerror="document.title=1"> knat eht' in words_of(appealed).replace('\\"', '"')
    await team.until(lambda: team.said(slack.moderators), "An appeal waits")

    await press(team, card, slack.mo, "overturn")
    await team.told(slack.mo, "You have decided about this message before.")
    await press(team, card, slack.olga, "overturn")
    granted = await card_says(team, card, "The appeal was granted by olga")
    [back] = await team.until(lambda: team.said(slack.pics), "at the lake")
    await team.told(slack.ann, "your appeal was granted")

    assert rows(granted) == [["Why?"]]
    assert {"type": "text", "text": "ann", "style": {"bold": True}} in back["blocks"][0]["elements"][0]["elements"]
    assert "wrote this. A moderator put it back." in words_of(back)
    [file] = back["files"]
    assert (file["name"], file["alt_txt"]) == ("lake.jpg", "A file that ann posted without a description.")
    sent = [content for call in slack.calls for name, content in call.files if name == "lake.jpg"]
    assert (sent, size_of(sent[0])) == ([bad], (1000, 750))

    await slack.press(notice["channel"], notice["ts"], slack.ann, "appeal")
    await team.told(slack.ann, "This was looked at again already.")


async def test_an_appeal_that_says_nothing_changes_nothing(team: Team) -> None:
    slack = team.slack
    card = await posted(team, f"{REMOVED} once")
    notice = await team.told(slack.ann, f"Case {case_of(card)}")
    await slack.press(notice["channel"], notice["ts"], slack.ann, "appeal")
    form = await slack.wait_for(lambda: slack.form(slack.ann), PATIENCE_S)

    await slack.submit(slack.ann, form["id"], {"text": "   "})
    await team.told(slack.ann, "Write why it should be looked at again.")

    [now] = await team.until(lambda: team.said(slack.moderators), case_of(card))
    assert rows(now) == rows(card)


async def test_where_nothing_can_be_taken_out_a_case_is_found_to_be_fine_or_not(lenient_team: Team) -> None:
    team, slack = lenient_team, lenient_team.slack
    card = await posted(team, f"{REMOVED} stands")
    assert rows(card)[0] == ["It is fine", "It is not fine", "Why?"]

    await press(team, card, slack.mo, "keep")
    decided = await card_says(team, card, "Found not to be fine by mo")
    assert rows(decided) == [["Undo", "Why?"]]
    await press(team, card, slack.olga, "undo")
    await team.told(slack.olga, "Only who decided this takes it back.")
    await press(team, card, slack.mo, "undo")
    await card_says(team, card, "Waits for a decision")
    await press(team, card, slack.olga, "dismiss")

    await card_says(team, card, "Found to be fine by olga")


async def test_cases_are_listed_and_shown_to_moderators_alone(team: Team) -> None:
    slack = team.slack
    card = await posted(team, f"{HELD} {HOSTILE.replace('<', '&lt;').replace('>', '&gt;')}")
    case = case_of(card)

    listed = await command(team, slack.mo, "cases", "Cases that wait")
    shown = await command(team, slack.mo, f"case {case}", "The message says:")
    await command(team, slack.mo, "case zzzzzzzzzzzz", "There is no such case here (any more).")
    await slack.command(slack.general, slack.ann, "flashbulb", "cases")
    await team.told(slack.ann, "Only moderators see cases.")

    assert case in words_of(listed)
    assert f"/desk/slack/{slack.team}/cases" in words_of(listed)
    assert f"/desk/slack/{slack.team}/cases/{case}" in words_of(shown)
    assert "onerror" in words_of(shown)
    assert "\u202e" not in words_of(shown)
    assert "&lt;img" in shown["text"]


@pytest_asyncio.fixture(loop_scope="module")
async def windows(browser: Browser, team: Team) -> AsyncIterator[Callable[[str], Any]]:
    """Open the review desk for people of the workspace, each in a window of their own, through `/flashbulb dashboard`."""
    opened: list[BrowserContext] = []

    async def open_for(user: str) -> Page:
        told = await command(team, user, "dashboard", "Your link to the review desk")
        link = next(word for word in words_of(told).split('"') if word.startswith("http") and "/enter" in word)
        address = urlsplit(link)
        opened.append(await browser.new_context(base_url=f"{address.scheme}://{address.netloc}", reduced_motion="reduce"))
        page = await opened[-1].new_page()
        await page.goto(link)
        await page.get_by_role("button", name="Open the console").click()
        await page.wait_for_url("**/desk/**")
        return page

    yield open_for
    for each in opened:
        await each.close()


@pytest.mark.browser
async def test_a_case_of_slack_is_decided_at_the_desk_and_the_card_tells(team: Team, windows: Callable[[str], Any]) -> None:
    slack = team.slack
    card = await posted(team, f"{HELD} for the desk")
    mo = await windows(slack.mo)
    assert urlsplit(mo.url).path == f"/desk/slack/{slack.team}/cases"
    shown = mo.locator(f"#case-{case_of(card)}")
    await expect(shown).to_contain_text("ann")

    await shown.get_by_role("button", name="Restore").click()
    decided = await card_says(team, card, "Restored by mo")
    await expect(shown).to_contain_text("Restored by mo")
    await team.until(lambda: team.said(slack.pics), "for the desk")

    assert rows(decided) == [["Undo", "Why?"]]
    for elsewhere in ("slack/TOTHER", "console/console"):
        answer = await mo.goto(f"/desk/{elsewhere}/cases")
        assert answer is not None
        assert answer.status == 404
    await mo.goto("/channels/general")
    assert urlsplit(mo.url).path == f"/desk/slack/{slack.team}/cases"


@pytest.mark.browser
async def test_who_is_no_moderator_any_more_is_signed_out(team: Team, windows: Callable[[str], Any]) -> None:
    slack = team.slack
    mo, olga = await windows(slack.mo), await windows(slack.olga)
    await slack.leave(slack.moderators, slack.mo)
    await team.bot.stop()
    await team.bot.start()  # the role of somebody is asked for once a minute, and again after a start

    await mo.goto(f"/desk/slack/{slack.team}/cases")
    await olga.goto(f"/desk/slack/{slack.team}/cases")
    await slack.join(slack.moderators, slack.mo)

    assert urlsplit(mo.url).path == "/enter"
    assert urlsplit(olga.url).path == f"/desk/slack/{slack.team}/cases"
    await mo.goto(f"/desk/slack/{slack.team}/cases")
    assert urlsplit(mo.url).path == "/enter"
