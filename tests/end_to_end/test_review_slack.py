"""Reviewing in an emulated Slack as its moderators do: cards, explanations, appeals, lists, and the review desk."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
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


async def test_a_held_message_is_explained_to_who_asks_alone_and_restored(team: Team) -> None:
    slack = team.slack
    card = await posted(team, f"{HELD} &amp; more")
    assert rows(card) == [["Restore", "Keep removed", "Why?"], ["Wrong category"]]

    await press(team, card, slack.mo, "why")
    why = words_of(await team.told(slack.mo, "What happened"))
    assert "Scam or spam" in why
    assert "hold" in why
    assert "version 0 of the policy" in why
    assert f"{HELD} & more" in why
    assert len(await team.said(slack.moderators)) == len(await team.said(slack.moderators))

    await press(team, card, slack.mo, "restore")
    decided = await card_says(team, card, "Restored by mo")
    [back] = await team.until(lambda: team.said(slack.pics), HELD)
    await team.told(slack.ann, "put it back")

    assert "ann" in words_of(back)
    assert rows(decided) == [["Undo", "Why?"]]
