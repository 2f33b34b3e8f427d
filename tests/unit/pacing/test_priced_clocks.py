"""What `priced-v1` learns of time: histograms that fade, and forecasts against the worlds that samples came from."""

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np
import pytest
from pacing_views import NOW, make_view
from priced_twin import kaplan_meier, lognormal_survival
from scipy import stats

from pacing.priced import Priced, state
from pacing.view import SEGMENTS, Floats

WIDTH_S, HANDLE_WIDTH_S = state.DELAY_WIDTH_S, state.HANDLE_WIDTH_S


def _policy() -> Priced:
    """One that takes probabilities as they are given."""
    return Priced({"frozen_answers": 1.0})


def _known(policy: Priced) -> Any:
    """Return the record of all that is known, its fields by name."""
    return policy.state.view(np.recarray)[0]


def _decide(policy: Priced, **view: Any) -> None:
    """Let it derive its tables, as of a view."""
    policy.state["refreshed_at_count"] = -1.0
    policy.lines(make_view(**view), np.random.default_rng(0))


def _chance(
    policy: Priced, elapsed_s: float, *, rung_s: float | None = None, p: float = 0.3, segment: int = 0
) -> float:
    """Return the forecast chance of an answer of one line, the mean over taus."""
    more: dict[str, Any] = {"next_answer_probability": 0.0, "line_segment": np.array([float(segment)])}
    more["rung_since"] = np.array([inf if rung_s is None else NOW - rung_s])
    view = make_view(ringing_s=[elapsed_s], probability=p, **more)
    return policy.lines(view, np.random.default_rng(0)).figures["forecast_answers"]


# ---- counting ----------------------------------------------------------------------------------------------------
def test_a_handle_time_halves_after_its_half_life() -> None:
    policy = _policy()
    policy.handled(handle_s=3.0)
    for _ in range(2000):
        policy.handled(handle_s=100.0, segment=2)
    s = _known(policy)
    assert s.handled[0, 0] / s.handled_weight[0] == pytest.approx(0.5)
    faded = sum(0.5 ** (i / 2000.0) for i in range(2000))
    assert s.handled[0, 25] / s.handled_weight[0] == pytest.approx(faded)
    assert s.handled_total[0] / s.handled_weight[0] == pytest.approx(0.5 * 3.0 + 100.0 * faded)
    assert s.handled[2].sum() == s.handled[2, 25]
    assert s.handled[2, 25] / s.handled_weight[2] == pytest.approx(faded)
    assert s.handled[1].sum() == 0.0


@pytest.mark.parametrize("answered", [True, False])
def test_answered_lines_and_others_fade_apart(answered: bool) -> None:
    policy = _policy()
    policy.answered(after_s=9.2, probability=0.3, rang_after_s=3.1, segment=5)
    policy.not_answered(after_s=9.2, probability=0.3, rang_after_s=3.1, segment=5)
    learn = policy.answered if answered else policy.not_answered
    for _ in range(2000):
        learn(after_s=30.0, probability=0.3)
    s = _known(policy)
    shares = s.clocks[0, :, :] / s.clock_weights[0][[0, 0, 1, 0, 1]][:, None]
    of_answered, of_others = (0.5, 1.0) if answered else (1.0, 0.5)
    assert shares[state.RANG_BEFORE_ANSWER, 6] == pytest.approx(of_answered)
    assert shares[state.RING_TO_ANSWER, 12] == pytest.approx(of_answered)
    assert shares[state.SIGN_OF_OTHERS, 6] == pytest.approx(of_others)
    assert shares[state.RING_TO_OTHER_END, 12] == pytest.approx(of_others)
    assert s.answered[18] / s.clock_weights[0, 0] == pytest.approx(of_answered)
    assert s.clocks[5].sum() == pytest.approx(4.0, rel=1e-2)  # its own four entries have not faded


def test_a_line_without_ringing_gives_its_sign_at_its_end() -> None:
    policy = _policy()
    policy.answered(after_s=5.0, probability=0.3)
    policy.answered(after_s=5.0, probability=0.3, rang_after_s=5.1)  # a sign after the end is none
    policy.not_answered(after_s=7.0, probability=0.3)
    s = _known(policy)
    filled = {(clock, place) for clock, place in zip(*np.nonzero(s.clocks[0]), strict=True)}
    assert filled == {(state.ANSWERED_UNRUNG, 10), (state.SIGN_OF_OTHERS, 14)}


