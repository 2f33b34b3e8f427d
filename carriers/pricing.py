"""What the room of each trunk is worth: the dual prices of a linear program, solved by HiGHS.

How it works. The program gives each cell's calls to the trunks so that they are worth most:

    maximise  sum x_kc (value_kc + bonus_c) less the fees      x_kc >= 0: calls a second of cell c on trunk k
    subject   sum_k x_kc <= demand_c, of each cell             what is missing is not placed
              sum_c x_kc <= set_ups_per_s_k and sum_c x_kc held_s_kc <= channels_k (Little's law), of each trunk
              the same over all trunks of each account
              sum x (short - above answered) <= s1 and sum x (cancelled - above) <= s2, of each account, where a unit of
              s1 and s2 costs the fee: of a day, just that is due

The bonus. A call is placed whatever it is worth, so not to place it must not look like a saving: each cell's values
are lifted until none is below 0. Beyond that, a call that is not placed costs half of what calls are worth at their
best, in the mean. Far more would send every call somewhere where there is room, but is wrong where channels are short:
who answers holds a channel for longer, so a program that must place calls above all sends them to where nobody answers.
In simulated shortages of channels (8 trunks, 120 cells, room for 70 to 100 % of the calls) a bonus of many times the
values lost 10 to 35 % of the worth of what was placed; one of half the mean lost nothing and placed more calls than
none did. Where set-ups alone were short, all did equally well. Also, the bonus bounds the prices: a set-up costs no
more than the best call is worth with its bonus.

Speed. Of K x C pairs a vertex uses at most one for each row. A quick ascent finds prices that are nearly right; the
program is solved with the pairs that are best at those; pairs that its prices show to be better are added, until what
they could add is within `GAPS` of the worth: by weak duality the prices are then as near to optimal for the whole.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from carriers.capacity import CapacityPrices, CapacityProblem
from carriers.capacity_program import PricingFailed, Program, Rows, Solution
from carriers.capacity_terms import CapacityTerms, capacity_terms, problem_of, terms_of
from carriers.market import Bools, Floats, Ints

__all__ = ["Allocation", "PricingFailed", "allocate", "allocation", "problem_of", "solve"]

UNPLACED = 0.5  # what a call that is not placed costs, of the mean worth of a call at its best
GAPS = (1e-6, 1e-6, 1e-5, 1e-4, 1e-3)  # of the worth, in the first round, the second, ...; most end in the first two
SMALL = 4000  # as many pairs are solved at once
ASCENT_STEPS = 60
_TIE, _GOLDEN, _SILVER = 1e-3, (5.0**0.5 - 1.0) / 2.0, 2.0**0.5
_FIRST_PER_CELL, _FIRST_PER_CELL_IN_ALL, _ADDED_PER_CELL = 3, 6, 4


class Allocation(NamedTuple):
    """The best use of the capacity."""

    flow: Floats  # (K, C) calls a second
    worth: float  # sum of flow * value less the fees, currency a second; the bonus is not in it
    prices: CapacityPrices


def solve(problem: CapacityProblem) -> CapacityPrices:
    """Return the prices of a problem, all at least 0. Pure: equal problems have equal prices.

    Raises `ValueError` for a problem that is not whole, and `PricingFailed` where the solver finds nothing.
    """
    return _allocation(terms_of(problem), None).prices


def allocation(problem: CapacityProblem) -> Allocation:
    """Return the flow and its worth, too."""
    return _allocation(terms_of(problem), None)


def allocate(*, bonus: float | None = None, account: Ints | None = None, **arrays: Floats) -> Allocation:
    """The same of arrays named as in `CapacityProblem` (`carriers.capacity_terms.capacity_terms` has the defaults).

    `bonus`: what placing a call is worth by itself, in place of the bonus above; 0: place only what pays.
    """
    return _allocation(capacity_terms(account=account, **arrays), bonus)


def _allocation(terms: CapacityTerms, bonus: float | None) -> Allocation:
    usable = terms.usable & (terms.demand > 0.0)
    gain = np.where(usable, terms.value, -np.inf) + (_bonus(terms, usable) if bonus is None else bonus)
    per_worth = float(np.abs(gain[usable]).max(initial=0.0)) or 1.0
    per_call = _mean(terms.demand[usable.any(axis=0)])
    rows = _rows(terms, per_worth=per_worth, per_call=per_call, per_held=_mean(terms.held_s[usable]))
    if not usable.any():
        return Allocation(np.zeros(usable.shape), 0.0, _prices(rows, [np.zeros(len(kind.limit)) for kind in rows]))
    found = _solved(Program(gain=gain / per_worth, demand=terms.demand / per_call, kinds=rows), usable)
    fees = sum(kind.fees(found.flow) for kind in rows) * per_worth
    worth = float((found.flow * np.where(usable, terms.value, 0.0)).sum()) - fees
    return Allocation(found.flow * per_call, worth * per_call, _prices(rows, found.prices))


def _mean(figures: Floats) -> float:
    return (float(figures.mean()) if figures.size else 0.0) or 1.0


def _prices(rows: tuple[Rows, ...], prices: list[Floats]) -> CapacityPrices:
    """The prices of the kinds of `_rows`, in currency."""
    set_up, channel_s, account_set_up, account_channel_s, short, cancelled = (
        tuple((price * kind.per_price).tolist()) for kind, price in zip(rows, prices, strict=True)
    )
    return CapacityPrices(
        set_up=set_up,
        channel_s=channel_s,
        account_set_up=account_set_up,
        account_channel_s=account_channel_s,
        short=short,
        cancelled=cancelled,
    )


def _bonus(terms: CapacityTerms, usable: Bools) -> Floats:
    """(C,): what placing a call of each cell is worth by itself."""
    best = np.where(usable, terms.value, -np.inf).max(axis=0)
    worst = np.where(usable, terms.value, np.inf).min(axis=0)
    served = usable.any(axis=0)
    mean = np.where(usable, terms.value, 0.0).sum(axis=0) / np.maximum(usable.sum(axis=0), 1)
    # Where no call is worth anything, it is still better placed well than badly.
    at_best = np.where(served, np.maximum(best, best - mean), 0.0)
    calls = np.where(served, terms.demand, 0.0)
    unplaced = UNPLACED * float(at_best @ calls) / (float(calls.sum()) or 1.0)
    return np.where(served, np.maximum(-worst, 0.0), 0.0) + unplaced


def _rows(terms: CapacityTerms, *, per_worth: float, per_call: float, per_held: float) -> tuple[Rows, ...]:
    """The rows beside those of the cells, in figures of the order of 1."""
    one, held = np.broadcast_to(1.0, terms.value.shape), terms.held_s / per_held
    trunk, account = np.arange(len(terms.channels)), terms.account

    def limited(owner: Ints, coefficient: Floats, limit: Floats, per_unit: float) -> Rows:
        return Rows(
            owner=owner,
            coefficient=coefficient,
            limit=limit / per_call / per_unit,
            fee=np.full(len(limit), np.inf),
            per_price=per_worth / per_unit,
        )

    def surcharged(rate: Floats, out_of: Floats, above: Floats, fee: Floats) -> Rows:
        return Rows(
            owner=account,
            coefficient=rate - above[account][:, None] * out_of,
            limit=np.zeros(len(fee)),
            fee=np.where(above < 1.0, fee, 0.0) / per_worth,
            per_price=per_worth,
        )

    return (
        limited(trunk, one, terms.set_ups_per_s, 1.0),
        limited(trunk, held, terms.channels, per_held),
        limited(account, one, terms.account_set_ups_per_s, 1.0),
        limited(account, held, terms.account_channels, per_held),
        surcharged(terms.short, terms.answered, terms.short_above, terms.short_fee),
        surcharged(terms.cancelled, one, terms.cancelled_above, terms.cancelled_fee),
    )


def _solved(program: Program, usable: Bools) -> Solution:
    """Solve the whole program, by parts where it is large."""
    if int(usable.sum()) <= SMALL:
        return program.solve(usable)
    # Where trunks are equal, each cell takes others: steps of two irrational numbers fill [0, 1) evenly.
    trunks, cells = usable.shape
    order = (np.arange(trunks)[:, None] * _GOLDEN + np.arange(cells) * _SILVER) % 1.0
    pairs = _first_pairs(program.net(program.ascend(ASCENT_STEPS)) - _TIE * order) & usable
    for allowed in itertools.chain(GAPS, itertools.repeat(GAPS[-1])):
        found = program.solve(pairs)
        better = program.net(found.prices) - found.cell_price
        better[pairs] = 0.0
        if float(better.max(axis=0).clip(0.0) @ program.demand) <= allowed * abs(found.worth):
            break
        pairs |= _best_of_each(better * (1.0 - 0.5 * order), _ADDED_PER_CELL) & (better > 0.0)
    return found


def _first_pairs(net: Floats) -> Bools:
    """The best pairs of each cell, and of all cells those that are nearest to the best one."""
    pairs = _best_of_each(net, _FIRST_PER_CELL)
    behind = np.maximum(net.max(axis=0), 0.0) - net
    many = min(_FIRST_PER_CELL_IN_ALL * net.shape[1], net.size) - 1
    pairs.ravel()[np.argpartition(behind, many, axis=None)[: many + 1]] = True
    return pairs


def _best_of_each(net: Floats, count: int) -> Bools:
    """(K, C): the best pairs of each cell."""
    best = np.zeros(net.shape, dtype=np.bool_)
    np.put_along_axis(best, np.argpartition(-net, min(count, len(net) - 1), axis=0)[:count], True, axis=0)
    return best
