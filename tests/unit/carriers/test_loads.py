"""What trunks and accounts carry: planned, placed, given back; shared limits; snapshots."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from carriers.loads import UNLIMITED, Loads
from carriers.supply import Carrier, LimitKind, SetUpLimit, Supply, Trunk


def bucket(calls: int, per_s: float = 1.0) -> tuple[SetUpLimit, ...]:
    return (SetUpLimit(calls=calls, per_s=per_s, kind="bucket"),)


def supply_of(*trunks: tuple[str, int, tuple[SetUpLimit, ...]], carriers: tuple[Carrier, ...] = ()) -> Supply:
    """Trunks as carrier, channels and limits; a carrier that is not given has no limits of its own."""
    known = {carrier.name for carrier in carriers}
    others = {name: Carrier(name=name) for name, _, _ in trunks if name not in known}
    return Supply(
        carriers=(*carriers, *others.values()),
        trunks=tuple(
            Trunk(name=f"t{place}", carrier=name, max_channels=channels, limits=limits)
            for place, (name, channels, limits) in enumerate(trunks)
        ),
    )


SHARED = supply_of(
    ("telnyx", 4, bucket(3)),
    ("telnyx", 4, bucket(3)),
    ("other", 2, ()),
    carriers=(
        Carrier(name="telnyx", max_channels=5, limits=(SetUpLimit(calls=4, per_s=5.0, kind="rolling"),)),
        Carrier(name="other"),
    ),
)


def room_at(loads: Loads, now: float) -> tuple[list[int], list[int]]:
    room = loads.room(now)
    assert room.trunk.dtype == room.account.dtype == np.int64
    return room.trunk.tolist(), room.account.tolist()


def planned_of(loads: Loads, trunk: int) -> int:
    return int(loads.snapshot()["trunks"][f"t{trunk}"][1])


def test_room_is_the_least_of_channels_and_limits() -> None:
    loads = Loads(SHARED)
    assert room_at(loads, 0.0) == ([3, 3, 2], [4, UNLIMITED])
    assert loads.free_channels == 5 + 2 and loads.total_room(0.0) == 4 + 2


def test_a_planned_call_uses_a_channel_and_room_of_every_limit() -> None:
    loads = Loads(SHARED)
    loads.take(0)
    assert (loads.in_use(0), planned_of(loads, 0)) == (1, 1)
    assert room_at(loads, 0.0) == ([2, 3, 2], [3, UNLIMITED]) and loads.free_channels == 4 + 2
    loads.give_back(0, set_up=False)
    assert room_at(loads, 0.0) == ([3, 3, 2], [4, UNLIMITED]) and loads.in_use(0) == planned_of(loads, 0) == 0


def test_a_placed_call_keeps_its_channel_and_no_longer_counts_as_planned() -> None:
    loads = Loads(SHARED)
    loads.take(0)
    assert loads.set_up(0, 0.0) and (loads.in_use(0), planned_of(loads, 0)) == (1, 0)
    assert room_at(loads, 0.0) == ([2, 3, 2], [3, UNLIMITED])
    loads.give_back(0, set_up=True)
    assert room_at(loads, 0.0) == ([2, 3, 2], [3, UNLIMITED])
    assert room_at(loads, 0.34) == ([3, 3, 2], [3, UNLIMITED])
    assert room_at(loads, 5.0) == ([3, 3, 2], [4, UNLIMITED])


def test_planned_calls_beyond_the_limits_leave_no_room_until_all_of_them_fit() -> None:
    loads = Loads(supply_of(("a", 9, bucket(2))))
    for _ in range(4):
        loads.take(0)
    assert room_at(loads, 0.0)[0] == [0]
    assert loads.set_up(0, 0.0) and loads.set_up(0, 0.0) and not loads.set_up(0, 0.0)
    assert loads.next_set_up_at(0, 0.0) == 0.5
    assert room_at(loads, 1.0)[0] == [0]
    assert loads.set_up(0, 1.0) and loads.set_up(0, 1.0)
    assert room_at(loads, 1.0)[0] == [0] and room_at(loads, 1.5)[0] == [1]


def test_trunks_of_one_account_share_its_set_ups() -> None:
    loads = Loads(SHARED)
    for trunk in (0, 0, 0, 1, 1):
        loads.take(trunk)
    assert all(loads.set_up(trunk, 7.0) for trunk in (0, 0, 0, 1))
    assert not loads.set_up(1, 7.0), "the account's four are used up"
    assert planned_of(loads, 1) == 1
    assert loads.next_set_up_at(1, 7.0) == 12.0 and loads.next_set_up_at(2, 7.0) == 7.0
    assert not loads.set_up(1, 11.999) and loads.set_up(1, 12.0)


def test_a_refused_set_up_uses_nothing_of_any_limit() -> None:
    supply = supply_of(("a", 9, bucket(2)), carriers=(Carrier(name="a", limits=bucket(1, 10.0)),))
    loads = Loads(supply)
    loads.take(0)
    loads.take(0)
    assert loads.set_up(0, 0.0)
    before = loads.snapshot()
    assert not loads.set_up(0, 0.0) and loads.snapshot() == before
    assert loads.next_set_up_at(0, 0.0) == 10.0


def test_trunks_of_one_account_share_its_channels() -> None:
    loads = Loads(SHARED)
    for trunk in (0, 0, 0, 0, 1):
        loads.take(trunk)
    assert room_at(loads, 0.0)[1][0] == 0 and loads.free_channels == 2
    with pytest.raises(ValueError, match="a free channel of 'telnyx', were 5 in use"):
        loads.take(1)
    assert loads.in_use(1) == 1, "a refused call uses nothing"
    with pytest.raises(ValueError, match="a free channel of 't0', were 4 in use"):
        loads.take(0)


def test_what_is_not_held_is_neither_placed_nor_given_back() -> None:
    loads = Loads(SHARED)
    with pytest.raises(ValueError, match="a planned call on trunk 't0', was none"):
        loads.set_up(0, 0.0)
    loads.take(0)
    with pytest.raises(ValueError, match="a placed call on trunk 't0', was none"):
        loads.give_back(0, set_up=True)
    loads.set_up(0, 0.0)
    with pytest.raises(ValueError, match="a planned call on trunk 't0', was none"):
        loads.give_back(0, set_up=False)
    assert (loads.in_use(0), planned_of(loads, 0)) == (1, 0)


def test_a_trunk_without_limits_places_at_once() -> None:
    loads = Loads(supply_of(("a", 3, ())))
    for _ in range(3):
        loads.take(0)
        assert loads.next_set_up_at(0, 4.5) == 4.5 and loads.set_up(0, 4.5)
    assert room_at(loads, 4.5)[0] == [0]


class Asked:
    """A counter with 3 set-ups left until 5.0, when a fourth comes; it counts how often it is asked."""

    def __init__(self, limit: SetUpLimit) -> None:
        self.times = 0

    def left(self, now: float) -> int:
        self.times += 1
        return 3 if now < 5.0 else 4

    def next_at(self, now: float, calls: int = 1) -> float:
        return now if calls <= self.left(now) else 5.0 if calls == 4 else inf


@pytest.mark.parametrize(
    ("channels", "planned", "asked_again"), [(9, 0, 1), (9, 2, 1), (9, 3, 1), (3, 0, 0), (9, 5, 0)]
)
def test_room_is_counted_again_only_when_it_can_be_another(
    monkeypatch: pytest.MonkeyPatch, channels: int, planned: int, asked_again: int
) -> None:
    counters: list[Asked] = []

    def counter(limit: SetUpLimit) -> Asked:
        counters.append(Asked(limit))
        return counters[-1]

    monkeypatch.setattr("carriers.loads.counter_of", counter)
    loads = Loads(supply_of(("a", channels, bucket(4))))
    for _ in range(planned):
        loads.take(0)
    loads.room(0.0)
    counters[0].times = 0
    for now in (0.0, 1.0, 4.999):
        loads.room(now)
    assert counters[0].times == 0
    loads.room(5.0)
    loads.room(6.0)
    # Once by itself, and once more where it says when there is room for more.
    assert min(counters[0].times, 1) == asked_again and counters[0].times <= 2


def test_the_arrays_belong_to_the_caller() -> None:
    loads = Loads(SHARED)
    room = loads.room(0.0)
    room.trunk[:] = room.account[:] = 0
    assert room_at(loads, 0.0) == ([3, 3, 2], [4, UNLIMITED])


def test_sustained_rates_and_channels_are_told_for_the_market() -> None:
    loads = Loads(SHARED)
    assert loads.set_ups_per_s.tolist() == [3.0, 3.0, inf] and loads.account_set_ups_per_s.tolist() == [0.8, inf]
    assert loads.channels.tolist() == [4.0, 4.0, 2.0] and loads.account_channels.tolist() == [5.0, inf]


def busy() -> Loads:
    loads = Loads(SHARED)
    for trunk in (0, 0, 1, 2):
        loads.take(trunk)
    assert loads.set_up(0, 3.25) and loads.set_up(2, 3.5)
    return loads


def test_a_snapshot_is_restored_exactly() -> None:
    first, second = busy(), Loads(SHARED)
    second.take(2)
    assert room_at(second, 3.5)[0] == [3, 3, 1]  # what was known of its room is forgotten
    second.restore(json.loads(json.dumps(first.snapshot(), allow_nan=False)))
    assert second.snapshot() == first.snapshot()
    for now in (3.5, 3.6, 8.25, 20.0):
        assert room_at(second, now) == room_at(first, now)
        assert [second.next_set_up_at(trunk, now) for trunk in range(3)] == [
            first.next_set_up_at(trunk, now) for trunk in range(3)
        ]
    assert second.free_channels == first.free_channels == 3


@pytest.mark.parametrize(
    "other",
    [
        {},
        Loads(supply_of(("telnyx", 4, bucket(3)))).snapshot(),
        Loads(supply_of(("telnyx", 4, ()), ("telnyx", 4, ()), ("other", 2, ()))).snapshot(),
    ],
)
def test_a_snapshot_of_another_supply_is_refused_and_changes_nothing(other: dict[str, object]) -> None:
    loads = busy()
    before, room = loads.snapshot(), room_at(loads, 3.5)
    with pytest.raises(ValueError, match="expected"):
        loads.restore(other)
    assert loads.snapshot() == before and room_at(loads, 3.5) == room


def test_a_trunk_whose_carrier_is_unknown_is_refused() -> None:
    trunk = Trunk(name="t0", carrier="nobody", max_channels=1, limits=())
    with pytest.raises(ValueError, match="the carrier of trunk 't0' in the supply, was 'nobody'"):
        Loads(Supply(carriers=(), trunks=(trunk,)))


DAY = SetUpLimit(calls=100, per_s=86_400.0, kind="clock")
WEEK = SetUpLimit(calls=50, per_s=604_800.0)


def placed(loads: Loads, trunk: int, count: int, now: float) -> None:
    for _ in range(count):
        loads.take(trunk)
        assert loads.set_up(trunk, now)
        loads.give_back(trunk, set_up=True)


def test_a_day_s_limit_counts_on_in_the_next_run_whatever_else_has_changed() -> None:
    before = Loads(supply_of(("a", 9, (DAY, WEEK)), ("b", 9, ())))
    placed(before, 0, 30, 1000.0)
    counted = json.loads(json.dumps(before.counted()))
    changed = supply_of(("a", 20, (SetUpLimit(calls=5, per_s=1.0), DAY)), ("c", 9, ()))
    after = Loads(changed)
    after.count_on(counted)
    after.use_up(1000.0)
    assert room_at(after, 1000.0)[0] == [0, 9], "limits of up to a minute are used up"
    assert after.room(1001.0).trunk[0] == 5
    for second in range(14):
        placed(after, 0, 5, 1001.0 + second)
    assert after.room(1100.0).trunk[0] == 0, "30 of the day's 100 were counted before"
    assert after.room(86_400.0).trunk[0] == 5


@pytest.mark.parametrize(("calls", "left"), [(100, 9), (30, 0), (12, 0), (33, 3)])
@pytest.mark.parametrize("kind", ["clock", "rolling", "bucket"])
def test_a_limit_of_another_size_counts_what_was_set_up(kind: LimitKind, calls: int, left: int) -> None:
    day = SetUpLimit(calls=100, per_s=86_400.0, kind=kind)
    before, after = Loads(supply_of(("a", 9, (day,)))), Loads(supply_of(("a", 9, (replace(day, calls=calls),))))
    placed(before, 0, 30, 1000.0)
    after.count_on(before.counted())
    assert after.room(1000.0).trunk[0] == left
    again = Loads(supply_of(("a", 9, (replace(day, calls=calls),))))
    again.restore(json.loads(json.dumps(after.snapshot())))
    assert again.snapshot() == after.snapshot()


@pytest.mark.parametrize("counted", [{}, {"trunks": {"t0": [3]}}, {"trunks": {"t0": [["clock", 86_400.0, None]]}}])
def test_counts_of_another_shape_are_left_out(counted: dict[str, Any]) -> None:
    loads = Loads(supply_of(("a", 9, (DAY,))))
    loads.count_on(counted)
    assert loads.snapshot() == Loads(supply_of(("a", 9, (DAY,)))).snapshot()


def test_a_call_of_an_earlier_run_holds_a_channel_even_where_none_is_free() -> None:
    loads = Loads(SHARED)
    for _ in range(6):
        loads.occupy(0)
    assert room_at(loads, 0.0) == ([0, 3, 2], [0, UNLIMITED]) and loads.free_channels == 2
    with pytest.raises(ValueError, match="a free channel of 't0', were 6 in use"):
        loads.take(0)
    with pytest.raises(ValueError, match="a planned call"):
        loads.give_back(0, set_up=False)
    for _ in range(6):
        loads.give_back(0, set_up=True)
    assert loads.snapshot() == Loads(SHARED).snapshot()


def test_a_call_waits_behind_those_that_are_planned_before_it() -> None:
    loads = Loads(supply_of(("a", 99, (SetUpLimit(calls=4, per_s=1.0), replace(DAY, calls=12)))))
    waits = []
    for _ in range(13):
        waits.append(loads.wait_s(0, 0.0))
        loads.take(0)
    assert waits == [0.0] * 4 + [1.0] * 4 + [2.0] * 4 + [86_400.0]
