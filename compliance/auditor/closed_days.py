"""The days on which nothing is open, straight from the `holidays` library and from calendars.yaml."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache

import holidays

from compliance.auditor.own_calendars import country_of_territory, own_calendar_days
from compliance.rule import HolidayRule


def is_closed(rule: HolidayRule, country: str, subdivisions: Collection[str], day: date) -> bool:
    """Say whether a rule closes a local date for a person who may be in these subdivisions (`US-MA`) of the country.

    The calendar `*` is the country's.
    """
    if day in _days_of(country if rule.calendar == "*" else rule.calendar, day.year):
        return True
    if rule.regions == "none":
        return False
    known = tuple(part for part in subdivisions if part.startswith(f"{country}-"))
    if not known and rule.regions == "any":
        known = tuple(f"{country}-{part}" for part in _regions(country))
    return any(day in _days_of(part, day.year) for part in known)


@cache
def _days_of(calendar: str, year: int) -> frozenset[date]:
    """Return a calendar's days of a year: `CO`, `US-AL`, `custom:CA-QC-OPC`; none of a subdivision not known."""
    if calendar.startswith("custom:"):
        return own_calendar_days(calendar.removeprefix("custom:"), year)
    country, _, region = (country_of_territory(calendar) or calendar).partition("-")
    if region and region not in _regions(country):
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


@cache
def _regions(country: str) -> tuple[str, ...]:
    return tuple(holidays.country_holidays(country).subdivisions)
