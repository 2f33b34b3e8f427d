"""The worlds that policies are compared in. All start from the fast simulator's own two; each adds one trouble.

But where a world is about a wrong promise, a policy is told the answer rate that the engine has learned so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi, sin

import numpy as np

from benchmarks.scenario.bounds import Means
from pacing.view import Floats
from sim.distributions import LogNormal, Mixture, Normal, Part
from sim.fast.scenario import FastScenario, quantile_table
from sim.fast.worlds import markov, realistic

HOUR_S = 3600.0
DAY_S = 8 * HOUR_S
MARKOV_AGENTS = (5, 10, 20, 50, 100, 200)
REALISTIC_AGENTS = (5, 10, 20, 50, 100)
HANG_UP_AFTER_RING_S = 15.0  # as campaigns have it, if nothing else is said; only our policy makes use of it
LOST_TO_DETECTION = 0.01  # of the live answers
_ANSWER_RATE, _HANDLE_S, _RING_S = 0.3, 180.0, 15.0  # of the Markov worlds
_AGENTS = 20  # where nothing else is said
_THINNED = 128  # values of a table that a mean of two added durations is taken over


@dataclass(frozen=True, slots=True)
class World:
    """A scenario of the fast simulator under a name, and what a Markov model would know of it."""

    name: str
    scenario: FastScenario
    means: Means
    markov: bool = False  # whether that model is the world itself


def all_worlds() -> tuple[World, ...]:
    """Every world of the full benchmark, in the order of its table."""
    return (
        *(markov_world(agents) for agents in MARKOV_AGENTS),
        *(realistic_world(agents) for agents in REALISTIC_AGENTS),
        *troubled_worlds(),
    )


def quick_worlds() -> tuple[World, ...]:
    """Some of them, for a look."""
    wanted = {"Markov, 10 agents", "realistic, 5 agents", "realistic, 20 agents", "switching", "lunch", "3 agents"}
    return tuple(world for world in all_worlds() if world.name in wanted)


def markov_world(agents: int) -> World:
    """Exponential times and steady rates: the world that the exact bound is of."""
    scenario = markov(agents, answer_rate=_ANSWER_RATE, handle_s=_HANDLE_S, ring_s=_RING_S, promised_rate=None)
    means = Means(agents, _ANSWER_RATE, _HANDLE_S, _RING_S)
    return World(f"Markov, {agents} agents", scenario, means, markov=True)


def realistic_world(agents: int) -> World:
    """Lognormal talk, wrap-up, busy lines and a ring time-out."""
    return _world(f"realistic, {agents} agents", _calls_of(agents))


def switching_world() -> World:
    """An answer rate that jumps between 0.45 and 0.15 every half hour."""
    halves = range(int(DAY_S / 1800.0))
    steps = tuple((1800.0 * half, 0.15 if half % 2 else 0.45) for half in halves)
    return _world("switching", replace(_base(), answer_rate=0.45, answer_steps=steps))


def troubled_worlds() -> tuple[World, ...]:
    """The realistic world with a trouble each."""
    base = _base()
    return (
        switching_world(),
        _world("hours and drift", _with_hours(base)),
        _world("lunch", _with_lunch(base)),
        _world("carrier failing", _with_failing_carrier(base)),
        _world("talk mixture", replace(base, talk_s=_mixed_talk())),
        _world("3 agents", _calls_of(3)),
        _world("detection errs", _with_detection(base)),
        _world("promised 0.6", replace(base, promised_rate=0.6)),
        _world("promised 0.1", replace(base, promised_rate=0.1)),
    )


def capped_worlds(worlds: Sequence[World]) -> tuple[World, ...]:
    """The same worlds with 1 % of live answers lost to answering-machine detection, where they have no such loss."""
    return tuple(
        world
        if world.scenario.human_lost_rate
        else replace(world, scenario=replace(world.scenario, human_lost_rate=LOST_TO_DETECTION))
        for world in worlds
    )


def without_coalescing(world: World) -> World:
    """The same world with a decision at once after everything that happens."""
    at_once = replace(world.scenario, decision_delay_s=0.0, decision_gap_s=0.0)
    return replace(world, name=f"{world.name}, not coalesced", scenario=at_once)


def means_of(scenario: FastScenario) -> Means:
    """Return what a Markov model would know of a scenario: means over its day and over its days.

    A line's mean time is over all outcomes, as the model has one for all; a carrier's failures count as unreached.
    """
    failing = _mean_over_day(scenario.failure_rate, scenario.failure_steps)
    steps = [(at, float(agents)) for at, agents in scenario.agents_steps]
    answer_rate = _mean_over_day(scenario.answer_rate, scenario.answer_steps) * float(np.mean(scenario.day_factors))
    screened = scenario.screened_out_rate + scenario.machine_passed_rate
    set_up, limit_s = quantile_table(scenario.set_up_s), scenario.ring_timeout_s
    unreached = set_up if scenario.unreached_s is None else quantile_table(scenario.unreached_s)
    screening_s = float(quantile_table(scenario.screening_s).mean())
    unanswered_s = limit_s
    if scenario.no_answer_s is not None:
        unanswered_s = float(np.minimum(quantile_table(scenario.no_answer_s), limit_s).mean())
    placed_s = (
        answer_rate * (_ring_s(set_up, quantile_table(scenario.answer_s), limit_s) + screening_s)
        + screened * (_ring_s(set_up, quantile_table(scenario.machine_answer_s), limit_s) + screening_s)
        + scenario.unreached_rate * float(unreached.mean())
        + (1.0 - answer_rate - screened - scenario.unreached_rate) * unanswered_s
    )
    wrap_up = np.minimum(quantile_table(scenario.wrap_up_s), scenario.wrap_up_limit_s)
    return Means(
        agents=max(1, round(_mean_over_day(float(scenario.agents), tuple(steps)))),
        answer_rate=(1.0 - failing) * answer_rate,
        handle_s=float(quantile_table(scenario.talk_s).mean() + wrap_up.mean()),
        line_s=(1.0 - failing) * placed_s + failing * float(set_up.mean()),
    )


def _base() -> FastScenario:
    return _calls_of(_AGENTS)


def _calls_of(agents: int) -> FastScenario:
    return realistic(agents, promised_rate=None, hang_up_after_ring_s=HANG_UP_AFTER_RING_S)


def _world(name: str, scenario: FastScenario) -> World:
    return World(name, scenario, means_of(scenario))


def _with_hours(base: FastScenario) -> FastScenario:
    """An answer rate that swings by the hour, and drifts by a fifth up and down over the days."""
    by_hour = (0.21, 0.25, 0.32, 0.36, 0.28, 0.24, 0.33, 0.40)
    steps = tuple((hour * HOUR_S, rate) for hour, rate in enumerate(by_hour))
    drift = tuple(round(1.0 + 0.2 * sin(2.0 * pi * day / 20.0), 4) for day in range(20))
    return replace(base, answer_rate=by_hour[0], answer_steps=steps, day_factors=drift)


def _with_lunch(base: FastScenario) -> FastScenario:
    """Agents go in groups after three and a half hours, and are back an hour and a half later, as was announced."""
    steps = ((3.5 * HOUR_S, 14), (4.0 * HOUR_S, 8), (4.5 * HOUR_S, 14), (5.0 * HOUR_S, base.agents))
    return replace(base, agents_steps=steps, announced=True)


def _with_failing_carrier(base: FastScenario) -> FastScenario:
    """After two and a half hours calls begin to fail at set-up: a third, two thirds, a third, each for ten minutes."""
    steps = ((9000.0, 0.33), (9600.0, 0.67), (10_200.0, 0.33), (10_800.0, 0.0))
    return replace(base, failure_steps=steps)


def _mixed_talk() -> Mixture:
    """Wrong parties of about 20 s, and long conversations."""
    return Mixture(
        kind="mixture",
        parts=(
            Part(weight=0.35, of=LogNormal(kind="lognormal", median=20.0, sigma=0.4)),
            Part(weight=0.65, of=LogNormal(kind="lognormal", median=180.0, sigma=0.9)),
        ),
    )


def _with_detection(base: FastScenario) -> FastScenario:
    """A third of the calls reach machines: some are passed for people; one person in a hundred is taken for one."""
    return replace(
        base,
        screened_out_rate=0.3,
        machine_passed_rate=0.02,
        human_lost_rate=LOST_TO_DETECTION,
        screening_s=Normal(kind="normal", mean=1.2, sd=0.2),
    )


def _mean_over_day(first: float, steps: Sequence[tuple[float, float]]) -> float:
    """Return the mean of a step function over the day."""
    times = [0.0, *(at for at, _ in steps), DAY_S]
    values = [first, *(value for _, value in steps)]
    spans = zip(times[:-1], times[1:], values, strict=True)
    return sum((end - begin) * value for begin, end, value in spans) / DAY_S


def _ring_s(set_up: Floats, answer: Floats, limit_s: float) -> float:
    """Return the mean of the sum of two durations, cut off at the ring time-out."""
    thinned = set_up[:: len(set_up) // _THINNED], answer[:: len(answer) // _THINNED]
    return float(np.minimum(np.add.outer(*thinned), limit_s).mean())
