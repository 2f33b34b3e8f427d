"""The policies that are compared: ours, ours with something taken from it, and the peers with their defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from carriers.market import Market
from carriers.pricing import solve as solve
from carriers.registry import PEER_IDS, make_router
from carriers.router import Outcomes, Room, Router, RouteRequests, Routes

OURS = "hoe-lp-v1"
UNPRICED = "hoe-lp-v1 without prices"
UNTOLD = "hoe-lp-v1, not told of surcharges"
PEERS = tuple(PEER_IDS)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a policy's router is made, and whether the market that it sees has the surcharges."""

    make: Callable[[Market], Router]
    tells_surcharges: bool = True


class Unpriced:
    """A router that never asks for prices of capacity."""

    def __init__(self, market: Market) -> None:
        self._router = make_router(OURS, market)
        self.router_id = UNPRICED

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """As ours does."""
        return self._router.choose(requests, room, now=now, rng=rng)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """As ours does."""
        self._router.learn(outcomes, now=now)


POLICIES: dict[str, Policy] = {
    OURS: Policy(partial(make_router, OURS)),
    UNPRICED: Policy(Unpriced),
    UNTOLD: Policy(partial(make_router, OURS), tells_surcharges=False),
    **{peer: Policy(partial(make_router, peer)) for peer in PEERS},
}
