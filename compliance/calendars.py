"""Closed days by calendar code: a country's public holidays (`CO`), with a subdivision's (`ES-MD`), or a list of ours
(`custom:CA-QC-OPC`, from `rules/calendars.yaml`)."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import import_module, resources
from typing import Any, Literal

import holidays
import msgspec
from dateutil.easter import easter  # type: ignore[import-untyped,unused-ignore]
from ruamel.yaml import YAML

from compliance.rule import Confidence

CUSTOM = "custom:"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SATURDAY = 5


class UnknownCalendar(LookupError):
    """A calendar's code that neither the library nor `calendars.yaml` knows."""

    def __init__(self, code: str) -> None:
        super().__init__(f"expected a calendar such as CO, ES-MD or {CUSTOM}CA-QC-OPC, was {code!r}")
        self.code = code


class ClosedDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day of every year, by its date, by its weekday in a month, or by its distance from Easter Sunday, days."""

    name: str
    month: int = 0
    day: int = 0
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", ""] = ""
    nth: int = 0  # 1: the first such weekday of the month, -1: the last; with `day`: the last before that date
    easter: int | None = None
    observed: int = 0  # on a weekend: so many of the Mondays to Fridays that follow are closed as well

    def in_year(self, year: int) -> date:
        """Return its date. Raises `ValueError` where the file names no such day."""
        if self.easter is not None:
            sunday: date = easter(year)
            return sunday + timedelta(days=self.easter)
        if not self.weekday:
            return date(year, self.month, self.day)
        weekday = WEEKDAYS.index(self.weekday)
        if self.day:
            before = date(year, self.month, self.day) - timedelta(days=1)
            return before - timedelta(days=(before.weekday() - weekday) % 7)
        if not 1 <= abs(self.nth) <= 4:
            raise ValueError(f"{self.name}: expected nth in 1 to 4 or -4 to -1, was {self.nth}")
        if self.nth > 0:
            first = date(year, self.month, 1)
            return first + timedelta(days=(weekday - first.weekday()) % 7, weeks=self.nth - 1)
        last = date(year, self.month, monthrange(year, self.month)[1])
        return last - timedelta(days=(last.weekday() - weekday) % 7, weeks=-self.nth - 1)


class CustomCalendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list of closed days of ours: those of other calendars, and its own."""

    days: tuple[ClosedDay, ...]
    cite: str
    sources: tuple[str, ...]
    confidence: Confidence
    base: tuple[str, ...] = ()
    note: str = ""


class CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in `calendars.yaml`."""

    custom: dict[str, CustomCalendar]
    same_as: dict[str, str] = {}  # a territory's code: the code under which the library keeps it


def load_calendars() -> None:
    """Import every country's calendar: the library does so at the first question, which takes half a second and must
    not be asked while calls are up."""
    import_module("holidays.countries")
    _file()


def custom_calendars() -> dict[str, CustomCalendar]:
    """Return the calendars of ours by name, without `custom:`."""
    return dict(_file().custom)


@cache
def has_calendar(code: str) -> bool:
    """Say whether the code is one that `is_holiday` can answer."""
    if code.startswith(CUSTOM):
        return code.removeprefix(CUSTOM) in _file().custom
    if code in _file().same_as:
        return True
    country, dash, subdivision = code.partition("-")
    try:
        known = _subdivisions(country)
        return not dash or subdivision in known
    except UnknownCalendar:
        return False


@cache
def regional_calendars(country: str) -> tuple[str, ...]:
    """Return the calendars of a country's subdivisions, in order; none where the library knows no difference.

    Raises `UnknownCalendar` for a country that it does not know.
    """
    return tuple(sorted(f"{country}-{subdivision}" for subdivision in _subdivisions(country)))


@lru_cache(maxsize=16_384)
def is_holiday(code: str, day: date) -> bool:
    """Say whether a calendar closes the local date. Raises `UnknownCalendar`."""
    if code.startswith(CUSTOM):
        return day in _custom_days(code.removeprefix(CUSTOM), day.year)
    return day in _calendar(library_code(code))


def library_code(code: str) -> str:
    """Return the code under which the library keeps a calendar: some territories have another there."""
    return _file().same_as.get(code, code)


@cache
def _calendar(code: str) -> Any:
    country, _, subdivision = code.partition("-")
    if subdivision and subdivision not in _subdivisions(country):
        raise UnknownCalendar(code)
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError as error:
        raise UnknownCalendar(code) from error


@cache
def _subdivisions(country: str) -> tuple[str, ...]:
    return tuple(_calendar(country).subdivisions)


@cache
def _custom_days(name: str, year: int) -> frozenset[date]:
    calendar = _file().custom.get(name)
    if calendar is None:
        raise UnknownCalendar(CUSTOM + name)
    # What falls on the last days of a year may be observed in the next one.
    days = {day for entry in calendar.days for near in (year - 1, year) for day in _closed(entry, near)}
    for base in calendar.base:
        days.update(day for day in _year(year) if is_holiday(base, day))
    return frozenset(day for day in days if day.year == year)


def _closed(entry: ClosedDay, year: int) -> Iterator[date]:
    day = entry.in_year(year)
    yield day
    left = entry.observed if day.weekday() >= _SATURDAY else 0
    while left:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            left -= 1
            yield day


def _year(year: int) -> Iterator[date]:
    first, days = date(year, 1, 1), 366 if isleap(year) else 365
    return (first + timedelta(days=number) for number in range(days))


@cache
def _file() -> CalendarFile:
    text = (resources.files("compliance") / "rules" / "calendars.yaml").read_text(encoding="utf-8")
    return read_calendars(YAML(typ="safe", pure=True).load(text))


def read_calendars(content: object) -> CalendarFile:
    """Return the calendars that a file's plain values describe. Raises `ValueError` for what is no such file."""
    file = msgspec.convert(content, CalendarFile)
    for calendar in file.custom.values():
        for entry in calendar.days:
            entry.in_year(2024)
    return file
