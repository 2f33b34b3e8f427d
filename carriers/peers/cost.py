"""What peers reckon a call to cost, from the fees of the market alone: they know of no surcharge."""

from __future__ import annotations

import numpy as np

from carriers.market import Floats, Ints, Market

ANSWER_SHARE = 0.13
ANSWERED_S = 78.0  # mean length of an answered call: 1.3 minutes


def answered_cost(market: Market, cell: Ints, answered_s: float) -> Floats:
    """Return the fees of an answered call of that length, (K, n): connection and billed time, without the attempt's."""
    first, step, per_s, fee = (
        np.take(fees, cell, axis=1) for fees in (market.first_s, market.step_s, market.per_s, market.connection_fee)
    )
    beyond = np.maximum(answered_s - first, 0.0)
    billed: Floats = fee + per_s * (first + np.ceil(beyond / step) * step)
    return billed


def expected_cost(market: Market, cell: Ints, *, answer_share: float, answered_s: float) -> Floats:
    """Return the fees of a call of which `answer_share` are answered, (K, n)."""
    attempt = np.take(market.attempt_fee, cell, axis=1)
    expected: Floats = attempt + answer_share * answered_cost(market, cell, answered_s)
    return expected


def check_range(name: str, value: float, *, least: float, most: float = np.inf) -> float:
    """Return a setting that lies in [least, most]. Raises `ValueError` for another."""
    if not least <= value <= most:
        raise ValueError(f"expected {name} in [{least:g}, {most:g}], was {value!r}")
    return value
