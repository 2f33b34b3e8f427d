"""The adapter on a real Asterisk 22, with SIPp as carriers and agents."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from dialer.core.actions import Bridge, HangUp
from dialer.core.events import (
    AgentKeyed,
    AgentLoggedIn,
    AgentLoggedOut,
    AttemptAbandoned,
    AttemptAnswered,
    AttemptBridged,
    AttemptEnded,
    AttemptRinging,
    AttemptScreened,
    AttemptSurvived,
    BridgeFailed,
    LinkDropped,
    LinkUp,
)
from dialer.errors import LinkLost, LoginRefused
from dialer.lab.lab import Lab
from dialer.lab.proxy import FaultyLink
from tests.conformance.check_telephony import CHECKS, Bench, Check, check_log_out
from tests.integration.conftest import Station

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(station: Station, check: Check) -> None:
    bench = await station.bench(amd=False)
    await check(bench)
    if check is check_log_out:
        station.lab.ring_in(bench.agent_id)


# ---- outcomes -------------------------------------------------------------------------------------------------
# digits: cause, the carrier's SIP code, does it ring, is it answered
OUTCOMES = {
    "10": (16, None, True, True),  # nobody is free: after the message the dialplan hangs up
    "11": (0, None, True, True),  # hangs up by itself while it waits
    "30": (17, 486, False, False),
    "31": (19, None, True, False),  # our own time-out: the carrier said nothing
    "32": (19, 480, True, False),
    "40": (1, 404, False, False),
    "50": (34, 503, False, False),
    "51": (18, 408, False, False),  # the switch gives a dead carrier up
    "60": (21, 603, False, False),
    "70": (16, None, True, True),
}


async def test_outcomes(station: Station) -> None:
    bench = await station.bench(amd=False)
    attempts = {
        digits: bench.dial(station.lab.number(digits, 100 + i), ring_timeout_s=5.0 if digits == "31" else 12.0)
        for i, digits in enumerate(OUTCOMES)
    }
    found = {}
    for digits, attempt_id in attempts.items():
        ended = await bench.told(AttemptEnded, attempt_id, limit_s=30)
        kinds = bench.kinds(attempt_id)
        rang, answered = (kind.__name__ in kinds for kind in (AttemptRinging, AttemptAnswered))
        found[digits] = (ended.cause, ended.sip_code, rang, answered)
        assert not ended.lost
        assert kinds.count("AttemptEnded") == 1
    assert found == OUTCOMES


@pytest.mark.parametrize(("digits", "verdict"), [("20", "machine"), ("12", "human")])
async def test_screening(station: Station, digits: str, verdict: str) -> None:
    bench = await station.bench(amd=True)
    attempt_id = bench.dial(station.lab.number(digits, 200))
    screened = await bench.told(AttemptScreened, attempt_id)
    assert screened.verdict == verdict
    if verdict == "human":
        abandoned = await bench.told(AttemptAbandoned, attempt_id)
        # 0.8 s of silence made the verdict; the 2 s run from the greeting's end.
        assert abandoned.at - screened.at <= 1.2
    await bench.told(AttemptEnded, attempt_id)
    assert (AttemptAbandoned.__name__ in bench.kinds(attempt_id)) == (verdict == "human")


async def test_answer_to_bridge_is_quick(station: Station) -> None:
    """With as many agents at once as show whose leg is whose: the ids of some begin those of others."""
    bench = await station.bench(amd=False)
    attempts = await asyncio.gather(*(_bridged(bench, agent_id) for agent_id in station.lab.agents))
    waits = []
    for attempt_id in attempts:
        times = {type(event): event.at for event in bench.of(attempt_id)}
        waits.append(times[AttemptBridged] - times[AttemptAnswered])
    print(f"answer to bridge, ms: {[round(1000 * wait, 1) for wait in waits]}")
    assert sorted(waits)[6] < 0.1


async def test_early_media_is_told_apart(station: Station) -> None:
    bench = await station.bench(amd=False)
    attempt_id = bench.dial(station.lab.number("70", 300))
    assert (await bench.told(AttemptRinging, attempt_id)).early_media
    await bench.told(AttemptEnded, attempt_id, limit_s=30)


async def test_agent_is_joined_again_at_once(station: Station) -> None:
    """The next call is joined in the very moment in which the last one ends, while the leg is still leaving it."""
    bench = await station.bench(amd=False)
    current = await _waiting(bench)
    bench.telephony.perform([Bridge(attempt_id=current, agent_id=bench.agent_id)])
    await bench.told(AttemptBridged, current)
    for _ in range(8):
        following = await _waiting(bench)

        def join(event: object, attempt_id: int = following, last: int = current) -> None:
            ended = isinstance(event, AttemptEnded) and event.attempt_id == last
            if ended or (isinstance(event, BridgeFailed) and event.attempt_id == attempt_id):
                bench.telephony.perform([Bridge(attempt_id=attempt_id, agent_id=bench.agent_id)])

        station.listener = join
        bench.telephony.perform([HangUp(attempt_id=current, reason="test")])
        await bench.told(AttemptBridged, following)
        current = following
    station.listener = None
    bench.telephony.perform([HangUp(attempt_id=current, reason="test")])
    await bench.told(AttemptEnded, current)
    assert not [event for event in station.events if isinstance(event, AttemptAbandoned | AgentLoggedOut)]


async def _waiting(bench: Bench) -> int:
    attempt_id = bench.dial(bench.patient)
    await bench.told(AttemptAnswered, attempt_id)
    return attempt_id


# ---- agents ---------------------------------------------------------------------------------------------------
async def _bridged(bench: Bench, agent_id: str = "") -> int:
    attempt_id = bench.dial(bench.brief)
    await bench.told(AttemptAnswered, attempt_id)
    bench.telephony.perform([Bridge(attempt_id=attempt_id, agent_id=agent_id or bench.agent_id)])
    await bench.told(AttemptBridged, attempt_id)
    return attempt_id


async def test_agent_who_leaves_in_a_call(station: Station) -> None:
    """The called party hears no message, and the call ends."""
    bench = await station.bench(amd=False)
    telephone = station.lab.ring_in("agent3", every_s=3.0, leaves=True)
    try:
        await station.until(lambda: AgentLoggedOut.__name__ in map(_kind, station.events), 5)
        attempt_id = bench.dial(bench.patient)
        await bench.told(AttemptAnswered, attempt_id)
        bench.telephony.perform([Bridge(attempt_id=attempt_id, agent_id="agent3")])
        bridged = await bench.told(AttemptBridged, attempt_id)
        ended = await bench.told(AttemptEnded, attempt_id)
        assert AttemptAbandoned.__name__ not in bench.kinds(attempt_id)
        logged_out = [e for e in station.events if isinstance(e, AgentLoggedOut) and e.at >= bridged.at]
        assert [e.agent_id for e in logged_out] == ["agent3"]
        assert ended.at - logged_out[0].at < 1.0
    finally:
        telephone.stop()
        station.lab.ring_in("agent3")


def _kind(event: object) -> str:
    return type(event).__name__


async def test_newer_leg_wins(station: Station) -> None:
    await station.bench(amd=False)
    await station.until(lambda: sum(isinstance(e, AgentLoggedIn) for e in station.events) == 12, 5)
    before = len(station.events)
    station.lab.ring_in("agent2")
    await station.until(lambda: len(station.events) >= before + 2, 5)
    found = [(type(e), e.agent_id) for e in station.events[before:] if isinstance(e, AgentLoggedIn | AgentLoggedOut)]
    assert found == [(AgentLoggedOut, "agent2"), (AgentLoggedIn, "agent2")]

    def agent2_legs() -> int:
        return station.lab.asterisk.cli("core show channels concise").count("PJSIP/agent2-")

    await station.until(lambda: agent2_legs() == 1, 5)


async def test_keys(station: Station) -> None:
    """Keys come through off a call and in one."""
    bench = await station.bench(amd=False)
    telephone = station.lab.ring_in("agent1", key="4", every_s=0.4, presses=1000)
    try:
        await station.until(lambda: any(isinstance(e, AgentKeyed) for e in station.events), 5)
        attempt_id = await _bridged(bench, "agent1")
        await bench.told(AttemptEnded, attempt_id)
        times = {type(event): event.at for event in bench.of(attempt_id)}
        in_call = [
            e
            for e in station.events
            if isinstance(e, AgentKeyed) and times[AttemptBridged] < e.at < times[AttemptEnded]
        ]
        assert in_call
        assert {(e.agent_id, e.key) for e in in_call} == {("agent1", "4")}
    finally:
        telephone.stop()
        station.lab.ring_in("agent1")


# ---- calls of an earlier run ------------------------------------------------------------------------------------
async def test_survivors(station: Station) -> None:
    """Of a dialer that died: who talks goes on, who waits hears the message, who rings is hung up."""
    first = await station.bench(amd=False)
    talking, waiting, ringing = await _waiting(first), first.dial(first.patient), first.dial(first.silent)
    first.telephony.perform([Bridge(attempt_id=talking, agent_id="agent5")])
    await first.told(AttemptBridged, talking)
    await first.told(AttemptRinging, ringing)
    await first.told(AttemptAnswered, waiting)
    await first.telephony.close()
    before = len(station.events)

    second = await station.bench(amd=False, run=2)
    second.ids = count(100)
    told = station.events[before:]
    assert type(told[-1]) is LinkUp
    survived = [event for event in told if isinstance(event, AttemptSurvived)]
    assert [(event.attempt_id, event.agent_id) for event in survived] == [(talking, "agent5")]
    logged_in = [event.agent_id for event in told if isinstance(event, AgentLoggedIn)]
    assert sorted(logged_in) == sorted(station.lab.agents)
    assert told.index(survived[0]) > max(i for i, event in enumerate(told) if isinstance(event, AgentLoggedIn))

    await station.until(lambda: _application(station, ringing) == "", 2)
    await station.until(lambda: _application(station, waiting) == "Playback", 3)
    assert _application(station, talking) != ""
    second.telephony.perform([HangUp(attempt_id=talking, reason="test")])
    ended = await second.told(AttemptEnded, talking)
    assert (ended.cause, ended.lost) == (16, False)
    await second.told(AttemptEnded, await _bridged(second, "agent5"))
    await station.until(lambda: _application(station, waiting) == "", 10)
    assert second.kinds(waiting) == first.kinds(waiting)


async def test_survivor_that_ends_by_itself(station: Station) -> None:
    """Its agent hangs up: both ends are told."""
    first = await station.bench(amd=False)
    telephone = station.lab.ring_in("agent6", every_s=3.0, leaves=True)
    try:
        await station.until(lambda: AgentLoggedOut.__name__ in map(_kind, station.events), 5)
        talking = await _waiting(first)
        first.telephony.perform([Bridge(attempt_id=talking, agent_id="agent6")])
        await first.told(AttemptBridged, talking)
        await first.telephony.close()
        before = len(station.events)
        second = await station.bench(amd=False, run=2)
        await second.told(AttemptEnded, talking)
        kinds = [
            _kind(event)
            for event in station.events[before:]
            if getattr(event, "agent_id", "") == "agent6" or getattr(event, "attempt_id", 0) == talking
        ]
        assert kinds[:2] == ["AgentLoggedIn", "AttemptSurvived"]
        assert sorted(kinds[2:]) == ["AgentLoggedOut", "AttemptEnded"]
    finally:
        telephone.stop()
        station.lab.ring_in("agent6")


def _application(station: Station, attempt_id: int) -> str:
    """What the attempt's channel is doing in the dialplan; empty where there is none."""
    channel = f"cad-{station.campaign().campaign}-{attempt_id}-1~"
    rows = [row.split("!") for row in station.lab.asterisk.cli("core show channels concise").splitlines()]
    return next((row[5] or "-" for row in rows if row[-1] == channel), "")


