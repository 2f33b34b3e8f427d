"""What every `Solver` must do, in place or in a process of its own. Each check takes a bench with a fresh solver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.pricing import problem_of, solve
from dialer.ports import Solver


@dataclass(kw_only=True)
class Bench:
    """A solver, and the prices that it told, in order."""

    solver: Solver
    told: list[CapacityPrices] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, problem: CapacityProblem) -> None:
        self.solver.solve(problem, self._tell)

    def _tell(self, prices: CapacityPrices) -> None:
        self.told.append(prices)
        self.changed.set()

    async def until_told(self, prices: CapacityPrices, limit_s: float = 60.0) -> None:
        """Wait until these prices are the last that were told."""
        async with asyncio.timeout(limit_s):
            while not self.told or self.told[-1] != prices:
                self.changed.clear()
                await self.changed.wait()


Check = Callable[[Bench], Awaitable[None]]


def problem(gain: float) -> CapacityProblem:
    """Two trunks, the better one with room for half of the calls: its set-up is worth the gain."""
    return problem_of(value=np.array([[1.0 + gain], [1.0]]), demand=np.array([2.0]), set_ups_per_s=np.array([1.0, 5.0]))


def broken() -> CapacityProblem:
    """A problem with half an array."""
    return msgspec.structs.replace(problem(1.0), demand=b"\0\0")


async def check_prices_are_those_of_the_program(bench: Bench) -> None:
    bench.ask(problem(0.5))
    await bench.until_told(solve(problem(0.5)))
    assert [round(price, 6) for price in bench.told[-1].set_up] == [0.5, 0.0]


async def check_the_last_of_many_problems_is_answered_last(bench: Bench) -> None:
    gains = [1.0, 2.0, 3.0, 4.0]
    for gain in gains:
        bench.ask(problem(gain))
    await bench.until_told(solve(problem(gains[-1])))
    told = [round(prices.set_up[0], 6) for prices in bench.told]
    assert told == sorted(told) and set(told) <= set(gains), "prices came twice, or out of order"


async def check_problems_after_each_other_are_all_answered(bench: Bench) -> None:
    for gain in (1.0, 2.0, 3.0):
        bench.ask(problem(gain))
        await bench.until_told(solve(problem(gain)))
    assert len(bench.told) == 3


async def check_a_broken_problem_is_followed_by_the_next(bench: Bench) -> None:
    bench.ask(broken())
    for _ in range(3):
        await asyncio.sleep(0)
    bench.ask(problem(1.0))
    await bench.until_told(solve(problem(1.0)))
    assert len(bench.told) == 1


async def check_nothing_is_heard_after_the_end(bench: Bench) -> None:
    bench.ask(problem(1.0))
    await bench.until_told(solve(problem(1.0)))
    bench.ask(problem(2.0))
    await bench.solver.close()
    told = len(bench.told)
    bench.ask(problem(3.0))
    for _ in range(10):
        await asyncio.sleep(0)
    await bench.solver.close()
    assert len(bench.told) == told


async def check_one_that_was_never_asked_ends(bench: Bench) -> None:
    await bench.solver.close()
    await bench.solver.close()
    assert bench.told == []


CHECKS: dict[str, Check] = {name: check for name, check in list(globals().items()) if name.startswith("check_")}
