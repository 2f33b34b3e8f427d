"""The benchmark's models in SimPy and in Ciw, written as their manuals do. Each returns what it counted."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import ciw  # type: ignore[import-untyped]
import simpy

from sim.fast import FastScenario
from sim.fast.layout import CELLS, Table
from sim.fast.scenario import tables_of

DECISION_DELAY_S, DECISION_GAP_S, TICK_S = 0.1, 0.25, 1.0

Steps = Generator[Any, Any, None]


# ---- answered calls that wait for an agent ------------------------------------------------------------------------
def simpy_line(
    agents: int, answers_per_s: float, handle_s: float, patience_s: float, seconds: float, seed: int
) -> dict[str, int]:
    """M/M/n+M as processes and a resource."""
    env, rng = simpy.Environment(), random.Random(seed)
    floor = simpy.Resource(env, capacity=agents)
    events = 0

    def call() -> Steps:
        nonlocal events
        events += 1
        with floor.request() as request:
            yield request | env.timeout(rng.expovariate(1.0 / patience_s))
            if request.triggered:
                yield env.timeout(rng.expovariate(1.0 / handle_s))
        events += 1

    def answers() -> Steps:
        while True:
            yield env.timeout(rng.expovariate(answers_per_s))
            env.process(call())

    env.process(answers())
    env.run(until=seconds)
    return {"events": events}


def ciw_line(
    agents: int, answers_per_s: float, handle_s: float, patience_s: float, seconds: float, seed: int
) -> dict[str, int]:
    """M/M/n+M as a network of one node, with reneging."""
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=answers_per_s)],
        service_distributions=[ciw.dists.Exponential(rate=1.0 / handle_s)],
        reneging_time_distributions=[ciw.dists.Exponential(rate=1.0 / patience_s)],
        number_of_servers=[agents],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(seconds)
    gone = sum(len(individual.data_records) for individual in simulation.nodes[-1].all_individuals)
    return {"events": gone + simulation.nodes[0].number_accepted_individuals}


# ---- a dialer -------------------------------------------------------------------------------------------------
class SimpyDialer:
    """Agents and lines; lines in flight are kept at a fixed ratio to the idle agents."""

    def __init__(self, scenario: FastScenario, seed: int) -> None:
        self._scenario = scenario
        self._rng = random.Random(seed)
        self._tables = tables_of(scenario).tolist()
        self.env = simpy.Environment()
        self._agents = simpy.Resource(self.env, capacity=scenario.agents)
        self._ringing = 0
        self._asked = False
        self._decided_at = -TICK_S
        self.events = 0
        self.attempts = 0
        self.env.process(self._tick())

    def _seconds(self, table: Table) -> float:
        value: float = self._tables[table][int(self._rng.random() * CELLS)]
        return value

    def _line(self) -> Steps:
        scenario, env = self._scenario, self.env
        self._ringing += 1
        self.attempts += 1
        u, set_up_s, answered = self._rng.random(), self._seconds(Table.SET_UP), False
        after_s = scenario.ring_timeout_s
        if u < scenario.unreached_rate:
            after_s = set_up_s
        elif u < scenario.unreached_rate + scenario.answer_rate:
            rings_s = self._seconds(Table.ANSWER)
            answered = set_up_s + rings_s < scenario.ring_timeout_s
            after_s = set_up_s + rings_s if answered else scenario.ring_timeout_s
        yield env.timeout(after_s)
        self._ringing -= 1
        self._happened()
        if answered:
            yield from self._call()

    def _call(self) -> Steps:
        env = self.env
        with self._agents.request() as request:
            if not request.triggered:
                patience_s = min(self._seconds(Table.PATIENCE), self._scenario.connect_deadline_s)
                yield request | env.timeout(patience_s)
                if not request.triggered:
                    self._happened()
                    return
            yield env.timeout(self._seconds(Table.TALK))
            self._happened()
            yield env.timeout(min(self._seconds(Table.WRAP_UP), self._scenario.wrap_up_limit_s))
        self._happened()

    def _happened(self) -> None:
        self.events += 1
        if not self._asked:
            self._asked = True
            self.env.process(self._decide_soon())

    def _decide_soon(self) -> Steps:
        yield self.env.timeout(max(DECISION_DELAY_S, self._decided_at + DECISION_GAP_S - self.env.now))
        self._asked = False
        self.events += 1
        self._decide()

    def _decide(self) -> None:
        self._decided_at = self.env.now
        idle = self._agents.capacity - self._agents.count - len(self._agents.queue)
        for _ in range(int(self._scenario.lines_per_idle_agent * idle + 0.5) - self._ringing):
            self.env.process(self._line())

    def _tick(self) -> Steps:
        while True:
            self.events += 1
            if not self._asked and self.env.now >= self._decided_at + TICK_S:
                self._decide()
            wait_s = self._decided_at + TICK_S - self.env.now
            yield self.env.timeout(wait_s if wait_s > 0.0 else TICK_S)


def simpy_dialer(scenario: FastScenario, seconds: float, seed: int) -> dict[str, int]:
    """A dialer's call flow for so many simulated seconds; nobody is screened out."""
    dialer = SimpyDialer(scenario, seed)
    dialer.env.run(until=seconds)
    return {"events": dialer.events, "attempts": dialer.attempts}
