"""The price of an abandoned call, and the account that it is steered by.

How it works: the price `c` says how many agents' idle moments one abandon is worth; the pacing rule launches a line
while its chance to find no agent is below `1 / (1 + c)`. After every live answer and every abandon

    log c += STEP * (abandons - aim * answers),    aim = AIM * target_abandon_rate

The sum telescopes: in any stretch in which the clamp does not bind, `abandons - aim * answers` equals the change of
`log c` over STEP, whatever the answer rate does. So an account that opens with the price raised by `RESERVE * STEP`
comes to rest RESERVE abandons below its aim: that reserve keeps a day's chance swings from reaching the target. Where
the budget runs below COMFORT all the same, the price asked is raised on top, smoothly, so as to stay clear of the
guard, which costs a small team ten points of occupancy while it binds.

The hard guard stands beside it. `budget_left` is what the target allows for the answers so far, less the abandons so
far. Below one abandon, a single unlucky call would put the account above its target, so the policy then dials
progressively. This holds from the first call on (at 3 % the first 34 answers are dialled progressively): a team of
three, or a campaign stopped at noon, ends below its target as a team of fifty does.

An account is closed and a new one opened when dialling pauses for `NEW_ACCOUNT_AFTER_S`, as it does overnight: rules
that count by the day hold, because a good yesterday buys no abandons today.
"""

from __future__ import annotations

import math
from typing import Any

STEP = 0.15  # change of log price for one abandon
AIM = 0.95  # share of the target that is aimed at
RESERVE = 4.0  # abandons
COMFORT = 3.0  # abandons left below which the price is raised on top,
SCARCITY = 0.5  # by this in log price for each abandon missing
COLD_PRICE = 100.0  # held at least until COLD_ANSWERS are seen; settled prices are about 20 to 60 for a target of 3 %
COLD_ANSWERS = 30
LOG_PRICE_MIN = math.log(3.0)
LOG_PRICE_MAX = math.log(1000.0)
NEW_ACCOUNT_AFTER_S = 4 * 3600.0


class AbandonPrice:
    """Learns the price of an abandon from live answers and abandons. Counts are of the present account."""

    __slots__ = ("abandons", "allowance", "answers_seen", "log_price", "target_abandon_rate")

    def __init__(self) -> None:
        self.target_abandon_rate = 0.03  # until the first view says otherwise
        self.log_price = math.log(COLD_PRICE)
        self.answers_seen = 0  # over all accounts
        self.allowance = 0.0  # abandons that the target allowed at each answer, summed: the target may change
        self.abandons = 0

    @property
    def price(self) -> float:
        """Return idle moments per abandon, > 0."""
        price = math.exp(self.log_price + SCARCITY * max(0.0, COMFORT - self.budget_left))
        return max(price, COLD_PRICE) if self.answers_seen < COLD_ANSWERS else price

    @property
    def budget_left(self) -> float:
        """Return the abandons that the target still allows at the answers so far; negative when overdrawn."""
        return self.allowance - self.abandons

    def answered(self) -> None:
        """Note a live answer."""
        self.answers_seen += 1
        self.allowance += self.target_abandon_rate
        self.log_price = max(LOG_PRICE_MIN, self.log_price - STEP * AIM * self.target_abandon_rate)

    def abandoned(self) -> None:
        """Note an abandon; its answer was noted before."""
        self.abandons += 1
        # Clamped here, not where it is read: a price that ran far away would take as long to come back.
        self.log_price = min(LOG_PRICE_MAX, self.log_price + STEP)

    def open_account(self) -> None:
        """Start counting afresh, at a price that first builds a new reserve."""
        self.allowance = 0.0
        self.abandons = 0
        self.log_price = min(LOG_PRICE_MAX, self.log_price + RESERVE * STEP)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot."""
        for name in self.__slots__:
            setattr(self, name, state[name])
