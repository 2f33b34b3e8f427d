"""Multipliers against sums made by hand, and what silence, time and sudden falls do to them."""

from __future__ import annotations

import numpy as np
import pytest

from carriers.multipliers import ROUNDS, STRENGTHS, Multipliers
from carriers.regimes import Regimes
from carriers.router import Outcomes
from tests.unit.carriers.test_hoe_lp import CELLS, TRUNKS, _market


def _rows(trunk: int, cell: int, expected: float, contacts: float) -> Outcomes:
    one = np.ones(1)
    nothing = 0.0 * one
    return Outcomes(
        np.array([trunk]), np.array([cell]), one, expected * one, contacts * one, contacts * one, nothing, nothing,
        nothing, nothing, one,
    )  # fmt: skip


def test_a_memory_of_a_half_life_weighs_half() -> None:
    learned = Multipliers(_market(), half_life_s=100.0)
    learned.learn(_rows(0, 0, 4.0, 2.0), now=0.0)
    learned.learn(_rows(0, 0, 4.0, 2.0), now=100.0)
    assert learned.observed[0, 0] / learned.weight == pytest.approx(3.0)


def test_scaling_down_changes_nothing() -> None:
    learned = Multipliers(_market(), half_life_s=1.0)
    for now in range(200):
        learned.learn(_rows(0, 0, 4.0, 1.0), now=float(now))
    assert learned.weight < 2.0**21
    assert learned.observed[0, 0] / learned.weight == pytest.approx(2.0)


def test_all_is_forgotten_in_the_end() -> None:
    learned = Multipliers(_market(), half_life_s=1.0)
    learned.learn(_rows(0, 0, 4.0, 1.0), now=0.0)
    learned.refresh(0.0)
    learned.refresh(1e6)
    assert not learned.observed.any()
    assert learned.level == pytest.approx(learned.level[0, 0])


def test_the_trunk_level_is_contacts_over_expected_shrunk() -> None:
    learned = Multipliers(_market(), half_life_s=1e9)
    learned.learn(_rows(0, 0, 100.0, 150.0), now=0.0)
    levels = learned.levels()
    a0, a1, a2, a3 = STRENGTHS
    due = 100.0 * levels.model[0]
    trunk = region = destination = cell = 1.0
    for _ in range(ROUNDS):  # each level with what the others explain, in this order
        trunk = (150.0 + a0) / (due * region * destination * cell + a0)
        region = (150.0 + a1) / (due * trunk * destination * cell + a1)
        destination = (150.0 + a2) / (due * trunk * region * cell + a2)
        cell = (150.0 + a3) / (due * trunk * region * destination + a3)
    assert levels.trunk[0] == pytest.approx(trunk)
    assert levels.region[0, 0] == pytest.approx(region)
    assert levels.destination[0, 0] == pytest.approx(destination)
    assert levels.cell[0, 0] == pytest.approx(cell)
    assert levels.trunk[1] == 1.0 and levels.cell[1, 3] == 1.0
    assert levels.model[1] == 1.0 and levels.model[0] > 1.0


def test_a_contact_that_is_taken_back_teaches_nothing() -> None:
    learned = Multipliers(_market(), half_life_s=2400.0)
    learned.learn(_rows(0, 0, 0.0, 1.0), now=0.0)
    learned.learn(_rows(0, 0, 0.0, -1.0), now=20.0)
    learned.refresh(20.0)
    assert learned.table == pytest.approx(np.full((TRUNKS, CELLS), learned.table[1, 1]), rel=1e-3)


def test_a_sudden_fall_is_seen_fast_and_silence_ends_it() -> None:
    regimes = Regimes(2)
    regimes.grow(3)
    for _ in range(36):  # 3 minutes: 0.3 contacts a second were expected, 0.1 came
        regimes.observed[0, 1] += 0.5
        regimes.expected[0, 1] += 1.5 * regimes.level[0, 1]
        regimes.step(5.0)
    assert regimes.level[0, 1] < 0.5
    assert regimes.level[1, 1] > 0.85 and regimes.level[0, 2] > 0.85
    regimes.step(4 * 3600.0)
    assert regimes.level[0, 1] > 0.8
    assert regimes.odds.sum(axis=2) == pytest.approx(1.0)


@pytest.mark.parametrize("half_life_s", [0.0, -1.0, float("nan")])
def test_a_half_life_is_above_zero(half_life_s: float) -> None:
    with pytest.raises(ValueError, match="half_life_s"):
        Multipliers(_market(), half_life_s=half_life_s)
