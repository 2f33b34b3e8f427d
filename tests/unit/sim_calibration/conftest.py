"""One short simulated day and its journal, for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.bootstrap import SimulatedDay, simulate
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return packaged_scenario("collections_demo", agents=12, leads=600, duration_s=1800.0)


@pytest.fixture(scope="session")
def day(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> SimulatedDay:
    return simulate(scenario, journal_dir=tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def journal(day: SimulatedDay) -> Path:
    assert day.journal is not None
    return day.journal
