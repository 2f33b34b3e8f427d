"""The campaign's answer multiplier: steady when the day is, quick when it changes."""

from __future__ import annotations

import numpy as np
import pytest

from pacing.priced import Priced
from pacing.priced.answers import MULTIPLIER_MAX, MULTIPLIER_MIN


def _feed(policy: Priced, rng: np.random.Generator, *, rate: float, outcomes: int) -> list[float]:
    """Let lines of a promised 0.3 be answered at this rate; return the multiplier after each."""
    values = []
    for answered in rng.random(outcomes) < rate:
        learn = policy.answered if answered else policy.not_answered
        learn(after_s=8.0, probability=0.3)
        values.append(_multiplier(policy))
    return values


def _multiplier(policy: Priced) -> float:
    return float(policy.state["multiplier"][0])


def test_it_begins_at_one_and_finds_the_ratio() -> None:
    policy = Priced()
    assert _multiplier(policy) == 1.0
    values = _feed(policy, np.random.default_rng(1), rate=0.15, outcomes=4000)
    assert np.mean(values[1000:]) == pytest.approx(0.5, abs=0.04)


def test_it_is_steady_while_nothing_changes() -> None:
    values = _feed(Priced(), np.random.default_rng(2), rate=0.3, outcomes=20_000)
    assert np.std(values[1000:]) < 0.09


def test_it_follows_a_jump_within_some_hundred_outcomes() -> None:
    rng, policy = np.random.default_rng(3), Priced()
    _feed(policy, rng, rate=0.45, outcomes=3000)
    assert _multiplier(policy) == pytest.approx(1.5, abs=0.25)
    assert min(_feed(policy, rng, rate=0.15, outcomes=150)) < 0.75
    assert max(_feed(policy, rng, rate=0.45, outcomes=150)) > 1.1


def test_a_frozen_rate_is_taken_as_given() -> None:
    policy = Priced({"frozen_answers": 1.0})
    assert set(_feed(policy, np.random.default_rng(4), rate=0.05, outcomes=500)) == {1.0}
    assert policy.state["refreshed_at_count"] == -1.0 and policy.state["unused"] == 500.0  # the clocks do learn


def test_it_stays_within_its_bounds() -> None:
    policy = Priced()
    for _ in range(2000):
        policy.not_answered(after_s=8.0, probability=1.0)
    assert _multiplier(policy) == MULTIPLIER_MIN
    for _ in range(2000):
        policy.answered(after_s=8.0, probability=0.0)
    assert _multiplier(policy) == MULTIPLIER_MAX


def test_outcomes_held_for_certain_make_no_surprise_of_their_own() -> None:
    """A hundred certain answers and one that fails: no alarm, however small the variance that was promised."""
    policy = Priced()
    for _ in range(100):
        policy.answered(after_s=8.0, probability=1.0)
    policy.not_answered(after_s=8.0, probability=1.0)
    assert _multiplier(policy) == pytest.approx(1.0, abs=0.02)
    assert policy.state["slow_promised"] > 90.0  # a restart would have left the fast one's 60 or so
