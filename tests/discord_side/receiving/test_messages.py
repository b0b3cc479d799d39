"""What is posted, edited, forwarded and shown late reaches the bot, each state once."""

import pytest

from emulators.discord import DiscordEmulator
from handlers.events import CommandUsed, MessagePosted, Place, Tenant
from tests.discord_side.receiving.ears import PNG, Ears

GALLERY = {
    "type": 17,
    "components": [
        {"type": 10, "content": "see"},
        {"type": 12, "items": [{"media": {"url": "attachment://cat.png"}}]},
    ],
}


async def test_a_message_with_a_file_is_accepted_with_both(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "look", files=[("cat.png", PNG)])

    event = await ears.first(MessagePosted)
    assert (event.key, event.message, event.text) == (f"discord:{message}:0:posted", message, "look")
    assert event.place == Place(platform="discord", workspace=emulator.guild, channel=emulator.pics)
    assert (event.author.id, event.author.name, event.author.bot) == (emulator.ann, "ann", False)
    assert [each.name for each in event.attachments] == ["cat.png"]
    assert await ears.files.fetch(event.attachments[0], limit_bytes=1000) == PNG


async def test_an_edit_is_another_event_of_the_same_message(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "fine")
    await ears.first(MessagePosted)

    await emulator.edit(emulator.pics, message, text="not fine", files=[("cat.png", PNG)])

    _, edited = await ears.heard(MessagePosted, 2)
    assert (edited.message, edited.text, [each.name for each in edited.attachments]) == (message, "not fine", ["cat.png"])
    assert edited.edit > 0
    assert edited.key == f"discord:{message}:{edited.edit}:posted"


async def test_what_changes_nothing_that_is_shown_is_no_event(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "fine", files=[("cat.png", PNG)])
    await ears.first(MessagePosted)

    await emulator.open_thread(emulator.pics, emulator.ann, message, "about it")
    await emulator.edit(emulator.pics, message, text="fine")
    await emulator.post(emulator.pics, emulator.ann, "the end")

    await ears.heard(MessagePosted, 2)
    assert [each.text for each in ears.offered] == ["fine", "the end"]


async def test_a_forward_is_judged_by_what_it_forwards(ears: Ears, emulator: DiscordEmulator) -> None:
    source = await emulator.post(emulator.general, emulator.bob, "from there", files=[("cat.png", PNG)])

    forward = await emulator.forward(emulator.pics, emulator.ann, emulator.general, source)

    event = (await ears.heard(MessagePosted, 2))[1]
    assert (event.message, event.author.id, event.text) == (forward, emulator.ann, "from there")
    assert [each.name for each in event.attachments] == ["cat.png"]


async def test_the_picture_of_a_late_preview_makes_another_event(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.general, emulator.ann, "https://pictures.example/cat.png")
    await ears.first(MessagePosted)

    await emulator.unfurl(emulator.general, message, "https://pictures.example/cat.png", files=[("cat.png", PNG)])

    event = (await ears.heard(MessagePosted, 2))[1]
    start, _, key = event.key.partition("+")
    assert (start, len(key), event.edit) == (f"discord:{message}:0", len("12345678:posted"), 0)
    assert await ears.files.fetch(event.attachments[0], limit_bytes=1000) == PNG


async def test_stickers_and_layouts_of_other_bots_and_webhooks_show_pictures_too(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.ann, sticker="749054660769218631")
    await emulator.post_layout(emulator.general, emulator.other_bot, [GALLERY], files=[("cat.png", PNG)])
    await emulator.post_as_webhook(emulator.general, "Proxy", "by proxy", files=[("cat.png", PNG)])

    sticker, layout, hook = await ears.heard(MessagePosted, 3)
    assert [(each.media_type, each.url) for each in sticker.attachments] == [
        ("image/png", f"{emulator.cdn_url}/stickers/749054660769218631.png")
    ]
    assert (layout.text, layout.author.bot, len(layout.attachments)) == ("see", True, 1)
    assert await ears.files.fetch(layout.attachments[0], limit_bytes=1000) == PNG
    assert (hook.text, hook.author.bot, hook.author.name) == ("by proxy", True, "Proxy")


async def test_a_thread_is_a_place_in_its_channel(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "look")
    thread = await emulator.open_thread(emulator.pics, emulator.ann, message, "about it")
    await emulator.post(emulator.pics, emulator.bob, "inside", thread=thread)
    forum = await emulator.add_channel("questions", "forum")
    post = await emulator.post_in_forum(forum, emulator.ann, "How?", "so", files=[("cat.png", PNG)])

    _, inside, question = await ears.heard(MessagePosted, 3)
    assert (inside.place.channel, inside.place.thread) == (emulator.pics, thread)
    assert (question.place.channel, question.place.thread, question.message) == (forum, post, post)
    assert question.text == "How?\nso"


async def test_own_messages_and_the_platforms_notes_are_no_events(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.bot, "our own")
    await emulator.dispatch("MESSAGE_CREATE", _a_message(emulator, type=7, content=""))
    await emulator.dispatch("MESSAGE_CREATE", _a_message(emulator, application_id=emulator.application))
    await emulator.post(emulator.general, emulator.ann, "the end")

    await ears.first(MessagePosted)
    assert [each.text for each in ears.offered] == ["the end"]


