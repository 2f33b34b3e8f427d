"""A cap by this count holds on the calendar day of every zone, and this time tomorrow all is free again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carriers.day_count import DayCount

times = st.lists(st.floats(0.0, 3 * 86_400.0), max_size=200).map(sorted)


@given(times, st.floats(0.0, 86_400.0))
def test_it_counts_from_the_same_quarter_of_an_hour_of_yesterday(times: list[float], later: float) -> None:
    count = DayCount()
    for at in times:
        count.add(at)
    now = (times[-1] if times else 0.0) + later
    assert count.total(now) == sum(at // 900 > now // 900 - 96 for at in times)


@given(times, st.lists(st.floats(0.0, 4 * 86_400.0)))
def test_looking_changes_nothing(times: list[float], looks: list[float]) -> None:
    looked, plain = DayCount(), DayCount()
    for at in times:
        for count in (looked, plain):
            count.add(at)
        for look in looks:
            looked.total(at + look)
        assert looked == plain


@given(times, st.integers(1, 5), st.integers(-56, 56))
def test_a_cap_holds_on_the_calendar_day_of_every_zone(times: list[float], cap: int, quarters_from_utc: int) -> None:
    count, placed = DayCount(), []
    for at in times:
        if count.total(at) < cap:
            count.add(at)
            placed.append(at)
    days = [(at + quarters_from_utc * 900) // 86_400 for at in placed]
    assert all(days.count(day) <= cap for day in days)


def test_what_was_done_yesterday_leaves_room_at_the_same_time_today() -> None:
    count = DayCount()
    for minute in range(60):
        count.add(9 * 3600 + 60 * minute)
    assert count.total(86_400 + 9 * 3600 + 60 * 20) == 60 - 30
    assert count.total(86_400 + 10 * 3600) == 0
