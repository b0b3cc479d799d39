"""The child process that opens untrusted bytes: `python -I -m pipelines.media.worker`, started by the sandbox.

It imports every decoder, then gives up what it does not need, and then does one job after another until its input closes.
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
from pipelines.content import ImagePart, Intake, TextPart
from pipelines.media import images, wire
from pipelines.media.read import NotRead

# Takes the file's bytes and the job's arguments; returns the head's fields and the body of the answer.
Operation = Callable[[bytes, Mapping[str, Any]], tuple[dict[str, Any], bytes]]

_NOBODY: Final = 65534
_OPEN_FILES: Final = 32


def main() -> None:
    serve({"prepare": prepare, "preview": preview})


def serve(operations: Mapping[str, Operation], *, cpu_s: float = limits.WORKER_CPU_S) -> None:
    """Answer jobs until the input closes, each within `cpu_s` of computing."""
    requests, answers = _private_streams()
    _give_up_rights()
    wire.write(answers, wire.Frame(job=wire.READY, head={"status": "ready"}))
    while (request := wire.read(requests)) is not None:
        # SIGPROF keeps its default action, which ends the process: a Python handler would not run inside a decoder.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        head, body = _answered(request, operations)
        signal.setitimer(signal.ITIMER_PROF, 0)
        wire.write(answers, wire.Frame(job=request.job, head=head, body=body))


def prepare(data: bytes, _: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Make a file ready to ask about. Place and ids in the answer are relative to the file."""
    return _packed(images.prepare(data))


def preview(data: bytes, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the picture as a small WebP."""
    return {}, images.preview(data, side_px=int(arguments["side_px"]))


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
    except NotRead as declined:
        return {"status": declined.status, "why": str(declined)}, b""
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        why = "The picture needs more memory than one file may take."
        return {"status": "refused-limits", "why": why, "error": type(error).__name__}, b""
    except Exception as error:  # noqa: BLE001 - damaged files raise a dozen types; only the class leaves, for the log
        why = "The file is damaged and cannot be read."
        return {"status": "unreadable", "why": why, "error": type(error).__name__}, b""
    return {"status": "ok", **fields}, body


def _packed(intake: Intake) -> tuple[dict[str, Any], bytes]:
    """Return an intake as JSON, with the pictures one after the other in the body."""
    pictures = [part.data for part in intake.parts if isinstance(part, ImagePart)]
    parts = [
        {
            "id": part.id,
            "media_type": part.media_type,
            "width_px": part.width_px,
            "height_px": part.height_px,
            "note": part.note,
            "size_bytes": len(part.data),
        }
        if isinstance(part, ImagePart)
        else {"id": part.id, "text": part.text, "role": part.role}
        for part in intake.parts
        if isinstance(part, ImagePart | TextPart)
    ]
    gaps = [{"place": gap.place, "kind": gap.kind, "why": gap.why} for gap in intake.gaps]
    return {"parts": parts, "gaps": gaps}, b"".join(pictures)


if __name__ == "__main__":
    main()
