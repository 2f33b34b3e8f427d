"""The bars of pacing: what was measured against what is promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import Row
from benchmarks.scenario.days import Days, Point
from benchmarks.scenario.frontier import Comparison
from pacing.view import Floats
from sim.replications import Estimate, paired

if TYPE_CHECKING:  # the fast simulator takes seconds to load
    from benchmarks.scenario.study import Found

COMMAND = "./run bench pacing"
CAP = 0.03
MOST_BELOW_BOUND = 0.007
# Agents, and the occupancy to reach in the realistic world at no more than CAP abandons.
REALISTIC_GOALS = {5: 0.825, 10: 0.856, 20: 0.889, 50: 0.928, 100: 0.949}
MOST_BELOW_TUNED = 0.002
OVER_FROZEN = 0.02
MOST_DAYS_ABOVE = 0.01
DAYS_IN_A_ROW = 5
MOST_COALESCING_COSTS = 0.001


def markov_bars(agents: int, bound: float, point: Point) -> list[Row]:
    """Cold runs in the Markov world: how far below the bound at CAP."""
    short = bound - point.occupancy
    return [
        _at_most(f"Markov, {agents} agents, cold: bound {bound:.4f} less occupancy", short, MOST_BELOW_BOUND),
        _at_most(f"Markov, {agents} agents, cold: abandon rate", point.abandon_rate, CAP),
    ]


def realistic_bars(agents: int, point: Point) -> list[Row]:
    """Cold runs in the realistic world."""
    return [
        _at_least(f"realistic, {agents} agents, cold: occupancy", point.occupancy, REALISTIC_GOALS[agents]),
        _at_most(f"realistic, {agents} agents, cold: abandon rate", point.abandon_rate, CAP),
    ]


def switching_bars(tracking: Point, frozen: Point) -> list[Row]:
    """Whole days of a jumping answer rate, tracked and with a frozen estimate."""
    gain = paired(list(frozen.days.occupancy), list(tracking.days.occupancy)).difference
    bar = f"switching: occupancy over that of a frozen estimate at {frozen.abandon_rate:.4f} abandoned{_spread(gain)}"
    worst = float(tracking.days.rates.max())
    return [
        _at_least(bar, tracking.occupancy - frozen.occupancy, OVER_FROZEN),
        _at_most("switching: worst whole day's abandon rate", worst, CAP),
    ]


def cap_bars(days: Mapping[str, Days]) -> list[Row]:
    """Whole days in every world, each world's in a row."""
    above = [bool(rate > CAP) for one in days.values() for rate in one.rates]
    worst_world = max(days, key=lambda name: worst_in_a_row(days[name]))
    worst = worst_in_a_row(days[worst_world])
    return [
        _at_most(f"share of {len(above)} whole days above the cap", sum(above) / len(above), MOST_DAYS_ABOVE),
        _at_most(f"worst abandon rate over {DAYS_IN_A_ROW} days in a row ({worst_world})", worst, CAP),
    ]


def worst_in_a_row(days: Days, length: int = DAYS_IN_A_ROW) -> float:
    """Return the highest abandoned / answers over so many days in a row; over all of them if they are fewer."""
    window = np.ones(min(length, len(days.answers)))
    rates: Floats = np.convolve(days.abandoned, window, "valid") / np.maximum(
        np.convolve(days.answers, window, "valid"), 1.0
    )
    return float(rates.max())


def peer_bars(found: Sequence[Found]) -> list[Row]:
    """Our occupancy less each peer's at an equal abandon rate, in the world where it is least."""
    rows = []
    for peer in found[0].peers:
        against = {one.world.name: one.peers[peer].default_against for one in found}
        rows.append(peer_row(f"over {peer}, its defaults", against, above=0.0))
    for peer in found[0].peers:
        against = {one.world.name: one.peers[peer].tuned_against for one in found}
        rows.append(peer_row(f"over {peer}, tuned to the world", against, least=-MOST_BELOW_TUNED))
    return rows


def coalescing_bars(costs: Mapping[str, Comparison]) -> list[Row]:
    """What coalesced decisions cost against decisions at once, at an equal abandon rate."""
    return [
        _at_most(
            f"occupancy that coalescing costs, {name}{_spread(one.difference, sign=-1.0)}",
            -_mean(one.difference),
            MOST_COALESCING_COSTS,
        )
        for name, one in costs.items()
    ]


def latency_bar(agents: int, ringing: int, p99_us: float, most_us: float) -> Row:
    """One decision's time."""
    return _at_most(f"one decision p99, {agents:,} agents, {ringing:,} calls ringing, us", p99_us, most_us)


def peer_row(
    what: str, against: Mapping[str, Comparison], *, above: float | None = None, least: float | None = None
) -> Row:
    """The row of the world where we are least above a peer.

    Where it abandons nobody, it is compared with progressive dialling, and nobody can do better without abandons: to
    be no worse is enough there, and such worlds are only named where we are.
    """
    judged = {
        world: one for world, one in against.items() if one.abandon_rate > 0.0 or _mean(one.difference) < 0.0
    } or against
    name = min(judged, key=lambda world: _mean(judged[world].difference))
    worst = judged[name]
    value = round(_mean(worst.difference), 4)
    bar = f"occupancy {what}, least of {len(against)} worlds: {name} at {worst.abandon_rate:.4f} abandoned"
    if above is not None:
        met = value > above or (worst.abandon_rate == 0.0 and value >= above)
        return _row(bar + _spread(worst.difference), value, f"> {above:g}", met)
    assert least is not None
    return _row(bar + _spread(worst.difference), value, f">= {least:g}", value >= least)


def _spread(estimate: Estimate, *, sign: float = 1.0) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f" (95 %: {low:+.4f} to {high:+.4f})"


def _mean(estimate: Estimate) -> float:
    assert estimate.mean is not None, "every day has an occupancy"
    return estimate.mean


def _at_least(bar: str, value: float, goal: float) -> Row:
    return _row(bar, value, f">= {goal:g}", value >= goal)


def _at_most(bar: str, value: float, goal: float) -> Row:
    return _row(bar, value, f"<= {goal:g}", value <= goal)


def _row(bar: str, value: float, goal: str, met: bool) -> Row:
    return Row(bench="pacing", bar=bar, value=round(float(value), 4), goal=goal, met=bool(met), command=COMMAND)
