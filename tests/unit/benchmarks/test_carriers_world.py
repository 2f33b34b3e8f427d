"""The hidden-truth world, the oracle's plan for it, and a router driven through it."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import pytest

from benchmarks.carriers.line import Line
from benchmarks.carriers.oracle import oracle
from benchmarks.carriers.trial import Trial, ratios_of, run_trial, surcharges_of
from benchmarks.carriers.world import (
    CANCELLED_FEE,
    CELLS,
    CONTACT_S,
    RING_OUT_S,
    SHORT_FEE,
    TRUNKS,
    VALUE,
    Variant,
    World,
    make_world,
)
from carriers.capacity import CapacityPrices, CapacityProblem
from tests.unit.benchmarks.reference_router import FixedOrder, Told


def nothing_to_solve(problem: CapacityProblem) -> CapacityPrices:
    raise AssertionError("these routers want no prices")


@lru_cache
def world(variant: Variant = "base") -> World:
    return make_world(1, variant, minutes=60)


@lru_cache
def trial(
    variant: Variant = "base", *, until_s: int | None = None, exploration: float = 0.3
) -> tuple[Trial, FixedOrder]:
    made: list[FixedOrder] = []

    def make(market: object) -> FixedOrder:
        made.append(FixedOrder(market, exploration=exploration))  # type: ignore[arg-type]
        return made[0]

    return run_trial(world(variant), make, solve=nothing_to_solve, until_s=until_s), made[0]


def test_equal_seeds_give_equal_worlds_and_others_do_not() -> None:
    again, other = make_world(1, minutes=60), make_world(2, minutes=60)
    assert np.array_equal(again.contact, world().contact)
    assert np.array_equal(again.luck, world().luck)
    assert not np.array_equal(other.contact, world().contact)


@pytest.mark.parametrize("variant", ["nothing_to_exploit", "wrong_model", "false_answers", "surcharged"])
def test_variants_share_the_calls(variant: Variant) -> None:
    other = world(variant)
    for name in ("second", "cell", "luck", "ring_s", "talk_s", "set_ups_per_s"):
        assert np.array_equal(getattr(other, name), getattr(world(), name)), name


def test_where_nothing_is_to_be_learned_carriers_are_alike() -> None:
    alike = world("nothing_to_exploit")
    assert len(set(alike.attempt_fee)) == len(set(alike.per_s)) == 1
    assert not alike.dead.any()
    means = alike.contact.mean(axis=(1, 2))
    assert np.ptp(means) < 0.02 * means.mean()
    assert np.ptp(world().contact.mean(axis=(1, 2))) > 0.2 * means.mean()


def test_the_false_carrier_is_cheapest_answers_most_and_reaches_fewest() -> None:
    false = world("false_answers")
    cheat = int(np.argmax(false.false_answer))
    alive = ~false.dead.any(axis=0)
    contact = false.contact[:, :, alive].mean(axis=(1, 2))
    answers = contact + (1 - contact) * false.false_answer
    assert cheat == int(np.argmin(false.per_s)) == int(np.argmin(contact)) == int(np.argmax(answers))


def test_net_by_hand() -> None:
    got = world("surcharged")
    trunk, cell, minute = 2, 17, 5
    chance = float(got.contact[trunk, cell, minute])
    short = chance * got.short[trunk]
    expected = chance * (VALUE - CONTACT_S * got.per_s[trunk]) - short * 3.5 * got.per_s[trunk] - got.attempt_fee[trunk]
    assert got.net()[trunk, cell, minute] == pytest.approx(expected, rel=1e-5)


def test_the_oracle_keeps_within_capacity_and_demand_and_beats_what_knows_the_truth() -> None:
    best = oracle(world())
    minute = world().second // 60
    demand = np.zeros((CELLS, 60))
    np.add.at(demand, (world().cell, minute), 1.0)
    assert (best.flow.sum(axis=1) <= world().set_ups_per_s[:, None] * 60 + 1e-6).all()
    assert (best.flow.sum(axis=0) <= demand + 1e-6).all()
    assert best.by_minute.sum() == pytest.approx(best.net)
    worth = world().net().mean(axis=2)
    knows = run_trial(world(), partial(Told, worth=worth), solve=nothing_to_solve)
    assert trial()[0].net < knows.net < best.net


def test_no_set_up_is_beyond_the_limit_as_a_queue_counts_it() -> None:
    """An independent count: what a server of that rate has not yet served never grows beyond the bucket."""
    found, _ = trial(exploration=0.0)
    assert found.beyond_limits == 0
    for trunk in range(TRUNKS):
        rate = world().set_ups_per_s[trunk]
        placed = np.bincount(found.log.placed[found.log.trunk == trunk], minlength=3600)
        backlog = 0.0
        for count in placed.tolist():
            backlog = max(backlog - rate, 0.0) + count
            assert backlog <= 2 * rate + 1 + 1e-6


def test_every_call_is_placed_once_by_its_second_or_later() -> None:
    found, _ = trial()
    assert found.waiting == int(np.sum(found.log.trunk < 0)) == 0
    assert (found.log.placed >= world().second).all()


def test_a_router_that_overruns_its_room_is_counted() -> None:
    class Overrun(FixedOrder):
        def choose(self, requests, room, *, now, rng):  # type: ignore[no-untyped-def]
            routes = super().choose(requests, room, now=now, rng=rng)
            return routes._replace(trunk=np.zeros_like(routes.trunk))

    assert run_trial(world(), Overrun, solve=nothing_to_solve, until_s=30).beyond_limits > 100


def test_what_a_router_hears_adds_up_to_what_happened() -> None:
    found, router = trial("surcharged")
    log = found.log
    heard = {name: np.concatenate([getattr(rows, name) for rows in router.heard]) for name in router.heard[0]._fields}
    ended = log.placed + 200 < world().seconds  # long over by then
    for trunk in range(TRUNKS):
        mine = heard["trunk"] == trunk
        of_trunk = ended & (log.trunk == trunk)
        assert heard["tries"][mine].sum() >= of_trunk.sum()
    assert heard["tries"].sum() == pytest.approx(len(log.trunk), rel=0.05)
    assert heard["answers"].sum() == pytest.approx(log.answered.sum(), rel=0.05)
    assert heard["contacts"].sum() == pytest.approx(log.contact.sum(), rel=0.05)
    assert heard["shorts"].sum() == pytest.approx(np.sum(log.answered - log.contact), rel=0.1)
    told = heard["answers"] + heard["cancels"] + heard["faults"]
    assert (told == heard["tries"]).all()


def test_a_false_answer_is_a_contact_until_it_ends() -> None:
    false = world("false_answers")
    cheat = int(np.argmax(false.false_answer))
    line = Line(false)
    calls = np.arange(400)
    line.place(calls, np.full(400, cheat), 0)
    rows = [news[1] for second in range(1500) if (news := line.news(second)) is not None]
    credited = sum(float(np.sum(row.contacts[row.contacts > 0])) for row in rows)
    taken_back = -sum(float(np.sum(row.contacts[row.contacts < 0])) for row in rows)
    assert credited == line.answered[calls].sum() > 100
    assert credited - taken_back == line.contact[calls].sum() < 60


def test_a_dead_trunk_fails_after_two_seconds_and_others_ring_out() -> None:
    outage = world().outages[0]
    line = Line(world())
    calls = np.arange(100)
    line.place(calls, np.full(100, outage.trunk), outage.begin * 60)
    news = line.news(outage.begin * 60 + 2)
    assert news is not None
    assert news[1].faults.sum() == news[1].tries.sum() == 100
    line.place(calls, np.full(100, outage.trunk), outage.begin * 60 - 60)
    news = line.news(outage.begin * 60 - 60 + RING_OUT_S)
    assert news is not None
    assert news[1].cancels.sum() > 50


def test_surcharges_fall_due_above_the_share_on_every_call_of_the_kind() -> None:
    got, log = world("surcharged"), trial("surcharged")[0].log
    short, cancelled = ratios_of(log)
    for trunk in range(TRUNKS):
        mine = log.trunk == trunk
        answered = log.answered[mine].sum()
        shorts = np.sum((log.talk_s[mine] <= 6) & (log.answered[mine] > 0))
        unanswered = np.sum((log.answered[mine] == 0) & (log.faulty[mine] == 0))
        assert short[trunk] == pytest.approx(shorts / answered)
        assert cancelled[trunk] == pytest.approx(unanswered / mine.sum())
        due = CANCELLED_FEE * unanswered + (SHORT_FEE * shorts if shorts / answered > 0.15 else 0.0)
        assert surcharges_of(got, log)[trunk] == pytest.approx(due if got.surcharged[trunk] else 0.0)
