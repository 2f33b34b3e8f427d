"""A campaign through the lab, and a fault of the switch, the link to it or a carrier in the midst of it.

After each: calls are placed again within 10 s of the cause's end, the carriers saw one INVITE a try, every attempt has
one settlement, no agent stays reserved, and nothing is left pending.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.clock import SystemClock
from dialer.adapters.journal import read_journal
from dialer.bootstrap import Place, Session, live, replay_journal
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import AgentState
from dialer.core.lead import Lead, PhoneNumber
from dialer.lab.lab import Lab
from dialer.lab.proxy import FaultyLink
from tests.integration.conftest import started

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

MONDAY_IN_LIMA = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 10:00 there
GOES_ON_S = 10.0
RESERVED_LIMIT_S = 5.0
# Mostly people who talk: their calls are what a fault can hurt. One attempt a lead, so one INVITE a number.
OUTCOMES = ("10", "10", "10", "30", "10", "32", "10", "11", "10", "40")
LEADS = 160


@dataclass
class Trouble:
    """A running campaign, and what there is to break."""

    lab: Lab
    proxy: FaultyLink
    clock: SystemClock
    session: Session
    running: asyncio.Task[None]
    originated: list[float] = field(default_factory=list)  # when, of each Originate
    bridged: list[float] = field(default_factory=list)
    on_originate: Callable[[], None] | None = None

    def observe(self, event: ev.Event, actions: Any) -> None:
        placed = [event.at for action in actions if isinstance(action, act.Originate)]
        self.originated += placed
        if placed and self.on_originate is not None:
            self.on_originate()
        if isinstance(event, ev.AttemptBridged):
            self.bridged.append(event.at)

    async def until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(limit_s):
                while not condition():
                    if self.running.done():
                        self.running.result()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{what} within {limit_s:g} s: {self.session.runtime.engine.status()}")


# ---- faults: each returns at the end of its cause -----------------------------------------------------------------
async def killed(trouble: Trouble) -> None:
    """Asterisk is killed with -9 and started again."""
    trouble.lab.asterisk.kill()
    await asyncio.sleep(1.0)
    await asyncio.to_thread(trouble.lab.asterisk.start)


async def restarted(trouble: Trouble) -> None:
    """`core restart now` with calls up."""
    await asyncio.to_thread(trouble.lab.asterisk.cli, "core restart now")
    await asyncio.sleep(0.3)
    await asyncio.to_thread(trouble.lab.asterisk.await_boot)


async def frozen(trouble: Trouble) -> None:
    """Asterisk stands still for 6 s, its links open."""
    trouble.lab.asterisk.freeze()
    await asyncio.sleep(6.0)
    trouble.lab.asterisk.thaw()


async def cut(trouble: Trouble) -> None:
    """The link is cut between an Originate and its answer."""

    def swallow() -> None:  # before the Originate is even sent
        trouble.proxy.swallowing = True

    trouble.on_originate = swallow
    await trouble.until(lambda: trouble.proxy.swallowing, 10, "another Originate")
    await asyncio.sleep(0.05)
    trouble.proxy.cut()
    trouble.on_originate = None
    trouble.proxy.swallowing = False


async def stalled(trouble: Trouble) -> None:
    """Nothing moves on the link for 10 s."""
    trouble.proxy.stall()
    await asyncio.sleep(10.0)
    trouble.proxy.resume()


async def dead_carrier(trouble: Trouble) -> None:
    """One of two carriers is gone for 4 s."""
    carrier = trouble.lab.carriers[1]
    carrier.stop()
    await asyncio.sleep(4.0)
    carrier.start()


Fault = Callable[[Trouble], Awaitable[None]]
FAULTS: tuple[Fault, ...] = (killed, restarted, frozen, cut, stalled, dead_carrier)


# ---- the campaign ---------------------------------------------------------------------------------------------
@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with started(
        Lab(tmp_path / "lab", agents=4, carriers=2, ring_s=1.0, talk_s=(2.0, 4.0), key_every_s=1.0, redials=True)
    ) as bench:
        yield bench


def campaign_of(lab: Lab, port: int) -> Campaign:
    settings = lab.settings()
    settings["asterisk"] |= {"host": "127.0.0.1", "port": port}
    settings |= {"ring_timeout_s": 15, "wrap_up_limit_s": 5, "number_gap": "5s", "retry": {}}
    return Campaign.model_validate({"campaign": "faults", "mode": "predictive", **settings})


def leads_of(lab: Lab) -> list[Lead]:
    numbers = [lab.number(OUTCOMES[i % len(OUTCOMES)], i) for i in range(LEADS)]
    return [
        Lead(
            lead_id=number,
            person=number,
            debt=number,
            numbers=(PhoneNumber(e164=number, zones=("America/Lima",), country="PE"),),
        )
        for number in numbers
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_campaign_survives(lab: Lab, tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADENCIA_AMI_SECRET", lab.secret)
    clock = SystemClock(shift_s=(MONDAY_IN_LIMA - datetime.now(UTC)).total_seconds())
    async with FaultyLink(lab.asterisk.address, lab.asterisk.ami_port) as proxy:
        campaign = campaign_of(lab, proxy.port)
        trouble: Trouble | None = None

        def observe(event: ev.Event, actions: Any) -> None:
            if trouble is not None:
                trouble.observe(event, actions)

        place = Place(data_dir=tmp_path / "data")
        async with live(campaign, leads_of(lab), place, seed=1, clock=clock, observer=observe) as session:
            running = asyncio.create_task(session.run())
            trouble = Trouble(lab, proxy, clock, session, running)
            try:
                await inject(trouble, fault)
                # Nobody is left to end the calls of a carrier that died.
                (session.runtime.stop if fault is dead_carrier else session.runtime.drain)("test")
                async with asyncio.timeout(30):
                    await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            journal, floor = session.journal, session.runtime.engine.floor
    assert {agent.state for agent in floor.agents.values()} <= {AgentState.IDLE, AgentState.OFFLINE}
    assert asyncio.all_tasks() == {asyncio.current_task()}
    judge(journal, lab.dialled())


async def inject(trouble: Trouble, fault: Fault) -> None:
    """Break something when some ring and some talk, and see that the campaign goes on."""
    status = trouble.session.runtime.engine.status
    await trouble.until(lambda: status().dialling >= 2 and status().talking >= 2, 30, "two ring and two talk")
    await fault(trouble)
    ended_at = trouble.clock.now()
    await trouble.until(
        lambda: bool(trouble.originated) and trouble.originated[-1] > ended_at, GOES_ON_S, "a call is placed again"
    )
    print(f"{fault.__name__}: goes on after {trouble.clock.now() - ended_at:.2f} s")
    await trouble.until(lambda: trouble.bridged[-1] > ended_at, 20, "an agent talks again")
    now = trouble.clock.now()
    agents = trouble.session.runtime.engine.floor.agents.values()
    assert not [a for a in agents if a.state is AgentState.RESERVED and now - a.since > RESERVED_LIMIT_S]


# ---- judging --------------------------------------------------------------------------------------------------
def judge(journal: Path, dialled: list[str]) -> None:
    """Hold the journal against the carriers' own count of INVITEs."""
    held: set[int] = set()
    placed: dict[int, str] = {}
    heard_of: set[int] = set()
    settled: Counter[int] = Counter()
    for event, actions in read_journal(journal)[1]:
        if isinstance(event, ev.Reserved):
            held.update(event.attempt_ids)
        elif isinstance(event, ev.AttemptRinging | ev.AttemptAnswered):
            heard_of.add(event.attempt_id)
        for action in actions:
            if isinstance(action, act.Originate):
                assert action.attempt_id not in placed, "an attempt was placed twice"
                placed[action.attempt_id] = action.number
            elif isinstance(action, act.Settle):
                settled.update(settlement.attempt_id for settlement in action.settlements)
    invites = Counter(dialled)
    assert settled == Counter(held), "an attempt has no settlement, or two"
    assert invites.keys() <= {number[1:] for number in placed.values()}
    assert max(invites.values()) == 1, "a try made two INVITEs"
    assert all(invites[placed[attempt_id][1:]] == 1 for attempt_id in heard_of)
    assert replay_journal(journal)[1].difference is None
