"""The compiled rule against slow twins that share nothing with it: brute enumeration, plain convolution, scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pacing import kernels

K = kernels.TAUS
chance = st.floats(0.0, 1.0)
rows = st.lists(st.lists(chance, min_size=K, max_size=K), max_size=12)


def _pmf(chances: np.ndarray) -> np.ndarray:
    """The distribution of a sum of chances, by plain convolution."""
    pmf = np.ones(1)
    for p in chances:
        pmf = np.convolve(pmf, [1.0 - p, p])
    return pmf


def _slow_shortage(chances: np.ndarray, candidate: np.ndarray, lines: int, size: int) -> float:
    """The mean over taus of P(sum of all chances and of `lines` candidates >= size)."""
    whole = [_pmf(np.append(chances[:, k], np.full(lines, candidate[k])))[max(size, 0) :].sum() for k in range(K)]
    return float(np.mean(whole))


def _add_lines(
    chances: np.ndarray, size: int, candidate: np.ndarray, threshold: float, dither: float = 1.0, most: int = 40
) -> tuple[int, float, bool]:
    out = np.zeros(5)
    lines = kernels.add_lines(chances, size, candidate, threshold, dither, most, out)
    return lines, float(out[kernels.OUT_SHORTAGE]), bool(out[kernels.OUT_CAPPED])


@given(rows, st.integers(-3, 15))
@settings(max_examples=150, deadline=None)
def test_both_sums_together_are_the_convolution(rows: list[list[float]], size: int) -> None:
    chances = np.array(rows).reshape(-1, K)
    n = len(chances)
    likely, unlikely = np.zeros((n + 1, K)), np.zeros((n + 1, K))
    spare = kernels.fill_sums(chances, size, likely, unlikely, np.zeros(K))
    assert likely.sum(axis=0) == pytest.approx(np.ones(K)) and unlikely.sum(axis=0) == pytest.approx(np.ones(K))
    unlikely_count = int((chances[:, K // 2] <= 0.5).sum()) if n else 0
    shortage = kernels.exact_shortage(likely, unlikely, unlikely_count, spare, np.zeros(K))
    assert shortage == pytest.approx(_slow_shortage(chances, np.zeros(K), 0, size), abs=1e-12)


@given(rows, st.integers(1, 15))
@settings(max_examples=100, deadline=None)
def test_a_sum_may_be_cut_off(rows: list[list[float]], size: int) -> None:
    chances = np.array(rows).reshape(-1, K)
    pmf = np.zeros((size, K))
    pmf[0] = 1.0
    for chance_row in chances:
        kernels.add_chance(pmf, size, chance_row)
    for k in range(K):
        whole = _pmf(chances[:, k])
        kept = np.zeros(size)
        kept[: min(size, len(whole))] = whole[:size]
        assert pmf[:, k] == pytest.approx(kept, abs=1e-12)


def test_a_large_idle_floor_is_given_as_many_lines_as_it_can_take() -> None:
    """More lines than there is room for at first: the sums are made anew, longer."""
    candidate = np.linspace(0.02, 0.3, K)
    lines, shortage, capped = _add_lines(np.zeros((0, K)), 30, candidate, 0.03, most=400)
    assert not capped and lines > 80
    assert shortage == pytest.approx(_slow_shortage(np.zeros((0, K)), candidate, lines, 30), abs=1e-10)
    assert _slow_shortage(np.zeros((0, K)), candidate, lines - 1, 30) < 0.03


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
    chances = np.repeat(np.concatenate([1.0 - free, answer])[:, None], K, axis=1)
    _, shortage, _ = _add_lines(chances, idle + 3, np.full(K, 0.5), 0.0)
    assert shortage == pytest.approx(exact, abs=1e-12)


@given(rows, st.integers(-2, 14), st.lists(chance, min_size=K, max_size=K), st.floats(0.001, 0.6))
@settings(max_examples=150, deadline=None)
def test_lines_are_added_while_the_next_is_worth_it(
    rows: list[list[float]], size: int, candidate: list[float], threshold: float
) -> None:
    chances, new = np.array(rows).reshape(-1, K), np.array(candidate)
    lines, shortage, capped = _add_lines(chances, size, new, threshold, most=20)
    slow = [_slow_shortage(chances, new, n, size) for n in range(lines + 1)]
    assert shortage == pytest.approx(slow[-1], abs=1e-10)
    assert all(risk < threshold + 1e-10 for risk in slow[:-1])
    assert capped == (shortage < threshold)
    if not capped:
        assert slow[-1] >= threshold - 1e-10
    else:
        assert lines == 20


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 0.2))
@settings(max_examples=60, deadline=None)
def test_dither_adds_one_line_as_often_as_the_threshold_reaches_into_its_step(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    chances, candidate = rng.random((6, K)) * 0.5, np.linspace(0.1, 0.4, K)
    base, stopped_at, _ = _add_lines(chances, 4, candidate, threshold, dither=1.0)
    if base == 0:
        assert _add_lines(chances, 4, candidate, threshold, dither=0.0)[0] == 0
        return
    before = _slow_shortage(chances, candidate, base - 1, 4)
    share = (threshold - before) / (stopped_at - before)
    assert _add_lines(chances, 4, candidate, threshold, dither=max(share - 1e-6, 0.0))[0] == base + 1
    assert _add_lines(chances, 4, candidate, threshold, dither=share + 1e-6)[0] == base


@given(st.integers(0, 2**32 - 1), st.integers(130, 600))
@settings(max_examples=25, deadline=None)
def test_the_normal_is_near_the_exact_distribution_where_it_takes_over(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.concatenate([0.7 + 0.3 * rng.random(n // 2), 0.4 * rng.random(n - n // 2)])
    pmf = _pmf(p)
    spread = p * (1.0 - p)
    deviation = float(np.sqrt(spread.sum()))
    for size in np.arange(int(p.sum() - 3 * deviation), int(p.sum() + 4 * deviation)):
        normal = kernels.refined_normal_below(float(size), p.sum(), spread.sum(), (spread * (1.0 - 2.0 * p)).sum())
        assert normal == pytest.approx(pmf[:size].sum(), abs=1.5e-3)


def test_the_skewness_correction_earns_its_keep() -> None:
    """Few rare answers among many: the plain normal is off by a percent where the refined one is not."""
    p = np.full(150, 0.04)
    pmf, spread = _pmf(p), p * (1.0 - p)
    third = (spread * (1.0 - 2.0 * p)).sum()
    sizes = np.arange(1, 16)
    exact = np.array([pmf[:size].sum() for size in sizes])
    plain = stats.norm.cdf((sizes - 0.5 - p.sum()) / np.sqrt(spread.sum()))
    refined = np.array([kernels.refined_normal_below(size, p.sum(), spread.sum(), third) for size in sizes])
    assert np.max(np.abs(plain - exact)) > 0.02
    assert np.max(np.abs(refined - exact)) < 0.005


def test_the_refined_normal_is_the_plain_one_without_skew() -> None:
    assert kernels.refined_normal_below(12.0, 10.0, 4.0, 0.0) == pytest.approx(stats.norm.cdf(0.75))
    assert kernels.refined_normal_below(12.0, 10.0, 0.0, 0.0) == 1.0
    assert kernels.refined_normal_below(10.0, 10.0, 0.0, 0.0) == 0.0


def test_both_methods_agree_at_the_border() -> None:
    """Just below EXACT_CHANCES and just above, the answer differs by a line at the most."""
    rng = np.random.default_rng(11)
    n = kernels.EXACT_CHANCES
    agents, ringing = 0.8 + 0.2 * rng.random((70, K)), 0.35 * rng.random((n - 70, K))
    chances = np.concatenate([agents, ringing])
    candidate = np.linspace(0.02, 0.3, K)
    exact, _, _ = _add_lines(chances, 80, candidate, 0.03, most=100)
    # A certain chance lifts sum and size alike: the same question, by the other method.
    by_normal, _, _ = _add_lines(np.concatenate([chances, np.ones((1, K))]), 81, candidate, 0.03, most=100)
    assert exact > 3
    assert abs(exact - by_normal) <= 1


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 15), st.integers(-3, 6))
@settings(max_examples=60, deadline=None)
def test_the_whole_decision_against_a_slow_twin(seed: int, busy: int, ringing: int, spare: int) -> None:
    """`decide` from tables, times and probabilities, re-done with plain numpy interpolation and convolution."""
    rng = np.random.default_rng(seed)
    now, multiplier, threshold, leaving = 1e9, 1.2, 0.05, min(busy, 2)
    survival = np.exp(-np.arange(kernels.HANDLE_BINS + 1) / 40.0)
    answered_by = np.linspace(0.0, 1.0, kernels.DELAY_BINS + 1) ** 0.3
    ended_by = np.clip(np.linspace(0.0, 2.0, kernels.DELAY_BINS + 1), 0.0, 1.0)
    taus, finish, answer = np.zeros(K), np.zeros((kernels.FINISH_ROWS, K)), np.zeros((kernels.DELAY_BINS, K))
    kernels.fill_taus(answered_by, taus)
    kernels.fill_rows(survival, answered_by, taus, finish, answer)
    elapsed_s, rung_s, p = rng.random(busy) * 700.0, rng.random(ringing) * 70.0, rng.random(ringing)
    out, ask = np.zeros(5), np.array([0.4, threshold, 1.0, 3.0])
    lines = kernels.decide(
        now, spare, float(leaving), multiplier, now - elapsed_s, now - rung_s, p, ask, finish, answer, answered_by,
        ended_by, out,
    )  # fmt: skip

    def at(table: np.ndarray, width_s: float, when_s: np.ndarray) -> np.ndarray:
        return np.interp(when_s / width_s, np.arange(len(table)), table)

    width_s = kernels.HANDLE_WIDTH_S
    # The decision reads float64 seconds near 1e9: repeat their rounding.
    middle_s = (np.floor((now - (now - elapsed_s)) / width_s) + 0.5)[:, None] * width_s
    middle_s = np.minimum(middle_s, (kernels.FINISH_ROWS - 0.5) * width_s)
    stays = (1.0 - leaving / busy) if busy else 1.0
    free = stays * (1.0 - at(survival, width_s, middle_s + taus) / at(survival, width_s, middle_s))
    width_s = kernels.DELAY_WIDTH_S
    middle_s = (np.floor((now - (now - rung_s)) / width_s) + 0.5)[:, None] * width_s
    q = np.minimum(p * multiplier, 0.98)[:, None]
    begun = at(answered_by, width_s, middle_s)
    alive = q * (1.0 - begun) + (1.0 - q) * (1.0 - at(ended_by, width_s, middle_s))
    answers = np.minimum(q * (at(answered_by, width_s, middle_s + taus) - begun) / np.maximum(alive, 1e-9), 1.0)
    candidate = 0.4 * multiplier * (np.arange(K) + 0.5) / K
    chances = np.concatenate([1.0 - free, answers])
    most = max(int(3.0 * max(spare + free[:, -1].sum(), 0.0)) - ringing, 0)
    slow = 0
    while slow < most and _slow_shortage(chances, candidate, slow, spare + busy) < threshold:
        slow += 1
    assert lines == slow
    assert out[kernels.OUT_FREE] == pytest.approx(spare + free.sum() / K)
    assert out[kernels.OUT_ANSWERS] == pytest.approx(answers.sum() / K + lines * candidate.mean())
