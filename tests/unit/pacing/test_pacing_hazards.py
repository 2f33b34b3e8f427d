"""Learned clocks against slow twins and against the distributions that the samples came from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pacing_views import make_view
from scipy import stats

from pacing import kernels
from pacing.hazards import FadingCounts, TimeTables


def _taught(rng: np.random.Generator, *, calls: int) -> TimeTables:
    tables = TimeTables()
    for handle_s in rng.lognormal(4.7, 0.83, calls):
        tables.handled.observe(handle_s)
    for after_s in 3.0 + rng.gamma(2.0, 4.0, calls):
        tables.answered.observe(min(after_s, 24.9))
        tables.ended.observe(25.0)
    return tables


def test_fading_counts_halve_after_their_half_life() -> None:
    counts = FadingCounts(width_s=1.0, bins=4, half_life=10.0)
    counts.observe(0.5)
    for _ in range(10):
        counts.observe(2.5)
    assert counts.counts[0] / counts.weight == pytest.approx(0.5)
    assert counts.counts[2] / counts.weight == pytest.approx(sum(2.0 ** (-i / 10.0) for i in range(10)))


def test_fading_counts_go_on_for_ever() -> None:
    counts = FadingCounts(width_s=1.0, bins=4, half_life=1.0)
    for _ in range(5000):
        counts.observe(9.0)
    assert counts.counts[3] / counts.weight == pytest.approx(2.0)
    assert counts.weight < 1e10


@pytest.mark.parametrize("value_s", [-0.1, float("nan"), float("inf")])
def test_fading_counts_refuse_what_is_no_duration(value_s: float) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        FadingCounts(width_s=1.0, bins=4, half_life=10.0).observe(value_s)


def _slow_survival(counts: np.ndarray, elapsed_s: np.ndarray, mean_s: float, sigma: float, agents: float) -> np.ndarray:
    """Kaplan-Meier by the book, one bin after the other."""
    width, bins = kernels.HANDLE_WIDTH_S, kernels.HANDLE_BINS
    prior = stats.lognorm(s=sigma, scale=mean_s * math.exp(-(sigma**2) / 2))
    survival = [1.0]
    for i in range(bins):
        at_risk = counts[i:].sum() + np.count_nonzero(elapsed_s >= (i + 1) * width)
        before, after = prior.sf(i * width), prior.sf((i + 1) * width)
        hazard = (counts[i] + agents * (1.0 - after / before)) / (at_risk + agents)
        survival.append(survival[-1] * (1.0 - hazard))
    return np.array(survival)


def test_survival_is_kaplan_meier_with_calls_in_progress() -> None:
    rng = np.random.default_rng(5)
    counts = np.bincount((rng.lognormal(4.7, 0.83, 60) / kernels.HANDLE_WIDTH_S).astype(int), minlength=400)[:300]
    elapsed_s = rng.random(20) * 300.0
    survival = np.zeros(kernels.HANDLE_BINS + 1)
    kernels.fill_survival(counts.astype(float), 1.0, 1e9 - elapsed_s, 1e9, 150.0, 0.8, 7.0, survival)
    assert survival == pytest.approx(_slow_survival(counts, elapsed_s, 150.0, 0.8, 7.0), abs=1e-9)


def test_short_calls_that_end_first_do_not_fool_it() -> None:
    """At the start of a shift the calls that have ended are all short; the long ones still go on."""
    rng = np.random.default_rng(6)
    handle_s = rng.lognormal(math.log(300.0), 0.5, 400)
    tables = TimeTables()
    for value in handle_s[handle_s <= 200.0]:
        tables.handled.observe(value)
    tables.refresh(make_view(handling_s=np.full(np.count_nonzero(handle_s > 200.0), 200.0)))
    by_200_s = tables.survival[int(200.0 / kernels.HANDLE_WIDTH_S)]
    assert by_200_s == pytest.approx(np.mean(handle_s > 200.0), abs=0.05)


@pytest.mark.parametrize("elapsed_s", [0.0, 60.0, 240.0])
def test_finish_rows_find_the_true_chance_to_finish(elapsed_s: float) -> None:
    tables = _taught(np.random.default_rng(7), calls=20_000)
    tables.refresh(make_view())
    true = stats.lognorm(s=0.83, scale=math.exp(4.7))
    middle_s = elapsed_s + kernels.HANDLE_WIDTH_S / 2
    expected = 1.0 - true.sf(middle_s + tables.taus) / true.sf(middle_s)
    row = tables.finish[int(elapsed_s / kernels.HANDLE_WIDTH_S)]
    assert row == pytest.approx(expected, abs=0.03)


def test_taus_are_the_mid_quantiles_of_the_answer_delay() -> None:
    tables = _taught(np.random.default_rng(8), calls=20_000)
    tables.refresh(make_view())
    shares = (np.arange(kernels.TAUS) + 0.5) / kernels.TAUS
    assert tables.taus == pytest.approx(3.0 + stats.gamma(2.0, scale=4.0).ppf(shares), abs=0.5)


def test_a_cold_table_is_sane() -> None:
    tables = TimeTables()
    assert tables.stale
    tables.refresh(make_view())
    assert not tables.stale
    assert np.all(np.diff(tables.survival) <= 0.0)
    assert np.all((tables.finish >= 0.0) & (tables.finish <= 1.0))
    assert np.all(np.diff(tables.taus) > 0.0)
    assert tables.finish[0, -1] < 0.1  # a call just begun is not about to end
