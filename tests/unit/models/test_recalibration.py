import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import ece
from models.recalibration import OnlineRatio, recalibrated

PROBABILITIES = st.floats(0.0, 1.0)


def test_it_finds_the_odds_that_true_answers_have_over_told_ones() -> None:
    rng = np.random.default_rng(1)
    told = rng.uniform(0.05, 0.7, 60_000)
    odds = 2.5 * told / (1.0 - told)
    ratio = OnlineRatio(half_life=1e9)
    for p, y in zip(told, rng.random(len(told)) < odds / (1.0 + odds), strict=True):
        ratio.learn(p, bool(y))
    assert ratio.ratio == pytest.approx(2.5, rel=0.04)


def test_it_follows_a_change_within_its_half_life() -> None:
    rng = np.random.default_rng(2)
    ratio = OnlineRatio(prior=5.0, half_life=100.0)
    for true in (0.1, 0.3):
        for _ in range(20_000):
            ratio.learn(0.1, bool(rng.random() < true))
        assert ratio.apply(0.1) == pytest.approx(true, rel=0.2)


@settings(deadline=None)  # it compiles
@given(st.lists(st.tuples(PROBABILITIES, st.booleans()), max_size=40), st.integers(1, 5), st.floats(0.5, 50.0))
def test_the_array_says_what_row_by_row_learning_says(
    rows: list[tuple[float, bool]], lag: int, half_life: float
) -> None:
    p, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=bool)
    ratio = OnlineRatio(prior=3.0, half_life=half_life)
    expected = []
    for i in range(len(rows)):
        if i >= lag:
            ratio.learn(p[i - lag], bool(y[i - lag]))
        expected.append(ratio.apply(p[i]))
    np.testing.assert_allclose(
        recalibrated(p, y, prior=3.0, half_life=half_life, lag=lag), expected, rtol=1e-12, atol=1e-12
    )


@given(st.lists(st.tuples(PROBABILITIES, st.booleans()), max_size=20), PROBABILITIES, PROBABILITIES)
def test_probabilities_keep_their_order_and_bounds(rows: list[tuple[float, bool]], a: float, b: float) -> None:
    ratio = OnlineRatio(prior=1.0, half_life=10.0)
    for p, y in rows:
        ratio.learn(p, y)
    low, high = ratio.apply(min(a, b)), ratio.apply(max(a, b))
    assert 0.0 <= low <= high <= 1.0
    np.testing.assert_allclose(ratio.apply_all(np.array([a, b])), [ratio.apply(a), ratio.apply(b)])


def test_no_outcome_is_known_before_its_row() -> None:
    rng = np.random.default_rng(3)
    p, y = rng.random(200), rng.random(200) < 0.5
    changed = y.copy()
    changed[100:] = ~changed[100:]
    before, after = recalibrated(p, y), recalibrated(p, changed)
    assert np.array_equal(before[:101], after[:101])
    assert not np.array_equal(before[101:], after[101:])


def test_drift_that_a_model_does_not_know_of_is_mended() -> None:
    rng = np.random.default_rng(4)
    told = rng.uniform(0.02, 0.2, 60_000)
    odds = told / (1.0 - told) * np.linspace(1.0, 5.0, 60_000)
    y = rng.random(60_000) < odds / (1.0 + odds)
    assert ece(y, told) > 0.1
    assert ece(y, recalibrated(told, y)) < 0.03


def test_unknown_teaches_nothing_and_stays_unknown() -> None:
    ratio = OnlineRatio()
    ratio.learn(float("nan"), True)
    assert ratio.ratio == 1.0
    mended = recalibrated(np.array([0.2, np.nan, 0.2]), np.array([False, True, True]))
    assert np.isnan(mended[1]) and np.isfinite(mended[[0, 2]]).all()


def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    ratio, other = OnlineRatio(), OnlineRatio()
    for _ in range(10):
        ratio.learn(0.3, True)
    other.restore(ratio.snapshot())
    assert other.ratio == ratio.ratio
    for bad in ({}, {"above": 1.0}, {"above": -1.0, "below": 0.0}, {"above": float("nan"), "below": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            other.restore(bad)
    with pytest.raises(ValueError, match="above 0"):
        OnlineRatio(prior=0.0)
