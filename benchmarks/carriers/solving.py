"""How long capacity prices take, and that the loop does not wait for them.

Problems are of the shape of the hidden-truth world: values from effects of carriers, regions, destination carriers and
cells, room for 80, 105 and 170 % of the calls; half of them with channels and surcharges, too. Times of the solver are
of the processor: what one core needs. The longest gap of the loop is real time, the begin of the worker included: how
late a timer of a millisecond was. Other work on the machine makes it longer, so the same is measured without a problem.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import structlog

from benchmarks.report import Row
from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.pricing import problem_of, solve
from dialer.adapters.solver import ProcessSolver

COMMAND = "./run bench carriers"
SMALL, SMALL_MS = (8, 120), 20.0
LARGE, LARGE_MS = (100, 1000), 2000.0
GAP_MS, TICK_S = 10.0, 0.001
ROOM = (0.8, 1.05, 1.7)
DESTINATIONS = 4
SMALL_SEEDS, LARGE_SEEDS = 40, 8
SOLVED_IN_PROCESS = 5


def solver_rows(quick: bool) -> list[Row]:
    """The rows of the solver: its time for both sizes, and the longest gap of the loop meanwhile."""
    rows = []
    for (trunks, cells), goal_ms, seeds in ((SMALL, SMALL_MS, SMALL_SEEDS), (LARGE, LARGE_MS, LARGE_SEEDS)):
        p95_ms, median_ms = _solver_ms(trunks, cells, seeds=max(2, seeds // 4) if quick else seeds)
        bar = f"prices of {trunks} x {cells}, processor ms, 95th percentile (median {median_ms:.1f})"
        rows.append(_row(bar, p95_ms, goal_ms))
    problems = [shaped_problem(*LARGE, seed=seed, room=1.05) for seed in range(2 if quick else SOLVED_IN_PROCESS)]
    longest_ms, solving_s = asyncio.run(_while_solving(problems))
    idle_ms = asyncio.run(_while_idle(solving_s))
    bar = f"longest gap of the loop, ms, while a process solves {LARGE[0]} x {LARGE[1]} (without: {idle_ms:.1f})"
    rows.append(_row(bar, longest_ms, GAP_MS))
    return rows


def _row(bar: str, value: float, goal: float) -> Row:
    return Row(
        bench="carriers", bar=bar, value=round(value, 2), goal=f"<= {goal:g}", met=value <= goal, command=COMMAND
    )


def _solver_ms(trunks: int, cells: int, *, seeds: int) -> tuple[float, float]:
    """(95th percentile, median) of the processor's milliseconds."""
    solve(shaped_problem(trunks, cells, seed=0, room=1.0))  # the first call loads
    spent = []
    for room in ROOM:
        for seed in range(seeds):
            problem = shaped_problem(trunks, cells, seed=seed, room=room)
            begun = time.process_time()
            solve(problem)
            spent.append(1e3 * (time.process_time() - begun))
    return float(np.quantile(spent, 0.95)), float(np.median(spent))


async def _while_solving(problems: list[CapacityProblem]) -> tuple[float, float]:
    """Have a process solve one after the other: (the longest gap in milliseconds, seconds in all)."""
    solver = ProcessSolver(log=structlog.get_logger())
    solved = asyncio.Event()

    def priced(_: CapacityPrices) -> None:
        solved.set()

    begun, gaps = time.perf_counter(), []
    try:
        for problem in problems:
            solved.clear()
            before = time.perf_counter()
            solver.solve(problem, priced)
            while not solved.is_set():
                await asyncio.sleep(TICK_S)
                now = time.perf_counter()
                gaps.append(now - before - TICK_S)
                before = now
    finally:
        await solver.close()
    return 1e3 * max(gaps), time.perf_counter() - begun


async def _while_idle(seconds: float) -> float:
    """The longest gap, in milliseconds, where there is nothing to solve."""
    longest, end = 0.0, time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        await asyncio.sleep(TICK_S)
        longest = max(longest, time.perf_counter() - before - TICK_S)
    return 1e3 * longest


def shaped_problem(trunks: int, cells: int, *, seed: int, room: float) -> CapacityProblem:
    """A problem of the world's shape; those of odd seeds have channels and surcharges, too."""
    rng = np.random.default_rng(seed)
    region, destination = np.arange(cells) // DESTINATIONS, np.arange(cells) % DESTINATIONS
    by_region = rng.normal(0.0, 0.22, (trunks, cells // DESTINATIONS + 1))[:, region]
    by_destination = rng.normal(0.0, 0.3, (trunks, DESTINATIONS))[:, destination]
    logit = rng.normal(-1.9, 0.45, cells) + rng.normal(0.0, 0.18, (trunks, 1)) + by_region + by_destination
    contact = 1.0 / (1.0 + np.exp(-logit - rng.normal(0.0, 0.12, (trunks, cells))))
    value = contact * (0.25 - rng.uniform(0.008, 0.029, (trunks, 1))) - rng.uniform(0.0002, 0.0012, (trunks, 1))
    calls = 2.5 * trunks
    set_ups = rng.dirichlet(np.full(trunks, 6.0)) * calls * room
    arrays: dict[str, Any] = {
        "value": value,
        "demand": rng.dirichlet(np.full(cells, 3.0)) * calls,
        "set_ups_per_s": set_ups,
    }
    if seed % 2 == 0:
        return problem_of(**arrays)
    account = np.arange(trunks) // 2
    accounts = int(account[-1]) + 1
    return problem_of(
        **arrays,
        held_s=20.0 + 40.0 * contact,
        channels=set_ups * rng.uniform(20.0, 34.0, trunks),
        account=account,
        account_set_ups_per_s=np.bincount(account, 0.9 * set_ups).astype(np.float64),
        answered=contact * 1.4,
        short=contact * rng.uniform(0.05, 0.3, (trunks, 1)),
        cancelled=1.0 - 1.5 * np.minimum(contact, 0.6),
        short_above=np.full(accounts, 0.15),
        short_fee=np.full(accounts, 0.01),
        cancelled_above=np.full(accounts, 0.2),
        cancelled_fee=np.where(np.arange(accounts) % 3 == 0, 0.005, 0.0),
    )
