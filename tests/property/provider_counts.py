"""Set-ups counted again as a provider's definition reads, in exact fractions and from the first one each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

from carriers.supply import SetUpLimit


def rolling_left(limit: SetUpLimit, times: Sequence[float], now: float) -> int:
    return limit.calls - sum(Fraction(at) + Fraction(limit.per_s) > Fraction(now) for at in times)


def bucket_left(limit: SetUpLimit, times: Sequence[float], now: float) -> int:
    return floor(_tokens(limit, [*times, now]))


def clock_left(limit: SetUpLimit, times: Sequence[float], now: float) -> int:
    return limit.calls - sum(_period(limit, at) == _period(limit, now) for at in times)


def rolling_holds(limit: SetUpLimit, times: Sequence[float]) -> bool:
    """Every window that begins at a set-up: no other window can hold more."""
    exact = [Fraction(at) for at in times]
    per_s = Fraction(limit.per_s)
    return all(sum(begin <= at < begin + per_s for at in exact) <= limit.calls for begin in exact)


def bucket_holds(limit: SetUpLimit, times: Sequence[float]) -> bool:
    return all(_tokens(limit, times[: count + 1]) >= 1 for count in range(len(times)))


def clock_holds(limit: SetUpLimit, times: Sequence[float]) -> bool:
    return all(count <= limit.calls for count in Counter(_period(limit, at) for at in times).values())


LEFT: dict[str, Callable[[SetUpLimit, Sequence[float], float], int]] = {
    "rolling": rolling_left,
    "bucket": bucket_left,
    "clock": clock_left,
}
HOLDS: dict[str, Callable[[SetUpLimit, Sequence[float]], bool]] = {
    "rolling": rolling_holds,
    "bucket": bucket_holds,
    "clock": clock_holds,
}


def _tokens(limit: SetUpLimit, times: Sequence[float]) -> Fraction:
    """What the bucket holds at the last of `times`, after all the others took a token each."""
    full = tokens = Fraction(limit.calls)
    rate = full / Fraction(limit.per_s)
    before = Fraction(times[0])
    for count, at in enumerate(map(Fraction, times)):
        tokens = min(full, tokens + (at - before) * rate) - (1 if count + 1 < len(times) else 0)
        before = at
    return tokens


def _period(limit: SetUpLimit, at: float) -> tuple[int, int]:
    day = floor(Fraction(at) / 86_400)
    return day, floor((Fraction(at) - day * 86_400) / Fraction(limit.per_s))
