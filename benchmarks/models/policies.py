"""Who is called in an hour: list orders, models, our own plans, and oracles that know the truth.

Every policy is asked for the leads of each hour and told what came of them; all but oracles see only the list and the
attempts. `planned` is the product's own planner, asked as the engine asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.models.world import BEGIN, GAP_H, HOURS, PER_DAY, PER_WEEK, SLOTS, Floats, Rows, Standing, World
from models.allocation import DayCalls, advantage, hour_prices
from models.attempts import AttemptLog, Singles
from models.bundle import ModelBundle
from models.features import History, features_at
from models.plan import HourPlan, PlanRequest, Region, Slot, pack, unpack
from models.planning import Planning, PlanSettings

OURS = "model + hour prices"
RANDOM, BY_ID, BY_COUNT = "random order", "lead_id order", "least called first"
LISTS = (RANDOM, BY_ID, BY_COUNT)
MORNING, GREEDY = "model, sorted in the morning", "model, greedy by the hour"
ORACLE_GREEDY, ORACLE = "oracle, greedy by the hour", "oracle + hour prices"
HANDLE_S = 120.0  # of an answered call; agents do not bind here


@dataclass(slots=True, kw_only=True)
class Choice:
    """Leads to be called now, the best first, and what the policy said of each."""

    leads: Rows
    told: Singles | None = None  # chance of an answer
    propensity: Singles | None = None  # of what was drawn by lot, else NaN


class Policy(Protocol):
    """Choose at most `an_hour` of the leads that may be called, and be told what came of them."""

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice: ...

    def learn(self, log: AttemptLog) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What policies begin with: the world, its past, the model trained on it, and what lines can do in an hour."""

    world: World
    past: AttemptLog
    model: ModelBundle
    an_hour: int


@dataclass(slots=True)
class ListOrder:
    """An order that no model has touched: by id, or the fewest calls first and those with as many by one lot."""

    start: Start
    by_count: bool
    tie: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.tie = np.random.default_rng([self.start.world.seed, 78]).permutation(len(self.start.world))

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice:  # noqa: ARG002
        """Go down the list."""
        if self.by_count:
            able = able[np.lexsort((self.tie[able], standing.calls[able]))]
        return Choice(leads=able[: self.start.an_hour])

    def learn(self, log: AttemptLog) -> None:
        """Lists learn nothing."""


@dataclass(slots=True)
class RandomOrder:
    """Another order in every hour."""

    start: Start
    lot: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.lot = np.random.default_rng([self.start.world.seed, 77])

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice:  # noqa: ARG002
        """Draw."""
        return Choice(leads=self.lot.permutation(able)[: self.start.an_hour])

    def learn(self, log: AttemptLog) -> None:
        """Lots learn nothing."""


@dataclass(slots=True)
class Oracle:
    """Knows everybody's true chances now, and what a call is worth; `prices`: keeps leads for better hours."""

    start: Start
    prices: bool

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice:
        """Rank by the true chance of the right party, or by what it brings beyond the best later hour of the day."""
        world, later = self.start.world, np.arange(slot, SLOTS) if self.prices else np.array([slot])
        answer = world.answer(standing.wear, later, able).astype(np.float32)
        worth = (answer[:, 0] * world.right_party[able]).astype(np.float32)
        if self.prices:
            calls = _calls(answer, world.right_party[able], standing, able)
            no_limit = np.full(len(later), np.inf)
            prices = hour_prices(calls, np.full(len(later), float(self.start.an_hour)), no_limit, sample=len(able))
            worth = advantage(calls, prices)
        best = np.argsort(-worth, kind="stable")[: self.start.an_hour]
        return Choice(leads=able[best], told=answer[best, 0])

    def learn(self, log: AttemptLog) -> None:
        """There is nothing to learn."""


def _calls(answer: Singles, right_party: Floats, standing: Standing, able: Rows) -> DayCalls:
    count = len(able)
    return DayCalls(
        answer=answer,
        open=np.ones_like(answer),
        attempts_left=standing.attempts_left()[able].astype(np.int8),
        value=right_party.astype(np.float32),
        handle_s=np.full(count, HANDLE_S, np.float32),
        wear=np.zeros(count, np.float32),
        gap=int(GAP_H),
    )


