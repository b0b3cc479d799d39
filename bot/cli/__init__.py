"""The command line. Its commands are in `commands`; what is heavy is imported inside them."""

import os
import sys


def main() -> None:
    """Run the command line. Ctrl-C ends it in silence also while it is being loaded."""
    try:
        _open_missing_streams()
        from bot.cli.commands import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)  # as `ends.INTERRUPTED`, which may not have been loaded yet


def _open_missing_streams() -> None:
    """Put the null device in place of a standard stream that was closed (`>&-`).

    Otherwise the next file or socket to be opened would get its number, and with it what others print there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as we are
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
