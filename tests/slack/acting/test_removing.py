"""Messages taken out with an admin's token, and put back."""

import pytest

from bot.slack import removal
from bot.slack.removal import NO_COPY
from bot.storage.copied_files import CopiedFiles
from bot.storage.copies import CopiedFile, Copy
from emulators.slack import SlackEmulator
from handlers.answers import Notice
from handlers.effects import Performed, Post, Remove, Restore
from handlers.events import Person
from pipelines.errors import Unavailable
from pipelines.limits import FILE_BYTES
from pipelines.moderation.policy import Action
from tests.media.samples import encoded, plain
from tests.slack.acting.conftest import TENANT, Desk, at

PICTURE = encoded(plain(), "PNG")


def a_removal(channel: str, message: str, *, keep: bool = True) -> Remove:
    return Remove(key="slack:T1:one#remove", place=at(channel), message=message, keep=keep, case="c7")


def a_restoring(channel: str, message: str) -> Restore:
    return Restore(key="slack:T1:two#restore", place=at(channel), message=message)


def called_by(slack: SlackEmulator, user: str) -> set[str]:
    return {call.method for call in slack.calls if call.user == user}


async def test_only_with_an_admins_token_is_anything_taken_out(desk: Desk) -> None:
    assert desk.connection.supports == {Action.ALLOW, Action.TAG, Action.FLAG}
    assert desk.with_admin.supports == desk.connection.supports | {Action.HOLD, Action.REMOVE}


async def test_without_one_nothing_is_deleted_and_nothing_copied(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])

    performed = await desk.connection.act(a_removal(slack.pics, message))

    assert (performed.status, "SLACK_ADMIN_USER_TOKEN is not set" in performed.why) == ("failed", True)
    assert await desk.given.copies.find(TENANT, message) is None
    assert await desk.connection.message(at(slack.pics), message) is not None


async def test_a_message_goes_with_its_files_after_a_copy_is_sealed(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look &amp; see", [("cat.png", PICTURE)])
    [file] = await files_in(slack, slack.pics)

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    copy = await desk.given.copies.find(TENANT, message)
    assert performed == Performed(status="done", message=message)
    assert await slack.messages(slack.pics) == []
    assert copy == Copy(
        place=at(slack.pics),
        author=Person(id=slack.ann, name="ann"),
        text="look & see",
        files=(CopiedFile(name="cat.png", media_type="image/png", id=file, data=PICTURE),),
    )
    order = [call.method for call in slack.calls]
    assert order.index("download") < order.index("files.delete") < order.index("chat.delete")


async def test_the_admins_token_does_nothing_but_delete(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])

    await desk.with_admin.act(a_removal(slack.pics, message))
    await desk.with_admin.act(a_restoring(slack.pics, message))

    assert called_by(slack, slack.olga) == {"files.delete", "chat.delete"}
    assert not {"files.delete", "chat.delete"} & called_by(slack, slack.bot)


