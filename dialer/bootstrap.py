"""Builds an environment from its name: the only module that names concrete adapters.

| environment | agents    | switch          | clock               | store                    | driver         |
|-------------|-----------|-----------------|---------------------|--------------------------|----------------|
| simulate    | simulated | simulated world | event heap          | memory                   | `sim.runner`   |
| rehearse    | simulated | simulated world | virtual             | embedded Valkey or Redis | `Runtime`      |
| sandbox     | simulated | simulated world | the system's        | embedded Valkey or Redis | `Runtime`      |
| live        | real      | Asterisk        | the system's        | embedded Valkey or Redis | `Runtime`      |
| replay      | -         | -               | as recorded         | journal                  | `sim.replay`   |
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import structlog

from dialer import __version__
from dialer.adapters.audit import audit_log
from dialer.adapters.clock import SystemClock
from dialer.adapters.journal import Header, Journal, header_of, journal_path, read_journal
from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore, open_store
from dialer.adapters.supervisor import Supervisor
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import rule_set
from dialer.core.engine import Engine
from dialer.core.lead import Lead
from dialer.errors import CampaignRunning, ComplianceBreach, ConfigError, JournalError
from dialer.ports import Clock, Opening, Telephony
from dialer.runtime import Observer, Runtime
from pacing.registry import make_policy, warm_up
from sim.clock import VirtualClock
from sim.population import make_leads
from sim.rehearsal import drive
from sim.replay import ReplayResult, replay
from sim.runner import Runner
from sim.scenario import Population, Scenario
from sim.world import World

POLICY_OF_MODE = {"progressive": "progressive-v1", "predictive": "priced-v1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a campaign keeps its things: a data folder, and a server where one is named."""

    data_dir: Path
    redis_url: str | None = None


def make_engine(campaign: Campaign, *, run: int, seed: int, policy: str | None = None) -> Engine:
    """Build the engine of a campaign; the policy follows the mode unless one is named."""
    warm_up()
    policies = {mode: make_policy(policy or policy_id) for mode, policy_id in POLICY_OF_MODE.items()}
    return Engine(campaign, rules=rule_set(campaign), policies=policies, run=run, seed=seed)


# ---- simulate -----------------------------------------------------------------------------------------------
def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    policy: str | None = None,
    journal_dir: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Engine, Path | None]:
    """Run a scenario flat out; returns the engine as it ended, and the journal's path where one was wanted."""
    seed = scenario.seed if seed is None else seed
    leads = make_leads(scenario.population, seed)
    clock = VirtualClock(scenario.start_at)
    store = MemoryStore()
    opening = store.open_now(scenario.campaign.campaign, owner="simulate")
    store.add_leads_now(scenario.campaign.campaign, leads)
    engine = make_engine(scenario.campaign, run=opening.run, seed=seed, policy=policy)
    world = World(scenario, leads, seed=seed, clock=clock)
    header = header_of(scenario.campaign, run=opening.run, seed=seed, started_at=scenario.start_at)
    journal = None if journal_dir is None else Journal(journal_path(journal_dir, header), header)
    runner = Runner(engine, world, clock, store, journal)
    try:
        runner.run(leads, until=scenario.start_at + scenario.duration, progress=progress)
    finally:
        if journal is not None:
            journal.close()
    return engine, None if journal is None else journal.path


# ---- replay -------------------------------------------------------------------------------------------------
def replay_journal(path: Path) -> tuple[Header, ReplayResult]:
    """Replay a journal of this very version. Raises `JournalError` for any other."""
    header, steps = read_journal(path)
    if header.version != __version__:
        raise JournalError(
            f"{path}:1: expected a journal of version {__version__}, was {header.version}: replay it with that version"
        )
    campaign = Campaign.model_validate(header.campaign)
    return header, replay(make_engine(campaign, run=header.run, seed=header.seed), steps)


# ---- the environments of the runtime ------------------------------------------------------------------------
@dataclass(slots=True, kw_only=True)
class Session:
    """A campaign that is ready to run."""

    runtime: Runtime
    journal: Path
    clock: Clock

    async def run(self) -> None:
        """Dial until the campaign ends. Raises what broke the run."""
        await self.runtime.run()


@asynccontextmanager
async def _session(
    campaign: Campaign,
    store: RedisStore,
    place: Place,
    *,
    clock: Clock,
    telephony: Callable[[int], Telephony],
    seed: int,
    observer: Observer | None,
) -> AsyncIterator[Session]:
    """Open the campaign in the store, begin its journal, serve its control socket; give the lease back at the end."""
    # Imported here, for it needs a POSIX system.
    from dialer.adapters.control import ControlServer

    name = campaign.campaign
    opening = await _open(store, name)
    try:
        header = header_of(campaign, run=opening.run, seed=seed, started_at=clock.now())
        journal = Journal(journal_path(place.data_dir, header), header)
        runtime = Runtime(
            make_engine(campaign, run=opening.run, seed=seed),
            opening=opening,
            store=store,
            telephony=telephony(opening.run),
            clock=clock,
            log=journal,
            logger=structlog.get_logger(),
            observer=observer,
        )
        supervisor = Supervisor(runtime, campaign, clock=clock, store=store, audit=audit_log(place.data_dir))
        async with ControlServer(supervisor, name, place.data_dir).serve():
            yield Session(runtime=runtime, journal=journal.path, clock=clock)
    finally:
        await store.close_campaign(name)


