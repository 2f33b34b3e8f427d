# mypy: allow-untyped-decorators
"""Days of one lead at given prices of an attempt, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True)
def fill_slot_loads(
    q: Floats, prices: Floats, per_day: int, per_week: int, gap: int, blur: float, load: Floats
) -> tuple[float, float]:
    """Let every lead be called as pays best, and return (worth after prices, contacts).

    `q` (n, D or 1, S): chance that an attempt is the right-party contact after which the lead is gone. `prices` (D S,).
    `blur`: choices closer than this are mixed. `load` (D S,) is overwritten with the attempts expected in each slot.
    """
    n, own_days, slots = q.shape
    last = len(prices)
    load[:] = 0.0
    worth, contacts = 0.0, 0.0
    # By slot, attempts made today, attempts made in all.
    value = np.zeros((last + 1, per_day + 1, per_week + 1))
    chosen = np.zeros((last, per_day + 1, per_week + 1))
    reached = np.zeros((last + 1, per_day + 1, per_week + 1))
    for i in range(n):
        _fill_values(q[i], prices, gap, blur, value, chosen)
        worth += value[0, 0, 0]
        reached[:] = 0.0
        reached[0, 0, 0] = 1.0
        for t in range(last):
            day, h = t // slots, t % slots
            new_day = h + 1 == slots
            later = min(t + gap, (day + 1) * slots)
            chance = q[i, day % own_days, h]
            for today in range(min(per_day, h + 1) + 1):
                for made in range(per_week + 1):
                    here = reached[t, today, made]
                    if here == 0.0:
                        continue
                    called = here * chosen[t, today, made]
                    reached[t + 1, 0 if new_day else today, made] += here - called
                    if called > 0.0:
                        load[t] += called
                        contacts += called * chance
                        after = 0 if later == (day + 1) * slots else today + 1
                        reached[later, after, made + 1] += called * (1.0 - chance)
    return worth, contacts


@njit(cache=True)
def _fill_values(q: Floats, prices: Floats, gap: int, blur: float, value: Floats, chosen: Floats) -> None:
    """Fill value[t, today, made] and chosen[t, today, made] of one lead, from the last slot back."""
    own_days, slots = q.shape
    last, per_day, per_week = len(prices), value.shape[1] - 1, value.shape[2] - 1
    for t in range(last - 1, -1, -1):
        day, h = t // slots, t % slots
        new_day = h + 1 == slots
        later = min(t + gap, (day + 1) * slots)
        chance = q[day % own_days, h]
        for today in range(min(per_day, h) + 1):
            for made in range(min(per_week, day * per_day + today) + 1):
                kept = value[t + 1, 0 if new_day else today, made]
                apart = -np.inf
                if today < per_day and made < per_week:
                    after = 0 if later == (day + 1) * slots else today + 1
                    apart = chance - prices[t] + (1.0 - chance) * value[later, after, made + 1] - kept
                if apart <= -blur:
                    chosen[t, today, made] = 0.0
                    value[t, today, made] = kept
                elif apart >= blur:
                    chosen[t, today, made] = 1.0
                    value[t, today, made] = kept + apart
                else:
                    chosen[t, today, made] = (apart + blur) / (2.0 * blur)
                    value[t, today, made] = kept + (apart + blur) ** 2 / (4.0 * blur)
