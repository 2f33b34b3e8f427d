"""The queueing formulas against printed tables, each other, their limits, and solved birth-death chains."""

from __future__ import annotations

from fractions import Fraction
from math import exp, expm1, factorial, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import diags, lil_matrix
from scipy.sparse.linalg import spsolve

from sim.theory import Queue, erlang_b, erlang_c

AGENTS = st.integers(1, 60)
LOADS = st.floats(0.05, 80.0)
TIMES = st.floats(0.2, 200.0)


@pytest.mark.parametrize(
    ("agents", "load", "blocked"),
    # From the usual printed tables: the load at which so many lines lose 1 % or 2 %.
    [
        (10, 4.461, 0.01),
        (20, 12.03, 0.01),
        (30, 20.34, 0.01),
        (50, 37.90, 0.01),
        (100, 84.06, 0.01),
        (10, 5.084, 0.02),
        (100, 87.97, 0.02),
    ],
)
def test_erlang_b_agrees_with_the_printed_tables(agents: int, load: float, blocked: float) -> None:
    assert erlang_b(agents, load) == pytest.approx(blocked, rel=2e-3)


@given(agents=st.integers(1, 120), load=st.integers(1, 150))
def test_erlang_b_agrees_with_the_formula_in_whole_numbers(agents: int, load: int) -> None:
    weights = [Fraction(load**n, factorial(n)) for n in range(agents + 1)]
    assert erlang_b(agents, load) == pytest.approx(float(weights[-1] / sum(weights)), rel=1e-12)


def test_erlang_c_of_one_and_of_two_agents_is_what_algebra_says() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1.0 / 3.0)  # 2 rho^2 / (1 + rho)


def test_erlang_a_gives_the_published_example_of_fifty_agents() -> None:
    """Garnett, Mandelbaum and Reiman 2002: 48 calls a minute of a minute each, with and without 2 minutes' patience."""
    endless = Queue(agents=50, answers_per_s=48 / 60, handle_s=60.0)
    patient = Queue(agents=50, answers_per_s=48 / 60, handle_s=60.0, patience_s=120.0)
    assert endless.mean_wait_s == pytest.approx(20.8, abs=0.05)
    assert patient.mean_wait_s == pytest.approx(3.7, abs=0.05)
    assert patient.abandon_rate == pytest.approx(0.031, abs=0.0005)
    assert endless.occupancy == pytest.approx(0.96) and patient.occupancy == pytest.approx(0.93, abs=0.001)


@given(agents=AGENTS, load=LOADS)
def test_c_follows_from_b_where_there_is_a_steady_state(agents: int, load: float) -> None:
    if load >= agents:
        with pytest.raises(ValueError, match="without end"):
            erlang_c(agents, load)
        return
    direct = erlang_c(agents, load)
    previous = erlang_b(agents - 1, load) if agents > 1 else 1.0
    rho = load / agents
    assert direct == pytest.approx(1.0 / (1.0 + (1.0 - rho) / (rho * previous)), rel=1e-9)


@given(share=st.floats(0.05, 0.995), agents=st.integers(1, 1000), handle_s=TIMES, within=st.floats(0.0, 3.0))
@settings(deadline=None, max_examples=60)
def test_endless_patience_is_erlang_c(share: float, agents: int, handle_s: float, within: float) -> None:
    queue = Queue(agents=agents, answers_per_s=share * agents / handle_s, handle_s=handle_s)
    drain = agents * (1.0 - share) / handle_s
    waits = erlang_c(agents, queue.load)
    assert queue.wait_rate == pytest.approx(waits, rel=1e-9)
    assert queue.mean_wait_s == pytest.approx(waits / drain, rel=1e-9)
    assert queue.abandon_rate == 0.0 and queue.occupancy == pytest.approx(share)
    assert queue.service_level(within / drain) == pytest.approx(1.0 - waits * exp(-within), abs=1e-9)


@given(agents=AGENTS, load=LOADS, handle_s=TIMES)
@settings(deadline=None, max_examples=60)
def test_a_deadline_of_zero_is_erlang_b(agents: int, load: float, handle_s: float) -> None:
    queue = Queue(agents=agents, answers_per_s=load / handle_s, handle_s=handle_s, deadline_s=0.0)
    blocked = erlang_b(agents, load)
    assert queue.wait_rate == pytest.approx(blocked, rel=1e-9)
    assert queue.abandon_rate == pytest.approx(blocked, rel=1e-9)
    assert queue.mean_wait_s == 0.0


def test_erlang_a_comes_from_b_by_losing_patience_and_goes_to_c_by_gaining_it() -> None:
    queues = [Queue(agents=12, answers_per_s=1.0, handle_s=10.0, patience_s=10.0**power) for power in range(-6, 9)]
    abandon_rates = [queue.abandon_rate for queue in queues]
    assert abandon_rates == sorted(abandon_rates, reverse=True)
    assert abandon_rates[0] == pytest.approx(erlang_b(12, 10.0), rel=1e-5)
    assert queues[-1].wait_rate == pytest.approx(erlang_c(12, 10.0), rel=1e-5)
    assert abandon_rates[-1] == pytest.approx(0.0, abs=1e-6)


