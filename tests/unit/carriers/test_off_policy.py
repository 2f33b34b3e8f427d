"""Off-policy estimates against worked examples, and against bandits whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.off_policy import doubly_robust, snips


def test_snips_by_hand() -> None:
    # Weights 2, 1, 0: the mean is 2/3; residuals 1/3, -2/3; error sqrt((2/3)² + (2/3)²) / 3.
    found = snips([1.0, 0.0, 1.0], [0.5, 0.5, 0.25], [1.0, 0.5, 0.0])
    assert found.value == pytest.approx(2 / 3)
    assert found.standard_error == pytest.approx(math.sqrt(8 / 9) / 3)
    assert found.effective_sample_size == pytest.approx(9 / 5)


def test_doubly_robust_by_hand() -> None:
    # Scores 0.5 + 2 (1 - 0.4), 0.5 + 1 (0 - 0.4), 0.2 + 0: 1.7, 0.1, 0.2.
    found = doubly_robust(
        [1.0, 0.0, 1.0],
        [0.5, 0.5, 0.25],
        [1.0, 0.5, 0.0],
        predicted=[0.4, 0.4, 0.9],
        predicted_under_target=[0.5, 0.5, 0.2],
    )
    assert found.value == pytest.approx(2 / 3)
    assert found.standard_error == pytest.approx(np.std([1.7, 0.1, 0.2], ddof=1) / math.sqrt(3))
    assert found.effective_sample_size == pytest.approx(9 / 5)


def test_the_policy_itself_is_the_plain_mean() -> None:
    rewards, chance = [1.0, 0.0, 0.0, 1.0, 1.0], [0.2, 0.9, 0.4, 0.7, 1.0]
    found = snips(rewards, chance, chance)
    assert found.value == pytest.approx(0.6)
    assert found.effective_sample_size == pytest.approx(5.0)


def test_a_model_that_is_right_leaves_no_error() -> None:
    found = doubly_robust([0.3, 0.3], [0.5, 0.1], [1.0, 1.0], predicted=[0.3, 0.3], predicted_under_target=[0.3, 0.3])
    assert found.value == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(0.0)


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.1, math.nan, math.inf])
def test_a_row_without_a_known_propensity_is_refused(propensity: float) -> None:
    with pytest.raises(ValueError, match=r"call 1: expected a propensity in \(0, 1\]"):
        snips([1.0, 0.0], [0.5, propensity], [0.5, 0.5])
    with pytest.raises(ValueError, match="call 1"):
        doubly_robust(
            [1.0, 0.0], [0.5, propensity], [0.5, 0.5], predicted=[0.1, 0.1], predicted_under_target=[0.1, 0.1]
        )


@pytest.mark.parametrize(
    ("rewards", "propensities", "targets", "said"),
    [
        ([], [], [], "at least one call"),
        ([1.0], [0.5, 0.5], [1.0], "1 propensities"),
        ([1.0], [0.5], [1.2], "target probability"),
        ([math.nan], [0.5], [1.0], "finite reward"),
        ([1.0, 0.0], [0.5, 0.5], [0.0, 0.0], "were none of 2"),
    ],
)
def test_bad_input_is_named(rewards: list[float], propensities: list[float], targets: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        snips(rewards, propensities, targets)


def test_predictions_must_be_of_the_calls() -> None:
    with pytest.raises(ValueError, match="one prediction for each call"):
        doubly_robust([1.0, 0.0], [0.5, 0.5], [1.0, 1.0], predicted=[0.1], predicted_under_target=[0.1, 0.1])


_CHANCES = st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3)
_SHARES = st.lists(st.floats(0.1, 1.0), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None)
@given(_CHANCES, _SHARES, _SHARES, st.integers(0, 2**31))
def test_estimates_are_unbiased_over_many_logs(
    chances: list[float], logged: list[float], asked: list[float], seed: int
) -> None:
    """200 logs of 400 calls of a known bandit: the mean estimate is the truth within five standard errors of it, and
    the errors that are told are those that are seen. The model of the doubly robust one is wrong on purpose."""
    rng = np.random.default_rng(seed)
    chance, behaviour, target = np.array(chances), np.array(logged) / sum(logged), np.array(asked) / sum(asked)
    model = np.array([0.5, 0.1, 0.3])
    truth = float(target @ chance)
    weighted, robust, told = [], [], []
    for _ in range(200):
        arm = rng.choice(3, 400, p=behaviour)
        reward = (rng.random(400) < chance[arm]).astype(float)
        weighted.append(snips(reward, behaviour[arm], target[arm]).value)
        both = doubly_robust(
            reward,
            behaviour[arm],
            target[arm],
            predicted=model[arm],
            predicted_under_target=np.full(400, target @ model),
        )
        robust.append(both.value)
        told.append(both.standard_error)
    for found, bias in ((np.array(weighted), 2.0 / 400), (np.array(robust), 0.0)):
        # SNIPS is biased by the order of 1 / n.
        assert abs(found.mean() - truth) < 5.0 * found.std(ddof=1) / math.sqrt(200) + bias
    assert np.mean(told) == pytest.approx(np.std(robust, ddof=1), rel=0.3)
