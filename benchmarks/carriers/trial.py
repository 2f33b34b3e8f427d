"""Drives a router through a world, a second's calls at a time, and measures what it comes to.

The router is alone here: a call that fails on a dead trunk is lost, no circuit opens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from benchmarks.carriers.line import Line
from benchmarks.carriers.world import (
    CANCELLED_ABOVE,
    CANCELLED_FEE,
    SHORT_ABOVE,
    SHORT_FEE,
    TRUNKS,
    VALUE,
    World,
)
from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.market import Bools, Floats, Ints, Market
from carriers.router import PricedRouter, Reason, Room, Router, RouteRequests

Solve = Callable[[CapacityProblem], CapacityPrices]
REPRICE_EVERY_S = 30
BURST_S = 2.0  # a trunk saves set-ups for so long, and one more
_PLENTY = 1 << 30


@dataclass(slots=True)
class Buckets:
    """The trunks' set-up limits: token buckets of two seconds and one, full at the start. One second a turn."""

    rate: Floats  # (K,) set-ups a second
    tokens: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.size.copy()

    @property
    def size(self) -> Floats:
        """What each holds at most."""
        return self.rate * BURST_S + 1.0

    def refill(self) -> Ints:
        """A second later: how many calls may be set up now."""
        self.tokens = np.minimum(self.tokens + self.rate, self.size)
        return np.floor(self.tokens + 1e-9).astype(np.int64)

    def take(self, counts: Ints) -> None:
        """Set up calls; what is beyond the limit shows as a debt."""
        self.tokens = self.tokens - counts


