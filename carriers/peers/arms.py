"""The arms of a bandit: what came of each trunk's calls, over all of them or by region, and what a call is worth."""

from __future__ import annotations

from typing import Literal

import numpy as np

from carriers.market import Floats, Ints, Market
from carriers.peers.cost import answered_cost
from carriers.router import Outcomes, RouteRequests

Scope = Literal["carrier", "region"]


class Arms:
    """Counts of shape (K, G): G is 1 for arms by carrier (all calls of a trunk), or the number of regions.

    Bandits are given human contacts as their reward, and answers for the cost of a call alone: that is fairer to them
    than 200 OK. A contact counts when it is told, and its try when that is over.
    """

    def __init__(self, market: Market, scope: Scope) -> None:
        self._market = market
        self._by_region = scope == "region"
        self.tries: Floats = np.zeros((market.trunks, 0 if self._by_region else 1))
        self.contacts = self.tries.copy()
        self.answers = self.tries.copy()

    def of(self, cell: Ints) -> Ints:
        """Return the arm of each cell, (n,), after making room for new regions."""
        if not self._by_region:
            return np.zeros(len(cell), dtype=np.int64)
        region = self._market.region
        more = (int(region.max()) + 1 if len(region) else 0) - self.tries.shape[1]
        if more > 0:
            fresh = np.zeros((len(self.tries), more))
            self.tries, self.contacts, self.answers = (
                np.hstack([counts, fresh]) for counts in (self.tries, self.contacts, self.answers)
            )
        return np.take(region, cell)

    def learn(self, outcomes: Outcomes) -> None:
        """Add up what came of tries."""
        place = (outcomes.trunk, self.of(outcomes.cell))
        np.add.at(self.tries, place, outcomes.tries)
        np.add.at(self.contacts, place, outcomes.contacts)
        np.add.at(self.answers, place, outcomes.answers)


def net_value(market: Market, requests: RouteRequests, contact: Floats, answer: Floats, *, answered_s: float) -> Floats:
    """Return what each call is worth by trunk, less its fees, (K, n). `contact` and `answer`: probabilities, (K, n)."""
    attempt = np.take(market.attempt_fee, requests.cell, axis=1)
    fees = attempt + answer * answered_cost(market, requests.cell, answered_s)
    worth: Floats = contact * requests.value - fees
    return worth
