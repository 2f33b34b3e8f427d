"""Occupancy, abandons and speed of `priced-v1`, which learns everything in the world of `pacing_world`.

Days begin cold; occupancy and abandon rate are measured from the second hour on, the worst day's abandon rate over
whole days. No grace: an answered call that finds no agent is abandoned at once, which is harder than the two seconds
that are allowed.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.report import Row
from benchmarks.scenario.pacing_world import Day, Simulation, World
from pacing.registry import make_policy, warm_up
from pacing.view import PacingView

COMMAND = "./run bench pacing"
TARGET = 0.03
SEEDS = tuple(range(20))
# Agents, and the occupancy to reach at no more than TARGET abandons.
OCCUPANCY_GOALS = {10: 0.85, 20: 0.885, 50: 0.925}
# Agents, and the 99th percentile of one decision not to exceed, microseconds.
LATENCY_GOALS_US = {20: 60.0, 50: 60.0, 500: 1000.0}


def run(quick: bool) -> list[Row]:
    """Return a row per figure: bench, bar, value, goal, met, command."""
    warm_up()
    seeds = SEEDS[:2] if quick else SEEDS
    rows: list[Row] = []
    for agents, goal in OCCUPANCY_GOALS.items():
        days = [_day(World(agents=agents, measured_from_s=3600.0), seed) for seed in seeds]
        rows.append(_at_least(f"occupancy, {agents} agents", float(np.mean([day.occupancy for day in days])), goal))
        rows.append(_at_most(f"abandon rate, {agents} agents", _rate(days), TARGET))
    for agents in (3, 5, 20):
        days = [_day(World(agents=agents), seed) for seed in seeds]
        worst = max(day.abandon_rate for day in days)
        rows.append(_at_most(f"worst whole day's abandon rate, {agents} agents", worst, TARGET))
    days = [_day(World(agents=20, true_probability=_switching), seed) for seed in seeds]
    worst = max(day.abandon_rate for day in days)
    rows.append(_at_most("worst whole day's abandon rate, 20 agents, answer rate switching", worst, TARGET))
    for agents, goal_us in LATENCY_GOALS_US.items():
        p99_us = _latency_p99_us(agents, 500 if quick else 5000)
        rows.append(_at_most(f"one decision p99, {agents} agents, us", p99_us, goal_us))
    return rows


def _switching(at: float) -> float:
    """Return an answer rate that jumps between 0.45 and 0.15 every half hour, while leads promise 0.3."""
    return 0.45 if int(at / 1800.0) % 2 == 0 else 0.15


def _day(world: World, seed: int) -> Day:
    return Simulation(world, make_policy("priced-v1"), seed).run()


def _rate(days: list[Day]) -> float:
    return sum(day.abandoned for day in days) / max(1, sum(day.answered for day in days))


def _at_least(bar: str, value: float, goal: float) -> Row:
    return Row(bench="pacing", bar=bar, value=round(value, 4), goal=f">= {goal:g}", met=value >= goal, command=COMMAND)


def _at_most(bar: str, value: float, goal: float) -> Row:
    return Row(bench="pacing", bar=bar, value=round(value, 4), goal=f"<= {goal:g}", met=value <= goal, command=COMMAND)


def _latency_p99_us(agents: int, decisions: int) -> float:
    """Return the 99th percentile of decisions over random states of a campaign with one agent in ten idle."""
    rng = np.random.default_rng(agents)
    policy = make_policy("priced-v1")
    for _ in range(1000):
        policy.answered(after_s=3.0 + rng.gamma(2.0, 4.0), probability=0.3)
        policy.not_answered(after_s=25.0, probability=0.3)
        policy.handled(handle_s=rng.lognormal(4.7, 0.83) + rng.gamma(2.0, 15.0))
    idle = max(1, agents // 10)
    busy, ringing = agents - idle, int(0.6 * agents)
    taken_us = np.zeros(decisions)
    for i in range(decisions):
        now = 1e9 + i
        view = PacingView(
            now=now,
            idle=idle,
            handling_since=now - rng.random(busy) * 200.0,
            leaving=0,
            ringing_since=now - rng.random(ringing) * 25.0,
            answer_probability=rng.random(ringing) * 0.6,
            waiting=0,
            next_answer_probability=0.3,
            max_lines_per_idle_agent=8.0,
            target_abandon_rate=TARGET,
        )
        begun = time.perf_counter()
        policy.lines(view, rng)
        taken_us[i] = (time.perf_counter() - begun) * 1e6
    return float(np.quantile(taken_us, 0.99))
