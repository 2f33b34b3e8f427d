"""Pacing policies in one table: ours, progressive dialling and every peer, in every world, at equal abandon rates.

docs/benchmarks.md says how it is measured. Settings are compared on the same people, day by day. The bars of the cap
and of the switching answer rate take whole days; all other figures leave out each day's first half hour, in which a
floor of idle agents fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.report import Findings, Row
from benchmarks.scenario import bars, bounds, tuning, worlds
from benchmarks.scenario.days import Days, Setting
from benchmarks.scenario.frontier import against_frontier, envelope
from benchmarks.scenario.latency import latency_p99_us
from benchmarks.scenario.measurement import Sample, measure
from benchmarks.scenario.study import Found, Plan, study
from benchmarks.scenario.table import entries_of, shown
from benchmarks.scenario.worlds import World
from dialer.studies.workers import jobs_of

SEEDS = tuple(range(1, 6))
WARM_UP_S = 1800.0
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "pacing-frontier.svg"
FROZEN = Setting.of(tuning.OURS, {"frozen_answers": 1.0})
# Agents, calls ringing, and the 99th percentile of one decision not to exceed, microseconds.
LATENCIES = ((20, 24, 1000.0), (500, 300, 1000.0), (5000, 20_000, 10_000.0))
COLD_S = 40 * 3600.0  # one account, as long as a week's: what a policy comes to, not how it begins and ends a day
AGENT_DAYS = 400.0  # of a setting for each seed, at the most: twenty days up to 20 agents, as large floors vary less
TRIAL_AGENT_DAYS = 80.0  # of every setting of a peer, before its best are measured in full


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run measures."""

    plan: Plan
    cold: Sample  # long runs that each begin with nothing known
    switching: Sample  # whole days that do
    whole: Sample  # whole days in a row, for the cap
    coalescing: Sample
    coalesced_agents: tuple[int, ...]
    decisions: int


def full() -> Scale:
    """The run that is kept."""
    seeds = Sample(SEEDS, days=20, warm_up_s=WARM_UP_S, agent_days=AGENT_DAYS)
    trial = replace(seeds, seeds=SEEDS[:1], agent_days=TRIAL_AGENT_DAYS)
    return Scale(
        plan=Plan(worlds.all_worlds(), seeds, trial, tuning.TARGETS, bounds.RATES, settings_one_in=3),
        cold=Sample(tuple(range(101, 111)), days=1, warm_up_s=WARM_UP_S, day_s=COLD_S),
        switching=Sample(tuple(range(101, 201)), days=1),
        whole=Sample((201,), days=20),
        coalescing=seeds,
        coalesced_agents=(20, 100),
        decisions=5000,
    )


def quick() -> Scale:
    """A look within minutes: fewer worlds and days, all policies."""
    seeds = Sample(SEEDS[:2], days=3, warm_up_s=WARM_UP_S)
    return Scale(
        plan=Plan(
            worlds.quick_worlds(),
            seeds,
            replace(seeds, seeds=SEEDS[:1], days=1),
            tuning.QUICK_TARGETS,
            bounds.QUICK_RATES,
            settings_one_in=3,
        ),
        cold=Sample((101, 102), days=1, warm_up_s=WARM_UP_S, day_s=COLD_S),
        switching=Sample((101, 102, 103), days=1),
        whole=Sample((201,), days=5),
        coalescing=seeds,
        coalesced_agents=(20,),
        decisions=300,
    )


def run(quick_look: bool) -> Findings:
    """Measure everything, and return the bars' rows, the table, and the table for people. A full run draws its plot."""
    scale = quick() if quick_look else full()
    jobs = jobs_of(None)
    latencies = [  # before the workers are busy
        bars.latency_bar(agents, ringing, latency_p99_us(agents, ringing, scale.decisions), most_us)
        for agents, ringing, most_us in LATENCIES
    ]
    found = study(scale.plan, jobs=jobs)
    rows = [
        *_cold_rows(found, scale.cold, jobs),
        *_switching_rows(scale.switching, jobs),
        *_cap_rows(scale.plan.worlds, scale.whole, jobs),
        *bars.peer_bars(found),
        *latencies,
        *_coalescing_rows(scale.coalesced_agents, scale.coalescing, jobs),
    ]
    if not quick_look:
        from benchmarks.scenario.plot import draw  # imported here: it needs a package for developers

        draw(found, PICTURE)
    return Findings(rows=rows, table=entries_of(found), shown=shown(found))


def _cold_rows(found: Sequence[Found], sample: Sample, jobs: int) -> list[Row]:
    """Runs that each begin with nothing known, in the Markov and the realistic worlds."""
    ours = Setting(tuning.OURS)
    known = {one.world.name: one for one in found}
    plain = {world.name: world for world in (one.world for one in found)}
    markov = {f"Markov, {agents} agents": agents for agents in worlds.MARKOV_AGENTS}
    realistic = {f"realistic, {agents} agents": agents for agents in worlds.REALISTIC_AGENTS}
    asked = [plain[name] for name in (*markov, *realistic) if name in plain]
    points = measure([(world, ours) for world in asked], sample, jobs=jobs, label="cold runs")
    rows: list[Row] = []
    for world in asked:
        point = points[world.name, ours]
        if world.markov:
            rows += bars.markov_bars(markov[world.name], known[world.name].bound.at(bars.CAP), point)
        else:
            rows += bars.realistic_bars(realistic[world.name], point)
    return rows


def _switching_rows(sample: Sample, jobs: int) -> list[Row]:
    world = worlds.switching_world()
    tracking = Setting(tuning.OURS)
    points = measure([(world, tracking), (world, FROZEN)], sample, jobs=jobs, label="switching")
    return bars.switching_bars(points[world.name, tracking], points[world.name, FROZEN])


def _cap_rows(measured: Sequence[World], sample: Sample, jobs: int) -> list[Row]:
    ours = Setting(tuning.OURS)
    capped = worlds.capped_worlds(measured)
    points = measure([(world, ours) for world in capped], sample, jobs=jobs, label="whole days")
    days: dict[str, Days] = {world.name: points[world.name, ours].days for world in capped}
    return bars.cap_bars(days)


def _coalescing_rows(agents_of: Sequence[int], sample: Sample, jobs: int) -> list[Row]:
    """Our frontier as the product decides, and the same rule deciding at once, on the same people."""
    settings = tuning.our_settings((0.02, None, 0.05))
    coalesced = [worlds.realistic_world(agents) for agents in agents_of]
    at_once = [worlds.without_coalescing(world) for world in coalesced]
    cases = [(world, setting) for world in coalesced for setting in settings]
    cases += [(world, Setting(tuning.OURS)) for world in at_once]
    points = measure(cases, sample, jobs=jobs, label="coalescing")
    costs = {}
    for product, other in zip(coalesced, at_once, strict=True):
        frontier = envelope([points[product.name, setting] for setting in settings])
        chosen = points[other.name, Setting(tuning.OURS)]
        costs[product.name] = against_frontier(frontier, chosen, frontier)
    return bars.coalescing_bars(costs)
