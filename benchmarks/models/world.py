"""Worlds whose truth is hidden: people of five habits, some with wrong numbers, all of whom calls tire.

How it works. The logit of an answer is the person's own level, plus a curve over the hours of one of five habits, less
the wear: each call without an answer adds a person's own drop to it, and half of it is gone after four days of rest. A
lead may be called twice a day, seven times in seven days, and three hours after the last call at the soonest. Whoever
was reached is not called again. Leads are seen through their columns (age, employment, days past due, amount, product,
region), which lean on the habits and the levels but do not tell them.

Whether somebody answers is drawn by the lead and by how often it was called before, not by the policy's dice: two
policies meet the same people, and the same call to the same person goes the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from models.attempts import AttemptLog, Result, Singles, joined
from models.lead_table import LeadTable

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

LEADS = 40_000
HOURS = np.arange(8, 21)  # of the day, begun
SLOTS = len(HOURS)
PER_DAY, PER_WEEK, GAP_H = 2, 7, 3.0
PAST_DAYS, PAST_AN_HOUR, FORGOTTEN_AFTER_DAYS = 28, 3000, 4
BEGIN = datetime(2026, 3, 2, tzinfo=UTC).timestamp()  # a Monday; local time is UTC
WEAR_HALF_LIFE_H = 96.0
PRODUCTS, REGIONS = 12, 20
WRONG_NUMBERS, WRONG_ANSWERS = 0.12, 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """People, by lead. Nothing of it but `table` is for policies that are no oracles."""

    seed: int
    table: LeadTable
    level: Floats  # logit of an answer, shape (leads,)
    curve: Floats  # of the lead's habit, logit, shape (leads, slots)
    wrong_number: Flags
    drop: Floats  # of the logit by a call without an answer
    right_party: Floats  # chance, of an answer

    def __len__(self) -> int:
        return len(self.level)

    def answer(self, wear: Floats, slots: Rows, leads: Rows | slice = slice(None)) -> Floats:
        """Return the true chances of an answer: shape (leads, slots)."""
        logit = self.level[leads, None] + self.curve[leads][:, slots] - wear[leads, None]
        chance: Floats = np.where(self.wrong_number[leads, None], WRONG_ANSWERS, 1.0 / (1.0 + np.exp(-logit)))
        return chance


@dataclass(slots=True, kw_only=True)
class Standing:
    """How things stand with each lead: what rules ask for, and the wear, which is hidden."""

    wear: Floats
    calls: Rows  # ever
    last_h: Floats  # when it was called last, hours from the world's begin
    today: Rows
    week: Rows  # calls by day, the present one first, shape (leads, 7)
    reached: Flags
    at_h: float = 0.0  # until when the wear has been rested off
    log: list[AttemptLog] = field(default_factory=list)

    def copy(self) -> Standing:
        """Return an independent one without the log."""
        return Standing(
            wear=self.wear.copy(), calls=self.calls.copy(), last_h=self.last_h.copy(), today=self.today.copy(),
            week=self.week.copy(), reached=self.reached.copy(), at_h=self.at_h,
        )  # fmt: skip

    def begin_day(self) -> None:
        """Forget yesterday's caps."""
        self.today[:] = 0
        self.week[:] = np.roll(self.week, 1, axis=1)
        self.week[:, 0] = 0

    def rest_until(self, at_h: float) -> None:
        """Let the wear go down."""
        self.wear *= 0.5 ** ((at_h - self.at_h) / WEAR_HALF_LIFE_H)
        self.at_h = at_h

    def attempts_left(self) -> Rows:
        """How many more calls today's and the week's caps allow, shape (leads,); 0 for whoever was reached."""
        left: Rows = np.minimum(PER_DAY - self.today, PER_WEEK - self.week.sum(1)).clip(0)
        left[self.reached] = 0
        return left

    def may_be_called(self) -> Rows:
        """The leads that the rules allow to be called now."""
        open_now = (self.attempts_left() > 0) & (self.at_h - self.last_h >= GAP_H)
        return np.flatnonzero(open_now)


def fresh(leads: int) -> Standing:
    """Return the standing of people who have never been called."""
    return Standing(
        wear=np.zeros(leads), calls=np.zeros(leads, np.int64), last_h=np.full(leads, -1e3),
        today=np.zeros(leads, np.int64), week=np.zeros((leads, 7), np.int64), reached=np.zeros(leads, bool),
    )  # fmt: skip


