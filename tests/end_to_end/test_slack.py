"""The real bot in an emulated Slack, driven as its members do: what each of them sees, and that it is said once."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.scenes import photo
from tests.end_to_end.slack_team import PATIENCE_S, Team, effects_shown, picture_that_says, size_of, team_of
from tests.slack.receiving.bots import free_port

BAD = "FLASHBULB-TEST-HATE-S3-C95"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A workspace in which the bot may not delete what others wrote."""
    async with team_of(tmp_path_factory.mktemp("bot")) as made:
        await made.set_up(made.slack.moderators)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict_team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A workspace in which an admin's token lets the bot delete."""
    async with team_of(tmp_path_factory.mktemp("bot"), admin=True) as made:
        await made.set_up(made.slack.moderators)
        yield made


async def test_a_photo_stands_and_tag_answers_in_its_thread(team: Team) -> None:
    slack = team.slack
    await slack.post(slack.pics, slack.ann, "an older one", files=[("old.jpg", photo(1, 800, 600))])
    newest = await slack.post(slack.pics, slack.ann, "look", files=[("lake.jpg", photo(2, 1600, 1200))])
    await team.heard()

    await slack.command(slack.pics, slack.bob, "tag")
    tagged = await team.answer(slack.pics, newest)

    assert "lake.jpg" in tagged["text"]
    assert "Alt text" in tagged["text"]
    assert [each["text"] for each in await slack.messages(slack.pics)][:2] == ["an older one", "look"]


async def test_real_photos_are_tagged_from_the_menu_of_an_answer_in_a_thread(team: Team, shared_images: Path) -> None:
    slack = team.slack
    first = await slack.post(slack.general, slack.ann, "show me yours")
    for name in ("bridge_1600x1004.jpg", "desk_12mp_orientation6_gps.jpg", "desk_1512x2016.webp"):
        file = (name, (shared_images / "photos" / name).read_bytes())
        shown = await slack.post(slack.general, slack.bob, files=[file], thread=first)
        await slack.shortcut(slack.general, slack.ann, shown, "tag_message")
        said = await team.until(lambda: team.said(slack.general, thread=first), f"Tags for {name}")
        assert len(said) == 1

    assert len(await team.said(slack.general, thread=first)) == 3


async def test_what_may_not_be_deleted_is_flagged_and_its_author_asked(team: Team) -> None:
    slack = team.slack
    message = await slack.post(slack.general, slack.ann, "nice, isn't it", files=[("code.jpg", picture_that_says(BAD))])

    asked = await team.told(slack.ann, "Please delete your message")
    card = await team.card(slack.general, message, slack.moderators)

    assert "Case" in asked["text"]
    assert "The policy calls for more: removed." in card["text"]
    first_row = next(block["elements"] for block in card["blocks"] if block["type"] == "actions")
    assert [each["text"]["text"] for each in first_row] == ["It is fine", "It is not fine", "Why?"]
    assert message in [each["ts"] for each in await slack.messages(slack.general)]


async def test_a_report_goes_to_the_moderators_with_its_reason(team: Team) -> None:
    slack = team.slack
    message = await slack.post(slack.general, slack.ann, "nothing that a rule is against")
    await slack.shortcut(slack.general, slack.bob, message, "report_message")
    form = await slack.wait_for(lambda: slack.form(slack.bob), PATIENCE_S)
    await slack.submit(slack.bob, form["id"], {"reason": "it is <rude> to me"})

    [card] = await team.until(lambda: team.said(slack.moderators), "Reported by")
    await team.told(slack.bob, "Thank you")

    assert "it is &lt;rude&gt; to me" in card["text"]
    assert await team.said(slack.general, thread=message) == []


