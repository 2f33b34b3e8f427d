"""What every `Planner` must do, in place or in a process of its own, with real models and journals on disk.

Each check takes a bench with a fresh planner, which is begun by the check: what is on disk may be changed before.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import structlog

from dialer.adapters.attempt_history import read_campaign_history
from dialer.adapters.model_registry import ModelRegistry
from dialer.adapters.planner import MOST_REPLACED, PlanSource, planning_of
from dialer.core.lead import Lead
from dialer.ports import Planner
from models.bundle import TrainingSettings
from models.plan import HourPlan, PlanRequest, pack, unpack
from models.planning import PlanSettings
from models.training import trained
from tests.integration.past_days import past_leads, write_past
from tests.unit.models.plan_bench import DAY_S, HOUR_S, MONDAY, Told, Zone, request_of

CAMPAIGN = "mora"
LEADS, PAST_DAYS = 300, 8
LIMA = Zone(offset_h=-5.0)
TODAY = MONDAY + PAST_DAYS * DAY_S + 6 * HOUR_S
AT = MONDAY + PAST_DAYS * DAY_S + 15 * HOUR_S  # ten in the morning in Lima


@dataclass(frozen=True)
class Past:
    """A data folder with journals and two versions, the first of them champion."""

    data: Path
    leads: Sequence[Lead]
    models: tuple[str, str]

    def copy(self, folder: Path) -> Past:
        return Past(Path(shutil.copytree(self.data, folder)), self.leads, self.models)

    @property
    def registry(self) -> ModelRegistry:
        return ModelRegistry(self.data, CAMPAIGN)

    @property
    def source(self) -> PlanSource:
        return PlanSource(data=str(self.data), campaign=CAMPAIGN, now=AT, settings=PlanSettings(explore=0.1, seed=7))


def make_past(data: Path) -> Past:
    leads = past_leads(LEADS)
    write_past(data, leads, first_day=MONDAY, days=PAST_DAYS, a_day=250, campaign=CAMPAIGN)
    past = read_campaign_history(data, CAMPAIGN, now=AT)
    quick = TrainingSettings(least_for_trees=100)
    first = trained(past.log, past.table, settings=quick, seed=1, now=TODAY, nthread=1).bundle
    other = trained(past.log, past.table, settings=quick, seed=2, now=TODAY + 60.0, nthread=1).bundle
    registry = ModelRegistry(data, CAMPAIGN)
    for model in (first, other):
        registry.add(model, at=TODAY)
    registry.promote(first.id, at=TODAY)
    return Past(data, leads, (first.id, other.id))


def request(number: int, **columns: object) -> PlanRequest:
    return request_of(AT + 60.0 * number, LEADS, zones=(LIMA,), number=number, attempts=40.0, **columns)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Bench:
    """A planner on a data folder, what it opened by, and the plans that it told, in order."""

    planner: Planner
    past: Past
    log: structlog.testing.CapturingLogger
    opened: list[tuple[str, ...]] = field(default_factory=list)
    told: list[HourPlan] = field(default_factory=list)

    def begin(self) -> None:
        self.planner.begin(self.past.leads, self.opened.append)

    def ask(self, asked: PlanRequest) -> None:
        self.planner.plan(asked, self.told.append)

    async def until(self, condition: Callable[[], bool], limit_s: float = 60.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.005)

    async def begun(self) -> None:
        before = len(self.opened)
        self.begin()
        await self.until(lambda: len(self.opened) > before)

    async def plan_of(self, asked: PlanRequest) -> HourPlan:
        """Ask, and wait for the answer."""
        self.ask(asked)
        await self.until(lambda: bool(self.told) and self.told[-1].number == asked.number)
        return self.told[-1]

    @property
    def logged(self) -> list[str]:
        """What was logged, one text an entry."""
        return [f"{call.args} {call.kwargs}" for call in self.log.calls]


Check = Callable[[Bench], Awaitable[None]]


async def check_equal_requests_have_the_plans_of_the_planning_itself(bench: Bench) -> None:
    await bench.begun()
    ended = [Told(lead, AT + 30.0) for lead in range(0, LEADS, 7)]
    asked = [request(1), request(2, lead=[], ended=ended), request(3, lead=[4, 5], region=[-1, 0])]
    desk, told = planning_of(bench.past.source, bench.past.leads)
    assert desk is not None and told == [] and bench.opened == [(bench.past.models[0],)]
    for one in asked:
        assert await bench.plan_of(one) == desk.plan(one)
    answers = unpack(bench.told[0].answer, "<f4")
    assert np.isfinite(answers).all() and 0.0 < answers.min() < answers.max() < 1.0
    assert len(unpack(bench.told[0].order, "<i4")) > 0.8 * LEADS


async def check_without_a_model_nothing_is_heard(bench: Bench) -> None:
    bench.past.registry.rollback(at=TODAY)
    await _silent(bench)
    assert bench.logged == []


async def check_a_champion_that_is_cut_short_is_told_and_nothing_is_heard(bench: Bench) -> None:
    path = bench.past.registry.folder / bench.past.models[0] / "answer.tables.json"
    path.write_bytes(path.read_bytes()[:40])
    await _silent(bench)
    (line,) = bench.logged
    assert bench.past.models[0] in line and "goes by the tables" in line


async def _silent(bench: Bench) -> None:
    bench.begin()
    bench.ask(request(1))
    planner = bench.planner
    await bench.until(lambda: getattr(planner, "over", True))
    bench.ask(request(2))
    await asyncio.sleep(0)
    assert bench.opened == [] and bench.told == []


async def check_a_promotion_holds_from_the_next_plan_on_and_so_does_going_back(bench: Bench) -> None:
    registry, (one, other) = bench.past.registry, bench.past.models
    await bench.begun()
    first = await bench.plan_of(request(1))
    registry.promote(other, at=TODAY)
    second = await bench.plan_of(request(2, lead=[]))
    assert (first.models, second.models) == ((one,), (other,)) and first.answer != second.answer
    registry.rollback(at=TODAY)
    assert (await bench.plan_of(request(3, lead=[]))).models == (one,)
    registry.promote(other, at=TODAY, challenger_share=0.3)
    assert (await bench.plan_of(request(4, lead=[]))).models == (one, other)
    registry.retire(one, at=TODAY)  # the tables alone
    registry.retire(other, at=TODAY)
    bench.ask(request(5, lead=[], ended=[Told(1, AT + 290.0)]))
    await bench.until(lambda: "no model serves any more" in "".join(bench.logged))
    registry.promote(other, at=TODAY)
    plan = await bench.plan_of(request(6, lead=[]))
    assert plan.models == (other,) and [told.number for told in bench.told] == [1, 2, 3, 4, 6]


async def check_one_promoted_that_is_broken_leaves_the_tables_and_is_told(bench: Bench) -> None:
    registry, other = bench.past.registry, bench.past.models[1]
    await bench.begun()
    await bench.plan_of(request(1))
    registry.promote(other, at=TODAY)
    path = registry.folder / other / "manifest.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    bench.ask(request(2, lead=[]))
    await bench.until(lambda: any(other in line and "no model serves" in line for line in bench.logged))
    path.write_bytes(whole)
    assert (await bench.plan_of(request(3, lead=[]))).models == (other,)
    (registry.folder / "registry.json").write_bytes(b"{")
    plan = await bench.plan_of(request(4, lead=[]))
    assert plan.models == (other,) and any("registry.json:1" in line for line in plan.told)
    assert [told.number for told in bench.told] == [1, 3, 4]


async def check_a_request_that_does_not_fit_is_told_and_the_next_is_answered(bench: Bench) -> None:
    await bench.begun()
    bench.ask(msgspec.structs.replace(request(1), lead=pack([LEADS] * LEADS, "<i4")))
    bench.ask(request(2, lead=[3]))  # a change, before all leads were told: there is nothing to plan
    plan = await bench.plan_of(request(3))
    assert [told.number for told in bench.told] == [3] and plan.models == bench.opened[0]
    (line,) = bench.logged
    assert f"expected leads in [0, {LEADS - 1}]" in line
    assert len(bench.opened) == 2, "it was not told all again"


async def check_after_a_refused_request_all_is_asked_again_and_no_outcome_is_lost(bench: Bench) -> None:
    await bench.begun()
    await bench.plan_of(request(1))
    ended = [Told(lead, AT + 70.0) for lead in range(LEADS)]
    bench.ask(msgspec.structs.replace(request(2, ended=ended), priority=b"\0"))
    await bench.until(lambda: len(bench.opened) == 2)
    bench.ask(request(3, lead=[]))  # asked before all was told again
    plan = await bench.plan_of(request(4))
    assert [told.number for told in bench.told] == [1, 4]
    desk, _ = planning_of(bench.past.source, bench.past.leads)
    assert desk is not None
    desk.plan(request(1))
    desk.plan(request(2, ended=ended))
    whole = desk.plan(request(4))
    assert whole is not None and plan.answer == whole.answer


async def check_requests_that_never_fit_are_not_asked_for_without_end(bench: Bench) -> None:
    await bench.begun()
    bad = [msgspec.structs.replace(request(n), priority=b"\0") for n in range(1, 8)]
    for one in bad:
        bench.ask(one)
    await bench.plan_of(request(8))
    assert len(bench.opened) == 1 + MOST_REPLACED and len(bench.logged) == len(bad)
    bench.ask(bad[0])  # a plan came in between
    await bench.until(lambda: len(bench.opened) == 2 + MOST_REPLACED)


async def check_nothing_is_heard_after_the_end(bench: Bench) -> None:
    await bench.begun()
    await bench.plan_of(request(1))
    bench.ask(request(2, lead=[]))
    told = len(bench.told)
    await bench.planner.close()
    for number in range(3, 6):
        bench.ask(request(number, lead=[]))
        await asyncio.sleep(0)
    await bench.planner.close()
    assert len(bench.told) - told <= 0 and len(bench.opened) == 1


async def check_one_that_was_never_begun_ends(bench: Bench) -> None:
    await bench.planner.close()
    await bench.planner.close()
    assert bench.opened == [] and bench.told == []


CHECKS: dict[str, Check] = {name: check for name, check in list(globals().items()) if name.startswith("check_")}
