"""What holds for every policy whatever happens: bounds, determinism, and a snapshot that loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacing.policy import Pace, Policy
from pacing.registry import POLICY_IDS, make_policy
from pacing.view import PacingView

Step = Callable[[Policy, np.random.Generator, list[float]], Pace | None]

_probability = st.floats(0.0, 1.0)
_elapsed_s = st.lists(st.floats(0.0, 5000.0), max_size=8)


@st.composite
def _looks(draw: st.DrawFn) -> Step:
    handling_s, ringing_s = draw(_elapsed_s), draw(_elapsed_s)
    p = draw(st.lists(_probability, min_size=len(ringing_s), max_size=len(ringing_s)))
    later_s = draw(st.sampled_from([0.0, 0.1, 3.0, 120.0, 20_000.0]))
    scalars = {
        "idle": draw(st.integers(0, 6)),
        "waiting": draw(st.integers(0, 3)),
        "leaving": draw(st.integers(0, len(handling_s))),
        "next_answer_probability": draw(_probability),
        "max_lines_per_idle_agent": draw(st.floats(1.0, 20.0)),
        "target_abandon_rate": draw(st.sampled_from([0.0, 0.01, 0.03, 0.05])),
    }

    def look(policy: Policy, rng: np.random.Generator, clock: list[float]) -> Pace:
        clock[0] += later_s
        view = PacingView(
            now=clock[0],
            handling_since=clock[0] - np.array(handling_s),
            ringing_since=clock[0] - np.array(ringing_s),
            answer_probability=np.array(p),
            **scalars,  # type: ignore[arg-type]
        )
        pace = policy.lines(view, rng)
        supply = view.idle + len(handling_s)
        assert 0 <= pace.lines <= view.max_lines_per_idle_agent * supply
        if supply == 0:
            assert (pace.lines, pace.guard) == (0, "no_agents")
        return pace

    return look


@st.composite
def _lessons(draw: st.DrawFn) -> Step:
    kind, times = draw(st.sampled_from(["answered", "not_answered", "handled", "abandoned"])), draw(st.integers(1, 40))
    after_s, probability = draw(st.floats(0.0, 2000.0)), draw(_probability)

    def learn(policy: Policy, rng: np.random.Generator, clock: list[float]) -> None:
        for _ in range(times):
            if kind == "handled":
                policy.handled(handle_s=after_s)
            elif kind == "abandoned":
                policy.abandoned()
            else:
                getattr(policy, kind)(after_s=after_s, probability=probability)

    return learn


steps = st.lists(st.one_of(_looks(), _lessons()), max_size=12)


def _play(policy: Policy, played: list[Step], rng: np.random.Generator, clock: list[float]) -> list[Pace | None]:
    return [step(policy, rng, clock) for step in played]


@pytest.mark.parametrize("policy_id", POLICY_IDS)
@given(first=steps, then=steps)
@settings(max_examples=60, deadline=None)
def test_a_snapshot_through_json_gives_equal_later_behaviour(
    policy_id: str, first: list[Step], then: list[Step]
) -> None:
    rng, clock, policy = np.random.default_rng(1), [1.9e9], make_policy(policy_id)
    _play(policy, first, rng, clock)
    state = policy.snapshot()
    restored = make_policy(policy_id)
    restored.restore(json.loads(json.dumps(state, allow_nan=False)))
    assert restored.snapshot() == state
    rng_twin = np.random.default_rng()
    rng_twin.bit_generator.state = rng.bit_generator.state
    assert _play(policy, then, rng, list(clock)) == _play(restored, then, rng_twin, list(clock))
    assert policy.snapshot() == restored.snapshot()


@pytest.mark.parametrize("policy_id", POLICY_IDS)
@given(played=steps)
@settings(max_examples=40, deadline=None)
def test_equal_histories_give_equal_answers_and_snapshots_change_nothing(policy_id: str, played: list[Step]) -> None:
    plain, snapped = make_policy(policy_id), make_policy(policy_id)
    expected = _play(plain, played, np.random.default_rng(2), [1.9e9])
    rng, clock, found = np.random.default_rng(2), [1.9e9], []
    for step in played:
        snapped.snapshot()
        found.append(step(snapped, rng, clock))
    assert found == expected


@given(answers=st.integers(0, 400), abandons=st.integers(0, 20), idle=st.integers(0, 8), ringing=st.integers(0, 10))
@settings(max_examples=80, deadline=None)
def test_below_one_abandon_left_nothing_but_one_line_per_idle_agent(
    answers: int, abandons: int, idle: int, ringing: int
) -> None:
    policy = make_policy("priced-v1")
    for _ in range(answers):
        policy.answered(after_s=8.0, probability=0.3)
    for _ in range(abandons):
        policy.abandoned()
    view = PacingView(
        now=1.9e9,
        idle=idle,
        handling_since=1.9e9 - np.linspace(10.0, 300.0, 9),
        leaving=0,
        ringing_since=1.9e9 - np.linspace(0.0, 20.0, ringing),
        answer_probability=np.full(ringing, 0.3),
        waiting=0,
        next_answer_probability=0.02,
        max_lines_per_idle_agent=20.0,
        target_abandon_rate=0.03,
    )
    pace = policy.lines(view, np.random.default_rng(0))
    if 0.03 * answers - abandons < 1.0 - 1e-9:
        assert pace.lines == max(0, idle - ringing)
    assert pace.lines >= max(0, idle - ringing)
