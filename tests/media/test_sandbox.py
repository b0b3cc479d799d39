import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from pipelines.errors import Unavailable
from pipelines.media.sandbox import Allowance, Room, Sandbox

SABOTEUR = (sys.executable, "-I", str(Path(__file__).with_name("saboteur.py")))


def within(wall_s: float) -> Allowance:
    return Allowance(cpu_s=0.3, wall_s=wall_s)


@asynccontextmanager
async def a_sandbox(*, workers: int = 1, wall_s: float = 9.0, jobs_per_worker: int = 500) -> AsyncIterator[Sandbox]:
    async with Sandbox(workers=workers, command=SABOTEUR, allowance=within(wall_s), jobs_per_worker=jobs_per_worker) as sandbox:
        yield sandbox


@pytest.mark.parametrize("size_bytes", [pytest.param(0, id="nothing"), pytest.param(20_000_000, id="more-than-pipes-hold")])
async def test_a_job_gets_its_answer(size_bytes) -> None:
    body = os.urandom(size_bytes)

    async with a_sandbox() as sandbox:
        answer = await sandbox.run("echo", body)

    assert (answer.status, answer.body) == ("ok", body)


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param("abort", "unreadable", id="a-library-aborts"),
        pytest.param("segfault", "unreadable", id="a-library-crashes"),
        pytest.param("leave", "unreadable", id="the-process-ends"),
        pytest.param("killed", "unreadable", id="killed-at-every-try"),
        pytest.param("spin", "refused-limits", id="computes-for-ever"),
        pytest.param("garble", "unreadable", id="answers-garbage"),
        pytest.param("forge", "unreadable", id="answers-another-job"),
        pytest.param("deny_status", "unreadable", id="answers-an-unknown-status"),
    ],
)
async def test_a_job_that_breaks_its_worker_costs_only_itself(operation, status) -> None:
    async with a_sandbox(workers=2) as sandbox:
        jobs = [sandbox.run("echo", bytes([at])) for at in range(6)]
        jobs.insert(3, sandbox.run(operation, b""))
        answers = await asyncio.gather(*jobs)

    assert answers.pop(3).status == status
    assert [answer.body for answer in answers] == [bytes([at]) for at in range(6)]


@pytest.mark.parametrize(
    ("operation", "wall_s", "why"),
    [
        pytest.param("abort", 9.0, "SIGABRT", id="a-signal"),
        pytest.param("spin", 9.0, "SIGPROF", id="the-cpu-timer"),
        pytest.param("hang", 0.3, "deadline", id="the-deadline"),
        pytest.param("garble", 9.0, "garbled", id="garbage"),
    ],
)
async def test_metrics_hear_why_a_worker_died(operation, wall_s, why) -> None:
    heard: list[str] = []

    async with Sandbox(workers=1, command=SABOTEUR, allowance=within(wall_s), on_death=heard.append) as sandbox:
        await sandbox.run(operation, b"")

    assert heard == [why]


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param("allocate", "refused-limits", id="more-memory-than-allowed"),
        pytest.param("fail", "unreadable", id="an-exception"),
        pytest.param("write_file", "unreadable", id="writing-a-file"),
        pytest.param("no_such_operation", "unreadable", id="unknown-operation"),
    ],
)
async def test_a_job_that_fails_leaves_its_worker_alive(operation, status) -> None:
    async with a_sandbox() as sandbox:
        before = sandbox.pids
        answer = await sandbox.run(operation, b"")
        after = sandbox.pids

    assert answer.status == status
    assert before == after


async def test_the_log_learns_the_class_of_a_failure_and_not_its_words() -> None:
    with capture_logs() as logs:
        async with a_sandbox() as sandbox:
            await sandbox.run("fail", b"")

    assert logs == [{"event": "media.not_read", "log_level": "info", "status": "unreadable", "error": "LookupError"}]


