"""Planners: in a process of its own, beside the loop; in place, where time is virtual; and none.

How it works: a planner holds every lead, its history and the models. The worker reads models and past attempts from the
data folder by itself. One that dies or takes too long is replaced by a new one, which reads them again (the journal has
what the old one knew) and is told of all leads by the engine's next request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import structlog

from dialer.adapters.model_registry import ModelRegistry, Standing
from dialer.adapters.worker_process import WorkerProcess, gave_way
from dialer.config.campaign import Campaign
from dialer.core.lead import LEADS_PER_EVENT, Lead
from models.attempts import of_leads
from models.plan import HourPlan, PlanRequest
from models.planning import Planning, PlanSettings

OPENED_WITHIN_S, PLANNED_WITHIN_S = 600.0, 120.0
MOST_REPLACED = 3  # planners in a run, before the campaign goes on without

Answer = TypeVar("Answer")
Log = structlog.typing.FilteringBoundLogger
Opened = Callable[[tuple[str, ...]], None]
Planned = Callable[[HourPlan], None]


class PlanSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a campaign's models and journals are, and how it wants its plans."""

    data: str  # the data folder
    campaign: str
    now: float  # UTC seconds: no attempt on record is later
    settings: PlanSettings


def settings_of(campaign: Campaign, *, seed: int) -> PlanSettings:
    """How the campaign file wants its plans."""
    models = campaign.models
    return PlanSettings(explore=models.explore, goal=models.goal, wear_price=models.wear_price, seed=seed)


class NoPlanner:
    """For a campaign that goes by its list and its tables."""

    def begin(self, leads: Sequence[Lead], opened: Opened) -> None:
        """Nothing is opened."""

    def plan(self, request: PlanRequest, planned: Planned) -> None:
        """Nobody asks."""

    async def close(self) -> None:
        """Nothing to let go of."""


class InlinePlanner:
    """Plans at once, before `plan` returns: the same requests have the same plans at the same virtual time.

    `make` builds the planning of a list, None where there is no model, with what people should know.
    """

    def __init__(
        self, make: Callable[[Sequence[Lead]], tuple[Planning | None, Sequence[str]]], *, log: Log | None = None
    ) -> None:
        self._make = make
        self._log = log or structlog.get_logger()
        self._planning: Planning | None = None
        self._closed = False

    def begin(self, leads: Sequence[Lead], opened: Opened) -> None:
        """Open now."""
        try:
            self._planning, told = self._make(leads)
        except Exception as error:  # whatever it is, the campaign goes on
            self._log.error("planner.unopened", error=str(error))
            return
        for line in told:
            self._log.warning("planner.note", note=line)
        if self._planning is not None:
            opened(tuple(model.id for model in self._planning.models))

    def plan(self, request: PlanRequest, planned: Planned) -> None:
        """Call `planned` now."""
        if self._closed or self._planning is None:
            return
        try:
            plan = self._planning.plan(request)
        except Exception as error:
            self._log.error("hours.unplanned", request=request.number, error=str(error))
        else:
            planned(plan)

    async def close(self) -> None:
        """Nothing is heard any more."""
        self._closed = True


