"""Virtual time: a heap of wake-up calls, and nothing in between."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class WakeUp:
    """A wake-up call of the virtual clock."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Call it off."""
        self.callback = None


class VirtualClock:
    """A clock that stands still until it is told to go on. Equal times keep the order in which they were asked for."""

    def __init__(self, start: float) -> None:
        self._now = start
        self._seq = 0
        self._heap: list[tuple[float, int, WakeUp]] = []

    def now(self) -> float:
        """UTC seconds."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> WakeUp:
        """Call back when time has come to `when`; a time that has passed means now."""
        self._seq += 1
        wake_up = WakeUp(callback)
        heapq.heappush(self._heap, (max(when, self._now), self._seq, wake_up))
        return wake_up

    @property
    def next_at(self) -> float | None:
        """When the next wake-up call is due; None where there is none."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def advance(self) -> bool:
        """Go to the next wake-up call and make it; returns whether there was one."""
        if self.next_at is None:
            return False
        self._now, _, wake_up = heapq.heappop(self._heap)
        callback, wake_up.callback = wake_up.callback, None
        assert callback is not None
        callback()
        return True
