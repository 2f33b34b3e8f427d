"""Virtual time: a heap of wake-up calls, and nothing in between."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from dialer.ports import Clock

T = TypeVar("T")


class Wake(Protocol):
    """Asks for a wake-up call that nobody calls off: `callback(subject)` at or after `when`."""

    def __call__(self, when: float, callback: Callable[[T], None], subject: T, /) -> None: ...


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

    __slots__ = ("_heap", "_now", "_seq")

    def __init__(self, start: float) -> None:
        self._now = start
        self._seq = 0
        # When, in what order, what to call, and with what; without a callback, the subject is a `WakeUp`.
        self._heap: list[tuple[float, int, Callable[[Any], None] | None, Any]] = []

    def now(self) -> float:
        """UTC seconds."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> WakeUp:
        """Call back when time has come to `when`; a time that has passed means now."""
        self._seq += 1
        wake_up = WakeUp(callback)
        heapq.heappush(self._heap, (when if when > self._now else self._now, self._seq, None, wake_up))
        return wake_up

    def wake_at(self, when: float, callback: Callable[[T], None], subject: T, /) -> None:
        """The same, cheaper, for a call that nobody calls off: `callback(subject)`."""
        self._seq += 1
        heapq.heappush(self._heap, (when if when > self._now else self._now, self._seq, callback, subject))

    @property
    def next_at(self) -> float | None:
        """When the next wake-up call is due; None where there is none."""
        heap = self._heap
        while heap and heap[0][2] is None and heap[0][3].callback is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def advance(self) -> bool:
        """Go to the next wake-up call and make it; returns whether there was one."""
        heap = self._heap
        while heap:
            when, _, callback, subject = heapq.heappop(heap)
            if callback is not None:
                self._now = when
                callback(subject)
                return True
            called, subject.callback = subject.callback, None
            if called is not None:
                self._now = when
                called()
                return True
        return False


def wake_of(clock: Clock) -> Wake:
    """The cheapest way in which a clock makes wake-up calls."""
    if isinstance(clock, VirtualClock):
        return clock.wake_at

    def wake_at(when: float, callback: Callable[[T], None], subject: T, /) -> None:
        clock.call_at(when, partial(callback, subject))

    return wake_at
