"""Rates with their denominators: None where the denominator is zero."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from sim.replications import wilson

FEWEST_LIVE_ANSWERS = 20  # below, an abandon rate says more about chance than about the day


def rate(part: float, whole: float) -> float | None:
    """`part / whole`; None if nothing could happen."""
    return part / whole if whole else None


def interval_95(part: int, whole: int) -> tuple[float, float] | None:
    """The 95 % score interval of a rate (Wilson 1927), within [0, 1]; None if `whole` is zero.

    An answer may come an interval after its attempt: at a span's edge `part` can exceed `whole`, and counts as all.
    """
    estimate = wilson(min(part, whole), whole)
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def windowed_rate(parts: Sequence[int], wholes: Sequence[int], *, window: int, fewest: int) -> list[float | None]:
    """After each interval, the rate over the last `window` intervals; None while the denominator is below `fewest`."""
    part_sums, whole_sums = [0, *accumulate(parts)], [0, *accumulate(wholes)]
    rates: list[float | None] = []
    for end in range(1, len(part_sums)):
        begin = max(0, end - window)
        whole = whole_sums[end] - whole_sums[begin]
        rates.append((part_sums[end] - part_sums[begin]) / whole if whole >= max(fewest, 1) else None)
    return rates
