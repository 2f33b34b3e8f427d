"""Many campaigns at once in one process: the CPU seconds that they take for one second of their time, on one core.

Each is a whole engine with its rules, list, routes and `priced-v1`, in its own simulated world; all of them go through
the day together, a second at a time. The world's work is within the figure; a journal, a switch and the store's server
are not: the store is the one in memory.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.report import Findings, Row
from compliance.calendars import load_calendars
from dialer.adapters.store.memory import MemoryStore
from dialer.bootstrap import make_engine
from dialer.bootstrap.simulated import collector_off
from pacing.registry import warm_up
from sim.clock import VirtualClock
from sim.population import make_leads
from sim.runner import Runner
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario
from sim.world import World

COMMAND = "./run bench campaigns"
SEEDS = (1,)
CAMPAIGNS, AGENTS, LEADS = 200, 20, 600
GOAL, AIM = 1.0, 0.3  # CPU seconds a second
SETTLING_S = 120.0  # until the agents have calls


def run(quick: bool) -> Findings:
    """The row of 200 campaigns; a quick run takes 40 of them."""
    campaigns = 40 if quick else CAMPAIGNS
    load = cpu_per_second(campaigns, measured_s=60.0 if quick else 600.0)
    row = Row(
        bench="campaigns",
        bar=f"CPU seconds a second, {campaigns} campaigns of {AGENTS} agents in one process",
        value=round(load, 4),
        goal=f"<= {GOAL:g}, aim {AIM:g}",
        met=load <= GOAL,
        command=COMMAND,
    )
    return Findings(rows=[row])


@collector_off()
def cpu_per_second(campaigns: int, *, measured_s: float) -> float:
    """Return the CPU seconds that `campaigns` take for each second of virtual time, once their agents have calls."""
    warm_up()
    load_calendars()
    scenario = packaged_scenario("collections_demo", agents=AGENTS, leads=LEADS, duration_s=3600.0)
    runners = [_begun(scenario, SEEDS[0] + place) for place in range(campaigns)]
    _play(runners, scenario.start_at, scenario.start_at + SETTLING_S)
    begun = time.process_time()
    _play(runners, scenario.start_at + SETTLING_S, scenario.start_at + SETTLING_S + measured_s)
    return (time.process_time() - begun) / measured_s


def _begun(scenario: Scenario, seed: int) -> Runner:
    leads = make_leads(scenario.population, seed)
    campaign = scenario.campaign
    clock, store = VirtualClock(scenario.start_at), MemoryStore()
    opening = store.open_now(campaign.campaign, owner="bench")
    store.add_leads_now(campaign.campaign, leads)
    engine = make_engine(campaign, run=opening.run, seed=seed)
    runner = Runner(engine, World(scenario, leads, seed=seed, clock=clock), clock, store)
    runner.begin(leads, until=scenario.start_at + scenario.duration)
    return runner


def _play(runners: Sequence[Runner], begin: float, end: float) -> None:
    """Go from one time to another, a second at a time, each campaign after the other."""
    at = begin
    while at < end:
        at = min(at + 1.0, end)
        for runner in runners:
            runner.play(until=at)
