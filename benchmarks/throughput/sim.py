"""How fast a day is simulated: the real engine in its world, the fast simulator, and two simulators that others wrote.

Three models, all measured in the same run on one core, in CPU seconds:

- A line of answered calls (M/M/20+M: Poisson answers, exponential handle times and patience), which Ciw can do too. An
  event is an answer, a hang-up or the end of a call: two for each answer. `sim.fast` needs four steps for these two.
- A dialer's call flow (agents, ring, answer, wait, talk, wrap-up) with a fixed ratio of lines to idle agents, in SimPy
  and in `sim.fast`, with the times and rates of the packaged day. Ciw has no means of control for it. An event is the
  end of a line, of a talk, of a wrap-up, an abandon, a tick or a decision.
- The packaged day itself in the real engine: compliance, routing, retries and `priced-v1` on. It shares with SimPy's
  model the call flow, not the work beside it; their attempts a second are compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.report import Findings, Row
from sim.distributions import Exponential, Fixed
from sim.fast import FastResult, FastScenario, fast_of
from sim.fast import run as run_fast
from sim.scenario_file import packaged_scenario

COMMAND = "./run bench sim"
SEEDS = (11,)
HOUR_S = 3600.0
AGENTS, ANSWERS_PER_S, HANDLE_S, PATIENCE_S = 20, 0.11, 180.0, 60.0
LINES_PER_IDLE_AGENT = 2.0
FAST_OVER_SIMPY, PRICED_EVENTS, ENGINE_OVER_SIMPY = 10.0, 200_000, 0.12
# Agents: leads, CPU seconds for 8 hours, megabytes.
DAYS: dict[int, tuple[int, float, float | None]] = {100: (40_000, 5.0, 400.0), 1000: (400_000, 90.0, None)}


def run(quick: bool) -> Findings:
    """Rows of the three models."""
    # Imported here: their packages are for developers.
    from benchmarks.throughput import peers

    day = fast_of(packaged_scenario("collections_day", agents=100, leads=4000, duration_s=8 * HOUR_S))
    flow = replace(day, agents=AGENTS, channels=None, lines_per_idle_agent=LINES_PER_IDLE_AGENT)
    run_fast(flow, duration_s=60.0)  # makes its tables
    rows = _waiting_line(peers, 20 if quick else 300)
    rows += _call_flow(peers, flow, 5 if quick else 100)
    hours = 1.0 if quick else 8.0
    simpy_rate = _rate(partial(peers.simpy_dialer, replace(flow, agents=100), hours * HOUR_S, SEEDS[0]), "attempts")
    for agents, (leads, most_s, most_mb) in DAYS.items():
        if quick and agents > 100:
            continue
        rows += _real_day(agents, leads // 8 if quick else leads, hours, most_s, most_mb, simpy_rate)
    return Findings(rows=rows)


def _waiting_line(peers: Any, hours: int) -> list[Row]:
    """M/M/20+M in all three."""
    seconds, model = hours * HOUR_S, "M/M/20+M"
    line = FastScenario(
        agents=AGENTS,
        answer_rate=1.0,
        unreached_rate=0.0,
        set_up_s=Fixed(kind="fixed", value=0.0),
        answer_s=Fixed(kind="fixed", value=0.0),
        patience_s=Exponential(kind="exponential", mean=PATIENCE_S),
        connect_deadline_s=HOUR_S,
        talk_s=Exponential(kind="exponential", mean=HANDLE_S),
        wrap_up_s=Fixed(kind="fixed", value=0.0),
        lines_per_s=ANSWERS_PER_S,
    )
    arguments = (AGENTS, ANSWERS_PER_S, HANDLE_S, PATIENCE_S, seconds, SEEDS[0])
    run_fast(line, policy="constant-rate", duration_s=60.0)  # makes its tables
    simpy_rate = _rate(partial(peers.simpy_line, *arguments), "events")
    ciw_rate = _rate(partial(peers.ciw_line, *arguments), "events")
    fast_rate = _rate(lambda: _answers(run_fast(line, policy="constant-rate", seed=1, duration_s=seconds)), "events")
    return [
        _figure(f"{model}: events/s, SimPy", simpy_rate),
        _figure(f"{model}: events/s, Ciw", ciw_rate),
        _figure(f"{model}: events/s, sim.fast", fast_rate),
        _at_least(f"{model}: sim.fast over SimPy", fast_rate / simpy_rate, FAST_OVER_SIMPY),
    ]


def _call_flow(peers: Any, flow: FastScenario, hours: int) -> list[Row]:
    """The dialer's call flow in SimPy and in the fast simulator, then with a pacing policy."""
    model, seconds = f"call flow, {AGENTS} agents, fixed ratio", hours * HOUR_S
    peer = _measured(partial(peers.simpy_dialer, flow, seconds, SEEDS[0]))
    fast = _measured(lambda: _counts(run_fast(flow, policy="fixed-ratio", seed=SEEDS[0], duration_s=seconds)))
    rows = [
        _figure(f"{model}: events/s, SimPy", peer["events"]),
        _figure(f"{model}: attempts/s, SimPy", peer["attempts"]),
        _figure(f"{model}: events/s, sim.fast", fast["events"]),
        _figure(f"{model}: attempts/s, sim.fast", fast["attempts"]),
        _at_least(f"{model}: sim.fast over SimPy, events/s", fast["events"] / peer["events"], FAST_OVER_SIMPY),
    ]
    for agents in (20, 100):
        paced = replace(flow, agents=agents)
        rate = _rate(lambda: _counts(run_fast(paced, seed=SEEDS[0], duration_s=seconds)), "events")  # noqa: B023
        bar = f"call flow, {agents} agents, priced-v1: events/s, sim.fast"
        rows.append(_at_least(bar, rate, PRICED_EVENTS) if agents == 20 else _figure(bar, rate))
    return rows


