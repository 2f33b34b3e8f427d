"""Hours of trunks, by the local wall clock: both clock changes, zones together, against a walk minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.hours import OpenHours
from carriers.supply import Hours

WEEK = (0, 1, 2, 3, 4, 5, 6)


def hours(zone: str, begin: str, end: str, weekdays: tuple[int, ...] = WEEK) -> Hours:
    return Hours(zone=zone, weekdays=weekdays, begin_minute=_minute(begin), end_minute=_minute(end))


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def at(text: str, zone: str, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def test_without_hours_it_is_always_open() -> None:
    always = OpenHours(())
    assert always.open(0.0) and always.changes_at(0.0) == inf


def test_hours_are_half_open() -> None:
    zone = "America/Bogota"
    office = OpenHours((hours(zone, "08:00", "18:30"),))
    begin, end = at("2026-11-02T08:00", zone), at("2026-11-02T18:30", zone)
    assert [office.open(now) for now in (begin - 1e-4, begin, end - 1e-4, end)] == [False, True, True, False]
    assert office.changes_at(begin - 1e-4) == begin and office.changes_at(begin) == end
    assert office.changes_at(end) == begin + 86_400
    assert office.open(begin), "an earlier time is looked at again"


def test_weekdays_are_those_of_the_zone() -> None:
    zone = "Pacific/Auckland"  # Monday there begins on Sunday in UTC
    monday = OpenHours((hours(zone, "00:00", "24:00", (0,)),))
    begin = at("2026-11-02T00:00", zone)
    assert datetime.fromtimestamp(begin, UTC).weekday() == 6
    assert not monday.open(begin - 1) and monday.open(begin) and monday.open(begin + 86_399)
    assert monday.changes_at(begin) == begin + 86_400 and monday.changes_at(begin + 86_400) == begin + 7 * 86_400


def test_days_that_touch_are_one_span() -> None:
    zone = "America/Lima"
    weekdays = OpenHours((hours(zone, "00:00", "24:00", (0, 1, 2, 3, 4)),))
    assert weekdays.changes_at(at("2026-11-02T12:00", zone)) == at("2026-11-07T00:00", zone)


def test_a_whole_week_never_changes() -> None:
    never = OpenHours((hours("Europe/Madrid", "00:00", "24:00"),))
    assert never.open(1.8e9) and never.changes_at(1.8e9) == inf


def test_an_hour_that_is_skipped_opens_when_the_clock_has_jumped_over_it() -> None:
    zone = "America/New_York"  # 2026-03-08: from 02:00 to 03:00
    early = OpenHours((hours(zone, "02:30", "04:00"),))
    jump = at("2026-03-08T03:00", zone)
    assert early.changes_at(at("2026-03-08T01:00", zone)) == jump
    assert not early.open(jump - 1) and early.open(jump)
    lost = OpenHours((hours(zone, "02:10", "02:50"),))
    assert lost.changes_at(at("2026-03-08T00:00", zone)) == at("2026-03-09T02:10", zone)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    zone = "America/New_York"  # 2026-11-01: from 02:00 back to 01:00
    night = OpenHours((hours(zone, "01:15", "01:45"),))
    first, second = at("2026-11-01T01:15", zone), at("2026-11-01T01:15", zone, fold=1)
    assert second == first + 3600
    assert night.changes_at(first - 60) == first and night.changes_at(first) == first + 1800
    assert not night.open(first + 1800)
    assert night.changes_at(first + 1800) == second and night.open(second)


def test_zones_that_together_cover_the_day_leave_a_gap_when_one_changes_its_clock() -> None:
    """08:00 to 20:00 in New York in summer and in Shanghai: twelve hours apart until November."""
    both = OpenHours((hours("America/New_York", "08:00", "20:00"), hours("Asia/Shanghai", "08:00", "20:00")))
    summer = at("2026-07-01T12:00", "America/New_York")
    assert both.open(summer) and both.changes_at(summer) == at("2026-11-01T07:00", "America/New_York")


def test_sunday_hours_that_one_sunday_lacks_come_a_week_later() -> None:
    zone = "Europe/Madrid"  # 2027-03-28 lacks 02:00 to 03:00
    sunday = OpenHours((hours(zone, "02:00", "03:00", (6,)),))
    assert sunday.changes_at(at("2027-03-27T12:00", zone)) == at("2027-04-04T02:00", zone)


@pytest.mark.parametrize(
    ("begin", "end", "weekdays", "zone", "expected"),
    [
        (600, 600, WEEK, "UTC", "were 600 to 600"),
        (600, 540, WEEK, "UTC", "were 600 to 540"),
        (-1, 540, WEEK, "UTC", "were -1 to 540"),
        (0, 1441, WEEK, "UTC", "were 0 to 1441"),
        (0, 60, (7,), "UTC", r"weekdays from 0 \(Monday\) to 6, were \(7,\)"),
        (0, 60, (), "UTC", r"weekdays from 0 \(Monday\) to 6, were \(\)"),
        (0, 60, WEEK, "Mars/Olympus", "expected an IANA zone, was 'Mars/Olympus'"),
        (0, 60, WEEK, "../zones", "expected an IANA zone"),
        (0, 60, WEEK, "America", "expected an IANA zone"),
        (0, 60, WEEK, "", "expected an IANA zone"),
    ],
)
def test_hours_that_cannot_be_are_refused(
    begin: int, end: int, weekdays: tuple[int, ...], zone: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        OpenHours((Hours(zone=zone, weekdays=weekdays, begin_minute=begin, end_minute=end),))


some_hours = st.builds(
    lambda zone, weekdays, span: Hours(
        zone=zone, weekdays=tuple(weekdays), begin_minute=min(span), end_minute=max(span)
    ),
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham"]),
    st.sets(st.integers(0, 6), min_size=1),
    st.sets(st.one_of(st.integers(0, 1440), st.sampled_from([0, 60, 90, 120, 150, 180, 1440])), min_size=2, max_size=2),
)
# Days about the clock changes of those zones, and any others.
days = st.one_of(
    st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-09-26", "2026-10-03", "2026-10-24", "2026-10-31"]),
    st.dates(datetime(2024, 1, 1).date(), datetime(2029, 1, 1).date()).map(str),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(some_hours, min_size=1, max_size=3), days, st.integers(0, 1439))
def test_a_walk_minute_by_minute_finds_the_same(entries: list[Hours], day: str, minute: int) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minute)
    open_hours = OpenHours(tuple(entries))
    moments = [begin + timedelta(minutes=passed) for passed in range(2 * 1440)]
    walked = [_open(entries, moment) for moment in moments]
    change = next((moment for moment, answer in zip(moments, walked, strict=True) if answer != walked[0]), None)
    assert open_hours.open(begin.timestamp()) == walked[0]
    if change is None:
        assert open_hours.changes_at(begin.timestamp()) > moments[-1].timestamp()
    else:
        assert open_hours.changes_at(begin.timestamp()) == change.timestamp()
    for moment, answer in zip(moments, walked, strict=True):
        assert open_hours.open(moment.timestamp()) == answer


def _open(entries: list[Hours], moment: datetime) -> bool:
    for each in entries:
        local = moment.astimezone(ZoneInfo(each.zone))
        if local.weekday() in each.weekdays and each.begin_minute <= local.hour * 60 + local.minute < each.end_minute:
            return True
    return False