async def test_a_message_that_is_edited_into_a_violation_gets_one_case(team: Team) -> None:
    slack = team.slack
    message = await slack.post(slack.pics, slack.bob, "all is well")
    await slack.wait_for(lambda: team.questions("all is well"), PATIENCE_S)
    await slack.edit(slack.pics, message, f"{BAD} edited")

    await team.told(slack.bob, "Please delete your message")
    [card] = await team.until(lambda: team.said(slack.moderators), key=f":{message}:")

    assert "Hate: severe" in card["text"]
    assert team.questions(f"{BAD} edited") == 1


async def test_a_mention_that_comes_before_its_file_is_answered_once(team: Team) -> None:
    slack = team.slack
    slack.fault("mention_first", times=1)
    message = await slack.post(slack.pics, slack.ann, f"<@{slack.bot}> what is this?", files=[("what.jpg", photo(3, 900, 700))])

    tagged = await team.answer(slack.pics, message)
    await _is_quiet(team)

    assert "what.jpg" in tagged["text"]
    assert len(await team.said(slack.pics, thread=message)) == 1


async def test_a_file_in_a_direct_message_is_tagged_there(team: Team) -> None:
    slack = team.slack
    direct = await slack.direct(slack.ann)
    await slack.post(direct, slack.ann, "hello")
    await team.told(slack.ann, "What you can ask here")
    message = await slack.post(direct, slack.ann, files=[("mine.jpg", photo(4, 900, 700))])

    tagged = await team.answer(direct, message)

    assert "mine.jpg" in tagged["text"]


async def test_a_file_of_which_slack_connect_shows_a_stub_is_judged(team: Team) -> None:
    slack = team.slack
    slack.fault("connect_stub", times=1)
    message = await slack.post(slack.general, slack.bob, files=[("stub.jpg", picture_that_says(f"{BAD} stub", 5))])

    card = await team.card(slack.general, message, slack.moderators)

    assert "HATE" in card["text"]
    assert any(call.method == "files.info" and call.status == 200 for call in slack.calls)


async def test_a_member_does_not_set_the_workspace_up(team: Team) -> None:
    slack = team.slack
    await slack.command(slack.general, slack.ann, "flashbulb", "setup")

    await team.told(slack.ann, "Only who administers this workspace")

    assert await slack.form(slack.ann) is None


async def test_a_removed_picture_comes_back_when_a_moderator_restores_it(strict_team: Team) -> None:
    team, slack = strict_team, strict_team.slack
    bad = picture_that_says(BAD, 6)
    message = await slack.post(slack.pics, slack.ann, "at the *lake*", files=[("lake.jpg", bad)])
    await team.told(slack.ann, "was taken out")
    gone = await slack.messages(slack.pics)
    card = await team.card(slack.pics, message, slack.moderators)
    await slack.press(slack.moderators, card["ts"], slack.mo, "restore")

    [back] = await team.until(lambda: team.said(slack.pics), "at the")
    await team.told(slack.ann, "put it back")
    [decided] = await team.until(lambda: team.said(slack.moderators), "Restored")

    assert message not in [each["ts"] for each in gone]
    assert (decided["ts"], decided["metadata"]) == (card["ts"], card["metadata"])
    assert {call.method for call in slack.calls if call.user == slack.olga} == {"chat.delete", "files.delete"}
    [file] = back["files"]
    assert (file["name"], file["alt_txt"]) == ("lake.jpg", "A file that ann posted without a description.")
    [blurred, sent] = [content for call in slack.calls for _, content in call.files]  # for the card, and then the file itself
    assert [block["type"] for block in card["blocks"]].count("image") == 1
    assert [block["type"] for block in decided["blocks"]].count("image") == 0
    assert len(blurred) < len(bad) / 4
    assert (sent, size_of(sent)) == (bad, (1000, 750))


async def test_a_member_who_presses_a_button_in_a_public_channel_is_refused(strict_team: Team) -> None:
    team, slack = strict_team, strict_team.slack
    cases = await slack.add_channel("CCASES", "cases")
    await team.set_up(cases)
    message = await slack.post(slack.general, slack.ann, f"{BAD} public")
    card = await team.card(slack.general, message, cases)
    await slack.press(cases, card["ts"], slack.ann, "restore")

    await team.told(slack.ann, "Only moderators decide cases.")

    assert await team.said(slack.general) == []
    await team.set_up(slack.moderators)


