# mypy: allow-untyped-decorators
"""Random numbers by purpose and subject: splitmix64 as a counter (Steele, Lea, Flood, OOPSLA 2014)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.fast.layout import CELLS, Day


@njit()
def uniform(keys: NDArray[np.uint64], purpose: int, subject: int) -> float:
    """Return the number in [0, 1) of a purpose and a subject >= 0."""
    z = keys[purpose] + np.uint64(subject + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@njit(forceinline=True)
def seconds(day: Day, table: int, subject: int) -> float:
    """Return the duration of a subject: one of a table's cells, each as likely."""
    return float(day.tables[table, int(uniform(day.keys, table, subject) * CELLS)])