@given(agents=AGENTS, load=LOADS, handle_s=TIMES, patience=st.floats(0.02, 10.0), within=st.floats(0.0, 2.0))
@settings(deadline=None, max_examples=40)
def test_erlang_a_agrees_with_the_solved_chain(
    agents: int, load: float, handle_s: float, patience: float, within: float
) -> None:
    """The oracle solves the balance equations of the chain, and follows one caller through the queue."""
    patience_s, within_s = patience * handle_s, within * handle_s
    queue = Queue(agents=agents, answers_per_s=load / handle_s, handle_s=handle_s, patience_s=patience_s)
    waiting = int(load * patience + 20.0 * np.sqrt(load * patience + 1.0)) + 50
    weights = _steady_state(agents, waiting, load / handle_s, handle_s, patience_s)
    mean_waiting = float(weights[agents:] @ np.arange(waiting + 1))
    assert queue.wait_rate == pytest.approx(weights[agents:].sum(), rel=1e-7, abs=1e-11)
    assert queue.mean_wait_s == pytest.approx(mean_waiting / queue.answers_per_s, rel=1e-7, abs=1e-11)
    assert queue.abandon_rate == pytest.approx(mean_waiting / patience_s / queue.answers_per_s, rel=1e-7, abs=1e-11)
    busy = float(weights[:agents] @ np.arange(agents)) + agents * weights[agents:].sum()
    assert queue.occupancy == pytest.approx(busy / agents, rel=1e-7, abs=1e-11)
    served = _served_within(agents, waiting, handle_s, patience_s, within_s)
    expected = weights[:agents].sum() + weights[agents:] @ served
    assert queue.service_level(within_s) == pytest.approx(expected, abs=1e-7)


@given(agents=AGENTS, load=LOADS, handle_s=TIMES, deadline=st.floats(0.001, 3.0))
@settings(deadline=None, max_examples=60)
def test_a_deadline_alone_has_its_integrals_by_hand(agents: int, load: float, handle_s: float, deadline: float) -> None:
    """Barrer 1957: everybody waits, up to one deadline. Here in units of the handle time."""
    drift, served_s = load - agents, deadline
    grown = served_s if abs(drift) < 1e-9 else expm1(drift * served_s) / drift
    late = exp(drift * served_s) / agents
    others = 1.0 / erlang_b(agents, load) - 1.0
    queue = Queue(agents=agents, answers_per_s=load / handle_s, handle_s=handle_s, deadline_s=deadline * handle_s)
    total = others / agents + grown + late
    assert queue.wait_rate == pytest.approx((grown + late) / total, rel=1e-7)
    assert queue.abandon_rate == pytest.approx(late / total, rel=1e-7)


def test_who_waits_is_served_or_gone_by_the_deadline() -> None:
    queue = Queue(agents=10, answers_per_s=1.2, handle_s=10.0, patience_s=6.0, deadline_s=2.0)
    assert queue.service_level(0.0) == pytest.approx(1.0 - queue.wait_rate)
    assert queue.service_level(2.0) == pytest.approx(1.0 - queue.abandon_rate)
    assert queue.service_level(1.0) < queue.service_level(1.5) < queue.service_level(2.0)
    assert queue.occupancy == pytest.approx(1.2 * (1.0 - queue.abandon_rate))


@pytest.mark.parametrize("patience_s", [1.0, 100.0, 1e4, 1e6])
@pytest.mark.parametrize("load", [500.0, 990.0, 1000.0, 1010.0, 2000.0])
def test_a_thousand_agents_are_within_reach(load: float, patience_s: float) -> None:
    queue = Queue(agents=1000, answers_per_s=load / 100.0, handle_s=100.0, patience_s=patience_s)
    # What is abandoned is the mean queue over the mean patience: two integrals that know nothing of each other.
    assert queue.abandon_rate == pytest.approx(queue.mean_wait_s / patience_s, rel=1e-9, abs=1e-300)
    assert 0.0 <= queue.abandon_rate <= queue.wait_rate <= 1.0
    assert queue.abandon_rate >= 1.0 - 1000.0 / load - 1e-9


@pytest.mark.parametrize(
    "wrong",
    [
        {"agents": 0},
        {"answers_per_s": 0.0},
        {"handle_s": -1.0},
        {"patience_s": 0.0},
        {"deadline_s": -0.1},
        {"answers_per_s": float("nan")},
        {"answers_per_s": 1.0, "patience_s": inf},
    ],
)
def test_a_queue_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected"):
        Queue(**{"agents": 10, "answers_per_s": 0.5, "handle_s": 10.0, "patience_s": 5.0, **wrong})


def test_a_floor_without_agents_or_load_is_refused() -> None:
    for agents, load in ((0, 1.0), (3, 0.0), (3, float("nan"))):
        with pytest.raises(ValueError, match="above 0"):
            erlang_b(agents, load)


def _steady_state(
    agents: int, waiting: int, answers_per_s: float, handle_s: float, patience_s: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Solve the balance equations of 0 .. agents + waiting calls, the last of them replaced by the sum being one."""
    calls = np.arange(1, agents + waiting + 1)
    down = np.minimum(calls, agents) / handle_s + np.maximum(calls - agents, 0) / patience_s
    up = np.full(len(calls), answers_per_s)
    flow = lil_matrix(diags([up, down], [-1, 1]) - diags([np.append(up, 0.0) + np.insert(down, 0, 0.0)], [0]))
    flow[-1, :] = 1.0
    return np.asarray(spsolve(flow.tocsc(), np.append(np.zeros(len(calls)), 1.0)))


def _served_within(
    agents: int, waiting: int, handle_s: float, patience_s: float, within_s: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The chance that a caller with 0 .. `waiting` others ahead is served in time: a chain that ends in service."""
    # State k: k others ahead; the last two: served, gone.
    size = min(waiting, 250) + 1
    flow = np.zeros((size + 2, size + 2))
    for ahead in range(size):
        forward = agents / handle_s + ahead / patience_s
        flow[ahead, ahead - 1 if ahead else size] += forward
        flow[ahead, size + 1] += 1.0 / patience_s
        flow[ahead, ahead] -= forward + 1.0 / patience_s
    served = np.zeros(waiting + 1)
    served[:size] = expm(flow * within_s)[:size, size]
    return served
