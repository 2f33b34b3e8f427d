"""The adapter on a manager interface that misbehaves on demand. Waits are shortened, their proportions kept."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
import structlog

from dialer.adapters.asterisk import backoff, session
from dialer.adapters.asterisk.backoff import Backoff
from dialer.adapters.asterisk.client import REFUSALS, AsteriskTelephony
from dialer.adapters.clock import SystemClock
from dialer.config.campaign import Campaign
from dialer.core.actions import Bridge, HangUp, LogOut, Originate
from dialer.core.events import (
    AgentLoggedOut,
    AttemptEnded,
    AttemptRinging,
    Event,
    LinkDropped,
    LinkUp,
)
from tests.unit.asterisk.fake_switch import FakeSwitch, packet

SILENT_LOG = structlog.wrap_logger(structlog.ReturnLogger(), processors=[lambda _logger, _name, entry: str(entry)])
OWN = "cad-camp-7-1~"
LEG = {"Channel": "PJSIP/ana-00000001", "Uniqueid": "l1", "Context": "cadencia-agents", "Exten": "login"}
ORIGINATE = Originate(
    attempt_id=7, try_no=1, lead_id="l", number="+51987654321", trunk="t1", caller_id="+5116000000", ring_timeout_s=15.0
)


class Dialer:
    """A telephony on a fake switch, and all that it told."""

    def __init__(self, switch: FakeSwitch) -> None:
        campaign = Campaign.model_validate(
            {
                "campaign": "camp",
                "jurisdictions": ["PE"],
                "trunks": [{"name": "t1"}],
                "caller_ids": ["+5116000000"],
                "agents": [{"id": "ana"}],
                "asterisk": {"host": "127.0.0.1", "port": switch.port},
            }
        )
        self.events: list[Event] = []
        self.telephony = AsteriskTelephony(
            campaign.asterisk, campaign=campaign, run=1, secret="s", clock=SystemClock(), log=SILENT_LOG,
            rng=random.Random(1),
        )  # fmt: skip

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    async def until(self, condition: Callable[[], bool], limit_s: float = 3.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.002)


@pytest.fixture
async def switch(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSwitch]:
    monkeypatch.setattr(backoff, "FIRST_S", 0.005)
    monkeypatch.setattr(session, "PING_AFTER_S", 0.15)
    monkeypatch.setattr(session, "SILENCE_LIMIT_S", 0.35)
    async with FakeSwitch() as fake:
        yield fake


@pytest.fixture
async def dialer(switch: FakeSwitch) -> AsyncIterator[Dialer]:
    made = Dialer(switch)
    yield made
    await made.telephony.close()


# ---- refusals -------------------------------------------------------------------------------------------------
async def test_refused_for_good_is_given_up_and_said(switch: FakeSwitch, dialer: Dialer) -> None:
    switch.channels = [LEG]
    await dialer.telephony.start(dialer.events.append)
    dialer.telephony.perform([ORIGINATE])
    await dialer.until(lambda: switch.count("Originate") == 1)
    switch.refusing = True
    switch.cut()
    await dialer.until(lambda: dialer.count(LinkDropped) == 2)
    last = dialer.events[-1]
    assert isinstance(last, LinkDropped)
    assert "Authentication failed" in last.reason
    assert "cadencia" in last.reason
    assert dialer.count(AgentLoggedOut) == 1
    await dialer.until(lambda: dialer.count(AttemptEnded) == 1)
    assert [event.lost for event in dialer.events if isinstance(event, AttemptEnded)] == [True]
    await asyncio.sleep(0.1)
    assert switch.count("Login") == 1 + REFUSALS
    dialer.telephony.perform([msgspec.structs.replace(ORIGINATE, attempt_id=8)])
    await dialer.until(lambda: dialer.count(AttemptEnded) == 2)
    assert switch.count("Originate") == 1


async def test_refused_by_a_switch_that_restarts_is_tried_again(switch: FakeSwitch, dialer: Dialer) -> None:
    await dialer.telephony.start(dialer.events.append)
    switch.refusing = True
    switch.cut()
    await dialer.until(lambda: switch.count("Login") == REFUSALS - 1)
    switch.refusing = False
    await dialer.until(lambda: dialer.count(LinkUp) == 2)


def test_backoff_grows_with_jitter_and_has_a_bound() -> None:
    waits = [[Backoff(random.Random(seed)).wait_s(attempt) for attempt in range(12)] for seed in range(50)]
    for attempt in range(12):
        step = min(5.0, 0.2 * 2**attempt)
        column = [row[attempt] for row in waits]
        assert step / 2 <= min(column) < max(column) <= step
    assert Backoff(random.Random(0)).wait_s(10**9) <= 5.0


# ---- signs of life ----------------------------------------------------------------------------------------------
async def test_silence_is_noticed(switch: FakeSwitch, dialer: Dialer) -> None:
    await dialer.telephony.start(dialer.events.append)
    await asyncio.sleep(0.5)
    assert dialer.count(LinkDropped) == 0, "a quiet link answers pings"
    assert switch.count("Ping") >= 2
    switch.deaf = True
    began = time.monotonic()
    await dialer.until(lambda: dialer.count(LinkDropped) == 1)
    assert time.monotonic() - began < 0.35 + 0.1
    switch.deaf = False
    await dialer.until(lambda: dialer.count(LinkUp) == 2)


def test_a_stalled_link_is_noticed_within_four_seconds() -> None:
    """The worst case: the stall begins right after a sign of life."""
    assert session.SILENCE_LIMIT_S < 4.0
    assert session.SILENCE_LIMIT_S - session.PING_AFTER_S >= 2.0, "a ping has two seconds to be answered"


async def test_events_are_a_sign_of_life(switch: FakeSwitch, dialer: Dialer) -> None:
    """The answer to a ping may stand behind a flood."""
    await dialer.telephony.start(dialer.events.append)
    switch.deaf = True
    for _ in range(10):
        switch.say(Event="Hangup", Uniqueid="x")
        await asyncio.sleep(0.1)
    assert dialer.count(LinkDropped) == 0


async def test_a_flood_is_taken_in_while_the_loop_goes_on(switch: FakeSwitch, dialer: Dialer) -> None:
    switch.channels = [LEG]
    await dialer.telephony.start(dialer.events.append)
    hangups = packet({"Event": "Hangup", "Uniqueid": "somebody", "Channel": "PJSIP/x-1", "Cause": "16"}) * 100_000
    switch.send(hangups + packet({"Event": "Hangup", "Uniqueid": "l1"}))
    longest = 0.0
    async with asyncio.timeout(30):
        while dialer.count(AgentLoggedOut) == 0:
            before = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)
    print(f"longest turn of the loop: {1000 * longest:.1f} ms")
    assert longest < 0.25
    assert dialer.count(LinkDropped) == 0


@pytest.mark.parametrize("garbage", [bytes(range(256)) * 4096, b"x" * 10_000_000], ids=["random", "endless line"])
async def test_garbage_costs_the_link_and_no_more(switch: FakeSwitch, dialer: Dialer, garbage: bytes) -> None:
    await dialer.telephony.start(dialer.events.append)
    switch.send(garbage)
    await dialer.until(lambda: dialer.count(LinkUp) == 2)
    [dropped] = [event for event in dialer.events if isinstance(event, LinkDropped)]
    assert "65536 bytes" in dropped.reason


# ---- gaps -------------------------------------------------------------------------------------------------------
async def test_what_is_heard_during_the_list_is_taken_in_after_it(switch: FakeSwitch, dialer: Dialer) -> None:
    """The leg stands in the list, and is gone before the list is told: no agent may be left who is not there."""
    switch.channels = [LEG]
    switch.in_listing = [{"Event": "Hangup", "Uniqueid": "l1"}]
    await dialer.telephony.start(dialer.events.append)
    assert dialer.kinds() == ["AgentLoggedIn", "AgentLoggedOut", "LinkUp"]


async def test_outcome_that_is_heard_during_the_list_is_not_lost(switch: FakeSwitch, dialer: Dialer) -> None:
    await dialer.telephony.start(dialer.events.append)
    dialer.telephony.perform([ORIGINATE])
    await dialer.until(lambda: switch.count("Originate") == 1)
    switch.say(Event="DialState", DestUniqueid=OWN, DialStatus="RINGING")
    await dialer.until(lambda: dialer.count(AttemptRinging) == 1)
    switch.in_listing = [
        {"Event": "DialEnd", "DestUniqueid": OWN, "DialStatus": "BUSY"},
        {"Event": "Hangup", "Uniqueid": OWN, "Cause": "17", "TechCause": "486"},
    ]
    switch.cut()
    await dialer.until(lambda: dialer.count(LinkUp) == 2)
    [ended] = [event for event in dialer.events if isinstance(event, AttemptEnded)]
    assert (ended.cause, ended.sip_code, ended.lost) == (17, 486, False)


async def test_order_that_the_switch_reads_late_is_still_the_same_call(switch: FakeSwitch, dialer: Dialer) -> None:
    """The old link's last order is carried out after the new link's list: neither lost nor hung up."""
    await dialer.telephony.start(dialer.events.append)
    dialer.telephony.perform([ORIGINATE])
    await dialer.until(lambda: switch.count("Originate") == 1)
    switch.cut()
    await dialer.until(lambda: dialer.count(LinkUp) == 2)
    switch.say(Event="DialState", DestUniqueid=OWN, DialStatus="RINGING")
    await dialer.until(lambda: dialer.count(AttemptRinging) == 1)
    assert switch.count("Hangup") == 0
    assert dialer.count(AttemptEnded) == 0


async def test_survivors_are_told_between_log_ins_and_link_up(switch: FakeSwitch, dialer: Dialer) -> None:
    talking = {"Uniqueid": OWN, "Channel": "PJSIP/t1-1", "ChannelStateDesc": "Up", "BridgeId": "b"}
    ringing = {"Uniqueid": "cad-camp-8-1~", "ChannelStateDesc": "Ringing"}
    switch.channels = [talking, ringing, {**LEG, "ChannelStateDesc": "Up", "BridgeId": "b"}]
    await dialer.telephony.start(dialer.events.append)
    assert dialer.kinds() == ["AgentLoggedIn", "AttemptSurvived", "LinkUp"]
    await dialer.until(lambda: switch.count("Hangup") == 1)
    assert [a["Channel"] for a in switch.heard if a["Action"] == "Hangup"] == ["cad-camp-8-1~"]
    dialer.telephony.perform([HangUp(attempt_id=7, reason="test")])
    await dialer.until(lambda: switch.count("Hangup") == 2)
    switch.say(Event="Hangup", Uniqueid=OWN, Cause="16")
    await dialer.until(lambda: dialer.count(AttemptEnded) == 1)


# ---- actions ------------------------------------------------------------------------------------------------------
async def test_a_call_that_was_answered_by_now_is_let_be_where_that_was_asked(
    switch: FakeSwitch, dialer: Dialer
) -> None:
    up = {"ChannelStateDesc": "Up", "BridgeId": "b"}
    switch.channels = [{"Uniqueid": OWN, "Channel": "PJSIP/t1-1", **up}, {**LEG, **up}]
    await dialer.telephony.start(dialer.events.append)
    dialer.telephony.perform([HangUp(attempt_id=7, reason="test", unanswered_only=True)])
    dialer.telephony.perform([LogOut(agent_id="ana")])
    await dialer.until(lambda: switch.count("Hangup") == 1)
    assert [a["Channel"] for a in switch.heard if a["Action"] == "Hangup"] == ["l1"]


async def test_log_out_hangs_up_the_leg(switch: FakeSwitch, dialer: Dialer) -> None:
    switch.channels = [LEG]
    await dialer.telephony.start(dialer.events.append)
    dialer.telephony.perform([LogOut(agent_id="ana"), LogOut(agent_id="nobody")])
    await dialer.until(lambda: switch.count("Hangup") == 1)
    assert [a["Channel"] for a in switch.heard if a["Action"] == "Hangup"] == ["l1"]
    switch.say(Event="Hangup", Uniqueid="l1")
    await dialer.until(lambda: dialer.count(AgentLoggedOut) == 1)


async def test_nothing_is_left_pending(switch: FakeSwitch, dialer: Dialer) -> None:
    others = asyncio.all_tasks()
    for _ in range(3):
        await dialer.telephony.start(dialer.events.append)
        dialer.telephony.perform([ORIGINATE, Bridge(attempt_id=7, agent_id="ana")])
        await dialer.telephony.close()
    await dialer.until(lambda: len(asyncio.all_tasks()) <= len(others))
