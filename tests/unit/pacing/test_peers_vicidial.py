"""VICIdial's law: the eleven vectors of its level, the paths its brakes take, and what it launches."""

from __future__ import annotations

from typing import Any

import pytest
from peer_looks import look, tell

from pacing.peers.compiled import new_peer
from pacing.peers.vicidial import hhmm_at


def sampled(peer_id: str, *, level: float, ready: int, waiting: int, **constants: float) -> Any:
    """Return a peer of 20 agents that has seen fifteen seconds of the same floor, just before its level is due."""
    state = new_peer(peer_id, {"level": level} | constants)
    for second in range(15):
        look(state, float(second), idle=ready, waiting=waiting, agents=20)
    return state


@pytest.mark.parametrize(
    ("level", "ready", "waiting", "constants", "expected"),
    [
        pytest.param(2.0, 2, 1, {}, 2.1, id="V1"),
        pytest.param(2.0, 0, 3, {}, 1.7, id="V2"),
        pytest.param(2.0, 4, 0, {"intensity": 20.0}, 2.48, id="V3"),
        pytest.param(2.0, 0, 4, {"intensity": 20.0}, 1.68, id="V4"),
        pytest.param(2.0, 1, 0, {"diff_target": -1.0}, 2.0, id="V5"),
        pytest.param(2.9, 10, 0, {}, 3.0, id="V6"),
        pytest.param(1.1, 0, 10, {}, 1.0, id="never below one"),
    ],
)
def test_the_level_follows_idle_agents_and_waiting_calls(
    level: float, ready: int, waiting: int, constants: dict[str, float], expected: float
) -> None:
    state = sampled("vicidial-average", level=level, ready=ready, waiting=waiting, **constants)
    assert state["vicidial"]["level"][0] == level
    look(state, 15.0, idle=ready, waiting=waiting, agents=20)
    assert state["vicidial"]["level"][0] == pytest.approx(expected, abs=1e-12)


def over_the_limit(peer_id: str, *, level: float, ready: int, steps: int = 1, **constants: float) -> list[float]:
    """Return the levels after each step once 3.4 % of 500 answers were dropped, from 60 s after opening on."""
    state = new_peer(peer_id, constants)
    look(state, 0.0, idle=ready, agents=20)
    tell(state, answered=500, abandoned=17)
    for second in range(1, 60):
        look(state, float(second), idle=ready, agents=20)
    state["vicidial"]["level"] = level
    levels = []
    for second in range(60, 60 + 15 * steps):
        look(state, float(second), idle=ready, agents=20)
        if second % 15 == 0:
            levels.append(float(state["vicidial"]["level"][0]))
    return levels


@pytest.mark.parametrize(
    ("peer_id", "opens_hhmm", "expected"),
    [
        pytest.param("vicidial-hard-limit", 900, 1.0, id="V7"),
        pytest.param("vicidial-average", 900, 1.3125, id="V8"),
        pytest.param("vicidial-tapered", 1629, 1.23375, id="V9 16:30"),
        pytest.param("vicidial-tapered", 1029, 2.625, id="V10 10:30"),
        pytest.param("vicidial-tapered", 2104, 1.0, id="V11 21:05"),
        pytest.param("vicidial-ratio", 900, 2.5, id="RATIO keeps its level"),
    ],
)
def test_drops_of_the_day_brake(peer_id: str, opens_hhmm: float, expected: float) -> None:
    levels = over_the_limit(peer_id, level=2.5, ready=1, opens_hhmm=opens_hhmm)
    assert levels == pytest.approx([expected], abs=1e-12)


@pytest.mark.parametrize(
    ("peer_id", "opens_hhmm", "path"),
    [
        ("vicidial-average", 900, [3.3, 1.815, 1.0, 1.0]),
        ("vicidial-tapered", 1529, [3.762, 2.359, 1.479, 1.0]),
    ],
)
def test_the_brake_compounds_every_fifteen_seconds(peer_id: str, opens_hhmm: float, path: list[float]) -> None:
    found = over_the_limit(peer_id, level=6.0, ready=2, steps=4, opens_hhmm=opens_hhmm, max_level=10.0)
    assert found == pytest.approx(path, abs=2e-3)


def test_from_one_to_three_with_a_quarter_idle_takes_five_steps() -> None:
    state = new_peer("vicidial-average")
    levels = []
    for second in range(76):
        look(state, float(second), idle=5, talking=15, agents=20)
        if second and second % 15 == 0:
            levels.append(float(state["vicidial"]["level"][0]))
    assert levels == pytest.approx([1.25, 1.562, 1.953, 2.441, 3.0], abs=2e-3)


def test_a_bad_minute_halves_the_level() -> None:
    state = new_peer("vicidial-average", {"target_abandon_rate": 1.0})
    look(state, 0.0, agents=20)
    tell(state, answered=21, abandoned=11)
    for second in range(1, 60):
        look(state, float(second), agents=20)
    state["vicidial"]["level"] = 3.0
    look(state, 60.0, agents=20)
    assert state["vicidial"]["level"][0] == 1.5
    for second in range(61, 76):
        look(state, float(second), agents=20)
    assert state["vicidial"]["level"][0] == 1.0  # 0.75: the minute's figures stand until the next minute


def test_drops_count_since_midnight() -> None:
    state = new_peer("vicidial-hard-limit", {"level": 2.0})
    look(state, 0.0, agents=20)
    tell(state, answered=500, abandoned=17)
    morning = 100_000.0  # the night was longer than six hours
    for second in range(76):
        look(state, morning + second, agents=20)
    assert state["vicidial"]["day_calls"][0] == 0.0
    assert state["vicidial"]["level"][0] == 2.0


@pytest.mark.parametrize(
    ("constants", "floor", "expected"),
    [
        ({"level": 2.0}, {"idle": 5, "talking": 10, "ringing": 8}, 12),
        ({"level": 2.0}, {"idle": 0, "talking": 10, "ringing": 3, "waiting": 2}, 5),
        ({"level": 2.0}, {"idle": 0, "talking": 0, "agents": 20}, 0),
        ({"level": 1.5}, {"idle": 1}, 2),
        ({"level": 1.5}, {"idle": 3}, 4),
        ({"level": 1.0}, {"idle": 2, "talking": 3, "ringing": 9}, 0),
        ({"level": 2.0, "available_only": 1.0}, {"idle": 5, "talking": 10, "ringing": 8}, 2),
        ({"level": 2.0, "available_only": 1.0}, {"idle": 0, "talking": 10}, 0),
        ({"level": 2.5, "available_only": 1.0}, {"idle": 1, "talking": 1}, 3),
    ],
)
def test_launches_fill_up_to_the_level(constants: dict[str, float], floor: dict[str, Any], expected: int) -> None:
    assert look(new_peer("vicidial-ratio", constants), 0.0, **floor) == expected


def test_launches_come_every_two_and_a_half_seconds() -> None:
    state = new_peer("vicidial-ratio", {"level": 1.0})
    launched = [k * 0.25 for k in range(41) if look(state, k * 0.25, idle=3)]
    assert launched == [0.0, 2.5, 5.0, 7.5, 10.0]


@pytest.mark.parametrize(
    ("opens", "since_s", "expected"), [(900, 0, 900), (900, 5400, 1030), (1629, 60, 1630), (2300, 7200, 100)]
)
def test_the_clock_counts_in_hours_and_minutes(opens: float, since_s: float, expected: float) -> None:
    assert hhmm_at(opens, since_s) == expected
