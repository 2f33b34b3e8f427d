"""The dialer's call flow once more, in SimPy and from the start: an independent witness for the engine and its world.

Nothing is shared with the engine but the words and the distributions: a process to each line, callers in a list, and a
dialler that looks 100 ms after the first thing that has happened since it last looked, and 250 ms after that at the
soonest.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from math import floor
from typing import Any

import numpy as np
import simpy

from tests.scenario.exponential_floor import Draw

DECIDES_AFTER_S, DECIDES_AGAIN_AFTER_S = 0.1, 0.25


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What a call goes through; every time is a draw of its own, in seconds."""

    agents: int
    ratio: float  # lines in flight to each idle agent
    live_rate: float
    live_s: Draw  # from the dialling to the answer
    not_live_s: Draw  # from the dialling to the network's refusal
    ring_timeout_s: float
    gives_up_s: Draw  # people, and the switch itself, wait no longer for an agent
    bridge_s: float
    handle_s: Draw


@dataclass
class Tally:
    """Sums from `begin` on."""

    begin: float
    attempts: int = 0
    answers: int = 0
    abandoned: int = 0
    busy_s: float = 0.0


@dataclass
class Dialler:
    """The model: `env.run(until=...)` and read `tally`."""

    env: simpy.Environment
    flow: Flow
    rng: np.random.Generator
    tally: Tally
    in_flight: int = 0
    asked: bool = False
    decided_at: float = -DECIDES_AGAIN_AFTER_S
    callers: list[simpy.Event] = field(default_factory=list)  # who waits for an agent, oldest first
    busy: int = 0
    busy_since: float = 0.0  # when that last changed

    def __post_init__(self) -> None:
        self.ask()

    def ask(self) -> None:
        if not self.asked:
            self.asked = True
            self.env.process(self.decide())

    def decide(self) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(max(DECIDES_AFTER_S, self.decided_at + DECIDES_AGAIN_AFTER_S - self.env.now))
        self.asked = False
        self.decided_at = self.env.now
        wanted = floor(self.flow.ratio * (self.flow.agents - self.busy)) - len(self.callers) - self.in_flight
        for _ in range(wanted):
            self.env.process(self.line())

    def line(self) -> Generator[simpy.Event, Any, None]:
        self.in_flight += 1
        self.tally.attempts += self.counting
        live = self.rng.random() < self.flow.live_rate
        rings_s = (self.flow.live_s if live else self.flow.not_live_s)(self.rng, 1)[0]
        live = live and rings_s < self.flow.ring_timeout_s
        yield self.env.timeout(min(rings_s, self.flow.ring_timeout_s))
        self.in_flight -= 1
        self.ask()
        if live:
            yield self.env.process(self.call())

    def call(self) -> Generator[simpy.Event, Any, None]:
        counts = self.counting
        self.tally.answers += counts
        gives_up = self.env.timeout(self.flow.gives_up_s(self.rng, 1)[0])
        agent = self.env.event()
        self.callers.append(agent)
        self.match()
        yield agent | gives_up
        if not agent.triggered:
            self.callers.remove(agent)
            self.tally.abandoned += counts
            self.ask()
            return
        yield self.env.timeout(self.flow.bridge_s) | gives_up
        if gives_up.processed:
            self.tally.abandoned += counts
        else:
            yield self.env.timeout(self.flow.handle_s(self.rng, 1)[0])
        self.change_busy(-1)
        self.match()
        self.ask()

    def match(self) -> None:
        while self.busy < self.flow.agents and self.callers:
            self.change_busy(1)
            self.callers.pop(0).succeed()

    def change_busy(self, by: int) -> None:
        self.tally.busy_s += self.busy * max(0.0, self.env.now - max(self.busy_since, self.tally.begin))
        self.busy += by
        self.busy_since = self.env.now

    @property
    def counting(self) -> bool:
        return self.env.now >= self.tally.begin


def run(flow: Flow, *, seed: int, warm_up_s: float, duration_s: float) -> tuple[float, float, float]:
    """Return occupancy, abandoned / live answers, and attempts per second after the warm-up."""
    env = simpy.Environment()
    tally = Tally(begin=warm_up_s)
    dialler = Dialler(env, flow, np.random.default_rng(seed), tally)
    env.run(until=duration_s)
    dialler.change_busy(0)
    span_s = duration_s - warm_up_s
    return tally.busy_s / span_s / flow.agents, tally.abandoned / tally.answers, tally.attempts / span_s
