"""What nobody can bring more of: an upper bound on right-party contacts over days of scarce lines.

The bound knows what no policy does (everybody's true chance at every hour) and forgives what hurts: unanswered calls
wear nobody out, so that a chance is at its best at each attempt and the bound holds with wear as without. What is left
is a small dynamic programme for each lead (called or not in each slot; gone after a right-party contact; caps by day
and week, a gap between attempts) tied to the others by lines alone. With a price on an attempt in each slot the leads
come apart, and by weak duality any prices give a bound (Hawkins 2003; Adelman and Mersereau 2008):

    sum_t price_t * capacity_t + sum_i V_i(prices).

The least of it over the prices is never above the optimum of the fluid linear programme, max sum q x with sum_i x <=
capacity, sum_t q x <= 1, and the caps, since the chances of being called under any policy are a feasible x. Prices are
sought on a sample of leads; the bound is then taken over all of them, and holds whatever the sample was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from models.allocation import drawn_rows
from models.bound_kernels import fill_slot_loads

Floats = NDArray[np.float64]

_BLUR = 0.02  # of the usual chance
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidBound:
    """No policy expects more than `contacts` right-party contacts."""

    contacts: float
    attempts: float  # that the choices behind the bound make, about
    gap: float  # how much lower the bound might be at other prices, at most and about (on the sample), as a share
    prices: Floats  # (D, S): of an attempt, in contacts

    @property
    def per_1000(self) -> float:
        """Contacts per 1,000 attempts, of those choices; 0 without any. A policy that calls less may do better here."""
        return 1000.0 * self.contacts / self.attempts if self.attempts > 0.0 else 0.0


def fluid_bound(
    answer: Floats,
    right_party: Floats,
    capacity: Floats,
    *,
    per_day: int,
    per_week: int,
    gap: int = 1,
    seed: int = 0,
    sample: int = 4_000,
) -> FluidBound:
    """Bound the right-party contacts of n leads in D days of S slots.

    `answer` (n, S), or (n, D, S) where days differ (somebody rested): the true chance at its best. `right_party` (n,):
    of an answer. `capacity` (D, S): attempts. `per_day`, `per_week` >= 1: of a lead, at most; over more than 7 days the
    weekly cap is taken as so many in all of them. `gap` >= 1: slots from one attempt to the next on the same day.
    Raises `ValueError` for shapes or numbers that do not fit.
    """
    days, slots = capacity.shape
    n = len(right_party)
    if answer.shape not in ((n, slots), (n, days, slots)):
        raise ValueError(f"expected answer of shape {(n, slots)} or {(n, days, slots)}, found {answer.shape}")
    if min(per_day, per_week, gap) < 1 or not (capacity >= 0.0).all():
        raise ValueError("expected caps and a gap of at least 1, and no capacity below 0")
    q = answer.reshape(n, answer.size // max(1, n * slots), slots) * right_party[:, None, None]
    if not ((q >= 0.0) & (q <= 1.0)).all():
        raise ValueError("expected chances in [0, 1]")
    q = np.ascontiguousarray(q, dtype=np.float64)
    limits = (min(per_day, slots), min(per_week * -(-days // 7), days * slots), gap)
    rows, share = drawn_rows(n, sample, seed)
    prices, gap_left, load = _prices(np.ascontiguousarray(q[rows]), capacity.ravel() * share, limits)
    contacts, _ = fill_slot_loads(q, prices, *limits, 0.0, np.zeros(days * slots))
    return FluidBound(
        contacts=contacts + float(prices @ capacity.ravel()),
        attempts=float(np.minimum(load / share, capacity.ravel()).sum()),
        gap=gap_left,
        prices=prices.reshape(days, slots),
    )


def _prices(q: Floats, capacity: Floats, limits: tuple[int, int, int]) -> tuple[Floats, float, Floats]:
    """Find the prices of the least bound: (prices, gap, load), for the leads given."""
    load = np.zeros(len(capacity))
    best = np.sort(q.max((1, 2), initial=0.0))[::-1]
    usual = float(best[: max(1, int(min(capacity.sum(), len(best))))].mean()) if len(best) else 0.0
    if usual <= 0.0:
        return np.zeros(len(capacity)), 0.0, load

    def blurred(u: Floats) -> tuple[float, Floats]:
        worth, _ = fill_slot_loads(q, u * usual, *limits, _BLUR * usual, load)
        return worth / usual + float(u @ capacity), capacity - load

    high = float(q.max()) / usual + 2.0 * _BLUR
    found = minimize(
        blurred,
        np.zeros(len(capacity)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, high)] * len(capacity),
        options={"maxiter": _MOST_STEPS, "ftol": 1e-6, "gtol": 1e-3 * float(capacity.mean()) + 1e-9},
    )
    prices = found.x * usual
    worth, _ = fill_slot_loads(q, prices, *limits, 0.0, load)
    bound = worth + float(prices @ capacity)
    _, brought = fill_slot_loads(q, prices, *limits, _BLUR * usual, load)
    used = load > 0.0
    fits = min(1.0, float(np.min(capacity[used] / load[used], initial=1.0)))
    return prices, 1.0 - fits * brought / bound if bound > 0.0 else 0.0, load
