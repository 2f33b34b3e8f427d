"""Which leads of a whole list may be called now, and when each may be next.

How it works: the hours depend on the place alone, and a list has far fewer places than leads. So each place is asked
once and again only when its answer ends; a lead's is one number, the index of its place, and the mask of a million
leads is one gather and two comparisons. Caps are not asked here: they change with every call and are checked with the
claim.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from compliance.clearance import Place
from compliance.ruleset import RuleSet

# Leads that are ready later than the first of these days ahead are looked up for all the days that they need.
_LOOK_AHEAD_DAYS = 15
_HORIZON_DAYS = 400

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


def places_of(leads: Iterable[Place]) -> tuple[list[Place], Indices]:
    """Return the distinct places of a list in the order of their first lead, and for each lead the index of its own."""
    index: defaultdict[Place, int] = defaultdict()
    index.default_factory = index.__len__
    place_of = np.fromiter(map(index.__getitem__, leads), dtype=np.int32)
    return list(index), place_of


class Eligibility:
    """The leads of a list under a rule set.

    `place_of` (int32) are indices into `places`, `ready_at` (UTC seconds) is when a lead may be tried again, `stopped`
    says that it never may; all of one length. The arrays are kept, not copied: a change of theirs shows at the next
    question.
    """

    def __init__(
        self,
        rules: RuleSet,
        places: Sequence[Place],
        place_of: Indices,
        ready_at: Floats,
        stopped: Bools,
    ) -> None:
        if not len(place_of) == len(ready_at) == len(stopped):
            raise ValueError(
                f"expected one place, time and stop a lead, was {len(place_of)}, {len(ready_at)}, {len(stopped)}"
            )
        if len(place_of) and not 0 <= int(place_of.min()) <= int(place_of.max()) < len(places):
            raise ValueError(f"expected indices of {len(places)} places, was {place_of.min()} to {place_of.max()}")
        self.places = tuple(places)
        self.place_of = place_of
        self.ready_at = ready_at
        self.stopped = stopped
        self._rules = rules
        self._open = np.zeros(len(places), dtype=np.bool_)
        self._since = np.full(len(places), math.inf)
        self._changes_at = np.full(len(places), -math.inf)
        self._leads_of: list[npt.NDArray[np.intp]] | None = None

    def mask(self, now: float) -> Bools:
        """Return for each lead whether it may be called at `now`, as far as hours, its own time and stops go."""
        callable_now: Bools = self._open_at(now)[self.place_of]
        callable_now &= self.ready_at <= now
        callable_now &= ~self.stopped
        return callable_now

    def next_change_at(self, now: float) -> float:
        """Return when the hours of any place next change: until then only the leads' own times move the mask."""
        self._open_at(now)
        return float(self._changes_at.min(initial=math.inf))

    def closed_by(self, now: float) -> list[str]:
        """Return for each place the id of the rule that closes it at `now`; empty where it is open."""
        states = (self._rules.window(place, now) for place in self.places)
        return ["" if state.open else state.rule for state in states]

    def next_callable_at(self, now: float) -> Floats:
        """Return for each lead the first time from `now` on at which it may be called; infinity: none in sight.

        What is not open within 400 days counts as never.
        """
        at = np.maximum(self.ready_at, now)
        at[self.stopped] = math.inf
        for place, leads in zip(self.places, self._leads_by_place(), strict=True):
            at[leads] = self._first_open(place, now, at[leads])
        return at

    def _open_at(self, now: float) -> Bools:
        """Ask again of the places whose answer has ended (or had not begun, where time is asked for backwards)."""
        for index in np.flatnonzero((self._changes_at <= now) | (now < self._since)).tolist():
            state = self._rules.window(self.places[index], now)
            self._open[index], self._changes_at[index], self._since[index] = state.open, state.changes_at, now
        return self._open

    def _leads_by_place(self) -> list[npt.NDArray[np.intp]]:
        if self._leads_of is None:
            order = np.argsort(self.place_of, kind="stable")
            ends = np.cumsum(np.bincount(self.place_of, minlength=len(self.places)))
            self._leads_of = np.split(order, ends[:-1]) if len(self.places) else []
        return self._leads_of

    def _first_open(self, place: Place, now: float, at: Floats) -> Floats:
        """Return the first moments from `at` on at which the place is open."""
        waiting = at[np.isfinite(at)]
        if not len(waiting):
            return at
        days = min(_HORIZON_DAYS, _LOOK_AHEAD_DAYS + int((float(waiting.max()) - now) // 86_400))
        begins, ends = self._times(place, now, days)
        if days < _HORIZON_DAYS and (not len(ends) or ends[-1] <= waiting.max()):
            begins, ends = self._times(place, now, _HORIZON_DAYS)
        # The first span that ends after the moment: it holds the moment, or begins next.
        span = np.searchsorted(ends, at, side="right")
        opens: Floats = np.maximum(at, np.append(begins, math.inf)[span])
        return opens

    def _times(self, place: Place, now: float, days: int) -> tuple[Floats, Floats]:
        spans = np.array(list(self._rules.open_times(place, now, days=days)), dtype=np.float64).reshape(-1, 2)
        return spans[:, 0], spans[:, 1]
