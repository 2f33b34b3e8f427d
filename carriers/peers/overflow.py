# mypy: allow-untyped-decorators
"""Serve a batch in the order of arrival, and let each call that finds no room flow over to the next trunk.

How it works. Calls are served one after the other. A trunk is open to a call where it is usable for the cell, and it
and its account still have room; each call takes one from both. Whether a call explores or how a tie falls is said by
numbers that are drawn for the whole batch, so that what is closed never changes how many are drawn. Compiled ahead,
each function with one signature: nothing is compiled in the middle of a decision.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float64, int64, njit, types

from carriers.market import Bools, Floats, Ints, Market
from carriers.router import Reason, Room, RouteRequests, Routes

NONE, ONLY = int(Reason.NONE), int(Reason.ONLY)
EXPLORED, OVERFLOW, TURN = int(Reason.EXPLORED), int(Reason.OVERFLOW), int(Reason.TURN)

_table = types.Array(float64, 2, "A", readonly=True)
_flags = types.Array(boolean, 2, "A", readonly=True)
_counts = types.Array(int64, 1, "A", readonly=True)
_routes, _routes_and_turn = (
    types.Tuple((int64[::1], float64[::1], int64[::1], *turn))  # type: ignore[no-untyped-call]
    for turn in ((), (int64,))
)


def serve(
    market: Market,
    requests: RouteRequests,
    room: Room,
    scores: Floats,
    *,
    own: Reason,
    rng: np.random.Generator | None = None,
    exploration: float = 0.0,
) -> Routes:
    """Give each call the open trunk of the highest score.

    `scores` are (K, n) and never NaN where a trunk is usable. `own` is the reason of a first choice. Without `rng` the
    first of equal trunks is taken; with it they are drawn from evenly, and a share `exploration` of the calls is drawn
    evenly from all open trunks. Propensities are exact: with e, m open trunks and t of them equally the best,
    e / m + (1 - e) / t for one of the best, e / m for another.
    """
    draws = np.zeros((2, len(requests.cell))) if rng is None else rng.random((2, len(requests.cell)))
    usable = np.take(market.usable, requests.cell, axis=1)
    return Routes(
        *_serve(scores, usable, market.account, room.trunk, room.account, draws, exploration, rng is not None, int(own))
    )


def draw(market: Market, requests: RouteRequests, room: Room, weights: Floats, rng: np.random.Generator) -> Routes:
    """Give each call a trunk drawn with chances as its weight, (K, n) and at least 0, and a closed one's call another.

    That is the first open one of an order that is drawn without putting back. The propensity is therefore the weight
    out of those of the open trunks. Where all open ones weigh nothing, the first of them is taken.
    """
    draws = rng.random((2, len(requests.cell)))
    usable = np.take(market.usable, requests.cell, axis=1)
    return Routes(*_draw(weights, usable, market.account, room.trunk, room.account, draws))


def take_turns(market: Market, requests: RouteRequests, room: Room, first: int) -> tuple[Routes, int]:
    """Give each call the next open trunk, beginning with `first`; returns whose turn is next, too."""
    usable = np.take(market.usable, requests.cell, axis=1)
    trunk, propensity, reason, turn = _take_turns(usable, market.account, room.trunk, room.account, first)
    return Routes(trunk, propensity, reason), turn


# ---- compiled ---------------------------------------------------------------------------------------------------
@njit(cache=True)
def _find_open(i: int, usable: Bools, account: Ints, left: Ints, account_left: Ints, found: Ints) -> int:
    """Fill `found` with the trunks that are open to call i, in order; returns how many."""
    count = 0
    for k in range(len(account)):
        if usable[k, i] and left[k] > 0 and account_left[account[k]] > 0:
            found[count] = k
            count += 1
    return count


@njit(cache=True)
def _nth_best(i: int, scores: Floats, found: Ints, count: int, best: float, ahead: int) -> int:
    """The trunk with so many others ahead of it among those found that score the best."""
    for j in range(count):
        if scores[found[j], i] == best:
            if ahead == 0:
                break
            ahead -= 1
    nth: int = found[j]
    return nth


@njit(_routes(_table, _flags, _counts, _counts, _counts, _table, float64, boolean, int64), cache=True)
def _serve(
    scores: Floats,
    usable: Bools,
    account: Ints,
    room: Ints,
    account_room: Ints,
    draws: Floats,
    exploration: float,
    even_ties: bool,
    own: int,
) -> tuple[Ints, Floats, Ints]:
    trunks, calls = usable.shape
    chosen, propensity, reason = np.full(calls, -1), np.ones(calls), np.full(calls, NONE)
    left, account_left, found = room.copy(), account_room.copy(), np.empty(trunks, np.int64)
    for i in range(calls):
        count = _find_open(i, usable, account, left, account_left, found)
        if count == 0:
            continue
        first = found[0]
        tied = 1
        for j in range(1, count):
            k = found[j]
            if scores[k, i] > scores[first, i]:
                first = k
                tied = 1
            elif scores[k, i] == scores[first, i]:
                tied += 1
        best = scores[first, i]
        if not even_ties:
            tied = 1
        explores = draws[0, i] < exploration
        trunk = first
        if explores:
            trunk = found[int(draws[1, i] * count)]
        elif tied > 1:
            trunk = _nth_best(i, scores, found, count, best, int(draws[1, i] * tied))
        is_best = scores[trunk, i] == best if even_ties else trunk == first
        propensity[i] = exploration / count + ((1.0 - exploration) / tied if is_best else 0.0)
        chosen[i] = trunk
        reason[i] = own
        if count == 1:
            reason[i] = ONLY
        elif explores:
            reason[i] = EXPLORED
        else:
            for k in range(trunks):
                closed = left[k] <= 0 or account_left[account[k]] <= 0
                better = scores[k, i] > best or (scores[k, i] == best and not even_ties and k < first)
                if usable[k, i] and closed and better:
                    reason[i] = OVERFLOW
                    break
        left[trunk] -= 1
        account_left[account[trunk]] -= 1
    return chosen, propensity, reason


@njit(cache=True)
def _drawn(i: int, weights: Floats, among: Ints, count: int, total: float, uniform: float) -> int:
    """The trunk on which a uniform number falls, of `count` among which weights sum to `total` above 0."""
    rest = uniform * total
    last: int = among[0]
    for j in range(count):
        k = among[j]
        if weights[k, i] > 0.0:
            last = k
            rest -= weights[k, i]
            if rest < 0.0:
                break
    return last


@njit(_routes(_table, _flags, _counts, _counts, _counts, _table), cache=True)
def _draw(
    weights: Floats, usable: Bools, account: Ints, room: Ints, account_room: Ints, draws: Floats
) -> tuple[Ints, Floats, Ints]:
    trunks, calls = usable.shape
    chosen, propensity, reason = np.full(calls, -1), np.ones(calls), np.full(calls, NONE)
    left, account_left = room.copy(), account_room.copy()
    found, allowed = np.empty(trunks, np.int64), np.empty(trunks, np.int64)
    for i in range(calls):
        count = _find_open(i, usable, account, left, account_left, found)
        if count == 0:
            continue
        total, weight, allowed_count = 0.0, 0.0, 0
        for k in range(trunks):
            if usable[k, i]:
                allowed[allowed_count] = k
                allowed_count += 1
                total += weights[k, i]
        for j in range(count):
            weight += weights[found[j], i]
        reason[i] = TURN
        trunk = found[0]
        if weight > 0.0:
            trunk = _drawn(i, weights, allowed, allowed_count, total, draws[0, i])
            if left[trunk] <= 0 or account_left[account[trunk]] <= 0:
                reason[i] = OVERFLOW
                trunk = _drawn(i, weights, found, count, weight, draws[1, i])
            propensity[i] = weights[trunk, i] / weight
        elif total > 0.0 or allowed[0] != trunk:
            reason[i] = OVERFLOW
        if count == 1:
            reason[i] = ONLY
        chosen[i] = trunk
        left[trunk] -= 1
        account_left[account[trunk]] -= 1
    return chosen, propensity, reason


@njit(_routes_and_turn(_flags, _counts, _counts, _counts, int64), cache=True)
def _take_turns(
    usable: Bools, account: Ints, room: Ints, account_room: Ints, first: int
) -> tuple[Ints, Floats, Ints, int]:
    trunks, calls = usable.shape
    chosen, propensity, reason = np.full(calls, -1), np.ones(calls), np.full(calls, NONE)
    left, account_left, found = room.copy(), account_room.copy(), np.empty(trunks, np.int64)
    turn = first
    for i in range(calls):
        count = _find_open(i, usable, account, left, account_left, found)
        if count == 0:
            continue
        reason[i] = TURN
        for j in range(trunks):
            k = (turn + j) % trunks
            if not usable[k, i]:
                continue
            if left[k] > 0 and account_left[account[k]] > 0:
                chosen[i] = k
                break
            reason[i] = OVERFLOW
        if count == 1:
            reason[i] = ONLY
        turn = (chosen[i] + 1) % trunks
        left[chosen[i]] -= 1
        account_left[account[chosen[i]]] -= 1
    return chosen, propensity, reason, turn
