"""Bandits against hand computations, and what they make of false answers, silence and prices."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from carriers.peers.discounted_thompson import DiscountedThompson
from carriers.peers.epsilon_greedy import EpsilonGreedy
from carriers.peers.ucb1 import Ucb1
from carriers.registry import make_router
from carriers.router import Outcomes, Reason, RouteRequests
from tests.unit.carriers.peers.peer_market import add_cell, calls, make_market, outcomes, room, shares

BANDITS = (
    "discounted-thompson-v1",
    "epsilon-greedy-carrier-v1",
    "epsilon-greedy-region-v1",
    "ucb1-carrier-v1",
    "ucb1-region-v1",
)
ENDLESS = room(10**6, 10**6, 10**6)


def played(trunk: int, tries: int, contacts: int, *, answers: int | None = None, cell: int = 0) -> Outcomes:
    hits, answered = (
        [1.0] * count + [0.0] * (tries - count) for count in (contacts, contacts if answers is None else answers)
    )
    return outcomes(
        [trunk] * tries, [cell] * tries, contacts=hits, answers=answered, answered_s=60 * np.array(answered)
    )


def test_ucb1_by_hand() -> None:
    market = make_market(3, attempt_fee=[0.001, 0.002, 0.0], per_s=[0.0002, 0.0001, 0.0])
    router = Ucb1(market, "carrier", answered_s=60.0)
    router.learn(played(0, 100, 20), now=0.0)
    router.learn(played(1, 50, 5, answers=10), now=0.0)
    bounds = router.bounds(calls(0, value=0.25))[:, 0]
    # mean contacts * value - answers * cost of an answer - fee + value * sqrt(2 ln n / n_j)
    first = 0.20 * 0.25 - 0.20 * 60 * 0.0002 - 0.001 + 0.25 * sqrt(2 * log(150) / 100)
    second = 0.10 * 0.25 - 0.20 * 60 * 0.0001 - 0.002 + 0.25 * sqrt(2 * log(150) / 50)
    assert bounds[:2] == pytest.approx([first, second]) and bounds[2] == np.inf
    routes = router.choose(calls(0, 0, 0, value=0.25), room(1, 1, 1), now=0.0, rng=np.random.default_rng(0))
    assert routes.trunk.tolist() == [2, 1, 0], "the unseen first, then the less sure of two"
    assert routes.reason.tolist() == [Reason.BEST, Reason.OVERFLOW, Reason.ONLY]


def test_ucb1_plays_unseen_arms_evenly_and_by_region_where_asked() -> None:
    market = make_market(3, regions=[0, 1])
    by_carrier, by_region = Ucb1(market, "carrier"), Ucb1(market, "region")
    for router in (by_carrier, by_region):
        router.learn(played(0, 1000, 500), now=0.0)
        router.learn(played(1, 1000, 10), now=0.0)
        router.learn(played(2, 1000, 10), now=0.0)
    elsewhere = calls(*[1] * 3000)
    known = by_carrier.choose(elsewhere, ENDLESS, now=0.0, rng=np.random.default_rng(1))
    unknown = by_region.choose(elsewhere, ENDLESS, now=0.0, rng=np.random.default_rng(1))
    assert shares(known.trunk, 3) == [1.0, 0.0, 0.0]
    assert shares(unknown.trunk, 3) == pytest.approx([1 / 3] * 3, abs=0.04)
    assert unknown.propensity == pytest.approx(1 / 3)


def test_epsilon_greedy_takes_the_best_and_sometimes_any() -> None:
    router = EpsilonGreedy(make_market(3), "carrier", exploration=0.3)
    router.learn(played(1, 9, 4), now=0.0)  # (4 + 0.13) / 10
    routes = router.choose(calls(*[0] * 6000), ENDLESS, now=0.0, rng=np.random.default_rng(1))
    assert shares(routes.trunk, 3) == pytest.approx([0.1, 0.8, 0.1], abs=0.02)
    assert routes.propensity[routes.trunk == 1] == pytest.approx(0.8)
    assert routes.propensity[routes.trunk != 1] == pytest.approx(0.1)
    assert np.mean(routes.reason == Reason.EXPLORED) == pytest.approx(0.3, abs=0.02)
    assert (routes.reason[routes.trunk != 1] == Reason.EXPLORED).all()


def test_epsilon_greedy_weighs_the_value_of_a_contact_against_its_price() -> None:
    market = make_market(3, per_s=[0.0, 0.004, 0.0], attempt_fee=[0.0, 0.0, 1.0])
    router = EpsilonGreedy(market, "region", exploration=0.0, answered_s=60.0)
    router.learn(played(0, 99, 10), now=0.0)
    router.learn(played(1, 99, 20), now=0.0)
    # At 0.24 for an answer the second is worth more from 0.24 * 20.13 / 10 on.
    for value, best in ((0.45, 0), (0.52, 1)):
        assert router.choose(calls(0, value=value), ENDLESS, now=0.0, rng=np.random.default_rng(1)).trunk[0] == best


def test_thompson_draws_from_discounted_posteriors() -> None:
    market = make_market(2, regions=[0, 0])
    router = DiscountedThompson(market, half_life_s=100.0)
    router.learn(played(0, 40, 10), now=0.0)
    router.learn(played(0, 8, 4), now=200.0)
    hits, misses = router.posterior(300.0)
    # 40 tries three half-lives old, 8 one half-life old; nothing is known of the other trunk and cell.
    assert hits[0, 0] == pytest.approx(1.3 + 10 / 8 + 4 / 2) and misses[0, 0] == pytest.approx(8.7 + 30 / 8 + 4 / 2)
    assert hits[[0, 1, 1], [1, 0, 1]] == pytest.approx(1.3) and misses[[0, 1, 1], [1, 0, 1]] == pytest.approx(8.7)
    # The share of calls is the chance that the first's draw is the larger.
    first, second = stats.beta(hits[0, 0], misses[0, 0]), stats.beta(1.3, 8.7)
    chance = first.expect(second.cdf)
    routes = router.choose(calls(*[0] * 6000), room(10**6, 10**6), now=300.0, rng=np.random.default_rng(1))
    assert shares(routes.trunk, 2)[0] == pytest.approx(chance, abs=0.025)
    assert np.isnan(routes.propensity).all(), "not known"
    only = router.choose(calls(0, 0), room(0, 1), now=300.0, rng=np.random.default_rng(1))
    assert only.propensity.tolist() == [1.0, 1.0] and only.reason.tolist() == [Reason.ONLY, Reason.NONE]


def test_thompson_pays_for_answers_without_contacts() -> None:
    market = make_market(2, per_s=[0.001, 0.001])
    router = DiscountedThompson(market, answered_s=60.0)
    router.learn(played(0, 2000, 240, answers=1600), now=0.0)  # 0.12 * 0.25 - 0.80 * 0.06
    router.learn(played(1, 2000, 200), now=0.0)  # 0.10 * 0.25 - 0.10 * 0.06
    routes = router.choose(calls(*[0] * 200, value=0.25), room(999, 999), now=0.0, rng=np.random.default_rng(1))
    assert shares(routes.trunk, 2) == [0.0, 1.0]


def test_a_contact_told_before_its_end_or_taken_back_later_leaves_posteriors_proper() -> None:
    router = DiscountedThompson(make_market(1), half_life_s=10.0)
    router.learn(outcomes([0], contacts=1, tries=0), now=0.0)
    hits, misses = router.posterior(0.0)
    assert (hits[0, 0], misses[0, 0]) == (2.3, 8.7)
    router.learn(outcomes([0], contacts=-1, tries=1), now=100.0)
    hits, misses = router.posterior(100.0)
    assert hits[0, 0] == 1.3 and misses[0, 0] == pytest.approx(8.7 + 2.0 - 2.0**-10)


@pytest.mark.parametrize("router_id", BANDITS)
def test_false_answers_do_not_fool_bandits(router_id: str) -> None:
    router = make_router(router_id, make_market(3))
    router.learn(played(0, 1000, 0, answers=900), now=0.0)
    router.learn(played(1, 1000, 300, answers=300), now=0.0)
    router.learn(played(2, 1000, 100, answers=100), now=0.0)
    routes = router.choose(calls(*[0] * 500), ENDLESS, now=0.0, rng=np.random.default_rng(1))
    assert shares(routes.trunk, 3)[1] > 0.9


@pytest.mark.parametrize("router_id", BANDITS)
def test_a_new_cell_in_a_new_region_begins_unknown_or_with_what_its_trunk_is_known_for(router_id: str) -> None:
    market = make_market(2)
    router = make_router(router_id, market, **({"exploration": 0.0} if "epsilon" in router_id else {}))
    router.learn(played(0, 1000, 10), now=0.0)
    router.learn(played(1, 1000, 500), now=0.0)
    cell = add_cell(market, region=4)
    routes = router.choose(RouteRequests(*calls(*[cell] * 400)), room(999, 999), now=0.0, rng=np.random.default_rng(1))
    if "carrier" in router_id:
        assert shares(routes.trunk, 2) == [0.0, 1.0]
    else:
        assert shares(routes.trunk, 2) == pytest.approx([0.5, 0.5], abs=0.08)
    router.learn(played(0, 500, 250, cell=cell), now=1.0)
    router.learn(played(1, 500, 5, cell=cell), now=1.0)
    if "carrier" not in router_id:
        after = router.choose(calls(*[cell] * 400), room(999, 999), now=1.0, rng=np.random.default_rng(1))
        assert shares(after.trunk, 2)[0] > 0.95


@pytest.mark.parametrize(
    ("router_id", "setting"),
    [
        ("epsilon-greedy-carrier-v1", {"exploration": 1.5}),
        ("epsilon-greedy-region-v1", {"answer_share": -0.1}),
        ("ucb1-region-v1", {"answered_s": -1.0}),
        ("discounted-thompson-v1", {"half_life_s": 0.0}),
        ("discounted-thompson-v1", {"prior_misses": 0.0}),
    ],
)
def test_settings_out_of_range_are_refused(router_id: str, setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(setting))} in"):
        make_router(router_id, make_market(2), **setting)
