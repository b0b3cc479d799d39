"""Messages that are taken out, what is left of them, and how they come back."""

import pytest

from bot.storage.copies import CopiedFile, Copy
from emulators.discord.files import FILE_BYTES_BY_TIER, SPOILER
from handlers.effects import Remove, Restore
from pipelines.errors import UserError
from tests.discord_side.acting.conftest import Discord, words
from tests.fakes import ADA

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 9


async def removed(discord: Discord, *, text: str = "look", files: list[tuple[str, bytes]] | None = None) -> str:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, text, files or [])
    await discord.connection.act(discord.remove(message))
    return message


async def test_a_message_is_taken_out_with_the_case_in_the_audit_log(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    performed = await discord.connection.act(discord.remove(message))

    assert (performed.status, performed.message) == ("done", message)
    assert await discord.emulator.messages(discord.emulator.pics) == []
    [call] = discord.sent("DELETE /channels/{id}/messages/{id}")
    assert call.reason == "Flashbulb case c4se"


async def test_a_message_that_is_gone_already_is_gone(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.delete(discord.emulator.pics, message)

    assert (await discord.connection.act(discord.remove(message))).status == "gone"


async def test_a_message_inside_a_thread_is_taken_out_there(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    inside = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "bad", thread=root)

    performed = await discord.connection.act(discord.remove(inside, thread=root))

    assert performed.status == "done"
    assert "bad" not in [each["content"] for each in await discord.emulator.messages(discord.emulator.pics, root)]


async def test_the_first_message_of_a_forum_post_is_taken_out(discord: Discord) -> None:
    forum = await discord.emulator.add_channel("forum", "forum")
    first = await discord.emulator.post_in_forum(forum, discord.emulator.ann, "Title", "bad")
    place = discord.place.model_copy(update={"channel": forum, "thread": first})

    performed = await discord.connection.act(Remove(key="e1", place=place, message=first, keep=True))

    assert performed.status == "done"
    assert await discord.emulator.messages(forum, first) == []


async def a_post(discord: Discord, title: str = "Bad title") -> tuple[Remove, str]:
    """Post in a forum; return the effect that takes it out, and the forum."""
    forum = await discord.emulator.add_channel("forum", "forum")
    first = await discord.emulator.post_in_forum(forum, discord.emulator.ann, title, "bad words")
    place = discord.place.model_copy(update={"channel": forum, "thread": first})
    return Remove(key="e1", place=place, message=first, keep=True), forum


async def test_a_post_goes_with_its_title_and_comes_back_with_it(discord: Discord) -> None:
    remove, forum = await a_post(discord)

    performed = await discord.connection.act(remove)
    gone = remove.message not in discord.emulator.world.channels
    again = await discord.connection.act(remove)
    restore = Restore(key="e2", place=remove.place, message=remove.message)
    back = await discord.connection.act(restore)

    assert (performed.status, performed.why, gone) == ("done", "The post was deleted with its title.", True)
    assert again.status == "gone"
    [post] = [each for each in discord.emulator.world.channels.values() if each.get("parent_id") == forum]
    assert (post["id"], post["name"]) == (back.message, "Bad title")
    [said] = await discord.shown(forum, post["id"])
    assert "bad words" in said
    assert "Bad title" not in said


async def test_a_file_of_a_post_comes_back_whole(discord: Discord) -> None:
    forum = await discord.emulator.add_channel("forum", "forum")
    first = await discord.emulator.post_in_forum(forum, discord.emulator.ann, "Title", "bad", [("notes.txt", b"all of it")])
    place = discord.place.model_copy(update={"channel": forum, "thread": first})
    await discord.connection.act(Remove(key="e1", place=place, message=first, keep=True))

    await discord.connection.act(Restore(key="e2", place=place, message=first))

    assert [data for _, data in discord.emulator.calls[-1].files] == [b"all of it"]


async def test_a_post_is_brought_back_once(discord: Discord) -> None:
    remove, forum = await a_post(discord)
    await discord.connection.act(remove)
    copy = await discord.given.copies.find(remove.place.tenant, remove.message)
    restore = Restore(key="e2", place=remove.place, message=remove.message)

    first = await discord.connection.act(restore)
    await discord.given.copies.keep(remove.place.tenant, remove.message, copy)  # as after a crash before it was forgotten
    second = await discord.connection.act(restore)

    assert first.message == second.message
    assert len([each for each in discord.emulator.world.channels.values() if each.get("parent_id") == forum]) == 1


async def test_what_others_wrote_in_a_post_stays_without_its_title(discord: Discord) -> None:
    remove, forum = await a_post(discord)
    await discord.emulator.post(forum, discord.emulator.bob, "well", thread=remove.message)

    performed = await discord.connection.act(remove)
    taken_out = discord.emulator.world.channels[remove.message]["name"]
    left = [each["content"] for each in await discord.emulator.messages(forum, remove.message)]
    await discord.connection.act(Restore(key="e2", place=remove.place, message=remove.message))

    assert (performed.status, taken_out, left) == ("done", "Taken out by moderators", ["well"])
    assert discord.emulator.world.channels[remove.message]["name"] == "Bad title"
    assert "bad words" in (await discord.shown(forum, remove.message))[0]


async def test_a_title_that_must_stay_is_admitted(discord: Discord) -> None:
    remove, forum = await a_post(discord)
    await discord.emulator.set_permissions(forum, deny="manage_threads")

    with pytest.raises(UserError, match=r"message was deleted, but its title stays. .*Manage Threads"):
        await discord.connection.act(remove)

    assert await discord.emulator.messages(forum, remove.message) == []
    assert discord.emulator.world.channels[remove.message]["name"] == "Bad title"


async def test_a_report_of_a_post_shows_its_title(discord: Discord) -> None:
    remove, _ = await a_post(discord)

    posted = await discord.connection.message(remove.place, remove.message)

    assert posted is not None
    assert posted.content.text == "Bad title\nbad words"


async def test_before_anything_is_deleted_it_is_sealed_with_its_files(discord: Discord) -> None:
    message = await removed(discord, files=[("cat.png", PNG)])

    copy = await discord.given.copies.find(discord.place.tenant, message)

    assert copy is not None
    assert (copy.text, copy.author.name, copy.place) == ("look", "ann", discord.place)
    assert [(each.name, each.data) for each in copy.files] == [("cat.png", PNG)]


async def test_a_message_of_which_no_copy_may_stay_leaves_none(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    fetched = len(discord.sent("GET /channels/{id}/messages/{id}"))

    await discord.connection.act(discord.remove(message, keep=False))

    assert await discord.given.copies.find(discord.place.tenant, message) is None
    assert len(discord.sent("GET /channels/{id}/messages/{id}")) == fetched


async def test_a_file_that_cannot_be_fetched_does_not_keep_its_message_standing(discord: Discord) -> None:
    discord.emulator.fault("cdn_missing")

    message = await removed(discord, files=[("cat.png", PNG)])

    copy = await discord.given.copies.find(discord.place.tenant, message)
    assert copy is not None
    assert [(each.name, each.data) for each in copy.files] == [("cat.png", None)]
    assert await discord.emulator.messages(discord.emulator.pics) == []


async def test_what_we_answered_to_a_message_goes_with_it_and_so_does_the_thread(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.post(thread=message, about=message))

    await discord.connection.act(discord.remove(message))

    assert message not in discord.emulator.world.channels


async def test_what_others_wrote_in_the_thread_stays(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.post(thread=message, about=message))
    await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "nice", thread=message)

    await discord.connection.act(discord.remove(message))

    left = [each for each in await discord.emulator.messages(discord.emulator.pics, message) if each["type"] == 0]
    assert [each["content"] for each in left] == ["nice"]


async def test_what_we_answered_inside_a_thread_goes_with_the_message_it_answered(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    inside = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "this", thread=root)
    await discord.connection.act(discord.post(key="e1", thread=root, about=inside))
    await discord.connection.act(discord.post(key="e2", thread=root, about=root))

    await discord.connection.act(discord.remove(inside, thread=root))

    assert await discord.shown(discord.emulator.pics, root) == ["Flashbulb says so."]


@pytest.mark.parametrize("kind", ["voice", "stage"])
async def test_what_we_replied_where_there_are_no_threads_goes_with_the_message(discord: Discord, kind: str) -> None:
    emulator = discord.emulator
    place = discord.place.model_copy(update={"channel": await emulator.add_channel("talking", kind)})
    bad, fine = [await emulator.post(place.channel, emulator.ann, text) for text in ("bad", "fine")]
    for message in (bad, fine):
        effect = discord.post(key=message, place=place.in_thread_of(message), about=message)
        await discord.connection.act(effect)

    await discord.connection.act(Remove(key="e-remove", place=place, message=bad, keep=True))

    [kept, answer] = await emulator.messages(place.channel)
    assert (kept["id"], answer["message_reference"]["message_id"]) == (fine, fine)


@pytest.mark.parametrize("name", ["cat.png", "SPOILER_cat.png"])
@pytest.mark.parametrize("by_flag", [True, False])
async def test_what_was_covered_comes_back_covered(discord: Discord, name: str, by_flag: bool) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [(name, PNG)])
    discord.emulator.world.messages[discord.emulator.pics][message]["_files"][0]["flags"] = SPOILER if by_flag else 0
    await discord.connection.act(discord.remove(message))

    await discord.connection.act(discord.restore(message))

    [back] = await discord.emulator.messages(discord.emulator.pics)
    [picture] = back["components"][0]["components"][2]["items"]
    assert bool(picture.get("spoiler")) is (by_flag or name.startswith("SPOILER_"))


async def test_what_another_app_had_covered_comes_back_covered(discord: Discord) -> None:
    media = {"media": {"url": "attachment://cat.png"}, "spoiler": True}
    layout = [{"type": 12, "items": [media]}, {"type": 13, "file": {"url": "attachment://notes.txt"}, "spoiler": True}]
    files = [("cat.png", PNG), ("notes.txt", b"words")]
    message = await discord.emulator.post_layout(discord.emulator.pics, discord.emulator.other_bot, layout, files)
    await discord.connection.act(discord.remove(message))

    copy = await discord.given.copies.find(discord.place.tenant, message)

    assert copy is not None
    assert [(each.name, each.spoiler) for each in copy.files] == [("cat.png", True), ("notes.txt", True)]


async def test_a_message_comes_back_with_its_author_s_name_its_text_and_its_files(discord: Discord) -> None:
    text = "look @everyone **bold** <@1000000000000000304>"
    message = await removed(discord, text=text, files=[("cat.png", PNG), ("notes.txt", b"words")])
    effect = discord.restore(message)
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    [back] = await discord.emulator.messages(discord.emulator.pics)
    said = words(back)
    assert said.startswith("**ann** wrote this. A moderator put it back.")
    assert r"look \@everyone \*\*bold\*\* \<\@1000000000000000304\>" in said
    assert back["mentions"] == []
    assert back["mention_everyone"] is False
    kinds = [each["type"] for each in back["components"][0]["components"]]
    assert kinds == [10, 10, 12, 13]
    [sent] = [call for call in discord.sent("POST /channels/{id}/messages") if call.files]
    assert [data for _, data in sent.files] == [PNG, b"words"]
    assert await discord.connection.look(effect) == performed


async def test_alt_texts_come_back_too(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look", [("cat.png", PNG)])
    discord.emulator.world.messages[discord.emulator.pics][message]["_files"][0]["description"] = "A grey cat"
    await discord.connection.act(discord.remove(message))

    await discord.connection.act(discord.restore(message))

    [back] = await discord.emulator.messages(discord.emulator.pics)
    assert back["components"][0]["components"][2]["items"][0]["description"] == "A grey cat"


async def test_a_text_too_long_for_one_message_comes_back_whole_in_several(discord: Discord) -> None:
    message = await removed(discord, text="*" * 2000)

    performed = await discord.connection.act(discord.restore(message))

    back = await discord.emulator.messages(discord.emulator.pics)
    assert len(back) == 2
    assert sum(words(each).count(r"\*") for each in back) == 2000
    assert back[-1]["id"] == performed.message


async def test_a_text_comes_back_in_whole_words(discord: Discord) -> None:
    text = " ".join(f"word{number}" for number in range(240))
    message = await removed(discord, text=text)

    await discord.connection.act(discord.restore(message))

    back = await discord.emulator.messages(discord.emulator.pics)
    texts = [each["components"][0]["components"][1]["content"] for each in back]
    assert len(texts) == 2
    assert " ".join(texts) == text


async def test_what_is_not_brought_back_stands_below_the_pictures(discord: Discord) -> None:
    picture = CopiedFile(name="cat.png", media_type="image/png", data=b"cat")
    lost = CopiedFile(name="film.mp4", media_type="video/mp4", data=None)
    copy = Copy(place=discord.place, author=ADA, text="look", files=(lost, picture))
    await discord.given.copies.keep(discord.place.tenant, "77", copy)

    await discord.connection.act(discord.restore("77"))

    [back] = await discord.emulator.messages(discord.emulator.pics)
    *_, gallery, below = back["components"][0]["components"]
    assert len(gallery["items"]) == 1
    assert below["content"] == "-# Not brought back: film.mp4"


async def test_files_that_discord_takes_no_more_are_named_instead(discord: Discord) -> None:
    large = CopiedFile(name="film.mp4", media_type="video/mp4", data=bytes(FILE_BYTES_BY_TIER[0] + 1))
    copy = Copy(place=discord.place, author=ADA, text="look", files=(large,))
    await discord.given.copies.keep(discord.place.tenant, "77", copy)

    performed = await discord.connection.act(discord.restore("77"))

    [back] = await discord.emulator.messages(discord.emulator.pics)
    assert "Not brought back: film.mp4" in words(back)
    assert performed.status == "done"
    assert [call.status for call in discord.sent("POST /channels/{id}/messages")] == [413, 200]


async def test_without_a_copy_nothing_comes_back_and_moderators_learn_why(discord: Discord) -> None:
    with pytest.raises(UserError, match="No copy of it is kept"):
        await discord.connection.act(discord.restore("1"))


async def test_no_copy_is_kept_of_a_message_that_could_not_be_taken_out(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    discord.emulator.fault("missing_permissions", times=1, method="DELETE /channels/{id}/messages/{id}")

    with pytest.raises(UserError):
        await discord.connection.act(discord.remove(message))

    assert await discord.given.copies.find(discord.place.tenant, message) is None


async def test_a_message_of_large_and_many_files_goes_and_comes_back_with_what_fits(discord: Discord) -> None:
    discord.emulator.world.guild["premium_tier"] = 2  # boosted: files of up to 50 MB
    large = ("film.mp4", bytes(26 * 1024 * 1024))
    small = [(f"{number}.png", PNG + bytes([number])) for number in range(9)]
    message = await removed(discord, files=[large, *small])

    copy = await discord.given.copies.find(discord.place.tenant, message)
    performed = await discord.connection.act(discord.restore(message))

    assert copy is not None
    assert [each.data for each in copy.files] == [None, *(data for _, data in small)]
    [back] = await discord.emulator.messages(discord.emulator.pics)
    assert (back["id"], "Not brought back: film.mp4" in words(back)) == (performed.message, True)
    assert len(discord.sent("GET /cdn")) == 9
