"""A dialer in a process of its own, for tests that kill it: the real runtime, engine and store, and a switch that
writes down each call as it is placed."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from dialer.adapters.clock import SystemClock
from dialer.adapters.planner import NoPlanner
from dialer.adapters.solver import InlineSolver
from dialer.adapters.store import refusal
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.bootstrap import make_engine
from dialer.core import actions as act
from dialer.core import settling
from dialer.core.lead import Lead, PhoneNumber
from dialer.ports import Clock
from dialer.runtime import Runtime
from tests.faults.store_bench import NAME, SILENT_LOG, Exchange, NoLog, campaign, more_to_do

PLACING = "placing"  # beside the runtime's own points: in the middle of a batch of calls
PERSONS, LEADS_A_PERSON = 60, 2
OFTEN = {"after": 0.1, "max": 9}  # it is the person's cap that ends the retries


def leads() -> list[Lead]:
    """Persons with two debts and a number for each."""
    return [
        Lead(
            lead_id=f"L{person}-{debt}",
            numbers=(PhoneNumber(e164=f"+519990{person:03d}{debt:02d}", zones=("America/Lima",), country="PE"),),
            person=f"P{person}",
            debt=f"D{person}-{debt}",
        )
        for debt in range(LEADS_A_PERSON)
        for person in range(PERSONS)
    ]


class WritingExchange(Exchange):
    """Appends `ATTEMPT NUMBER` to a file, then places the call."""

    def __init__(self, clock: Clock, placed: Path, crash: Crash) -> None:
        super().__init__(clock)
        self._file = os.open(placed, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._crash = crash

    def perform(self, actions: Sequence[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.Originate):
                os.write(self._file, f"{action.attempt_id} {action.number}\n".encode())
                self._crash(PLACING)
            super().perform([action])


class Crash:
    """Kills this process at the n-th passage of a point."""

    def __init__(self, point: str, passage: int) -> None:
        self._point = point
        self._left = itertools.count(passage, -1)

    def __call__(self, point: str) -> None:
        if point == self._point and next(self._left) == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def dial(socket: Path, placed: Path, shift_s: float, life: int, point: str, passage: int) -> None:
    """Dial until nobody may be called any more, or until death. `life` counts the processes of one store."""
    settling.UNDIALLED_REST_S = refusal.HELD_RETRY_S = 0.1
    asyncio.run(_dial(socket, placed, SystemClock(shift_s=shift_s), life, Crash(point, passage)))


async def _dial(socket: Path, placed: Path, clock: SystemClock, life: int, crash: Crash) -> None:
    settings = campaign(retry=dict.fromkeys(("NO_ANSWER", "BUSY", "CANCELLED", "UNKNOWN", "FAILED"), OFTEN))
    store = RedisStore(connect(socket))
    try:
        opening = await store.open_campaign(NAME, owner=f"here:{life}", dead_owner=f"here:{life - 1}")
        runtime = Runtime(
            make_engine(settings, run=opening.run, seed=life),
            opening=opening,
            store=store,
            telephony=WritingExchange(clock, placed, crash),
            solver=InlineSolver(log=SILENT_LOG),
            planner=NoPlanner(),
            clock=clock,
            log=NoLog(),
            logger=SILENT_LOG,
            checkpoint=crash,
        )
        running = asyncio.create_task(runtime.run())
        while not running.done() and more_to_do(runtime, clock):
            await asyncio.sleep(0.02)
        runtime.drain("nobody may be called any more")
        await running
    finally:
        await store.close()
