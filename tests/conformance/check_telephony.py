"""What every `Telephony` must do, simulated or real. A test makes a `Bench` and runs each of `CHECKS` on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol, TypeVar

from dialer.core.actions import Bridge, HangUp, LogOut, Originate
from dialer.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AttemptAbandoned,
    AttemptAnswered,
    AttemptBridged,
    AttemptEnded,
    AttemptRinging,
    Event,
    LinkUp,
)
from dialer.ports import Telephony

E = TypeVar("E", bound=Event)


class Until(Protocol):
    """Lets time pass until a condition holds. Raises `TimeoutError` after `limit_s` of the telephony's own time."""

    async def __call__(self, condition: Callable[[], bool], limit_s: float) -> None: ...


@dataclass(kw_only=True)
class Bench:
    """A started telephony with one waiting agent, its events so far, and numbers whose outcomes are known."""

    telephony: Telephony
    events: list[Event]
    until: Until
    agent_id: str
    trunk: str
    unknown_trunk: str  # in the campaign, but not on the switch
    caller_id: str
    patient: str  # answers soon, and stays until it is hung up
    brief: str  # answers soon, and hangs up by itself about a second later
    busy: str
    silent: str  # rings, and never answers
    ids: count[int] = field(default_factory=lambda: count(1))

    def dial(self, number: str, *, trunk: str = "", ring_timeout_s: float = 15.0) -> int:
        """Place a call; returns its attempt id."""
        attempt_id = next(self.ids)
        self.telephony.perform([self.originate(attempt_id, number, trunk=trunk, ring_timeout_s=ring_timeout_s)])
        return attempt_id

    def originate(self, attempt_id: int, number: str, *, trunk: str = "", ring_timeout_s: float = 15.0) -> Originate:
        return Originate(
            attempt_id=attempt_id,
            try_no=1,
            lead_id=f"lead-{attempt_id}",
            number=number,
            trunk=trunk or self.trunk,
            caller_id=self.caller_id,
            ring_timeout_s=ring_timeout_s,
        )

    def of(self, attempt_id: int) -> list[Event]:
        """What has been told of an attempt."""
        return [event for event in self.events if getattr(event, "attempt_id", None) == attempt_id]

    def kinds(self, attempt_id: int) -> list[str]:
        return [type(event).__name__ for event in self.of(attempt_id)]

    async def told(self, kind: type[E], attempt_id: int, limit_s: float = 15.0) -> E:
        """Wait until an event of this kind is told of the attempt."""
        await self.until(lambda: any(isinstance(event, kind) for event in self.of(attempt_id)), limit_s)
        return next(event for event in self.of(attempt_id) if isinstance(event, kind))


async def check_start(bench: Bench) -> None:
    """Whoever waits is logged in before the link is said to be up."""
    kinds = [type(event) for event in bench.events]
    assert kinds.count(LinkUp) == 1
    assert AgentLoggedIn in kinds[: kinds.index(LinkUp)]


async def check_bridge_and_hang_up(bench: Bench) -> None:
    """A call is answered, bridged and hung up; every step is told once and in order."""
    attempt_id = bench.dial(bench.patient)
    answered = await bench.told(AttemptAnswered, attempt_id)
    bench.telephony.perform([Bridge(attempt_id=attempt_id, agent_id=bench.agent_id)])
    bridged = await bench.told(AttemptBridged, attempt_id)
    assert bridged.agent_id == bench.agent_id
    bench.telephony.perform([HangUp(attempt_id=attempt_id, reason="test")])
    ended = await bench.told(AttemptEnded, attempt_id)
    assert not ended.lost
    assert answered.at <= bridged.at <= ended.at
    kinds = [kind for kind in bench.kinds(attempt_id) if kind != AttemptRinging.__name__]
    assert kinds == ["AttemptAnswered", "AttemptBridged", "AttemptEnded"]


async def check_agent_goes_on_waiting(bench: Bench) -> None:
    """After a call that the called party ends, the same agent can be bridged again."""
    for _ in range(2):
        attempt_id = bench.dial(bench.brief)
        await bench.told(AttemptAnswered, attempt_id)
        bench.telephony.perform([Bridge(attempt_id=attempt_id, agent_id=bench.agent_id)])
        await bench.told(AttemptBridged, attempt_id)
        await bench.told(AttemptEnded, attempt_id)


