"""The dial queue: which leads may be dialled now, in which order.

How it works: leads whose present number shares a place (its candidate jurisdictions and zones) share a group, because
their calling window opens and closes together. A group has one heap of leads that rest (by the end of the rest) and one
of leads that are ready (by priority, then fewest attempts, then first come). The window is asked once per change, not
once per lead. An entry is void when the lead has been queued again since: each carries its lead's ticket. Between two
times at which a rest ends or a window changes nothing becomes ready or closed by itself, so nothing is looked at.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from compliance.clearance import Place
from dialer.core.lead import Lead, LeadProgress


class WindowState(Protocol):
    """Whether calls may be begun, and until when that holds."""

    @property
    def open(self) -> bool: ...
    @property
    def changes_at(self) -> float: ...
    @property
    def rule(self) -> str: ...


class Windows(Protocol):
    """The rules, as far as the queue needs them."""

    def window(self, place: Place, now: float) -> WindowState: ...


class QueuedLead:
    """A lead in the queue's table."""

    __slots__ = ("lead", "progress", "ticket")

    def __init__(self, lead: Lead, progress: LeadProgress) -> None:
        self.lead = lead
        self.progress = progress
        self.ticket = 0  # 0: not queued


@dataclass(slots=True)
class _Group:
    place: Place
    resting: list[tuple[float, int, int]] = field(default_factory=list)  # (next_at, ticket, lead)
    ready: list[tuple[int, int, int, int]] = field(default_factory=list)  # (-priority, attempts, ticket, lead)
    open: bool = False
    changes_at: float = -inf  # the window is asked again at this time
    rule: str = ""


class DialQueue:
    """Leads cleared and ordered for dialling."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._groups: dict[Place, _Group] = {}
        self._leads: list[QueuedLead] = []
        self._tickets = 0
        self._open: list[_Group] = []  # whose window is open, as of the last refresh
        self._fresh_from, self._fresh_until = inf, -inf  # when that refresh holds
        self._first_known = False  # whether `_first_group` holds: the open group whose head comes first
        self._first_group: _Group | None = None
        self.queued = 0  # leads that are in the queue, ready or resting

    def __len__(self) -> int:
        return len(self._leads)

    def __getitem__(self, lead: int) -> QueuedLead:
        return self._leads[lead]

    def add(self, lead: Lead, progress: LeadProgress) -> int:
        """Take in a lead, not yet queued; returns its index."""
        self._leads.append(QueuedLead(lead, progress))
        return len(self._leads) - 1

    def restore(self, leads: Sequence[Lead], progress: Sequence[LeadProgress], tickets: Sequence[int]) -> None:
        """Fill an empty queue with leads that were queued in the order of their tickets (0: not queued)."""
        for lead, so_far in zip(leads, progress, strict=True):
            self._leads.append(QueuedLead(lead, so_far))
        for ticket, index in sorted((ticket, index) for index, ticket in enumerate(tickets) if ticket):
            self._tickets = ticket - 1
            self.put(index)

    def put(self, index: int) -> None:
        """Queue a lead (again), by its present progress."""
        entry = self._leads[index]
        place = entry.lead.numbers[entry.progress.number_index].place
        group = self._groups.get(place)
        if group is None:
            group = self._groups[place] = _Group(place)
        if entry.ticket == 0:
            self.queued += 1
        else:
            self._first_known = False  # its old entry is void
        self._tickets += 1
        entry.ticket = self._tickets
        next_at = entry.progress.next_at
        if next_at <= 0.0:  # never tried: most of a fresh list
            heapq.heappush(group.ready, (-entry.lead.priority, entry.progress.attempts, entry.ticket, index))
            self._first_known = False
            next_at = inf
        else:
            heapq.heappush(group.resting, (next_at, entry.ticket, index))
        self._fresh_until = min(self._fresh_until, next_at, group.changes_at)

    def drop(self, index: int) -> None:
        """Take a lead out of the queue, if it is in."""
        entry = self._leads[index]
        if entry.ticket:
            entry.ticket = 0
            self.queued -= 1
            self._first_known = False

    def take(self, count: int, now: float) -> list[tuple[int, float]]:
        """Take up to `count` leads that may be dialled now: (index, until when they may be begun)."""
        taken: list[tuple[int, float]] = []
        while len(taken) < count:
            best = self._first(now)
            if best is None:
                break
            index = heapq.heappop(best.ready)[3]
            self.drop(index)
            taken.append((index, best.changes_at))
        return taken

    def peek(self, now: float) -> int | None:
        """The index of the lead that `take` would give first; None where none may be dialled now."""
        first = self._first(now)
        return None if first is None else first.ready[0][3]

    def next_change_at(self, now: float) -> float | None:
        """When the next lead may become ready; None where nothing is queued or time will not help."""
        earliest = inf
        self._refresh_all(now)
        for group in self._groups.values():
            if not group.open:
                if group.resting or group.ready:
                    earliest = min(earliest, group.changes_at)
            elif not self._head(group) and group.resting:
                earliest = min(earliest, group.resting[0][0])
        return None if earliest == inf else earliest

    def closed_rule(self) -> str:
        """The rule that closes a group which has leads; empty where every such group is open."""
        for group in self._groups.values():
            if not group.open and (group.resting or group.ready):
                return group.rule
        return ""

    def _first(self, now: float) -> _Group | None:
        """The open group whose head comes first; None where nobody is ready."""
        if not self._fresh_from <= now < self._fresh_until:
            self._refresh_all(now)
        if not self._first_known:
            best: _Group | None = None
            for group in self._open:
                if self._head(group) and (best is None or group.ready[0] < best.ready[0]):
                    best = group
            self._first_group, self._first_known = best, True
        return self._first_group

    def _refresh_all(self, now: float) -> None:
        """Bring every group up to `now`, where anything can have changed since the last time."""
        if self._fresh_from <= now < self._fresh_until:
            return
        until = inf
        for group in self._groups.values():
            self._refresh(group, now)
            until = min(until, group.changes_at, group.resting[0][0] if group.resting else inf)
        self._fresh_from, self._fresh_until, self._first_known = now, until, False
        self._open = [group for group in self._groups.values() if group.open]

    def _refresh(self, group: _Group, now: float) -> None:
        """Bring a group up to `now`."""
        if now >= group.changes_at:
            state = self._windows.window(group.place, now)
            group.open, group.changes_at, group.rule = state.open, state.changes_at, state.rule
        resting = group.resting
        while resting and resting[0][0] <= now:
            _, ticket, index = heapq.heappop(resting)
            entry = self._leads[index]
            if entry.ticket == ticket:
                key = (-entry.lead.priority, entry.progress.attempts, ticket, index)
                heapq.heappush(group.ready, key)

    def _head(self, group: _Group) -> bool:
        """Drop void entries from the top; returns whether a ready lead is left."""
        ready = group.ready
        while ready and self._leads[ready[0][3]].ticket != ready[0][2]:
            heapq.heappop(ready)
        return bool(ready)