# ---- safety ---------------------------------------------------------------------------------------------------
async def test_injection_never_reaches_the_switch(station: Station) -> None:
    """A line break in a value would let it run another action."""
    async with FaultyLink(station.lab.asterisk.address, station.lab.asterisk.ami_port) as proxy:
        bench = await station.bench(amd=False, asterisk={"host": "127.0.0.1", "port": proxy.port})
        before = len(proxy.heard)
        number = "+51912000001\r\n\r\nAction: Originate\r\nChannel: PJSIP/51912999999@carrier1\r\nAsync: true\r\n"
        for bad in (number, "51912000001&PJSIP/51912999999@carrier2", "5" * 300, "51912000001\u2028", ""):
            attempt_id = bench.dial(bad)
            ended = await bench.told(AttemptEnded, attempt_id, limit_s=2)
            assert (ended.cause, ended.lost) == (38, False)
        good = bench.dial(bench.busy)
        await bench.told(AttemptEnded, good)
        assert proxy.heard[before:].count(b"Action: Originate") == 1
        await bench.telephony.close()
    assert not [number for number in station.lab.dialled() if "999999" in number]


async def test_cap_on_calls_in_flight(station: Station) -> None:
    asterisk = {**station.lab.settings()["asterisk"], "max_calls": 2}
    bench = await station.bench(amd=False, asterisk=asterisk)
    attempts = [bench.dial(station.lab.number("31", 400 + i), ring_timeout_s=2.0) for i in range(3)]
    await bench.told(AttemptEnded, attempts[2], limit_s=1)
    assert bench.kinds(attempts[2]) == ["AttemptEnded"]
    for attempt_id in attempts[:2]:
        await bench.told(AttemptEnded, attempt_id)
    assert station.lab.number("31", 402)[1:] not in station.lab.dialled()


