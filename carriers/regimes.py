"""Whether a trunk is at its usual level, or degraded: a filter over a few regimes, for each region and destination.

How it works: a long memory is what tells good trunks from better ones, and is slow to see a sudden fall. So each
(trunk, region) and (trunk, destination carrier) is in one of a few hidden regimes: usual, or contacts fallen to one of
`LEVELS`. Each batch of outcomes moves the odds by its Poisson likelihood (the
forward filter of a hidden Markov model: Rabiner 1989, section III.A), so that the reaction is as quick as the evidence
is strong; silence moves them back to their long-run values, and what they say then is the usual level.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from carriers.market import Floats
from carriers.snapshots import array_of

LEVELS = np.array([1.0, 0.62, 0.38, 0.2])  # of contacts, of what is usual
# Oftener than falls happen, and over sooner: a fall that is believed too early costs little, for the next best trunk is
# mostly nearly as good; one that is seen late costs all the while.
FALLS_PER_S = 1.0 / 2_500.0
ENDS_PER_S = 1.0 / 1_000.0
_LONG_RUN = FALLS_PER_S / (FALLS_PER_S + ENDS_PER_S)  # the share of fallen ones


class Regimes:
    """The regimes of K trunks in G groups of cells (regions, or destination carriers). Groups are only ever added."""

    def __init__(self, trunks: int) -> None:
        self.trunks = trunks
        self.odds: Floats = np.empty((trunks, 0, len(LEVELS)))  # probabilities, each row adds up to 1
        self.level: Floats = np.empty((trunks, 0))  # their mean level, 1 where nothing is known
        self.observed: Floats = np.empty((trunks, 0))  # contacts since the last step
        self.expected: Floats = np.empty((trunks, 0))  # as the multipliers, this level among them, had it

    def grow(self, groups: int) -> None:
        """Have room for `groups` groups; new ones begin with the long-run odds."""
        more = groups - self.level.shape[1]
        if more <= 0:
            return
        odds = np.full(len(LEVELS), _LONG_RUN / (len(LEVELS) - 1))
        odds[0] = 1.0 - _LONG_RUN
        self.odds = np.concatenate([self.odds, np.tile(odds, (self.trunks, more, 1))], axis=1)
        self.level = np.concatenate([self.level, np.ones((self.trunks, more))], axis=1)
        nothing = np.zeros((self.trunks, more))
        self.observed = np.concatenate([self.observed, nothing], axis=1)
        self.expected = np.concatenate([self.expected, nothing], axis=1)

    def step(self, elapsed_s: float) -> None:
        """Take in what was counted in the last `elapsed_s` seconds."""
        # Exact for any time: the share of the usual returns to its long-run value, the fallen levels to equal parts.
        usual, fallen = self.odds[..., :1], self.odds[..., 1:]
        now_usual = 1.0 - _LONG_RUN + (usual - 1.0 + _LONG_RUN) * np.exp(-(FALLS_PER_S + ENDS_PER_S) * elapsed_s)
        levels = fallen.shape[2]
        apart = (fallen - (1.0 - usual) / levels) * np.exp(-ENDS_PER_S * elapsed_s)
        odds = np.maximum(np.concatenate([now_usual, (1.0 - now_usual) / levels + apart], axis=2), 0.0)
        at_level = (self.expected / self.level)[..., None] * LEVELS
        # A contact that is taken back takes its evidence back, so counts may be below 0 here.
        likelihood = self.observed[..., None] * np.log(LEVELS) - at_level
        odds *= np.exp(likelihood - likelihood.max(axis=2, keepdims=True))
        self.odds = odds / odds.sum(axis=2, keepdims=True)
        self.level = _level(self.odds)
        self.observed[:] = 0.0
        self.expected[:] = 0.0

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {"odds": self.odds.tolist(), "observed": self.observed.tolist(), "expected": self.expected.tolist()}


def _level(odds: Floats) -> Floats:
    """The mean level, against what it is when nothing is known; never above the usual."""
    usual = 1.0 - _LONG_RUN + _LONG_RUN * LEVELS[1:].mean()
    level: Floats = np.minimum(odds @ LEVELS / usual, 1.0)
    return level


def regimes_of(state: Any, trunks: int) -> Regimes:
    """Return the regimes of which `state` is a snapshot. Raises `ValueError` where its shape is another."""
    made = Regimes(trunks)
    if not isinstance(state, dict):
        raise ValueError(f"expected regimes, found {type(state).__name__}")
    made.odds = array_of(state, "odds", (trunks, None, len(LEVELS)))
    made.observed = array_of(state, "observed", (trunks, made.odds.shape[1]))
    made.expected = array_of(state, "expected", (trunks, made.odds.shape[1]))
    if made.odds.size and not (made.odds.min() >= 0.0 and np.allclose(made.odds.sum(axis=2), 1.0)):
        raise ValueError("expected odds of regimes that add up to 1, found others")
    made.level = _level(made.odds)
    return made
