"""Closed days: the library's, and the lists of ours against dates taken from printed calendars."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.calendars import (
    WEEKDAYS,
    ClosedDay,
    UnknownCalendar,
    custom_calendars,
    has_calendar,
    is_holiday,
    read_calendars,
    regional_calendars,
)
from dialer.config.rule_packs import packaged


def closed(calendar, year):
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return {day for day in days if day.year == year and is_holiday(calendar, day)}


@pytest.mark.parametrize(
    ("calendar", "day", "expected"),
    [
        ("CO", "2026-07-13", True),  # Our Lady of Chiquinquirá, missing from older lists
        ("PE", "2026-07-28", True),
        ("ES", "2026-05-02", False),
        ("ES-MD", "2026-05-02", True),
        ("FR", "2026-12-20", False),
        ("FR-RE", "2026-12-20", True),  # abolition of slavery in Réunion
        ("DE", "2026-06-04", False),  # Corpus Christi: no holiday of the whole country
        ("DE-BY", "2026-06-04", True),
    ],
)
def test_the_librarys_calendars(calendar, day, expected):
    assert is_holiday(calendar, date.fromisoformat(day)) is expected


@pytest.mark.parametrize(
    "day",
    [
        *("2026-01-01", "2026-01-02", "2026-04-03", "2026-04-06", "2026-05-18", "2026-06-24", "2026-07-01"),
        *("2026-09-07", "2026-10-12", "2026-12-25", "2026-12-26"),
    ],
)
def test_quebec_closes_easter_monday_and_the_rest_of_its_list(day):
    assert is_holiday("custom:CA-QC-OPC", date.fromisoformat(day))
    assert not is_holiday("CA-QC", date(2026, 4, 6))


def test_quebec_keeps_a_canada_day_of_a_sunday_on_monday():
    assert is_holiday("custom:CA-QC-OPC", date(2029, 7, 2))  # 2029-07-01 is a Sunday
    assert not is_holiday("custom:CA-QC-OPC", date(2026, 7, 2))


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_louisiana_closes_the_federal_and_the_states_days_and_its_own(year):
    assert closed("US", year) | closed("US-LA", year) < closed("custom:US-LA-PSC", year)


def test_louisianas_own_days():
    days = closed("custom:US-LA-PSC", 2026)
    assert {date(2026, 2, 17), date(2026, 6, 3), date(2026, 8, 30), date(2026, 11, 1)} <= days
    assert date(2026, 11, 27) in days  # Acadian Day: the fourth Friday


def test_australia_closes_every_day_on_which_a_state_may_keep_a_weekends_holiday():
    days = closed("custom:AU-NATIONAL", 2027)  # Christmas on a Saturday, Boxing Day on a Sunday
    assert {date(2027, 12, number) for number in (25, 26, 27, 28)} <= days
    assert date(2027, 12, 29) not in days
    assert date(2026, 11, 3) not in closed("custom:AU-NATIONAL", 2026)  # Melbourne Cup: Victoria's alone


def test_what_is_observed_late_counts_in_the_year_in_which_it_is_observed():
    # 2022-01-01 was a Saturday: closed on Monday the 3rd. 2028-12-31 is a Sunday of Louisiana's list, without a Monday.
    assert is_holiday("custom:CA-QC-OPC", date(2022, 1, 3))
    assert is_holiday("custom:AU-NATIONAL", date(2022, 1, 3))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"month": 3, "day": 17}, "2026-03-17"),
        ({"month": 11, "weekday": "thu", "nth": 4}, "2026-11-26"),
        ({"month": 5, "weekday": "mon", "nth": -1}, "2026-05-25"),
        ({"month": 5, "day": 25, "weekday": "mon"}, "2026-05-18"),  # before that date: not the date itself
        ({"easter": 1}, "2026-04-06"),
        ({"easter": -47}, "2026-02-17"),
    ],
)
def test_a_day_of_every_year(entry, expected):
    assert ClosedDay(name="a day", **entry).in_year(2026) == date.fromisoformat(expected)


@given(
    year=st.integers(1990, 2100),
    month=st.integers(1, 12),
    weekday=st.sampled_from(WEEKDAYS),
    nth=st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]),
)
def test_the_nth_weekday_is_the_nth_of_those_in_the_month(year, month, weekday, nth):
    days = (date(year, month, 1) + timedelta(days=number) for number in range(31))
    such = [day for day in days if day.month == month and day.weekday() == WEEKDAYS.index(weekday)]
    found = ClosedDay(name="a day", month=month, weekday=weekday, nth=nth).in_year(year)
    assert found == such[nth - 1 if nth > 0 else nth]


@pytest.mark.parametrize("code", ["ZZ", "ES-XX", "custom:nowhere", "", "CO-AM", "FR-La Réunion"])
def test_an_unknown_calendar_is_named(code):
    assert not has_calendar(code)
    with pytest.raises(UnknownCalendar, match="expected a calendar such as CO"):
        is_holiday(code, date(2026, 1, 1))


def test_the_calendars_of_subdivisions():
    assert {"ES-MD", "ES-CN"} <= set(regional_calendars("ES"))
    assert regional_calendars("CO") == ()
    assert all(has_calendar(code) for country in ("ES", "US", "BR", "FR") for code in regional_calendars(country))
    with pytest.raises(UnknownCalendar):
        regional_calendars("ZZ")


def test_every_calendar_of_ours_is_cited_and_has_days():
    for name, calendar in custom_calendars().items():
        assert calendar.cite and calendar.sources
        assert has_calendar(f"custom:{name}")
        assert 8 <= len(closed(f"custom:{name}", 2026)) <= 40


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "x", "month": 2, "day": 30},
        {"name": "x", "month": 5, "weekday": "mon"},
        {"name": "x", "month": 5, "weekday": "mon", "nth": 5},
        {"name": "x", "month": 5, "weekday": "maandag", "nth": 1},
        {"name": "x", "easterly": 3},
    ],
)
def test_a_file_that_names_no_day_is_refused(entry):
    calendar = {"days": [entry], "cite": "c", "sources": ["recall"], "confidence": "R"}
    with pytest.raises(ValueError):
        read_calendars({"custom": {"x": calendar}})


def test_the_file_reads_the_same_with_lines():
    assert read_calendars(packaged("calendars").data).custom == custom_calendars()