def _real_day(
    agents: int, leads: int, hours: float, most_s: float, most_mb: float | None, simpy_rate: float
) -> list[Row]:
    """The packaged day in the real engine, in a process of its own: its peak memory is not ours."""
    arguments = [sys.executable, "-m", "benchmarks.throughput.real_day", str(agents), str(leads), str(hours)]
    day = json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
    model = f"real engine, {agents} agents x {hours:g} h"
    rate = day["attempts"] / day["seconds"]
    rows = [_figure(f"{model}: attempts", day["attempts"]), _figure(f"{model}: attempts/s", rate)]
    if hours == 8.0:
        rows.append(_at_most(f"{model}: CPU seconds", day["seconds"], most_s))
    if most_mb is None:
        rows.append(_figure(f"{model}: peak memory, MB", day["peak_mb"]))
    else:
        rows.append(_at_most(f"{model}: peak memory, MB", day["peak_mb"], most_mb))
    if agents == 100:
        rows.append(_figure("call flow, 100 agents, fixed ratio: attempts/s, SimPy", simpy_rate))
        rows.append(_at_least(f"{model}: attempts/s over SimPy's", rate / simpy_rate, ENGINE_OVER_SIMPY))
    return rows


def _answers(day: FastResult) -> dict[str, int]:
    return {"events": 2 * day.live_answers}


def _counts(day: FastResult) -> dict[str, int]:
    return {"events": day.events, "attempts": day.attempts}


def _measured(model: Callable[[], dict[str, int]]) -> dict[str, float]:
    """Return a model's counts per CPU second."""
    begun = time.process_time()
    counts = model()
    taken = time.process_time() - begun
    return {name: count / taken for name, count in counts.items()}


def _rate(model: Callable[[], dict[str, int]], what: str) -> float:
    return _measured(model)[what]


def _rounded(value: float) -> float:
    return round(value) if value >= 1000 else round(value, 3)


def _figure(bar: str, value: float) -> Row:
    return Row(bench="sim", bar=bar, value=_rounded(value), goal="", met=None, command=COMMAND)


def _at_least(bar: str, value: float, goal: float) -> Row:
    return Row(
        bench="sim", bar=bar, value=_rounded(value), goal=f">= {goal:,g}", met=bool(value >= goal), command=COMMAND
    )


def _at_most(bar: str, value: float, goal: float) -> Row:
    return Row(
        bench="sim", bar=bar, value=_rounded(value), goal=f"<= {goal:,g}", met=bool(value <= goal), command=COMMAND
    )
