"""`static-lcr-v1`: least-cost routing. The cheapest usable trunk first, the next cheapest where that has no room."""

from __future__ import annotations

from typing import Any

from carriers.capacity import CapacityPrices
from carriers.market import Market
from carriers.peers.cost import ANSWER_SHARE, ANSWERED_S, check_range, expected_cost
from carriers.peers.overflow import serve
from carriers.peers.unpriced import check_snapshot, check_trunks
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes


class StaticLcr:
    """Learns nothing: a call's cost is reckoned with the same answer share and length for all trunks and for ever.

    Of equally cheap trunks the first is taken. Propensities are 1.
    """

    router_id = "static-lcr-v1"

    def __init__(self, market: Market, *, answer_share: float = ANSWER_SHARE, answered_s: float = ANSWERED_S) -> None:
        """`answered_s`: mean seconds of an answered call. Raises `ValueError` for a setting out of range."""
        self._market = market
        self._answer_share = check_range("answer_share", answer_share, least=0.0, most=1.0)
        self._answered_s = check_range("answered_s", answered_s, least=0.0)

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:  # noqa: ARG002
        """Choose the cheapest open trunk for each call."""
        cost = expected_cost(self._market, requests.cell, answer_share=self._answer_share, answered_s=self._answered_s)
        return serve(self._market, requests, room, -cost, own=Reason.TURN)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Learn nothing."""

    def problem(self, now: float) -> None:
        """Ask for no prices."""

    def reprice(self, prices: CapacityPrices) -> None:
        """Use no prices. Raises `ValueError` for those of another number of trunks."""
        check_trunks(prices, self._market)

    def snapshot(self) -> dict[str, Any]:
        """Nothing but of which router, and how many trunks."""
        return {"router": self.router_id, "trunks": self._market.trunks}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` for one of another router or number of trunks."""
        check_snapshot(state, self.router_id, self._market)
