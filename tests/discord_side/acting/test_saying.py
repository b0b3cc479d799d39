"""What we say on Discord: where it is seen, by whom, and that it is said once."""

import pytest

from bot.discord.layout import component_id
from emulators.discord.threads import open_under
from handlers.answers import CaseCard, SetUp
from handlers.effects import Card, Edit
from handlers.ports.channels import Connection, Setup
from pipelines.errors import UserError
from pipelines.moderation.policy import Action
from tests.discord_side.acting.conftest import WORDS, Discord, words

CASE = CaseCard(
    case="abcdefghijkl",
    author="ann",
    channel="1",
    action=Action.REMOVE,
    shadow=False,
    reasons=("It is bad.",),
    findings=(),
    judged=1,
    total=1,
    engine="m",
    state="open",
)


async def test_it_is_a_connection_that_can_do_everything(discord: Discord) -> None:
    connection: Connection = discord.connection

    assert (connection.platform, connection.emulated, connection.chooses_channels) == ("discord", True, True)
    assert connection.supports == frozenset(Action)


async def test_an_answer_in_a_channel_pings_nobody_and_is_found_again(discord: Discord) -> None:
    effect = discord.post()
    assert await discord.connection.look(effect) is None

    performed = await discord.connection.act(effect)

    [call] = discord.sent("POST /channels/{id}/messages")
    assert call.arguments["allowed_mentions"]["parse"] == []
    assert not call.arguments["allowed_mentions"].get("replied_user")
    assert (call.arguments["enforce_nonce"], call.arguments["components"][0]["id"]) == (True, component_id("e1"))
    assert len(call.arguments["nonce"]) <= 25
    assert await discord.connection.look(effect) == performed
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_the_same_effect_carried_out_twice_is_one_message(discord: Discord) -> None:
    first = await discord.connection.act(discord.post())

    second = await discord.connection.act(discord.post())

    assert first == second
    assert await discord.shown(discord.emulator.pics) == ["Flashbulb says so."]


