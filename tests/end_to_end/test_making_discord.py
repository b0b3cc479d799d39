"""Making on Discord, end to end: what a member wishes for, gets, makes more of and takes back, from an emulated maker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import av
import pytest
import pytest_asyncio
from PIL import Image

from bench.scenes import photo
from emulators.discord import DiscordEmulator
from emulators.modelslab import Job, ModelsLabEmulator
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import SECONDS, Darkroom, darkroom, pictures_of, walk, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]

# A person thinks for longer than the cool-down before the next wish; a test does not.
CONFIG = """\
[modelslab]
max_in_flight = 2
[modelslab.prices]
fast = 0.01
[budget]
cool_down_s = 0
"""
WITH_A_PICTURE = ["Vary (subtle)", "Vary (strong)", "Upscale", "Animate", "Remove background"]


@dataclass(frozen=True, slots=True)
class Town:
    """A running bot in an emulated server that is set up, with a maker that takes two jobs at once."""

    discord: DiscordEmulator
    maker: ModelsLabEmulator
    room: Darkroom
    bot: Bot

    async def imagine(self, user: str, wish: str, **options: str) -> Json:
        """Wish for something in the general channel; return what is said there at once."""
        await self.discord.command(self.discord.general, user, "imagine", values={"wish": wish, **options})
        return await self.room.said(self.discord.general, wish)

    async def made(self, channel: str, words: str = "", *, number: int = 1) -> list[Json]:
        """Return what stands in a channel or thread about `words`, once so many of them can be deleted: those are made."""

        async def whole() -> list[Json]:
            found = [each for each in await self.room.all_said(channel, words) if "Delete" in labels_of(each)]
            return found if len(found) >= number else []

        found: list[Json] = await self.discord.wait_for(whole, SECONDS)
        assert len(found) == number
        return found

    async def cancelled(self, number: int) -> list[Json]:
        """Return the messages of cancelled wishes in the general channel, once there are so many."""

        async def all_of_them() -> list[Json]:
            found = await self.room.all_said(self.discord.general, "It was cancelled")
            return found if len(found) >= number else []

        found: list[Json] = await self.discord.wait_for(all_of_them, SECONDS)
        return found

    async def a_picture_of(self, user: str, wish: str) -> Json:
        """Wish for a picture; return the answer once it is made."""
        await self.imagine(user, wish)
        [answer] = await self.made(self.discord.general, wish)
        return answer

    async def fills(self, user: str, values: dict[str, Any]) -> Json:
        """Fill in the form that opens for somebody; return it as it was."""
        form: Json = await self.discord.wait_for(lambda: self.discord.form(user), SECONDS)
        await self.discord.submit(user, form["custom_id"], values)
        return form

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let the maker take jobs within the block, and answer only after it."""
        going = asyncio.Event()

        async def wait(_: Job) -> None:
            await going.wait()

        self.maker.on_submit_accepted = wait
        try:
            yield
        finally:
            self.maker.on_submit_accepted = None
            going.set()


def labels_of(message: Json) -> list[str]:
    return [each["label"] for each in walk(message["components"]) if "label" in each]


async def files_of(message: Json) -> list[bytes]:
    """Download what a message shows; all of it must be described for those who do not see it."""
    shown = pictures_of(message)
    assert all(len(each["description"]) > 10 for each in shown)
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        return [await (await client.get(each["media"]["url"])).read() for each in shown]


