"""`replay`: a journal's day once more, to check it or to put it on record."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from dialer import __version__
from dialer.adapters.journal import Header, read_journal
from dialer.bootstrap.engine import POLICY_OF_MODE, make_engine
from dialer.bootstrap.simulated import zone_of
from dialer.config.campaign import Campaign
from dialer.core.engine import Engine
from dialer.core.events import LeadsAdded
from dialer.core.lead import Lead
from dialer.errors import JournalError
from pacing.registry import UnknownPolicy
from sim.day import DayRecord
from sim.overrides import scenario_from, simulated_campaign
from sim.recorder import Recorder
from sim.replay import ReplayResult, replay
from sim.result import SimResult, result_of
from sim.scenario import Scenario

LONGEST_RECORD_S = 100 * 86400.0  # a reading each minute of it


def replay_journal(path: Path) -> tuple[Header, ReplayResult]:
    """Replay a journal; a difference is to be expected where another version of the program wrote it.

    Raises `JournalError` where the journal is not whole.
    """
    header, steps = read_journal(path)
    return header, replay(_engine_of(path, header), steps)


def _engine_of(path: Path, header: Header) -> Engine:
    try:
        # A simulated campaign may aim above what the law allows one that calls people.
        read = Campaign.model_validate if header.scenario is None else simulated_campaign
        campaign = read(header.campaign)
    except ValidationError as error:
        raise unusable_header(path, header, error) from None
    policies = {**POLICY_OF_MODE, **header.policies}
    try:
        return make_engine(campaign, run=header.run, seed=header.seed, policies=policies)
    except UnknownPolicy as error:
        raise JournalError(f"{path}:1: {error}: use version {header.version}, which wrote the journal") from None


def scenario_in(path: Path, header: Header) -> Scenario | None:
    """The scenario of a simulated day's journal; None for a real day's. Raises `JournalError`."""
    try:
        return None if header.scenario is None else scenario_from(header.scenario)
    except ValidationError as error:
        raise unusable_header(path, header, error) from None


def unusable_header(path: Path, header: Header, error: ValidationError) -> JournalError:
    """The fault of a journal whose campaign or scenario this version does not know."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return JournalError(
        f"{path}:1: expected settings that this version ({__version__}) knows, was: {where}: {fault['msg']}: "
        f"use version {header.version}, which wrote the journal"
    )


def recorded_day(path: Path) -> tuple[Header, DayRecord, SimResult]:
    """Put a journal's day on record by replaying its events. Raises `JournalError` where the journal is not whole.

    A journal of another version may be told a little differently from how it went: the engine is this version's.
    """
    header, steps = read_journal(path)
    engine, scenario = _engine_of(path, header), scenario_in(path, header)
    recorder = Recorder(engine, start_at=header.started_at)
    leads: list[Lead] = []
    now = header.started_at
    for event, actions in steps:
        now = max(now, event.at)
        if abs(event.at - header.started_at) > LONGEST_RECORD_S:
            raise JournalError(
                f"{path}:1: expected events within {LONGEST_RECORD_S / 86400:.0f} days of started_at "
                f"({header.started_at:g}), was one at {event.at:g}: is it the first line of this very journal?"
            )
        recorder.take(now)
        engine.step(event)
        recorder.saw(event, actions)
        if isinstance(event, LeadsAdded):
            leads += event.leads
    day = recorder.day(
        until=now,
        scenario="" if scenario is None else scenario.scenario,
        seed=None if scenario is None else header.seed,
        zone=zone_of(leads),
    )
    return header, day, result_of(day, events=engine.counters.events, scenario=scenario)
