"""How many events a second the engine takes in, alone: a simulated morning is recorded, then fed to fresh engines.

Compliance and pacing are on; the store is the one in memory, and its reservations and settlements are made within the
measured time. The world is not: it would measure the simulator.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.report import Findings, Row
from dialer.adapters.journal import read_journal
from dialer.adapters.store.memory import MemoryStore
from dialer.bootstrap import make_engine, simulate
from dialer.config.campaign import Campaign
from dialer.core.actions import Reserve, Settle
from dialer.core.events import Event
from dialer.errors import StoreError
from sim.population import make_leads
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

SEEDS = (7,)
GOAL = 30_000


def run(quick: bool) -> Findings:
    """Rows for 20, 100 and 500 agents; the bar is that of 100."""
    rows = []
    for agents, leads, hours in (
        ((100, 6000, 0.5),) if quick else ((20, 3000, 3.0), (100, 15_000, 2.0), (500, 60_000, 1.0))
    ):
        rate = _events_per_s(agents, leads, hours, repeats=1 if quick else 5)
        rows.append(
            Row(
                bench="engine",
                bar=f"events per second, one core, {agents} agents, predictive, compliance on",
                value=round(rate),
                goal=f">= {GOAL}",
                met=rate >= GOAL,
                command="./run bench engine",
            )
        )
    return Findings(rows=rows)


def _events_per_s(agents: int, leads: int, hours: float, *, repeats: int) -> float:
    scenario = packaged_scenario("collections_demo", agents=agents, leads=leads, duration_s=hours * 3600.0)
    scenario = _unbounded(scenario)
    with tempfile.TemporaryDirectory() as folder:
        journal = simulate(scenario, seed=SEEDS[0], journal_dir=Path(folder)).journal
        assert journal is not None
        header, steps = read_journal(journal)
        events = [event for event, _ in steps]
    campaign = Campaign.model_validate(header.campaign)
    return median(_feed(campaign, scenario, events) for _ in range(repeats))


def _unbounded(scenario: Scenario) -> Scenario:
    """Trunks wide enough for any number of agents: the engine is measured, not the carriers' limits."""
    trunks = tuple(t.model_copy(update={"max_channels": 5000, "max_cps": 1000.0}) for t in scenario.campaign.trunks)
    switch = scenario.campaign.asterisk.model_copy(update={"max_calls": 20_000})
    campaign = scenario.campaign.model_copy(update={"trunks": trunks, "asterisk": switch})
    return scenario.model_copy(update={"campaign": campaign})


def _feed(campaign: Campaign, scenario: Scenario, events: Sequence[Event]) -> float:
    engine = make_engine(campaign, run=1, seed=SEEDS[0])
    store = MemoryStore()
    name = campaign.campaign
    store.open_now(name, owner="bench")
    store.add_leads_now(name, make_leads(scenario.population, SEEDS[0]))
    begin = time.process_time()
    for event in events:
        for action in engine.step(event):
            if type(action) is Reserve:
                store.reserve_now(name, action.claims)
            elif type(action) is Settle:
                store.settle_now(name, action.settlements)
    taken = time.process_time() - begin
    if engine.counters.late_events > len(events) // 100:
        raise StoreError(f"expected the recorded run again, was {engine.counters.late_events} late events")
    return len(events) / taken
