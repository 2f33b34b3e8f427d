import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.calibration import IDENTITY, Calibration, calibration_of
from models.evaluation import ece, log_loss


@pytest.mark.parametrize("rows", [400, 3000, 60_000])
def test_an_overconfident_model_is_mended(rows: int) -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(-1.5, 1.0, 2 * rows)
    y = rng.random(2 * rows) < expit(true)
    told = 2.0 * true + 1.0
    mended = calibration_of(told[:rows], y[:rows]).probabilities(told[rows:])
    assert log_loss(y[rows:], mended) < log_loss(y[rows:], expit(told[rows:])) - 0.035
    assert log_loss(y[rows:], mended) < log_loss(y[rows:], expit(true[rows:])) + 3.0 / rows**0.8
    if rows == 60_000:
        assert ece(y[rows:], mended) < 0.01


def test_knots_bend_where_a_line_cannot() -> None:
    rng = np.random.default_rng(2)
    told = rng.uniform(-4.0, 1.0, 80_000)
    true = np.where(told < -1.5, told, -1.5 + 0.2 * (told + 1.5))
    y = rng.random(80_000) < expit(true)
    found = calibration_of(told, y)
    assert len(found.at) > 4
    np.testing.assert_allclose(found.margins(np.array([-3.0, -1.5, 0.5])), [-3.0, -1.5, -1.1], atol=0.15)


@given(st.integers(0, 2**32), st.integers(0, 9000), st.floats(0.02, 0.6), st.floats(-1.0, 3.0))
def test_the_order_is_kept_whatever_it_was_taught(seed: int, rows: int, rate: float, slope: float) -> None:
    rng = np.random.default_rng(seed)
    told = rng.normal(0.0, 2.0, rows)
    found = calibration_of(told, rng.random(rows) < rate * expit(slope * told))
    assert found.faults() == []
    x = np.sort(rng.normal(0.0, 5.0, 300))
    assert (np.diff(found.margins(x)) > 0.0).all()


def test_the_order_is_kept_in_single_precision() -> None:
    rng = np.random.default_rng(3)
    told = rng.normal(-2.0, 1.0, 50_000)
    found = calibration_of(told, rng.random(50_000) < 0.1)  # learned that the model says nothing
    x = np.sort(told.astype(np.float32))
    p = found.probabilities(x)
    assert p.dtype == np.float32 and (np.diff(p) >= 0.0).all()
    assert len(np.unique(p)) > 0.3 * len(np.unique(x))


def test_nothing_to_learn_from_changes_nothing() -> None:
    x = np.array([-9.0, 0.0, 9.0])
    for y in (np.zeros(3, bool), np.ones(3, bool)):
        assert np.array_equal(calibration_of(x, y).margins(x), IDENTITY.margins(x))
    assert np.array_equal(IDENTITY.margins(x), x)


@pytest.mark.parametrize(
    "broken",
    [
        Calibration(at=[], to=[]),
        Calibration(at=[0.0], to=[0.0, 1.0]),
        Calibration(at=[0.0, 1.0], to=[0.0, 0.0]),
        Calibration(at=[1.0, 0.0], to=[0.0, 1.0]),
        Calibration(at=[0.0], to=[float("inf")]),
        Calibration(at=[0.0], to=[0.0], slope=0.0),
    ],
)
def test_a_broken_line_is_seen(broken: Calibration) -> None:
    assert len(broken.faults()) == 1