async def _open(store: RedisStore, name: str) -> Opening:
    """Open a campaign; a lease whose program died on this machine is taken at once. Raises `CampaignRunning`."""
    host = socket.gethostname()
    owner = f"{host}:{os.getpid()}"
    try:
        return await store.open_campaign(name, owner=owner)
    except CampaignRunning as running:
        holder, _, pid = running.owner.rpartition(":")
        if holder != host or not pid.isdigit() or _lives(int(pid)):
            raise
        return await store.open_campaign(name, owner=owner, dead_owner=running.owner)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives, and is somebody else's
    return True


@dataclass(slots=True, kw_only=True)
class Rehearsal(Session):
    """A session in virtual time."""

    virtual: VirtualClock
    until: float
    speed: float | None

    async def run(self) -> None:
        """Dial until the campaign ends or its time is over, then drain."""
        self.virtual.call_at(self.until, lambda: self.runtime.drain("end of the scenario"))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.runtime.run())
            group.create_task(
                drive(self.virtual, self.runtime.quiet, ended=lambda: self.runtime.ended, speed=self.speed)
            )


@asynccontextmanager
async def rehearse(
    scenario: Scenario, place: Place, *, seed: int, speed: float | None, observer: Observer | None = None
) -> AsyncIterator[Rehearsal]:
    """The real runtime and store around a simulated world, `speed` times as fast as real time (None: flat out)."""
    campaign = scenario.campaign
    leads = make_leads(scenario.population, seed)
    clock = VirtualClock(scenario.start_at)
    async with open_store(place.redis_url, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)
        world = World(scenario, leads, seed=seed, clock=clock)
        async with _session(
            campaign, store, place, clock=clock, telephony=lambda _: world, seed=seed, observer=observer
        ) as session:
            yield Rehearsal(
                runtime=session.runtime,
                journal=session.journal,
                clock=clock,
                virtual=clock,
                until=scenario.start_at + scenario.duration,
                speed=speed,
            )


@asynccontextmanager
async def sandbox(
    campaign: Campaign,
    leads: Sequence[Lead],
    place: Place,
    *,
    seed: int,
    at: datetime | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[Session]:
    """A campaign file and its own list, with simulated people, agents and carriers, in real time (from `at` on)."""
    clock = SystemClock(shift_s=0.0 if at is None else (at - datetime.now(UTC)).total_seconds())
    scenario = Scenario(
        scenario="sandbox",
        start=datetime.fromtimestamp(clock.now(), UTC),
        duration=86400.0,
        campaign=campaign,
        population=Population(leads=max(1, len(leads))),
    )
    async with open_store(place.redis_url, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)
        world = World(scenario, leads, seed=seed, clock=clock)
        async with _session(
            campaign, store, place, clock=clock, telephony=lambda _: world, seed=seed, observer=observer
        ) as session:
            yield session


@asynccontextmanager
async def live(
    campaign: Campaign,
    leads: Sequence[Lead],
    place: Place,
    *,
    seed: int,
    observer: Observer | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Session]:
    """A campaign on a real Asterisk. `clock` is for the lab alone, and refused where the switch is not on loopback."""
    from dialer.adapters.asterisk.client import AsteriskTelephony

    if clock is None:
        clock = SystemClock()
    elif not ip_address(campaign.asterisk.host).is_loopback:
        raise ComplianceBreach("expected the system's clock for a switch that reaches people, was another")
    secret = ami_secret(campaign)
    logger = structlog.get_logger()
    async with open_store(place.redis_url, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)

        def telephony(run: int) -> Telephony:
            assert clock is not None
            return AsteriskTelephony(
                campaign.asterisk, campaign=campaign, run=run, secret=secret, clock=clock, log=logger
            )

        async with _session(
            campaign, store, place, clock=clock, telephony=telephony, seed=seed, observer=observer
        ) as session:
            yield session


def ami_secret(campaign: Campaign) -> str:
    """Read the manager interface's secret from its file (mode 600) or the environment. Raises `ConfigError`."""
    settings = campaign.asterisk
    if settings.secret_file:
        path = Path(settings.secret_file).expanduser()
        try:
            mode = path.stat().st_mode & 0o777
            secret = path.read_text().strip()
        except OSError as error:
            raise ConfigError(f"{path}: the AMI secret cannot be read: {error.strerror or error}") from error
        if mode & 0o077:
            raise ConfigError(f"{path}: expected mode 600, was {mode:o}: chmod 600 {path}")
        return secret
    secret = os.environ.get(settings.secret_env, "")
    if not secret:
        raise ConfigError(f"asterisk: no secret: set {settings.secret_env}, or asterisk.secret_file in the campaign")
    return secret
