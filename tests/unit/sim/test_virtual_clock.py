"""Virtual time: wake-up calls in the order of their times, and of asking where times are equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.clock import VirtualClock


@given(st.lists(st.tuples(st.floats(-50.0, 50.0), st.booleans()), max_size=40))
def test_calls_come_once_each_in_order_unless_called_off(asked: list[tuple[float, bool]]) -> None:
    clock = VirtualClock(0.0)
    made: list[tuple[float, int]] = []
    for index, (at, keep) in enumerate(asked):
        wake_up = clock.call_at(at, lambda index=index: made.append((clock.now(), index)))
        if not keep:
            wake_up.cancel()
    while clock.advance():
        pass
    expected = sorted((max(at, 0.0), index) for index, (at, keep) in enumerate(asked) if keep)
    assert made == expected
    assert clock.next_at is None and not clock.advance()


def test_time_stands_still_until_it_is_told_to_go_on() -> None:
    clock = VirtualClock(100.0)
    clock.call_at(160.0, lambda: None)
    assert (clock.now(), clock.next_at) == (100.0, 160.0)
    assert clock.advance() and clock.now() == 160.0


def test_a_call_may_ask_for_others_also_for_a_time_that_has_passed() -> None:
    clock = VirtualClock(0.0)
    seen: list[tuple[float, str]] = []

    def first() -> None:
        seen.append((clock.now(), "first"))
        clock.call_at(1.0, lambda: seen.append((clock.now(), "past")))

    clock.call_at(5.0, first)
    clock.call_at(5.0, lambda: seen.append((clock.now(), "second")))
    while clock.advance():
        pass
    assert seen == [(5.0, "first"), (5.0, "second"), (5.0, "past")]


def test_a_call_that_was_called_off_by_another_at_the_same_time_is_not_made() -> None:
    clock = VirtualClock(0.0)
    seen: list[str] = []
    clock.call_at(1.0, lambda: later.cancel())
    later = clock.call_at(1.0, lambda: seen.append("later"))
    while clock.advance():
        pass
    assert seen == [] and clock.now() == 1.0
