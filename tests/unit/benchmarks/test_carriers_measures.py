"""How diversions are timed, how logged propensities are checked, and what the tables and bars say of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import pytest

from benchmarks.carriers.desk import run_desk
from benchmarks.carriers.diversion import Diversion, degradations, outages
from benchmarks.carriers.logged import checked
from benchmarks.carriers.trial import run_trial
from benchmarks.carriers.world import CELLS, DESTINATION, TRUNKS, Degradation, Outage, World, make_world
from carriers.capacity import CapacityPrices, CapacityProblem
from tests.unit.benchmarks.reference_router import FixedOrder


def nothing_to_solve(problem: CapacityProblem) -> CapacityPrices:
    raise AssertionError("these routers want no prices")


@lru_cache
def world() -> World:
    """An hour in which trunk 3 is dead from minute 20 to 35, and trunk 5 is bad on one destination from 10 to 50."""
    plain = make_world(1, minutes=60)
    dead = np.zeros((TRUNKS, 60), dtype=np.bool_)
    dead[3, 20:35] = True
    spell = Degradation(5, DESTINATION == 2, 10, 50)
    return replace(plain, dead=dead, outages=(Outage(3, 20, 35),), degradations=(spell,))


def calls_leaving(at_s: int, *, leave_to: int = 0, trunk: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """20 calls a second, a quarter of them over the trunk until `at_s`, then over another."""
    placed = np.repeat(np.arange(3600), 20)
    chosen = np.tile(np.arange(20) % 4 + trunk - 3, 3600)
    chosen[(chosen == trunk) & (placed >= at_s)] = leave_to
    return placed, chosen


@pytest.mark.parametrize("after", [0, 3, 40])
def test_an_outage_is_diverted_when_new_calls_no_longer_go_there(after: int) -> None:
    placed, trunk = calls_leaving(1200 + after)
    (found,) = outages(world(), placed=placed, trunk=trunk)
    assert found.before == pytest.approx(0.25)
    assert found.after_s == found.counted_s == after


def test_an_outage_that_is_never_diverted_counts_whole() -> None:
    placed, trunk = calls_leaving(3600)
    (found,) = outages(world(), placed=placed, trunk=trunk)
    assert found.after_s is None
    assert found.counted_s == 900


def test_an_outage_of_a_trunk_that_carried_nothing_says_nothing() -> None:
    placed, trunk = calls_leaving(0)
    assert outages(world(), placed=placed, trunk=trunk) == []


def flow(*, before: float, after: float) -> np.ndarray:
    """The oracle's calls a minute on the degraded cells, before and while they are degraded."""
    made = np.zeros((TRUNKS, CELLS, 60))
    cells = np.flatnonzero(DESTINATION == 2)
    made[5, cells] = before / len(cells)
    made[5, cells[:, None], np.arange(10, 50)] = after / len(cells)
    return made


def degraded(at_s: int, *, left: int = 0) -> list[Diversion]:
    """10 calls a second to degraded cells, all over trunk 5 until `at_s`, then `left` of ten."""
    placed = np.repeat(np.arange(3600), 10)
    trunk = np.full(36_000, 5)
    trunk[(placed >= at_s) & (np.arange(36_000) % 10 >= left)] = 1
    cell = np.full(36_000, 2)
    return degradations(world(), flow(before=120.0, after=0.0), placed=placed, trunk=trunk, cell=cell)


@pytest.mark.parametrize("after", [0, 60, 600])
def test_a_degradation_is_left_when_four_fifths_of_what_should_move_has_moved(after: int) -> None:
    (found,) = degraded(600 + after)
    assert found.before == pytest.approx(10.0)
    # A minute's mean of at most a fifth: the last 12 seconds may still be the old ones, or 6.7 where one of ten stays;
    # looked at every 5 s.
    assert found.after_s == max(0, -(-(after - 12) // 5) * 5)
    assert degraded(600 + after, left=1)[0].after_s == max(0, -(-(after - 20 / 3) // 5) * 5)
    assert degraded(600 + after, left=3)[0].after_s is None


def test_a_degradation_that_the_oracle_hardly_minds_is_left_out() -> None:
    placed, trunk, cell = np.repeat(np.arange(3600), 10), np.full(36_000, 5), np.full(36_000, 2)
    for before, after in ((20.0, 0.0), (120.0, 80.0)):
        assert degradations(world(), flow(before=before, after=after), placed=placed, trunk=trunk, cell=cell) == []


def test_estimates_from_a_log_agree_with_the_truth() -> None:
    plain = make_world(2, minutes=60)
    explorer = partial(FixedOrder, exploration=0.2)
    log = run_trial(plain, explorer, solve=nothing_to_solve).log
    found = checked(plain, log)
    assert {each.policy for each in found} == {"uniform", "best by region", "cheapest"}
    for each in found:
        assert abs(each.estimate.value - each.truth) < 4 * each.estimate.standard_error
        assert 0 < each.estimate.effective_sample_size < each.calls


def test_a_log_that_claims_wrong_chances_is_found_out() -> None:
    plain = make_world(2, minutes=60)
    log = run_trial(plain, partial(FixedOrder, exploration=0.2), solve=nothing_to_solve).log
    claimed = replace(log, propensity=np.where(log.propensity < 0.5, 0.5, log.propensity))
    wrong = [each for each in checked(plain, claimed) if each.method == "snips" and each.policy == "uniform"]
    assert not any(each.agrees for each in wrong)


def test_the_desk_leaves_dead_trunks_and_tries_failed_calls_again() -> None:
    """Round robin behind the desk: circuits, not learning, divert; every failed try is followed by another trunk's."""
    plain = make_world(1, minutes=60)
    short = replace(plain, minutes=25, second=plain.second[: np.searchsorted(plain.second, 1500)])
    found = run_desk(short, "round-robin-v1")
    log = found.log
    outage = next(each for each in outages(plain, placed=log.placed, trunk=log.trunk) if each.begin_s == 1200)
    assert outage.counted_s <= 5
    assert found.beyond_limits == 0
    failed = int(log.faulty.sum())
    assert 3 <= failed <= 60
    assert len(log.trunk) == len(short.second) - found.waiting + failed
    dead = plain.dead[log.trunk, log.placed // 60]
    assert (dead == (log.faulty > 0)).all()
