"""A picture goes from its channel on Slack, with its message or without, and with it what was made of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.scenes import photo
from emulators.slack.state import TEAM_DOMAIN
from tests.end_to_end.slack_team import PATIENCE_S, team_of, words_of
from tests.end_to_end.test_making_slack import AT_ONCE, Json, Studio
from tests.end_to_end.test_making_slack import channel as channel

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """Watch the general channel alone: whatever happens here happens where nobody looks."""
    folder = tmp_path_factory.mktemp("gone")
    (folder / "data").mkdir()
    (folder / "data" / "flashbulb.toml").write_text(AT_ONCE)
    async with team_of(folder, keyless=True) as team:
        slack = team.slack
        await slack.command(slack.general, slack.olga, "flashbulb", "setup")
        form = await slack.wait_for(lambda: slack.form(slack.olga), PATIENCE_S)
        chosen = {"watched": [slack.general], "log_channel": slack.moderators, "mode": "enforce"}
        await slack.submit(slack.olga, form["id"], chosen)
        await team.until(lambda: team.said(slack.moderators), "set up")
        yield Studio(team, await slack.add_user("UEVE", "eve"))


async def files_of(studio: Studio, channel: str, ts: str) -> list[str]:
    [message] = [each for each in await studio.team.slack.messages(channel) if each["ts"] == ts]
    return [file["id"] for file in message["files"]]


async def remixed(studio: Studio, channel: str, photo: str, change: str) -> Json:
    """Have a photo remixed from its menu; return the answer in its thread."""
    await studio.team.heard()
    await studio.team.slack.shortcut(channel, studio.eve, photo, "remix_message")
    await studio.fills(do="restyle", change=change, strength="medium")
    return await studio.below(channel, photo)


async def in_general(studio: Studio, words: str) -> Json:
    """Return the answer in the general channel that is about these words, once it is made."""
    return await studio.made(lambda: studio.team.said(studio.team.slack.general), words)


async def gone(studio: Studio, *answers: tuple[str, str | None, Json]) -> None:
    """Wait until none of the answers stands in its channel and thread."""
    slack = studio.team.slack

    async def are_gone() -> bool:
        standing = [
            answer["ts"]
            for channel, thread, answer in answers
            if answer["ts"] in {each["ts"] for each in await slack.messages(channel, thread)}
        ]
        return not standing

    await slack.wait_for(are_gone, PATIENCE_S)


@pytest.mark.parametrize("deaf_to", ["", "file_deleted", "message.channels"], ids=["by-both", "by-its-message", "by-the-file"])
async def test_what_was_made_of_a_photo_goes_with_its_file_and_the_message_stays(
    studio: Studio, channel: str, deaf_to: str
) -> None:
    slack = studio.team.slack
    posted = await slack.post(channel, slack.ann, "my lake: https://lakes.example", files=[("lake.jpg", photo(1, 600, 400))])
    here = await remixed(studio, channel, posted, "as a watercolour")
    link = f"https://{TEAM_DOMAIN}.slack.com/archives/{channel}/p{posted.replace('.', '')}"
    await slack.command(slack.general, studio.eve, "remix", f"as ink {channel} {link}")
    there = await in_general(studio, f"as ink {channel}")
    await studio.press(slack.general, there, "wish_upscale")
    larger = await studio.below(slack.general, there["ts"])
    other = await studio.imagine(channel, "a heron")

    [lake] = await files_of(studio, channel, posted)
    slack.workspace.subscriptions.discard(deaf_to)
    await slack.delete_file(lake)
    await gone(studio, (channel, posted, here), (slack.general, None, there), (slack.general, there["ts"], larger))
    slack.workspace.subscriptions |= {deaf_to} - {""}

    assert {posted, other["ts"]} <= {each["ts"] for each in await slack.messages(channel)}
    assert await slack.messages(slack.moderators) == await studio.team.said(slack.moderators), "nothing was judged"


async def test_of_two_photos_only_the_one_that_goes_takes_its_remix_along(studio: Studio, channel: str) -> None:
    slack = studio.team.slack
    both = [("lake.jpg", photo(1, 600, 400)), ("pier.jpg", photo(2, 600, 400))]
    posted = await slack.post(channel, slack.ann, "", files=both)
    answer = await remixed(studio, channel, posted, "in charcoal")  # of the first one

    lake, pier = await files_of(studio, channel, posted)
    await slack.delete_file(pier)
    await studio.team.heard()
    await studio.press(channel, answer, "wish_upscale")
    larger = await studio.below(channel, posted, after=1)
    stood = {each["ts"] for each in await slack.messages(channel, posted)}
    await slack.delete_file(lake)
    await gone(studio, (channel, posted, answer), (channel, posted, larger))

    assert {answer["ts"], larger["ts"]} <= stood


@pytest.mark.parametrize("whole", [True, False], ids=["the-message", "its-only-file"])
async def test_what_was_made_and_found_out_goes_where_nobody_looks(studio: Studio, channel: str, whole: bool) -> None:
    slack, team = studio.team.slack, studio.team
    posted = await slack.post(channel, slack.ann, "", files=[("lake.jpg", photo(1, 600, 400))])
    answer = await remixed(studio, channel, posted, "as a woodcut")
    await slack.shortcut(channel, studio.eve, posted, "tag_message")
    await team.until(lambda: team.said(channel, thread=posted), "Tags for")
    place = f"/archives/{channel}/p{posted.replace('.', '')}"

    async def finds() -> bool:
        """Look for the photo by what it is tagged with; return whether it is found."""
        before = len(await slack.private(studio.eve))
        await slack.command(slack.general, studio.eve, "flashbulb", "find lake")
        said = await team.until(lambda: _told(studio, before), "found")
        return any(place in words_of(each) for each in said)

    found = await finds()
    if whole:
        await slack.delete(channel, posted)
    else:
        await slack.delete_file(*await files_of(studio, channel, posted))
    await gone(studio, (channel, posted, answer))

    assert (found, await finds()) == (True, False)


async def _told(studio: Studio, before: int) -> list[Json]:
    return (await studio.team.slack.private(studio.eve))[before:]
