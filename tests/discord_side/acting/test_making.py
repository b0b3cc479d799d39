"""What was made is edited into its placeholder, taken back, and found by its link."""

from typing import Any

import pytest

from emulators.discord.components import walk
from handlers.answers import Making
from handlers.effects import Edit, Enclosure, Performed, TakeBack
from pipelines.errors import Unavailable, UserError
from tests.discord_side.acting.conftest import Discord, words
from tests.discord_side.acting.test_render import MADE

GALLERY, FILE = 12, 13
EDIT = "PATCH /channels/{id}/messages/{id}"
WAITING = Making(id="w1", media="image", wish="a cat")


def enclosure(kind: Any, name: str, **more: Any) -> Enclosure:
    return Enclosure(kind=kind, of="w1", name=name, alt_text=f"Alt text of {name}", **more)


CAT = enclosure("made_picture", "cat.png")
DOG = enclosure("made_picture", "dog.png", page=2, spoiler=True)
CLIP = enclosure("made_video", "clip.mp4")
SONG = enclosure("made_sound", "song.mp3", spoiler=True)


async def a_placeholder(discord: Discord) -> tuple[str, str]:
    """Return the thread and the id of a message of ours in it that says that something is being made."""
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    performed = await discord.connection.act(discord.post(thread=root, answer=WAITING))
    assert performed.message is not None
    return root, performed.message


def an_edit(discord: Discord, thread: str, message: str, *files: Enclosure, key: str = "e2") -> Edit:
    place = discord.place.model_copy(update={"thread": thread})
    return Edit(key=key, place=place, message=message, answer=MADE, files=files)


async def the_message(discord: Discord, thread: str, message: str) -> dict[str, Any]:
    return next(each for each in await discord.emulator.messages(discord.emulator.pics, thread) if each["id"] == message)


