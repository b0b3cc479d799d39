"""Making in an emulated Slack, by the real bot without any key: what a new member wishes for, gets, changes and deletes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import av
import pytest
import pytest_asyncio
from PIL import Image

from bench.scenes import photo
from tests.end_to_end.slack_team import PATIENCE_S, Team, size_of, team_of, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]

# A person thinks for longer than that before the next wish; a test does not.
AT_ONCE = "[budget]\ncool_down_s = 0\n"
REFUSED = "FLASHBULB-TEST-HATE-S3-C95"


@dataclass(frozen=True, slots=True)
class Studio:
    """A workspace in which Eve, who is new, has things made."""

    team: Team
    eve: str

    async def imagine(self, channel: str, words: str) -> Json:
        """Wish for something; return the answer, once it is made."""
        await self.team.slack.command(channel, self.eve, "imagine", words)
        return await self.made(lambda: self.team.said(channel), words.partition(" --")[0])

    async def made(self, said: Callable[[], Awaitable[list[Json]]], words: str = "") -> Json:
        """Return the answer among `said` that is about `words`, once that can be deleted: all of it is made then."""

        async def whole() -> list[Json]:
            found = await said()
            return [each for each in found if words in words_of(each) and "wish_delete" in buttons_of(each)]

        [answer] = await self.team.slack.wait_for(whole, PATIENCE_S)
        return answer

    async def below(self, channel: str, message: str, *, after: int = 0) -> Json:
        """Return the answer in the thread below a message, once it is made. `after`: so many have been there before."""

        async def answers() -> list[Json]:
            said = await self.team.said(channel, thread=message)
            return [each for each in said if each["ts"] != message and not each.get("files")][after:]

        return await self.made(answers)

    async def press(self, channel: str, answer: Json, button: str) -> None:
        await self.team.slack.press(channel, answer["ts"], self.eve, button)

    async def fills(self, **values: str) -> Json:
        """Fill in the form that opens for Eve; return it."""
        form = await self.team.slack.wait_for(lambda: self.team.slack.form(self.eve), PATIENCE_S)
        await self.team.slack.submit(self.eve, form["id"], values)
        return form

    async def file(self, id: str) -> Json | None:
        """Return what Slack tells of a file, None when it is deleted."""
        async with self._asking() as client, client.get("files.info", params={"file": id}) as answer:
            return (await answer.json()).get("file")

    async def picture(self, answer: Json) -> bytes:
        """Return the only picture that an answer shows."""
        [block] = pictures_of(answer)
        return await self.bytes_of(await self.file(block["slack_file"]["id"]))

    async def bytes_of(self, file: Json) -> bytes:
        async with self._asking() as client, client.get(file["url_private_download"]) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def shared_below(self, channel: str, message: str) -> Json:
        """Return the only file that was shared in a thread, once it is there."""

        async def files() -> list[Json]:
            return [file for each in await self.team.said(channel, thread=message) for file in each.get("files", ())]

        [file] = await self.team.slack.wait_for(files, PATIENCE_S)
        return file

    def _asking(self) -> aiohttp.ClientSession:
        slack = self.team.slack
        return aiohttp.ClientSession(slack.api_url, headers={"Authorization": f"Bearer {slack.bot_token}"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    folder = tmp_path_factory.mktemp("making")
    (folder / "data").mkdir()
    (folder / "data" / "flashbulb.toml").write_text(AT_ONCE)
    async with team_of(folder, keyless=True) as team:
        slack = team.slack
        yield Studio(team, await slack.add_user("UEVE", "eve"))


@pytest_asyncio.fixture(loop_scope="module")
async def channel(studio: Studio) -> str:
    """Return a channel of the test's own, with everybody in it."""
    slack = studio.team.slack
    return await slack.add_channel(f"CMADE{len(slack.workspace.channels)}")


def buttons_of(message: Json) -> list[str]:
    return [each["action_id"] for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]


def pictures_of(message: Json) -> list[Json]:
    return [block for block in message["blocks"] if block["type"] == "image"]


def seconds_of(data: bytes) -> float:
    with av.open(BytesIO(data)) as opened:
        return opened.duration / av.time_base


async def test_a_wish_is_answered_at_once_and_its_picture_comes_in_place_of_that(studio: Studio, channel: str) -> None:
    slack, words = studio.team.slack, "a lighthouse by the sea at sunset"

    answer = await studio.imagine(channel, f"{words} --ar 16:9 --seed 7")

    [posted] = [call for call in slack.calls if call.method == "chat.postMessage" and call.arguments["channel"] == channel]
    assert "wish_cancel" in str(posted.arguments["blocks"])
    assert [each["ts"] for each in await slack.messages(channel)] == [answer["ts"]]
    [shown] = pictures_of(answer)
    assert "understudy: no model" in shown["alt_text"]
    assert "seed 7" in answer["text"]
    wide, high = size_of(await studio.picture(answer))
    assert abs(wide / high - 16 / 9) < 0.03
    assert (await studio.file(shown["slack_file"]["id"]))["alt_txt"] == shown["alt_text"]


async def test_it_is_varied_and_made_larger_in_its_thread(studio: Studio, channel: str) -> None:
    answer = await studio.imagine(channel, "a fox in the snow")
    await studio.press(channel, answer, "wish_vary_subtle")
    varied = await studio.below(channel, answer["ts"])
    await studio.press(channel, answer, "wish_upscale")
    larger = await studio.below(channel, answer["ts"], after=1)

    before, variation, enlarged = [await studio.picture(each) for each in (answer, varied, larger)]
    assert before != variation
    assert size_of(variation) == size_of(before)
    assert size_of(enlarged) == tuple(2 * side for side in size_of(before))
    assert all(pictures_of(each)[0]["alt_text"] for each in (varied, larger))


