"""What sets people apart and nobody knows: how readily each answers, at which hours, and who it is then.

How it works: columns, one entry a person, drawn from streams named by their purpose. Without `live_rate_sd` people's
own rates lie evenly about `live_rate` and whatever else bears on them multiplies the rate; with it the logarithms of
their odds are normal, and it multiplies the odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dialer.core.lead import Lead
from sim.leanings import factors
from sim.scenario import Population, Wear
from sim.shares import Shares
from sim.streams import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
HOURS_A_WEEK = 168


@dataclass(frozen=True, slots=True)
class Tastes:
    """All people's."""

    on_odds: bool  # what bears on a person multiplies the odds, not the rate
    own: Floats  # each person's own rate, or its odds, before the hour and the wear; shape (people,)
    kind: Ints  # each person's habit, by its place in the scenario
    curves: Floats  # multipliers by habit and hour of the week (0: Monday from midnight), shape (habits, 168)
    right_party: Floats  # of live answers at a number that is right
    most: float  # no rate is higher: the rest is busy, or a machine's

    @classmethod
    def of(cls, people: Population, leads: Sequence[Lead], seed: int) -> Tastes:
        """Draw them: the same people for the same seed, whatever else changes."""
        return cls(
            on_odds=people.live_rate_sd is not None,
            own=_own(people, leads, seed),
            kind=_kinds(people, leads, seed),
            curves=np.array(_curves(people)),
            right_party=_right_party(people, len(leads), seed),
            most=1.0 - people.busy_rate - people.machine_rate,
        )

    def live_rates(self, who: Ints, hour_of_week: Ints, worn: Floats) -> Floats:
        """The chance that each of `who` answers at a local hour; `worn` is what wear leaves. Shapes (n,)."""
        rates: Floats = self.own[who] * self.curves[self.kind[who], hour_of_week] * worn
        return np.minimum(rates / (1.0 + rates) if self.on_odds else rates, self.most)


def worn_by(wear: Wear, load: Floats) -> Floats:
    """What a load leaves of people's rates (or odds), in [floor, 1]."""
    left: Floats = wear.floor + (1.0 - wear.floor) * np.exp(-wear.strength * load)
    return left


def _own(people: Population, leads: Sequence[Lead], seed: int) -> Floats:
    taste = Stream(seed, "taste").column(len(leads))
    if people.live_rate_sd is not None:
        return _odds(people.live_rate) * np.exp(people.live_rate_sd * _normal(taste)) * factors(people.lean, leads)
    rates: Floats = people.live_rate * (1.0 + people.live_rate_spread * (2.0 * taste - 1.0))
    if people.lean.even:
        return rates
    odds = _odds(np.minimum(rates, 1.0)) * factors(people.lean, leads)
    return np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))


def _kinds(people: Population, leads: Sequence[Lead], seed: int) -> Ints:
    habits = people.habits
    if not habits:
        return np.zeros(len(leads), dtype=np.int64)
    taste = Stream(seed, "habit").column(len(leads))
    if all(habit.lean.even for habit in habits):
        return Shares(habit.share for habit in habits).all_at(taste)
    bounds = np.cumsum([habit.share * factors(habit.lean, leads) for habit in habits], axis=0)
    kinds: Ints = (bounds <= taste * bounds[-1]).sum(axis=0)
    return kinds


def _right_party(people: Population, count: int, seed: int) -> Floats:
    usual = np.full(count, people.right_party_rate)
    if not people.right_party_rate_sd:
        return usual
    own = usual + people.right_party_rate_sd * _normal(Stream(seed, "party_rate").column(count))
    return np.clip(own, 0.0, 1.0)


def _curves(people: Population) -> list[list[float]]:
    """Multipliers by hour of the week, one list for each habit; one in all where there are none."""
    habits = [(habit.hours, habit.weekdays) for habit in people.habits] or [((1.0,) * 24, (1.0,) * 7)]
    return [
        [
            people.hours[hour % 24] * people.weekdays[hour // 24] * hours[hour % 24] * weekdays[hour // 24]
            for hour in range(HOURS_A_WEEK)
        ]
        for hours, weekdays in habits
    ]


def _odds(rate: Floats | float) -> Floats:
    """rate / (1 - rate), endless at 1."""
    rates = np.asarray(rate, dtype=np.float64)
    with np.errstate(divide="ignore"):
        odds: Floats = rates / (1.0 - rates)
    return odds


def _normal(uniform: Floats) -> Floats:
    from scipy.special import ndtri  # type: ignore[import-untyped]  # here: most scenarios need none of it

    deviates: Floats = ndtri(uniform)
    return deviates
