"""How many lines find an agent, against slow twins that share nothing with it: enumeration, convolution, scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pacing.priced.shortage import EXACT_CHANCES, add_lines, refined_normal_below, shortage_of
from pacing.priced.state import TAUS
from pacing.view import Floats

chance = st.floats(0.0, 1.0)
chance_rows = st.lists(st.lists(chance, min_size=TAUS, max_size=TAUS), max_size=12)
seeds = st.integers(0, 2**32 - 1)
NOBODY = np.zeros((0, TAUS))


def _pmf(chances: Floats) -> Floats:
    """The distribution of a sum of chances, by plain convolution."""
    pmf = np.ones(1)
    for p in chances:
        pmf = np.convolve(pmf, [1.0 - p, p])
    return pmf


def _slow_shortage(chances: Floats, candidate: Floats, lines: int, size: int) -> float:
    """The mean over taus of P(sum of all chances and of `lines` candidates >= size)."""
    columns = [np.append(chances[:, k], np.full(lines, candidate[k])) for k in range(TAUS)]
    return float(np.mean([_pmf(column)[max(size, 0) :].sum() for column in columns]))


def _add(chances: Floats, size: int, candidate: Floats, threshold: float, most: int = 40) -> tuple[int, float]:
    lines, shortage = add_lines(chances, size, candidate, threshold, most)
    return int(lines), float(shortage)


def _floor(rng: np.random.Generator, agents: int, lines: int) -> Floats:
    """Chances as of a day: agents who are hardly free again, lines that may be answered."""
    return np.concatenate([0.8 + 0.2 * rng.random((agents, TAUS)), 0.35 * rng.random((lines, TAUS))])


# ---- exact -------------------------------------------------------------------------------------------------------
@given(chance_rows, st.integers(-3, 15))
@settings(max_examples=150, deadline=None)
def test_the_shortage_is_that_of_the_convolution(rows: list[list[float]], size: int) -> None:
    chances = np.array(rows).reshape(-1, TAUS)
    assert shortage_of(chances, size) == pytest.approx(_slow_shortage(chances, np.zeros(TAUS), 0, size), abs=1e-12)


@given(seeds, st.integers(13, EXACT_CHANCES), st.integers(0, EXACT_CHANCES))
@settings(max_examples=25, deadline=None)
def test_it_is_exact_up_to_its_bound(seed: int, chances: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    rows = _floor(rng, int(rng.integers(0, chances + 1)), 0)
    rows = np.concatenate([rows, _floor(rng, 0, chances - len(rows))])
    assert shortage_of(rows, size) == pytest.approx(_slow_shortage(rows, np.zeros(TAUS), 0, size), abs=1e-11)


def test_no_agent_is_found_exactly_when_the_sum_reaches_its_size() -> None:
    """Enumerate every outcome of 3 busy agents and 4 lines: A - F >= idle as the rule is stated, not as it is coded."""
    rng = np.random.default_rng(4)
    free, answer, idle = rng.random(3), rng.random(4), 1
    exact = 0.0
    for outcome in itertools.product((0, 1), repeat=7):
        finished, answered = outcome[:3], outcome[3:]
        if sum(answered) - sum(finished) >= idle:
            one = [f if x else 1 - f for f, x in zip(free, finished, strict=True)]
            two = [a if x else 1 - a for a, x in zip(answer, answered, strict=True)]
            exact += float(np.prod(one + two))
    chances = np.repeat(np.concatenate([1.0 - free, answer])[:, None], TAUS, axis=1)
    assert shortage_of(chances, idle + 3) == pytest.approx(exact, abs=1e-12)


@given(chance_rows, st.integers(-2, 14), st.lists(chance, min_size=TAUS, max_size=TAUS), st.floats(0.001, 0.6))
@settings(max_examples=150, deadline=None)
def test_lines_are_added_while_the_next_is_worth_it(
    rows: list[list[float]], size: int, candidate: list[float], threshold: float
) -> None:
    chances, new = np.array(rows).reshape(-1, TAUS), np.array(candidate)
    lines, shortage = _add(chances, size, new, threshold, most=20)
    slow = [_slow_shortage(chances, new, n, size) for n in range(lines + 1)]
    assert shortage == pytest.approx(slow[-1], abs=1e-10)
    assert all(risk < threshold + 1e-10 for risk in slow[:-1])
    assert lines == 20 or slow[-1] >= threshold - 1e-10


def test_a_large_idle_floor_is_given_as_many_lines_as_it_can_take() -> None:
    """More lines than there is room for at first: the sums are made anew, longer."""
    candidate = np.linspace(0.02, 0.3, TAUS)
    lines, shortage = _add(NOBODY, 30, candidate, 0.03, most=400)
    assert shortage >= 0.03 and lines > 80
    assert shortage == pytest.approx(_slow_shortage(NOBODY, candidate, lines, 30), abs=1e-10)
    assert _slow_shortage(NOBODY, candidate, lines - 1, 30) < 0.03


# ---- how lines answer to what is asked ---------------------------------------------------------------------------
@given(seeds, st.sampled_from([(5, 6), (40, 30), (120, 60)]))
@settings(max_examples=30, deadline=None)
def test_more_spare_agents_or_a_higher_threshold_never_mean_fewer_lines(seed: int, team: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    chances, candidate = _floor(rng, *team), np.sort(rng.random(TAUS)) * 0.5
    thresholds, sizes = np.sort(rng.random(4) * 0.3), range(team[0] - 1, team[0] + 5)
    lines = np.array([[_add(chances, size, candidate, t, most=60)[0] for t in thresholds] for size in sizes])
    assert (np.diff(lines, axis=0) >= 0).all() and (np.diff(lines, axis=1) >= 0).all()
    fewer = _add(chances[:-1], sizes[2], candidate, thresholds[1], most=60)[0]
    assert fewer >= lines[2, 1]


def test_a_floor_without_a_free_place_is_given_nothing() -> None:
    assert _add(NOBODY, 0, np.full(TAUS, 0.2), 0.99) == (0, 1.0)
    assert [_add(NOBODY, 2, np.full(TAUS, 0.01), 0.3, most=most)[0] for most in range(4)] == [0, 1, 2, 3]


# ---- many chances ------------------------------------------------------------------------------------------------
@given(seeds, st.integers(100, 400))
@settings(max_examples=25, deadline=None)
def test_the_normal_is_near_the_exact_distribution_where_it_takes_over(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.concatenate([0.7 + 0.3 * rng.random(n // 2), 0.4 * rng.random(n - n // 2)])
    pmf = _pmf(p)
    spread = p * (1.0 - p)
    deviation = float(np.sqrt(spread.sum()))
    for size in np.arange(int(p.sum() - 3 * deviation), int(p.sum() + 4 * deviation)):
        normal = refined_normal_below(float(size), p.sum(), spread.sum(), (spread * (1.0 - 2.0 * p)).sum())
        assert normal == pytest.approx(pmf[:size].sum(), abs=1.5e-3)


def test_the_skewness_correction_earns_its_keep() -> None:
    """Few rare answers among many: the plain normal is off by a percent where the refined one is not."""
    p = np.full(150, 0.04)
    pmf, spread = _pmf(p), p * (1.0 - p)
    third = (spread * (1.0 - 2.0 * p)).sum()
    sizes = np.arange(1, 16)
    exact = np.array([pmf[:size].sum() for size in sizes])
    plain = stats.norm.cdf((sizes - 0.5 - p.sum()) / np.sqrt(spread.sum()))
    refined = np.array([refined_normal_below(float(size), p.sum(), spread.sum(), third) for size in sizes])
    assert np.max(np.abs(plain - exact)) > 0.02
    assert np.max(np.abs(refined - exact)) < 0.005


def test_the_refined_normal_is_the_plain_one_without_skew() -> None:
    assert refined_normal_below(12.0, 10.0, 4.0, 0.0) == pytest.approx(stats.norm.cdf(0.75))
    assert refined_normal_below(12.0, 10.0, 0.0, 0.0) == 1.0
    assert refined_normal_below(10.0, 10.0, 0.0, 0.0) == 0.0


@given(seeds, st.integers(60, 200))
@settings(max_examples=20, deadline=None)
def test_a_large_team_is_given_the_lines_of_the_exact_rule_but_one(seed: int, agents: int) -> None:
    rng = np.random.default_rng(seed)
    chances, candidate = _floor(rng, agents, agents), np.linspace(0.02, 0.3, TAUS)
    size = agents + int(rng.integers(0, 8))
    lines, shortage = _add(chances, size, candidate, 0.03, most=60)
    assert shortage == pytest.approx(_slow_shortage(chances, candidate, lines, size), abs=2e-3)
    assert lines == 0 or _slow_shortage(chances, candidate, lines - 1, size) < 0.03 + 2e-3
    assert shortage_of(chances, size) == pytest.approx(_slow_shortage(chances, candidate, 0, size), abs=2e-3)


def test_both_methods_agree_at_the_border() -> None:
    """Just below EXACT_CHANCES and just above, the answer differs by a line at the most."""
    chances = _floor(np.random.default_rng(11), 70, EXACT_CHANCES - 70)
    candidate = np.linspace(0.02, 0.3, TAUS)
    exact, _ = _add(chances, 80, candidate, 0.03, most=100)
    # A certain chance lifts sum and size alike: the same question, by the other method.
    by_normal, _ = _add(np.concatenate([chances, np.ones((1, TAUS))]), 81, candidate, 0.03, most=100)
    assert exact > 3
    assert abs(exact - by_normal) <= 1
