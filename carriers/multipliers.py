# mypy: allow-untyped-decorators
"""How much likelier, or less likely, a human contact is on each trunk and cell than the answer model says.

How it works. Contacts over expected contacts, discounted, are shrunk at four levels (Gamma-Poisson, closed form), each
with what the three others explain in its E:

    m_k   = (sum O + a0) / (sum E m_kr m_kd m_kc + a0)    the trunk's
    m_kr  = (sum O + a1) / (sum E m_k m_kd m_kc + a1)     the region's on it; m_kd likewise, the destination carrier's
    m_kc  = (O + a3) / (E m_k m_kr m_kd + a3)             the cell's
    m_c   = (sum_k O + a) / (sum_k E m + a)               the cell's on every trunk: the answer model may be wrong

Three rounds of these (backfitting: Breiman and Friedman 1985) matter, for a router sends calls where they go well: what
is seen is never balanced. A cell of which nothing is known has its parents' multiplier, and silence returns it there.
Two factors stand apart, for they change fast: whether a region or a destination has lately fallen
(`carriers.regimes`), and the share of tries that a carrier's fault did not end (half-life 30 s). What they explain is
taken off E, so that the long memory keeps what is usual. Discounting is lazy: new outcomes weigh more, and now and
then all is scaled down.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import float64, int64, njit, types

from carriers.market import Floats, Ints, Market
from carriers.regimes import Regimes, regimes_of
from carriers.router import Outcomes
from carriers.snapshots import array_of

# Expected contacts that a prior is worth: trunk, region, destination, cell. One over the variance of each effect.
STRENGTHS = (40.0, 22.0, 12.0, 60.0)
ROUNDS = 3
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
        _index, _index, _row, _row, float64, _index, _index, _row, _table, _table, _table, _table,
        _table, _table, _table, _table,
    ),
    cache=True,
)  # fmt: skip
def _count(
    trunk: Ints, cell: Ints, expected: Floats, contacts: Floats, weight: float, region: Ints,
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


@njit(
    types.Tuple((float64[::1], _table, _table, _table))(  # type: ignore[no-untyped-call]
        _table, _table, _index, _index, int64, int64, float64, float64, float64, float64
    ),
    cache=True,
)
def fit(
    observed: Floats, due: Floats, region: Ints, destination: Ints, regions: int, destinations: int,
    a0: float, a1: float, a2: float, a3: float,
) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Return the four levels, (K,), (K, R), (K, D), (K, C), of counts `observed` and `due` (K, C)."""
    trunks, cells = observed.shape
    trunk, cell = np.ones(trunks), np.ones((trunks, cells))
    by_region, by_destination = np.ones((trunks, regions)), np.ones((trunks, destinations))
    seen_r, due_r = np.empty(regions), np.empty(regions)
    seen_d, due_d = np.empty(destinations), np.empty(destinations)
    for k in range(trunks):
        for _ in range(ROUNDS):
            seen, theirs = 0.0, 0.0
            for c in range(cells):
                seen += observed[k, c]
                theirs += due[k, c] * by_region[k, region[c]] * by_destination[k, destination[c]] * cell[k, c]
            trunk[k] = (seen + a0) / (theirs + a0)
            seen_r[:] = a1
            due_r[:] = a1
            for c in range(cells):
                seen_r[region[c]] += observed[k, c]
                due_r[region[c]] += due[k, c] * trunk[k] * by_destination[k, destination[c]] * cell[k, c]
            for r in range(regions):
                by_region[k, r] = seen_r[r] / due_r[r]
            seen_d[:] = a2
            due_d[:] = a2
            for c in range(cells):
                seen_d[destination[c]] += observed[k, c]
                due_d[destination[c]] += due[k, c] * trunk[k] * by_region[k, region[c]] * cell[k, c]
            for d in range(destinations):
                by_destination[k, d] = seen_d[d] / due_d[d]
            for c in range(cells):
                parents = trunk[k] * by_region[k, region[c]] * by_destination[k, destination[c]]
                cell[k, c] = (observed[k, c] + a3) / (due[k, c] * parents + a3)
    return trunk, by_region, by_destination, cell


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
        self.grow()

    @property
    def available(self) -> Floats:
        """(K,) the share of tries that no carrier's fault ends, as of late."""
        share: Floats = 1.0 - self.recent[1] / (self.recent[0] + FAULT_STRENGTH)
        return share

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Count outcomes at once; `table` takes them in at the next `refresh`. Cells must be the market's."""
        self._pass(now)
        self.grow()
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
            outcomes.trunk, outcomes.cell, outcomes.expected, outcomes.contacts, weight,
            self.market.region, self.market.destination, self.available, self.table, self.level,
            self.observed, self.expected, regions.observed, regions.expected,
            destinations.observed, destinations.expected,
        )  # fmt: skip

    def refresh(self, now: float) -> None:
        """Work out `table` anew from what is known at `now`: O(K C)."""
        self._pass(now)
        self.grow()
        elapsed_s = 0.0 if self.refreshed_at is None else now - self.refreshed_at
        self.regions.step(elapsed_s)
        self.destinations.step(elapsed_s)
        self.refreshed_at = now
        self._tabulate()

    def levels(self) -> Levels:
        """Return the parts of the usual multipliers, from all that has been counted."""
        observed = np.maximum(self.observed, 0.0) / self.weight  # a contact may be taken back after it has faded
        expected = self.expected / self.weight
        # The answer model's own level is what is left in a cell once its trunks' differences are taken off.
        alike = self._fitted(observed, expected)
        worth = (expected * self._parents(alike) * alike.cell).sum(axis=0)
        model = (observed.sum(axis=0) + MODEL_STRENGTH) / (worth + MODEL_STRENGTH)
        return self._fitted(observed, expected * model)._replace(model=model)

    def _fitted(self, observed: Floats, due: Floats) -> Levels:
        cells = observed.shape[1]
        region, destination = self.market.region[:cells], self.market.destination[:cells]
        regions, destinations = self.regions.level.shape[1], self.destinations.level.shape[1]
        found = fit(
            np.ascontiguousarray(observed), np.ascontiguousarray(due), region, destination, regions, destinations,
            *self.strengths,
        )  # fmt: skip
        return Levels(*found, np.ones(cells))

    def _parents(self, levels: Levels) -> Floats:
        """(K, C): the product of a cell's trunk, region and destination levels."""
        cells = levels.cell.shape[1]
        region, destination = self.market.region[:cells], self.market.destination[:cells]
        parents: Floats = levels.trunk[:, None] * levels.region[:, region] * levels.destination[:, destination]
        return parents

    def _pass(self, now: float) -> None:
        """Let time go by until `now`; it never runs backwards."""
        elapsed_s = now - self.at
        if elapsed_s <= 0.0:
            return
        self.at = now
        self.recent *= 0.5 ** (elapsed_s / FAULT_HALF_LIFE_S)
        doublings = elapsed_s / self.half_life_s
        if doublings > 500.0:  # all is forgotten
            self.observed[:], self.expected[:], self.counts[:], self.weight = 0.0, 0.0, 0.0, 1.0
            return
        self.weight *= 2.0**doublings
        if self.weight > _LARGEST_WEIGHT:
            for stored in (self.observed, self.expected, self.counts):
                stored /= self.weight
            self.weight = 1.0

    def grow(self) -> None:
        """Have room for the market's cells; new ones have their parents' multipliers."""
        market, more = self.market, self.market.cells - self.observed.shape[1]
        if more <= 0:
            return
        nothing = np.zeros((len(self.counts), more))
        self.observed = np.concatenate([self.observed, nothing], axis=1)
        self.expected = np.concatenate([self.expected, nothing], axis=1)
        self.regions.grow(int(market.region.max(initial=-1)) + 1)
        self.destinations.grow(int(market.destination.max(initial=-1)) + 1)
        self._tabulate()

    def _tabulate(self) -> None:
        levels = self.levels()
        level = self.regions.level[:, self.market.region] * self.destinations.level[:, self.market.destination]
        self.level = np.ascontiguousarray(level)
        self.table = np.ascontiguousarray(self._parents(levels) * levels.cell * levels.model * self.level)

    # ---- keeping --------------------------------------------------------------------------------------------
    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {
            "observed": self.observed.tolist(),
            "expected": self.expected.tolist(),
            "counts": self.counts.tolist(),
            "recent": self.recent.tolist(),
            "weight": self.weight,
            "at": self.at,
            "refreshed_at": self.refreshed_at,
            "table": self.table.tolist(),
            "regions": self.regions.snapshot(),
            "destinations": self.destinations.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot of as many trunks, and of no more cells than the market has.

        Raises `ValueError` where its shape is another, and is then as it was.
        """
        trunks, _ = self.counts.shape
        observed = array_of(state, "observed", (trunks, None))
        cells = observed.shape[1]
        if cells > self.market.cells:
            raise ValueError(f"expected at most {self.market.cells} cells, found {cells}")
        expected = array_of(state, "expected", (trunks, cells))
        counts = array_of(state, "counts", (trunks, _COUNTS))
        recent, table = array_of(state, "recent", (2, trunks)), array_of(state, "table", (trunks, cells))
        times = [array_of(state, name, ()) for name in ("weight", "at")]
        refreshed_at = None if state.get("refreshed_at") is None else float(array_of(state, "refreshed_at", ()))
        regions, destinations = (regimes_of(state.get(name), trunks) for name in ("regions", "destinations"))
        region, destination = self.market.region[:cells], self.market.destination[:cells]
        for found, index in ((regions, region), (destinations, destination)):
            if found.level.shape[1] <= int(index.max(initial=-1)):
                raise ValueError(f"expected regimes of {int(index.max()) + 1} groups, found {found.level.shape[1]}")
        if not times[0] >= 1.0:
            raise ValueError(f"expected a weight of at least 1, found {times[0]}")
        self.observed, self.expected, self.counts, self.recent, self.table = observed, expected, counts, recent, table
        self.weight, self.at, self.refreshed_at = float(times[0]), float(times[1]), refreshed_at
        self.regions, self.destinations = regions, destinations
        self.level = np.ascontiguousarray(regions.level[:, region] * destinations.level[:, destination])
