"""`priced-v1` in the worlds of the pacing benchmark, learning everything: generous bars on short runs, fixed seeds. The
long runs are `./run bench pacing`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenario.days import Setting
from benchmarks.scenario.frontier import at, envelope
from benchmarks.scenario.measurement import Run, Sample, measure, play
from benchmarks.scenario.worlds import HOUR_S, all_worlds, capped_worlds, markov_world, means_of, realistic_world
from pacing.limit import progressive_occupancy
from sim.fast import FastResult, FastScenario, run
from sim.fast.worlds import markov, realistic


def _day(scenario: FastScenario, hours: float, seed: int = 1, policy: str = "priced-v1") -> FastResult:
    return run(scenario, policy=policy, seed=seed, duration_s=hours * HOUR_S, warm_up_s=min(1800.0, 600.0 * hours))


def _within(day: FastResult, most: float = 0.03) -> bool:
    return day.abandon_rate is not None and day.abandon_rate <= most


@pytest.mark.parametrize(("agents", "occupancy"), [(10, 0.83), (20, 0.87)])
def test_a_team_is_kept_busy_within_the_target(agents: int, occupancy: float) -> None:
    day = _day(realistic(agents, promised_rate=None), 6.0)
    assert day.occupancy is not None and day.occupancy > occupancy
    assert _within(day)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("agents", [3, 5])
def test_a_small_team_never_ends_above_the_target(agents: int, seed: int) -> None:
    day = run(realistic(agents, promised_rate=None), seed=seed, duration_s=4 * HOUR_S)
    assert _within(day)
    assert day.occupancy is not None and day.occupancy > 0.745  # more than progressive reaches


@pytest.mark.parametrize("hours", [0.25, 0.5, 1.0])
def test_a_campaign_stopped_early_is_within_the_target_too(hours: float) -> None:
    for seed in range(4):
        assert _within(run(realistic(8, promised_rate=None), seed=seed, duration_s=hours * HOUR_S))


def test_promises_far_off_are_put_right() -> None:
    day = _day(realistic(20, promised_rate=0.1), 6.0)
    assert _within(day)
    assert day.occupancy is not None and day.occupancy > 0.86


def test_a_lower_target_is_kept() -> None:
    day = run(realistic(20, promised_rate=None, target_abandon_rate=0.01))
    assert _within(day, 0.01)
    assert day.occupancy is not None and day.occupancy > 0.8


def test_progressive_dialling_abandons_nobody() -> None:
    day = _day(realistic(10), 3.0, policy="progressive-v1")
    assert day.abandoned == 0
    assert day.occupancy is not None and 0.70 < day.occupancy < 0.78  # the study's: 0.746


def test_every_setting_meets_the_same_people_whatever_the_workers() -> None:
    world, settings = markov_world(5), [Setting("progressive-v1"), Setting("priced-v1"), Setting("idle-ratio")]
    sample = Sample((1, 2), days=2, warm_up_s=7.5 * HOUR_S)
    points = measure([(world, setting) for setting in settings], sample, jobs=1)
    alone = play(Run(world, settings[1], seed=2, days=2, warm_up_s=7.5 * HOUR_S))
    assert np.array_equal(points[world.name, settings[1]].days.answers[2:], alone.answers)
    frontier = envelope(list(points.values()))
    assert at(frontier, 0.0).left.setting == settings[0]  # nobody abandons less than progressive dialling


def test_a_large_floor_is_tried_for_fewer_days() -> None:
    sample = Sample((1,), days=20, agent_days=100.0)
    assert [run.days for run in sample.runs(realistic_world(10), Setting("erlang-b"))] == [10]
    assert [run.days for run in sample.runs(realistic_world(100), Setting("erlang-b"))] == [2]


def test_a_markov_model_is_told_the_worlds_means() -> None:
    known = means_of(markov(7, answer_rate=0.25, handle_s=120.0, ring_s=12.0))
    assert (known.agents, known.answer_rate) == (7, 0.25)
    assert known.handle_s == pytest.approx(120.0, rel=1e-3)
    assert known.line_s == pytest.approx(12.0, rel=1e-2)


def test_the_reference_knows_what_progressive_dialling_comes_to() -> None:
    """One line for each idle agent: an agent waits for 1 / answer rate lines, whatever the shape of their times."""
    means = realistic_world(20).means
    reference = progressive_occupancy(answer_rate=means.answer_rate, handle_s=means.handle_s, ring_s=means.line_s)
    day = run(realistic(20), policy="progressive-v1", duration_s=24 * HOUR_S, warm_up_s=HOUR_S)
    assert day.occupancy == pytest.approx(reference, abs=0.01)


def test_the_means_of_a_day_that_changes_are_taken_over_the_day() -> None:
    halves = realistic(20, answer_rate=0.1, answer_steps=((4 * HOUR_S, 0.3),), agents_steps=((6 * HOUR_S, 10),))
    assert means_of(halves).answer_rate == pytest.approx(0.2)
    assert means_of(halves).agents == 18  # 17.5


def test_all_worlds_have_names_of_their_own_and_a_loss_where_the_cap_is_judged() -> None:
    worlds = all_worlds()
    assert len({world.name for world in worlds}) == len(worlds) >= 18
    assert all(world.scenario.human_lost_rate == 0.01 for world in capped_worlds(worlds))
