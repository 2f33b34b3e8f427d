"""Whether a plan can be followed: looked at whole before anything of it is."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.exploration import Because
from models.plan import Column, HourPlan, unpack

LONGEST_HOLD_S = 9 * 86400.0  # a rest of seven days, and the clocks of two places
LONGEST_PLAN_S = 2 * 86400.0


def check_plan(plan: HourPlan, *, leads: int, now: float) -> None:
    """Raise `ValueError`, one line, for a plan that no list of so many leads can follow at `now` (UTC seconds)."""
    if not plan.models:
        raise ValueError("expected the models behind the plan, found none")
    if not (isfinite(plan.until) and plan.until <= now + LONGEST_PLAN_S):
        raise ValueError(f"expected an end of the plan within {LONGEST_PLAN_S:.0f} s, was {plan.until}")
    order = _column("order", plan.order, "<i4")
    held, until = _column("held", plan.held, "<i4"), _column("held_until", plan.held_until, "<f8")
    _within("order", order, 0, leads - 1)
    _within("held", held, 0, leads - 1)
    if len(held) != len(until):
        raise ValueError(f"expected as many times as leads held, were {len(until)} and {len(held)}")
    if len(until) and not (np.isfinite(until).all() and until.max() <= now + LONGEST_HOLD_S):
        raise ValueError(f"expected leads to be held for {LONGEST_HOLD_S:.0f} s at most, found until {until.max()}")
    answer = _column("answer", plan.answer, "<f4")
    if len(answer) > leads:
        raise ValueError(f"expected at most {leads} leads, were {len(answer)}")
    arm, because = _column("arm", plan.arm, "|u1"), _column("because", plan.because, "|u1")
    right_party, propensity = (
        _column("right_party", plan.right_party, "<f4"),
        _column("propensity", plan.propensity, "<f4"),
    )
    for name, column in (("right_party", right_party), ("propensity", propensity), ("arm", arm), ("because", because)):
        if len(column) != len(answer):
            raise ValueError(f"expected {len(answer)} values of {name}, were {len(column)}")
    for name, column in (("answer", answer), ("right_party", right_party), ("propensity", propensity)):
        known = column[~np.isnan(column)]
        if len(known) and not (known.min() >= 0.0 and known.max() <= 1.0):
            raise ValueError(f"expected {name} in [0, 1] or unknown, were {known.min()} to {known.max()}")
    _within("arm", arm, 0, len(plan.models) - 1)
    _within("because", because, min(Because), max(Because))


def _column(name: str, data: Column, kind: str) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    if len(data) % size:
        raise ValueError(f"expected {name} in pieces of {size} bytes, were {len(data)} bytes")
    return unpack(data, kind)


def _within(name: str, column: NDArray[Any], least: int, most: int) -> None:
    if len(column) and (int(column.min()) < least or int(column.max()) > most):
        raise ValueError(f"expected {name} in [{least}, {most}], were {column.min()} to {column.max()}")
