"""Routers as small as can be, for tests of what drives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from carriers.market import Floats, Market
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes


class FixedOrder:
    """Takes the first trunk with room, of an order; a share of the calls is drawn among those with room. Remembers
    what it is told."""

    router_id = "fixed-order"

    def __init__(self, market: Market, *, order: tuple[int, ...] | None = None, exploration: float = 0.0) -> None:
        self.order = order or tuple(range(market.trunks))
        self.exploration = exploration
        self.heard: list[Outcomes] = []

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        left = room.trunk.copy()
        trunk, propensity = np.full(len(requests.cell), -1), np.ones(len(requests.cell))
        for row in range(len(requests.cell)):
            free = [each for each in self.order if left[each] > 0]
            if not free:
                continue
            drawn = rng.random() < self.exploration
            trunk[row] = free[int(rng.integers(len(free)))] if drawn else free[0]
            propensity[row] = self.exploration / len(free) + (1.0 - self.exploration) * (trunk[row] == free[0])
            left[trunk[row]] -= 1
        return Routes(trunk, propensity, np.where(trunk < 0, int(Reason.NONE), int(Reason.TURN)))

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        self.heard.append(outcomes)


class Told(FixedOrder):
    """Knows what each trunk is worth in each cell, and takes the best with room."""

    def __init__(self, market: Market, *, worth: Floats) -> None:
        super().__init__(market)
        self._worth = worth

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        left = room.trunk.copy()
        trunk = np.full(len(requests.cell), -1)
        for row, cell in enumerate(requests.cell.tolist()):
            score = np.where(left > 0, self._worth[:, cell], -np.inf)
            if left.any():
                trunk[row] = int(np.argmax(score))
                left[trunk[row]] -= 1
        return Routes(trunk, np.ones(len(trunk)), np.full(len(trunk), int(Reason.BEST)))
