# mypy: allow-untyped-decorators
"""`models.recalibration.recalibrated`, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from models.attempts import Flags, Floats


@njit(cache=True)
def fill_recalibrated(p: Floats, y: Flags, prior: float, forget: float, lag: int) -> Floats:
    """Mend each of n probabilities by the outcomes at least `lag` before it; `forget` is ln 2 / half-life."""
    above = below = 0.0
    mended = np.empty(len(p))
    for i in range(len(p)):
        known = i - lag
        if known >= 0 and 0.0 <= p[known] <= 1.0:
            keep = np.exp(-p[known] * forget)
            above *= keep
            below *= keep
            if y[known]:
                above += 1.0 - p[known]
            else:
                below += p[known]
        odds = p[i] * (prior + above) / (prior + below)
        mended[i] = odds / (1.0 - p[i] + odds)
    return mended
