"""Calling windows: whether a number may be called now, and until when that answer holds.

How it works: a rule speaks of wall clocks, so each UTC day is cut where a zone's offset changes, and within a piece
local time is UTC plus a constant. The open spans of every rule in every zone are intersected on the UTC line, joined
across midnights, and shortened at their end by the ring guard. Nothing is added to or taken from wall clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec

from compliance.calendars import is_holiday
from compliance.rule import WindowRule
from compliance.zones import DAY_S, EPOCH_ORDINAL, load_zone, offset_pieces

# How far ahead a change is looked for. No statute read so far closes longer; a campaign's own dates may.
HORIZON_DAYS = 14

Span = tuple[int, int]  # [begin, end) in seconds: UTC, or after local midnight


class WindowState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether calling is open at `now`, and the rule behind it.

    `open` holds from `now` until `changes_at` (UTC seconds), and is the opposite at `changes_at` unless that is the
    horizon, 14 days ahead: then it must be asked again. Infinity: no time will open it.
    """

    open: bool
    changes_at: float
    rule: str


class CallingHours(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's week of open spans in local seconds after midnight, its holidays and its closed dates."""

    rule: str
    week: tuple[tuple[Span, ...], ...]  # shape (7,): Monday first
    holidays: str | None = None
    closed_dates: frozenset[date] = frozenset()
    zones: tuple[str, ...] = ()  # in which it holds besides the number's own

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """Return the open spans of a local date, seconds after midnight by the wall clock."""
        if day in self.closed_dates or (self.holidays is not None and is_holiday(self.holidays, day)):
            return ()
        return self.week[day.weekday()]

    def closure(self, wall: datetime) -> str | None:
        """Return the id of what closes this wall-clock time, None where it is open."""
        day = wall.date()
        if day in self.closed_dates:
            return self.rule
        if self.holidays is not None and is_holiday(self.holidays, day):
            return f"{self.rule}.holiday"
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        return None if any(b <= second < e for b, e in self.week[day.weekday()]) else f"{self.rule}.hours"


def week_of(windows: Sequence[WindowRule]) -> tuple[tuple[Span, ...], ...]:
    """Return the windows as seven tuples of spans; without any window, every day is open all day."""
    if not windows:
        return (((0, DAY_S),),) * 7
    return tuple(
        tuple(_joined([(w.begin_minute * 60, w.end_minute * 60) for w in windows if day in w.days])) for day in range(7)
    )


def window_state(hours: Sequence[CallingHours], zones: Sequence[str], now: float, ring_guard_s: float) -> WindowState:
    """Say whether every rule is open in every zone from `now` to the end of the ring guard. Zones must be known."""
    today = int(now // DAY_S)
    for begin, end in _open_spans(hours, zones, today):
        last_begin = end - ring_guard_s
        if last_begin <= max(now, begin):
            continue
        if begin <= now:
            return WindowState(open=True, changes_at=last_begin, rule=hours[0].rule)
        return WindowState(open=False, changes_at=float(begin), rule=_closing_rule(hours, zones, now))
    horizon = float((today + HORIZON_DAYS) * DAY_S)
    return WindowState(open=False, changes_at=horizon, rule=_closing_rule(hours, zones, now))


def _open_spans(hours: Sequence[CallingHours], zones: Sequence[str], first_day: int) -> Iterator[Span]:
    """Yield the longest spans in which all is open, in order, from the begin of a UTC day to the horizon."""
    run: Span | None = None
    for utc_day in range(first_day, first_day + HORIZON_DAYS):
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


def _open_on(hours: Sequence[CallingHours], zones: Sequence[str], utc_day: int) -> list[Span]:
    spans = [(utc_day * DAY_S, (utc_day + 1) * DAY_S)]
    for rule in hours:
        for zone in dict.fromkeys((*zones, *rule.zones)):
            spans = _common(spans, _open_in(rule, zone, utc_day))
            if not spans:
                return spans
    return spans


def _open_in(rule: CallingHours, zone: str, utc_day: int) -> list[Span]:
    """Return one rule's open spans in one zone within a UTC day, on the UTC line."""
    spans = []
    for begin, end, offset in offset_pieces(zone, utc_day):
        for local_day in range((begin + offset) // DAY_S, (end + offset - 1) // DAY_S + 1):
            midnight = local_day * DAY_S - offset
            for from_s, to_s in rule.spans_on(date.fromordinal(EPOCH_ORDINAL + local_day)):
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


def _common(left: list[Span], right: list[Span]) -> list[Span]:
    """Return the intersection of two unions of spans."""
    return [(max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) < min(b, d)]


def _closing_rule(hours: Sequence[CallingHours], zones: Sequence[str], now: float) -> str:
    for rule in hours:
        for zone in dict.fromkeys((*zones, *rule.zones)):
            closed_by = rule.closure(datetime.fromtimestamp(now, load_zone(zone)))
            if closed_by is not None:
                return closed_by
    return "ring_guard"
