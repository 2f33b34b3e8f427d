"""The solver in place and the solver in a process of its own pass the same checks; and what becomes of the process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from check_solver import CHECKS, Bench, problem

from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.pricing import solve
from dialer.adapters.solver import InlineSolver, ProcessSolver

LOGGED = structlog.testing.CapturingLogger


@asynccontextmanager
async def process_bench(**settings: Any) -> AsyncIterator[tuple[Bench, ProcessSolver, list[str]]]:
    log = LOGGED()
    solver = ProcessSolver(log=log, **settings)  # type: ignore[arg-type]
    try:
        yield Bench(solver=solver), solver, log.calls
    finally:
        await solver.close()


@pytest.mark.parametrize("kind", ["inline", "process"])
@pytest.mark.parametrize("check", CHECKS)
async def test_solver(check: str, kind: str) -> None:
    if kind == "inline":
        await CHECKS[check](Bench(solver=InlineSolver(log=LOGGED())))  # type: ignore[arg-type]
        return
    async with process_bench() as (bench, _, _):
        await CHECKS[check](bench)


async def test_in_place_the_prices_are_there_at_once() -> None:
    bench = Bench(solver=InlineSolver(log=LOGGED()))  # type: ignore[arg-type]
    bench.ask(problem(1.0))
    assert bench.told == [solve(problem(1.0))]


async def test_no_process_is_begun_before_the_first_problem() -> None:
    before = len(multiprocessing.active_children())
    async with process_bench() as (_, solver, _):
        assert solver.worker_pid is None and len(multiprocessing.active_children()) == before


async def test_a_problem_that_a_newer_one_overtakes_is_never_solved() -> None:
    async with process_bench() as (bench, _, _):
        for gain in range(1, 9):
            bench.ask(problem(float(gain)))
        await bench.until_told(solve(problem(8.0)))
        assert len(bench.told) == 1, "none had been begun, so the last replaced all others"


async def test_a_worker_that_died_is_replaced() -> None:
    async with process_bench() as (bench, solver, logged):
        bench.ask(problem(1.0))
        await bench.until_told(solve(problem(1.0)))
        first = solver.worker_pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        bench.ask(problem(2.0))
        await bench.until_told(solve(problem(2.0)))
        assert solver.worker_pid not in (None, first) and not _lives(first)
        assert any(call.args == ("solver.replaced",) for call in logged)


async def test_an_interrupt_is_for_the_parent() -> None:
    async with process_bench() as (bench, solver, logged):
        bench.ask(problem(1.0))
        await bench.until_told(solve(problem(1.0)))
        first = solver.worker_pid
        assert first is not None
        os.kill(first, signal.SIGINT)
        bench.ask(problem(2.0))
        await bench.until_told(solve(problem(2.0)))
        assert solver.worker_pid == first and logged == []


def stuck_at_nine(told: CapacityProblem) -> CapacityPrices:
    """Never answer a gain of nine."""
    if told == problem(9.0):
        signal.pause()
    return solve(told)


async def test_a_worker_that_takes_too_long_is_replaced() -> None:
    async with process_bench(within_s=1.0, work=stuck_at_nine) as (bench, solver, logged):
        bench.ask(problem(9.0))
        while not logged:
            await asyncio.sleep(0.01)
        assert solver.worker_pid is None
        # A machine that is very busy may take more than the second for this one, too.
        while not bench.told:
            bench.ask(problem(1.0))
            await asyncio.sleep(0.05)
        assert bench.told[0] == solve(problem(1.0))


async def test_the_end_does_not_wait_for_a_problem_that_is_under_way() -> None:
    async with process_bench(within_s=3600.0, work=stuck_at_nine) as (bench, solver, _):
        bench.ask(problem(1.0))
        await bench.until_told(solve(problem(1.0)))
        pid = solver.worker_pid
        assert pid is not None
        bench.ask(problem(9.0))
        await asyncio.sleep(0)
        async with asyncio.timeout(60.0):
            await solver.close()
        assert not _lives(pid)


async def test_an_end_while_the_worker_begins_leaves_none_behind() -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    async with process_bench() as (bench, solver, _):
        bench.ask(problem(1.0))
        await asyncio.sleep(0)
        await solver.close()
        assert {child.pid for child in multiprocessing.active_children()} == before and bench.told == []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
