# mypy: allow-untyped-decorators
"""How much likelier, or less likely, a human contact is on each trunk and cell than the answer model says.

How it works. Contacts over expected contacts, discounted, are shrunk from the top down (Gamma-Poisson, closed form):

    m_k   = (sum O + a0) / (sum E + a0)             the trunk's
    m_kr  = (sum O + a1) / (sum E m_k + a1)         the region's on it, then likewise the destination carrier's (a2)
    m_kc  = (O + a3) / (E m_k m_kr m_kd + a3)       the cell's
    m_c   = (sum_k O + a) / (sum_k E m + a)         the cell's on every trunk: the answer model may be wrong

so a cell of which nothing is known has its parents' multiplier, and silence returns it there. Two factors stand apart,
for they change fast: whether a region or a destination has lately fallen (`carriers.regimes`), and the share of tries
that a carrier's fault did not end (half-life 30 s). What they explain is taken off E, so that the long memory keeps
what is usual. Discounting is lazy: new outcomes weigh more, and now and then all is scaled down.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import float64, int64, njit, types

from carriers.market import Floats, Ints, Market
from carriers.regimes import Regimes, regimes_of
from carriers.router import Outcomes
from carriers.snapshots import array_of

STRENGTHS = (60.0, 25.0, 25.0, 12.0)  # expected contacts that a prior is worth: trunk, region, destination, cell
MODEL_STRENGTH = 60.0  # likewise of the answer model's own level in a cell
FAULT_HALF_LIFE_S = 30.0
FAULT_STRENGTH = 3.0  # tries without fault that a trunk begins with
# Columns of a trunk's counts
TRIES, CONTACTS, ANSWERS, FAULTS, SHORTS, CANCELS, ANSWERED_S, HELD_S = range(8)
_COUNTS = 8
_LARGEST_WEIGHT = 2.0**20

_row = types.Array(float64, 1, "A", readonly=True)
_index = types.Array(int64, 1, "A", readonly=True)
_table = float64[:, ::1]


class Levels(NamedTuple):
    """The parts of a multiplier, as of one moment."""

    trunk: Floats  # (K,)
    region: Floats  # (K, R)
    destination: Floats  # (K, D)
    cell: Floats  # (K, C)
    model: Floats  # (C,)


@njit(
    types.void(
        _index, _index, _row, _row, _row, float64, _index, _index, _row, _table, _table, _table, _table,
        _table, _table, _table, _table,
    ),
    cache=True,
)  # fmt: skip
def _count(
    trunk: Ints, cell: Ints, tries: Floats, expected: Floats, contacts: Floats, weight: float, region: Ints,
    destination: Ints, available: Floats, multiplier: Floats, level: Floats, observed_kc: Floats, expected_kc: Floats,
    observed_kr: Floats, expected_kr: Floats, observed_kd: Floats, expected_kd: Floats,
) -> None:  # fmt: skip
    """Add rows to the long memory, at `weight`, and to the regimes' counts. O(n)."""
    for i in range(len(trunk)):
        k, c = trunk[i], cell[i]
        r, d = region[c], destination[c]
        due = expected[i] * available[k]
        observed_kc[k, c] += weight * contacts[i]
        expected_kc[k, c] += weight * due * level[k, c]
        observed_kr[k, r] += contacts[i]
        observed_kd[k, d] += contacts[i]
        expected_kr[k, r] += due * multiplier[k, c]
        expected_kd[k, d] += due * multiplier[k, c]


