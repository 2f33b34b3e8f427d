"""A runtime on a stage: fakes of the store, the switch, the journal and the clock, which share one trail."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from dialer.adapters.planner import NoPlanner
from dialer.adapters.solver import InlineSolver
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import LeadProgress
from dialer.core.learned import Learned
from dialer.ports import Emit, Opening, Reservation
from dialer.runtime import Runtime
from sim.clock import VirtualClock
from tests.unit.core.bench_engine import START, OpenRules, ToldPolicy, campaign_of, lead_of

Trail = list[tuple[str, object]]


class FakeStore:
    """Holds everything it is asked for; `faults` are raised first, call by call; `gate` holds calls back."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.faults: dict[str, deque[Exception]] = {
            name: deque() for name in ("reserve", "settle", "stop", "save", "next_stop")
        }
        self.refuse: dict[int, str] = {}
        self.stops: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    async def _call(self, name: str, what: object) -> None:
        await self.gate.wait()
        if self.faults[name]:
            self.trail.append((f"{name} failed", what))
            raise self.faults[name].popleft()
        self.trail.append((name, what))

    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        raise AssertionError("the runtime is given its opening, and never asks for one")

    async def reserve(self, campaign: str, claims: Sequence[act.Claim]) -> Reservation:
        ids = [claim.attempt_id for claim in claims]
        await self._call("reserve", ids)
        return Reservation(
            refusals=[ev.Refusal(attempt_id=a, rule=self.refuse[a], retry_at=None) for a in ids if a in self.refuse],
            seen={a: (a % 7,) for a in ids if a not in self.refuse},
        )

    async def settle(self, campaign: str, settlements: Sequence[act.Settlement]) -> None:
        await self._call("settle", [settlement.attempt_id for settlement in settlements])

    async def stop(self, key: str, reason: str) -> None:
        await self._call("stop", key)
        self.stops.put_nowait((key, reason))  # everybody hears of it, we too

    async def next_stop(self) -> tuple[str, str]:
        if self.faults["next_stop"]:
            raise self.faults["next_stop"].popleft()
        return await self.stops.get()

    async def save_learned(self, campaign: str, learned: Learned) -> None:
        await self._call("save", learned)

    async def close_campaign(self, campaign: str) -> None:
        raise AssertionError("closing is not the runtime's")


class FakeSwitch:
    """Says at its start what it is told to say; acts by taking note."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.first: list[ev.Event] = [
            ev.AgentLoggedIn(at=START, agent_id="ana"),
            ev.AgentLoggedIn(at=START, agent_id="bruno"),
            ev.LinkUp(at=START),
        ]
        self.start_fault: Exception | None = None
        self.perform_fault: Exception | None = None

    async def start(self, emit: Emit) -> None:
        self.trail.append(("start", None))
        if self.start_fault is not None:
            raise self.start_fault
        for event in self.first:
            emit(event)

    def perform(self, actions: Sequence[act.Action]) -> None:
        if actions and self.perform_fault is not None:
            raise self.perform_fault
        self.trail.extend(("perform", action) for action in actions)

    async def close(self) -> None:
        self.trail.append(("switch closed", None))


class FakeJournal:
    """Fails where it is told to."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.append_fault: Exception | None = None
        self.flush_fault: Exception | None = None

    def append(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        if self.append_fault is not None:
            raise self.append_fault
        self.trail.append(("append", event))

    def flush(self) -> None:
        if self.flush_fault is not None:
            raise self.flush_fault
        self.trail.append(("flush", None))

    def close(self) -> None:
        self.trail.append(("journal closed", None))


class Stage:
    """One campaign with two agents, run by the real runtime around the real engine."""

    def __init__(self, count: int = 9, **opening: object) -> None:
        self.trail: Trail = []
        self.clock = VirtualClock(START)
        self.policy = ToldPolicy()
        policies = {"progressive": ToldPolicy(policy_id="told-progressive-v1"), "predictive": self.policy}
        engine = Engine(campaign_of(), rules=OpenRules(), policies=policies, run=1, seed=1)  # type: ignore[arg-type]
        made = tuple(lead_of(f"L{index}") for index in range(count))
        known = {
            "run": 1,
            "leads": made,
            "progress": tuple(LeadProgress(lead_id=lead.lead_id) for lead in made),
            "in_flight": (),
            **opening,
        }
        self.store, self.switch, self.journal = FakeStore(self.trail), FakeSwitch(self.trail), FakeJournal(self.trail)
        logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[_silent])
        self.runtime = Runtime(
            engine,
            opening=Opening(**known),  # type: ignore[arg-type]
            store=self.store,
            telephony=self.switch,
            solver=InlineSolver(log=logger),
            planner=NoPlanner(),
            clock=self.clock,
            log=self.journal,
            logger=logger,
        )
        self.running: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def play(self) -> AsyncIterator[Stage]:
        """Run until the block ends; what is still running then is cancelled."""
        self.running = asyncio.create_task(self.runtime.run())
        try:
            await self.turns()
            yield self
        finally:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)

    async def end(self, limit_s: float = 5.0) -> None:
        """Wait for the run's own end; raises what it raises, and `TimeoutError` where it hangs."""
        assert self.running is not None
        async with asyncio.timeout(limit_s):
            await asyncio.shield(self.running)

    async def turns(self, count: int = 30) -> None:
        """Let the loop turn, without any time passing."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def tell(self, kind: type[ev.Event], **facts: object) -> None:
        """The switch says something."""
        self.runtime.emit(kind(at=self.clock.now(), **facts))
        await self.turns()

    async def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        until = self.clock.now() + seconds
        self.clock.call_at(until, lambda: None)
        while (due := self.clock.next_at) is not None and due <= until:
            self.clock.advance()
            await self.turns()

    async def dial(self, count: int = 1) -> list[int]:
        """Launch; returns the attempts that were placed."""
        before = len(self.placed)
        self.policy.want = count
        await self.wait(1.1)
        return self.placed[before:]

    def of(self, *names: str) -> list[object]:
        return [what for name, what in self.trail if name in names]

    def names(self, *names: str) -> list[str]:
        return [name for name, _ in self.trail if name in names]

    @property
    def placed(self) -> list[int]:
        return [action.attempt_id for action in self.of("perform") if isinstance(action, act.Originate)]

    def heard(self, *kinds: type[ev.Event]) -> list[ev.Event]:
        """The events of these kinds that the engine was told, in order."""
        return [event for event in self.of("append") if isinstance(event, kinds)]


def _silent(_: object, __: str, event: dict[str, object]) -> dict[str, object]:
    raise structlog.DropEvent