# ---- the link -------------------------------------------------------------------------------------------------
async def test_wrong_secret(station: Station) -> None:
    with pytest.raises(LoginRefused, match="cadencia"):
        await station.telephony(secret="wrong").start(station.emit)
    assert station.events == []


async def test_nobody_listens(station: Station) -> None:
    nowhere = {**station.lab.settings()["asterisk"], "port": 5039}
    with pytest.raises(LinkLost, match="5039"):
        await station.telephony(asterisk=nowhere).start(station.emit)


async def test_one_invite_when_the_link_is_cut(station: Station) -> None:
    """The link dies between an Originate and its answer: the call is found again, never dialled again."""
    number = station.lab.number("31", 500)
    async with FaultyLink(station.lab.asterisk.address, station.lab.asterisk.ami_port) as proxy:
        bench = await station.bench(amd=False, asterisk={"host": "127.0.0.1", "port": proxy.port})
        proxy.swallowing = True
        attempt_id = bench.dial(number, ring_timeout_s=4.0)
        await station.until(lambda: number[1:] in station.lab.dialled(), 5)
        proxy.cut()
        proxy.swallowing = False
        await station.until(lambda: any(isinstance(e, LinkDropped) for e in station.events), 5)
        refused = bench.dial(bench.busy)
        assert (await bench.told(AttemptEnded, refused, limit_s=1)).cause == 38
        await station.until(lambda: sum(isinstance(e, LinkUp) for e in station.events) == 2, 5)
        ended = await bench.told(AttemptEnded, attempt_id)
        assert (ended.cause, ended.lost) == (19, False)
        await bench.telephony.close()
    assert station.lab.dialled().count(number[1:]) == 1