async def test_another_apps_answer_is_heard_when_it_is_finished(ears: Ears, emulator: DiscordEmulator) -> None:
    thinking = _a_message(emulator, type=20, flags=128, content="", author={**OTHER, "id": emulator.other_bot})
    await emulator.dispatch("MESSAGE_CREATE", thinking)
    await emulator.dispatch("MESSAGE_UPDATE", {**thinking, "flags": 0, "content": "here it is"})

    event = await ears.first(MessagePosted)
    assert (event.text, event.key) == ("here it is", "discord:1509000000000000001:0:posted")


async def test_an_edit_that_says_only_what_changed_is_asked_for(ears: Ears, emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.general, emulator.ann, "before")
    await ears.first(MessagePosted)

    emulator.world.messages[emulator.general][message]["content"] = "after"
    partial = {"id": message, "channel_id": emulator.general, "guild_id": emulator.guild, "content": "after"}
    await emulator.dispatch("MESSAGE_UPDATE", partial)

    assert (await ears.heard(MessagePosted, 1))[-1].text == "before"
    await emulator.wait_for(lambda: [each.text for each in ears.offered] == ["before", "after"])


@pytest.mark.parametrize("mention", ["<@{}>", "<@!{}>"])
async def test_a_mention_is_noticed(ears: Ears, emulator: DiscordEmulator, mention: str) -> None:
    await emulator.post(emulator.general, emulator.ann, f"{mention.format(emulator.bot)} what is this?")
    await emulator.post(emulator.general, emulator.ann, f"{mention.format(emulator.bob)} what is this?")

    ours, others = await ears.heard(MessagePosted, 2)
    assert (ours.mentions_us, others.mentions_us) == (True, False)


async def test_a_private_message_with_a_file_asks_for_tags_and_one_without_for_help(
    ears: Ears, emulator: DiscordEmulator
) -> None:
    message = await emulator.direct(emulator.ann, "what is it?", files=[("cat.png", PNG)])
    await emulator.direct(emulator.ann, "hello")

    tag, help_ = await ears.heard(CommandUsed, 2)
    assert (tag.command, tag.message, [each.name for each in tag.attachments]) == ("tag", message, ["cat.png"])
    assert (tag.place.workspace, tag.key) == ("@me", f"discord:{message}:0:posted")
    assert (help_.command, help_.argument, help_.message) == ("flashbulb", "help", None)


async def test_a_message_that_cannot_be_accepted_is_tried_again_and_its_mark_waits(
    ears: Ears, emulator: DiscordEmulator
) -> None:
    ears.failures = 2

    message = await emulator.post(emulator.pics, emulator.ann, "look")

    event = await ears.first(MessagePosted)
    assert event.message == message
    assert len(ears.offered) == 3
    assert await ears.logged("discord.put_off", times=2)


async def test_the_same_dispatch_twice_or_late_is_one_event(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.fault("duplicate_dispatch", times=1, method="MESSAGE_CREATE")
    await emulator.post(emulator.pics, emulator.ann, "twice")
    await ears.first(MessagePosted)
    emulator.fault("out_of_order", times=1, method="MESSAGE_CREATE")
    await emulator.post(emulator.pics, emulator.ann, "one")
    await emulator.post(emulator.pics, emulator.ann, "two")

    await ears.heard(MessagePosted, 3)
    assert sorted(each.text for each in ears.offered) == ["one", "twice", "two"]


async def test_without_the_content_intent_nothing_counts_as_seen(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        seen = await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
        ears.connection._gateway.client.sees_content = False  # what READY says where the intent was taken away since
        await emulator.set_intents(message_content=False)
        await emulator.post(emulator.general, emulator.ann, "unseen")
        await emulator.post(emulator.general, emulator.ann, "unseen too")
        await emulator.post(emulator.general, emulator.ann, f"<@{emulator.bot}>")  # what mentions us is always seen
        await ears.heard(MessagePosted, 2)

    tenant = Tenant(platform="discord", workspace=emulator.guild)
    assert ears.marks.rows[tenant][emulator.general] == seen
    assert [each["event"] for each in ears.logs].count("discord.content_missing") == 1

    await emulator.set_intents(message_content=True)
    async with ears.listening():
        texts = sorted(each.text for each in await ears.heard(MessagePosted, 4))
        assert texts == sorted(["seen", f"<@{emulator.bot}>", "unseen", "unseen too"])


OTHER = {"id": "1", "username": "other", "discriminator": "0", "avatar": None, "bot": True}


def _a_message(emulator: DiscordEmulator, **changes: object) -> dict[str, object]:
    author = {"id": emulator.ann, "username": "ann", "discriminator": "0", "avatar": None}
    place = {"channel_id": emulator.general, "guild_id": emulator.guild}
    return {"id": "1509000000000000001", **place, "type": 0, "content": "x", "author": author, "attachments": []} | changes
