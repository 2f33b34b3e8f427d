from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import Scores, auc, ece, ece_by_chance, lift, reliability, rolling, scores

ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0])), max_size=30)


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, float]]) -> None:
    y, p = np.array([r[0] for r in rows], dtype=bool), np.array([r[1] for r in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a, b in product(p[y], p[~y])]
    found = auc(y, p)
    assert found is None if not pairs else found == pytest.approx(np.mean(pairs))


@given(ROWS)
def test_figures_stay_in_their_bounds(rows: list[tuple[bool, float]]) -> None:
    y, p = np.array([r[0] for r in rows], dtype=bool), np.array([r[1] for r in rows])
    found = scores(y, p)
    assert found.rows == len(rows) and found.positives == y.sum()
    if rows:
        assert found.ece is not None and 0.0 <= found.ece <= 1.0
        assert sum(b.rows for b in reliability(y, p)) == len(rows)
        assert sum(b.rows * b.came for b in reliability(y, p)) == pytest.approx(y.sum())
        assert found.log_loss is not None and np.isfinite(found.log_loss)


def test_a_perfect_model_shows_the_error_of_chance_alone() -> None:
    rng = np.random.default_rng(1)
    found = [ece(rng.random(3000) < 0.2, 0.2 + rng.uniform(-0.001, 0.001, 3000)) for _ in range(40)]
    assert np.mean(found) == pytest.approx(ece_by_chance(3000, 0.2), rel=0.1)


def test_a_model_that_is_off_by_a_tenth_shows_a_tenth() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.1, 0.8, 100_000)
    assert ece(rng.random(100_000) < p + 0.1, p) == pytest.approx(0.1, abs=0.01)


def test_lift_of_known_rows() -> None:
    y = np.array([True, False] * 5 + [False] * 10)
    p = np.linspace(1.0, 0.0, 20)
    assert lift(y, p, 0.1) == pytest.approx(0.5 / 0.25)
    assert scores(y, p).top_half == 1.0


def test_no_rows_and_one_class_are_unknown_not_zero() -> None:
    assert scores(np.empty(0, bool), np.empty(0)) == Scores(rows=0, positives=0)
    assert scores(np.zeros(30, bool), np.full(30, 0.1)).auc is None
    assert scores(np.array([True, False]), np.array([np.nan, 0.5])).rows == 1


def test_rolling_never_shows_the_rows_to_tell() -> None:
    y = np.arange(103) % 3 == 0
    asked = []

    def tell(begin: int, end: int) -> np.ndarray:
        asked.append((begin, end))
        return np.full(end - begin, y[:begin].mean())

    p = rolling(y, tell, first=40, every=25, recalibrate=False)
    assert asked == [(40, 65), (65, 90), (90, 103)]
    assert len(p) == 63 and p[0] == y[:40].mean() and p[-1] == y[:90].mean()
    with pytest.raises(ValueError, match="first"):
        rolling(y, tell, first=103, every=25)
