"""The routers by their versioned ids. The behaviour behind an id never changes; a better one gets a new id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from carriers.market import Market
from carriers.router import Outcomes, PricedRouter, Room, Router, RouteRequests

# Modules are imported on use: they load compiled kernels, which commands that do not dial need not wait for.


class UnknownRouter(ValueError):
    """A router id that no factory answers to."""


def _hoe_lp_v1(market: Market, **settings: Any) -> PricedRouter:
    from carriers.hoe_lp import HoeLp

    return HoeLp(market, **settings)


def _round_robin_v1(market: Market, **settings: Any) -> PricedRouter:
    from carriers.peers.round_robin import RoundRobin

    return RoundRobin(market, **settings)


def _static_lcr_v1(market: Market, **settings: Any) -> PricedRouter:
    from carriers.peers.static_lcr import StaticLcr

    return StaticLcr(market, **settings)


def _cgrates_qos_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.cgrates_qos import CgratesQos

    return CgratesQos(market, **settings)


def _dynamic_weights_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.opensips_qrouting import OpensipsQrouting

    return OpensipsQrouting(market, "dynamic-weights", **settings)


def _best_dest_first_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.opensips_qrouting import OpensipsQrouting

    return OpensipsQrouting(market, "best-dest-first", **settings)


def _epsilon_greedy_carrier_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.epsilon_greedy import EpsilonGreedy

    return EpsilonGreedy(market, "carrier", **settings)


def _epsilon_greedy_region_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.epsilon_greedy import EpsilonGreedy

    return EpsilonGreedy(market, "region", **settings)


def _ucb1_carrier_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.ucb1 import Ucb1

    return Ucb1(market, "carrier", **settings)


def _ucb1_region_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.ucb1 import Ucb1

    return Ucb1(market, "region", **settings)


def _discounted_thompson_v1(market: Market, **settings: Any) -> Router:
    from carriers.peers.discounted_thompson import DiscountedThompson

    return DiscountedThompson(market, **settings)


_CAMPAIGN: dict[str, Callable[..., PricedRouter]] = {
    "hoe-lp-v1": _hoe_lp_v1,
    "round-robin-v1": _round_robin_v1,
    "static-lcr-v1": _static_lcr_v1,
}
_PEERS: dict[str, Callable[..., Router]] = {
    "cgrates-qos-v1": _cgrates_qos_v1,
    "discounted-thompson-v1": _discounted_thompson_v1,
    "epsilon-greedy-carrier-v1": _epsilon_greedy_carrier_v1,
    "epsilon-greedy-region-v1": _epsilon_greedy_region_v1,
    "opensips-qrouting-best-dest-first-v1": _best_dest_first_v1,
    "opensips-qrouting-dynamic-weights-v1": _dynamic_weights_v1,
    "ucb1-carrier-v1": _ucb1_carrier_v1,
    "ucb1-region-v1": _ucb1_region_v1,
}
ROUTER_IDS = tuple(sorted(_CAMPAIGN))  # what a campaign may choose
PEER_IDS = tuple(sorted({*_PEERS, "round-robin-v1", "static-lcr-v1"}))  # how others choose


def make_router(router_id: str, market: Market, **settings: Any) -> Router:
    """Return a fresh router of that market, one of `ROUTER_IDS` or `PEER_IDS`, that has learned nothing.

    `settings` are the router's own, for studies. Raises `UnknownRouter`, naming the known ids, and `ValueError` for a
    setting out of range.
    """
    factory = _PEERS.get(router_id)
    if factory is not None:
        return factory(market, **settings)
    if router_id in _CAMPAIGN:
        return make_campaign_router(router_id, market, **settings)
    raise UnknownRouter(f"expected a router of {', '.join(sorted({*ROUTER_IDS, *PEER_IDS}))}, was {router_id!r}")


def make_campaign_router(router_id: str, market: Market, **settings: Any) -> PricedRouter:
    """Return a fresh router of that market that a campaign may choose, one of `ROUTER_IDS`.

    Raises `UnknownRouter`, naming the known ids.
    """
    factory = _CAMPAIGN.get(router_id)
    if factory is None:
        raise UnknownRouter(f"expected a router of {', '.join(ROUTER_IDS)}, was {router_id!r}")
    return factory(market, **settings)


def warm_up() -> None:
    """Compile every kernel that a campaign's router needs, or load it from numba's cache. Call before saying ready: a
    first compilation takes seconds, and a choice must not."""
    one, none, calls = np.ones(1), np.zeros(1), np.zeros(1, dtype=np.int64)
    for router_id in ROUTER_IDS:
        router = make_campaign_router(router_id, _smallest_market())
        router.choose(
            RouteRequests(calls, 0.1 * one, one), Room(calls + 1, calls + 1), now=0.0, rng=np.random.default_rng(0)
        )
        router.learn(Outcomes(calls, calls, one, 0.1 * one, one, one, none, none, none, one, one), now=1.0)
        router.problem(2.0)


def _smallest_market() -> Market:
    """One trunk that carries calls of one cell, of a carrier without limits."""
    pair, one, first = np.ones((1, 1)), np.ones(1), np.zeros(1, dtype=np.int64)
    return Market(
        region=first,
        destination=first,
        attempt_fee=0.0 * pair,
        connection_fee=0.0 * pair,
        per_s=0.0 * pair,
        first_s=pair,
        step_s=pair,
        usable=pair > 0.0,
        set_ups_per_s=one,
        channels=one,
        account=first,
        account_set_ups_per_s=np.inf * one,
        account_channels=np.inf * one,
        short_above=one,
        short_fee=0.0 * one,
        cancelled_above=one,
        cancelled_fee=0.0 * one,
        cells=1,
    )