async def test_an_answer_to_a_message_opens_the_thread_under_it(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    performed = await discord.connection.act(discord.post(thread=message, about=message))

    assert performed.status == "done"
    assert await discord.shown(discord.emulator.pics, message) == ["Flashbulb says so."]
    assert await discord.connection.look(discord.post(thread=message)) == performed


async def test_a_second_answer_goes_into_the_same_thread(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")

    await discord.connection.act(discord.post(thread=message))
    await discord.connection.act(discord.post(key="e2", thread=message))

    assert await discord.shown(discord.emulator.pics, message) == ["Flashbulb says so."] * 2
    assert len(discord.sent("POST /channels/{id}/messages/{id}/threads")) == 1


async def test_somebody_opening_the_thread_at_the_same_moment_does_no_harm(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    route = "POST /channels/{id}/messages/{id}/threads"

    def opens_first(_: object) -> bool:
        if message not in discord.emulator.world.channels:
            stored = discord.emulator.world.messages[discord.emulator.pics][message]
            open_under(discord.emulator.world, stored, discord.emulator.bob, {"name": "mine"})
        return False

    discord.emulator.at("arrived", route, opens_first)
    performed = await discord.connection.act(discord.post(thread=message))

    assert discord.sent(route)[0].status == 400
    assert performed.status == "done"
    assert await discord.shown(discord.emulator.pics, message) == ["Flashbulb says so."]


async def test_no_thread_is_opened_under_a_message_that_is_gone(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.delete(discord.emulator.pics, message)

    performed = await discord.connection.act(discord.post(thread=message))

    assert performed.status == "gone"
    assert message not in discord.emulator.world.channels


async def test_what_repeats_a_deleted_message_is_not_said_even_where_its_thread_stands(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.bob, message, "talk")
    await discord.emulator.delete(discord.emulator.pics, message)

    performed = await discord.connection.act(discord.post(thread=message, about=message))

    assert performed.status == "gone"
    assert await discord.shown(discord.emulator.pics, message) == []


async def test_an_answer_about_a_message_inside_a_thread_replies_to_it(discord: Discord) -> None:
    root = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.emulator.open_thread(discord.emulator.pics, discord.emulator.ann, root, "talk")
    inside = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "this", thread=root)

    await discord.connection.act(discord.post(thread=root, about=inside))

    answer = (await discord.emulator.messages(discord.emulator.pics, root))[-1]
    assert answer["message_reference"]["message_id"] == inside


async def test_an_answer_takes_its_thread_out_of_the_archive(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.post(thread=message))
    await discord.emulator.archive(message)

    performed = await discord.connection.act(discord.post(key="e2", thread=message))

    assert performed.status == "done"
    assert discord.emulator.world.channels[message]["thread_metadata"]["archived"] is False


async def test_a_locked_thread_is_left_locked_and_says_why(discord: Discord) -> None:
    await discord.emulator.set_permissions(deny=["manage_threads"])
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.ann, "look")
    await discord.connection.act(discord.post(thread=message))
    await discord.emulator.lock(message)

    with pytest.raises(UserError, match="The thread is locked"):
        await discord.connection.act(discord.post(key="e2", thread=message))


async def test_a_case_is_shown_in_the_log_channel_with_its_buttons(discord: Discord) -> None:
    performed = await discord.connection.act(discord.card(CASE))

    [card] = [each for each in await discord.emulator.messages(discord.emulator.moderators) if each["components"]]
    row = card["components"][0]["components"][-1]
    assert [(each["custom_id"], each["label"]) for each in row["components"]] == [
        (f"fb:{discord.emulator.guild}:abcdefghijkl:restore", "Restore"),
        (f"fb:{discord.emulator.guild}:abcdefghijkl:keep", "Keep removed"),
        (f"fb:{discord.emulator.guild}:abcdefghijkl:why", "Why?"),
    ]
    assert await discord.connection.look(discord.card(CASE)) == performed


async def test_before_there_is_a_log_channel_the_owner_sees_the_case_and_how_to_choose_one(discord: Discord) -> None:
    await discord.given.setups.save(discord.place.tenant, Setup())

    performed = await discord.connection.act(discord.card(CASE))

    [told] = await discord.whispered(discord.emulator.olga)
    assert "Removed" in told
    assert "write /flashbulb setup" in told
    assert await discord.connection.look(discord.card(CASE)) == performed


async def test_a_case_for_which_we_may_not_write_into_the_log_channel_goes_to_the_owner(discord: Discord) -> None:
    await discord.emulator.set_permissions(discord.emulator.moderators, deny=["send_messages"])
    await discord.emulator.wait_for(lambda: _sees_denial(discord, discord.emulator.moderators))

    performed = await discord.connection.act(discord.card(CASE))

    [told] = await discord.whispered(discord.emulator.olga)
    assert "The channel for cases cannot be written into" in told
    assert "nvite" not in told  # into channels of Discord nobody is invited: it is a permission that lacks
    assert await discord.connection.look(discord.card(CASE)) == performed


async def test_whoever_chose_a_log_channel_that_we_may_not_write_to_learns_what_is_lacking(discord: Discord) -> None:
    await discord.emulator.set_permissions(discord.emulator.moderators, deny=["send_messages"])
    await discord.emulator.wait_for(lambda: _sees_denial(discord, discord.emulator.moderators))
    chosen = SetUp(watched=(), log_channel=discord.emulator.moderators, mode="shadow")

    with pytest.raises(UserError, match="Flashbulb lacks the permission Send Messages there"):
        await discord.connection.act(discord.card(chosen))


async def test_what_will_not_work_in_the_channels_that_were_chosen_is_said(discord: Discord) -> None:
    emulator = discord.emulator
    await emulator.set_permissions(emulator.pics, deny=["view_channel"])
    await emulator.wait_for(lambda: not _sees(discord, emulator.pics))
    notify = discord.notify(person=emulator.ann)
    chosen = SetUp(watched=(emulator.pics, emulator.general), log_channel=emulator.moderators, mode="shadow")

    await discord.connection.act(notify.model_copy(update={"answer": chosen}))

    [said] = await discord.whispered(emulator.ann)
    assert f"Flashbulb does not see <#{emulator.pics}>: give it *View Channels* there." in said
    assert "Everybody here can read the channel for cases" not in said

    elsewhere = chosen.model_copy(update={"watched": (), "log_channel": emulator.general})
    await discord.connection.act(notify.model_copy(update={"answer": elsewhere, "key": "e2"}))

    said = (await discord.whispered(emulator.ann))[-1]
    assert "Flashbulb does not see" not in said
    assert "Everybody here can read the channel for cases" in said


async def test_an_edit_replaces_what_a_message_says_and_its_buttons(discord: Discord) -> None:
    performed = await discord.connection.act(discord.card(CASE))
    assert performed.message is not None
    decided = CASE.model_copy(update={"state": "kept", "decided_by": "Mo"})
    place = discord.place.model_copy(update={"channel": discord.emulator.moderators})
    edit = Edit(key="e2", place=place, message=performed.message, answer=decided)
    assert await discord.connection.look(edit) is None

    await discord.connection.act(edit)

    card = (await discord.emulator.messages(discord.emulator.moderators))[-1]
    assert "Kept removed by Mo" in words(card)
    assert [each["label"] for each in card["components"][0]["components"][-1]["components"]] == ["Why?"]
    assert await discord.connection.look(edit) == performed


async def test_an_edit_of_what_is_gone_is_over(discord: Discord) -> None:
    edit = Edit(key="e2", place=discord.place, message="1", answer=WORDS)

    assert (await discord.connection.act(edit)).status == "gone"
    looked = await discord.connection.look(edit)
    assert looked is not None
    assert looked.status == "gone"


async def test_a_notice_without_an_interaction_is_a_direct_message(discord: Discord) -> None:
    performed = await discord.connection.act(discord.notify())

    assert await discord.whispered(discord.emulator.ann) == ["Flashbulb says so."]
    assert await discord.connection.look(discord.notify()) == performed


async def test_who_takes_no_direct_messages_is_not_told_in_public(discord: Discord) -> None:
    await discord.emulator.close_direct_messages(discord.emulator.ann)

    with pytest.raises(UserError, match="takes no private messages"):
        await discord.connection.act(discord.notify())

    assert await discord.shown(discord.emulator.pics) == []


def _sees(discord: Discord, channel: str) -> bool:
    found = discord.connection._gateway.client.get_channel(int(channel))  # type: ignore[attr-defined]
    return found is not None and found.permissions_for(found.guild.me).view_channel


def _sees_denial(discord: Discord, channel: str) -> bool:
    found = discord.connection._gateway.client.get_channel(int(channel))  # type: ignore[attr-defined]
    return not found.permissions_for(found.guild.me).send_messages


async def test_where_nothing_may_be_read_nothing_is_found_and_it_is_said_all_the_same(discord: Discord) -> None:
    discord.emulator.fault("missing_access", times=1, method="GET /channels/{id}/messages")

    assert await discord.connection.look(discord.post()) is None


async def test_what_another_app_marks_like_ours_is_not_taken_for_ours(discord: Discord) -> None:
    forged = [{"type": 17, "id": component_id("e1"), "components": [{"type": 10, "content": "not ours"}]}]
    await discord.emulator.post_layout(discord.emulator.pics, discord.emulator.bob, forged)

    assert await discord.connection.look(discord.post()) is None


async def test_no_case_is_shown_in_another_servers_channel(discord: Discord) -> None:
    elsewhere = discord.place.model_copy(update={"workspace": "99"})
    await discord.given.setups.save(elsewhere.tenant, Setup(log_channel=discord.emulator.moderators))

    with pytest.raises(UserError):
        await discord.connection.act(Card(key="e1", place=elsewhere, answer=WORDS))

    assert await discord.shown(discord.emulator.moderators) == []
