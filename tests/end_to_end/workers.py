"""The product's media workers, forked from one that has loaded every decoder, which takes each of them half a second.

Those are started for real in tests/media and tests/cli/test_processes.py.
"""

import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Final, NoReturn

from pipelines.media import worker
from pipelines.media.sandbox import Sandbox

ASKING: Final = Path(__file__).with_name("ask_for_worker.py")

worker.load_readers()


def fork_workers() -> None:
    """Let each sandbox of this process get its workers from a fork of it. Only for a process that has no threads yet."""
    if sys.platform != "linux":  # which alone has sockets with such a name
        return
    with socket.socket(socket.AF_UNIX) as listener:
        command = _listening(listener)
        alive, stays_open = os.pipe()
        if os.fork() == 0:
            os.close(stays_open)
            _serve(listener, alive)
        os.close(alive)
    Sandbox.__init__.__kwdefaults__["command"] = command


def serve_workers() -> None:
    """Print the command that gets a worker from this process, one word a line, and make workers until the input is closed."""
    with socket.socket(socket.AF_UNIX) as listener:
        print(*_listening(listener), sep="\n", flush=True)
        os.close(sys.stdout.fileno())
        _serve(listener, sys.stdin.fileno())


def _listening(listener: socket.socket) -> tuple[str, ...]:
    """Return the command that gets a worker from whoever accepts here."""
    address = f"flashbulb-workers-{os.getpid()}"
    listener.bind(f"\0{address}")
    listener.listen()
    return sys.executable, "-I", "-S", str(ASKING), address


def _serve(listener: socket.socket, alive: int) -> NoReturn:
    """Make workers until the process that they are for has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while alive not in select.select([listener, alive], [], [])[0]:
        asking, _ = listener.accept()
        if os.fork() == 0:
            _work(asking)
        asking.close()
    os._exit(0)


def _work(asking: socket.socket) -> NoReturn:
    """Be a worker on the streams of whoever asks, who stays until this process ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(asking, 1, 2)
    for ours, theirs in enumerate(streams):
        os.dup2(theirs, ours)
        os.close(theirs)
    try:
        worker.main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve_workers()
