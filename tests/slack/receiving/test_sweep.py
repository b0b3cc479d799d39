"""Away and back: what was missed is taken in by the keys that it would have come with."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from bot.slack import sweep
from emulators.slack import SlackEmulator
from handlers.events import MessagePosted
from pipelines.errors import UserError
from tests.app.test_metrics import value
from tests.slack.receiving.bots import Desk, listening
from tests.slack.receiving.test_messages import PICTURE


async def test_what_was_posted_and_edited_meanwhile_comes_by_the_same_keys(slack: SlackEmulator, desk: Desk) -> None:
    witness = Desk()
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        edited = await slack.post(slack.general, slack.ann, "before the edit")
        thread = await slack.post(slack.pics, slack.ann, "a thread")
        await slack.post(slack.pics, slack.ann, "an answer before", thread=thread)
        await slack.wait_for(lambda: len(desk.messages) == 4)
    before = set(desk.events)

    async with listening(slack, witness):
        await slack.edit(slack.general, edited, text="after the edit")
        await slack.post(slack.general, slack.ann, "an upload", files=[("cat.png", PICTURE)])
        await slack.post(slack.pics, slack.bob, "an answer", thread=thread)
        await slack.post(slack.pics, slack.bob, "a loud answer", thread=thread, broadcast=True)
        await slack.post(slack.pics, slack.bot, "ours")
        await slack.wait_for(lambda: len(witness.messages) == 4)
    async with listening(slack, desk):
        await slack.wait_for(lambda: len(desk.messages) == 8)

    missed = {key: event for key, event in desk.events.items() if key not in before}
    assert missed == witness.events
    assert desk.duplicates == 0


async def test_what_was_missed_comes_in_the_order_in_which_it_was_said(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "0")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        first = await slack.post(slack.general, slack.ann, "1")
        await slack.post(slack.general, slack.ann, "2", thread=first)
        await slack.post(slack.general, slack.ann, "3")
    async with listening(slack, desk):
        await slack.wait_for(lambda: len(desk.messages) == 4)

    assert desk.said() == ["0", "1", "2", "3"]


async def test_what_nobody_can_read_in_full_is_taken_as_not_readable(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "spoilt", attachments=[{"text": ["no text"]}])
        await slack.post(slack.general, slack.ann, "whole")
    async with listening(slack, desk) as bot:
        await slack.wait_for(lambda: len(desk.messages) == 2)
        with pytest.raises(UserError, match="in a way that Flashbulb does not know"):
            await bot.files.fetch(desk.messages[0].attachments[0], limit_bytes=1000)

    assert desk.said() == ["spoilt", "whole"]


async def test_what_was_there_before_the_first_start_is_left(slack: SlackEmulator, desk: Desk) -> None:
    with unheard(slack):
        old = await slack.post(slack.general, slack.ann, "long ago")
    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "new")
    async with listening(slack, desk):
        await slack.wait_for(lambda: desk.messages)

    assert desk.said() == ["new"]
    assert desk.marks["CGENERAL"] > old


async def test_a_lost_connection_is_followed_by_a_sweep(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) >= 3)
        with unheard(slack):
            await slack.post(slack.general, slack.ann, "lost")
        await slack.drop("abort")
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert desk.said() == ["before", "lost"]


async def test_what_was_turned_away_for_too_long_is_swept(slack: SlackEmulator, desk: Desk) -> None:
    slack.set(retry_waits_s=())
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) >= 3)
        desk.down = True
        await slack.post(slack.general, slack.ann, "while it was down")
        await slack.wait_for(lambda: slack.deliveries[1].given_up)
        desk.down = False
        await slack.wait_for(lambda: len(desk.messages) == 2)
        await slack.post(slack.general, slack.ann, "after")
        await slack.wait_for(lambda: len(desk.messages) == 3)

    assert desk.said() == ["before", "while it was down", "after"]


async def test_no_mark_passes_what_was_turned_away(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) >= 3)
        slack.set(retry_waits_s=(60.0,))
        desk.down = True
        lost = await slack.post(slack.general, slack.ann, "turned away")
        await slack.wait_for(lambda: desk.turned_away)

    assert desk.marks["CGENERAL"] < lost
    desk.down = False
    async with listening(slack, desk):
        await slack.wait_for(lambda: len(desk.messages) == 2)


async def test_a_channel_whose_history_is_closed_stops_nothing(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "missed")
    slack.fault("missing_scope", method="conversations.history", times=1)
    async with listening(slack, desk):
        await slack.wait_for(lambda: any(call.error == "missing_scope" for call in slack.calls))
        now = await slack.post(slack.general, slack.ann, "now")
        await slack.wait_for(lambda: "now" in desk.said())

    assert desk.said() == ["before", "now"]
    assert desk.marks["CGENERAL"] == now


async def test_a_sweep_goes_on_after_slack_asked_for_patience(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "missed")
    slack.fault("error_500", method="conversations.history", times=4)
    async with listening(slack, desk):
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert desk.said() == ["before", "missed"]


async def test_a_channel_is_read_so_far_and_no_further(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PAGE", 2)
    monkeypatch.setattr(sweep, "PAGES", 2)
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        for number in range(8):
            await slack.post(slack.general, slack.ann, str(number))
    async with listening(slack, desk):
        await slack.wait_for(lambda: len(desk.messages) == 5)

    assert desk.said() == ["before", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("page", "said", "cut"), [(200, ["before", "missed"], 0), (1, ["before"], 1)], ids=["found", "too-far"]
)
async def test_an_answer_in_an_old_thread_is_found_or_it_is_said_that_it_was_not_looked_for(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch, page: int, said: list[str], cut: int
) -> None:
    with unheard(slack):
        root = await slack.post(slack.general, slack.ann, "long ago")
        await slack.post(slack.general, slack.ann, "later")
        await slack.post(slack.general, slack.ann, "later still")
    slack.workspace.advance(10)
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.general, slack.bob, "missed", thread=root)
    asked = len(slack.calls)
    monkeypatch.setattr(sweep, "LOOK_BACK_S", 1)
    monkeypatch.setattr(sweep, "PAGE", page)
    monkeypatch.setattr(sweep, "OLDER_PAGES", 2)
    with capture_logs() as logs:
        async with listening(slack, desk) as bot:
            await slack.wait_for(lambda: [each for each in slack.calls[asked:] if each.arguments.get("channel") == "GMODS"])
            await slack.wait_for(lambda: len(desk.messages) == len(said))

    assert [each["channel"] for each in logs if each["event"] == "slack.sweep_cut"] == ["CGENERAL"] * cut
    assert (value(bot.metrics, 'flashbulb_sweeps_cut_total{platform="slack"}') or 0) == cut


async def test_a_channel_that_the_bot_is_invited_to_has_a_mark_from_then_on(slack: SlackEmulator, desk: Desk) -> None:
    await slack.add_channel("CNEW", members=[slack.ann])
    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) >= 3)
        old = await slack.post("CNEW", slack.ann, "before the invitation")
        await slack.join("CNEW", slack.bot)
        await slack.wait_for(lambda: slack.deliveries[-1].acknowledged)
    with unheard(slack):
        await slack.post("CNEW", slack.ann, "while away")
    async with listening(slack, desk):
        await slack.wait_for(lambda: desk.messages)

    assert desk.said() == ["while away"]
    assert desk.marks["CNEW"] > old


async def test_what_was_written_between_two_invitations_is_left(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.messages and _histories(slack) >= 3)
        await slack.leave(slack.general, slack.bot)
        await slack.post(slack.general, slack.ann, "among themselves")
        await slack.join(slack.general, slack.bot)
        await slack.wait_for(lambda: slack.deliveries[-1].acknowledged)
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "after")
        await slack.wait_for(lambda: "after" in desk.said() and _histories(slack) >= 6)

    assert desk.said() == ["before", "after"]


def _histories(slack: SlackEmulator) -> int:
    return sum(call.method == "conversations.history" and call.status == 200 for call in slack.calls)


@contextmanager
def unheard(slack: SlackEmulator) -> Iterator[None]:
    """Let things happen of which Slack tells nobody, neither now nor when it tries again."""
    subscriptions = set(slack.workspace.subscriptions)
    slack.workspace.subscriptions.clear()
    yield
    slack.workspace.subscriptions |= subscriptions


async def test_a_message_over_which_we_fail_costs_only_itself(slack: SlackEmulator, desk: Desk) -> None:
    taken = desk.accept

    async def fail(event: MessagePosted) -> None:
        if event.text == "poison":
            raise RuntimeError
        await taken(event)

    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "poison")
        await slack.post(slack.general, slack.ann, "beside it")
        await slack.post(slack.pics, slack.ann, "elsewhere")
    desk.accept = fail
    async with listening(slack, desk) as bot:
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert sorted(desk.said()) == ["beside it", "elsewhere"]
    assert value(bot.metrics, 'flashbulb_deliveries_skipped_total{platform="slack"}') == 1


async def test_a_channel_over_which_we_fail_costs_only_itself(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sweep.Sweep.channel

    async def fail(self: sweep.Sweep, channel: str, **how: int) -> None:
        if channel == slack.general:
            raise RuntimeError
        await whole(self, channel, **how)

    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.pics, slack.ann, "elsewhere")
    monkeypatch.setattr(sweep.Sweep, "channel", fail)
    async with listening(slack, desk):
        await slack.wait_for(lambda: desk.messages)

    assert desk.said() == ["elsewhere"]


async def test_what_we_failed_over_for_a_moment_is_swept(slack: SlackEmulator, desk: Desk) -> None:
    taken, failed = desk.accept, []

    async def fail_once(event: MessagePosted) -> None:
        if event.text == "twice" and not failed:
            failed.append(event)
            raise RuntimeError
        await taken(event)

    desk.accept = fail_once
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) >= 3)
        await slack.post(slack.general, slack.ann, "twice")
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert failed
    assert desk.said() == ["before", "twice"]


async def test_channels_that_may_not_be_listed_are_swept_where_they_were_heard(slack: SlackEmulator, desk: Desk) -> None:
    async with listening(slack, desk):
        await slack.wait_for(lambda: _histories(slack) == 3)
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "missed")
    slack.fault("missing_scope", method="users.conversations")
    async with listening(slack, desk):
        await slack.wait_for(lambda: desk.messages)

    assert desk.said() == ["missed"]


@pytest.mark.parametrize(("code", "cut"), [("thread_not_found", 0), ("missing_scope", 1)], ids=["gone", "closed"])
async def test_a_thread_that_cannot_be_read_costs_only_itself(slack: SlackEmulator, desk: Desk, code: str, cut: int) -> None:
    async with listening(slack, desk):
        thread = await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        await slack.post(slack.general, slack.bob, "an answer", thread=thread)
        await slack.post(slack.general, slack.ann, "missed")
    slack.fault(code, method="conversations.replies", times=1)
    async with listening(slack, desk) as bot:
        await slack.wait_for(lambda: len(desk.messages) == 2)

    assert desk.said() == ["before", "missed"]
    assert (value(bot.metrics, 'flashbulb_sweeps_cut_total{platform="slack"}') or 0) == cut


@pytest.mark.parametrize("rate_limited", [True, False], ids=["said", "seen-by-its-tries"])
async def test_what_slack_gave_up_on_while_it_did_not_reach_us_over_http_is_swept(
    slack: SlackEmulator, desk: Desk, *, rate_limited: bool
) -> None:
    async with listening(slack, desk, http=True):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted) and _histories(slack) >= 3)
        with unheard(slack):
            await slack.post(slack.general, slack.ann, "lost")
        await slack.post(slack.general, slack.ann, "there again")
        await slack.wait_for(lambda: len(desk.messages) == 2)
        if rate_limited:
            slack._deliveries.send_event({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1})
        else:
            slack.set(retry_waits_s=(0.05,) * 100)
            desk.down = True
            await slack.post(slack.general, slack.ann, "late")
            await slack.wait_for(lambda: slack.deliveries[-1].attempts >= 2)
            desk.down = False
        await slack.wait_for(lambda: "lost" in desk.said())


async def test_it_is_said_when_more_was_missed_than_is_looked_through(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(slack, desk):
        await slack.post(slack.general, slack.ann, "before")
        await slack.wait_for(lambda: desk.the(MessagePosted))
    with unheard(slack):
        await slack.post(slack.general, slack.ann, "missed")
        slack.workspace.advance(10)
        await slack.post(slack.general, slack.ann, "seen")
    monkeypatch.setattr(sweep, "AGE_S", -5)  # of our clock, which did not go forward
    with capture_logs() as logs:
        async with listening(slack, desk):
            await slack.wait_for(lambda: "seen" in desk.said())

    assert desk.said() == ["before", "seen"]
    assert [each["channel"] for each in logs if each["event"] == "slack.sweep_cut"] == ["CGENERAL"]
