"""`priced-v1` against its slow twin: the same history, the same decisions, to the last guard and figure."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW
from priced_twin import Twin

from pacing.priced import Priced
from pacing.view import SEGMENTS, PacingView


def _teach(policy: Priced, twin: Twin, rng: np.random.Generator, answer_rate: float) -> None:
    """Let both learn of one outcome."""
    probability, segment, kind = float(rng.uniform(0.0, 0.7)), int(rng.integers(0, 3)), rng.random()
    if kind < 0.3:
        handle_s = float(rng.lognormal(4.8, 0.9))
        policy.handled(handle_s=handle_s, segment=segment)
        twin.agent_done(handle_s, segment)
        return
    if kind < 0.31:
        policy.lost(answers=0.2)
        twin.count(0.2, 0.2)
        return
    answered = bool(rng.random() < answer_rate)
    after_s = float(rng.gamma(2.0, 5.0) if answered else rng.uniform(0.0, 90.0))
    rang_after_s = float(rng.uniform(0.0, 12.0)) if rng.random() < (0.9 if answered else 0.6) else inf
    learn = policy.answered if answered else policy.not_answered
    learn(after_s=after_s, probability=probability, rang_after_s=rang_after_s, segment=segment)
    twin.line_ended(answered, after_s, probability, rang_after_s, segment)
    if answered and rng.random() < 0.015:
        policy.abandoned()
        twin.count(0.0, 1.0)


def _view(rng: np.random.Generator, now: float) -> PacingView:
    busy, idle = int(rng.integers(0, 20)), int(rng.integers(0, 6))
    ringing = int(rng.integers(0, rng.choice([2, 8, 25])))
    ringing_since = now - rng.uniform(0.0, 40.0, ringing)
    rung_since = ringing_since + rng.random(ringing) * (now - ringing_since)
    rung_since[rng.random(ringing) < 0.4] = inf
    leaves_at = now + rng.uniform(-20.0, 60.0, busy)
    leaves_at[rng.random(busy) < 0.7] = inf
    told = rng.random() < 0.7
    return PacingView(
        now=now,
        idle=idle,
        idle_leaves_at=now + rng.uniform(-5.0, 40.0, int(rng.integers(0, idle + 1)) if rng.random() < 0.3 else 0),
        handling_since=now - rng.exponential(150.0, busy),
        handling_segment=rng.integers(0, 4, busy).astype(float) if told else np.zeros(0),
        leaves_at=leaves_at if rng.random() < 0.5 else np.zeros(0),
        ringing_since=ringing_since,
        answer_probability=rng.uniform(0.0, 0.9, ringing),
        rung_since=rung_since if told else np.zeros(0),
        line_segment=rng.integers(0, SEGMENTS, ringing).astype(float) if told else np.zeros(0),
        waiting=int(rng.integers(0, 3)),
        next_answer_probability=float(rng.choice([0.01, 0.1, rng.random()])),
        target_abandon_rate=float(rng.choice([0.01, 0.03])),
        max_lines_per_idle_agent=float(rng.choice([1.0, 2.5, 8.0])),
        budget_left=float(rng.choice([inf, inf, 0.5, 1.7, 5.0])),
        hang_up_after_ring_s=float(rng.choice([inf, 0.0, 15.0])),
    )


def _live_a_day(seed: int, steps: int, answer_rate: float, pause_s: float, lessons: int) -> list[tuple[int, int, str]]:
    """Feed both the same day and compare every decision; return lines, hang-ups and guard of each."""
    rng = np.random.default_rng(seed)
    policy, twin, now, decided = Priced(), Twin(), NOW, []
    for step in range(steps):
        for _ in range(int(rng.integers(0, lessons))):
            _teach(policy, twin, rng, answer_rate)
        now += pause_s if step == steps // 2 else float(rng.exponential(1.0))
        view, draws = _view(rng, now), int(rng.integers(0, 2**32))
        pace = policy.lines(view, np.random.default_rng(draws))
        expected = twin.decide(view, np.random.default_rng(draws))
        assert (pace.lines, pace.hang_up, pace.guard) == (expected.lines, expected.hang_up, expected.guard)
        assert pace.figures == pytest.approx(expected.figures, rel=1e-7, abs=1e-9)
        decided.append((pace.lines, len(pace.hang_up), pace.guard))
    return decided


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 30),
    answer_rate=st.sampled_from((0.02, 0.3, 0.9)),
    pause_s=st.sampled_from((1.0, 4 * 3600.0, 12 * 3600.0)),
    lessons=st.sampled_from((3, 30)),
)
def test_equal_histories_give_equal_decisions(
    seed: int, steps: int, answer_rate: float, pause_s: float, lessons: int
) -> None:
    _live_a_day(seed, steps, answer_rate, pause_s, lessons)


def test_a_long_day_meets_every_guard_and_stays_equal() -> None:
    """Long enough for accounts to be opened anew, and for old observations to weigh little."""
    decided = _live_a_day(seed=7, steps=150, answer_rate=0.4, pause_s=5 * 3600.0, lessons=80)
    assert {guard for _, _, guard in decided} >= {"none", "abandon_budget", "lines_per_idle_agent"}
    assert sum(lines for lines, _, _ in decided) > 100
    assert sum(hung_up for _, hung_up, _ in decided) > 10
