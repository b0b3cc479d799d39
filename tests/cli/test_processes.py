"""The commands as processes of their own: starting, stopping, and what they leave behind."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import psutil
import pytest
from PIL import Image

FLASHBULB = (sys.executable, "-m", "bot.cli")
PATIENCE_S = 120.0  # of a test, on a busy machine


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "FLASHBULB_PORT": "0", **more}


@pytest.fixture(autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """Let children hear Ctrl-C also where whoever started the tests does not: in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(*arguments: str, folder: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command; whatever happens, it ends with the block, at the latest after `PATIENCE_S`."""
    with subprocess.Popen(
        [*FLASHBULB, *arguments],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        timer = Timer(PATIENCE_S, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


def printed(process: subprocess.Popen[str], pattern: str) -> str:
    """Read lines of standard output up to one that `pattern` finds something in, and return that."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    pytest.fail(f"it ended without printing {pattern}: {process.stderr and process.stderr.read()}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_run_prints_a_link_serves_and_ends_at_a_signal_with_all_its_children(tmp_path: Path, number: signal.Signals) -> None:
    with started("run", folder=tmp_path) as process:
        link = printed(process, r"(http://\S+/enter#\S+)")
        children = psutil.Process(process.pid).children(recursive=True)
        with urllib.request.urlopen(link.partition("/enter")[0] + "/healthz", timeout=30) as answer:
            health = answer.read()
        process.send_signal(number)
        out, err = process.communicate()

    assert (health, process.returncode) == (b"ok\n", 0)
    assert "Traceback" not in out + err
    assert link.partition("#")[2] not in err
    assert len(children) >= 2  # a media worker and the understudy
    assert not any(child.is_running() for child in children)


def test_a_killed_run_takes_its_children_along(tmp_path: Path) -> None:
    with started("run", folder=tmp_path) as process:
        printed(process, r"(http://\S+/enter#\S+)")
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()

        _, alive = psutil.wait_procs(children, timeout=30)

    assert len(children) >= 2  # a media worker and the understudy
    assert alive == []


def test_tag_works_from_an_empty_folder_without_any_key(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")

    ran = subprocess.run(
        [*FLASHBULB, "tag", "teal.png", "--json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert '"engine": "understudy"' in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["teal.png"]


def test_emulate_prints_an_env_that_works_and_its_faults_show(tmp_path: Path) -> None:
    with started("emulate", "--port", "0", "--fault", "http-500", folder=tmp_path) as process:
        address = printed(process, r"^GEMINI_BASE_URL=(\S+)")
        printed(process, r"^MODELSLAB_BASE_URL=(http://127\.0\.0\.1:\d+/api)$")
        printed(process, r"^# SLACK_ADMIN_USER_TOKEN=(xoxp-\S+)")
        ran = subprocess.run(
            [*FLASHBULB, "moderate", "hello", "--json"],
            cwd=tmp_path,
            env=environment(GEMINI_API_KEY="emulated", GEMINI_BASE_URL=address),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        process.send_signal(signal.SIGINT)
        process.communicate()

    assert ran.returncode == 3
    assert '"verdict": "unknown"' in ran.stdout
    assert process.returncode == 0


def test_ctrl_c_ends_tag_without_a_traceback(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    with started("emulate", "--port", "0", "--fault", "hang", folder=tmp_path) as emulator:
        address = printed(emulator, r"^GEMINI_BASE_URL=(\S+)")
        with started("tag", "teal.png", folder=tmp_path, GEMINI_BASE_URL=address) as process:
            wait_for_request(emulator.pid)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()

    assert (process.returncode, err) == (130, "Stopped.\n")


@pytest.mark.parametrize(
    ("redirect", "code", "says"),
    [
        pytest.param(">&-", 0, "", id="output-closed"),
        pytest.param("2>&-", 0, "", id="errors-closed"),
        pytest.param(">/dev/full", 3, "The output cannot be written: no space is left. Make room first.\n", id="disk-full"),
    ],
)
def test_output_that_goes_nowhere_is_no_traceback(tmp_path: Path, redirect: str, code: int, says: str) -> None:
    command = f"exec {sys.executable} -m bot.cli db upgrade {redirect}"

    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (code, says)


def test_ctrl_c_while_it_loads_is_no_traceback() -> None:
    code = "import signal, bot.cli; bot.cli._open_missing_streams = lambda: signal.raise_signal(signal.SIGINT); bot.cli.main()"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (130, "")


def test_the_bar_is_off_the_terminal_while_an_answer_is_printed(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*FLASHBULB, "moderate", "one", "two"], cwd=tmp_path, env=environment(), stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        screen = read_to_the_end(ours)

    assert process.returncode == 0
    assert "0/2" in screen
    assert re.findall(r"\d/2[^\r\n]*╭", screen) == []


def test_help_is_there_before_anything_heavy_is_loaded() -> None:
    heavy = ("pydantic", "sqlalchemy", "aiohttp", "rich", "PIL")
    code = f"import sys, bot.cli.commands; print([m for m in {heavy} if m in sys.modules])"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


def read_to_the_end(terminal: int) -> str:
    """Return all that is written to a terminal until nobody has it open any more."""
    pieces = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError:  # Linux says so where others say that it is the end
        pass
    finally:
        os.close(terminal)
    return b"".join(pieces).decode()


def wait_for_request(server: int) -> None:
    """Return once a client is connected to a process's server."""
    for _ in range(600):
        if any(each.status == psutil.CONN_ESTABLISHED for each in psutil.Process(server).net_connections()):
            return
        time.sleep(0.05)
    pytest.fail("nobody connected")
