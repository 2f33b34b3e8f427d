"""`epsilon-greedy-carrier-v1` and `epsilon-greedy-region-v1`: the trunk of the best mean so far, and sometimes any.

Source: Sutton and Barto, Reinforcement Learning, 2nd ed. 2018, section 2.4: sample averages over all time, with an
even draw of a share `exploration` of the calls. Each mean begins as one try of the usual answer share.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from carriers.market import Market
from carriers.peers.arms import Arms, Scope, net_value
from carriers.peers.cost import ANSWER_SHARE, ANSWERED_S, check_range
from carriers.peers.overflow import serve
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes

EXPLORATION = 0.1


class EpsilonGreedy:
    """Learns human contacts and answers by trunk, or by trunk and region. Propensities are exact."""

    def __init__(
        self,
        market: Market,
        scope: Scope,
        *,
        exploration: float = EXPLORATION,
        answer_share: float = ANSWER_SHARE,
        answered_s: float = ANSWERED_S,
    ) -> None:
        """`answer_share`: what the one try is worth with which each arm begins. Raises `ValueError` for a setting out
        of range."""
        self.router_id = f"epsilon-greedy-{scope}-v1"
        self._market = market
        self._arms = Arms(market, scope)
        self._exploration = check_range("exploration", exploration, least=0.0, most=1.0)
        self._answer_share = check_range("answer_share", answer_share, least=0.0, most=1.0)
        self._answered_s = check_range("answered_s", answered_s, least=0.0)

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:  # noqa: ARG002
        """Choose the open trunk of the best net value for each call, or any open one."""
        arms, place = self._arms, self._arms.of(requests.cell)
        tries = np.take(arms.tries, place, axis=1) + 1.0
        contact, answer = (
            np.minimum((np.take(counts, place, axis=1) + self._answer_share) / tries, 1.0)
            for counts in (arms.contacts, arms.answers)
        )
        worth = net_value(self._market, requests, contact, answer, answered_s=self._answered_s)
        return serve(self._market, requests, room, worth, own=Reason.BEST, rng=rng, exploration=self._exploration)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:  # noqa: ARG002
        """Add up what came of tries."""
        self._arms.learn(outcomes)
