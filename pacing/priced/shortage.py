# mypy: allow-untyped-decorators
"""The chance that a line finds no agent: exact for small teams, by a refined normal distribution for large ones.

How it works. A candidate line would be answered at one of TAUS equally likely delays `tau[k]` (quantiles of the answer
delay). By then, F of the busy agents are free again and A of the lines in flight are answered, both sums of independent
chances (Poisson-binomial). The candidate finds no agent if A - F >= idle agents. An agent who is *not* free again and
a line that *is* answered count alike:

    A - F >= idle   <=>   A + (busy - F) >= idle + busy

so all that matters is whether a sum of `busy + in flight` chances reaches a size. It is found exactly, for all k at
once (k innermost: it vectorises), from two short distributions: of the chances that are likely, how many do not happen;
of the others, how many do. One more line is one more chance. Above EXACT_CHANCES the normal distribution with its
skewness correction (Volkova's refined normal approximation) takes their place; so it does from EXACT_LINES added lines
on.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacing.priced.state import TAUS
from pacing.view import Floats

EXACT_CHANCES = 100  # busy agents + lines in flight; about 60 agents
EXACT_LINES = 100  # added by one decision: each costs more than the last, and a floor of idle agents takes thousands


@njit()
def refined_normal_below(size: float, mean: float, variance: float, third: float) -> float:
    """Return about P(sum < size) of a sum of chances by its mean, variance and third central moment."""
    if variance < 1e-9:
        return 1.0 if mean < size - 0.5 else 0.0
    deviation = math.sqrt(variance)
    x = (size - 0.5 - mean) / deviation
    density = math.exp(-0.5 * x * x) * 0.3989422804014327
    below = 0.5 * math.erfc(-x * 0.7071067811865476) + third / (6.0 * variance * deviation) * (1.0 - x * x) * density
    return min(max(below, 0.0), 1.0)


@njit()
def add_chance(pmf: Floats, size: int, chance: Floats) -> None:
    """Add one chance to `pmf[x, k] = P(sum = x)`, x < size; what lies beyond is dropped."""
    for x in range(size - 1, 0, -1):
        for k in range(TAUS):
            pmf[x, k] += chance[k] * (pmf[x - 1, k] - pmf[x, k])
    for k in range(TAUS):
        pmf[0, k] *= 1.0 - chance[k]


@njit()
def fill_sums(chances: Floats, size: int, likely: Floats, unlikely: Floats, complement: Floats) -> int:
    """Split the sum of all rows of `chances` in two: of the likely ones (above one half at the middle tau) it counts
    those that do *not* happen, so that both sums are small. Fill `likely[f, k] = P(f likely ones do not happen)` and
    `unlikely[a, k] = P(a unlikely ones happen)`; what lies beyond an array's length is dropped. `complement` is room
    for one row. Return `size` less the number of likely ones: the sum reaches `size` where a - f reaches that.
    """
    likely[:, :] = 0.0
    unlikely[:, :] = 0.0
    for k in range(TAUS):
        if len(likely) > 0:
            likely[0, k] = 1.0
        unlikely[0, k] = 1.0
    likely_count = unlikely_count = 0
    for i in range(len(chances)):
        if chances[i, TAUS // 2] > 0.5:
            likely_count += 1
            for k in range(TAUS):
                complement[k] = 1.0 - chances[i, k]
            if len(likely) > 0:
                add_chance(likely, min(likely_count + 1, len(likely)), complement)
        else:
            unlikely_count += 1
            add_chance(unlikely, min(unlikely_count + 1, len(unlikely)), chances[i])
    return size - likely_count


@njit()
def exact_shortage(likely: Floats, unlikely: Floats, most: int, spare: int, tail: Floats) -> float:
    """Return the mean over taus of P(a - f >= spare), from what `fill_sums` filled; no more than `most` of the unlikely
    ones can happen. `tail` is room for one row."""
    for k in range(TAUS):
        tail[k] = 0.0
    total = 0.0
    a = most
    for f in range(len(likely) - 1, -1, -1):
        while a >= 0 and a >= spare + f:
            for k in range(TAUS):
                tail[k] += unlikely[a, k]
            a -= 1
        for k in range(TAUS):
            total += likely[f, k] * tail[k]
    return total / TAUS


@njit()
def _fill_moments(chances: Floats, moments: Floats) -> None:
    """Add up mean, variance and third central moment of the sum of all rows of `chances`, shape (3, TAUS)."""
    for i in range(len(chances)):
        for k in range(TAUS):
            p = chances[i, k]
            spread = p * (1.0 - p)
            moments[0, k] += p
            moments[1, k] += spread
            moments[2, k] += spread * (1.0 - 2.0 * p)


@njit()
def _normal_shortage(moments: Floats, size: int, cdf: Floats) -> float:
    """Fill `cdf` from the moments and return the mean of 1 - cdf."""
    for k in range(TAUS):
        cdf[k] = refined_normal_below(size, moments[0, k], moments[1, k], moments[2, k])
    return float(1.0 - np.sum(cdf) / TAUS)


@njit()
def _add_exactly(chances: Floats, size: int, candidate: Floats, threshold: float, most: int) -> tuple[float, int]:
    """Return the probability at which adding stopped, and the lines added."""
    row, tail = np.zeros(TAUS), np.zeros(TAUS)
    unlikely_count = 0
    for i in range(len(chances)):
        if chances[i, TAUS // 2] <= 0.5:
            unlikely_count += 1
    spare = size - (len(chances) - unlikely_count)
    room = min(most, 16)  # lines for which there is room; more is made where they are wanted
    while True:
        last = unlikely_count + room
        likely = np.zeros((max(0, min(len(chances) - unlikely_count, last - spare) + 1), TAUS))
        unlikely = np.zeros((last + 1, TAUS))
        fill_sums(chances, size, likely, unlikely, row)
        lines = 0
        while True:
            shortage = exact_shortage(likely, unlikely, unlikely_count + lines, spare, tail)
            if shortage >= threshold or lines >= most:
                return shortage, lines
            if lines >= room:
                break
            lines += 1
            add_chance(unlikely, unlikely_count + lines + 1, candidate)
        room = min(most, 4 * room)


@njit()
def _add_normally(
    chances: Floats, size: int, candidate: Floats, threshold: float, most: int, lines: int
) -> tuple[float, int]:
    """The same by the refined normal distribution, where `lines` candidates were added before."""
    cdf = np.zeros(TAUS)
    moments = np.zeros((3, TAUS))
    row = candidate.reshape((1, TAUS))
    _fill_moments(row, moments)
    moments *= lines
    _fill_moments(chances, moments)
    while True:
        shortage = _normal_shortage(moments, size, cdf)
        if shortage >= threshold or lines >= most:
            return shortage, lines
        lines += 1
        _fill_moments(row, moments)


@njit()
def add_lines(chances: Floats, size: int, candidate: Floats, threshold: float, most: int) -> tuple[int, float]:
    """Return how many candidates, each of the same chances (TAUS,), to add to the rows of `chances`: as long as the
    next one would find `sum >= size` with a probability below `threshold`, and `most` at the most; and the probability
    at which it stopped."""
    if size <= 0:
        return 0, 1.0
    lines = 0
    if len(chances) <= EXACT_CHANCES:
        shortage, lines = _add_exactly(chances, size, candidate, threshold, min(most, EXACT_LINES))
        if shortage >= threshold or lines == most:
            return lines, shortage
    shortage, lines = _add_normally(chances, size, candidate, threshold, most, lines)
    return lines, shortage


@njit()
def shortage_of(chances: Floats, size: int) -> float:
    """Return the mean over taus of the probability that the rows of `chances` add up to `size`."""
    if size <= 0:
        return 1.0
    nobody = np.zeros(TAUS)
    if len(chances) <= EXACT_CHANCES:
        return float(_add_exactly(chances, size, nobody, 0.0, 0)[0])
    return float(_add_normally(chances, size, nobody, 0.0, 0, 0)[0])