def test_counts_go_on_for_ever() -> None:
    """At its largest weight a histogram is scaled back; what it says stays as it was."""
    plain, scaled, rng = _policy(), _policy(), np.random.default_rng(3)
    for name in ("handled_weight", "clock_weights"):
        scaled.state[name] = 0.999e9
    lessons = [
        (rng.random() < 0.5, rng.random() * 30.0, rng.random() * 20.0, int(rng.integers(0, 3))) for _ in range(99)
    ]
    for policy in (plain, scaled):
        for answered, after_s, rang_s, segment in lessons:
            learn = policy.answered if answered else policy.not_answered
            learn(after_s=after_s, probability=0.3, rang_after_s=rang_s, segment=segment)
            policy.handled(handle_s=10.0 * after_s, segment=segment)
        _decide(policy, handling_s=[10.0, 100.0])
    assert scaled.state["handled_weight"][0, 0] < 2.0 and scaled.state["clock_weights"][0].max() < 1e9
    for name in (*state.DERIVED, "taus", "finish", "answer", "alive"):
        np.testing.assert_allclose(scaled.state[name], plain.state[name], rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("far_s", [1e5, 1e19, 1e300])
def test_what_takes_too_long_falls_in_the_last_bin(far_s: float) -> None:
    policy = _policy()
    policy.handled(handle_s=far_s, segment=3)
    policy.answered(after_s=far_s, probability=0.3, rang_after_s=1.0, segment=3)
    policy.not_answered(after_s=far_s, probability=0.3, segment=3)
    s = _known(policy)
    for row in (0, 3):
        assert s.handled[row, -1] > 0.0
        assert (s.clocks[row, [state.RING_TO_ANSWER, state.SIGN_OF_OTHERS], -1] > 0.0).all()
    assert np.count_nonzero(s.handled) == 2 and np.count_nonzero(s.clocks) == 6
    _decide(policy)
    assert np.isfinite(s.survival).all() and np.isfinite(s.answer).all()


# ---- deriving ----------------------------------------------------------------------------------------------------
def test_tables_are_derived_after_a_tenth_more_and_at_the_latest_after_64() -> None:
    policy, derived_at = _policy(), []
    for observations in range(1500):
        before = float(policy.state["refreshed_at_count"][0])
        policy.lines(make_view(idle=0), np.random.default_rng(0))
        if policy.state["refreshed_at_count"][0] != before:
            derived_at.append(observations)
        policy.handled(handle_s=100.0)
    steps = np.diff(derived_at)
    assert derived_at[:5] == [0, 1, 2, 3, 4]
    assert steps.max() == 65  # 64 may be left unused, the next one is too much
    assert all(step <= max(1.0, 0.1 * before + 1.0) for before, step in zip(derived_at[:-1], steps, strict=True))


def test_a_cold_table_is_sane() -> None:
    policy = _policy()
    _decide(policy)
    s = _known(policy)
    assert s.survival[0, 0] == 1.0 and np.all(np.diff(s.survival[0]) <= 0.0)
    assert np.all((s.finish >= 0.0) & (s.finish <= 1.0)) and s.finish[0, 0, -1] < 0.1
    assert np.all(np.diff(s.taus) > 0.0)
    assert 2.5 < s.taus[0] < s.taus[-1] < 30.0
    assert s.handled_row.tolist() == s.line_row.tolist() == [0] * SEGMENTS


def test_short_calls_that_end_first_do_not_fool_it() -> None:
    """At the start of a shift the calls that have ended are all short; the long ones still go on."""
    rng, policy = np.random.default_rng(6), _policy()
    handle_s = rng.lognormal(math.log(300.0), 0.5, 400)
    for value in handle_s[handle_s <= 200.0]:
        policy.handled(handle_s=value)
    _decide(policy, handling_s=np.full(np.count_nonzero(handle_s > 200.0), 200.0))
    by_200_s = policy.state["survival"][0, 0, int(200.0 / HANDLE_WIDTH_S)]
    assert by_200_s == pytest.approx(np.mean(handle_s > 200.0), abs=0.05)


def _taught(calls: int) -> Priced:
    """One that knows the clocks of a world without ringing signs."""
    rng, policy = np.random.default_rng(7), _policy()
    for handle_s, after_s in zip(rng.lognormal(4.7, 0.83, calls), 3.0 + rng.gamma(2.0, 4.0, calls), strict=True):
        policy.handled(handle_s=handle_s)
        policy.answered(after_s=after_s, probability=0.3)
        policy.not_answered(after_s=25.0, probability=0.3)
    _decide(policy)
    return policy


def test_finish_rows_find_the_true_chance_to_finish() -> None:
    s, true = _known(_taught(12_000)), stats.lognorm(s=0.83, scale=math.exp(4.7))
    for elapsed_s in (0.0, 60.0, 240.0):
        middle_s = elapsed_s + HANDLE_WIDTH_S / 2
        expected = 1.0 - true.sf(middle_s + s.taus) / true.sf(middle_s)
        assert s.finish[0, int(elapsed_s / HANDLE_WIDTH_S)] == pytest.approx(expected, abs=0.03)


def test_after_a_few_hundred_calls_hazards_are_nearer_the_truth_than_bin_by_bin() -> None:
    """Long conversations and a third of refusals, unlike the prior: each bin has a call or two."""
    rows, errors = np.arange(60), []
    for seed in range(8):
        rng, policy = np.random.default_rng(seed), _policy()
        for handle_s in np.where(rng.random(250) < 0.33, rng.exponential(20.0, 250), rng.lognormal(5.2, 0.7, 250)):
            policy.handled(handle_s=handle_s)
        _decide(policy)
        s = _known(policy)
        begin_s = (rows + 0.5) * HANDLE_WIDTH_S
        left = [
            0.33 * stats.expon(scale=20.0).sf(at_s) + 0.67 * stats.lognorm(s=0.7, scale=math.exp(5.2)).sf(at_s)
            for at_s in (begin_s, begin_s + s.taus[4])
        ]
        rough = kaplan_meier(s.handled[0] / s.handled_weight[0], np.zeros(0), lognormal_survival(180.0), 15.0)
        by_bin = [np.interp(at, np.arange(len(rough)), rough) for at in (rows + 0.5, rows + 0.5 + s.taus[4] / 4.0)]
        true = 1.0 - left[1] / left[0]
        errors.append([np.std(s.finish[0, rows, 4] - true), np.std(1.0 - by_bin[1] / by_bin[0] - true)])
    smooth, bin_by_bin = np.mean(errors, axis=0)
    assert smooth < 0.02
    assert smooth < 0.85 * bin_by_bin


def test_taus_are_the_mid_quantiles_of_the_answer_delay() -> None:
    shares = (np.arange(state.TAUS) + 0.5) / state.TAUS
    true = 3.0 + stats.gamma(2.0, scale=4.0).ppf(shares)
    assert _known(_taught(12_000)).taus == pytest.approx(true, abs=0.5)


def test_a_segment_leans_on_all_leads_until_it_has_its_own_history() -> None:
    def lasting(own: int) -> float:
        """The chance that a call of segment 3, all 40 s, lasts 100 s where all others take 400 s."""
        policy = _policy()
        for _ in range(2000):
            policy.handled(handle_s=400.0, segment=1)
        for _ in range(own):
            policy.handled(handle_s=40.0, segment=3)
        _decide(policy)
        row = _known(policy).handled_row[3]
        return float(_known(policy).survival[row, 25])

    by_own = [lasting(own) for own in (0, 1, 30, 3000)]
    assert by_own[0] > 0.99
    assert by_own == sorted(by_own, reverse=True)
    assert 0.5 < by_own[2] < 0.9  # 30 of its own against 60 pooled
    assert by_own[3] < 0.05


def test_a_segment_that_was_never_seen_is_forecast_as_all_are() -> None:
    policy = _taught(300)
    assert _chance(policy, 6.0, segment=4) == _chance(policy, 6.0)
    for _ in range(500):
        policy.answered(after_s=2.0, probability=0.3, segment=4)
        policy.not_answered(after_s=60.0, probability=0.3, segment=4)
    assert _chance(policy, 6.0, segment=4) < 0.5 * _chance(policy, 6.0, segment=5)


# ---- forecasting -------------------------------------------------------------------------------------------------
def test_without_ringing_signs_it_is_the_plain_conditional_of_one_clock() -> None:
    """p (G(e + tau) - G(e)) over p (1 - G(e)) + (1 - p) (1 - H(e)), with G and H of all answers and all other ends."""
    policy = _taught(400)
    s, p = _known(policy), 0.4
    edges = np.arange(state.DELAY_BINS + 1) * WIDTH_S
    _chance(policy, 0.0)  # derives the tables
    ends = s.sign_of_others[0]
    for elapsed_s in (0.0, 2.6, 8.0, 14.0, 24.2, 30.0):
        e = (math.floor(elapsed_s / WIDTH_S) + 0.5) * WIDTH_S
        begun, lost = np.interp([e], edges, s.answered_by), np.interp([e], edges, ends)
        soon = np.interp(e + s.taus, edges, s.answered_by) - begun
        expected = p * soon / (p * (1.0 - begun) + (1.0 - p) * (1.0 - lost))
        assert _chance(policy, elapsed_s, p=p) == pytest.approx(expected.mean(), rel=1e-9)


class _World:
    """Lines as they might be: 30 % are answered, all after ringing; of the others a third is busy and never rings."""

    def __init__(self, lines: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.answered = rng.random(lines) < 0.3
        self.rang_s = rng.uniform(1.0, 4.0, lines)
        self.after_s = self.rang_s + np.where(self.answered, rng.gamma(2.0, 4.0, lines), 22.0)
        busy = ~self.answered & (rng.random(lines) < 1.0 / 3.0)
        self.after_s[busy] = rng.uniform(2.0, 9.0, np.count_nonzero(busy))
        self.rang_s[busy] = inf

    def teach(self, policy: Priced) -> None:
        for answered, after_s, rang_s in zip(self.answered, self.after_s, self.rang_s, strict=True):
            learn = policy.answered if answered else policy.not_answered
            learn(after_s=after_s, probability=0.3, rang_after_s=rang_s)

    def soon(self, since_s: Floats, inside: Any, elapsed_s: float, taus: Floats) -> float:
        """The share of answers within tau of the lines in flight `elapsed_s` after `since_s`, averaged over taus."""
        left_s = self.after_s[inside] - since_s[inside] - elapsed_s
        return float(np.mean([np.mean(self.answered[inside] & (left_s <= tau)) for tau in taus]))


def _in_its_bin(elapsed_s: float) -> float:
    """The middle of the bin in which a line is looked up."""
    return (math.floor(elapsed_s / WIDTH_S) + 0.5) * WIDTH_S


@pytest.fixture(scope="module")
def taught() -> Priced:
    policy = _policy()
    _World(15_000, seed=21).teach(policy)
    _decide(policy)
    return policy


@pytest.mark.parametrize("elapsed_s", [0.0, 1.5, 2.5, 3.5, 6.0])
def test_a_line_without_sign_is_answered_as_often_as_in_its_world(taught: Priced, elapsed_s: float) -> None:
    world, e = _World(400_000, seed=22), _in_its_bin(elapsed_s)
    inside = np.minimum(world.after_s, world.rang_s) > e
    true = world.soon(np.zeros(len(world.after_s)), inside, e, _known(taught).taus)
    assert _chance(taught, elapsed_s) == pytest.approx(true, abs=0.02)


@pytest.mark.parametrize("elapsed_s", [0.0, 5.0, 12.0, 20.0])
def test_a_line_that_rang_is_answered_as_often_as_in_its_world(taught: Priced, elapsed_s: float) -> None:
    world, e = _World(400_000, seed=23), _in_its_bin(elapsed_s)
    inside = np.isfinite(world.rang_s) & (world.after_s - world.rang_s > e)
    true = world.soon(world.rang_s, inside, e, _known(taught).taus)
    assert _chance(taught, elapsed_s + 2.0, rung_s=elapsed_s) == pytest.approx(true, abs=0.025)


def test_ringing_is_good_news_and_long_silence_bad(taught: Priced) -> None:
    launched = _chance(taught, 0.0)
    assert _chance(taught, 1.5, rung_s=0.0) > launched + 0.05
    assert _chance(taught, 6.0) < 0.2 * launched