async def test_call_that_ends_in_the_gap_is_lost(station: Station) -> None:
    async with FaultyLink(station.lab.asterisk.address, station.lab.asterisk.ami_port) as proxy:
        bench = await station.bench(amd=False, asterisk={"host": "127.0.0.1", "port": proxy.port})
        attempt_id = bench.dial(bench.silent, ring_timeout_s=1.0)
        await bench.told(AttemptRinging, attempt_id)
        proxy.refusing = True
        proxy.cut()
        channel = f"cad-{station.campaign().campaign}-{attempt_id}-1~"
        await station.until(lambda: channel not in station.lab.asterisk.cli("core show channels verbose"), 5)
        await station.until(
            lambda: (
                not [r for r in station.lab.asterisk.cli("core show channels concise").splitlines() if channel in r]
            ),
            5,
        )
        proxy.refusing = False
        ended = await bench.told(AttemptEnded, attempt_id, limit_s=10)
        assert ended.lost
        await bench.telephony.close()


async def test_stalled_link_is_noticed(station: Station) -> None:
    async with FaultyLink(station.lab.asterisk.address, station.lab.asterisk.ami_port) as proxy:
        bench = await station.bench(amd=False, asterisk={"host": "127.0.0.1", "port": proxy.port})
        proxy.stall()
        await station.until(lambda: any(isinstance(e, LinkDropped) for e in station.events), 4)
        proxy.resume()
        await station.until(lambda: sum(isinstance(e, LinkUp) for e in station.events) == 2, 10)
        await bench.told(AttemptEnded, bench.dial(bench.busy))
        await bench.telephony.close()


