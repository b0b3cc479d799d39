"""What members post and what the bot posts, through the unmodified client."""

import io

import discord
import pytest
from discord.ui import LayoutView, MediaGallery

from emulators.discord import DiscordEmulator
from emulators.discord.threads import THREAD_STARTER
from tests.emulators.discord.client import Bot, running

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
MEBIBYTE = 1024 * 1024


def a_file(name: str = "o.png", data: bytes = PNG, **options: str) -> discord.File:
    return discord.File(io.BytesIO(data), name, **options)


def a_layout(name: str, **options: bool) -> LayoutView:
    return LayoutView().add_item(MediaGallery(discord.MediaGalleryItem(f"attachment://{name}", description="Alt", **options)))


def a_channel(bot: Bot, channel: str) -> discord.TextChannel:
    found = bot.get_channel(int(channel))
    assert isinstance(found, discord.TextChannel)
    return found


async def a_message(
    emulator: DiscordEmulator, bot: Bot, text: str = "hi", files: list[tuple[str, bytes]] = ()
) -> discord.Message:
    """Post as ann and return what the client made of it."""
    posted = await emulator.post(emulator.pics, emulator.ann, text, files)
    return await emulator.wait_for(lambda: next((each for each in bot.of("message") if str(each.id) == posted), None))


async def refusal(action) -> tuple[int, int]:
    """Return status and code of a call that Discord refuses."""
    with pytest.raises(discord.HTTPException) as caught:
        await action
    return caught.value.status, caught.value.code


async def test_an_upload_arrives_with_its_picture(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, "look", [("cat.png", PNG)])

    (attachment,) = message.attachments
    assert (message.content, message.author.name, type(message.author)) == ("look", "ann", discord.Member)
    assert (attachment.filename, attachment.content_type, attachment.width, attachment.height) == ("cat.png", "image/png", 3, 2)
    assert await attachment.read() == PNG


async def test_an_address_expires_and_a_refetched_message_has_a_new_one(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, files=[("cat.png", PNG)])

    await discord_emulator.advance_clock(discord_emulator.world.files.lifetime_s + 1)

    with pytest.raises(discord.NotFound):
        await message.attachments[0].read()
    fresh = await message.channel.fetch_message(message.id)
    assert await fresh.attachments[0].read() == PNG


async def test_a_file_is_gone_with_its_message_but_not_from_a_forward(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, files=[("cat.png", PNG)])
    await discord_emulator.forward(discord_emulator.general, discord_emulator.bob, discord_emulator.pics, str(message.id))
    forward = await discord_emulator.wait_for(
        lambda: next((each for each in bot.of("message") if each.message_snapshots), None)
    )

    await message.delete()

    (snapshot,) = forward.message_snapshots
    assert (forward.content, forward.attachments) == ("", [])
    assert await snapshot.attachments[0].read() == PNG
    await discord_emulator.delete(discord_emulator.general, str(forward.id))
    with pytest.raises(discord.NotFound):
        await snapshot.attachments[0].read()


