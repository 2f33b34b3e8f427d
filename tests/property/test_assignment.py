"""The assignment of calls to trunks, against a slow twin, and by what must hold whatever comes in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from carriers.assignment import MOST_PROBABLE, TIE, serve
from carriers.market import Bools, Floats, Ints
from carriers.router import Reason


class Batch(NamedTuple):
    """The arguments of `serve`."""

    cell: Ints
    probability: Floats
    value: Floats
    multiplier: Floats
    contact_cost: Floats
    cost: Floats
    usable: Bools
    room: Ints
    account: Ints
    account_room: Ints
    draws: Floats
    exploration: float


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Few cells and coarse numbers, so that ties and full trunks are common."""
    trunks, cells, calls = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(0, 15))
    accounts = draw(st.integers(1, trunks))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.booleans())

    def table(low: float, high: float) -> Floats:
        found = rng.uniform(low, high, (trunks, cells))
        return np.round(found * 2.0) / 2.0 if coarse else found

    return Batch(
        cell=rng.integers(0, cells, calls),
        probability=np.full(calls, 0.25) if coarse else rng.uniform(0.0, 1.0, calls),
        value=np.full(calls, 2.0) if coarse else rng.uniform(0.0, 5.0, calls),
        multiplier=table(0.0, 2.0),
        contact_cost=table(0.0, 1.0),
        cost=table(0.0, 1.0),
        usable=rng.random((trunks, cells)) < 0.8,
        room=rng.integers(0, 6, trunks),
        account=rng.integers(0, accounts, trunks),
        account_room=rng.integers(0, 10, accounts),
        draws=rng.random(2 * calls),
        exploration=draw(st.sampled_from([0.0, 0.02, 0.5, 1.0])),
    )


def _slow(batch: Batch) -> list[tuple[int, float, Reason, dict[int, float]]]:
    """Serve call by call with plain lists. Last: what every trunk's propensity was."""
    left, account_left = batch.room.tolist(), batch.account_room.tolist()
    routes: list[tuple[int, float, Reason, dict[int, float]]] = []
    for i, c in enumerate(batch.cell.tolist()):
        scores = {
            k: min(batch.probability[i] * batch.multiplier[k, c], MOST_PROBABLE)
            * (batch.value[i] - batch.contact_cost[k, c])
            - batch.cost[k, c]
            for k in range(len(left))
            if batch.usable[k, c]
        }
        feasible = [k for k in scores if left[k] > 0 and account_left[batch.account[k]] > 0]
        if not feasible:
            routes.append((-1, 1.0, Reason.NONE, {}))
            continue
        top = max(scores[k] for k in feasible)
        tied = [k for k in feasible if scores[k] >= top - TIE * abs(top)]
        favourite = max(tied, key=lambda k: (left[k] / int(batch.room[k]), left[k], -k))
        explores = batch.draws[2 * i] < batch.exploration
        chances = {
            k: batch.exploration / len(feasible) + (1.0 - batch.exploration) * (k == favourite) for k in feasible
        }
        trunk = feasible[int(batch.draws[2 * i + 1] * len(feasible))] if explores else favourite
        highest = max(scores.values())
        if len(feasible) == 1:
            reason = Reason.ONLY
        elif explores:
            reason = Reason.EXPLORED
        else:
            reason = Reason.BEST if top >= highest - TIE * abs(highest) else Reason.OVERFLOW
        routes.append((trunk, chances[trunk], reason, chances))
        left[trunk] -= 1
        account_left[batch.account[trunk]] -= 1
    return routes


@given(batches())
@settings(max_examples=400, deadline=None)
def test_it_answers_as_the_slow_twin(batch: Batch) -> None:
    trunk, propensity, reason = serve(*batch)
    slow = _slow(batch)
    assert trunk.tolist() == [route[0] for route in slow]
    np.testing.assert_allclose(propensity, [route[1] for route in slow], atol=1e-12)
    assert reason.tolist() == [route[2] for route in slow]


@given(batches())
@settings(max_examples=200, deadline=None)
def test_never_beyond_room_and_only_where_usable(batch: Batch) -> None:
    trunk, propensity, _ = serve(*batch)
    placed = trunk[trunk >= 0]
    assert (np.bincount(placed, minlength=len(batch.room)) <= batch.room).all()
    by_account = np.bincount(batch.account[placed], minlength=len(batch.account_room))
    assert (by_account <= batch.account_room).all()
    assert batch.usable[placed, batch.cell[trunk >= 0]].all()
    assert ((propensity > 0.0) & (propensity <= 1.0 + 1e-12)).all()


@given(batches())
@settings(max_examples=100, deadline=None)
def test_propensities_over_feasible_trunks_add_up_to_one(batch: Batch) -> None:
    for _, _, reason, chances in _slow(batch):
        assert reason == Reason.NONE or abs(sum(chances.values()) - 1.0) < 1e-9


def test_propensities_match_frequencies() -> None:
    rng = np.random.default_rng(3)
    times, trunks = 40_000, 5
    table = rng.uniform(0.0, 1.0, (trunks, 1))
    usable = np.array([[True], [True], [True], [False], [True]])
    room = np.array([times, times, times, times, 0])
    trunk, propensity, _ = serve(
        np.zeros(times, dtype=np.int64), np.full(times, 0.3), np.ones(times), table, table, table, usable, room,
        np.arange(trunks), np.full(trunks, times), rng.random(2 * times), 0.3,
    )  # fmt: skip
    logged = np.array([propensity[trunk == k][0] if (trunk == k).any() else 0.0 for k in range(trunks)])
    assert logged.sum() == 1.0 or abs(logged.sum() - 1.0) < 1e-9
    seen = np.bincount(trunk, minlength=trunks)
    there = logged > 0.0
    assert not seen[~there].any()
    assert stats.chisquare(seen[there], logged[there] * times).pvalue > 1e-3
