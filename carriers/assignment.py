# mypy: allow-untyped-decorators
"""Which trunk serves each call of a batch: the best net value among those with room, in order of arrival.

How it works. Calls are served one after the other, each with what room those before it have left. Two uniform numbers a
call come in with the batch: the first says whether the call explores, the second which trunk it then takes.
Compiled ahead with one signature, so that nothing is compiled in the middle of a decision.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float64, int64, njit, types

from carriers.market import Bools, Floats, Ints
from carriers.router import Reason

MOST_PROBABLE = 0.95  # of a contact, whatever the multiplier
TIE = 1e-9  # relative: scores closer than this are equal

NONE, BEST, OVERFLOW = int(Reason.NONE), int(Reason.BEST), int(Reason.OVERFLOW)
EXPLORED, ONLY = int(Reason.EXPLORED), int(Reason.ONLY)

_calls = types.Array(float64, 1, "A", readonly=True)
_cells = types.Array(int64, 1, "A", readonly=True)
_table = types.Array(float64, 2, "A", readonly=True)
_flags = types.Array(boolean, 2, "A", readonly=True)
_counts = types.Array(int64, 1, "A", readonly=True)


@njit(
    types.Tuple((int64[::1], float64[::1], int64[::1]))(  # type: ignore[no-untyped-call]
        _cells, _calls, _calls, _table, _table, _table, _flags, _counts, _counts, _counts, _calls, float64
    ),
    cache=True,
)
def serve(
    cell: Ints,
    probability: Floats,
    value: Floats,
    multiplier: Floats,
    contact_cost: Floats,
    cost: Floats,
    usable: Bools,
    room: Ints,
    account: Ints,
    account_room: Ints,
    draws: Floats,
    exploration: float,
) -> tuple[Ints, Floats, Ints]:
    """Return (trunk, propensity, `Reason`) of n calls, in order.

    score = min(probability * multiplier, 0.95) * (value - contact_cost) - cost, by trunk and cell: tables are (K, C).
    A trunk is feasible where it is usable for the cell and both it and its account have room; each call takes one
    from both. Scores that tie (see `TIE`) go to the trunk with the largest share of its room left, then with the most
    room left, then to the first. `draws`: (2 n,) uniform in [0, 1).
    """
    calls, trunks = len(cell), len(account)
    chosen, propensity, reason = np.empty(calls, np.int64), np.empty(calls), np.empty(calls, np.int64)
    left, account_left, score = room.copy(), account_room.copy(), np.empty(trunks)
    for i in range(calls):
        c = cell[i]
        feasible, only, best, best_of_all = 0, -1, -np.inf, -np.inf
        for k in range(trunks):
            if not usable[k, c]:
                continue
            contact = min(probability[i] * multiplier[k, c], MOST_PROBABLE)
            score[k] = contact * (value[i] - contact_cost[k, c]) - cost[k, c]
            best_of_all = max(best_of_all, score[k])
            if left[k] > 0 and account_left[account[k]] > 0:
                feasible += 1
                only = k
                best = max(best, score[k])
        if feasible == 0:
            chosen[i], propensity[i], reason[i] = -1, 1.0, NONE
            continue
        favourite, share = only, -1.0
        explores = draws[2 * i] < exploration
        ahead = int(draws[2 * i + 1] * feasible)  # feasible trunks before the one that is drawn
        drawn = only
        for k in range(trunks):
            if not usable[k, c] or left[k] <= 0 or account_left[account[k]] <= 0:
                continue
            if ahead == 0:
                drawn = k
            ahead -= 1
            if score[k] >= best - TIE * abs(best):
                left_share = left[k] / room[k]
                if left_share > share or (left_share == share and left[k] > left[favourite]):
                    favourite, share = k, left_share
        trunk = drawn if explores and feasible > 1 else favourite
        chosen[i] = trunk
        propensity[i] = exploration / feasible + (1.0 - exploration if trunk == favourite else 0.0)
        if feasible == 1:
            propensity[i], reason[i] = 1.0, ONLY
        elif explores:
            reason[i] = EXPLORED
        else:
            reason[i] = BEST if best >= best_of_all - TIE * abs(best_of_all) else OVERFLOW
        left[trunk] -= 1
        account_left[account[trunk]] -= 1
    return chosen, propensity, reason
