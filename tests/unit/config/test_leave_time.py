"""Times of leaving, as they are typed."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config.leave_time import leave_time
from dialer.errors import ConfigError

NOW = datetime(2026, 11, 23, 12, 30).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13:00", datetime(2026, 11, 23, 13, 0)),
        ("9:05", datetime(2026, 11, 24, 9, 5)),
        ("12:30", datetime(2026, 11, 24, 12, 30)),
        ("10m", datetime(2026, 11, 23, 12, 40)),
        ("90s", datetime(2026, 11, 23, 12, 31, 30)),
        ("1.5h", datetime(2026, 11, 23, 14, 0)),
    ],
)
def test_a_clock_time_is_the_next_one_and_a_span_counts_from_now(text: str, expected: datetime) -> None:
    assert leave_time(text, NOW) == expected.timestamp()


def test_never_takes_it_back() -> None:
    assert leave_time("never", NOW) is None


@pytest.mark.parametrize("text", ["", "25:00", "13:60", "13", "-5m", "25h", "10 m", "soon", "١٠m"[:2]])
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a time such as 13:00"):
        leave_time(text, NOW)


@given(st.integers(0, 23), st.integers(0, 59), st.floats(1.7e9, 1.9e9))
def test_a_clock_time_is_within_the_next_day_and_reads_so(hour: int, minute: int, now: float) -> None:
    at = leave_time(f"{hour:02}:{minute:02}", now)
    assert at is not None and now < at <= now + 25 * 3600.0
    there = datetime.fromtimestamp(at)
    assert (there.hour, there.minute, there.second) == (hour, minute, 0)
