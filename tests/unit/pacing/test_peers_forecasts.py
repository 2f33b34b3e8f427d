"""Issabel's predictor, Impact's simulation, Erlang-B's rate and the plain ratio, each against figures of its own."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peer_looks import look, tell

from pacing.peers import impact
from pacing.peers.chance import uniform
from pacing.peers.compiled import new_peer, peer_answered, peer_handled, peer_not_answered
from pacing.peers.erlang import load_at, loss
from sim.theory import erlang_b


# ---- Issabel ----------------------------------------------------------------------------------------------------
def test_issabel_takes_idle_agents_less_calls_every_five_seconds() -> None:
    state = new_peer("issabel-predictor")
    found = [look(state, 0.5 * k, idle=6, waiting=1, ringing=2) for k in range(21)]
    assert [0.5 * k for k, lines in enumerate(found) if lines] == [0.0, 5.0, 10.0]
    assert found[0] == 3


def test_issabel_counts_an_agent_only_after_three_and_a_half_mean_calls() -> None:
    state = new_peer("issabel-predictor")
    tell(state, answered=1, handled=9, handle_s=100.0)
    assert look(state, 0.0, handling_s=[1000.0]) == 0  # too few calls handled
    tell(state, handled=1, handle_s=100.0)
    edge_s = -log(1.0 - 0.97) * 100.0 - 15.0
    assert look(state, 5.0, handling_s=[edge_s - 0.1, edge_s - 50.0]) == 0
    assert look(state, 10.0, handling_s=[edge_s + 0.1, edge_s - 50.0]) == 1


@pytest.mark.parametrize(("answered", "expected"), [(50, 8), (25, 16), (5, 20)])
def test_issabel_overcommits_by_the_answer_rate_of_half_an_hour(answered: int, expected: int) -> None:
    state = new_peer("issabel-predictor", {"overcommit": 1.0, "extra_lines": 1.0})
    tell(state, answered=answered, failed=100 - answered)
    assert look(state, 0.0, idle=5, ringing=2) == expected


# ---- Impact -----------------------------------------------------------------------------------------------------
def recorded(*, attempts: int = 100, **constants: float) -> Any:
    """Return a peer that knows of answers after 5 to 14 s one time in four, and of handle times of 20 to 79 s."""
    state = new_peer("impact-simulated", constants)
    rng = np.random.default_rng(3)
    for k in range(attempts):
        if k % 4 == 0:
            peer_answered(state, float(rng.integers(5, 15)), 0.3)
        else:
            peer_not_answered(state, 20.0, 0.3)
    for _ in range(60):
        peer_handled(state, float(rng.integers(20, 80)))
    return state


def play_slowly(state: Any, factor: float, agents: int) -> tuple[float, float]:
    """Return utilisation and abandon rate of four minutes from an empty floor: every agent and line by itself."""
    law = state[0]["impact"]
    free_at, lines = [0] * agents, []
    calls, dialled, busy_s, answers, abandoned = 0, 0, 0, 0, 0
    for step in range(impact.HORIZON_S):
        due = [line for line in lines if line[0] == step]
        lines = [line for line in lines if line[0] > step]
        for _, answered in due:
            if not answered:
                continue
            answers += 1
            ready = [agent for agent in range(agents) if free_at[agent] <= step]
            if not ready:
                abandoned += 1
                continue
            free_at[ready[0]] = step + int(law["handle_s"][int(uniform(impact.SEED, 1_000_000 + calls) * 60)])
            calls += 1
        idle = sum(at <= step for at in free_at)
        busy_s += agents - idle
        while len(lines) < int(factor * idle + 0.5):
            place = int(uniform(impact.SEED, 2_000_000 + dialled) * 100)
            lines.append((step + int(law["after_s"][place]), bool(law["answered"][place])))
            dialled += 1
    return busy_s / (agents * impact.HORIZON_S), abandoned / max(answers, 1)


def test_impact_keeps_the_factor_that_a_simulation_of_every_agent_would() -> None:
    state = recorded(max_abandon_rate=0.05)
    played = {factor: play_slowly(state, factor, agents=12) for factor in np.linspace(1.0, 4.0, 6)}
    fit = [factor for factor, (_, abandon_rate) in played.items() if abandon_rate < 0.05]
    best = max(fit, key=lambda factor: played[factor][0])
    assert 1.0 < best < 4.0  # some factor is too bold and some too shy, or this shows nothing
    look(state, 0.0, idle=12)
    assert state["impact"]["factor"][0] == pytest.approx(best)


def test_impact_dials_one_line_an_agent_until_it_knows_enough() -> None:
    assert look(recorded(attempts=49), 0.0, idle=12) == 12
    assert look(recorded(attempts=50), 0.0, idle=4) == 4
    assert look(recorded(attempts=52), 0.0, idle=12, ringing=3) > 9


def test_impact_looks_back_half_an_hour_and_takes_relief_above_the_limit() -> None:
    state = recorded(max_abandon_rate=0.5)
    first = look(state, 0.0, idle=12)
    factor = float(state["impact"]["factor"][0])
    assert first == int(12 * factor + 0.5)
    tell(state, answered=1, abandoned=1)
    assert look(state, 1.0, idle=12) == int(12 * max(0.75 * factor, 1.0) + 0.5)
    assert look(state, 1801.0, idle=12) == 12


def test_impact_foresees_the_calls_in_progress() -> None:
    wheel = np.zeros((3, impact.HORIZON_S), dtype=np.int64)
    state = recorded()
    handling_since, ringing_since = np.array([-5.0, -500.0]), np.array([-1.0, -16.0, -30.0])
    impact._begin_as_now(state[0]["impact"], 100, 0.0, handling_since, ringing_since, wheel)
    assert wheel[0].sum() == 2
    assert wheel[0, 1] >= 1  # longer than any call known: about to be over
    assert wheel[0, :76].sum() == 2
    assert wheel[1].sum() + wheel[2].sum() == 3
    assert wheel[2, 4] >= 1  # rings for 16 s: no answer comes so late, and the others ring out at 20 s
    assert wheel[2, 1] >= 1


# ---- Erlang-B ---------------------------------------------------------------------------------------------------
@given(agents=st.integers(1, 200), load=st.floats(0.1, 300.0))
@settings(max_examples=60, deadline=None)
def test_erlangs_loss_is_the_one_of_queueing_theory(agents: int, load: float) -> None:
    assert loss(agents, load) == pytest.approx(erlang_b(agents, load), rel=1e-9)


@given(agents=st.integers(1, 200), target=st.floats(0.001, 0.5))
@settings(max_examples=60, deadline=None)
def test_the_load_at_a_loss_has_that_loss(agents: int, target: float) -> None:
    assert erlang_b(agents, load_at(agents, target)) == pytest.approx(target, rel=1e-6)


def test_erlang_dials_at_the_rate_that_follows() -> None:
    state = new_peer("erlang-b")
    assert look(state, 0.0, idle=20, ringing=4) == 16  # nothing known: progressive
    tell(state, answered=40, failed=60, handled=40)
    launched = sum(look(state, float(second), idle=0, talking=20) for second in range(1, 1011))
    rate = load_at(20, 0.03) / 180.0 / 0.4
    assert launched == pytest.approx(1000.0 * rate, abs=1.5)  # from second 11 on


def test_erlang_does_not_make_up_for_a_pause() -> None:
    state = new_peer("erlang-b")
    look(state, 0.0, idle=20)
    tell(state, answered=40, failed=60, handled=40)
    look(state, 10.0, talking=20)
    assert look(state, 600.0, talking=20) <= 5.0 * load_at(20, 0.03) / 180.0 / 0.4 + 1


# ---- the plain ratio --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ratio", "idle", "waiting", "ringing", "expected"),
    [(2.0, 3, 0, 1, 5), (2.5, 1, 0, 0, 3), (1.2, 2, 0, 0, 2), (2.0, 3, 1, 0, 4), (2.0, 1, 3, 0, 0), (2.0, 0, 0, 0, 0)],
)
def test_lines_for_each_idle_agent(ratio: float, idle: int, waiting: int, ringing: int, expected: int) -> None:
    state = new_peer("idle-ratio", {"lines_per_idle_agent": ratio})
    assert look(state, 0.0, idle=idle, waiting=waiting, ringing=ringing, talking=1) == expected
