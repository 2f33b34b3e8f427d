"""Clocks and holidays of many moments at once, against one date after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dialer.adapters.local_moments import holidays_of, offsets_of

ZONES = ("America/Lima", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


def test_every_offset_is_the_one_of_its_own_date() -> None:
    rng = np.random.default_rng(7)
    begin = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    at = begin + rng.uniform(0.0, 365 * 86400.0, 2000)
    change = datetime(2026, 11, 1, 6, 0, tzinfo=UTC).timestamp()  # New York's clock goes back
    at[:4] = [change - 1, change - 0.25, change, change + 1]
    zone = rng.integers(0, len(ZONES), len(at))
    zone[:4] = 1
    expected = []
    for moment, code in zip(at, zone, strict=True):
        offset = datetime.fromtimestamp(float(moment), ZoneInfo(ZONES[code])).utcoffset()
        assert offset is not None
        expected.append(int(offset.total_seconds()))
    found = offsets_of(at, zone, ZONES)
    assert found.tolist() == expected
    assert found[:4].tolist() == [-4 * 3600, -4 * 3600, -5 * 3600, -5 * 3600]


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        offsets_of(np.array([0.0]), np.array([0]), ("Mars/Base",))


def test_a_holiday_is_one_of_the_local_day_and_country() -> None:
    evening = datetime(2026, 7, 27, 23, 30, tzinfo=ZoneInfo("America/Lima")).timestamp()  # the 28th in UTC
    at = np.array([evening, evening + 3600.0, evening + 3600.0, evening + 3600.0])
    offset = np.full(4, -5 * 3600, dtype=np.int32)
    assert date(2026, 7, 28).isoweekday() == 2
    flags = holidays_of(at, offset, np.array([0, 0, 1, 2]), (("PE",), ("MX", "XX"), ()))
    assert flags.tolist() == [False, True, False, False]
    assert holidays_of(at, offset, np.zeros(4, dtype=np.int64), (("MX", "PE"),)).tolist() == [False, True, True, True]


def test_nothing_gives_nothing() -> None:
    none = np.array([], dtype=np.int64)
    assert len(offsets_of(np.array([]), none, ())) == 0
    assert len(holidays_of(np.array([]), np.array([], dtype=np.int32), none, ())) == 0
