"""The hidden truth: its rules, its draws, and policies that meet the same people."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.models.policies import BY_COUNT, ORACLE, OURS, RANDOM, Start
from benchmarks.models.study import Run, run_policy
from benchmarks.models.world import (
    BEGIN,
    GAP_H,
    HOURS,
    PER_DAY,
    PER_WEEK,
    SLOTS,
    Standing,
    World,
    call,
    fresh,
    make_world,
    past,
)  # fmt: skip
from models.attempts import AttemptLog, Result
from models.training import trained

DAYS, LEADS = 12, 1200


@pytest.fixture(scope="module")
def played() -> tuple[World, AttemptLog, Standing]:
    world = make_world(3, LEADS)
    return world, *past(world, DAYS, 90)


def test_equal_seeds_give_equal_worlds(played: tuple[World, AttemptLog, Standing]) -> None:
    world, log, _ = played
    again = make_world(3, LEADS)
    assert np.array_equal(world.level, again.level)
    assert np.array_equal(past(again, DAYS, 90)[0].result, log.result)
    assert not np.array_equal(world.level, make_world(4, LEADS).level)


def test_the_past_keeps_the_rules(played: tuple[World, AttemptLog, Standing]) -> None:
    _, log, _ = played
    hours = (log.at - BEGIN) / 3600
    assert set(np.unique(hours % 24)) <= set(HOURS.tolist())
    for lead in range(0, LEADS, 50):
        own = hours[log.lead == lead]
        assert (np.diff(own) >= GAP_H).all()
        days = (own // 24).astype(int)
        assert np.bincount(days).max(initial=0) <= PER_DAY
        assert all(((days > day - 7) & (days <= day)).sum() <= PER_WEEK for day in range(DAYS))


def test_whoever_was_reached_is_not_called_again() -> None:
    world = make_world(5, 400)
    standing = fresh(400)
    standing.begin_day()
    standing.rest_until(8.0)
    reached = call(world, standing, 0, np.arange(400)).result == Result.RIGHT_PARTY
    standing.rest_until(12.0)
    assert reached.any()
    assert not np.isin(np.flatnonzero(reached), standing.may_be_called()).any()
    assert (standing.attempts_left()[reached] == 0).all()


def test_answers_come_with_their_true_chance() -> None:
    world = make_world(6, 40_000)
    standing = fresh(40_000)
    standing.rest_until(18.0)
    chance = world.answer(standing.wear, np.array([10]))[:, 0]
    log = call(world, standing, 10, np.arange(40_000))
    spread = np.sqrt((chance * (1 - chance)).sum())
    assert abs(log.answered.sum() - chance.sum()) < 4 * spread
    right = log.result == Result.RIGHT_PARTY
    expected = world.right_party[log.answered].sum()
    assert abs(right.sum() - expected) < 4 * np.sqrt(expected)


def test_wear_lowers_and_rest_restores() -> None:
    world = make_world(7, 300)
    standing = fresh(300)
    standing.rest_until(8.0)
    before = world.answer(standing.wear, np.arange(SLOTS))
    failed = ~call(world, standing, 0, np.arange(300)).answered & ~world.wrong_number
    tired = world.answer(standing.wear, np.arange(SLOTS))
    assert (tired[failed] < before[failed]).all()
    worn = standing.wear.copy()
    standing.rest_until(8.0 + 96.0)
    assert np.allclose(standing.wear, worn / 2)


def test_the_same_call_to_the_same_person_goes_the_same_way() -> None:
    """However many others are called, and in whatever order."""
    world = make_world(8, 2000)
    first, second = fresh(2000), fresh(2000)
    for standing in (first, second):
        standing.rest_until(9.0)
    all_of_them = call(world, first, 1, np.arange(2000))
    some = np.random.default_rng(0).permutation(2000)[:300]
    assert np.array_equal(call(world, second, 1, some).result, all_of_them.result[some])


@pytest.fixture(scope="module")
def runs(played: tuple[World, AttemptLog, Standing]) -> dict[str, Run]:
    world, log, standing = played
    model = trained(log, world.table, seed=3, now=BEGIN + 86400.0 * DAYS, nthread=1).bundle
    start = Start(world=world, past=log, model=model, an_hour=30)
    return {
        name: run_policy(start, standing, name, "scarce", DAYS, 1000.0) for name in (RANDOM, BY_COUNT, OURS, ORACLE)
    }


def test_all_policies_fill_the_hours_and_oracles_know_best(runs: dict[str, Run]) -> None:
    assert {run.attempts for run in runs.values()} == {5 * SLOTS * 30}
    assert max(runs, key=lambda name: runs[name].contacts) == ORACLE
    assert runs[ORACLE].contacts > 1.3 * max(runs[name].contacts for name in (RANDOM, BY_COUNT))
    assert runs[OURS].contacts > runs[RANDOM].contacts
    assert runs[BY_COUNT].told is None and runs[OURS].told is not None
    assert runs[OURS].randomised > 0.0
