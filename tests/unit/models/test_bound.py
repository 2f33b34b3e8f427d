"""The bound: above every policy, exact where lines tie nobody to anybody, and below the fluid programme."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from models.bound import fluid_bound

Floats = NDArray[np.float64]


def fluid_programme(q: Floats, capacity: Floats, per_day: int, per_week: int) -> float:
    """Solve max sum q x, sum_i x <= capacity, sum_t q x <= 1, caps by day and in all."""
    n, days, slots = q.shape
    cell = np.arange(q.size)
    lead, slot, one = cell // (days * slots), cell % (days * slots), np.ones(q.size)
    day = lead * days + slot // slots
    limits = vstack(
        [
            csr_array((one, (slot, cell)), shape=(days * slots, q.size)),
            csr_array((one, (day, cell)), shape=(n * days, q.size)),
            csr_array((one, (lead, cell)), shape=(n, q.size)),
            csr_array((q.ravel(), (lead, cell)), shape=(n, q.size)),
        ]
    )
    ceilings = np.concatenate([capacity.ravel(), np.full(n * days, per_day), np.full(n, per_week), np.ones(n)])
    return -float(linprog(-q.ravel(), A_ub=limits, b_ub=ceilings, bounds=(0, 1)).fun)


def best_policy(q: Floats, capacity: Floats, per_day: int, per_week: int, gap: int) -> float:
    """Find the most that any policy expects that sees every outcome before the next slot, by full enumeration."""
    n, days, slots = q.shape

    @cache
    def value(t: int, leads: tuple[tuple[int, int, int] | None, ...]) -> float:
        """`leads`: (attempts today, in all, slot of the next), None for one that was reached."""
        if t == days * slots:
            return 0.0
        day, h = divmod(t, slots)
        if h == 0:
            leads = tuple(lead and (0, lead[1], 0) for lead in leads)
        free = [i for i, lead in enumerate(leads) if lead and lead[0] < per_day and lead[1] < per_week and lead[2] <= t]
        best = 0.0
        for chosen in product((0, 1), repeat=len(free)):
            called = [i for i, yes in zip(free, chosen, strict=True) if yes]
            if len(called) > capacity[day, h]:
                continue
            expected = 0.0
            for reached in product((0, 1), repeat=len(called)):
                after = list(leads)
                chance = 1.0
                for i, hit in zip(called, reached, strict=True):
                    own = leads[i]
                    assert own is not None
                    chance *= q[i, day, h] if hit else 1.0 - q[i, day, h]
                    after[i] = None if hit else (own[0] + 1, own[1] + 1, t + gap)
                expected += chance * (sum(reached) + value(t + 1, tuple(after)))
            best = max(best, expected)
        return best

    return value(0, ((0, 0, 0),) * n)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_policy_beats_the_bound(data: st.DataObject) -> None:
    n, days, slots = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    chances = data.draw(st.lists(st.floats(0.0, 1.0), min_size=n * days * slots, max_size=n * days * slots))
    q = np.array(chances).reshape(n, days, slots)
    capacity = np.array(data.draw(st.lists(st.integers(0, 2), min_size=days * slots, max_size=days * slots)), float)
    per_day, per_week, gap = (data.draw(st.integers(1, 3)) for _ in range(3))
    capacity = capacity.reshape(days, slots)
    bound = fluid_bound(q, np.ones(n), capacity, per_day=per_day, per_week=per_week, gap=gap)
    assert bound.contacts >= best_policy(q, capacity, per_day, per_week, gap) - 1e-9


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_with_lines_for_all_it_is_the_best_policy_s_own_value(data: st.DataObject) -> None:
    """No ties among leads: nothing is relaxed, so the bound is exact, caps, gap and leaving included."""
    days, slots = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    chances = data.draw(st.lists(st.floats(0.0, 1.0), min_size=days * slots, max_size=days * slots))
    q = np.array(chances).reshape(1, days, slots)
    per_day, per_week, gap = (data.draw(st.integers(1, 3)) for _ in range(3))
    capacity = np.full((days, slots), 5.0)
    bound = fluid_bound(q, np.ones(1), capacity, per_day=per_day, per_week=per_week, gap=gap)
    assert bound.contacts == pytest.approx(best_policy(q, capacity, per_day, per_week, gap), abs=1e-9)


def people(n: int, days: int = 3, slots: int = 6) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(8)
    level = -2.0 + rng.normal(0, 0.8, n)
    good = rng.integers(0, slots, n)
    logit = level[:, None] + 1.5 * (np.abs(np.arange(slots) - good[:, None]) < 2)
    answer = 1.0 / (1.0 + np.exp(-logit))
    return np.repeat(answer[:, None, :], days, axis=1), rng.uniform(0.4, 0.8, n)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
def test_it_is_below_the_fluid_programme_and_near_what_can_be_done(share: float) -> None:
    answer, right_party = people(300)
    capacity = np.full((3, 6), 300 * share)
    bound = fluid_bound(answer, right_party, capacity, per_day=2, per_week=7, sample=300)
    programme = fluid_programme(answer * right_party[:, None, None], capacity, 2, 7)
    assert 0.6 * programme < bound.contacts <= programme * 1.01
    assert bound.gap < 0.08
    assert bound.attempts <= capacity.sum() + 1e-9
    assert bound.per_1000 == pytest.approx(1000 * bound.contacts / bound.attempts)


def test_a_bound_of_a_sample_holds_for_everybody_and_is_hardly_higher() -> None:
    answer, right_party = people(3000)
    capacity = np.full((3, 6), 150.0)
    whole = fluid_bound(answer, right_party, capacity, per_day=2, per_week=7, sample=3000)
    some = fluid_bound(answer, right_party, capacity, per_day=2, per_week=7, sample=500)
    assert whole.contacts * (1 - whole.gap) <= some.contacts <= whole.contacts * 1.02


def test_days_alike_may_be_given_once() -> None:
    answer, right_party = people(100)
    capacity = np.full((3, 6), 5.0)
    by_day = fluid_bound(answer, right_party, capacity, per_day=2, per_week=7)
    once = fluid_bound(answer[:, 0], right_party, capacity, per_day=2, per_week=7)
    assert once.contacts == pytest.approx(by_day.contacts)


def test_nobody_and_no_lines_bring_nothing() -> None:
    capacity = np.full((2, 3), 4.0)
    assert fluid_bound(np.zeros((0, 3)), np.zeros(0), capacity, per_day=1, per_week=1).contacts == 0.0
    nothing = fluid_bound(np.full((5, 3), 0.5), np.ones(5), np.zeros((2, 3)), per_day=1, per_week=1)
    assert nothing.contacts == pytest.approx(0.0, abs=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    capacity = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"answer of shape \(5, 3\) or \(5, 2, 3\), found \(5, 4\)"):
        fluid_bound(np.ones((5, 4)), np.ones(5), capacity, per_day=1, per_week=1)
    with pytest.raises(ValueError, match="caps and a gap of at least 1"):
        fluid_bound(np.ones((5, 3)), np.ones(5), capacity, per_day=0, per_week=1)
    with pytest.raises(ValueError, match=r"chances in \[0, 1\]"):
        fluid_bound(np.full((5, 3), 1.5), np.ones(5), capacity, per_day=1, per_week=1)