async def test_of_what_nobody_may_keep_no_copy_stays(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    await desk.given.copies.keep(TENANT, message, Copy(place=at(slack.pics), author=Person(id="UANN", name="ann"), text="look"))

    performed = await desk.with_admin.act(a_removal(slack.pics, message, keep=False))

    assert performed.status == "done"
    assert await desk.given.copies.find(TENANT, message) is None
    assert not [call for call in slack.calls if call.method == "download"]


async def test_a_message_deleted_before_the_verdict_is_gone(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    await slack.delete(slack.pics, message)

    assert await desk.with_admin.act(a_removal(slack.pics, message)) == Performed(status="gone", message=message)


async def test_a_removal_cut_off_halfway_is_finished(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    slack.fault("error_500", method="chat.delete")
    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_removal(slack.pics, message))
    slack.clear_faults()

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    copy = await desk.given.copies.find(TENANT, message)
    assert performed.status == "done"
    assert copy is not None
    assert copy.files[0].data == PICTURE  # of the first try: by the second the file was gone


@pytest.mark.parametrize("fault", ["lost", "cut"])
async def test_a_deletion_whose_answer_was_lost_counts(slack: SlackEmulator, desk: Desk, fault: str) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    slack.fault(fault, times=1, method="chat.delete")

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed.status == "gone"
    assert await slack.messages(slack.pics) == []


@pytest.mark.parametrize(
    ("fault", "method", "why"),
    [
        pytest.param("cant_delete_message", "chat.delete", "not delete this message", id="not-this-message"),
        pytest.param("compliance_exports_prevent_deletion", "chat.delete", "keeps everything for compliance", id="compliance"),
        pytest.param("token_revoked", "chat.delete", "SLACK_ADMIN_USER_TOKEN does not work any more", id="revoked"),
        pytest.param("missing_scope", "chat.delete", "lacks the scope", id="missing-scope"),
    ],
)
async def test_what_slack_does_not_let_an_admin_delete_is_said(
    slack: SlackEmulator, desk: Desk, fault: str, method: str, why: str
) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    slack.fault(fault, method=method)

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed.status == "failed"
    assert why in performed.why


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param("cant_delete_file", "lets the owner of SLACK_ADMIN_USER_TOKEN not delete this file.", id="not-this-file"),
        pytest.param("file_deleting_disabled", "This workspace lets nobody delete files.", id="no-files"),
    ],
)
async def test_files_that_slack_does_not_let_go_do_not_keep_their_message(
    slack: SlackEmulator, desk: Desk, fault: str, why: str
) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE), ("dog.png", PICTURE)])
    slack.fault(fault, method="files.delete")

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert await slack.messages(slack.pics) == []
    assert performed.status == "done"
    assert performed.why.endswith(why)
    assert performed.why.count(why) == 1


async def test_a_file_that_cannot_be_copied_stays_and_does_not_keep_its_message(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE), ("dog.png", PICTURE)])
    files = await files_in(slack, slack.pics)
    slack.fault("login_page", times=1)

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed.status == "done"
    assert performed.why == "Files that stay in Slack: 1 of which no copy could be made."
    assert await slack.messages(slack.pics) == []
    assert sorted(await stand(slack, files)) == [False, True]

    slack.clear_faults()
    await desk.with_admin.act(a_restoring(slack.pics, message))

    (back,) = await slack.messages(slack.pics)
    assert len(back["files"]) == 1
    [link] = [run for run in runs(back) if run["type"] == "link"]
    assert link["url"].startswith(f"{slack.origin}/files/{slack.ann}/")


async def test_by_a_second_try_it_is_known_what_the_first_one_copied(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE), ("dog.png", PICTURE)])
    files = await files_in(slack, slack.pics)
    slack.fault("login_page", times=1)
    slack.fault("error_500", method="files.delete")
    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_removal(slack.pics, message))
    slack.clear_faults()

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed.why == "Files that stay in Slack: 1 of which no copy could be made."
    assert sorted(await stand(slack, files)) == [False, True]


@pytest.mark.parametrize(
    ("keep", "stays"), [pytest.param(True, True, id="it-may-come-back"), pytest.param(False, False, id="it-never-comes-back")]
)
@pytest.mark.parametrize("fault", ["canvas", "list"])
async def test_what_is_written_in_slack_is_not_deleted_where_it_may_have_to_come_back(
    slack: SlackEmulator, desk: Desk, fault: str, keep: bool, stays: bool
) -> None:
    slack.fault(fault, times=1)
    message = await slack.post(slack.pics, slack.ann, "look", [("notes", b"<html>Agenda</html>")])
    files = await files_in(slack, slack.pics)

    performed = await desk.with_admin.act(a_removal(slack.pics, message, keep=keep))

    assert performed.status == "done"
    assert ("1 written in Slack itself" in performed.why) is stays
    assert await stand(slack, files) == [stays]


