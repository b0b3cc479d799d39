"""What the bot and people do to members and messages, and what Discord does not let them do."""

from datetime import timedelta

import discord
import pytest

from emulators.discord import DiscordEmulator, Problem
from tests.emulators.discord.client import INTENTS, Bot, running
from tests.emulators.discord.test_messages import PNG, a_channel, a_file, a_message, refusal


async def test_a_timeout_is_seen_by_the_member_and_in_the_audit_log(discord_emulator: DiscordEmulator) -> None:
    intents = discord.Intents(INTENTS.value | discord.Intents(members=True).value)
    async with running(discord_emulator, Bot(intents=intents)) as bot:
        member = await bot.guilds[0].fetch_member(int(discord_emulator.ann))

        await member.timeout(timedelta(hours=1), reason="case 9: ümlaut")

        entry = (await discord_emulator.wait_for(lambda: bot.of("audit_log_entry_create")))[0]
        logged = [each async for each in bot.guilds[0].audit_logs(action=discord.AuditLogAction.member_update)]
    assert (entry.reason, entry.user.name, logged[0].reason) == ("case 9: ümlaut", "flashbulb", "case 9: ümlaut")
    assert discord_emulator.calls[-2].reason == "case 9: ümlaut"
    with pytest.raises(Problem, match="50013"):
        await discord_emulator.post(discord_emulator.general, discord_emulator.ann, "muted")
    await discord_emulator.advance_clock(3601)
    assert await discord_emulator.post(discord_emulator.general, discord_emulator.ann, "free")


@pytest.mark.parametrize(
    ("target", "days", "refused"),
    [
        pytest.param("olga", 1, (403, 50013), id="owner"),
        pytest.param("ann", 29, (400, 50035), id="too-long"),
        pytest.param("gone", 1, (404, 10007), id="left"),
    ],
)
async def test_some_timeouts_are_refused(
    discord_emulator: DiscordEmulator, bot: Bot, target: str, days: int, refused: tuple[int, int]
) -> None:
    await discord_emulator.leave(discord_emulator.bob)
    user = discord_emulator.bob if target == "gone" else getattr(discord_emulator, target)
    until = (discord.utils.utcnow() + timedelta(days=days)).isoformat()

    action = bot.http.edit_member(int(discord_emulator.guild), int(user), communication_disabled_until=until)

    assert await refusal(action) == refused