async def check_busy(bench: Bench) -> None:
    attempt_id = bench.dial(bench.busy)
    ended = await bench.told(AttemptEnded, attempt_id)
    assert (ended.cause, ended.lost) == (17, False)
    assert AttemptAnswered.__name__ not in bench.kinds(attempt_id)


async def check_no_answer(bench: Bench) -> None:
    """The ring time-out ends a call, and only then."""
    attempt_id = bench.dial(bench.silent, ring_timeout_s=2.0)
    ringing = await bench.told(AttemptRinging, attempt_id)
    ended = await bench.told(AttemptEnded, attempt_id, limit_s=6.0)
    assert 1.0 <= ended.at - ringing.at <= 4.0
    assert not ended.lost
    assert AttemptAnswered.__name__ not in bench.kinds(attempt_id)


async def check_hang_up_ringing(bench: Bench) -> None:
    attempt_id = bench.dial(bench.silent, ring_timeout_s=15.0)
    await bench.told(AttemptRinging, attempt_id)
    bench.telephony.perform([HangUp(attempt_id=attempt_id, reason="test")])
    ended = await bench.told(AttemptEnded, attempt_id, limit_s=5.0)
    assert not ended.lost
    assert AttemptAnswered.__name__ not in bench.kinds(attempt_id)


async def check_abandoned(bench: Bench) -> None:
    """An answered call that gets no agent is abandoned by the switch itself, within 2 s, and ends after the message."""
    attempt_id = bench.dial(bench.patient)
    answered = await bench.told(AttemptAnswered, attempt_id)
    abandoned = await bench.told(AttemptAbandoned, attempt_id, limit_s=4.0)
    assert 1.0 < abandoned.at - answered.at <= 2.0
    await bench.told(AttemptEnded, attempt_id, limit_s=60.0)


async def check_unknown_trunk(bench: Bench) -> None:
    """A call that cannot be placed ends all the same."""
    attempt_id = bench.dial(bench.patient, trunk=bench.unknown_trunk)
    ended = await bench.told(AttemptEnded, attempt_id, limit_s=5.0)
    assert not ended.lost
    assert bench.kinds(attempt_id) == ["AttemptEnded"]


async def check_repeated_originate(bench: Bench) -> None:
    """A second Originate of the same try changes nothing, while the first lives and afterwards."""
    attempt_id = bench.dial(bench.busy)
    again = bench.originate(attempt_id, bench.busy)
    bench.telephony.perform([again, again])
    await bench.told(AttemptEnded, attempt_id)
    bench.telephony.perform([again])
    other = bench.dial(bench.busy)
    await bench.told(AttemptEnded, other)
    assert bench.kinds(attempt_id).count("AttemptEnded") == 1


async def check_late_actions(bench: Bench) -> None:
    """Actions on a call that has ended are ignored."""
    attempt_id = bench.dial(bench.busy)
    await bench.told(AttemptEnded, attempt_id)
    bench.telephony.perform(
        [Bridge(attempt_id=attempt_id, agent_id=bench.agent_id), HangUp(attempt_id=attempt_id, reason="late")]
    )
    other = bench.dial(bench.busy)
    await bench.told(AttemptEnded, other)
    assert bench.kinds(attempt_id).count("AttemptEnded") == 1
    assert AttemptBridged.__name__ not in bench.kinds(attempt_id)


async def check_log_out(bench: Bench) -> None:
    """An agent who is logged out is told to be gone, once; nobody else is."""
    before = len(bench.events)
    bench.telephony.perform([LogOut(agent_id=bench.agent_id)])
    await bench.until(lambda: any(isinstance(event, AgentLoggedOut) for event in bench.events[before:]), 5.0)
    await bench.told(AttemptEnded, bench.dial(bench.busy))
    gone = [event.agent_id for event in bench.events[before:] if isinstance(event, AgentLoggedOut)]
    assert gone == [bench.agent_id]


Check = Callable[[Bench], Awaitable[None]]

CHECKS: tuple[Check, ...] = (
    check_start,
    check_bridge_and_hang_up,
    check_agent_goes_on_waiting,
    check_busy,
    check_no_answer,
    check_hang_up_ringing,
    check_abandoned,
    check_unknown_trunk,
    check_repeated_originate,
    check_late_actions,
    check_log_out,
)
