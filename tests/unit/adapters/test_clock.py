"""The system's clock: UTC, never backwards, never left behind by a machine that slept."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters import clock
from dialer.adapters.clock import SystemClock


class Times:
    """The machine's two clocks, told by a test."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.since_boot = 500.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.since_boot


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    told = Times()
    monkeypatch.setattr(clock, "time", told)
    return told


def test_it_shows_the_time_of_day_in_utc() -> None:
    assert SystemClock().now() == pytest.approx(time.time(), abs=1.0)
    assert SystemClock(shift_s=-7200.0).now() == pytest.approx(time.time() - 7200.0, abs=1.0)


def test_a_wall_clock_that_is_set_back_does_not_turn_time_back(times: Times) -> None:
    ours = SystemClock()
    before = ours.now()
    times.wall -= 3600.0
    times.since_boot += 5.0
    assert ours.now() == before + 5.0


def test_a_machine_that_slept_does_not_dial_by_the_old_hour(times: Times) -> None:
    ours = SystemClock(shift_s=100.0)
    times.wall += 8 * 3600.0
    times.since_boot += 1.0
    assert ours.now() == times.wall + 100.0
    times.wall += 10.0
    times.since_boot += 10.0
    assert ours.now() == times.wall + 100.0


def test_small_corrections_of_the_wall_clock_are_not_followed(times: Times) -> None:
    ours = SystemClock()
    before = ours.now()
    times.wall += 0.5
    assert ours.now() == before


@given(st.lists(st.tuples(st.floats(-9000.0, 9000.0), st.floats(0.0, 100.0)), max_size=30))
def test_time_never_runs_backwards(steps: list[tuple[float, float]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        times = Times()
        patch.setattr(clock, "time", times)
        ours = SystemClock()
        last = ours.now()
        for jump, elapsed in steps:
            times.wall += jump + elapsed
            times.since_boot += elapsed
            now = ours.now()
            assert now >= last + elapsed - 1e-6 * abs(now)
            last = now


async def test_a_wake_up_comes_at_its_time_and_not_before_and_can_be_called_off() -> None:
    ours = SystemClock()
    begin, woken = ours.now(), asyncio.Event()
    calls: list[float] = []
    called_off = ours.call_at(begin + 0.01, lambda: calls.append(-1.0))
    ours.call_at(begin + 0.03, lambda: (calls.append(ours.now()), woken.set()))
    ours.call_at(begin - 60.0, lambda: calls.append(0.0))  # has passed: now
    called_off.cancel()
    async with asyncio.timeout(5.0):
        await woken.wait()
    assert calls[0] == 0.0 and len(calls) == 2
    assert calls[1] >= begin + 0.03 - 0.002  # the loop's own resolution