async def test_the_bot_sends_a_file_with_alt_text_and_sees_its_own_message(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    channel = a_channel(bot, discord_emulator.pics)

    sent = await channel.send("done @everyone <@1000000000000000303>", file=a_file(description="a cat"))

    await discord_emulator.wait_for(lambda: [each for each in bot.of("message") if each.id == sent.id])
    (stored,) = await discord_emulator.messages(discord_emulator.pics)
    call = discord_emulator.calls[-1]
    assert (sent.attachments[0].description, sent.attachments[0].width) == ("a cat", 3)
    assert (stored["mentions"], stored["mention_everyone"]) == ([], False)
    assert (call.method, call.status, call.files) == ("POST /channels/{id}/messages", 200, [("o.png", PNG)])
    assert call.arguments["allowed_mentions"] == {"parse": []}


async def test_a_nonce_posts_once_for_a_few_minutes(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    channel = a_channel(bot, discord_emulator.pics)

    first, second = [await channel.send("once", nonce="key") for _ in range(2)]
    await discord_emulator.advance_clock(301)
    third = await channel.send("once", nonce="key")

    assert first.id == second.id != third.id
    assert second.nonce == "key"
    assert await refusal(channel.send("x", nonce="n" * 26)) == (400, 50035)


async def test_an_edit_by_its_author_arrives_in_full(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)

    await discord_emulator.edit(discord_emulator.pics, str(message.id), "better", [("late.png", PNG)])

    (payload,) = await discord_emulator.wait_for(lambda: bot.of("raw_message_edit"))
    assert (payload.message.content, payload.message.attachments[0].filename) == ("better", "late.png")
    assert payload.message.edited_at is not None


async def test_a_late_embed_arrives_without_an_edit_time(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, "https://example.com/cat.png")

    await discord_emulator.unfurl(discord_emulator.pics, str(message.id), "https://example.com/cat.png", [("cat.png", PNG)])

    (payload,) = await discord_emulator.wait_for(lambda: bot.of("raw_message_edit"))
    (embed,) = payload.message.embeds
    assert (embed.thumbnail.width, payload.message.edited_at) == (3, None)
    assert await bot.http.get_from_cdn(embed.thumbnail.proxy_url) == PNG


async def test_an_edit_of_the_bot_keeps_only_the_files_it_lists(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    sent = await a_channel(bot, discord_emulator.pics).send("two", files=[a_file("a.png"), a_file("b.png")])

    kept = await sent.edit(content="one", attachments=[sent.attachments[1]])

    assert [each.filename for each in kept.attachments] == ["b.png"]
    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()


async def test_an_edit_of_a_layout_shows_other_files_than_before(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    sent = await a_channel(bot, discord_emulator.pics).send(view=a_layout("a.png"), files=[a_file("a.png")])
    before = sent.components[0].items[0].media.url

    await sent.edit(view=a_layout("clip.mp4", spoiler=True), attachments=[a_file("clip.mp4")])

    (shown,) = await discord_emulator.messages(discord_emulator.pics)
    [item] = shown["components"][0]["items"]
    assert (item["media"]["content_type"], item["description"], item["spoiler"]) == ("video/mp4", "Alt", True)
    assert shown["attachments"] == []  # a component shows it
    with pytest.raises(discord.NotFound):
        await bot.http.get_from_cdn(before)


async def test_deleting_twice_is_an_unknown_message_and_leaves_a_reason(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)

    await bot.http.delete_message(message.channel.id, message.id, reason="case 7: ünsafe")

    assert await refusal(message.delete()) == (404, 10008)
    await discord_emulator.wait_for(lambda: bot.of("raw_message_delete"))
    (entry,) = await discord_emulator.wait_for(lambda: bot.of("audit_log_entry_create"))
    assert (entry.action, entry.reason, entry.target.id) == (
        discord.AuditLogAction.message_delete,
        "case 7: ünsafe",
        int(discord_emulator.ann),
    )


async def test_many_are_deleted_at_once_unless_they_are_old(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    burst = [await a_message(discord_emulator, bot, str(number)) for number in range(3)]
    channel = a_channel(bot, discord_emulator.pics)

    await channel.delete_messages(burst)

    (payload,) = await discord_emulator.wait_for(lambda: bot.of("raw_bulk_message_delete"))
    assert payload.message_ids == {each.id for each in burst}
    old = [await a_message(discord_emulator, bot) for _ in range(2)]
    await discord_emulator.advance_clock(15 * 24 * 3600)
    assert await refusal(channel.delete_messages(old)) == (400, 50034)


async def test_history_comes_newest_first_and_goes_by_id(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    ids = [int(await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, str(number))) for number in range(5)]
    channel = a_channel(bot, discord_emulator.pics)

    after = [each.id async for each in channel.history(after=discord.Object(ids[1]), oldest_first=True)]
    before = [each.id async for each in channel.history(before=discord.Object(ids[3]), limit=2)]

    assert (after, before) == (ids[2:], [ids[2], ids[1]])


async def test_reactions_are_seen_and_counted(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)

    await message.add_reaction("👀")
    await discord_emulator.react(discord_emulator.pics, discord_emulator.bob, str(message.id), "👀")
    seen = await discord_emulator.wait_for(lambda: bot.of("raw_reaction_add")[1:])

    assert (seen[0].emoji.name, str(seen[0].user_id)) == ("👀", discord_emulator.bob)
    (reaction,) = (await message.channel.fetch_message(message.id)).reactions
    assert (reaction.count, reaction.me) == (2, True)
    await message.remove_reaction("👀", bot.user)
    await message.clear_reactions()
    assert (await message.channel.fetch_message(message.id)).reactions == []


async def test_a_reply_quotes_and_a_webhook_has_no_member(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, "first")

    await discord_emulator.post(discord_emulator.pics, discord_emulator.bob, "second", reply_to=str(message.id))
    await discord_emulator.post_as_webhook(discord_emulator.pics, "proxied", "third", [("cat.png", PNG)])
    _, reply, proxied = await discord_emulator.wait_for(lambda: len(bot.of("message")) == 3 and bot.of("message"))

    assert (reply.type, reply.reference.resolved.content) == (discord.MessageType.reply, "first")
    assert (proxied.author.name, type(proxied.author), bool(proxied.webhook_id)) == ("proxied", discord.User, True)


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        pytest.param({"content": "x" * 2001}, (400, 50035), id="long"),
        pytest.param({"content": ""}, (400, 50006), id="empty"),
        pytest.param({"embeds": [discord.Embed(description="x" * 3001)] * 2}, (400, 50035), id="embeds-too-long-together"),
        pytest.param({"content": "x", "size": 10 * MEBIBYTE + 1}, (413, 40005), id="large-file"),
    ],
)
async def test_limits_are_kept(discord_emulator: DiscordEmulator, bot: Bot, options: dict, refused: tuple[int, int]) -> None:
    size = options.get("size")
    files = [a_file(data=bytes(size))] if size else []
    sendable = {key: value for key, value in options.items() if key != "size"}

    assert await refusal(a_channel(bot, discord_emulator.pics).send(**sendable, files=files)) == refused


async def test_a_direct_message_arrives_and_can_be_refused(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.direct(discord_emulator.ann, "hello", [("cat.png", PNG)])
    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))
    assert (message.guild, message.content, message.author.name) == (None, "hello", "ann")

    await message.channel.send("yours back")
    await discord_emulator.close_direct_messages(discord_emulator.ann)

    assert await refusal(message.author.send("again")) == (403, 50007)
    assert [each["content"] for each in await discord_emulator.private(discord_emulator.ann)] == ["yours back"]


async def test_a_thread_has_its_message_s_id_and_exists_once(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)

    thread = await message.create_thread(name="tags")
    again = await refusal(message.create_thread(name="tags"))
    await thread.send("cat")

    assert thread.id == message.id
    assert again == (400, 160004)
    assert (await bot.fetch_channel(message.id)).name == "tags"
    assert (await message.channel.fetch_message(message.id)).flags.has_thread
    assert [each["type"] for each in await discord_emulator.messages("", str(thread.id))] == [THREAD_STARTER, 0]
    assert len(await discord_emulator.wait_for(lambda: bot.of("thread_create"))) == 1


async def test_posting_unarchives_unless_the_thread_is_locked(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)
    thread = await message.create_thread(name="tags")
    await thread.edit(archived=True)

    archived = [each.id async for each in message.channel.archived_threads()]
    await thread.send("awake")
    active = [each.id for each in await message.guild.active_threads()]
    await discord_emulator.lock(str(thread.id))
    await discord_emulator.set_permissions(deny=["manage_threads"])

    assert archived == active == [thread.id]
    assert await refusal(thread.send("no")) == (403, 160005)
    await discord_emulator.archive(str(thread.id))
    assert await refusal(thread.send("no")) == (400, 50083)


async def test_a_forum_post_is_a_thread_whose_first_message_has_its_id(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    forum = await discord_emulator.add_channel("showcase", "forum", nsfw=True)

    posted = await discord_emulator.post_in_forum(forum, discord_emulator.ann, "my cat", "look", [("cat.png", PNG)])

    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))
    assert (str(message.id), str(message.channel.id), message.channel.parent.nsfw) == (posted, posted, True)
    assert await refusal(
        bot.http.request(discord.http.Route("POST", f"/channels/{forum}/messages"), json={"content": "x"})
    ) == (400, 50008)


async def test_without_the_intent_content_is_blank_save_for_mentions_and_direct_messages(
    discord_emulator: DiscordEmulator,
) -> None:
    await discord_emulator.set_intents(message_content=False)
    async with running(discord_emulator, Bot(intents=discord.Intents(38405 & ~(1 << 15)))) as bot:
        await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "secret", [("cat.png", PNG)])
        await discord_emulator.post(
            discord_emulator.pics, discord_emulator.ann, f"<@{discord_emulator.bot}> tag", [("cat.png", PNG)]
        )
        await discord_emulator.direct(discord_emulator.ann, "private")
        blank, mention, direct = await discord_emulator.wait_for(lambda: len(bot.of("message")) == 3 and bot.of("message"))
        fetched = await a_channel(bot, discord_emulator.pics).fetch_message(blank.id)

    assert (blank.content, blank.attachments, fetched.content, fetched.attachments) == ("", [], "", [])
    assert (mention.content[-3:], len(mention.attachments), direct.content) == ("tag", 1, "private")


