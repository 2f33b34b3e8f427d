"""Timers come in the order of their times, and in the order of asking where those are equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.timers import TimerKind, Timers


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 5))
def test_due_timers_are_a_stable_sort(times: list[int], now: int) -> None:
    timers = Timers()
    for subject, at in enumerate(times):
        timers.set(float(at), TimerKind.TICK, subject)
    expected = [s for s, at in sorted(enumerate(times), key=lambda entry: entry[1]) if at <= now]
    assert [subject for _, subject in timers.due(float(now))] == expected
    left = [at for at in times if at > now]
    assert [entry[0] for entry in timers.heap[:1]] == [float(at) for at in sorted(left)[:1]]
