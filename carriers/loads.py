"""What each trunk and each account carries now: channels in use, planned calls, set-ups against the limits.

How it works: a channel is taken when a call is planned, its set-up when it is placed: what the store takes long to
reserve is still placed no faster than any limit allows. How much room a trunk or an account has is kept until something
happens there, or until its limit lets more through, so that asking costs little.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import Any

import numpy as np

from carriers.limits import SetUpCounter, carried_over, counter_of, sustained
from carriers.market import Bools, Floats
from carriers.router import Room
from carriers.supply import SetUpLimit, Supply

REMEMBERED_S = 60.0  # limits over longer than this are counted on after a restart, not taken to be used up
UNLIMITED = 1 << 40  # calls: the room of an account that has neither limits nor a number of channels


class Loads:
    """The loads of one campaign's supply. A trunk is known by its place in `Supply.trunks`.

    K trunks, A accounts, in the supply's order. `set_ups_per_s` (K,) and `account_set_ups_per_s` (A,) are sustained
    rates, `channels` (K,) and `account_channels` (A,) counts; infinity where there is no limit.
    """

    def __init__(self, supply: Supply) -> None:
        """Raises `ValueError` for a trunk whose carrier is not among the carriers, and for a limit that cannot be."""
        places = {carrier.name: place for place, carrier in enumerate(supply.carriers)}
        for trunk in supply.trunks:
            if trunk.carrier not in places:
                raise ValueError(f"expected the carrier of trunk {trunk.name!r} in the supply, was {trunk.carrier!r}")
        self._trunks = [_Load(trunk.name, trunk.max_channels, trunk.limits) for trunk in supply.trunks]
        self._accounts = [_Load(carrier.name, carrier.max_channels, carrier.limits) for carrier in supply.carriers]
        self._place = [places[trunk.carrier] for trunk in supply.trunks]  # of each trunk's account
        self._all = self._trunks + self._accounts
        self._limits = [
            trunk.limits + self._accounts[place].limits for trunk, place in zip(self._trunks, self._place, strict=True)
        ]
        self._room = np.zeros(len(self._all), dtype=np.int64)
        self._stale_at = np.full(len(self._all), -inf)  # when each room is to be looked at again
        self.channels: Floats = np.array([float(trunk.max_channels) for trunk in supply.trunks])
        self.account_channels: Floats = np.array(
            [inf if carrier.max_channels is None else float(carrier.max_channels) for carrier in supply.carriers]
        )
        self.set_ups_per_s: Floats = np.array([sustained(trunk.limits) for trunk in supply.trunks])
        self.account_set_ups_per_s: Floats = np.array([sustained(carrier.limits) for carrier in supply.carriers])

    def room(self, now: float) -> Room:
        """Return how many more calls may be planned at `now`, in arrays of the caller's own.

        Planned calls count against the set-up limits too. An account's room binds beside that of each of its trunks.
        """
        for place in (self._stale_at <= now).nonzero()[0].tolist():
            self._room[place], self._stale_at[place] = self._all[place].room(now)
        room, count = self._room.copy(), len(self._trunks)
        return Room(room[:count], room[count:])

    def total_room(self, now: float, serving: Bools | None = None) -> int:
        """Return how many more calls may be planned at `now` over all trunks, or those `serving` (K,), accounts
        respected."""
        room = self.room(now)
        trunk = room.trunk if serving is None else room.trunk * serving
        return self._total(trunk.tolist(), room.account.tolist())

    def free(self) -> Room:
        """Return how many channels are free, set-up limits not looked at, in arrays of the caller's own."""
        return Room(
            np.array([load.free for load in self._trunks], dtype=np.int64),
            np.array([load.free for load in self._accounts], dtype=np.int64),
        )

    @property
    def free_channels(self) -> int:
        """How many channels are free over all trunks, accounts respected."""
        return self._total([load.free for load in self._trunks], [load.free for load in self._accounts])

    def take(self, trunk: int) -> None:
        """Plan a call: use a channel of the trunk and of its account. Raises `ValueError` where none is free."""
        load, account = self._trunks[trunk], self._accounts[self._place[trunk]]
        for each in (load, account):
            if each.free < 1:
                raise ValueError(f"expected a free channel of {each.name!r}, were {each.in_use} in use")
        for each in (load, account):
            each.in_use += 1
            each.planned += 1
        self._touch(trunk)

    def occupy(self, trunk: int) -> None:
        """Take that a call of an earlier run holds a channel of the trunk and of its account, free or not."""
        for each in (self._trunks[trunk], self._accounts[self._place[trunk]]):
            each.in_use += 1
        self._touch(trunk)

    def set_up(self, trunk: int, now: float) -> bool:
        """Place a planned call, if every limit of the trunk and of its account has room; return whether it had."""
        load = self._trunks[trunk]
        if load.planned < 1:
            raise ValueError(f"expected a planned call on trunk {load.name!r}, was none")
        limits = self._limits[trunk]
        for limit in limits:
            if limit.left(now) < 1:
                return False
        for limit in limits:
            limit.take(now)
        load.planned -= 1
        self._accounts[self._place[trunk]].planned -= 1
        self._touch(trunk)
        return True

    def next_set_up_at(self, trunk: int, now: float) -> float:
        """Return the earliest time, `now` or later, at which `set_up` finds room unless others are placed before."""
        return max((limit.next_at(now) for limit in self._limits[trunk]), default=now)

    def wait_s(self, trunk: int, now: float) -> float:
        """Return about how long a call that is planned now waits for its set-up, behind those planned before it."""
        loads = (self._trunks[trunk], self._accounts[self._place[trunk]])
        return max((load.wait_s(now) for load in loads), default=0.0)

    def give_back(self, trunk: int, *, set_up: bool) -> None:
        """Free a channel; `set_up`: the call was placed. Raises `ValueError` where no such call holds one."""
        load = self._trunks[trunk]
        held = load.in_use - load.planned if set_up else load.planned
        if held < 1:
            raise ValueError(f"expected a {'placed' if set_up else 'planned'} call on trunk {load.name!r}, was none")
        for each in (load, self._accounts[self._place[trunk]]):
            each.in_use -= 1
            if not set_up:
                each.planned -= 1
        self._touch(trunk)

    def use_up(self, now: float) -> None:
        """Take every limit of at most `REMEMBERED_S` to be used up at `now`: nobody counted an earlier run's."""
        for load in self._all:
            for limit, terms in zip(load.limits, load.terms, strict=True):
                if terms.per_s <= REMEMBERED_S:
                    for _ in range(limit.left(now)):
                        limit.take(now)
        self._stale_at[:] = -inf

    def in_use(self, trunk: int) -> int:
        """Return how many channels of the trunk are taken, planned calls included."""
        return self._trunks[trunk].in_use

    def forget(self, now: float) -> None:
        """Forget set-ups that no limit counts any more at `now`: what is kept must not depend on who asked before."""
        for load in self._all:
            for limit in load.limits:
                limit.left(now)

    def counted(self) -> dict[str, Any]:
        """What the limits remember of set-ups, as plain values by name: the next run counts on."""
        return {
            "trunks": {load.name: load.counted() for load in self._trunks},
            "accounts": {load.name: load.counted() for load in self._accounts},
        }

    def count_on(self, counted: dict[str, Any]) -> None:
        """Take up what an earlier run counted, for the trunks and accounts that exist again and for their limits of the
        same kind and period; what is of another shape is left out."""
        for kind, loads in (("trunks", self._trunks), ("accounts", self._accounts)):
            found = counted.get(kind, {})
            for load in loads:
                load.count_on(found.get(load.name, []))
        self._stale_at[:] = -inf

    def snapshot(self) -> dict[str, Any]:
        """What is carried and remembered, as plain values by name."""
        return {
            "trunks": {load.name: [load.in_use, load.planned, load.values()] for load in self._trunks},
            "accounts": {load.name: load.values() for load in self._accounts},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises `ValueError` where it is of another supply, and is then as it was."""
        before = self.snapshot()
        self._check(state, before)
        try:
            self._apply(state)
        except ValueError:
            self._apply(before)
            raise

    def _check(self, state: dict[str, Any], now: dict[str, Any]) -> None:
        for kind in ("trunks", "accounts"):
            found = state.get(kind, {})
            if set(found) != set(now[kind]):
                raise ValueError(f"expected {kind} {', '.join(now[kind])}, were {', '.join(found) or 'none'}")

    def _apply(self, state: dict[str, Any]) -> None:
        for account in self._accounts:
            account.in_use = account.planned = 0
            account.restore(state["accounts"][account.name])
        for load, place in zip(self._trunks, self._place, strict=True):
            load.in_use, load.planned, values = state["trunks"][load.name]
            load.restore(values)
            self._accounts[place].in_use += load.in_use
            self._accounts[place].planned += load.planned
        self._stale_at[:] = -inf

    def _touch(self, trunk: int) -> None:
        """Something changed there: look at its room again."""
        self._stale_at[trunk] = self._stale_at[len(self._trunks) + self._place[trunk]] = -inf

    def _total(self, trunks: list[int], accounts: list[int]) -> int:
        left = list(accounts)
        total = 0
        for count, place in zip(trunks, self._place, strict=True):
            taken = min(count, left[place])
            left[place] -= taken
            total += taken
        return total


class _Load:
    """One trunk or account. `limits` are its own alone."""

    __slots__ = ("channels", "in_use", "limits", "name", "planned", "terms")

    def __init__(self, name: str, channels: int | None, limits: tuple[SetUpLimit, ...]) -> None:
        self.name = name
        self.channels = UNLIMITED if channels is None else channels
        self.limits: tuple[SetUpCounter, ...] = tuple(counter_of(limit) for limit in limits)
        self.terms = limits
        self.in_use = 0  # channels taken, planned calls included
        self.planned = 0  # of these, not yet set up

    @property
    def free(self) -> int:
        return max(0, self.channels - self.in_use)

    def room(self, now: float) -> tuple[int, float]:
        """How many more calls may be planned, at least 0, and until when that is so if nothing happens here."""
        room, until = self.channels - self.in_use, inf
        for limit in self.limits:
            left = limit.left(now)
            if left - self.planned < room:
                room = left - self.planned
                until = limit.next_at(now, max(left, self.planned) + 1)
        return max(0, room), until

    def wait_s(self, now: float) -> float:
        """About how long one more waits behind the planned ones: `calls` of a limit are let through in each period."""
        at = now
        for limit, terms in zip(self.limits, self.terms, strict=True):
            periods, before = divmod(self.planned, terms.calls)
            at = max(at, limit.next_at(now, before + 1) + periods * terms.per_s)
        return at - now

    def values(self) -> list[list[float]]:
        return [limit.values() for limit in self.limits]

    def counted(self) -> list[list[Any]]:
        """Kind, period and values of each limit."""
        return [[t.kind, t.per_s, limit.values()] for t, limit in zip(self.terms, self.limits, strict=True)]

    def count_on(self, counted: list[list[Any]]) -> None:
        for terms, limit in zip(self.terms, self.limits, strict=True):
            for each in counted:
                with suppress(ValueError, TypeError):
                    kind, per_s, values = each
                    if (kind, per_s) == (terms.kind, terms.per_s):
                        limit.restore(carried_over(terms, values))

    def restore(self, values: list[list[float]]) -> None:
        if len(values) != len(self.limits):
            raise ValueError(f"expected {len(self.limits)} limits of {self.name!r}, were {len(values)}")
        for limit, each in zip(self.limits, values, strict=True):
            limit.restore(each)
