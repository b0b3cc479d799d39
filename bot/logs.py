"""Logs: events with fields on standard error, for people on a terminal and as JSON lines otherwise.

Nothing that members wrote and no key may get there. Our own events carry ids, counts and classes only; this module sees to the
rest. What libraries log is reduced to where it came from and its template, never the values; of an exception the class and the
lines of code are shown, never its words, which quote what it was raised about (only ours are written to be read). And as a
second line of defence configured keys, and whatever is shaped like one, are blotted out of every value.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from pipelines.errors import FlashbulbError

Level = Literal["debug", "info", "warning", "error"]

REDACTED = "[redacted]"
SECRET_MIN_CHARS = 6  # a shorter value would blot out ordinary words
# Keys of the vendors, and the code in a one-time link, however they got there.
SHAPED_LIKE_SECRETS = re.compile(
    r"AIza[\w-]{20,}|sk-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|(?<=/enter#)[\w-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
FRAMES_SHOWN = 6
# DBOS formats its messages itself. Up to the first colon they are its own words; what follows may be data.
OWN_WORDS_UP_TO_COLON = "dbos"


def configure(*, secrets: Iterable[str] = (), level: Level = "info", stream: TextIO | None = None) -> None:
    """Send structlog's and all libraries' logs to `stream` (standard error), once and for all.

    `level` is for our own events. Libraries stay at warnings: at debug level HTTP clients log bodies and database drivers log
    values.
    """
    out = stream if stream is not None else sys.stderr
    structlog.configure(
        processors=_processors(secrets, pretty=out.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [LibraryLogs()]
    root.setLevel(logging.WARNING)
    for logger in _existing_loggers():
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    # DBOS adds a handler of its own and stops propagation, unless there is one already.
    engine = logging.getLogger("dbos")
    engine.addHandler(logging.NullHandler())
    logging.captureWarnings(True)


class LibraryLogs(logging.Handler):
    """Passes on what libraries log, without the values."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"library": record.name, "at": f"{record.module}:{record.lineno}"}
        if says := _template(record):
            fields["says"] = says
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(structlog.get_logger(), level)("library.said", **fields)


def _template(record: logging.LogRecord) -> str | None:
    if not isinstance(record.msg, str):
        return None
    if record.args:
        return record.msg
    return record.msg.split(":", 1)[0] if record.name.split(".")[0] == OWN_WORDS_UP_TO_COLON else None


def _existing_loggers() -> Iterator[logging.Logger]:
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            yield logger


def _processors(secrets: Iterable[str], *, pretty: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
        _error_without_words,
        Redaction(secrets),
    ]
    if pretty:
        return [*shared, structlog.dev.ConsoleRenderer(sort_keys=False)]
    return [*shared, structlog.processors.JSONRenderer()]


def _error_without_words(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its class, its causes' classes and the lines of code that it came through."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = " < ".join(_classes(error))
        event["stack"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ][-FRAMES_SHOWN:]
        if isinstance(error, FlashbulbError):
            event["why"] = str(error)
    event.pop("stack_info", None)
    return event


def _classes(error: BaseException) -> Iterator[str]:
    """Yield the class of `error`, then of what caused it, at most four deep."""
    seen: BaseException | None = error
    for _ in range(4):
        if seen is None:
            return
        yield type(seen).__name__
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


class Redaction:
    """Blots secrets out of every text of an event, however deep."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SECRET_MIN_CHARS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(inner) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        if self._known:
            text = self._known.sub(REDACTED, text)
        return SHAPED_LIKE_SECRETS.sub(REDACTED, text)
