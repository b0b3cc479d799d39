"""Worker processes that open untrusted bytes, watched from outside.

Every job has a deadline. A worker that dies, hangs or is interrupted costs its own job and nothing else: it is replaced, and an
answer that nobody waited for is never given to somebody else.
"""

import asyncio
import ctypes
import itertools
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self, cast, get_args

import structlog

from pipelines import limits
from pipelines.errors import Unavailable
from pipelines.media import wire

Status = Literal["ok", "refused-format", "refused-limits", "unreadable"]

WORKER: Final = (sys.executable, "-I", "-m", "pipelines.media.worker")

_SERVICE: Final = "The file reader"
_CHUNK_BYTES: Final = 1024 * 1024
_MOST_WORKERS: Final = 4  # each takes some 50 MB; beyond, the network is slower than they are
_CLASS_NAME: Final = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a job. `why` is a sentence for people; `head` and `body` are the operation's, as yet unchecked."""

    status: Status
    why: str = ""
    head: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one job may take: seconds of computing, which the worker watches itself, and seconds in all."""

    cpu_s: float
    wall_s: float


ORDINARY: Final = Allowance(cpu_s=limits.WORKER_CPU_S, wall_s=limits.WORKER_WALL_S)
LONG: Final = Allowance(cpu_s=limits.VIDEO_CPU_S, wall_s=limits.VIDEO_WALL_S)

TOO_SLOW: Final = Answer(status="refused-limits", why="The file takes too long to read.")
FATAL: Final = Answer(status="unreadable", why="The file is damaged and cannot be read.")


class Room:
    """How many bytes of files may be in memory at once; whoever finds no room waits, first come, first served."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._held_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator["Held"]:
        """Hold room for as long as the context is open. More than there is counts as all of it."""
        held = Held(self, min(size_bytes, self._total_bytes))
        await self._enter(held.size_bytes)
        try:
            yield held
        finally:
            held.settle(0)

    async def _enter(self, size_bytes: int) -> None:
        if not self._waiting and self._held_bytes + size_bytes <= self._total_bytes:
            self._held_bytes += size_bytes
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size_bytes, turn))
                self.leave(0)
            else:  # admitted and cancelled in the same moment
                self.leave(size_bytes)
            raise

    def leave(self, size_bytes: int) -> None:
        """Give room back and admit whoever fits now."""
        self._held_bytes -= size_bytes
        while self._waiting and self._held_bytes + self._waiting[0][0] <= self._total_bytes:
            next_bytes, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._held_bytes += next_bytes
                turn.set_result(None)


class Held:
    """Room that somebody holds."""

    def __init__(self, room: Room, size_bytes: int) -> None:
        self._room = room
        self.size_bytes = size_bytes

    def settle(self, size_bytes: int) -> None:
        """Hold as much as it really is. Where that is more than was announced, whoever comes next waits the longer."""
        freed_bytes = self.size_bytes - size_bytes
        self.size_bytes = size_bytes
        self._room.leave(freed_bytes)


