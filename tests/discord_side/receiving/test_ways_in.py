"""Every way by which something comes to be seen in a server is a way into the bot."""

import pytest

from emulators.discord import DiscordEmulator
from emulators.discord.threads import change
from handlers.events import CommandUsed, MessagePosted, Role
from tests.discord_side.receiving.ears import PNG, Ears

OTHER = {"username": "other", "discriminator": "0", "avatar": None, "bot": True}


def a_message(emulator: DiscordEmulator, **changes: object) -> dict[str, object]:
    author = {"id": emulator.ann, "username": "ann", "discriminator": "0", "avatar": None}
    place = {"channel_id": emulator.general, "guild_id": emulator.guild}
    return {"id": "1509000000000000001", **place, "type": 0, "content": "x", "author": author, "attachments": []} | changes


def rename(emulator: DiscordEmulator, thread: str, name: str) -> None:
    change(emulator.world, emulator.world.channels[thread], {"name": name}, emulator.ann)


POLL = {
    "content": "",
    "poll": {"question": {"text": "Which?"}, "answers": [{"answer_id": 1, "poll_media": {"text": "This one"}}], "expiry": None},
}
REPLY = {"type": 19, "content": "so there", "message_reference": {"type": 0, "message_id": "7"}}
CROSSPOST = {"content": "news", "flags": 2, "webhook_id": "8", "author": OTHER | {"id": "8"}}
ANSWER = {"type": 20, "content": "here it is", "application_id": "9", "webhook_id": "9", "author": OTHER | {"id": "9"}}
MENU_ANSWER = ANSWER | {"type": 23}
LOTTIE = {"content": "", "sticker_items": [{"id": "5", "name": "Wave", "format_type": 3}]}
VOICE = {
    "content": "",
    "flags": 1 << 13,
    "attachments": [
        {
            "id": "6",
            "filename": "voice-message.ogg",
            "size": 9,
            "url": "https://cdn.discordapp.com/attachments/4/6/voice-message.ogg",
            "content_type": "audio/ogg",
            "duration_secs": 1.5,
            "waveform": "AA==",
        }
    ],
}
EMBED = {"content": "", "embeds": [{"type": "rich", "title": "A title", "description": "and words"}]}


@pytest.mark.parametrize(
    ("posted", "text", "files"),
    [
        pytest.param(POLL, "Which?\nThis one", [], id="poll"),
        pytest.param(REPLY, "so there", [], id="reply"),
        pytest.param(CROSSPOST, "news", [], id="crosspost"),
        pytest.param(ANSWER, "here it is", [], id="another-app-s-answer-to-a-command"),
        pytest.param(MENU_ANSWER, "here it is", [], id="another-app-s-answer-to-a-menu"),
        pytest.param(LOTTIE, "Wave", [], id="sticker-that-is-a-drawing"),
        pytest.param(VOICE, "", [("voice-message.ogg", "audio/ogg")], id="voice-message"),
        pytest.param(EMBED, "A title\nand words", [], id="embed"),
    ],
)
async def test_each_kind_of_message_is_heard(
    ears: Ears, emulator: DiscordEmulator, posted: dict[str, object], text: str, files: list[tuple[str, str]]
) -> None:
    await emulator.dispatch("MESSAGE_CREATE", a_message(emulator, **posted))

    event = await ears.first(MessagePosted)
    assert (event.text, [(each.name, each.media_type) for each in event.attachments]) == (text, files)


async def test_the_words_of_a_late_embed_make_another_event(ears: Ears, emulator: DiscordEmulator) -> None:
    plain = a_message(emulator, content="https://x.example")
    await emulator.dispatch("MESSAGE_CREATE", plain)
    await emulator.dispatch("MESSAGE_UPDATE", plain | {"embeds": [{"type": "link", "title": "A title"}]})

    before, after = await ears.heard(MessagePosted, 2)
    assert (before.text, after.text) == ("https://x.example", "https://x.example\nA title")
    assert before.key != after.key


async def test_a_file_added_by_an_edit_is_heard(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "look")
    await ears.first(MessagePosted)

    await emulator.edit(emulator.pics, message, files=[("cat.png", PNG)])

    event = (await ears.heard(MessagePosted, 2))[1]
    assert (event.text, [each.name for each in event.attachments]) == ("look", ["cat.png"])


async def test_a_post_is_heard_again_under_its_new_title(ears: Ears, emulator: DiscordEmulator) -> None:
    forum = await emulator.add_channel("questions", "forum")
    post = await emulator.post_in_forum(forum, emulator.ann, "How?", "so")
    first = await ears.first(MessagePosted)

    rename(emulator, post, "Something bad")

    renamed = (await ears.heard(MessagePosted, 2))[1]
    assert (first.text, renamed.text) == ("How?\nso", "Something bad\nso")
    assert (renamed.message, renamed.place.channel, renamed.place.thread) == (post, forum, post)
    assert first.key != renamed.key


