"""How likely a live answer is, before any trained model exists: a table learned as the campaign runs."""

from __future__ import annotations

from typing import Any

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
        # Plain lists: one cell is read or written at a time, which an array does five times slower.
        self._cell_seen = [[0.0] * _HOURS for _ in range(_ATTEMPT_BUCKETS)]
        self._cell_answered = [[0.0] * _HOURS for _ in range(_ATTEMPT_BUCKETS)]

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {
            "seen": self._seen,
            "answered": self._answered,
            "cell_seen": [list(row) for row in self._cell_seen],
            "cell_answered": [list(row) for row in self._cell_answered],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another."""
        cells = [[[float(value) for value in row] for row in state[name]] for name in ("cell_seen", "cell_answered")]
        if any([len(row) for row in table] != [_HOURS] * _ATTEMPT_BUCKETS for table in cells):
            shapes = ", ".join(str([len(row) for row in table]) for table in cells)
            raise ValueError(f"expected {_ATTEMPT_BUCKETS} rows of {_HOURS} cells, were rows of {shapes}")
        self._seen, self._answered = float(state["seen"]), float(state["answered"])
        self._cell_seen, self._cell_answered = cells

    @property
    def rate(self) -> float:
        """The campaign's answer rate, in (0, 1)."""
        return self._answered / self._seen

    def probability(self, attempt_no: int, at: float) -> float:
        """The probability of a live answer of a lead's attempt number `attempt_no` (0 is the first) at `at`."""
        bucket, hour = min(attempt_no, _ATTEMPT_BUCKETS - 1), int(at // 3600.0) % _HOURS
        answered = self._cell_answered[bucket][hour] + self._cell_weight * self.rate
        return answered / (self._cell_seen[bucket][hour] + self._cell_weight)

    def learn(self, attempt_no: int, at: float, *, answered: bool) -> None:
        """Learn an outcome."""
        bucket, hour = min(attempt_no, _ATTEMPT_BUCKETS - 1), int(at // 3600.0) % _HOURS
        self._seen = self._seen * self._keep + 1.0
        self._answered = self._answered * self._keep + answered
        seen, answers = self._cell_seen[bucket], self._cell_answered[bucket]
        seen[hour] = seen[hour] * self._keep + 1.0
        answers[hour] = answers[hour] * self._keep + answered
