"""Whom to call now and whom to keep for a better hour of the day: prices of the hours, and the advantage of now.

The day as a linear programme: leads i, slots h, x_ih calls,

    max  sum x_ih o_ih (v_ih - w_ih)
    s.t. sum_i x_ih o_ih <= C_h,  sum_i x_ih o_ih s_ih <= A_h,  sum_h x_ih <= left_i,  calls of a lead `gap` slots apart

with v = answer * value (contacts), w = cost + (1 - answer) * wear (what any call costs, and contacts lost later),
s = answer * handle (agent seconds) and o the share of the slot in which the lead may be called: a call kept for a slot
that is open for a quarter of it can be placed in it with that chance. Only lines (C) and agents (A) tie the leads
together. With prices lambda_h of an attempt and mu_h of an agent second on them, the day falls apart into a small
problem for each lead (the Lagrangian relaxation of weakly coupled dynamic programmes: Hawkins 2003; Adelman and
Mersereau 2008), and only 2 S numbers are sought, those of the least

    D(lambda, mu) = sum_h lambda_h C_h + mu_h A_h + sum_i phi_i(all slots, left_i).

phi_i(slots, k) is the most that the lead is worth with k calls in these slots at these prices. Any prices give an upper
bound on what the day can bring. The index of a lead,

    A_i = gain_i,now + phi_i(slots after the gap, left_i - 1) - phi_i(later slots, left_i),

is what a call now brings beyond the best that is given up by it: how much dearer the present slot could become before
the lead were better kept, as Whittle (1988) has it for the bandits of a day. Calling in the order of marginal value per
call is what van de Geer, Wang and Bhulai (2018) tried on debtors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from models.allocation_kernels import fill_advantages, fill_loads

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Smalls = NDArray[np.int8]

LARGEST_SAMPLE = 12_000  # leads by which prices are found
MOST_SLOTS = 32
_ROWS = 65_536  # leads at a time
_TOLERANCE = 1e-7  # of the bound, from one step to the next
_MOST_STEPS = 90
_BLUR = 0.03  # of the usual gain of a call


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCalls:
    """What calls of n leads in S slots are worth, the present slot first.

    `value`, `handle_s` and `wear` have shape (n,), or (n, S) where they depend on the slot.
    """

    answer: Singles  # (n, S): chance of an answer, in [0, 1]
    open: Singles  # (n, S): share of the slot in which the lead may be called, in [0, 1]; 0 closed
    attempts_left: Smalls  # (n,): for the rest of the day, >= 0
    value: Singles  # contacts of an answer: the chance of the right party, times what its segment weighs
    handle_s: Singles  # agent seconds of an answered call
    wear: Singles  # contacts lost later by a call that is not answered
    cost: float = 0.0  # of any call, in contacts
    gap: int = 1  # slots between two calls of a lead, at least; 1: the next slot will do

    def __post_init__(self) -> None:
        n, slots = self.answer.shape
        if not 1 <= slots <= MOST_SLOTS:
            raise ValueError(f"expected 1 to {MOST_SLOTS} slots, found {slots}")
        if self.gap < 1:
            raise ValueError(f"expected a gap of at least 1 slot, was {self.gap}")
        for name, shapes in (
            ("open", ((n, slots),)),
            ("attempts_left", ((n,),)),
            *((name, ((n,), (n, slots))) for name in ("value", "handle_s", "wear")),
        ):
            if getattr(self, name).shape not in shapes:
                wanted = " or ".join(map(str, shapes))
                raise ValueError(f"expected {name} of shape {wanted}, found {getattr(self, name).shape}")

    def __len__(self) -> int:
        return len(self.answer)

    def gains(self, rows: slice | NDArray[np.int64]) -> tuple[Singles, Singles, Singles]:
        """Return v - w, s and o of some leads, each of shape (rows, S). Raises `ValueError` for NaN and infinity."""
        answer = self.answer[rows]
        value, handle_s, wear = (_by_slot(column[rows]) for column in (self.value, self.handle_s, self.wear))
        gain = answer * value - (1.0 - answer) * wear - np.float32(self.cost)
        agent_s = np.ascontiguousarray(answer * handle_s)
        # One sum tells: NaN and infinity survive it.
        if not np.isfinite(gain.sum(dtype=np.float64) + agent_s.sum(dtype=np.float64)):
            raise ValueError(
                "expected numbers for answer, value, handle_s and wear of every lead, found NaN or infinity"
            )
        return np.ascontiguousarray(gain), agent_s, np.ascontiguousarray(self.open[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class HourPrices:
    """Prices of the slots, in the unit of `DayCalls.value`. Arrays of shape (S,)."""

    attempt: Floats  # of an attempt
    agent_s: Floats  # of an agent second
    load: Floats  # attempts that these prices bring about, within `blur`
    agent_load_s: Floats  # agent seconds of them
    bound: float  # nobody brings more in these slots; of a sample, an estimate of it
    gap_to_bound: float  # how much lower the bound might be made, at most, as a share of it
    blur: float  # what is worth as much: a lead whose advantage is above -blur may be called now without regret


def hour_prices(
    calls: DayCalls,
    attempts: ArrayLike,
    agent_s: ArrayLike,
    *,
    warm: HourPrices | None = None,
    seed: int = 0,
    sample: int = LARGEST_SAMPLE,
) -> HourPrices:
    """Find the prices at which leads call for what lines and agents can do.

    `attempts` and `agent_s` (S,): what can be placed and handled in each slot, >= 0, `inf` where nothing binds. `warm`:
    the prices before, for as many slots. Of more than `sample` leads, so many are drawn by `seed`, with capacity in
    proportion. Raises `ValueError` for what is negative or not a number.
    """
    slots = calls.answer.shape[1]
    capacity = np.concatenate([_capacity(attempts, slots, "attempts"), _capacity(agent_s, slots, "agent_s")])
    rows, share = drawn_rows(len(calls), sample, seed)
    gain, seconds, is_open = calls.gains(rows)
    left = np.ascontiguousarray(calls.attempts_left[rows])
    bound_by = np.isfinite(capacity)
    scaled = np.where(bound_by, capacity, 0.0) * share
    usual = _usual_gain(gain, is_open, left, float(capacity[:slots].sum()) * share)
    unit = usual / np.append(np.ones(slots), np.full(slots, max(float(seconds.mean()), 1e-9) if len(rows) else 1.0))
    load = np.zeros(2 * slots)

    def dual(prices: Floats, blur: float) -> tuple[float, float]:
        worth, brought = fill_loads(gain, seconds, is_open, left, calls.gap, prices, blur, load)
        return worth + float(scaled @ prices), brought

    def blurred(u: Floats) -> tuple[float, Floats]:
        value, _ = dual(u * unit, _BLUR * usual)
        return value / usual, (scaled - load) * unit / usual

    high = np.where(bound_by, _highest(gain, seconds, is_open) + _BLUR * usual, 0.0) / unit
    start = np.zeros(2 * slots)
    if warm is not None and len(warm.attempt) == slots:
        start = np.clip(np.concatenate([warm.attempt, warm.agent_s]) / unit, 0.0, high)
    found = minimize(
        blurred,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[*zip(0.0 * high, high, strict=True)],
        options={"maxiter": _MOST_STEPS, "ftol": _TOLERANCE, "gtol": 0.0},
    )
    prices = found.x * unit
    bound, _ = dual(prices, 0.0)
    _, brought = dual(prices, _BLUR * usual)
    feasible = _feasible(brought, load, capacity * share, high * unit)
    return HourPrices(
        attempt=prices[:slots],
        agent_s=prices[slots:],
        load=load[:slots] / share,
        agent_load_s=load[slots:] / share,
        bound=bound / share,
        gap_to_bound=1.0 - feasible / bound if bound > 0.0 else 0.0,
        blur=_BLUR * usual,
    )


def advantage(calls: DayCalls, prices: HourPrices) -> Singles:
    """Return what calling each lead now brings beyond keeping it for later, shape (n,), in the unit of `value`.

    -inf where it may not be called now, or not again today. Raises `ValueError` where the prices are of other slots.
    """
    slots = calls.answer.shape[1]
    if len(prices.attempt) != slots:
        raise ValueError(f"expected prices of {slots} slots, found {len(prices.attempt)}")
    both = np.concatenate([prices.attempt, prices.agent_s])
    found = np.empty(len(calls), np.float32)
    for rows in _blocks(len(calls)):
        gain, seconds, is_open = calls.gains(rows)
        left = np.ascontiguousarray(calls.attempts_left[rows])
        fill_advantages(gain, seconds, is_open, left, calls.gap, both, found[rows])
    return found


def drawn_rows(n: int, sample: int, seed: int) -> tuple[NDArray[np.int64], float]:
    """Draw at most `sample` of n rows by `seed`, in any order: (rows, the share of all that they are)."""
    if n <= sample:
        return np.arange(n), 1.0
    return np.random.default_rng(seed).choice(n, sample, replace=False, shuffle=False), sample / n


def _feasible(brought: float, load: Floats, capacity: Floats, high: Floats) -> float:
    """Return what is left of `brought`, at least, when calls beyond capacity are taken out.

    Either all calls are thinned alike, or the excess is taken out at the most that a call (or a second of one) brings.
    """
    used = load > 0.0
    thinned = brought * min(1.0, float(np.min(capacity[used] / load[used], initial=1.0)))
    cut = brought - float(np.maximum(load - np.minimum(capacity, load), 0.0) @ high)
    return max(thinned, cut, 0.0)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(first, min(first + _ROWS, n)) for first in range(0, n, _ROWS))


def _by_slot(column: Singles) -> Singles:
    return column[:, None] if column.ndim == 1 else column


def _capacity(given: ArrayLike, slots: int, name: str) -> Floats:
    found = np.asarray(given, np.float64)
    if found.shape != (slots,) or not (found >= 0.0).all():
        raise ValueError(f"expected {slots} numbers of {name}, none below 0, found {found}")
    return found


def _highest(gain: Singles, seconds: Singles, is_open: Singles) -> Floats:
    """Return prices at which nobody calls any more, shape (2 S,): no best price is higher."""
    usable = (is_open > 0.0) & (gain > 0.0)
    per_call = np.where(usable, gain, 0.0).max(0, initial=0.0)
    timed = usable & (seconds > 0.0)
    per_second = np.where(timed, gain / np.where(timed, seconds, 1.0), 0.0).max(0, initial=0.0)
    return np.concatenate([per_call, per_second]).astype(np.float64)


def _usual_gain(gain: Singles, is_open: Singles, left: Smalls, attempts: float) -> float:
    """Return the mean best gain of the leads that lines suffice for, > 0."""
    best = np.where((is_open > 0.0) & (left[:, None] > 0), gain, 0.0).max(1, initial=0.0)
    best = np.sort(best[best > 0.0])[::-1]
    served = best[: max(1, int(min(attempts, len(best))))]
    return float(served.mean()) if len(served) else 1.0
