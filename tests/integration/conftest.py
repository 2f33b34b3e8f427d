"""The lab as a fixture: one real Asterisk for a module, and a dialer's side of it for each test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from dialer.adapters.asterisk.client import AsteriskTelephony
from dialer.adapters.clock import SystemClock
from dialer.config.campaign import Campaign
from dialer.core.events import AgentLoggedIn, Event
from dialer.lab.install import LabUnavailable
from dialer.lab.lab import CALLER_ID, Lab
from tests.conformance.check_telephony import Bench

SILENT_LOG = structlog.wrap_logger(structlog.ReturnLogger(), processors=[lambda _logger, _name, entry: str(entry)])


class Station:
    """The dialer's side of the lab: makes telephonies, keeps their events, closes them."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.events: list[Event] = []
        self.listener: Callable[[Event], None] | None = None  # told of each event at once
        self._name = name
        self._telephonies: list[AsteriskTelephony] = []

    def campaign(self, **changes: Any) -> Campaign:
        settings = self.lab.settings()
        settings["trunks"].append({"name": "ghost"})
        return Campaign.model_validate({"campaign": self._name, **settings, **changes})

    def telephony(self, *, secret: str = "", run: int = 1, **changes: Any) -> AsteriskTelephony:
        campaign = self.campaign(**changes)
        telephony = AsteriskTelephony(
            campaign.asterisk,
            campaign=campaign,
            run=run,
            secret=secret or self.lab.secret,
            clock=SystemClock(),
            log=SILENT_LOG,
        )
        self._telephonies.append(telephony)
        return telephony

    def emit(self, event: Event) -> None:
        self.events.append(event)
        if self.listener is not None:
            self.listener(event)

    async def until(self, condition: Callable[[], bool], limit_s: float) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.005)

    async def bench(self, **changes: Any) -> Bench:
        """A started telephony and its first agent."""
        telephony = self.telephony(**changes)
        await telephony.start(self.emit)
        await self.until(lambda: any(isinstance(event, AgentLoggedIn) for event in self.events), 5)
        agent_id = next(event.agent_id for event in self.events if isinstance(event, AgentLoggedIn))
        return Bench(
            telephony=telephony,
            events=self.events,
            until=self.until,
            agent_id=agent_id,
            trunk="carrier1",
            unknown_trunk="ghost",
            caller_id=CALLER_ID,
            patient=self.lab.number("12", 1),
            brief=self.lab.number("11", 2),
            busy=self.lab.number("30", 3),
            silent=self.lab.number("31", 4),
        )

    async def close(self) -> None:
        for telephony in self._telephonies:
            await telephony.close()


@contextmanager
def started(bench: Lab) -> Iterator[Lab]:
    """Start a lab and end it. Skips on a machine that cannot have one, unless CADENCIA_REQUIRE_LAB is set."""
    try:
        bench.start()
    except LabUnavailable as fault:
        if os.environ.get("CADENCIA_REQUIRE_LAB"):
            raise
        pytest.skip(str(fault))
    try:
        yield bench
    finally:
        bench.stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with twelve silent agents, two carriers and sound."""
    folder: Path = tmp_path_factory.mktemp("lab")
    with started(Lab(folder, agents=12, carriers=2, ring_s=0.5, key="", amd=True)) as bench:
        yield bench


@pytest.fixture
async def station(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[Station]:
    """The dialer's side, under a campaign name of its own."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())[:40]
    station = Station(lab, name)
    try:
        yield station
    finally:
        await station.close()
