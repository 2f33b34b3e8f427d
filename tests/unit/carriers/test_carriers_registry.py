"""Ids and what they make; nothing compiled is loaded by asking for ids."""

from __future__ import annotations

import subprocess
import sys

import pytest

from carriers.registry import PEER_IDS, ROUTER_IDS, UnknownRouter, make_campaign_router, make_router
from tests.unit.carriers.peers.peer_market import make_market


@pytest.mark.parametrize("router_id", sorted({*ROUTER_IDS, *PEER_IDS}))
def test_each_id_makes_a_fresh_router_of_that_id(router_id: str) -> None:
    market = make_market(2)
    router = make_router(router_id, market)
    assert router.router_id == router_id
    assert make_router(router_id, market) is not router


def test_a_campaign_chooses_among_three() -> None:
    assert ROUTER_IDS == ("hoe-lp-v1", "round-robin-v1", "static-lcr-v1")
    assert {"round-robin-v1", "static-lcr-v1"} < set(PEER_IDS) and "hoe-lp-v1" not in PEER_IDS
    assert len(set(PEER_IDS)) == len(PEER_IDS) == 10


@pytest.mark.parametrize("router_id", ["ucb2-v1", "", "cgrates-qos"])
def test_an_unknown_id_is_refused_with_the_known_ones(router_id: str) -> None:
    with pytest.raises(UnknownRouter, match=rf"expected a router of .*ucb1-region-v1, was '{router_id}'"):
        make_router(router_id, make_market(2))


def test_a_peer_s_id_is_not_a_campaign_s() -> None:
    with pytest.raises(UnknownRouter, match="expected a router of hoe-lp-v1, round-robin-v1, static-lcr-v1, was"):
        make_campaign_router("ucb1-region-v1", make_market(2))


def test_settings_go_to_the_router() -> None:
    with pytest.raises(ValueError, match="exploration"):
        make_router("epsilon-greedy-carrier-v1", make_market(2), exploration=2.0)
    with pytest.raises(TypeError, match="unheard_of"):
        make_router("round-robin-v1", make_market(2), unheard_of=2.0)


def test_asking_for_ids_loads_nothing_compiled() -> None:
    code = "import sys, carriers.registry; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_warming_up_leaves_nothing_to_compile() -> None:
    code = """
import numba.core.dispatcher, carriers.registry
carriers.registry.warm_up()
def compiled(*_): raise AssertionError("compiled in the middle of a choice")
numba.core.dispatcher.Dispatcher.compile = compiled
carriers.registry.warm_up()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=110)
