"""Public holidays by calendar code: `CO`, or with a subdivision `ES-MD`."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from importlib import import_module

import holidays


def load_calendars() -> None:
    """Import every country's calendar: the library does so at the first question, which takes half a second and must
    not be asked while calls are up."""
    import_module("holidays.countries")


@cache
def _calendar(code: str) -> holidays.HolidayBase:
    country, _, subdivision = code.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None)


@lru_cache(maxsize=16_384)
def is_holiday(code: str, day: date) -> bool:
    """Say whether the local date is a public holiday. Raises `NotImplementedError` for an unknown calendar."""
    return day in _calendar(code)
