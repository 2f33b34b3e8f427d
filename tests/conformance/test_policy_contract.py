"""What holds of every pacing policy, those of other dialers included, whatever happens: bounds, determinism, snapshots
that lose nothing, and views that cannot be true."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacing.peers.names import PEER_IDS
from pacing.policy import Pace, Policy
from pacing.progressive import progressive_lines
from pacing.registry import POLICY_IDS, make_policy
from pacing.view import SEGMENTS, InconsistentView, PacingView

START = 1_900_000_000.0
AGENTLESS = "agentless-v1"
GUARDED = ("power-v1", "priced-v1")  # by the abandon budget
# Of our own policies; those of other dialers have bounds of their own.
MOST_LINES: dict[str, Callable[[PacingView], float]] = {
    "agentless-v1": lambda view: max(0, view.capacity - len(view.ringing_since) - view.talking - view.waiting),
    "on-request-v1": progressive_lines,
    "power-v1": lambda view: max(view.lines_per_idle_agent, 1.0) * view.idle,
    "priced-v1": lambda view: view.max_lines_per_idle_agent * (view.idle + len(view.handling_since)),
    "progressive-v1": progressive_lines,
}
EVERY_POLICY = pytest.mark.parametrize("policy_id", (*POLICY_IDS, *PEER_IDS))


@dataclass
class Floor:
    """A policy at work: its clock, its chance, and all that it answered."""

    policy: Policy
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    now: float = START
    paces: list[Pace] = field(default_factory=list)


Step = Callable[[Floor], None]
_probability = st.floats(0.0, 1.0)
_elapsed_s = st.lists(st.floats(0.0, 5000.0), max_size=8)
_segment = st.integers(0, SEGMENTS - 1)


def _rows(draw: st.DrawFn, count: int, values: st.SearchStrategy[Any]) -> np.ndarray:
    """A column for so many rows, or none at all."""
    given = draw(st.booleans())
    return np.array(draw(st.lists(values, min_size=count, max_size=count)) if given else [], dtype=np.float64)


@st.composite
def _looks(draw: st.DrawFn) -> Step:
    handling_s, ringing_s = draw(_elapsed_s), draw(_elapsed_s)
    busy, lines, idle = len(handling_s), len(ringing_s), draw(st.integers(0, 6))
    leaves_in_s = _rows(draw, busy, st.sampled_from([-1e9, 5.0, 60.0, inf]))
    rang = _rows(draw, lines, st.integers(0, 2))  # at its launch, now, not yet
    later_s = draw(st.sampled_from([0.0, 0.1, 3.0, 120.0, 20_000.0]))
    plain: dict[str, Any] = {
        "idle": idle,
        "waiting": draw(st.integers(0, 3)),
        "talking": draw(st.integers(0, busy)),
        "requested": draw(st.integers(0, 3)),
        "handling_segment": _rows(draw, busy, _segment),
        "line_segment": _rows(draw, lines, _segment),
        "answer_probability": np.array(draw(st.lists(_probability, min_size=lines, max_size=lines)), dtype=np.float64),
        "launched": draw(st.sampled_from([-1, lines, lines + 1000])),
        "next_answer_probability": draw(_probability),
        "next_segment": draw(_segment),
        "target_abandon_rate": draw(st.sampled_from([0.0, 0.01, 0.03, 0.05])),
        "max_lines_per_idle_agent": draw(st.floats(1.0, 20.0)),
        "lines_per_idle_agent": draw(st.floats(1.0, 5.0)),
        "calls_per_hour": draw(st.sampled_from([0.0, 100.0, 20_000.0, inf])),
        "capacity": draw(st.integers(0, 30)),
        "budget_left": draw(st.sampled_from([-2.0, 0.5, 3.0, inf])),
        "hang_up_after_ring_s": draw(st.sampled_from([15.0, inf])),
    }
    idle_leave_in_s = np.array(draw(st.lists(st.sampled_from([0.0, 9.0, 300.0]), max_size=idle)), dtype=np.float64)

    def look(floor: Floor) -> None:
        floor.now += later_s
        ringing_since = floor.now - np.array(ringing_s)
        view = PacingView(
            now=floor.now,
            handling_since=floor.now - np.array(handling_s),
            ringing_since=ringing_since,
            leaves_at=floor.now + leaves_in_s,
            idle_leaves_at=floor.now + idle_leave_in_s,
            rung_since=np.choose(rang.astype(int), [ringing_since, floor.now, inf]) if len(rang) else rang,
            **plain,
        )
        floor.paces.append(_decide(floor, view))

    return look


def _decide(floor: Floor, view: PacingView) -> Pace:
    """Decide, and check the answer against the contract and the view against writing."""
    before = msgspec.structs.asdict(view)
    kept = {name: np.copy(value) for name, value in before.items() if isinstance(value, np.ndarray)}
    pace = floor.policy.lines(view, floor.rng)
    assert all(np.array_equal(before[name], values) for name, values in kept.items()), "a policy only reads"
    assert isinstance(pace.lines, int) and pace.lines >= 0 and pace.guard
    assert all(isfinite(value) for value in pace.figures.values()), "the journal has no infinities"
    assert len(set(pace.hang_up)) == len(pace.hang_up)
    assert all(0 <= row < len(view.ringing_since) for row in pace.hang_up)
    assert not pace.hang_up or len(view.rung_since), "nothing is hung up before it is known to have rung"
    assert all(view.rung_since[row] <= view.now - view.hang_up_after_ring_s for row in pace.hang_up)
    _check_lines(floor.policy.policy_id, view, pace)
    return pace


def _check_lines(policy_id: str, view: PacingView, pace: Pace) -> None:
    """Check the bounds that hold on this floor, whatever was learned."""
    supply = view.idle + len(view.handling_since)
    if policy_id in MOST_LINES:
        assert pace.lines <= MOST_LINES[policy_id](view) + 1e-9
    if policy_id == AGENTLESS:
        return
    if not supply:
        assert pace.lines == 0
    if policy_id in MOST_LINES:  # ours: the other dialers know of no budget, and of no such guard
        assert supply or pace.guard == "no_agents"
        assert view.budget_left >= 1.0 or pace.lines <= progressive_lines(view)


@st.composite
def _lessons(draw: st.DrawFn) -> Step:
    kind = draw(st.sampled_from(["answered", "not_answered", "handled", "abandoned", "lost"]))
    times, after_s, segment = draw(st.integers(1, 40)), draw(st.floats(0.0, 2000.0)), draw(_segment)
    outcome = {"after_s": after_s, "probability": draw(_probability), "segment": segment}
    rang_after_s = draw(st.sampled_from([0.0, after_s / 2.0, inf]))

    def learn(floor: Floor) -> None:
        for _ in range(times):
            if kind == "handled":
                floor.policy.handled(handle_s=after_s, segment=segment)
            elif kind == "abandoned":
                floor.policy.abandoned()
            elif kind == "lost":
                floor.policy.lost(answers=outcome["probability"])
            else:
                getattr(floor.policy, kind)(**outcome, rang_after_s=rang_after_s)

    return learn


STEPS = st.lists(st.one_of(_looks(), _lessons()), max_size=12)


def _play(floor: Floor, steps: list[Step]) -> list[Pace]:
    for step in steps:
        step(floor)
    return floor.paces


def _restored(floor: Floor) -> Floor:
    """As a restart finds it: the snapshot travels as JSON, chance and clock go on."""
    twin = Floor(make_policy(floor.policy.policy_id), now=floor.now)
    twin.policy.restore(json.loads(json.dumps(floor.policy.snapshot(), allow_nan=False)))
    twin.rng.bit_generator.state = floor.rng.bit_generator.state
    return twin


@EVERY_POLICY
@given(first=STEPS, then=STEPS)
@settings(max_examples=40, deadline=None)
def test_a_snapshot_through_json_gives_equal_later_behaviour(
    policy_id: str, first: list[Step], then: list[Step]
) -> None:
    floor = Floor(make_policy(policy_id))
    _play(floor, first)
    twin = _restored(floor)
    assert twin.policy.snapshot() == floor.policy.snapshot()
    floor.paces.clear()
    assert _play(floor, then) == _play(twin, then)
    assert twin.policy.snapshot() == floor.policy.snapshot()


@EVERY_POLICY
@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
def test_equal_histories_give_equal_answers_and_snapshots_change_nothing(policy_id: str, steps: list[Step]) -> None:
    plain, snapped = Floor(make_policy(policy_id)), Floor(make_policy(policy_id))
    _play(plain, steps)
    for step in steps:
        snapped.policy.snapshot()
        step(snapped)
    assert snapped.paces == plain.paces


# A view that is right, and ways to spoil it: negative counts, shapes, what is no probability, times that cannot be.
RIGHT: dict[str, Any] = {
    "now": START,
    "idle": 3,
    "handling_since": np.array([START - 90.0, START - 30.0]),
    "handling_segment": np.array([0.0, 1.0]),
    "leaves_at": np.array([inf, inf]),
    "ringing_since": np.array([START - 9.0, START - 2.0]),
    "answer_probability": np.array([0.3, 0.3]),
    "rung_since": np.array([START - 5.0, inf]),
    "line_segment": np.array([0.0, 1.0]),
    "launched": 7,
    "waiting": 1,
    "next_answer_probability": 0.3,
    "target_abandon_rate": 0.03,
    "max_lines_per_idle_agent": 8.0,
    "capacity": 40,
}
SPOILT: list[tuple[str, Any]] = [
    ("idle", -1),
    ("waiting", -1),
    ("talking", -1),
    ("requested", -1),
    ("launched", 1),
    ("capacity", -1),
    ("now", START - 60.0),
    ("now", nan),
    ("handling_since", np.array([START - 90.0, START + 1.0])),
    ("handling_since", np.array([START - 90.0, nan])),
    ("handling_segment", np.array([0.0, 8.0])),
    ("handling_segment", np.array([0.0])),
    ("leaves_at", np.array([inf])),
    ("ringing_since", np.array([START - 9.0, START + 1.0])),
    ("ringing_since", np.array([START - 9.0])),
    ("answer_probability", np.array([0.3, 1.1])),
    ("answer_probability", np.array([-0.1, 0.3])),
    ("answer_probability", np.array([nan, 0.3])),
    ("answer_probability", np.array([0.3])),
    ("rung_since", np.array([inf])),
    ("rung_since", np.array([START + 1.0, inf])),
    ("rung_since", np.array([START - 10.0, inf])),
    ("line_segment", np.array([-1.0, 0.0])),
    ("next_answer_probability", 1.01),
    ("next_answer_probability", nan),
    ("next_segment", SEGMENTS),
    ("target_abandon_rate", -0.01),
    ("max_lines_per_idle_agent", nan),
    ("lines_per_idle_agent", -1.0),
    ("calls_per_hour", nan),
    ("budget_left", nan),
]


@EVERY_POLICY
@pytest.mark.parametrize(("name", "value"), SPOILT, ids=[f"{name}-{place}" for place, (name, _) in enumerate(SPOILT)])
def test_a_view_that_cannot_be_true_raises_and_teaches_nothing(policy_id: str, name: str, value: Any) -> None:
    right = PacingView(**RIGHT)
    floor = Floor(make_policy(policy_id))
    for _ in range(60):
        floor.policy.answered(after_s=8.0, probability=0.3)
        floor.policy.handled(handle_s=100.0)
    _decide(floor, right)
    floor.policy.handled(handle_s=50.0)  # whatever is worked out anew at the next decision is due
    twin, before = _restored(floor), floor.policy.snapshot()
    with pytest.raises(InconsistentView, match="expected"):
        floor.policy.lines(msgspec.structs.replace(right, **{name: value}), floor.rng)
    assert floor.policy.snapshot() == before
    assert _decide(floor, right) == _decide(twin, right)


@pytest.mark.parametrize("policy_id", GUARDED)
@given(
    answers=st.integers(0, 400), abandons=st.integers(0, 20), budget=st.sampled_from([-1.0, 0.99, inf]),
    idle=st.integers(0, 8), ringing=st.integers(0, 10),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_below_one_abandon_left_nothing_but_one_line_per_idle_agent(
    policy_id: str, answers: int, abandons: int, budget: float, idle: int, ringing: int
) -> None:
    policy = make_policy(policy_id)
    for _ in range(answers):
        policy.answered(after_s=8.0, probability=0.3)
    for _ in range(abandons):
        policy.abandoned()
    view = PacingView(
        now=START,
        idle=idle,
        handling_since=START - np.linspace(10.0, 300.0, 9),
        ringing_since=START - np.linspace(0.0, 20.0, ringing),
        answer_probability=np.full(ringing, 0.3),
        waiting=0,
        next_answer_probability=0.02,
        lines_per_idle_agent=5.0,
        max_lines_per_idle_agent=20.0,
        target_abandon_rate=0.03,
        budget_left=budget,
    )
    pace = policy.lines(view, np.random.default_rng(0))
    if min(budget, 0.03 * answers - abandons) < 1.0 - 1e-9:
        assert pace.lines == max(0, idle - ringing)
    assert pace.lines >= max(0, idle - ringing)


@EVERY_POLICY
def test_another_policy_s_snapshot_is_refused(policy_id: str) -> None:
    with pytest.raises(ValueError, match="expected a snapshot of"):
        make_policy(policy_id).restore({"policy": "other-v1"})
