"""Messages that others delete are heard of once, and a moderator's deletions are told from an author's as far as can be."""

from typing import Any

import pytest

from bot.discord import deletions
from emulators.discord import DiscordEmulator
from handlers.events import FLASHBULB, MessageDeleted, MessagePosted, Role
from handlers.ports.channels import Setup
from tests.app.test_metrics import value
from tests.discord_side.receiving.ears import Ears


@pytest.fixture(autouse=True)
def _waits_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "ENTRY_S", 0.5)


async def posted(ears: Ears, emulator: DiscordEmulator, *texts: str, channel: str | None = None, **more: Any) -> list[str]:
    """Let Ann post, and return the messages once they were heard."""
    known = len([each for each in ears.accepted if isinstance(each, MessagePosted)])
    messages = [await emulator.post(channel or emulator.pics, emulator.ann, text, **more) for text in texts]
    await ears.heard(MessagePosted, known + len(texts))
    return messages


def gone(ears: Ears) -> list[tuple[str, str]]:
    return [(each.message, each.by) for each in ears.accepted if isinstance(each, MessageDeleted)]


async def test_what_its_author_deletes_is_gone_and_nobody_knows_by_whom(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "oops")

    await emulator.delete(emulator.pics, message, by=emulator.ann)

    event = await ears.first(MessageDeleted)
    assert (event.key, event.message, event.by, event.author) == (f"discord:{message}:deleted", message, "unknown", FLASHBULB)
    assert (event.place.workspace, event.place.channel, event.place.thread) == (emulator.guild, emulator.pics, None)


async def test_what_a_moderator_deletes_is_said_to_be_theirs(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "bad")

    await emulator.delete(emulator.pics, message, by=emulator.mo)

    event = await ears.first(MessageDeleted)
    assert (event.message, event.by) == (message, "moderator")
    assert (event.author.id, event.author.name, event.author.role) == (emulator.mo, "mo", Role.MODERATOR)


async def test_an_entry_may_come_before_the_deletion(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "bad")
    emulator.fault("out_of_order", times=1, method="MESSAGE_DELETE")

    await emulator.delete(emulator.pics, message, by=emulator.mo)

    assert (await ears.first(MessageDeleted)).by == "moderator"


async def test_an_entry_counts_for_one_deletion(ears: Ears, emulator: DiscordEmulator) -> None:
    first, second = await posted(ears, emulator, "bad", "worse")

    await emulator.delete(emulator.pics, first, by=emulator.mo)
    await emulator.delete(emulator.pics, second, by=emulator.ann)

    await ears.heard(MessageDeleted, 2)
    assert sorted(by for _, by in gone(ears)) == ["moderator", "unknown"]


async def test_a_further_deletion_alike_is_counted_by_discord_alone(ears: Ears, emulator: DiscordEmulator) -> None:
    first, second = await posted(ears, emulator, "bad", "worse")
    await emulator.delete(emulator.pics, first, by=emulator.mo)
    await ears.first(MessageDeleted)

    await emulator.delete(emulator.pics, second, by=emulator.mo)

    await ears.heard(MessageDeleted, 2)
    assert gone(ears) == [(first, "moderator"), (second, "unknown")]
    assert emulator.world.audit[-1]["options"]["count"] == "2"


@pytest.mark.parametrize("what", ["another channel", "another author"])
async def test_an_entry_about_something_else_says_nothing(ears: Ears, emulator: DiscordEmulator, what: str) -> None:
    [message] = await posted(ears, emulator, "oops")
    place = emulator.general if what == "another channel" else emulator.pics
    author = emulator.ann if what == "another channel" else emulator.bob
    other = await emulator.post(place, author, "bad")
    await ears.heard(MessagePosted, 2)

    await emulator.delete(emulator.pics, message, by=emulator.ann)
    await emulator.delete(place, other, by=emulator.mo)

    await ears.heard(MessageDeleted, 2)
    assert sorted(gone(ears)) == sorted([(other, "moderator"), (message, "unknown")])


async def test_of_a_message_from_before_the_channel_decides(emulator: DiscordEmulator) -> None:
    message = await emulator.post(emulator.pics, emulator.ann, "bad")
    ears = Ears(emulator)
    async with ears.listening():
        await emulator.delete(emulator.pics, message, by=emulator.mo)

        assert (await ears.first(MessageDeleted)).by == "moderator"


async def test_without_the_permission_nobody_waits(
    ears: Ears, emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "ENTRY_S", 60.0)
    await emulator.set_permissions(deny=["view_audit_log"])
    [message] = await posted(ears, emulator, "bad")

    await emulator.delete(emulator.pics, message, by=emulator.mo)

    assert (await ears.first(MessageDeleted)).by == "unknown"


async def test_several_at_once_are_each_gone_by_whoever_swept(ears: Ears, emulator: DiscordEmulator) -> None:
    messages = await posted(ears, emulator, "a", "b", "c")

    await emulator.delete(emulator.pics, messages, by=emulator.mo)

    await ears.heard(MessageDeleted, 3)
    assert gone(ears) == [(each, "moderator") for each in messages]


