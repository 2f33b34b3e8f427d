"""The router spreads calls over trunks by their free share, and never beyond their channels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carriers.router import SpreadRouter
from carriers.trunk import TrunkLoad


def router_of(*channels: int, max_cps: float = 100.0) -> SpreadRouter:
    return SpreadRouter([TrunkLoad(f"t{i}", max_channels=n, max_cps=max_cps) for i, n in enumerate(channels)])


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(0, 60))
def test_calls_go_where_the_free_share_is_largest_until_all_channels_are_used(channels: list[int], asked: int) -> None:
    router = router_of(*channels)
    chosen = [router.take(0.0) for _ in range(asked)]
    used = [chosen.count(f"t{i}") for i in range(len(channels))]
    assert sum(used) == min(asked, sum(channels)) and chosen.count(None) == asked - sum(used)
    # No trunk is ahead of another by more than the one call that it was last given.
    for i, mine in enumerate(used):
        for j, theirs in enumerate(used):
            assert (mine - 1) / channels[i] <= theirs / channels[j] + 1e-9


def test_equal_trunks_take_turns() -> None:
    router = router_of(4, 4)
    assert [router.take(0.0) for _ in range(4)] == ["t0", "t1", "t0", "t1"]


def test_a_channel_given_back_is_used_again() -> None:
    router = router_of(1, 1)
    assert {router.take(0.0), router.take(0.0)} == {"t0", "t1"}
    assert router.take(0.0) is None and router.free_channels == 0
    router.trunks["t1"].give_back(set_up=False)
    assert (router.free_channels, router.take(0.0)) == (1, "t1")


def test_room_is_what_the_trunks_have_together_by_channels_and_by_rate() -> None:
    assert router_of(3, 2).room(0.0) == 5
    assert router_of(30, 30, max_cps=4.0).room(0.0) == 8
    router = router_of(30, max_cps=4.0)
    for left in (3, 2, 1, 0):
        router.take(0.0)
        assert router.room(0.0) == left


def test_a_trunk_is_chosen_only_while_its_own_rate_has_room() -> None:
    router = SpreadRouter(
        [TrunkLoad("slow", max_channels=100, max_cps=1.0), TrunkLoad("fast", max_channels=30, max_cps=30.0)]
    )
    chosen = [router.take(0.0) for _ in range(router.room(0.0))]
    assert (chosen.count("slow"), chosen.count("fast"), router.take(0.0)) == (1, 30, None)
