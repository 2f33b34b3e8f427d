"""The linear program of a capacity problem, in part or as a whole, and a quick way to prices that are nearly right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.sparse import csc_array  # type: ignore[import-untyped]

from carriers.market import Bools, Floats, Ints

WARM, COLD = 0.3, 0.003  # heats of the ascent, in units of the best call's worth
_STEEPEST = 3.0  # the most that a price moves at once, in heats


class PricingFailed(ArithmeticError):
    """The solver found no prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one kind, over the pairs of the trunks that `owner` gives each: sum coefficient * flow <= limit, where a
    unit beyond costs the fee (infinity: never)."""

    owner: Ints  # (K,) the row of each trunk
    coefficient: Floats  # (K, C)
    limit: Floats  # (n,)
    fee: Floats  # (n,)
    per_price: float  # currency, of a price of 1

    @property
    def wanted(self) -> Bools:
        """(n,): whether the row says anything."""
        return np.isfinite(self.limit) & (self.fee > 0.0)

    def load(self, flow: Floats) -> Floats:
        """(n,): sum coefficient * flow."""
        by_trunk = (self.coefficient * flow).sum(axis=1)
        load: Floats = np.bincount(self.owner, by_trunk, minlength=len(self.limit)).astype(np.float64)
        return load

    def fees(self, flow: Floats) -> float:
        """What this flow costs beyond the limits; limits that cannot be passed cost nothing."""
        soft = self.wanted & np.isfinite(self.fee)
        return float((self.load(flow) - self.limit)[soft].clip(0.0) @ self.fee[soft])

    def climb(self, price: Floats, flow: Floats, heat: float) -> None:
        """Raise the prices of what is overloaded by this flow and lower the others, in place."""
        wanted = self.wanted
        load = self.load(flow)[wanted]
        limit, fee = self.limit[wanted], self.fee[wanted]
        soft = np.isfinite(fee)
        excess = np.log(np.maximum(load, 1e-9) / np.maximum(limit, 1e-9))
        step = np.where(soft, np.sign(load) * np.where(soft, fee, 0.0) * 0.1, heat * excess.clip(-1.0, _STEEPEST) / 2)
        price[wanted] = (price[wanted] + step).clip(0.0, fee)


class Solution(NamedTuple):
    """What came of a program, in its units."""

    flow: Floats  # (K, C)
    prices: list[Floats]  # of each kind of rows
    cell_price: Floats  # (C,) what one more call of the cell would be worth
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Maximise sum gain * flow less fees; a cell's flow is at most its demand. All figures are of the order of 1."""

    gain: Floats  # (K, C); -inf: not usable
    demand: Floats  # (C,)
    kinds: tuple[Rows, ...]

    def net(self, prices: list[Floats]) -> Floats:
        """(K, C): the gain of a call less the prices of what it uses; -inf where it is not usable."""
        net = self.gain.copy()
        for rows, price in zip(self.kinds, prices, strict=True):
            if price.any():
                net -= price[rows.owner][:, None] * rows.coefficient
        return net

    def ascend(self, steps: int) -> list[Floats]:
        """Return prices that are nearly right. Calls go to trunks by the softmax of their net gain, ever colder, and
        the prices follow the load: coordinate steps on the dual of the program with entropy added to the flow."""
        prices = [np.zeros(len(rows.limit)) for rows in self.kinds]
        for step in range(steps):
            heat = WARM * (COLD / WARM) ** (step / max(steps - 1, 1))
            odds = self.net(prices) / heat
            best = np.maximum(odds.max(axis=0), 0.0)  # 0: not to place the call
            odds -= best
            np.exp(odds, out=odds)
            odds *= self.demand / (odds.sum(axis=0) + np.exp(-best))
            for rows, price in zip(self.kinds, prices, strict=True):
                if rows.wanted.any():
                    rows.climb(price, odds, heat)
        return prices

    def solve(self, pairs: Bools) -> Solution:
        """Solve the program with these pairs (K, C) alone. Raises `PricingFailed`."""
        trunk, cell = np.nonzero(pairs)
        entries, rows_of, columns = [np.ones(len(cell))], [cell], [np.arange(len(cell))]
        limits, costs, wanted_rows = [self.demand], [-self.gain[trunk, cell]], []
        first_row, first_slack = len(self.demand), len(cell)
        for rows in self.kinds:
            wanted = np.flatnonzero(rows.wanted)
            place = np.full(len(rows.limit), -1)
            place[wanted] = first_row + np.arange(len(wanted))
            row = place[rows.owner[trunk]]
            touched = row >= 0
            entries.append(rows.coefficient[trunk[touched], cell[touched]])
            rows_of.append(row[touched])
            columns.append(np.flatnonzero(touched))
            limits.append(rows.limit[wanted])
            soft = wanted[np.isfinite(rows.fee[wanted])]
            entries.append(np.full(len(soft), -1.0))
            rows_of.append(place[soft])
            columns.append(first_slack + np.arange(len(soft)))
            costs.append(rows.fee[soft])
            wanted_rows.append((wanted, first_row))
            first_row, first_slack = first_row + len(wanted), first_slack + len(soft)
        matrix = csc_array(
            (np.concatenate(entries), (np.concatenate(rows_of), np.concatenate(columns))),
            shape=(first_row, first_slack),
        )
        cost, limit = np.concatenate(costs), np.concatenate(limits)
        for method in ("highs-ipm", "highs-ds"):
            found = linprog(cost, A_ub=matrix, b_ub=limit, method=method)
            if found.status == 0:
                break
        else:
            raise PricingFailed(f"capacity problem: expected prices, was: {found.message}")
        dual = np.maximum(-found.ineqlin.marginals, 0.0)
        prices = []
        for rows, (wanted, first) in zip(self.kinds, wanted_rows, strict=True):
            price = np.zeros(len(rows.limit))
            price[wanted] = np.minimum(dual[first : first + len(wanted)], rows.fee[wanted])
            prices.append(price)
        flow = np.zeros(pairs.shape)
        flow[trunk, cell] = np.maximum(found.x[: len(cell)], 0.0)
        return Solution(flow, prices, dual[: len(self.demand)], -float(found.fun))
