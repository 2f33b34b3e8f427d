"""The dial queue: which leads may be dialled now, in which order.

How it works: leads whose present number shares a place (its candidate jurisdictions and zones) share a group, because
their calling window opens and closes together. A group has one heap of leads that rest (by the end of the rest) and one
of leads that are ready (by priority, then their rank in the plan of the hour, then fewest attempts, then first come).
The window is asked once per change, not once per lead. An entry is void when the lead has been queued again since: each
carries its lead's ticket. Between two times at which a rest ends or a window changes nothing becomes ready or closed by
itself, so nothing is looked at.

A plan ranks a whole list at once. Leads are not pushed one by one for it: columns of what orders them are sorted, each
group keeps its part of that order and walks along it, past those that were queued again since. Leads that rest, and
those queued after the plan was asked for, stay in the heaps, with their rank. Whichever way a lead is found, its key is
the same: so is the order in which leads are taken.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.clearance import Place
from dialer.core.lead import Lead, LeadProgress

# -priority, rank in the plan, attempts, ticket, lead
Key = tuple[int, int, int, int, int]

UNRANKED = 2**31 - 1  # of leads that the plan does not name, or without a plan
_NO_LEADS: NDArray[np.int32] = np.zeros(0, dtype=np.int32)


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

    __slots__ = ("lead", "priority", "progress", "segment", "ticket")

    def __init__(self, lead: Lead, progress: LeadProgress) -> None:
        self.lead = lead
        self.priority = lead.priority  # its segment's, where that has one; set before the lead is queued
        self.progress = progress
        self.segment = -1  # among the campaign's; -1: of none
        self.ticket = 0  # 0: not queued


@dataclass(slots=True)
class _Group:
    place: Place
    number: int  # among the groups
    resting: list[tuple[float, int, int]] = field(default_factory=list)  # (next_at, ticket, lead)
    ready: list[Key] = field(default_factory=list)
    planned: NDArray[np.int32] = field(default_factory=lambda: _NO_LEADS)  # its part of the plan's order
    walked: int = 0  # of `planned`: how many have been passed
    open: bool = False
    changes_at: float = -inf  # the window is asked again at this time
    rule: str = ""

    @property
    def has_leads(self) -> bool:
        """Whether anybody may stand in it; some of them may be queued elsewhere by now."""
        return bool(self.resting or self.ready or self.walked < len(self.planned))


class DialQueue:
    """Leads cleared and ordered for dialling."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._groups: dict[Place, _Group] = {}
        self._leads: list[QueuedLead] = []
        self._tickets = 0
        self._group_of = array("i")  # by lead, the group that it was last queued in; -1: none yet
        # By lead, as it was last queued: what a plan sorts by, many at a time. A ticket of 0: not queued.
        self._ticket_of, self._attempts_of, self._priority_of = array("q"), array("q"), array("q")
        self._next_at_of = array("d")
        self._rank: NDArray[np.int32] = _NO_LEADS  # by lead
        self._planned_to = 0  # the plan was asked for after this ticket
        self._open: list[_Group] = []  # whose window is open, as of the last refresh
        self._fresh_from, self._fresh_until = inf, -inf  # when that refresh holds
        self._looked_at = -inf  # when rests were last ended
        self._first_known = False  # whether `_first_group` holds: the open group whose head comes first
        self._first_group: _Group | None = None
        self._first_key: Key | None = None
        self.changed: set[int] = set()  # leads that were queued, or moved on, since whoever reads it emptied it
        self.queued = 0  # leads that are in the queue, ready or resting

    def __len__(self) -> int:
        return len(self._leads)

    def __getitem__(self, lead: int) -> QueuedLead:
        return self._leads[lead]

    def add(self, lead: Lead, progress: LeadProgress) -> int:
        """Take in a lead, not yet queued; returns its index."""
        self._leads.append(QueuedLead(lead, progress))
        self._group_of.append(-1)
        for column in (self._ticket_of, self._attempts_of, self._priority_of):
            column.append(0)
        self._next_at_of.append(0.0)
        return len(self._leads) - 1

    def restore(
        self,
        leads: Sequence[Lead],
        progress: Sequence[LeadProgress],
        tickets: Sequence[int],
        *,
        places: Sequence[Place] = (),
        group_of: Sequence[int] | None = None,
        priorities: Sequence[int] = (),
        segments: Sequence[int] = (),
        last_ticket: int = 0,
    ) -> None:
        """Fill an empty queue with leads that were queued in the order of their tickets (0: not queued)."""
        for lead, so_far in zip(leads, progress, strict=True):
            self.add(lead, so_far)
        self._groups = {place: _Group(place, number) for number, place in enumerate(places)}
        self._group_of = self._group_of if group_of is None else array("i", group_of)
        for entry, priority, segment in zip(self._leads, priorities, segments, strict=False):
            entry.priority, entry.segment = priority, segment
        for ticket, index in sorted((ticket, index) for index, ticket in enumerate(tickets) if ticket):
            self._tickets = ticket - 1
            self.put(index)
        self._tickets = max(self._tickets, last_ticket)

    def put(self, index: int) -> None:
        """Queue a lead (again), by its present progress."""
        entry = self._leads[index]
        place = entry.lead.numbers[entry.progress.number_index].place
        group = self._groups.get(place)
        if group is None:
            group = self._groups[place] = _Group(place, len(self._groups))
        if entry.ticket == 0:
            self.queued += 1
        else:
            self._first_known = False  # its old entry is void
        self._tickets += 1
        entry.ticket = self._tickets
        self._group_of[index] = group.number
        self.changed.add(index)
        next_at = entry.progress.next_at
        self._ticket_of[index], self._next_at_of[index] = entry.ticket, next_at
        self._attempts_of[index], self._priority_of[index] = entry.progress.attempts, entry.priority
        if next_at <= 0.0:  # never tried: most of a fresh list
            heapq.heappush(group.ready, self._key(entry, index))
            self._first_known = False
            next_at = inf
        else:
            heapq.heappush(group.resting, (next_at, entry.ticket, index))
        self._fresh_until = min(self._fresh_until, next_at, group.changes_at)

    def drop(self, index: int) -> None:
        """Take a lead out of the queue, if it is in."""
        entry = self._leads[index]
        if entry.ticket:
            entry.ticket = self._ticket_of[index] = 0
            self.queued -= 1
            self._first_known = False

    def take(self, count: int, now: float) -> list[tuple[int, float]]:
        """Take up to `count` leads that may be dialled now: (index, until when they may be begun)."""
        taken: list[tuple[int, float]] = []
        while len(taken) < count:
            best = self._first(now)
            if best is None:
                break
            assert self._first_key is not None
            index = self._first_key[-1]
            self.drop(index)  # what stands of it in a heap or in the plan is void now
            taken.append((index, best.changes_at))
        return taken

    def peek(self, now: float) -> int | None:
        """The index of the lead that `take` would give first; None where none may be dialled now."""
        first = self._first(now)
        return None if first is None or self._first_key is None else self._first_key[-1]

    # ---- the plan of the hour ---------------------------------------------------------------------------------
    @property
    def tickets(self) -> int:
        """The last ticket that was given."""
        return self._tickets

    @property
    def planned_to(self) -> int:
        """The last ticket before the plan that is followed was asked for."""
        return self._planned_to

    @property
    def places(self) -> list[Place]:
        """The places of the groups, by their number."""
        return list(self._groups)

    @property
    def group_of(self) -> NDArray[np.int32]:
        """Each lead's group, by its last queueing; -1: never queued. A copy."""
        return np.frombuffer(self._group_of, dtype=np.int32).copy() if self._group_of else _NO_LEADS

    def follow(self, order: NDArray[np.int32], asked_at_ticket: int) -> None:
        """Rank leads by a plan: by priority, the best first; those that it does not name come after all that it does,
        of the same priority. The plan knew of all that was queued up to a ticket, priorities included. Raises
        `ValueError` for a lead that is not here."""
        leads = len(self._leads)
        if len(order) and not (int(order.min()) >= 0 and int(order.max()) < leads):
            raise ValueError(f"expected leads in [0, {leads}), found {int(order.min())} to {int(order.max())}")
        rank = np.full(leads, UNRANKED, dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        self._rank, self._planned_to = rank, max(self._planned_to, asked_at_ticket)
        tickets, ready = np.frombuffer(self._ticket_of, np.int64), self._ready()
        before = ready & (tickets <= self._planned_to)
        covered = self._sorted(order[before[order]], np.flatnonzero(before & (rank == UNRANKED)))
        parts, later = self._by_group(covered), self._by_group(np.flatnonzero(ready & ~before).astype(np.int32))
        for group, part, since in zip(self._groups.values(), parts, later, strict=True):
            group.planned, group.walked = part, 0
            # Made anew from those queued since: to look through a whole list's entries for them would take far longer.
            group.ready = [self._key(self._leads[index], index) for index in since.tolist()]
            heapq.heapify(group.ready)
        self._first_known = False

    def _ready(self) -> NDArray[np.bool_]:
        """Which leads are queued and rest no longer, by the last look, shape (leads,)."""
        tickets, next_at = np.frombuffer(self._ticket_of, np.int64), np.frombuffer(self._next_at_of, np.float64)
        ready: NDArray[np.bool_] = tickets > 0
        ready &= (next_at <= 0.0) | (next_at <= self._looked_at)
        return ready

    def _by_group(self, leads: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """Part leads by their groups, their order kept."""
        groups = self.group_of[leads]
        by_group = np.argsort(groups, kind="stable")
        bounds = np.searchsorted(groups[by_group], np.arange(len(self._groups) + 1)).tolist()
        return [leads[by_group[begin:end]] for begin, end in pairwise(bounds)]

    def _sorted(self, ranked: NDArray[np.int32], others: NDArray[np.int64]) -> NDArray[np.int32]:
        """Sort leads as their keys do: those of the plan stand in its order, the others come after them, and all of
        them by priority first."""
        tickets, attempts = np.frombuffer(self._ticket_of, np.int64), np.frombuffer(self._attempts_of, np.int64)
        others = others[np.lexsort((tickets[others], attempts[others]))]
        both = np.concatenate([ranked, others.astype(np.int32)])
        behind = -np.frombuffer(self._priority_of, np.int64)[both]
        return both if (np.diff(behind) >= 0).all() else both[np.argsort(behind, kind="stable")]

    def _key(self, entry: QueuedLead, index: int) -> Key:
        rank = int(self._rank[index]) if index < len(self._rank) else UNRANKED
        return (-entry.priority, rank, entry.progress.attempts, entry.ticket, index)

    def _planned_head(self, group: _Group, now: float) -> Key | None:
        """The key of the group's first lead along the plan that is ready."""
        planned, leads, planned_to = group.planned, self._leads, self._planned_to
        while group.walked < len(planned):
            index = int(planned[group.walked])
            entry = leads[index]
            if (
                0 < entry.ticket <= planned_to
                and entry.progress.next_at <= now
                and self._group_of[index] == group.number
            ):
                return self._key(entry, index)
            group.walked += 1
        return None

    def next_change_at(self, now: float) -> float | None:
        """When the next lead may become ready; None where nothing is queued or time will not help."""
        earliest = inf
        self._refresh_all(now)
        for group in self._groups.values():
            if not group.open:
                if group.has_leads:
                    earliest = min(earliest, group.changes_at)
            elif self._head(group, now) is None and group.resting:
                earliest = min(earliest, group.resting[0][0])
        return None if earliest == inf else earliest

    def closed_rule(self) -> str:
        """The rule that closes a group which has leads; empty where every such group is open."""
        for group in self._groups.values():
            if not group.open and group.has_leads:
                return group.rule
        return ""

    def _first(self, now: float) -> _Group | None:
        """The open group whose head comes first; None where nobody is ready."""
        if not self._fresh_from <= now < self._fresh_until:
            self._refresh_all(now)
        if not self._first_known:
            best: _Group | None = None
            first: Key | None = None
            for group in self._open:
                key = self._head(group, now)
                if key is not None and (first is None or key < first):
                    best, first = group, key
            self._first_group, self._first_key, self._first_known = best, first, True
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
        self._looked_at = now
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
                heapq.heappush(group.ready, self._key(entry, index))

    def _head(self, group: _Group, now: float) -> Key | None:
        """Drop void entries from the top; returns the key of the first lead that is ready."""
        ready = group.ready
        while ready and self._leads[ready[0][4]].ticket != ready[0][3]:
            heapq.heappop(ready)
        if not len(group.planned):
            return ready[0] if ready else None
        planned = self._planned_head(group, now)
        if planned is None or (ready and ready[0] < planned):
            return ready[0] if ready else None
        return planned