async def test_what_a_library_prints_does_not_reach_the_answer() -> None:
    async with a_sandbox() as sandbox:
        answer = await sandbox.run("chat", b"the answer")

    assert answer.body == b"the answer"


async def test_a_job_past_its_deadline_is_given_up_and_its_worker_replaced() -> None:
    async with a_sandbox(wall_s=0.5) as sandbox:
        (before,) = sandbox.pids
        answer = await sandbox.run("hang", b"")
        afterwards = await sandbox.run("echo", b"b", allowance=within(9.0))

        assert answer.status == "refused-limits"
        assert afterwards.body == b"b"
        assert before not in sandbox.pids


async def test_a_job_may_be_given_longer_than_others() -> None:
    async with a_sandbox(wall_s=0.2) as sandbox:
        given_up = await sandbox.run("slow_echo", b"a")
        answer = await sandbox.run("slow_echo", b"b", allowance=within(9.0))

    assert given_up.status == "refused-limits"
    assert answer.body == b"b"


async def test_long_jobs_leave_a_worker_for_quick_ones() -> None:
    async with a_sandbox(workers=2, wall_s=9.0) as sandbox:
        await asyncio.gather(sandbox.run("echo", b""), sandbox.run("echo", b""))
        videos = [asyncio.create_task(sandbox.run("slow_echo", b"", allowance=within(9.1))) for _ in range(3)]
        await asyncio.sleep(0)
        answer = await sandbox.run("echo", b"a picture")

        assert answer.body == b"a picture"
        assert not any(video.done() for video in videos)
        await asyncio.gather(*videos)


async def test_neither_processes_nor_descriptors_are_left_behind() -> None:
    ours = psutil.Process()
    async with a_sandbox():
        pass  # what the event loop opens once for all children stays
    before = ours.num_fds(), len(ours.children())

    for _ in range(2):
        async with a_sandbox(workers=2, wall_s=0.4, jobs_per_worker=3) as sandbox:
            jobs = [sandbox.run(name, b"x") for name in ("echo", "abort", "leave", "garble", "hang", "killed", "fail", "echo")]
            cancelled = asyncio.create_task(sandbox.run("hang", b""))
            await asyncio.gather(*jobs)
            cancelled.cancel()

    assert (ours.num_fds(), len(ours.children())) == before


async def test_the_job_after_a_cancelled_one_gets_its_own_answer() -> None:
    async with a_sandbox() as sandbox:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sandbox.run("slow_echo", b"a"), 0.1)
        answer = await sandbox.run("slow_echo", b"b")

    assert answer.body == b"b"


