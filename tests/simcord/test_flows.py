"""A handful of whole flows, as somebody else understood Discord."""

from typing import Any

from handlers.answers import CaseCard, Notice
from handlers.effects import Card, Edit, Notify, Post, Remove
from handlers.events import ButtonPressed, CommandUsed, FormSubmitted, MessagePosted
from pipelines.moderation.policy import Action
from tests.simcord.conftest import Town

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 9
WORDS = Notice(text="Flashbulb says so to @everyone.")
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


def text_of(message: Any) -> str:
    """Return all texts of a message."""
    children = [inner for each in message.components for inner in getattr(each, "children", [each])]
    return "\n".join(each.content for each in children if hasattr(each, "content"))


async def test_an_answer_is_posted_in_the_thread_of_a_message_and_pings_nobody(town: Town) -> None:
    await town.ann.send(town.pics, "look", attachments=[("cat.png", PNG)])
    [event] = town.bot.accepted
    assert isinstance(event, MessagePosted)
    place = town.place.in_thread_of(event.message)
    effect = Post(key="e1", place=place, answer=WORDS, about=event.message)

    performed = await town.bot.connection.act(effect)

    [thread] = town.pics.threads
    [answer] = [each for each in thread.history() if each.components]
    assert [each.name for each in event.attachments] == ["cat.png"]
    assert text_of(answer) == r"Flashbulb says so to \@everyone."
    assert not answer.mention_everyone
    assert str(answer.id) == performed.message
    assert await town.bot.connection.look(effect) == performed


async def test_a_card_has_buttons_that_outlive_a_restart(town: Town) -> None:
    card = await town.bot.connection.act(Card(key="e1", place=town.place, answer=CASE))
    town.bot.start_anew()
    await town.env.restart_bot(town.bot.client)

    result = await town.mo.click(town.cases.last_message, label="Restore")

    pressed = town.bot.accepted[-1]
    assert isinstance(pressed, ButtonPressed)
    assert (pressed.button, pressed.value, pressed.message) == ("restore", "abcdefghijkl", card.message)
    assert pressed.author.role.reviews
    assert result.acknowledged


async def test_a_decided_card_loses_its_buttons(town: Town) -> None:
    card = await town.bot.connection.act(Card(key="e1", place=town.place, answer=CASE))
    place = town.place.model_copy(update={"channel": str(town.cases.id)})
    decided = CASE.model_copy(update={"state": "kept", "decided_by": "mo"})

    await town.bot.connection.act(Edit(key="e2", place=place, message=str(card.message), answer=decided))

    assert "Kept removed by mo" in text_of(town.cases.last_message)
    assert "Restore" not in str([each.to_dict() for each in town.cases.last_message.components])


async def test_a_slow_command_is_deferred_and_ends_as_the_answer(town: Town) -> None:
    result = await town.ann.slash(town.pics, "tag", file=("cat.png", PNG))
    event = town.bot.accepted[-1]
    assert isinstance(event, CommandUsed)
    assert result.deferred
    await town.env.advance_time(20)

    await town.bot.connection.act(Post(key="e1", place=town.place, answer=WORDS, reply=event.reply))

    assert [each.name for each in event.attachments] == ["cat.png"]
    assert text_of(result.response.message) == r"Flashbulb says so to \@everyone."


async def test_words_for_one_person_replace_a_placeholder_that_all_see(town: Town) -> None:
    result = await town.ann.slash(town.pics, "tag")
    event = town.bot.accepted[-1]

    await town.bot.connection.act(Notify(key="e1", place=town.place, person=str(town.ann.id), answer=WORDS, reply=event.reply))

    assert result.response is None
    [whispered] = result.followups
    assert whispered.ephemeral


async def test_after_sixteen_minutes_an_answer_is_an_ordinary_message(town: Town) -> None:
    await town.ann.slash(town.pics, "tag")
    event = town.bot.accepted[-1]
    await town.env.advance_time(16 * 60)

    performed = await town.bot.connection.act(Post(key="e1", place=town.place, answer=WORDS, reply=event.reply))

    assert str(town.pics.last_message.id) == performed.message


async def test_a_menu_entry_opens_a_form_and_its_words_come_back(town: Town) -> None:
    bad = await town.mo.send(town.pics, "bad")
    opened = await town.ann.context_menu(town.pics, "Report to moderators", bad)
    assert opened.modal is not None

    await town.ann.submit_modal(opened, {"reason": "rude"})

    submitted = town.bot.accepted[-1]
    assert isinstance(submitted, FormSubmitted)
    assert (submitted.form, submitted.values) == ("report", {"reason": "rude"})


async def test_a_message_is_taken_out_with_the_case_for_a_reason_that_the_audit_log_gets(town: Town) -> None:
    bad = await town.ann.send(town.pics, "bad")

    performed = await town.bot.connection.act(
        Remove(key="e1", place=town.place, message=str(bad.id), keep=True, case="abcdefghijkl")
    )

    copy = await town.bot.given.copies.find(town.place.tenant, str(bad.id))
    assert performed.status == "done"
    assert town.pics.history() == []
    assert copy is not None
    assert copy.text == "bad"
    assert "Flashbulb case abcdefghijkl" in [each.reason for each in town.env.http_requests]
