"""What happened while the bot was away is found, once, and what was said before it came is left alone."""

import pytest

from bot.discord import arrivals, sweep
from emulators.discord import DiscordEmulator, shapes, threads
from handlers.events import MessagePosted, Tenant
from tests.app.test_metrics import value
from tests.discord_side.receiving.ears import PNG, Ears


def texts(ears: Ears) -> list[str]:
    return sorted(event.text for event in ears.accepted if isinstance(event, MessagePosted))


async def test_what_was_posted_and_edited_while_away_is_accepted_once(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    await emulator.post(emulator.general, emulator.ann, "before the bot came")
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        edited = await emulator.post(emulator.general, emulator.ann, "seen, then edited")
        await ears.heard(MessagePosted, 2)

    await emulator.edit(emulator.general, edited, text="edited while away")
    for number in range(150):  # more than one page
        await emulator.post(emulator.general, emulator.bob, f"missed {number:03}")
    await emulator.post(emulator.pics, emulator.bob, "missed in a channel where nothing was seen", files=[("cat.png", PNG)])

    async with ears.listening():
        pass
    missed = [f"missed {number:03}" for number in range(150)]
    expected = ["seen", "seen, then edited", "edited while away", *missed, "missed in a channel where nothing was seen"]
    assert texts(ears) == sorted(expected)
    assert ears.logs[[each["event"] for each in ears.logs].index("discord.swept")]["messages"] == 151
    offered = len(ears.offered)

    async with ears.listening():
        assert texts(ears) == sorted(expected)
    assert len(ears.offered) == offered


async def test_threads_of_all_kinds_are_read(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    forum = await emulator.add_channel("questions", "forum")
    root = await emulator.post(emulator.general, emulator.ann, "root")
    old = await emulator.open_thread(emulator.general, emulator.ann, root, "old")
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)

    await emulator.post(emulator.general, emulator.bob, "in an old thread", thread=old)
    young_root = await emulator.post(emulator.pics, emulator.ann, "young root")
    young = await emulator.open_thread(emulator.pics, emulator.ann, young_root, "young")
    await emulator.post(emulator.pics, emulator.bob, "in an archived thread", thread=young)
    await emulator.archive(young)
    await emulator.post_in_forum(forum, emulator.ann, "How?", "in a forum")

    async with ears.listening():
        assert texts(ears) == sorted(["seen", "in an old thread", "young root", "in an archived thread", "How?\nin a forum"])
    places = {event.text: event.place for event in ears.accepted}
    assert (places["in an archived thread"].channel, places["in an archived thread"].thread) == (emulator.pics, young)
    assert places["How?\nin a forum"].channel == forum


async def test_a_lost_session_loses_no_message(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.ann, "seen")
    await ears.first(MessagePosted)

    await emulator.drop("op9_false")
    await emulator.post(emulator.general, emulator.bob, "in the gap")
    await emulator.post(emulator.pics, emulator.bob, "in the gap elsewhere")

    await ears.heard(MessagePosted, 3)
    assert texts(ears) == sorted(["seen", "in the gap", "in the gap elsewhere"])
    assert ears.connection._gateway.client.is_ready()


async def test_what_is_posted_before_the_sweep_has_begun_hides_nothing(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.ann, "seen")
    await ears.first(MessagePosted)

    await emulator.drop("op9_false")
    await emulator.post(emulator.general, emulator.bob, "in the gap")
    await emulator.wait_for(lambda: emulator.gateway.identifies == 2)
    await emulator.post(emulator.general, emulator.bob, "live again")

    await ears.heard(MessagePosted, 3)
    assert texts(ears) == sorted(["seen", "in the gap", "live again"])


async def test_edits_before_the_mark_are_looked_at_again_and_known(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        message = await emulator.post(emulator.general, emulator.ann, "before")
        await emulator.edit(emulator.general, message, text="after")
        await ears.heard(MessagePosted, 2)

    async with ears.listening():
        assert (texts(ears), len(ears.offered)) == (["after", "before"], 3)


async def test_a_resumed_session_reads_nothing_twice(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.ann, "seen")
    await ears.first(MessagePosted)

    await emulator.drop("abort")
    await emulator.post(emulator.general, emulator.bob, "in the gap")

    await ears.heard(MessagePosted, 2)
    assert (len(ears.offered), emulator.gateway.identifies) == (2, 1)


async def test_a_message_that_was_not_accepted_before_the_end_is_found_at_the_next_start(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        seen = await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
        ears.turns_away = {"turned away"}
        await emulator.post(emulator.general, emulator.ann, "turned away")
        await ears.logged("discord.put_off")
        await emulator.post(emulator.general, emulator.ann, "after it")
        await ears.heard(MessagePosted, 2)
    assert ears.marks.rows[Tenant(platform="discord", workspace=emulator.guild)][emulator.general] == seen

    ears.turns_away = set()
    async with ears.listening():
        assert texts(ears) == sorted(["seen", "after it", "turned away"])


async def test_a_channel_that_cannot_be_read_costs_only_itself(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        for channel in (emulator.general, emulator.pics):
            await emulator.post(channel, emulator.ann, "seen")
        await ears.heard(MessagePosted, 2)
    await emulator.post(emulator.general, emulator.bob, "missed")
    hidden = await emulator.post(emulator.pics, emulator.bob, "missed where it is hidden")
    await emulator.set_permissions(emulator.pics, deny=["read_message_history"])

    async with ears.listening():
        assert texts(ears) == ["missed", "seen", "seen"]

    await emulator.set_permissions(emulator.pics, allow=["read_message_history"])
    async with ears.listening():
        assert hidden in {event.message for event in ears.accepted}


async def test_an_outage_of_the_history_is_waited_for(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    await emulator.post(emulator.general, emulator.bob, "missed")
    emulator.fault("error_503", times=3, method="GET /channels/{id}/messages")

    async with ears.listening():
        assert texts(ears) == ["missed", "seen"]


async def test_a_server_that_was_away_when_all_others_were_read_is_read_when_it_comes(
    ears: Ears, emulator: DiscordEmulator
) -> None:
    await emulator.post(emulator.general, emulator.ann, "seen")
    await ears.first(MessagePosted)
    dispatch, emulator.world.emit = emulator.world.emit, lambda *_, **__: None
    await emulator.post(emulator.general, emulator.bob, "during the outage")
    emulator.world.emit = dispatch

    await emulator.dispatch("GUILD_CREATE", shapes.guild(emulator.world))

    await ears.heard(MessagePosted, 2)
    assert texts(ears) == ["during the outage", "seen"]


async def test_a_server_that_the_bot_comes_into_begins_there(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    old = await emulator.post(emulator.general, emulator.ann, "before the bot came")
    joined = {key: value for key, value in shapes.guild(emulator.world).items() if key != "unavailable"}
    async with ears.listening():
        roles = [role | {"id": "555"} if role["id"] == emulator.guild else role for role in joined["roles"]]
        await emulator.dispatch("GUILD_CREATE", joined | {"id": "555", "roles": roles})
        await emulator.post(emulator.general, emulator.ann, "the end")
        await ears.first(MessagePosted)

    assert ears.marks.rows[Tenant(platform="discord", workspace="555")][emulator.general] == old


async def test_marks_are_kept_by_channel(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        newest = await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)

    marks = ears.marks.rows[Tenant(platform="discord", workspace=emulator.guild)]
    assert marks == {emulator.general: newest, emulator.pics: emulator.pics, emulator.moderators: emulator.moderators}


async def test_what_came_while_too_much_waited_is_read_afterwards(
    emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "PENDING_MAX", 2)
    ears = Ears(emulator)
    tenant = Tenant(platform="discord", workspace=emulator.guild)
    async with ears.listening():
        before = await emulator.post(emulator.general, emulator.ann, "before")
        await ears.first(MessagePosted)
        ears.failures = 1_000_000
        for number in range(5):
            await emulator.post(emulator.general, emulator.ann, str(number))
        elsewhere = await emulator.post(emulator.pics, emulator.ann, "in a channel without a mark")
        await ears.logged("discord.falling_behind")
        await emulator.wait_for(lambda: len({each.key for each in ears.offered}) == 3)
        ears.failures = 0
        caught_up = await ears.logged("discord.caught_up")
        await emulator.post(emulator.general, emulator.ann, "after")
        await ears.heard(MessagePosted, 8)

    assert texts(ears) == sorted([*map(str, range(5)), "after", "before", "in a channel without a mark"])
    assert caught_up["messages"] >= 4
    assert int(ears.marks.rows[tenant][emulator.pics]) >= int(elsewhere)
    assert int(ears.marks.rows[tenant][emulator.general]) > int(before)


async def test_no_mark_passes_what_was_dropped(emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "PENDING_MAX", 4)
    ears = Ears(emulator, turns_away={"a", "b", "c", "d"})
    async with ears.listening():
        await emulator.post(emulator.pics, emulator.ann, "before")
        await ears.first(MessagePosted)
        for text in ears.turns_away:
            await emulator.post(emulator.general, emulator.ann, text)
        await emulator.wait_for(lambda: ears.offered[4:])
        dropped = await emulator.post(emulator.pics, emulator.ann, "dropped")
        await ears.logged("discord.falling_behind")
        ears.turns_away.discard("d")
        await ears.heard(MessagePosted, 2)
        await emulator.post(emulator.pics, emulator.ann, "later")
        await ears.heard(MessagePosted, 3)

    assert int(ears.marks.rows[Tenant(platform="discord", workspace=emulator.guild)][emulator.pics]) < int(dropped)
    ears.turns_away.clear()
    async with ears.listening():
        await ears.heard(MessagePosted, 7)
    assert texts(ears) == ["a", "b", "before", "c", "d", "dropped", "later"]


async def test_what_another_app_may_have_finished_while_away_is_looked_at_again(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        message = await emulator.post(emulator.general, emulator.ann, "finished")
        await ears.first(MessagePosted)
    emulator.world.messages[emulator.general][message]["type"] = 20

    async with ears.listening():
        assert (texts(ears), len(ears.offered)) == (["finished"], 2)


async def test_threads_that_fill_several_pages_of_the_archive_are_read(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    forum = await emulator.add_channel("questions", "forum")
    early = await emulator.post_in_forum(forum, emulator.ann, "early", "before")
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    missed = [await a_filed_post(emulator, forum, number) for number in range(250)]
    await emulator.post(forum, emulator.bob, "in the oldest thread", thread=early)
    await emulator.advance_clock(1)
    await emulator.archive(early)

    async with ears.listening():
        heard = {event.message for event in ears.accepted}

    assert set(missed) <= heard
    assert "in the oldest thread" in texts(ears)
    pages = [call for call in emulator.calls if call.method == "GET /channels/{id}/threads/archived/public"]
    assert len([call for call in pages if forum in call.path]) == 3
    assert value(ears.metrics, 'flashbulb_sweeps_cut_total{platform="discord"}') in (None, 0)


async def test_the_archive_is_left_where_it_holds_nothing_new(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    forum = await emulator.add_channel("questions", "forum")
    for number in range(201):
        await a_filed_post(emulator, forum, number)
    await emulator.advance_clock(1)
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    emulator.calls.clear()

    async with ears.listening():
        pass

    pages = [call.path for call in emulator.calls if call.method == "GET /channels/{id}/threads/archived/public"]
    assert len([each for each in pages if forum in each]) == 1


async def test_an_archive_that_is_too_long_is_cut_short_and_that_is_counted(
    emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "ARCHIVED_MAX", 100)
    ears = Ears(emulator)
    forum = await emulator.add_channel("questions", "forum")
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    for number in range(101):
        await a_filed_post(emulator, forum, number)

    async with ears.listening():
        assert (await ears.logged("discord.archive_cut_short"))["channel"] == forum

    assert len(texts(ears)) == 101  # "seen", and the hundred that were archived last
    assert value(ears.metrics, 'flashbulb_sweeps_cut_total{platform="discord"}') == 1


@pytest.mark.parametrize("may_manage", [True, False])
async def test_private_threads_in_the_archive_are_read_by_who_manages_threads(
    emulator: DiscordEmulator, may_manage: bool
) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
    thread = threads.open_alone(
        emulator.world, emulator.general, emulator.olga, {"name": "between us", "type": threads.PRIVATE}
    )
    await emulator.post(emulator.general, emulator.olga, "in private", thread=thread["id"])
    await emulator.archive(thread["id"])
    if not may_manage:
        await emulator.set_permissions(emulator.general, deny=["manage_threads"])

    async with ears.listening():
        assert texts(ears) == (["in private", "seen"] if may_manage else ["seen"])
    asked = [call for call in emulator.calls if call.method == "GET /channels/{id}/threads/archived/private"]
    assert any(emulator.general in call.path for call in asked) is may_manage  # what is refused is not asked for in vain


@pytest.mark.parametrize("where", ["a new channel", "a new thread"])
async def test_the_first_message_of_all_is_not_lost_when_it_was_not_accepted_before_the_end(
    emulator: DiscordEmulator, where: str
) -> None:
    ears = Ears(emulator)
    async with ears.listening():
        await emulator.post(emulator.general, emulator.ann, "seen")
        await ears.first(MessagePosted)
        ears.turns_away = {"first"}
        if where == "a new channel":
            fresh = await emulator.add_channel("fresh")
        else:
            body = {"name": "talk", "type": threads.PUBLIC}
            fresh = threads.open_alone(emulator.world, emulator.general, emulator.olga, body)["id"]
        await emulator.post(fresh, emulator.olga, "first")
        await ears.logged("discord.put_off")
        await emulator.post(emulator.pics, emulator.ann, "after it")
        await ears.heard(MessagePosted, 2)

    ears.turns_away = set()
    async with ears.listening():
        assert texts(ears) == ["after it", "first", "seen"]


async def a_filed_post(emulator: DiscordEmulator, forum: str, number: int) -> str:
    """Let a post be opened and archived, a second after the one before."""
    post = await emulator.post_in_forum(forum, emulator.ann, f"title {number}", f"post {number}")
    await emulator.advance_clock(1)
    await emulator.archive(post)
    return post