async def test_a_job_cancelled_while_it_waits_for_a_worker_costs_nothing() -> None:
    async with a_sandbox() as sandbox:
        before = sandbox.pids
        running = asyncio.create_task(sandbox.run("slow_echo", b"a"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sandbox.run("echo", b"b"), 0.1)
        answer = await running

        assert answer.body == b"a"
        assert sandbox.pids == before


async def test_a_worker_retires_after_its_share_of_jobs() -> None:
    async with a_sandbox(jobs_per_worker=3) as sandbox:
        served_by = []
        for _ in range(7):
            before = sandbox.pids
            await sandbox.run("echo", b"")
            served_by.append(before or sandbox.pids)

    assert len(set(served_by)) == 3


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_ended_while_idle_is_replaced_without_loss(ending) -> None:
    async with a_sandbox() as sandbox, asyncio.timeout(10):
        (pid,) = sandbox.pids
        os.kill(pid, ending)
        while sandbox.pids:  # noqa: ASYNC110 - nothing but the process itself says that it has ended
            await asyncio.sleep(0.01)
        answer = await sandbox.run("echo", b"b")

        assert answer.body == b"b"
        assert pid not in sandbox.pids


async def test_a_job_whose_worker_is_killed_from_outside_is_done_by_another() -> None:
    async with a_sandbox(workers=2) as sandbox:
        jobs = [asyncio.create_task(sandbox.run("slow_echo", bytes([at]))) for at in range(2)]
        await asyncio.wait(jobs, timeout=0.1)
        os.kill(sandbox.pids[0], signal.SIGKILL)
        answers = await asyncio.gather(*jobs)

    assert [answer.body for answer in answers] == [b"\0", b"\1"]


async def test_workers_start_without_our_environment_in_the_root_folder() -> None:
    async with a_sandbox() as sandbox:
        answer = await sandbox.run("environment", b"")

    assert set(answer.head["names"]) <= {"LC_CTYPE", "OPENBLAS_NUM_THREADS"}, "Python itself sets LC_CTYPE"
    assert answer.head["folder"] == "/"


@pytest.mark.skipif(sys.platform != "linux", reason="the protection is Linux's")
async def test_workers_cannot_read_the_environment_of_the_bot() -> None:
    async with a_sandbox() as sandbox:
        answer = await sandbox.run("read_parents_environment", b"")

    assert answer.head["read"] == "PermissionError"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((sys.executable, "-c", "raise SystemExit(1)"), id="ends-at-once"),
        pytest.param((sys.executable, "-c", "import time; time.sleep(60)"), id="never-says-that-it-is-ready"),
        pytest.param(("/no/such/program",), id="cannot-be-started"),
    ],
)
async def test_a_worker_that_does_not_start_is_an_outage(command) -> None:
    with pytest.raises(Unavailable, match="The file reader does not start"):
        async with Sandbox(workers=2, command=command, start_s=0.5):
            pass


async def test_closing_ends_every_worker_and_whatever_waits_for_one() -> None:
    async with a_sandbox(workers=2) as sandbox:
        jobs = [asyncio.create_task(sandbox.run("hang", b"")) for _ in range(3)]
        async with asyncio.timeout(10):
            while len(pids := sandbox.pids) < 2:  # noqa: ASYNC110 - the second is started when there is work for it
                await asyncio.sleep(0.01)
    ends = await asyncio.gather(*jobs, return_exceptions=True)

    assert [type(end) for end in ends] == [Unavailable] * 3
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_room_is_given_first_come_first_served_and_as_soon_as_a_size_is_known() -> None:
    room, order = Room(100), []

    async def hold(name: str, size_bytes: int) -> None:
        async with room.hold(size_bytes):
            order.append(name)

    async with room.hold(90) as held:
        large, small = asyncio.create_task(hold("large", 50)), asyncio.create_task(hold("small", 5))
        await asyncio.wait([large, small], timeout=0.01)
        assert order == []
        held.settle(40)
        await asyncio.gather(large, small)

    assert order == ["large", "small"]


async def test_a_file_that_is_larger_than_announced_makes_whoever_comes_next_wait() -> None:
    room, order = Room(100), []

    async def hold(name: str, size_bytes: int) -> None:
        async with room.hold(size_bytes):
            order.append(name)

    async with room.hold(1) as liar:
        liar.settle(150)
        later = asyncio.create_task(hold("later", 10))
        await asyncio.wait([later], timeout=0.01)
        assert order == []
    await later

    assert order == ["later"]


async def test_whoever_stops_waiting_for_room_neither_loses_nor_makes_any() -> None:
    room = Room(100)

    async def give_up_on(size_bytes: int) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), room.hold(size_bytes):
                pass

    async with room.hold(100):
        await give_up_on(100)
        await give_up_on(1)
    async with asyncio.timeout(1), room.hold(1_000_000):
        await give_up_on(1)


async def test_who_waits_behind_somebody_that_gives_up_is_admitted() -> None:
    room = Room(100)

    async with room.hold(60), asyncio.timeout(5):
        large, small = asyncio.create_task(room.hold(50).__aenter__()), asyncio.create_task(room.hold(40).__aenter__())
        await asyncio.wait([large, small], timeout=0.01)
        large.cancel()
        held = await small

    assert held.size_bytes == 40
