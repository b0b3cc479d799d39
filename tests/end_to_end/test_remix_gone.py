"""A picture goes from its channel on Discord, and with it what was made of it, wherever that stands."""

import pytest

from bench.scenes import photo
from emulators.discord import messages as posting
from tests.end_to_end.test_making_discord import Town
from tests.end_to_end.test_making_discord import town as town

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_was_made_of_a_photo_goes_with_it_in_every_channel(town: Town) -> None:
    discord, room, maker = town.discord, town.room, town.maker
    posted = await discord.post(discord.pics, discord.bob, files=[("lake.jpg", photo(4, 800, 600))])
    link = f"https://discord.com/channels/{discord.guild}/{discord.pics}/{posted}"
    await discord.shortcut(discord.pics, discord.ann, posted, "Remix image")
    await town.fills(discord.ann, {"do": ["restyle"], "change": "a watercolour"})
    [here] = await town.made(posted, "a watercolour")
    await discord.command(discord.general, discord.ann, "remix", values={"change": "as ink", "address": link})
    [there] = await town.made(discord.general, "as ink")
    await room.press(there, discord.bob, "Upscale")
    [larger] = await town.made(there["id"])
    other = await town.a_picture_of(discord.ann, "a heron")
    before = len(maker.submits)

    await discord.delete(discord.pics, posted)
    for each in (here, there, larger):
        await room.gone(each["channel_id"], each["id"])
    await room.press(other, discord.ann, "Upscale")
    await town.made(other["id"])

    assert room.stands(discord.general, other["id"])
    assert len(maker.submits) == before + 1


async def test_what_is_being_made_of_a_photo_is_cancelled_with_it_and_never_posted(town: Town) -> None:
    discord, room, maker = town.discord, town.room, town.maker
    posted = await discord.post(discord.pics, discord.bob, files=[("pier.jpg", photo(5, 800, 600))])
    link = f"https://discord.com/channels/{discord.guild}/{discord.pics}/{posted}"
    before = len(maker.submits)

    async with town.held():
        await discord.command(discord.general, discord.ann, "remix", values={"change": "in charcoal", "address": link})
        said = await room.said(discord.general, "in charcoal")
        await maker.wait_for(lambda: len(maker.submits) == before + 1)
        await discord.delete(discord.pics, posted, by=discord.mo)
        await room.gone(discord.general, said["id"])
    await town.bot.at_rest(messages=1)

    assert await room.all_said(discord.general, "in charcoal") == []
    assert await room.all_said(discord.general, "It was cancelled") == []
    assert await room.all_whispered(discord.ann, "in charcoal") == []
    assert len(maker.submits) == before + 1


async def test_what_was_made_where_nobody_looks_goes_with_its_message_or_with_its_photo_alone(town: Town) -> None:
    discord, room = town.discord, town.room
    corner = await discord.add_channel("corner")
    both = [("lake.jpg", photo(6, 800, 600)), ("pier.jpg", photo(7, 800, 600))]
    kept = await discord.post(corner, discord.bob, "my lake", files=both)
    deleted = await discord.post(corner, discord.bob, files=both[:1])
    made = []
    for posted in (kept, deleted):
        await discord.shortcut(corner, discord.ann, posted, "Remix image")
        await town.fills(discord.ann, {"do": ["restyle"], "change": "in pastel"})
        made += await town.made(posted, "in pastel")
    of_kept, of_deleted = made  # both are of the first photo

    await discord.delete(corner, deleted, by=discord.mo)
    await room.gone(of_deleted["channel_id"], of_deleted["id"])
    await discord.edit(corner, kept, "my lake, and a pier")
    await room.press(of_kept, discord.ann, "Upscale")
    [larger] = [each for each in await town.made(kept, number=2) if each["id"] != of_kept["id"]]
    stood = room.stands(kept, of_kept["id"])
    [shown] = [each for each in await discord.messages(corner) if each["id"] == kept]
    posting.edit(discord.world, discord.world.messages[corner][kept], {"attachments": shown["attachments"][1:]})
    for each in (of_kept, larger):
        await room.gone(each["channel_id"], each["id"])

    assert stood
    assert room.times_asked("my lake, and a pier") == 0, "nobody looks there"