@dataclass(frozen=True, slots=True)
class Log:
    """Where each of N calls, or tries, went: -1 and 0 where it was never placed."""

    cell: Ints
    trunk: Ints
    placed: Ints  # the second
    propensity: Floats
    reason: Ints
    room: Bools  # (N, K) whether the trunk had room when the call's turn came
    contact: Floats
    answered: Floats
    faulty: Floats
    talk_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a policy came to in a world. Money is in the mean, by the true probabilities; surcharges by the counts."""

    net: float
    contacts: float
    cost: float  # surcharges included
    surcharges: float
    calls: int
    waiting: int  # calls never placed
    most_waiting: int
    beyond_limits: int  # set-ups beyond a trunk's bucket
    router_s: float  # process time of choose, learn, problem and reprice
    solver_s: float
    solved: int
    by_minute: Floats  # (M,) the net, surcharges not in it
    log: Log

    @property
    def explored(self) -> float:
        """The share of calls that were drawn at random to learn."""
        return float(np.mean(self.log.reason == Reason.EXPLORED))


def run_trial(
    world: World,
    router: Callable[[Market], Router],
    *,
    solve: Solve,
    rng_seed: int = 99,
    tells_surcharges: bool = True,
    until_s: int | None = None,
) -> Trial:
    """Place a world's calls by a router, all or those before `until_s`. Deterministic but for the measured times.

    A call that finds no room waits for the next second, before the later ones.
    """
    run = _Run(world, router(world.market(tells_surcharges=tells_surcharges)), solve, np.random.default_rng(rng_seed))
    for second in range(world.seconds if until_s is None else until_s):
        run.hear(second)
        run.place(second)
    return run.measured()


class _Run:
    """A trial under way."""

    def __init__(self, world: World, router: Router, solve: Solve, rng: np.random.Generator) -> None:
        calls = len(world.second)
        self.world, self.router, self.solve, self.rng = world, router, solve, rng
        self.priced = cast(PricedRouter, router) if hasattr(router, "problem") else None
        self.line, self.buckets = Line(world), Buckets(world.set_ups_per_s.copy())
        self.first = np.searchsorted(world.second, np.arange(world.seconds + 1)).tolist()
        self.propensity, self.reason = np.zeros(calls), np.zeros(calls, dtype=np.int64)
        self.had_room = np.zeros((calls, TRUNKS), dtype=np.bool_)
        self.accounts, self.values = np.full(TRUNKS, _PLENTY), np.full(calls, VALUE)
        self.waiting = np.zeros(0, dtype=np.int64)
        self.most_waiting = self.beyond = self.solved = 0
        self.router_s = self.solver_s = 0.0

    def hear(self, second: int) -> None:
        """Tell the router what happened, and every half minute have new prices made for it."""
        news = self.line.news(second)
        begun = time.process_time()
        if news is not None:
            self.router.learn(news[1], now=float(second))
        if self.priced is not None and second % REPRICE_EVERY_S == 0:
            problem = self.priced.problem(float(second))
            if problem is not None:
                asked = time.process_time()
                prices = self.solve(problem)
                spent = time.process_time() - asked
                self.priced.reprice(prices)
                self.solved += 1
                self.solver_s += spent
                begun += spent
        self.router_s += time.process_time() - begun

    def place(self, second: int) -> None:
        """Choose for the second's calls and for those that wait, and set up what has a trunk."""
        world, free = self.world, self.buckets.refill()
        call = np.concatenate([self.waiting, np.arange(self.first[second], self.first[second + 1])])
        if not len(call):
            return
        cell = world.cell[call]
        asked = RouteRequests(cell, world.model[cell, second // 60].astype(np.float64), self.values[: len(call)])
        room = Room(free.copy(), self.accounts.copy())
        begun = time.process_time()
        routes = self.router.choose(asked, room, now=float(second), rng=self.rng)
        self.router_s += time.process_time() - begun
        placed = routes.trunk >= 0
        trunk = routes.trunk[placed]
        counts = np.bincount(trunk, minlength=TRUNKS)
        self.beyond += int(np.maximum(counts - free, 0).sum())
        self.buckets.take(counts)
        taken = np.zeros((len(call), TRUNKS), dtype=np.int64)
        taken[np.flatnonzero(placed), trunk] = 1
        self.had_room[call] = free > np.cumsum(taken, axis=0) - taken
        self.propensity[call], self.reason[call] = routes.propensity, routes.reason
        self.line.place(call[placed], trunk, second)
        self.waiting = call[~placed]
        self.most_waiting = max(self.most_waiting, len(self.waiting))

    def measured(self) -> Trial:
        """What it came to."""
        world, line = self.world, self.line
        log = Log(
            cell=world.cell,
            trunk=line.trunk,
            placed=line.placed,
            propensity=self.propensity,
            reason=self.reason,
            room=self.had_room,
            contact=line.contact,
            answered=line.answered,
            faulty=line.faulty,
            talk_s=line.talk_s,
        )
        return Trial(
            **came_to(world, log),
            waiting=len(self.waiting),
            most_waiting=self.most_waiting,
            beyond_limits=self.beyond,
            router_s=self.router_s,
            solver_s=self.solver_s,
            solved=self.solved,
            log=log,
        )


def came_to(world: World, log: Log) -> dict[str, Any]:
    """The fields of `Trial` that follow from where the calls went: money, contacts, calls."""
    placed = np.flatnonzero(log.trunk >= 0)
    where = log.trunk[placed], log.cell[placed], log.placed[placed] // 60
    contacts = float(world.contact[where].sum(dtype=np.float64))
    surcharges = float(surcharges_of(world, log).sum())
    nets = world.net()[where].astype(np.float64)
    net = float(nets.sum()) - surcharges
    return {
        "net": net,
        "contacts": contacts,
        "cost": contacts * VALUE - net,
        "surcharges": surcharges,
        "calls": len(world.second),
        "by_minute": np.bincount(where[2], nets, minlength=world.minutes),
    }


def ratios_of(log: Log) -> tuple[Floats, Floats]:
    """Each account's share of short calls, of the answered ones, and of cancelled calls, of all; 0 of none. (K,)"""
    shorts, answered, cancelled, tries = _counts(log)
    return shorts / np.maximum(answered, 1.0), cancelled / np.maximum(tries, 1.0)


def surcharges_of(world: World, log: Log) -> Floats:
    """(K,): what the accounts charge for the day's short and cancelled calls, each of them where their share is above
    the limit."""
    shorts, _, cancelled, _ = _counts(log)
    short_share, cancelled_share = ratios_of(log)
    fees = shorts * SHORT_FEE * (short_share > SHORT_ABOVE)
    fees += cancelled * CANCELLED_FEE * (cancelled_share > CANCELLED_ABOVE)
    surcharges: Floats = fees * world.surcharged
    return surcharges


def _counts(log: Log) -> tuple[Floats, Floats, Floats, Floats]:
    """(K,) each: short, answered, cancelled and all calls."""
    placed = log.trunk >= 0
    answered = log.answered > 0
    short = answered & (log.talk_s <= 6.0)
    cancelled = placed & ~answered & (log.faulty == 0)

    def count(which: Bools) -> Floats:
        return np.bincount(log.trunk[which], minlength=TRUNKS).astype(np.float64)

    return count(short), count(answered), count(cancelled), count(placed)
