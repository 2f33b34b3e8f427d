"""`hoe-lp-v1`: what it learns, what it asks to be solved, and that it is kept exactly."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from carriers.capacity import CapacityPrices
from carriers.hoe_lp import HoeLp, billed_s
from carriers.market import Market
from carriers.router import Outcomes, Room, RouteRequests, Routes

TRUNKS, REGIONS, DESTINATIONS = 3, 4, 2
CELLS = REGIONS * DESTINATIONS


def _market(set_ups_per_s: float = 100.0, cells: int = CELLS) -> Market:
    pair, one, accounts = np.ones((TRUNKS, cells)), np.ones(TRUNKS), np.ones(TRUNKS)
    return Market(
        region=np.arange(cells) // DESTINATIONS,
        destination=np.arange(cells) % DESTINATIONS,
        attempt_fee=0.001 * pair,
        connection_fee=0.0 * pair,
        per_s=0.0001 * pair,
        first_s=pair,
        step_s=pair.copy(),
        usable=pair > 0.0,
        set_ups_per_s=set_ups_per_s * one,
        channels=1000.0 * one,
        account=np.arange(TRUNKS),
        account_set_ups_per_s=np.inf * accounts,
        account_channels=np.inf * accounts,
        short_above=accounts.copy(),
        short_fee=0.0 * accounts,
        cancelled_above=accounts.copy(),
        cancelled_fee=0.0 * accounts,
        cells=cells,
    )


def _prices(set_up: tuple[float, ...], channel_s: tuple[float, ...] = (0.0,) * TRUNKS) -> CapacityPrices:
    none = (0.0,) * TRUNKS
    return CapacityPrices(
        set_up=set_up, channel_s=channel_s, account_set_up=none, account_channel_s=none, short=none, cancelled=none
    )


def _choose(router: HoeLp, now: float, rng: Any, calls: int = 20) -> Routes:
    requests = RouteRequests(rng.integers(0, router.market.cells, calls), np.full(calls, 0.2), np.ones(calls))
    plenty = np.full(TRUNKS, 1000)
    return router.choose(requests, Room(plenty, plenty), now=now, rng=rng)


def _teach(router: HoeLp, now: float, rng: Any, chance: Any, calls: int = 60, fault: float = 0.0) -> None:
    trunk, cell = rng.integers(0, TRUNKS, calls), rng.integers(0, router.market.cells, calls)
    one = np.ones(calls)
    contact = (rng.random(calls) < np.asarray(chance)[trunk]).astype(np.float64)
    faults = fault * (trunk == 0)
    router.learn(
        Outcomes(
            trunk, cell, one, 0.2 * one, contact, contact, faults, 0.0 * one, 0.0 * one, 60.0 * contact,
            25.0 + 60.0 * contact,
        ),
        now=now,
    )  # fmt: skip


def _taught(seconds: int = 300, **supply: Any) -> HoeLp:
    router, rng = HoeLp(_market(**supply), exploration=0.0), np.random.default_rng(1)
    for second in range(seconds):
        _choose(router, float(second), rng)
        _teach(router, float(second), rng, [0.1, 0.2, 0.3])
    return router


def test_it_learns_who_reaches_people() -> None:
    router = _taught()
    assert (_choose(router, 305.0, np.random.default_rng(2)).trunk == 2).all()
    levels = [router.figures(trunk, 0)["multiplier"] for trunk in range(TRUNKS)]
    assert levels == pytest.approx([0.5, 1.0, 1.5], abs=0.3)


def test_it_asks_for_prices_only_where_room_is_short() -> None:
    assert _taught().problem(301.0) is None
    short = _taught(set_ups_per_s=8.0).problem(301.0)
    assert short is not None and (short.trunks, short.cells) == (TRUNKS, CELLS)
    assert np.frombuffer(short.demand, "<f4").sum() == pytest.approx(20.0, rel=0.1)


def test_a_price_sends_calls_elsewhere_and_none_lets_them_back() -> None:
    router = _taught()
    router.reprice(_prices((0.0, 0.0, 9.0)))
    assert (_choose(router, 306.0, np.random.default_rng(2)).trunk == 1).all()
    assert router.problem(307.0) is None
    assert (_choose(router, 308.0, np.random.default_rng(2)).trunk == 2).all()


@pytest.mark.parametrize("set_up", [(0.0,), (0.0, 0.0, -1.0), (0.0, 0.0, float("nan"))])
def test_prices_of_another_shape_or_below_zero_are_refused(set_up: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        _taught(3).reprice(_prices(set_up))


def test_a_restored_router_goes_on_as_the_first_one() -> None:
    # 303 s: between two refreshes, so that tables which are out of date are kept too
    first, second = _taught(303, set_ups_per_s=8.0), HoeLp(_market(8.0), exploration=0.0)
    first.reprice(_prices((0.0, 0.0, 0.05), (0.0, 0.001, 0.0)))
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert second.snapshot() == first.snapshot()
    ours, theirs = np.random.default_rng(5), np.random.default_rng(5)
    for now in range(303, 330):
        for left, right in zip(_choose(first, now, ours), _choose(second, now, theirs), strict=True):
            assert left.tolist() == right.tolist()
        _teach(first, now, ours, [0.3, 0.2, 0.1], fault=1.0)
        _teach(second, now, theirs, [0.3, 0.2, 0.1], fault=1.0)
        assert first.problem(now) == second.problem(now)
    assert second.snapshot() == first.snapshot()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("demand"),
        lambda state: state["multipliers"].pop("regions"),
        lambda state: state["multipliers"].update(observed=[[1.0]]),
        lambda state: state["prices"].update(set_up=[0.0]),
        lambda state: state.update(counts="much"),
    ],
)
def test_another_shape_is_refused_and_changes_nothing(spoil: Any) -> None:
    state = json.loads(json.dumps(_taught(20).snapshot()))
    spoil(state)
    router = _taught(10)
    before = router.snapshot()
    with pytest.raises(ValueError, match="expected"):
        router.restore(state)
    assert router.snapshot() == before


def test_new_cells_inherit_and_what_is_known_stays() -> None:
    router = _taught(300)
    known, wider = router.figures(2, 0), _market(cells=CELLS + 1)
    market = router.market
    for name in ("region", "destination", "attempt_fee", "connection_fee", "per_s", "first_s", "step_s", "usable"):
        setattr(market, name, getattr(wider, name))
    market.cells = CELLS + 1
    _choose(router, 299.5, np.random.default_rng(2))
    new = router.figures(2, CELLS)
    assert new["contacts_seen"] == 0.0 and new["multiplier_cell"] == 1.0
    assert new["multiplier"] == pytest.approx(
        new["multiplier_trunk"] * new["multiplier_destination"] * new["fallen_region"] * new["fallen_destination"],
        rel=0.01,
    )
    assert router.figures(2, 0)["contacts_seen"] == known["contacts_seen"]


def test_faults_are_felt_at_the_next_choice() -> None:
    router, rng = _taught(), np.random.default_rng(4)
    _choose(router, 500.0, rng)  # the good tries of before have faded
    _teach(router, 500.0, rng, [0.0, 0.2, 0.3], calls=300, fault=1.0)
    assert router.figures(0, 0)["available"] < 0.3
    assert router.figures(1, 0)["available"] > 0.9


@pytest.mark.parametrize(("first", "step"), [(1.0, 1.0), (30.0, 6.0), (60.0, 60.0)])
def test_billed_seconds_are_those_of_many_calls(first: float, step: float) -> None:
    talk = np.random.default_rng(1).exponential(40.0, 400_000)
    billed = np.where(talk > first, first + np.ceil((talk - first) / step) * step, first)
    found = billed_s(np.array([40.0]), np.array([first]), np.array([step]))
    assert found[0] == pytest.approx(billed.mean(), rel=0.01)
