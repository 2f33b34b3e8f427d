"""What the priced policy learns of time: how long agents are taken, and when lines are answered or end otherwise.

Learning is a count in a bin, O(1). The tables that decisions look up are derived when enough has been learned since
the last time (`TimeTables.refresh`), in tens of microseconds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pacing import kernels
from pacing.view import Floats, PacingView

# Half-lives, in observations: habits of agents and networks change over hours, not minutes.
HANDLE_HALF_LIFE = 2000.0
DELAY_HALF_LIFE = 2000.0
# Priors, and how many observations they weigh. Handle times are near lognormal (cv about 1); their mean is learned too.
PRIOR_HANDLE_S = 180.0
PRIOR_HANDLE_SIGMA = 0.83
PRIOR_HANDLES = 5.0
PRIOR_AGENTS = 15.0
PRIOR_LINES = 5.0
MOST_UNUSED = 64  # refresh at the latest after that many observations

_MOST_WEIGHT = 1e9


class FadingCounts:
    """A histogram in which an observation counts half after `half_life` more of them."""

    __slots__ = ("bins", "counts", "growth", "total", "weight", "width_s")

    def __init__(self, *, width_s: float, bins: int, half_life: float) -> None:
        self.width_s = width_s
        self.bins = bins
        self.growth = 2.0 ** (1.0 / half_life)
        self.counts: Floats = np.zeros(bins)
        # The newest observation weighs `weight`: growing it is the same as fading all the others, and O(1).
        self.weight = 1.0
        self.total = 0.0  # sum of the observed values, in the same weights

    def observe(self, value_s: float) -> None:
        """Count a value; beyond the last bin it counts as the last. Raises ValueError unless 0 <= value < inf."""
        if not 0.0 <= value_s < math.inf:
            raise ValueError(f"expected a duration in seconds >= 0, was {value_s}")
        self.weight *= self.growth
        self.counts[min(int(value_s / self.width_s), self.bins - 1)] += self.weight
        self.total += self.weight * value_s
        if self.weight > _MOST_WEIGHT:
            self.counts /= self.weight
            self.total /= self.weight
            self.weight = 1.0

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain JSON values: counts by bin, empty bins left out."""
        filled = np.flatnonzero(self.counts)
        counts = dict(zip(map(str, filled.tolist()), self.counts[filled].tolist(), strict=True))
        return {"counts": counts, "weight": self.weight, "total": self.total}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot."""
        self.counts[:] = 0.0
        for i, count in state["counts"].items():
            self.counts[int(i)] = count
        self.weight = state["weight"]
        self.total = state["total"]


def _prior_answers() -> Floats:
    """Return a prior of answer delays by bin: 3 s to set up, then a gamma of shape 2 and mean 8 s."""
    edges = np.maximum(np.arange(kernels.DELAY_BINS + 1) * kernels.DELAY_WIDTH_S - 3.0, 0.0) / 4.0
    share = np.diff(1.0 - (1.0 + edges) * np.exp(-edges))
    return np.asarray(share / share.sum())


def _prior_other_ends() -> Floats:
    """Return a prior of other delays by bin: a tenth within 2 to 6 s (busy, failed), the rest spread over 15 to 60 s,
    as the ring time-out is not known."""
    starts = np.arange(kernels.DELAY_BINS) * kernels.DELAY_WIDTH_S
    fast = (starts >= 2.0) & (starts < 6.0)
    slow = (starts >= 15.0) & (starts < 60.0)
    return np.asarray(0.1 * fast / fast.sum() + 0.9 * slow / slow.sum())


_PRIOR_ANSWERS = _prior_answers()
_PRIOR_OTHER_ENDS = _prior_other_ends()
_DERIVED = ("survival", "answered_by", "ended_by")


class TimeTables:
    """Learned clocks, and the look-up rows derived from them (see `kernels` for shapes and meanings)."""

    def __init__(self) -> None:
        self.handled = FadingCounts(
            width_s=kernels.HANDLE_WIDTH_S, bins=kernels.HANDLE_BINS, half_life=HANDLE_HALF_LIFE
        )
        self.answered = FadingCounts(width_s=kernels.DELAY_WIDTH_S, bins=kernels.DELAY_BINS, half_life=DELAY_HALF_LIFE)
        self.ended = FadingCounts(width_s=kernels.DELAY_WIDTH_S, bins=kernels.DELAY_BINS, half_life=DELAY_HALF_LIFE)
        self.unused = 0  # observations since the last refresh
        self.refreshed_at_count = -1  # observations ever at the last refresh; -1: never refreshed
        self.survival: Floats = np.zeros(kernels.HANDLE_BINS + 1)
        self.answered_by: Floats = np.zeros(kernels.DELAY_BINS + 1)
        self.ended_by: Floats = np.zeros(kernels.DELAY_BINS + 1)
        self.taus: Floats = np.zeros(kernels.TAUS)
        self.finish: Floats = np.zeros((kernels.FINISH_ROWS, kernels.TAUS))
        self.answer: Floats = np.zeros((kernels.DELAY_BINS, kernels.TAUS))

    @property
    def stale(self) -> bool:
        """Whether enough was learned to derive the tables anew: a tenth more than before, or MOST_UNUSED."""
        return self.refreshed_at_count < 0 or self.unused > min(0.1 * self.refreshed_at_count, MOST_UNUSED)

    def refresh(self, view: PacingView) -> None:
        """Derive the tables from the counts and from the calls in progress."""
        handled, since = self.handled, view.handling_since
        in_progress_s = float(np.sum(view.now - since))
        ended = float(handled.counts.sum()) / handled.weight
        # Time taken per call ended: right for any shape once all is seen, and not fooled by short calls ending first.
        mean_s = (PRIOR_HANDLES * PRIOR_HANDLE_S + handled.total / handled.weight + in_progress_s) / (
            PRIOR_HANDLES + ended
        )
        kernels.fill_survival(
            handled.counts,
            handled.weight,
            since,
            view.now,
            max(mean_s, 1.0),
            PRIOR_HANDLE_SIGMA,
            PRIOR_AGENTS,
            self.survival,
        )
        for counts, prior, table in (
            (self.answered, _PRIOR_ANSWERS, self.answered_by),
            (self.ended, _PRIOR_OTHER_ENDS, self.ended_by),
        ):
            kernels.fill_distribution(counts.counts, counts.weight, prior, PRIOR_LINES, table)
        self._fill_rows()
        self.refreshed_at_count = max(self.refreshed_at_count, 0) + self.unused
        self.unused = 0

    def _fill_rows(self) -> None:
        kernels.fill_taus(self.answered_by, self.taus)
        kernels.fill_rows(self.survival, self.answered_by, self.taus, self.finish, self.answer)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain JSON values. The derived tables go along: they are as of their last refresh."""
        return {
            "handled": self.handled.snapshot(),
            "answered": self.answered.snapshot(),
            "ended": self.ended.snapshot(),
            "unused": self.unused,
            "refreshed_at_count": self.refreshed_at_count,
            **{name: getattr(self, name).tolist() for name in _DERIVED},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises ValueError where a table has another length."""
        for name in _DERIVED:
            table = getattr(self, name)
            if len(state[name]) != len(table):
                raise ValueError(f"expected {len(table)} values of {name}, were {len(state[name])}")
            table[:] = state[name]
        self.handled.restore(state["handled"])
        self.answered.restore(state["answered"])
        self.ended.restore(state["ended"])
        self.unused = state["unused"]
        self.refreshed_at_count = state["refreshed_at_count"]
        self._fill_rows()
