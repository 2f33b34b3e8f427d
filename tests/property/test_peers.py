"""What holds for every peer whatever happens: bounds, determinism, snapshots, and constants that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacing.peers.compiled import new_peer, peer_constants, peer_lines
from pacing.peers.names import PEER_IDS, UnknownPeer
from pacing.peers.policy import Peer
from pacing.peers.tuning import TUNABLES, settings_of
from pacing.policy import Policy
from pacing.registry import POLICY_IDS, make_policy
from pacing.view import InconsistentView, PacingView

Step = Callable[[Policy, list[float]], int | None]


def view_at(now: float, *, idle: int, handling_s: list[float], ringing_s: list[float], waiting: int) -> PacingView:
    return PacingView(
        now=now,
        idle=idle,
        handling_since=now - np.array(handling_s),
        talking=len(handling_s) // 2,
        ringing_since=now - np.array(ringing_s),
        answer_probability=np.full(len(ringing_s), 0.3),
        waiting=waiting,
        next_answer_probability=0.3,
        target_abandon_rate=0.03,
        max_lines_per_idle_agent=8.0,
    )


@st.composite
def looks(draw: st.DrawFn) -> Step:
    handling_s = draw(st.lists(st.floats(0.0, 900.0), max_size=12))
    ringing_s = draw(st.lists(st.floats(0.0, 60.0), max_size=12))
    idle, waiting = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    later_s = draw(st.sampled_from([0.0, 0.25, 1.0, 20.0, 70.0, 1000.0, 60_000.0]))

    def step(policy: Policy, clock: list[float]) -> int:
        clock[0] += later_s
        view = view_at(clock[0], idle=idle, handling_s=handling_s, ringing_s=ringing_s, waiting=waiting)
        lines = policy.lines(view, np.random.default_rng(0)).lines
        assert lines >= 0
        assert lines == 0 or idle or handling_s
        return lines

    return step


@st.composite
def lessons(draw: st.DrawFn) -> Step:
    kind, times = (
        draw(st.sampled_from(["answered", "not_answered", "handled", "abandoned", "lost"])),
        draw(st.integers(1, 60)),
    )
    seconds = draw(st.floats(0.0, 400.0))

    def step(policy: Policy, clock: list[float]) -> None:
        for _ in range(times):
            if kind == "handled":
                policy.handled(handle_s=seconds)
            elif kind == "lost":
                policy.lost(answers=0.5)
            elif kind == "abandoned":
                policy.abandoned()
            else:
                getattr(policy, kind)(after_s=seconds, probability=0.3)

    return step


steps = st.lists(st.one_of(looks(), lessons()), max_size=12)


@pytest.mark.parametrize("peer_id", PEER_IDS)
@given(first=steps, then=steps)
@settings(max_examples=25, deadline=None)
def test_a_snapshot_through_json_gives_equal_later_lines(peer_id: str, first: list[Step], then: list[Step]) -> None:
    clock, peer = [1.9e9], make_policy(peer_id)
    for step in first:
        step(peer, clock)
    state = json.loads(json.dumps(peer.snapshot(), allow_nan=False))
    twin = Peer(peer_id)
    twin.restore(state)
    twin_clock = list(clock)
    assert [step(peer, clock) for step in then] == [step(twin, twin_clock) for step in then]
    assert twin.snapshot() == peer.snapshot()


@pytest.mark.parametrize("peer_id", PEER_IDS)
def test_no_agents_no_lines(peer_id: str) -> None:
    state, nothing = new_peer(peer_id), np.zeros(0)
    assert [peer_lines(state, 0.5 * k, 0, 0, 0, 0, nothing, nothing) for k in range(100)] == [0] * 100


@pytest.mark.parametrize("peer_id", PEER_IDS)
def test_an_idle_floor_is_dialled_for(peer_id: str) -> None:
    state, nothing = new_peer(peer_id), np.zeros(0)
    assert peer_lines(state, 0.0, 10, 0, 0, 10, nothing, nothing) >= 10


@pytest.mark.parametrize("peer_id", PEER_IDS)
def test_every_setting_to_tune_with_is_one_that_the_law_takes(peer_id: str) -> None:
    found = list(settings_of(peer_id))
    assert len(found) > 5
    for constants in found:
        state = new_peer(peer_id, constants)
        assert state["law"][0] >= 0
    names = {constant.name for constant in peer_constants(peer_id)}
    assert TUNABLES[peer_id].keys() <= names


@pytest.mark.parametrize("peer_id", PEER_IDS)
def test_defaults_are_within_their_bounds_and_have_a_source(peer_id: str) -> None:
    for constant in peer_constants(peer_id):
        assert constant.least <= constant.default <= constant.most
        assert constant.unit
        assert constant.source


@pytest.mark.parametrize(
    ("constants", "fault"),
    [
        ({"levle": 2.0}, "expected constants of level, .*, was 'levle'"),
        ({"level": -1.0}, r"expected level in \[0, 20\] lines per agent, was -1"),
        ({"level": float("nan")}, "was nan"),
    ],
)
def test_constants_that_are_none_are_refused(constants: dict[str, float], fault: str) -> None:
    with pytest.raises(UnknownPeer, match=fault):
        new_peer("vicidial-ratio", constants)


def test_an_unknown_peer_is_refused() -> None:
    with pytest.raises(UnknownPeer, match=r"expected a peer of vicidial-ratio, .*, was 'priced-v1'"):
        new_peer("priced-v1")


def test_no_campaign_can_choose_a_peer() -> None:
    assert not set(PEER_IDS) & set(POLICY_IDS)


def test_a_clock_that_runs_back_is_refused_and_nothing_is_learned() -> None:
    peer = Peer("vicidial-average")
    peer.lines(view_at(1000.0, idle=1, handling_s=[], ringing_s=[], waiting=0), np.random.default_rng(0))
    state = peer.snapshot()
    with pytest.raises(InconsistentView, match=r"expected a time from 1000\.0 on, was 999\.0"):
        peer.lines(view_at(999.0, idle=1, handling_s=[], ringing_s=[], waiting=0), np.random.default_rng(0))
    assert peer.snapshot() == state


def test_a_snapshot_of_another_policy_or_another_make_is_refused() -> None:
    peer = Peer("idle-ratio")
    with pytest.raises(ValueError, match="expected a snapshot of idle-ratio, was of 'erlang-b'"):
        peer.restore({"policy": "erlang-b"})
    with pytest.raises(ValueError, match="expected a snapshot of law"):
        peer.restore({"policy": "idle-ratio", "state": {"law": 6}})
