"""The agents: when each is there, what sets them apart, and what they do when a break or the shift's end comes.

How it works: `agent_days` draws each agent's day beforehand, as a day on record would also give it; `SimulatedFloor`
plays the days. An agent who is in a call, or wraps one up, asks for the break at its time and takes it afterwards; a
shift's end waits for the call too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from dialer.core import events as ev
from dialer.ports import Clock, Emit
from sim.clock import Wake
from sim.conversations import RATED, Conversation, Conversed
from sim.scenario import AgentKind, Floor, Scenario, Shift, offset_s
from sim.shares import Shares
from sim.streams import Stream

# An agent whose break was over while a call still went on takes a breath before the next one.
_BREATH_S = 5.0
_END_OF_SHIFT = "end of the shift"


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A pause, and when it is asked for."""

    at: float  # UTC seconds
    length_s: float
    reason: str = "break"
    announced: bool = False  # the dialer is told beforehand


class AgentDay(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's day."""

    agent_id: str
    log_in_at: float  # UTC seconds
    log_out_at: float | None = None  # None: stays until the campaign ends
    breaks: tuple[Break, ...] = ()  # in order of time
    skill: float = 1.0  # multiplies the promise rate
    handle_factor: float = 1.0  # multiplies talk and wrap-up times
    announced_s: float = 0.0  # how long before the dialer is told of announced breaks and of the log-out; 0: never


def agent_days(scenario: Scenario, seed: int) -> tuple[AgentDay, ...]:
    """Draw the day of each of the campaign's agents, in the campaign's order."""
    floor = scenario.floor
    shifts = floor.shifts or (Shift(),)
    kinds = floor.kinds or (AgentKind(name="", share=1.0),)
    of_shift, of_kind = Shares(shift.share for shift in shifts), Shares(kind.share for kind in kinds)
    drawer = _DayDrawer(scenario, seed)
    return tuple(
        drawer.day(agent.id, index, shifts[of_shift.spread(index, 0)], kinds[of_kind.spread(index, 1)])
        for index, agent in enumerate(scenario.campaign.agents)
    )


class _DayDrawer:
    """Draws one agent's day after the other."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._floor: Floor = scenario.floor
        names = ("log_in", "break", "break_length", "scheduled", "scheduled_length")
        self._streams = {name: Stream(seed, name) for name in names}

    def day(self, agent_id: str, index: int, shift: Shift, kind: AgentKind) -> AgentDay:
        start, start_at = self._scenario.start, self._scenario.start_at
        begin_s = max(0.0, offset_s(shift.begin, start))
        log_in_at = start_at + begin_s + self._floor.log_in_s.quantile(self._streams["log_in"].uniform(index))
        log_out_at = None if shift.end is None else start_at + offset_s(shift.end, start)
        until = min(start_at + self._scenario.duration, inf if log_out_at is None else log_out_at)
        breaks = [*self._scheduled(index), *self._at_random(index, log_in_at, until)]
        return AgentDay(
            agent_id=agent_id,
            log_in_at=log_in_at,
            log_out_at=log_out_at,
            breaks=_apart(sorted((b for b in breaks if log_in_at < b.at < until), key=lambda taken: taken.at)),
            skill=kind.skill,
            handle_factor=kind.handle_factor,
            announced_s=self._floor.announce,
        )

    def _scheduled(self, index: int) -> list[Break]:
        when, length = self._streams["scheduled"], self._streams["scheduled_length"]
        return [
            Break(
                at=self._scenario.start_at
                + offset_s(planned.at, self._scenario.start)
                + planned.spread_s.quantile(when.uniform(index, number)),
                length_s=planned.length_s.quantile(length.uniform(index, number)),
                reason=planned.name,
                announced=True,
            )
            for number, planned in enumerate(self._floor.breaks)
        ]

    def _at_random(self, index: int, at: float, until: float) -> list[Break]:
        every, breaks = self._floor.break_every_s, list[Break]()
        while every > 0:
            number = len(breaks)
            at += every * (0.5 + self._streams["break"].uniform(index, number))
            if at >= until:
                break
            length_s = self._floor.break_s.quantile(self._streams["break_length"].uniform(index, number))
            breaks.append(Break(at=at, length_s=length_s))
            at += length_s
        return breaks


def _apart(breaks: Sequence[Break]) -> tuple[Break, ...]:
    """Leave out what would begin before the one before it has ended."""
    kept: list[Break] = []
    for taken in breaks:
        if not kept or taken.at >= kept[-1].at + kept[-1].length_s:
            kept.append(taken)
    return tuple(kept)


class SimulatedAgent:
    """One agent, now."""

    __slots__ = ("break_due_s", "call", "day", "here", "leaving", "next_break", "on_break")

    def __init__(self, day: AgentDay) -> None:
        self.day = day
        self.here = False  # the leg is up
        self.call: int | None = None  # the attempt they talk on or wrap up
        self.on_break = False
        self.break_due_s: float | None = None  # of the break after this call
        self.leaving = False  # goes home after this call
        self.next_break = 0


class SimulatedFloor:
    """Plays the agents' days: logs them in and out and sends them on breaks."""

    def __init__(
        self,
        days: Sequence[AgentDay],
        conversations: Mapping[Conversed, Conversation],
        *,
        seed: int,
        clock: Clock,
        wake: Wake,
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._agents = {day.agent_id: SimulatedAgent(day) for day in days}
        self._gains = {day.agent_id: promise_gain(conversations, day.skill) for day in days if day.skill != 1.0}
        self._skill = Stream(seed, "skill")
        self._emit: Emit = _unheard

    def begin(self, emit: Emit) -> None:
        """Let the agents come: those whose time has come are there at once."""
        self._emit = emit
        now = self._clock.now()
        for agent in self._agents.values():
            if agent.day.log_out_at is not None and agent.day.log_out_at <= now:
                continue
            if agent.day.log_in_at <= now:
                self._log_in(agent)  # waits already
            else:
                self._wake(agent.day.log_in_at, self._log_in, agent)

    def is_here(self, agent_id: str) -> bool:
        """Whether the agent's leg is up."""
        agent = self._agents.get(agent_id)
        return agent is not None and agent.here

    def take_call(self, agent_id: str, attempt_id: int) -> float:
        """The agent hears the called party; returns what multiplies talk and wrap-up times."""
        agent = self._agents[agent_id]
        agent.call = attempt_id
        return agent.day.handle_factor

    def disposition(self, agent_id: str, usual: str, subject: int, draw: int) -> str:
        """What this agent makes of the lead's call number `draw`, where an agent of skill 1 reports `usual`: skill
        turns promises into plain contacts, or plain contacts into promises."""
        gain = self._gains.get(agent_id)
        if gain is None or usual not in ("PTP", "RPC"):
            return usual
        return "PTP" if self._skill.uniform(subject, draw) < gain[usual == "RPC"] else "RPC"

    def dispose(self, agent_id: str, attempt_id: int, disposition: str) -> None:
        """The wrap-up is over: the agent reports, and goes where they wanted to go meanwhile."""
        now = self._clock.now()
        self._emit(ev.AttemptDisposed(at=now, agent_id=agent_id, attempt_id=attempt_id, disposition=disposition))
        agent = self._agents[agent_id]
        if agent.call != attempt_id:
            return  # the engine's own limit came first, and the agent has another call
        agent.call = None
        if agent.leaving:
            self._log_out(agent)
        elif agent.break_due_s is not None:
            agent.on_break = True
            self._wake(now + agent.break_due_s, self._come_back, agent)
            agent.break_due_s = None

    def log_out(self, agent_id: str) -> None:
        """The agent's leg is hung up for them."""
        agent = self._agents.get(agent_id)
        if agent is not None and agent.here:
            self._log_out(agent)

    # ---- the day ----------------------------------------------------------------------------------------------
    def _log_in(self, agent: SimulatedAgent) -> None:
        agent.here = True
        self._emit(ev.AgentLoggedIn(at=self._clock.now(), agent_id=agent.day.agent_id))
        self._plan_break(agent)
        if agent.day.log_out_at is not None:
            self._wake(agent.day.log_out_at, self._shift_over, agent)
        if agent.day.announced_s:
            self._plan_announcements(agent)

    def _plan_announcements(self, agent: SimulatedAgent) -> None:
        """Have the dialer told of each leave in time; of two that are near each other, the nearer comes first."""
        leaves = [(taken.at, taken.reason) for taken in agent.day.breaks if taken.announced]
        if agent.day.log_out_at is not None:
            leaves.append((agent.day.log_out_at, _END_OF_SHIFT))
        now, told_from = self._clock.now(), -inf
        for at, reason in leaves:
            if at > now:
                self._wake(max(now, at - agent.day.announced_s, told_from), self._announce, (agent, at, reason))
                told_from = at

    def _announce(self, leave: tuple[SimulatedAgent, float, str]) -> None:
        agent, at, reason = leave
        now = self._clock.now()
        if agent.here and at > now:
            self._emit(ev.AgentLeaveAnnounced(at=now, agent_id=agent.day.agent_id, leaves_at=at, reason=reason))

    def _plan_break(self, agent: SimulatedAgent) -> None:
        if agent.next_break < len(agent.day.breaks):
            self._wake(agent.day.breaks[agent.next_break].at, self._go_on_break, agent)

    def _go_on_break(self, agent: SimulatedAgent) -> None:
        taken = agent.day.breaks[agent.next_break]
        agent.next_break += 1
        self._plan_break(agent)
        if not agent.here or agent.on_break or agent.leaving or agent.break_due_s is not None:
            return
        self._emit(ev.AgentPaused(at=self._clock.now(), agent_id=agent.day.agent_id, reason=taken.reason))
        if agent.call is None:
            agent.on_break = True
            self._wake(self._clock.now() + taken.length_s, self._come_back, agent)
        else:
            agent.break_due_s = taken.length_s

    def _come_back(self, agent: SimulatedAgent) -> None:
        if not agent.here:
            return
        agent.on_break = False
        if agent.call is not None:  # promised to them while the break began: that call is the last before it
            agent.break_due_s = _BREATH_S
            return
        self._emit(ev.AgentReadied(at=self._clock.now(), agent_id=agent.day.agent_id))

    def _shift_over(self, agent: SimulatedAgent) -> None:
        if not agent.here:
            return
        if agent.call is None:
            self._log_out(agent)
        else:
            agent.leaving = True
            self._emit(ev.AgentPaused(at=self._clock.now(), agent_id=agent.day.agent_id, reason=_END_OF_SHIFT))

    def _log_out(self, agent: SimulatedAgent) -> None:
        agent.here = agent.on_break = agent.leaving = False
        self._emit(ev.AgentLoggedOut(at=self._clock.now(), agent_id=agent.day.agent_id))


def promise_gain(conversations: Mapping[Conversed, Conversation], skill: float) -> tuple[float, float]:
    """Return the chances that a promise stays one, and that a plain right-party contact becomes one.

    Together they make the promise rate `skill` times what it is, as far as there are plain contacts to win.
    """
    promised = conversations["PTP"].rate or 0.0
    plain = 1.0 - sum(conversations[name].rate or 0.0 for name in RATED)
    won = promised * (skill - 1.0) / plain if plain > 0 else 0.0
    return min(1.0, skill), min(1.0, max(0.0, won))


def _unheard(event: ev.Event) -> None:
    raise RuntimeError(f"expected begin() before anything happens, was {type(event).__name__}")
