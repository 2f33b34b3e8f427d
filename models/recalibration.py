"""Mend a model's probabilities as outcomes arrive: observed against expected, on the odds, forgotten with a half-life.

The ratio of odds is Mantel and Haenszel's (1959) estimate over single trials, sum y(1-p) / sum (1-y)p: for small p it
is observed over expected, and for any p it does not lean where all true odds are the same multiple of the told ones.
Sums begin at `prior`, as a Gamma prior on a Poisson rate does, so that few outcomes change little.
"""

from __future__ import annotations

from math import exp, isfinite, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.attempts import Flags, Floats

_LN2 = log(2.0)


class OnlineRatio:
    """By how much true odds exceed told odds. A ratio of 1 before anything is learned.

    `prior`: expected answers' worth of belief in a ratio of 1. `half_life`: in expected answers, after which an outcome
    weighs half. Learn with the probability as the model told it, before `apply`.
    """

    __slots__ = ("_above", "_below", "_forget", "_prior")

    def __init__(self, prior: float = 20.0, half_life: float = 200.0) -> None:
        if not (0.0 < prior < float("inf") and half_life > 0.0):
            raise ValueError(f"expected prior and half_life above 0, were {prior} and {half_life}")
        self._prior = prior
        self._forget = _LN2 / half_life
        self._above = self._below = 0.0  # what y exceeds p by where it does, and what p exceeds y by

    def learn(self, expected: float, observed: bool) -> None:
        """Learn one outcome: `expected` its told probability in [0, 1]; NaN teaches nothing."""
        if not 0.0 <= expected <= 1.0:
            return
        keep = exp(-expected * self._forget)
        self._above *= keep
        self._below *= keep
        if observed:
            self._above += 1.0 - expected
        else:
            self._below += expected

    @property
    def ratio(self) -> float:
        """True odds over told odds, above 0."""
        return (self._prior + self._above) / (self._prior + self._below)

    @property
    def weight(self) -> float:
        """How much was learned, in expected answers, less what is forgotten."""
        return self._below

    def apply(self, p: float) -> float:
        """Mend a told probability; stays in [0, 1] and keeps the order of any two."""
        odds = p * self.ratio
        total = 1.0 - p + odds
        return odds / total

    def apply_all(self, p: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """`apply` over an array, of its own type."""
        odds = p * p.dtype.type(self.ratio)
        mended: NDArray[np.floating[Any]] = odds / (1 - p + odds)
        return mended

    def snapshot(self) -> dict[str, float]:
        """What was learned, as plain values."""
        return {"above": self._above, "below": self._below}

    def restore(self, state: dict[str, float]) -> None:
        """Take up a snapshot. Raises `ValueError` where a sum is missing, negative or no number."""
        try:
            above, below = float(state["above"]), float(state["below"])
        except (KeyError, TypeError) as fault:
            raise ValueError(f"expected the sums above and below, found {sorted(state)}") from fault
        if not (isfinite(above) and isfinite(below) and above >= 0.0 and below >= 0.0):
            raise ValueError(f"expected sums of at least 0, were {above} and {below}")
        self._above, self._below = above, below


def recalibrated(p: Floats, y: Flags, *, prior: float = 20.0, half_life: float = 200.0, lag: int = 1) -> Floats:
    """Mend probabilities in the order of time, each by the outcomes of the rows at least `lag` (>= 1) before it.

    The same as `apply` before `learn`, row by row, with one `OnlineRatio`. NaN stays NaN and teaches nothing.
    """
    if lag < 1 or len(p) != len(y):
        raise ValueError(f"expected as many outcomes as probabilities and a lag of 1 or more, were {len(y)}, {lag}")
    # The engine's core takes the ratio alone, and should not wait for a compiler.
    from models.recalibration_kernels import fill_recalibrated

    told = np.ascontiguousarray(p, dtype=np.float64)
    seen = np.ascontiguousarray(y, dtype=np.bool_)
    mended: Floats = fill_recalibrated(told, seen, prior, _LN2 / half_life, lag)
    return mended
