"""`ucb1-carrier-v1` and `ucb1-region-v1`: the trunk of the highest upper confidence bound.

Source: Auer, Cesa-Bianchi and Fischer, Finite-time analysis of the multiarmed bandit problem, Machine Learning 47,
2002, figure 1: play each arm once, then the one of the highest mean + sqrt(2 ln n / n_j). The reward is the net value
of a call; the bonus is for rewards in [0, 1], so it is multiplied by the value of a contact. Tries count when they are
over, so arms that no outcome is known of yet are played evenly until one is.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from carriers.market import Floats, Market
from carriers.peers.arms import Arms, Scope, net_value
from carriers.peers.cost import ANSWERED_S, check_range
from carriers.peers.overflow import serve
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes


class Ucb1:
    """Learns human contacts and answers by trunk, or by trunk and region. Propensities are exact."""

    def __init__(self, market: Market, scope: Scope, *, answered_s: float = ANSWERED_S) -> None:
        """`answered_s`: mean seconds of an answered call. Raises `ValueError` for a setting out of range."""
        self.router_id = f"ucb1-{scope}-v1"
        self._market = market
        self._arms = Arms(market, scope)
        self._answered_s = check_range("answered_s", answered_s, least=0.0)

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:  # noqa: ARG002
        """Choose the open trunk of the highest bound for each call, of equal ones any."""
        return serve(self._market, requests, room, self.bounds(requests), own=Reason.BEST, rng=rng)

    def bounds(self, requests: RouteRequests) -> Floats:
        """Return the upper bound of each call's net value by trunk, (K, n); infinite where nothing is known."""
        arms, place = self._arms, self._arms.of(requests.cell)
        played = np.take(arms.tries, place, axis=1)
        tries = np.maximum(played, 1.0)
        contact, answer = (
            np.minimum(np.take(counts, place, axis=1) / tries, 1.0) for counts in (arms.contacts, arms.answers)
        )
        worth = net_value(self._market, requests, contact, answer, answered_s=self._answered_s)
        bonus = np.sqrt(2.0 * np.log(np.maximum(played.sum(axis=0), 1.0)) / tries)
        bounds: Floats = np.where(played > 0.0, worth + requests.value * bonus, inf)
        return bounds

    def learn(self, outcomes: Outcomes, *, now: float) -> None:  # noqa: ARG002
        """Add up what came of tries."""
        self._arms.learn(outcomes)
