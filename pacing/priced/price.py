# mypy: allow-untyped-decorators
"""The price of an abandoned call, and the account that it is steered by.

How it works: the price `c` says how many agents' idle moments one abandon is worth; the pacing rule launches a line
while its chance to find no agent is below `1 / (1 + c)`. The account counts what the target allows, `allowance` (the
sum of the target over all live answers), and what was abandoned; the rest is the budget, `b`. The price follows it:

    log c = log(PRICE_OF_TARGET / target) + offset + slope * (reserve - b) + scarcity * max(scarce - b, 0)

Abandons that come too soon raise the price, and a budget that lies idle lowers it: whatever the answer rate does,
abandons and allowance stay together (the dual ascent of Neely 2010, drift plus penalty, in which the queue of abandons
owed is the price).

Why it is flat: the best price is a constant one. Occupancy is concave in the abandon rate, so each swing of the price
costs some, half a point at 20 agents where it swings by half of itself. Against that stands the day, which has to end
below its target. So the price hardly moves while the budget is near the reserve, and rises only where it is scarce. The
reserve grows with the account: a team of five is allowed 18 abandons in a day, and cannot leave seven of them unspent.
A large floor has many answers in flight at once, and loses several in one unlucky moment: from the first call on it
keeps back three standard deviations of what has been in flight of late (as if that were Poisson), so that one such
moment does not bring it to the guard.
The offset is learned, slowly: it is what the price of this campaign settles at.

The hard guard stands beside it. Below a budget of one abandon, a single unlucky call would put the account above its
target, so the policy then dials progressively. This holds from the first call on (at 3 % the first 34 answers are
dialled progressively): a team of three, or a campaign stopped at noon, ends below its target as a team of fifty does.
It costs a small team ten points of occupancy while it binds, so the price stays clear of it.

An account is closed and a new one opened when dialling pauses for `NEW_ACCOUNT_AFTER_S`, as it does overnight: rules
that count by the day hold, because a good yesterday buys no abandons today.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

PRICE_OF_TARGET = 1.5  # settled prices are about 30 to 60 at a target of 3 %
GUARDED_BUDGET = 1.0
ERROR_MAX = 3.0  # abandons: so far off at the most is a budget taken to be where the offset learns from it
OFFSET_MAX = 2.5
LOG_PRICE_MIN, LOG_PRICE_MAX = math.log(0.05), math.log(2000.0)
NEW_ACCOUNT_AFTER_S = 4 * 3600.0


@njit()
def count_answers(s: Any, answers: float) -> None:
    """Note live answers."""
    s.allowance += answers * s.target_abandon_rate
    budget = s.allowance - s.abandons
    if budget >= GUARDED_BUDGET:
        error = min(max(reserve_of(s) - budget, -ERROR_MAX), ERROR_MAX)
        s.price_offset = min(max(s.price_offset + s.offset_rate * error * answers, -OFFSET_MAX), OFFSET_MAX)


@njit()
def count_abandons(s: Any, abandons: float) -> None:
    """Note abandons; their answers were noted before."""
    s.abandons += abandons


@njit()
def reserve_of(s: Any) -> float:
    """Return the budget at which the price settles, abandons."""
    kept_back = s.reserve * s.allowance / (s.allowance + s.grown) + s.caution * s.allowance
    return float(GUARDED_BUDGET + max(kept_back, s.burst * math.sqrt(s.in_flight)))


@njit()
def budget_left(s: Any, elsewhere: float) -> float:
    """Return the abandons that are still allowed: by the target at the answers so far, and by other accounts."""
    return float(min(s.allowance - s.abandons, elsewhere))


@njit()
def asked_price(s: Any, budget: float) -> float:
    """Return idle moments per abandon, > 0, with so much budget left."""
    if s.target_abandon_rate <= 0.0:
        return math.exp(LOG_PRICE_MAX)
    settled = math.log(PRICE_OF_TARGET / s.target_abandon_rate) + s.price_offset
    reserve = reserve_of(s)
    scarce = GUARDED_BUDGET + s.scarce_share * (reserve - GUARDED_BUDGET)
    raised = s.slope * (reserve - budget) + s.scarcity * max(scarce - budget, 0.0)
    return math.exp(min(max(settled + raised, LOG_PRICE_MIN), LOG_PRICE_MAX))


@njit()
def keep_account(s: Any, now: float, target_abandon_rate: float) -> None:
    """Note the time and the target; open a new account where dialling has paused for long."""
    paused_s = now - s.decided_at if s.decided_at > -math.inf else 0.0
    if paused_s >= NEW_ACCOUNT_AFTER_S:
        s.allowance = 0.0
        s.abandons = 0.0
    s.decided_at = now
    s.target_abandon_rate = target_abandon_rate
