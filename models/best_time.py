"""The best time to collect: for each segment of leads, how likely a call is to succeed by weekday and hour.

How it works: what a model says of single leads is averaged over the leads of a segment that may be called in an hour,
and held against what came of the segment's own attempts there: observed / expected, shrunk towards 1, first of the hour
over all days, then of the hour of the week. An hour in which the segment was hardly ever called is no place to trust
trees: there the tables speak, which know no more than the whole portfolio, the interval is wide, and the hour is not
recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.attempts import AttemptLog, Flags, Floats, Ints, Result, Singles

DAYS = 7  # of the week, Monday first
HOURS = 24
SUPPORT = 30  # attempts in an hour of the week from which on it may be recommended
SURE = 0.9  # of an interval
EVERYBODY = "all leads"
_STRENGTH = 10.0  # expected successes, against which a segment's own count
_PRIOR_SHARE = 0.6  # of answers that are successes, where it is known of none
_PRIOR_ATTEMPTS = 10.0  # that a rate is worth where nobody was called
_HOUR_S, _DAY_S = 3600, 86_400
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday

Counts = NDArray[np.int64]


class HourMeans:
    """Sums what models say of single leads, hour by hour of the week.

    `segment`: int (leads,), -1 of none. `weight`: (leads,), how many leads each stands for, where some were drawn;
    None: itself. The last of the sums is that of all segments together.
    """

    def __init__(self, segment: Ints, segments: int, weight: Floats | None = None) -> None:
        self.segment = segment
        self.segments = segments
        self.weight: Floats = np.ones(len(segment)) if weight is None else weight
        shape = (segments + 1, DAYS, HOURS)
        self.leads = np.zeros(shape)  # that may be called
        self._model = np.zeros(shape)
        self._tables = np.zeros(shape)

    def add(self, day: int, hour: int, rows: NDArray[np.int64], p: Singles, tables: Singles) -> None:
        """Add the leads `rows`, all of them callable in that hour: their chances by the model and by the tables.

        A chance that is not known (NaN) is left out, of either.
        """
        known = (self.segment[rows] >= 0) & ~np.isnan(p) & ~np.isnan(tables)
        group, weight = self.segment[rows[known]], self.weight[rows[known]]
        for sums, values in ((self.leads, 1.0), (self._model, p[known]), (self._tables, tables[known])):
            found = np.bincount(group, weights=weight * values, minlength=self.segments)
            sums[:-1, day, hour] += found
            sums[-1, day, hour] += found.sum()

    @property
    def model(self) -> Floats:
        """Mean chance by the model, (segments + 1, days, hours), NaN where nobody may be called."""
        return self._mean(self._model)

    @property
    def tables(self) -> Floats:
        """The same by the tables."""
        return self._mean(self._tables)

    def counts(self) -> Floats:
        """How many leads each segment has, and all of them: (segments + 1,)."""
        inside = self.segment >= 0
        found = np.bincount(self.segment[inside], weights=self.weight[inside], minlength=self.segments)
        return np.append(found, found.sum())

    def _mean(self, sums: Floats) -> Floats:
        means: Floats = np.divide(sums, self.leads, out=np.full(sums.shape, np.nan), where=self.leads > 0)
        return means


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRecord:
    """What is on record of each segment's hours of the week, the last for all leads: (segments + 1, 7, 24)."""

    attempts: Counts
    observed: Floats  # successes
    expected: Floats  # those that a model expected of the same attempts

    def ratios(self) -> Floats:
        """Return observed / expected, shrunk: a gamma prior of mean 1 worth `_STRENGTH` expected successes, for the
        hour over all days, and again about it for each day's (Gamma-Poisson)."""
        hour_observed, hour_expected = self.observed.sum(axis=1), self.expected.sum(axis=1)
        of_hour = ((hour_observed + _STRENGTH) / (hour_expected + _STRENGTH))[:, None, :]
        ratios: Floats = of_hour * (self.observed + _STRENGTH) / (self.expected * of_hour + _STRENGTH)
        return ratios