async def test_an_administrator_cannot_be_timed_out(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    admin = await discord_emulator.join("admin", ["administrator"])
    member = await bot.guilds[0].fetch_member(int(admin))

    assert await refusal(member.timeout(timedelta(hours=1))) == (403, 50013)


async def test_a_ban_needs_its_permission_and_can_be_taken_back(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await a_message(discord_emulator, bot, "spam")
    ann = discord.Object(int(discord_emulator.ann))
    guild = bot.guilds[0]
    await discord_emulator.set_permissions(deny=["ban_members"])
    assert await refusal(guild.ban(ann)) == (403, 50013)

    await discord_emulator.set_permissions(allow=["ban_members"])
    await guild.ban(ann, reason="case 3", delete_message_seconds=60)

    assert (await guild.fetch_ban(ann)).reason == "case 3"
    assert await discord_emulator.messages(discord_emulator.pics) == []
    assert await refusal(guild.fetch_member(ann.id)) == (404, 10007)
    await guild.unban(ann)
    assert await refusal(guild.unban(ann)) == (404, 10026)


async def test_what_moderators_do_is_told(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    await discord_emulator.timeout(discord_emulator.mo, discord_emulator.ann, 60, "rude")

    (entry,) = await discord_emulator.wait_for(lambda: bot.of("audit_log_entry_create"))

    assert (entry.user_id, entry.reason) == (int(discord_emulator.mo), "rude")
    assert entry.after.timed_out_until is not None
    with pytest.raises(Problem, match="50013"):
        await discord_emulator.timeout(discord_emulator.bob, discord_emulator.ann, 60)


@pytest.mark.parametrize(
    ("missing", "what"),
    [
        pytest.param("send_messages", lambda channel, _: channel.send("x"), id="send"),
        pytest.param("attach_files", lambda channel, _: channel.send(file=a_file()), id="attach"),
        pytest.param("embed_links", lambda channel, _: channel.send(embed=discord.Embed(title="x")), id="embed"),
        pytest.param("manage_messages", lambda _, message: message.delete(), id="delete"),
        pytest.param("create_public_threads", lambda _, message: message.create_thread(name="x"), id="thread"),
        pytest.param("add_reactions", lambda _, message: message.add_reaction("👀"), id="react"),
        pytest.param("read_message_history", lambda channel, message: channel.fetch_message(message.id), id="fetch"),
    ],
)
async def test_every_permission_counts(discord_emulator: DiscordEmulator, bot: Bot, missing: str, what) -> None:
    message = await a_message(discord_emulator, bot, files=[("cat.png", PNG)])

    await discord_emulator.set_permissions(discord_emulator.pics, deny=[missing])

    assert await refusal(what(a_channel(bot, discord_emulator.pics), message)) == (403, 50013)
    await discord_emulator.set_permissions(discord_emulator.pics, allow=[missing])
    await what(a_channel(bot, discord_emulator.pics), message)


async def test_threads_have_a_permission_of_their_own(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot)
    thread = await message.create_thread(name="x")

    await discord_emulator.set_permissions(discord_emulator.pics, deny=["send_messages_in_threads"])

    assert await refusal(thread.send("x")) == (403, 50013)
    await message.channel.send("x")


async def test_others_messages_cannot_be_edited_and_hidden_ones_not_forwarded(
    discord_emulator: DiscordEmulator, bot: Bot
) -> None:
    message = await a_message(discord_emulator, bot)
    edit = bot.http.edit_message(message.channel.id, message.id, params=discord.http.handle_message_parameters(content="mine"))

    assert await refusal(edit) == (403, 50005)
    await discord_emulator.remove_bot(discord_emulator.pics)
    assert await refusal(message.forward(a_channel(bot, discord_emulator.general))) == (400, 160014)


async def test_members_do_not_see_the_moderators_channel(discord_emulator: DiscordEmulator) -> None:
    with pytest.raises(Problem, match="50001"):
        await discord_emulator.post(discord_emulator.moderators, discord_emulator.ann, "hello?")
    assert await discord_emulator.post(discord_emulator.moderators, discord_emulator.mo, "hello")


async def test_a_kick_needs_its_permission(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    ann = discord.Object(int(discord_emulator.ann))
    assert await refusal(bot.guilds[0].kick(ann)) == (403, 50013)

    await discord_emulator.set_permissions(allow=["kick_members"])
    await bot.guilds[0].kick(ann)

    assert discord_emulator.ann not in discord_emulator.world.members


async def test_the_audit_log_counts_what_a_moderator_deletes_and_tells_of_the_first(
    discord_emulator: DiscordEmulator, bot: Bot
) -> None:
    first, second, own = [await a_message(discord_emulator, bot, text) for text in ("bad", "worse", "oops")]

    await discord_emulator.delete(discord_emulator.pics, str(first.id), by=discord_emulator.mo)
    await discord_emulator.delete(discord_emulator.pics, str(second.id), by=discord_emulator.mo)
    await discord_emulator.delete(discord_emulator.pics, str(own.id), by=discord_emulator.ann)

    await discord_emulator.wait_for(lambda: len(bot.of("raw_message_delete")) == 3)
    [told] = bot.of("audit_log_entry_create")
    assert (told.action, told.user_id, told.target.id, told.extra.count) == (
        discord.AuditLogAction.message_delete,
        int(discord_emulator.mo),
        int(discord_emulator.ann),
        1,
    )
    [entry] = discord_emulator.world.audit
    assert entry["options"] == {"channel_id": discord_emulator.pics, "count": "2"}


async def test_deletions_alike_are_counted_anew_after_a_while(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    first, second = [await a_message(discord_emulator, bot, text) for text in ("bad", "worse")]

    await discord_emulator.delete(discord_emulator.pics, str(first.id), by=discord_emulator.mo)
    await discord_emulator.advance_clock(301)
    await discord_emulator.delete(discord_emulator.pics, str(second.id), by=discord_emulator.mo)

    assert (
        len(await discord_emulator.wait_for(lambda: bot.of("audit_log_entry_create")[1:] and discord_emulator.world.audit)) == 2
    )


async def test_several_deleted_at_once_are_one_entry_about_the_channel(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    messages = [str((await a_message(discord_emulator, bot, text)).id) for text in ("a", "b")]

    await discord_emulator.delete(discord_emulator.pics, messages, by=discord_emulator.mo)

    (entry,) = await discord_emulator.wait_for(lambda: bot.of("audit_log_entry_create"))
    assert (entry.action, entry.target.id, entry.extra.count) == (
        discord.AuditLogAction.message_bulk_delete,
        int(discord_emulator.pics),
        2,
    )


async def test_members_delete_nothing_of_others(discord_emulator: DiscordEmulator, bot: Bot) -> None:
    message = await a_message(discord_emulator, bot, "fine")

    with pytest.raises(Problem, match="50013"):
        await discord_emulator.delete(discord_emulator.pics, str(message.id), by=discord_emulator.bob)


async def test_a_moderator_lifts_a_ban(discord_emulator: DiscordEmulator) -> None:
    await discord_emulator.ban(discord_emulator.olga, discord_emulator.ann)

    await discord_emulator.unban(discord_emulator.olga, discord_emulator.ann)

    assert discord_emulator.world.bans == {}
    with pytest.raises(Problem, match="50013"):
        await discord_emulator.unban(discord_emulator.mo, discord_emulator.ann)
