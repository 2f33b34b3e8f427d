# mypy: allow-untyped-decorators
"""The day of one lead at given prices, compiled. Arrays are C-contiguous, of the shapes and units of `allocation`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Smalls = NDArray[np.int8]


@njit(cache=True)
def fill_loads(
    gain: Singles,
    seconds: Singles,
    is_open: Singles,
    left: Smalls,
    gap: int,
    prices: Floats,
    blur: float,
    load: Floats,
) -> tuple[float, float]:
    """Let every lead choose its calls at `prices` (2 S,: of attempts, then of agent seconds).

    Choices whose worth is less than `blur` apart are mixed, which rounds off the corners of the dual. `load` (2 S,) is
    overwritten with the attempts and agent seconds that are chosen: minus the slope of the first number returned, the
    sum of the leads' (rounded) worth after prices. The second is the worth of the choices before prices.
    """
    n, slots = gain.shape
    load[:] = 0.0
    net = np.empty(slots)
    best = np.zeros((slots + 1, slots + 2))
    chosen = np.empty((slots + 1, slots + 1))
    reached = np.empty((slots + 1, slots + 1))
    worth, brought = 0.0, 0.0
    for i in range(n):
        k = min(np.int64(left[i]), slots)
        most = -np.inf
        for h in range(slots):
            net[h] = is_open[i, h] * (gain[i, h] - prices[h] - prices[slots + h] * seconds[i, h])
            if is_open[i, h] > 0.0:
                most = max(most, net[h])
        if k <= 0 or most <= -blur:
            continue  # it calls nowhere
        worth += _fill_blurred(net, is_open[i], k, gap, blur, best, chosen)
        reached[: k + 1, :] = 0.0
        reached[k, 0] = 1.0
        for h in range(slots):
            for j in range(1, k + 1):
                here = reached[j, h]
                if here == 0.0:
                    continue
                called = here * chosen[j, h]
                load[h] += called * is_open[i, h]
                load[slots + h] += called * is_open[i, h] * seconds[i, h]
                brought += called * is_open[i, h] * gain[i, h]
                reached[j, h + 1] += here - called
                if h + gap < slots:
                    reached[j - 1, h + gap] += called
    return worth, brought


@njit(cache=True)
def _fill_blurred(net: Floats, is_open: Singles, k: int, gap: int, blur: float, best: Floats, chosen: Floats) -> float:
    """Fill best[j, h] as `_fill_best`, and chosen[j, h], the share of calling in h, with max(a, b) rounded off.

    Within `blur` of each other it is b + (a - b + blur)^2 / (4 blur): convex, smooth, never below max(a, b).
    """
    slots = len(net)
    best[: k + 1, slots:] = 0.0
    best[0, :] = 0.0
    for j in range(1, k + 1):
        for h in range(slots - 1, -1, -1):
            kept = best[j, h + 1]
            apart = net[h] + best[j - 1, min(h + gap, slots)] - kept
            if is_open[h] <= 0.0 or apart <= -blur:
                chosen[j, h] = 0.0
                best[j, h] = kept
            elif apart >= blur:
                chosen[j, h] = 1.0
                best[j, h] = kept + apart
            else:
                chosen[j, h] = (apart + blur) / (2.0 * blur)
                best[j, h] = kept + (apart + blur) ** 2 / (4.0 * blur)
    return float(best[k, 0])


@njit(cache=True)
def fill_advantages(
    gain: Singles, seconds: Singles, is_open: Singles, left: Smalls, gap: int, prices: Floats, found: Singles
) -> None:
    """Fill `found` (n,) with what a call now brings beyond the best that is given up by it."""
    n, slots = gain.shape
    net = np.empty(slots)
    best = np.zeros((slots + 1, slots + 2))
    for i in range(n):
        k = min(np.int64(left[i]), slots)
        if k <= 0 or is_open[i, 0] <= 0.0:
            found[i] = -np.inf
            continue
        now = gain[i, 0] - prices[0] - prices[slots] * seconds[i, 0]
        for h in range(slots):
            net[h] = is_open[i, h] * (gain[i, h] - prices[h] - prices[slots + h] * seconds[i, h])
        if k == 1:
            later = 0.0
            for h in range(1, slots):
                later = max(later, net[h])
            found[i] = now - later
        else:
            later = _fill_best(net, 1, k, gap, best)
            found[i] = now + best[k - 1, min(gap, slots)] - later


@njit(cache=True)
def _fill_best(net: Floats, first: int, k: int, gap: int, best: Floats) -> float:
    """Fill best[j, h], the most of at most j calls in slots h and later, `gap` apart; return that of k from `first`."""
    slots = len(net)
    best[: k + 1, slots:] = 0.0
    best[0, :] = 0.0
    for j in range(1, k + 1):
        for h in range(slots - 1, first - 1, -1):
            called = net[h] + best[j - 1, min(h + gap, slots)]
            kept = best[j, h + 1]
            best[j, h] = max(called, kept)
    return float(best[k, first])