async def picture_of(message: Json) -> Image.Image:
    """Return the only picture that a message shows, decoded."""
    [data] = await files_of(message)
    return opened(data)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def frames_in(data: bytes) -> int:
    with av.open(BytesIO(data)) as clip:
        return sum(1 for _ in clip.decode(video=0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    data = tmp_path_factory.mktemp("making") / "data"
    async with darkroom() as room, Bot(data, room.environment) as bot:
        (data / "flashbulb.toml").write_text(CONFIG)
        await bot.start()
        await room.set_up(watched=(room.discord.general, room.discord.pics))
        yield Town(room.discord, room.maker, room, bot)
        await room.answered()  # whatever was asked
        await bot.stop()


async def test_wishes_wait_in_sight_can_be_cancelled_and_become_pictures_with_words_and_buttons(town: Town) -> None:
    discord, room, maker = town.discord, town.room, town.maker
    options = {"aspect": "16:9", "count": "2", "seed": "7", "avoid": "people"}

    async with town.held():
        first = await town.imagine(discord.ann, "a lighthouse in a storm", **options)
        await maker.wait_for(lambda: maker.accepted == 2, SECONDS)
        second = await town.imagine(discord.bob, "a harbour at dawn")
        await town.imagine(discord.mo, "a pier")
        third = await room.said(discord.general, "waiting for 1 other")
        await discord.command(discord.general, discord.bob, "flashbulb queue")
        queue = await room.whispered(discord.bob, "Being made: 3")
        await room.press(queue, discord.bob, "Cancel 1")
        await room.press(third, discord.mo, "Cancel")
        cancelled = await town.cancelled(2)
    [answer] = await town.made(discord.general, "a lighthouse")

    assert "2 pictures: next in turn" in words_of(first)
    assert "A picture: next in turn" in words_of(second)
    assert "2 of 2 places are taken" in words_of(queue)
    assert "a harbour" in words_of(queue)
    assert "a lighthouse" not in words_of(queue) + str(queue["components"])
    assert first["id"] == answer["id"]
    assert [second["id"], third["id"]] == [each["id"] for each in cancelled]
    said = words_of(answer)
    assert "seed 7" in said
    assert "seed 8" in said
    assert "0.02 USD" in said
    assert [opened(each).size for each in await files_of(answer)] == [(1024, 576)] * 2
    assert labels_of(answer) == [
        *(f"{number}. {label}" for number in (1, 2) for label in WITH_A_PICTURE),
        "Reroll",
        "Edit prompt",
        "Delete",
    ]
    assert [each.body["negative_prompt"] for each in maker.submits] == ["people"] * 2


async def test_more_is_made_of_a_picture_in_its_thread(town: Town) -> None:
    discord, room = town.discord, town.room
    answer = await town.a_picture_of(discord.ann, "a boat in the reeds")

    for label in ("Animate", "Upscale", "Vary (subtle)"):
        await room.press(answer, discord.bob, label)
    made = [await files_of(each) for each in await town.made(answer["id"], number=3)]

    [clip] = [data for [data] in made if data[4:8] == b"ftyp"]
    assert frames_in(clip) > 1
    assert {opened(data).size for [data] in made if data is not clip} == {(1024, 1024), (2048, 2048)}


async def test_somebodys_photo_is_remixed_from_its_menu_in_its_thread(town: Town) -> None:
    discord, maker = town.discord, town.maker
    posted = await discord.post(discord.pics, discord.bob, files=[("lake.jpg", photo(4, 1600, 1200))])

    await discord.shortcut(discord.pics, discord.ann, posted, "Remix image")
    form = await town.fills(discord.ann, {"do": ["restyle"], "change": "a watercolour", "strength": ["strong"]})
    [answer] = await town.made(posted, "a watercolour")
    await town.room.answered()

    assert form["title"] == "Remix image"
    assert (await picture_of(answer)).size == (1024, 768)
    asked = maker.submits[-1].body
    assert asked["strength"] == 0.8
    assert asked["init_image"].startswith(maker.origin)


async def test_a_mention_below_a_photo_remixes_it(town: Town) -> None:
    discord = town.discord
    posted = await discord.post(discord.general, discord.bob, files=[("pier.jpg", photo(5, 1200, 1600))])

    asked = await discord.post(discord.general, discord.ann, f"<@{discord.bot}> remix as ink", reply_to=posted)
    [answer] = await town.made(asked, "as ink")

    assert (await picture_of(answer)).size == (768, 1024)


async def test_a_prompt_that_was_changed_is_made_as_it_is_written(town: Town) -> None:
    discord, room = town.discord, town.room
    answer = await town.a_picture_of(discord.ann, "a house on a hill")

    await room.press(answer, discord.ann, "Edit prompt")
    form = await town.fills(discord.ann, {"prompt": "a red house on a hill, at night"})
    [changed] = await town.made(answer["id"], "a red house")

    [field] = [each["component"] for each in form["components"]]
    assert field["value"].startswith("a house on a hill")
    assert (await picture_of(changed)).size == (1024, 1024)
    assert town.maker.submits[-1].body["prompt"] == "a red house on a hill, at night"


async def test_only_who_wished_and_moderators_take_a_picture_back(town: Town) -> None:
    discord, room = town.discord, town.room
    answer = await town.a_picture_of(discord.ann, "a fox in the snow")

    await room.press(answer, discord.bob, "Delete")
    await room.whispered(discord.bob, "Only who asked for this, and moderators, can do that.")
    assert room.stands(discord.general, answer["id"])
    await room.press(answer, discord.mo, "Delete")
    await room.gone(discord.general, answer["id"])


async def test_a_wish_against_the_rules_costs_nothing(town: Town) -> None:
    discord, room, maker = town.discord, town.room, town.maker
    before, wish = len(maker.requests), "a banner FLASHBULB-TEST-HATE-S3-C95"

    await discord.command(discord.general, discord.bob, "imagine", values={"wish": wish})
    await room.whispered(discord.bob, "The rules here do not allow it")

    assert len(maker.requests) == before
    assert await room.all_said(discord.general, "a banner") == []


async def test_what_it_cost_is_told_with_a_chart(town: Town) -> None:
    discord, room = town.discord, town.room
    await town.a_picture_of(discord.ann, "a bench under a tree")

    await discord.command(discord.general, discord.mo, "flashbulb usage")
    usage = await room.whispered(discord.mo, "Spent by this workspace in 30 days")

    assert "Pictures (Fast)" in words_of(usage)
    [chart] = pictures_of(usage)
    assert "Bars for 30 days" in chart["description"]
    assert min((await picture_of(usage)).size) > 100


async def test_the_buttons_outlive_a_restart(town: Town) -> None:
    discord, room = town.discord, town.room
    answer = await town.a_picture_of(discord.ann, "a lantern")

    await town.bot.stop()
    await town.bot.start()
    await room.press(answer, discord.ann, "Vary (strong)")
    [varied] = await town.made(answer["id"])

    assert (await picture_of(varied)).size == (1024, 1024)
