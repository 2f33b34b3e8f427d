"""A week of callable hours for a list: how many leads may be called in each half-hour, and what closes the rest.

How it works: the rules are asked once for the open spans of each place. A half-hour counts for a lead if one of its
numbers may be called in all of it, but for the ring guard before the end of the hours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from compliance.clearance import DialCandidate, Place
from compliance.ruleset import RuleSet
from compliance.verdict import judge
from compliance.zones import load_zone
from dialer.cli.compliance.holiday_name import holiday_name

DAYS = 7
SLOT_MINUTES = 30
SLOTS = 24 * 60 // SLOT_MINUTES

_Span = tuple[float, float]  # open: [begin, end), UTC; a call may begin


class PlaceDay(msgspec.Struct, frozen=True, kw_only=True):
    """A local day of a place: its open hours (minutes after midnight by the clocks there), and what closes it if it
    has none: the rules, in words, and the holidays by name."""

    date: date
    open: tuple[tuple[int, int], ...]
    rules: tuple[str, ...] = ()
    text: str = ""
    holidays: tuple[str, ...] = ()


class PlaceWeek(msgspec.Struct, frozen=True, kw_only=True):
    """The week of everybody who may be in one place; local times are of `zone`, the first of its zones."""

    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]
    zone: str
    leads: int
    days: tuple[PlaceDay, ...]


class CallableWeek(msgspec.Struct, frozen=True, kw_only=True):
    """The week of a list, by the clocks of `zone`.

    `callable[day][slot]` is how many leads may be called in that half-hour; None where clocks skip it. `sometimes` may
    be called at some time of the week. Hours and holidays only: caps, stops and consent are the moment's.
    """

    zone: str
    first: date
    leads: int
    sometimes: int
    callable: tuple[tuple[int | None, ...], ...]
    places: tuple[PlaceWeek, ...]


def callable_week(
    rules: RuleSet, leads: Mapping[tuple[Place, ...], int], *, first: date, zone: tzinfo, zone_name: str
) -> CallableWeek:
    """Return the week from `first` on. `leads`: how many have numbers in exactly these places.

    A place without zones, or of which the rules know nothing, is never open.
    """
    begin, end = _moment(first, 0, zone), _moment(first + timedelta(days=DAYS), 0, zone)
    places = Counter[Place]()
    for where, count in leads.items():
        for place in where:
            places[place] += count
    # From a day before to a day after: the days of a place begin and end at other times than ours.
    spans = {place: list(rules.open_times(place, begin - 86_400.0, days=DAYS + 3)) for place in places}
    slots = [[_slot(first + timedelta(days=day), slot, zone) for slot in range(SLOTS)] for day in range(DAYS)]
    counts: list[list[int | None]] = [[0 if slot else None for slot in day] for day in slots]
    sometimes = 0
    for where, count in leads.items():
        joined = _joined([span for place in where for span in spans[place]])
        sometimes += count if any(b < end and e > begin for b, e in joined) else 0
        for day, row in enumerate(slots):
            for place_in_row, slot in enumerate(row):
                held = counts[day][place_in_row]
                if held is not None and _covers(joined, slot, rules.ring_guard_s):
                    counts[day][place_in_row] = held + count
    return CallableWeek(
        zone=zone_name,
        first=first,
        leads=sum(leads.values()),
        sometimes=sometimes,
        callable=tuple(tuple(day) for day in counts),
        places=tuple(_place_week(rules, place, count, spans[place], first) for place, count in places.most_common()),
    )


def week_of(text: str) -> date:
    """Return the Monday of an ISO week such as 2026-W49. Raises `ValueError`."""
    year, _, week = text.upper().partition("-W")
    if not (year.isascii() and week.isascii() and year.isdigit() and week.isdigit() and len(week) <= 2):
        raise ValueError(f"expected a week such as 2026-W49, was {text!r}")
    return date.fromisocalendar(int(year), int(week), 1)


def _moment(day: date, minute: int, zone: tzinfo) -> float:
    return datetime.combine(day, time(minute // 60, minute % 60), zone).timestamp()


def _slot(day: date, slot: int, zone: tzinfo) -> tuple[_Span, ...]:
    """Return when a half-hour of the clock is: once, twice where clocks are put back, never where they skip it."""
    minute = slot * SLOT_MINUTES
    begin = datetime.combine(day, time(minute // 60, minute % 60), zone)
    twice = dict.fromkeys((begin.timestamp(), begin.replace(fold=1).timestamp()))
    wall = begin.replace(tzinfo=None)
    return tuple(
        (at, at + SLOT_MINUTES * 60.0)
        for at in twice
        if datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0) == wall
    )


def _joined(spans: Sequence[_Span]) -> list[_Span]:
    union: list[_Span] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], end))
        else:
            union.append((begin, end))
    return union


def _covers(spans: Sequence[_Span], slot: tuple[_Span, ...], guard_s: float) -> bool:
    """Say whether all of a half-hour is open, as often as it comes on that day."""
    return all(any(b <= begin and end - guard_s <= e for b, e in spans) for begin, end in slot)


# ---- a place's days -----------------------------------------------------------------------------------------
def _place_week(rules: RuleSet, place: Place, leads: int, spans: Sequence[_Span], first: date) -> PlaceWeek:
    name = place.zones[0] if place.zones else "UTC"
    zone: tzinfo = load_zone(name) if place.zones else UTC
    days = tuple(_place_day(rules, place, spans, first + timedelta(days=day), zone) for day in range(DAYS))
    return PlaceWeek(jurisdictions=place.jurisdictions, zones=place.zones, zone=name, leads=leads, days=days)


def _place_day(rules: RuleSet, place: Place, spans: Sequence[_Span], day: date, zone: tzinfo) -> PlaceDay:
    begin, end = _moment(day, 0, zone), _moment(day + timedelta(days=1), 0, zone)
    hours = []
    for span_begin, span_end in spans:
        since, until = max(begin, span_begin), min(end, span_end + rules.ring_guard_s)
        if since < until and span_begin < end and span_end > begin:
            hours.append((_minute(since, day, zone), _minute(until, day, zone)))
    if hours:
        return PlaceDay(date=day, open=tuple(hours))
    candidate = DialCandidate(lead_id="", person="", debt="", number="", place=place)
    reasons = judge(rules, candidate, _moment(day, 12 * 60, zone), ()).reasons
    return PlaceDay(
        date=day,
        open=(),
        rules=tuple(dict.fromkeys(reason.rule for reason in reasons)),
        text=" ".join(reason.text for reason in reasons),
        holidays=_holidays(rules, place, day),
    )


def _holidays(rules: RuleSet, place: Place, day: date) -> tuple[str, ...]:
    """Return the names of the holidays that close a local date there."""
    if rules.fault(place):
        return ()
    names = (
        holiday_name(calendar, day)
        for hours in rules.stack(place).hours.rules
        if hours.holds_on(day)
        for calendar in hours.calendars
    )
    return tuple(dict.fromkeys(filter(None, names)))


def _minute(at: float, day: date, zone: tzinfo) -> int:
    """Return the minute of a local day at `at`, which is in it or at its end; 1440: the end."""
    local = datetime.fromtimestamp(math.floor(at), zone)
    return 24 * 60 if local.date() > day else local.hour * 60 + local.minute
