"""Calling windows: whether a number may be called now, and until when that answer holds.

How it works: a rule speaks of wall clocks, so all rules are intersected on each local date first; each UTC day is cut
where a zone's offset changes, and within a piece local time is UTC plus a constant. The open spans of every zone are
intersected on the UTC line, joined across midnights, and shortened at their end by the ring guard. Nothing is added to
or taken from wall clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec

from compliance.calendars import is_holiday
from compliance.rule import Profile, WindowRule
from compliance.zones import DAY_S, EPOCH_ORDINAL, load_zone, offset_pieces

# How far ahead a change is looked for. No statute read so far closes longer; a campaign's own dates may.
HORIZON_DAYS = 14

Span = tuple[int, int]  # [begin, end) in seconds: UTC, or after local midnight
ALL_DAY: tuple[Span, ...] = ((0, DAY_S),)
_KEPT_DAYS = 4096  # worked out and kept, for each set of rules


class WindowState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether calling is open at `now`, and the rule behind it.

    `open` holds from `now` until `changes_at` (UTC seconds), and is the opposite at `changes_at` unless that is the
    horizon, 14 days ahead: then it must be asked again. Infinity: no time will open it.
    """

    open: bool
    changes_at: float
    rule: str


class CallingHours(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's week of open spans in local seconds after midnight, its holidays and its closed dates.

    It holds on the local dates from `first` to `last` (None: without end), but not on those of `covered` (first and
    last each), on which others stand in its place; on any other date it closes nothing.
    """

    rule: str
    week: tuple[tuple[Span, ...], ...]  # shape (7,): Monday first
    calendars: tuple[str, ...] = ()
    closed_dates: frozenset[date] = frozenset()
    zones: tuple[str, ...] = ()  # in which it holds besides the number's own
    first: date | None = None
    last: date | None = None
    covered: tuple[tuple[date | None, date | None], ...] = ()
    profile: Profile | None = None  # whose hours they are; None: the campaign's

    def holds_on(self, day: date) -> bool:
        """Say whether the rule is in force on a local date."""
        return _within(day, self.first, self.last) and not any(_within(day, *span) for span in self.covered)

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """Return the open spans of a local date, seconds after midnight by the wall clock."""
        if not self.holds_on(day):
            return ALL_DAY
        return () if self.is_closed(day) else self.week[day.weekday()]

    def is_closed(self, day: date) -> bool:
        """Say whether the rule closes the whole date, were it in force on it."""
        return day in self.closed_dates or any(is_holiday(calendar, day) for calendar in self.calendars)

    def closure(self, wall: datetime) -> str | None:
        """Return the id of what closes this wall-clock time, None where it is open."""
        day = wall.date()
        if not self.holds_on(day):
            return None
        if day in self.closed_dates:
            return self.rule
        if self.is_closed(day):
            return f"{self.rule}.holiday"
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        return None if any(b <= second < e for b, e in self.week[day.weekday()]) else f"{self.rule}.hours"


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


class Hours:
    """Rules that hold together. What a local date leaves open is worked out once, for all zones."""

    def __init__(self, rules: Sequence[CallingHours]) -> None:
        self.rules = tuple(rules)
        own = dict.fromkeys(zone for rule in self.rules for zone in rule.zones)
        self.in_own_zones = {zone: Hours([_everywhere(rule) for rule in rules if zone in rule.zones]) for zone in own}
        self._open_on: dict[int, tuple[Span, ...]] = {}
        self._open_in: dict[tuple[str, int], list[Span]] = {}

    def open_in(self, zone: str, utc_day: int) -> list[Span]:
        """Return the open spans in one zone within a UTC day (counted from 1970-01-01), on the UTC line."""
        place = (zone, utc_day)
        spans = self._open_in.get(place)
        if spans is None:
            if len(self._open_in) >= _KEPT_DAYS:
                self._open_in.clear()
            spans = self._open_in[place] = _on_utc(self, zone, utc_day)
        return spans

    def open_on(self, local_day: int) -> tuple[Span, ...]:
        """Return what every rule leaves open of a local date (counted from 1970-01-01), by the wall clock."""
        spans = self._open_on.get(local_day)
        if spans is None:
            if len(self._open_on) >= _KEPT_DAYS:
                self._open_on.clear()
            day, common = date.fromordinal(EPOCH_ORDINAL + local_day), list(ALL_DAY)
            for rule in self.rules:
                if not common:
                    break
                common = _common(common, rule.spans_on(day))
            spans = self._open_on[local_day] = tuple(common)
        return spans

    def clocks(self, zones: Sequence[str]) -> Iterator[tuple[CallingHours, str]]:
        """Yield each rule with each zone that it holds in."""
        for rule in self.rules:
            for zone in dict.fromkeys((*zones, *rule.zones)):
                yield rule, zone


def _everywhere(rule: CallingHours) -> CallingHours:
    return msgspec.structs.replace(rule, zones=())


def week_of(windows: Sequence[WindowRule]) -> tuple[tuple[Span, ...], ...]:
    """Return the windows as seven tuples of spans; without any window, every day is open all day."""
    if not windows:
        return (ALL_DAY,) * 7
    return tuple(
        tuple(_joined([(w.begin_minute * 60, w.end_minute * 60) for w in windows if day in w.days])) for day in range(7)
    )


def window_state(hours: Hours, zones: Sequence[str], now: float, ring_guard_s: float) -> WindowState:
    """Say whether every rule is open in every zone from `now` to the end of the ring guard. Zones must be known."""
    today = int(now // DAY_S)
    for begin, last_begin in open_times(hours, zones, now, ring_guard_s, days=HORIZON_DAYS):
        if begin <= now:
            return WindowState(open=True, changes_at=last_begin, rule=hours.rules[0].rule if hours.rules else "")
        return WindowState(open=False, changes_at=float(begin), rule=_closing_rule(hours, zones, now))
    horizon = float((today + HORIZON_DAYS) * DAY_S)
    return WindowState(open=False, changes_at=horizon, rule=_closing_rule(hours, zones, now))


def open_times(
    hours: Hours, zones: Sequence[str], since: float, ring_guard_s: float, *, days: int
) -> Iterator[tuple[float, float]]:
    """Yield the spans [begin, end) of UTC seconds in which a call may begin, in order, those that end after `since`.

    From the UTC day of `since`, `days` days: the first may have begun and the last may go on beyond them.
    """
    for begin, end in _open_spans(hours, zones, int(since // DAY_S), days):
        last_begin = end - ring_guard_s
        if last_begin > max(since, begin):
            yield float(begin), float(last_begin)


def _open_spans(hours: Hours, zones: Sequence[str], first_day: int, days: int) -> Iterator[Span]:
    """Yield the longest spans in which all is open, in order, from the begin of a UTC day."""
    run: Span | None = None
    for utc_day in range(first_day, first_day + days):
        for begin, end in _open_on(hours, zones, utc_day):
            if run is not None and run[1] == begin:
                run = (run[0], end)
                continue
            if run is not None:
                yield run
            run = (begin, end)
        if run is not None and run[1] < (utc_day + 1) * DAY_S:
            yield run
            run = None
    if run is not None:
        yield run


def _open_on(hours: Hours, zones: Sequence[str], utc_day: int) -> Sequence[Span]:
    spans: Sequence[Span] = ((utc_day * DAY_S, (utc_day + 1) * DAY_S),)
    for zone in zones:
        spans = _common(spans, hours.open_in(zone, utc_day))
        if not spans:
            return spans
    for zone, own in hours.in_own_zones.items():
        if zone not in zones:
            spans = _common(spans, own.open_in(zone, utc_day))
    return spans


def _on_utc(hours: Hours, zone: str, utc_day: int) -> list[Span]:
    spans = []
    for begin, end, offset in offset_pieces(zone, utc_day):
        for local_day in range((begin + offset) // DAY_S, (end + offset - 1) // DAY_S + 1):
            midnight = local_day * DAY_S - offset
            for from_s, to_s in hours.open_on(local_day):
                span = max(begin, midnight + from_s), min(end, midnight + to_s)
                if span[0] < span[1]:
                    spans.append(span)
    return _joined(spans)


def _joined(spans: list[Span]) -> list[Span]:
    """Return the union of spans as disjoint spans in order; touching ones become one."""
    union: list[Span] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((begin, end))
    return union


def _common(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Return the intersection of two unions of spans."""
    return [(max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) < min(b, d)]


def closures(hours: Hours, zones: Sequence[str], at: float) -> Iterator[tuple[CallingHours, str, str]]:
    """Yield every rule that closes the instant, the zone by whose clock it does, and the id of what closes it: of zones
    by whose clocks the same thing does, the first."""
    closed: set[str] = set()
    for rule, zone in hours.clocks(zones):
        closed_by = rule.closure(datetime.fromtimestamp(at, load_zone(zone)))
        if closed_by is not None and closed_by not in closed:
            closed.add(closed_by)
            yield rule, zone, closed_by


def _closing_rule(hours: Hours, zones: Sequence[str], now: float) -> str:
    for _, _, closed_by in closures(hours, zones, now):
        return closed_by
    return "ring_guard"
