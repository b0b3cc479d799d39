"""What was brought back goes again: all of it, wherever it stands, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.storage.tables import CopyRow
from handlers.effects import Performed, Remove, Restore
from handlers.events import Place, Role
from pipelines.errors import Unavailable
from tests.discord_side.acting.conftest import Discord

THREE_PARTS = "*" * 4000


async def brought_back(discord: Discord, text: str = THREE_PARTS, *, place: Place | None = None) -> Performed:
    """Post as Ann, take that out and bring it back."""
    place = place or discord.place
    message = await discord.emulator.post(place.channel, discord.emulator.ann, "x", thread=place.thread)
    stored = discord.emulator.world.messages[place.thread or place.channel][message]
    stored["content"] = text  # which Discord lets those write who pay for it
    await discord.connection.act(Remove(key="e-remove", place=place, message=message, keep=True))
    return await discord.connection.act(Restore(key="e-restore", place=place, message=message))


async def test_all_parts_of_a_long_message_go(discord: Discord) -> None:
    before = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "before")
    back = await brought_back(discord)
    after = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "after")
    assert len(await discord.shown(discord.emulator.pics)) == 3
    effect = discord.take_back(back.message)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    left = await discord.emulator.messages(discord.emulator.pics)
    assert (performed.status, [each["id"] for each in left]) == ("done", [before, after])
    looked = await discord.connection.look(effect)
    assert looked is not None
    assert (looked.status, (await discord.connection.act(effect)).status) == ("gone", "gone")


async def test_parts_are_found_below_whatever_was_written_since(discord: Discord) -> None:
    back = await brought_back(discord)
    for number in range(60):
        await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, str(number))

    await discord.connection.act(discord.take_back(back.message))

    assert await discord.shown(discord.emulator.pics) == []


async def test_what_else_we_said_there_stays(discord: Discord) -> None:
    await discord.connection.act(discord.post(key="e-other"))
    back = await brought_back(discord)

    await discord.connection.act(discord.take_back(back.message))

    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_parts_inside_a_thread_go(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    place = discord.place.model_copy(update={"thread": root})
    back = await brought_back(discord, place=place)
    assert len(await discord.shown(discord.emulator.pics, root)) == 3

    performed = await discord.connection.act(discord.take_back(back.message, place=place))

    assert performed.status == "done"
    assert await discord.shown(discord.emulator.pics, root) == []
    assert root in discord.emulator.world.channels


@pytest.mark.parametrize("others_wrote", [False, True], ids=["opened-anew", "others-wrote-there"])
async def test_a_post_goes_again_with_its_title(discord: Discord, others_wrote: bool) -> None:
    forum = await discord.emulator.add_channel("forum", "forum")
    first = await discord.emulator.post_in_forum(forum, discord.emulator.ann, "Bad title", "bad words")
    if others_wrote:
        await discord.emulator.post(forum, discord.emulator.bob, "well", thread=first)
    place = discord.place.model_copy(update={"channel": forum, "thread": first})
    await discord.connection.act(Remove(key="e-remove", place=place, message=first, keep=True))
    back = await discord.connection.act(Restore(key="e-restore", place=place, message=first))
    assert "Bad title" in titles(discord, forum)

    performed = await discord.connection.act(discord.take_back(back.message, place=place))

    assert performed.status == "done"
    assert titles(discord, forum) == (["Taken out by moderators"] if others_wrote else [])


async def test_a_kill_between_two_parts_leaves_nothing_behind(discord: Discord) -> None:
    back = await brought_back(discord)
    method, seen = "DELETE /channels/{id}/messages/{id}", []
    discord.emulator.at("stored", method, lambda call: seen.append(call) or len(seen) >= 2)
    effect = discord.take_back(back.message)
    with pytest.raises(Unavailable):
        await discord.connection.act(effect)
    discord.emulator.at("stored", method, None)

    assert await discord.connection.look(effect) is None
    await discord.connection.act(effect)

    assert await discord.shown(discord.emulator.pics) == []


async def test_a_copy_stays_for_another_day_after_it_came_back(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.remove(message))

    await discord.connection.act(discord.restore(message))

    def until(connection: sa.Connection) -> datetime:
        return connection.execute(sa.select(CopyRow.expires_at).where(CopyRow.message == message)).scalar_one()

    expires_at = await discord.given.copies._records.read(until)
    assert timedelta(hours=23) < expires_at - datetime.now(UTC) <= timedelta(days=1)
    assert await discord.given.copies.find(discord.place.tenant, message) is not None


async def test_what_was_taken_back_can_come_back_once_more(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.remove(message))
    back = await discord.connection.act(discord.restore(message))
    await discord.connection.act(discord.take_back(back.message))

    again = await discord.connection.act(Restore(key="e-again", place=discord.place, message=message))

    assert again.message != back.message
    assert "look" in "".join(await discord.shown(discord.emulator.pics))


@pytest.mark.parametrize(
    ("person", "role"), [("olga", Role.ADMIN), ("mo", Role.MODERATOR), ("ann", Role.MEMBER), ("nobody", Role.MEMBER)]
)
async def test_a_role_is_asked_anew_each_time(discord: Discord, person: str, role: Role) -> None:
    id = getattr(discord.emulator, person, "1000000000000000999")

    assert await discord.connection.role(discord.place.tenant, id) is role

    discord.emulator.world.members.pop(id, None)
    expected = Role.MEMBER
    assert await discord.connection.role(discord.place.tenant, id) is expected


async def test_a_role_that_cannot_be_asked_for_is_not_made_up(discord: Discord) -> None:
    discord.emulator.fault("error_503", times=1, method="GET /guilds/{id}/members/{id}")

    with pytest.raises(Unavailable):
        await discord.connection.role(discord.place.tenant, discord.emulator.mo)


def titles(discord: Discord, forum: str) -> list[str]:
    return [each["name"] for each in discord.emulator.world.channels.values() if each.get("parent_id") == forum]
