"""Stands for a media worker: hands its streams to one that is forked elsewhere, and ends with it. Imports next to nothing."""

import socket
import sys

with socket.socket(socket.AF_UNIX) as workers:
    workers.connect(f"\0{sys.argv[1]}")
    socket.send_fds(workers, [b"w"], [0, 1])
    workers.recv(1)
