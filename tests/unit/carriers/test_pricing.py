"""Capacity prices: known answers, brute force, duality against the primal, degenerate problems, and routing by them."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.capacity_terms import CapacityTerms, capacity_terms, problem_of, terms_of
from carriers.market import Floats
from carriers.pricing import SMALL, Allocation, allocate, allocation, solve

INF = np.inf


def net_of(terms: CapacityTerms, prices: CapacityPrices) -> Floats:
    """(K, C): what a call is worth less the prices of what it uses, as a router counts it."""
    owner = terms.account
    own = [np.array(prices.set_up), np.array(prices.channel_s)]
    account_set_up, account_channel_s, short, cancelled = (
        np.array(field)[owner]
        for field in (prices.account_set_up, prices.account_channel_s, prices.short, prices.cancelled)
    )
    net = terms.value - (own[0] + account_set_up)[:, None] - (own[1] + account_channel_s)[:, None] * terms.held_s
    net = net - short[:, None] * (terms.short - terms.short_above[owner][:, None] * terms.answered)
    return net - cancelled[:, None] * (terms.cancelled - terms.cancelled_above[owner][:, None])


def loads(terms: CapacityTerms, flow: Floats) -> dict[str, tuple[Floats, Floats]]:
    """What the flow uses of each limit, and the limit."""
    accounts = len(terms.short_fee)

    def by_account(used: Floats) -> Floats:
        return np.bincount(terms.account, used, minlength=accounts)

    calls, busy = flow.sum(axis=1), (flow * terms.held_s).sum(axis=1)
    return {
        "set_up": (calls, terms.set_ups_per_s),
        "channel_s": (busy, terms.channels),
        "account_set_up": (by_account(calls), terms.account_set_ups_per_s),
        "account_channel_s": (by_account(busy), terms.account_channels),
    }


def excess(terms: CapacityTerms, flow: Floats) -> dict[str, tuple[Floats, Floats]]:
    """By how much the flow is above each share of surcharges, and the fee (0: there is none)."""
    accounts = len(terms.short_fee)
    short = terms.short - terms.short_above[terms.account][:, None] * terms.answered
    cancelled = terms.cancelled - terms.cancelled_above[terms.account][:, None]
    over = [np.bincount(terms.account, (flow * rate).sum(axis=1), minlength=accounts) for rate in (short, cancelled)]
    return {
        "short": (over[0], np.where(terms.short_above < 1.0, terms.short_fee, 0.0)),
        "cancelled": (over[1], np.where(terms.cancelled_above < 1.0, terms.cancelled_fee, 0.0)),
    }


def check_optimal(terms: CapacityTerms, found: Allocation, bonus: Floats | float, slack: float = 1e-5) -> None:
    """Primal and dual feasible with equal objectives: both are optimal, whoever found them (strong duality)."""
    flow, prices = found.flow, found.prices
    usable = np.isfinite(terms.value)
    scale = max(1.0, float(np.abs(terms.value[usable]).max(initial=0.0)), float(np.max(bonus, initial=0.0)))
    calls = max(1.0, float(terms.demand.sum()))
    assert (flow >= 0.0).all() and (flow[~usable] == 0.0).all()
    assert (flow.sum(axis=0) <= terms.demand + slack * calls).all()
    primal = found.worth + float((flow * bonus).sum())
    dual = float(np.maximum((net_of(terms, prices) + bonus).max(axis=0, initial=0.0), 0.0) @ terms.demand)
    for name, (used, limit) in loads(terms, flow).items():
        price = np.array(getattr(prices, name))
        assert (price >= 0.0).all() and (used <= limit + slack * (calls + np.abs(used))).all(), name
        assert (price[np.isinf(limit)] == 0.0).all(), name
        dual += float(price @ np.where(np.isinf(limit), 0.0, limit))
    for name, (over, fee) in excess(terms, flow).items():
        price = np.array(getattr(prices, name))
        assert (price >= 0.0).all() and (price <= fee * (1.0 + 1e-9)).all(), name
        assert (price[over > slack * calls] >= fee[over > slack * calls] - slack * scale).all(), name
    assert primal == pytest.approx(dual, abs=slack * scale * calls)


def random_terms(
    rng: np.random.Generator, trunks: int, cells: int, *, room: float, shut: float = 0.2
) -> dict[str, Any]:
    accounts = max(1, trunks // 2)
    answered = rng.uniform(0.05, 0.4, (trunks, cells))
    value = answered * 0.25 - rng.uniform(0.0, 0.05, (trunks, 1))
    demand = rng.uniform(0.0, 2.0, cells)
    held = 20.0 + 40.0 * answered
    set_ups = rng.dirichlet(np.ones(trunks)) * demand.sum() * room
    return {
        "value": np.where(rng.random(value.shape) < shut, -INF, value),
        "demand": np.where(rng.random(cells) < 0.1, 0.0, demand),
        "held_s": held,
        "set_ups_per_s": set_ups,
        "channels": set_ups * rng.uniform(20.0, 40.0, trunks),
        "account": rng.integers(0, accounts, trunks),
        "account_set_ups_per_s": np.where(rng.random(accounts) < 0.5, INF, demand.sum() * room * 0.4),
        "account_channels": np.where(rng.random(accounts) < 0.5, INF, demand.sum() * room * 12.0),
        "short": answered * rng.uniform(0.0, 0.4, (trunks, 1)),
        "answered": answered,
        "cancelled": 0.9 - answered,
        "short_above": rng.choice([0.1, 0.15, 1.0], accounts),
        "short_fee": rng.choice([0.0, 0.01, 0.05], accounts),
        "cancelled_above": rng.choice([0.2, 0.7, 1.0], accounts),
        "cancelled_fee": rng.choice([0.0, 0.005], accounts),
    }


# ---- known answers ------------------------------------------------------------------------------------------
def test_room_on_the_better_trunk_is_worth_the_difference_to_the_next() -> None:
    """Of two calls a second, one has room on the better trunk."""
    prices = solve(
        problem_of(value=np.array([[0.5], [0.2]]), demand=np.array([2.0]), set_ups_per_s=np.array([1.0, 9.0]))
    )
    assert prices.set_up == pytest.approx((0.3, 0.0), abs=1e-6)


def test_room_goes_where_the_difference_is_largest() -> None:
    """The second cell loses less on the other trunk: it makes room, and its difference is the price."""
    value = np.array([[0.5, 0.5], [0.1, 0.4]])
    found = allocate(value=value, demand=np.array([1.0, 1.0]), set_ups_per_s=np.array([1.5, 9.0]))
    assert found.flow == pytest.approx(np.array([[1.0, 0.5], [0.0, 0.5]]), abs=1e-6)
    assert found.prices.set_up == pytest.approx((0.1, 0.0), abs=1e-6)
    assert found.worth == pytest.approx(0.5 + 0.25 + 0.2)


def test_channels_are_priced_by_the_second() -> None:
    """Calls that hold 30 s in the mean: 15 channels carry half a call a second."""
    found = allocate(
        value=np.array([[0.5], [0.2]]),
        demand=np.array([1.0]),
        set_ups_per_s=np.array([9.0, 9.0]),
        held_s=np.array([[30.0], [20.0]]),
        channels=np.array([15.0, INF]),
    )
    assert found.flow == pytest.approx(np.array([[0.5], [0.5]]), abs=1e-6)
    assert found.prices.channel_s == pytest.approx((0.01, 0.0), abs=1e-7)


def test_an_account_s_limit_is_priced_over_its_trunks() -> None:
    prices = solve(
        problem_of(
            value=np.array([[0.5], [0.5], [0.2]]),
            demand=np.array([3.0]),
            account=np.array([0, 0, 1]),
            set_ups_per_s=np.array([9.0, 9.0, 9.0]),
            account_set_ups_per_s=np.array([2.0, INF]),
        )
    )
    assert prices.account_set_up == pytest.approx((0.3, 0.0), abs=1e-6) and max(prices.set_up) == 0.0


def test_a_surcharge_is_kept_off_by_calls_that_are_not_of_its_kind() -> None:
    """Half of the calls may be cancelled. The first cell's all are; the second's none, and there are more of them."""
    found = allocate(
        value=np.array([[0.5, 0.5], [0.4, 0.4]]),
        demand=np.array([1.0, 2.0]),
        cancelled=np.array([[1.0, 0.0], [0.0, 0.0]]),
        cancelled_above=np.array([0.5, 1.0]),
        cancelled_fee=np.array([1.0, 0.0]),
    )
    assert found.flow[0] == pytest.approx([1.0, 2.0], abs=1e-6) and found.worth == pytest.approx(1.5)
    assert found.prices.cancelled == pytest.approx((0.0, 0.0), abs=1e-6)


def test_a_surcharge_that_is_dearer_than_the_other_trunk_is_not_paid() -> None:
    """Half of the calls may be cancelled, all are: each is half a unit above. The other trunk costs 0.1 a call."""
    found = surcharged(fee=0.5)
    assert found.flow == pytest.approx(np.array([[0.0], [1.0]]), abs=1e-6) and found.worth == pytest.approx(0.4)
    assert 0.2 - 1e-6 <= found.prices.cancelled[0] <= 0.5


def test_a_surcharge_that_is_cheaper_is_paid_and_is_the_price() -> None:
    found = surcharged(fee=0.1)
    assert found.flow == pytest.approx(np.array([[1.0], [0.0]]), abs=1e-6) and found.worth == pytest.approx(0.45)
    assert found.prices.cancelled == pytest.approx((0.1, 0.0), abs=1e-6)


def surcharged(*, fee: float) -> Allocation:
    return allocate(
        value=np.array([[0.5], [0.4]]),
        demand=np.array([1.0]),
        cancelled=np.array([[1.0], [0.0]]),
        cancelled_above=np.array([0.5, 1.0]),
        cancelled_fee=np.array([fee, 0.0]),
    )


# ---- degenerate problems ------------------------------------------------------------------------------------
NOTHING = problem_of(value=np.zeros((2, 1)), demand=np.zeros(1))


@pytest.mark.parametrize(
    "problem",
    [
        NOTHING,
        problem_of(value=np.full((2, 3), -INF), demand=np.ones(3)),
        problem_of(value=np.zeros((2, 0)), demand=np.zeros(0)),
        problem_of(value=np.full((2, 2), np.nan), demand=np.ones(2)),
        problem_of(value=np.zeros((2, 2)), demand=np.ones(2), set_ups_per_s=np.array([0.5, 0.5])),
        problem_of(value=np.full((2, 2), 0.3), demand=np.ones(2), set_ups_per_s=np.array([9.0, 9.0])),
        problem_of(value=np.full((2, 2), -0.3), demand=np.ones(2), set_ups_per_s=np.array([1.5, 1.5])),
    ],
    ids=["no demand", "no usable pair", "no cells", "unknown values", "no worth", "room for all", "all as bad"],
)
def test_prices_are_zero_where_nothing_is_to_be_gained(problem: CapacityProblem) -> None:
    prices = solve(problem)
    assert prices.set_up == (0.0, 0.0) or max(prices.set_up) < 1e-9
    assert max(map(max, msgspec.structs.astuple(prices))) < 1e-9


def test_a_trunk_without_capacity_carries_nothing_and_is_priced() -> None:
    found = allocate(value=np.array([[0.5], [0.2]]), demand=np.array([1.0]), set_ups_per_s=np.array([0.0, 9.0]))
    assert found.flow == pytest.approx(np.array([[0.0], [1.0]])) and found.prices.set_up[0] >= 0.3 - 1e-6


def test_calls_that_are_worth_nothing_still_keep_to_the_cheaper_trunk() -> None:
    """All values are negative: they are placed all the same, and the cheap trunk's room has its price."""
    found = allocate(value=np.array([[-0.01], [-0.04]]), demand=np.array([2.0]), set_ups_per_s=np.array([1.0, 9.0]))
    assert found.flow == pytest.approx(np.array([[1.0], [1.0]]), abs=1e-6)
    assert found.prices.set_up == pytest.approx((0.03, 0.0), abs=1e-6)