def make_world(seed: int, leads: int = LEADS) -> World:
    """Draw a world. Equal seeds give equal worlds."""
    rng = np.random.default_rng(seed)
    age = rng.normal(44, 13, leads).clip(18, 85)
    employed = rng.random(leads) < (0.75 - 0.6 * (age > 65))
    product, region = rng.integers(0, PRODUCTS, leads), rng.integers(0, REGIONS, leads)
    past_due, amount = rng.exponential(200, leads), rng.lognormal(7.2, 1, leads)
    of_product, of_region = rng.normal(0, 0.35, PRODUCTS), rng.normal(0, 0.2, REGIONS)
    lean = np.stack(
        [
            1.2 * employed + 0.2,
            1.3 * (age > 62) + 0.2 * ~employed,
            0.5 + 0.3 * (product < 4),
            0.3 + 0.5 * (age < 30),
            np.full(leads, 0.3),
        ],
        axis=1,
    )
    habit = (lean + rng.gumbel(size=lean.shape)).argmax(1)
    level = -2.35 + of_product[product] + of_region[region] - 0.0008 * past_due + 0.012 * (age - 44)
    table = LeadTable(
        ids=tuple(f"lead-{place}" for place in range(leads)),
        numeric={
            "age": age.astype(np.float32),
            "employed": employed.astype(np.float32),
            "days_past_due": past_due.astype(np.float32),
            "amount": amount.astype(np.float32),
        },
        categories={"product": product.astype(np.int32), "region": region.astype(np.int32)},
        vocabularies={
            "product": tuple(f"product {code}" for code in range(PRODUCTS)),
            "region": tuple(f"region {code}" for code in range(REGIONS)),
        },
    )
    return World(
        seed=seed,
        table=table,
        level=level + rng.normal(0, 0.8, leads),
        curve=_curves()[habit],
        wrong_number=rng.random(leads) < WRONG_NUMBERS,
        drop=rng.gamma(4, 0.035, leads),
        right_party=rng.normal(0.62, 0.12, leads).clip(0.2, 0.95),
    )


def _curves() -> Floats:
    """The five habits: in the evening, in the morning, at lunch, early or late, at all hours alike."""
    hours = HOURS.astype(np.float64)

    def peak(at: float, width: float) -> Floats:
        bump: Floats = np.exp(-(((hours - at) / width) ** 2))
        return bump

    return np.stack(
        [
            -0.9 + 1.9 * peak(19, 1.8),
            0.6 * peak(10.5, 1.8) - 0.3 + 0.2 * (hours < 13),
            0.9 * peak(13.5, 1.2) - 0.5,
            0.9 * peak(8.5, 1.0) + 0.5 * peak(20, 0.9) - 0.5,
            np.zeros(SLOTS),
        ]
    )


def call(world: World, standing: Standing, slot: int, leads: Rows, propensity: Singles | None = None) -> AttemptLog:
    """Call these leads now, and keep and return what came of it."""
    chance = world.answer(standing.wear, np.array([slot]), leads)[:, 0]
    answered = _uniform(world.seed, leads, standing.calls[leads], 0) < chance
    right = answered & (_uniform(world.seed, leads, standing.calls[leads], 1) < world.right_party[leads])
    standing.calls[leads] += 1
    standing.last_h[leads] = standing.at_h
    standing.today[leads] += 1
    standing.week[leads, 0] += 1
    standing.wear[leads[~answered]] += world.drop[leads[~answered]]
    standing.reached[leads[right]] = True
    count = len(leads)
    result = np.where(right, Result.RIGHT_PARTY, np.where(answered, Result.WRONG_PARTY, Result.NO_ANSWER))
    unknown = np.full(count, np.nan, np.float32)
    log = AttemptLog(
        at=np.full(count, BEGIN + 3600.0 * standing.at_h),
        lead=leads.astype(np.int32),
        number=np.zeros(count, np.int8),
        offset_s=np.zeros(count, np.int32),
        result=result.astype(np.int8),
        holiday=np.zeros(count, bool),
        carrier=np.full(count, -1, np.int16),
        ring_s=unknown,
        talk_s=unknown,
        propensity=unknown if propensity is None else propensity,
    )
    standing.log.append(log)
    return log


def past(world: World, days: int = PAST_DAYS, an_hour: int = PAST_AN_HOUR) -> tuple[AttemptLog, Standing]:
    """Play the days before: one in random order, one by the fewest calls, and so on; reached leads come back every
    four days. Returns the log, and the standing at the end, when all may be called again."""
    rng = np.random.default_rng([world.seed, 50])
    standing, tie = fresh(len(world)), rng.permutation(len(world))
    for day in range(days):
        standing.begin_day()
        if day % FORGOTTEN_AFTER_DAYS == 0:
            standing.reached[:] = False
        for slot, hour in enumerate(HOURS):
            standing.rest_until(24.0 * day + hour)
            open_now = standing.may_be_called()
            if day % 2:
                chosen = rng.permutation(open_now)[:an_hour]
            else:
                chosen = open_now[np.lexsort((tie[open_now], standing.calls[open_now]))][:an_hour]
            call(world, standing, slot, chosen)
    log = joined(standing.log)
    standing.reached[:] = False
    return log, standing.copy()


def _uniform(seed: int, lead: Rows, call_count: Rows, kind: int) -> Floats:
    """A uniform draw in [0, 1) of each (lead, count of its calls), by splitmix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        word = np.uint64(seed * 4 + kind) * np.uint64(0xD1342543DE82EF95) + lead.astype(np.uint64)
        for more in (call_count.astype(np.uint64), np.uint64(0)):
            word = (word + more) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            word = word ^ (word >> np.uint64(31))
    draw: Floats = (word >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return draw
