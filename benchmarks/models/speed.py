"""How long models take, and how much memory; and that the engine's loop does not wait for them.

Training, the grid and its refresh are measured in a process of their own, in real time on the cores there are, with
whatever else the machine does: a busy one shows longer times. The peak is the whole process', interpreter and list
included. The longest gap of the loop is how late a timer of a millisecond was while the planner's process began, read
the models and made plans; the same is measured with nothing to plan.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from benchmarks.models.policies import Planned, Start
from benchmarks.models.world import BEGIN, HOURS, PAST_DAYS, SLOTS, fresh, make_world, past
from benchmarks.report import Row
from dialer.core.lead import Lead, PhoneNumber
from models.attempts import AttemptLog, Ints, Singles
from models.bundle import ModelBundle
from models.features import History, features_at
from models.lead_table import LeadTable
from models.plan import HourPlan
from models.planning import PlanSettings

COMMAND = "./run bench models"
TRAIN_ROWS, TRAIN_S = 2_000_000, 60.0
GRID_LEADS, GRID_S, GRID_GB = 1_000_000, 20.0, 2.0
DIRTY, REFRESH_MS, REFRESHES = 10_000, 300.0, 7
GAP_MS, TICK_S = 10.0, 0.001
LOOP_LEADS, PLANS = 40_000, 5
NOW = BEGIN + 86400.0 * PAST_DAYS
PIECE = 50_000  # leads at a time
FEW, SOME = 800, 12_000  # leads that small models are trained on

Answer = TypeVar("Answer")


def speed_rows(quick: bool) -> list[Row]:
    """The rows of speed; a quick run takes a fortieth of the rows and leads, which tells nothing of the bars."""
    part = 40 if quick else 1
    files = _apart(small_model, FEW if quick else SOME)
    seconds, rows, columns = _apart(training, TRAIN_ROWS // part)
    grid = _apart(grid_of, files, GRID_LEADS // part, DIRTY // part)
    gap_ms, idle_ms = asyncio.run(_while_planning(files, LOOP_LEADS // part))
    leads, dirty = GRID_LEADS // part, DIRTY // part
    return [
        _row(f"train {rows:,} attempts x {columns}, 2 threads, s", seconds, None if quick else TRAIN_S),
        _row(f"grid of {leads:,} leads x {SLOTS} hours, s", grid["grid_s"], None if quick else GRID_S),
        _row(f"grid of {leads:,} leads, peak memory, GB", grid["peak_gb"], None if quick else GRID_GB),
        _row(f"refresh of {dirty:,} leads x {SLOTS} hours, ms, median", grid["refresh_ms"], REFRESH_MS),
        _row(f"first plan of {leads:,} leads, grid and prices and order included, s", grid["first_plan_s"], None),
        _row("peak memory with that plan, GB", grid["plan_peak_gb"], None),
        _row(f"next plan, {dirty:,} leads to be refreshed, s", grid["next_plan_s"], None),
        _row(
            f"longest gap of the loop, ms, while a process plans {LOOP_LEADS // part:,} leads (without: {idle_ms:.1f})",
            gap_ms,
            GAP_MS,
        ),
    ]


def _row(bar: str, value: float, goal: float | None) -> Row:
    goal_said, met = ("–", None) if goal is None else (f"<= {goal:g}", value <= goal)
    return Row(bench="models", bar=bar, value=round(value, 2), goal=goal_said, met=met, command=COMMAND)


def _apart(work: Callable[..., Answer], *arguments: object) -> Answer:
    """Do it in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def small_model(leads: int) -> dict[str, bytes]:
    """Train a model of the usual size on a small world; returns its files."""
    from models.training import trained

    world = make_world(0, leads)
    log, _ = past(world, PAST_DAYS, leads * 3 // 40)
    return trained(log, world.table, seed=0, now=NOW).bundle.to_files()


def training(rows: int) -> tuple[float, int, int]:
    """Train on about so many attempts: (seconds, attempts, columns). What is compiled is compiled before."""
    from models.training import trained

    small_model(FEW)
    world = make_world(0, rows // 25)
    log, _ = past(world, PAST_DAYS, rows // (PAST_DAYS * SLOTS) + 1)
    begun = time.perf_counter()
    model = trained(log, world.table, seed=0, now=NOW, nthread=2).bundle
    return time.perf_counter() - begun, len(log), len(model.feature_set.names)


def grid_of(files: Mapping[str, bytes], leads: int, dirty: int) -> dict[str, float]:
    """Tell every lead's chance in every hour of a day, then some leads' again, then have the planner plan."""
    world = make_world(0, min(leads, 40_000))
    log, _ = past(world, 7, len(world) * 3 // 40)
    model = ModelBundle.from_files(files, nthread=2)
    table = repeated(world.table, leads)
    history = History(leads)
    history.observe(log)
    everybody = np.arange(leads, dtype=np.int32)
    _fill(model, history, table, everybody[:2000])
    begun = time.perf_counter()
    _fill(model, history, table, everybody)
    found = {"grid_s": time.perf_counter() - begun, "peak_gb": _peak_gb()}
    spent = []
    for turn in range(REFRESHES):
        some = np.random.default_rng(turn).choice(leads, dirty, replace=False).astype(np.int32)
        begun = time.perf_counter()
        _fill(model, history, table, some)
        spent.append(time.perf_counter() - begun)
    del history
    # The planner alone: of the world, only its list is asked.
    start = Start(world=replace(world, table=table), past=log, model=model, an_hour=leads // 40)
    policy, standing = Planned(start), fresh(leads)
    standing.at_h = 24.0 * PAST_DAYS + float(HOURS[0])
    begun = time.perf_counter()
    policy.choose(standing, 0, everybody.astype(np.int64))
    found["first_plan_s"] = time.perf_counter() - begun
    policy.learn(_unanswered(some, standing.at_h))
    begun = time.perf_counter()
    policy.choose(standing, 0, everybody.astype(np.int64))
    found["next_plan_s"] = time.perf_counter() - begun
    return {**found, "refresh_ms": 1e3 * float(np.median(spent)), "plan_peak_gb": _peak_gb()}


def _fill(model: ModelBundle, history: History, table: LeadTable, leads: Ints) -> Singles:
    """Chances of an answer by lead and hour, a piece of the leads at a time, as the planner goes about it."""
    grid = np.empty((len(leads), SLOTS), np.float32)
    rows = np.empty((min(PIECE, len(leads)), len(model.feature_set.names)), np.float32)
    for begin in range(0, len(leads), PIECE):
        some = leads[begin : begin + PIECE]
        count = len(some)
        none, nowhere, plain = np.zeros(count, np.int8), np.zeros(count, np.int32), np.zeros(count, bool)
        for slot, hour in enumerate(HOURS):
            at = NOW + 3600.0 * (float(hour) + 0.5)
            features_at(history, table, model.feature_set, some, none, at, nowhere, plain, out=rows[:count])
            grid[begin : begin + count, slot] = model.answer(rows[:count])
    return grid


def repeated(table: LeadTable, leads: int) -> LeadTable:
    """Make a list of so many leads from one of fewer."""
    return LeadTable(
        ids=tuple(f"lead-{place}" for place in range(leads)),
        numeric={name: np.resize(column, leads) for name, column in table.numeric.items()},
        categories={name: np.resize(codes, leads) for name, codes in table.categories.items()},
        vocabularies=table.vocabularies,
    )


def _unanswered(leads: Ints, at_h: float) -> AttemptLog:
    count = len(leads)
    unknown = np.full(count, np.nan, np.float32)
    return AttemptLog(
        at=np.full(count, BEGIN + 3600.0 * at_h), lead=leads, number=np.zeros(count, np.int8),
        offset_s=np.zeros(count, np.int32), result=np.zeros(count, np.int8), holiday=np.zeros(count, bool),
        carrier=np.full(count, -1, np.int16), ring_s=unknown, talk_s=unknown, propensity=unknown,
    )  # fmt: skip


def _peak_gb() -> float:
    """Most memory that this process has ever held, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


# ---- the loop -----------------------------------------------------------------------------------------------------
async def _while_planning(files: Mapping[str, bytes], leads: int) -> tuple[float, float]:
    """Have the planner's process open and plan: the longest gap in milliseconds, and that of an idle loop."""
    from dialer.adapters.model_registry import ModelRegistry
    from dialer.adapters.planner import PlanSource, ProcessPlanner

    model = ModelBundle.from_files(files)
    world = make_world(0, leads)
    standing = fresh(leads)
    standing.at_h = 24.0 * PAST_DAYS + float(HOURS[0])
    nothing = _unanswered(np.zeros(0, np.int32), 0.0)
    asking = Planned(Start(world=world, past=nothing, model=model, an_hour=leads // 40))
    requests = [asking.request(standing, slot) for slot in range(PLANS)]
    listed = _leads_of(world.table)
    with tempfile.TemporaryDirectory() as folder:
        registry = ModelRegistry(Path(folder), "bench")
        registry.promote(registry.add(model, at=NOW), at=NOW)
        source = PlanSource(data=folder, campaign="bench", now=NOW, settings=PlanSettings())
        planner = ProcessPlanner(source, log=structlog.get_logger())
        opened, planned = asyncio.Event(), asyncio.Event()

        def take(plan: HourPlan) -> None:
            if plan.number == requests[-1].number:
                planned.set()

        begun, gaps = time.perf_counter(), []
        try:
            planner.begin(listed, lambda _: opened.set())
            gaps.append(await _longest(opened))
            for request in requests:
                planner.plan(request, take)
            gaps.append(await _longest(planned))
        finally:
            await planner.close()
    busy_s, over = time.perf_counter() - begun, asyncio.Event()
    asyncio.get_running_loop().call_later(busy_s, over.set)
    return 1e3 * max(gaps), 1e3 * await _longest(over)


async def _longest(until: asyncio.Event) -> float:
    """The longest gap of the loop, seconds, until something is done."""
    longest, before = 0.0, time.perf_counter()
    while not until.is_set():
        await asyncio.sleep(TICK_S)
        now = time.perf_counter()
        longest, before = max(longest, now - before - TICK_S), now
    return longest


def _leads_of(table: LeadTable) -> list[Lead]:
    words = {name: table.vocabularies[name] for name in table.categories}
    return [
        Lead(
            lead_id=lead_id, person=lead_id, debt=lead_id,
            numbers=(PhoneNumber(e164=f"+5111{place:07d}", zones=("America/Lima",), country="PE"),),
            product=words["product"][table.categories["product"][place]],
            region=words["region"][table.categories["region"][place]],
            amount=float(table.numeric["amount"][place]),
            days_past_due=int(table.numeric["days_past_due"][place]),
            extra={name: f"{table.numeric[name][place]:g}" for name in ("age", "employed")},
        )
        for place, lead_id in enumerate(table.ids)
    ]  # fmt: skip