def test_a_shortage_of_everything_does_not_hide_which_trunk_is_better() -> None:
    """Room for one call in ten: both trunks cost much, and the better one its difference more."""
    prices = solve(
        problem_of(value=np.array([[0.5], [0.2]]), demand=np.array([20.0]), set_ups_per_s=np.array([1.0, 1.0]))
    )
    assert prices.set_up[0] - prices.set_up[1] == pytest.approx(0.3, abs=1e-6)
    assert prices.set_up[0] <= 0.5 + 0.25 + 1e-6, "the worth of the best call, and half of the mean for placing it"


def test_who_answers_is_not_turned_away_where_channels_are_short() -> None:
    """Room for half of the calls. Where nobody answers, calls are short: that must not look like an advantage."""
    value, held = np.array([[0.05], [0.005]]), np.array([[30.0], [20.0]])
    terms = capacity_terms(
        value=value, demand=np.array([2.0]), held_s=held, channels=np.array([15.0, 10.0]), set_ups_per_s=np.full(2, 9.0)
    )
    net = net_of(terms, solve(problem_of(value=value, demand=np.array([2.0]), held_s=held, channels=terms.channels)))
    assert net[0, 0] >= -0.025 - 1e-6 and net[1, 0] >= -0.025 - 1e-6  # both are filled


