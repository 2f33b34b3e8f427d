"""Solvers of capacity problems: in a process of its own, beside the loop; and in place, where time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import structlog

from carriers.capacity import CapacityPrices, CapacityProblem
from dialer.adapters.worker_process import OneWorker, gave_way

SOLVED_WITHIN_S = 20.0

Log = structlog.typing.FilteringBoundLogger
Work = Callable[[CapacityProblem], CapacityPrices]
Priced = Callable[[CapacityPrices], None]


class InlineSolver:
    """Solves at once, before `solve` returns: the same problems have the same prices at the same virtual time."""

    def __init__(self, *, log: Log) -> None:
        self._log = log
        self._closed = False

    def solve(self, problem: CapacityProblem, priced: Priced) -> None:
        """Call `priced` now."""
        if self._closed:
            return
        try:
            prices = solved(problem)
        except Exception as error:
            self._log.error("capacity.unpriced", error=str(error))
        else:
            priced(prices)

    async def close(self) -> None:
        """Nothing is heard any more."""
        self._closed = True


class ProcessSolver:
    """Solves in one worker process, begun with the first problem and begun anew where it dies or takes too long.

    `work` is a function of a module: it runs in the worker.
    """

    def __init__(self, *, log: Log, within_s: float = SOLVED_WITHIN_S, work: Work | None = None) -> None:
        self._log = log
        self._within_s = within_s
        self._work = work or solved
        self._next: tuple[CapacityProblem, Priced] | None = None
        self._solving: asyncio.Task[None] | None = None
        self._worker = OneWorker(_warmed)
        self._closed = False

    def solve(self, problem: CapacityProblem, priced: Priced) -> None:
        """Solve beside the loop, as soon as the problem before is done."""
        if self._closed:
            return
        self._next = (problem, priced)
        if self._solving is None:
            self._solving = asyncio.get_running_loop().create_task(self._solve())

    async def close(self) -> None:
        """End the worker, whatever it does."""
        self._closed, self._next = True, None
        if self._solving is not None:
            self._solving.cancel()
            await asyncio.gather(self._solving, return_exceptions=True)
        await self._worker.end()

    @property
    def worker_pid(self) -> int | None:
        """The worker's process; None before the first problem and while there is none."""
        return self._worker.pid

    async def _solve(self) -> None:
        """Solve what waits, until nothing does."""
        try:
            while self._next is not None:
                (problem, priced), self._next = self._next, None
                prices = await self._priced(problem)
                if prices is not None and not self._closed:
                    priced(prices)
        finally:
            self._solving = None

    async def _priced(self, problem: CapacityProblem) -> CapacityPrices | None:
        """The prices, or None where there are none; a worker that was found dead is replaced, once."""
        for again in (True, False):
            try:
                executor = await self._worker.begun()
                async with asyncio.timeout(self._within_s):
                    return await asyncio.wrap_future(executor.submit(self._work, problem))
            except TimeoutError:
                self._log.error("solver.replaced", reason=f"no prices within {self._within_s:g} s")
                await self._worker.end()
                return None
            except (BrokenProcessPool, OSError) as error:
                self._log.error("solver.replaced", reason=str(error) or type(error).__name__)
                await self._worker.end()
                if not again:
                    return None
            except Exception as error:  # of the problem, not of the worker
                self._log.error("capacity.unpriced", error=str(error))
                return None
        return None


def solved(problem: CapacityProblem) -> CapacityPrices:
    """Solve a problem (`carriers.pricing.solve`)."""
    from carriers.pricing import solve  # imported here: half a second that only the worker is to spend

    return solve(problem)


def _warmed() -> int:
    """Load what solving needs, and give way to the loop where processors are short; returns this process's id."""
    import carriers.pricing  # noqa: F401

    return gave_way()
