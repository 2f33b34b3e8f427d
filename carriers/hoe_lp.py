# mypy: allow-untyped-decorators
"""`hoe-lp-v1`: what a contact is worth, times how likely it is there, less what the call costs and what the room it
takes is worth to others.

How it works. The answer model's probability does not know the trunk; `carriers.multipliers` learns how far each trunk
and cell is from it. A call costs its attempt fee, and where it is answered the connection fee and the billed seconds.
Room that is short has a price, from a linear program over what is called now (`problem`, solved elsewhere, `reprice`):
with the prices taken off, calls can be served one by one, each on its best trunk (`carriers.assignment`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import float64, int64, njit, types

from carriers.assignment import MOST_PROBABLE, serve
from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.market import Floats, Ints, Market
from carriers.multipliers import (
    ANSWERED_S,
    ANSWERS,
    CANCELS,
    CONTACTS,
    HELD_S,
    SHORTS,
    STRENGTHS,
    TRIES,
    Multipliers,
)
from carriers.router import Outcomes, Room, RouteRequests, Routes
from carriers.snapshots import array_of

DEMAND_S = 50.0  # the memory of what is called: exponential, its mean
LEAST_CALLS = 0.05  # remembered calls of a cell that has demand: one of 3 DEMAND_S ago
REFRESH_S = 5.0
# What a trunk's facts are worth before it has any: tries, or answers, that are as those of all trunks together;
# and what those are before there are any.
SHARED_TRIES, SHARED_ANSWERS, FIRST_TRIES = 50.0, 10.0, 10.0
FIRST_ANSWERED_S, FIRST_RING_S, FIRST_PROBABILITY = 60.0, 20.0, 0.1
_PRICES = ("set_up", "channel_s", "account_set_up", "account_channel_s", "short", "cancelled")


class TrunkFacts(NamedTuple):
    """What calls of each trunk are like, (K,): shares and means, shrunk to those of all trunks."""

    other_answers: Floats  # of tries: 200 OK that is no contact
    answered_s: Floats  # of an answered call
    ring_s: Floats  # of any try
    shorts: Floats  # of answered calls
    cancels: Floats  # of calls not answered


class Basis(NamedTuple):
    """What the tables of a choice were made of, when they were last made."""

    counts: Floats  # (K, ...) of trunks, discounted
    available: Floats  # (K,)
    probability: Floats  # (C,) the answer model's, in the mean of late


class Expected(NamedTuple):
    """What a call of each trunk and cell is expected to be like, (K, C)."""

    contact: Floats
    answered: Floats
    held_s: Floats
    short: Floats
    cancelled: Floats


@njit(
    types.void(
        types.Array(int64, 1, "A", readonly=True),
        types.Array(float64, 1, "A", readonly=True),
        types.Array(float64, 1, "A", readonly=True),
        float64[:, ::1],
    ),
    cache=True,
)
def _ask(cell: Ints, probability: Floats, value: Floats, demand: Floats) -> None:
    """Count requests: calls, the sum of their probabilities, and of those times the values."""
    for i in range(len(cell)):
        demand[0, cell[i]] += 1.0
        demand[1, cell[i]] += probability[i]
        demand[2, cell[i]] += probability[i] * value[i]


class HoeLp:
    """One campaign's router. Deterministic: equal calls have equal answers."""

    router_id = "hoe-lp-v1"

    def __init__(
        self,
        market: Market,
        *,
        exploration: float = 0.02,
        half_life_s: float = 5400.0,
        strengths: tuple[float, ...] = STRENGTHS,
        demand_s: float = DEMAND_S,
        refresh_s: float = REFRESH_S,
    ) -> None:
        if not 0.0 <= exploration <= 1.0:
            raise ValueError(f"expected exploration in [0, 1], was {exploration}")
        if not (demand_s > 0.0 and refresh_s >= 0.0):
            raise ValueError(f"expected demand_s above 0 and refresh_s at least 0, was {demand_s} and {refresh_s}")
        self.market, self.exploration, self.demand_s, self.refresh_s = market, exploration, demand_s, refresh_s
        self.multipliers = Multipliers(market, half_life_s=half_life_s, strengths=strengths)
        self._demand: Floats = np.zeros((3, 0))  # remembered calls, probabilities, probabilities x values
        self._demand_at: float | None = None
        self._began_at: float | None = None
        self._prices = self._free()
        self._basis = Basis(self.multipliers.counts.copy(), self.multipliers.available, np.zeros(0))
        self._contact_cost: Floats = np.zeros((market.trunks, 0))
        self._cost: Floats = np.zeros((market.trunks, 0))
        self._multiplier: Floats = np.ones((market.trunks, 0))

    # ---- a call's trunk -----------------------------------------------------------------------------------
    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """Choose a usable trunk for each call, never more than there is room for."""
        self._refresh(now)
        _ask(requests.cell, requests.answer_probability, requests.value, self._demand)
        return Routes(
            *serve(
                requests.cell, requests.answer_probability, requests.value, self._multiplier, self._contact_cost,
                self._cost, self.market.usable, room.trunk, self.market.account, room.account,
                rng.random(2 * len(requests.cell)), self.exploration,
            )
        )  # fmt: skip

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Count what became of tries. A fault is felt at the next choice, all else within `refresh_s`."""
        self.multipliers.learn(outcomes, now=now)
        if self._known == self.market.cells and outcomes.faults.any():
            self._basis = self._basis._replace(available=self.multipliers.available)
            self._compose()

    @property
    def _known(self) -> int:
        """How many cells the tables of a choice have."""
        return int(self._cost.shape[1])

    def _refresh(self, now: float) -> None:
        """Work out anew what is out of date at `now`."""
        multipliers, cells = self.multipliers, self.market.cells
        known = self._demand.shape[1]
        if known != cells:
            self._demand = np.concatenate([self._demand, np.zeros((3, cells - known))], axis=1)
        if self._demand_at is not None and now > self._demand_at:
            self._demand *= np.exp((self._demand_at - now) / self.demand_s)
        self._demand_at = now if self._demand_at is None else max(now, self._demand_at)
        self._began_at = now if self._began_at is None else self._began_at
        refreshed_at = multipliers.refreshed_at
        due = refreshed_at is None or now >= refreshed_at + self.refresh_s
        if due:
            multipliers.refresh(now)
        if due or self._known != cells:
            multipliers.grow()
            self._basis = Basis(multipliers.counts / multipliers.weight, multipliers.available, self._probability())
            self._compose()

    def _probability(self) -> Floats:
        """(C,) the mean answer probability of the calls of late; a cell without any has the usual one."""
        calls, chances, _ = self._demand
        probability: Floats = (chances + 1e-3 * FIRST_PROBABILITY) / (calls + 1e-3)
        return probability

    def _compose(self) -> None:
        """Make the tables of a choice."""
        market, basis = self.market, self._basis
        facts = trunk_facts(basis.counts)
        self._multiplier = self.multipliers.table * basis.available[:, None]
        self._contact_cost = market.connection_fee + market.per_s * billed_s(
            facts.answered_s[:, None], market.first_s, market.step_s
        )
        expected = expect(facts, self._multiplier, basis.probability)
        # A contact's own cost is taken off its value, call by call; that of other answers is the same for all.
        other = facts.other_answers[:, None] * self._contact_cost
        self._cost = market.attempt_fee + other + self._price(expected)

    # ---- the price of room ----------------------------------------------------------------------------------
    def _price(self, expected: Expected) -> Floats:
        """(K, C) what the room that a call takes is worth to others, and what it does to surcharges."""
        market, prices = self.market, self._prices
        account = market.account
        set_up, channel_s, account_set_up, account_channel_s, short, cancelled = (np.array(part) for part in prices)
        per_held_s = (channel_s + account_channel_s[account])[:, None]
        shorts = expected.short - market.short_above[account][:, None] * expected.answered
        cancels = expected.cancelled - market.cancelled_above[account][:, None]
        price: Floats = (
            (set_up + account_set_up[account])[:, None]
            + per_held_s * expected.held_s
            + short[account][:, None] * shorts
            + cancelled[account][:, None] * cancels
        )
        return price

    def _free(self) -> tuple[tuple[float, ...], ...]:
        trunks, accounts = (0.0,) * self.market.trunks, (0.0,) * len(self.market.short_above)
        return trunks, trunks, accounts, accounts, accounts, accounts

    def problem(self, now: float) -> CapacityProblem | None:
        """Return what is to be solved; None where each call's best trunk has room for it, and all prices become 0.

        Exact by duality: an allocation that is best without limits, and keeps them, is best with them, at prices of 0.
        """
        self._refresh(now)
        market = self.market
        asked = np.flatnonzero((self._demand[0] >= LEAST_CALLS) & market.usable.any(axis=0))
        calls, chances, worth = self._demand[:, asked]
        remembered_s = -self.demand_s * np.expm1(-max(now - (self._began_at or 0.0), 1.0) / self.demand_s)
        demand = calls / remembered_s
        facts = trunk_facts(self._basis.counts)
        expected = expect(facts, self._multiplier[:, asked], chances / np.maximum(calls, LEAST_CALLS))
        value = worth / np.maximum(chances, 1e-12)
        other = facts.other_answers[:, None]
        cost = market.attempt_fee[:, asked] + (other + expected.contact) * self._contact_cost[:, asked]
        net = np.where(market.usable[:, asked], expected.contact * value - cost, -np.inf)
        if self._fits(net, demand, expected):
            self._use(self._free())
            return None
        return CapacityProblem(
            trunks=market.trunks,
            cells=len(asked),
            value=_packed(net),
            demand=_packed(demand),
            held_s=_packed(expected.held_s),
            set_ups_per_s=_packed(market.set_ups_per_s),
            channels=_packed(market.channels),
            account=tuple(market.account.tolist()),
            account_set_ups_per_s=_packed(market.account_set_ups_per_s),
            account_channels=_packed(market.account_channels),
            short=_packed(expected.short),
            answered=_packed(expected.answered),
            cancelled=_packed(expected.cancelled),
            short_above=_packed(market.short_above),
            short_fee=_packed(market.short_fee),
            cancelled_above=_packed(market.cancelled_above),
            cancelled_fee=_packed(market.cancelled_fee),
        )

    def _fits(self, net: Floats, demand: Floats, expected: Expected) -> bool:
        """Whether each cell's best trunk can carry it, within all limits and shares without surcharge."""
        market, cells = self.market, np.arange(len(demand))
        if not len(cells):
            return True
        best = net.argmax(axis=0)

        def of_trunks(each: Floats) -> Floats:
            sums: Floats = np.bincount(best, demand * each[best, cells], market.trunks).astype(np.float64)
            return sums

        def of_accounts(each: Floats) -> Floats:
            sums: Floats = np.bincount(market.account, of_trunks(each), len(market.short_above)).astype(np.float64)
            return sums

        one = np.ones_like(net)
        shorts = of_accounts(expected.short) <= market.short_above * of_accounts(expected.answered)
        cancels = of_accounts(expected.cancelled) <= market.cancelled_above * of_accounts(one)
        return bool(
            (of_trunks(one) <= market.set_ups_per_s).all()
            and (of_trunks(expected.held_s) <= market.channels).all()
            and (of_accounts(one) <= market.account_set_ups_per_s).all()
            and (of_accounts(expected.held_s) <= market.account_channels).all()
            and (shorts | (market.short_fee <= 0.0)).all()
            and (cancels | (market.cancelled_fee <= 0.0)).all()
        )

    def reprice(self, prices: CapacityPrices) -> None:
        """Use these prices from now on. Prices of another number of trunks, or below 0, are refused: `ValueError`."""
        found = tuple(tuple(getattr(prices, name)) for name in _PRICES)
        for name, part, free in zip(_PRICES, found, self._free(), strict=True):
            if len(part) != len(free):
                raise ValueError(f"expected {len(free)} prices {name}, found {len(part)}")
            if not all(0.0 <= price < np.inf for price in part):
                raise ValueError(f"expected prices {name} of at least 0, found {part}")
        self._use(found)

    def _use(self, prices: tuple[tuple[float, ...], ...]) -> None:
        if prices != self._prices:
            self._prices = prices
            if self._known == self.market.cells:
                self._compose()

    # ---- explaining and keeping -----------------------------------------------------------------------------
    def figures(self, trunk: int, cell: int) -> dict[str, float]:
        """Say what a route was weighed by, as of the last refresh: for people who ask why."""
        self.multipliers.grow()
        if self._known != self.market.cells:
            raise ValueError(f"expected a cell that was called before, was {cell}")
        region, destination = int(self.market.region[cell]), int(self.market.destination[cell])
        learned, levels = self.multipliers, self.multipliers.levels()
        expected = expect(trunk_facts(self._basis.counts), self._multiplier, self._basis.probability)
        return {
            "multiplier": float(self._multiplier[trunk, cell]),
            "multiplier_trunk": float(levels.trunk[trunk]),
            "multiplier_region": float(levels.region[trunk, region]),
            "multiplier_destination": float(levels.destination[trunk, destination]),
            "multiplier_cell": float(levels.cell[trunk, cell]),
            "multiplier_answer_model": float(levels.model[cell]),
            "fallen_region": float(learned.regions.level[trunk, region]),
            "fallen_destination": float(learned.destinations.level[trunk, destination]),
            "available": float(self._basis.available[trunk]),
            "expected_contacts_seen": float(learned.expected[trunk, cell] / learned.weight),
            "contacts_seen": float(learned.observed[trunk, cell] / learned.weight),
            "contact_cost": float(self._contact_cost[trunk, cell]),
            "cost": float(self._cost[trunk, cell] - self._price(expected)[trunk, cell]),
            "price": float(self._price(expected)[trunk, cell]),
        }

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain values."""
        return {
            "multipliers": self.multipliers.snapshot(),
            "demand": self._demand.tolist(),
            "demand_at": self._demand_at,
            "began_at": self._began_at,
            "prices": dict(zip(_PRICES, map(list, self._prices), strict=True)),
            "counts": self._basis.counts.tolist(),
            "available": self._basis.available.tolist(),
            "probability": self._basis.probability.tolist(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another, and is then as it was."""
        market, prices, learned = self.market, state.get("prices"), state.get("multipliers")
        if not isinstance(prices, dict) or not isinstance(learned, dict):
            raise ValueError("expected prices and multipliers in the snapshot, found none")
        found = tuple(
            tuple(array_of(prices, name, (len(free),)).tolist())
            for name, free in zip(_PRICES, self._free(), strict=True)
        )
        demand = array_of(state, "demand", (3, None))
        probability = array_of(state, "probability", (None,))
        counts = array_of(state, "counts", self._basis.counts.shape)
        available = array_of(state, "available", (market.trunks,))
        if max(demand.shape[1], len(probability)) > market.cells:
            raise ValueError(f"expected at most {market.cells} cells, found {max(demand.shape[1], len(probability))}")
        times = [None if state.get(at) is None else float(array_of(state, at, ())) for at in ("demand_at", "began_at")]
        self.multipliers.restore(learned)
        self._demand, (self._demand_at, self._began_at), self._prices = demand, times, found
        self._basis = Basis(counts, available, probability)
        self._cost = np.zeros((market.trunks, 0))  # made at the next choice, if cells are missing
        if self.multipliers.table.shape[1] == market.cells == len(probability):
            self._compose()


