"""Content to parts through the real sandbox, with files from memory."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from PIL import Image
from structlog.testing import capture_logs

from pipelines import limits
from pipelines.content import Attachment, Content, ImagePart, Intake, TextPart
from pipelines.errors import Unavailable, UserError
from pipelines.media.intake import MediaReader, _unpacked
from pipelines.media.sandbox import Answer, Sandbox
from tests.media import samples

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = samples.encoded(samples.plain(samples.RED, (200, 100)), "JPEG")


@dataclass
class InMemory:
    """Files by address. An error in place of bytes is raised."""

    files: Mapping[str, bytes | Exception]
    fetching: int = 0
    most_at_once: int = 0
    asked: list[str] = field(default_factory=list)

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        self.asked.append(attachment.url)
        self.fetching += 1
        self.most_at_once = max(self.most_at_once, self.fetching)
        await asyncio.sleep(0)
        self.fetching -= 1
        found = self.files[attachment.url]
        if isinstance(found, Exception):
            raise found
        if len(found) > limit_bytes:
            raise UserError(f"This file is larger than {limit_bytes // 1_048_576} MB.")
        return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=1) as opened:
        yield opened


def a_file(url: str, *, name: str = "canary-name.jpg", size_bytes: int = 1) -> Attachment:
    return Attachment(id=url, url=url, name=name, media_type="image/jpeg", size_bytes=size_bytes)


async def read(sandbox: Sandbox, *files: bytes | Exception, text: str = "", name: str = "canary-name.jpg") -> Intake:
    store = {str(at): file for at, file in enumerate(files)}
    content = Content(text=text, attachments=tuple(a_file(url, name=name) for url in store))
    return await MediaReader(InMemory(store), sandbox).intake(content)


async def test_a_message_becomes_its_text_its_files_names_and_its_pictures_in_order(sandbox) -> None:
    intake = await read(sandbox, PHOTO, PHOTO, text="look")

    assert [part.id for part in intake.parts] == ["text:0", "file:0/name", "file:0", "file:1/name", "file:1"]
    assert [part.role for part in intake.parts if isinstance(part, TextPart)] == ["message", "file_name", "file_name"]
    assert [part.id for part in intake.of(1).parts] == ["file:1/name", "file:1"]
    assert intake.gaps == ()


async def test_a_picture_arrives_as_it_was_prepared(sandbox) -> None:
    intake = await read(sandbox, PHOTO)

    (part,) = (part for part in intake.parts if isinstance(part, ImagePart))
    assert (part.media_type, part.width_px, part.height_px) == ("image/jpeg", 200, 100)
    assert Image.open(io.BytesIO(part.data)).size == (200, 100)


async def test_everything_found_in_one_file_is_named_after_it(sandbox) -> None:
    page = samples.plain(samples.WHITE, (400, 300))
    page.paste(samples.qr_code("https://phish.example/"), (50, 50))
    frames = [page, samples.plain(samples.RED, (400, 300))]

    intake = await read(sandbox, PHOTO, samples.animation(frames, "GIF", comment="a comment with words"))

    assert [part.id for part in intake.of(1).parts] == [
        "file:1/name",
        "file:1/frame:1",
        "file:1/frame:2",
        "file:1/code:0",
        "file:1/metadata",
    ]


@pytest.mark.parametrize(
    ("text", "sizes", "gaps"),
    [
        pytest.param("", [], 0, id="none"),
        pytest.param(" \n ", [], 0, id="blank"),
        pytest.param("x" * limits.TEXT_PART_CHARS, [limits.TEXT_PART_CHARS], 0, id="just-one-part"),
        pytest.param("x" * (limits.TEXT_PART_CHARS + 1), [limits.TEXT_PART_CHARS, 1], 0, id="two-parts"),
        pytest.param("x" * (limits.TEXT_JUDGED_CHARS + 1), [limits.TEXT_PART_CHARS] * 5, 1, id="more-than-is-judged"),
    ],
)
async def test_a_long_text_is_split_and_one_beyond_the_limit_leaves_a_gap(sandbox, text, sizes, gaps) -> None:
    intake = await read(sandbox, text=text)

    assert [part.id for part in intake.parts] == [f"text:{at}" for at in range(len(sizes))]
    assert [len(part.text) for part in intake.parts if isinstance(part, TextPart)] == sizes
    assert [gap.kind for gap in intake.gaps] == ["partial"] * gaps


async def test_files_beyond_those_that_are_judged_leave_one_gap_and_are_not_fetched(sandbox) -> None:
    files = InMemory({str(at): PHOTO for at in range(limits.ATTACHMENTS_JUDGED + 2)})

    intake = await MediaReader(files, sandbox).intake(Content(attachments=tuple(map(a_file, files.files))))

    assert len(files.asked) == limits.ATTACHMENTS_JUDGED
    assert [(gap.place, gap.kind) for gap in intake.gaps] == [(f"file:{limits.ATTACHMENTS_JUDGED}", "partial")]


@pytest.mark.parametrize(
    ("file", "kind", "says"),
    [
        pytest.param(b"", "unreadable", "empty", id="empty"),
        pytest.param(PHOTO[:200], "unreadable", "damaged", id="cut-off"),
        pytest.param(b"\x89PNG\r\n\x1a\nnonsense", "unreadable", "damaged", id="only-the-first-bytes"),
        pytest.param(b"%PDF-1.7", "refused", "JPEG, PNG, GIF and WebP", id="pdf"),
        pytest.param(b"plain words", "refused", "JPEG, PNG, GIF and WebP", id="text-file"),
        pytest.param(samples.webp_bomb(), "refused", "megapixels", id="bomb"),
        pytest.param(UserError("Check the scope."), "unreadable", "Check the scope.", id="its-host-says-what-to-do"),
        pytest.param(Unavailable("Slack"), "unreadable", "Slack does not answer", id="host-does-not-answer"),
        pytest.param(bytes(limits.IMAGE_BYTES + 1), "unreadable", "larger than 25 MB", id="larger-than-announced"),
    ],
)
async def test_a_file_that_cannot_be_read_is_a_gap_beside_what_can(sandbox, file, kind, says) -> None:
    with capture_logs() as logs:
        intake = await read(sandbox, file, PHOTO, text="look")

    (gap,) = intake.gaps
    assert (gap.place, gap.kind) == ("file:0", kind)
    assert says in gap.why
    assert "canary" not in gap.why + str(logs)
    assert [part.id for part in intake.parts] == ["text:0", "file:0/name", "file:1/name", "file:1"]


async def test_a_file_announced_as_too_large_is_not_even_fetched(sandbox) -> None:
    files = InMemory({"0": PHOTO})

    intake = await MediaReader(files, sandbox).intake(Content(attachments=(a_file("0", size_bytes=limits.IMAGE_BYTES + 1),)))

    assert files.asked == []
    assert [gap.kind for gap in intake.gaps] == ["refused"]


async def test_the_files_of_a_message_are_fetched_together(sandbox) -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})

    await MediaReader(files, sandbox).intake(Content(attachments=tuple(map(a_file, files.files))))

    assert files.most_at_once == 5


async def test_only_as_many_files_are_in_memory_as_there_is_room_for() -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})

    async with Sandbox(workers=1, bytes_in_flight=limits.IMAGE_BYTES + 1) as narrow:
        intake = await MediaReader(files, narrow).intake(Content(attachments=tuple(map(a_file, files.files))))

    assert files.most_at_once == 1
    assert len(intake.parts) == 10


async def test_room_for_the_largest_file_is_given_back_once_the_real_size_is_known() -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})

    all_fetched = asyncio.Barrier(5)

    class ReadsNothingBeforeAllAreFetched(Sandbox):
        async def run(self, operation: str, body: bytes, **arguments: int) -> Answer:
            await all_fetched.wait()
            return Answer(status="unreadable", why="not the point here")

    reader = MediaReader(files, ReadsNothingBeforeAllAreFetched(bytes_in_flight=limits.IMAGE_BYTES + 5 * len(PHOTO)))
    async with asyncio.timeout(5):
        intake = await reader.intake(Content(attachments=tuple(map(a_file, files.files))))

    assert len(intake.gaps) == 5


async def test_a_name_longer_than_any_file_system_allows_is_cut_with_a_gap(sandbox) -> None:
    intake = await read(sandbox, PHOTO, name="x" * 5_000)

    assert [(gap.place, gap.kind) for gap in intake.gaps] == [("file:0/name", "partial")]


async def test_a_closed_sandbox_is_a_gap_and_not_an_error() -> None:
    async with Sandbox(workers=1) as closed:
        pass

    intake = await read(closed, PHOTO)

    assert [gap.kind for gap in intake.gaps] == ["unreadable"]


async def test_a_preview_of_a_picture(sandbox) -> None:
    small = await MediaReader(InMemory({}), sandbox).preview(PHOTO, side_px=64)

    assert Image.open(io.BytesIO(small)).size == (64, 32)


async def test_a_preview_of_something_else_says_what_is_read(sandbox) -> None:
    with pytest.raises(UserError, match="JPEG, PNG, GIF and WebP pictures are"):
        await MediaReader(InMemory({}), sandbox).preview(b"%PDF", side_px=64)


JPEG = b"\xff\xd8\xff"
A_PICTURE = {"id": "", "media_type": "image/jpeg", "width_px": 1, "height_px": 1, "note": "", "size_bytes": len(JPEG)}


def answered(parts: object, body: bytes = JPEG) -> Answer:
    return Answer(status="ok", head={"status": "ok", "parts": parts, "gaps": []}, body=body)


async def test_a_well_formed_answer_is_believed() -> None:
    assert [part.id for part in _unpacked("file:0", answered([A_PICTURE])).parts] == ["file:0"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answered([], b""), id="nothing"),
        pytest.param(answered("parts"), id="not-a-list"),
        pytest.param(answered([A_PICTURE | {"id": "/../text:0"}]), id="a-place-of-somebody-else"),
        pytest.param(answered([A_PICTURE | {"media_type": "text/html"}]), id="not-a-picture"),
        pytest.param(answered([A_PICTURE], b"<html"[:3]), id="not-a-jpeg"),
        pytest.param(answered([A_PICTURE | {"width_px": 9000}]), id="larger-than-prepared"),
        pytest.param(answered([A_PICTURE | {"size_bytes": 4}]), id="fewer-bytes-than-announced"),
        pytest.param(answered([A_PICTURE], JPEG * 2), id="more-bytes-than-announced"),
        pytest.param(answered([A_PICTURE, A_PICTURE], JPEG * 2), id="one-place-twice"),
        pytest.param(answered([A_PICTURE, {"id": "/code:0", "text": "x", "role": "message"}]), id="a-message-of-its-own"),
        pytest.param(answered([{"id": "/code:0", "text": "x", "role": "code"}], b""), id="no-picture-at-all"),
    ],
)
async def test_what_a_captured_worker_could_answer_is_not_believed(answer) -> None:
    intake = _unpacked("file:0", answer)

    assert intake.parts == ()
    assert [gap.kind for gap in intake.gaps] == ["unreadable"]
