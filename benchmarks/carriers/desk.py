"""Ours behind the desk: circuits open on dead trunks, and a try that a carrier's fault ended is tried again elsewhere.

The same calls and lines as in `trial`, a second's calls at a time. The log has a row for each try.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from benchmarks.carriers.line import Line
from benchmarks.carriers.policies import OURS, solve
from benchmarks.carriers.trial import REPRICE_EVERY_S, Buckets, Log, Trial, came_to
from benchmarks.carriers.world import (
    CANCELLED_ABOVE,
    CANCELLED_FEE,
    DESTINATION,
    REGION,
    SHORT_ABOVE,
    SHORT_FEE,
    TRUNKS,
    VALUE,
    World,
)
from carriers.caller_id import CallerIds
from carriers.causes import CallEnd
from carriers.desk import Call, Desk, Ended, Route
from carriers.market import Ints
from carriers.rates import Rate
from carriers.registry import make_campaign_router
from carriers.supply import Carrier, SetUpLimit, Supply, Surcharge, Trunk

MAX_TRIES = 3
RINGS_S = 2  # after the set-up
_CHANNELS = 10_000


def run_desk(world: World, router_id: str = OURS, *, rng_seed: int = 99) -> Trial:
    """Place a world's calls through the desk. Deterministic but for the measured times."""
    run = _DeskRun(world, router_id, np.random.default_rng(rng_seed))
    for second in range(world.seconds):
        run.hear(second)
        run.place(second)
    return run.measured()


def supply_of(world: World) -> Supply:
    """The world's trunks as a campaign would have them."""
    short = Surcharge(above=SHORT_ABOVE, fee=SHORT_FEE)
    cancelled = Surcharge(above=CANCELLED_ABOVE, fee=CANCELLED_FEE)
    carriers = tuple(
        Carrier(name=f"c{k}", short_calls=short if due else None, cancelled_calls=cancelled if due else None)
        for k, due in enumerate(world.surcharged.tolist())
    )
    rows = zip(world.set_ups_per_s.tolist(), world.attempt_fee.tolist(), world.per_s.tolist(), strict=True)
    trunks = tuple(
        Trunk(
            name=f"t{k}",
            carrier=f"c{k}",
            max_channels=_CHANNELS,
            limits=(SetUpLimit(calls=int(2 * rate + 1), per_s=int(2 * rate + 1) / rate, kind="bucket"),),
            rates=(Rate(prefix="", per_minute=per_s * 60.0, attempt_fee=fee),),
        )
        for k, (rate, fee, per_s) in enumerate(rows)
    )
    return Supply(carriers=carriers, trunks=trunks)


@dataclass(slots=True)
class _Tries:
    """A row for each try, in their order."""

    call: list[int] = field(default_factory=list)
    trunk: list[int] = field(default_factory=list)
    placed: list[int] = field(default_factory=list)
    propensity: list[float] = field(default_factory=list)
    reason: list[int] = field(default_factory=list)

    def add(self, call: int, route: Route, second: int) -> None:
        """A try is set up."""
        self.call.append(call)
        self.trunk.append(route.trunk)
        self.placed.append(second)
        self.propensity.append(route.propensity)
        self.reason.append(int(route.reason))