@dataclass(slots=True)
class Scored:
    """The model's chance of a right-party contact: of this hour (`hourly`), or of the day, as of its morning."""

    start: Start
    hourly: bool
    history: History = field(init=False)
    score: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(len(self.start.world))
        self.history.observe(self.start.past)
        self.score = np.zeros(len(self.start.world))

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice:
        """Sort by the score."""
        told = None
        if self.hourly:
            self.score[able], told = self._scored(standing.at_h, able)
        elif slot == 0:
            everybody = np.arange(len(self.score))
            self.score = np.mean([self._scored(standing.at_h + later, everybody)[0] for later in range(SLOTS)], axis=0)
        best = np.argsort(-self.score[able], kind="stable")[: self.start.an_hour]
        return Choice(leads=able[best], told=None if told is None else told[best])

    def _scored(self, at_h: float, leads: Rows) -> tuple[Singles, Singles]:
        """(chance of the right party, of an answer)."""
        count = len(leads)
        none, nowhere = np.zeros(count, np.int8), np.zeros(count, np.int32)
        model, which = self.start.model, leads.astype(np.int32)
        rows = features_at(
            self.history, self.start.world.table, model.feature_set, which, none, BEGIN + 3600.0 * at_h, nowhere,
            np.zeros(count, bool),
        )  # fmt: skip
        answer = model.answer(rows)
        return answer * model.right_party(rows), answer

    def learn(self, log: AttemptLog) -> None:
        """Remember the attempts."""
        self.history.observe(log)


@dataclass(slots=True)
class Planned:
    """The product's planner, asked for a plan every hour as the engine asks it."""

    start: Start
    settings: PlanSettings = field(default_factory=PlanSettings)
    planning: Planning = field(init=False)
    log: AttemptLog | None = None
    asked: int = 0

    def __post_init__(self) -> None:
        self.planning = Planning(self.start.world.table, self.start.model, settings=self.settings)
        self.planning.observe(self.start.past)

    def choose(self, standing: Standing, slot: int, able: Rows) -> Choice:
        """Go down the plan's order; whoever is held is not called, whoever is not in it comes last."""
        plan = self.planning.plan(self.request(standing, slot))
        may = np.zeros(len(standing.calls), bool)
        may[able] = True
        may[unpack(plan.held, "<i4")[unpack(plan.held_until, "<f8") > BEGIN + 3600.0 * standing.at_h]] = False
        order = unpack(plan.order, "<i4").astype(np.int64)
        order = order[may[order]]
        may[order] = False
        leads = np.concatenate([order, np.flatnonzero(may)])[: self.start.an_hour]
        return Choice(leads=leads, told=_of(plan, "answer")[leads], propensity=_of(plan, "propensity")[leads])

    def learn(self, log: AttemptLog) -> None:
        """Keep the attempts for the next request."""
        self.log = log

    def request(self, standing: Standing, slot: int) -> PlanRequest:
        """Ask for the plan of this hour, as the engine does; all leads are told of in each."""
        self.asked += 1
        begin = BEGIN + 3600.0 * standing.at_h
        count = len(standing.calls)
        return PlanRequest(
            number=self.asked,
            at=begin,
            slots=tuple(
                Slot(
                    begin_at=begin + 3600.0 * later,
                    end_at=begin + 3600.0 * (later + 1),
                    attempts=float(self.start.an_hour),
                    agent_s=np.inf,
                )
                for later in range(SLOTS - slot)
            ),
            regions=(_region(SLOTS - slot),),
            carriers=(),
            handle_s=HANDLE_S,
            gap_s=3600.0 * GAP_H,
            lead=pack(np.arange(count), "<i4"),
            region=pack(np.where(standing.reached, -1, 0), "<i2"),
            on_number=pack(np.zeros(count), "<i1"),
            priority=pack(np.zeros(count), "<i4"),
            ready_at=pack(BEGIN + 3600.0 * (standing.last_h + GAP_H), "<f8"),
            **_ended(self.log),
        )


def _region(slots: int) -> Region:
    return Region(
        zone="UTC", offset_s=0, holiday=False, open=(1.0,) * slots, hours=tuple(HOURS.tolist()), per_day=PER_DAY,
        per_week=PER_WEEK,
    )  # fmt: skip


def _ended(log: AttemptLog | None) -> dict[str, bytes]:
    if log is None:
        return {}
    return {
        "ended_lead": pack(log.lead, "<i4"),
        "ended_at": pack(log.at, "<f8"),
        "ended_number": pack(log.number, "<i1"),
        "ended_result": pack(log.result, "<i1"),
        "ended_ring": pack(log.ring_s, "<f4"),
        "ended_talk": pack(log.talk_s, "<f4"),
        "ended_carrier": pack(log.carrier, "<i2"),
        "ended_propensity": pack(log.propensity, "<f4"),
    }


def _of(plan: HourPlan, column: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = unpack(getattr(plan, column), "<f4")
    return found


POLICIES: dict[str, Callable[[Start], Policy]] = {
    RANDOM: RandomOrder,
    BY_ID: lambda start: ListOrder(start, by_count=False),
    BY_COUNT: lambda start: ListOrder(start, by_count=True),
    MORNING: lambda start: Scored(start, hourly=False),
    GREEDY: lambda start: Scored(start, hourly=True),
    OURS: Planned,
    ORACLE_GREEDY: lambda start: Oracle(start, prices=False),
    ORACLE: lambda start: Oracle(start, prices=True),
}
