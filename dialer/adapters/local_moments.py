"""The clocks and public holidays of many moments at once: no date is made of a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from compliance.calendars import has_calendar, is_holiday
from compliance.zones import DAY_S, offset_pieces

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
_EPOCH = date(1970, 1, 1)


def offsets_of(at: Floats, zone: NDArray[np.int64], zones: Sequence[str]) -> Ints:
    """Return local time minus UTC, seconds, of each moment `at` (UTC seconds) in its `zone` (index into `zones`).

    Exact to the second: each zone's day is looked up once, a day of two offsets in its pieces. Raises `KeyError` for
    what is no IANA zone.
    """
    offsets = np.zeros(len(at), dtype=np.int32)
    for rows, code, day in _groups(zone, np.floor_divide(at, DAY_S).astype(np.int64)):
        for begin, _, offset in offset_pieces(zones[code], day):
            offsets[rows[at[rows] >= begin]] = offset
    return offsets


def holidays_of(
    at: Floats, offset_s: Ints, calendar: NDArray[np.int64], calendars: Sequence[Sequence[str]]
) -> NDArray[np.bool_]:
    """Return whether each moment's local day is a public holiday of its place: `calendar` is an index into `calendars`,
    each the codes of one place, of which any closes the day. A code that has no calendar closes none."""
    flags = np.zeros(len(at), dtype=np.bool_)
    for rows, place, number in _groups(calendar, np.floor_divide(at + offset_s, DAY_S).astype(np.int64)):
        day = _EPOCH + timedelta(days=number)
        flags[rows] = any(is_holiday(code, day) for code in calendars[place] if has_calendar(code))
    return flags


def _groups(code: NDArray[np.int64], day: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], int, int]]:
    """Return (rows, code, day) of each pair that there is."""
    if not len(code):
        return []
    order = np.lexsort((day, code))
    edges = np.flatnonzero((np.diff(code[order]) != 0) | (np.diff(day[order]) != 0)) + 1
    return [(rows, int(code[rows[0]]), int(day[rows[0]])) for rows in np.split(order, edges)]