async def test_several_at_once_that_nobody_answers_for(ears: Ears, emulator: DiscordEmulator) -> None:
    messages = await posted(ears, emulator, "a", "b")

    await emulator.delete(emulator.pics, messages)  # as when Discord tidies up after a ban

    await ears.heard(MessageDeleted, 2)
    assert gone(ears) == [(each, "unknown") for each in messages]


async def test_what_stood_in_a_thread_is_gone_from_there(ears: Ears, emulator: DiscordEmulator) -> None:
    [root] = await posted(ears, emulator, "look")
    await emulator.open_thread(emulator.pics, emulator.ann, root, "talk")
    [message] = await posted(ears, emulator, "bad", thread=root)

    await emulator.delete(root, message, by=emulator.mo)

    event = await ears.first(MessageDeleted)
    assert (event.place.channel, event.place.thread, event.by) == (emulator.pics, root, "moderator")


async def test_where_nobody_looks_it_is_heard_of_and_never_asked_who_it_was(ears: Ears, emulator: DiscordEmulator) -> None:
    ears.setups.setup = Setup(watched=(emulator.pics, emulator.moderators), log_channel=emulator.moderators)
    elsewhere = await emulator.post(emulator.general, emulator.ann, "elsewhere")
    in_log = await emulator.post(emulator.moderators, emulator.mo, "among us")
    private = await emulator.direct(emulator.ann, "psst")
    direct = emulator.world.direct(emulator.ann)["id"]
    await ears.heard(MessagePosted, 2)

    await emulator.delete(emulator.general, elsewhere, by=emulator.mo)
    await emulator.delete(emulator.moderators, in_log)
    await emulator.delete(direct, private)

    await ears.heard(MessageDeleted, 3)
    assert sorted(gone(ears)) == sorted([(elsewhere, "unknown"), (in_log, "unknown"), (private, "unknown")])
    [event] = [each for each in ears.accepted if isinstance(each, MessageDeleted) and each.message == private]
    assert (event.place.workspace, event.place.channel) == ("@me", direct)


async def test_what_we_did_ourselves_is_not_heard_of(ears: Ears, emulator: DiscordEmulator) -> None:
    client = ears.connection._gateway.client
    ours = str((await client.get_partial_messageable(int(emulator.pics)).send("ours")).id)
    taken_out, last = await posted(ears, emulator, "bad", "oops")

    await emulator.delete(emulator.pics, ours, by=emulator.mo)
    await client.http.delete_message(int(emulator.pics), int(taken_out))
    await emulator.delete(emulator.pics, last)

    await ears.first(MessageDeleted)
    assert gone(ears) == [(last, "unknown")]


async def test_what_we_could_not_delete_and_a_moderator_did_is_heard_of(ears: Ears, emulator: DiscordEmulator) -> None:
    client = ears.connection._gateway.client
    [message] = await posted(ears, emulator, "bad")
    emulator.fault("missing_permissions", times=1, method="DELETE /channels/{id}/messages/{id}")
    with pytest.raises(Exception, match="50013"):
        await client.http.delete_message(int(emulator.pics), int(message))

    await emulator.delete(emulator.pics, message, by=emulator.mo)

    assert (await ears.first(MessageDeleted)).by == "moderator"


async def test_our_own_message_from_before_is_known_by_the_entry(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        client = ears.connection._gateway.client
        ours = str((await client.get_partial_messageable(int(emulator.pics)).send("ours")).id)
    async with ears.listening():
        [last] = await posted(ears, emulator, "oops")
        await emulator.delete(emulator.pics, ours, by=emulator.mo)
        await emulator.delete(emulator.pics, last)

        await ears.first(MessageDeleted)

    assert gone(ears) == [(last, "unknown")]


async def test_a_busy_database_only_delays_it(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "bad")
    ears.setups.failures, ears.failures = 1, 1

    await emulator.delete(emulator.pics, message, by=emulator.mo)

    assert (await ears.first(MessageDeleted)).message == message


async def test_what_cannot_be_read_is_skipped_and_counted(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "bad")
    where = {"channel_id": emulator.pics, "guild_id": emulator.guild}

    await emulator.dispatch("MESSAGE_DELETE", {"id": "../1", **where})
    await emulator.dispatch("MESSAGE_DELETE_BULK", {"ids": ["x"], **where})
    await emulator.dispatch("MESSAGE_DELETE", where)
    await emulator.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE", {"action_type": 72, "user_id": "1", "target_id": "2"})
    await emulator.delete(emulator.pics, message)

    await ears.first(MessageDeleted)
    assert gone(ears) == [(message, "unknown")]
    await emulator.wait_for(lambda: value(ears.metrics, 'flashbulb_deliveries_skipped_total{platform="discord"}') == 4)


async def test_what_is_told_twice_is_accepted_once(ears: Ears, emulator: DiscordEmulator) -> None:
    [message] = await posted(ears, emulator, "bad")
    emulator.fault("duplicate_dispatch", times=1, method="MESSAGE_DELETE")

    await emulator.delete(emulator.pics, message)

    await emulator.wait_for(lambda: len([each for each in ears.offered if isinstance(each, MessageDeleted)]) == 2)
    assert gone(ears) == [(message, "unknown")]
