"""Dense rows: whatever is added and removed, the columns hold exactly the live owners' values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.live_rows import LiveRows


class Owner:
    row = -1


@given(st.lists(st.integers(0, 9), max_size=60))
def test_rows_follow_their_owners(picks: list[int]) -> None:
    rows = LiveRows(columns=2, capacity=2)
    owners = [Owner() for _ in range(10)]
    live: set[int] = set()
    for index in picks:
        if index in live:
            rows.remove(owners[index])
            live.discard(index)
            assert owners[index].row == -1
        else:
            rows.add(owners[index], float(index), 100.0 + index)
            live.add(index)
        assert len(rows) == len(live)
        assert {i: rows.column(0)[owners[i].row] for i in live} == {i: float(i) for i in live}
        assert sorted(rows.column(1)) == sorted(100.0 + i for i in live)


def test_removing_one_that_has_no_row_changes_nothing() -> None:
    rows = LiveRows(columns=1)
    rows.remove(Owner())
    assert len(rows) == 0
