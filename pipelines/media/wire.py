"""The pipe between the sandbox and its workers: frames with a job's id, a small JSON head and a body of bytes.

Both ends import this module, so it needs nothing but the standard library.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

_HEADER: Final = struct.Struct(">QII")  # job, bytes of the head, bytes of the body
HEAD_BYTES: Final = 4 * 1024 * 1024
BODY_BYTES: Final = 96 * 1024 * 1024  # what one archive may unpack to, and as many pictures as come of one file

READY: Final = 0  # the job id of the frame that a worker sends once it has started


class Garbled(Exception):
    """What came through the pipe is not a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message.

    A request's head is `{"operation": …, "arguments": {…}, "cpu_s": …}`, an answer's is what the operation says.
    """

    job: int
    head: Mapping[str, Any]
    body: bytes = b""


class AsyncReader(Protocol):
    async def readexactly(self, n: int) -> bytes: ...


def encode(frame: Frame) -> bytes:
    """Return all of a frame but its body, which follows as it is: bodies are large and need no copy."""
    head = json.dumps(frame.head).encode()
    return _HEADER.pack(frame.job, len(head), len(frame.body)) + head


async def receive(reader: AsyncReader) -> Frame:
    """Read one frame in the parent, which trusts neither its sizes nor its head.

    Raises: `Garbled`, and what the reader raises when the pipe ends.
    """
    job, head_bytes, body_bytes = _sizes(await reader.readexactly(_HEADER.size))
    head = await reader.readexactly(head_bytes)
    return Frame(job=job, head=_decoded(head), body=await reader.readexactly(body_bytes))


def read(stream: BinaryIO) -> Frame | None:
    """Read one frame in a worker; None when the parent has closed the pipe, also in the middle of a frame."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    job, head_bytes, body_bytes = _sizes(header)
    head, body = stream.read(head_bytes), stream.read(body_bytes)
    if len(head) < head_bytes or len(body) < body_bytes:
        return None
    return Frame(job=job, head=_decoded(head), body=body)


def write(stream: BinaryIO, frame: Frame) -> None:
    """Write one frame in a worker."""
    stream.write(encode(frame))
    stream.write(frame.body)
    stream.flush()


def _sizes(header: bytes) -> tuple[int, int, int]:
    job, head_bytes, body_bytes = _HEADER.unpack(header)
    if head_bytes > HEAD_BYTES or body_bytes > BODY_BYTES:
        raise Garbled("a frame is larger than any answer")
    return job, head_bytes, body_bytes


def _decoded(head: bytes) -> Mapping[str, Any]:
    try:
        decoded = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise Garbled("a head is not JSON") from error
    if not isinstance(decoded, dict):
        raise Garbled("a head is not an object")
    return decoded
