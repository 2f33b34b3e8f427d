"""`priced-v1` in a small simulated call centre, learning everything: generous bars on short runs, fixed seeds. The long
runs are `./run bench pacing`."""

from __future__ import annotations

import pytest

from benchmarks.scenario.pacing_world import Day, Simulation, World
from pacing.registry import make_policy


def _day(world: World, seed: int = 1, policy_id: str = "priced-v1") -> Day:
    return Simulation(world, make_policy(policy_id), seed).run()


@pytest.mark.parametrize(("agents", "occupancy"), [(10, 0.83), (20, 0.87)])
def test_a_team_is_kept_busy_within_the_target(agents: int, occupancy: float) -> None:
    day = _day(World(agents=agents, hours=6.0, measured_from_s=3600.0))
    assert day.occupancy > occupancy
    assert day.abandon_rate <= 0.03


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("agents", [3, 5])
def test_a_small_team_never_ends_above_the_target(agents: int, seed: int) -> None:
    day = _day(World(agents=agents, hours=4.0), seed)
    assert day.abandon_rate <= 0.03
    assert day.occupancy > 0.745  # more than progressive reaches


@pytest.mark.parametrize("hours", [0.25, 0.5, 1.0])
def test_a_campaign_stopped_early_is_within_the_target_too(hours: float) -> None:
    for seed in range(4):
        assert _day(World(agents=8, hours=hours), seed).abandon_rate <= 0.03


def test_an_answer_rate_that_jumps_stays_within_the_target() -> None:
    switching = World(agents=15, true_probability=lambda at: 0.45 if int(at / 1800.0) % 2 == 0 else 0.15)
    assert _day(switching).abandon_rate <= 0.03


def test_promises_far_off_are_put_right() -> None:
    day = _day(World(agents=20, hours=6.0, measured_from_s=3600.0, promised_probability=0.1))
    assert day.abandon_rate <= 0.03
    assert day.occupancy > 0.86


def test_a_lower_target_is_kept() -> None:
    day = _day(World(agents=20, target_abandon_rate=0.01))
    assert day.abandon_rate <= 0.01
    assert day.occupancy > 0.8


def test_progressive_abandons_nothing() -> None:
    day = _day(World(agents=10, hours=3.0), policy_id="progressive-v1")
    assert day.abandoned == 0
    assert 0.70 < day.occupancy < 0.78  # the study's progressive: 0.746


def test_equal_seeds_give_equal_days() -> None:
    world = World(agents=6, hours=1.0)
    assert _day(world, seed=4) == _day(world, seed=4)
    assert _day(world, seed=4) != _day(world, seed=5)
