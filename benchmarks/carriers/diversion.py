"""How long traffic takes to leave a trunk that is dead, or cells of one that are degraded.

From a log of placed calls alone: the second, the trunk and the cell of each, whoever chose them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.carriers.world import CELLS, TRUNKS, Bools, Degradation, World
from carriers.market import Floats, Ints

OUTAGE_SHARE = 0.05  # of the new calls: below it, an outage is diverted
OUTAGE_WINDOWS_S = (2, 10)
BEFORE_S = 60
MOVED = 0.8  # of the traffic that the oracle moves
DEGRADED_WINDOW_S = 60
STEP_S = 5
_SPELL_BEFORE_MIN = 5
_LEAST_MOVED_PER_S = 0.4  # calls a second that the oracle moves, for a degradation to be big enough
_LEAST_MOVED_SHARE = 0.5  # of what it had there


@dataclass(frozen=True, slots=True)
class Diversion:
    """One outage or degradation. `after_s` None: the traffic never left while it lasted, `lasted_s`."""

    trunk: int
    begin_s: int
    lasted_s: int
    before: float  # outage: the trunk's share of the calls; degradation: calls a second there
    after_s: int | None

    @property
    def counted_s(self) -> int:
        """The time, or the whole spell where the traffic never left."""
        return self.lasted_s if self.after_s is None else self.after_s


def outages(world: World, *, placed: Ints, trunk: Ints) -> list[Diversion]:
    """The outages of trunks that carried at least 5 % of the calls in the minute before.

    `placed`, `trunk` (N,): every try's second and trunk; -1 where it was never placed. Diverted: in the
    next two and in the next ten seconds less than 5 % of the new calls go to the dead trunk.
    """
    set_ups = np.zeros((TRUNKS, world.seconds + 1))
    there = trunk >= 0
    np.add.at(set_ups, (trunk[there], placed[there]), 1.0)
    found: list[Diversion] = []
    for outage in world.outages:
        begin, end = outage.begin * 60, outage.end * 60
        ours, all_ = set_ups[outage.trunk], set_ups.sum(axis=0)
        before = float(ours[begin - BEFORE_S : begin].sum() / max(all_[begin - BEFORE_S : begin].sum(), 1.0))
        if before < OUTAGE_SHARE or world.dead[outage.trunk, outage.begin - 1]:
            continue
        few = [_share(ours[begin:end], all_[begin:end], window) < OUTAGE_SHARE for window in OUTAGE_WINDOWS_S]
        left = np.logical_and.reduce([each[: len(few[-1])] for each in few])
        found.append(Diversion(outage.trunk, begin, end - begin, before, _first(left, 1)))
    return found


def degradations(world: World, flow: Floats, *, placed: Ints, trunk: Ints, cell: Ints) -> list[Diversion]:
    """The degradations that are big enough: the oracle moves at least half of its calls there, and 0.4 a second; the
    policy had at least as many there as the oracle leaves, and half a call a second.

    `flow` (K, C, M): the oracle's calls a minute. Left: in the minute from then on, the policy has moved 80 % of the
    share that the oracle moves. Spells are left out if another one of the same trunk and cells, or an outage of the
    trunk, holds in the five minutes before or the ten after their begin.
    """
    found: list[Diversion] = []
    for spell in world.degradations:
        window = slice(max(spell.begin - _SPELL_BEFORE_MIN, 0), spell.begin)
        if spell.begin < _SPELL_BEFORE_MIN or _overlaps(world, spell):
            continue
        theirs = flow[spell.trunk][spell.cells]
        had = float(theirs[:, window].sum(axis=0).mean()) / 60.0
        keeps = float(theirs[:, spell.begin : spell.end].sum(axis=0).mean()) / 60.0
        if had - keeps < _LEAST_MOVED_PER_S or had - keeps < _LEAST_MOVED_SHARE * had:
            continue
        rate = _rate(world, spell, placed, trunk, cell)
        begin, end = spell.begin * 60, spell.end * 60
        before = float(rate[begin - 60 * _SPELL_BEFORE_MIN : begin].mean())
        if before < max(keeps, 0.5):
            continue
        left = before * (1.0 - MOVED * (had - keeps) / had)
        after = _forward(rate[begin:end], DEGRADED_WINDOW_S, STEP_S) / DEGRADED_WINDOW_S
        found.append(Diversion(spell.trunk, begin, end - begin, before, _first(after <= left, STEP_S)))
    return found


def _rate(world: World, spell: Degradation, placed: Ints, trunk: Ints, cell: Ints) -> Floats:
    """Calls in each second to the spell's trunk and cells."""
    member = np.zeros(CELLS, dtype=np.bool_)
    member[spell.cells] = True
    there = (trunk == spell.trunk) & member[cell]
    return np.bincount(placed[there], minlength=world.seconds).astype(np.float64)


def _overlaps(world: World, spell: Degradation) -> bool:
    early = spell.begin - _SPELL_BEFORE_MIN
    for other in world.degradations:
        same = other.trunk == spell.trunk and bool((other.cells & spell.cells).any())
        if other is not spell and same and other.begin < spell.begin + 10 and other.end > early:
            return True
    return bool(world.dead[spell.trunk, early : spell.begin + 10].any())


def _share(part: Floats, whole: Floats, window: int) -> Floats:
    """The share of a trunk's calls in the `window` seconds from each second on."""
    share: Floats = _forward(part, window, 1) / np.maximum(_forward(whole, window, 1), 1e-9)
    return share


def _forward(counts: Floats, window: int, step: int) -> Floats:
    """Sums over `window` seconds from every `step`-th second on, as far as they fit."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    sums: Floats = (total[window:] - total[:-window])[::step]
    return sums


def _first(which: Bools, step: int) -> int | None:
    found = np.flatnonzero(which)
    return int(found[0]) * step if len(found) else None