async def test_what_changes_of_a_thread_beside_a_post_s_title_is_no_event(ears: Ears, emulator: DiscordEmulator) -> None:
    forum = await emulator.add_channel("questions", "forum")
    post = await emulator.post_in_forum(forum, emulator.ann, "How?", "so")
    message = await emulator.post(emulator.pics, emulator.ann, "look")
    thread = await emulator.open_thread(emulator.pics, emulator.ann, message, "about it")
    await ears.heard(MessagePosted, 2)

    await emulator.lock(post)
    rename(emulator, thread, "about that")
    await emulator.post(emulator.general, emulator.ann, "the end")

    await ears.heard(MessagePosted, 3)
    assert [each.text for each in ears.offered] == ["How?\nso", "look", "the end"]


async def test_a_title_changed_while_we_were_away_is_heard_afterwards(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        forum = await emulator.add_channel("questions", "forum")
        post = await emulator.post_in_forum(forum, emulator.ann, "How?", "so")
        await ears.first(MessagePosted)

    rename(emulator, post, "Something bad")
    again = Ears(emulator, marks=ears.marks)
    async with again.listening():
        assert [each.text for each in await again.heard(MessagePosted, 1)] == ["Something bad\nso"]


async def test_what_is_gone_before_it_is_asked_for_is_no_fault(ears: Ears, emulator: DiscordEmulator) -> None:
    partial = {"id": "1509000000000000001", "channel_id": emulator.general, "guild_id": emulator.guild, "content": "after"}
    await emulator.dispatch("MESSAGE_UPDATE", partial)
    await emulator.post(emulator.general, emulator.ann, "the end")

    await ears.first(MessagePosted)
    await emulator.wait_for(lambda: [each for each in emulator.calls if each.method == "GET /channels/{id}/messages/{id}"])
    assert [each.text for each in ears.offered] == ["the end"]
    assert "discord.message_skipped" not in [each["event"] for each in ears.logs]


async def test_an_author_has_the_roles_of_the_server(ears: Ears, emulator: DiscordEmulator) -> None:
    for user in (emulator.ann, emulator.mo, emulator.olga, emulator.other_bot):
        await emulator.post(emulator.general, user, "hello")
    await emulator.post_as_webhook(emulator.general, "Proxy", "hello")

    ann, mo, olga, bot, hook = (each.author for each in await ears.heard(MessagePosted, 5))
    [moderators] = emulator.world.members[emulator.mo]["roles"]
    assert (ann.role, ann.roles) == (Role.MEMBER, ())
    assert (mo.role, mo.roles) == (Role.MODERATOR, (moderators, "moderators"))
    assert (olga.role, olga.roles[1:]) == (Role.ADMIN, ("admins",))
    assert (bot.id, bot.name, bot.bot) == (emulator.other_bot, "otherbot", True)
    assert (hook.name, hook.bot, hook.roles) == ("Proxy", True, ())
    assert not [each for each in emulator.calls if each.method == "GET /guilds/{id}/members/{id}"]


async def test_history_does_not_tell_roles_so_each_author_is_asked_for_once(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    for text in ("one", "two"):
        await emulator.post(emulator.general, emulator.mo, text)
    gone = await emulator.join("Zoe")
    await emulator.post(emulator.general, gone, "and away")
    await emulator.leave(gone)

    async with ears.listening():
        missed = (await ears.heard(MessagePosted, 4))[1:]

    roles = {each.text: (each.author.role, each.author.roles[1:]) for each in missed}
    assert roles == {
        "one": (Role.MODERATOR, ("moderators",)),
        "two": (Role.MODERATOR, ("moderators",)),
        "and away": (Role.MEMBER, ()),
    }
    asked = [each.path.rpartition("/")[2] for each in emulator.calls if each.method == "GET /guilds/{id}/members/{id}"]
    assert sorted(asked) == sorted([emulator.mo, gone])


async def test_a_policy_command_brings_its_words_in_order_and_its_file(ears: Ears, emulator: DiscordEmulator) -> None:
    values = {"which": "3 4", "what": "diff"}
    await emulator.command(
        emulator.general, emulator.olga, "flashbulb policy", values=values, files=[("p.yaml", b"version: 1")]
    )

    event = await ears.first(CommandUsed)
    assert (event.command, event.argument) == ("flashbulb", "policy diff 3 4")
    assert [each.name for each in event.attachments] == ["p.yaml"]
