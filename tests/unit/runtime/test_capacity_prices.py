"""What becomes of `PriceCapacity`: in the runtime through its solver, in the simulator in place."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from carriers.capacity import CapacityProblem
from carriers.pricing import problem_of, solve
from dialer.adapters.store.memory import MemoryStore
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from sim.clock import VirtualClock
from sim.runner import Runner
from tests.unit.core.bench_engine import START, OpenRules, ToldPolicy, campaign_of, lead_of
from tests.unit.runtime.stage import Stage

TRUNKS = len(campaign_of().trunks)
PROBLEM = problem_of(
    value=np.linspace(0.9, 0.1, TRUNKS)[:, None], demand=np.array([2.0]), set_ups_per_s=np.full(TRUNKS, 1.0)
)

BROKEN = msgspec.structs.replace(PROBLEM, demand=b"")


def asking(engine: Engine, cause: type[ev.Event], problem: CapacityProblem = PROBLEM) -> None:
    """Make the engine ask for prices as it hears of `cause`."""
    step = engine.step

    def step_and_ask(event: ev.Event) -> list[act.Action]:
        return [*step(event), *([act.PriceCapacity(problem=problem)] if isinstance(event, cause) else [])]

    engine.step = step_and_ask  # type: ignore[method-assign]


async def test_the_solver_s_prices_come_back_and_stand_in_the_journal() -> None:
    stage = Stage()
    asking(stage.runtime.engine, ev.LinkUp)
    async with stage.play():
        (priced,) = stage.heard(ev.CapacityPriced)
        assert priced == ev.CapacityPriced(at=START, prices=solve(PROBLEM))


async def test_a_problem_that_has_no_answer_ends_nothing() -> None:
    stage = Stage()
    asking(stage.runtime.engine, ev.LinkUp, BROKEN)
    async with stage.play():
        assert stage.heard(ev.CapacityPriced) == [] and not stage.runtime.ended
        assert await stage.dial(1)


async def test_the_solver_is_closed_with_the_run_and_heard_no_more() -> None:
    stage = Stage()
    async with stage.play():
        stage.runtime.stop("the test")
        await stage.end()
    told = len(stage.trail)
    stage.runtime._solver.solve(PROBLEM, stage.runtime._priced)
    assert len(stage.trail) == told and stage.heard(ev.CapacityPriced) == []


class StillWorld:
    """Nobody is called here."""

    def begin(self, emit: Any) -> None:
        emit(ev.LinkUp(at=START))

    def perform(self, actions: Any) -> None:
        pass


class Log:
    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def append(self, event: ev.Event, _: Any) -> None:
        self.events.append(event)


def test_in_the_simulator_prices_come_at_the_same_virtual_time() -> None:
    policies = {"progressive": ToldPolicy(policy_id="told-progressive-v1"), "predictive": ToldPolicy()}
    engine = Engine(campaign_of(), rules=OpenRules(), policies=policies, run=1, seed=1)  # type: ignore[arg-type]
    asking(engine, ev.LinkUp)
    log = Log()
    runner = Runner(engine, StillWorld(), VirtualClock(START), MemoryStore(), log=log)  # type: ignore[arg-type]
    runner.begin([lead_of("L1")], until=START + 60.0)
    assert [event for event in log.events if isinstance(event, ev.CapacityPriced)] == [
        ev.CapacityPriced(at=START, prices=solve(PROBLEM))
    ]