async def test_what_was_missed_can_be_searched(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    first = await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "a", [("a.png", PNG)])
    await discord_emulator.post(discord_emulator.general, discord_emulator.ann, "words")
    last = await discord_emulator.post(discord_emulator.general, discord_emulator.ann, "b", [("b.png", PNG)])
    route = discord.http.Route("GET", "/guilds/{guild_id}/messages/search", guild_id=discord_emulator.guild)
    wanted = {"has": "image", "min_id": first, "sort_order": "asc"}

    discord_emulator.fault("search_indexing", times=1)
    indexing = await bot.http.request(route, params=wanted)
    found = await bot.http.request(route, params=wanted)

    assert indexing["code"] == 110000
    assert ([each[0]["id"] for each in found["messages"]], found["total_results"]) == ([last], 1)


async def test_avatars_and_stickers_are_served(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.set_avatar(discord_emulator.ann, ("ann.png", PNG))
    await discord_emulator.put_asset("stickers/77.png", ("sticker.png", PNG))
    await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, sticker="77")

    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))

    assert await message.author.display_avatar.read() == PNG
    assert await message.stickers[0].read() == PNG


async def test_private_threads_are_listed_apart(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.set_permissions(allow=["create_private_threads"])
    channel = a_channel(bot, discord_emulator.pics)
    thread = await channel.create_thread(name="quiet")
    await thread.edit(archived=True)

    assert [each.id async for each in channel.archived_threads(private=True)] == [thread.id]
    assert [each.id async for each in channel.archived_threads()] == []


async def test_the_archive_lists_what_was_archived_last_first(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    posted = [await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "look") for _ in range(3)]
    old, middle, young = [
        await discord_emulator.open_thread(discord_emulator.pics, discord_emulator.ann, each, "talk") for each in posted
    ]
    for thread in (young, old, middle):
        await discord_emulator.advance_clock(1)
        await discord_emulator.archive(thread)

    channel = a_channel(bot, discord_emulator.pics)
    assert [str(each.id) async for each in channel.archived_threads()] == [middle, old, young]


@pytest.mark.parametrize("kind", ["voice", "stage"])
async def test_beside_voice_one_writes_and_opens_no_threads(discord_emulator: DiscordEmulator, bot: Bot, kind: str) -> None:
    channel = await discord_emulator.add_channel("talking", kind)
    posted = await discord_emulator.post(channel, discord_emulator.ann, "hello")
    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))

    assert (str(message.id), message.channel.type.name) == (posted, "stage_voice" if kind == "stage" else kind)
    assert await refusal(message.create_thread(name="tags")) == (400, 50024)


async def test_another_bot_s_layout_shows_its_pictures_in_components_only(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://cat.png"}}]}

    await discord_emulator.post_layout(discord_emulator.pics, discord_emulator.other_bot, [gallery], [("cat.png", PNG)])

    (message,) = await discord_emulator.wait_for(lambda: bot.of("message"))
    assert (message.author.bot, message.content, message.attachments) == (True, "", [])
    assert await bot.http.get_from_cdn(message.components[0].items[0].media.url) == PNG


async def test_who_reacted_is_listed(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)
    await discord_emulator.react(discord_emulator.pics, discord_emulator.bob, str(message.id), "👀")
    fetched = await message.channel.fetch_message(message.id)

    assert [each.name async for each in fetched.reactions[0].users()] == ["bob"]


async def test_a_hidden_channel_s_threads_are_hidden_too(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    posted = await discord_emulator.post(discord_emulator.pics, discord_emulator.ann, "hi")
    await discord_emulator.open_thread(discord_emulator.pics, discord_emulator.ann, posted, "talk")
    assert len(await bot.guilds[0].active_threads()) == 1

    await discord_emulator.remove_bot(discord_emulator.pics)

    assert await bot.guilds[0].active_threads() == []
