"""What is said of other routers, worked by hand: turns, the cheapest, `*qos`, qrouting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.market import Ints
from carriers.peers.cgrates_qos import MISSING, CgratesQos, StatQueue
from carriers.peers.opensips_qrouting import OpensipsQrouting, Threshold, Window
from carriers.peers.replies import replies
from carriers.peers.round_robin import RoundRobin
from carriers.peers.static_lcr import StaticLcr
from carriers.router import Outcomes, Reason, Room, Router
from tests.unit.carriers.peers.peer_market import add_cell, calls, make_market, outcomes, room, shares

ENDLESS = room(10**6, 10**6, 10**6)


def chosen(router: Router, *cells: int, room: Room = ENDLESS, now: float = 0.0, seed: int = 1) -> Ints:
    return router.choose(calls(*cells), room, now=now, rng=np.random.default_rng(seed)).trunk


# ---- turns and prices -------------------------------------------------------------------------------------------
def test_turns_pass_over_batches_and_go_on_past_what_is_closed() -> None:
    router = RoundRobin(make_market(3))
    assert chosen(router, 0, 0).tolist() == [0, 1]
    assert chosen(router, 0, 0, 0).tolist() == [2, 0, 1]
    routes = router.choose(calls(0, 0, 0, 0), room(2, 2, 0), now=0.0, rng=None)
    assert routes.trunk.tolist() == [0, 1, 0, 1]
    assert routes.reason.tolist() == [Reason.OVERFLOW, Reason.TURN, Reason.OVERFLOW, Reason.ONLY]


def test_the_cheapest_is_reckoned_with_fees_and_steps_as_billed() -> None:
    # 78 s of talk at 60/60 are 120 s, at 1/1 they are 78 s; 13 % are answered.
    market = make_market(3, per_s=[0.01, 0.0140, 0.0160], attempt_fee=[0.0, 0.0, 0.0])
    market.first_s[0], market.step_s[0] = 60.0, 60.0
    # 0.13 * 1.2 = 0.1560, 0.13 * 1.092 = 0.14196, 0.13 * 1.248 = 0.16224
    router = StaticLcr(market)
    routes = router.choose(calls(*[0] * 6), room(1, 2, 5), now=0.0, rng=None)
    assert routes.trunk.tolist() == [1, 1, 0, 2, 2, 2]
    assert routes.reason.tolist() == [Reason.TURN, Reason.TURN, Reason.OVERFLOW, Reason.ONLY, Reason.ONLY, Reason.ONLY]
    market.attempt_fee[1] = 0.02  # 0.16196: dearer than the first, cheaper than the last
    assert chosen(router, 0).tolist() == [0]
    market.connection_fee[0] = 0.1  # 0.169
    assert chosen(router, 0).tolist() == [1]
    # With no answers only the attempt's fee counts, and the first of equals is taken.
    assert chosen(StaticLcr(market, answer_share=0.0), 0).tolist() == [0]


# ---- CGRateS *qos -----------------------------------------------------------------------------------------------
@given(
    st.lists(st.tuples(st.floats(0.0, 4.0), st.booleans(), st.floats(0.5, 300.0)), max_size=30),
    st.integers(1, 6), st.integers(0, 4), st.sampled_from([3.0, 1e9]), st.floats(0.0, 5.0),
)  # fmt: skip
def test_a_queue_holds_the_last_calls(
    added: list[tuple[float, bool, float]], length: int, min_items: int, ttl_s: float, later_s: float
) -> None:
    queue, now, items = StatQueue(length=length, min_items=min_items, ttl_s=ttl_s), 0.0, []
    for after_s, answered, talked_s in added:
        now += after_s
        queue.add(now, float(answered), talked_s if answered else 0.0)
        items = [item for item in items if item[0] + ttl_s > now]
        items = [*items, (now, answered, talked_s)][-length:]
    now += later_s
    queue.expire(now)
    items = [item for item in items if item[0] + ttl_s > now]
    talks = [talked_s for _, answered, talked_s in items if answered]
    enough = len(items) >= max(min_items, 1)
    assert queue.asr() == pytest.approx(100.0 * len(talks) / len(items) if enough else MISSING)
    assert queue.acd() == pytest.approx(sum(talks) / len(talks) if enough and talks else MISSING)


def test_qos_follows_its_last_calls_and_the_unseen_sort_last() -> None:
    router = CgratesQos(make_market(3), queue_length=3)
    assert shares(chosen(router, *[0] * 600), 3) == pytest.approx([1 / 3] * 3, abs=0.07), "all miss: at random"
    router.learn(outcomes([0, 1], answers=[1, 0], answered_s=[30, 0]), now=1.0)  # 100 %, 0 %, missing
    routes = router.choose(calls(*[0] * 6), room(2, 2, 2), now=1.0, rng=np.random.default_rng(1))
    assert routes.trunk.tolist() == [0, 0, 1, 1, 2, 2]
    assert routes.reason.tolist() == [Reason.TURN] * 2 + [Reason.OVERFLOW] * 2 + [Reason.ONLY] * 2
    assert routes.propensity.tolist() == [1.0] * 6
    router.learn(outcomes([0, 0], answers=[0, 0]), now=2.0)  # 33 %
    router.learn(outcomes([1, 1], answers=[1, 1], answered_s=[9, 9]), now=2.0)  # 67 %
    assert chosen(router, 0, now=2.0).tolist() == [1]
    router.learn(outcomes([0]), now=3.0)  # the fourth call drops the answered first one: 0 %
    router.learn(outcomes([1, 1]), now=3.0)  # 33 %: no, yes, yes, no, no
    assert chosen(router, *[0] * 3, room=room(1, 1, 1), now=3.0).tolist() == [1, 0, 2]


def test_qos_breaks_ties_by_the_next_metric_then_by_weight_then_at_random() -> None:
    told = outcomes([0, 1, 2], answers=1, answered_s=[30, 60, 60])
    router = CgratesQos(make_market(3))
    router.learn(told, now=0.0)
    routes = router.choose(calls(*[0] * 1000), ENDLESS, now=0.0, rng=np.random.default_rng(1))
    assert shares(routes.trunk, 3) == pytest.approx([0.0, 0.5, 0.5], abs=0.06)
    assert (routes.propensity == 0.5).all()
    weighted = CgratesQos(make_market(3), weights=[30.0, 10.0, 20.0])
    weighted.learn(told, now=0.0)
    assert chosen(weighted, 0, 0, 0, room=room(1, 1, 1)).tolist() == [2, 1, 0]
    asr_alone = CgratesQos(make_market(3), metrics=["*asr"], weights=[30.0, 10.0, 20.0])
    asr_alone.learn(told, now=0.0)
    assert chosen(asr_alone, 0, 0, 0, room=room(1, 1, 1)).tolist() == [0, 2, 1]


def test_qos_waits_for_its_least_number_of_calls_and_forgets_old_ones() -> None:
    router = CgratesQos(make_market(2), min_items=2, ttl_s=10.0)
    two = room(1, 1)
    router.learn(outcomes([0, 1, 1], answers=[1, 0, 0]), now=0.0)
    assert chosen(router, 0, 0, room=two).tolist() == [1, 0], "one answered call out of one is not enough"
    router.learn(outcomes([0], answers=[1]), now=5.0)
    assert chosen(router, 0, 0, room=two, now=9.9).tolist() == [0, 1]
    assert chosen(router, 0, room=two, now=10.0, seed=1) != chosen(router, 0, room=two, now=10.0, seed=3), (
        "what both have left is too little or nothing: a tie"
    )


def test_false_answers_fool_qos() -> None:
    router = CgratesQos(make_market(2), metrics=["*asr"])
    router.learn(outcomes([0] * 10, answers=[1] * 10, contacts=0.0), now=0.0)
    router.learn(outcomes([1] * 10, answers=[1, 1] + [0] * 8, contacts=[1, 1] + [0] * 8), now=0.0)
    assert chosen(router, 0, room=room(1, 1)).tolist() == [0]


# ---- OpenSIPS qrouting ------------------------------------------------------------------------------------------
def bad_calls(trunk: int, count: int, *, answers: float = 0.0, cell: int = 0) -> Outcomes:
    return outcomes([trunk] * count, [cell] * count, answers=answers)


def test_qrouting_is_optimistic_until_it_has_seen_thirty_calls() -> None:
    router = OpensipsQrouting(make_market(3), "best-dest-first")
    router.learn(bad_calls(0, 29), now=1.0)
    assert router.scores(6.0)[:, 0].tolist() == [1.0, 1.0, 1.0]
    router.learn(bad_calls(0, 1), now=7.0)
    assert router.scores(7.0)[:, 0].tolist() == [1.0, 1.0, 1.0], "a sample counts when it is whole"
    assert router.scores(10.0)[:, 0].tolist() == [0.1, 1.0, 1.0]
    assert chosen(router, 0, 0, 0, room=room(1, 1, 1), now=10.0).tolist() == [1, 2, 0]


def test_qrouting_heals_by_silence() -> None:
    router = OpensipsQrouting(make_market(2), "best-dest-first")
    router.learn(bad_calls(0, 40), now=2.0)
    router.learn(bad_calls(0, 20), now=902.0)
    assert router.scores(1799.9)[0, 0] == 0.1
    assert router.scores(1804.9)[0, 0] == 0.1, "360 samples of 5 s: the first is in the window for 30 minutes"
    assert router.scores(1805.0)[0, 0] == 1.0, "20 calls are left, too few to count"
    assert chosen(router, 0, room=room(1, 1), now=1805.0).tolist() == [0]


@pytest.mark.parametrize(
    ("answers", "faults", "score"),
    [
        (12, 0, 1.0), (11, 0, 0.5), (8, 0, 0.5), (7, 0, 0.1),  # at the threshold is not below it
        (20, 20, 1.0), (20, 21, 0.5), (20, 51, 0.1), (11, 30, 0.25), (0, 60, 0.01),
    ],
)  # fmt: skip
def test_penalties_multiply(answers: int, faults: int, score: float) -> None:
    router = OpensipsQrouting(make_market(1), "dynamic-weights")
    kinds = [1.0] * answers + [0.0] * (100 - answers)
    router.learn(outcomes([0] * 100, answers=kinds, faults=[0.0] * (100 - faults) + [1.0] * faults), now=0.0)
    assert router.scores(5.0)[0, 0] == pytest.approx(score)


def test_dynamic_weights_share_calls_by_score_and_each_region_for_itself() -> None:
    market = make_market(3, regions=[0, 1])
    thresholds = {"asr": Threshold(warn=0.5, crit=0.2, warn_penalty=0.6, crit_penalty=0.2, least_calls=10)}
    router = OpensipsQrouting(market, "dynamic-weights", thresholds=thresholds)
    for trunk, answered in ((0, 0), (1, 3), (2, 9)):
        router.learn(outcomes([trunk] * 10, answers=[1.0] * answered + [0.0] * (10 - answered)), now=0.0)
    routes = router.choose(calls(*[0] * 4000), ENDLESS, now=5.0, rng=np.random.default_rng(3))
    assert shares(routes.trunk, 3) == pytest.approx([0.2 / 1.8, 0.6 / 1.8, 1.0 / 1.8], abs=0.03)
    assert routes.propensity[routes.trunk == 1] == pytest.approx(0.6 / 1.8)
    assert shares(chosen(router, *[1] * 4000, now=5.0), 3) == pytest.approx([1 / 3] * 3, abs=0.03)
    # The best is full: its calls are shared by the others as their weights are.
    left = router.choose(calls(*[0] * 4000), room(10**6, 10**6, 0), now=5.0, rng=np.random.default_rng(3))
    assert shares(left.trunk, 3) == pytest.approx([0.25, 0.75, 0.0], abs=0.03)
    assert np.mean(left.reason == Reason.OVERFLOW) == pytest.approx(1.0 / 1.8, abs=0.03)


def test_equal_scores_keep_the_order_of_cost() -> None:
    market = make_market(3, per_s=[0.03, 0.01, 0.02])
    router = OpensipsQrouting(market, "best-dest-first")
    assert chosen(router, 0, 0, 0, room=room(1, 1, 1)).tolist() == [1, 2, 0]
    router.learn(bad_calls(1, 30), now=0.0)
    assert chosen(router, 0, 0, 0, room=room(1, 1, 1), now=5.0).tolist() == [2, 0, 1]


def test_false_answers_fool_qrouting() -> None:
    router = OpensipsQrouting(make_market(2), "best-dest-first")
    router.learn(bad_calls(0, 50, answers=1.0), now=0.0)
    router.learn(outcomes([1] * 50, answers=[1.0] * 5 + [0.0] * 45, contacts=[1.0] * 5 + [0.0] * 45), now=0.0)
    assert router.scores(5.0)[:, 0].tolist() == [1.0, 0.5]


def test_new_regions_begin_healthy_in_the_middle_of_a_window() -> None:
    market = make_market(2)
    router = OpensipsQrouting(market, "best-dest-first")
    router.learn(bad_calls(0, 30), now=0.0)
    assert router.scores(5.0).tolist() == [[0.1], [1.0]]
    cell = add_cell(market, region=2)
    assert router.scores(5.0).tolist() == [[0.1, 1.0, 1.0], [1.0, 1.0, 1.0]]
    router.learn(bad_calls(1, 30, cell=cell), now=6.0)
    assert router.scores(10.0).tolist() == [[0.1, 1.0, 1.0], [1.0, 1.0, 0.1]]


@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.integers(1, 5)), max_size=40), st.floats(0.0, 30.0))
def test_a_window_sums_its_whole_samples(added: list[tuple[float, int]], later_s: float) -> None:
    window, now = Window(samples=4, sample_s=2.0, trunks=1), 0.0
    window.grow(1)
    window.rotate(now)
    told: list[tuple[int, int]] = []
    for after_s, count in added:
        now += after_s
        window.rotate(now)
        window.add(0, np.array([0]), np.array([0]), np.array([float(count)]))
        told.append((int(now // 2.0), count))
    now += later_s
    window.rotate(now)
    at = int(now // 2.0)
    assert window.sums[0, 0, 0] == sum(count for sample, count in told if at - 4 <= sample < at)


# ---- what a proxy sees ------------------------------------------------------------------------------------------
def test_an_answer_is_one_reply_whether_it_is_told_at_once_or_before_the_end() -> None:
    at_once = replies(outcomes([0], answers=1, answered_s=40))
    first = replies(outcomes([0], answers=1, tries=0))
    then = replies(outcomes([0], answers=0, answered_s=40))
    for name in at_once._fields:
        assert getattr(at_once, name) == getattr(first, name) + getattr(then, name)
    assert at_once.calls == at_once.completed == at_once.answers == at_once.talks == 1.0


def test_contacts_told_on_their_own_are_no_replies_and_faults_complete_nothing() -> None:
    assert replies(outcomes([0], contacts=1, tries=0)).calls == 0.0
    fault = replies(outcomes([0], faults=1))
    assert (fault.calls, fault.completed, fault.answers) == (1.0, 0.0, 0.0)
    assert replies(outcomes([0])).completed == 1.0, "nobody answered, and the carrier did its work"
    assert replies(outcomes([0], answers=1, faults=1)).completed == 1.0, "cut off after the answer: the reply was 200"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda market: StaticLcr(market, answer_share=1.2), r"answer_share in \[0, 1\], was 1.2"),
        (lambda market: CgratesQos(market, metrics=["*pdd"]), r"metrics of \*asr, \*acd, was '\*pdd'"),
        (lambda market: CgratesQos(market, weights=[1.0]), "no weights or 3, were 1"),
        (lambda market: CgratesQos(market, queue_length=0), "queue_length"),
        (lambda market: OpensipsQrouting(market, "dynamic-weights", thresholds={"mos": Threshold(4, 3)}), "'mos'"),
        (lambda market: OpensipsQrouting(market, "dynamic-weights", sample_s=0.0), "sample_s"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(make_market(3))
