"""What is left of the contacts that a list was expected to bring when a planner first told of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.attempts import Flags, Singles
from models.wear import wear_index

_HOURS = 24


class WearSinceLoad:
    """Holds, of each lead, what a call in each hour of the day was worth when it was first told.

    Hours are compared with the same hour of the day, so that an evening is no recovery. An hour that was over when a
    lead was first told has nothing to be compared with; the index of the hour before stands.
    """

    def __init__(self, leads: int) -> None:
        self._known = np.zeros(leads, dtype=np.bool_)
        self._at_load: dict[int, Singles] = {}  # by hour of the (UTC) day, NaN unknown
        self._left = np.full(leads, np.nan, dtype=np.float32)  # of what was expected of a lead, as last told
        self._index: float | None = None

    def load(self, hours: Sequence[int], rows: NDArray[np.int64], answer: Singles, value: Singles) -> None:
        """Keep the worth of leads that are told for the first time.

        `hours`: UTC hours since 1970. `rows` (m,): leads. `answer` (m, hours): chance of an answer, 0 where nobody is
        called. `value` (m,): right-party contacts of an answer.
        """
        fresh = np.flatnonzero(~self._known[rows])
        if not len(fresh):
            return
        leads = rows[fresh]
        for place, hour in enumerate(hours[:_HOURS]):
            column = self._at_load.setdefault(hour % _HOURS, np.full(len(self._known), np.nan, dtype=np.float32))
            column[leads] = answer[fresh, place] * value[fresh]
        self._known[leads] = True

    def index(self, hour: int, rows: NDArray[np.int64], now: Singles, *, gone: Flags) -> float | None:
        """Return the contacts still expected / those at load, None where nobody was loaded.

        `now` (m,): worth of a call in this hour of the leads `rows`. `gone` (leads,): not called any more, worth 0. One
        that rests until another day counts as it was last told.
        """
        at_load = self._at_load.get(hour % _HOURS)
        if at_load is not None:
            loaded = at_load[rows]
            self._left[rows] = np.divide(now, loaded, out=self._left[rows], where=loaded > 0.0)
            left = np.where(gone, np.float32(0.0), self._left)
            found = wear_index((left * at_load).astype(np.float64), at_load.astype(np.float64))
            self._index = self._index if found is None else found
        return self._index
