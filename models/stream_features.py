"""What a stream of calls tells of its next one: success rates of late, overall and of each column's value.

How it works: rates are sums forgotten with a half-life in rows. A value's rate is told as observed over expected, where
expected is what the whole stream did at the time: so a column's value is not credited with a change that hit everybody
(target encoding in the order of time, Micci-Barreca 2001, shrunk as a Gamma-Poisson rate). An outcome is used from
`delay` rows after its call on: calls overlap.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.attempts import Flags, Floats, Singles

Codes64 = NDArray[np.int64]

MOST_VALUES = 60  # a column of numbers with more is cut into bins
_BINS = 10
_RATE_PRIOR = 20.0  # rows' worth of the longest rate in the shorter ones


def codes_of(column: Floats | Singles, seen: int, *, named: bool) -> tuple[Codes64, int]:
    """Return a code >= 0 of each row's value, and how many codes there are; unknown (NaN) has its own.

    Numbers with more than `MOST_VALUES` values in the first `seen` rows are cut at those rows' deciles; all others, and
    the numbers of a column of names (`named`), are values by themselves.
    """
    values = np.asarray(column, dtype=np.float64)
    known = values[:seen][~np.isnan(values[:seen])]
    if named or len(np.unique(known)) <= MOST_VALUES:
        distinct, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.int64).reshape(-1), max(1, len(distinct))
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="right").astype(np.int64)
    codes[np.isnan(values)] = len(edges) + 1
    return codes, len(edges) + 2


def late_rates(y: Flags, half_lives: tuple[float, ...], delay: int) -> Floats:
    """Return logits of the success rate of late, one column a half-life (rows, ascending), as known before each row."""
    rates: Floats = _late_rates(np.asarray(y, dtype=np.float64), np.asarray(half_lives, dtype=np.float64), delay)
    return rates


def value_ratios(
    codes: Codes64, count: int, y: Flags, base: Floats, half_life: float, prior: float, delay: int
) -> Floats:
    """Return log observed/expected of each row's value as known before the row; `base` are logits of expectation.

    `prior`: successes' worth of belief in a ratio of 1.
    """
    told: Floats = _value_ratios(codes, count, np.asarray(y, dtype=np.float64), base, half_life, prior, delay)
    return told


@njit(cache=True)
def _late_rates(y: Floats, half_lives: Floats, delay: int) -> Floats:
    kinds = len(half_lives)
    told = np.empty((len(y), kinds))
    seen, good = np.zeros(kinds), np.zeros(kinds)
    keep = 0.5 ** (1.0 / half_lives)
    for i in range(len(y)):
        if i >= delay:
            for h in range(kinds):
                seen[h] = seen[h] * keep[h] + 1.0
                good[h] = good[h] * keep[h] + y[i - delay]
        longest = (good[kinds - 1] + 0.5) / (seen[kinds - 1] + 5.0)
        for h in range(kinds):
            rate = (good[h] + _RATE_PRIOR * longest) / (seen[h] + _RATE_PRIOR)
            told[i, h] = np.log(rate / (1.0 - rate))
    return told


@njit(cache=True)
def _value_ratios(
    codes: Codes64, count: int, y: Floats, base: Floats, half_life: float, prior: float, delay: int
) -> Floats:
    told = np.empty(len(codes))
    observed, expected, last = np.zeros(count), np.zeros(count), np.zeros(count)
    for i in range(len(codes)):
        known = i - delay
        if known >= 0:
            code = codes[known]
            keep = 0.5 ** ((known - last[code]) / half_life)
            observed[code] = observed[code] * keep + y[known]
            expected[code] = expected[code] * keep + 1.0 / (1.0 + np.exp(-base[known]))
            last[code] = known
        code = codes[i]
        keep = 0.5 ** (max(0.0, i - delay - last[code]) / half_life)
        told[i] = np.log((observed[code] * keep + prior) / (expected[code] * keep + prior))
    return told
