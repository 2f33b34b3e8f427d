"""Scenario files: packaged ones by name, others by path; faults named by their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import ConfigError
from sim import scenario_file
from sim.scenario_file import load_scenario, packaged_scenario

PACKAGED = Path(scenario_file.__file__).parent / "scenarios"


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_packaged_scenario_can_be_read_by_its_name_and_by_its_path(path: Path) -> None:
    scenario = load_scenario(path.stem)
    assert scenario == load_scenario(str(path)) and scenario.campaign.trunks


def test_an_unknown_name_lists_those_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"no_such: expected a scenario file or one of .*collections_demo"):
        load_scenario("no_such")


@pytest.mark.parametrize(("agents", "leads", "duration_s"), [(1, 10, 60.0), (3, 200, 3600.0), (120, 5000, 900.0)])
def test_a_packaged_scenario_in_another_size(agents: int, leads: int, duration_s: float) -> None:
    scenario = packaged_scenario("collections_demo", agents=agents, leads=leads, duration_s=duration_s)
    assert len({agent.id for agent in scenario.campaign.agents}) == agents
    assert (scenario.population.leads, scenario.duration) == (leads, duration_s)
    original = load_scenario("collections_demo")
    shared = min(agents, len(original.campaign.agents))
    assert scenario.campaign.agents[:shared] == original.campaign.agents[:shared]


def line_of(text: str, key: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(key))


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("duration:", "duration: soon"),
        ("start:", 'start: "2026-11-23T09:00:00"'),
        ("seed:", "sead: 1"),
    ],
)
def test_a_fault_is_named_by_its_line(tmp_path: Path, key: str, bad: str) -> None:
    text = (PACKAGED / "collections_demo.yaml").read_text()
    line = line_of(text, key)
    broken = text.splitlines()
    broken[line - 1] = bad
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(broken))
    with pytest.raises(ConfigError) as raised:
        load_scenario(str(path))
    assert any(fault.startswith(f"{path}:{line}:") for fault in raised.value.faults), raised.value


def test_the_start_keeps_its_offset() -> None:
    scenario = load_scenario("collections_demo")
    assert scenario.start.utcoffset() is not None
    assert scenario.start_at == scenario.start.timestamp()
