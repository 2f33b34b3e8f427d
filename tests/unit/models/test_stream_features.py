"""Rates of late against slow twins, and that nothing of the future is in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stream_features import codes_of, late_rates, value_ratios

FLAGS = st.lists(st.booleans(), min_size=1, max_size=60).map(np.array)


@settings(max_examples=60, deadline=None)
@given(y=FLAGS, delay=st.integers(1, 12), half_life=st.floats(1.0, 100.0))
def test_rates_are_weighted_means_of_the_outcomes_known(y: np.ndarray, delay: int, half_life: float) -> None:
    told = late_rates(y, (half_life, 200.0), delay)
    for i in range(len(y)):
        known = y[: max(0, i - delay + 1)]
        sums = []
        for life in (half_life, 200.0):
            weight = 0.5 ** (np.arange(len(known))[::-1] / life)
            sums.append((weight @ known, weight.sum()))
        longest = (sums[1][0] + 0.5) / (sums[1][1] + 5.0)
        rate = (sums[0][0] + 20.0 * longest) / (sums[0][1] + 20.0)
        assert told[i, 0] == pytest.approx(np.log(rate / (1.0 - rate)), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(y=FLAGS, delay=st.integers(1, 12), data=st.data())
def test_ratios_are_observed_over_expected_of_the_rows_with_the_value(
    y: np.ndarray, delay: int, data: st.DataObject
) -> None:
    codes = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))), dtype=np.int64)
    base = np.linspace(-3.0, 1.0, len(y))
    told = value_ratios(codes, 4, y, base, 30.0, 5.0, delay)
    for i in range(len(y)):
        last = i - delay
        before = [j for j in range(max(0, last + 1)) if codes[j] == codes[i]]
        weight = np.array([0.5 ** ((last - j) / 30.0) for j in before])
        observed = sum(w * y[j] for w, j in zip(weight, before, strict=True))
        expected = sum(w / (1.0 + np.exp(-base[j])) for w, j in zip(weight, before, strict=True))
        assert told[i] == pytest.approx(np.log((observed + 5.0) / (expected + 5.0)), abs=1e-9)


def test_a_rate_known_for_long_is_told() -> None:
    rng = np.random.default_rng(3)
    told = late_rates(rng.random(20_000) < 0.07, (50.0, 2000.0), 5)
    assert 1.0 / (1.0 + np.exp(-told[-1, 1])) == pytest.approx(0.07, abs=0.02)


def test_outcomes_not_yet_known_change_nothing() -> None:
    rng = np.random.default_rng(4)
    y = rng.random(300) < 0.3
    other = y.copy()
    other[141:] = ~other[141:]
    assert np.array_equal(late_rates(y, (20.0, 90.0), 10)[:151], late_rates(other, (20.0, 90.0), 10)[:151])
    assert not np.array_equal(late_rates(y, (20.0, 90.0), 10)[151], late_rates(other, (20.0, 90.0), 10)[151])


def test_few_values_are_names_and_many_numbers_are_cut_at_the_first_rows_deciles() -> None:
    rng = np.random.default_rng(5)
    codes, count = codes_of(np.array([7.0, 3.0, 7.0, np.nan]), 4, named=False)
    assert codes[0] == codes[2] and len(set(codes.tolist())) == 3 == count
    many = rng.normal(size=5_000)
    codes, count = codes_of(many, 1_000, named=False)
    assert count == 11  # ten bins, and one for what is unknown
    shares = np.bincount(codes[:1_000], minlength=count)[:10] / 1_000
    assert shares == pytest.approx(0.1, abs=0.005)
    # What comes later moves no edge.
    later = many.copy()
    later[1_000:] *= 100.0
    assert np.array_equal(codes_of(later, 1_000, named=False)[0][:1_000], codes[:1_000])
