"""`--set`: what a path reaches, what a value may be, and how a fault is told."""

from __future__ import annotations

from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config.campaign import Campaign
from dialer.errors import ConfigError
from sim.overrides import (
    SHORT,
    SIMULATED_MAX_ABANDON_RATE,
    caution,
    grid,
    override,
    parse_axes,
    parse_settings,
    scenario_from,
    simulated_campaign,
)
from sim.scenario import Scenario
from sim.scenario_file import load_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("collections_demo")


def changed(scenario: Scenario, *texts: str) -> Scenario:
    return override(scenario, parse_settings(texts))


def fault(scenario: Scenario, *texts: str) -> str:
    with pytest.raises(ConfigError) as caught:
        changed(scenario, *texts)
    (line,) = str(caught.value).splitlines()
    return line


def test_nothing_set_is_the_same_scenario(scenario: Scenario) -> None:
    assert override(scenario, {}) == scenario
    assert scenario_from(scenario.model_dump(mode="json")) == scenario


def test_a_path_changes_its_own_key_and_no_other(scenario: Scenario) -> None:
    new = changed(scenario, "population.live_rate=0.2")
    assert new.population.live_rate == 0.2
    back = new.model_copy(update={"population": scenario.population})
    assert back == scenario


def test_entries_of_lists_go_by_name_by_place_or_all(scenario: Scenario) -> None:
    by_name = changed(scenario, "carriers.pacifico.failure_rate=0.4")
    assert by_name == changed(scenario, "carriers.1.failure_rate=0.4")
    assert [carrier.failure_rate for carrier in by_name.carriers] == [0.01, 0.4, 0.08]
    every = changed(scenario, "carriers.*.failure_rate=0.4")
    assert {carrier.failure_rate for carrier in every.carriers} == {0.4}


def test_values_are_read_as_the_file_writes_them(scenario: Scenario) -> None:
    new = changed(
        scenario, "duration=90m", "population.patience_s={kind: fixed, value: 3}", "campaign.retry.BUSY.max=1"
    )
    assert new.duration == 5400.0
    assert new.population.patience_s.quantile(0.5) == 3.0
    assert new.campaign.retry["BUSY"].max == 1
    assert new.campaign.retry["NO_ANSWER"] == scenario.campaign.retry["NO_ANSWER"]


def test_short_names_reach_the_campaigns_pacing_and_the_two_sizes(scenario: Scenario) -> None:
    new = changed(scenario, "pacing.target_abandon_rate=0.02", "pacing.mode=progressive", "agents=25", "leads=40")
    assert (new.campaign.target_abandon_rate, new.campaign.mode) == (0.02, "progressive")
    assert (len(new.campaign.agents), new.population.leads) == (25, 40)
    assert new.campaign.agents[:20] == scenario.campaign.agents
    assert len({agent.id for agent in new.campaign.agents}) == 25


def test_every_short_name_is_a_place_of_the_file(scenario: Scenario) -> None:
    for path in SHORT.values():
        *sections, key = path.split(".")
        assert key in type(attrgetter(".".join(sections))(scenario)).model_fields


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("foo", "--set foo: expected PATH=VALUE"),
        ("population.live_rate=", "--set population.live_rate=: expected PATH=VALUE"),
        ("population.live_rat=0.2", "unknown key 'live_rat': did you mean live_rate?"),
        ("pacing.target_abandon=0.02", "unknown key: did you mean pacing.target_abandon_rate?"),
        ("carriers.andine.failure_rate=0.1", "did you mean andina?"),
        ("carriers.7.failure_rate=0.1", "unknown key '7'"),
        ("campaign.ring_timeout_s.x=1", "is not under a group of keys"),
        ("campaign.ring_timeout_s=70", "--set campaign.ring_timeout_s=70: expected less than or equal to 60, was 70"),
        ("population.live_rate=many", "expected a valid number"),
        ("agents=0", "--set agents=0: expected greater than or equal to 1, was 0"),
        ("campaign.mode=bold", "expected 'progressive', 'power' or 'predictive', was bold"),
        ("carriers.*.failure_rate=2", "--set carriers.*.failure_rate=2: expected less than or equal to 1"),
        ("population.busy_rate=[1", "expected a value as the scenario file writes it"),
        ("population.busy_rate=null", "expected a value as the scenario file writes it"),
        ("seed=3", "expected --seed N"),
    ],
)
def test_a_fault_is_one_line_that_names_the_setting_and_the_mend(scenario: Scenario, text: str, told: str) -> None:
    line = fault(scenario, text)
    assert line.startswith("--set ") and told in line


