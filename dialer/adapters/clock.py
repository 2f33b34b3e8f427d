"""The system's time, for campaigns that really dial."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """UTC seconds of the system, which never run backwards here, and wake-up calls of the running loop."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()

    def now(self) -> float:
        """UTC seconds: the wall clock at the start plus the monotonic time since."""
        return self._base + time.monotonic()

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at or after `when`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)
