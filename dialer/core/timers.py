"""The engine's own timers. asyncio does not keep the order of equal deadlines, so ours are ordered by (at, seq)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from enum import IntEnum
from math import ceil

COARSE_S = 5.0


class TimerKind(IntEnum):
    """What a timer is for."""

    DECIDE = 0
    TICK = 1
    WRAP_UP_LIMIT = 2
    ATTEMPT_LIMIT = 3
    SAVE = 4
    SET_UP = 5
    LEAVE = 6
    PRICE = 7
    ROOM = 8
    PLAN = 9
    REVIEW = 10
    PLAN_END = 11


# Looking a member up in its class costs more than all else in a short method (Python 3.11): bound once.
DECIDE, TICK, WRAP_UP_LIMIT, ATTEMPT_LIMIT, SAVE, SET_UP, LEAVE, PRICE, ROOM, PLAN, REVIEW, PLAN_END = TimerKind


class Timers:
    """A heap of timers. None is ever cancelled: whoever gets one checks whether it still means anything."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, TimerKind, int]] = []  # the earliest comes first; for reading only
        self.seq = 0

    @property
    def pending(self) -> list[tuple[float, int, TimerKind, int]]:
        """All timers in order: (at, seq, kind, subject)."""
        return sorted(self.heap)

    def restore(self, pending: Iterable[tuple[float, int, TimerKind, int]], seq: int) -> None:
        """Set all timers; `pending` is in order."""
        self.heap = list(pending)  # a sorted list is a heap
        self.seq = seq

    def set(self, at: float, kind: TimerKind, subject: int = 0) -> None:
        """Set a timer; `subject` is the attempt id, the agent's place in the floor or a lead's index, where the kind is
        about one."""
        self.seq += 1
        heapq.heappush(self.heap, (at, self.seq, kind, subject))

    def set_coarse(self, at: float, kind: TimerKind, subject: int) -> None:
        """Set a timer that may be up to COARSE_S late. Most limits are for what never happens: those that fall due
        together cost one wake-up call, not one a call."""
        self.set(ceil(at / COARSE_S) * COARSE_S, kind, subject)

    def due(self, now: float) -> Iterator[tuple[TimerKind, int]]:
        """Take the timers that are due, in order."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            _, _, kind, subject = heapq.heappop(heap)
            yield kind, subject
