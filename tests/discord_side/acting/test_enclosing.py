"""Files that go with our words on Discord, emojis, and who may read what."""

from typing import Any

import pytest

from emulators.discord.components import walk
from handlers.effects import Edit, React
from tests.discord_side.acting.conftest import Discord, words
from tests.enclosing import PAGE, SHEET
from tests.extracted import an_extracted

GALLERY, FILE, BUTTON = 12, 13, 2


async def the_message(discord: Discord, thread: str) -> dict[str, Any]:
    [message] = [each for each in await discord.emulator.messages(discord.emulator.pics, thread) if each["components"]]
    return message


def shown(message: dict[str, Any]) -> tuple[list[str], int]:
    """Return the alt texts of its pictures, and how many other files it shows."""
    parts = list(walk(message["components"]))
    alt_texts = [item["description"] for each in parts if each["type"] == GALLERY for item in each["items"]]
    return alt_texts, sum(each["type"] == FILE for each in parts)


async def test_a_picture_and_a_sheet_stand_in_the_message_once(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    effect = discord.post(thread=root, answer=an_extracted(), files=(PAGE, SHEET))

    first = await discord.connection.act(effect)
    again = await discord.connection.act(effect)

    message = await the_message(discord, root)
    assert shown(message) == ([PAGE.alt_text], 1)
    assert "Rechnung" in words(message)
    assert first == again == await discord.connection.look(effect)
    assert len([each for each in walk(message["components"]) if each["type"] == BUTTON]) == 6


async def test_files_arrive_whole_in_a_thread_that_has_to_be_opened_first(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    await discord.connection.act(discord.post(thread=root, files=(SHEET,)))

    refused, sent = discord.sent("POST /channels/{id}/messages")
    assert (refused.status, sent.status) == (404, 200)
    assert [data for _, data in sent.files] == [b"xlsx of x1"]


async def test_what_cannot_be_made_any_more_is_left_out(discord: Discord) -> None:
    discord.given.enclosures.lost.add("marked_page")
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    await discord.connection.act(discord.post(thread=root, files=(PAGE, SHEET)))

    assert shown(await the_message(discord, root)) == ([], 1)


async def test_where_no_files_may_be_attached_the_words_come_alone(discord: Discord) -> None:
    await discord.emulator.set_permissions(discord.emulator.pics, deny=["attach_files"])
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    performed = await discord.connection.act(discord.post(thread=root, files=(PAGE,)))

    assert performed.status == "done"
    assert shown(await the_message(discord, root)) == ([], 0)


async def test_a_corrected_value_leaves_the_page_beside_it(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    posted = await discord.connection.act(discord.post(thread=root, answer=an_extracted(), files=(PAGE, SHEET)))
    place = discord.place.model_copy(update={"thread": root})

    confirmed = an_extracted(state="confirmed", decided_by="Mo")
    await discord.connection.act(Edit(key="e2", place=place, message=posted.message, answer=confirmed))

    message = await the_message(discord, root)
    assert shown(message) == ([PAGE.alt_text], 1)
    assert "Confirmed by Mo" in words(message)


async def test_a_notice_for_one_person_has_its_files_too(discord: Discord) -> None:
    reply = await discord.asked("moderate")

    await discord.connection.act(
        discord.notify(reply=reply, person=discord.emulator.olga).model_copy(update={"files": (SHEET,)})
    )

    [message] = await discord.emulator.private(discord.emulator.olga)
    assert shown(message) == ([], 1)


async def test_an_emoji_is_put_below_a_message_once(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    effect = React(key="e1", place=discord.place, message=root, emoji="\u2705", name="white_check_mark")

    assert await discord.connection.look(effect) is None
    for _ in range(2):
        assert (await discord.connection.act(effect)).status == "done"

    [message] = await discord.emulator.messages(discord.emulator.pics)
    assert [(each["emoji"]["name"], each["count"]) for each in message["reactions"]] == [("\u2705", 1)]


async def test_an_emoji_for_a_message_that_is_gone_is_over(discord: Discord) -> None:
    effect = React(key="e1", place=discord.place, message="77", emoji="\u2705", name="white_check_mark")

    assert (await discord.connection.act(effect)).status == "gone"


async def test_a_member_reads_what_is_open_to_them(discord: Discord) -> None:
    emulator = discord.emulator
    root = await emulator.post(emulator.pics, emulator.ann, "look")
    await discord.connection.act(discord.post(thread=root))
    asked = frozenset({emulator.pics, emulator.moderators, root, "77", "nonsense"})
    tenant = discord.place.tenant

    assert await discord.connection.readable(tenant, emulator.ann, asked) == {emulator.pics, root}
    assert await discord.connection.readable(tenant, emulator.mo, asked) == {emulator.pics, emulator.moderators, root}
    assert await discord.connection.readable(tenant, "424242", asked) == frozenset()


@pytest.mark.parametrize("channel", ["pics", "thread"])
async def test_who_may_not_see_a_channel_reads_nothing_of_it(discord: Discord, channel: str) -> None:
    emulator = discord.emulator
    root = await emulator.post(emulator.pics, emulator.ann, "look")
    await discord.connection.act(discord.post(thread=root))
    await emulator.set_permissions(emulator.pics, deny=["view_channel"], user=emulator.ann)
    asked = frozenset({emulator.pics if channel == "pics" else root})

    assert await discord.connection.readable(discord.place.tenant, emulator.ann, asked) == frozenset()
