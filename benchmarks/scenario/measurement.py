"""Many days of many settings in worker processes. The same seed means the same people for every setting."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from benchmarks.scenario.bounds import Bound, Means, bound_of
from benchmarks.scenario.days import Days, Point, Setting
from benchmarks.scenario.worlds import World
from dialer.studies.workers import Progress, run_all
from sim.fast.simulate import run_days

DAY_S = 8 * 3600.0
TOLD_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row of one campaign that begins with nothing known."""

    world: World
    setting: Setting
    seed: int
    days: int
    warm_up_s: float  # at the start of each day, not measured
    day_s: float = DAY_S


@dataclass(frozen=True, slots=True)
class Sample:
    """Which days a setting is measured on: so many in a row for each seed."""

    seeds: tuple[int, ...]
    days: int
    warm_up_s: float = 0.0
    agent_days: float = inf  # no more than these for each seed, but two days at least: large floors vary less
    day_s: float = DAY_S

    def runs(self, world: World, setting: Setting) -> list[Run]:
        """Return the runs, in the order of the seeds."""
        days = min(self.days, max(2, int(min(self.agent_days / world.scenario.agents, self.days))))
        return [Run(world, setting, seed, days, self.warm_up_s, self.day_s) for seed in self.seeds]


Measured = Mapping[tuple[str, Setting], Point]  # by the world's name and the setting


def play(run: Run, _: Progress | None = None) -> Days:
    """Play one campaign's days."""
    scenario, target = run.world.scenario, run.setting.target_abandon_rate
    if target is not None:
        scenario = replace(scenario, target_abandon_rate=target)
    results = run_days(
        scenario,
        policy=run.setting.policy,
        constants=dict(run.setting.constants),
        seed=run.seed,
        days=run.days,
        duration_s=run.day_s,
        warm_up_s=run.warm_up_s,
    )
    return Days.of(results)


def measure(cases: Iterable[tuple[World, Setting]], sample: Sample, *, jobs: int, label: str = "") -> Measured:
    """Measure every setting in its world; each pair once, however often it is named."""
    wanted = list(dict.fromkeys(cases))
    runs = [run for world, setting in wanted for run in sample.runs(world, setting)]
    days = in_workers(play, runs, cost=_cost, jobs=jobs, label=label)
    per_case = len(sample.seeds)
    return {
        (world.name, setting): Point(setting, Days.joined(days[place * per_case : (place + 1) * per_case]))
        for place, (world, setting) in enumerate(wanted)
    }


def solve_bounds(worlds: Sequence[World], rates: Sequence[float], *, jobs: int) -> dict[str, Bound]:
    """Return what could be reached in each world, by its name."""
    asked = [_Asked(world.means, world.markov, tuple(rates)) for world in worlds]
    bounds = in_workers(_solve, asked, cost=lambda one: float(one.means.agents) ** 2, jobs=jobs, label="bounds")
    return {world.name: bound for world, bound in zip(worlds, bounds, strict=True)}


@dataclass(frozen=True, slots=True)
class _Asked:
    means: Means
    exact: bool
    rates: tuple[float, ...]


def _solve(asked: _Asked, _: Progress | None = None) -> Bound:
    return bound_of(asked.means, exact=asked.exact, rates=asked.rates)


def _cost(run: Run) -> float:
    return run.days * run.day_s * run.world.scenario.agents * (4.0 if run.setting.policy == "priced-v1" else 1.0)


def in_workers(run: Callable[..., object], tasks: Sequence, *, cost: Callable, jobs: int, label: str) -> list:  # type: ignore[type-arg]
    """Run tasks, the longest first so that no worker is left with one at the end; results in the tasks' order."""
    order = sorted(range(len(tasks)), key=lambda place: -cost(tasks[place]))
    harvest = run_all(run, [tasks[place] for place in order], jobs=jobs, progress=_teller(label, len(tasks)))
    if harvest.interrupted:
        raise KeyboardInterrupt
    results: list[object] = [None] * len(tasks)
    for place, result in zip(order, harvest.results, strict=True):
        results[place] = result
    return results


def _teller(label: str, tasks: int) -> Progress:
    """Tell on stderr how much is done, every now and then."""
    begun = told = time.monotonic()

    def tell(done: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TOLD_EVERY_S:
            told = now
            print(f"{label}: {done:.0f} of {tasks} after {now - begun:.0f} s", file=sys.stderr, flush=True)

    return tell
