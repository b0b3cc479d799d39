"""What a sealed copy holds, fetched as any other message is."""

from dataclasses import replace

import pytest

from bot.storage.copied_files import CopiedFiles, taken_out
from bot.storage.copies import CopiedFile, Copies, Copy
from bot.storage.database import Records
from bot.storage.seal import Seal
from handlers.events import Tenant
from pipelines.content import Attachment
from pipelines.errors import UserError
from tests.fakes import ADA, GENERAL

CAT = CopiedFile(name="cat.png", media_type="image/png", data=b"the bytes of a cat")
LOST = CopiedFile(name="film.mp4", media_type="video/mp4")


@pytest.fixture
async def copies(records: Records, seal: Seal) -> Copies:
    copies = Copies(records, seal)
    await copies.keep(GENERAL.tenant, "m1", Copy(place=GENERAL, author=ADA, text="look", files=(LOST, CAT)))
    return copies


async def test_a_copy_is_read_as_the_message_that_it_was(copies: Copies) -> None:
    posted = await taken_out(copies, GENERAL, "m1")

    assert posted is not None
    assert (posted.place, posted.message, posted.author, posted.content.text) == (GENERAL, "m1", ADA, "look")
    assert [(each.name, each.size_bytes) for each in posted.content.attachments] == [("film.mp4", 0), ("cat.png", 18)]
    cat = posted.content.attachments[1]
    assert CopiedFiles(copies).has(cat.url)
    assert await CopiedFiles(copies).fetch(cat, limit_bytes=100) == b"the bytes of a cat"


async def test_a_message_without_a_copy_is_none(copies: Copies) -> None:
    assert await taken_out(copies, GENERAL, "m2") is None
    assert await taken_out(copies, GENERAL.model_copy(update={"workspace": "theirs"}), "m1") is None


@pytest.mark.parametrize(
    ("address", "limit_bytes"),
    [
        pytest.param("{ours}/m1/0", 100, id="its-bytes-were-not-kept"),
        pytest.param("{ours}/m1/1", 17, id="it-is-too-large"),
        pytest.param("{ours}/m1/2", 100, id="there-is-no-such-file"),
        pytest.param("{ours}/m1/-1", 100, id="counted-from-behind"),
        pytest.param("{ours}/m1/\u00b2", 100, id="a-digit-that-is-no-number"),
        pytest.param("{ours}/m2/1", 100, id="there-is-no-such-copy"),
        pytest.param("{ours}/m1/1/1", 100, id="too-long"),
        pytest.param("copy:", 100, id="empty"),
    ],
)
async def test_what_is_not_there_is_refused(copies: Copies, address: str, limit_bytes: int) -> None:
    posted = await taken_out(copies, GENERAL, "m1")
    assert posted is not None
    url = address.format(ours=f"copy:{GENERAL.platform}/{GENERAL.workspace}")

    with pytest.raises(UserError):
        await CopiedFiles(copies).fetch(replace(posted.content.attachments[1], url=url), limit_bytes=limit_bytes)


async def test_the_files_of_another_workspace_stay_theirs(copies: Copies) -> None:
    theirs = Tenant(platform=GENERAL.platform, workspace="theirs")
    file = Attachment(id="1", url=f"copy:{theirs.platform}/{theirs.workspace}/m1/1", name="", media_type="", size_bytes=0)

    with pytest.raises(UserError):
        await CopiedFiles(copies).fetch(file, limit_bytes=100)