async def test_messages_in_single_bytes(station: Station) -> None:
    async with FaultyLink(station.lab.asterisk.address, station.lab.asterisk.ami_port) as proxy:
        proxy.chunk = 1
        bench = await station.bench(amd=False, asterisk={"host": "127.0.0.1", "port": proxy.port})
        await bench.told(AttemptEnded, await _bridged(bench))
        await bench.telephony.close()


async def test_records_agree(station: Station) -> None:
    """Originates sent, INVITEs at the carriers and the switch's own records are the same calls."""
    bench = await station.bench(amd=False)
    numbers = [station.lab.number("30", 600 + i) for i in range(20)]
    attempts = [bench.dial(number, trunk=f"carrier{i % 2 + 1}") for i, number in enumerate(numbers)]
    for attempt_id in attempts:
        await bench.told(AttemptEnded, attempt_id)
    dialled = station.lab.dialled()
    assert [dialled.count(number[1:]) for number in numbers] == [1] * 20
    name = f"cad-{station.campaign().campaign}-"

    def records() -> tuple[int, int]:
        starts = [row for row in station.lab.asterisk.cel_rows() if "CHAN_START" in row and name in row]
        return len([row for row in station.lab.asterisk.cdr_rows() if name in row]), len(starts)

    await station.until(lambda: records() == (20, 20), 5)


# ---- a switch of its own: these end it ------------------------------------------------------------------------
async def test_switch_that_dies_and_comes_back(station: Station, lab: Lab) -> None:
    """Last in the module: it restarts the module's Asterisk."""
    bench = await station.bench(amd=False)
    attempt_id = bench.dial(bench.silent)
    await bench.told(AttemptRinging, attempt_id)
    lab.asterisk.kill()
    await station.until(lambda: any(isinstance(e, LinkDropped) for e in station.events), 5)
    lab.asterisk.start()
    ended = await bench.told(AttemptEnded, attempt_id, limit_s=15)
    assert ended.lost
    await station.until(lambda: sum(isinstance(e, LinkUp) for e in station.events) == 2, 10)
    assert sum(isinstance(e, AgentLoggedOut) for e in station.events) >= 12
    await bench.told(AttemptEnded, bench.dial(bench.busy))