def trunk_facts(counts: Floats) -> TrunkFacts:
    """Shrink each trunk's shares and means to those of all trunks. `counts`: (K, ...) as `Multipliers.counts`."""
    counts = np.maximum(counts, 0.0)

    def shrunk(part: Floats, whole: Floats, first: float, shared: float) -> Floats:
        mean = (part.sum() + first * FIRST_TRIES) / (whole.sum() + FIRST_TRIES)
        share: Floats = (part + shared * mean) / (whole + shared)
        return share

    tries, answers = counts[:, TRIES], counts[:, ANSWERS]
    others = np.maximum(answers - counts[:, CONTACTS], 0.0)
    ringing = np.maximum(counts[:, HELD_S] - counts[:, ANSWERED_S], 0.0)
    return TrunkFacts(
        other_answers=np.minimum(shrunk(others, tries, 0.0, SHARED_TRIES), 1.0),
        answered_s=shrunk(counts[:, ANSWERED_S], answers, FIRST_ANSWERED_S, SHARED_ANSWERS),
        ring_s=shrunk(ringing, tries, FIRST_RING_S, SHARED_TRIES),
        shorts=np.minimum(shrunk(counts[:, SHORTS], answers, 0.0, SHARED_ANSWERS), 1.0),
        cancels=np.minimum(shrunk(counts[:, CANCELS], np.maximum(tries - answers, 0.0), 0.0, SHARED_TRIES), 1.0),
    )


def expect(facts: TrunkFacts, multiplier: Floats, probability: Floats) -> Expected:
    """Return what calls are expected to be like, (K, C), where the answer model gives `probability` (C,)."""
    contact = np.minimum(multiplier * probability, MOST_PROBABLE)
    answered = np.minimum(facts.other_answers[:, None] + contact, 1.0)
    return Expected(
        contact=contact,
        answered=answered,
        held_s=facts.ring_s[:, None] + answered * facts.answered_s[:, None],
        short=facts.shorts[:, None] * answered,
        cancelled=facts.cancels[:, None] * (1.0 - answered),
    )


def billed_s(mean_s: Floats, first_s: Floats, step_s: Floats) -> Floats:
    """Return the expected billed seconds of an answered call, if its length is exponential with that mean.

    `first_s` at least, then in steps: what is left after `first_s` is exponential again, so the steps are geometric.
    """
    mean_s = np.maximum(mean_s, 1e-3)
    step = np.maximum(step_s, 1e-9)
    billed: Floats = first_s + np.exp(-first_s / mean_s) * step / -np.expm1(-step / mean_s)
    return billed


def _packed(values: Floats) -> bytes:
    """Little-endian float32 in C order."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()
