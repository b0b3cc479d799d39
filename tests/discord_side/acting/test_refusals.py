"""Each thing that Discord may say no to, and what becomes of the effect: later, over already, or never and in words."""

import pytest

from bot.discord.permissions import REFUSAL_S, Refusals
from pipelines.errors import Unavailable, UserError
from tests.discord_side.acting.conftest import Discord

SEND = "POST /channels/{id}/messages"
DELETE = "DELETE /channels/{id}/messages/{id}"
THREAD = "POST /channels/{id}/messages/{id}/threads"


@pytest.mark.parametrize("fault", ["error_500", "error_502", "rate_limited"])
async def test_what_the_library_tries_again_is_said_once(discord: Discord, fault: str) -> None:
    discord.emulator.fault(fault, times=1, method=SEND)

    performed = await discord.connection.act(discord.post())

    assert performed.status == "done"
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


@pytest.mark.parametrize("fault", ["error_503", "rate_limited_without_via", "reset", "unauthorized"])
async def test_what_the_library_gives_up_on_is_put_off_and_then_said_once(discord: Discord, fault: str) -> None:
    discord.emulator.fault(fault, times=1, method=SEND)

    with pytest.raises(Unavailable):
        await discord.connection.act(discord.post())
    assert await discord.connection.look(discord.post()) is None
    await discord.connection.act(discord.post())

    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_a_message_that_was_stored_before_the_error_is_not_said_again(discord: Discord) -> None:
    discord.emulator.fault("error_500_after_storing", times=1, method=SEND)

    await discord.connection.act(discord.post())

    assert len(discord.sent(SEND)) == 2
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_a_message_whose_answer_was_lost_is_found_by_the_look(discord: Discord) -> None:
    discord.emulator.fault("reset_after_storing", times=1, method=SEND)

    with pytest.raises(Unavailable):
        await discord.connection.act(discord.post())
    looked = await discord.connection.look(discord.post())

    assert looked is not None
    assert looked.status == "done"


async def test_moderators_learn_which_permission_is_lacking_and_the_channel_is_remembered(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")
    await deny(discord, "manage_messages")

    for _ in range(2):
        with pytest.raises(UserError, match="Flashbulb lacks the permission Manage Messages there"):
            await discord.connection.act(discord.remove(message))

    assert [call.status for call in discord.sent(DELETE)] == [403]
    assert len(await discord.emulator.messages(discord.emulator.pics)) == 1


async def test_it_is_tried_again_once_the_permission_is_given(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")
    await deny(discord, "manage_messages")
    with pytest.raises(UserError):
        await discord.connection.act(discord.remove(message))
    await discord.emulator.set_permissions(discord.emulator.pics, allow=["manage_messages"])
    await discord.emulator.wait_for(lambda: may(discord, "manage_messages"))

    assert (await discord.connection.act(discord.remove(message))).status == "done"


async def test_a_thread_that_we_may_not_open_names_what_is_lacking(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await deny(discord, "create_public_threads")

    with pytest.raises(UserError, match="Create Public Threads"):
        await discord.connection.act(discord.post(thread=message))

    assert discord.sent(THREAD)[-1].status == 403


async def test_a_refusal_that_no_permission_explains_names_all_that_are_needed(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")
    discord.emulator.fault("missing_permissions", times=1, method=DELETE)

    with pytest.raises(UserError, match="lacks the permissions View Channels and Manage Messages there"):
        await discord.connection.act(discord.remove(message))


async def test_a_message_deleted_between_reading_and_deleting_is_gone(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")

    def author_was_quicker(_: object) -> bool:
        discord.emulator.world.messages[discord.emulator.pics].pop(message, None)
        return False

    discord.emulator.at("arrived", DELETE, author_was_quicker)

    assert (await discord.connection.act(discord.remove(message))).status == "gone"


async def test_a_channel_that_is_gone_ends_what_belonged_there(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")
    await discord.emulator.archive(discord.emulator.pics)

    assert (await discord.connection.act(discord.remove(message))).status == "gone"
    assert (await discord.connection.act(discord.post())).status == "gone"


async def test_after_it_was_thrown_out_of_the_server_flashbulb_says_so(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "bad")
    await discord.emulator.leave(discord.emulator.bot)

    with pytest.raises(UserError, match="View Channels"):
        await discord.connection.act(discord.remove(message))
    with pytest.raises(UserError, match="View Channels"):
        await discord.connection.act(discord.post())


@pytest.mark.parametrize(
    ("permissions", "later_s", "holds"),
    [
        pytest.param(8, 0.0, True, id="nothing-changed"),
        pytest.param(16, 0.0, False, id="permissions-changed"),
        pytest.param(8, REFUSAL_S + 1, False, id="long-ago"),
    ],
)
def test_a_refusal_is_believed_while_nothing_changes(permissions: int, later_s: float, holds: bool) -> None:
    import discord

    now = [0.0]
    refusals = Refusals(clock=lambda: now[0])
    refusals.add(1, "delete", discord.Permissions(8))

    now[0] = later_s

    assert refusals.holds(1, "delete", discord.Permissions(permissions)) is holds
    assert not refusals.holds(1, "send", discord.Permissions(8))


async def deny(discord: Discord, permission: str) -> None:
    await discord.emulator.set_permissions(discord.emulator.pics, deny=[permission])
    await discord.emulator.wait_for(lambda: not may(discord, permission))


def may(discord: Discord, permission: str) -> bool:
    """Whether the client has heard that we have a permission in the channel of pictures."""
    found = discord.connection._gateway.client.get_channel(int(discord.emulator.pics))  # type: ignore[attr-defined]
    return bool(getattr(found.permissions_for(found.guild.me), permission))
