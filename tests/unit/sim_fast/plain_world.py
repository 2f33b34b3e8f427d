"""The fast simulator's world once more, in plain Python: what a constant stream of attempts comes to.

It shares with the simulator the tables of durations and the keys of the random numbers, so that the counts must be
equal; how calls, agents and waiting ones are kept is its own.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from sim.fast import FastScenario
from sim.fast.layout import CELLS, FAILURE, GAP, LOSS, OUTCOME, PURPOSES, Table
from sim.fast.scenario import tables_of

_MASK = 2**64 - 1


@dataclass
class Counts:
    """What a day came to, from the end of the warm-up on."""

    attempts: int = 0
    live_answers: int = 0
    abandoned: int = 0
    lost: int = 0
    connects: int = 0
    machines: int = 0
    handling_s: float = 0.0
    idle_s: float = 0.0


@dataclass
class PlainWorld:
    """One day under a Poisson stream of attempts that does not look at the floor."""

    scenario: FastScenario
    seed: int
    duration_s: float
    warm_up_s: float = 0.0
    day: int = 0
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        spawned = (self.day,) if self.day else ()
        keys = np.random.SeedSequence(self.seed, spawn_key=spawned).generate_state(PURPOSES, np.uint64)
        self.keys = [int(key) for key in keys]
        self.tables = tables_of(self.scenario)
        self.now = 0.0
        self.due: list[tuple[float, int, str, int]] = []
        self.serial = 0
        self.waiting: deque[tuple[int, float, bool]] = deque()  # attempt, until, whether it is a machine
        self.idle = list(range(self._staff_now()))  # who came last is given the next call
        self.busy: set[int] = set()

    def play(self) -> Counts:
        """Play the day."""
        for at, _ in self.scenario.agents_steps:
            self._set(at, "staff", 0)
        self._set(0.0, "launch", 0)
        while True:
            at, _, kind, subject = heapq.heappop(self.due)
            self._pass(min(at, self.duration_s))
            if at >= self.duration_s:
                return self.counts
            self.now = at
            getattr(self, f"_{kind}")(subject)

    # ---- chance ----
    def _uniform(self, purpose: int, subject: int) -> float:
        z = (self.keys[purpose] + (subject + 1) * 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return float((z ^ (z >> 31)) >> 11) / 2.0**53

    def _seconds(self, table: Table, subject: int) -> float:
        return float(self.tables[table, int(self._uniform(table, subject) * CELLS)])

    @staticmethod
    def _at(at: float, first: float, steps: tuple[tuple[float, float], ...]) -> float:
        value = first
        for since, later in steps:
            if since <= at:
                value = later
        return value

    # ---- time ----
    def _set(self, at: float, kind: str, subject: int) -> None:
        self.serial += 1
        heapq.heappush(self.due, (at, self.serial, kind, subject))

    def _pass(self, until: float) -> None:
        passed_s = max(0.0, until - max(self.now, self.warm_up_s))
        self.counts.handling_s += passed_s * len(self.busy)
        self.counts.idle_s += passed_s * len(self.idle)

    @property
    def _measured(self) -> bool:
        return self.now >= self.warm_up_s

    # ---- calls ----
    def _launch(self, attempt: int) -> None:
        self.counts.attempts += self._measured
        fate, after_s = self._fate(attempt)
        if fate:
            self._set(self.now + after_s, fate, attempt)
        gap_s = -math.log(1.0 - self._uniform(GAP, attempt + 1)) / self.scenario.lines_per_s
        self._set(self.now + gap_s, "launch", attempt + 1)

    def _fate(self, attempt: int) -> tuple[str, float]:
        """Return what is to be done at the end of the line, empty where nobody is to be served."""
        s = self.scenario
        if self._uniform(FAILURE, attempt) < self._at(self.now, s.failure_rate, s.failure_steps):
            return "", 0.0
        factor = s.day_factors[self.day % len(s.day_factors)]
        answers = factor * self._at(self.now, s.answer_rate, s.answer_steps)
        u = self._uniform(OUTCOME, attempt) - s.unreached_rate
        if not 0.0 <= u < answers + s.screened_out_rate + s.machine_passed_rate:
            return "", 0.0
        person = u < answers
        rings_s = self._seconds(Table.ANSWER if person else Table.MACHINE_ANSWER, attempt)
        answered_s = self._seconds(Table.SET_UP, attempt) + rings_s
        if answered_s >= s.ring_timeout_s:
            return "", 0.0
        after_s = answered_s + self._seconds(Table.SCREENING, attempt)
        if person:
            return ("lose" if self._uniform(LOSS, attempt) < s.human_lost_rate else "answer"), after_s
        return ("answer_machine" if u >= answers + s.screened_out_rate else ""), after_s

    def _lose(self, _: int) -> None:
        self.counts.live_answers += self._measured
        self.counts.abandoned += self._measured
        self.counts.lost += self._measured

    def _answer(self, attempt: int) -> None:
        self.counts.live_answers += self._measured
        self._queue(attempt, machine=False)

    def _answer_machine(self, attempt: int) -> None:
        self._queue(attempt, machine=True)

    def _queue(self, attempt: int, *, machine: bool) -> None:
        until = self.now + min(self._seconds(Table.PATIENCE, attempt), self.scenario.connect_deadline_s)
        self.waiting.append((attempt, until, machine))
        self._serve()
        if self.waiting and self.waiting[-1][0] == attempt:
            self._set(until, "give_up", attempt)

    def _give_up(self, attempt: int) -> None:
        for call in list(self.waiting):
            if call[0] == attempt:
                self.waiting.remove(call)
                self.counts.abandoned += self._measured and not call[2]

    # ---- agents ----
    def _staff_now(self) -> int:
        return int(self._at(self.now, self.scenario.agents, self.scenario.agents_steps))

    def _serve(self) -> None:
        while self.waiting and self.idle:
            agent = self.idle.pop()
            self.busy.add(agent)
            attempt, _, machine = self.waiting.popleft()
            self.counts.connects += self._measured
            self.counts.machines += self._measured and machine
            if machine:
                taken_s = self._seconds(Table.MACHINE_HANDLE, attempt)
            else:
                wrap_up_s = min(self._seconds(Table.WRAP_UP, attempt), self.scenario.wrap_up_limit_s)
                taken_s = self._seconds(Table.TALK, attempt) + wrap_up_s
            self._set(self.now + taken_s, "free", agent)

    def _free(self, agent: int) -> None:
        self.busy.remove(agent)
        if agent < self._staff_now():
            self.idle.append(agent)
        self._serve()

    def _staff(self, _: int) -> None:
        staff = self._staff_now()
        back = [agent for agent in range(staff) if agent not in self.idle and agent not in self.busy]
        self.idle = [agent for agent in self.idle if agent < staff] + back
        self._serve()
