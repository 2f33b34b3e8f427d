"""The campaign's answer multiplier: steady when the day is, quick when it changes."""

from __future__ import annotations

import numpy as np
import pytest

from pacing.answer_rate import MULTIPLIER_MAX, MULTIPLIER_MIN, AnswerMultiplier


def _feed(multiplier: AnswerMultiplier, rng: np.random.Generator, *, rate: float, outcomes: int) -> list[float]:
    values = []
    for _ in range(outcomes):
        multiplier.observe(seen=float(rng.random() < rate), probability=0.3)
        values.append(multiplier.value)
    return values


def test_it_begins_at_one_and_finds_the_ratio() -> None:
    multiplier = AnswerMultiplier()
    assert multiplier.value == 1.0
    values = _feed(multiplier, np.random.default_rng(1), rate=0.15, outcomes=4000)
    assert np.mean(values[1000:]) == pytest.approx(0.5, abs=0.04)


def test_it_is_steady_while_nothing_changes() -> None:
    values = _feed(AnswerMultiplier(), np.random.default_rng(2), rate=0.3, outcomes=20_000)
    assert np.std(values[1000:]) < 0.09


def test_it_follows_a_jump_within_some_hundred_outcomes() -> None:
    rng, multiplier = np.random.default_rng(3), AnswerMultiplier()
    _feed(multiplier, rng, rate=0.45, outcomes=3000)
    assert multiplier.value == pytest.approx(1.5, abs=0.25)
    assert min(_feed(multiplier, rng, rate=0.15, outcomes=150)) < 0.75


def test_it_stays_within_its_bounds() -> None:
    multiplier = AnswerMultiplier()
    for _ in range(2000):
        multiplier.observe(seen=0.0, probability=1.0)
    assert multiplier.value == MULTIPLIER_MIN
    for _ in range(2000):
        multiplier.observe(seen=1.0, probability=0.0)
    assert multiplier.value == MULTIPLIER_MAX


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_it_refuses_what_is_no_probability(probability: float) -> None:
    multiplier = AnswerMultiplier()
    before = multiplier.snapshot()
    with pytest.raises(ValueError, match="expected a probability"):
        multiplier.observe(seen=1.0, probability=probability)
    assert multiplier.snapshot() == before
