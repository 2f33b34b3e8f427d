"""The simulator against queueing theory and against another simulator.

The real engine, runner and world run on floors whose figures are known beforehand. Intervals are of 99.5 %, from
`sim.replications`; seeds are fixed. They are narrow enough for a world whose handle times are 5 % too long to be found
out, and a test of each kind shows that on such a world.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dialer.core.launching import DECISION_DELAY_S
from pacing.progressive import Progressive
from sim import theory
from sim.replications import Estimate, paired, replicate, replicate_controlled
from sim.theory import Queue
from tests.scenario import simpy_model
from tests.scenario.exponential_floor import (
    AT_ONCE_S,
    NEVER_S,
    WITHIN_S,
    Case,
    Draw,
    Observed,
    Ratio,
    Stream,
    exponential,
    fixed,
    observe,
)

AGENTS, HANDLE_S = 10, 8.0
RUNS = 16
CONFIDENCE = 0.995
TOO_SLOW = 1.05


def _uniform(low: float, high: float) -> Draw:
    return lambda rng, size: rng.uniform(low, high, size)


# ---- prediction off: a stream of answers, whatever the floor is doing ------------------------------------------
def _stream(answers_per_s: float, *, patience_s: Draw | None, deadline_s: float = NEVER_S) -> Case:
    duration_s = 1060.0
    return Case(
        agents=AGENTS,
        policy=lambda: Stream(answers_per_s),
        handle_s=HANDLE_S,
        live_s=_uniform(0.0, 1.0),
        patience_s=patience_s,
        deadline_s=deadline_s,
        duration_s=duration_s,
        warm_up_s=60.0,
        leads=int(1.2 * answers_per_s * duration_s) + 100,
    )


# Erlang B: who finds nobody is lost. Erlang C: everybody waits. Erlang A: patience. Last the dialer's own rule: people
# lose patience, and the message plays a tenth of a second before the two that the law allows are over.
QUEUES = {
    "B": Queue(agents=AGENTS, answers_per_s=1.0, handle_s=HANDLE_S, deadline_s=0.0),
    "C": Queue(agents=AGENTS, answers_per_s=0.8, handle_s=HANDLE_S),
    "A": Queue(agents=AGENTS, answers_per_s=1.25, handle_s=HANDLE_S, patience_s=6.0),
    "A within 2 s": Queue(agents=AGENTS, answers_per_s=1.25, handle_s=HANDLE_S, patience_s=6.0, deadline_s=1.9),
}
CASES = {
    "B": _stream(1.0, patience_s=fixed(AT_ONCE_S)),
    "C": _stream(0.8, patience_s=None),
    "A": _stream(1.25, patience_s=exponential(6.0)),
    "A within 2 s": _stream(1.25, patience_s=exponential(6.0), deadline_s=2.0),
}


def _runs(case: Case) -> list[Observed]:
    return [observe(case, seed) for seed in range(1, RUNS + 1)]


def _estimate(runs: list[Observed], figure: str, *, load: float) -> Estimate:
    """The figure, cleared of the load that chance brought to these runs."""
    values, loads = [getattr(run, figure) for run in runs], [run.load for run in runs]
    return replicate_controlled(values, loads, expected=load, confidence=CONFIDENCE)


@pytest.mark.parametrize("name", QUEUES)
def test_without_prediction_the_floor_is_the_queue_of_the_books(name: str) -> None:
    queue, runs = QUEUES[name], _runs(CASES[name])
    for figure in ("occupancy", "wait_rate", "abandon_rate"):
        found = _estimate(runs, figure, load=queue.load)
        assert found.holds(getattr(queue, figure)), (figure, getattr(queue, figure), found)
    served = _estimate(runs, "service_level", load=queue.load)
    assert served.holds(queue.service_level(WITHIN_S)), (queue.service_level(WITHIN_S), served)
    # The mean wait bends too much with the load for a linear control.
    waited = replicate([run.mean_wait_s for run in runs], confidence=CONFIDENCE)
    if name != "B":  # where the time that a lost call takes is a figure of this test alone
        assert waited.holds(queue.mean_wait_s), (queue.mean_wait_s, waited)


def test_handle_times_five_percent_too_long_are_found_out() -> None:
    queue, runs = QUEUES["B"], _runs(replace(CASES["B"], slower=TOO_SLOW))
    for figure in ("occupancy", "wait_rate", "abandon_rate"):
        found = _estimate(runs, figure, load=queue.load)
        assert not found.holds(getattr(queue, figure)), (figure, getattr(queue, figure), found)


# ---- progressive ----------------------------------------------------------------------------------------------
PROGRESSIVE = theory.Progressive(
    agents=AGENTS,
    handle_s=HANDLE_S,
    live_rate=0.4,
    live_s=2.0,
    not_live_s=3.0,
    decision_delay_s=DECISION_DELAY_S,
)
PROGRESSIVE_CASE = Case(
    agents=AGENTS,
    policy=Progressive,
    handle_s=HANDLE_S,
    live_rate=0.4,
    live_s=exponential(2.0),
    no_answer_s=exponential(3.0),
    patience_s=fixed(1.0),
    duration_s=1060.0,
    warm_up_s=60.0,
    leads=2400,
)


def _progressive(case: Case) -> tuple[list[Observed], Estimate, Estimate]:
    runs = _runs(case)
    handled_s = [run.handle_s for run in runs]
    occupancy, attempts_per_s = (
        replicate_controlled(values, handled_s, expected=HANDLE_S, confidence=CONFIDENCE)
        for values in ([run.occupancy for run in runs], [run.attempts_per_s for run in runs])
    )
    return runs, occupancy, attempts_per_s


def test_progressive_dialling_has_its_closed_form() -> None:
    runs, occupancy, attempts_per_s = _progressive(PROGRESSIVE_CASE)
    assert occupancy.holds(PROGRESSIVE.occupancy), (PROGRESSIVE.occupancy, occupancy)
    assert attempts_per_s.holds(PROGRESSIVE.attempts_per_s), (PROGRESSIVE.attempts_per_s, attempts_per_s)
    assert all(run.abandon_rate == 0.0 and run.wait_rate == 0.0 for run in runs)


def test_progressive_dialling_with_slow_agents_has_another() -> None:
    _, occupancy, attempts_per_s = _progressive(replace(PROGRESSIVE_CASE, slower=TOO_SLOW))
    assert not occupancy.holds(PROGRESSIVE.occupancy), (PROGRESSIVE.occupancy, occupancy)
    assert not attempts_per_s.holds(PROGRESSIVE.attempts_per_s), (PROGRESSIVE.attempts_per_s, attempts_per_s)


# ---- another simulator ----------------------------------------------------------------------------------------
RATIO_CASE = Case(
    agents=8,
    policy=lambda: Ratio(6.0),
    handle_s=HANDLE_S,
    live_rate=0.4,
    live_s=_uniform(1.0, 6.0),
    no_answer_s=_uniform(1.0, 20.0),  # some ring until the dialer's own limit
    patience_s=_uniform(0.3, 1.8),
    bridge_s=0.05,
    ring_timeout_s=15.0,
    duration_s=860.0,
    warm_up_s=60.0,
    leads=3000,
)
FLOW = simpy_model.Flow(
    agents=8,
    ratio=6.0,
    live_rate=0.4,
    live_s=_uniform(1.0, 6.0),
    not_live_s=_uniform(1.0, 20.0),
    ring_timeout_s=15.0,
    gives_up_s=_uniform(0.3, 1.8),
    bridge_s=0.05,
    handle_s=exponential(HANDLE_S),
)


def _differences(case: Case) -> list[Estimate]:
    """The engine less the SimPy model: occupancy, abandon rate, attempts per second.

    The two share no random numbers; a paired t interval holds for independent runs as well.
    """
    ours = [(run.occupancy, run.abandon_rate, run.attempts_per_s) for run in _runs(case)]
    theirs = _witness()
    return [
        paired([run[i] for run in theirs], [run[i] for run in ours], confidence=CONFIDENCE).difference for i in range(3)
    ]


@cache
def _witness() -> list[tuple[float, float, float]]:
    return [
        simpy_model.run(FLOW, seed=100 + seed, warm_up_s=RATIO_CASE.warm_up_s, duration_s=RATIO_CASE.duration_s)
        for seed in range(RUNS)
    ]


def test_a_simpy_model_of_the_same_flow_agrees() -> None:
    for difference, theirs, within in zip(
        _differences(RATIO_CASE), np.mean(_witness(), axis=0), (0.03, 0.2, 0.05), strict=True
    ):
        assert difference.holds(0.0), (theirs, difference)
        assert difference.half_width is not None and difference.half_width < within * theirs


def test_slow_agents_do_not_pass_for_the_simpy_model() -> None:
    occupancy, _, attempts_per_s = _differences(replace(RATIO_CASE, slower=1.1))
    assert not occupancy.holds(0.0), occupancy
    assert not attempts_per_s.holds(0.0), attempts_per_s
