"""Days of the pacing policies alone, for wide sweeps: no lists, rules or routes, so seconds instead of minutes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dialer.bootstrap import POLICY_OF_MODE, leads_of
from dialer.core.lead import Lead
from dialer.studies.workers import Harvest, Progress, run_all
from sim.result import scenario_hash
from sim.scenario import Scenario

ALONE_S = 5.0  # of wall time: about what a worker process takes to load


@dataclass(frozen=True, slots=True, kw_only=True)
class FastSpec:
    """One scenario for the fast simulator, and the days to run of it: deriving it takes longer than a day does."""

    scenario: Scenario
    seeds: tuple[int, ...]
    policy: str | None = None  # None: the mode's own


@dataclass(frozen=True, slots=True, kw_only=True)
class FastDone:
    """What came of a scenario: the figures that the fast simulator knows by seed, and what it left out."""

    rows: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...]


def run_fast(spec: FastSpec, _: Progress | None = None) -> FastDone:
    """Run a scenario's days. Each begins with idle agents and nothing learned, as one of the engine's does."""
    # Imported here: it loads compiled code, for which a process without work need not wait.
    from sim import fast

    scenario = spec.scenario
    derived = fast.fast_of(scenario, _leads_of(scenario))
    policy = spec.policy or POLICY_OF_MODE[scenario.campaign.mode]
    told = {"scenario": scenario.scenario, "scenario_hash": scenario_hash(scenario)}
    days = (fast.run(derived, policy=policy, seed=seed, duration_s=scenario.duration) for seed in spec.seeds)
    return FastDone(rows=tuple({**told, **asdict(day)} for day in days), left_out=derived.left_out)


def _leads_of(scenario: Scenario) -> Sequence[Lead] | None:
    return None if scenario.population.list is None else leads_of(scenario, scenario.seed)


def run_all_fast(specs: Sequence[FastSpec], *, jobs: int, progress: Progress | None = None) -> Harvest[FastDone]:
    """Run every scenario's days: here, where most sweeps are done in seconds, and what is left after `ALONE_S` in
    `jobs` processes. Their results do not depend on where they are run."""
    done: list[FastDone | None] = []
    begun = time.monotonic()
    while len(done) < len(specs) and (jobs == 1 or not done or time.monotonic() - begun < ALONE_S):
        harvest = run_all(run_fast, specs[len(done) : len(done) + 1], jobs=1, progress=_after(len(done), progress))
        done += harvest.results
        if harvest.interrupted:
            return Harvest((*done, *[None] * (len(specs) - len(done))), interrupted=True)
    rest = run_all(run_fast, specs[len(done) :], jobs=jobs, progress=_after(len(done), progress))
    return Harvest((*done, *rest.results), rest.interrupted)


def _after(done: int, progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda count: progress(done + count)
