"""`priced-v1` as the engine holds it: what it refuses, what a refusal leaves, and what a snapshot keeps."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW, make_view

from pacing.policy import Pace
from pacing.priced import Priced
from pacing.view import SEGMENTS, InconsistentView, PacingView


def _learn(policy: Priced, rng: np.random.Generator, lessons: int) -> None:
    for _ in range(lessons):
        segment, rang_s, p = int(rng.integers(0, 3)), float(rng.choice([2.0, inf])), float(rng.random())
        policy.answered(after_s=3.0 + rng.gamma(2.0, 4.0), probability=p, rang_after_s=rang_s, segment=segment)
        policy.not_answered(after_s=rng.uniform(0.0, 40.0), probability=p, rang_after_s=rang_s, segment=segment)
        policy.handled(handle_s=rng.lognormal(4.7, 0.83), segment=segment)
        if rng.random() < 0.02:
            policy.abandoned()
            policy.lost(answers=0.3)


def _decide(policy: Priced, rng: np.random.Generator, at: float) -> Pace:
    """Return the decision on a floor of its own at that time."""
    busy, ringing = int(rng.integers(0, 12)), int(rng.integers(0, 12))
    view = make_view(
        now=at,
        idle=int(rng.integers(0, 5)),
        handling_s=rng.exponential(150.0, busy),
        handling_segment=rng.integers(0, SEGMENTS, busy).astype(float),
        ringing_s=rng.uniform(10.0, 30.0, ringing),
        rung_since=at - rng.uniform(0.0, 9.0, ringing),
        line_segment=rng.integers(0, SEGMENTS, ringing).astype(float),
        hang_up_after_ring_s=5.0,
    )
    return policy.lines(view, rng)


def _same(one: Priced, other: Priced) -> bool:
    """Whether all that they know is equal, byte by byte."""
    return one.state.tobytes() == other.state.tobytes()


# ---- refusals ----------------------------------------------------------------------------------------------------
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "negative idle": ({"idle": -1}, "counts"),
    "negative waiting": ({"waiting": -1}, "counts"),
    "more leaving than idle": ({"idle_leaves_at": np.array([NOW, NOW])}, "idle agents to leave"),
    "next probability above 1": ({"next_answer_probability": 1.01}, "next_answer_probability"),
    "next probability NaN": ({"next_answer_probability": nan}, "next_answer_probability"),
    "negative target": ({"target_abandon_rate": -0.01}, "target_abandon_rate"),
    "bound NaN": ({"max_lines_per_idle_agent": nan}, "max_lines_per_idle_agent"),
    "time NaN": ({"now": nan}, "time"),
    "time infinite": ({"now": inf}, "time"),
    "budget NaN": ({"budget_left": nan}, "budget_left"),
    "call in the future": ({"handling_s": [-1.0]}, "handling_since"),
    "call NaN": ({"handling_s": [5.0, nan]}, "handling_since"),
    "line in the future": ({"ringing_s": [-0.001]}, "ringing_since"),
    "line NaN": ({"ringing_s": [nan]}, "ringing_since"),
    "rang in the future": ({"ringing_s": [5.0], "rung_since": np.array([NOW + 1.0])}, "rung_since"),
    "rang before its launch": ({"ringing_s": [5.0], "rung_since": np.array([NOW - 6.0])}, "rung_since"),
    "rang NaN": ({"ringing_s": [5.0], "rung_since": np.array([nan])}, "rung_since"),
    "probability above 1": ({"ringing_s": [1.0], "probability": 1.5}, "answer_probability"),
    "probability NaN": ({"ringing_s": [1.0, 2.0], "probability": [0.3, nan]}, "answer_probability"),
    "too many probabilities": ({"ringing_s": [1.0], "probability": [0.3, 0.3]}, "one probability a line"),
    "segment too high": ({"handling_s": [5.0], "handling_segment": np.array([float(SEGMENTS)])}, "segment"),
    "segment negative": ({"ringing_s": [5.0], "line_segment": np.array([-1.0])}, "segment"),
    "segment NaN": ({"ringing_s": [5.0], "line_segment": np.array([nan])}, "segment"),
    "leave NaN": ({"handling_s": [5.0], "leaves_at": np.array([nan])}, "leav"),
    "idle leave NaN": ({"idle_leaves_at": np.array([nan])}, "leav"),
    "time running back": ({"now": NOW - 60.5}, "time"),
}


@pytest.mark.parametrize("lessons", [0, 100])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_view_that_cannot_be_true_is_refused_and_leaves_no_mark(fault: str, lessons: int) -> None:
    policy = Priced()
    policy.lines(make_view(now=NOW - 60.0), np.random.default_rng(0))
    _learn(policy, np.random.default_rng(1), lessons)
    before, (wrong, named) = policy.state.copy(), FAULTS[fault]
    with pytest.raises(InconsistentView, match=f"expected.*{named}"):
        policy.lines(make_view(**wrong), np.random.default_rng(0))
    assert policy.state.tobytes() == before.tobytes()


def test_time_may_stand_still() -> None:
    policy = Priced()
    for _ in range(2):
        policy.lines(make_view(), np.random.default_rng(0))
    with pytest.raises(InconsistentView, match="expected"):
        policy.lines(make_view(now=NOW - 0.5), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("told", "lesson"),
    [
        ("answered", {"after_s": -0.1, "probability": 0.3}),
        ("answered", {"after_s": nan, "probability": 0.3}),
        ("answered", {"after_s": inf, "probability": 0.3}),
        ("answered", {"after_s": 1.0, "probability": 1.1}),
        ("not_answered", {"after_s": 1.0, "probability": nan}),
        ("not_answered", {"after_s": 1.0, "probability": 0.3, "rang_after_s": -1.0}),
        ("not_answered", {"after_s": 1.0, "probability": 0.3, "rang_after_s": nan}),
        ("not_answered", {"after_s": 1.0, "probability": 0.3, "segment": SEGMENTS}),
        ("answered", {"after_s": 1.0, "probability": 0.3, "segment": -1}),
        ("handled", {"handle_s": -1.0}),
        ("handled", {"handle_s": nan}),
        ("handled", {"handle_s": inf}),
        ("handled", {"handle_s": 1.0, "segment": SEGMENTS}),
        ("lost", {"answers": -1.0}),
        ("lost", {"answers": inf}),
        ("lost", {"answers": nan}),
    ],
)
def test_a_lesson_that_cannot_be_is_refused_and_leaves_no_mark(told: str, lesson: dict[str, Any]) -> None:
    policy = Priced()
    before = policy.state.copy()
    with pytest.raises(ValueError, match="expected"):
        getattr(policy, told)(**lesson)
    assert policy.state.tobytes() == before.tobytes()


# ---- determinism and memory --------------------------------------------------------------------------------------
def test_a_new_draw_is_taken_at_each_launch_alone() -> None:
    policy, rng, twin = Priced(), np.random.default_rng(5), np.random.default_rng(5)
    assert policy.lines(make_view(idle=0), rng).lines == 0
    assert policy.state["draw"][0] == 0.5  # an undithered threshold
    assert policy.lines(make_view(idle=1), rng).lines == 1
    assert policy.state["draw"][0] == twin.random()
    assert rng.random() == twin.random()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 40), lessons=st.sampled_from([0, 2, 30]))
def test_a_snapshot_through_json_knows_all(seed: int, steps: int, lessons: int) -> None:
    """After the same further events and decisions both know the same, byte by byte."""
    rng, policy = np.random.default_rng(seed), Priced()
    for step in range(steps):
        _learn(policy, rng, lessons)
        _decide(policy, rng, NOW + step)
    restored = Priced()
    restored.answered(after_s=3.0, probability=0.9)  # of which nothing may be left
    restored.restore(json.loads(json.dumps(policy.snapshot(), allow_nan=False)))
    assert restored.snapshot() == policy.snapshot()
    twin = np.random.default_rng()
    twin.bit_generator.state = rng.bit_generator.state
    for step in range(8):
        paces = []
        for each, draws in ((policy, rng), (restored, twin)):
            _learn(each, draws, lessons)
            paces.append(_decide(each, draws, NOW + steps + step))
        assert paces[0] == paces[1]
    assert _same(policy, restored)


def test_equal_histories_know_the_same() -> None:
    both = Priced(), Priced()
    for policy in both:
        rng = np.random.default_rng(3)
        for step in range(20):
            _learn(policy, rng, 20)
            _decide(policy, rng, NOW + 5000.0 * step)
            assert policy is both[0] or policy.snapshot()  # to look changes nothing
    assert _same(*both)


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "other-v1"},
        {"tables": "eJwDAAAAAAE="},  # nothing, packed
        {"tables": "no base64!"},
        {"tables": None},
        {"allowance": "much"},
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    policy = Priced()
    _learn(policy, np.random.default_rng(2), 50)
    before = policy.snapshot()
    with pytest.raises(ValueError, match="expected"):
        policy.restore(Priced().snapshot() | wrong)
    assert policy.snapshot() == before


def test_a_snapshot_of_an_older_shape_is_refused() -> None:
    kept = Priced().snapshot()
    del kept["price_offset"]
    with pytest.raises(ValueError, match="expected a snapshot of this version"):
        Priced().restore(kept)


def test_a_snapshot_stays_small() -> None:
    policy = Priced()
    _learn(policy, np.random.default_rng(2), 3000)
    _decide(policy, np.random.default_rng(2), NOW)
    assert len(json.dumps(policy.snapshot())) < 60_000


def test_many_large_days_leave_every_figure_finite() -> None:
    """Extreme but possible outcomes: certain leads that never answer, calls without end, a flood of abandons."""
    policy, rng = Priced(), np.random.default_rng(4)
    for step in range(30):
        for _ in range(50):
            policy.not_answered(after_s=0.0, probability=1.0, rang_after_s=0.0)
            policy.answered(after_s=1e6, probability=0.0)
            policy.handled(handle_s=0.0 if step % 2 else 1e6)
            policy.abandoned()
        pace = policy.lines(_crowd(NOW + step), rng)
        assert np.isfinite(list(pace.figures.values())).all()
        assert all(np.isfinite(policy.state[name]).all() for name in ("finish", "answer", "alive", "taus"))


def _crowd(now: float) -> PacingView:
    long_s = [0.0, 1.0, 1e3, 1e6, 1e9]
    return make_view(now=now, idle=2, handling_s=long_s, ringing_s=long_s, probability=[0.0, 0.1, 0.5, 0.9, 1.0])