async def test_by_signed_http_as_well(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with team_of(tmp_path, admin=True, FLASHBULB_SLACK_HTTP=address) as team:
        slack = team.slack
        slack.set(http_url=f"http://{address}/slack/events")
        await team.set_up(slack.moderators)
        fine = await slack.post(slack.pics, slack.ann, files=[("fine.jpg", photo(7, 1000, 800))])
        await team.heard()
        await slack.command(slack.pics, slack.bob, "tag")
        await team.answer(slack.pics, fine)
        message = await slack.post(slack.pics, slack.bob, files=[("bad.jpg", picture_that_says(BAD, 8))])
        card = await team.card(slack.pics, message, slack.moderators)
        await slack.press(slack.moderators, card["ts"], slack.mo, "keep")
        await team.until(lambda: team.said(slack.moderators), "Kept removed")

        assert slack.connections == 0
        assert message not in [each["ts"] for each in await slack.messages(slack.pics)]


async def test_what_happened_while_it_was_away_is_judged_once(tmp_path: Path) -> None:
    async with team_of(tmp_path, admin=True) as team:
        slack = team.slack
        await team.set_up(slack.moderators)
        seen = await slack.post(slack.pics, slack.bob, "seen before")
        changed = await slack.post(slack.pics, slack.ann, "to be changed")
        await slack.wait_for(lambda: team.questions("to be changed") and team.questions("seen before"), PATIENCE_S)
        await team.bot.stop()

        await slack.edit(slack.pics, changed, f"{BAD} changed")
        posted = await slack.post(slack.pics, slack.ann, f"{BAD} posted")
        threaded = await slack.post(slack.pics, slack.bob, f"{BAD} in a thread", thread=seen)
        pictured = await slack.post(slack.general, slack.ann, files=[("away.jpg", picture_that_says(BAD, 9))])
        fine = await slack.post(slack.general, slack.ann, "and something fine")
        await team.bot.start()

        async def cases() -> list[str] | None:
            cards = [key for key in effects_shown(slack) if key.endswith("#card")]
            return cards if len(cards) == 4 and team.questions("and something fine") else None

        cards = await slack.wait_for(cases, PATIENCE_S)
        await _is_quiet(team)
        assert [ts for ts in (changed, posted, threaded, pictured) if not any(ts in card for card in cards)] == []
        assert set(effects_shown(slack).values()) == {1}
        standing = {each["ts"] for channel in (slack.pics, slack.general) for each in await slack.messages(channel)}
        assert standing & {changed, posted, threaded, pictured, seen, fine} == {seen, fine}
        assert [team.questions(words) for words in ("seen before", "something fine", f"{BAD} posted")] == [1, 1, 1]


async def test_what_cannot_be_stored_comes_again_and_is_done_once(tmp_path: Path) -> None:
    async with team_of(tmp_path) as team:
        slack = team.slack
        await team.set_up(slack.moderators)
        with _database_held(team.data / "records.db"):
            message = await slack.post(slack.general, slack.ann, f"{BAD} unstored")
            await slack.wait_for(lambda: any(each.attempts >= 2 for each in slack.deliveries), PATIENCE_S)
        await team.card(slack.general, message, slack.moderators)
        await _is_quiet(team)

        assert set(effects_shown(slack).values()) == {1}
        assert team.questions("unstored") == 1


class _database_held:
    """Keep everybody else from writing into a SQLite database."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


async def _is_quiet(team: Team) -> None:
    """Let a member's command, which comes last, be answered: whatever came twice would have been said by then."""
    slack = team.slack
    await team.heard()
    before = len(await slack.private(slack.mo))
    await slack.command(slack.general, slack.mo, "flashbulb", "help")

    async def answered() -> bool:
        return len(await slack.private(slack.mo)) > before

    await slack.wait_for(answered, PATIENCE_S)
