"""The picture in a case: blurred by us, behind a spoiler, and never the reason why a case is not shown."""

import json
from typing import Any

import pytest

from bot.storage.copies import CopiedFile, Copy
from handlers.answers import CaseCard
from handlers.effects import Edit
from pipelines.errors import FlashbulbError, Unavailable, UserError
from pipelines.moderation.policy import Action
from tests.discord_side.acting.conftest import Discord, words
from tests.fakes import ADA

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 9
SEND = "POST /channels/{id}/messages"


def a_case(_message: str, **changes: Any) -> CaseCard:
    values = {"case": "abcdefghijkl", "author": "ann", "channel": "1", "action": Action.REMOVE, "shadow": False, "reasons": ()}
    values |= {"findings": (), "judged": 1, "total": 1, "engine": "m", "state": "open", "picture": True, "message": _message}
    return CaseCard(**values | changes)


async def kept(discord: Discord, *files: CopiedFile, message: str = "77") -> str:
    copy = Copy(place=discord.place, author=ADA, text="look", files=files)
    await discord.given.copies.keep(discord.place.tenant, message, copy)
    return message


async def the_card(discord: Discord) -> dict[str, Any]:
    return (await discord.emulator.messages(discord.emulator.moderators))[-1]


def gallery(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for each in card["components"][0]["components"] if each["type"] == 12 for item in each["items"]]


async def test_a_case_shows_the_first_picture_blurred_behind_a_spoiler_with_alt_text(discord: Discord) -> None:
    notes = CopiedFile(name="notes.txt", media_type="text/plain", data=b"words")
    message = await kept(discord, notes, CopiedFile(name="cat.png", media_type="image/png", data=PNG))

    performed = await discord.connection.act(discord.card(a_case(message)))

    [item] = gallery(await the_card(discord))
    assert (item["spoiler"], item["description"]) == (True, "Blurred picture of the message that was taken out")
    [call] = discord.sent(SEND)
    assert call.files == [("picture.jpg", b"\xff\xd8\xffblurred " + PNG)]
    assert await discord.connection.look(discord.card(a_case(message))) == performed


@pytest.mark.parametrize("changes", [{"picture": False}, {"message": "78"}], ids=["not-allowed", "no-copy"])
async def test_a_case_without_a_picture_shows_none(discord: Discord, changes: dict[str, Any]) -> None:
    message = await kept(discord, CopiedFile(name="cat.png", media_type="image/png", data=PNG))

    await discord.connection.act(discord.card(a_case(message, **changes)))

    assert gallery(await the_card(discord)) == []
    assert [call.files for call in discord.sent(SEND)] == [[]]


@pytest.mark.parametrize("error", [None, UserError("damaged"), Unavailable("A worker")], ids=["no-picture", "damaged", "away"])
async def test_a_picture_that_cannot_be_made_does_not_cost_the_case(discord: Discord, error: FlashbulbError | None) -> None:
    discord.media.error = error
    message = await kept(discord, CopiedFile(name="cat.png", media_type="image/png", data=b"no picture"))

    performed = await discord.connection.act(discord.card(a_case(message)))

    assert performed.status == "done"
    assert "Removed" in words(await the_card(discord))
    assert gallery(await the_card(discord)) == []


async def test_where_no_files_may_be_attached_the_case_comes_without(discord: Discord) -> None:
    await discord.emulator.set_permissions(discord.emulator.moderators, deny=["attach_files"])
    message = await kept(discord, CopiedFile(name="cat.png", media_type="image/png", data=PNG))

    for _ in range(2):
        performed = await discord.connection.act(discord.card(a_case(message)))

    assert performed.status == "done"
    assert gallery(await the_card(discord)) == []
    assert len([each for each in await discord.emulator.messages(discord.emulator.moderators) if each["components"]]) == 1
    assert [call.status for call in discord.sent(SEND)] == [403, 200, 200]


async def test_the_picture_goes_with_the_decision_and_stays_while_there_is_none(discord: Discord) -> None:
    message = await kept(discord, CopiedFile(name="cat.png", media_type="image/png", data=PNG))
    shown = await discord.connection.act(discord.card(a_case(message)))
    place = discord.place.model_copy(update={"channel": discord.emulator.moderators})
    first = {"place": place, "message": str(shown.message)}

    await discord.connection.act(Edit(key="e2", answer=a_case(message, strikes=2), **first))
    still = await the_card(discord)
    decided = a_case(message, state="kept", decided_by="Mo", picture=False)
    await discord.connection.act(Edit(key="e3", answer=decided, **first))
    after = await the_card(discord)

    assert len(gallery(still)) == 1
    assert "Kept removed by Mo" in words(after)
    assert gallery(after) == []
    assert "picture" not in json.dumps(after["components"])
    assert discord.emulator.world.messages[discord.emulator.moderators][str(shown.message)]["_files"] == []