async def test_a_canvas_is_linked_to_by_what_comes_back(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("canvas", times=1)
    message = await slack.post(slack.pics, slack.ann, "look", [("notes", b"<html>Agenda</html>")])
    await desk.with_admin.act(a_removal(slack.pics, message))

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    (back,) = await slack.messages(slack.pics)
    assert performed == Performed(status="done", message=back["ts"])
    assert "files" not in back
    assert "Not brought back" not in back["text"]
    [link] = [run for run in runs(back) if run["type"] == "link"]
    assert link["text"] == "notes"


@pytest.mark.parametrize("keep", [True, False])
async def test_a_file_of_somebody_else_stays_where_they_posted_it(slack: SlackEmulator, desk: Desk, keep: bool) -> None:
    theirs = await slack.post(slack.general, slack.ann, "the chart", [("chart.png", PICTURE)])
    [chart] = await files_in(slack, slack.general)
    message = await slack.post(slack.pics, slack.bob, "bad words", [("cat.png", PICTURE), {"id": chart}])
    files = await files_in(slack, slack.pics)

    performed = await desk.with_admin.act(a_removal(slack.pics, message, keep=keep))

    [standing] = await slack.messages(slack.general)
    assert (standing["ts"], standing["files"][0]["mode"]) == (theirs, "hosted")
    assert performed.why == "Files that stay in Slack: 1 not known to be the author's own."
    assert await stand(slack, files) == [False, True]
    assert await slack.messages(slack.pics) == []


async def test_whose_file_it_is_that_slack_connect_hints_at_is_looked_up(slack: SlackEmulator, desk: Desk) -> None:
    slack.fault("connect_stub", times=1)
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    files = await files_in(slack, slack.pics)

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed == Performed(status="done", message=message)
    assert await stand(slack, files) == [False]


async def test_a_file_that_may_be_judged_may_be_copied(slack: SlackEmulator, desk: Desk) -> None:
    large = bytes(FILE_BYTES)
    message = await slack.post(slack.pics, slack.ann, "look", [("film.mp4", large)])

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    copy = await desk.given.copies.find(TENANT, message)
    assert performed == Performed(status="done", message=message)
    assert copy is not None
    assert copy.files[0].data == large


async def test_of_many_large_files_no_more_is_copied_than_fits(
    slack: SlackEmulator, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "COPIED_BYTES", 5 * len(PICTURE))
    message = await slack.post(slack.pics, slack.ann, "look", [(f"cat{n}.png", PICTURE) for n in range(7)])
    files = await files_in(slack, slack.pics)

    performed = await desk.with_admin.act(a_removal(slack.pics, message))

    assert performed.why == "Files that stay in Slack: 2 of which no copy could be made."
    assert await stand(slack, files) == [False] * 5 + [True] * 2


async def test_what_repeats_a_message_goes_with_it(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    tags = Post(key="k#tag", place=at(slack.pics, message), answer=Notice(text="a cat"), about=message)
    other = Post(key="k#help", place=at(slack.pics, message), answer=Notice(text="help"))
    await desk.with_admin.act(tags)
    await desk.with_admin.act(other)

    await desk.with_admin.act(a_removal(slack.pics, message))

    texts = [said["text"] for said in await slack.messages(slack.pics, message)]
    assert texts == ["This message was deleted.", "help"]


async def test_a_removed_message_comes_back_with_its_files_and_their_alt_texts(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look <!channel>", [("cat.png", PICTURE), ("dog.png", PICTURE)])
    await desk.with_admin.act(a_removal(slack.pics, message))

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    (back,) = await slack.messages(slack.pics)
    uploads = [call for call in slack.calls if call.method == "files.getUploadURLExternal"]
    assert performed == Performed(status="done", message=back["ts"])
    assert (back["user"], [file["name"] for file in back["files"]]) == (slack.bot, ["cat.png", "dog.png"])
    assert [call.arguments["alt_txt"] for call in uploads] == ["A file that ann posted without a description."] * 2
    assert [words(block) for block in back["blocks"]] == ["ann wrote this. A moderator put it back.", "look @channel"]
    assert [call.files[0][1] for call in slack.calls if call.method == "upload"] == [PICTURE, PICTURE]


async def test_a_text_comes_back_into_its_thread(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.bob, "what do you think?")
    message = await slack.post(slack.pics, slack.ann, "rubbish", thread=root)
    await desk.with_admin.act(a_removal(slack.pics, message))

    await desk.with_admin.act(a_restoring(slack.pics, message))

    assert [said["text"] for said in await slack.messages(slack.pics, root)] == [
        "what do you think?",
        "ann wrote this. A moderator put it back.\n> rubbish",
    ]


async def test_without_its_thread_it_comes_back_into_the_channel(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.bob, "what do you think?")
    message = await slack.post(slack.pics, slack.ann, "rubbish", [("cat.png", PICTURE)], thread=root)
    await desk.with_admin.act(a_removal(slack.pics, message))
    await slack.delete(slack.pics, root)

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    (back,) = await slack.messages(slack.pics)
    assert performed.status == "done"
    assert "thread_ts" not in back


@pytest.mark.parametrize(
    ("files", "method"),
    [
        pytest.param([("cat.png", PICTURE)], "files.completeUploadExternal", id="with-a-file"),
        pytest.param([], "chat.postMessage", id="a-text"),
    ],
)
async def test_what_came_back_before_the_connection_broke_is_found(
    slack: SlackEmulator, desk: Desk, files: list[tuple[str, bytes]], method: str
) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", files)
    await desk.with_admin.act(a_removal(slack.pics, message))
    slack.fault("lost", times=1, method=method)

    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_restoring(slack.pics, message))
    found = await desk.with_admin.look(a_restoring(slack.pics, message))

    (back,) = await slack.messages(slack.pics)
    assert found == Performed(status="done", message=back["ts"])


async def test_what_cannot_be_brought_back_is_said(slack: SlackEmulator, desk: Desk) -> None:
    lost = CopiedFile(name="lost.png", media_type="image/png", data=None)
    copy = Copy(place=at(slack.pics), author=Person(id=slack.ann, name="ann"), text="look", files=(lost,))
    await desk.given.copies.keep(TENANT, "1.000001", copy)

    performed = await desk.with_admin.act(a_restoring(slack.pics, "1.000001"))

    assert performed.status == "done"
    assert (await slack.messages(slack.pics))[-1]["text"].endswith("> look\nNot brought back: lost.png")


async def test_a_file_that_may_not_be_uploaded_leaves_the_rest(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    await desk.with_admin.act(a_removal(slack.pics, message))
    slack.workspace.tokens[slack.bot_token].scopes -= {"files:write"}

    performed = await desk.with_admin.act(a_restoring(slack.pics, message))

    assert performed.status == "done"
    assert "Not brought back: cat.png" in (await slack.messages(slack.pics))[-1]["text"]


async def test_without_a_copy_nothing_comes_back(slack: SlackEmulator, desk: Desk) -> None:
    assert await desk.with_admin.act(a_restoring(slack.pics, "1.000001")) == Performed(status="failed", why=NO_COPY)


def words(block: dict) -> str:
    return "".join(run["text"] for element in block["elements"] for run in element["elements"])


def runs(message: dict) -> list[dict]:
    """Return the runs of text that a message's blocks are made of."""
    return [run for block in message["blocks"] for element in block["elements"] for run in element.get("elements", ())]


async def files_in(slack: SlackEmulator, channel: str) -> list[str]:
    """Return the ids of the files of a channel's newest message."""
    return [file["id"] for file in (await slack.messages(channel))[-1]["files"]]


async def stand(slack: SlackEmulator, files: list[str]) -> list[bool]:
    """Return of each file whether it was not deleted."""
    return [(await slack.file(file))["mode"] != "tombstone" for file in files]


async def test_what_was_taken_out_is_read_from_its_copy(slack: SlackEmulator, desk: Desk) -> None:
    root = await slack.post(slack.pics, slack.bob, "what do you think?")
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)], thread=root)
    await desk.with_admin.act(a_removal(slack.pics, message))

    posted = await desk.with_admin.taken_out(at(slack.pics), message)

    assert posted is not None
    assert (posted.place, posted.author.id, posted.content.text) == (at(slack.pics, root), slack.ann, "look")
    assert await CopiedFiles(desk.given.copies).fetch(posted.content.attachments[0], limit_bytes=100_000) == PICTURE
    assert await desk.with_admin.taken_out(at(slack.pics), "1.000001") is None


async def test_a_limit_on_deleting_is_waited_for(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look")
    slack.fault("ratelimited", times=1, method="chat.delete", value=30)

    with pytest.raises(Unavailable):
        await desk.with_admin.act(a_removal(slack.pics, message))

    assert await desk.with_admin.message(at(slack.pics), message) is not None


async def test_a_file_that_is_gone_already_does_not_count_as_one_that_stays(slack: SlackEmulator, desk: Desk) -> None:
    message = await slack.post(slack.pics, slack.ann, "look", [("cat.png", PICTURE)])
    slack.fault("file_not_found", method="files.delete")

    assert (await desk.with_admin.act(a_removal(slack.pics, message))).status == "done"