def test_a_value_cannot_bring_other_keys_along(scenario: Scenario) -> None:
    assert "expected a value" in fault(scenario, "population.live_rate=0.2\npopulation: {}")


def test_a_path_stands_once(scenario: Scenario) -> None:
    assert "stands twice" in fault(scenario, "agents=3", "agents=4")


def test_a_target_above_the_laws_is_for_simulation_alone(scenario: Scenario) -> None:
    new = changed(scenario, "pacing.target_abandon_rate=0.05")
    assert new.campaign.target_abandon_rate == 0.05
    assert "for simulation alone" in (caution(new) or "")
    assert caution(scenario) is None
    values = new.model_dump(mode="json")
    assert scenario_from(values) == new  # a journal's header brings it back
    assert simulated_campaign(values["campaign"]) == new.campaign
    with pytest.raises(ValueError, match="target_abandon_rate"):
        Campaign.model_validate(values["campaign"])


@pytest.mark.parametrize("value", ["0", "-0.01", "0.51", "1"])
def test_a_simulated_target_has_bounds_too(scenario: Scenario, value: str) -> None:
    assert "expected" in fault(scenario, f"pacing.target_abandon_rate={value}")
    assert SIMULATED_MAX_ABANDON_RATE == 0.5


# ---- axes ---------------------------------------------------------------------------------------------------
def test_a_range_holds_both_its_ends_without_dust() -> None:
    (axis,) = parse_axes(["pacing.target_abandon_rate=0.01:0.05:0.01"])
    assert axis.values == (0.01, 0.02, 0.03, 0.04, 0.05)
    (whole,) = parse_axes(["agents=20:60:20"])
    assert whole.values == (20, 40, 60) and all(isinstance(value, int) for value in whole.values)


@given(low=st.integers(-50, 50), count=st.integers(1, 40), step=st.integers(1, 9), digits=st.integers(0, 4))
def test_a_range_is_the_arithmetic_one(low: int, count: int, step: int, digits: int) -> None:
    def text(value: int) -> str:
        sign, whole = "-" if value < 0 else "", f"{abs(value):0{digits + 1}d}"
        return f"{sign}{whole[: len(whole) - digits]}.{whole[len(whole) - digits :]}" if digits else str(value)

    wanted = [float(text(low + place * step)) for place in range(count)]
    (axis,) = parse_axes([f"x={text(low)}:{text(low + (count - 1) * step)}:{text(step)}"])
    assert list(axis.values) == wanted


def test_commas_within_brackets_do_not_part() -> None:
    (axis,) = parse_axes(["population.patience_s={kind: fixed, value: 3},{kind: fixed, value: 9}"])
    assert axis.values == ({"kind": "fixed", "value": 3}, {"kind": "fixed", "value": 9})


@pytest.mark.parametrize("text", ["x=5:1:1", "x=1:5:0", "x=1:5:-1", "x=0:1000000:0.001", "x=1,,2"])
def test_a_range_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--set x="):
        parse_axes([text])


def test_a_grid_is_every_combination_the_last_fastest() -> None:
    assert grid(parse_axes(["a=1,2", "b=x,y"])) == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"},
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="at most 1,000 combinations"):
        grid(parse_axes(["a=1:100:1", "b=1:100:1"]))
