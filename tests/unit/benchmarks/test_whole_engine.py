"""The benchmark of the whole engine, in a small world: its steps play, and what they rank by is what they say."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from benchmarks.models.whole_engine import Ranked, Row, Truth, World, play, told
from models.plan import HourPlan, PlanRequest, Region, Slot, pack, unpack
from sim.people import People
from sim.scenario_file import packaged_scenario


@pytest.fixture(scope="module")
def world() -> World:
    return World(4, packaged_scenario("collections_midsize", agents=4, leads=400, duration_s=600.0), an_hour=300)


def test_the_median_trunk_stands_alone_and_has_room(world: World) -> None:
    rates = world.live_rates()
    alone = world.over_one(world.median_trunk())
    (trunk,), (carrier,) = alone.campaign.trunks, alone.carriers
    assert trunk.name == carrier.trunk == sorted(rates, key=rates.__getitem__)[2]
    assert trunk.max_channels >= 300 and carrier.max_channels is None and carrier.max_cps is None


def test_nobody_stands_before_others_on_the_list(world: World) -> None:
    assert {lead.priority for lead in world.leads} == {0}


@pytest.mark.parametrize("step", ["progressive", "routing"])
def test_a_step_plays_on_the_same_people(world: World, step: str) -> None:
    row = play(world, step)
    assert row.step == step and row.attempts > 0 and row.agent_hours > 0
    assert row.abandon_rate == 0.0 or step != "progressive"


REQUEST = PlanRequest(
    number=1,
    at=0.0,
    slots=(Slot(begin_at=0.0, end_at=3600.0, attempts=10.0, agent_s=100.0),),
    regions=(
        Region(zone="America/Lima", offset_s=-18000, holiday=False, open=(1.0,), hours=(9,), per_day=2, per_week=7),
    ),
    carriers=(),
    handle_s=100.0,
    gap_s=600.0,
)


class Fixed:
    """A planner with one plan."""

    models = ()

    def plan(self, request: PlanRequest) -> HourPlan:
        return HourPlan(
            number=request.number,
            until=1.0,
            models=(),
            order=pack([0, 1, 3], "<i4"),
            held=b"",
            held_until=b"",
            answer=pack([0.1, 0.3, 0.9, 0.2], "<f4"),
            right_party=pack([0.5, 0.5, 0.5, 0.9], "<f4"),
            because=b"",
            propensity=b"",
            arm=b"",
        )


def test_ranking_takes_the_likeliest_contact_first_of_those_that_may_be_called() -> None:
    plan = Ranked(Fixed()).plan(REQUEST)  # type: ignore[arg-type]
    assert unpack(plan.order, "<i4").tolist() == [3, 1, 0]
    told_by = Ranked(Fixed(), lambda _: (np.array([0.9, 0.2, 1.0, 0.1]), np.ones(4)))  # type: ignore[arg-type]
    plan = told_by.plan(REQUEST)
    assert unpack(plan.order, "<i4").tolist() == [0, 1, 3]
    assert unpack(plan.answer, "<f4").tolist() == pytest.approx([0.9, 0.2, 1.0, 0.1])


def test_the_truth_is_what_people_do(world: World) -> None:
    at = world.scenario.start_at
    people = People(world.scenario, world.leads, seed=4, past=world.past)
    chance, right_party = Truth(world)(msgspec.structs.replace(REQUEST, at=at))
    for subject in range(0, 400, 7):
        number = people.number(subject, 0)
        expected = 0.0 if number.dead else people.live_rate(subject, 0, at)
        assert chance[subject] == pytest.approx(expected, rel=1e-9)
        assert (right_party[subject] == 0.0) == number.wrong


def test_the_truth_tires_with_the_day(world: World) -> None:
    truth, at = Truth(world), world.scenario.start_at
    ended = {
        "ended_lead": pack([5], "<i4"), "ended_at": pack([at], "<f8"), "ended_result": pack([0], "<i1"),
    }  # fmt: skip
    before, _ = Truth(world)(msgspec.structs.replace(REQUEST, at=at + 60.0))
    after, _ = truth(msgspec.structs.replace(REQUEST, at=at + 60.0, **ended))
    assert after[5] < before[5] or before[5] == 0.0
    assert np.array_equal(np.delete(after, 5), np.delete(before, 5))


def test_the_table_compares_on_the_same_people() -> None:
    rows = [
        Row(step, seed, rate, 0.01, 0.5, 100, 90, 10, 5, 8.0, 1.0)
        for step, seed, rate in [("progressive", 1, 2.0), ("progressive", 2, 4.0), ("all", 1, 6.0), ("all", 2, 10.0)]
    ]
    assert "2.75" in told(rows).splitlines()[2]
