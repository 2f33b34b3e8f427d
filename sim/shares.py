"""Choosing by share."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
import numpy.typing as npt

# Multiples of these, modulo 1, are spread evenly, and independently of each other (Roberts' R2 sequence).
_STRIDES = (0.7548776662466927, 0.5698402909980532)


class Shares:
    """Chooses one of several by their shares, which need not add up to 1. Raises `ValueError` where all are 0."""

    __slots__ = ("_bounds",)

    def __init__(self, shares: Iterable[float]) -> None:
        self._bounds = list(accumulate(shares))
        if not self._bounds or self._bounds[-1] <= 0:
            raise ValueError(f"expected shares that add up to more than 0, was {self._bounds}")

    def at(self, u: float) -> int:
        """Return which one a uniform number `u` in [0, 1) falls on."""
        return bisect(self._bounds, u * self._bounds[-1])

    def all_at(self, us: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The same for many numbers."""
        return np.searchsorted(self._bounds, us * self._bounds[-1], side="right")

    def spread(self, index: int, stride: int) -> int:
        """Return which one member `index` of a group gets: the first n have nearly exact shares, whatever n is.

        `stride` 0 or 1: two sequences that have nothing to do with each other.
        """
        return self.at((0.5 + index * _STRIDES[stride]) % 1.0)
