"""What taking a message out of an emulated Slack leaves alone: whatever nobody could put back, and what is somebody else's."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.scenes import photo
from tests.end_to_end.slack_team import Team, keys_of, picture_that_says, team_of, words_of

BAD = "FLASHBULB-TEST-HATE-S3-C95"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A workspace in which an admin's token lets the bot delete."""
    async with team_of(tmp_path_factory.mktemp("bot"), admin=True) as made:
        await made.set_up(made.slack.moderators)
        yield made


async def is_there(team: Team, file: str) -> bool:
    return (await team.slack.file(file))["mode"] != "tombstone"


async def files_of(team: Team, channel: str, message: str) -> list[str]:
    return [file["id"] for each in await team.slack.messages(channel) if each["ts"] == message for file in each["files"]]


async def test_a_harmless_canvas_is_read_and_stays(team: Team) -> None:
    slack = team.slack
    slack.fault("canvas", times=1)
    message = await slack.post(slack.general, slack.ann, "notes", files=[("notes", b"<html><body>Agenda: lunch</body></html>")])
    bad = await slack.post(slack.general, slack.bob, f"{BAD} after it")
    await slack.wait_for(lambda: team.questions("Agenda: lunch"))
    await team.card(slack.general, bad, slack.moderators)

    stands = [each["ts"] for each in await slack.messages(slack.general)]
    assert message in stands
    assert not [said for said in await team.said(slack.moderators) if f":{message}:" in keys_of(said)]


async def test_a_canvas_outlives_its_message_and_comes_back_with_it(team: Team) -> None:
    slack = team.slack
    slack.fault("canvas", times=1)
    page = f"<html><body>{BAD}</body></html>".encode()
    message = await slack.post(slack.pics, slack.ann, "my notes", files=[("notes", page)])
    [canvas] = await files_of(team, slack.pics, message)

    card = await team.card(slack.pics, message, slack.moderators)
    gone = message not in [each["ts"] for each in await slack.messages(slack.pics)]
    await slack.press(slack.moderators, card["ts"], slack.mo, "restore")
    [back] = await team.until(lambda: team.said(slack.pics), "my notes")

    assert gone
    assert "Files that stay in Slack: 1 written in Slack itself" in words_of(card)
    assert await is_there(team, canvas)
    assert f"/{canvas}/" in words_of(back)
    assert "Not brought back" not in words_of(back)


async def test_what_cannot_be_read_is_held_and_not_lost(team: Team) -> None:
    slack = team.slack
    slack.fault("login_page", times=2)  # for the judging, and for the copy
    message = await slack.post(slack.pics, slack.ann, "at the lake", files=[("lake.jpg", photo(2, 400, 300))])
    [lake] = await files_of(team, slack.pics, message)

    card = await team.card(slack.pics, message, slack.moderators)
    await slack.press(slack.moderators, card["ts"], slack.mo, "restore")
    [back] = await team.until(lambda: team.said(slack.pics), "at the lake")

    assert "Files that stay in Slack: 1 of which no copy could be made." in words_of(card)
    assert await is_there(team, lake)
    assert f"/{lake}/" in words_of(back)


async def test_nobody_has_anothers_file_deleted(team: Team) -> None:
    slack = team.slack
    theirs = await slack.post(slack.pics, slack.ann, "the chart", files=[("chart.jpg", photo(3, 800, 600))])
    [chart] = await files_of(team, slack.pics, theirs)
    own = picture_that_says(BAD, 7)
    message = await slack.post(slack.general, slack.bob, f"{BAD} look", files=[{"id": chart}, ("mine.jpg", own)])
    mine = (await files_of(team, slack.general, message))[1]

    card = await team.card(slack.general, message, slack.moderators)
    await team.told(slack.bob, "was taken out")

    [standing] = [each for each in await slack.messages(slack.pics) if each["ts"] == theirs]
    assert [file["id"] for file in standing["files"]] == [chart]
    assert (await is_there(team, chart), await is_there(team, mine)) == (True, False)
    assert message not in [each["ts"] for each in await slack.messages(slack.general)]
    assert "Files that stay in Slack: 1 not known to be the author's own." in words_of(card)
