"""When a trunk may be used: local times of day, on some weekdays, in one or more zones.

How it works: the answer can change only where a local clock passes the beginning or the end of some hours, where a
local day begins, or where a zone's offset changes. Those moments are walked through until the answer is another one;
what was found is kept until then.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from math import floor, inf
from zoneinfo import ZoneInfo

from carriers.supply import Hours

_DAY_S = 86_400
_AHEAD_S = 400 * _DAY_S  # whatever can change does so within a year: weekdays and both clock changes have been seen


class OpenHours:
    """The hours of one trunk; without any it is always open."""

    def __init__(self, hours: tuple[Hours, ...]) -> None:
        """Raises `ValueError` for a zone that is not known, and for minutes and weekdays that cannot be."""
        by_zone: dict[str, list[Hours]] = {}
        for each in hours:
            _check(each)
            by_zone.setdefault(each.zone, []).append(each)
        self._zones = [_ZoneHours(zone, own) for zone, own in by_zone.items()]
        self._from, self._until, self._open = inf, -inf, False  # what was found last holds in [from, until)

    def open(self, now: float) -> bool:
        """Return whether the trunk may be used at `now`: the local wall clock stands within some hours."""
        self._look(now)
        return self._open

    def changes_at(self, now: float) -> float:
        """Return the first time after `now` at which `open` gives another answer; infinity: none in 400 days."""
        self._look(now)
        return self._until

    def _look(self, now: float) -> None:
        if self._from <= now < self._until:
            return
        second = floor(now)  # all that counts happens at whole seconds
        answer = self._open_at(second)
        self._from, self._until, self._open = float(second), self._change_after(second, answer), answer

    def _open_at(self, second: int) -> bool:
        return not self._zones or any(zone.open(second) for zone in self._zones)

    def _change_after(self, second: int, answer: bool) -> float:
        if not self._zones:
            return inf
        end = second + _AHEAD_S
        while second < end:
            second = min(zone.next_look(second) for zone in self._zones)
            if self._open_at(second) != answer:
                return float(second)
        return inf


class _ZoneHours:
    """The hours in one zone. Times are whole UTC seconds."""

    def __init__(self, zone: str, hours: list[Hours]) -> None:
        self._zone = _load(zone)
        self._spans: list[list[tuple[int, int]]] = [[] for _ in range(7)]  # local seconds of each weekday
        for each in hours:
            for weekday in each.weekdays:
                self._spans[weekday].append((each.begin_minute * 60, each.end_minute * 60))
        self._edges = sorted({_DAY_S} | {edge for spans in self._spans for span in spans for edge in span})

    def open(self, second: int) -> bool:
        day, local = divmod(second + self._offset(second), _DAY_S)
        return any(begin <= local < end for begin, end in self._spans[(day + 3) % 7])  # 1970-01-01 was a Thursday

    def next_look(self, second: int) -> int:
        """The next moment at which the local clock passes an edge or is put forward or back."""
        offset = self._offset(second)
        local = (second + offset) % _DAY_S
        edge = second + self._edges[bisect_right(self._edges, local)] - local
        return edge if self._offset(edge) == offset else self._transition(second, edge)

    def _transition(self, before: int, after: int) -> int:
        """The first second with another offset than `before`, where `after` has one. They are at most a day apart."""
        offset = self._offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _offset(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self._zone).utcoffset()
        assert offset is not None  # a ZoneInfo always knows
        return offset.days * _DAY_S + offset.seconds


def _check(hours: Hours) -> None:
    if not 0 <= hours.begin_minute < hours.end_minute <= 1440:
        raise ValueError(
            "expected hours from a minute of the day to a later one, up to 1440, "
            f"were {hours.begin_minute} to {hours.end_minute}"
        )
    if not hours.weekdays or not set(hours.weekdays) <= set(range(7)):
        raise ValueError(f"expected weekdays from 0 (Monday) to 6, were {hours.weekdays}")


def _load(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # what ZoneInfo raises for names, for paths and for folders
        raise ValueError(f"expected an IANA zone, was {zone!r}") from error
