"""The environments of the asyncio runtime: `rehearse`, `sandbox` and `live`."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import msgspec
import structlog

from compliance.ruleset import EVERYTHING
from dialer.adapters.audit import audit_log
from dialer.adapters.clock import SystemClock
from dialer.adapters.journal import Journal, header_of, journal_path
from dialer.adapters.planner import (
    InlinePlanner,
    Log,
    NoPlanner,
    PlanSource,
    ProcessPlanner,
    planning_of,
    settings_of,
)
from dialer.adapters.solver import InlineSolver, ProcessSolver
from dialer.adapters.store.redis import RedisStore, open_store
from dialer.adapters.supervisor import Supervisor
from dialer.adapters.training_watch import TrainingWatch
from dialer.bootstrap.engine import make_engine
from dialer.bootstrap.lawful import require_lawful
from dialer.bootstrap.simulated import leads_of
from dialer.bootstrap.versions import versions_of
from dialer.config.campaign import Campaign
from dialer.core.events import LaunchingPaused
from dialer.core.lead import Lead, LeadProgress
from dialer.errors import CampaignRunning, ComplianceBreach, ConfigError
from dialer.ports import Clock, Opening, Planner, Telephony
from dialer.runtime import CRASH_POINTS, Observer, Runtime
from sim.clock import VirtualClock
from sim.rehearsal import drive
from sim.scenario import Population, Scenario
from sim.world import World

CLOCK_WATCH_S, CLOCK_AHEAD_S = 5.0, 2.0
CRASH_ENV = "CADENCIA_CRASH_AT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a campaign keeps its things: a data folder, and a server where one is named."""

    data_dir: Path
    redis_url: str | None = None


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
    telephony: Callable[[Opening], Telephony],
    leads: Sequence[Lead],
    seed: int,
    observer: Observer | None,
    scenario: Scenario | None = None,
) -> AsyncIterator[Session]:
    """Open the campaign in the store, begin its journal, serve its control socket; give the lease back at the end.

    The run dials `leads`, as the lists say them now, from where the store knows each to be.
    """
    # Imported here, for it needs a POSIX system.
    from dialer.adapters.control import ControlServer

    name = campaign.campaign
    opening = on_the_lists(await open_by(store, name), leads)
    try:
        if reasons := await store.stopped(EVERYTHING):
            raise ConfigError(
                f"every call is forbidden ({', '.join(reasons)}): `dialer resume --all` lifts the emergency stop"
            )
        engine = make_engine(campaign, run=opening.run, seed=seed)
        header = header_of(
            campaign,
            run=opening.run,
            seed=seed,
            started_at=clock.now(),
            policies=engine.policy_ids,
            scenario=None if scenario is None else scenario.model_dump(mode="json"),
            versions=versions_of(campaign),
        )
        journal = Journal(journal_path(place.data_dir, header), header)
        logger = structlog.get_logger()
        runtime = Runtime(
            engine,
            opening=opening,
            store=store,
            telephony=telephony(opening),
            # Virtual time stands still while prices are made, so that they always come at the same moment.
            solver=(InlineSolver if isinstance(clock, VirtualClock) else ProcessSolver)(log=logger),
            planner=_planner(campaign, place, clock, seed=seed, log=logger),
            clock=clock,
            log=journal,
            logger=logger,
            observer=observer,
            checkpoint=_crash_point(os.environ.get(CRASH_ENV, "")),
        )
        supervisor = Supervisor(runtime, campaign, clock=clock, store=store, audit=audit_log(place.data_dir))
        async with ControlServer(supervisor, name, place.data_dir).serve():
            watches = _watches(campaign, place, clock, runtime, logger)
            try:
                yield Session(runtime=runtime, journal=journal.path, clock=clock)
            finally:
                for watch in watches:
                    watch.cancel()
                await asyncio.gather(*watches, return_exceptions=True)
    finally:
        await store.close_campaign(name)


def _planner(campaign: Campaign, place: Place, clock: Clock, *, seed: int, log: Log) -> Planner:
    """The planner of a campaign that uses models; without a model in the data folder it has nothing to say."""
    if not campaign.models.use:
        return NoPlanner()
    source = PlanSource(
        data=str(place.data_dir),
        campaign=campaign.campaign,
        now=clock.now(),
        settings=settings_of(campaign, seed=seed),
    )
    if isinstance(clock, VirtualClock):
        return InlinePlanner(lambda leads: planning_of(source, leads), log=log)
    return ProcessPlanner(source, log=log)


def _watches(
    campaign: Campaign, place: Place, clock: Clock, runtime: Runtime, log: Log
) -> tuple[asyncio.Task[None], ...]:
    """Begin what goes on beside a run in real time, until it is cancelled."""
    if not isinstance(clock, SystemClock):
        return ()
    watches = [asyncio.create_task(_watch_clock(clock, runtime))]
    if campaign.models.use:
        every_s = campaign.models.retrain_every
        watch = TrainingWatch(place.data_dir, campaign.campaign, every_s=every_s, now=clock.now, log=log)
        watches.append(asyncio.create_task(watch.run()))
    return tuple(watches)


async def _watch_clock(clock: SystemClock, runtime: Runtime) -> None:
    """Pause when the wall clock was set back: time here does not run backwards, and would dial by a wrong hour."""
    while True:
        await asyncio.sleep(CLOCK_WATCH_S)
        if clock.ahead_s() > CLOCK_AHEAD_S:
            structlog.get_logger().critical("clock.set_back", ahead_s=round(clock.ahead_s(), 1))
            runtime.emit(LaunchingPaused(at=clock.now(), by="the clock, which was set back: start the campaign again"))
            return


