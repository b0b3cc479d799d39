"""The command line in a process to be killed, as it is in a process of its own: with its environment, folder and streams."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.cli import main
from tests.end_to_end.workers import fork_workers


def run(arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path, output: Path, log: Path) -> None:
    """Run `flashbulb` with `arguments`; what it prints and logs is added to the files `output` and `log`."""
    fork_workers()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for stream, path in ((1, output), (2, log)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), stream)
    sys.argv = ["flashbulb", *arguments]
    main()
