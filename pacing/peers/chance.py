# mypy: allow-untyped-decorators
"""Random numbers by their number: splitmix64 as a counter (Steele, Lea, Flood, OOPSLA 2014)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit()
def uniform(seed: int, nth: int) -> float:
    """Return the `nth` number in [0, 1) of a seed; both are >= 0."""
    z = np.uint64(seed) + np.uint64(nth + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53
