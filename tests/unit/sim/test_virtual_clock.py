"""Virtual time: wake-up calls in the order of their times, and of asking where times are equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.clock import VirtualClock, wake_of


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


@given(st.lists(st.tuples(st.floats(-5.0, 5.0), st.booleans(), st.booleans()), max_size=30))
def test_both_kinds_of_calls_keep_one_order(asked: list[tuple[float, bool, bool]]) -> None:
    clock = VirtualClock(0.0)
    made: list[tuple[float, int]] = []

    def note(index: int) -> None:
        made.append((clock.now(), index))

    for index, (at, cheap, keep) in enumerate(asked):
        if cheap:
            clock.wake_at(at, note, index)
        else:
            wake_up = clock.call_at(at, lambda index=index: note(index))
            if not keep:
                wake_up.cancel()
    due = [(max(at, 0.0), index) for index, (at, cheap, keep) in enumerate(asked) if cheap or keep]
    assert clock.next_at == min((at for at, _ in due), default=None)
    while clock.advance():
        pass
    assert made == sorted(due)


def test_a_clock_of_another_kind_makes_cheap_calls_by_its_own_means() -> None:
    class Other:
        def __init__(self) -> None:
            self.inner = VirtualClock(3.0)
            self.now, self.call_at = self.inner.now, self.inner.call_at

    other, seen = Other(), list[str]()
    wake_of(other)(4.0, seen.append, "called")
    assert other.inner.advance() and (seen, other.now()) == (["called"], 4.0)
