"""Telling calls by time: no look-ahead, better than the base rate under drift, calibrated, deterministic."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize

from models.call_evaluation import default_first_row, evaluate_calls, gain_curve
from models.call_stream import CallTable, StreamSettings, ridge_logit, tell_by_time
from models.evaluation import auc, ece, ece_by_chance, log_loss
from tests.unit.models.drifting_calls import drifting_calls

QUICK = StreamSettings(every=500, rounds=10)


def test_under_drift_it_ranks_and_stays_calibrated() -> None:
    table, truth = drifting_calls(8_000)
    told = tell_by_time(table, 2_000, StreamSettings(every=1_000))
    came = table.label[2_000:]
    best, found = auc(came, truth[2_000:]), auc(came, told.recalibrated)
    assert best is not None and found is not None
    assert found - 0.5 > 0.5 * (best - 0.5)
    assert log_loss(came, told.recalibrated) < log_loss(came, np.full(len(came), came.mean()))
    assert ece(came, told.recalibrated) < 0.01 + 1.5 * ece_by_chance(len(came), float(came.mean()))
    assert told.trainings == 6


def test_nothing_after_a_call_changes_what_is_told_of_it() -> None:
    table, _ = drifting_calls(3_000, seed=2)
    rng = np.random.default_rng(9)
    shuffled = rng.permutation(np.arange(2_200, 3_000))
    turn = np.concatenate([np.arange(2_200), shuffled])
    other = dataclasses.replace(table, columns=table.columns[turn], label=table.label[turn])
    before, after = (tell_by_time(one, 1_500, QUICK).recalibrated for one in (table, other))
    assert np.array_equal(before[:700], after[:700])
    assert not np.array_equal(before[700:], after[700:])


def test_an_outcome_counts_from_the_delay_on() -> None:
    table, _ = drifting_calls(2_000, seed=3)
    other = dataclasses.replace(table, label=table.label.copy())
    other.label[1_600] = ~other.label[1_600]
    before, after = (tell_by_time(one, 1_500, QUICK).recalibrated for one in (table, other))
    first = int(np.flatnonzero(before != after)[0])
    assert first == 1_600 - 1_500 + QUICK.delay


def test_equal_arguments_tell_equally() -> None:
    table, _ = drifting_calls(2_000, seed=4)
    one, two = (tell_by_time(table, 1_000, QUICK, seed=7) for _ in range(2))
    assert np.array_equal(one.recalibrated, two.recalibrated)


@pytest.mark.parametrize("label", [np.zeros(900, bool), np.ones(900, bool)])
def test_one_class_alone_so_far_is_told_by_its_rate(label: np.ndarray) -> None:
    table, _ = drifting_calls(900)
    told = tell_by_time(dataclasses.replace(table, label=label), 600, QUICK)
    assert told.trainings == 0
    assert np.abs(told.model - label[0]).max() < 0.05


def test_the_ridge_is_at_the_least_of_its_loss() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    y = rng.random(400) < 1.0 / (1.0 + np.exp(-(x @ np.array([1.0, -0.5, 0.0]) - 1.0)))
    weight = rng.random(400)

    def loss(slopes: np.ndarray) -> float:
        z = slopes[0] + x @ slopes[1:]
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + 10.0 * slopes[1:] @ slopes[1:] + 5e-4 * slopes[0] ** 2)

    assert ridge_logit(x, y, weight, 20.0) == pytest.approx(minimize(loss, np.zeros(4), tol=1e-10).x, abs=1e-3)


def test_figures_are_of_the_rows_told() -> None:
    table, _ = drifting_calls(2_400, seed=5)
    found = evaluate_calls(table, label="paid", settings=QUICK, first_row=1_400)
    assert found.recalibrated.rows == 1_000 == sum(period.scores.rows for period in found.periods)
    assert found.recalibrated.positives == np.count_nonzero(table.label[1_400:])
    assert (found.periods[0].first, found.periods[-1].last) == (1_400, 2_399)
    assert found.gain[-1].captured == pytest.approx(1.0)
    assert sum(one.rows for one in found.reliability) == 1_000


def test_the_gain_of_a_perfect_order_is_a_corner() -> None:
    y = np.arange(100) < 10
    points = gain_curve(y, np.linspace(1.0, 0.0, 100))
    assert [round(point.captured, 2) for point in points[:3]] == [0.5, 1.0, 1.0]


def test_a_tenth_of_the_rows_is_only_learned_from() -> None:
    assert [default_first_row(rows, StreamSettings()) for rows in (40_000, 3_000, 600)] == [4_000, 510, 300]


def _cut(table: CallTable, rows: int) -> CallTable:
    return dataclasses.replace(table, columns=table.columns[:rows], label=table.label[:rows])


def test_what_cannot_be_evaluated_is_refused_in_one_line() -> None:
    table, _ = drifting_calls(1_000)
    none = dataclasses.replace(table, label=np.zeros(1_000, bool))
    early = dataclasses.replace(table, label=np.arange(1_000) < 300)
    bare = dataclasses.replace(table, names=(), named=(), columns=table.columns[:, :0])
    for bad, first, said in (
        (_cut(table, 150), None, "at least 200 rows"),
        (table, 999, r"first row in \[1, 900\]"),
        (table, 0, "first row in"),
        (none, None, "two classes of paid, found 0 only"),
        (early, 500, "found 0 only from row 500 on"),
        (bare, None, "a column to learn from"),
    ):
        with pytest.raises(ValueError, match=said) as raised:
            evaluate_calls(bad, label="paid", first_row=first, settings=QUICK)
        assert "\n" not in str(raised.value)