class Multipliers:
    """What one campaign has learned of its trunks. `table` and `available` are what a choice needs."""

    def __init__(self, market: Market, *, half_life_s: float, strengths: tuple[float, ...] = STRENGTHS) -> None:
        if not half_life_s > 0.0:
            raise ValueError(f"expected half_life_s above 0, was {half_life_s}")
        if len(strengths) != len(STRENGTHS) or min(strengths) <= 0.0:
            raise ValueError(f"expected {len(STRENGTHS)} strengths above 0, was {strengths}")
        trunks = market.trunks
        self.market, self.half_life_s, self.strengths = market, half_life_s, strengths
        self.counts: Floats = np.zeros((trunks, _COUNTS))  # discounted like O and E, at `weight`
        self.observed: Floats = np.zeros((trunks, 0))
        self.expected: Floats = np.zeros((trunks, 0))
        self.recent: Floats = np.zeros((2, trunks))  # tries and faults of late
        self.regions, self.destinations = Regimes(trunks), Regimes(trunks)
        self.weight, self.at = 1.0, 0.0  # of an outcome at `at`; what is stored is divided by it when read
        self.table: Floats = np.ones((trunks, 0))  # (K, C) but for `available`, as of `refreshed_at`
        self.level: Floats = np.ones((trunks, 0))  # (K, C) the regimes' part of it
        self.refreshed_at: float | None = None
        self.refresh(0.0)
        self.refreshed_at = None

    @property
    def available(self) -> Floats:
        """(K,) the share of tries that no carrier's fault ends, as of late."""
        return 1.0 - self.recent[1] / (self.recent[0] + FAULT_STRENGTH)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Count outcomes at once; `table` takes them in at the next `refresh`. Cells must be the market's."""
        self._pass(now)
        if self.observed.shape[1] != self.market.cells:
            self._grow()
        trunks, weight = len(self.counts), self.weight
        for column, values in enumerate(
            (
                outcomes.tries, outcomes.contacts, outcomes.answers, outcomes.faults, outcomes.shorts,
                outcomes.cancels, outcomes.answered_s, outcomes.held_s,
            )
        ):  # fmt: skip
            added = np.bincount(outcomes.trunk, values, trunks)
            self.counts[:, column] += weight * added
            if column == TRIES:
                self.recent[0] += added
            elif column == FAULTS:
                self.recent[1] += added
        regions, destinations = self.regions, self.destinations
        _count(
            outcomes.trunk, outcomes.cell, outcomes.tries, outcomes.expected, outcomes.contacts, weight,
            self.market.region, self.market.destination, self.available, self.table, self.level,
            self.observed, self.expected, regions.observed, regions.expected,
            destinations.observed, destinations.expected,
        )  # fmt: skip

    def refresh(self, now: float) -> None:
        """Work out `table` anew from what is known at `now`: O(K C)."""
        self._pass(now)
        if self.observed.shape[1] != self.market.cells:
            self._grow()
        elapsed_s = 0.0 if self.refreshed_at is None else now - self.refreshed_at
        self.regions.step(elapsed_s)
        self.destinations.step(elapsed_s)
        self.refreshed_at = now
        region, destination = self.market.region, self.market.destination
        self.level = self.regions.level[:, region] * self.destinations.level[:, destination]
        levels = self.levels()
        usual = levels.trunk[:, None] * levels.region[:, region] * levels.destination[:, destination]
        self.table = np.ascontiguousarray(usual * levels.cell * levels.model * self.level)

    def levels(self) -> Levels:
        """Return the parts of the usual multipliers, from all that has been counted."""
        market, (a0, a1, a2, a3) = self.market, self.strengths
        cells, trunks = self.observed.shape[1], len(self.counts)
        region, destination = market.region[:cells], market.destination[:cells]
        observed = np.maximum(self.observed, 0.0) / self.weight  # a contact may be taken back after it has faded
        expected = self.expected / self.weight
        of_region = (_groups(region, trunks), trunks, self.regions.level.shape[1])
        of_destination = (_groups(destination, trunks), trunks, self.destinations.level.shape[1])
        in_region, in_destination = _summed(observed, *of_region), _summed(observed, *of_destination)
        model, parents = np.ones(cells), np.ones((trunks, cells))
        for _ in range(2):  # the model's level first as if all trunks were alike, then as they are
            due = expected * model
            trunk = (observed.sum(axis=1) + a0) / (due.sum(axis=1) + a0)
            due1 = due * trunk[:, None]
            by_region = (in_region + a1) / (_summed(due1, *of_region) + a1)
            due2 = due1 * by_region[:, region]
            by_destination = (in_destination + a2) / (_summed(due2, *of_destination) + a2)
            parents = trunk[:, None] * by_region[:, region] * by_destination[:, destination]
            cell = (observed + a3) / (due * parents + a3)
            if _ == 0:
                worth = (expected * parents * cell).sum(axis=0)
                model = (observed.sum(axis=0) + MODEL_STRENGTH) / (worth + MODEL_STRENGTH)
        return Levels(trunk, by_region, by_destination, cell, model)
