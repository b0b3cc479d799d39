"""Members who are made to be silent for a while, and those who cannot be."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.discord.outcomes import Denied
from pipelines.errors import Unavailable
from tests.discord_side.acting.conftest import Discord

MEMBER = "PATCH /guilds/{id}/members/{id}"


def silent_until(discord: Discord, user: str) -> datetime | None:
    until = discord.emulator.world.members[user].get("communication_disabled_until")
    return datetime.fromisoformat(until) if until else None


async def test_a_member_is_silent_until_then_with_the_case_in_the_audit_log(discord: Discord) -> None:
    effect = discord.timeout(discord.emulator.ann)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    assert performed.status == "done"
    assert silent_until(discord, discord.emulator.ann) == effect.until
    [call] = discord.sent(MEMBER)
    assert call.reason == "Flashbulb case c4se"
    assert await discord.connection.look(effect) == performed


async def test_a_longer_time_that_a_moderator_chose_stays(discord: Discord) -> None:
    await discord.emulator.timeout(discord.emulator.olga, discord.emulator.ann, 86_400)

    performed = await discord.connection.act(discord.timeout(discord.emulator.ann))

    assert performed.status == "done"
    assert discord.sent(MEMBER) == []
    until = silent_until(discord, discord.emulator.ann)
    assert until is not None
    assert until > datetime.now(UTC) + timedelta(hours=23)


async def test_a_moment_that_is_past_ends_nobodys_silence(discord: Discord) -> None:
    await discord.emulator.timeout(discord.emulator.olga, discord.emulator.ann, 86_400)

    performed = await discord.connection.act(discord.timeout(discord.emulator.ann, minutes=-1))

    assert performed.status == "gone"
    assert silent_until(discord, discord.emulator.ann) is not None


async def test_whoever_is_silent_may_write_again_with_the_case_in_the_audit_log(discord: Discord) -> None:
    await discord.emulator.timeout(discord.emulator.mo, discord.emulator.ann, 86_400)
    effect = discord.timeout(discord.emulator.ann, minutes=None)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    assert (performed.status, silent_until(discord, discord.emulator.ann)) == ("done", None)
    assert [call.reason for call in discord.sent(MEMBER)] == ["Flashbulb case c4se"]
    assert await discord.connection.look(effect) == performed
    await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "free")


async def test_to_let_somebody_write_who_may_is_done_without_asking_for_it(discord: Discord) -> None:
    performed = await discord.connection.act(discord.timeout(discord.emulator.ann, minutes=None))

    assert (performed.status, discord.sent(MEMBER)) == ("done", [])


async def test_whoever_has_left_is_gone(discord: Discord) -> None:
    await discord.emulator.leave(discord.emulator.ann)
    effect = discord.timeout(discord.emulator.ann)

    looked = await discord.connection.look(effect)

    assert looked is not None
    assert (looked.status, (await discord.connection.act(effect)).status) == ("gone", "gone")


async def test_whoever_leaves_between_the_look_and_the_act_is_gone(discord: Discord) -> None:
    def leaves(_: object) -> bool:
        discord.emulator.world.members.pop(discord.emulator.ann, None)
        return False

    discord.emulator.at("arrived", MEMBER, leaves)

    assert (await discord.connection.act(discord.timeout(discord.emulator.ann))).status == "gone"


async def test_without_the_permission_moderators_learn_its_name(discord: Discord) -> None:
    await discord.emulator.set_permissions(deny=["moderate_members"])
    await discord.emulator.wait_for(lambda: not _may(discord))

    with pytest.raises(Denied, match="lacks the permission Timeout Members in this server"):
        await discord.connection.act(discord.timeout(discord.emulator.ann))

    assert silent_until(discord, discord.emulator.ann) is None


@pytest.mark.parametrize("who", ["the owner, who is an administrator", "an administrator", "somebody whose role is above ours"])
async def test_nobody_above_us_is_silenced_and_moderators_learn_why(discord: Discord, who: str) -> None:
    user = discord.emulator.olga if "owner" in who else await discord.emulator.join("Zoe", "administrator")
    if "above" in who:
        role = discord.emulator.world.members[user]["roles"][0]
        discord.emulator.world.roles[role] |= {"permissions": "0", "position": 9}

    with pytest.raises(Denied, match="only against members without administration whose roles are all below"):
        await discord.connection.act(discord.timeout(user))

    assert [call.status for call in discord.sent(MEMBER)] == [403]


async def test_a_server_that_does_not_answer_is_asked_later(discord: Discord) -> None:
    discord.emulator.fault("error_503", times=1, method=MEMBER)
    effect = discord.timeout(discord.emulator.ann)

    with pytest.raises(Unavailable):
        await discord.connection.act(effect)
    assert await discord.connection.look(effect) is None

    assert (await discord.connection.act(effect)).status == "done"


def _may(discord: Discord) -> bool:
    guild = discord.connection._gateway.client.get_guild(int(discord.emulator.guild))  # type: ignore[attr-defined]
    return bool(guild.me.guild_permissions.moderate_members)
