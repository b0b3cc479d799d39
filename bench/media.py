"""Strangers' files to parts: what it costs beside the usual ways, what it finds, and what bombs do to it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import animated, article
from bench.desk import FAITHFUL_DB, PHOTO, SENT_BAR_KB
from bench.figures import Figure
from bench.psnr import psnr
from bench.scenes import photo
from pipelines.content import Attachment, Content, ImagePart, Intake
from pipelines.media.intake import MediaReader
from pipelines.media.pictures import images
from pipelines.media.read import Asked
from pipelines.media.sandbox import Sandbox
from tests.media import documents, samples

MEGABYTE: Final = 1024 * 1024
ROUNDS: Final = 5
IN_A_ROUND: Final = 10
CROWD: Final = 50
TRIALS: Final = 100
PAGES: Final = 50
NAIVE: Final = """
import io, sys, time
from PIL import Image
data = sys.stdin.buffer.read()
began = time.process_time()
for _ in range(int(sys.argv[1])):
    Image.open(io.BytesIO(data)).convert("RGB").resize((1024, 768))
print((time.process_time() - began) / int(sys.argv[1]))
"""
PDF_TEXT: Final = """
import io, sys, time
data = io.BytesIO(sys.stdin.buffer.read())
if sys.argv[1] == "pypdf":
    from pypdf import PdfReader
    began = time.process_time()
    for page in PdfReader(data).pages:
        page.extract_text()
else:
    from pdfminer.high_level import extract_pages
    began = time.process_time()
    for page in extract_pages(data):
        list(page)
