"""How much of the time for one video or sound is gone, so that its reader stops with what it has before it is stopped."""

import time

from pipelines import limits


class Pace:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._cpu_s = time.process_time()
        self._wall_s = time.monotonic()

    @property
    def spent(self) -> float:
        """The share of the time that is gone: of computing, or on a busy machine of waiting for it, whichever is more."""
        cpu_s, wall_s = time.process_time() - self._cpu_s, time.monotonic() - self._wall_s
        return max(cpu_s / limits.VIDEO_CPU_S, wall_s / limits.VIDEO_WALL_S)
