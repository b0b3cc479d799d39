"""What is read back from Discord when a command, a report or a case is about it: messages, channels, what was taken out."""

from bot.storage.copied_files import CopiedFiles
from pipelines.moderation.policy import Channel
from tests.discord_side.acting.conftest import Discord

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 9


async def test_a_message_is_read_as_it_stands_now(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    await discord.emulator.edit(discord.emulator.pics, message, "look again")

    posted = await discord.connection.message(discord.place, message)

    assert posted is not None
    assert (posted.author.id, posted.content.text) == (discord.emulator.ann, "look again")
    assert [each.name for each in posted.content.attachments] == ["cat.png"]
    assert posted.place == discord.place


async def test_a_message_that_is_gone_is_none(discord: Discord) -> None:
    assert await discord.connection.message(discord.place, "77") is None


async def test_a_thread_s_root_is_found_in_its_channel_and_what_stands_inside_in_the_thread(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    inside = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "this", thread=root)
    place = discord.place.in_thread_of(root)

    found = [await discord.connection.message(place, each) for each in (root, inside)]

    assert [each and (each.content.text, each.place.thread) for each in found] == [("look", None), ("this", root)]


async def test_the_newest_picture_of_a_channel_is_a_member_s_and_not_ours(discord: Discord) -> None:
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "one", [("one.png", PNG)])
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "two", [("two.png", PNG)])
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "no picture")
    await discord.emulator.post(discord.emulator.pics, discord.emulator.bot, "ours", [("ours.png", PNG)])

    newest = await discord.connection.latest_with_files(discord.place)

    assert newest is not None
    assert newest.content.text == "two"


async def test_of_files_the_newest_picture_may_be_asked_for(discord: Discord) -> None:
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "one", [("one.png", PNG)])
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "two", [("notes.txt", b"words")])

    found = [await discord.connection.latest_with_files(discord.place, pictures=pictures) for pictures in (False, True)]

    assert [each and each.content.text for each in found] == ["two", "one"]


async def test_the_newest_picture_of_a_thread_may_be_the_message_that_it_hangs_on(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "nice", thread=root)

    newest = await discord.connection.latest_with_files(discord.place.in_thread_of(root))

    assert newest is not None
    assert (newest.message, newest.place.thread) == (root, None)


async def test_where_there_is_no_picture_there_is_none(discord: Discord) -> None:
    assert await discord.connection.latest_with_files(discord.place) is None


async def test_a_channel_is_known_by_its_name_and_age_gate_without_a_request(discord: Discord) -> None:
    gated = await discord.emulator.add_channel("after-dark", nsfw=True)
    await discord.emulator.wait_for(lambda: discord.connection._gateway.client.get_channel(int(gated)))  # type: ignore[attr-defined]

    found = [
        await discord.connection.channel(discord.place.model_copy(update=change))
        for change in ({}, {"channel": gated}, {"channel": gated, "thread": "77"})
    ]

    assert found == [
        Channel(platform="discord", id=discord.emulator.pics, name="pics"),
        *[Channel(platform="discord", id=gated, name="after-dark", age_gated=True)] * 2,
    ]
    assert discord.sent("GET /channels/{id}") == []


async def test_a_channel_that_the_gateway_did_not_tell_of_is_asked_for_once(discord: Discord) -> None:
    discord.emulator.world.add_channel("900", "quiet", nsfw=True)
    quiet, gone = (discord.place.model_copy(update={"channel": each}) for each in ("900", "901"))

    found = [await discord.connection.channel(each) for each in (quiet, quiet, gone, gone)]

    assert found[0] == found[1] == Channel(platform="discord", id="900", name="quiet", age_gated=True)
    assert found[2] == found[3] == Channel(platform="discord", id="901")
    assert len(discord.sent("GET /channels/{id}")) == 2


async def test_what_was_taken_out_can_be_read_with_its_files(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    assert await discord.connection.taken_out(discord.place, message) is None
    await discord.connection.act(discord.remove(message))

    posted = await discord.connection.taken_out(discord.place, message)

    assert posted is not None
    assert (posted.message, posted.author.name, posted.content.text) == (message, "ann", "look")
    [cat] = posted.content.attachments
    assert await CopiedFiles(discord.given.copies).fetch(cat, limit_bytes=1000) == PNG
