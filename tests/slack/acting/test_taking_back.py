"""A restored message is taken back with all that it took, and its copy stays for a day."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.storage.tables import CopiedFileRow, CopyRow
from emulators.slack import SlackEmulator
from handlers.effects import Performed, Remove, Restore, TakeBack
from pipelines.errors import Unavailable
from tests.media.samples import encoded, plain
from tests.slack.acting.conftest import TENANT, Desk, a_post, at

PICTURE = encoded(plain(), "PNG")
POSTED = "slack:T1:two#restore"
FILES = pytest.mark.parametrize(
    "files", [pytest.param([("cat.png", PICTURE), ("dog.png", PICTURE)], id="with-files"), pytest.param([], id="a-text")]
)
Files = list[tuple[str, bytes]]


def a_restoring(channel: str, message: str, thread: str | None = None) -> Restore:
    return Restore(key=POSTED, place=at(channel, thread), message=message)


def a_taking_back(channel: str, message: str, thread: str | None = None) -> TakeBack:
    return TakeBack(key="slack:T1:three#out", place=at(channel, thread), message=message, posted=POSTED)


async def a_removed_message(slack: SlackEmulator, desk: Desk, files: Files, thread: str | None = None) -> str:
    message = await slack.post(slack.pics, slack.ann, "look", files, thread=thread)
    await desk.with_admin.act(Remove(key="slack:T1:one#remove", place=at(slack.pics, thread), message=message, keep=True))
    return message


async def ends_at(desk: Desk, table: type[CopyRow] | type[CopiedFileRow], message: str) -> set[datetime]:
    def read(connection: sa.Connection) -> set[datetime]:
        return set(connection.scalars(sa.select(table.expires_at).where(table.message == message)))

    return await desk.records.read(read)


@FILES
async def test_what_came_back_is_named_and_its_copy_ends_a_day_later(slack: SlackEmulator, desk: Desk, files: Files) -> None:
    message = await a_removed_message(slack, desk, files)

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    [back] = await slack.messages(slack.pics)
    assert performed == Performed(status="done", message=back["ts"])
    ends = await ends_at(desk, CopyRow, message) | await ends_at(desk, CopiedFileRow, message)
    assert len(ends) == 1
    assert abs(ends.pop() - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    assert await desk.given.copies.find(TENANT, message) is not None


async def test_a_copy_that_ends_earlier_is_not_kept_longer(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [])
    soon = datetime.now(UTC) + timedelta(hours=1)
    await desk.given.copies.expire(TENANT, message, soon)

    await desk.with_admin.act(a_restoring(slack.pics, message))

    assert await ends_at(desk, CopyRow, message) == {soon}


@FILES
async def test_after_a_crash_it_is_found_and_its_copy_ends_as_well(slack: SlackEmulator, desk: Desk, files: Files) -> None:
    message = await a_removed_message(slack, desk, files)
    slack.fault("lost", times=1, method="files.completeUploadExternal" if files else "chat.postMessage")
    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_restoring(slack.pics, message))
    [before] = await ends_at(desk, CopyRow, message)

    found = await desk.with_admin.look(a_restoring(slack.pics, message))

    [back] = await slack.messages(slack.pics)
    [after] = await ends_at(desk, CopyRow, message)
    assert found == Performed(status="done", message=back["ts"])
    assert after < before - timedelta(days=1)


async def test_what_came_back_without_its_thread_is_found_in_the_channel(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.bob, "what do you think?")
    message = await a_removed_message(slack, desk, [], root)
    await slack.delete(slack.pics, root)
    performed = await desk.with_admin.act(a_restoring(slack.pics, message, root))

    assert await desk.with_admin.look(a_restoring(slack.pics, message, root)) == performed
    assert await desk.with_admin.act(a_taking_back(slack.pics, str(performed.message), root)) == performed
    assert await slack.messages(slack.pics) == []


async def test_files_that_are_shared_late_are_waited_for(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [("cat.png", PICTURE)])
    slack.fault("shares_delayed", value=0.3)

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    [back] = await slack.messages(slack.pics)
    assert performed.message == back["ts"]


@FILES
@pytest.mark.parametrize("known", [True, False], ids=["by-its-id", "by-its-key-alone"])
async def test_all_that_a_restoring_posted_goes(slack: SlackEmulator, desk: Desk, files: Files, known: bool) -> None:
    root = await slack.post(slack.pics, slack.bob, "what do you think?")
    message = await a_removed_message(slack, desk, files, root)
    performed = await desk.with_admin.act(a_restoring(slack.pics, message, root))
    last = str(performed.message) if known else message
    [back] = [each for each in await slack.messages(slack.pics, root) if each["user"] == slack.bot]

    taken = await desk.with_admin.act(a_taking_back(slack.pics, last, root))

    deleted = [call.arguments["file"] for call in slack.calls if call.method == "files.delete" and call.user == slack.bot]
    assert taken == Performed(status="done", message=last)
    assert [each["text"] for each in await slack.messages(slack.pics, root)] == ["what do you think?"]
    assert deleted == [file["id"] for file in back.get("files", ())]
    assert await desk.given.copies.find(TENANT, message) is not None  # a moderator may change their mind once more
    assert await desk.with_admin.act(a_taking_back(slack.pics, last, root)) == Performed(status="gone")


async def test_what_came_back_twice_goes_twice(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [("cat.png", PICTURE)])
    await desk.with_admin.act(a_restoring(slack.pics, message))
    again = await desk.with_admin.act(a_restoring(slack.pics, message))
    assert len(await slack.messages(slack.pics)) == 2

    await desk.with_admin.act(a_taking_back(slack.pics, str(again.message)))

    assert await slack.messages(slack.pics) == []


async def test_a_taking_back_cut_off_halfway_is_finished(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [("cat.png", PICTURE)])
    performed = await desk.with_admin.act(a_restoring(slack.pics, message))
    slack.fault("error_500", method="chat.delete")
    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_taking_back(slack.pics, str(performed.message)))
    slack.clear_faults()

    assert (await desk.with_admin.act(a_taking_back(slack.pics, str(performed.message)))).status == "done"
    assert await slack.messages(slack.pics) == []


async def test_nothing_of_others_is_taken_back(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])

    assert await desk.with_admin.act(a_taking_back(slack.pics, message)) == Performed(status="gone")
    assert len(await slack.messages(slack.pics)) == 1


async def test_where_history_may_not_be_read_it_says_so(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [("cat.png", PICTURE)])
    slack.workspace.tokens[slack.bot_token].scopes -= {"channels:history"}

    restored = await desk.with_admin.act(a_restoring(slack.pics, message))
    taken = await desk.with_admin.act(a_taking_back(slack.pics, message))

    assert restored == Performed(status="done")
    assert (taken.status, "lacks the scope channels:history" in taken.why) == ("failed", True)


async def test_what_we_said_goes_also_where_history_may_not_be_read(slack: SlackEmulator, desk: Desk) -> None:
    said = await desk.connection.act(a_post(slack.pics))
    slack.workspace.tokens[slack.bot_token].scopes -= {"channels:history"}
    back = TakeBack(key="slack:T1:two#back", place=at(slack.pics), message=str(said.message))

    assert await desk.connection.act(back) == said
    assert await slack.messages(slack.pics) == []


async def test_a_file_that_may_not_be_deleted_keeps_nothing_else(slack: SlackEmulator, desk: Desk) -> None:
    message = await a_removed_message(slack, desk, [("cat.png", PICTURE)])
    await desk.with_admin.act(a_restoring(slack.pics, message))
    again = await desk.with_admin.act(a_restoring(slack.pics, message))
    slack.fault("file_deleting_disabled", method="files.delete")

    performed = await desk.with_admin.act(a_taking_back(slack.pics, str(again.message)))

    assert (performed.status, performed.why) == ("failed", "This workspace lets nobody delete files.")
    assert await slack.messages(slack.pics) == []
