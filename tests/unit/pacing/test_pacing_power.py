"""`power-v1`: its ratio, its bounds, and the budget below which it is progressive."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW, make_view

from pacing.policy import Pace
from pacing.power import NEW_COUNT_AFTER_S, Power


def paced(policy: Power, **view: Any) -> Pace:
    return policy.lines(make_view(**{"handling_s": [60.0], **view}), np.random.default_rng(0))


def with_budget(answers: int = 1000, abandons: int = 0) -> Power:
    policy = Power()
    for _ in range(answers):
        policy.answered(after_s=8.0, probability=0.3)
    for _ in range(abandons):
        policy.abandoned()
    return policy


@pytest.mark.parametrize(
    ("idle", "waiting", "ringing", "per_agent", "expected"),
    [
        (4, 0, 0, 1.5, 6),
        (3, 0, 0, 1.5, 4),  # 4.5, less the half
        (3, 1, 2, 2.0, 2),
        (3, 0, 9, 2.0, 0),
        (2, 3, 0, 5.0, 0),
        (0, 0, 0, 5.0, 0),
        (20, 0, 0, 1.15, 23),  # 22.999999999999996 in floating point
        (3, 0, 0, 1.0, 3),
    ],
)
def test_it_brings_lines_up_to_the_ratio(
    idle: int, waiting: int, ringing: int, per_agent: float, expected: int
) -> None:
    pace = paced(with_budget(), idle=idle, waiting=waiting, ringing_s=[5.0] * ringing, lines_per_idle_agent=per_agent)
    assert (pace.lines, pace.guard) == (expected, "none")


def test_the_supervisors_bound_holds() -> None:
    pace = paced(with_budget(), idle=4, lines_per_idle_agent=3.0, max_lines_per_idle_agent=2.0)
    assert (pace.lines, pace.guard) == (8, "lines_per_idle_agent")
    assert pace.figures["lines_per_idle_agent"] == 2.0
    unbound = paced(with_budget(), idle=4, ringing_s=[1.0] * 20, lines_per_idle_agent=3.0, max_lines_per_idle_agent=2.0)
    assert (unbound.lines, unbound.guard) == (0, "none"), "more lines are up than either allows"


def test_without_agents_it_says_so() -> None:
    pace = paced(with_budget(), idle=0, handling_s=[])
    assert (pace.lines, pace.guard) == (0, "no_agents")


def test_it_begins_progressively_until_its_answers_allow_one_abandon() -> None:
    policy = with_budget(answers=33)  # 33 * 0.03 = 0.99
    assert (paced(policy, idle=4, lines_per_idle_agent=2.0).lines) == 4
    policy.answered(after_s=8.0, probability=0.3)
    assert (paced(policy, idle=4, lines_per_idle_agent=2.0).lines) == 8


def test_the_tightest_account_rules_beside_its_own_count() -> None:
    pace = paced(with_budget(), idle=4, lines_per_idle_agent=2.0, budget_left=0.9)
    assert (pace.lines, pace.guard, pace.figures["budget_left"]) == (4, "abandon_budget", 0.9)
    own = paced(with_budget(answers=100, abandons=3), idle=4, lines_per_idle_agent=2.0, budget_left=50.0)
    assert (own.lines, own.guard, own.figures["budget_left"]) == (4, "abandon_budget", 0.0)


def test_answers_lost_to_detection_count_as_abandoned() -> None:
    policy = with_budget(answers=100)
    policy.lost(answers=2.5)
    assert paced(policy, idle=1).figures["budget_left"] == pytest.approx(0.03 * 102.5 - 2.5)


def test_a_lower_target_is_in_force_at_once() -> None:
    policy = with_budget(answers=100)
    assert paced(policy, idle=4, lines_per_idle_agent=2.0, target_abandon_rate=0.03).lines == 8
    assert paced(policy, idle=4, lines_per_idle_agent=2.0, target_abandon_rate=0.009).guard == "abandon_budget"
    assert paced(policy, idle=4, lines_per_idle_agent=2.0, target_abandon_rate=0.0).lines == 4


def test_a_good_day_buys_nothing_the_next() -> None:
    policy = with_budget()
    assert paced(policy, idle=4, lines_per_idle_agent=2.0).lines == 8
    assert paced(policy, now=NOW + NEW_COUNT_AFTER_S - 1.0, idle=4, lines_per_idle_agent=2.0).lines == 8
    morning = NOW + 2 * NEW_COUNT_AFTER_S
    assert paced(policy, now=morning, idle=4, lines_per_idle_agent=2.0).guard == "abandon_budget"


@given(
    answers=st.integers(0, 300), abandons=st.integers(0, 12), idle=st.integers(0, 9), ringing=st.integers(0, 30),
    waiting=st.integers(0, 3), per_agent=st.floats(0.0, 5.0), most=st.floats(1.0, 20.0), budget=st.floats(-5.0, 5.0),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_it_never_goes_beyond_what_it_was_told(
    answers: int, abandons: int, idle: int, ringing: int, waiting: int, per_agent: float, most: float, budget: float
) -> None:
    policy = Power()
    policy.restore(json.loads(json.dumps(with_budget(answers, abandons).snapshot())))
    pace = paced(
        policy, idle=idle, ringing_s=[5.0] * ringing, waiting=waiting, budget_left=budget,
        lines_per_idle_agent=per_agent, max_lines_per_idle_agent=most,
    )  # fmt: skip
    free = max(0, idle - waiting)
    assert pace.lines == 0 or ringing + pace.lines <= min(per_agent, most) * free + 1e-6
    if min(budget, 0.03 * answers - abandons) < 1.0 and pace.lines:
        assert ringing + pace.lines <= free