class ProcessPlanner:
    """Plans in one worker process."""

    def __init__(self, source: PlanSource, *, log: Log, within_s: float = PLANNED_WITHIN_S) -> None:
        self._source = source
        self._log = log
        self._within_s = within_s
        self._leads: Sequence[Lead] = ()
        self._opened: Opened | None = None
        self._waiting: deque[tuple[PlanRequest, Planned]] = deque()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._worker: WorkerProcess | None = None
        self._closed = False

    def begin(self, leads: Sequence[Lead], opened: Opened) -> None:
        """Open beside the loop."""
        self._leads, self._opened = leads, opened
        self._task = asyncio.get_running_loop().create_task(self._work())

    def plan(self, request: PlanRequest, planned: Planned) -> None:
        """Plan beside the loop, after the requests before."""
        if not self._closed:
            self._waiting.append((request, planned))
            self._wanted.set()

    async def close(self) -> None:
        """End the worker, whatever it does."""
        self._closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._drop()

    @property
    def worker_pid(self) -> int | None:
        """The worker's process; None while there is none."""
        return None if self._worker is None else self._worker.pid

    async def _work(self) -> None:
        """Open and plan, until nothing is left to try."""
        for _ in range(MOST_REPLACED):
            try:
                if not await self._open():
                    return
                await self._answer()
            except TimeoutError:
                self._log.error("planner.replaced", reason="it took too long")
            except (BrokenProcessPool, OSError) as error:
                self._log.error("planner.replaced", reason=str(error) or type(error).__name__)
            except Exception as error:  # a fault of its own, which another one would have too
                self._log.error("planner.ended", error=str(error), because="the campaign goes by its tables")
                return
            finally:
                self._waiting.clear()  # a new planner asks for all again
                await self._drop()
        self._log.error("planner.ended", because="replaced too often: the campaign goes by its tables")

    async def _open(self) -> bool:
        """Begin a worker, give it the leads; returns whether there is a model to plan by."""
        beginning = asyncio.ensure_future(asyncio.to_thread(WorkerProcess, _warmed))
        try:
            self._worker = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            with suppress(Exception):
                self._worker = await beginning  # so that `close` finds it
            raise
        for begin in range(0, len(self._leads), LEADS_PER_EVENT):
            some = msgspec.msgpack.encode(self._leads[begin : begin + LEADS_PER_EVENT])
            await self._call(_take_leads, some, begin == 0)
        async with asyncio.timeout(OPENED_WITHIN_S):
            models, told = await self._call(_open, msgspec.msgpack.encode(self._source))
        for line in told:
            self._log.warning("planner.note", note=line)
        if not models or self._opened is None:
            return False
        self._opened(models)
        return True

    async def _answer(self) -> None:
        """Answer what is asked, as long as the worker lives."""
        while True:
            while not self._waiting:
                self._wanted.clear()
                await self._wanted.wait()
            request, planned = self._waiting.popleft()
            try:
                async with asyncio.timeout(self._within_s):
                    plan = await self._call(_plan, request)
            except ValueError as error:  # of the request, not of the worker
                self._log.error("hours.unplanned", request=request.number, error=str(error))
                continue
            if not self._closed:
                planned(plan)

    async def _call(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        assert self._worker is not None
        return await asyncio.wrap_future(self._worker.executor.submit(work, *arguments))

    async def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.to_thread(worker.end)


def planning_of(source: PlanSource, leads: Sequence[Lead]) -> tuple[Planning | None, list[str]]:
    """Build the planning of a list from the data folder: its models, and the attempts that its journals have.

    Returns None where no model serves, and what people should know.
    """
    from dialer.adapters.attempt_history import journals_of, read_history
    from dialer.adapters.lead_traits import lead_table_of
    from dialer.errors import DialerError
    from models.wear import randomised_effect

    data = Path(source.data)
    serving = ModelRegistry(data, source.campaign).serving()
    told = list(serving.told)
    if serving.champion is None:
        return None, told
    past = None
    try:
        if paths := journals_of(data, source.campaign):
            past = read_history(paths, now=source.now)
            told += past.told
    except DialerError as error:
        told.append(f"plans begin with no attempt on record: {error}")
    settings = msgspec.structs.replace(source.settings, challenger_share=serving.challenger_share)
    planning = Planning(
        lead_table_of(leads, serving.champion.feature_set),
        serving.champion,
        challenger=serving.challenger,
        settings=settings,
        wear=None if past is None else randomised_effect(past.log),
    )
    if past is not None:
        row_of = {lead.lead_id: row for row, lead in enumerate(leads)}
        rows = np.fromiter((row_of.get(lead_id, -1) for lead_id in past.ids), dtype=np.int64, count=len(past.ids))
        planning.observe(of_leads(past.log, rows))
    return planning, told


# ---- inside the worker ------------------------------------------------------------------------------------------
_leads: list[Lead] = []
_desk: list[tuple[PlanSource, Planning, Standing]] = []  # one at most; with the registry's standing


def _warmed() -> int:
    """Load what planning needs."""
    import xgboost  # noqa: F401

    import models.planning  # noqa: F401

    return gave_way()


def _take_leads(data: bytes, first: bool) -> None:
    if first:
        _leads.clear()
    _leads.extend(msgspec.msgpack.decode(data, type=list[Lead]))


def _open(data: bytes) -> tuple[tuple[str, ...], list[str]]:

    source = msgspec.msgpack.decode(data, type=PlanSource)
    _desk.clear()
    planning, told = planning_of(source, _leads)
    if planning is None:
        return (), told
    _desk.append((source, planning, ModelRegistry(Path(source.data), source.campaign).standing()))
    return tuple(model.id for model in planning.models), told


def _plan(request: PlanRequest) -> HourPlan:
    """Plan, by the models that serve now: a promotion holds from the next plan on."""
    from dialer.errors import ConfigError

    source, planning, standing = _desk[0]
    registry = ModelRegistry(Path(source.data), source.campaign)
    told: tuple[str, ...] = ()
    with suppress(ConfigError):
        present = registry.standing()
        if present != standing:
            serving = registry.serving()
            told = serving.told
            if serving.champion is None:
                raise ValueError("no model serves any more: the campaign goes by its tables")
            planning.adopt(serving.champion, serving.challenger, serving.challenger_share)
            _desk[0] = (source, planning, present)
    plan = planning.plan(request)
    return msgspec.structs.replace(plan, told=(*plan.told, *told))
