"""What is run: for each seed, a world and its past, a model trained on it, and every policy in both regimes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.models.policies import OURS, POLICIES, RandomOrder, Start
from benchmarks.models.world import (
    BEGIN,
    GAP_H,
    HOURS,
    LEADS,
    PAST_AN_HOUR,
    PAST_DAYS,
    PER_DAY,
    PER_WEEK,
    SLOTS,
    WEAR_HALF_LIFE_H,
    Standing,
    World,
    call,
    make_world,
    past,
)  # fmt: skip
from models.attempts import AttemptLog, Result, Singles, joined
from models.bound import fluid_bound
from models.bundle import ModelBundle
from models.evaluation import Scores, scores
from models.exploration import effective_sample
from models.features import History
from models.training import trained

WORKERS = 2
DAYS, TEST_DAYS = 5, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One seed, and how large its world is."""

    seed: int
    leads: int = LEADS
    past_days: int = PAST_DAYS
    past_an_hour: int = PAST_AN_HOUR
    regimes: tuple[tuple[str, int], ...] = (("scarce", 1000), ("ample", 3000))
    policies: tuple[str, ...] = tuple(POLICIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one policy came to in one regime of one world."""

    seed: int
    regime: str
    policy: str
    attempts: int
    answers: int
    contacts: int  # right-party
    bound: float  # on the right-party contacts of any policy
    told: Scores | None  # what it told of its own calls
    randomised: float  # share of its calls whose hour or gap was drawn by lot
    effective: float  # how many equally likely ones those are worth
    cpu_s: float

    @property
    def per_1000(self) -> float:
        """Right-party contacts of 1,000 attempts."""
        return 1e3 * self.contacts / self.attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good the model of one seed is on days in random order after its training."""

    seed: int
    rows: int  # trained on
    train_cpu_s: float
    model: Scores
    truth: Scores  # of the true chances: nothing tells more


def run_all(jobs: Sequence[Job]) -> tuple[list[Run], list[Quality]]:
    """Run the jobs with a bar of progress; results by seed."""
    runs: list[Run] = []
    qualities: list[Quality] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("worlds", total=len(jobs))
        for found, quality in _results(jobs):
            runs += found
            qualities.append(quality)
            bar.advance(task)
    return sorted(runs, key=lambda run: run.seed), sorted(qualities, key=lambda quality: quality.seed)


def _results(jobs: Sequence[Job]) -> Iterator[tuple[list[Run], Quality]]:
    if len(jobs) == 1:
        yield run_job(jobs[0])
        return
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run_job, job) for job in jobs]):
            yield done.result()


def run_job(job: Job) -> tuple[list[Run], Quality]:
    """Train on a world's past, then run the policies from its end, one after the other."""
    world = make_world(job.seed, job.leads)
    log, standing = past(world, job.past_days, job.past_an_hour)
    begun = time.process_time()
    model = trained(log, world.table, seed=job.seed, now=BEGIN + 86400.0 * job.past_days, nthread=1).bundle
    spent = time.process_time() - begun
    quality = _quality(world, log, standing, model, job, spent)
    runs = []
    for regime, an_hour in job.regimes:
        bound = _bound(world, standing, job.past_days, an_hour)
        start = Start(world=world, past=log, model=model, an_hour=an_hour)
        runs += [run_policy(start, standing, name, regime, job.past_days, bound) for name in job.policies]
    return runs, quality


def run_policy(start: Start, standing: Standing, name: str, regime: str, first_day: int, bound: float) -> Run:
    """Have one policy call for five days, from the past's end."""
    begun = time.process_time()
    policy, standing = POLICIES[name](start), standing.copy()
    told = []
    for day in range(first_day, first_day + DAYS):
        standing.begin_day()
        for slot, hour in enumerate(HOURS):
            standing.rest_until(24.0 * day + hour)
            choice = policy.choose(standing, slot, standing.may_be_called())
            policy.learn(call(start.world, standing, slot, choice.leads, choice.propensity))
            told.append(choice.told)
    log = joined(standing.log)
    lots = log.propensity[np.isfinite(log.propensity)].astype(np.float64)
    return Run(
        seed=start.world.seed,
        regime=regime,
        policy=name,
        attempts=len(log),
        answers=int(log.answered.sum()),
        contacts=int((log.result == Result.RIGHT_PARTY).sum()),
        bound=bound,
        told=_told(log, told) if name == OURS else None,
        randomised=len(lots) / len(log),
        effective=effective_sample(1.0 / lots),
        cpu_s=time.process_time() - begun,
    )


def _told(log: AttemptLog, told: list[Singles | None]) -> Scores:
    chances = np.concatenate([each for each in told if each is not None])
    known = np.isfinite(chances)
    return scores(log.answered[known], chances[known])


def _quality(world: World, log: AttemptLog, standing: Standing, model: ModelBundle, job: Job, spent: float) -> Quality:
    """Call in random order for two days, and compare what the model and what the truth said."""
    standing = standing.copy()
    lot = RandomOrder(Start(world=world, past=log, model=model, an_hour=job.past_an_hour))
    truth = []
    for day in range(job.past_days, job.past_days + TEST_DAYS):
        standing.begin_day()
        for slot, hour in enumerate(HOURS):
            standing.rest_until(24.0 * day + hour)
            leads = lot.choose(standing, slot, standing.may_be_called()).leads
            truth.append(world.answer(standing.wear, np.array([slot]), leads)[:, 0])
            call(world, standing, slot, leads)
    test = joined(standing.log)
    history = History(len(world))
    history.observe(log)
    said = model.answer(history.features_and_observe(test, world.table, model.feature_set))
    return Quality(
        seed=world.seed,
        rows=len(log),
        train_cpu_s=spent,
        model=scores(test.answered, said),
        truth=scores(test.answered, np.concatenate(truth).astype(np.float32)),
    )


def _bound(world: World, standing: Standing, first_day: int, an_hour: int) -> float:
    """No policy expects more right-party contacts: here calls tire nobody, and people rest from those before."""
    wear = [
        standing.wear * 0.5 ** ((24.0 * day + HOURS.mean() - standing.at_h) / WEAR_HALF_LIFE_H)
        for day in range(first_day, first_day + DAYS)
    ]
    answer = np.stack([world.answer(each, np.arange(SLOTS)) for each in wear], axis=1)
    capacity = np.full((DAYS, SLOTS), float(an_hour))
    return fluid_bound(
        answer, world.right_party, capacity, per_day=PER_DAY, per_week=PER_WEEK, gap=int(GAP_H), seed=world.seed
    ).contacts
