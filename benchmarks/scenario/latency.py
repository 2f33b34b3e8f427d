"""How long one decision of `priced-v1` takes, by itself: from a view that is at hand to the number of lines."""

from __future__ import annotations

import time

import numpy as np

from pacing.policy import Policy
from pacing.registry import make_policy, warm_up
from pacing.view import PacingView

TARGET = 0.03
_TAUGHT = 1000


def latency_p99_us(agents: int, ringing: int, decisions: int) -> float:
    """Return the 99th percentile in microseconds of CPU over random states of a floor with one agent in ten idle.

    CPU time, for what else the machine does is no part of a decision.
    """
    warm_up()
    rng = np.random.default_rng(agents)
    policy = make_policy("priced-v1")
    _teach(policy, rng)
    taken_us = np.zeros(decisions)
    for i in range(decisions):
        view = _view(rng, agents, ringing, now=1e9 + i)
        begun = time.thread_time()
        policy.lines(view, rng)
        taken_us[i] = (time.thread_time() - begun) * 1e6
    return float(np.quantile(taken_us, 0.99))


def _teach(policy: Policy, rng: np.random.Generator) -> None:
    for _ in range(_TAUGHT):
        policy.answered(after_s=3.0 + rng.gamma(2.0, 4.0), probability=0.3, rang_after_s=2.0)
        policy.not_answered(after_s=25.0, probability=0.3, rang_after_s=2.0)
        policy.handled(handle_s=rng.lognormal(4.7, 0.83) + rng.gamma(2.0, 15.0))


def _view(rng: np.random.Generator, agents: int, ringing: int, now: float) -> PacingView:
    """A view with every array filled: a tenth of the busy agents leave within the hour."""
    idle = max(1, agents // 10)
    busy = agents - idle
    launched_at = now - rng.random(ringing) * 25.0
    return PacingView(
        now=now,
        idle=idle,
        idle_leaves_at=now + rng.random(idle // 10) * 3600.0,
        handling_since=now - rng.random(busy) * 200.0,
        handling_segment=np.zeros(busy),
        leaves_at=np.where(rng.random(busy) < 0.1, now + rng.random(busy) * 3600.0, np.inf),
        talking=busy * 5 // 6,
        ringing_since=launched_at,
        answer_probability=rng.random(ringing) * 0.6,
        rung_since=np.where(now - launched_at > 2.0, launched_at + 2.0, np.inf),
        line_segment=np.zeros(ringing),
        waiting=0,
        next_answer_probability=0.3,
        max_lines_per_idle_agent=8.0,
        target_abandon_rate=TARGET,
    )
