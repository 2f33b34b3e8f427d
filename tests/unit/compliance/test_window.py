"""Hours on the UTC line; the slow oracle for them is tests/property/test_compliance_window.py."""

from datetime import date

import pytest

from compliance.window import CallingHours, Hours, closures, open_times, week_of, window_state
from tests.unit.compliance.law import EVERY_DAY, at, window

LIMA, NEW_YORK = "America/Lima", "America/New_York"
DAYTIME = CallingHours(rule="day", week=week_of([window(8, 21)]))


def test_touching_windows_are_one():
    assert week_of([window(8, 12), window(12, 20), window(9, 10)])[0] == ((8 * 3600, 20 * 3600),)


def test_without_windows_all_is_open():
    assert week_of(()) == (((0, 86_400),),) * 7


def test_a_span_is_half_open():
    hours = Hours([DAYTIME])
    begin, end = at("2026-07-15T08:00", LIMA), at("2026-07-15T21:00", LIMA)
    assert not window_state(hours, (LIMA,), begin - 0.001, 0.0).open
    assert window_state(hours, (LIMA,), begin, 0.0).changes_at == end
    assert window_state(hours, (LIMA,), end - 0.001, 0.0).open
    assert not window_state(hours, (LIMA,), end, 0.0).open


@pytest.mark.parametrize(("before_end", "is_open"), [(45.001, True), (45.0, False), (44.0, False)])
def test_a_call_must_have_rung_before_the_end(before_end, is_open):
    end = at("2026-07-15T21:00", LIMA)
    assert window_state(Hours([DAYTIME]), (LIMA,), end - before_end, 45.0).open == is_open


def test_days_that_are_open_all_day_are_joined_at_midnight():
    hours = Hours([CallingHours(rule="r", week=week_of([window(8, 24, (0,)), window(0, 10, (1,))]))])
    monday = at("2026-07-13T23:59:59", LIMA)
    assert window_state(hours, (LIMA,), monday, 45.0).changes_at == at("2026-07-14T10:00", LIMA) - 45


def test_a_rule_holds_on_its_dates_and_not_where_another_stands_in():
    rule = CallingHours(
        rule="r",
        week=week_of([window(8, 21)]),
        first=date(2026, 7, 10),
        last=date(2026, 7, 20),
        covered=((date(2026, 7, 13), date(2026, 7, 14)), (date(2026, 7, 18), None)),
    )
    held = [day for day in range(1, 32) if rule.holds_on(date(2026, 7, day))]
    assert held == [10, 11, 12, 15, 16, 17]


def test_hours_that_a_clock_skips_or_repeats_are_as_long_as_they_are():
    night = Hours([CallingHours(rule="r", week=week_of([window(1, 4)]))])
    spring, autumn = at("2026-03-08T00:00", NEW_YORK), at("2026-11-01T00:00", NEW_YORK)
    (skipped,) = [end - begin for begin, end in open_times(night, (NEW_YORK,), spring, 0.0, days=1)]
    (repeated,) = [end - begin for begin, end in open_times(night, (NEW_YORK,), autumn, 0.0, days=1)]
    assert (skipped, repeated) == (2 * 3600, 4 * 3600)


def test_an_hour_that_is_repeated_opens_twice():
    once = Hours([CallingHours(rule="r", week=week_of([window(1, 2, EVERY_DAY)]))])
    autumn = at("2026-11-01T00:00", NEW_YORK)
    spans = list(open_times(once, (NEW_YORK,), autumn, 0.0, days=1))
    assert [end - begin for begin, end in spans] == [2 * 3600]  # 01:00 to 02:00 in summer time, and again after it


def test_every_rule_that_closes_is_named_once_for_each_cause():
    hours = Hours(
        [
            DAYTIME,
            CallingHours(rule="feast", week=week_of([window(8, 9)]), calendars=("PE",)),
            CallingHours(rule="campaign.closed_dates", week=week_of(()), closed_dates=frozenset({date(2026, 7, 28)})),
        ]
    )
    at_night = at("2026-07-28T23:00", LIMA)
    found = [(rule.rule, zone, what) for rule, zone, what in closures(hours, (LIMA, "America/Bogota"), at_night)]
    assert found == [
        ("day", LIMA, "day.hours"),
        ("feast", LIMA, "feast.holiday"),
        ("campaign.closed_dates", LIMA, "campaign.closed_dates"),
    ]


def test_two_zones_may_close_for_two_causes():
    hours = Hours([CallingHours(rule="r", week=week_of([window(8, 21)]), calendars=("PE",))])
    # 23:00 on the 27th in Lima, closed by the hour, is 06:00 on the 28th, a holiday, in Madrid.
    now = at("2026-07-27T23:00", LIMA)
    assert [what for _, _, what in closures(hours, (LIMA, "Europe/Madrid"), now)] == ["r.hours", "r.holiday"]
