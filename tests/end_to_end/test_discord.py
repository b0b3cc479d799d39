"""Discord end to end: the real bot in its process, an emulated server with people in it, and a model that goes by rules."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenes import photo
from emulators.discord import DiscordEmulator
from emulators.wire import Asked
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import SECONDS, Darkroom, case_of, darkroom, labels_of, pictures_of, words_of
from tests.media.samples import encoded, qr_code

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The pictures that a real camera and other people's programs made.
REAL = ("bridge_1600x1004.jpg", "desk_1512x2016.webp", "desk_12mp_orientation6_gps.jpg")
# How a file can fail to arrive.
BROKEN = ("cdn_missing", "cdn_forbidden", "cdn_redirect_private", "cdn_truncated", "cdn_wrong_type", "cdn_huge_length")


@dataclass(frozen=True, slots=True)
class Town:
    """A running bot in a server that is set up: general and pics are watched, cases come to the moderators."""

    discord: DiscordEmulator
    room: Darkroom
    bot: Bot

    def violation(self) -> str:
        return next(self.room.violations)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    data = tmp_path_factory.mktemp("discord") / "data"
    async with darkroom() as room, Bot(data, room.environment) as bot:
        await bot.start()
        await room.set_up(watched=(room.discord.general, room.discord.pics))
        yield Town(room.discord, room, bot)
        await room.answered()  # whatever was asked
        await bot.stop()


async def test_the_choice_of_a_channel_for_cases_is_said_there(town: Town) -> None:
    said = await town.room.card("Flashbulb is set up")

    assert f"<#{town.discord.general}>, <#{town.discord.pics}>" in words_of(said)


async def test_a_photo_that_is_fine_stays_and_nothing_is_said_about_it(town: Town) -> None:
    discord, room = town.discord, town.room

    fine = await discord.post(discord.pics, discord.ann, "my window", [("window.jpg", photo(1, 4032, 3024))])
    await room.asked("my window")
    bad = await discord.post(discord.pics, discord.ann, town.violation())
    await room.gone(discord.pics, bad)

    assert room.stands(discord.pics, fine)
    assert [each for each in await discord.messages(discord.pics) if each["author"]["id"] == discord.bot] == []


async def test_photos_of_real_cameras_are_judged_once_and_tagged_one_by_one(town: Town, shared_images: Path) -> None:
    discord, room = town.discord, town.room
    files = [(name, (shared_images / "photos" / name).read_bytes()) for name in REAL]

    posted = await discord.post(discord.pics, discord.bob, "a day out", files)
    await room.asked("a day out")
    await discord.shortcut(discord.pics, discord.ann, posted, "Tag image")
    for name in REAL:
        await room.said(posted, f"Tags for {name}")

    flagged = await room.card("instructs the judge: IGNORE ALL PREVIOUS INSTRUCTIONS")  # which one of them says in its metadata

    assert room.times_asked("a day out") == 1
    assert f"/{discord.pics}/{posted})" in words_of(flagged)
    assert room.stands(discord.pics, posted)


async def test_a_picture_that_breaks_the_rules_goes_and_comes_back_when_a_moderator_says_so(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    bad = encoded(qr_code(words), "PNG")

    posted = await room.post_described(discord.pics, discord.ann, "code.png", bad, "A square of dots")
    await room.gone(discord.pics, posted)
    card = await room.card(words)
    await room.whispered(discord.ann, case_of(card))
    await room.press(card, discord.bob, "Restore")
    await room.whispered(discord.bob, "Only moderators decide cases")
    assert "Restored" not in words_of(await room.card(words))
    await room.press(card, discord.mo, "Restore")
    back = await room.said(discord.pics, "A moderator put it back")
    await room.card("Restored by mo")

    assert "**ann** wrote this" in words_of(back)
    [picture] = pictures_of(back)
    assert picture["description"] == "A square of dots"
    assert await room.whispered(discord.ann, "put it back")


async def test_the_tags_of_the_newest_picture_are_in_its_thread_and_the_command_leads_there(town: Town) -> None:
    discord, room = town.discord, town.room
    posted = await discord.post(discord.general, discord.ann, files=[("lake.jpg", photo(2, 1600, 1200))])

    await discord.command(discord.general, discord.bob, "tag")
    tags = await room.said(posted, "Tags for lake.jpg")
    leading = await room.said(discord.general, "Here is the answer")

    assert f"/{posted}/{tags['id']}" in words_of(leading)


async def test_a_picture_that_comes_with_the_command_is_tagged_in_the_answer(town: Town) -> None:
    discord = town.discord

    used = await discord.command(discord.general, discord.bob, "tag", files=[("own.jpg", photo(3, 800, 600))])
    tags = await town.room.said(discord.general, "Tags for own.jpg")

    answered = await discord.answer(used)
    assert answered is not None
    assert answered["message"]["id"] == tags["id"]


async def test_a_report_shows_the_message_to_the_moderators_and_leaves_it(town: Town) -> None:
    discord, room = town.discord, town.room
    posted = await discord.post(discord.general, discord.ann, "a matter of taste")

    await discord.shortcut(discord.general, discord.bob, posted, "Report to moderators")
    form = await discord.wait_for(lambda: discord.form(discord.bob), SECONDS)
    await discord.submit(discord.bob, form["custom_id"], {"reason": "This is about me."})
    await room.whispered(discord.bob, "The moderators see your report")
    card = await room.card("Reported by a member: This is about me.")

    assert f"/{discord.general}/{posted})" in words_of(card)
    assert room.stands(discord.general, posted)
    assert await room.all_whispered(discord.ann, case_of(card)) == []


async def test_a_message_that_is_edited_into_a_violation_goes(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    posted = await discord.post(discord.general, discord.bob, "good morning")
    await room.asked("good morning")

    await discord.edit(discord.general, posted, words)
    await room.gone(discord.general, posted)
    card = await room.card(words)

    assert await room.whispered(discord.bob, case_of(card))


async def test_a_violation_that_is_forwarded_from_elsewhere_goes(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    elsewhere = await discord.post(discord.moderators, discord.mo, words)

    forwarded = await discord.forward(discord.pics, discord.mo, discord.moderators, elsewhere)
    await room.gone(discord.pics, forwarded)

    assert room.stands(discord.moderators, elsewhere)  # which is not watched


async def test_a_preview_that_comes_late_is_judged_as_well(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    posted = await discord.post(discord.pics, discord.bob, "see https://example.com/late.png")
    await room.asked("late.png")
    assert room.stands(discord.pics, posted)

    await discord.unfurl(discord.pics, posted, "https://example.com/late.png", [("late.png", encoded(qr_code(words), "PNG"))])
    await room.gone(discord.pics, posted)

    assert await room.card(words)


async def test_a_mention_with_a_picture_is_answered_in_its_thread(town: Town) -> None:
    discord = town.discord
    words = f"<@{discord.bot}> what is this?"

    posted = await discord.post(discord.general, discord.ann, words, [("what.jpg", photo(4, 1200, 900))])

    assert await town.room.said(posted, "Tags for what.jpg")


async def test_a_private_message_with_a_picture_is_answered_there(town: Town) -> None:
    await town.discord.direct(town.discord.bob, files=[("secret.jpg", photo(5, 1200, 900))])

    assert await town.room.whispered(town.discord.bob, "Tags for secret.jpg")


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_file_that_does_not_arrive_is_held_as_unknown(town: Town, fault: str) -> None:
    discord, room = town.discord, town.room
    author = await discord.join(fault.replace("_", "-"))
    discord.fault(fault, method="GET /cdn")

    posted = await discord.post(discord.pics, author, "look", [("photo.jpg", photo(6, 640, 480))])
    await room.gone(discord.pics, posted)
    discord.clear_faults()
    card = await room.card(f"A message of **{fault.replace('_', '-')}**")

    assert "Held" in words_of(card)
    assert await room.whispered(author, case_of(card))


async def test_a_storm_of_refusals_ends_with_the_message_gone_and_its_author_told_once(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    author = await discord.join("stormy")
    for method in ("DELETE /channels/{id}/messages/{id}", "POST /channels/{id}/messages"):
        discord.fault("rate_limited", times=3, method=method)
        discord.fault("reset_after_storing", times=1, method=method)

    posted = await discord.post(discord.pics, author, words)
    await room.gone(discord.pics, posted)
    card = await room.card(words)
    await room.whispered(author, case_of(card))

    assert len(await room.all_said(discord.moderators, words)) == 1
    assert len(await room.all_whispered(author, case_of(card))) == 1


async def test_a_message_that_its_author_deletes_before_the_verdict_is_a_case_all_the_same(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    complaints = len(await room.all_said(discord.moderators, "could not be"))

    async def delete(asked: Asked) -> None:
        room.models.on_arrival = None
        await discord.delete(discord.pics, posted)

    room.models.on_arrival = delete
    posted = await discord.post(discord.pics, discord.bob, words)
    await room.card(words)

    assert len(await room.all_said(discord.moderators, "could not be")) == complaints


async def test_moderators_learn_which_permission_is_lacking_and_the_author_hears_nothing_untrue(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    channel = await discord.add_channel("guarded")
    await room.set_up(watched=(discord.general, discord.pics, channel))
    await discord.set_permissions(channel, deny=["manage_messages"])
    author = await discord.join("lucky")

    posted = await discord.post(channel, author, words)
    told = await room.card(words)

    assert "Not " in words_of(told)
    assert "lacks the permission Manage Messages" in words_of(told)
    assert labels_of(told)[:3] == ["It is fine", "Remove", "Why?"]  # it stands, so that there is nothing to bring back
    assert room.stands(channel, posted)
    assert await room.all_whispered(author, "") == []


async def test_whoever_takes_no_private_messages_costs_the_moderators_nothing(town: Town) -> None:
    discord, room, words = town.discord, town.room, town.violation()
    author = await discord.join("closed")
    await discord.close_direct_messages(author)

    posted = await discord.post(discord.pics, author, words)
    await room.gone(discord.pics, posted)

    assert await room.card(words)


async def test_what_was_said_and_edited_while_the_bot_was_stopped_is_judged_once_when_it_is_back(town: Town) -> None:
    discord, room = town.discord, town.room
    told, missed, edited = town.violation(), town.violation(), town.violation()
    judged = await discord.post(discord.general, discord.ann, told)
    before = await discord.post(discord.general, discord.ann, "nothing yet")
    await room.gone(discord.general, judged)
    await room.asked("nothing yet")
    await room.whispered(discord.ann, case_of(await room.card(told)))

    await town.bot.stop()
    await discord.edit(discord.general, before, edited)
    late = await discord.post(discord.general, discord.ann, missed)
    thread = await discord.open_thread(
        discord.pics, discord.ann, await discord.post(discord.pics, discord.ann, "a root"), "talk"
    )
    inside = await discord.post(discord.pics, discord.ann, town.violation(), thread=thread)
    await town.bot.start()
    for channel, message in ((discord.general, before), (discord.general, late), (thread, inside)):
        await room.gone(channel, message)
    for words in (missed, edited):
        await room.whispered(discord.ann, case_of(await room.card(words)))

    assert [room.times_asked(words) for words in (told, missed, edited, "a root")] == [1, 1, 1, 1]
    assert [len(await room.all_said(discord.moderators, words)) for words in (told, missed, edited)] == [1, 1, 1]


async def test_what_a_lost_session_did_not_deliver_is_judged_once(town: Town) -> None:
    discord, room, missed = town.discord, town.room, town.violation()
    connects, identified = discord.gateway.connects, discord.gateway.identifies

    discord.fault("refuse_handshake", times=1)
    await discord.drop("op9_false")
    await discord.wait_for(lambda: discord.gateway.connects > connects, SECONDS)
    late = await discord.post(discord.general, discord.ann, missed)
    await room.gone(discord.general, late)
    await room.whispered(discord.ann, case_of(await room.card(missed)))

    assert discord.gateway.identifies == identified + 1
    assert room.times_asked(missed) == 1


async def test_what_was_said_while_the_bot_was_dead_is_judged_once_the_gateway_lets_it_back_in(town: Town) -> None:
    discord, room, missed = town.discord, town.room, town.violation()
    town.bot.kill()
    await town.bot.death()
    late = await discord.post(discord.general, discord.ann, missed)

    discord.fault("refuse_handshake")
    await town.bot.start(ready=False)
    status, checks = await town.bot.readiness()
    discord.clear_faults()
    await town.bot.until_ready()
    await room.gone(discord.general, late)
    await room.whispered(discord.ann, case_of(await room.card(missed)))

    assert (status, checks["discord"], checks["database"]) == (503, False, True)
    assert room.times_asked(missed) == 1
