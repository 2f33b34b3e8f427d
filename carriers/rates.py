"""What a call costs: rates by prefix, billed in steps."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import msgspec

# Durations are sums and differences of clock readings: what is so close to a whole step is one.
_SLACK = 1e-9


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """The price of calls to numbers that begin with `prefix` (digits without +; empty: all others). Prices are in the
    campaign's currency and never negative."""

    prefix: str
    per_minute: float = 0.0  # of billed time
    first_s: float = 1.0  # an answered call is billed for at least this
    step_s: float = 1.0  # and beyond it in steps of this; above 0
    connection_fee: float = 0.0  # for each answered call
    attempt_fee: float = 0.0  # for each attempt, answered or not


class Deck:
    """The rates of one trunk, looked up by the longest prefix that begins a number."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        """Take rates in any order. Raises `ValueError` where two have one prefix."""
        by_length: dict[int, dict[str, Rate]] = {}
        for rate in rates:
            alike = by_length.setdefault(len(rate.prefix), {})
            if rate.prefix in alike:
                raise ValueError(f"expected each prefix once, was {rate.prefix!r} twice")
            alike[rate.prefix] = rate
        self._longest_first = sorted(by_length.items(), reverse=True)
        self._by_length = by_length

    def rate_of(self, number: str) -> Rate | None:
        """Return the rate of a number (E.164, with or without its +); None: it is not carried."""
        digits = number[1:] if number[:1] == "+" else number
        for length, rates in self._longest_first:
            rate = rates.get(digits[:length])
            if rate is not None:
                return rate
        return None

    def exactly(self, prefix: str) -> Rate | None:
        """Return the rate that stands under this very prefix."""
        return self._by_length.get(len(prefix), {}).get(prefix)


def billed_s(rate: Rate, answered_s: float) -> float:
    """Return the seconds for which a call that was answered for `answered_s` seconds (>= 0) is billed."""
    beyond = answered_s - rate.first_s
    return rate.first_s if beyond <= 0.0 else rate.first_s + ceil(beyond / rate.step_s - _SLACK) * rate.step_s


def cost_of(rate: Rate, *, answered_s: float | None) -> float:
    """Return what an attempt costs; `answered_s`: how long it was answered, None where it was not."""
    if answered_s is None:
        return rate.attempt_fee
    return rate.attempt_fee + rate.connection_fee + rate.per_minute * billed_s(rate, answered_s) / 60.0
