"""Presses and forms about cases: of moderators on cards, of authors in their direct messages."""

import asyncio

import pytest

from emulators.slack import SlackEmulator
from handlers.answers import Held
from handlers.effects import Card, Notify
from handlers.events import ButtonPressed, FormSubmitted, Role
from handlers.forms import OPENS_FORM, Form, FormField
from handlers.ports.channels import Setup
from pipelines.moderation.policy import Action
from tests.slack.acting.conftest import at
from tests.slack.acting.shown import CARD
from tests.slack.receiving.bots import Desk, listening
from tests.slack.receiving.test_messages import BOTH_WAYS

CARDED = Card(
    key="slack:T1:one#card",
    place=at("CPICS"),
    answer=CARD.model_copy(update={"pictured": True, "measures": ("timeout", "ban")}),
)
HELD = Notify(
    key="slack:T1:one#notice",
    place=at("CPICS"),
    person="UANN",
    answer=Held(case="c7", action=Action.HOLD, reasons=("Spam.",), channel="CPICS", appealable=True),
)


def a_form(name: str) -> Form:
    asked = FormField(name="text", label="Why?", control="lines", max_chars=1000)
    return Form(name=name, title="Say more", fields=(asked,), submit="Send", about="c7")


@pytest.fixture
def desk() -> Desk:
    return Desk(setup=Setup(log_channel="GMODS"))


@BOTH_WAYS
async def test_an_author_appeals_in_their_direct_messages(slack: SlackEmulator, desk: Desk, http: bool) -> None:
    desk.form = a_form("appeal")
    async with listening(slack, desk, http=http) as bot:
        notice = (await bot.connection.act(HELD)).message
        direct = await slack.direct(slack.ann)
        await slack.press(direct, str(notice), slack.ann, "appeal")
        form = await slack.wait_for(lambda: slack.form(slack.ann))
        assert desk.the(ButtonPressed) is None
        await slack.submit(slack.ann, form["id"], {"text": "<!channel> it is my own \u202eshop &amp; *more*"})
        event = await slack.wait_for(lambda: desk.the(FormSubmitted))

    assert (event.form, event.about, event.place) == ("appeal", "c7", at(direct))
    assert (event.author.id, event.author.name, event.author.role) == ("UANN", "ann", Role.MEMBER)
    assert event.values == {"text": "<!channel> it is my own \u202eshop &amp; *more*"}  # as it was written


async def test_an_appeal_whose_form_does_not_open_is_an_event(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        notice = (await bot.connection.act(HELD)).message
        direct = await slack.direct(slack.ann)
        await slack.press(direct, str(notice), slack.ann, "appeal")
        event = await slack.wait_for(lambda: desk.the(ButtonPressed))

    assert (event.button, event.value, event.message, event.place) == ("appeal", "c7", notice, at(direct))
    assert (event.author.id, event.author.role) == ("UANN", Role.MEMBER)


@pytest.mark.parametrize("name", ["wrong_category", "timeout", "ban"])
async def test_a_moderators_form_comes_back_from_the_channel_for_cases(slack: SlackEmulator, desk: Desk, name: str) -> None:
    desk.form = a_form(name)
    async with listening(slack, desk) as bot:
        card = (await bot.connection.act(CARDED)).message
        await slack.press(slack.moderators, str(card), slack.mo, name)
        form = await slack.wait_for(lambda: slack.form(slack.mo))
        await slack.submit(slack.mo, form["id"], {"text": "because"})
        event = await slack.wait_for(lambda: desk.the(FormSubmitted))

    assert name in OPENS_FORM
    assert (event.form, event.about, event.place) == (name, "c7", at("GMODS"))
    assert (event.author.id, event.author.role) == ("UMO", Role.MODERATOR)


async def test_whoever_left_the_channel_for_cases_sends_their_form_as_a_member(slack: SlackEmulator, desk: Desk) -> None:
    desk.form = a_form("ban")
    async with listening(slack, desk) as bot:
        card = (await bot.connection.act(CARDED)).message
        await slack.press(slack.moderators, str(card), slack.mo, "ban")
        form = await slack.wait_for(lambda: slack.form(slack.mo))
        await slack.leave(slack.moderators, slack.mo)
        await slack.submit(slack.mo, form["id"], {"text": "yes"})
        event = await slack.wait_for(lambda: desk.the(FormSubmitted))

    assert (event.author.id, event.author.role) == ("UMO", Role.MEMBER)


async def test_two_presses_at_once_are_two_events(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        card = str((await bot.connection.act(CARDED)).message)
        first, second = await asyncio.gather(
            slack.press(slack.moderators, card, slack.mo, "restore"),
            slack.press(slack.moderators, card, slack.olga, "keep"),
        )
        await slack.wait_for(lambda: len(desk.events) == 2)

    pressed = {event.key: (event.button, event.author.id, event.value, event.message) for event in desk.events.values()}
    assert pressed == {
        f"slack:T1:{first}": ("restore", "UMO", "c7", card),
        f"slack:T1:{second}": ("keep", "UADMIN", "c7", card),
    }


async def test_one_who_presses_twice_is_heard_twice(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        card = str((await bot.connection.act(CARDED)).message)
        keys = {f"slack:T1:{await slack.press(slack.moderators, card, slack.mo, 'restore')}" for _ in range(2)}
        await slack.wait_for(lambda: len(desk.events) == 2)

    assert set(desk.events) == keys
    assert len(keys) == 2


async def test_a_card_outlives_the_bot_that_showed_it(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk) as bot:
        card = str((await bot.connection.act(CARDED)).message)
    async with listening(slack, desk):
        await slack.press(slack.moderators, card, slack.mo, "keep")
        event = await slack.wait_for(lambda: desk.the(ButtonPressed))

    assert (event.button, event.value, event.message, event.place) == ("keep", "c7", card, at("GMODS"))
    assert event.author.role is Role.MODERATOR
