"""The arithmetic of the pacing benchmark against days made by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scenario import bars
from benchmarks.scenario.days import Days, Point, Setting
from benchmarks.scenario.frontier import Comparison, against_frontier, against_point, at, envelope
from benchmarks.scenario.tuning import worth_measuring

AGENT_S = 10_000.0


def _days(occupancy: list[float], abandoned: list[float], answers: float = 1000.0) -> Days:
    handling_s = AGENT_S * np.array(occupancy)
    count = len(occupancy)
    return Days(handling_s, AGENT_S - handling_s, np.full(count, answers), np.array(abandoned), np.full(count, 50.0))


def _point(abandon_rate: float, occupancy: float, name: str = "x", wobble: float = 0.0, days: int = 4) -> Point:
    """A setting whose days wobble about their means."""
    signs = np.where(np.arange(days) % 2, 1.0, -1.0)
    return Point(
        Setting.of(name, {"rate": abandon_rate}),
        _days(list(occupancy + wobble * signs), list(1000.0 * abandon_rate + 0.0 * signs)),
    )


def test_a_point_pools_its_days() -> None:
    days = Days(
        np.array([60.0, 30.0]), np.array([40.0, 70.0]), np.array([10.0, 30.0]), np.array([1.0, 0.0]), np.ones(2)
    )
    point = Point(Setting("x"), days)
    assert point.occupancy == pytest.approx(0.45)
    assert point.abandon_rate == pytest.approx(1 / 40)  # not the mean of 1/10 and 0
    assert point.mean_idle_s == pytest.approx(55.0)
    assert point.calls_per_agent_hour == pytest.approx(3600.0 * 2 / 200.0)


def test_the_interval_of_a_pooled_rate_is_that_of_a_ratio() -> None:
    rng = np.random.default_rng(5)
    answers = rng.integers(50, 150, 400).astype(float)
    abandoned = rng.binomial(answers.astype(int), 0.03).astype(float)
    point = Point(Setting("x"), Days(np.ones(400), np.ones(400), answers, abandoned, np.ones(400)))
    interval = point.abandon_estimate()
    assert interval.mean == pytest.approx(abandoned.sum() / answers.sum())
    assert interval.half_width == pytest.approx(1.96 * np.sqrt(0.03 * 0.97 / answers.sum()), rel=0.12)


def test_a_frontier_leaves_out_what_lies_below_it_and_what_is_worse_for_more_abandons() -> None:
    points = [_point(0.0, 0.7), _point(0.02, 0.75), _point(0.03, 0.85), _point(0.06, 0.9), _point(0.1, 0.88)]
    assert [point.abandon_rate for point in envelope(points)] == [0.0, 0.03, 0.06]


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.floats(0.1, 0.9)), min_size=1, max_size=12))
def test_no_point_lies_above_its_frontier(places: list[tuple[float, float]]) -> None:
    points = [_point(round(rate, 4), round(occupancy, 4)) for rate, occupancy in places]
    frontier = envelope(points)
    assert all(a.abandon_rate < b.abandon_rate and a.occupancy < b.occupancy for a, b in pairwise(frontier))
    for point in points:
        assert at(frontier, point.abandon_rate).occupancy >= point.occupancy - 1e-9


def test_a_place_between_two_points_is_on_their_chord() -> None:
    place = at(envelope([_point(0.01, 0.8), _point(0.03, 0.9)]), 0.025)
    assert place.occupancy == pytest.approx(0.875)
    assert place.abandon_rate == pytest.approx(0.025)
    assert place.slope == pytest.approx(5.0)


def test_beyond_its_ends_a_frontier_is_its_end() -> None:
    frontier = envelope([_point(0.01, 0.8), _point(0.03, 0.9)])
    assert at(frontier, 0.0).abandon_rate == 0.01
    assert at(frontier, 0.2).occupancy == pytest.approx(0.9)
    with pytest.raises(ValueError, match="one point at least"):
        at([], 0.01)


def test_a_peers_defaults_are_compared_at_their_own_abandon_rate() -> None:
    ours = envelope([_point(0.0, 0.7, wobble=0.01), _point(0.02, 0.85, wobble=0.01), _point(0.04, 0.9, wobble=0.01)])
    theirs = _point(0.03, 0.87, wobble=0.01)
    found = against_point(ours, theirs)
    assert found.difference.mean == pytest.approx(0.875 - 0.87)
    assert found.difference.half_width == pytest.approx(0.0, abs=1e-9)  # the same wobble on the same days
    assert not found.beyond


def test_a_peer_that_abandons_more_than_we_ever_do_meets_our_last_point() -> None:
    found = against_point(envelope([_point(0.0, 0.7), _point(0.04, 0.9)]), _point(0.3, 0.88))
    assert found.difference.mean == pytest.approx(0.02)
    assert found.beyond


def test_days_of_more_abandons_for_more_occupancy_are_cleared_of_them() -> None:
    """Each day lies on our own frontier, some to the right and some to the left: the difference is none, surely."""
    frontier = envelope([_point(0.02, 0.85), _point(0.04, 0.9)])
    abandoned = np.array([20.0, 25.0, 35.0, 40.0])
    theirs = Point(Setting("y"), _days(list(0.8 + 2.5 * abandoned / 1000.0), list(abandoned)))
    found = against_point(frontier, theirs)
    assert found.difference.mean == pytest.approx(0.0, abs=1e-9)
    assert found.difference.half_width == pytest.approx(0.0, abs=1e-9)


def test_a_tuned_peer_is_compared_at_our_abandon_rate_where_it_can_be() -> None:
    chosen = _point(0.03, 0.9)
    ours = envelope([_point(0.0, 0.7), chosen])
    theirs = envelope([_point(0.02, 0.84), _point(0.04, 0.9)])
    assert against_frontier(ours, chosen, theirs).difference.mean == pytest.approx(0.9 - 0.87)
    timid = envelope([_point(0.005, 0.72), _point(0.01, 0.75)])
    found = against_frontier(ours, chosen, timid)
    assert found.abandon_rate == pytest.approx(0.01)
    assert found.difference.mean == pytest.approx(0.7 + 0.2 / 3 - 0.75)


def test_the_settings_worth_measuring_are_those_on_either_side_of_the_rate() -> None:
    tried = [_point(rate, occupancy) for rate, occupancy in ((0.01, 0.7), (0.02, 0.78), (0.04, 0.86), (0.08, 0.9))]
    assert worth_measuring(tried, _point(0.03, 0.83)) == (tried[1].setting, tried[2].setting)
    assert worth_measuring(tried, _point(0.03, 0.95)) == (tried[1].setting,)  # hopeless: one shows it
    assert worth_measuring(tried, _point(0.001, 0.7)) == (tried[0].setting,)
    assert worth_measuring(tried, _point(0.2, 0.9)) == (tried[3].setting,)


def test_five_days_in_a_row_are_judged_together() -> None:
    days = _days([0.8] * 7, [10.0, 40.0, 40.0, 40.0, 40.0, 40.0, 10.0])
    assert bars.worst_in_a_row(days) == pytest.approx(0.04)
    assert bars.worst_in_a_row(_days([0.8] * 2, [10.0, 40.0])) == pytest.approx(0.025)


def test_the_bars_of_the_cap_count_days_and_runs_of_them() -> None:
    calm, wild = _days([0.8] * 99, [30.0] * 99), _days([0.8], [31.0])
    share, worst = bars.cap_bars({"calm": calm, "wild": wild})
    assert (share["value"], share["met"]) == (0.01, True)
    assert (worst["value"], worst["met"]) == (0.031, False)
    assert "wild" in worst["bar"]


def test_the_bar_of_the_bound_allows_seven_tenths_of_a_point() -> None:
    near, rate = bars.markov_bars(20, 0.9, _point(0.03, 0.8931))
    assert near["met"] and rate["met"]
    short, above = bars.markov_bars(20, 0.9, _point(0.031, 0.8929))
    assert not short["met"] and not above["met"]


def test_a_gain_over_a_frozen_estimate_is_paired() -> None:
    gain, worst = bars.switching_bars(_point(0.029, 0.88, wobble=0.02), _point(0.03, 0.855, wobble=0.02))
    assert gain["value"] == pytest.approx(0.025)
    assert gain["met"] and worst["met"]
    assert "+0.0250 to +0.0250" in gain["bar"]


def _against(theirs: Point) -> Comparison:
    return against_point(envelope([_point(0.0, 0.7), _point(0.04, 0.9)]), theirs)


def test_the_bar_of_a_peer_is_the_world_where_we_are_least_above_it() -> None:
    row = bars.peer_row(
        "over x", {"one": _against(_point(0.02, 0.79)), "other": _against(_point(0.04, 0.87))}, above=0.0
    )
    assert row["value"] == pytest.approx(0.01)
    assert "one at 0.0200 abandoned" in row["bar"] and row["met"]
    assert not bars.peer_row("over x", {"one": _against(_point(0.02, 0.80))}, above=0.0)["met"]
    assert bars.peer_row("over x", {"one": _against(_point(0.02, 0.8015))}, least=-0.002)["met"]
    assert not bars.peer_row("over x", {"one": _against(_point(0.02, 0.8025))}, least=-0.002)["met"]


def test_a_peer_that_dials_progressively_need_not_be_beaten() -> None:
    equal, beaten = _against(_point(0.0, 0.7)), _against(_point(0.02, 0.78))
    row = bars.peer_row("over x", {"equal": equal, "beaten": beaten}, above=0.0)
    assert row["value"] == pytest.approx(0.02) and row["met"]
    assert bars.peer_row("over x", {"equal": equal}, above=0.0)["met"]
    assert not bars.peer_row("over x", {"worse": _against(_point(0.0, 0.71)), "beaten": beaten}, above=0.0)["met"]
