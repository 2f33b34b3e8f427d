"""The system's time, for campaigns that really dial."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_STEP_S = 2.0  # more than this apart, the wall clock was stepped or the machine slept


class SystemClock:
    """UTC seconds of the system, which never run backwards here, and wake-up calls of the running loop.

    `shift_s` is for the lab alone, whose telephones are nobody's: it dials at any hour by a clock that shows office
    hours.
    """

    def __init__(self, *, shift_s: float = 0.0) -> None:
        self._shift_s = shift_s
        self._base = time.time() - time.monotonic() + shift_s

    def now(self) -> float:
        """UTC seconds: the monotonic time, put forward where the wall clock has gone ahead of it.

        A machine that slept, or whose clock was wrong, must not dial by the old hour. Set back, the wall clock is
        followed only by a new start: time here never runs backwards.
        """
        ours, wall = self._base + time.monotonic(), time.time() + self._shift_s
        if wall - ours > _STEP_S:
            self._base += wall - ours
            return wall
        return ours

    def ahead_s(self) -> float:
        """How far this clock is ahead of the wall clock, which was set back; seconds."""
        return self._base + time.monotonic() - (time.time() + self._shift_s)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at or after `when`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)
