"""The real process, driven over HTTP as a browser drives it; the first is started as an operator starts it."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from bench.running import running
from bench.scenes import photo
from bench.visitor import Visitor
from emulators.gemini import ModelEmulator
from emulators.understudy import answer
from emulators.wire import Blob
from tests.end_to_end.bot import Bot

TEST_STRING = "FLASHBULB-TEST-SCAM_SPAM-S3-C80"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visitor]:
    """Start Flashbulb without any key and come in through the link that it prints."""
    async with running(tmp_path_factory.mktemp("running") / "data") as flashbulb, Visitor(flashbulb.link) as visitor:
        yield visitor


async def test_without_any_key_a_photo_is_judged_and_tagged_in_its_thread(operator: Visitor) -> None:
    message = await operator.post("look", files=[("photo.jpg", photo(1, 1600, 1200))])
    await operator.post("/tag", thread=message)

    tagged = await operator.wait_for("Tags for.*?Described by", f"/parts/threads/{message}")

    assert "understudy: no model" in tagged.group(0)


async def test_a_held_message_says_why_and_restore_brings_it_back(operator: Visitor) -> None:
    message = await operator.post(TEST_STRING)
    await operator.wait_for("Taken out of the channel", f"/parts/messages/{message}")
    card = await operator.wait_for(r'messages/([0-9a-f-]{36})/buttons/restore".*?Restore', "/parts/channels/moderators")
    await operator.press("restore", message=card.group(1), channel="moderators")

    assert await operator.wait_for(TEST_STRING, f"/parts/messages/{message}")
    assert await operator.wait_for("Restored", "/parts/channels/moderators")


async def test_an_invited_member_sees_no_cases(operator: Visitor) -> None:
    await operator.post("/flashbulb invite Ada member")
    link = await operator.wait_for(r"http://[^\s\"<]+/enter#[\w-]+")
    async with Visitor(link.group(0)) as ada:
        message = await ada.post(f"{TEST_STRING} by Ada")
        told = await ada.wait_for("Only you can see this", f"/parts/threads/{message}")
        page = await ada.read("/channels/general")

    assert told
    assert "/channels/moderators" not in page


async def test_what_is_there_is_there_after_a_restart(tmp_path: Path) -> None:
    async with Bot(tmp_path / "data", {}) as flashbulb:
        await flashbulb.start()
        async with Visitor(flashbulb.link) as operator:
            message = await operator.post("remember this")
        await flashbulb.stop()
        await flashbulb.start()
        async with Visitor(flashbulb.link) as operator:
            found = await operator.wait_for("remember this", f"/parts/messages/{message}")

    assert found


async def test_any_server_that_speaks_the_wire_format_is_asked(tmp_path: Path) -> None:
    async with ModelEmulator(answer=answer) as vendor:
        keys = {"GEMINI_API_KEY": "emulated", "GEMINI_BASE_URL": vendor.base_url}
        async with Bot(tmp_path / "data", keys) as flashbulb:
            await flashbulb.start()
            async with Visitor(flashbulb.link) as operator:
                message = await operator.post(files=[("photo.jpg", photo(2, 4032, 3024))])
                await operator.post("/tag", thread=message)
                await operator.wait_for("Tags for", f"/parts/threads/{message}")

    judged, tagged = sorted(vendor.requests, key=lambda each: "subjects" in json.dumps(each.schema))
    assert {judged.model, tagged.model} == {"gemini-3-flash-preview"}
    [sent] = [part for part in tagged.parts if isinstance(part, Blob)]
    assert Image.open(io.BytesIO(sent.data)).size == (1024, 768)
    assert judged.headers["x-goog-api-key"] == "emulated"
    log = (tmp_path / "data.log").read_text()
    assert "photo.jpg" not in log
