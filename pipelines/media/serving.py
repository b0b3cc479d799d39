"""The loop of a worker process: it gives up every right that it does not need, then answers one job after another.

What the jobs do is the caller's; every decoder must have been imported before.
"""

import contextlib
import os
import resource
import signal
import warnings
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

from PIL import Image

from pipelines import limits
from pipelines.media import wire
from pipelines.media.read import NotRead

# Takes the file's bytes and the job's arguments; returns the head's fields and the body of the answer.
Operation = Callable[[bytes, Mapping[str, Any]], tuple[dict[str, Any], bytes]]

_NOBODY: Final = 65534
_OPEN_FILES: Final = 32


def serve(operations: Mapping[str, Operation]) -> None:
    """Answer jobs until the input closes, each within as many seconds of computing as its request allows."""
    requests, answers = _private_streams()
    _give_up_rights()
    wire.write(answers, wire.Frame(job=wire.READY, head={"status": "ready"}))
    while (request := wire.read(requests)) is not None:
        # SIGPROF keeps its default action, which ends the process: a Python handler would not run inside a decoder.
        signal.setitimer(signal.ITIMER_PROF, request.head["cpu_s"])
        head, body = _answered(request, operations)
        signal.setitimer(signal.ITIMER_PROF, 0)
        wire.write(answers, wire.Frame(job=request.job, head=head, body=body))


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes to descriptors of their own, so that a library that prints cannot write into an answer."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _give_up_rights() -> None:
    """Set the limits that a decoder gone wild runs into. Everything must have been imported by now."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    for limit, value in (
        (resource.RLIMIT_AS, limits.WORKER_MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    if os.getuid() == 0:
        # In a container we may be root, for whom neither file modes nor the parent's non-dumpable flag count.
        with contextlib.suppress(OSError):  # a user namespace may not know this user
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _answered(request: wire.Frame, operations: Mapping[str, Operation]) -> tuple[dict[str, Any], bytes]:
    try:
        fields, body = operations[request.head["operation"]](request.body, request.head["arguments"])
    except Exception as error:  # noqa: BLE001 - damaged files raise a dozen types; only the class leaves, for the log
        return declined(error), b""
    return {"status": "ok", **fields}, body


def declined(error: Exception) -> dict[str, str]:
    """Return the answer that says why a file is not read; of an error that nobody raised on purpose only the class."""
    match error:
        case NotRead():
            return {"status": error.status, "why": str(error)}
        case MemoryError() | Image.DecompressionBombError() | Image.DecompressionBombWarning():
            status, why = "refused-limits", "The file needs more memory than one file may take."
        case _:
            status, why = "unreadable", "The file is damaged and cannot be read."
    return {"status": status, "why": why, "error": type(error).__name__}