def record_by_hour(log: AttemptLog, success: Floats, chance: Singles, segment: Ints, alike: Flags) -> HourRecord:
    """Count attempts by segment, local weekday and local hour, what they came to and what was expected of them.

    `success` and `chance` are of the log's rows, `segment` of its leads. `alike` (segments, leads) says whose attempts
    tell what came of a segment's: all leads that could be of it, whatever came of their calls. Of people who were never
    reached no call ever succeeded, which says nothing of the next one. What nobody knows the end of is not counted.
    """
    segments = len(alike)
    rows = np.flatnonzero(log.known)
    local = np.floor(log.at[rows] + log.offset_s[rows]).astype(np.int64)
    slot = (local // _DAY_S + _EPOCH_WEEKDAY) % DAYS * HOURS + local % _DAY_S // _HOUR_S
    lead = log.lead[rows]

    def summed(which: Flags, weights: NDArray[np.floating[Any]]) -> Floats:
        found: NDArray[Any] = np.bincount(slot[which], weights=weights[which], minlength=DAYS * HOURS)
        return found.reshape(DAYS, HOURS)

    attempts, everybody = np.ones(len(rows)), np.ones(len(rows), dtype=np.bool_)
    inside = [*(segment[lead] == place for place in range(segments)), segment[lead] >= 0]
    telling = [*(alike[place][lead] for place in range(segments)), everybody]
    return HourRecord(
        attempts=np.array([summed(which, attempts) for which in inside]).astype(np.int64),
        observed=np.array([summed(which, success[rows]) for which in telling]),
        expected=np.array([summed(which, chance[rows].astype(np.float64)) for which in telling]),
    )


def successes(log: AttemptLog, *, promises: bool) -> Floats:
    """Return what each attempt came to: 1 for a right-party contact (or, with `promises`, for a promise), else 0.

    Of an answer of which nothing more is known: the share of successes among those of which it is.
    """
    won = log.result == Result.PROMISE
    if not promises:
        won |= log.result == Result.RIGHT_PARTY
    told = (log.result >= Result.WRONG_PARTY) & (log.result <= Result.PROMISE)
    share = float(won[told].mean()) if told.any() else _PRIOR_SHARE
    came_to: Floats = np.where(log.result == Result.ANSWERED, share, won.astype(np.float64))
    return came_to


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """One hour of the week for a segment; rates are successes / attempts, in [0, 1]."""

    day: int  # 0: Monday
    hour: int  # local, it begins then
    rate: float
    low: float  # of the interval
    high: float
    lift: float  # rate / the segment's mean
    attempts: int  # seen there so far
    leads: int  # that may be called
    supported: bool  # False: by the tables; not to be recommended
    better: bool  # than the mean, for all the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHours:
    """The hours of a segment, in the order of the week; hours in which nobody may be called are left out."""

    name: str
    leads: int
    attempts: int
    mean: float | None  # over leads and the hours in which they may be called; None: there is none
    hours: tuple[HourFigures, ...] = field(repr=False)

    def best(self, most: int = 5) -> tuple[HourFigures, ...]:
        """Return the hours to be recommended, the best first: of those with support, those above the mean."""
        found = [hour for hour in self.hours if hour.supported and hour.lift > 1.0]
        return tuple(sorted(found, key=lambda hour: (-hour.rate, hour.day, hour.hour))[:most])

    @property
    def supported(self) -> int:
        """How many hours have support."""
        return sum(hour.supported for hour in self.hours)


def best_time(
    means: HourMeans, record: HourRecord, names: Sequence[str], *, support: int = SUPPORT
) -> list[SegmentHours]:
    """Return the hours of each segment, and those of all leads together as `EVERYBODY`; `names` are the segments'.

    The interval is that of a beta distribution about the rate, worth as many attempts as were seen in the hour. Below
    `support` attempts the rate is the tables'. Raises `ValueError` for shapes that do not fit.
    """
    shape = (len(names) + 1, DAYS, HOURS)
    if means.leads.shape != shape or record.attempts.shape != shape:
        raise ValueError(f"expected shapes {shape}, were {means.leads.shape} and {record.attempts.shape}")
    supported = record.attempts >= support
    rate = np.minimum(np.where(supported, means.model, means.tables) * record.ratios(), 1.0)
    low, high = interval(rate, record.attempts)
    return [
        _segment(name, place, means, record.attempts, supported, (rate[place], low[place], high[place]))
        for place, name in enumerate((*names, EVERYBODY))
    ]


def interval(rate: Floats, attempts: Counts) -> tuple[Floats, Floats]:
    """Return the bounds that hold a rate with probability `SURE`, had it been seen in so many attempts."""
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    worth = attempts + _PRIOR_ATTEMPTS
    middle = np.clip(rate, 1e-6, 1.0 - 1e-6)
    tail = (1.0 - SURE) / 2.0
    low = betaincinv(middle * worth, (1.0 - middle) * worth, tail)
    high = betaincinv(middle * worth, (1.0 - middle) * worth, 1.0 - tail)
    # Of a rate near 0 the distribution's median is below its mean: the rate itself is always inside.
    return np.minimum(low, rate), np.maximum(high, rate)


def _segment(
    name: str,
    place: int,
    means: HourMeans,
    attempts: Counts,
    supported: Flags,
    told: tuple[Floats, Floats, Floats],
) -> SegmentHours:
    rate, low, high = told
    leads = means.leads[place]
    open_ = leads > 0
    mean = float(np.average(rate[open_], weights=leads[open_])) if open_.any() else None
    hours = [
        HourFigures(
            day=int(day),
            hour=int(hour),
            rate=float(rate[day, hour]),
            low=float(low[day, hour]),
            high=float(high[day, hour]),
            lift=float(rate[day, hour]) / mean if mean else 1.0,
            attempts=int(attempts[place, day, hour]),
            leads=round(leads[day, hour]),
            supported=bool(supported[place, day, hour]),
            better=bool(supported[place, day, hour] and mean is not None and low[day, hour] > mean),
        )
        for day, hour in np.argwhere(open_)
    ]
    return SegmentHours(
        name=name,
        leads=round(means.counts()[place]),
        attempts=int(attempts[place].sum()),
        mean=mean,
        hours=tuple(hours),
    )
