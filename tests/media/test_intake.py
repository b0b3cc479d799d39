"""Content to parts through the real sandbox, with files from memory."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
import pytest_asyncio
from PIL import Image
from structlog.testing import capture_logs

from pipelines import limits
from pipelines.content import Attachment, Content, ImagePart, Intake, TextPart
from pipelines.errors import Unavailable, UserError
from pipelines.media import worker
from pipelines.media.answers import found
from pipelines.media.intake import MediaReader
from pipelines.media.kinds import KINDS, READERS
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
        pytest.param(bytes(range(256)), "refused", "This kind of file is not read", id="unknown"),
        pytest.param(samples.ole("WordDocument"), "refused", "Save it as DOCX", id="old-word-file"),
        pytest.param(b"Rar!\x1a\x07\1\0", "refused", "Pack the files as ZIP", id="rar"),
        pytest.param(samples.windows_program(), "refused", "Programs", id="program"),
        pytest.param(samples.zip_bomb(), "refused", "more than it weighs", id="zip-bomb"),
        pytest.param(PHOTO + bytes(limits.IMAGE_BYTES), "refused", "larger than 25 MB", id="too-large-for-a-picture"),
        pytest.param(samples.webp_bomb(), "refused", "megapixels", id="bomb"),
        pytest.param(UserError("Check the scope."), "unreadable", "Check the scope.", id="its-host-says-what-to-do"),
        pytest.param(Unavailable("Slack"), "unreadable", "Slack does not answer", id="host-does-not-answer"),
        pytest.param(bytes(limits.FILE_BYTES + 1), "unreadable", "larger than 50 MB", id="larger-than-announced"),
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

    intake = await MediaReader(files, sandbox).intake(Content(attachments=(a_file("0", size_bytes=limits.FILE_BYTES + 1),)))

    assert files.asked == []
    assert [gap.kind for gap in intake.gaps] == ["refused"]


async def test_the_files_of_a_message_are_fetched_together(sandbox) -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})

    await MediaReader(files, sandbox).intake(Content(attachments=tuple(map(a_file, files.files))))

    assert files.most_at_once == 5


async def test_only_as_many_files_are_in_memory_as_there_is_room_for() -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})
    announced = tuple(a_file(url, size_bytes=1_000_000) for url in files.files)

    async with Sandbox(workers=1, bytes_in_flight=1_500_000) as narrow:
        intake = await MediaReader(files, narrow).intake(Content(attachments=announced))

    assert files.most_at_once == 1
    assert len(intake.parts) == 10


async def test_room_for_what_was_announced_is_given_back_once_the_real_size_is_known() -> None:
    files = InMemory({str(at): PHOTO for at in range(5)})
    announced = tuple(a_file(url, size_bytes=1_000_000) for url in files.files)
    all_fetched = asyncio.Barrier(4)

    class ReadsNothingBeforeFourAreFetched(Sandbox):
        async def run(self, operation: str, body: bytes, **_: Any) -> Answer:
            if len(files.asked) <= 4:
                await all_fetched.wait()
            return Answer(status="unreadable", why="not the point here")

    reader = MediaReader(files, ReadsNothingBeforeFourAreFetched(bytes_in_flight=1_000_000 + 5 * len(PHOTO)))
    async with asyncio.timeout(5):
        intake = await reader.intake(Content(attachments=announced))

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


async def test_a_preview_of_something_else_says_so(sandbox) -> None:
    with pytest.raises(UserError):
        await MediaReader(InMemory({}), sandbox).preview(b"%PDF", side_px=64)


async def test_a_reading_says_what_the_file_really_is(sandbox) -> None:
    intake = await read(sandbox, PHOTO, b"words", samples.windows_program(), name="canary-photo.jpg.exe")

    photo, words, program = intake.readings
    assert (photo.place, photo.media_type, photo.status) == ("file:0", "image/jpeg", "ok")
    assert photo.hashes
    assert photo.hashes.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert (words.media_type, words.status) == ("text/plain", "ok")
    assert (program.status, bool(program.hashes), program.reason) == ("refused", True, intake.gaps[0].why)
    assert {(fact.place, fact.kind, fact.severity) for fact in intake.facts} >= {
        ("file:0", "double_extension", 2),
        ("file:2", "executable", 3),
    }
    assert "canary" not in str(intake.facts + intake.gaps + intake.readings)


async def test_macros_are_told_although_they_never_run(sandbox) -> None:
    document = samples.zipped({"[Content_Types].xml": b"", "word/document.xml": b"<a/>", "word/vbaProject.bin": b"x"})

    intake = await read(sandbox, document)

    assert ("active_content", 2) in {(fact.kind, fact.severity) for fact in intake.facts}


async def test_every_kind_of_the_table_has_its_reader_here() -> None:
    assert set(worker.load_readers()) == set(READERS)


async def test_a_library_that_is_not_installed_is_said_and_never_safe() -> None:
    head, body = worker.read({}, PHOTO, {"fine": False, "name": "", "media_type": ""})

    assert (head["status"], head["why"], body) == ("unreadable", "JPEG files are not read by this installation.", b"")


# Files inside files.


async def test_what_lies_in_an_archive_is_read_like_what_is_posted(sandbox) -> None:
    archive = samples.zipped({"canary/cat.jpg": PHOTO, "note.txt": b"words", "inner.zip": samples.zipped({"b.txt": b"deep"})})

    intake = await read(sandbox, PHOTO, archive)

    assert [part.id for part in intake.of(1).parts] == [
        "file:1/name",
        "file:1/member:0/name",
        "file:1/member:0",
        "file:1/member:1/name",
        *(part.id for part in intake.parts if part.id.startswith("file:1/member:1") and not part.id.endswith("name")),
        "file:1/member:2/name",
        "file:1/member:2/member:0/name",
        *(part.id for part in intake.parts if part.id.startswith("file:1/member:2/member:0") and not part.id.endswith("name")),
    ]
    texts = {part.text for part in intake.parts if isinstance(part, TextPart)}
    assert texts >= {"canary/cat.jpg", "words", "deep"}
    assert [reading.place for reading in intake.of(1).readings] == [
        "file:1",
        "file:1/member:0",
        "file:1/member:1",
        "file:1/member:2",
        "file:1/member:2/member:0",
    ]
    assert intake.gaps == ()


async def test_what_is_appended_to_a_picture_is_judged_even_if_the_picture_cannot_be(sandbox) -> None:
    for picture in (PHOTO, samples.webp_bomb()):
        intake = await read(sandbox, picture + samples.zipped({"a.txt": b"words"}))

        assert "words" in {part.text for part in intake.parts if isinstance(part, TextPart)}
        assert ("polyglot", 3) in {(fact.kind, fact.severity) for fact in intake.facts}


async def test_the_same_file_twice_in_an_archive_is_read_once_and_named_twice(sandbox) -> None:
    intake = await read(sandbox, samples.zipped({"a.jpg": PHOTO, "b.jpg": PHOTO}))

    assert [part.id for part in intake.parts][1:] == ["file:0/member:0/name", "file:0/member:0", "file:0/member:1/name"]
    first, second = intake.readings[1:]
    assert (second.media_type, second.status, second.hashes) == (first.media_type, first.status, first.hashes)
    assert second.coverage == "the same as another file"


async def test_of_files_in_files_only_so_many_levels_are_opened(sandbox) -> None:
    nested = b"words"
    for level in range(limits.FILES_DEPTH + 2):
        nested = samples.zipped({f"{level}.zip": nested})

    intake = await read(sandbox, nested)

    assert [(gap.place, gap.kind) for gap in intake.gaps] == [("file:0/member:0/member:0", "partial")]


class Scripted(Sandbox):
    """Answers every job with what `script` returns for its bytes; starts no worker."""

    def __init__(self, script: dict[bytes, Answer]) -> None:
        super().__init__(workers=2)
        self.script = script
        self.read: list[bytes] = []

    async def run(self, operation: str, body: bytes, **_: Any) -> Answer:
        self.read.append(body)
        await asyncio.sleep(0)
        return self.script.get(body, holding())


def holding(*members: bytes, parts: int = 0) -> Answer:
    """Return the answer about a file that holds such files, and so many small pictures."""
    head = {
        "status": "ok",
        "parts": [A_PICTURE | {"id": f"/frame:{at}"} for at in range(parts)],
        "gaps": [],
        "facts": [],
        "members": [
            {"name": "", "size_bytes": len(member), "sha256": hashlib.sha256(member).hexdigest()} for member in members
        ],
        "coverage": "",
        "hashes": {"sha256": hashlib.sha256(b"ZIP").hexdigest()},
        "text_share": None,
        "elapsed_ms": 1,
    }
    return Answer(status="ok", head=head, body=JPEG * parts + b"".join(members))


async def test_an_archive_that_holds_itself_is_read_once() -> None:
    sandbox = Scripted({b"ZIP": holding(b"ZIP")})

    await read(sandbox, b"ZIP")

    assert sandbox.read == [b"ZIP"]


async def test_files_beyond_those_that_are_judged_of_a_message_leave_a_gap() -> None:
    files = [b"%d" % at for at in range(limits.FILES_JUDGED)]
    sandbox = Scripted({b"ZIP": holding(*files), **{file: holding(parts=1) for file in files}})

    intake = await read(sandbox, b"ZIP")

    assert len(sandbox.read) == limits.FILES_JUDGED
    assert [(gap.place, gap.kind) for gap in intake.gaps] == [("file:0", "partial")]


async def test_pictures_beyond_those_that_are_judged_of_a_message_leave_a_gap() -> None:
    files = [b"%d" % at for at in range(3)]
    sandbox = Scripted({b"ZIP": holding(*files), **{file: holding(parts=60) for file in files}})

    intake = await read(sandbox, b"ZIP")

    assert sum(isinstance(part, ImagePart) for part in intake.parts) == limits.PICTURES_JUDGED
    assert [(gap.place, gap.kind) for gap in intake.gaps] == [("file:0/member:2", "partial")]


async def test_files_that_would_take_too_long_together_are_not_begun(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS_S", -1.0)
    sandbox = Scripted({b"ZIP": holding(b"a", b"b")})

    intake = await read(sandbox, b"ZIP")

    assert sandbox.read == [b"ZIP"]
    assert [(gap.place, gap.kind) for gap in intake.gaps] == [("file:0/member:0", "partial"), ("file:0/member:1", "partial")]


async def test_no_more_is_unpacked_of_a_message_than_fits() -> None:
    half = bytes(limits.UNPACKED_BYTES // 2 + 1)
    sandbox = Scripted({b"ZIP": holding(half, half + b"x")})

    intake = await read(sandbox, b"ZIP")

    assert len(sandbox.read) == 2
    assert ("file:0", "partial") in {(gap.place, gap.kind) for gap in intake.gaps}


async def test_a_file_of_which_nothing_came_out_is_a_gap() -> None:
    intake = await read(Scripted({}), b"nothing")

    assert [gap.kind for gap in intake.gaps] == ["unreadable"]


async def test_room_is_free_again_after_everything() -> None:
    sandbox = Scripted({b"PK\3\4": holding(b"a", b"b"), b"a": holding(parts=1), b"b": holding(parts=1)})

    await read(sandbox, *[b"PK\3\4"] * 4)

    async with asyncio.timeout(1), sandbox.room.hold(10**9), sandbox.unpacking.hold(10**9):
        pass


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(samples.zip_bomb(), id="zip"),
        pytest.param(samples.lying_zip_bomb(), id="zip-that-lies"),
        pytest.param(samples.overlapping_zip_bomb(), id="overlapping-files"),
        pytest.param(samples.crowded_zip(), id="many-files"),
        pytest.param(samples.gzip_bomb(), id="gz"),
        pytest.param(samples.sparse_tar(), id="holes"),
        pytest.param(samples.webp_bomb(), id="webp"),
        pytest.param(samples.png_bomb(20_000), id="png"),
    ],
)
async def test_bombs_cost_next_to_nothing_and_leave_the_worker_alive(sandbox, bomb) -> None:
    await read(sandbox, PHOTO)
    (pid,) = sandbox.pids
    ours = psutil.Process(pid)
    before_s, before_bytes = sum(ours.cpu_times()[:2]), ours.memory_info().rss

    intake = await read(sandbox, bomb)

    assert {gap.kind for gap in intake.gaps} <= {"refused", "unreadable"}
    assert intake.gaps
    assert sum(ours.cpu_times()[:2]) - before_s <= 0.2  # 50 ms is what `make bench media` holds it to, without other load
    assert ours.memory_info().rss - before_bytes < 60_000_000
    assert sandbox.pids == (pid,)


# What a worker could answer that strange bytes have taken over.

JPEG = b"\xff\xd8\xff"
WAVE = b"RIFF"
A_PICTURE = {"id": "", "media_type": "image/jpeg", "width_px": 1, "height_px": 1, "note": "", "size_bytes": len(JPEG)}
A_SOUND = {"id": "/sound", "media_type": "audio/wav", "duration_s": 1.5, "note": "", "size_bytes": len(WAVE)}
A_TEXT = {"id": "/page:1/text", "text": "words", "role": "document", "note": "page 1 of 2"}
A_MEMBER = {"name": "a", "size_bytes": 1, "sha256": "0" * 64}
A_FACT = {"place": "", "about": "privacy", "kind": "location", "severity": 1, "says": "It says where it was taken."}
A_GAP = {"place": "", "kind": "partial", "why": "There is more."}


def answered(parts: object, body: bytes = JPEG, **others: object) -> Answer:
    return Answer(status="ok", head={**holding().head, "parts": parts, **others}, body=body)


async def test_a_well_formed_answer_is_believed() -> None:
    answer = answered([A_PICTURE, A_SOUND, A_TEXT], JPEG + WAVE + b"m", members=[A_MEMBER], facts=[A_FACT], gaps=[A_GAP])

    believed = found("file:0", KINDS["JPEG"], answer)

    assert [part.id for part in believed.intake.parts] == ["file:0", "file:0/sound", "file:0/page:1/text"]
    assert [(member.name, member.data) for member in believed.members] == [("a", b"m")]
    assert (len(believed.intake.facts), len(believed.intake.gaps), len(believed.intake.readings)) == (1, 1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answered([], b""), id="nothing"),
        pytest.param(answered("parts"), id="not-a-list"),
        pytest.param(answered([A_PICTURE | {"id": "/../text:0"}]), id="a-place-of-somebody-else"),
        pytest.param(answered([A_PICTURE | {"id": "/name"}]), id="the-place-of-the-name"),
        pytest.param(answered([A_PICTURE | {"id": "/member:0"}]), id="the-place-of-a-member"),
        pytest.param(answered([A_PICTURE | {"media_type": "text/html"}]), id="not-a-picture"),
        pytest.param(answered([A_PICTURE], b"<html"[:3]), id="not-a-jpeg"),
        pytest.param(answered([A_PICTURE | {"width_px": 9000}]), id="larger-than-prepared"),
        pytest.param(answered([A_PICTURE | {"size_bytes": 4}]), id="fewer-bytes-than-announced"),
        pytest.param(answered([A_PICTURE], JPEG * 2), id="more-bytes-than-announced"),
        pytest.param(answered([A_PICTURE, A_PICTURE], JPEG * 2), id="one-place-twice"),
        pytest.param(answered([A_PICTURE, A_TEXT | {"role": "message"}]), id="a-message-of-its-own"),
        pytest.param(answered([A_PICTURE, A_TEXT | {"note": "x" * 201}]), id="a-note-too-long"),
        pytest.param(answered([A_PICTURE, A_TEXT | {"text": "x" * 12_001}]), id="a-text-too-long"),
        pytest.param(answered([A_TEXT], b""), id="no-picture-at-all"),
        pytest.param(answered([A_PICTURE, A_SOUND], JPEG + b"MZ.."), id="not-a-sound"),
        pytest.param(answered([A_PICTURE, A_SOUND | {"duration_s": 9_999.0}], JPEG + WAVE), id="a-sound-without-end"),
        pytest.param(answered([A_PICTURE], JPEG, members=[A_MEMBER]), id="a-member-without-bytes"),
        pytest.param(answered([A_PICTURE], JPEG, facts=[A_FACT | {"severity": 9}]), id="a-severity-beyond-all"),
        pytest.param(answered([A_PICTURE], JPEG, facts=[A_FACT | {"kind": "Any Words"}]), id="words-as-a-kind"),
        pytest.param(answered([A_PICTURE], JPEG, gaps=[A_GAP | {"kind": "none"}]), id="a-gap-of-no-kind"),
        pytest.param(answered([A_PICTURE], JPEG, hashes={"sha256": "x"}), id="not-a-hash"),
        pytest.param(answered([A_PICTURE], JPEG, text_share=2.0), id="more-text-than-picture"),
        pytest.param(answered([A_PICTURE], JPEG, extra=1), id="a-field-too-many"),
    ],
)
async def test_what_a_captured_worker_could_answer_is_not_believed(answer) -> None:
    believed = found("file:0", KINDS["JPEG"], answer)

    assert (believed.intake.parts, believed.members) == ((), ())
    assert [gap.kind for gap in believed.intake.gaps] == ["unreadable"]
    assert [reading.status for reading in believed.intake.readings] == ["unreadable"]