@pytest.mark.parametrize(
    "wrong",
    [
        {"demand": b"\0" * 7},
        {"value": b""},
        {"account": (0,)},
        {"account": (0, 2)},
        {"trunks": 3},
        {"demand": np.array([-1.0], dtype="<f4").tobytes()},
        {"held_s": np.array([1.0, np.nan], dtype="<f4").tobytes()},
        {"channels": np.array([1.0, np.nan], dtype="<f4").tobytes()},
    ],
)
def test_a_problem_that_is_not_whole_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^capacity problem: expected "):
        solve(msgspec.structs.replace(NOTHING, **wrong))


def test_packing_keeps_all_but_precision() -> None:
    arrays = random_terms(np.random.default_rng(3), 5, 7, room=1.0)
    back = terms_of(problem_of(**arrays))
    for name, array in arrays.items():
        assert np.asarray(array).astype(np.float32) == pytest.approx(getattr(back, name).astype(np.float32)), name
    assert problem_of(**{name: getattr(back, name) for name in arrays}) == problem_of(**arrays)


# ---- against other ways -------------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 8), st.sampled_from([0.3, 0.9, 1.0, 1.3, 4.0]))
def test_primal_and_dual_agree(seed: int, trunks: int, cells: int, room: float) -> None:
    arrays = random_terms(np.random.default_rng(seed), trunks, cells, room=room)
    terms = capacity_terms(**arrays)
    check_optimal(terms, allocate(**arrays, bonus=0.0), 0.0)
    check_optimal(terms, allocate(**arrays, bonus=3.0), 3.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_with_a_large_bonus_all_calls_are_placed_where_there_is_room(seed: int) -> None:
    """Against the program that has to place all calls."""
    arrays = random_terms(np.random.default_rng(seed), 4, 6, room=1.2, shut=0.0)
    arrays = {name: arrays[name] for name in ("value", "demand", "set_ups_per_s")}
    if arrays["set_ups_per_s"].sum() < arrays["demand"].sum():
        return
    found = allocate(**arrays, bonus=100.0)
    assert found.flow.sum(axis=0) == pytest.approx(arrays["demand"], abs=1e-5)
    by_trunk, by_cell = np.kron(np.eye(4), np.ones(6)), np.kron(np.ones(4), np.eye(6))
    other = linprog(
        -arrays["value"].ravel(), A_ub=by_trunk, b_ub=arrays["set_ups_per_s"], A_eq=by_cell, b_eq=arrays["demand"]
    )
    assert found.worth == pytest.approx(-other.fun, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_assignment_of_whole_calls_is_worth_more(seed: int) -> None:
    """Brute force: demands and limits are whole, so the best flow is one of whole calls (total unimodularity)."""
    rng = np.random.default_rng(seed)
    value, demand, room = rng.normal(0.0, 1.0, (2, 3)), rng.integers(0, 3, 3), rng.integers(0, 4, 2)
    best = -INF
    for first in itertools.product(*(range(wanted + 1) for wanted in demand)):
        for second in itertools.product(
            *(range(wanted + 1 - taken) for wanted, taken in zip(demand, first, strict=True))
        ):
            if sum(first) <= room[0] and sum(second) <= room[1]:
                best = max(best, float((value * np.array([first, second])).sum()))
    found = allocate(value=value, demand=demand.astype(float), set_ups_per_s=room.astype(float), bonus=0.0)
    assert found.worth == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("room", [0.8, 1.05, 1.7])
def test_a_large_problem_solved_by_parts_is_solved_as_a_whole(room: float) -> None:
    arrays = random_terms(np.random.default_rng(5), 30, 200, room=room)
    assert arrays["value"].size > SMALL
    check_optimal(capacity_terms(**arrays), allocate(**arrays, bonus=0.05), 0.05)


def test_many_equal_trunks_are_no_trouble() -> None:
    """All are alike before anything is learned: room for just all of the calls, so every trunk is needed."""
    arrays = random_terms(np.random.default_rng(5), 40, 150, room=1.01, shut=0.0)
    arrays = {"value": np.full((40, 150), 0.03), "demand": arrays["demand"], "set_ups_per_s": arrays["set_ups_per_s"]}
    found = allocate(**arrays, bonus=0.015)
    check_optimal(capacity_terms(**arrays), found, 0.015)
    assert found.flow.sum() == pytest.approx(arrays["demand"].sum(), rel=1e-5)


def test_a_problem_has_one_answer() -> None:
    problem = problem_of(**random_terms(np.random.default_rng(8), 30, 200, room=0.9))
    assert solve(problem) == solve(problem) == allocation(problem).prices


# ---- routing by the prices ----------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("room", [1.1, 1.4, 1.7])
def test_routing_by_net_value_reaches_nearly_the_program_s_worth(room: float, seed: int) -> None:
    """Each call to the best net value that has room, in any order, with the same capacity: 8 trunks, 120 cells."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1.9, 0.45, 120) + rng.normal(0.0, 0.4, (8, 120))
    value = 0.24 / (1.0 + np.exp(-logit)) - rng.uniform(0.0002, 0.0012, (8, 1))
    calls = rng.multinomial(40_000, rng.dirichlet(np.full(120, 3.0)))
    left = np.floor(rng.dirichlet(np.full(8, 6.0)) * calls.sum() * room)
    found = allocate(value=value, demand=calls.astype(float), set_ups_per_s=left)
    order = np.argsort(-(value - np.array(found.prices.set_up)[:, None]), axis=0)
    worth = 0.0
    for cell in rng.permutation(np.repeat(np.arange(120), calls)):
        trunk = next(trunk for trunk in order[:, cell] if left[trunk] >= 1.0)
        left[trunk] -= 1.0
        worth += value[trunk, cell]
    assert worth >= 0.99 * found.worth
