"""Logs hold events, ids and classes: never what somebody wrote, never a key."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from bot import logs
from pipelines.errors import Misconfigured
from tests.app.restoring import logging_restored

CANARY = "canary-b7f1-what-ada-wrote"
KEY = "hunter2-hunter2"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Send all logs to a stream, at debug level, and put everything back afterwards."""
    stream = io.StringIO()
    with logging_restored():
        logs.configure(secrets=[KEY], level="debug", stream=stream)
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(words: str) -> None:
    raise ValueError(words)


def test_an_event_is_one_line_of_json_with_its_fields(out: io.StringIO) -> None:
    structlog.get_logger().info("case.opened", case="c1", parts=3)

    (line,) = lines(out)
    assert (line["event"], line["level"], line["case"], line["parts"]) == ("case.opened", "info", "c1", 3)
    assert str(line["timestamp"]).endswith("Z")


def test_on_a_terminal_an_event_is_for_people() -> None:
    terminal = Terminal()

    with logging_restored():
        logs.configure(stream=terminal)
        structlog.get_logger().info("case.opened", case="c1")

    assert "case.opened" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(KEY, id="configured"),
        pytest.param(f"Bearer {KEY}", id="inside-a-text"),
        pytest.param({"headers": [("x-goog-api-key", KEY)]}, id="deep-inside"),
        pytest.param("AIzaSyA-0123456789-abcdefghij", id="shaped-like-googles"),
        pytest.param("xoxb-1234567890-abcdef", id="shaped-like-slacks"),
        pytest.param("http://127.0.0.1:8321/enter#Zm9vYmFyYmF6cXV4", id="one-time-link"),
        pytest.param("postgresql://flash:p4ssw0rd@db/x", id="password-in-an-address"),
    ],
)
def test_secrets_are_blotted_out_wherever_they_stand(out: io.StringIO, value: object) -> None:
    structlog.get_logger().warning("something.odd", value=value)

    assert "[redacted]" in out.getvalue()
    for secret in (KEY, "AIzaSyA", "xoxb-1", "Zm9v", "p4ssw0rd"):
        assert secret not in out.getvalue()


def test_an_exception_is_shown_by_class_and_place_not_by_its_words(out: io.StringIO) -> None:
    try:
        try:
            fail(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger().exception("plan.failed")

    (line,) = lines(out)
    assert line["error"] == "RuntimeError < ValueError"
    assert "test_logs.py" in str(line["stack"])
    assert CANARY not in out.getvalue()


def test_an_error_of_our_own_is_shown_with_its_words(out: io.StringIO) -> None:
    structlog.get_logger().error("start.failed", exc_info=Misconfigured("Set FLASHBULB_PORT to 8321."))

    (line,) = lines(out)
    assert line["why"] == "Set FLASHBULB_PORT to 8321."


@pytest.mark.parametrize("name", ["httpx2", "openai._base_client", "aiosqlite", "sqlalchemy.engine", "aiohttp.access", "dbos"])
def test_what_libraries_say_in_detail_is_left_out(out: io.StringIO, name: str) -> None:
    logging.getLogger(name).debug("body %s", CANARY)
    logging.getLogger(name).info("POST http://host/?key=%s", CANARY)

    assert out.getvalue() == ""


def test_a_warning_of_a_library_keeps_its_template_and_loses_its_values(out: io.StringIO) -> None:
    logging.getLogger("aiohttp.server").warning("Cannot parse %s", CANARY)
    logging.getLogger("some.library").error(f"could not read {CANARY}")

    first, second = lines(out)
    assert (first["library"], first["says"]) == ("aiohttp.server", "Cannot parse %s")
    assert (second["library"], second.get("says")) == ("some.library", None)
    assert CANARY not in out.getvalue()


def test_the_engines_warnings_are_kept_up_to_where_data_may_begin(out: io.StringIO) -> None:
    from dbos._logger import init_logger

    init_logger()
    logging.getLogger("dbos").warning(f"Database connection failed: {CANARY}")

    (line,) = lines(out)
    assert line["says"] == "Database connection failed"


def test_the_exception_of_a_library_is_shown_by_class(out: io.StringIO) -> None:
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed with %s", CANARY)

    (line,) = lines(out)
    assert line["error"] == "ValueError"
    assert CANARY not in out.getvalue()


def test_pythons_warnings_become_events_without_their_words(out: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(CANARY, UserWarning, stacklevel=1)

    (line,) = lines(out)
    assert line["library"] == "py.warnings"
    assert CANARY not in out.getvalue()
