import numpy as np
import pytest
from scipy.special import expit

from models.boosted import SQUARED, Boosted, Judge, TreeSettings, TreesRefused
from models.evaluation import log_loss

RNG = np.random.default_rng(1)
N = 8000
X = RNG.normal(size=(N, 4)).astype(np.float32)
X[RNG.random((N, 4)) < 0.1] = np.nan
TRUE = -1.5 + np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1] * X[:, 2])
Y = RNG.random(N) < expit(TRUE)
MARGIN = np.full(N, -1.5, dtype=np.float32)
QUICK = TreeSettings(rounds=12, eta=0.4)
TREES = Boosted.fit(X, Y, margin=MARGIN, settings=QUICK, seed=3, nthread=1)


def test_trees_find_what_a_line_cannot() -> None:
    told = expit(TREES.margins(X, MARGIN))
    assert log_loss(Y, told) < log_loss(Y, expit(-1.5 + np.nan_to_num(X[:, 0]))) - 0.02


def test_the_margin_is_added_to() -> None:
    np.testing.assert_allclose(
        TREES.margins(X[:50], MARGIN[:50] + 1.0), TREES.margins(X[:50], MARGIN[:50]) + 1.0, atol=1e-5
    )


def test_a_seed_gives_the_same_trees_whatever_the_threads() -> None:
    again = Boosted.fit(X, Y, margin=MARGIN, settings=QUICK, seed=3, nthread=1)
    two = Boosted.fit(X, Y, margin=MARGIN, settings=QUICK, seed=3, nthread=2)
    other = Boosted.fit(X, Y, margin=MARGIN, settings=QUICK, seed=4, nthread=1)
    assert again.to_bytes() == TREES.to_bytes() != other.to_bytes()
    np.testing.assert_allclose(two.margins(X, MARGIN), TREES.margins(X, MARGIN), atol=1e-4)
    assert np.array_equal(TREES.margins(X, MARGIN, nthread=2), TREES.margins(X, MARGIN, nthread=1))


def test_later_rows_say_how_many_trees_are_kept() -> None:
    noise = RNG.random(N) < 0.2
    half = N // 2
    judge = Judge(X[half:], noise[half:], MARGIN[half:])
    kept = Boosted.fit(X[:half], noise[:half], margin=MARGIN[:half], settings=QUICK, judge=judge, nthread=1)
    judge = Judge(X[half:], Y[half:], MARGIN[half:])
    good = Boosted.fit(X[:half], Y[:half], margin=MARGIN[:half], settings=QUICK, judge=judge, nthread=1)
    assert kept.rounds < good.rounds <= QUICK.rounds


def test_contributions_sum_to_the_margin() -> None:
    added = TREES.contributions(X[:20], MARGIN[:20])
    np.testing.assert_allclose(added.sum(axis=1), TREES.margins(X[:20], MARGIN[:20]), atol=1e-4)


def test_means_as_well_as_logits() -> None:
    trees = Boosted.fit(X, TRUE, margin=MARGIN, objective=SQUARED, settings=QUICK, nthread=1)
    assert np.mean((trees.margins(X, MARGIN) - TRUE) ** 2) < 0.3 * np.var(TRUE)


def test_bytes_say_the_same_and_broken_ones_are_refused_in_one_line() -> None:
    data = TREES.to_bytes()
    again = Boosted.from_bytes(data, 4, nthread=1)
    assert np.array_equal(again.margins(X, MARGIN), TREES.margins(X, MARGIN))
    assert len(again.margins(X[:0])) == 0
    for bad, columns in ((data[: len(data) // 2], 4), (b"", 4), (b"{}" * 20, 4), (data, 5)):
        with pytest.raises(TreesRefused) as told:
            Boosted.from_bytes(bad, columns)
        assert "\n" not in str(told.value) and "workspace" not in str(told.value)
    with pytest.raises(ValueError, match="expected rows of 4 columns"):
        TREES.margins(X[:, :3])
