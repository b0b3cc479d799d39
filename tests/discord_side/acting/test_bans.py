"""People who are shut out because a moderator said so, and let in again."""

import pytest

from bot.discord.outcomes import Denied
from pipelines.errors import Unavailable
from tests.discord_side.acting.conftest import Discord

BAN = "PUT /guilds/{id}/bans/{id}"
LIFT = "DELETE /guilds/{id}/bans/{id}"


async def test_a_ban_names_the_case_and_leaves_all_other_messages(discord: Discord) -> None:
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "what Ann wrote before")
    effect = discord.ban(discord.emulator.ann)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    assert performed.status == "done"
    assert discord.emulator.world.bans == {discord.emulator.ann: "Flashbulb case c4se"}
    assert discord.emulator.ann not in discord.emulator.world.members
    assert [each["content"] for each in await discord.emulator.messages(discord.emulator.pics)] == ["what Ann wrote before"]
    assert [call.query["delete_message_seconds"] for call in discord.sent(BAN)] == ["0"]
    assert await discord.connection.look(effect) == performed


async def test_whoever_was_shut_out_is_let_in_again(discord: Discord) -> None:
    await discord.emulator.ban(discord.emulator.olga, discord.emulator.ann)
    effect = discord.ban(discord.emulator.ann, lift=True)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    assert (performed.status, discord.emulator.world.bans) == ("done", {})
    assert [call.reason for call in discord.sent(LIFT)] == ["Flashbulb case c4se"]
    assert await discord.connection.look(effect) == performed


@pytest.mark.parametrize("lift", [False, True], ids=["shut-out", "let-in"])
async def test_what_is_so_already_is_done(discord: Discord, lift: bool) -> None:
    if not lift:
        await discord.emulator.ban(discord.emulator.olga, discord.emulator.ann)
    effect = discord.ban(discord.emulator.ann, lift=lift)

    looked = await discord.connection.look(effect)

    assert looked is not None
    assert (looked.status, (await discord.connection.act(effect)).status) == ("done", "done")


@pytest.mark.parametrize("lift", [False, True], ids=["shut-out", "let-in"])
async def test_a_crash_after_the_request_is_seen_by_whoever_looks(discord: Discord, lift: bool) -> None:
    if lift:
        await discord.emulator.ban(discord.emulator.olga, discord.emulator.ann)
    effect = discord.ban(discord.emulator.ann, lift=lift)
    method = LIFT if lift else BAN
    killed: list[object] = []
    discord.emulator.at("stored", method, lambda call: killed.append(call) or True)  # and the answer never comes
    with pytest.raises(Unavailable):
        await discord.connection.act(effect)
    requests = len(discord.sent(method))

    looked = await discord.connection.look(effect)

    assert killed
    assert looked is not None
    assert (looked.status, len(discord.sent(method))) == ("done", requests)


async def test_whoever_is_no_user_any_more_is_gone(discord: Discord) -> None:
    assert (await discord.connection.act(discord.ban("1000000000000000999"))).status == "gone"


async def test_without_the_permission_moderators_learn_its_name(discord: Discord) -> None:
    await discord.emulator.set_permissions(deny=["ban_members"])
    await discord.emulator.wait_for(lambda: not _may(discord))
    effect = discord.ban(discord.emulator.ann)

    with pytest.raises(Denied, match="lacks the permission Ban Members in this server"):
        await discord.connection.act(effect)

    assert await discord.connection.look(effect) is None
    assert discord.emulator.ann in discord.emulator.world.members


async def test_nobody_above_us_is_shut_out_and_moderators_learn_why(discord: Discord) -> None:
    with pytest.raises(Denied, match="only against people whose roles are all below"):
        await discord.connection.act(discord.ban(discord.emulator.olga))


async def test_a_server_that_does_not_answer_is_asked_later(discord: Discord) -> None:
    discord.emulator.fault("error_503", times=1, method=BAN)
    effect = discord.ban(discord.emulator.ann)

    with pytest.raises(Unavailable):
        await discord.connection.act(effect)
    assert await discord.connection.look(effect) is None

    assert (await discord.connection.act(effect)).status == "done"


def _may(discord: Discord) -> bool:
    guild = discord.connection._gateway.client.get_guild(int(discord.emulator.guild))  # type: ignore[attr-defined]
    return bool(guild.me.guild_permissions.ban_members)
