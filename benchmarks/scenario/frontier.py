"""Frontiers of occupancy against abandon rate, and the comparison of two policies at an equal one.

How it works: a policy's frontier is the upper concave envelope of its settings' points. Between two neighbours it is
what days drawn from either of them, in turn, come to: so a point on it can be had, and the chord never flatters. Two
policies are compared at one abandon rate, day by day on the same people. A day's abandons are an error in the rate at
which they are compared, so each day's occupancy is cleared of them along the slope of the frontier (the delta method);
the interval is then Student's over the days' differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.scenario.days import Point
from pacing.view import Floats
from sim.replications import Estimate, paired


@dataclass(frozen=True)
class Mix:
    """A place on a frontier: `share` of the way from one point to its neighbour. At an end both are that point."""

    left: Point
    right: Point
    share: float = 0.0

    @property
    def occupancy(self) -> float:
        return self._mixed(self.left.occupancy, self.right.occupancy)

    @property
    def abandon_rate(self) -> float:
        return self._mixed(self.left.abandon_rate, self.right.abandon_rate)

    @property
    def calls_per_agent_hour(self) -> float:
        return self._mixed(self.left.calls_per_agent_hour, self.right.calls_per_agent_hour)

    @property
    def mean_idle_s(self) -> float | None:
        """An agent's idle seconds for each call; None where nobody was connected."""
        calls = self.calls_per_agent_hour
        return 3600.0 * (1.0 - self.occupancy) / calls if calls else None

    @property
    def slope(self) -> float:
        """Occupancy for abandon rate, along the chord; 0 at a point by itself."""
        run = self.right.abandon_rate - self.left.abandon_rate
        return (self.right.occupancy - self.left.occupancy) / run if run > 0.0 else 0.0

    def daily(self, slope: float) -> Floats:
        """Return each day's occupancy, cleared of the day's abandons above or below the rate."""
        left = self.left.days.occupancy - slope * self.left.abandon_residuals
        right = self.right.days.occupancy - slope * self.right.abandon_residuals
        mixed: Floats = (1.0 - self.share) * left + self.share * right
        return mixed

    def _mixed(self, left: float, right: float) -> float:
        return (1.0 - self.share) * left + self.share * right


@dataclass(frozen=True)
class Comparison:
    """One policy against another at one abandon rate."""

    abandon_rate: float
    ours: Mix
    theirs: Mix
    difference: Estimate  # of the occupancies, ours less theirs
    beyond: bool  # whether theirs lies above our frontier's last point, and ours is taken at that lower abandon rate


def envelope(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points of the upper concave envelope, abandon rate and occupancy rising.

    Points to the right of the highest occupancy are left out: nobody wants more abandons for less work.
    """
    hull: list[Point] = []
    for point in sorted(points, key=lambda p: (p.abandon_rate, -p.occupancy)):
        if hull and point.occupancy <= hull[-1].occupancy:
            continue
        while len(hull) > 1 and _rise(hull[-2], point) >= _rise(hull[-2], hull[-1]):
            hull.pop()
        hull.append(point)
    return tuple(hull)


def at(frontier: Sequence[Point], abandon_rate: float) -> Mix:
    """Return the place of an abandon rate on a frontier that `envelope` made; its end if the rate is beyond it.

    Raises `ValueError` for a frontier without points.
    """
    if not frontier:
        raise ValueError("expected a frontier of one point at least")
    if abandon_rate <= frontier[0].abandon_rate:
        return Mix(frontier[0], frontier[0])
    for left, right in pairwise(frontier):
        if abandon_rate <= right.abandon_rate:
            return Mix(left, right, (abandon_rate - left.abandon_rate) / (right.abandon_rate - left.abandon_rate))
    return Mix(frontier[-1], frontier[-1])


def against_point(ours: Sequence[Point], theirs: Point) -> Comparison:
    """Compare our frontier with one setting of theirs, at the abandon rate that it came to."""
    place = at(ours, theirs.abandon_rate)
    return _compared(place, Mix(theirs, theirs), slope=place.slope)


def against_frontier(ours: Sequence[Point], chosen: Point, theirs: Sequence[Point]) -> Comparison:
    """Compare one point of ours with their frontier at its abandon rate.

    Where their frontier does not reach that far, it is compared at its nearest end, with our frontier there.
    """
    wanted = chosen.abandon_rate
    rate = min(max(wanted, theirs[0].abandon_rate), theirs[-1].abandon_rate)
    place = at(theirs, rate)
    if rate == wanted:
        return _compared(Mix(chosen, chosen), place, slope=place.slope)
    mine = at(ours, rate)
    return _compared(mine, place, slope=mine.slope)


def _compared(ours: Mix, theirs: Mix, *, slope: float) -> Comparison:
    difference = paired(list(theirs.daily(slope)), list(ours.daily(slope))).difference
    beyond = theirs.abandon_rate > ours.abandon_rate + 1e-9
    return Comparison(theirs.abandon_rate, ours, theirs, difference, beyond)


def _rise(left: Point, right: Point) -> float:
    run = right.abandon_rate - left.abandon_rate
    return (right.occupancy - left.occupancy) / run if run > 0.0 else float("inf")
