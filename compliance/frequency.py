"""Frequency caps: how often a person, debt or number may be called in a period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from compliance.rule import CapRule, KeyKind, PeriodKind
from compliance.zones import day_begin, local_date

# The dispositions after which surely nobody was reached; the core's own list, by name (a test holds them equal).
NO_CONTACT = ("BUSY", "CANCELLED", "CONGESTION", "FAILED", "INVALID_NUMBER", "MACHINE", "NO_ANSWER")


class CapSlot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cap made concrete for one attempt: under `key`, fewer than `max` facts since `since` (UTC, inclusive).

    Facts are one stream a key (`person:ID`, `debt:ID`, `number:+E164`, `person+debt:ID|ID`); each fact is an attempt
    with its disposition, `PENDING` until it is settled. `ignores` names the dispositions that the cap does not count.
    Rolling hours have `window_s` (a fact frees its slot that long after it happened), calendar periods have
    `resets_at` (when the window next moves).
    """

    rule: str
    key: str
    max: int
    since: float
    ignores: tuple[str, ...] = ()
    window_s: float | None = None
    resets_at: float | None = None


class DialCandidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules must know of an attempt before it is made. `zones`: all IANA zones the number may be in."""

    lead_id: str
    person: str
    debt: str
    number: str  # E.164
    country: str  # ISO 3166 alpha-2 of the number, "" where unknown
    zones: tuple[str, ...]


def period_bounds(kind: PeriodKind, n: int, zones: Sequence[str], now: float) -> tuple[float, float]:
    """Return where a calendar period of the called party's zone begins and when it next moves, UTC seconds.

    `n` periods, the present one included. With several zones the earliest begin and the latest move: safe in each.
    """
    bounds = [_bounds_in(kind, n, zone, now) for zone in zones]
    return min(begin for begin, _ in bounds), max(move for _, move in bounds)


def _bounds_in(kind: PeriodKind, n: int, zone: str, now: float) -> tuple[float, float]:
    today = local_date(zone, now)
    if kind == "calendar_week_mon":
        monday = today - timedelta(days=today.weekday())
        first, following = monday - timedelta(weeks=n - 1), monday + timedelta(weeks=1)
    elif kind == "calendar_month":
        first, following = _month(today, 1 - n), _month(today, 1)
    else:
        first, following = today - timedelta(days=n - 1), today + timedelta(days=1)
    return day_begin(zone, first), day_begin(zone, following)


def _month(day: date, later: int) -> date:
    """Return the first day of the month that is `later` months after the day's."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def ignored_by(rule: CapRule) -> tuple[str, ...]:
    """Return the dispositions that a cap does not count."""
    return tuple(sorted({*rule.exclude, *(NO_CONTACT if rule.count == "contact" else ())}))


def fact_key(kinds: tuple[KeyKind, ...], candidate: DialCandidate) -> str:
    """Return the name of the stream of facts under these keys: `person+debt:ID|ID`."""
    prefix, read = _reader(kinds)
    return prefix + (read(candidate) if len(kinds) == 1 else "|".join(read(candidate)))


@lru_cache
def _reader(kinds: tuple[KeyKind, ...]) -> tuple[str, Callable[[DialCandidate], Any]]:
    """The beginning of the name of these keys' streams, and what reads the rest off a candidate."""
    return f"{'+'.join(kinds)}:", attrgetter(*kinds)


class PlannedCap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cap whose period is worked out for some zones: the same for every candidate in them until it moves."""

    rule: CapRule
    ignores: tuple[str, ...]
    since: float  # rolling hours: unused
    resets_at: float | None  # None: rolling hours

    def slot(self, key: str, now: float) -> CapSlot:
        """Return the cap made concrete for one attempt at `now`; `key` names its stream of facts."""
        rule = self.rule
        window_s = rule.n * 3600.0 if self.resets_at is None else None
        return CapSlot(
            rule=rule.rule,
            key=key,
            max=rule.max,
            since=self.since if window_s is None else now - window_s,
            ignores=self.ignores,
            window_s=window_s,
            resets_at=self.resets_at,
        )


def plan_cap(rule: CapRule, zones: Sequence[str], now: float) -> PlannedCap:
    """Work out a cap's period at `now` in these zones (at least one, all known)."""
    if rule.kind == "rolling_hours":
        return PlannedCap(rule=rule, ignores=ignored_by(rule), since=0.0, resets_at=None)
    since, resets_at = period_bounds(rule.kind, rule.n, zones, now)
    return PlannedCap(rule=rule, ignores=ignored_by(rule), since=since, resets_at=resets_at)
