"""The compiled twins of `priced-v1` against `priced-v1`: the same outcomes, the same decisions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pacing.hazards import FadingCounts
from pacing.priced import Priced
from pacing.view import PacingView
from sim.fast.learning import (
    Learned,
    learn_abandoned,
    learn_answered,
    learn_handled,
    learn_not_answered,
    nothing_learned,
    priced_lines,
)

_TWIN_OF = {
    "log_price": ("price", "log_price"),
    "answers_seen": ("price", "answers_seen"),
    "allowance": ("price", "allowance"),
    "abandons": ("price", "abandons"),
    "slow_seen": ("answers", "slow_seen"),
    "fast_variance": ("answers", "fast_variance"),
    "multiplier": ("answers", "value"),
    "unused": ("tables", "unused"),
    "refreshed_at_count": ("tables", "refreshed_at_count"),
}


class _Draws:
    """A generator that gives one number, as a decision takes at most one."""

    def __init__(self, draw: float) -> None:
        self.draw = draw

    def random(self) -> float:
        return self.draw


def _state(rng: np.random.Generator, now: float) -> dict[str, Any]:
    busy, ringing = int(rng.integers(0, 30)), int(rng.integers(0, 40))
    return {
        "now": now,
        "idle": int(rng.integers(0, 8)),
        "waiting": int(rng.integers(0, 3)),
        "handling_since": now - rng.exponential(150.0, busy),
        "ringing_since": now - rng.uniform(0.0, 25.0, ringing),
        "answer_probability": rng.uniform(0.05, 0.6, ringing),
        "next_answer_probability": float(rng.uniform(0.05, 0.6)),
        "max_lines_per_idle_agent": float(rng.choice([2.0, 8.0])),
        "target_abandon_rate": float(rng.choice([0.01, 0.03])),
    }


def _outcome(policy: Priced, learned: Learned, rng: np.random.Generator, answer_rate: float) -> None:
    """Let both learn of one outcome."""
    probability, draw = float(rng.uniform(0.0, 0.7)), rng.random()
    if draw < 0.3:
        handle_s = float(rng.lognormal(4.8, 0.9))
        policy.handled(handle_s=handle_s)
        learn_handled(learned, handle_s)
    elif rng.random() < answer_rate:
        after_s = float(rng.gamma(2.0, 5.0))
        policy.answered(after_s=after_s, probability=probability)
        learn_answered(learned, after_s, probability)
        if rng.random() < 0.08:
            policy.abandoned()
            learn_abandoned(learned)
    else:
        after_s = float(rng.uniform(0.0, 90.0))
        policy.not_answered(after_s=after_s, probability=probability)
        learn_not_answered(learned, after_s, probability)


def _compare(policy: Priced, learned: Learned) -> None:
    scalars = learned.scalars[0]
    for name, (part, attribute) in _TWIN_OF.items():
        np.testing.assert_allclose(scalars[name], getattr(getattr(policy, part), attribute), rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(scalars["dither"], policy._dither, rtol=0)
    tables = policy.tables
    for counts, twin, weight in (
        (tables.handled, learned.handled, scalars["handled_weight"]),
        (tables.answered, learned.answered, scalars["answered_weight"]),
        (tables.ended, learned.ended, scalars["ended_weight"]),
    ):
        np.testing.assert_allclose(twin / weight, counts.counts / counts.weight, rtol=1e-12)
    for name in ("survival", "answered_by", "ended_by", "taus", "finish", "answer"):
        np.testing.assert_allclose(getattr(learned, name), getattr(tables, name), rtol=1e-11, atol=1e-13)


def _run_both(seed: int, steps: int, answer_rate: float, pause_s: float) -> int:
    """Feed both the same day; compares every decision and returns how many lines were launched."""
    rng = np.random.default_rng(seed)
    policy, learned, now, launched = Priced(), nothing_learned(), 1e9, 0
    for step in range(steps):
        for _ in range(int(rng.integers(0, 6))):
            _outcome(policy, learned, rng, answer_rate)
        now += pause_s if step == steps // 2 else float(rng.exponential(1.0))
        view, draw = _state(rng, now), float(rng.random())
        pace = policy.lines(PacingView(leaving=0, **view), _Draws(draw))  # type: ignore[arg-type]
        assert priced_lines(learned, draw=draw, **view) == pace.lines
        launched += pace.lines
    _compare(policy, learned)
    return launched


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 250),
    answer_rate=st.sampled_from((0.02, 0.3, 0.9)),
    pause_s=st.sampled_from((1.0, 4 * 3600.0, 12 * 3600.0)),
)
def test_equal_outcomes_give_equal_decisions(seed: int, steps: int, answer_rate: float, pause_s: float) -> None:
    _run_both(seed, steps, answer_rate, pause_s)


def test_a_long_day_with_a_new_account_stays_equal() -> None:
    """Long enough for accounts to be opened anew, and for the answer rate to surprise."""
    assert _run_both(7, 4000, 0.3, 5 * 3600.0) > 500


def test_counts_are_scaled_back_as_the_original_does() -> None:
    learned, counts = nothing_learned(), FadingCounts(width_s=0.5, bins=160, half_life=2000.0)
    learned.scalars["answered_weight"] = counts.weight = 0.99999e9
    for after_s in (1.0, 2.0, 200.0):
        counts.observe(after_s)
        learn_answered(learned, after_s, 0.3)
    assert counts.weight < 10.0
    np.testing.assert_allclose(learned.scalars["answered_weight"][0], counts.weight, rtol=1e-12)
    np.testing.assert_allclose(learned.answered, counts.counts, rtol=1e-12)


def test_nobody_there_launches_nothing() -> None:
    learned, none = nothing_learned(), np.zeros(0)
    assert priced_lines(learned, 10.0, 0, 0, none, none, none, 0.3, 8.0, 0.03, 0.5) == 0