print(time.process_time() - began)
"""


@dataclass(frozen=True, slots=True)
class Given:
    """Files by address."""

    files: Mapping[str, bytes]

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return self.files[attachment.url]


@dataclass(frozen=True, slots=True)
class Reader:
    """The intake over a sandbox, and the processes that it reads in."""

    media: MediaReader
    files: dict[str, bytes]
    sandbox: Sandbox

    async def read(self, data: bytes, name: str = "a.jpg", media_type: str = "image/jpeg", *, fine: bool = False) -> Intake:
        url = str(len(self.files))
        self.files[url] = data
        sent = Attachment(id=url, url=url, name=name, media_type=media_type, size_bytes=len(data))
        try:
            return await self.media.intake(Content(attachments=(sent,)), fine=fine)
        finally:
            del self.files[url]

    def cpu_s(self) -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self.sandbox.pids)

    def peak_bytes(self) -> int:
        """Return the most that any worker has held so far."""
        return max(_status(pid, "VmHWM") for pid in self.sandbox.pids)

    def held_bytes(self) -> int:
        return max(_status(pid, "VmRSS") for pid in self.sandbox.pids)


@asynccontextmanager
async def reader(workers: int | None = None) -> AsyncIterator[Reader]:
    files: dict[str, bytes] = {}
    async with Sandbox(workers=workers) as sandbox:
        yield Reader(MediaReader(Given(files), sandbox), files, sandbox)


async def media() -> list[Figure]:
    """All of it, one after the other, so that nothing is measured beside anything else."""
    return [*await still(), *await crowd(), *await desk(), *frames(), *await pages(), *await bombs()]


async def still() -> list[Figure]:
    """A photo of 12 MP in a worker, with its codes and hashes, beside nothing but decoding and scaling it whole."""
    data = photo(1, 4032, 3024)
    ours, naive = [], []
    async with reader(1) as read:
        await read.read(data)
        for _ in range(ROUNDS):
            before = read.cpu_s()
            for _ in range(IN_A_ROUND):
                await read.read(data)
            ours.append((read.cpu_s() - before) / IN_A_ROUND)
            naive.append(await _printed(sys.executable, NAIVE, str(IN_A_ROUND), given=data))
        peak = read.peak_bytes()
    return [
        Figure(name="12 MP photo, CPU in the worker", unit="ms", values=tuple(each * 1000 for each in ours)),
        Figure(name="12 MP photo, CPU of open().convert().resize()", unit="ms", values=tuple(each * 1000 for each in naive)),
        Figure(name="12 MP photo, ours by theirs", unit="x", values=_by(ours, naive), bar=0.5),
        Figure(name="12 MP photo, peak of the worker", unit="MiB", values=(peak / MEGABYTE,), bar=120),
    ]


async def crowd() -> list[Figure]:
    """50 photos of 12 MP at once, beside two plain threads that do the same; and how long any callback held the loop."""
    pictures = [photo(seed, 4032, 3024) for seed in range(8)]
    given = [pictures[at % len(pictures)] for at in range(CROWD)]
    ours, threads, stalls = [], [], []
    async with reader() as read:
        await asyncio.gather(*map(read.read, pictures))
        for _ in range(ROUNDS):
            with _longest_callback() as longest:
                ours.append(CROWD / await _timed(lambda: asyncio.gather(*map(read.read, given))))
            stalls.append(longest() * 1000)
            with ThreadPoolExecutor(2) as pool:
                began = time.monotonic()
                list(pool.map(lambda data: images.read(data, Asked()), given))
                threads.append(CROWD / (time.monotonic() - began))
    return [
        Figure(name=f"{CROWD} photos of 12 MP at once, sandbox", unit="/s", values=tuple(ours)),
        Figure(name=f"{CROWD} photos of 12 MP at once, two threads", unit="/s", values=tuple(threads)),
        Figure(name=f"{CROWD} photos at once, ours by theirs", unit="x", values=_by(ours, threads), at_least=0.85),
        Figure(name=f"{CROWD} photos at once, longest callback of the loop (CPU)", unit="ms", values=tuple(stalls), bar=50),
    ]


async def desk() -> list[Figure]:
    """The desk photo, and seeded scenes beside it without a bar."""
    figures: list[Figure] = []
    given = [("desk photo", PHOTO.read_bytes(), True)] if PHOTO.exists() else []
    given += [(f"scene {seed}", photo(seed, 4032, 3024), False) for seed in range(3)]
    async with reader(1) as read:
        for name, data, barred in given:
            sent = next(part.data for part in (await read.read(data)).parts if isinstance(part, ImagePart))
            bar, at_least = (SENT_BAR_KB, FAITHFUL_DB) if barred else (None, None)
            figures += [
                Figure(name=f"{name}, 12 MP, sent", unit="kB", values=(len(sent) / 1000,), bar=bar),
                Figure(name=f"{name}, 12 MP, PSNR", unit="dB", values=(psnr(sent, data),), at_least=at_least),
            ]
    return figures


def frames() -> list[Figure]:
    """One bad frame in 300: how many of 100 seeded trials show it to the judge, and how many would with 16 at equal steps."""
    figures = []
    with ProcessPoolExecutor() as pool:
        for kind in animated.KINDS:
            tried = list(pool.map(animated.trial, [kind] * TRIALS, range(TRIALS)))
            found, uniform = sum(each.found for each in tried), sum(each.found_uniformly for each in tried)
            figures += [
                Figure(name=f"one bad frame in 300, {kind}: by novelty", unit="of 100", values=(found,), at_least=TRIALS),
                Figure(name=f"one bad frame in 300, {kind}: every 20th", unit="of 100", values=(uniform,)),
            ]
    return figures


async def pages() -> list[Figure]:
    """A text PDF of 50 pages: its text and 20 pictures of pages, beside what the text alone costs elsewhere."""
    data = documents.text_pdf(PAGES)
    ours = []
    async with reader(1) as read:
        await read.read(data, "a.pdf", "application/pdf")
        for _ in range(ROUNDS):
            before = read.cpu_s()
            await read.read(data, "a.pdf", "application/pdf")
            ours.append(read.cpu_s() - before)
    figures = [Figure(name="PDF of 50 pages, CPU in the worker", unit="ms", values=tuple(each * 1000 for each in ours))]
    python = str(await article.environment())
    for name in ("pypdf", "pdfminer.six"):
        values = tuple([await _printed(python, PDF_TEXT, name, given=data) * 1000 for _ in range(3)])
        figures.append(Figure(name=f"PDF of 50 pages, text alone, {name}, CPU", unit="ms", values=values))
    return figures


async def bombs() -> list[Figure]:
    """Files that say they are huge: how long each takes to be refused, and by how much the worker grows."""
    slowest, grown, loose = 0.0, 0, 0
    async with reader(1) as read:
        await read.read(samples.encoded(samples.plain(), "JPEG"))
        for name, data in ((name, make()) for name, make in samples.BOMBS.items()):
            before, pids = read.held_bytes(), read.sandbox.pids
            began = time.monotonic()
            intake = await read.read(data, name, "")
            slowest = max(slowest, time.monotonic() - began)
            grown = max(grown, read.peak_bytes() - before)
            loose += not intake.gaps or read.sandbox.pids != pids
    return [
        Figure(name="bombs, slowest refusal", unit="ms", values=(slowest * 1000,), bar=50),
        Figure(name="bombs, growth of the worker", unit="MiB", values=(grown / MEGABYTE,), bar=60),
        Figure(name="bombs, let through or deadly", unit="", values=(loose,), bar=0),
    ]


@contextmanager
def _longest_callback() -> Iterator[Callable[[], float]]:
    """Measure the CPU time of this thread that each callback of the loop takes."""
    run, longest = asyncio.Handle._run, 0.0

    def measured(self: asyncio.Handle) -> None:
        nonlocal longest
        began = time.thread_time()
        run(self)
        longest = max(longest, time.thread_time() - began)

    asyncio.Handle._run = measured  # type: ignore[method-assign]
    try:
        yield lambda: longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]


async def _timed(act: Callable[[], "asyncio.Future[list[Intake]]"]) -> float:
    began = time.monotonic()
    await act()
    return time.monotonic() - began


def _by(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))


def _status(pid: int, field: str) -> int:
    """Return one of a process's figures of memory, in bytes. Source: proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


async def _printed(python: str, script: str, argument: str, *, given: bytes) -> float:
    """Run a script over `given` and return the number that it prints."""
    command = (python, "-c", script, argument)
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    printed, _ = await process.communicate(given)
    return float(printed)