class _DeskRun:
    """A run under way."""

    def __init__(self, world: World, router_id: str, rng: np.random.Generator) -> None:
        self.world, self.rng, self.line, self.tries = world, rng, Line(world), _Tries()
        self.desk = Desk(
            supply_of(world), lambda market: make_campaign_router(router_id, market), caller_ids=CallerIds((), owned=())
        )
        self.cell_of = [
            self.desk.cells.of("+12025550100", region=f"r{region}", network=f"d{network}", country="US")
            for region, network in zip(REGION.tolist(), DESTINATION.tolist(), strict=True)
        ]
        self.first = np.searchsorted(world.second, np.arange(world.seconds + 1)).tolist()
        self.tried: dict[int, list[int]] = {}  # of calls that failed: the trunks
        self.ringing: dict[int, list[int]] = {}  # by the second in which they do
        self.waiting: list[int] = []
        self.held: dict[int, Route] = {}  # planned, and waiting for a set-up
        self.most_waiting = self.solved = 0
        self.desk_s = self.solver_s = 0.0

    def hear(self, second: int) -> None:
        """Tell the desk what happened, try again what a carrier's fault ended, and have new prices made."""
        news, now = self.line.news(second), float(second)
        begun = time.process_time()
        held, self.held = self.held, {}
        if held:
            self._set_up(held, second)
        self._ring(second, now)
        for row in zip(*(column.tolist() for column in news[1]), strict=True) if news else ():
            self._tell(row, now)
        if second % REPRICE_EVERY_S == 0 and (problem := self.desk.problem(now)) is not None:
            asked = time.process_time()
            prices = solve(problem)
            spent = time.process_time() - asked
            self.desk.reprice(prices, now)
            self.solved, self.solver_s, begun = self.solved + 1, self.solver_s + spent, begun + spent
        for call in news[0][self.line.faulty[news[0]] > 0.0].tolist() if news else ():
            tried = self.tried.setdefault(call, [])
            tried.append(int(self.line.trunk[call]))
            if len(tried) >= MAX_TRIES:
                continue
            if route := self.desk.again(self._call(call, second), tried=tried, now=now, rng=self.rng):
                self._set_up({call: route}, second)
        self.desk_s += time.process_time() - begun

    def _ring(self, second: int, now: float) -> None:
        """Calls set up two seconds ago ring by now, but for those of a dead trunk."""
        for call in self.ringing.pop(second, ()):
            if not self.line.faulty[call]:
                self.desk.rang(int(self.line.trunk[call]), self.cell_of[int(self.world.cell[call])], RINGS_S, now=now)

    def _tell(self, row: tuple[float, ...], now: float) -> None:
        place, at, tries, expected, contacts, answers, faults, _, cancels, answered_s, held_s = row
        trunk, cell = int(place), self.cell_of[int(at)]
        if contacts > 0:
            self.desk.answered(trunk, cell, expected, now=now)
            self.desk.contact(trunk, cell, now=now)
        elif contacts < 0:
            self.desk.no_contact(trunk, cell, now=now)
        if not tries:
            return
        self.desk.loads.give_back(trunk, set_up=True)
        ended = Ended(
            trunk=trunk,
            cell=cell,
            end=CallEnd.FAILED if faults else CallEnd.ANSWERED if answers else CallEnd.NO_ANSWER,
            expected=expected,  # of what nobody answered; else it was told with the answer
            taught=True,
            rang=not faults,
            cancelled=bool(cancels),
            answered_s=answered_s if answers else None,
            held_s=held_s,
        )
        self.desk.ended(ended, now=now)

    def place(self, second: int) -> None:
        """Have the second's calls and those that wait routed, and set up what has a trunk."""
        asked = [*self.waiting, *range(self.first[second], self.first[second + 1])]
        if not asked:
            return
        calls = [self._call(call, second) for call in asked]
        begun = time.process_time()
        routes = self.desk.route(calls, now=float(second), rng=self.rng)
        self.desk_s += time.process_time() - begun
        self._set_up({call: route for call, route in zip(asked, routes, strict=True) if route is not None}, second)
        self.waiting = [call for call, route in zip(asked, routes, strict=True) if route is None]
        self.most_waiting = max(self.most_waiting, len(self.waiting))

    def _call(self, call: int, second: int) -> Call:
        cell = int(self.world.cell[call])
        return Call(self.cell_of[cell], float(self.world.model[cell, second // 60]), VALUE)

    def _set_up(self, planned: dict[int, Route], second: int) -> None:
        """Place what its trunk takes now; the rest is held for the next second."""
        routes: dict[int, Route] = {}
        for call, route in planned.items():
            if not self.desk.loads.set_up(route.trunk, float(second)):
                self.held[call] = route
                continue
            routes[call] = route
            self.tries.add(call, route, second)
            self.desk.placed(route.trunk, first=call not in self.tried, now=float(second))
        calls = np.fromiter(routes, np.int64, len(routes))
        self.ringing.setdefault(second + RINGS_S, []).extend(routes)
        self.line.place(calls, np.array([route.trunk for route in routes.values()], dtype=np.int64), second)

    def measured(self) -> Trial:
        """What it came to, all tries."""
        call, trunk = np.array(self.tries.call), np.array(self.tries.trunk)
        last = self.line.placed[call] == np.array(self.tries.placed)  # the try whose end the line remembers
        log = Log(
            cell=self.world.cell[call],
            trunk=trunk,
            placed=np.array(self.tries.placed),
            propensity=np.array(self.tries.propensity),
            reason=np.array(self.tries.reason),
            room=np.zeros((len(call), TRUNKS), dtype=np.bool_),
            contact=self.line.contact[call] * last,
            answered=self.line.answered[call] * last,
            faulty=np.where(last, self.line.faulty[call], 1.0),
            talk_s=self.line.talk_s[call] * last,
        )
        return Trial(
            **came_to(self.world, log),
            waiting=len(self.waiting),
            most_waiting=self.most_waiting,
            beyond_limits=_beyond(self.world, trunk, np.array(self.tries.placed)),
            router_s=self.desk_s,
            solver_s=self.solver_s,
            solved=self.solved,
            log=log,
        )


def _beyond(world: World, trunk: Ints, placed: Ints) -> int:
    """Count the set-ups beyond the trunks' buckets, anew from when they were sent."""
    buckets, beyond = Buckets(world.set_ups_per_s.copy()), 0
    by_second = np.zeros((int(placed.max(initial=0)) + 1, TRUNKS), dtype=np.int64)
    np.add.at(by_second, (placed, trunk), 1)
    for counts in by_second:
        beyond += int(np.maximum(counts - buckets.refill(), 0).sum())
        buckets.take(counts)
    return beyond
