"""What the whole suite shares: what this machine lacks is left out loudly, or fails where everything is required."""

import gc
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

REQUIRE_ALL = os.environ.get("TEST_REQUIRE_ALL") == "1"
DEFAULT_DATABASE = "postgresql://postgres@127.0.0.1:5432/postgres"
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# The same examples in each run, like all seeds here; and how long one takes says nothing on a busy machine.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

HOW_TO_GET = {
    "browser": "no Chromium: apt install chromium fonts-noto-core, or set CHROMIUM to its path",
    "postgres": "no PostgreSQL answers: apt install postgresql, or set TEST_DATABASE_URL",
}


def chromium() -> str | None:
    """Return the path of a Chromium: `CHROMIUM`, the one on the path, or Playwright's own download."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if named:
        return named
    own = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    return str(own[-1]) if own else None


def database_url() -> str:
    return os.environ.get("TEST_DATABASE_URL", DEFAULT_DATABASE)


def postgres_answers() -> bool:
    url = urlsplit(database_url())
    try:
        socket.create_connection((url.hostname or "127.0.0.1", url.port or 5432), timeout=2).close()
    except OSError:
        return False
    return True


def pytest_configure() -> None:
    """Collect no garbage while tests are collected, and none of theirs later: a fourth of that time went into it."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # else libraries report at the end what they believe has leaked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {"browser": chromium() is None, "postgres": not postgres_answers()}
    if REQUIRE_ALL:
        return
    for item in items:
        for marker, reason in HOW_TO_GET.items():
            if missing[marker] and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    for marker, reason in HOW_TO_GET.items():
        left_out = [report for report in skipped if reason in str(report.longrepr)]
        if left_out:
            terminalreporter.section(f"LEFT OUT: {len(left_out)} {marker} tests", sep="!", red=True, bold=True)
            terminalreporter.line(f"{reason}.")
            for report in left_out:
                terminalreporter.line(f"  {report.nodeid}")


@pytest.fixture
def shared_images() -> Path:
    """Return the folder of sample pictures that may stand beside the project, or leave the test out."""
    folder = SHARED_DATA / "images"
    if not folder.is_dir():
        pytest.skip("the sample pictures are not beside the project")
    return folder


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """Return a port at which nobody listens. It is held as long as the test runs, unlike that of pytest-asyncio."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(autouse=True)
def _no_settings_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tester's own keys and .env out of every test."""
    for name in list(os.environ):
        if name.startswith(("FLASHBULB_", "SLACK_", "DISCORD_", "GEMINI_", "GOOGLE_", "OPENAI_", "ANTHROPIC_", "MODELSLAB_")):
            monkeypatch.delenv(name)
