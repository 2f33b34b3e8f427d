"""What any policy could reach in a world: the exact bound where the world is Markov, a reference elsewhere.

The reference is the bound of the Markov world with the same answer rate, mean handle time and mean time of a line. It
is no bound of the world itself: where times can be forecast better than exponential ones, a policy may pass it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from scipy.interpolate import PchipInterpolator  # type: ignore[import-untyped]

from pacing.limit import limit

# Abandon rates at which the bound is solved; between them it is interpolated over the root of the rate.
RATES = (0.003, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5)
QUICK_RATES = (0.005, 0.03, 0.12, 0.5)


@dataclass(frozen=True, slots=True)
class Means:
    """What the Markov model knows of a world."""

    agents: int
    answer_rate: float
    handle_s: float
    line_s: float  # of a line in flight until its outcome, whatever that is


@dataclass(frozen=True)
class Bound:
    """The highest occupancy at an abandon rate."""

    rates: tuple[float, ...]
    occupancies: tuple[float, ...]
    progressive: float  # at no abandons at all
    exact: bool  # of this world, not only of the Markov world with its means

    def at(self, abandon_rate: float) -> float:
        """Return the bound at an abandon rate; beyond the last one solved, that one's."""
        root = sqrt(min(max(abandon_rate, 0.0), self.rates[-1]))
        return float(self._curve(root))

    @cached_property
    def _curve(self) -> PchipInterpolator:
        roots = [0.0, *(sqrt(rate) for rate in self.rates)]
        return PchipInterpolator(roots, [self.progressive, *self.occupancies])


def bound_of(means: Means, *, exact: bool, rates: Sequence[float]) -> Bound:
    """Solve the bound at some abandon rates, rising and above 0."""
    solved = [
        limit(
            agents=means.agents,
            answer_rate=means.answer_rate,
            handle_s=means.handle_s,
            ring_s=means.line_s,
            abandon_rate=rate,
        )
        for rate in rates
    ]
    occupancies = tuple(one.occupancy_bound for one in solved)
    return Bound(tuple(rates), occupancies, solved[0].progressive, exact)
