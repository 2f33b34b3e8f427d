"""How likely a live answer is, before any trained model exists: a table learned as the campaign runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ATTEMPT_BUCKETS = 5  # the first four attempts, then all later ones
_HOURS = 24


class AnswerTable:
    """Answer rates by attempt number and hour (UTC), each shrunk to the campaign's own rate.

    The campaign's rate starts at `prior_rate`, worth `prior_weight` outcomes; a cell is worth its own outcomes against
    `cell_weight` of the campaign's. Counts are forgotten with a half-life of `half_life` outcomes. (Empirical Bayes
    shrinkage of beta-binomial cells towards their parent.)
    """

    def __init__(
        self,
        *,
        prior_rate: float = 0.2,
        prior_weight: float = 20.0,
        cell_weight: float = 50.0,
        half_life: float = 2000.0,
    ) -> None:
        self._cell_weight = cell_weight
        self._keep = 0.5 ** (1.0 / half_life)
        self._seen = prior_weight
        self._answered = prior_rate * prior_weight
        self._cell_seen: NDArray[np.float64] = np.zeros((_ATTEMPT_BUCKETS, _HOURS))
        self._cell_answered: NDArray[np.float64] = np.zeros((_ATTEMPT_BUCKETS, _HOURS))

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {
            "seen": self._seen,
            "answered": self._answered,
            "cell_seen": self._cell_seen.tolist(),
            "cell_answered": self._cell_answered.tolist(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another."""
        cells = np.array([state["cell_seen"], state["cell_answered"]], dtype=np.float64)
        if cells.shape != (2, _ATTEMPT_BUCKETS, _HOURS):
            raise ValueError(f"expected cells of shape (2, {_ATTEMPT_BUCKETS}, {_HOURS}), was {cells.shape}")
        self._seen, self._answered = float(state["seen"]), float(state["answered"])
        self._cell_seen, self._cell_answered = cells[0].copy(), cells[1].copy()

    @property
    def rate(self) -> float:
        """The campaign's answer rate, in (0, 1)."""
        return self._answered / self._seen

    def probability(self, attempt_no: int, at: float) -> float:
        """The probability of a live answer of a lead's attempt number `attempt_no` (0 is the first) at `at`."""
        cell = _cell(attempt_no, at)
        answered = float(self._cell_answered[cell])
        seen = float(self._cell_seen[cell])
        return (answered + self._cell_weight * self.rate) / (seen + self._cell_weight)

    def learn(self, attempt_no: int, at: float, *, answered: bool) -> None:
        """Learn an outcome."""
        cell = _cell(attempt_no, at)
        self._seen = self._seen * self._keep + 1.0
        self._cell_seen[cell] = self._cell_seen[cell] * self._keep + 1.0
        self._answered = self._answered * self._keep + answered
        self._cell_answered[cell] = self._cell_answered[cell] * self._keep + answered


def _cell(attempt_no: int, at: float) -> tuple[int, int]:
    return min(attempt_no, _ATTEMPT_BUCKETS - 1), int(at // 3600.0) % _HOURS
