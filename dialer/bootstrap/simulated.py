"""`simulate`: a scenario run flat out, without an event loop."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from dialer.adapters.campaign_lists import load_lists
from dialer.adapters.journal import Journal, header_of, journal_path
from dialer.adapters.store.memory import MemoryStore
from dialer.bootstrap.engine import POLICY_OF_MODE, make_engine
from dialer.bootstrap.versions import versions_of
from dialer.core.engine import Engine
from dialer.core.lead import Lead
from dialer.ports import Planner
from sim.clock import VirtualClock
from sim.day import DayRecord
from sim.floor import AgentDay
from sim.outcome import Fates
from sim.population import make_leads
from sim.recorder import Recorder
from sim.result import SimResult, result_of
from sim.runner import Runner
from sim.scenario import Scenario
from sim.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDay:
    """A day that was run in the simulator: the engine as it ended, the day on record, and its figures."""

    engine: Engine
    day: DayRecord
    result: SimResult
    journal: Path | None


@contextmanager
def collector_off() -> Iterator[None]:
    """Switch the collector of cycles off: a run leaves none (a test counts them), and walking through its leads again
    and again took a fifth of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@collector_off()
def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    policy: str | None = None,
    journal_dir: Path | None = None,
    progress: Callable[[float], None] | None = None,
    leads: Sequence[Lead] | None = None,
    fates: Fates | None = None,
    days: Sequence[AgentDay] | None = None,
    planner: Planner | None = None,
) -> SimulatedDay:
    """Run a scenario flat out. `leads`, `fates` and `days` stand in for the scenario's own people and agents; `planner`
    plans the hours, in place.

    `progress` is told the virtual time. Raises `ConfigError` where the scenario's lead list cannot be read.
    """
    seed = scenario.seed if seed is None else seed
    leads = leads_of(scenario, seed) if leads is None else leads
    campaign, clock, store = scenario.campaign, VirtualClock(scenario.start_at), MemoryStore()
    opening = store.open_now(campaign.campaign, owner="simulate")
    store.add_leads_now(campaign.campaign, leads)
    policies = POLICY_OF_MODE if policy is None else dict.fromkeys(POLICY_OF_MODE, policy)
    engine = make_engine(campaign, run=opening.run, seed=seed, policies=policies)
    world = World(scenario, leads, seed=seed, clock=clock, fates=fates, days=days)
    recorder = Recorder(engine, start_at=scenario.start_at)
    header = header_of(
        campaign,
        run=opening.run,
        seed=seed,
        started_at=scenario.start_at,
        policies=engine.policy_ids,
        scenario=scenario.model_dump(mode="json") if fates is None and days is None else None,
        versions=versions_of(campaign),
    )
    journal = None if journal_dir is None else Journal(journal_path(journal_dir, header), header)
    runner = Runner(engine, world, clock, store, journal, recorder, planner)
    try:
        runner.run(leads, until=scenario.start_at + scenario.duration, progress=progress)
    finally:
        if journal is not None:
            journal.close()
    day = recorder.day(until=clock.now(), scenario=scenario.scenario, seed=seed, zone=zone_of(leads))
    bill = sum(trunk.cost for trunk in world.bill.values()) + sum(world.surcharges.values())
    result = result_of(day, events=engine.counters.events, scenario=scenario, carriers_cost=bill)
    return SimulatedDay(engine=engine, day=day, result=result, journal=None if journal is None else journal.path)


def leads_of(scenario: Scenario, seed: int) -> Sequence[Lead]:
    """The people of a scenario: from the list that it names, or made up. Raises `ConfigError` for a list."""
    path = scenario.population.list
    if path is None:
        return make_leads(scenario.population, seed)
    log = structlog.get_logger()
    return load_lists([path], scenario.campaign, say=lambda line: log.warning("lead_list.note", note=line))


def zone_of(leads: Sequence[Lead]) -> str:
    """The zone of most leads' first numbers, for the axis of a report."""
    zones = Counter(number.zones[0] for lead in leads for number in lead.numbers[:1] if number.zones)
    return max(zones, key=lambda zone: zones[zone]) if zones else "UTC"
