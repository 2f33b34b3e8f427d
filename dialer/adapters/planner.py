"""Planners: in a process of its own, beside the loop; in place, where time is virtual; and none.

How it works: a planner holds every lead, its history and the models. The worker reads models and past attempts from the
data folder by itself. One that dies or takes too long is replaced by a new one, which reads them again (the journal has
what the old one knew) and is told of all leads by the engine's next request.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
import numpy as np
import structlog

from dialer.adapters.model_registry import ModelRegistry, Serving, Standing
from dialer.adapters.worker_process import OneWorker, gave_way
from dialer.config.campaign import Campaign
from dialer.core.lead import LEADS_PER_EVENT, Lead
from dialer.errors import ConfigError
from models.attempts import of_leads
from models.plan import HourPlan, PlanRequest, PlanSettings, unpack

if TYPE_CHECKING:  # compilers and solvers, seconds to load: the worker does, the run does not
    from models.bundle import ModelBundle
    from models.lead_table import LeadTable
    from models.planning import Planning

OPENED_WITHIN_S, PLANNED_WITHIN_S = 600.0, 120.0
MOST_REPLACED = 3  # planners without a plan between them, before the campaign goes on without

_OF_LEADS = ("lead", "region", "on_number", "priority", "ready_at")  # columns of a request: what changed of leads

Answer = TypeVar("Answer")
Log = structlog.typing.FilteringBoundLogger
Opened = Callable[[tuple[str, ...]], None]
Planned = Callable[[HourPlan], None]


class RequestRefused(ValueError):
    """A request that does not fit. What it told of leads is lost: the planner must be told all again."""


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


class Plans(Protocol):
    """Whatever answers requests: a planning, or one that follows the registry."""

    @property
    def models(self) -> tuple[ModelBundle, ...]:
        """The champion, and the challenger if there is one."""
        ...

    def plan(self, request: PlanRequest) -> HourPlan | None:
        """Answer a request; None where there is nothing to say. Raises `RequestRefused` for one that does not fit."""
        ...


class _Retold:
    """Has all be told again after a refused request, at most `MOST_REPLACED` times without a plan in between."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._times = 0

    def begin(self, opened: Opened) -> None:
        """Say who is to be asked for all again."""
        self._opened = opened

    def after(self, error: Exception, models: Callable[[], tuple[str, ...]]) -> None:
        """Ask for all again, if the error is of a request."""
        if isinstance(error, RequestRefused) and self._opened is not None and self._times < MOST_REPLACED:
            self._times += 1
            self._opened(models())

    def planned(self) -> None:
        """A plan came: the next refusal is the first one."""
        self._times = 0


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

    `make` builds the plans of a list, None where there is no model, with what people should know.
    """

    def __init__(
        self, make: Callable[[Sequence[Lead]], tuple[Plans | None, Sequence[str]]], *, log: Log | None = None
    ) -> None:
        self._make = make
        self._log = log or structlog.get_logger()
        self._planning: Plans | None = None
        self._retold = _Retold()
        self._closed = False

    def begin(self, leads: Sequence[Lead], opened: Opened) -> None:
        """Open now."""
        self._retold.begin(opened)
        try:
            self._planning, told = self._make(leads)
        except Exception as error:  # whatever it is, the campaign goes on
            self._log.error("planner.unopened", error=str(error))
            return
        for line in told:
            self._log.warning("planner.note", note=line)
        if self._planning is not None:
            opened(_ids(self._planning))

    def plan(self, request: PlanRequest, planned: Planned) -> None:
        """Call `planned` now."""
        planning = self._planning
        if self._closed or planning is None:
            return
        try:
            plan = planning.plan(request)
        except Exception as error:
            self._log.error("hours.unplanned", request=request.number, error=str(error))
            self._retold.after(error, lambda: _ids(planning))
        else:
            if plan is not None:
                self._retold.planned()
                planned(plan)

    async def close(self) -> None:
        """Nothing is heard any more."""
        self._closed = True


class ProcessPlanner:
    """Plans in one worker process. A plan takes at most `within_s`, opening one `opened_within_s`."""

    def __init__(
        self,
        source: PlanSource,
        *,
        log: Log,
        within_s: float = PLANNED_WITHIN_S,
        opened_within_s: float = OPENED_WITHIN_S,
    ) -> None:
        self._source = source
        self._made_at = time.monotonic()
        self._log = log
        self._within_s, self._opened_within_s = within_s, opened_within_s
        self._leads: Sequence[Lead] = ()
        self._opened: Opened | None = None
        self._waiting: deque[tuple[PlanRequest, Planned]] = deque()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._worker = OneWorker(_warmed)
        self._replaced = 0  # since the last plan
        self._models: tuple[str, ...] = ()  # that it was opened by
        self._retold = _Retold()
        self._closed = False

    def begin(self, leads: Sequence[Lead], opened: Opened) -> None:
        """Open beside the loop."""
        self._leads, self._opened = leads, opened
        self._retold.begin(opened)
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
        await self._worker.end()

    @property
    def worker_pid(self) -> int | None:
        """The worker's process; None while there is none."""
        return self._worker.pid

    @property
    def over(self) -> bool:
        """Whether nothing is tried any more: no model serves, or planners were replaced too often."""
        return self._task is not None and self._task.done()

    async def _work(self) -> None:
        """Open and plan, until nothing is left to try."""
        while self._replaced < MOST_REPLACED:
            self._replaced += 1
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
                await self._worker.end()
        self._log.error("planner.ended", because="replaced too often: the campaign goes by its tables")

    async def _open(self) -> bool:
        """Begin a worker, give it the leads; returns whether there is a model to plan by."""
        await self._worker.begun()
        async with asyncio.timeout(self._opened_within_s):
            for begin in range(0, len(self._leads), LEADS_PER_EVENT):
                await self._call(_take_leads, msgspec.msgpack.encode(self._leads[begin : begin + LEADS_PER_EVENT]))
            # One that is opened anew reads what was called since the first was.
            now = self._source.now + time.monotonic() - self._made_at
            models, told = await self._call(_open, msgspec.structs.replace(self._source, now=now))
        for line in told:
            self._log.warning("planner.note", note=line)
        if not models or self._opened is None:
            return False
        self._models = models
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
                self._retold.after(error, lambda: self._models)
                continue
            if plan is not None and not self._closed:
                self._replaced = 0
                self._retold.planned()
                planned(plan)

    async def _call(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        executor = await self._worker.begun()
        return await asyncio.wrap_future(executor.submit(work, *arguments))


class PlanDesk:
    """The planning of a list, by the models that serve now: a promotion holds from the next plan on."""

    def __init__(self, source: PlanSource, leads: Sequence[Lead], planning: Planning, serving: _Fitting) -> None:
        self._source = source
        self._leads = leads
        self._planning = planning
        self._standing = serving.standing
        self._told = serving.told  # what the registry says now
        self._unheard = np.ones(len(leads), dtype=np.bool_)  # leads of which the engine has not told yet

    @property
    def models(self) -> tuple[ModelBundle, ...]:
        """The champion, and the challenger if there is one."""
        return self._planning.models

    def plan(self, request: PlanRequest) -> HourPlan | None:
        """Answer a request; None until all leads were told of, as after an opening anew. Raises `RequestRefused` for
        one that does not fit, `ValueError` where no model serves any more."""
        self._take_in(request)  # first, so that whatever serves later knows of it
        self._unheard[unpack(request.lead, "<i4")] = False
        self._follow_registry()
        if self._unheard.any():
            return None
        plan = self._planning.planned(request)
        return msgspec.structs.replace(plan, told=(*plan.told, *self._told))

    def _take_in(self, request: PlanRequest) -> None:
        """Learn what a request tells; of one that does not fit, at least the outcomes, which are told only once."""
        try:
            self._planning.take_in(request)
        except ValueError as error:
            self._unheard[:] = True
            with suppress(ValueError):
                self._planning.take_in(msgspec.structs.replace(request, **dict.fromkeys(_OF_LEADS, b"")))
            raise RequestRefused(str(error)) from error

    def _follow_registry(self) -> None:
        """Plan by what serves now. Raises `ValueError` where nothing does."""
        registry = ModelRegistry(Path(self._source.data), self._source.campaign)
        try:
            standing = registry.standing()
        except ConfigError as damage:  # the models in use are whole: they go on
            self._told = (f"{damage}; the plans go on by {self.models[0].id}",)
            return
        if standing == self._standing:
            return
        found = _fitting(registry, self._leads)
        if found.champion is None or found.table is None:
            raise ValueError(f"no model serves any more, the campaign goes by its tables{_listed(found.told)}")
        self._planning.adopt(found.champion, found.challenger, found.challenger_share, leads=found.table)
        self._standing, self._told = standing, found.told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting(Serving):
    """What serves and fits a list."""

    standing: Standing | None = None  # None: it cannot be read
    table: LeadTable | None = None  # with the columns that these models ask for


def _fitting(registry: ModelRegistry, leads: Sequence[Lead]) -> _Fitting:
    """The models that serve, but for those that ask for what the list does not have; that is told."""
    from models.feature_set import fits

    standing = None
    with suppress(ConfigError):  # which `serving` tells
        standing = registry.standing()
    serving = registry.serving()
    champion, challenger, told = serving.champion, serving.challenger, list(serving.told)
    if champion is None:
        return _Fitting(standing=standing, told=tuple(told))
    table = _table(leads, champion, challenger)
    if challenger is not None and (wrong := fits(challenger.feature_set, table)):
        told.append(f"{challenger.id} does not fit the list ({'; '.join(wrong)}); nobody challenges")
        challenger, table = None, _table(leads, champion, None)
    if wrong := fits(champion.feature_set, table):
        told.append(f"{champion.id} does not fit the list ({'; '.join(wrong)}); the campaign goes by the tables alone")
        return _Fitting(standing=standing, told=tuple(told))
    return _Fitting(
        standing=standing,
        champion=champion,
        challenger=challenger,
        challenger_share=serving.challenger_share if challenger is not None else 0.0,
        told=tuple(told),
        table=table,
    )


def _table(leads: Sequence[Lead], champion: ModelBundle, challenger: ModelBundle | None) -> LeadTable:
    """The list with the columns that either model asks for; of a number to one and a word to the other, the first's."""
    from dialer.adapters.lead_traits import lead_table_of
    from models.feature_set import FeatureSet

    columns = champion.feature_set
    if challenger is not None:
        other = challenger.feature_set
        numeric = dict.fromkeys((*columns.numeric, *(n for n in other.numeric if n not in columns.categories)))
        categories = dict.fromkeys((*columns.categories, *(n for n in other.categories if n not in columns.numeric)))
        columns = FeatureSet(numeric=tuple(numeric), categories=tuple(categories))
    return lead_table_of(leads, columns)


def planning_of(source: PlanSource, leads: Sequence[Lead]) -> tuple[PlanDesk | None, list[str]]:
    """Build the planning of a list from the data folder: its models, and the attempts that its journals have.

    Returns None where no model serves, and what people should know.
    """
    from dialer.adapters.attempt_history import journals_of, read_history
    from dialer.adapters.retraining import DAY_S, TAUGHT_DAYS
    from dialer.errors import DialerError
    from models.planning import Planning
    from models.wear import randomised_effect

    data = Path(source.data)
    serving = _fitting(ModelRegistry(data, source.campaign), leads)
    told = list(serving.told)
    if serving.champion is None or serving.table is None:
        return None, told
    past = None
    try:
        if paths := journals_of(data, source.campaign):
            past = read_history(paths, now=source.now, since=source.now - TAUGHT_DAYS * DAY_S)
            told += past.told
    except DialerError as error:
        told.append(f"plans begin with no attempt on record: {error}")
    planning = Planning(
        serving.table,
        serving.champion,
        challenger=serving.challenger,
        settings=msgspec.structs.replace(source.settings, challenger_share=serving.challenger_share),
        wear=None if past is None else randomised_effect(past.log),
    )
    if past is not None:
        row_of = {lead.lead_id: row for row, lead in enumerate(leads)}
        rows = np.fromiter((row_of.get(lead_id, -1) for lead_id in past.ids), dtype=np.int64, count=len(past.ids))
        planning.observe(of_leads(past.log, rows))
    return PlanDesk(source, leads, planning, serving), told


def _ids(planning: Plans) -> tuple[str, ...]:
    return tuple(model.id for model in planning.models)


def _listed(told: Sequence[str]) -> str:
    return f": {'; '.join(told)}" if told else ""


# ---- inside the worker ------------------------------------------------------------------------------------------
_leads: list[Lead] = []
_desk: list[PlanDesk] = []  # one at most


def _warmed() -> int:
    """Load what planning needs."""
    import xgboost  # noqa: F401

    import models.planning  # noqa: F401

    return gave_way()


def _take_leads(data: bytes) -> None:
    _leads.extend(msgspec.msgpack.decode(data, type=list[Lead]))


def _open(source: PlanSource) -> tuple[tuple[str, ...], list[str]]:
    desk, told = planning_of(source, _leads)
    if desk is None:
        return (), told
    _desk.append(desk)
    return _ids(desk), told


def _plan(request: PlanRequest) -> HourPlan | None:
    return _desk[0].plan(request)