async def test_its_background_is_taken_away(studio: Studio, channel: str) -> None:
    answer = await studio.imagine(channel, "a kettle on a table")
    await studio.press(channel, answer, "wish_cutout")
    cut_out = await studio.below(channel, answer["ts"])

    with Image.open(BytesIO(await studio.picture(cut_out))) as picture:
        assert picture.getchannel("A").getextrema() == (0, 255)
    assert pictures_of(cut_out)[0]["alt_text"]


async def test_somebodys_photo_is_remixed_from_its_menu(studio: Studio, channel: str) -> None:
    slack = studio.team.slack
    message = await slack.post(channel, slack.ann, "my lake", files=[("lake.jpg", photo(1, 1200, 800))])
    await studio.team.heard()

    await slack.shortcut(channel, studio.eve, message, "remix_message")
    form = await studio.fills(do="restyle", change="as a watercolour", strength="medium")
    answer = await studio.below(channel, message)

    assert form["title"]["text"] == "Remix image"
    assert "as a watercolour" in answer["text"]
    wide, high = size_of(await studio.picture(answer))
    assert abs(wide / high - 3 / 2) < 0.03
    assert pictures_of(answer)[0]["alt_text"]


async def test_a_mention_in_a_thread_remixes_the_photo_at_its_root(studio: Studio, channel: str) -> None:
    slack = studio.team.slack
    message = await slack.post(channel, slack.bob, "my garden", files=[("garden.jpg", photo(2, 900, 900))])
    await slack.post(channel, studio.eve, f"<@{slack.bot}> remix as ink", thread=message)

    answer = await studio.below(channel, message)

    assert "as ink" in answer["text"]
    assert await studio.picture(answer)


async def test_a_picture_begins_to_move_in_a_clip_below_it(studio: Studio, channel: str) -> None:
    answer = await studio.imagine(channel, "waves on a beach")
    await studio.press(channel, answer, "wish_animate")

    clip = await studio.shared_below(channel, answer["ts"])
    said = await studio.below(channel, answer["ts"])

    assert clip["mimetype"] == "video/mp4"
    assert seconds_of(await studio.bytes_of(clip)) > 1
    assert clip["alt_txt"]
    assert said["text"].startswith("Animated · ")


async def test_what_was_spoken_is_deleted_with_its_file(studio: Studio, channel: str) -> None:
    slack = studio.team.slack
    spoken = await studio.imagine(channel, "Good evening, everybody! --kind voice")
    sound = await studio.shared_below(channel, spoken["ts"])
    length_s = seconds_of(await studio.bytes_of(sound))
    pictured = await studio.imagine(channel, "a rose")
    [picture] = pictures_of(pictured)

    for answer in (spoken, pictured):
        await slack.press(channel, answer["ts"], slack.ann, "wish_delete")

    async def is_refused_twice() -> bool:
        return sum("Only who asked for this" in words_of(each) for each in await slack.private(slack.ann)) == 2

    await slack.wait_for(is_refused_twice, PATIENCE_S)
    stood = await slack.messages(channel)
    for answer in (spoken, pictured):
        await studio.press(channel, answer, "wish_delete")

    async def is_empty() -> bool:
        return await slack.messages(channel) == []

    await slack.wait_for(is_empty, PATIENCE_S)
    assert length_s > 0.2
    assert {spoken["ts"], pictured["ts"]} < {each["ts"] for each in stood}
    assert [await studio.file(id) for id in (sound["id"], picture["slack_file"]["id"])] == [None, None]


async def test_its_prompt_is_changed_in_a_form(studio: Studio, channel: str) -> None:
    answer = await studio.imagine(channel, "a tree in autumn")
    await studio.press(channel, answer, "wish_prompt")
    form = await studio.fills(prompt="a tree in winter, deep snow")

    changed = await studio.below(channel, answer["ts"])

    assert form["blocks"][0]["element"]["initial_value"] == "a tree in autumn"
    assert "a tree in winter, deep snow" in changed["text"]
    assert await studio.picture(changed) != await studio.picture(answer)


async def test_a_refused_wish_costs_nothing_and_what_is_spent_is_shown(studio: Studio, channel: str) -> None:
    slack = studio.team.slack
    before = await _spent(studio)
    await slack.command(channel, studio.eve, "imagine", f"a poster that says {REFUSED}")
    refused = await studio.team.told(studio.eve, "The rules here do not allow it (hate).")
    unchanged = await _spent(studio)
    await studio.imagine(channel, "a poster of a cat")
    after = await _spent(studio)

    assert REFUSED not in words_of(refused)
    assert unchanged["text"] == before["text"] != after["text"]
    [chart] = pictures_of(after)
    assert "Bars for 30 days" in chart["alt_text"]
    assert size_of(await studio.picture(after))[0] > 300


async def test_its_buttons_work_after_a_restart(studio: Studio, channel: str) -> None:
    answer = await studio.imagine(channel, "a city at night")
    await studio.team.bot.stop()
    await studio.team.bot.start()
    await studio.press(channel, answer, "wish_reroll")

    again = await studio.below(channel, answer["ts"])

    assert await studio.picture(again) != await studio.picture(answer)


async def _spent(studio: Studio) -> Json:
    """Ask what was spent; return the answer."""
    slack = studio.team.slack

    async def charts() -> list[Json]:
        return [each for each in await slack.private(studio.eve) if "blocks" in each and pictures_of(each)]

    before = len(await charts())
    await slack.command(slack.general, studio.eve, "flashbulb", "usage")

    async def answers() -> list[Json]:
        return (await charts())[before:]

    [answer] = await slack.wait_for(answers, PATIENCE_S)
    return answer
