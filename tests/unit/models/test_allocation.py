"""Prices of the hours against the exact linear programme, and calls by advantage against everything else."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from models.allocation import DayCalls, HourPrices, advantage, hour_prices
from models.allocation_kernels import fill_loads

SLOTS = 13
NO_LIMIT = np.full(SLOTS, np.inf)


def people(n: int, seed: int = 1, most: int = 2, gap: int = 3) -> DayCalls:
    """Five kinds of people with their own good hours, spread in how well they answer."""
    rng = np.random.default_rng(seed)
    hour = np.arange(SLOTS)
    good = np.array([11.0, 2.5, 5.5, 0.5, 30.0])[rng.integers(0, 5, n)]
    level = -3.0 + rng.normal(0, 0.8, n)
    logit = level[:, None] + 1.8 * np.exp(-(((hour - good[:, None]) / 1.6) ** 2))
    is_open = np.ones((n, SLOTS), np.float32)
    is_open[rng.random(n) < 0.3, :3] = 0.0
    is_open[rng.random(n) < 0.2, -1] = 0.25
    return DayCalls(
        answer=(1 / (1 + np.exp(-logit))).astype(np.float32),
        open=is_open,
        attempts_left=rng.integers(0, most + 1, n).astype(np.int8),
        value=rng.uniform(0.3, 0.9, n).astype(np.float32),
        handle_s=rng.gamma(4, 30, n).astype(np.float32),
        wear=(0.004 * rng.random(n)).astype(np.float32),
        gap=gap,
    )


def programme(calls: DayCalls, attempts: NDArray[np.float64], agent_s: NDArray[np.float64]) -> float:
    """Solve the day exactly, as a linear programme in all x_ih."""
    gain, seconds, is_open = (a.astype(np.float64) for a in calls.gains(slice(None)))
    n, slots = gain.shape
    cell = np.arange(n * slots)
    lead, slot = cell // slots, cell % slots
    windows = range(slots - calls.gap + 1) if calls.gap > 1 else range(0)
    rows = [
        csr_array((is_open.ravel(), (slot, cell)), shape=(slots, n * slots)),
        csr_array(((is_open * seconds).ravel(), (slot, cell)), shape=(slots, n * slots)),
        csr_array((np.ones(n * slots), (lead, cell)), shape=(n, n * slots)),
    ]
    for first in windows:
        inside = cell[(slot >= first) & (slot < first + calls.gap)]
        rows.append(csr_array((np.ones(len(inside)), (inside // slots, inside)), shape=(n, n * slots)))
    limits = np.concatenate([attempts, agent_s, calls.attempts_left, np.ones(n * len(windows))])
    binding = np.isfinite(limits)
    found = linprog(-(is_open * gain).ravel(), A_ub=vstack(rows).tocsr()[binding], b_ub=limits[binding], bounds=(0, 1))
    return -float(found.fun)


REGIMES = {
    "lines scarce": (0.025, np.inf),
    "lines for half": (0.06, np.inf),
    "lines for all": (0.5, np.inf),
    "agents scarce": (0.5, 0.25),
    "both scarce": (0.03, 0.25),
}


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize(("most", "gap"), [(1, 1), (3, 3)])
def test_the_bound_is_the_programme_s_optimum_and_the_load_fits(regime: str, most: int, gap: int) -> None:
    """Duality: never below the optimum, at most 1 % above it; and what the prices bring about can be placed."""
    calls = people(250, most=most, gap=gap)
    attempts, agent_s = (np.full(SLOTS, 250 * share) for share in REGIMES[regime])
    prices = hour_prices(calls, attempts, agent_s)
    optimum = programme(calls, attempts, agent_s)
    assert optimum * (1 - 1e-6) <= prices.bound <= optimum * 1.01
    assert prices.bound * (1 - prices.gap_to_bound) <= optimum * (1 + 1e-6)
    assert prices.gap_to_bound < 0.02
    assert (prices.load <= attempts * 1.03).all()
    assert (prices.agent_load_s <= agent_s * 1.03).all()
    # Complementary slackness: what is left over is free.
    assert prices.attempt[prices.load < 0.9 * attempts] == pytest.approx(0.0, abs=1e-3)
    assert prices.agent_s[prices.agent_load_s < 0.9 * agent_s] == pytest.approx(0.0, abs=1e-5)


def test_lines_for_all_cost_nothing_and_everybody_is_called_at_their_best_hour() -> None:
    calls = replace(people(300, most=1, gap=1), open=np.ones((300, SLOTS), np.float32))
    prices = hour_prices(calls, np.full(SLOTS, 300.0), NO_LIMIT)
    assert prices.attempt == pytest.approx(0.0)
    worth = advantage(calls, prices)
    gain = calls.gains(slice(None))[0][calls.attempts_left > 0]
    apart = gain[:, 0] - np.maximum(gain[:, 1:].max(1), 0.0)
    assert worth[calls.attempts_left > 0] == pytest.approx(apart, abs=1e-6)
    assert np.isneginf(worth[calls.attempts_left == 0]).all()


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_advantage_is_what_an_enumeration_of_all_days_says(data: st.DataObject) -> None:
    """One lead, any prices: the best day that begins with a call now, less the best that does not."""
    slots, gap, left = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4)), data.draw(st.integers(0, 4))
    unit = st.floats(0.0, 1.0, width=32)
    row = st.lists(unit, min_size=slots, max_size=slots)
    shares = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=slots, max_size=slots)
    answer, is_open = np.array([data.draw(row)], np.float32), np.array([data.draw(shares)], np.float32)
    value, handle, wear = (np.array([data.draw(unit)], np.float32) for _ in range(3))
    calls = DayCalls(
        answer=answer,
        open=is_open,
        attempts_left=np.array([left], np.int8),
        value=value,
        handle_s=handle * 100,
        wear=wear * 0.2,
        gap=gap,
    )
    prices = some_prices(np.array(data.draw(row)) * 0.5, np.array(data.draw(row)) * 0.01)
    found = float(advantage(calls, prices)[0])
    if left == 0 or is_open[0, 0] == 0.0:
        assert found == -np.inf
        return
    net = answer[0] * value - (1 - answer[0]) * wear * 0.2 - prices.attempt - prices.agent_s * answer[0] * handle * 100
    kept = net * is_open[0]
    best = {True: -np.inf, False: -np.inf}
    for day in product((0, 1), repeat=slots):
        called = np.flatnonzero(day)
        if len(called) > left or (len(called) > 1 and np.diff(called).min() < gap):
            continue
        now = bool(day[0])
        worth = kept[called].sum() + (net[0] - kept[0] if now else 0.0)
        best[now] = max(best[now], worth)
    assert found == pytest.approx(best[True] - best[False], abs=1e-5)


def some_prices(attempt: NDArray[np.float64], agent_s: NDArray[np.float64]) -> HourPrices:
    nothing = np.zeros(len(attempt))
    return HourPrices(
        attempt=attempt, agent_s=agent_s, load=nothing, agent_load_s=nothing, bound=0.0, gap_to_bound=0.0, blur=0.0
    )


def day_by_day(calls: DayCalls, lines: float, *, by_prices: bool) -> tuple[float, float]:
    """Call hour by hour, prices found anew in each; return what was gained and the first bound."""
    gain = calls.gains(slice(None))[0]
    left, ready = calls.attempts_left.copy(), np.zeros(len(calls), np.int64)
    gained, bound = 0.0, 0.0
    for h in range(SLOTS):
        later = np.arange(SLOTS - h)
        is_open = np.where(h + later[None, :] < ready[:, None], 0.0, calls.open[:, h:]).astype(np.float32)
        rest = replace(calls, answer=calls.answer[:, h:], open=is_open, attempts_left=left)
        order, least = np.where((is_open[:, 0] > 0) & (left > 0), gain[:, h], -np.inf), 0.0
        if by_prices:
            prices = hour_prices(rest, np.full(SLOTS - h, lines), np.full(SLOTS - h, np.inf))
            order, least = advantage(rest, prices), -prices.blur
            bound = bound or prices.bound
        called = np.argsort(-order)[: int(lines)]
        called = called[order[called] > least]
        gained += float(gain[called, h].sum())
        left[called] -= 1
        ready[called] = h + calls.gap
    return gained, bound


@pytest.mark.parametrize(("share", "least_better"), [(0.02, 1.08), (0.3, 1.3)])
def test_a_day_called_by_advantage_comes_near_the_bound_and_beats_the_greedy_order(
    share: float, least_better: float
) -> None:
    calls = replace(people(1500, most=2), open=np.ones((1500, SLOTS), np.float32))
    greedy, _ = day_by_day(calls, 1500 * share, by_prices=False)
    priced, bound = day_by_day(calls, 1500 * share, by_prices=True)
    assert 0.985 * bound <= priced <= bound * (1 + 1e-6)
    assert priced >= least_better * greedy


def test_a_sample_and_a_warm_start_find_the_same_prices() -> None:
    calls = people(12_000)
    attempts = np.full(SLOTS, 360.0)
    whole = hour_prices(calls, attempts, NO_LIMIT, sample=12_000)
    some = hour_prices(calls, attempts, NO_LIMIT, sample=4_000, seed=3)
    warm = hour_prices(calls, attempts, NO_LIMIT, sample=12_000, warm=some)
    assert some.bound == pytest.approx(whole.bound, rel=0.03)
    prices = np.concatenate([some.attempt, some.agent_s])
    worth, _ = fill_loads(*calls.gains(slice(None)), calls.attempts_left, calls.gap, prices, 0.0, np.zeros(2 * SLOTS))
    assert worth + some.attempt @ attempts <= whole.bound * 1.01, "they serve for everybody as for the sample"
    assert warm.bound == pytest.approx(whole.bound, rel=0.002)
    again = hour_prices(calls, attempts, NO_LIMIT, sample=4_000, seed=3)
    assert (again.attempt == some.attempt).all(), "the same seed, the same prices"


def test_wear_keeps_people_from_being_called_for_little() -> None:
    calls = people(300, most=1)
    costly = replace(calls, wear=np.full(300, 10.0, np.float32))
    assert hour_prices(costly, np.full(SLOTS, 20.0), NO_LIMIT).load.sum() == 0.0
    assert not (advantage(costly, hour_prices(costly, np.full(SLOTS, 20.0), NO_LIMIT)) > 0).any()


def test_a_slot_without_lines_is_priced_out_and_nobody_is_kept_for_it() -> None:
    calls = replace(people(500, most=1, gap=1), open=np.ones((500, SLOTS), np.float32))
    attempts = np.full(SLOTS, 20.0)
    attempts[5] = 0.0
    prices = hour_prices(calls, attempts, NO_LIMIT)
    assert prices.load[5] < 0.2
    assert prices.gap_to_bound < 0.02
    assert prices.load.sum() > 200


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_leads_do_no_harm(n: int) -> None:
    calls = people(n, seed=3)
    prices = hour_prices(calls, np.full(SLOTS, 1.0), np.full(SLOTS, 50.0))
    assert np.isfinite(prices.attempt).all()
    assert advantage(calls, prices).shape == (n,)


def test_columns_may_differ_by_slot() -> None:
    calls = people(50)
    wide = {name: np.repeat(getattr(calls, name)[:, None], SLOTS, axis=1) for name in ("value", "handle_s", "wear")}
    attempts = np.full(SLOTS, 3.0)
    assert hour_prices(replace(calls, **wide), attempts, NO_LIMIT).bound == pytest.approx(
        hour_prices(calls, attempts, NO_LIMIT).bound
    )


def test_what_does_not_fit_is_refused() -> None:
    calls = people(20)
    unknown = calls.answer.copy()
    unknown[4, 2] = np.nan
    with pytest.raises(ValueError, match="found NaN or infinity"):
        hour_prices(replace(calls, answer=unknown), np.ones(SLOTS), NO_LIMIT)
    with pytest.raises(ValueError, match="expected 13 numbers of attempts, none below 0"):
        hour_prices(calls, np.full(SLOTS, -1.0), NO_LIMIT)
    with pytest.raises(ValueError, match="expected 13 numbers of agent_s"):
        hour_prices(calls, np.ones(SLOTS), np.full(SLOTS, np.nan))
    with pytest.raises(ValueError, match=r"expected open of shape \(20, 13\)"):
        replace(calls, open=np.ones((20, 4), np.float32))
    with pytest.raises(ValueError, match="expected prices of 13 slots, found 4"):
        advantage(calls, some_prices(np.zeros(4), np.zeros(4)))
