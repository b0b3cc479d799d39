"""Files that were damaged at random: each ends in a typed answer, and nothing dies, hangs or is left behind unseen.

The ordinary run takes `FUZZ_FILES` (5,000 unless set) from `FUZZ_SEED`; `make fuzz` takes many more. A failure names the
number of the file, from which `mutated` makes it again.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator

import psutil

from pipelines.content import Attachment, Content, Intake
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from tests.media import corpus

FILES = int(os.environ.get("FUZZ_FILES", "5000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
IN_A_MESSAGE = 10


class Mutants:
    """Files made on the spot from their number; implements `pipelines.ports.Files`."""

    def __init__(self, originals: dict[str, bytes]) -> None:
        self._originals = list(originals.items())

    def name(self, number: int) -> str:
        return self._originals[number % len(self._originals)][0]

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        number = int(attachment.url)
        return mutated(self._originals[number % len(self._originals)][1], number)


def mutated(data: bytes, seed: int) -> bytes:
    """Return the file with a few wounds: flipped bits, cuts, repeated and foreign pieces, extreme numbers."""
    dice = random.Random(f"{SEED} {seed}")
    body = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(len(body) or 1)
        match dice.randrange(6):
            case 0:
                body[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del body[at:]
            case 2:
                body[at : at + dice.randrange(1, 64)] = b""
            case 3:
                body[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x80"))
            case 4:
                body[at:at] = body[dice.randrange(len(body) or 1) :][: dice.randrange(1, 256)]
            case _:
                body[at:at] = dice.randbytes(dice.randrange(1, 32))
    return bytes(body)


def messages(files: Mutants) -> Iterator[Content]:
    for start in range(0, FILES, IN_A_MESSAGE):
        numbers = range(start, min(start + IN_A_MESSAGE, FILES))
        yield Content(
            attachments=tuple(
                Attachment(id=str(at), url=str(at), name=files.name(at), media_type="", size_bytes=1) for at in numbers
            )
        )


def complaint(intake: Intake, attachments: tuple[Attachment, ...]) -> str:
    """Return what is wrong with an answer, or nothing: each file was read, or it says in a sentence why not."""
    for position, attachment in enumerate(attachments):
        mine = intake.of(position)
        whole = [reading for reading in mine.readings if reading.place == f"file:{position}"]
        if len(whole) != 1:
            return f"{attachment.url}: {len(whole)} readings"
        if whole[0].status != "ok" and not (whole[0].reason.endswith(".") and mine.gaps):
            return f"{attachment.url}: {whole[0].status} without a reason or a gap"
        if whole[0].status == "ok" and not [part for part in mine.parts if not part.id.endswith("/name")] and not mine.gaps:
            return f"{attachment.url}: nothing was read and nobody says so"
    return ""


async def test_damaged_files_end_in_typed_answers() -> None:
    deaths: Counter[str] = Counter()
    others = psutil.Process().children()
    before = len(psutil.Process().open_files()) + psutil.Process().num_fds()
    files = Mutants(corpus.files())
    complaints: list[str] = []

    # Workers stay, since a fresh one costs as much as a hundred files; that they are replaced is proven in `test_sandbox`.
    async with Sandbox(on_death=lambda why: deaths.update([why]), jobs_per_worker=sys.maxsize) as sandbox:
        media, gate = MediaReader(files, sandbox), asyncio.Semaphore(2)

        async def one(content: Content) -> None:
            async with gate:
                complaints.append(complaint(await media.intake(content), content.attachments))

        async with asyncio.TaskGroup() as group:
            for content in messages(files):
                group.create_task(one(content))
        alive = len(sandbox.pids)

    assert [each for each in complaints if each] == []
    assert alive >= 1
    assert deaths.keys() <= {"SIGPROF", "deadline", "SIGABRT", "SIGSEGV", "SIGKILL"}
    assert sum(deaths.values()) <= FILES // 500, deaths
    assert set(psutil.Process().children()) <= set(others)
    assert len(psutil.Process().open_files()) + psutil.Process().num_fds() <= before + 2
