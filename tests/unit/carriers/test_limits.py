"""Each kind of limit counts as its provider does, to the last bit of a float."""

from __future__ import annotations

import json
from math import inf, nextafter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carriers.limits import counter_of, sustained
from carriers.supply import LimitKind, SetUpLimit
from tests.property.provider_counts import HOLDS, LEFT

AT = 1_790_000_000.125
KINDS: tuple[LimitKind, ...] = ("rolling", "bucket", "clock")


def limit_of(kind: LimitKind, calls: int, per_s: float) -> SetUpLimit:
    return SetUpLimit(calls=calls, per_s=per_s, kind=kind)


limits = st.builds(
    limit_of,
    st.sampled_from(KINDS),
    st.integers(1, 7),
    st.one_of(st.sampled_from([0.1, 1.0, 2.0, 5.0, 7.0, 1 / 3, 60.0, 3600.0, 86_400.0]), st.floats(1e-3, 1000.0)),
)
starts = st.one_of(st.sampled_from([0.0, 86_399.5, AT, 1_789_948_799.9]), st.floats(0.0, 4e9))
pauses = st.lists(
    st.one_of(st.just(0.0), st.floats(0.0, 1e-5), st.floats(0.0, 3.0), st.floats(0.0, 1e5), st.just(inf)), max_size=40
)


@settings(max_examples=400, deadline=None)
@given(limits, starts, pauses)
@example(limit_of("bucket", 3, 1.0), AT, [inf] * 40)
@example(limit_of("bucket", 1, 0.1), AT, [inf] * 40)
@example(limit_of("rolling", 1, 0.1), AT, [inf] * 40)
@example(limit_of("clock", 1, 1 / 3), AT, [inf] * 40)
def test_what_is_left_is_what_the_provider_has_left(limit: SetUpLimit, start: float, steps: list[float]) -> None:
    counter, left = counter_of(limit), LEFT[limit.kind]
    now, taken = start, list[float]()
    for step in steps:  # inf: until there is room again
        now = counter.next_at(now) if step == inf else now + step
        assert counter.left(now) == left(limit, taken, now)
        if counter.left(now):
            counter.take(now)
            taken.append(now)
    assert HOLDS[limit.kind](limit, taken)


@settings(max_examples=400, deadline=None)
@given(limits, starts, pauses, st.integers(1, 8))
def test_the_next_time_is_the_earliest_and_is_no_float_too_early(
    limit: SetUpLimit, start: float, steps: list[float], calls: int
) -> None:
    counter, left = counter_of(limit), LEFT[limit.kind]
    now, taken = start, list[float]()
    for step in steps:
        now += min(step, limit.per_s)
        if counter.left(now):
            counter.take(now)
            taken.append(now)
        at = counter.next_at(now, calls)
        if calls > limit.calls:
            assert at == inf
        elif at > now:
            assert left(limit, taken, nextafter(at, 0.0)) < calls <= left(limit, taken, at)
        else:
            assert at == now and left(limit, taken, now) >= calls
    assert not taken or counter.next_at(now) < inf


@settings(max_examples=200, deadline=None)
@given(limits, starts, pauses)
def test_a_counter_restored_from_text_goes_on_as_the_first_would(
    limit: SetUpLimit, start: float, steps: list[float]
) -> None:
    counter, now = counter_of(limit), start
    for step in steps:
        now += min(step, limit.per_s)
        second = counter_of(limit)
        second.take(now)  # what it remembered is replaced
        second.restore(json.loads(json.dumps(counter.values(), allow_nan=False)))
        for calls in (1, 2, limit.calls):
            assert second.next_at(now, calls) == counter.next_at(now, calls)
        assert second.left(now) == counter.left(now) and second.values() == counter.values()
        if counter.left(now):
            counter.take(now)


def test_one_in_a_rolling_window_leaves_it_when_the_window_is_over() -> None:
    counter = counter_of(limit_of("rolling", 2, 5.0))
    counter.take(100.0)
    counter.take(103.0)
    assert counter.left(104.999) == 0 and counter.next_at(103.0) == 105.0
    assert counter.left(105.0) == 1 and counter.next_at(105.0, 2) == 108.0
    assert counter.left(108.0) == 2


