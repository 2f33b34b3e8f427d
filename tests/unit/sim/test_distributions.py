"""Durations: quantile functions that are what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from sim.distributions import MAX_S, Distribution, Mixture

SHAPES = {
    "fixed": {"kind": "fixed", "value": 3.5},
    "uniform": {"kind": "uniform", "low": 2.0, "high": 9.0},
    "exponential": {"kind": "exponential", "mean": 40.0},
    "lognormal": {"kind": "lognormal", "median": 150.0, "sigma": 0.8},
    "normal": {"kind": "normal", "mean": 17.0, "sd": 2.0},
}
ORACLES = {
    "uniform": stats.uniform(2.0, 7.0),
    "exponential": stats.expon(scale=40.0),
    "lognormal": stats.lognorm(0.8, scale=150.0),
    "normal": stats.norm(17.0, 2.0),
}
MIXED = {
    "kind": "mixture",
    "parts": [{"weight": 0.75, "of": SHAPES["lognormal"]}, {"weight": 0.25, "of": SHAPES["normal"]}],
}

chances = st.floats(2.0**-53, 1.0 - 2.0**-53)


def shape(data: object) -> Distribution:
    return TypeAdapter(Distribution).validate_python(data)


@pytest.mark.parametrize("name", ORACLES)
@given(chances)
def test_quantiles_are_scipy_s(name: str, u: float) -> None:
    expected = max(0.0, ORACLES[name].ppf(u))
    if name == "lognormal":
        expected = min(expected, MAX_S)
    assert shape(SHAPES[name]).quantile(u) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_fixed_is_fixed() -> None:
    assert {shape(SHAPES["fixed"]).quantile(u) for u in (0.01, 0.5, 0.99)} == {3.5}


@given(st.sampled_from([*SHAPES.values()]), chances, chances)
def test_a_larger_chance_is_never_a_shorter_time_and_no_time_is_negative(data: object, a: float, b: float) -> None:
    low, high = sorted((a, b))
    made = shape(data)
    assert 0.0 <= made.quantile(low) <= made.quantile(high) < np.inf


@given(st.floats(1e-3, MAX_S), st.floats(0.01, 3.0), chances)
def test_no_lognormal_lasts_longer_than_a_day(median: float, sigma: float, u: float) -> None:
    assert shape({"kind": "lognormal", "median": median, "sigma": sigma}).quantile(u) <= MAX_S


def test_a_normal_is_cut_off_at_zero() -> None:
    assert shape({"kind": "normal", "mean": 1.0, "sd": 5.0}).quantile(0.01) == 0.0


def test_a_mixture_has_its_parts_by_weight() -> None:
    made = shape(MIXED)
    assert isinstance(made, Mixture)
    drawn = np.array([made.quantile((n + 0.5) / 4000) for n in range(4000)])
    for at in (10.0, 16.0, 20.0, 100.0, 300.0):
        expected = 0.75 * ORACLES["lognormal"].cdf(at) + 0.25 * ORACLES["normal"].cdf(at)
        assert (drawn <= at).mean() == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("u", [2.0**-53, 0.75 - 2.0**-53, 0.75, 0.75 + 2.0**-52, 1.0 - 2.0**-53])
def test_a_mixture_is_finite_at_the_edges_of_its_parts(u: float) -> None:
    assert 0.0 <= shape(MIXED).quantile(u) < 1e6


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "mixture", "parts": [{"weight": 0.5, "of": SHAPES["fixed"]}]},
        {"kind": "mixture", "parts": []},
        {"kind": "uniform", "low": -1.0, "high": 2.0},
        {"kind": "uniform", "low": 3.0, "high": 2.0},
        {"kind": "exponential", "mean": 0.0},
        {"kind": "lognormal", "median": 5.0, "sigma": 9.0},
        {"kind": "normal", "mean": 5.0, "sd": 1.0, "median": 2.0},
        {"kind": "weibull", "shape": 2.0},
    ],
)
def test_what_is_no_distribution_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        shape(bad)
