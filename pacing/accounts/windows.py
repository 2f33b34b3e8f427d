"""Counts over a window of time: the last 24 hours, or the present one of successive periods.

How it works: the rolling window cuts time into buckets. The bucket that is partly out of the window still counts for
abandons and no longer for answers, so a reading is never better than the exact count, and worse by one bucket's
answers at most. A period's window keeps two sums and begins anew when time passes its end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from math import inf
from typing import Any, NamedTuple, Protocol

DAY_S = 86_400.0
PERIOD_S = 30 * DAY_S
BUCKET_S = 300.0

Bounds = tuple[float, float]  # of a period: its begin and its end, UTC seconds, half-open


class Reading(NamedTuple):
    """What a window holds. `sure_answers` are those that are in it for certain; they earn the allowance."""

    sure_answers: float
    answers: float
    abandons: float


class Window(Protocol):
    """Counts that time takes away again. Times are UTC seconds; one that runs backwards takes nothing back."""

    def add(self, at: float, answers: float, abandons: float) -> None:
        """Count at a time; what is before the window is not counted."""
        ...

    def read(self, now: float) -> Reading:
        """Return what the window that ends at `now` holds."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot."""
        ...


class RollingWindow:
    """The last `length_s` seconds, in buckets of `bucket_s`, of which the length is a multiple."""

    __slots__ = ("_abandons", "_answers", "_bucket_s", "_newest", "_read", "_span")

    def __init__(self, length_s: float = DAY_S, bucket_s: float = BUCKET_S) -> None:
        self._bucket_s = bucket_s
        self._span = round(length_s / bucket_s)  # the bucket that is partly out is so many before the newest
        self._newest = -1
        self._read: Reading | None = None  # the sums, until a count or a bucket changes
        self._answers = [0.0] * (self._span + 1)
        self._abandons = [0.0] * (self._span + 1)

    def _advance(self, at: float) -> int:
        """Clear the buckets that time has passed; return the one of `at`."""
        bucket = int(at // self._bucket_s)
        if bucket <= self._newest:
            return bucket
        self._read = None
        size = self._span + 1
        for index in range(max(self._newest + 1, bucket - self._span), bucket + 1):
            self._answers[index % size] = self._abandons[index % size] = 0.0
        self._newest = bucket
        return bucket

    def add(self, at: float, answers: float, abandons: float) -> None:
        bucket = self._advance(at)
        if bucket >= self._newest - self._span:
            self._answers[bucket % (self._span + 1)] += answers
            self._abandons[bucket % (self._span + 1)] += abandons
            self._read = None

    def read(self, now: float) -> Reading:
        self._advance(now)
        if self._read is None:
            answers, partly_out = sum(self._answers), (self._newest - self._span) % (self._span + 1)
            self._read = Reading(answers - self._answers[partly_out], answers, sum(self._abandons))
        return self._read

    def snapshot(self) -> dict[str, Any]:
        oldest, size = self._newest - self._span, self._span + 1
        rows = (
            [offset, self._answers[(oldest + offset) % size], self._abandons[(oldest + offset) % size]]
            for offset in range(size)
        )
        return {"newest": self._newest, "buckets": [row for row in rows if row[1] or row[2]]}

    def restore(self, state: dict[str, Any]) -> None:
        size = self._span + 1
        self._newest, self._read = state["newest"], None
        self._answers, self._abandons = [0.0] * size, [0.0] * size
        for offset, answers, abandons in state["buckets"]:
            slot = (self._newest - self._span + offset) % size
            self._answers[slot], self._abandons[slot] = answers, abandons


class PeriodWindow:
    """The present one of successive periods. `bounds` gives the period of a time, from it and the first answer's."""

    __slots__ = ("_abandons", "_answers", "_begin", "_bounds", "_end", "_opened_at")

    def __init__(self, bounds: Callable[[float, float], Bounds]) -> None:
        self._bounds = bounds
        self._opened_at: float | None = None  # the first answer's time
        self._begin = self._end = -inf
        self._answers = self._abandons = 0.0

    def _advance(self, at: float) -> None:
        if self._opened_at is not None and at >= self._end:
            self._begin, self._end = self._bounds(at, self._opened_at)
            self._answers = self._abandons = 0.0

    def add(self, at: float, answers: float, abandons: float) -> None:
        if self._opened_at is None:
            self._opened_at = at
        self._advance(at)
        if at >= self._begin:
            self._answers += answers
            self._abandons += abandons

    def read(self, now: float) -> Reading:
        self._advance(now)
        return Reading(self._answers, self._answers, self._abandons)

    def snapshot(self) -> dict[str, Any]:
        return {
            "opened_at": self._opened_at,
            "period": [bound if abs(bound) < inf else None for bound in (self._begin, self._end)],
            "answers": self._answers,
            "abandons": self._abandons,
        }

    def restore(self, state: dict[str, Any]) -> None:
        begin, end = state["period"]
        self._opened_at = state["opened_at"]
        self._begin = -inf if begin is None else begin
        # A period without an end is the whole campaign; one that has not begun ends before any time.
        self._end = end if end is not None else -inf if self._opened_at is None else inf
        self._answers, self._abandons = state["answers"], state["abandons"]


def whole_campaign(at: float, opened_at: float) -> Bounds:  # noqa: ARG001 - bounds share a signature
    """All of time."""
    return -inf, inf


def successive_30_days(at: float, opened_at: float) -> Bounds:
    """The one of the 30-day periods, counted from the campaign's first answer, that `at` is in. The first one also
    holds what was answered before but ended its waiting after that answer."""
    number = max(0, int((at - opened_at) // PERIOD_S))
    begin = opened_at + number * PERIOD_S
    return (begin if number else -inf), begin + PERIOD_S


def calendar_month(zone: tzinfo) -> Callable[[float, float], Bounds]:
    """The months of a time zone, from midnight of the first to midnight of the next first."""

    def bounds(at: float, opened_at: float) -> Bounds:  # noqa: ARG001
        local = datetime.fromtimestamp(at, zone)
        following = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
        begin = datetime(local.year, local.month, 1, tzinfo=zone).timestamp()
        return begin, datetime(*following, 1, tzinfo=zone).timestamp()

    return bounds
