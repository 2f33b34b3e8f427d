"""Small markets, batches and outcomes for routers, and serving by hand: the slow twin of the compiled serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from carriers.market import Floats, Ints, Market
from carriers.router import Outcomes, Room, RouteRequests


def make_market(
    trunks: int = 3,
    regions: Sequence[int] = (0,),
    *,
    attempt_fee: Sequence[float] | None = None,
    per_s: Sequence[float] | None = None,
    account: Sequence[int] | None = None,
    **changes: Any,
) -> Market:
    """A market with a cell for each region given, in which all is usable, billed by the second and free."""
    cells, accounts = len(regions), len(set(account or range(trunks)))

    def table(by_trunk: Sequence[float] | None = None, value: float = 0.0) -> Floats:
        column = np.full(trunks, value) if by_trunk is None else np.array(by_trunk, dtype=np.float64)
        return np.repeat(column[:, None], cells, axis=1)

    known: dict[str, Any] = {
        "region": np.array(regions, dtype=np.int64),
        "destination": np.zeros(cells, dtype=np.int64),
        "attempt_fee": table(attempt_fee),
        "connection_fee": table(),
        "per_s": table(per_s),
        "first_s": table(value=1.0),
        "step_s": table(value=1.0),
        "usable": table() == 0.0,
        "set_ups_per_s": np.full(trunks, 10.0),
        "channels": np.full(trunks, 100.0),
        "account": np.array(account or range(trunks), dtype=np.int64),
        "account_set_ups_per_s": np.full(accounts, np.inf),
        "account_channels": np.full(accounts, np.inf),
        "short_above": np.ones(accounts),
        "short_fee": np.zeros(accounts),
        "cancelled_above": np.ones(accounts),
        "cancelled_fee": np.zeros(accounts),
        "cells": cells,
    }
    return Market(**{**known, **changes})


def add_cell(market: Market, *, region: int) -> int:
    """Add a cell like the last one to the market, of that region; returns its index."""
    market.region = np.append(market.region, region)
    market.destination = np.append(market.destination, 0)
    for name in ("attempt_fee", "connection_fee", "per_s", "first_s", "step_s", "usable"):
        values = getattr(market, name)
        setattr(market, name, np.column_stack([values, values[:, -1]]))
    market.cells += 1
    return market.cells - 1


def calls(*cells: int, value: float = 1.0, answer_probability: float = 0.2) -> RouteRequests:
    """A batch of calls of these cells."""
    return RouteRequests(
        np.array(cells, dtype=np.int64), np.full(len(cells), answer_probability), np.full(len(cells), value)
    )


def room(*trunk: int, account: Sequence[int] | None = None) -> Room:
    """Room of these trunks; of accounts as given, or endless."""
    return Room(np.array(trunk, dtype=np.int64), np.array(account or [10**6] * len(trunk), dtype=np.int64))


def outcomes(
    trunk: Sequence[int],
    cell: Sequence[int] | None = None,
    *,
    contacts: Sequence[float] | float = 0.0,
    answers: Sequence[float] | float = 0.0,
    tries: Sequence[float] | float = 1.0,
    faults: Sequence[float] | float = 0.0,
    answered_s: Sequence[float] | float = 0.0,
) -> Outcomes:
    """Rows of outcomes, one a try that is over unless `tries` says otherwise."""
    count = len(trunk)

    def row(values: Sequence[float] | float) -> Floats:
        return np.broadcast_to(np.array(values, dtype=np.float64), (count,)).copy()

    return Outcomes(
        trunk=np.array(trunk, dtype=np.int64),
        cell=np.array(cell if cell is not None else [0] * count, dtype=np.int64),
        tries=row(tries),
        expected=0.2 * row(tries),
        contacts=row(contacts),
        answers=row(answers),
        faults=row(faults),
        shorts=row(0.0),
        cancels=row(0.0),
        answered_s=row(answered_s),
        held_s=row(20.0),
    )


def serve_by_hand(
    market: Market, requests: RouteRequests, available: Room, pick: Callable[[int, list[int], list[int]], int]
) -> list[int]:
    """Serve call after call: `pick` gets the call, the open and all usable trunks, and names an open one."""
    left, account_left = available.trunk.tolist(), available.account.tolist()
    chosen = []
    for call, cell in enumerate(requests.cell.tolist()):
        usable = [k for k in range(market.trunks) if market.usable[k, cell]]
        found = [k for k in usable if left[k] > 0 and account_left[int(market.account[k])] > 0]
        trunk = pick(call, found, usable) if found else -1
        if trunk >= 0:
            left[trunk] -= 1
            account_left[int(market.account[trunk])] -= 1
        chosen.append(trunk)
    return chosen


def shares(trunk: Ints, trunks: int) -> list[float]:
    """The share of calls that each trunk got."""
    return (np.bincount(trunk, minlength=trunks) / len(trunk)).tolist()
