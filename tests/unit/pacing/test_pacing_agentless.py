"""`agentless-v1`: an even stream, no burst, and never more calls at a time than there is room for."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW, make_view

from pacing.agentless import KEPT_S, Agentless
from pacing.policy import Pace
from pacing.view import InconsistentView


def paced(policy: Agentless, at_s: float = 0.0, **view: Any) -> Pace:
    given = {"idle": 0, "capacity": 10_000, "calls_per_hour": 3600.0}
    return policy.lines(make_view(now=NOW + at_s, **{**given, **view}), np.random.default_rng(0))


def launches(policy: Agentless, times_s: list[float], **view: Any) -> list[int]:
    return [paced(policy, at_s, **view).lines for at_s in times_s]


def test_the_first_call_goes_at_once_and_then_one_a_second() -> None:
    assert launches(Agentless(), [float(s) for s in range(8)]) == [1] * 8
    quarters = [s / 4 for s in range(17)]
    assert launches(Agentless(), quarters) == [1, 0, 0, 0] * 4 + [1]


def test_a_slow_stream_is_even() -> None:
    policy = Agentless()
    went = [second for second in range(3600) if paced(policy, float(second), calls_per_hour=45.0).lines]
    assert [later - earlier for earlier, later in pairwise(went)] == [80] * 44


def test_a_pause_is_not_made_up_for() -> None:
    policy = Agentless()
    paced(policy, calls_per_hour=36_000.0)
    assert paced(policy, 3600.0, calls_per_hour=36_000.0).lines == 1 + 10 * KEPT_S
    assert paced(policy, 3600.25, calls_per_hour=36_000.0).lines == 2


def test_a_new_rate_is_in_force_at_the_next_decision() -> None:
    policy = Agentless()
    assert launches(policy, [0.0, 1.0, 2.0]) == [1, 1, 1]
    assert paced(policy, 3.0, calls_per_hour=7200.0).lines == 2
    assert paced(policy, 4.0, calls_per_hour=0.0).lines == 0


@pytest.mark.parametrize(("talking", "waiting", "ringing", "lines"), [(0, 0, 0, 12), (5, 1, 4, 2), (9, 0, 9, 0)])
def test_without_a_rate_it_fills_the_room(talking: int, waiting: int, ringing: int, lines: int) -> None:
    room = {"capacity": 12, "talking": talking, "waiting": waiting, "ringing_s": [5.0] * ringing}
    pace = paced(Agentless(), calls_per_hour=inf, **room)
    assert (pace.lines, pace.guard, pace.figures) == (lines, "capacity", {"room": lines})


def test_the_room_bounds_a_stream_as_well() -> None:
    policy = Agentless()
    paced(policy, calls_per_hour=36_000.0)
    pace = paced(policy, 1.0, calls_per_hour=36_000.0, capacity=7, talking=3)
    assert (pace.lines, pace.guard) == (4, "capacity")
    assert paced(policy, 1.0, calls_per_hour=36_000.0).guard == "none"


def test_time_that_runs_back_earns_nothing() -> None:
    policy = Agentless()
    paced(policy, 5.0)
    before = policy.snapshot()
    with pytest.raises(InconsistentView, match="expected a time from"):
        paced(policy, 4.9)
    assert policy.snapshot() == before


@given(
    gaps_s=st.lists(st.sampled_from([0.0, 0.1, 0.25, 1.0, 1.7, 90.0]), min_size=1, max_size=60),
    calls_per_hour=st.floats(0.0, 200_000.0),
)
@settings(max_examples=150, deadline=None)
def test_no_stretch_of_time_has_more_than_it_earned(gaps_s: list[float], calls_per_hour: float) -> None:
    policy, rate = Agentless(), calls_per_hour / 3600.0
    times_s = np.cumsum(gaps_s).tolist()
    went = launches(policy, times_s, calls_per_hour=calls_per_hour)
    for begin in range(len(went)):
        stretches_s = np.subtract(times_s[begin:], times_s[begin])
        assert np.all(np.cumsum(went[begin:]) <= 1.0 + rate * (KEPT_S + stretches_s) + 1e-6)


@given(gaps_s=st.lists(st.floats(0.05, 1.3), min_size=1, max_size=80), calls_per_hour=st.floats(0.0, 200_000.0))
@settings(max_examples=100, deadline=None)
def test_nothing_that_was_earned_is_lost_while_decisions_come(gaps_s: list[float], calls_per_hour: float) -> None:
    times_s = [0.0, *np.cumsum(gaps_s).tolist()]
    went = sum(launches(Agentless(), times_s, calls_per_hour=calls_per_hour))
    assert went == pytest.approx(1.0 + calls_per_hour / 3600.0 * times_s[-1], abs=1.0 + 1e-6)
