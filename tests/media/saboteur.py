"""A worker with the product's own loop and limits, whose operations misbehave. Started by path, as the product's is by name."""

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from pipelines.media import serving, wire

Result = tuple[dict[str, Any], bytes]


def echo(data: bytes, _: Mapping[str, Any]) -> Result:
    return {}, data


def slow_echo(data: bytes, _: Mapping[str, Any]) -> Result:
    time.sleep(0.5)
    return {}, data


def abort(*_: object) -> Result:
    os.abort()


def segfault(*_: object) -> Result:
    ctypes.string_at(0)
    return {}, b""


def leave(*_: object) -> Result:
    os._exit(0)


def killed(*_: object) -> Result:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}, b""


def spin(*_: object) -> Result:
    while True:
        pass


def hang(*_: object) -> Result:
    time.sleep(60)
    return {}, b""


def allocate(*_: object) -> Result:
    return {}, bytes(4_000_000_000)


def fail(*_: object) -> Result:
    raise LookupError("words of a member")


def chat(data: bytes, _: Mapping[str, Any]) -> Result:
    os.write(1, b"a C library says hello")
    return {}, data


def write_file(*_: object) -> Result:
    with open("/tmp/flashbulb-should-not-exist", "wb") as file:
        file.write(b"x")
    return {}, b""


def garble(*_: object) -> Result:
    _into_every_pipe(b"\xff" * 64)
    return {}, b""


def forge(*_: object) -> Result:
    _into_every_pipe(wire.encode(wire.Frame(job=10**9, head={"status": "ok"})))
    return {}, b""


def deny_status(*_: object) -> Result:
    return {"status": "clean"}, b""


def environment(*_: object) -> Result:
    return {"names": sorted(os.environ), "folder": os.getcwd()}, b""


def read_parents_environment(*_: object) -> Result:
    try:
        with open(f"/proc/{os.getppid()}/environ", "rb") as file:
            return {"read": len(file.read())}, b""
    except PermissionError:
        return {"read": "PermissionError"}, b""


def _into_every_pipe(data: bytes) -> None:
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, data)
        except OSError:
            continue


OPERATIONS = {
    each.__name__: each
    for each in (
        *(echo, slow_echo, abort, segfault, leave, killed, spin, hang, allocate, fail, chat, write_file, garble, forge),
        *(deny_status, environment, read_parents_environment),
    )
}

if __name__ == "__main__":
    serving.serve(OPERATIONS)
