"""Wear told from selection: in worlds whose wear is known, the lots find it and the raw curve does not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.attempts import AttemptLog, Result
from models.exploration import NEVER, Because, randomise
from models.wear import (
    WearEffect,
    contacts_lost,
    counterfactual_curves,
    effect_curves,
    faded_wear,
    randomised_effect,
    raw_curves,
    segment_effects,
    shrunk_effect,
    wear_index,
    wear_price,
)

DAY_S = 86_400.0
LEADS = 12_000
SHARE = 0.5


def world(seed: int, drops: Sequence[float], *, days: int = 35, half_life_days: float = 4.0) -> AttemptLog:
    """Log a world: people differ (sd 0.8), those who answer are called more and leave, and each call wears.

    Segment of a lead: its index modulo the number of `drops`, the true drop of each.
    """
    rng = np.random.default_rng(seed)
    level = -1.6 + rng.normal(0, 0.8, LEADS)
    drop = np.array(drops)[np.arange(LEADS) % len(drops)]
    wear, gone = np.zeros(LEADS), np.zeros(LEADS, np.bool_)
    last = np.full(LEADS, NEVER, np.int32)
    keys, is_open = np.arange(LEADS, dtype=np.uint64), np.ones((LEADS, 1), np.bool_)
    at, lead, answered, propensity = [], [], [], []
    for day in range(days):
        wear *= 0.5 ** (1 / half_life_days)
        drawn = randomise(keys, day, is_open, share=SHARE, seed=seed, last_day=last)
        due = drawn.because == Because.RANDOM_GAP
        habit = rng.random(LEADS) < 1 / (1 + np.exp(-1.5 * (level + 1.5)))
        called = np.flatnonzero(~gone & ~drawn.resting & (due | habit))
        hit = rng.random(len(called)) < 1 / (1 + np.exp(-(level[called] - wear[called] * drop[called])))
        at.append(np.full(len(called), (day + 0.5) * DAY_S))
        lead.append(called)
        answered.append(hit)
        propensity.append(np.where(due[called], drawn.propensity[called], np.nan))
        wear[called[~hit]] += 1.0
        last[called] = day
        gone[called[hit & (rng.random(len(called)) < 0.5)]] = True
    hits = np.concatenate(answered)
    return log_of(np.concatenate(at), np.concatenate(lead), hits, np.concatenate(propensity))


def log_of(
    at: NDArray[np.float64], lead: NDArray[np.int64], answered: NDArray[np.bool_], propensity: NDArray[np.float64]
) -> AttemptLog:
    n = len(at)
    return AttemptLog(
        at=np.asarray(at, np.float64),
        lead=np.asarray(lead, np.int32),
        number=np.zeros(n, np.int8),
        offset_s=np.zeros(n, np.int32),
        result=np.where(answered, Result.ANSWERED, Result.NO_ANSWER).astype(np.int8),
        holiday=np.zeros(n, np.bool_),
        carrier=np.full(n, -1, np.int16),
        ring_s=np.full(n, np.nan, np.float32),
        talk_s=np.full(n, np.nan, np.float32),
        propensity=np.asarray(propensity, np.float32),
    )


ALL = np.zeros(LEADS, np.int32)


@pytest.mark.parametrize("truth", [0.0, 0.15, 0.3])
def test_the_lots_find_the_wear_that_is_there(truth: float) -> None:
    effect = randomised_effect(world(1, [truth]))
    assert effect is not None
    assert abs(effect.drop - truth) < 3.0 * effect.error
    assert effect.error < 0.1
    assert effect.effective_rows == pytest.approx(effect.rows), "every rest was drawn with the same chance"
    if truth == 0.3:
        assert effect.half_life_days in (2.0, 4.0, 8.0)
        assert effect.drop > 3.0 * effect.error


def test_the_raw_curve_takes_selection_for_wear_and_wear_for_selection() -> None:
    """Without any wear it falls all the same; with much, the habit of calling those who answer hides half of it."""
    (without,) = raw_curves(world(1, [0.0]), ALL, ["all"])
    assert without.ratio[7] < 0.93
    log = world(1, [0.3])
    (raw,) = raw_curves(log, ALL, ["all"])
    effect = randomised_effect(log)
    assert effect is not None
    true = effect_curves(WearEffect(drop=0.3, error=0.0, half_life_days=4.0, rows=0, effective_rows=0.0), 0.17)[0]
    found = effect_curves(effect, 0.17)[0]
    assert abs(found.ratio[5] - true.ratio[5]) < 0.5 * abs(raw.ratio[5] - true.ratio[5])
    assert found.low[5] <= true.ratio[5] <= found.high[5]


def test_segments_are_shrunk_to_all_as_far_as_they_are_uncertain() -> None:
    log = world(2, [0.05, 0.4])
    segments = (np.arange(LEADS) % 2).astype(np.int32)
    found = segment_effects(log, segments, ["soft", "hard", "empty"])
    overall = randomised_effect(log)
    assert overall is not None
    assert found["soft"].drop < overall.drop < found["hard"].drop
    assert abs(found["hard"].drop - 0.4) < 3 * found["hard"].error
    assert found["empty"].drop == overall.drop
    assert found["empty"].error > overall.error
    alike = segment_effects(world(3, [0.3]), segments, ["one", "other"])
    assert abs(alike["one"].drop - alike["other"].drop) < 0.1


def test_a_priced_effect_is_the_mean_weighted_with_both_precisions() -> None:
    usual = WearEffect(drop=0.05, error=0.05, half_life_days=4.0, rows=0, effective_rows=0.0)

    def shrunk(drop: float, error: float) -> WearEffect:
        return shrunk_effect(msgspec.structs.replace(usual, drop=drop, error=error, half_life_days=8.0), usual)

    assert shrunk(0.25, 0.05).drop == pytest.approx(0.15) and shrunk(0.25, 0.05).error == pytest.approx(0.05 / 2**0.5)
    assert shrunk(0.3, 0.1).drop == pytest.approx((0.3 * 100 + 0.05 * 400) / 500)
    assert shrunk(3.0, 10.0).drop == pytest.approx(0.05, abs=1e-3)
    assert shrunk(-1.0, 0.05).drop == 0.0 and shrunk(0.2, 0.1).half_life_days == 8.0
    for drop, error in ((np.nan, 0.1), (0.2, np.nan), (0.2, np.inf), (0.2, 0.0)):
        assert shrunk(drop, error) == usual


def test_too_few_lots_say_nothing() -> None:
    log = world(1, [0.3])
    assert randomised_effect(log.rows(slice(0, 100))) is None
    assert segment_effects(log.rows(slice(0, 100)), ALL, ["all"]) == {}
    assert randomised_effect(log.rows(np.isnan(log.propensity))) is None
    (raw,) = raw_curves(log.rows(slice(0, 0)), ALL, ["all"])
    assert np.isnan(raw.ratio).all()


def test_attempts_of_which_nothing_is_known_wear_nobody() -> None:
    log = world(1, [0.15])
    faults = log_of(log.at, log.lead, np.zeros(len(log), np.bool_), np.full(len(log), 0.1))
    faults.result[:] = Result.UNKNOWN
    order = np.argsort(np.concatenate([log.at, faults.at]), kind="stable")
    both = AttemptLog(
        **{
            name: np.concatenate([getattr(log, name), getattr(faults, name)])[order]
            for name in AttemptLog.__slots__
            if name != "carriers"
        }
    )
    assert randomised_effect(both) == randomised_effect(log)


# ---- curves -----------------------------------------------------------------------------------------------------
def test_wear_fades_by_half_with_every_half_life() -> None:
    assert faded_wear(0, 1.0, 1.0, 4.0) == 0.0
    assert faded_wear(1, 4.0, 1.0, 4.0) == pytest.approx(0.5)
    assert faded_wear(3, 2.0, 1.0, 1.0) == pytest.approx(0.25 + 0.125 + 0.0625)


@given(st.floats(0.0, 1.0), st.floats(0.02, 0.6), st.sampled_from([1.0, 4.0, 16.0]))
@settings(max_examples=60, deadline=None)
def test_the_curves_of_an_effect_fall_with_attempts_and_recover_with_rest(drop: float, p: float, life: float) -> None:
    effect = WearEffect(drop=drop, error=0.02, half_life_days=life, rows=10, effective_rows=10.0)
    curves = effect_curves(effect, p, segment="late")
    assert [curve.rest_days for curve in curves] == [1.0, 3.0, 7.0, 14.0]
    ratios = np.array([curve.ratio for curve in curves])
    assert ratios[:, 0] == pytest.approx(1.0)
    assert (np.diff(ratios, axis=1) <= 1e-12).all()
    assert (np.diff(ratios, axis=0) >= -1e-12).all()
    assert (np.array([curve.low for curve in curves]) <= ratios).all()


NAMES = ("hour", "attempts", "hours_since_attempt", "attempts_today", "attempts_7_days", "wear_2_days", "answer_rate")


def test_a_counterfactual_moves_recency_and_nothing_else() -> None:
    """Of a model whose wear is known the curve is that wear; other columns reach it as they were, and X stays whole."""
    rng = np.random.default_rng(0)
    X = rng.random((500, len(NAMES))).astype(np.float32)
    kept = X.copy()
    seen = []

    def answer(x: NDArray[np.float32]) -> NDArray[np.float32]:
        assert np.array_equal(x[:, [0, 1, 6]], kept[:, [0, 1, 6]])
        seen.append(x[0, 2:6].tolist())
        return (x[:, 6] * np.exp(-0.2 * x[:, 5])).astype(np.float32)

    segments = rng.integers(-1, 2, 500).astype(np.int32)
    curves = counterfactual_curves(answer, X, NAMES, segments, ["early", "late", "none"], rests_days=(1.0, 7.0))
    assert np.array_equal(X, kept)
    assert seen[0] == pytest.approx([500.0, 0.0, 0.0, 0.0]), "the first attempt finds a lead wholly rested"
    assert [(c.segment, c.rest_days) for c in curves[:3]] == [("early", 1.0), ("late", 1.0), ("none", 1.0)]
    for curve in curves:
        if curve.segment == "none":
            assert np.isnan(curve.ratio).all()
            continue
        expected = [np.exp(-0.2 * faded_wear(j - 1, curve.rest_days, 1.0, 2.0)) for j in curve.attempts]
        assert curve.ratio == pytest.approx(expected, rel=1e-4)


def test_recency_is_counted_in_days() -> None:
    seen = {}

    def answer(x: NDArray[np.float32]) -> NDArray[np.float32]:
        seen[len(seen)] = x[0, 2:5].tolist()
        return np.full(len(x), 0.5, np.float32)

    X = np.zeros((1, len(NAMES)), np.float32)
    zero = np.zeros(1, np.int32)
    counterfactual_curves(answer, X, NAMES, zero, ["all"], attempts=(1, 4, 10), rests_days=(1.0, 3.0, 30.0))
    assert seen[1] == [24.0, 0.0, 3.0], "three days with one attempt each"
    assert seen[2] == [24.0, 0.0, 6.0]
    assert seen[3] == [72.0, 0.0, 3.0]
    assert seen[5] == [500.0, 0.0, 0.0]


def test_a_model_without_recency_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a column of recency"):
        counterfactual_curves(lambda x: x[:, 0], np.zeros((3, 1), np.float32), ["hour"], np.zeros(3, np.int32), ["all"])


# ---- index and price --------------------------------------------------------------------------------------------
def test_the_index_compares_leads_of_which_both_are_known() -> None:
    load = np.array([0.2, 0.4, np.nan, 0.4])
    assert wear_index(np.array([0.1, 0.2, 0.9, 0.0]), load) == pytest.approx(0.3)
    assert wear_index(np.array([0.1, 0.2, 0.9, np.nan]), load) == pytest.approx(0.5)
    assert wear_index(np.zeros(1), np.zeros(1)) is None


@given(st.floats(0.02, 0.5), st.floats(0.1, 1.0), st.integers(1, 8), st.floats(0.5, 16.0))
@settings(max_examples=80, deadline=None)
def test_what_a_call_loses_is_what_the_later_attempts_bring_less(p: float, rp: float, m: int, life: float) -> None:
    """Against the sum itself: m attempts spread over the horizon, each with a chance lowered by what wear is left."""
    drop, horizon, steps = 1e-4, 10.0, 400
    lost = contacts_lost(
        np.array([p]), np.array([rp]), drop, attempts=float(m), horizon_days=horizon, half_life_days=life
    )
    times = (np.arange(steps) + 0.5) / steps * horizon
    left = np.exp2(-times / life).mean()
    logit = np.log(p / (1 - p)) - drop * left
    lowered = rp / (1 + np.exp(-logit))
    expected = (1 - (1 - p * rp) ** m) - (1 - (1 - lowered) ** m)
    assert lost[0] == pytest.approx(expected, rel=1e-2)
    assert wear_price(np.array([p]), lost)[0] == pytest.approx((1 - p) * lost[0])


def test_wear_that_helps_is_no_reason_to_call() -> None:
    lost = contacts_lost(np.array([0.1]), np.array([0.6]), -0.2, attempts=3.0, horizon_days=7.0, half_life_days=4.0)
    assert lost[0] == 0.0
