"""What holds of every router, those of others included, whatever happens: nothing beyond room, nothing unusable, equal
answers to equal histories, propensities that are true, and snapshots that lose nothing."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.capacity import CapacityPrices
from carriers.market import Market
from carriers.registry import PEER_IDS, ROUTER_IDS, make_campaign_router, make_router
from carriers.router import Outcomes, PricedRouter, Reason, Room, Router, RouteRequests, Routes
from tests.unit.carriers.peers.peer_market import add_cell, calls, make_market, outcomes, room, serve_by_hand

START = 1_900_000_000.0
EVERY_ID = tuple(sorted({*ROUTER_IDS, *PEER_IDS}))
EVERY_ROUTER = pytest.mark.parametrize("router_id", EVERY_ID)
UNKNOWN_PROPENSITIES = ("discounted-thompson-v1",)
NEVER_DRAWN = ("opensips-qrouting-best-dest-first-v1", "round-robin-v1", "static-lcr-v1")
COLUMNS = ("region", "usable", "attempt_fee", "per_s", "account")


@dataclass
class Floor:
    """A router at work: its market, its clock, its chance, and all that it answered."""

    router: Router
    market: Market
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    now: float = START
    routes: list[tuple[list[Any], ...]] = field(default_factory=list)


Step = Callable[[Floor], None]


def floor_of(router_id: str) -> Floor:
    market = make_market(
        4, [0, 0, 1], attempt_fee=[0.0004, 0.0012, 0.0008, 0.0002], per_s=[2e-4, 1e-4, 3e-4, 2e-4], account=[0, 0, 1, 2]
    )
    return Floor(make_router(router_id, market), market)


@st.composite
def _choices(draw: st.DrawFn) -> Step:
    cells, later_s = draw(st.lists(st.integers(0, 2), max_size=9)), draw(st.sampled_from([0.0, 0.5, 7.0, 4000.0]))
    probability, value = draw(st.sampled_from([0.01, 0.2, 0.9])), draw(st.sampled_from([0.0, 0.05, 0.25, 40.0]))
    some = st.integers(0, 5)
    available = room(
        *draw(st.lists(some, min_size=4, max_size=4)), account=draw(st.lists(some, min_size=3, max_size=3))
    )

    def choose(floor: Floor) -> None:
        floor.now += later_s
        requests = calls(*cells, value=value, answer_probability=probability)
        kept = _kept(floor.market, requests, available)
        routes = floor.router.choose(requests, available, now=floor.now, rng=floor.rng)
        assert _kept(floor.market, requests, available) == kept, "what comes in is only read"
        check_routes(floor, requests, available, routes)
        floor.routes.append(tuple(np.nan_to_num(column, nan=-1.0).tolist() for column in routes))

    return choose


def _kept(market: Market, requests: RouteRequests, available: Room) -> list[Any]:
    return [array.tolist() for array in (*requests, *available, *(getattr(market, name) for name in COLUMNS))]


def check_routes(floor: Floor, requests: RouteRequests, available: Room, routes: Routes) -> None:
    """Check a batch against serving by hand: what each call found open is known by then."""
    count = len(requests.cell)
    assert [len(column) for column in routes] == [count] * 3
    assert routes.trunk.dtype == routes.reason.dtype == np.int64 and routes.propensity.dtype == np.float64
    seen: dict[int, tuple[list[int], list[int]]] = {}

    def pick(call: int, found: list[int], usable: list[int]) -> int:
        seen[call] = (found, usable)
        assert routes.trunk[call] in found, "usable, and never beyond the room of its trunk and its account"
        return int(routes.trunk[call])

    assert serve_by_hand(floor.market, requests, available, pick) == routes.trunk.tolist()
    for call in range(count):
        reason, propensity = Reason(routes.reason[call]), routes.propensity[call]
        if call not in seen:
            assert (routes.trunk[call], reason) == (-1, Reason.NONE)
            continue
        found, usable = seen[call]
        assert reason not in (Reason.NONE, Reason.PROBE)
        assert (reason == Reason.ONLY) == (len(found) == 1)
        assert reason != Reason.OVERFLOW or len(found) < len(usable)
        if len(found) == 1 or floor.router.router_id in NEVER_DRAWN:
            assert propensity == 1.0
        elif floor.router.router_id in UNKNOWN_PROPENSITIES:
            assert np.isnan(propensity)
        else:
            assert 0.0 < propensity <= 1.0 + 1e-12


@st.composite
def _lessons(draw: st.DrawFn) -> Step:
    count, answered_s = draw(st.integers(0, 60)), draw(st.sampled_from([2.0, 90.0]))
    rows = np.random.default_rng(draw(st.integers(0, 9)))
    trunk, cell, kind = rows.integers(0, 4, count), rows.integers(0, 3, count), rows.integers(0, 5, count)
    told = outcomes(
        trunk.tolist(),
        cell.tolist(),
        tries=(kind != 3).astype(float).tolist(),  # a contact told on its own, or taken back
        contacts=np.choose(kind, [0, 1, 0, 1, -1]).tolist(),
        answers=np.choose(kind, [0, 1, 1, 0, 1]).tolist(),
        answered_s=(answered_s * np.choose(kind, [0, 1, 1, 0, 1])).tolist(),
        faults=((kind == 0) & (trunk == 2)).astype(float).tolist(),
    )

    def learn(floor: Floor) -> None:
        kept = [column.tolist() for column in told]
        floor.router.learn(Outcomes(*told), now=floor.now)
        assert [column.tolist() for column in told] == kept

    return learn


@st.composite
def _changes(draw: st.DrawFn) -> Step:
    closed = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8))
    region = draw(st.sampled_from([None, 0, 5]))

    def change(floor: Floor) -> None:
        floor.market.usable[...] = True
        for trunk, cell in closed:
            floor.market.usable[trunk, cell] = False
        if region is not None:
            added = add_cell(floor.market, region=region)
            requests = calls(added, 0, added)
            available = room(1, 1, 1, 1, account=[2, 2, 2])
            routes = floor.router.choose(requests, available, now=floor.now, rng=floor.rng)
            check_routes(floor, requests, available, routes)
            floor.router.learn(outcomes([0, 3], [added, added], contacts=[1, 0], answers=1.0), now=floor.now)

    return change


STEPS = st.lists(st.one_of(_choices(), _choices(), _lessons(), _changes()), max_size=12)


def _play(floor: Floor, steps: list[Step]) -> list[Any]:
    for step in steps:
        step(floor)
    return floor.routes


@EVERY_ROUTER
@given(steps=STEPS)
@settings(max_examples=40, deadline=None)
def test_nothing_is_chosen_beyond_room_and_equal_histories_give_equal_answers(
    router_id: str, steps: list[Step]
) -> None:
    assert _play(floor_of(router_id), steps) == _play(floor_of(router_id), steps)


@EVERY_ROUTER
def test_an_empty_batch_and_no_outcomes_are_nothing(router_id: str) -> None:
    for floor in (floor_of(router_id), Floor(make_router(router_id, empty := make_market(4, [])), empty)):
        available = room(1, 1, 1, 1)
        routes = floor.router.choose(calls(), available, now=START, rng=floor.rng)
        check_routes(floor, calls(), available, routes)
        floor.router.learn(outcomes([]), now=START)


@EVERY_ROUTER
def test_where_all_is_closed_there_is_no_route(router_id: str) -> None:
    floor = floor_of(router_id)
    for available in (room(0, 0, 0, 0, account=[9, 9, 9]), room(9, 9, 9, 9, account=[0, 0, 0])):
        assert (floor.router.choose(calls(0, 1), available, now=START, rng=floor.rng).trunk == -1).all()
    floor.market.usable[:, 1] = False
    routes = floor.router.choose(calls(0, 1, 0), room(9, 9, 9, 9), now=START, rng=floor.rng)
    assert (routes.trunk >= 0).tolist() == [True, False, True]


@pytest.mark.parametrize("router_id", [one for one in EVERY_ID if one not in UNKNOWN_PROPENSITIES])
@pytest.mark.parametrize("taught", [False, True])
def test_a_propensity_is_how_often_its_trunk_is_chosen(router_id: str, taught: bool) -> None:
    floor = floor_of(router_id)
    if taught:
        for trunk, hits in enumerate([3, 12, 0, 12]):
            kinds = [1.0] * hits + [0.0] * (60 - hits)
            floor.router.learn(outcomes([trunk] * 60, contacts=kinds, answers=kinds, answered_s=40.0), now=START)
    taken: Counter[int] = Counter()
    told: dict[int, float] = {}
    draws = 1500
    for seed in range(draws):
        router = copy.deepcopy(floor.router)
        routes = router.choose(calls(0), room(9, 9, 9, 9), now=START + 6.0, rng=np.random.default_rng(seed))
        trunk = int(routes.trunk[0])
        taken[trunk] += 1
        assert told.setdefault(trunk, routes.propensity[0]) == pytest.approx(routes.propensity[0])
    for trunk, chance in told.items():
        assert abs(taken[trunk] / draws - chance) <= 4.5 * (chance * (1.0 - chance) / draws) ** 0.5
    assert sum(told.values()) == pytest.approx(1.0, abs=0.02), "a rare one may not have been drawn"


# ---- routers that a campaign may choose -------------------------------------------------------------------------
@pytest.mark.parametrize("router_id", ROUTER_IDS)
@given(first=STEPS, then=STEPS)
@settings(max_examples=25, deadline=None)
def test_a_snapshot_is_plain_and_takes_up_where_it_was(router_id: str, first: list[Step], then: list[Step]) -> None:
    floor = floor_of(router_id)
    _play(floor, first)
    twin = copy.deepcopy(floor)
    twin.router = make_campaign_router(router_id, twin.market)
    _priced(twin).restore(json.loads(json.dumps(_priced(floor).snapshot())))
    assert _priced(twin).snapshot() == _priced(floor).snapshot()
    assert _play(twin, then) == _play(floor, then)


def _priced(floor: Floor) -> PricedRouter:
    return floor.router


@pytest.mark.parametrize("router_id", ROUTER_IDS)
def test_prices_and_snapshots_of_other_trunks_or_routers_are_refused_and_change_nothing(router_id: str) -> None:
    floor = floor_of(router_id)
    router, before = _priced(floor), copy.deepcopy(_priced(floor).snapshot())
    other = make_market(2)
    one = (0.0,)
    with pytest.raises(ValueError, match="expected"):
        router.reprice(
            CapacityPrices(
                set_up=one, channel_s=one, account_set_up=one, account_channel_s=one, short=one, cancelled=one
            )
        )
    refused: list[dict[str, Any]] = [make_campaign_router(router_id, other).snapshot(), {}, {"router": "other-v1"}]
    for state in refused:
        with pytest.raises(ValueError, match="expected"):
            router.restore(state)
    assert router.snapshot() == before


@pytest.mark.parametrize("router_id", ROUTER_IDS)
def test_fitting_prices_are_taken(router_id: str) -> None:
    router = _priced(floor_of(router_id))
    four, three = (0.0,) * 4, (0.0,) * 3
    router.reprice(
        CapacityPrices(
            set_up=four,
            channel_s=four,
            account_set_up=three,
            account_channel_s=three,
            short=three,
            cancelled=three,
        )
    )
    if router_id != "hoe-lp-v1":
        assert router.problem(START) is None


@pytest.mark.parametrize("turn", [-1, 4, 1.0, True, None, "0"])
def test_a_turn_that_cannot_be_is_refused(turn: Any) -> None:
    router = make_campaign_router("round-robin-v1", make_market(4))
    with pytest.raises(ValueError, match="expected a turn of 4 trunks"):
        router.restore({**router.snapshot(), "turn": turn})
