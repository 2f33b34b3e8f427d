"""The closed days of compliance/rules/calendars.yaml, worked out for a year."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import holidays
from ruamel.yaml import YAML

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SATURDAY = 5


@cache
def _file() -> dict[str, Any]:
    text = (resources.files("compliance") / "rules" / "calendars.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return content


def country_of_territory(subdivision: str) -> str:
    """Return the country code under which the library keeps a territory (`AU-NF`); empty where it does not."""
    return str(_file()["same_as"].get(subdivision, ""))


def own_calendar_days(name: str, year: int) -> frozenset[date]:
    """Return the days of a calendar of ours. Raises `KeyError` for one that is not in the file."""
    calendar = _file()["custom"][name]
    found: set[date] = set()
    for base in calendar.get("base", ()):
        country, _, region = base.partition("-")
        found.update(holidays.country_holidays(country, subdiv=region or None, years=year))
    for entry in calendar["days"]:
        for near in (year - 1, year, year + 1):  # what is observed late may be in the next year
            found.update(day for day in _days_of(entry, near) if day.year == year)
    return frozenset(found)


def _days_of(entry: dict[str, Any], year: int) -> Iterator[date]:
    day = _day_of(entry, year)
    yield day
    if day.weekday() < _SATURDAY:
        return
    left = entry.get("observed", 0)
    while left:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            left -= 1
            yield day


def _day_of(entry: dict[str, Any], year: int) -> date:
    if "easter" in entry:
        return _easter(year) + timedelta(days=entry["easter"])
    month = entry["month"]
    if "weekday" not in entry:
        return date(year, month, entry["day"])
    weekday = _WEEKDAYS.index(entry["weekday"])
    if "day" in entry:
        day = date(year, month, entry["day"]) - timedelta(days=1)
        while day.weekday() != weekday:
            day -= timedelta(days=1)
        return day
    every = [
        date(year, month, number)
        for number in range(1, monthrange(year, month)[1] + 1)
        if date(year, month, number).weekday() == weekday
    ]
    nth: int = entry["nth"]
    return every[nth - 1] if nth > 0 else every[nth]


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    offset = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * offset) // 433
    month = (h + offset - 7 * m + 90) // 25
    return date(year, month, (h + offset - 7 * m + 33 * month + 19) % 32)
