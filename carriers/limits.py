"""How many call set-ups a provider still takes, counted as the provider counts them.

How it works: every moment at which something comes back is an exact sum of floats, rounded up to the next float. A
set-up at the very time that `next_at` names is therefore never too early, not by the last bit, whatever the size of
`now`. Time is seconds since 1970 UTC, at least 0, and never runs backwards. Callers ask `left` before they `take`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf, isfinite, nextafter
from typing import Protocol

from carriers.supply import SetUpLimit

_DAY_S = 86_400


class SetUpCounter(Protocol):
    """The set-ups that one limit remembers."""

    def left(self, now: float) -> int:
        """Return how many set-ups the limit has room for at `now`. Only `take` makes it less."""
        ...

    def take(self, now: float) -> None:
        """Count a set-up at `now`, where `left(now)` is at least 1."""
        ...

    def next_at(self, now: float, calls: int = 1) -> float:
        """Return the earliest time, `now` or later, at which `left` is at least `calls`; infinity: it never is."""
        ...

    def values(self) -> list[float]:
        """What is remembered, as finite numbers."""
        ...

    def restore(self, values: Sequence[float]) -> None:
        """Take up `values`. Raises `ValueError` where they are of another shape, and is then as it was."""
        ...


class RollingWindow:
    """At most `calls` in every window of `per_s` seconds; one at t has left the window at t + per_s."""

    __slots__ = ("_calls", "_leaves", "_per_s")

    def __init__(self, limit: SetUpLimit) -> None:
        self._calls = limit.calls
        self._per_s = limit.per_s
        self._leaves: deque[float] = deque(maxlen=limit.calls)  # when each one leaves the window, oldest first

    def left(self, now: float) -> int:
        leaves = self._leaves
        while leaves and leaves[0] <= now:
            leaves.popleft()
        return self._calls - len(leaves)

    def take(self, now: float) -> None:
        self._leaves.append(_not_before(now, 1, self._per_s, 1))

    def next_at(self, now: float, calls: int = 1) -> float:
        lacking = calls - self.left(now)
        if lacking <= 0:
            return now
        return self._leaves[lacking - 1] if calls <= self._calls else inf

    def values(self) -> list[float]:
        return list(self._leaves)

    def restore(self, values: Sequence[float]) -> None:
        if len(values) > self._calls or list(values) != sorted(values):
            raise ValueError(
                f"expected at most {self._calls} rising times of a rolling limit, were {len(values)} values"
            )
        self._leaves = deque(values, maxlen=self._calls)


class TokenBucket:
    """A bucket of `calls` tokens that refills at calls / per_s a second, full at the start.

    Between two moments at which it is full it loses no token to its rim, so what it holds follows from when it was last
    full and how many were taken since: nothing is rounded on the way, however long it is kept busy.
    """

    __slots__ = ("_begin", "_calls", "_full_at", "_per_s", "_step", "_taken")

    def __init__(self, limit: SetUpLimit) -> None:
        self._calls = limit.calls
        self._per_s = limit.per_s
        per, unit = limit.per_s.as_integer_ratio()
        self._step = per, unit * limit.calls  # seconds for a token, as a fraction
        self._begin = 0.0  # when it was last full
        self._taken = 0  # since then
        self._full_at = -inf  # again

    def left(self, now: float) -> int:
        if now >= self._full_at:
            return self._calls
        left = self._calls - self._taken + self._returned(now)
        return left if left > 0 else 0

    def take(self, now: float) -> None:
        if now >= self._full_at:
            self._begin, self._taken = now, 0
        self._taken += 1
        self._full_at = self._token_at(self._taken)

    def next_at(self, now: float, calls: int = 1) -> float:
        if calls > self._calls:
            return inf
        return now if self.left(now) >= calls else self._token_at(self._taken - self._calls + calls)

    def values(self) -> list[float]:
        return [self._begin, float(self._taken)] if self._taken else []

    def restore(self, values: Sequence[float]) -> None:
        if not values:
            self._begin, self._taken, self._full_at = 0.0, 0, -inf
            return
        if len(values) != 2 or values[1] < 1:
            raise ValueError(f"expected a time and a count of a bucket, were {len(values)} values")
        self._begin, self._taken = float(values[0]), int(values[1])
        self._full_at = self._token_at(self._taken)

    def _token_at(self, token: int) -> float:
        return _not_before(self._begin, token, self._per_s, self._calls)

    def _returned(self, now: float) -> int:
        """Whole tokens that came back since the bucket was last full: (now - begin) / step, rounded down exactly."""
        (per, unit), (n, d), (begin_n, begin_d) = self._step, now.as_integer_ratio(), self._begin.as_integer_ratio()
        return (n * begin_d - begin_n * d) * unit // (d * begin_d * per)


class ClockPeriods:
    """At most `calls` in each period of `per_s` seconds counted from midnight UTC; midnight cuts the last one short."""

    __slots__ = ("_calls", "_ends_at", "_per_s", "_taken")

    def __init__(self, limit: SetUpLimit) -> None:
        self._calls = limit.calls
        self._per_s = limit.per_s
        self._ends_at = -inf  # of the period of the last set-up
        self._taken = 0  # in it

    def left(self, now: float) -> int:
        return self._calls if now >= self._ends_at else self._calls - self._taken

    def take(self, now: float) -> None:
        if now >= self._ends_at:
            day, second = divmod(now, _DAY_S)
            end = _not_before(day * _DAY_S, int(second // self._per_s) + 1, self._per_s, 1)
            self._ends_at, self._taken = min(end, (day + 1) * _DAY_S), 0
        self._taken += 1

    def next_at(self, now: float, calls: int = 1) -> float:
        if calls > self._calls:
            return inf
        return now if self.left(now) >= calls else self._ends_at

    def values(self) -> list[float]:
        return [self._ends_at, float(self._taken)] if self._taken else []

    def restore(self, values: Sequence[float]) -> None:
        if not values:
            self._ends_at, self._taken = -inf, 0
            return
        if len(values) != 2 or not 1 <= values[1] <= self._calls:
            raise ValueError(f"expected a time and a count up to {self._calls} of a period, were {len(values)} values")
        self._ends_at, self._taken = float(values[0]), int(values[1])


_KINDS: dict[str, Callable[[SetUpLimit], SetUpCounter]] = {
    "rolling": RollingWindow,
    "bucket": TokenBucket,
    "clock": ClockPeriods,
}


def counter_of(limit: SetUpLimit) -> SetUpCounter:
    """Return a counter that remembers no set-up yet. Raises `ValueError` for a limit that no provider can mean."""
    kind = _KINDS.get(limit.kind)
    if kind is None:
        raise ValueError(f"expected a limit's kind out of {', '.join(_KINDS)}, was {limit.kind!r}")
    if limit.calls < 1:
        raise ValueError(f"expected a limit of at least 1 call, was {limit.calls}")
    if not (isfinite(limit.per_s) and limit.per_s > 0):
        raise ValueError(f"expected a limit per more than 0 seconds, was {limit.per_s}")
    if limit.kind == "clock" and limit.per_s > _DAY_S:
        raise ValueError(
            f"expected a clock limit per at most {_DAY_S} seconds, for it begins at midnight, was {limit.per_s}"
        )
    return kind(limit)


def carried_over(limit: SetUpLimit, values: Sequence[float]) -> list[float]:
    """Return what a counter of `limit` takes up, of the `values` of one of the same kind and period that let another
    number of calls through: no set-up is forgotten that still counts."""
    kept = list(values)
    if limit.kind == "rolling":
        return sorted(kept)[-limit.calls :]
    if limit.kind == "clock" and len(kept) == 2:
        return [kept[0], min(kept[1], float(limit.calls))]
    return kept


def sustained(limits: Sequence[SetUpLimit]) -> float:
    """Return the set-ups a second that all the limits let through for ever; infinity without any limit."""
    return min((limit.calls / limit.per_s for limit in limits), default=inf)


def _not_before(begin: float, count: int, per_s: float, calls: int) -> float:
    """Return the smallest float that is not below begin + count * per_s / calls."""
    begin_n, begin_d = begin.as_integer_ratio()
    per_n, per_d = per_s.as_integer_ratio()
    numerator = begin_n * per_d * calls + count * per_n * begin_d
    denominator = begin_d * per_d * calls
    nearest = numerator / denominator  # of whole numbers: rounded correctly
    n, d = nearest.as_integer_ratio()
    return nearest if n * denominator >= numerator * d else nextafter(nearest, inf)
