"""Hours and rests drawn by lot for a small share of the leads, so that wear and hours can be told from habit.

Every draw is a pure function of (seed, lead, day): nothing is remembered, and whoever asks again on the same day is
answered the same. Uniform numbers come from splitmix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators"); an hour is drawn by rendezvous hashing (Thaler and Ravishankar 1998): each open hour is given a
number and the highest wins, so that an hour that closes moves only the leads drawn to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Keys = NDArray[np.uint64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

LONGEST_REST_DAYS = 7
NEVER = np.int32(-(2**30))  # `last_day` of a lead that was not called yet
NO_HOUR = np.int8(-1)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_WHICH, _REST, _HOUR, _ARM = (np.uint64(n) for n in (1, 2, 3, 1000))


class Because(IntEnum):
    """Why a lead is called at this time."""

    MODEL = 0  # the champion says so
    TABLES = 1  # no model does: the tables say so
    RANDOM_HOUR = 2
    RANDOM_GAP = 3  # the rest that was drawn after its last attempt ends today
    CHALLENGER = 4


@dataclass(frozen=True, slots=True)
class Randomised:
    """What lots say of n leads on one day. All arrays have shape (n,)."""

    hour: NDArray[np.int8]  # index of the only slot of the day in which the lead is called; -1: not drawn
    resting: Flags  # a drawn rest goes on: not called today (any more)
    because: NDArray[np.uint8]  # `Because`: MODEL where lots say nothing
    propensity: Singles  # chance of the very hour or rest, in (0, 1); NaN where lots say nothing


def randomise(
    lead_keys: Keys, day: int, open_slots: Flags, *, share: float, seed: int, last_day: Ints | None = None
) -> Randomised:
    """Draw hours and rests for the leads of a day.

    `lead_keys` (n,): numbers that stand for the leads for good. `day`: a running number of the local day. `open_slots`
    (n, slots): the slots of the WHOLE day in which the lead may be called, the same whenever it is asked on that day.
    `last_day` (n,): the day of the last attempt, `NEVER` without one. Half of `share` in [0, 1] of the lead-days are
    drawn to an hour, uniform over the open slots; the other half to a rest of 1 to 7 days, counted from that day, if an
    attempt is made on it. A rest in force goes before an hour. Raises `ValueError` for a share or shapes that do not
    fit.
    """
    n = len(lead_keys)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"expected a randomised share in [0, 1], was {share}")
    if open_slots.ndim != 2 or len(open_slots) != n or open_slots.shape[1] > 127:
        raise ValueError(f"expected open slots of {n} leads, at most 127, found an array of shape {open_slots.shape}")
    keys = np.asarray(lead_keys, np.uint64)
    hour = np.full(n, NO_HOUR, np.int8)
    propensity = np.full(n, np.nan, np.float32)
    because = np.full(n, Because.MODEL, np.uint8)
    resting = np.zeros(n, np.bool_)
    if last_day is not None:
        until = rest_until(keys, last_day, share=share, seed=seed)
        resting = (last_day <= day) & (until > day)
        due = until == day
        because[due] = Because.RANDOM_GAP
        propensity[due] = share / 2.0 / LONGEST_REST_DAYS
    days = np.full(n, day, np.int64)
    drawn = (_uniform(keys, days, seed, _WHICH) < share / 2.0) & ~resting & (because == Because.MODEL)
    rows = np.flatnonzero(drawn & open_slots.any(1))
    if len(rows):
        slots = np.arange(open_slots.shape[1], dtype=np.uint64)
        numbers = _uniform(keys[rows, None], days[rows, None], seed, _HOUR + slots[None, :])
        hour[rows] = np.where(open_slots[rows], numbers, -1.0).argmax(1)
        propensity[rows] = share / 2.0 / open_slots[rows].sum(1)
        because[rows] = Because.RANDOM_HOUR
    return Randomised(hour=hour, resting=resting, because=because, propensity=propensity)


def rest_until(lead_keys: Keys, last_day: Ints, *, share: float, seed: int) -> NDArray[np.int64]:
    """Return the day on which the rest drawn after an attempt on `last_day` ends, shape (n,); -1: none was drawn.

    Before that day the lead is not called; on it, it is due.
    """
    keys, days = np.asarray(lead_keys, np.uint64), np.asarray(last_day, np.int64)
    which = _uniform(keys, days, seed, _WHICH)
    drawn = (which >= share / 2.0) & (which < share) & (last_day != NEVER)
    rest = 1 + (_uniform(keys, days, seed, _REST) * LONGEST_REST_DAYS).astype(np.int64)
    return np.where(drawn, days + rest, -1)


def challenged(lead_keys: Keys, *, share: float, seed: int) -> Flags:
    """Draw the leads whom the challenger serves, shape (n,): the same ones every day, a `share` in [0, 1] of them."""
    keys = np.asarray(lead_keys, np.uint64)
    return _uniform(keys, np.zeros(len(keys), np.int64), seed, _ARM) < share


def effective_sample(weights: Floats) -> float:
    """Return how many equally weighted rows tell as much: (sum w)^2 / sum w^2 (Kish 1965). 0 for no weight at all."""
    squares = float(np.square(weights, dtype=np.float64).sum())
    return float(weights.sum(dtype=np.float64)) ** 2 / squares if squares > 0.0 else 0.0


def _uniform(keys: Keys, days: NDArray[np.int64], seed: int, salt: np.uint64 | Keys) -> Floats:
    """Return numbers in [0, 1) that (seed, key, day, salt) alone decide."""
    start = _mixed(np.atleast_1d(salt) * _GOLDEN + np.uint64(seed % 2**64))
    state = _mixed(keys ^ start)
    state = _mixed(state ^ (days.astype(np.uint64) * _GOLDEN))
    numbers: Floats = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers


def _mixed(z: Keys) -> Keys:
    """Mix 64 bits, one step of splitmix64. An array, never a scalar: only arrays wrap around without a warning."""
    z = z + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))
