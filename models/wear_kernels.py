# mypy: allow-untyped-decorators
"""Wear as of each attempt, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True)
def fill_wear(
    at: Floats,
    lead: NDArray[np.int32],
    answered: NDArray[np.bool_],
    order: NDArray[np.int64],
    half_lives_s: Floats,
    before: Floats,
    now: Floats,
    counts: Floats,
) -> None:
    """Fill, for each attempt, what its lead had gone through before it.

    `order` (n,): rows by lead, then by time. `before` (n, half-lives): wear just after the attempt before; `now`: what
    is left of it. `counts` (n, 2): unanswered and answered attempts before. A lead's first attempt has zeros.
    """
    for place in range(1, len(order)):
        row, last = order[place], order[place - 1]
        if lead[row] != lead[last]:
            continue
        hit = 1 if answered[last] else 0
        counts[row, 0] = counts[last, 0] + 1 - hit
        counts[row, 1] = counts[last, 1] + hit
        for k in range(len(half_lives_s)):
            before[row, k] = now[last, k] + 1 - hit
            now[row, k] = before[row, k] * 2.0 ** (-(at[row] - at[last]) / half_lives_s[k])
