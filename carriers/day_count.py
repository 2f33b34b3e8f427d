"""How often something happened today, whatever zone "today" is meant in."""

from __future__ import annotations

import msgspec

QUARTER_S = 900
DAY_QUARTERS = 96


class DayCount(msgspec.Struct):
    """A count over the running quarter of an hour and the 95 before it.

    The local midnight of every zone falls on a quarter-hour of UTC, so this covers at least the calendar day so far in
    all of them, and nothing of this time yesterday: what is capped by it is capped in each place's own day.
    """

    quarters: list[tuple[int, int]] = []  # (number of the quarter-hour since 1970, count), ascending
    sum: int = 0

    def add(self, now: float) -> None:
        """Count one more at `now`, UTC seconds, which never runs backwards."""
        quarter = int(now // QUARTER_S)
        while self.quarters and self.quarters[0][0] <= quarter - DAY_QUARTERS:
            self.sum -= self.quarters.pop(0)[1]
        if self.quarters and self.quarters[-1][0] >= quarter:
            last, count = self.quarters[-1]
            self.quarters[-1] = (last, count + 1)
        else:
            self.quarters.append((quarter, 1))
        self.sum += 1

    def total(self, now: float) -> int:
        """Return the count at `now`; looking changes nothing."""
        oldest = int(now // QUARTER_S) - DAY_QUARTERS
        total = self.sum
        for quarter, count in self.quarters:
            if quarter > oldest:
                break
            total -= count
        return total
