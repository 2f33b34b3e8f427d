"""`round-robin-v1`: each call goes to the next usable trunk in turn, and to the one after where that has no room."""

from __future__ import annotations

from typing import Any

from carriers.capacity import CapacityPrices
from carriers.market import Market
from carriers.peers.overflow import take_turns
from carriers.peers.unpriced import check_snapshot, check_trunks
from carriers.router import Outcomes, Room, RouteRequests, Routes


class RoundRobin:
    """Learns nothing but whose turn it is: one turn for all cells. Propensities are 1."""

    router_id = "round-robin-v1"

    def __init__(self, market: Market) -> None:
        self._market = market
        self._turn = 0

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:  # noqa: ARG002
        """Choose the next open trunk for each call."""
        routes, self._turn = take_turns(self._market, requests, room, self._turn)
        return routes

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Learn nothing."""

    def problem(self, now: float) -> None:
        """Ask for no prices."""

    def reprice(self, prices: CapacityPrices) -> None:
        """Use no prices. Raises `ValueError` for those of another number of trunks."""
        check_trunks(prices, self._market)

    def snapshot(self) -> dict[str, Any]:
        """Whose turn it is, of how many."""
        return {"router": self.router_id, "trunks": self._market.trunks, "turn": self._turn}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` for one of another router or number of trunks, and is as it was."""
        check_snapshot(state, self.router_id, self._market)
        turn = state.get("turn")
        if type(turn) is not int or not 0 <= turn < self._market.trunks:
            raise ValueError(f"expected a turn of {self._market.trunks} trunks, was {turn!r}")
        self._turn = turn