def on_the_lists(opening: Opening, leads: Sequence[Lead]) -> Opening:
    """Keep of an opening the leads that the lists have now, as they say them. What the lists have dropped is not
    dialled; it stays only for the outcome of a call that was under way."""
    listed = {lead.lead_id: lead for lead in leads}
    under_way = {claim.lead_id for claim in opening.in_flight}
    kept: list[tuple[Lead, LeadProgress]] = []
    unlisted: list[str] = []
    for stored, progress in zip(opening.leads, opening.progress, strict=True):
        lead = listed.get(stored.lead_id)
        if lead is not None:
            kept.append((lead, _by_number(progress, stored, lead)))
        elif stored.lead_id in under_way:
            kept.append((stored, progress))
            unlisted.append(stored.lead_id)
    return msgspec.structs.replace(
        opening,
        leads=tuple(lead for lead, _ in kept),
        progress=tuple(progress for _, progress in kept),
        unlisted=tuple(unlisted),
    )


def _by_number(progress: LeadProgress, stored: Lead, listed: Lead) -> LeadProgress:
    """Carry each number's rest over to its place on the present list; a number that is new there is rested."""
    before = [number.e164 for number in stored.numbers]
    now = [number.e164 for number in listed.numbers]
    if before == now or len(progress.number_ready_at) != len(before):
        return progress
    rests = dict(zip(before, progress.number_ready_at, strict=True))
    ready = tuple(rests.get(number, 0.0) for number in now)
    next_number = before[progress.number_index]
    index = now.index(next_number) if next_number in now else 0
    if ready[index] is None:
        index = next((place for place, rest in enumerate(ready) if rest is not None), -1)
    if index < 0:
        return msgspec.structs.replace(progress, status="finished", number_index=0, number_ready_at=ready)
    return msgspec.structs.replace(progress, number_index=index, number_ready_at=ready)


def claim_folder(data_dir: Path, environment: str) -> None:
    """Mark a data folder as belonging to an environment. Raises `ConfigError` where it belongs to another: what
    simulated people said must never bind real ones, nor the other way round."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = data_dir / "environment"
    if not mark.exists():
        mark.write_text(environment + "\n")
    found = mark.read_text().strip()
    if found != environment:
        raise ConfigError(
            f"{data_dir}: expected a folder for {environment}, is one for {found}: name another with --data"
        )


async def open_by(store: RedisStore, name: str) -> Opening:
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


def _crash_point(wanted: str) -> Callable[[str], None] | None:
    """Read `POINT:N`: kill this program at the Nth passage of a point of `runtime.CRASH_POINTS`. For the fault harness.

    Raises `ConfigError` for another form.
    """
    if not wanted:
        return None
    point, _, number = wanted.partition(":")
    if point not in CRASH_POINTS or not number.isdigit():
        raise ConfigError(f"{CRASH_ENV}={wanted}: expected POINT:N with a point of {', '.join(CRASH_POINTS)}")
    left = itertools.count(int(number), -1)

    def pass_by(passed: str) -> None:
        if passed == point and next(left) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    return pass_by


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
    leads = leads_of(scenario, seed)
    clock = VirtualClock(scenario.start_at)
    async with open_store(place.redis_url, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)
        world = World(scenario, leads, seed=seed, clock=clock)
        async with _session(
            campaign,
            store,
            place,
            clock=clock,
            telephony=lambda _: world,
            leads=leads,
            seed=seed,
            observer=observer,
            scenario=scenario,
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
    if place.redis_url is not None:
        raise ConfigError(
            "--sandbox: expected no --redis-url: what simulated people say must not reach a shared server"
        )
    _require_lawful(campaign, clock)
    claim_folder(place.data_dir, "sandbox")

    def telephony(opening: Opening) -> Telephony:
        return World(scenario, opening.leads, seed=seed, clock=clock)

    async with open_store(None, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)
        async with _session(
            campaign, store, place, clock=clock, telephony=telephony, leads=leads, seed=seed, observer=observer
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
    elif not _is_loopback(campaign.asterisk.host):
        raise ComplianceBreach("expected the system's clock for a switch that reaches people, was another")
    secret = ami_secret(campaign)
    logger = structlog.get_logger()
    _require_lawful(campaign, clock)
    claim_folder(place.data_dir, "live")
    async with open_store(place.redis_url, place.data_dir) as store:
        await store.add_leads(campaign.campaign, leads)

        def telephony(opening: Opening) -> Telephony:
            assert clock is not None
            return AsteriskTelephony(
                campaign.asterisk, campaign=campaign, run=opening.run, secret=secret, clock=clock, log=logger
            )

        async with _session(
            campaign, store, place, clock=clock, telephony=telephony, leads=leads, seed=seed, observer=observer
        ) as session:
            yield session


def _require_lawful(campaign: Campaign, clock: Clock) -> None:
    log = structlog.get_logger()
    require_lawful(campaign, clock.now(), warn=lambda text: log.warning("campaign.doubt", doubt=text))


def _is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone; a name other than localhost is not trusted to be."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
        if not secret:
            raise ConfigError(f"{path}: expected the AMI secret, was empty")
        return secret
    secret = os.environ.get(settings.secret_env, "")
    if not secret:
        raise ConfigError(f"asterisk: no secret: set {settings.secret_env}, or asterisk.secret_file in the campaign")
    return secret
