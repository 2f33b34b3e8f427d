"""A campaign in real time on a server that comes to harm: the real runtime, engine and store, a made-up switch.

What the judge believes is what a client of its own finds in the server, never what the dialer thinks of itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.adapters.clock import SystemClock
from dialer.adapters.planner import NoPlanner
from dialer.adapters.solver import InlineSolver
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.bootstrap import make_engine
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, PhoneNumber
from dialer.ports import Clock, Emit
from dialer.runtime import Runtime

NAME = "mora"
AGENTS = 6
OFFICE_HOURS = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Lima
SILENT_LOG = structlog.wrap_logger(structlog.ReturnLogger(), processors=[lambda _logger, _name, entry: str(entry)])

RINGS_S, ANSWERS_S, GIVES_UP_S, TALKS_S = 0.03, 0.08, 0.15, 0.25


def campaign(**changes: object) -> Campaign:
    """Leads are dialled up to twice, with next to no rest."""
    again = {"after": 0.1, "max": 1}
    return Campaign.model_validate(
        {
            "campaign": NAME,
            "mode": "progressive",
            "jurisdictions": ["PE"],
            "trunks": [{"name": "t1", "max_channels": 50, "max_cps": 1000}],
            "caller_ids": ["+5117000000"],
            "agents": [{"id": f"agent{index}"} for index in range(AGENTS)],
            "number_gap": 0.1,
            "ring_guard_s": 0,
            "retry": dict.fromkeys(("NO_ANSWER", "BUSY", "CANCELLED", "UNKNOWN", "FAILED"), again),
            **changes,
        }
    )


def leads(count: int) -> list[Lead]:
    return [
        Lead(
            lead_id=f"L{index}",
            numbers=(PhoneNumber(e164=f"+51999{index:06d}", zones=("America/Lima",), country="PE"),),
            person=f"P{index}",
            debt=f"D{index}",
        )
        for index in range(count)
    ]


class Exchange:
    """A switch: a third of the calls are not answered, the others talk; it notes when it did what."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.originated: dict[int, float] = {}  # attempt: loop time
        self.numbers: list[str] = []  # as they were dialled
        self.talked: dict[int, tuple[float, float]] = {}  # attempt: loop times of the bridge and of the end
        self._emit: Emit = lambda _: None
        self._live: set[int] = set()
        self._timers: list[asyncio.TimerHandle] = []

    async def start(self, emit: Emit) -> None:
        self._emit = emit
        for index in range(AGENTS):
            self._tell(ev.AgentLoggedIn, agent_id=f"agent{index}")
        self._tell(ev.LinkUp)

    def perform(self, actions: Sequence[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.Originate):
                self.numbers.append(action.number)
                self._place(action.attempt_id)
            elif isinstance(action, act.Bridge):
                self._later(0.0, self._bridge, action.attempt_id, action.agent_id)
            elif isinstance(action, act.HangUp):
                self._later(0.0, self._end, action.attempt_id)

    async def close(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _tell(self, kind: type[ev.Event], **facts: Any) -> None:
        self._emit(kind(at=self._clock.now(), **facts))

    def _later(self, delay_s: float, callback: Callable[..., None], *args: object) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(delay_s, callback, *args))

    def _place(self, attempt_id: int) -> None:
        assert attempt_id not in self.originated, "dialled twice"
        self.originated[attempt_id] = asyncio.get_running_loop().time()
        self._live.add(attempt_id)
        self._later(RINGS_S, self._if_live, attempt_id, ev.AttemptRinging)
        if attempt_id % 3:
            self._later(ANSWERS_S, self._if_live, attempt_id, ev.AttemptAnswered)
        else:
            self._later(GIVES_UP_S, self._end, attempt_id, 19, 480)

    def _if_live(self, attempt_id: int, kind: type[ev.Event]) -> None:
        if attempt_id in self._live:
            self._tell(kind, attempt_id=attempt_id)

    def _bridge(self, attempt_id: int, agent_id: str) -> None:
        if attempt_id not in self._live:
            return
        self._tell(ev.AttemptBridged, attempt_id=attempt_id, agent_id=agent_id)
        self._later(TALKS_S, self._finish, attempt_id, agent_id, asyncio.get_running_loop().time())

    def _finish(self, attempt_id: int, agent_id: str, since: float) -> None:
        if attempt_id in self._live:
            self.talked[attempt_id] = (since, asyncio.get_running_loop().time())
        self._end(attempt_id)
        self._tell(ev.AttemptDisposed, attempt_id=attempt_id, agent_id=agent_id, disposition="PTP")

    def _end(self, attempt_id: int, cause: int = 16, sip_code: int | None = None) -> None:
        if attempt_id in self._live:
            self._live.discard(attempt_id)
            self._tell(ev.AttemptEnded, attempt_id=attempt_id, cause=cause, sip_code=sip_code)


@dataclass
class NoLog:
    """A journal that keeps the events and the actions in memory."""

    events: list[ev.Event] = field(default_factory=list)
    actions: list[act.Action] = field(default_factory=list)

    def append(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        self.events.append(event)
        self.actions += actions

    def flush(self) -> None: ...

    def close(self) -> None: ...


def more_to_do(runtime: Runtime, clock: Clock) -> bool:
    """Whether anybody is left to be called within a minute."""
    engine, now = runtime.engine, clock.now()
    if not engine.queue.queued or not engine.store_ok or engine.live_attempts:
        return True
    change = engine.queue.next_change_at(now)
    return engine.queue.peek(now) is not None or (change is not None and change < now + 60)


Call = Callable[[], Awaitable[Any]]
Fault = Callable[["Bench", Call], Awaitable[Any]]


class HarmedStore(RedisStore):
    """A store whose n-th call of a script goes through a fault."""

    bench: Bench
    faults: dict[tuple[str, int], Fault]

    def arm(self, bench: Bench) -> None:
        self.bench, self.faults, self.calls = bench, {}, Counter[str]()

    async def _run_once(self, name: str, keys: list[str], args: list[Any]) -> Any:
        self.calls[name] += 1
        fault = self.faults.get((name, self.calls[name]))

        async def call() -> Any:
            return await super(HarmedStore, self)._run_once(name, keys, args)

        return await call() if fault is None else await fault(self.bench, call)


class Bench:
    """One campaign, its server and its judge."""

    def __init__(
        self, server: EmbeddedValkey, store: HarmedStore, runtime: Runtime, exchange: Exchange, clock: Clock
    ) -> None:
        self.clock = clock
        self.server = server
        self.store = store
        self.runtime = runtime
        self.exchange = exchange
        self.log = NoLog()
        self.kills: list[float] = []

    # ---- harm -----------------------------------------------------------------------------------------------
    def admin(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.server.socket_path), retry=Retry(NoBackoff(), 0), socket_timeout=1)

    @property
    def pid(self) -> int:
        return int((self.server.folder / "server.lock").read_text())

    def kill(self) -> None:
        self.kills.append(asyncio.get_running_loop().time())
        os.kill(self.pid, signal.SIGKILL)

    def signal(self, sign: signal.Signals) -> None:
        os.kill(self.pid, sign)

    # ---- the campaign ---------------------------------------------------------------------------------------
    async def dial_all(self, running: asyncio.Task[None] | None = None) -> None:
        """Run until nobody is left to be called within a minute (a cap may hold a lead until tomorrow), then drain."""
        running = running or asyncio.create_task(self.runtime.run())
        async with asyncio.timeout(20):
            while not running.done() and more_to_do(self.runtime, self.clock):
                await asyncio.sleep(0.02)
            await self.drain(running)

    async def drain(self, running: asyncio.Task[None]) -> None:
        """Let live calls finish, and end."""
        self.runtime.drain("test")
        async with asyncio.timeout(20):
            await running

    # ---- the judge ------------------------------------------------------------------------------------------
    def recorded(self) -> dict[int, str]:
        """What the server knows of each attempt: its disposition; PENDING until it is settled."""
        with self.admin() as admin:
            members = [
                member.decode().split("|")
                for key in admin.scan_iter("cadencia:facts:number:*")
                for member in admin.zrange(key, 0, -1)
            ]
        assert len(members) == len({member[2] for member in members}), "an attempt stands twice in a stream"
        return {int(member[2]): member[-1] for member in members}

    def unrecorded(self) -> set[int]:
        return set(self.exchange.originated) - set(self.recorded())

    def judge(self) -> None:
        """The campaign is over: nothing was dialled unrecorded, nothing is left open, nobody was called too often."""
        recorded = self.recorded()
        assert self.unrecorded() == set()
        assert "PENDING" not in recorded.values()
        with self.admin() as admin:
            assert admin.hlen(f"cadencia:campaign:{NAME}:in_flight") == 0
            assert admin.hlen(f"cadencia:campaign:{NAME}:held") == 0
        assert max(Counter(self.exchange.numbers).values()) <= 2
        settled = Counter(
            settlement.attempt_id
            for action in self.log.actions
            if isinstance(action, act.Settle)
            for settlement in action.settlements
        )
        assert set(settled.values()) == {1}
        assert set(recorded) <= set(settled)
        # What is counted and was not dialled was given up: its outcome was never anything else but unknown.
        assert {recorded[attempt] for attempt in set(recorded) - set(self.exchange.originated)} <= {
            "UNKNOWN",
            "CANCELLED",
        }

    def originated_between(self, begin: float, end: float) -> list[int]:
        return [attempt for attempt, at in self.exchange.originated.items() if begin <= at < end]

    def stalls(self) -> int:
        return sum(isinstance(event, ev.StoreStalled) for event in self.log.events)


@asynccontextmanager
async def campaign_on(data_dir: Path, *, count: int = 40, wait_for_disk: bool = False) -> AsyncIterator[Bench]:
    """Open a campaign of `count` leads on a server that is watched over; the caller runs `bench.runtime`."""
    clock = SystemClock(shift_s=(OFFICE_HOURS - datetime.now(UTC)).total_seconds())
    server = EmbeddedValkey(data_dir)
    await server.start()
    server.watch()
    store = HarmedStore(connect(server.socket_path), wait_for_disk=wait_for_disk)
    exchange = Exchange(clock)
    settings = campaign()
    try:
        store.arm(None)  # type: ignore[arg-type]
        await store.add_leads(NAME, leads(count))
        opening = await store.open_campaign(NAME, owner="here:1")
        log = NoLog()
        runtime = Runtime(
            make_engine(settings, run=opening.run, seed=1),
            opening=opening,
            store=store,
            telephony=exchange,
            solver=InlineSolver(log=SILENT_LOG),
            planner=NoPlanner(),
            clock=clock,
            log=log,
            logger=SILENT_LOG,
        )
        bench = Bench(server, store, runtime, exchange, clock)
        bench.log = log
        store.arm(bench)
        yield bench
    finally:
        with contextlib.suppress(Exception):
            await store.close()
        await server.stop()
