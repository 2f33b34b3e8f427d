"""A trunk's limits hold whatever is planned, placed and given back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.trunk import TrunkLoad

moves = st.lists(
    st.tuples(st.sampled_from(["plan", "place", "drop", "end"]), st.floats(0.0, 0.7, allow_subnormal=False)),
    max_size=120,
)


@settings(max_examples=300, deadline=None)
@given(moves, st.floats(0.1, 6.0), st.integers(1, 8))
def test_the_rate_holds_in_every_window_and_the_channels_are_never_exceeded(
    steps: list[tuple[str, float]], max_cps: float, channels: int
) -> None:
    trunk = TrunkLoad("t1", max_channels=channels, max_cps=max_cps)
    window_s = max(1.0, 1.0 / max_cps)
    now, placed_at, planned, live = 0.0, [], 0, 0
    for move, pause in steps:
        now += pause
        if move == "plan" and trunk.room(now) > 0:
            trunk.take()
            planned += 1
        elif move == "place" and planned and trunk.set_up(now):
            placed_at.append(now)
            planned, live = planned - 1, live + 1
        elif move == "drop" and planned:
            trunk.give_back(set_up=False)
            planned -= 1
        elif move == "end" and live:
            trunk.give_back(set_up=True)
            live -= 1
        assert trunk.in_use == planned + live <= channels
        assert trunk.planned == planned
        assert 0 <= trunk.room(now) <= trunk.free_channels
    for end in placed_at:
        recent = [at for at in placed_at if at <= end and end < at + window_s]
        assert len(recent) <= max(1.0, max_cps * window_s)


@given(st.floats(0.1, 20.0), st.floats(0.0, 1e9))
def test_a_trunk_that_is_always_asked_reaches_its_rate(max_cps: float, start: float) -> None:
    trunk = TrunkLoad("t1", max_channels=1000, max_cps=max_cps)
    now, placed = start, []
    for _ in range(60):
        now = trunk.next_set_up_at(now)
        trunk.take()
        assert trunk.set_up(now), "the time it named itself"
        placed.append(now)
    assert all(earlier <= later for earlier, later in pairwise(placed))
    window_s = max(1.0, 1.0 / max_cps)
    per_window = int(max_cps * window_s + 1e-9) or 1
    assert placed[-1] - start <= (60 / per_window) * window_s + 1e-3


def test_planned_calls_take_room_from_the_window_before_they_are_placed() -> None:
    trunk = TrunkLoad("t1", max_channels=10, max_cps=3)
    trunk.take()
    assert trunk.set_up(0.0) and trunk.room(0.0) == 2
    trunk.take()
    assert trunk.room(0.0) == 1
    trunk.give_back(set_up=False)
    assert trunk.room(0.0) == 2
    assert trunk.room(0.999) == 2 and trunk.room(1.0) == 3


@pytest.mark.parametrize(("max_cps", "until"), [(0.25, 4.0), (0.5, 2.0), (1.0, 1.0)])
def test_less_than_one_a_second_is_one_in_a_longer_window(max_cps: float, until: float) -> None:
    trunk = TrunkLoad("t1", max_channels=10, max_cps=max_cps)
    trunk.take()
    trunk.take()
    assert trunk.set_up(0.0)
    assert not trunk.set_up(until - 0.001)
    assert trunk.next_set_up_at(0.0) == until
    assert trunk.set_up(until)
