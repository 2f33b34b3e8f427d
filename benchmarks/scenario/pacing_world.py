"""A small simulated call centre for measuring pacing policies by themselves: an event heap, no engine, no store.

The world of the pacing study: talk lognormal with mean 150 s and cv 1, wrap-up gamma of shape 2 with mean 30 s; a
lead is answered live with probability p after 3 s plus a gamma of shape 2 with mean 8 s; a tenth is busy at 4 s; the
rest rings out at 25 s. An answered call that finds no idle agent within `grace_s` is abandoned.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pacing.policy import Policy
from pacing.view import PacingView

_FINISH, _ANSWER, _OTHER_END, _ABANDON, _TICK = range(5)
_MOST_IN_FLIGHT = 5000


@dataclass(frozen=True, kw_only=True)
class World:
    """The settings of a day. Times in seconds."""

    agents: int
    hours: float = 8.0
    measured_from_s: float = 0.0
    target_abandon_rate: float = 0.03
    max_lines_per_idle_agent: float = 8.0
    grace_s: float = 0.0
    tick_s: float = 1.0
    promised_probability: float = 0.3  # what the policy is told of every lead
    true_probability: Callable[[float], float] = lambda at: 0.3  # noqa: ARG005
    talk_mean_s: float = 150.0
    talk_cv: float = 1.0
    wrap_up_mean_s: float = 30.0
    busy_rate: float = 0.1
    ring_timeout_s: float = 25.0


@dataclass(frozen=True, kw_only=True)
class Day:
    """What came of a day; counts and occupancy from `measured_from_s` on, the worst rate over all of it."""

    occupancy: float  # handling / (handling + idle)
    answered: int
    abandoned: int
    dialled: int
    decisions: int
    worst_rate_so_far: float  # the highest abandoned / answered at any moment after the 100th answer

    @property
    def abandon_rate(self) -> float:
        """Abandoned / answered live."""
        return self.abandoned / self.answered if self.answered else 0.0


class _Arrays:
    """A growing and shrinking set of (since, probability), contiguous, by key."""

    def __init__(self, room: int) -> None:
        self.since = np.zeros(room)
        self.probability = np.zeros(room)
        self.keys: list[int] = []
        self.place: dict[int, int] = {}

    def add(self, key: int, since: float, probability: float = 0.0) -> None:
        i = len(self.keys)
        self.since[i] = since
        self.probability[i] = probability
        self.place[key] = i
        self.keys.append(key)

    def remove(self, key: int) -> float:
        i, last = self.place.pop(key), self.keys.pop()
        since = float(self.since[i])
        if last != key:
            j = len(self.keys)
            self.since[i] = self.since[j]
            self.probability[i] = self.probability[j]
            self.keys[i] = last
            self.place[last] = i
        return since


class Simulation:
    """One day of one world under one policy. Equal seeds give equal days."""

    def __init__(self, world: World, policy: Policy, seed: int) -> None:
        self.world = world
        self.policy = policy
        self.rng = np.random.default_rng([seed, 1])
        self.policy_rng = np.random.default_rng([seed, 2])
        self.now = 0.0
        self.idle = world.agents
        self.busy = _Arrays(world.agents)
        self.lines = _Arrays(_MOST_IN_FLIGHT)
        self.waiting: list[int] = []
        self.heap: list[tuple[float, int, int, int]] = []
        self.serial = 0
        self.answered = self.abandoned = self.dialled = self.decisions = 0
        self.all_answered = self.all_abandoned = 0
        self.handling_s = 0.0
        self.worst = 0.0
        sigma2 = math.log(1.0 + world.talk_cv**2)
        self.talk = (math.log(world.talk_mean_s) - sigma2 / 2.0, math.sqrt(sigma2))

    def run(self) -> Day:
        """Run the day to its end."""
        world, end = self.world, self.world.hours * 3600.0
        self._push(0.0, _TICK, 0)
        while True:
            at, _, kind, key = heapq.heappop(self.heap)
            measured_s = min(at, end) - max(self.now, world.measured_from_s)
            if measured_s > 0:
                self.handling_s += measured_s * len(self.busy.keys)
            if at >= end:
                break
            self.now = at
            self._happen(kind, key)
            self._decide()
        measured_s = (end - world.measured_from_s) * world.agents
        return Day(
            occupancy=self.handling_s / measured_s,
            answered=self.answered,
            abandoned=self.abandoned,
            dialled=self.dialled,
            decisions=self.decisions,
            worst_rate_so_far=self.worst,
        )

    def _push(self, at: float, kind: int, key: int) -> None:
        self.serial += 1
        heapq.heappush(self.heap, (at, self.serial, kind, key))

    def _happen(self, kind: int, key: int) -> None:
        if kind == _FINISH:
            self.policy.handled(handle_s=self.now - self.busy.remove(key))
            self.idle += 1
            if self.waiting:
                self.waiting.pop(0)
                self._bridge()
        elif kind == _OTHER_END:
            promised = self.world.promised_probability
            self.policy.not_answered(after_s=self.now - self.lines.remove(key), probability=promised)
        elif kind == _ANSWER:
            self._answer(key)
        elif kind == _ABANDON and key in self.waiting:
            self.waiting.remove(key)
            self._abandon()
        elif kind == _TICK:
            self._push(self.now + self.world.tick_s, _TICK, 0)

    def _answer(self, key: int) -> None:
        self.all_answered += 1
        self.answered += self.now >= self.world.measured_from_s
        promised = self.world.promised_probability
        self.policy.answered(after_s=self.now - self.lines.remove(key), probability=promised)
        if self.idle:
            self._bridge()
        elif self.world.grace_s > 0:
            self.waiting.append(key)
            self._push(self.now + self.world.grace_s, _ABANDON, key)
        else:
            self._abandon()

    def _bridge(self) -> None:
        self.idle -= 1
        self.busy.add(self.serial, self.now)
        wrap_up_s = self.rng.gamma(2.0, self.world.wrap_up_mean_s / 2.0)
        key = self.serial
        self._push(self.now + self.rng.lognormal(*self.talk) + wrap_up_s, _FINISH, key)

    def _abandon(self) -> None:
        self.policy.abandoned()
        self.all_abandoned += 1
        self.abandoned += self.now >= self.world.measured_from_s
        if self.all_answered >= 100:
            self.worst = max(self.worst, self.all_abandoned / self.all_answered)

    def _decide(self) -> None:
        world = self.world
        busy, lines = len(self.busy.keys), len(self.lines.keys)
        view = PacingView(
            now=self.now,
            idle=self.idle,
            handling_since=self.busy.since[:busy],
            leaving=0,
            ringing_since=self.lines.since[:lines],
            answer_probability=self.lines.probability[:lines],
            waiting=len(self.waiting),
            next_answer_probability=world.promised_probability,
            max_lines_per_idle_agent=world.max_lines_per_idle_agent,
            target_abandon_rate=world.target_abandon_rate,
        )
        self.decisions += 1
        wanted = self.policy.lines(view, self.policy_rng).lines
        for _ in range(min(wanted, _MOST_IN_FLIGHT - lines)):
            self._dial()

    def _dial(self) -> None:
        world, draw = self.world, self.rng.random()
        p = world.true_probability(self.now)
        self.dialled += 1
        key = self.serial + 1
        self.lines.add(key, self.now, world.promised_probability)
        if draw < p:
            after_s = min(3.0 + self.rng.gamma(2.0, 4.0), world.ring_timeout_s - 0.1)
            self._push(self.now + after_s, _ANSWER, key)
        elif draw < p + world.busy_rate:
            self._push(self.now + 4.0, _OTHER_END, key)
        else:
            self._push(self.now + world.ring_timeout_s, _OTHER_END, key)