class Sandbox:
    """A few worker processes, each doing one job at a time.

    Enter it before use; entering starts one worker, as the others are once there is work for them, and hides this process's
    memory and environment from them. `command` is what starts a worker. Both rooms are for callers: `room` covers the bytes of
    a file from before they are fetched until they are read, `unpacking` what comes out of it, as many bytes as all workers can
    unpack at once. Whoever needs both enters `room` first. `on_death` hears why a worker ended in the middle of a job: the name
    of a signal, `deadline` or `garbled`.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        command: Sequence[str] = WORKER,
        allowance: Allowance = ORDINARY,
        start_s: float = limits.WORKER_WALL_S,
        jobs_per_worker: int = limits.WORKER_JOBS,
        bytes_in_flight: int = limits.BYTES_IN_FLIGHT,
        on_death: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._workers = workers or max(1, min(_MOST_WORKERS, _cores()))
        self.room = Room(bytes_in_flight)
        self.unpacking = Room(self._workers * limits.UNPACKED_BYTES)
        self._command = tuple(command)
        self._allowance = allowance
        self._start_s = start_s
        self._jobs_per_worker = jobs_per_worker
        self._slots = asyncio.Semaphore(self._workers)
        self._long_slots = asyncio.Semaphore(max(1, self._workers - 1))  # one worker is left for what is quick
        self._alive: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._burials: set[asyncio.Task[int]] = set()
        self._jobs = itertools.count(wire.READY + 1)
        self._open = False
        self._on_death = on_death

    async def __aenter__(self) -> Self:
        keep_memory_private()
        self._open = True
        try:
            self._idle = [await self._start()]
        except (Unavailable, asyncio.CancelledError):
            await self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        await self._close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers that live now."""
        return tuple(sorted(worker.process.pid for worker in self._alive if worker.living))

    async def run(self, operation: str, body: bytes, *, allowance: Allowance | None = None, **arguments: object) -> Answer:
        """Do one job, within the sandbox's own allowance unless another is given.

        Raises: `Unavailable` when no worker can be started, or the sandbox is closed meanwhile.
        """
        allowed = allowance or self._allowance
        head = {"operation": operation, "arguments": arguments, "cpu_s": allowed.cpu_s}
        is_long = allowed.wall_s > self._allowance.wall_s
        async with self._long_slots if is_long else nullcontext(), self._slots:
            # SIGKILL comes from outside (the kernel short of memory, an operator), so that job is tried once more. Every other
            # end is the job's own doing.
            for last_try in (False, True):
                ended = await self._once(head, body, allowed)
                if isinstance(ended, Answer):
                    return ended
                if not self._open:
                    break
                log.warning("sandbox.worker_died", signal=_signal(ended))
                self._on_death(_signal(ended))
                if ended == -signal.SIGPROF:
                    return TOO_SLOW
                if last_try or ended != -signal.SIGKILL:
                    return FATAL
        raise Unavailable(_SERVICE, "is closing")

    async def _once(self, head: Mapping[str, object], body: bytes, allowed: Allowance) -> Answer | int:
        """Give a job to a worker; return its answer, or the code that the worker ended with."""
        worker = await self._take()
        answered = False
        request = wire.Frame(job=next(self._jobs), head=head, body=body)
        try:
            async with asyncio.timeout(allowed.wall_s):
                answer = _checked(await worker.ask(request))
            answered = True
            return answer
        except TimeoutError:
            log.warning("sandbox.deadline")
            self._on_death("deadline")
            return TOO_SLOW
        except wire.Garbled:
            log.warning("sandbox.garbled")
            self._on_death("garbled")
            return FATAL
        except (asyncio.IncompleteReadError, ConnectionError):
            return await asyncio.shield(self._end(worker, kill=False))
        finally:
            if answered and self._open and worker.jobs < self._jobs_per_worker:
                self._idle.append(worker)
            else:  # also on cancellation: the answer is still in the pipe and must not reach the next job
                self._end(worker)

    async def _take(self) -> "_Worker":
        while self._idle:
            worker = self._idle.pop()
            if worker.living:
                return worker
            self._end(worker)
        return await self._start()

    async def _start(self) -> "_Worker":
        if not self._open:
            raise Unavailable(_SERVICE, "is closing")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1"},  # numpy's threads would each reserve address space
                cwd="/",
                start_new_session=True,  # Ctrl+C is for us: the workers end when we have drained
                limit=_CHUNK_BYTES,
            )
        except OSError as error:
            raise Unavailable(_SERVICE, "does not start") from error
        worker = _Worker(process)
        self._alive.add(worker)
        ready = False
        try:
            async with asyncio.timeout(self._start_s):
                ready = (await wire.receive(worker.answers)).job == wire.READY and self._open
        except (TimeoutError, asyncio.IncompleteReadError, wire.Garbled) as error:
            raise Unavailable(_SERVICE, "does not start") from error
        finally:
            if not ready:
                self._end(worker)
        if not ready:
            raise Unavailable(_SERVICE, "is closing")
        return worker

    def _end(self, worker: "_Worker", *, kill: bool = True) -> "asyncio.Task[int]":
        """End a worker and reap it in the background, since whoever ends it may be cancelled. Repeating it does no harm."""
        if worker.burial is None:
            self._alive.discard(worker)
            worker.burial = asyncio.create_task(worker.bury(kill=kill))
            self._burials.add(worker.burial)
            worker.burial.add_done_callback(self._burials.discard)
        return worker.burial

    async def _close(self) -> None:
        self._open = False
        for worker in self._alive:
            worker.kill()
        for _ in range(self._workers):  # until the jobs that ran or waited have noticed
            await self._slots.acquire()
        for worker in tuple(self._alive):
            self._end(worker)
        await asyncio.gather(*self._burials)
        self._idle.clear()
        for _ in range(self._workers):
            self._slots.release()


class _Worker:
    """One child process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.requests = process.stdin
        self.answers = process.stdout
        self.jobs = 0
        self.burial: asyncio.Task[int] | None = None

    @property
    def living(self) -> bool:
        return self.process.returncode is None and not self.answers.at_eof()

    async def ask(self, request: wire.Frame) -> wire.Frame:
        self.jobs += 1
        self.requests.write(wire.encode(request))
        body = memoryview(request.body)
        for start in range(0, len(body), _CHUNK_BYTES):
            self.requests.write(body[start : start + _CHUNK_BYTES])
            await self.requests.drain()
        answer = await wire.receive(self.answers)
        if answer.job != request.job:
            raise wire.Garbled("an answer to another job")
        return answer

    def kill(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                # Not `process.kill()`: it may reap a process that has just died, and its code is lost (python/cpython#127049).
                os.kill(self.process.pid, signal.SIGKILL)

    async def bury(self, *, kill: bool) -> int:
        """Wait for the end and return its code. Without `kill` the process has closed its pipe and is given a moment."""
        if not kill:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.process.wait()
        self.kill()
        await self.process.communicate(b"")  # closes both pipes as well
        return await self.process.wait()


def keep_memory_private() -> None:
    """Hide this process's memory and environment, which hold tokens, from other processes of the same user. Linux only.

    Without it a worker could read `/proc/{parent}/environ`, empty as its own environment may be.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _checked(frame: wire.Frame) -> Answer:
    """Return a worker's answer; the worker has read untrusted bytes, so its words are not taken as they are."""
    status, why, error = (str(frame.head.get(key, "")) for key in ("status", "why", "error"))
    if status not in get_args(Status):
        raise wire.Garbled("an answer without a status")
    if status != "ok":
        log.info("media.not_read", status=status, error=error if _CLASS_NAME.fullmatch(error) else "")
    return Answer(status=cast(Status, status), why=why[:300], head=frame.head, body=frame.body)


def _signal(returncode: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-returncode).name
    return str(returncode)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
