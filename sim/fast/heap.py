# mypy: allow-untyped-decorators
"""What is due, soonest first: a binary heap of (time, serial, what), `what` being whom * KINDS + kind."""

from __future__ import annotations

from typing import Any

from numba import njit

from sim.fast.layout import KINDS, Day


@njit(forceinline=True)
def _before(a: Any, b: Any) -> bool:
    """Whether entry `a` is due before `b`; of equal times the one that was pushed first."""
    return bool(a.at < b.at or (a.at == b.at and a.serial < b.serial))


@njit()
def push(day: Day, at: float, kind: int, whom: int) -> None:
    """Add an entry."""
    c, heap = day.state[0], day.heap
    i = c.queued
    c.queued += 1
    c.pushed += 1
    while i > 0:
        parent = (i - 1) >> 1
        if heap[parent].at <= at:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i].at = at
    heap[i].serial = c.pushed
    heap[i].what = whom * KINDS + kind


@njit(forceinline=True)
def _sink(day: Day, i: int) -> None:
    """Put the entry behind the last one into the place `i`, or below it."""
    heap = day.heap
    size = day.state[0].queued
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and _before(heap[child + 1], heap[child]):
            child += 1
        if not _before(heap[child], heap[size]):
            break
        heap[i] = heap[child]
        i = child
    heap[i] = heap[size]


@njit(forceinline=True)
def drop_first(day: Day) -> None:
    """Take out the entry that is due first."""
    day.state[0].queued -= 1
    _sink(day, 0)


@njit()
def drop(day: Day, kind: int, whom: int) -> None:
    """Take out an entry by its name: a search through all, for what is rare."""
    c, heap = day.state[0], day.heap
    i = 0
    while heap[i].what != whom * KINDS + kind:
        i += 1
    c.queued -= 1
    last = heap[c.queued]
    while i > 0 and _before(last, heap[(i - 1) >> 1]):
        heap[i] = heap[(i - 1) >> 1]
        i = (i - 1) >> 1
    _sink(day, i)
