"""The best hours of a segment: means over its leads, support, intervals, and what is not recommended."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from models.attempts import AttemptLog, Result
from models.best_time import (
    DAYS,
    EVERYBODY,
    HOURS,
    SUPPORT,
    HourMeans,
    HourRecord,
    best_time,
    interval,
    record_by_hour,
    successes,
)

SHAPE = (DAYS, HOURS)
OPEN = np.zeros(SHAPE, dtype=bool)
OPEN[:5, 9:18] = True


def log_of(at: list[float], lead: list[int], offset_s: int = 0, result: list[int] | None = None) -> AttemptLog:
    n = len(at)
    unknown = np.full(n, np.nan, dtype=np.float32)
    return AttemptLog(
        at=np.array(at),
        lead=np.array(lead, dtype=np.int32),
        number=np.zeros(n, dtype=np.int8),
        offset_s=np.full(n, offset_s, dtype=np.int32),
        result=np.array([Result.NO_ANSWER] * n if result is None else result, dtype=np.int8),
        holiday=np.zeros(n, dtype=bool),
        carrier=np.full(n, -1, dtype=np.int16),
        ring_s=unknown,
        talk_s=unknown,
        propensity=unknown,
    )


def grid_means(p: np.ndarray, tables: np.ndarray, segment: np.ndarray, open_: np.ndarray, segments: int) -> HourMeans:
    """Return the means of a whole grid: `p` and `tables` (leads, 7, 24), `open_` of that shape or (7, 24)."""
    means = HourMeans(segment, segments)
    callable_ = np.broadcast_to(open_, p.shape)
    for day in range(7):
        for hour in range(24):
            rows = np.flatnonzero(callable_[:, day, hour])
            means.add(day, hour, rows, p[rows, day, hour], tables[rows, day, hour])
    return means


def seen(segments: int, everywhere: int) -> np.ndarray:
    return np.full((segments, *SHAPE), everywhere, dtype=np.int64)


def told(
    p: np.ndarray, segment: list[int], attempts: np.ndarray, tables: float = 0.05, names: tuple[str, ...] = ("a",)
):
    means = grid_means(p, np.full_like(p, tables), np.array(segment, dtype=np.int32), OPEN, len(names))
    return best_time(means, as_expected(attempts), names)[:-1]  # the last is all leads together


def as_expected(attempts: np.ndarray) -> HourRecord:
    """A record of which all came as was expected; `attempts` of the segments."""
    attempts = np.concatenate([attempts, attempts.sum(axis=0, keepdims=True)])
    return HourRecord(attempts=attempts, observed=0.1 * attempts, expected=0.1 * attempts)


def flat(leads: int, rate: float) -> np.ndarray:
    return np.full((leads, *SHAPE), rate, dtype=np.float32)


# ---- the best hours -----------------------------------------------------------------------------------------
def test_the_hour_that_was_put_in_is_found_for_each_segment() -> None:
    p = flat(6, 0.05)
    p[:3, 1, 10] = 0.2  # a's: Tuesday at ten
    p[3:, 4, 17] = 0.3
    p[:, 6, 20] = 0.9  # a Sunday, on which nobody may be called
    first, second = told(p, [0, 0, 0, 1, 1, 1], seen(2, 500), names=("a", "b"))
    assert [(hour.day, hour.hour) for hour in first.best()] == [(1, 10)]
    assert [(hour.day, hour.hour) for hour in second.best()] == [(4, 17)]
    best = first.best()[0]
    assert best.rate == pytest.approx(0.2) and best.leads == 3 and best.better
    mean = (44 * 0.05 + 0.2) / 45
    assert first.mean == pytest.approx(mean) and best.lift == pytest.approx(0.2 / mean)
    assert len(first.hours) == 45 and first.leads == 3 and first.attempts == 500 * DAYS * HOURS


def test_an_hour_without_support_goes_by_the_tables_and_is_not_recommended() -> None:
    p = flat(2, 0.05)
    p[:, 0, 9] = 0.8  # so the trees say, of an hour in which nobody was ever called
    p[:, 2, 12] = 0.1
    attempts = seen(1, SUPPORT)
    attempts[0, 0, 9] = SUPPORT - 1
    (segment,) = told(p, [0, 0], attempts, tables=0.04)
    assert [(hour.day, hour.hour) for hour in segment.best()] == [(2, 12)]
    alone = segment.hours[0]
    assert (alone.day, alone.hour, alone.supported, alone.better) == (0, 9, False, False)
    assert alone.rate == pytest.approx(0.04)
    assert segment.supported == 44


def test_where_nothing_has_support_nothing_is_recommended() -> None:
    (segment,) = told(flat(2, 0.3), [0, 0], seen(1, 0), tables=0.1)
    assert segment.best() == () and segment.supported == 0
    assert all(hour.rate == pytest.approx(0.1) for hour in segment.hours)
    assert all(hour.low < 0.01 and hour.high > 0.25 for hour in segment.hours)  # next to nothing is known


def test_a_segment_without_leads_or_hours_has_no_figures() -> None:
    first, second = told(flat(2, 0.3), [0, -1], seen(2, 99), names=("a", "b"))
    assert (first.leads, second.leads, second.mean, second.hours, second.best()) == (1, 0, None, (), ())


def test_a_chance_that_is_not_known_is_left_out() -> None:
    p = flat(2, 0.3)
    p[1] = np.nan
    (segment,) = told(p, [0, 0], seen(1, 99))
    assert {hour.leads for hour in segment.hours} == {1} and segment.mean == pytest.approx(0.3)


def test_only_callable_leads_count_in_an_hour() -> None:
    p = flat(2, 0.1)
    p[1] = 0.3
    open_ = np.zeros(p.shape, dtype=bool)
    open_[0, 0, 9] = open_[1, 0, 9] = open_[1, 0, 10] = True
    means = grid_means(p, p, np.zeros(2, dtype=np.int32), open_, 1)
    assert (means.model[0] == means.model[1])[0, 9:11].all()  # all leads are of the one segment
    assert means.model[0, 0, 9] == pytest.approx(0.2) and means.model[0, 0, 10] == pytest.approx(0.3)
    assert np.isnan(means.model[0, 0, 11])


def test_shapes_that_do_not_fit_are_refused() -> None:
    means = HourMeans(np.zeros(1, dtype=np.int32), 1)
    with pytest.raises(ValueError, match=r"expected shapes \(3, 7, 24\), were \(2, 7, 24\)"):
        best_time(means, as_expected(seen(2, 0)), ("a", "b"))


@settings(max_examples=50, deadline=None)
@given(
    p=arrays.arrays(np.float32, (5, *SHAPE), elements=st.floats(0, 1, width=32)),
    segment=st.lists(st.integers(-1, 1), min_size=5, max_size=5),
    attempts=arrays.arrays(np.int64, (2, *SHAPE), elements=st.integers(0, 100)),
)
def test_what_holds_of_every_table(p: np.ndarray, segment: list[int], attempts: np.ndarray) -> None:
    for place, one in enumerate(told(p, segment, attempts, tables=0.1, names=("a", "b"))):
        assert one.leads == segment.count(place)
        for hour in one.hours:
            assert 0.0 <= hour.low <= hour.rate <= hour.high <= 1.0
            assert OPEN[hour.day, hour.hour] and hour.leads == one.leads
            assert hour.supported == (attempts[place, hour.day, hour.hour] >= SUPPORT)
        rates = [hour.rate for hour in one.best(999)]
        assert rates == sorted(rates, reverse=True)
        assert all(hour.supported and hour.rate > one.mean for hour in one.best(999))


def test_all_leads_together_are_the_last_and_each_counts_for_those_it_stands_for() -> None:
    p = np.concatenate([flat(1, 0.1), flat(1, 0.4)])
    means = HourMeans(np.array([0, 1], dtype=np.int32), 2, np.array([300.0, 100.0]))
    for hour in (9, 10):
        means.add(0, hour, np.array([0, 1]), p[:, 0, hour], p[:, 0, hour])
    first, second, everybody = best_time(means, as_expected(seen(2, 50)), ("a", "b"))
    assert [one.leads for one in (first, second, everybody)] == [300, 100, 400]
    assert [one.mean for one in (first, second, everybody)] == pytest.approx([0.1, 0.4, 0.175])
    assert everybody.name == EVERYBODY
    assert [(hour.hour, hour.leads, hour.attempts) for hour in everybody.hours] == [(9, 400, 100), (10, 400, 100)]


# ---- intervals ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5, 0.97])
def test_the_interval_narrows_as_attempts_come_in(rate: float) -> None:
    attempts = np.array([0, 10, 100, 1000, 100_000])
    low, high = interval(np.full(5, rate), attempts)
    assert (np.diff(high - low) < 0).all()
    assert high[-1] - low[-1] < 0.01
    near = stats.beta(rate * 1010, (1 - rate) * 1010)
    assert [low[3], high[3]] == pytest.approx(near.ppf([0.05, 0.95]))


def test_a_rate_of_nothing_has_an_interval_too() -> None:
    low, high = interval(np.array([0.0, 1.0, np.nan]), np.array([0, 0, 0]))
    assert (low[0], high[1]) == (0.0, 1.0) and np.isnan(low[2])


# ---- support ------------------------------------------------------------------------------------------------
@settings(max_examples=50, deadline=None)
@given(
    times=st.lists(st.floats(1.7e9, 1.9e9), min_size=1, max_size=30),
    offset_h=st.integers(-12, 14),
    rng=st.randoms(use_true_random=False),
)
def test_attempts_are_counted_by_the_clock_on_the_wall(times: list[float], offset_h: int, rng) -> None:
    times = sorted(times)
    leads = [rng.randrange(3) for _ in times]
    results = [rng.choice([Result.UNKNOWN, Result.NO_ANSWER, Result.PROMISE]) for _ in times]
    segment = np.array([0, 1, -1], dtype=np.int32)
    expected = np.zeros((2, *SHAPE), dtype=np.int64)
    for at, lead, result in zip(times, leads, results, strict=True):
        if result is not Result.UNKNOWN and segment[lead] >= 0:
            wall = datetime.fromtimestamp(at + offset_h * 3600, UTC)
            expected[segment[lead], wall.weekday(), wall.hour] += 1
    log = log_of(times, leads, offset_h * 3600, results)
    alike = np.array([segment == 0, segment == 1])
    record = record_by_hour(log, np.ones(len(log)), np.full(len(log), 0.25, np.float32), segment, alike)
    assert (record.attempts[:2] == expected).all() and (record.observed[:2] == expected).all()
    assert (record.attempts[2] == expected.sum(axis=0)).all()
    assert record.expected[:2] == pytest.approx(expected / 4)
    assert record.observed[2].sum() == log.known.sum()


# ---- what the segment's own attempts came to ----------------------------------------------------------------
def test_a_ratio_is_shrunk_to_that_of_its_hour_over_all_days() -> None:
    attempts = seen(1, 100)
    expected, observed = 0.1 * attempts, 0.1 * attempts
    observed[0, :, 10] = 30.0  # three times what was expected, on every day
    observed[0, 2, 15] = 30.0  # on a Wednesday alone
    observed[0, :, 20], expected[0, :, 20] = 0.0, 0.0
    ratios = HourRecord(attempts=attempts, observed=observed, expected=expected).ratios()[0]
    assert (ratios[:, 10] > 2.6).all() and (ratios[:, 10] < 3.0).all()
    assert 1.5 < ratios[2, 15] < 2.3
    assert (ratios[np.arange(7) != 2, 15] < 1.3).all()
    assert ratios[:, 20] == pytest.approx(1.0) and ratios[:, 12] == pytest.approx(1.0)


def test_what_was_observed_moves_the_rate() -> None:
    attempts = seen(1, 500)
    means = grid_means(flat(2, 0.1), flat(2, 0.1), np.zeros(2, dtype=np.int32), OPEN, 1)
    record = as_expected(attempts)
    record.observed[:, :, 11] *= 2.0
    segment, everybody = best_time(means, record, ("a",))
    assert {hour.hour for hour in segment.best(5)} == {11}
    assert segment.best(1)[0].rate == pytest.approx(0.2, rel=0.1)
    assert everybody.best(5) == segment.best(5)


def test_a_segment_is_held_to_what_came_of_those_who_are_alike() -> None:
    log = log_of([1e9, 1e9 + 60, 1e9 + 120], [0, 1, 2], 0, [Result.RIGHT_PARTY, Result.NO_ANSWER, Result.UNKNOWN])
    segment = np.array([1, 0, 0], dtype=np.int32)  # the first was reached, so it is of another segment now
    alike = np.array([[True, True, True], [True, False, False]])
    success = successes(log, promises=False)
    record = record_by_hour(log, success, np.full(3, 0.5, np.float32), segment, alike)
    assert record.attempts.sum(axis=(1, 2)) == pytest.approx([1, 1, 2])
    assert record.observed.sum(axis=(1, 2)) == pytest.approx([1, 1, 1])
    assert record.expected.sum(axis=(1, 2)) == pytest.approx([1.0, 0.5, 1.0])


def test_what_attempts_came_to() -> None:
    results = [
        Result.NO_ANSWER,
        Result.MACHINE,
        Result.WRONG_PARTY,
        Result.RIGHT_PARTY,
        Result.PROMISE,
        Result.ANSWERED,
    ]
    log = log_of([1.0] * 6, [0] * 6, 0, results)
    assert successes(log, promises=False) == pytest.approx([0, 0, 0, 1, 1, 2 / 3])
    assert successes(log, promises=True) == pytest.approx([0, 0, 0, 0, 1, 1 / 3])
    only = log_of([1.0], [0], 0, [Result.ANSWERED])
    assert 0.0 < successes(only, promises=False)[0] < 1.0