def test_a_bucket_is_full_at_the_start_and_refills_steadily() -> None:
    counter = counter_of(limit_of("bucket", 4, 2.0))
    for _ in range(4):
        counter.take(10.0)
    assert [counter.next_at(10.0, calls) for calls in (1, 2, 3, 4)] == [10.5, 11.0, 11.5, 12.0]
    assert [counter.left(at) for at in (10.499, 10.5, 11.75, 12.0, 99.0)] == [0, 1, 3, 4, 4]


def test_a_bucket_never_holds_more_than_it_may() -> None:
    counter = counter_of(limit_of("bucket", 2, 1.0))
    counter.take(0.0)
    counter.take(1000.0)
    counter.take(1000.0)
    assert counter.left(1000.0) == 0 and counter.next_at(1000.0) == 1000.5


def test_a_bucket_that_is_never_full_loses_nothing_in_a_day() -> None:
    """3 a second: the time for a token, a third of a second, is no float."""
    counter, now = counter_of(limit_of("bucket", 3, 1.0)), AT
    for _ in range(60_000):
        now = counter.next_at(now)
        counter.take(now)
    assert now == AT + (60_000 - 3) / 3


def test_periods_of_the_clock_begin_at_midnight_and_at_each_multiple() -> None:
    midnight = 20_000 * 86_400.0
    counter = counter_of(limit_of("clock", 3, 7.0))  # 86,400 is no multiple of 7: the last period is of 6 s
    for _ in range(3):
        counter.take(midnight + 13.9)
    assert counter.left(midnight + 13.999) == 0 and counter.next_at(midnight + 13.9) == midnight + 14.0
    assert counter.left(midnight + 14.0) == 3
    for _ in range(3):
        counter.take(midnight + 86_395.0)
    assert counter.next_at(midnight + 86_395.0) == midnight + 86_400.0
    counter.take(midnight + 86_400.0)
    assert counter.left(midnight + 86_406.999) == 2 and counter.left(midnight + 86_407.0) == 3


def test_a_clock_lets_twice_as_many_through_around_the_second() -> None:
    """That is how such a provider counts; a rolling window of the same size would refuse half of them."""
    counter = counter_of(limit_of("clock", 3, 1.0))
    for at in (9.9, 9.95, 9.99, 10.0, 10.01, 10.02):
        assert counter.left(at)
        counter.take(at)
    assert not counter.left(10.5)


def test_less_than_one_a_second_is_one_in_a_longer_time() -> None:
    for kind in KINDS:
        counter = counter_of(limit_of(kind, 1, 2.0))
        counter.take(20.0)
        assert counter.left(21.999) == 0 and counter.next_at(20.0) == 22.0 and counter.left(22.0) == 1


def test_a_rolling_window_remembers_no_more_than_it_must() -> None:
    counter = counter_of(limit_of("rolling", 150, 5.0))
    now = AT
    for _ in range(2000):
        now = counter.next_at(now)
        counter.take(now)
        assert len(counter.values()) <= 150


@pytest.mark.parametrize(
    ("kind", "calls", "per_s", "expected"),
    [
        ("rolling", 0, 1.0, "at least 1 call, was 0"),
        ("bucket", 1, 0.0, "more than 0 seconds, was 0.0"),
        ("bucket", 1, inf, "more than 0 seconds, was inf"),
        ("rolling", 1, float("nan"), "more than 0 seconds, was nan"),
        ("clock", 1, 86_401.0, "at most 86400 seconds"),
        ("sliding", 1, 1.0, "rolling, bucket, clock, was 'sliding'"),
    ],
)
def test_a_limit_that_no_provider_can_mean_is_refused(kind: LimitKind, calls: int, per_s: float, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        counter_of(limit_of(kind, calls, per_s))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("rolling", [1.0, 2.0, 3.0]),
        ("rolling", [2.0, 1.0]),
        ("bucket", [1.0]),
        ("bucket", [1.0, 0.0]),
        ("clock", [1.0, 3.0]),
        ("clock", [1.0, 0.0]),
        ("clock", [1.0, 1.0, 1.0]),
    ],
)
def test_what_was_not_remembered_by_such_a_counter_is_refused(kind: LimitKind, values: list[float]) -> None:
    counter = counter_of(limit_of(kind, 2, 1.0))
    counter.take(5.0)
    before = counter.values()
    with pytest.raises(ValueError, match="expected"):
        counter.restore(values)
    assert counter.values() == before


def test_the_sustained_rate_is_that_of_the_slowest_limit() -> None:
    assert sustained(()) == inf
    assert sustained((limit_of("rolling", 150, 5.0), limit_of("bucket", 31, 1.0))) == 30.0
