"""Messages read back from Discord when a command, a report or a case is about them."""

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


async def test_the_newest_picture_of_a_thread_may_be_the_message_that_it_hangs_on(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "nice", thread=root)

    newest = await discord.connection.latest_with_files(discord.place.in_thread_of(root))

    assert newest is not None
    assert (newest.message, newest.place.thread) == (root, None)


async def test_where_there_is_no_picture_there_is_none(discord: Discord) -> None:
    assert await discord.connection.latest_with_files(discord.place) is None
