"""A recorded day under another decision: its world again, with another policy or other settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import msgspec
from pydantic import ValidationError

from dialer.adapters.call_logs import read_call_log
from dialer.adapters.journal import Header, read_journal
from dialer.bootstrap import recorded_day, scenario_in, simulate, unusable_header
from dialer.config.campaign import Campaign
from dialer.core.events import DrainOrdered
from dialer.core.lead import Lead
from dialer.core.logged_call import LoggedCall
from dialer.errors import ConfigError, JournalError
from dialer.studies.days import check_policy, share_of
from dialer.studies.workers import Progress
from sim.calibration import calibrate
from sim.day import DayRecord
from sim.floor import AgentDay
from sim.outcome import Fates
from sim.overrides import caution, override
from sim.people import People
from sim.recorded import Record, RecordedFates, agent_days_of, read_record
from sim.result import SimResult
from sim.scenario import Population, Scenario

THE_SAME_WORLD = "the simulated day's own scenario and seed: the very same people, agents and carriers"
REBUILT_WORLD = (
    "a real day: {calls:,} recorded calls to {leads:,} leads answer as they did; calls beyond the record, and what was "
    "cut short that day, are drawn from a scenario calibrated to it; agents come, go and pause as they did, and every "
    "lead begins unworn"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A day as it was, and as it would have been."""

    recorded_day: DayRecord
    recorded: SimResult
    day: DayRecord
    result: SimResult
    world: str  # where the world of the second day comes from
    cautions: tuple[str, ...]


def rerun_journal(
    path: Path,
    *,
    policy: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Rerun:
    """Run a journal's day again under another decision; what is not named stays as it was.

    Raises `JournalError` for a journal that is not whole or of no use, and `ConfigError` for settings that cannot be.
    """
    check_policy(policy)
    header, recorded_as, recorded = recorded_day(path)
    own = scenario_in(path, header)
    world = _rebuilt_world(path, header) if own is None else _same_world(path, own)
    scenario = override(world.scenario, overrides or {})
    done = simulate(
        scenario,
        seed=header.seed,
        policy=policy or header.policies.get(scenario.campaign.mode),
        progress=None if progress is None else share_of(scenario, progress),
        **_as_recorded(world, scenario, header.seed),
    )
    note = caution(scenario)
    return Rerun(
        recorded_day=recorded_as,
        recorded=recorded,
        day=done.day,
        result=done.result if done.result.cost else without_costs(done.result),
        world=world.told,
        cautions=() if note is None else (note,),
    )


def without_costs(result: SimResult) -> SimResult:
    """The same of a real day: nobody told what its calls and agents cost."""
    return msgspec.structs.replace(
        result, carriers_cost=None, carriers_cost_per_contact=None, cost=None, cost_per_rpc=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    scenario: Scenario
    leads: tuple[Lead, ...] | None = None  # those of a list, as the journal has them
    record: Record | None = None  # of a real day
    told: str


def _same_world(path: Path, scenario: Scenario) -> _World:
    """The list's file may have changed since; the journal has not."""
    leads = None if scenario.population.list is None else _record_of(path).leads
    return _World(scenario=scenario, leads=leads, told=THE_SAME_WORLD)


class _Recorded(TypedDict, total=False):
    """What stands in for a scenario's own people and agents."""

    leads: tuple[Lead, ...]
    fates: Fates
    days: tuple[AgentDay, ...]


def _as_recorded(world: _World, scenario: Scenario, seed: int) -> _Recorded:
    """Return a real day's people, and its agents unless the settings ask for others."""
    record = world.record
    if record is None:
        return {} if world.leads is None else {"leads": world.leads}
    people = People(scenario, record.leads, seed=seed)
    found: _Recorded = {
        "leads": record.leads,
        "fates": RecordedFates(record, people, seed=seed, patience_s=scenario.population.patience_s),
    }
    if scenario.floor == world.scenario.floor and scenario.campaign.agents == world.scenario.campaign.agents:
        found["days"] = agent_days_of(record)
    return found


def _rebuilt_world(path: Path, header: Header) -> _World:
    """Rebuild a real day's world from its journal."""
    record = _record_of(path)
    until = _dialled_until(path) or record.ended_at
    calls = read_call_log(path).calls
    try:
        base = Scenario(
            scenario=str(header.campaign.get("campaign")),
            seed=header.seed,
            start=datetime.fromtimestamp(record.began_at, UTC),
            duration=max(1.0, until - record.began_at),
            campaign=Campaign.model_validate(header.campaign),
            population=Population(leads=max(1, len(record.leads))),
        )
    except ValidationError as error:
        raise unusable_header(path, header, error) from None
    told = REBUILT_WORLD.format(calls=len(record.calls), leads=len(record.leads))
    return _World(scenario=_calibrated(path, calls, base), record=record, told=told)


def _record_of(path: Path) -> Record:
    try:
        return read_record(read_journal(path)[1])
    except ValueError:
        told = "expected events after the first line, found none: take the file from a backup"
        raise JournalError(f"{path}:2: {told}") from None


def _dialled_until(path: Path) -> float | None:
    """When somebody ordered the day to end; None where it ran to its end by itself."""
    return next((event.at for event, _ in read_journal(path)[1] if isinstance(event, DrainOrdered)), None)


def _calibrated(path: Path, calls: Sequence[LoggedCall], base: Scenario) -> Scenario:
    """Fit the people and carriers to the day's calls; the campaign, its agents and its hours stay as they were."""
    try:
        fitted = calibrate(calls, base).scenario
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {fault}" for fault in error.faults)) from None
    floor = fitted.floor.model_copy(update={"agents": None, "shifts": ()})
    own = {"scenario": base.scenario, "campaign": base.campaign, "start": base.start, "duration": base.duration}
    return fitted.model_copy(update={**own, "floor": floor})
