"""People: their fates are as frequent as the scenario says, and depend on nothing but what they should."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from math import exp
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.outcome import Outcome
from sim.people import LocalHours, People, Wearing
from sim.population import make_leads
from sim.scenario import Scenario, Wear
from tests.unit.sim.scenes import LIMA, TOKYO, fixed, scenario

MANY = 4000


def people_of(made: Scenario, seed: int = 3) -> People:
    return People(made, make_leads(made.population, seed), seed=seed)


def first_calls(made: Scenario, *, after_s: float = 0.0, seed: int = 3) -> list[Outcome]:
    people = people_of(made, seed)
    at = made.start_at + after_s
    return [
        people.outcome(subject=subject, draw=0, number_index=0, trunk="north", at=at)
        for subject in range(made.population.leads)
    ]


def share(outcomes: list[Outcome], **wanted: Any) -> float:
    return sum(all(getattr(o, key) == value for key, value in wanted.items()) for o in outcomes) / len(outcomes)


MIXED = scenario(
    population={"leads": 60, "live_rate": 0.4, "machine_rate": 0.2, "busy_rate": 0.1, "wear": {"strength": 0.3}}
)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_asking_changes_nothing(order: list[int]) -> None:
    """Two policies meet the same people: who else was called before does not matter."""
    asked = {}
    people = people_of(MIXED)
    for subject in order:
        for draw in (0, 1):
            at = MIXED.start_at + 600.0 * draw
            asked[subject, draw] = people.outcome(subject=subject, draw=draw, number_index=0, trunk="north", at=at)
    fresh = people_of(MIXED)
    for subject, draw in sorted(asked):
        at = MIXED.start_at + 600.0 * draw
        again = [fresh.outcome(subject=subject, draw=draw, number_index=0, trunk="north", at=at) for _ in range(2)]
        assert again == [asked[subject, draw]] * 2


def test_outcomes_are_as_frequent_as_stated() -> None:
    made = scenario(
        population={
            "leads": MANY, "live_rate": 0.3, "machine_rate": 0.2, "busy_rate": 0.1, "dead_number_rate": 0.25,
        }
    )  # fmt: skip
    calls = first_calls(made)
    assert share(calls, end="invalid", cause=1) == pytest.approx(0.25, abs=0.025)
    assert share(calls, end="busy", cause=17) == pytest.approx(0.75 * 0.1, abs=0.02)
    assert share(calls, end="answered", human=True) == pytest.approx(0.75 * 0.3, abs=0.025)
    assert share(calls, end="answered", human=False, disposition="MACHINE") == pytest.approx(0.75 * 0.2, abs=0.025)
    assert share(calls, end="no_answer") == pytest.approx(0.75 * 0.4, abs=0.03)


def test_dispositions_follow_their_rates_and_have_their_own_times() -> None:
    made = scenario(
        population={
            "leads": MANY,
            "right_party_rate": 0.8,
            "conversations": {
                "PTP": {"rate": 0.5, "talk_s": fixed(200), "wrap_up_s": fixed(40)},
                **{name: {"rate": 0.1} for name in ("REFUSED", "CALLBACK", "PAID")},
                "DISPUTED": {"rate": 0.0},
                "DNC_REQUEST": {"rate": 0.0},
                "RPC": {"talk_s": fixed(100)},
                "WRONG_PARTY": {"wrap_up_s": fixed(5)},
            },
        }
    )
    calls = first_calls(made)
    found = Counter(call.disposition for call in calls)
    expected = {"PTP": 0.4, "REFUSED": 0.08, "CALLBACK": 0.08, "PAID": 0.08, "RPC": 0.16, "WRONG_PARTY": 0.2}
    assert found.keys() == expected.keys()
    for disposition, rate in expected.items():
        assert found[disposition] / MANY == pytest.approx(rate, abs=0.03), disposition
    assert {(call.talk_s, call.wrap_up_s) for call in calls if call.disposition == "PTP"} == {(200.0, 40.0)}
    assert {call.talk_s for call in calls if call.disposition == "RPC"} == {100.0}
    assert {call.wrap_up_s for call in calls if call.disposition == "WRONG_PARTY"} == {5.0}


def test_a_wrong_number_is_a_stranger_s_at_every_call_and_another_number_is_not() -> None:
    made = scenario(
        population={"leads": 400, "wrong_number_rate": 0.5, "right_party_rate": 1.0, "second_number_rate": 1.0}
    )
    people = people_of(made)
    wrong = 0
    for subject in range(400):
        for number_index in (0, 1):
            said = {
                people.outcome(subject=subject, draw=draw, number_index=number_index, trunk="north", at=made.start_at)
                .disposition
                == "WRONG_PARTY"
                for draw in range(4)
            }  # fmt: skip
            assert said == {people.number(subject, number_index).wrong}
        wrong += people.number(subject, 0).wrong and not people.number(subject, 1).wrong
    assert wrong / 400 == pytest.approx(0.25, abs=0.07)


def test_the_hour_is_the_person_s_own() -> None:
    """Ten in the morning in Lima is midnight in Tokyo."""
    hours = [0.0] * 24
    hours[10] = 1.0
    made = scenario(population={"leads": 300, "regions": [LIMA, TOKYO], "hours": hours})
    leads = make_leads(made.population, 3)
    for lead, call in zip(leads, first_calls(made), strict=True):
        assert call.human == (lead.region == "Lima")


def test_weekdays_and_habits_multiply() -> None:
    never, always = [0.0] * 24, [1.0] * 24
    habits = [{"name": "a", "share": 3, "hours": never}, {"name": "b", "share": 1, "hours": always}]
    made = scenario(population={"leads": MANY, "habits": habits, "weekdays": [1, 0, 1, 1, 1, 1, 1]})
    assert share(first_calls(made), human=True) == pytest.approx(0.25, abs=0.03)
    assert share(first_calls(made, after_s=86400.0), human=True) == 0.0
    of_habit = scenario(population={"habits": [{"name": "a", "share": 1, "weekdays": [0, 1, 1, 1, 1, 1, 1]}]})
    assert share(first_calls(of_habit), human=True) == 0.0
    assert share(first_calls(of_habit, after_s=86400.0), human=True) == 1.0


@given(st.floats(1.6e9, 2.2e9), st.sampled_from(["America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe"]))
def test_local_hours_are_those_of_the_zone_also_when_asked_again(at: float, zone: str) -> None:
    hours = LocalHours(zone)
    for moment in (at, at + 400.0, at + 900.0, at + 7200.0, at):
        local = datetime.fromtimestamp(moment, ZoneInfo(zone))
        assert hours.hour_of_week(moment) == local.weekday() * 24 + local.hour


def test_the_clocks_change_in_the_middle_of_a_run() -> None:
    hours = LocalHours("America/Santiago")
    change = datetime(2026, 9, 6, 4, 0, tzinfo=ZoneInfo("UTC"))  # midnight becomes one
    seen = [hours.hour_of_week((change + timedelta(seconds=s)).timestamp()) % 24 for s in (-1, 0, 1)]
    assert seen == [23, 1, 1]


@given(st.lists(st.floats(1.0, 5e5), min_size=1, max_size=6), st.floats(0.0, 2.0), st.floats(0.0, 1.0))
def test_wear_is_the_sum_of_the_calls_before_each_halved_by_its_age(
    gaps: list[float], strength: float, floor: float
) -> None:
    half_life_s = 86400.0
    wearing = Wearing(Wear(strength=strength, half_life=half_life_s, floor=floor))
    at, calls = 0.0, list[float]()
    for draw, gap in enumerate(gaps):
        at += gap
        load = sum(0.5 ** ((at - before) / half_life_s) for before in calls)
        expected = floor + (1.0 - floor) * exp(-strength * load)
        assert wearing.factor(7, draw, at) == pytest.approx(expected)
        assert wearing.factor(7, draw, at) == pytest.approx(expected)
        assert wearing.factor(8, 0, at) == 1.0
        calls.append(at)


def test_called_again_and_again_people_answer_less_and_after_a_rest_as_before() -> None:
    made = scenario(
        population={"leads": MANY, "live_rate": 0.6, "wear": {"strength": 1.0, "half_life": "1d", "floor": 0.2}}
    )
    people = people_of(made)
    rates = []
    for draw, day in enumerate((0.0, 0.0, 0.0, 60.0)):
        at = made.start_at + day * 86400.0
        calls = [people.outcome(subject=s, draw=draw, number_index=0, trunk="north", at=at).human for s in range(MANY)]
        rates.append(sum(calls) / MANY)
    worn = [0.6 * (0.2 + 0.8 * exp(-load)) for load in (0.0, 1.0, 2.0, 0.0)]
    assert rates == pytest.approx(worn, abs=0.03)


@pytest.mark.parametrize("amd", [False, True])
def test_detection_errs_both_ways_and_is_drawn_only_where_there_is_one(amd: bool) -> None:
    switch = {"amd_false_machine_rate": 0.1, "amd_missed_machine_rate": 0.3, "amd_s": fixed(2)}
    calls = first_calls(
        scenario(
            population={"leads": MANY, "live_rate": 0.5, "machine_rate": 0.5}, campaign={"amd": amd}, switch=switch
        )
    )
    assert {call.screening_s for call in calls} == ({2.0} if amd else {None})
    for human, rate in ((True, 0.1), (False, 0.7)):
        said = [call for call in calls if call.human is human]
        assert share(said, verdict="machine") == (pytest.approx(rate, abs=0.04) if amd else 0.0)


def test_a_false_answer_is_nobody_s() -> None:
    false_answer_s = {"kind": "uniform", "low": 1, "high": 2}
    carrier = {"trunk": "north", "failure_rate": 0, "false_answer_rate": 0.4, "false_answer_s": false_answer_s}
    calls = first_calls(scenario(population={"leads": MANY}, carriers=[carrier], floor={"silence_s": fixed(6)}))
    nobody = [call for call in calls if not call.human]
    assert len(nobody) / MANY == pytest.approx(0.4, abs=0.03)
    assert share(nobody, end="answered", disposition="MACHINE", talk_s=6.0, patience_s=None) == 1.0
    waits = [call.rings_s or 0.0 for call in nobody]
    assert 1.0 <= min(waits) < 1.1 and 1.9 < max(waits) <= 2.0


def test_failures_and_losses_are_the_carrier_s() -> None:
    carriers = [{"trunk": "north", "failure_rate": 0.2, "lost_rate": 0.5}]
    calls = first_calls(scenario(population={"leads": MANY}, carriers=carriers))
    assert share(calls, end="failed", cause=34, sip_code=503) == pytest.approx(0.2, abs=0.025)
    assert share(calls, end="no_answer") == pytest.approx(0.4, abs=0.03)
    assert share(calls, human=True) == pytest.approx(0.4, abs=0.03)
