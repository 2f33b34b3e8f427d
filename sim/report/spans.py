"""A day's local time, and its intervals put together to hours or quarters of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from compliance.zones import load_zone
from dialer.errors import ConfigError
from sim.day import DayRecord

HOUR_S = 3600
_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class LocalTime:
    """Clock times in a day's own zone.

    Raises:
        ConfigError: no such zone.
    """

    def __init__(self, day: DayRecord) -> None:
        try:
            self.zone = load_zone(day.zone)
        except KeyError as fault:
            raise ConfigError(f"zone: expected an IANA time zone such as America/Lima, was {day.zone!r}") from fault
        self._first = self.moment(day.start_at).date()
        self._last = self.moment(end_of(day) - 1).date()

    def moment(self, at: float) -> datetime:
        """The local date and time of UTC seconds."""
        return datetime.fromtimestamp(at, self.zone)

    def offset_s(self, at: float) -> float:
        """Local time minus UTC."""
        offset = self.moment(at).utcoffset()
        return offset.total_seconds() if offset is not None else 0.0

    def clock(self, at: float, *, seconds: bool = False) -> str:
        """The time of day; with the date if the day on record has more than one."""
        pattern = "%H:%M:%S" if seconds else "%H:%M"
        return self.moment(at).strftime(pattern if self._first == self._last else f"%d %b {pattern}")


class Span(NamedTuple):
    """Intervals `first` up to but without `past`, from `start_at` to `end_at` (UTC seconds)."""

    first: int
    past: int
    start_at: float
    end_at: float

    def total(self, values: Sequence[int]) -> int:
        """The sum of counts."""
        return sum(values[self.first : self.past])

    def mean(self, values: Sequence[float]) -> float:
        """The mean of means of equally long intervals."""
        return sum(values[self.first : self.past]) / (self.past - self.first)


def end_of(day: DayRecord) -> float:
    """When the last interval ends, UTC seconds."""
    return day.start_at + len(day.attempts) * day.interval_s


def spans(day: DayRecord, local: LocalTime, step_s: float) -> list[Span]:
    """The day in spans of `step_s` that begin at round local times; the first and the last may be shorter."""
    starts = [day.start_at + place * day.interval_s for place in range(len(day.attempts))]
    keys = [(at + local.offset_s(at)) // step_s for at in starts]
    firsts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    edges = [*firsts, len(starts)]
    return [Span(first, past, starts[first], day.start_at + past * day.interval_s) for first, past in pairwise(edges)]


def step_for(day: DayRecord, most: int) -> float:
    """The shortest round step that cuts the day into about `most` spans at most."""
    length_s = len(day.attempts) * day.interval_s
    fitting = (step for step in _STEPS_S if step >= day.interval_s and length_s / step <= most)
    return max(day.interval_s, next(fitting, length_s / most))
