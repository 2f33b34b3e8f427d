"""The router's desk: everything that stands between a call that is wanted and the trunk that carries it.

How it works: the desk keeps the `Market` (prices and what may be used now), the loads of trunks and accounts, the
circuits, the counts and the caller IDs, and asks the router for a batch at a time. Cells are made as calls come. What
tries come to is gathered in rows and given to the router at the next choice, every few seconds at most: its arithmetic
is for batches. Pure: time and chance come in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from carriers.caller_id import CallerIdChoice, CallerIds, choice_of
from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.causes import CallEnd, fault_of
from carriers.cells import Cells
from carriers.circuit import CircuitChange, Circuits, CircuitState
from carriers.hours import OpenHours
from carriers.loads import Loads
from carriers.market import Bools, Market
from carriers.rates import Rate, cost_of
from carriers.router import Outcomes, PricedRouter, Reason, Room, RouteRequests
from carriers.standing import AccountStanding, CallerIdStanding, TrunkStanding, account_standing, trunk_standing
from carriers.supply import Supply
from carriers.tally import AccountDay, LiveTally, TrunkTally, account_day_of

LEARN_EVERY_S = 2.5
CONTACT_S = 6.0  # a contact lasts at least so long, and a short call no longer, where its carrier does not say
LEAST_SILENT_S, MOST_SILENT_S = 5.0, 12.0
SILENT_AFTER_RANG = 20  # calls that rang, before a trunk's own post-dial delay is believed
_NO_RATE = Rate(prefix="")


class Call(NamedTuple):
    """A call that wants a route."""

    cell: int
    answer_probability: float
    value: float


class Route(NamedTuple):
    """The trunk of one try, and why it."""

    trunk: int
    reason: Reason
    propensity: float


_REASONS = tuple(Reason)


class Ended(NamedTuple):
    """What one try came to."""

    trunk: int
    cell: int
    end: CallEnd
    expected: float  # the answer probability with which it was routed
    taught: bool  # False where its end was our own doing or is not known, and says nothing of the trunk
    rang: bool
    cancelled: bool  # we ended it before an answer; a ring time-out is one
    answered_s: float | None  # from 200 OK
    held_s: float
    silent: bool = False  # its silence was told before


class Desk:
    """One campaign's supply. Trunks are known by their place in `Supply.trunks`."""

    def __init__(self, supply: Supply, router: Callable[[Market], PricedRouter], *, caller_ids: CallerIds) -> None:
        self.supply = supply
        self.places = {trunk.name: place for place, trunk in enumerate(supply.trunks)}
        self.loads = Loads(supply)
        self.cells = Cells(supply, self.loads)
        self.market = self.cells.market
        self.router = router(self.market)
        self.circuits = Circuits(len(supply.trunks))
        self.caller_ids = caller_ids
        self._hours = [OpenHours(trunk.hours) for trunk in supply.trunks]
        self._open = [True] * len(supply.trunks)
        self._hours_change_at = -1.0
        self._mask_of = (-1, -1)  # circuits' version and number of cells, as `usable` has them
        self._rows: list[list[float]] = []  # what the router has not yet been told
        # What the caller IDs have not yet been told: calls, expected contacts, contacts.
        self._shown: dict[tuple[CallerIdChoice, str], tuple[int, float, float]] = {}
        self._learned_at = 0.0
        self._live = [LiveTally() for _ in supply.trunks]
        self._days = [AccountDay() for _ in supply.carriers]
        self._account = self.market.account.tolist()
        surcharges = [supply.carriers[account].short_calls for account in self._account]
        self._short_s = [CONTACT_S if surcharge is None else surcharge.up_to_s for surcharge in surcharges]
        self.prices_at: float | None = None
        self._prices: CapacityPrices | None = None  # None: all are 0
        self._free = False  # no trunk is short of capacity: what is still being solved is of a time before
        self.changes: list[CircuitChange] = []  # that nobody was told of yet

    # ---- routes -----------------------------------------------------------------------------------------------
    def room(self, now: float) -> int:
        """How many more calls may be planned at `now`, over all trunks."""
        self._refresh(now)
        if not self.market.cells or self.market.usable.all():
            return self.loads.total_room(now)
        serving: Bools = np.logical_or.reduce(self.market.usable, axis=1)
        due = any(now >= circuit.next_probe_at for circuit in self.circuits.open_circuits())
        return max(self.loads.total_room(now, serving), int(due))

    def route(self, calls: Sequence[Call], *, now: float, rng: np.random.Generator) -> list[Route | None]:
        """Choose a trunk for each call and take a channel of it; None where none is usable and has room."""
        self._learn(now)
        self._refresh(now)
        routes: list[Route | None] = [None] * len(calls)
        asked = list(range(len(calls)))
        if self.circuits.any_open:
            asked = [place for place in asked if not self._probe(calls[place], routes, place, now)]
        if asked:
            self._choose([calls[place] for place in asked], asked, routes, self.loads.room(now), now, rng)
        return routes

    def again(
        self, call: Call, *, tried: Collection[int], now: float, rng: np.random.Generator, patience_s: float = 5.0
    ) -> Route | None:
        """Choose another trunk for a call that the trunks `tried` did not carry, and take a channel of it: one that can
        set it up now, else one that has a channel free, where it waits about `patience_s` at most for its set-up."""
        self._refresh(now)
        found: list[Route | None] = [None]
        left, accounts = self.loads.room(now)
        left[list(tried)] = 0
        self._choose([call], [0], found, Room(left, accounts), now, rng)
        if found[0] is None:
            left, accounts = self.loads.free()
            late = [trunk for trunk in range(len(left)) if self.loads.wait_s(trunk, now) > patience_s]
            left[[*tried, *late]] = 0
            self._choose([call], [0], found, Room(left, accounts), now, rng)
        return found[0]

    def usable(self, trunk: int, cell: int, now: float) -> bool:
        """Whether calls of the cell may go over the trunk now."""
        self._refresh(now)
        return bool(self.market.usable[trunk, cell])

    def may_probe(self, trunk: int, cell: int, now: float) -> bool:
        """Whether rates, regions and hours still allow the trunk for the cell, whatever its circuits say."""
        self._refresh(now)
        return bool(self.cells.served[trunk, cell]) and self._open[trunk]

    def occupy(self, trunk: int) -> None:
        """Take that a call of an earlier run holds a channel of the trunk. It is given back as any other that was set
        up."""
        self.loads.occupy(trunk)

    def served(self, cell: int, now: float) -> bool:
        """Whether any trunk may carry the cell now, room or not."""
        self._refresh(now)
        return bool(self.market.usable[:, cell].any())

    def _choose(
        self,
        calls: Sequence[Call],
        places: Sequence[int],
        routes: list[Route | None],
        room: Room,
        now: float,
        rng: np.random.Generator,
    ) -> None:
        cells, probabilities, values = zip(*calls, strict=True)
        requests = RouteRequests(np.array(cells, dtype=np.int64), np.array(probabilities), np.array(values))
        chosen = self.router.choose(requests, room, now=now, rng=rng)
        rows = zip(places, chosen.trunk.tolist(), chosen.reason.tolist(), chosen.propensity.tolist(), strict=True)
        for place, trunk, reason, propensity in rows:
            if trunk >= 0:
                self.loads.take(trunk)
                routes[place] = Route(trunk, _REASONS[reason], propensity)

    def _probe(self, call: Call, routes: list[Route | None], place: int, now: float) -> bool:
        """Send the call over a trunk whose circuit wants a probe, if there is one; it has been tried on nobody else,
        and another trunk takes it at once where the probe fails."""
        prefix = self.cells.prefix(call.cell)
        for trunk in range(len(self.supply.trunks)):
            if not self.may_probe(trunk, call.cell, now):
                continue
            if self.circuits.probe_due(trunk, prefix, now) and self._has_room(trunk, now):
                self.changes += self.circuits.probe(trunk, prefix, now)
                self.loads.take(trunk)
                routes[place] = Route(trunk, Reason.PROBE, 1.0)
                return True
        return False

    def _has_room(self, trunk: int, now: float) -> bool:
        room = self.loads.room(now)
        return bool(room.trunk[trunk] > 0 and room.account[self.market.account[trunk]] > 0)

    def _refresh(self, now: float) -> None:
        """Bring the market's `usable` up to now, where hours, circuits or cells have changed."""
        if now >= self._hours_change_at:
            self._open = [hours.open(now) for hours in self._hours]
            self._hours_change_at = min(hours.changes_at(now) for hours in self._hours)
        elif self._mask_of == (self.circuits.version, self.market.cells):
            return
        self._mask_of = (self.circuits.version, self.market.cells)
        usable = self.cells.served & np.array(self._open)[:, None]
        if self.circuits.any_open:
            prefixes = [key[3] for key in self.cells.keys]
            for trunk in range(len(self.supply.trunks)):
                usable[trunk] &= np.fromiter(
                    (self.circuits.closed(trunk, prefix) for prefix in prefixes), np.bool_, len(prefixes)
                )
        self.market.usable[...] = usable

    # ---- what tries come to -----------------------------------------------------------------------------------
    def placed(self, trunk: int, *, first: bool, now: float) -> None:
        """A try is placed; `first` of its attempt."""
        tally = self._live[trunk].at(now)
        tally.attempts += first
        tally.tries += 1

    def rang(self, trunk: int, cell: int, set_up_s: float, *, now: float) -> None:
        """The first sign of ringing: the trunk works."""
        tally = self._live[trunk].at(now)
        tally.rang += 1
        tally.set_up_s += set_up_s
        self.changes += self.circuits.note(trunk, self.cells.prefix(cell), fault=0.0, now=now)

    def silent(self, trunk: int, cell: int, *, now: float) -> None:
        """Nothing was heard of a set-up for longer than there should be."""
        self.changes += self.circuits.note_silent(trunk, self.cells.prefix(cell), now)

    def answered(self, trunk: int, cell: int, expected: float, *, now: float) -> None:
        """200 OK, whoever or whatever answered. What was expected is told now, with the contact: calls last minutes,
        and contacts without their expectation would flatter the trunk meanwhile."""
        tally = self._live[trunk].at(now)
        tally.answers += 1
        self._rows.append(_row(trunk, cell, expected=expected))

    def contact(self, trunk: int, cell: int, *, now: float) -> None:
        """Credit a live answer as a human contact."""
        tally = self._live[trunk].at(now)
        tally.live_answers += 1
        tally.contacts += 1
        self._rows.append(_row(trunk, cell, contacts=1.0))

    def no_contact(self, trunk: int, cell: int, *, now: float) -> None:
        """Take a contact back that proved to be none."""
        tally = self._live[trunk].at(now)
        tally.contacts -= 1
        self._rows.append(_row(trunk, cell, contacts=-1.0))

    def ended(self, ended: Ended, *, now: float) -> None:
        """Take in the end of a try."""
        trunk, answered_s = ended.trunk, ended.answered_s
        # A time-out of our own is the person's silence, and says nothing of the trunk where nothing rang.
        fault = fault_of(ended.end, rang=ended.rang, ended_by_us=ended.cancelled, lost=False)
        short = answered_s is not None and answered_s <= self._short_s[trunk]
        cost = cost_of(self.cells.rates[ended.cell][trunk] or _NO_RATE, answered_s=answered_s)
        day = self._days[self._account[trunk]]
        tally = self._live[trunk].at(now)
        tally.cost += cost
        if answered_s is None:
            tally.ended(ended.end, rang=ended.rang, ended_by_us=ended.cancelled)
        else:
            tally.call_over(answered_s, short=short)
        if answered_s is None:
            day.ended(ended_by_us=ended.cancelled, now=now)
        else:
            day.call_over(short=short, now=now)
        if fault is not None and not ended.rang and not (ended.silent and fault):
            self.changes += self.circuits.note(trunk, self.cells.prefix(ended.cell), fault=fault, now=now)
        row = _row(trunk, ended.cell, cancels=float(ended.cancelled), held_s=ended.held_s)
        row[2] = float(ended.taught)
        if answered_s is None:
            row[3] = ended.expected * ended.taught
        elif not ended.taught:
            row[3] = -ended.expected  # told with the answer
        row[5], row[6], row[7] = float(answered_s is not None), float((fault or 0.0) > 0.0), float(short)
        row[9] = answered_s or 0.0
        self._rows.append(row)

    def attempt_failed(self, trunk: int, *, now: float) -> None:
        """An attempt ended by the network, after its last try."""
        tally = self._live[trunk].at(now)
        tally.failed += 1

    def shown(self, choice: CallerIdChoice, network: str, expected: float, contacts: float) -> None:
        """Take in what a shown number came to; sums are told to the caller IDs with the rows. `expected`: above 0 in
        the one row that ends the try."""
        calls, expected_before, contacts_before = self._shown.get((choice, network), (0, 0.0, 0.0))
        self._shown[choice, network] = calls + (expected > 0.0), expected_before + expected, contacts_before + contacts

    def _learn(self, now: float) -> None:
        if self._rows and now >= self._learned_at + LEARN_EVERY_S:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Tell the router and the caller IDs all that came in, at once: before what they learned is kept."""
        self.loads.forget(now)
        for (choice, network), (calls, expected, contacts) in self._shown.items():
            self.caller_ids.learn(choice, network=network, calls=calls, expected=expected, contacts=contacts, now=now)
        self._shown.clear()
        if not self._rows:
            return
        table = np.array(self._rows)
        self._rows.clear()
        self._learned_at = now
        outcomes = Outcomes(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), *table[:, 2:].T)
        self.router.learn(outcomes, now=now)

    # ---- prices -----------------------------------------------------------------------------------------------
    def problem(self, now: float) -> CapacityProblem | None:
        """Return what is to be solved for new prices; None where no trunk is short of capacity, and all are 0."""
        self._learn(now)
        self._refresh(now)
        problem = self.router.problem(now)
        self._free = problem is None
        if self._free and self._prices is not None:
            self._prices, self.prices_at = None, now
        return problem

    def reprice(self, prices: CapacityPrices, now: float) -> None:
        """Use these prices from now on; those of an older problem, where no trunk is short any more, are not used."""
        if not self._free:
            self.router.reprice(prices)
            self._prices, self.prices_at = prices, now

    # ---- for people -------------------------------------------------------------------------------------------
    @property
    def tallies(self) -> dict[str, TrunkTally]:
        """The counts of the run, by trunk."""
        return {trunk.name: live.run for trunk, live in zip(self.supply.trunks, self._live, strict=True)}

    def told(self) -> list[str]:
        """Return what has changed since and people must know: circuits, and caller IDs that rest or are wanting."""
        changes, self.changes = self.changes, []
        said = [
            f"trunk {self.supply.trunks[change.trunk].name}{f', prefix {change.prefix}' if change.prefix else ''}: "
            f"its circuit is {change.after}: {change.because}"
            for change in changes
            if "closed" in (change.before, change.after)
        ]
        return said + self.caller_ids.alerts()

    def silent_s(self, trunk: int) -> float:
        """After how many seconds without a word a set-up of the trunk is silent: four times what it usually takes to
        ring, within 5 to 12 s. A mobile network may take 10 s."""
        tally = self._live[trunk].run
        if tally.rang < SILENT_AFTER_RANG:
            return MOST_SILENT_S
        return min(max(4.0 * tally.set_up_s / tally.rang, LEAST_SILENT_S), MOST_SILENT_S)

    def next_room_at(self, now: float) -> float:
        """When a trunk may have room for a set-up again, where limits alone keep them from it."""
        trunks = range(len(self.supply.trunks))
        return min(self.loads.next_set_up_at(trunk, now) for trunk in trunks)

    def standings(self, now: float) -> tuple[TrunkStanding, ...]:
        """Return how each trunk stands; looking changes nothing."""
        tallies = [live.total(now) for live in self._live]
        tries = sum(tally.tries for tally in tallies)
        circuits = self.circuits.open_circuits()
        return tuple(
            trunk_standing(
                trunk,
                place,
                tallies[place],
                tries_of_all=tries,
                in_use=self.loads.in_use(place),
                set_ups_per_s=float(self.loads.set_ups_per_s[place]),
                price=0.0 if self._prices is None else self._prices.set_up[place],
                open_circuits=circuits,
                idle_because=self._idle_because(place, now),
            )
            for place, trunk in enumerate(self.supply.trunks)
        )

    def _idle_because(self, trunk: int, now: float) -> str:
        if not self._hours[trunk].open(now):
            return "outside its hours"
        served = self.cells.served[trunk]
        prefixes = {self.cells.prefix(cell) for cell in served.nonzero()[0].tolist()}
        if not len(served) or any(self.circuits.closed(trunk, prefix) for prefix in prefixes):
            return ""
        return "its circuits" if prefixes else "no rate or region for the numbers that are called"

    def accounts(self, now: float) -> tuple[AccountStanding, ...]:
        """Return how the accounts that have surcharges stand; looking changes nothing."""
        return tuple(
            account_standing(carrier, day.at(now))
            for carrier, day in zip(self.supply.carriers, self._days, strict=True)
            if carrier.short_calls is not None or carrier.cancelled_calls is not None
        )

    def numbers(self, now: float) -> tuple[CallerIdStanding, ...]:
        """Return how each of our numbers stands; looking changes nothing."""
        return tuple(CallerIdStanding(**standing._asdict()) for standing in self.caller_ids.standings(now))

    # ---- what outlives it -------------------------------------------------------------------------------------
    def learned(self) -> dict[str, Any]:
        """What the next run of the campaign goes on with, as plain values; `flush` comes before. Changes nothing."""
        return {
            "trunks": [trunk.name for trunk in self.supply.trunks],
            "accounts": [carrier.name for carrier in self.supply.carriers],
            "cells": self.cells.snapshot(),
            "router_id": self.router.router_id,
            "router": self.router.snapshot(),
            "caller_ids": self.caller_ids.snapshot(),
            "days": [day.values() for day in self._days],
            "limits": self.loads.counted(),
        }

    def recall(self, learned: dict[str, Any]) -> None:
        """Go on with what an earlier run learned. What is owed is taken up in any case (`recall_counts`); what was
        learned of trunks only where they are the same, by the same router, and no call was routed yet. Raises
        `ValueError`."""
        if not learned:
            return
        self.recall_counts(learned)
        trunks = [trunk.name for trunk in self.supply.trunks]
        before, router = learned["trunks"], learned["router_id"]
        if (before, router) != (trunks, self.router.router_id):
            raise ValueError(f"expected {self.router.router_id} on {trunks}, was {router} on {before}")
        self.cells.restore(learned["cells"])
        self.router.restore(learned["router"])

    def recall_counts(self, learned: dict[str, Any]) -> None:
        """Go on with what is owed to people, accounts and providers alone: what our numbers did, the accounts' days,
        the limits. For what another version kept: nothing need be there. Raises `ValueError` where the caller IDs' part
        is of another shape; the others are taken up all the same."""
        self.loads.count_on(learned.get("limits", {}))
        days = dict(zip(learned.get("accounts", ()), learned.get("days", ()), strict=False))
        for account, carrier in enumerate(self.supply.carriers):
            if carrier.name in days:
                with suppress(ValueError, TypeError):
                    self._days[account] = account_day_of(days[carrier.name])
        if "caller_ids" in learned:
            self.caller_ids.restore(learned["caller_ids"])

    def begin_again(self, now: float) -> None:
        """Begin after an earlier run, whose last set-ups nobody may have counted: every limit of up to a minute is
        taken to be used up now."""
        self.loads.use_up(now)

    def snapshot(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return {
            **self.learned(),
            "loads": self.loads.snapshot(),
            "circuits": self.circuits.snapshot(),
            "live": [live.snapshot() for live in self._live],
            "rows": [list(row) for row in self._rows],
            "shown": [[list(choice), network, *sums] for (choice, network), sums in self._shown.items()],
            "learned_at": self._learned_at,
            "prices": None if self._prices is None else [list(values) for values in _fields(self._prices)],
            "prices_at": self.prices_at,
            "free": self._free,
            "changes": [[c.trunk, c.prefix, c.at, str(c.before), str(c.after), c.because] for c in self.changes],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot of the same program; the desk is fresh."""
        self.recall(state)
        self.loads.restore(state["loads"])
        self.circuits.restore(state["circuits"])
        for live, values in zip(self._live, state["live"], strict=True):
            live.restore(values)
        self._rows = [list(row) for row in state["rows"]]
        self._shown = {
            (choice_of(choice), network): (calls, expected, contacts)
            for choice, network, calls, expected, contacts in state["shown"]
        }
        self._learned_at, self.prices_at, self._free = state["learned_at"], state["prices_at"], state["free"]
        if state["prices"] is not None:
            self._prices = CapacityPrices(
                **dict(zip(CapacityPrices.__struct_fields__, map(tuple, state["prices"]), strict=True))
            )
        self.changes = [
            CircuitChange(trunk, prefix, at, CircuitState(before), CircuitState(after), because)
            for trunk, prefix, at, before, after, because in state["changes"]
        ]


def _row(
    trunk: int, cell: int, *, expected: float = 0.0, contacts: float = 0.0, cancels: float = 0.0, held_s: float = 0.0
) -> list[float]:
    """A row of `Outcomes`, in the order of its fields."""
    return [trunk, cell, 0.0, expected, contacts, 0.0, 0.0, 0.0, cancels, 0.0, held_s]


def _fields(prices: CapacityPrices) -> list[tuple[float, ...]]:
    return [getattr(prices, name) for name in CapacityPrices.__struct_fields__]
