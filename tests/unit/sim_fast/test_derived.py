"""What a fast scenario takes over from a whole one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dialer.errors import ConfigError
from sim.fast import FastScenario, fast_of
from sim.scenario import AgentKind, Floor, Scenario, ScheduledBreak, Shift
from sim.scenario_file import packaged_scenario


@pytest.fixture(scope="module")
def day() -> Scenario:
    return packaged_scenario("collections_day", agents=40, leads=2000, duration_s=8 * 3600.0)


def _with_floor(day: Scenario, floor: Floor) -> FastScenario:
    return fast_of(day.model_copy(update={"floor": floor}))


def test_the_same_scenario_gives_the_same(day: Scenario) -> None:
    assert fast_of(day) == fast_of(day)


def test_agents_are_those_who_are_there_on_average(day: Scenario) -> None:
    half = Floor(shifts=(Shift(begin=0.0, end=4 * 3600.0), Shift(begin="09:00", end=None)))
    assert _with_floor(day, Floor()).agents == 40
    assert _with_floor(day, half).agents == 30
    lunch = ScheduledBreak.model_validate({"at": "13:00", "length_s": {"kind": "fixed", "value": 4 * 3600.0}})
    evening = lunch.model_copy(update={"at": "21:00"})
    assert _with_floor(day, Floor(breaks=(lunch, evening))).agents == 20
    often = Floor.model_validate({"break_every_s": 600.0, "break_s": {"kind": "fixed", "value": 200.0}})
    assert _with_floor(day, often).agents == 30


def test_slow_agents_talk_longer(day: Scenario) -> None:
    kinds = (AgentKind(name="usual", share=1.0), AgentKind(name="slow", share=1.0, handle_factor=2.0))
    usual, mixed = _with_floor(day, Floor()), _with_floor(day, Floor(kinds=kinds))
    np.testing.assert_allclose(np.mean(mixed.talk_s), 1.5 * np.mean(usual.talk_s), rtol=1e-9)
    assert any("speed" in line for line in mixed.left_out)


def test_detection_takes_machines_out_and_some_people_with_them(day: Scenario) -> None:
    screened = day.model_copy(update={"campaign": day.campaign.model_copy(update={"amd": True})})
    without, with_amd = fast_of(day), fast_of(screened)
    assert without.screened_out_rate == 0.0 and np.sum(without.screening_s) == 0.0
    assert with_amd.screened_out_rate > 0.0
    np.testing.assert_allclose(with_amd.answer_rate + with_amd.screened_out_rate, without.answer_rate, rtol=1e-9)
    assert np.min(with_amd.screening_s) > 0.5


def test_a_list_must_come_along(day: Scenario) -> None:
    population = day.population.model_copy(update={"list": Path("leads.csv"), "leads": 0})
    with pytest.raises(ConfigError, match=r"leads\.csv: expected the leads of the list"):
        fast_of(day.model_copy(update={"population": population}))
