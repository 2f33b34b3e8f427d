"""Intervals: by hand, against scipy, and by how often they hold the truth."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.replications import (
    Estimate,
    batch_means,
    compare_with_first,
    methods,
    mser5,
    paired,
    replicate,
    replicate_controlled,
    replicate_series,
    wilson,
)

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@given(values=FIGURES, confidence=st.floats(0.5, 0.999))
def test_the_t_interval_is_scipys(values: list[float], confidence: float) -> None:
    found = replicate(values, confidence=confidence)
    assert found.low is not None and found.high is not None and found.half_width is not None
    error = stats.sem(values)
    expected = stats.t.interval(confidence, len(values) - 1, np.mean(values), error) if error else (found.mean,) * 2
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert found.high - found.low == pytest.approx(2.0 * found.half_width, rel=1e-6, abs=1e-6)
    assert found.n == len(values) and found.unknown == 0


def test_what_a_run_does_not_know_is_left_out_and_counted() -> None:
    found = replicate([0.1, None, 0.3])
    assert (found.mean, found.n, found.unknown) == (pytest.approx(0.2), 2, 1)
    one = replicate([0.1, None])
    assert (one.mean, one.half_width, one.low, one.high) == (0.1, None, None, None)
    assert replicate([None, None]) == Estimate(
        mean=None, half_width=None, low=None, high=None, n=0, unknown=2, method=one.method
    )
    assert one.holds(7.0)  # nothing is ruled out


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_not_a_number_is_a_fault_and_not_an_unknown(wrong: float) -> None:
    with pytest.raises(ValueError, match="None for unknown"):
        replicate([1.0, wrong])
    with pytest.raises(ValueError, match="None for unknown"):
        paired([1.0, wrong], [1.0, 2.0])
    with pytest.raises(ValueError, match="None for unknown"):
        batch_means([1.0] * 50 + [wrong])


def test_a_95_percent_interval_holds_the_truth_95_times_in_100() -> None:
    rng = np.random.default_rng(1)
    held = sum(replicate(rng.exponential(3.0, size=(40)) - 3.0).holds(0.0) for _ in range(2000))
    assert 0.92 < held / 2000 < 0.965  # skewed figures, so a little below


def test_a_control_takes_out_what_it_explains() -> None:
    """The oracle is the intercept of a textbook regression."""
    rng = np.random.default_rng(11)
    loads = rng.normal(8.0, 0.4, size=16)
    figures = 0.7 + 0.06 * (loads - 8.0) + rng.normal(0.0, 0.002, size=16)
    found = replicate_controlled(figures.tolist(), loads.tolist(), expected=8.0)
    fit = stats.linregress(loads - 8.0, figures)
    half = stats.t.ppf(0.975, 14) * fit.intercept_stderr
    assert (found.mean, found.half_width) == (pytest.approx(fit.intercept), pytest.approx(half))
    plain = replicate(figures.tolist())
    assert found.half_width is not None and plain.half_width is not None
    assert found.half_width < plain.half_width / 5.0 and found.holds(0.7)
    with_unknown = replicate_controlled([*figures.tolist(), None], [*loads.tolist(), 3.0], expected=8.0)
    assert (with_unknown.mean, with_unknown.n, with_unknown.unknown) == (pytest.approx(found.mean), 16, 1)


def test_a_control_that_says_nothing_leaves_the_plain_interval() -> None:
    assert replicate_controlled([1.0, 2.0, 4.0], [8.0, 8.0, 8.0], expected=8.0) == replicate([1.0, 2.0, 4.0])
    assert replicate_controlled([1.0, 2.0], [7.0, 8.0], expected=8.0) == replicate([1.0, 2.0])


def test_a_controlled_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(12), 0
    for _ in range(1500):
        loads = rng.normal(size=12)
        held += replicate_controlled((0.5 * loads + rng.normal(size=12)).tolist(), loads.tolist(), expected=0.0).holds(
            0
        )
    assert 0.93 < held / 1500 < 0.97


@given(trials=st.integers(1, 5000), share=st.floats(0.0, 1.0))
def test_wilsons_interval_is_where_the_score_test_turns(trials: int, share: float) -> None:
    """Its ends p solve |rate - p| = z sqrt(p (1 - p) / n)."""
    successes = round(share * trials)
    found = wilson(successes, trials)
    assert found.mean is not None and found.low is not None and found.high is not None
    assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
    z = stats.norm.ppf(0.975)
    for end in (found.low, found.high):
        if 0.0 < end < 1.0:
            assert abs(found.mean - end) == pytest.approx(z * sqrt(end * (1.0 - end) / trials), rel=1e-6)


def test_wilson_by_the_book_and_at_the_ends() -> None:
    found = wilson(1, 10)  # 0.0179 to 0.4042: as in Agresti and Coull 1998
    assert (found.low, found.high) == (pytest.approx(0.0179, abs=5e-5), pytest.approx(0.4042, abs=5e-5))
    assert wilson(0, 50).low == 0.0 and wilson(50, 50).high == 1.0
    assert wilson(0, 0).mean is None and wilson(0, 0).low is None
    with pytest.raises(ValueError, match="successes <= trials"):
        wilson(3, 2)


def _autoregressive(rng: np.random.Generator, length: int, *, memory: float, start: float = 0.0) -> np.ndarray:
    series, value = np.empty(length), start
    for i, shock in enumerate(rng.normal(size=length)):
        value = memory * value + shock
        series[i] = value
    return series


def test_batch_means_see_the_memory_that_a_plain_interval_overlooks() -> None:
    rng = np.random.default_rng(2)
    runs = [_autoregressive(rng, 4000, memory=0.9) for _ in range(150)]
    assert np.mean([batch_means(run).holds(0.0) for run in runs]) > 0.88
    assert np.mean([replicate(run).holds(0.0) for run in runs]) < 0.6


def test_batch_means_leave_the_odd_entries_at_the_start() -> None:
    found = batch_means([99.0, *([1.0] * 10), *([3.0] * 10)], batches=2)
    assert (found.mean, found.n) == (2.0, 2)
    with pytest.raises(ValueError, match="batches"):
        batch_means([1.0, 2.0], batches=3)


def test_mser_cuts_off_the_warm_up_and_little_more() -> None:
    rng = np.random.default_rng(3)
    cuts = []
    for _ in range(40):
        series = rng.normal(size=1000)
        series[:120] += np.linspace(8.0, 0.0, 120)
        cuts.append(mser5(series))
    found = [cut for cut in cuts if cut is not None]
    assert len(found) >= 38 and all(cut % 5 == 0 for cut in found)
    assert 80 <= np.median(found) <= 160


def test_mser_keeps_what_is_steady_and_a_large_mean_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    series = rng.normal(size=400)
    cut = mser5(series)
    assert cut is not None and cut <= 100
    assert mser5(series + 1e9) == cut
    assert mser5(np.ones(100)) == 0


def test_mser_says_when_a_series_is_too_short_to_tell() -> None:
    assert mser5(np.linspace(0.0, 1.0, 200)) is None  # it never settles
    assert mser5(np.ones(19)) is None


@given(series=st.lists(st.floats(-100.0, 100.0), min_size=20, max_size=120))
def test_mser_finds_the_least_of_whites_statistic(series: list[float]) -> None:
    """The oracle works the statistic out for each truncation by itself."""
    means = np.array(series[: len(series) // 5 * 5]).reshape(-1, 5).mean(axis=1)
    count = len(means)
    doubt = [float(np.sum((means[d:] - means[d:].mean()) ** 2)) / (count - d) ** 2 for d in range(count - 2)]
    cut = mser5(series)
    if cut is not None:
        assert doubt[cut // 5] == pytest.approx(min(doubt), abs=1e-8)
        assert cut // 5 <= count // 2
    else:
        assert min(doubt[: count // 2 + 1]) >= min(doubt) - 1e-8


def test_replication_and_deletion_forgets_the_start() -> None:
    rng = np.random.default_rng(5)
    runs = [_autoregressive(rng, 600, memory=0.8, start=60.0) for _ in range(12)]
    assert not replicate([float(run.mean()) for run in runs], confidence=0.99).holds(0.0)
    found = replicate_series(runs, confidence=0.99)
    assert found.holds(0.0) and found.n == 12 and "MSER-5" in found.method
    told = replicate_series(runs, warm_up=100, confidence=0.99)
    assert told.mean == pytest.approx(np.mean([run[100:].mean() for run in runs]))


def test_replication_and_deletion_refuses_what_it_cannot_judge() -> None:
    with pytest.raises(ValueError, match="one length"):
        replicate_series([[1.0, 2.0], [1.0]])
    with pytest.raises(ValueError, match="none"):
        replicate_series([])
    with pytest.raises(ValueError, match="longer series"):
        replicate_series([np.linspace(0.0, 1.0, 100)] * 2)
    with pytest.raises(ValueError, match="within the series"):
        replicate_series([[1.0, 2.0]], warm_up=2)


def test_the_same_people_make_a_small_difference_visible() -> None:
    rng = np.random.default_rng(6)
    people = rng.normal(0.8, 0.05, size=20)
    first = [float(x) for x in people + rng.normal(0.0, 0.005, 20)]
    second = [float(x) for x in people + 0.01 + rng.normal(0.0, 0.005, 20)]
    found = paired(first, second)
    assert found.significant and found.difference.holds(0.01)
    assert found.correlation is not None and found.correlation > 0.95
    # By the definition: 1 - Var(difference) / (Var(first) + Var(second)).
    apart = np.var(first, ddof=1) + np.var(second, ddof=1)
    reduction = 1.0 - np.var(np.subtract(second, first), ddof=1) / apart
    assert found.variance_reduction == pytest.approx(reduction)
    assert not paired(first, second[::-1]).significant


def test_paired_is_scipys_paired_t_test_and_leaves_unknown_pairs_out() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=15), rng.normal(0.4, size=15)
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    found = paired([*a.tolist(), None, 1.0], [*b.tolist(), 1.0, None])
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high))
    assert (found.difference.n, found.difference.unknown) == (15, 2)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        paired([1.0, 2.0], [1.0])


def test_a_figure_that_never_varies_has_no_correlation() -> None:
    found = paired([0.0, 0.0, 0.0], [0.1, 0.2, 0.3])
    assert found.correlation is None and found.variance_reduction == pytest.approx(0.0)
    same = paired([1.0, 1.0], [1.0, 1.0])
    assert same.variance_reduction is None and same.difference.mean == 0.0 and not same.significant
    lone = paired([1.0], [2.0])
    assert lone.difference.mean == 1.0 and lone.correlation is None and not lone.significant


def test_more_than_two_policies_are_judged_more_strictly() -> None:
    rng = np.random.default_rng(8)
    figures = {name: rng.normal(size=10).tolist() for name in ("a", "b", "c", "d")}
    found = compare_with_first(figures)
    assert list(found) == ["b", "c", "d"]
    alone = paired(figures["a"], figures["b"], confidence=1.0 - 0.05 / 3.0)
    assert found["b"].difference.half_width == pytest.approx(alone.difference.half_width)
    assert "Bonferroni over 3 comparisons" in found["b"].difference.method
    two = compare_with_first({"a": figures["a"], "b": figures["b"]})
    assert two["b"] == paired(figures["a"], figures["b"])
    with pytest.raises(ValueError, match="two policies"):
        compare_with_first({"a": [1.0]})


def test_all_of_several_true_intervals_hold_at_once() -> None:
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(600):
        figures = {str(i): rng.normal(size=8).tolist() for i in range(5)}
        held += all(found.difference.holds(0.0) for found in compare_with_first(figures).values())
    assert held / 600 > 0.93


def test_the_sentence_names_each_method_once() -> None:
    rate, mean = wilson(3, 100), replicate([1.0, 2.0, None])
    assert methods([rate, mean, mean]) == (
        "Intervals: Wilson score (n = 100, 95 %); "
        "independent replications, Student t (n = 2, 1 unknown left out, 95 %)."
    )
    assert methods([]) == "No intervals."


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_fraction(confidence: float) -> None:
    for judge in (lambda: replicate([1.0], confidence=confidence), lambda: wilson(1, 2, confidence=confidence)):
        with pytest.raises(ValueError, match="confidence"):
            judge()
