"""A day in a data folder that has a model: its calls go by plans, and its journal replays; without `use` none is asked.

The day before is dialled first, and a model is trained on its journal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from dialer.adapters.attempt_history import read_campaign_history
from dialer.adapters.journal import read_journal
from dialer.adapters.model_registry import ModelRegistry
from dialer.bootstrap import Place, rehearse, replay_journal
from dialer.core.actions import Alert, Originate, PlanHours
from dialer.core.events import HoursPlanned, PlannerOpened
from models.bundle import TrainingSettings
from models.exploration import Because
from models.plan import HourPlan, PlanRequest, unpack
from models.training import trained
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

AGENTS, LEADS, DURATION_S = 8, 500, 4500.0  # from nine o'clock to a quarter past ten


@dataclass(frozen=True)
class Day:
    journal: Path
    requests: list[PlanRequest]
    plans: list[HourPlan]
    opened: int
    calls: list[Originate]
    alerts: list[str]


def scenario_of(day: int, *, use: bool = True) -> Scenario:
    scenario = packaged_scenario("collections_demo", agents=AGENTS, leads=LEADS, duration_s=DURATION_S)
    models = scenario.campaign.models.model_copy(update={"use": use, "explore": 0.2})
    campaign = scenario.campaign.model_copy(update={"models": models})
    return scenario.model_copy(update={"start": scenario.start + timedelta(days=day), "campaign": campaign})


async def dialled(data: Path, day: int, *, use: bool = True) -> Day:
    scenario = scenario_of(day, use=use)
    async with rehearse(scenario, Place(data_dir=data), seed=scenario.seed, speed=None) as session:
        await session.run()
    found, opened = Day(session.journal, [], [], 0, [], []), 0
    _, steps = read_journal(session.journal)
    for event, actions in steps:
        opened += isinstance(event, PlannerOpened)
        if isinstance(event, HoursPlanned):
            found.plans.append(event.plan)
        for action in actions:
            if isinstance(action, PlanHours):
                found.requests.append(action.request)
            elif isinstance(action, Originate):
                found.calls.append(action)
            elif isinstance(action, Alert):
                found.alerts.append(action.text)
    return replace(found, opened=opened)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the journal of a day, of a campaign that had no model yet, and a champion."""
    data = tmp_path_factory.mktemp("data")
    first = asyncio.run(dialled(data, 0))
    assert first.opened == 0 and first.requests == [] and {call.score for call in first.calls} == {None}
    now = scenario_of(1).start_at - 3600.0
    past = read_campaign_history(data, "demo", now=now)
    settings = TrainingSettings(least_rows=100, least_positives=10, least_for_trees=10**6)
    model = trained(past.log, past.table, settings=settings, seed=1, now=now, nthread=1).bundle
    registry = ModelRegistry(data, "demo")
    registry.promote(registry.add(model, at=now), at=now)
    return data


@pytest.fixture(scope="module")
def day(taught: Path) -> Day:
    return asyncio.run(dialled(taught, 1))


def test_the_day_goes_by_plans(day: Day) -> None:
    assert day.opened == 1 and day.alerts == []
    assert [plan.number for plan in day.plans] == [request.number for request in day.requests]
    moments = [request.at - day.requests[0].at for request in day.requests]
    assert moments == [0.0, 60.0, *(60.0 + 600.0 * k for k in range(1, 6)), 3600.0, 4200.0]
    scored = [call for call in day.calls if call.score is not None]
    assert len(scored) > 0.9 * len(day.calls) > 100
    names = {Because(code).name.lower() for plan in day.plans for code in unpack(plan.because, "|u1")}
    for call in scored:
        assert call.score is not None and call.score.model == day.plans[0].models[0]
        assert 0.0 < call.score.answer < 1.0 and call.score.because in names
        assert (call.score.propensity is not None) == call.score.because.startswith("random")
    assert {"model", "random_hour"} <= {call.score.because for call in scored if call.score is not None}


def test_its_journal_replays(day: Day) -> None:
    _, result = replay_journal(day.journal)
    assert result.difference is None and result.events > 1000


def test_its_figures_are_plausible(day: Day) -> None:
    """What a slot says can be done is near what was done in it."""
    hour = day.requests[1].slots[0]
    assert hour.end_at - hour.begin_at == pytest.approx(3540.0)
    assert 0.5 * AGENTS * 3540.0 < hour.agent_s < AGENTS * 3540.0
    for request in day.requests:
        assert request.slots[0].begin_at == request.at
        for slot in request.slots:
            length = slot.end_at - slot.begin_at
            assert 0.1 * AGENTS < slot.agent_s / length < AGENTS
            assert 0.0 < slot.attempts / length <= 15.0  # what the three trunks take in a second
        assert {region.per_day for region in request.regions} <= {1, 2}
        assert 60.0 < request.handle_s < 400.0
    # With all channels at work, more than was dialled could have been; nobody was there to talk to them.
    assert hour.attempts > len(day.calls)
    told = sum(len(unpack(request.ended_lead, "<i4")) for request in day.requests)
    assert 0.7 * len(day.calls) < told <= len(day.calls)
    regions = unpack(day.requests[0].region, "<i2")
    assert regions.min() >= -1 and regions.max() < len(day.requests[0].regions)  # who was finished the day before: -1
    assert (regions >= 0).mean() > 0.5


async def test_a_campaign_that_does_not_use_models_asks_for_nothing(taught: Path) -> None:
    plain = await dialled(taught, 2, use=False)
    assert plain.opened == 0 and plain.requests == [] and {call.score for call in plain.calls} == {None}
