"""The system's time, for campaigns that really dial."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """UTC seconds of the system, which never run backwards here, and wake-up calls of the running loop.

    `shift_s` is for the lab alone, whose telephones are nobody's: it dials at any hour by a clock that shows office
    hours.
    """

    def __init__(self, *, shift_s: float = 0.0) -> None:
        self._base = time.time() - time.monotonic() + shift_s

    def now(self) -> float:
        """UTC seconds: the wall clock at the start plus the monotonic time since."""
        return self._base + time.monotonic()

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at or after `when`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)
