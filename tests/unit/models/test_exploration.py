"""Hours and rests drawn by lot: the chances are those told, and the same question has the same answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from models.exploration import NEVER, Because, challenged, effective_sample, randomise, rest_until

DAYS = 400


def keys(n: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + n, dtype=np.uint64)


def test_an_hour_is_drawn_with_the_chance_told() -> None:
    """Over days, each open slot comes up as often as its propensity says, and closed ones never."""
    is_open = np.zeros((100, 13), np.bool_)
    is_open[:50, 2:12] = True
    is_open[50:, [0, 5, 12]] = True
    hits = np.zeros((100, 13))
    for day in range(DAYS):
        drawn = randomise(keys(100), day, is_open, share=0.3, seed=4)
        rows = np.flatnonzero(drawn.hour >= 0)
        hits[rows, drawn.hour[rows]] += 1
        assert (drawn.because[rows] == Because.RANDOM_HOUR).all()
        assert drawn.propensity[rows] == pytest.approx(0.15 / is_open[rows].sum(1))
        assert np.isnan(drawn.propensity[drawn.hour < 0]).all()
    assert hits[~is_open].sum() == 0
    for rows, slots in ((slice(0, 50), 10), (slice(50, 100), 3)):
        found, of = hits[rows].sum(0)[is_open[rows][0]], 50 * DAYS
        expected = of * 0.15 / slots
        assert abs(found.sum() - of * 0.15) < 4.0 * np.sqrt(of * 0.15 * 0.85)
        assert chisquare(found, np.full(slots, found.sum() / slots)).pvalue > 1e-3
        assert found.mean() == pytest.approx(expected, rel=0.1)


def test_a_rest_is_drawn_with_the_chance_told_and_kept_to() -> None:
    """Each rest of 1 to 7 days has the chance share / 14; the lead rests until it ends, and is due on its last day."""
    n, share = 40_000, 0.2
    last = np.zeros(n, np.int32)
    until = rest_until(keys(n), last, share=share, seed=9)
    counts = np.bincount(until[until >= 0], minlength=8)
    assert counts[0] == 0
    assert len(counts) == 8
    assert np.abs(counts[1:] - n * share / 14).max() < 4.0 * np.sqrt(n * share / 14)
    for day in range(9):
        drawn = randomise(keys(n), day, np.ones((n, 4), np.bool_), share=share, seed=9, last_day=last)
        assert (drawn.resting == (until > day)).all()
        due = drawn.because == Because.RANDOM_GAP
        assert (due == (until == day)).all()
        assert drawn.propensity[due] == pytest.approx(share / 14)
        assert (drawn.hour[drawn.resting | due] == -1).all(), "a rest in force goes before an hour"


def test_half_of_the_share_are_hours_and_no_lead_day_is_both() -> None:
    n = 50_000
    drawn = randomise(keys(n), 7, np.ones((n, 2), np.bool_), share=0.1, seed=1)
    until = rest_until(keys(n), np.full(n, 7, np.int32), share=0.1, seed=1)
    assert abs((drawn.hour >= 0).mean() - 0.05) < 0.004
    assert abs((until >= 0).mean() - 0.05) < 0.004
    assert not ((drawn.hour >= 0) & (until >= 0)).any()


def test_who_was_never_called_does_not_rest() -> None:
    assert (rest_until(keys(1000), np.full(1000, NEVER), share=1.0, seed=0) == -1).all()


@given(st.integers(-(2**70), 2**70), st.integers(-5, 100_000), st.integers(0, 2**63), st.integers(0, 30))
@settings(max_examples=50, deadline=None)
def test_a_lead_is_answered_the_same_alone_and_among_others(seed: int, day: int, first: int, at: int) -> None:
    is_open = np.ones((31, 9), np.bool_)
    last = np.full(31, day - 2, np.int32)
    among = randomise(keys(31, first), day, is_open, share=0.8, seed=seed, last_day=last)
    alone = randomise(keys(31, first)[[at]], day, is_open[[at]], share=0.8, seed=seed, last_day=last[[at]])
    for name in ("hour", "resting", "because", "propensity"):
        assert np.array_equal(getattr(among, name)[[at]], getattr(alone, name), equal_nan=name == "propensity")


def test_an_hour_that_closes_moves_only_those_drawn_to_it() -> None:
    is_open = np.ones((5000, 13), np.bool_)
    before = randomise(keys(5000), 3, is_open, share=1.0, seed=2).hour
    is_open[:, 6] = False
    after = randomise(keys(5000), 3, is_open, share=1.0, seed=2).hour
    assert (before == 6).any()
    assert (after[before != 6] == before[before != 6]).all()
    assert (after[before == 6] >= 0).all()


def test_no_share_and_no_open_slot_draw_nobody() -> None:
    assert (randomise(keys(100), 1, np.ones((100, 5), np.bool_), share=0.0, seed=1).hour == -1).all()
    closed = randomise(keys(100), 1, np.zeros((100, 5), np.bool_), share=1.0, seed=1)
    assert (closed.hour == -1).all()
    assert (closed.because == Because.MODEL).all()
    assert len(randomise(keys(0), 1, np.zeros((0, 5), np.bool_), share=1.0, seed=1).hour) == 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share in \[0, 1\], was 1.5"):
        randomise(keys(2), 1, np.ones((2, 3), np.bool_), share=1.5, seed=1)
    with pytest.raises(ValueError, match="open slots of 2 leads"):
        randomise(keys(2), 1, np.ones((3, 3), np.bool_), share=0.1, seed=1)


def test_the_challenger_s_leads_are_the_same_ones_every_day_and_independent_of_the_lots() -> None:
    n = 50_000
    arm = challenged(keys(n), share=0.25, seed=5)
    assert (arm == challenged(keys(n), share=0.25, seed=5)).all()
    assert abs(arm.mean() - 0.25) < 0.01
    assert (arm <= challenged(keys(n), share=0.5, seed=5)).all(), "a larger share keeps those that it had"
    hours = randomise(keys(n), 1, np.ones((n, 3), np.bool_), share=0.5, seed=5).hour >= 0
    assert abs(hours[arm].mean() - hours[~arm].mean()) < 0.02


def test_the_effective_sample_is_that_of_equal_weights() -> None:
    assert effective_sample(np.full(7, 3.0)) == pytest.approx(7.0)
    assert effective_sample(np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_sample(np.zeros(3)) == 0.0