def gallery(message: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return type, alt text and spoiler of what stands in galleries."""
    items = [item for each in walk(message["components"]) if each["type"] == GALLERY for item in each["items"]]
    return [(each["media"]["content_type"], each["description"], each["spoiler"]) for each in items]


def opened(message: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return type and spoiler of the files beside them."""
    return [(each["file"]["content_type"], each["spoiler"]) for each in walk(message["components"]) if each["type"] == FILE]


async def test_what_was_made_takes_the_placeholders_place(discord: Discord) -> None:
    root, message = await a_placeholder(discord)

    performed = await discord.connection.act(an_edit(discord, root, message, CAT, DOG, CLIP, SONG))

    shown = await the_message(discord, root, message)
    assert performed == Performed(status="done", message=message)
    assert gallery(shown) == [
        ("image/png", CAT.alt_text, False),
        ("image/png", DOG.alt_text, True),
        ("video/mp4", CLIP.alt_text, False),
    ]
    assert opened(shown) == [("audio/mpeg", True)]
    assert "a grey cat on a sofa" in words(shown)


async def test_what_cannot_be_read_now_is_tried_again_and_shown_once(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    before, effect = await the_message(discord, root, message), an_edit(discord, root, message, CAT, SONG)
    discord.given.enclosures.away.add("made_sound")

    with pytest.raises(Unavailable):
        await discord.connection.act(effect)
    assert (await discord.connection.look(effect), await the_message(discord, root, message)) == (None, before)
    await discord.connection.act(effect)

    shown = await the_message(discord, root, message)
    assert (len(gallery(shown)), len(opened(shown))) == (1, 1)


async def test_other_files_replace_those_that_were_there(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    await discord.connection.act(an_edit(discord, root, message, CAT, DOG))

    await discord.connection.act(an_edit(discord, root, message, CLIP, key="e3"))

    assert gallery(await the_message(discord, root, message)) == [("video/mp4", CLIP.alt_text, False)]
    assert len(discord.emulator.world.messages[root][message]["_files"]) == 1


async def test_an_edit_of_which_we_lost_sight_is_found_with_its_files(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    effect = an_edit(discord, root, message, CAT)
    assert await discord.connection.look(effect) is None
    discord.emulator.at("stored", EDIT, lambda _: True)
    with pytest.raises(Unavailable):
        await discord.connection.act(effect)

    found = await discord.connection.look(effect)

    assert found == Performed(status="done", message=message)
    assert len(discord.sent(EDIT)) == 1
    assert gallery(await the_message(discord, root, message)) == [("image/png", CAT.alt_text, False)]


async def test_what_is_too_large_is_left_out_and_the_answer_says_so(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    limit = discord.connection.upload_limit(discord.place)
    discord.given.enclosures.size_bytes["made_video"] = limit + 1

    await discord.connection.act(an_edit(discord, root, message, CLIP, CAT))

    shown = await the_message(discord, root, message)
    assert limit == 10 * 1024 * 1024
    assert gallery(shown) == [("image/png", CAT.alt_text, False)]
    assert "One file is not shown: a file may have 10 MB here, 25 MB together." in words(shown)


async def test_what_was_made_for_a_message_that_is_gone_is_over(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    await discord.emulator.delete(root, message)

    assert (await discord.connection.act(an_edit(discord, root, message, CAT))).status == "gone"


async def test_a_message_of_ours_is_taken_back_once(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    await discord.emulator.set_permissions(discord.emulator.pics, deny=["manage_messages"])
    effect = TakeBack(key="e3", place=discord.place.model_copy(update={"thread": root}), message=message)
    assert await discord.connection.look(effect) is None

    first = await discord.connection.act(effect)
    again = await discord.connection.act(effect)

    assert (first.status, again.status) == ("done", "gone")
    assert await discord.connection.look(effect) == again
    assert await discord.shown(discord.emulator.pics, root) == []


async def test_a_link_leads_to_a_message_with_its_files(discord: Discord) -> None:
    emulator = discord.emulator
    message = await emulator.post(emulator.pics, emulator.bob, "mine", [("cat.png", b"\x89PNG\r\n\x1a\n")])
    path = f"channels/{emulator.guild}/{emulator.pics}/{message}"

    for site in ("https://discord.com", "https://ptb.discord.com", "https://canary.discord.com", "<https://discordapp.com"):
        found = await discord.connection.linked(discord.place.tenant, f"{site}/{path}", emulator.ann)

        assert found is not None, site
        assert (found.place, found.message, found.author.id) == (discord.place, message, emulator.bob)
        assert [each.name for each in found.content.attachments] == ["cat.png"]


async def test_a_link_into_a_thread_finds_what_we_made_there(discord: Discord) -> None:
    root, message = await a_placeholder(discord)
    await discord.connection.act(an_edit(discord, root, message, CAT))
    link = f"https://discord.com/channels/{discord.emulator.guild}/{root}/{message}"

    found = await discord.connection.linked(discord.place.tenant, link, discord.emulator.ann)

    assert found is not None
    assert found.place == discord.place.model_copy(update={"thread": root})
    assert [each.media_type for each in found.content.attachments] == ["image/png"]


async def test_a_link_leads_nowhere_that_its_sender_may_not_go(discord: Discord) -> None:
    emulator = discord.emulator
    message = await emulator.post(emulator.moderators, emulator.mo, "secret")
    refused = {
        f"77/{emulator.pics}/{message}": "another server",
        f"{emulator.guild}/{emulator.moderators}/{message}": "cannot read it",
        f"{emulator.guild}/77/{message}": "cannot read it",
        f"{emulator.guild}/{emulator.pics}/77": "gone",
    }

    for path, says in refused.items():
        with pytest.raises(UserError, match=says):
            await discord.connection.linked(discord.place.tenant, f"https://discord.com/channels/{path}", emulator.ann)


async def test_what_is_no_link_to_a_message_is_none(discord: Discord) -> None:
    for address in ("https://example.org/channels/1/2/3", "https://discord.com.evil.example/channels/1/2/3", ""):
        assert await discord.connection.linked(discord.place.tenant, address, discord.emulator.ann) is None
