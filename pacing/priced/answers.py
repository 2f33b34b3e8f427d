# mypy: allow-untyped-decorators
"""How a campaign's leads answer, against what their probabilities promised.

How it works: a slow ratio of answers seen to answers promised is what forecasts use; it is steady, and an unsteady one
costs occupancy. A fast ratio stands beside it. When the two differ by more than SURPRISE standard deviations, the day
has changed, and the slow one starts again from the fast one.
"""

from __future__ import annotations

from typing import Any

from numba import njit

SLOW_HALF_LIFE = 500.0  # outcomes
FAST_HALF_LIFE = 40.0
SURPRISE = 3.0
PROMISED_MIN = 5.0  # answers promised to the fast ratio before it may surprise
MULTIPLIER_MIN, MULTIPLIER_MAX = 0.1, 10.0

_SLOW_FADE = 0.5 ** (1.0 / SLOW_HALF_LIFE)
_FAST_FADE = 0.5 ** (1.0 / FAST_HALF_LIFE)


@njit()
def learn_outcome(s: Any, seen: float, probability: float) -> None:
    """Learn of one line: `seen` is 1 for a live answer, else 0; `probability` is what was promised at launch."""
    if s.frozen_answers != 0.0:
        return
    expected = min(probability * s.multiplier, 1.0)
    s.slow_seen = s.slow_seen * _SLOW_FADE + seen
    s.slow_promised = s.slow_promised * _SLOW_FADE + probability
    s.fast_seen = s.fast_seen * _FAST_FADE + seen
    s.fast_promised = s.fast_promised * _FAST_FADE + probability
    # The floor keeps outcomes that were held for certain from making any surprise infinite.
    s.fast_variance = s.fast_variance * _FAST_FADE * _FAST_FADE + max(expected * (1.0 - expected), 0.01)
    ratio = s.slow_seen / s.slow_promised if s.slow_promised > 0.0 else 1.0
    difference = s.fast_seen - ratio * s.fast_promised
    if difference * difference > SURPRISE * SURPRISE * s.fast_variance and s.fast_promised >= PROMISED_MIN:
        s.slow_seen = s.fast_seen
        s.slow_promised = s.fast_promised
        ratio = s.slow_seen / s.slow_promised
    s.multiplier = min(max(ratio, MULTIPLIER_MIN), MULTIPLIER_MAX)
