"""What is run: policies in worlds, one job a world, on as many processes as there are workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.carriers.diversion import Diversion, degradations, outages
from benchmarks.carriers.logged import Checked, checked
from benchmarks.carriers.oracle import Oracle, oracle
from benchmarks.carriers.policies import OURS, POLICIES, solve
from benchmarks.carriers.trial import Trial, ratios_of, run_trial
from benchmarks.carriers.world import Variant, World, make_world

WORKERS = 2
DESK = "desk"  # ours behind the desk: circuits, and failed tries that are tried again


@dataclass(frozen=True, slots=True)
class Job:
    """One world, and the policies that are run in it."""

    variant: Variant
    seed: int
    minutes: int
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one policy came to in one world. Shares are fractions, money is in currency."""

    variant: Variant
    seed: int
    policy: str
    regret: float  # of the oracle's net
    net: float  # for 1,000 calls
    contacts: float  # for 1,000 calls
    cost_per_contact: float
    us_per_call: float
    solver_ms: float | None
    explored: float
    most_waiting: int
    beyond_limits: int
    surcharges: float  # for 1,000 calls
    short_shares: tuple[float, ...]  # of each surcharged account's answered calls
    cancelled_shares: tuple[float, ...]  # of its calls
    false_share: float  # of the calls that went to carriers that answer themselves
    outages: tuple[Diversion, ...]
    degradations: tuple[Diversion, ...]
    checked: tuple[Checked, ...]
    lost: tuple[float, ...]  # by minute: the oracle's net less the policy's


def run_all(jobs: Sequence[Job]) -> list[Run]:
    """Run the jobs, the first ones first, with a bar of progress; results come in any order."""
    runs: list[Run] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("worlds", total=len(jobs))
        for found in _results(jobs):
            runs += found
            bar.advance(task)
    return runs


def _results(jobs: Sequence[Job]) -> Iterator[list[Run]]:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run_job, job) for job in jobs]):
            yield done.result()


def run_job(job: Job) -> list[Run]:
    """Run a job's policies in its world, one after the other."""
    world = make_world(job.seed, job.variant, minutes=job.minutes)
    best = oracle(world)
    return [_measured(world, best, policy, _trial(world, policy)) for policy in job.policies]


def _trial(world: World, policy: str) -> Trial:
    if policy == DESK:
        from benchmarks.carriers.desk import run_desk

        return run_desk(world)
    _warm_up(policy)
    return run_trial(world, POLICIES[policy].make, solve=solve, tells_surcharges=POLICIES[policy].tells_surcharges)


def _warm_up(policy: str) -> None:
    """Have everything compiled and loaded before it is timed."""
    world = make_world(0, minutes=60)
    run_trial(world, POLICIES[policy].make, solve=solve, until_s=45)


def _measured(world: World, best: Oracle, policy: str, trial: Trial) -> Run:
    log, calls = trial.log, trial.calls
    short, cancelled = ratios_of(log)
    to_false = world.false_answer[log.trunk] > 0.0
    return Run(
        variant=world.variant,
        seed=world.seed,
        policy=policy,
        regret=1.0 - trial.net / best.net,
        net=1e3 * trial.net / calls,
        contacts=1e3 * trial.contacts / calls,
        cost_per_contact=trial.cost / trial.contacts,
        us_per_call=1e6 * trial.router_s / calls,
        solver_ms=1e3 * trial.solver_s / trial.solved if trial.solved else None,
        explored=trial.explored,
        most_waiting=trial.most_waiting,
        beyond_limits=trial.beyond_limits,
        surcharges=1e3 * trial.surcharges / calls,
        short_shares=tuple(short[world.surcharged].tolist()),
        cancelled_shares=tuple(cancelled[world.surcharged].tolist()),
        false_share=float(np.mean(to_false & (log.trunk >= 0))),
        outages=tuple(outages(world, placed=log.placed, trunk=log.trunk)),
        degradations=tuple(degradations(world, best.flow, placed=log.placed, trunk=log.trunk, cell=log.cell)),
        checked=tuple(checked(world, log)) if policy == OURS and world.variant == "base" else (),
        lost=tuple((best.by_minute - trial.by_minute).tolist()),
    )
