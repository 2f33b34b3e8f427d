"""The floor: all agents of a campaign, who is idle the longest, and who is busy since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

import numpy as np

from dialer.core import events as ev
from dialer.core.actions import Bridge
from dialer.core.agent import IDLE, OFFLINE, ON_CALL, PAUSED, RESERVED, WRAP_UP, Agent, AgentState
from dialer.core.live_rows import LiveRows
from pacing.view import NOTHING_KNOWN, Floats

BUSY = frozenset({RESERVED, ON_CALL, WRAP_UP})
# The columns of the busy agents' table.
SINCE, SEGMENT, LEAVES_AT = range(3)
AT_ONCE = 0.0  # as a time of leaving: long past, so right after the call


class Floor:
    """Agents by id, with the skills of each. The order of `_idle` is the order in which they became idle."""

    def __init__(self, agent_ids: Iterable[str], skills: Mapping[str, Iterable[str]] | None = None) -> None:
        self._counts = [0] * len(AgentState)
        self._spent = [0.0] * len(AgentState)
        known = {} if skills is None else {agent_id: frozenset(names) for agent_id, names in skills.items()}
        self.agents = {
            agent_id: Agent(agent_id, self._counts, self._spent, known.get(agent_id, frozenset()))
            for agent_id in agent_ids
        }
        self._counts[OFFLINE] = len(self.agents)
        self._idle: dict[str, Agent] = {}
        # when each busy agent's present call began, its lead's segment, when the agent leaves (infinity: not known)
        self.busy: LiveRows[Agent] = LiveRows(columns=3)
        self._announced: dict[str, Agent] = {}  # those whose leave is known

    @property
    def idle(self) -> int:
        """How many agents are ready."""
        return len(self._idle)

    @property
    def idle_order(self) -> Iterable[str]:
        """The ids of the ready agents, longest idle first."""
        return self._idle.keys()

    def restore_order(self, idle: Iterable[str], busy: Iterable[str]) -> None:
        """Set who is ready, longest idle first, and the rows of the busy ones, after each agent's state was set."""
        self._counts[:] = [0] * len(AgentState)
        for agent in self.agents.values():
            self._counts[agent.state] += 1
        self._idle = {agent_id: self.agents[agent_id] for agent_id in idle}
        self._announced = {agent.agent_id: agent for agent in self.agents.values() if agent.leaves_at is not None}
        for agent in map(self.agents.__getitem__, busy):
            self._occupy(agent, agent.attempt_id or 0, agent.busy_since, agent.segment)
            self._note_leave(agent)

    def get(self, agent_id: str) -> Agent | None:
        """The agent of that id, if the campaign has one."""
        return self.agents.get(agent_id)

    def place(self, agent: Agent) -> int:
        """The agent's place in the campaign's order."""
        return list(self.agents).index(agent.agent_id)

    def at(self, place: int) -> Agent:
        """The agent of that place."""
        return self.agents[list(self.agents)[place]]

    @property
    def on_call(self) -> int:
        """How many agents talk, or are about to."""
        return self._counts[ON_CALL] + self._counts[RESERVED]

    @property
    def wrap_up(self) -> int:
        """How many agents are in wrap-up."""
        return self._counts[WRAP_UP]

    def count(self) -> dict[AgentState, int]:
        """How many agents are in each state."""
        return dict(zip(AgentState, self._counts, strict=True))

    def spent(self, now: float) -> dict[AgentState, float]:
        """Agent-seconds in each state up to `now`; of the time before an agent's first log-in nothing is known."""
        spent = list(self._spent)
        for agent in self.agents.values():
            if agent.since:
                spent[agent.state] += now - agent.since
        return dict(zip(AgentState, spent, strict=True))

    @property
    def spent_before(self) -> tuple[float, ...]:
        """Agent-seconds in states that were left, by state, for a snapshot."""
        return tuple(self._spent)

    def restore_spent(self, spent: Iterable[float]) -> None:
        """Take up a snapshot's."""
        self._spent[:] = spent

    def idle_leaves_at(self, until: float) -> Floats:
        """When idle agents are known to leave, as far as that is before `until`; UTC seconds, in no order."""
        if not self._announced:
            return NOTHING_KNOWN
        known = (agent.leaves_at for agent in self._announced.values() if agent.state is IDLE)
        return np.array([at for at in known if at is not None and at <= until])

    def log_in(self, agent: Agent, at: float) -> None:
        """A leg came up; a second log-in of one who is there changes nothing."""
        if agent.state is OFFLINE:
            agent.move(ev.AgentLoggedIn, at)
            self._settle(agent, at)

    def log_out(self, agent: Agent, at: float) -> int | None:
        """A leg is gone; returns the attempt that had this agent, if any."""
        if agent.state is OFFLINE:
            return None
        attempt_id = agent.attempt_id
        self._free(agent)
        self.announce(agent, None)
        self._idle.pop(agent.agent_id, None)
        agent.logging_out = False
        agent.move(ev.AgentLoggedOut, at)
        return attempt_id

    def pause(self, agent: Agent, reason: str, at: float) -> None:
        """Pause now, or after the call."""
        agent.pause_reason = reason
        if agent.state in BUSY:
            agent.pausing = True
            self._note_leave(agent)
        elif agent.state is not OFFLINE:
            self._idle.pop(agent.agent_id, None)
            agent.move(ev.AgentPaused, at)

    def announce(self, agent: Agent, leaves_at: float | None, reason: str = "") -> None:
        """Note when an agent will leave; None: nothing is known any more."""
        agent.leaves_at, agent.leave_reason = leaves_at, reason
        if leaves_at is None:
            self._announced.pop(agent.agent_id, None)
        else:
            self._announced[agent.agent_id] = agent
        self._note_leave(agent)

    def ready(self, agent: Agent, at: float) -> None:
        """End a pause, or take back the wish for one."""
        if agent.state in BUSY:
            self._stay(agent)
        elif agent.state is PAUSED:
            agent.move(ev.AgentReadied, at)
            self._settle(agent, at)

    def reserve(self, attempt_id: int, at: float, segment: int = 0, skill: str = "") -> Agent | None:
        """Promise an idle agent to an answered call, whose lead is of `segment` in what is learned: the one that
        `take_idle` gives; None where nobody is idle."""
        agent = self.take_idle(skill)
        if agent is not None:
            agent.move(Bridge, at)
            self._occupy(agent, attempt_id, at, segment)
        return agent

    def take_idle(self, skill: str = "") -> Agent | None:
        """Take the agent who has been idle the longest of those with the skill; where none of them is idle, of all: a
        call is never left to wait for a skill. None where nobody is idle."""
        agents = self._idle.values()
        agent = next((agent for agent in agents if skill in agent.skills), None) if skill else None
        if agent is None:
            agent = next(iter(agents), None)
        if agent is not None:
            del self._idle[agent.agent_id]
        return agent

    def take_up(self, agent: Agent, attempt_id: int, at: float, segment: int = 0) -> None:
        """An idle agent turns out to talk in a call of an earlier run."""
        del self._idle[agent.agent_id]
        agent.move(ev.AttemptSurvived, at)
        self._occupy(agent, attempt_id, at, segment)

    def release(self, agent: Agent, trigger: type, at: float) -> None:
        """A reserved agent's call came to nothing (`BridgeFailed` or `AttemptEnded`)."""
        pausing = self._free(agent)
        agent.move(trigger, at)
        self._settle(agent, at, pausing=pausing)

    def wrapped_up(self, agent: Agent, at: float) -> float:
        """The agent is done with a call; returns how long it took, from its reservation."""
        handle_s = at - agent.busy_since
        pausing = self._free(agent)
        agent.move(ev.AttemptDisposed, at)
        self._settle(agent, at, pausing=pausing)
        return handle_s

    def _occupy(self, agent: Agent, attempt_id: int, at: float, segment: int) -> None:
        agent.attempt_id = attempt_id
        agent.busy_since = at
        agent.segment = segment
        leaves_at = agent.leaves_at
        self.busy.add(agent, at, segment, inf if leaves_at is None else leaves_at)

    def _settle(self, agent: Agent, at: float, *, pausing: bool = False) -> None:
        """An agent just became idle: queue up, or pause if that was asked for."""
        if pausing:
            agent.move(ev.AgentPaused, at)
        else:
            self._idle[agent.agent_id] = agent

    def _free(self, agent: Agent) -> bool:
        """Take the agent off its call; returns whether a pause was asked for."""
        self.busy.remove(agent)
        agent.attempt_id = None
        pausing = agent.pausing
        self._stay(agent)
        return pausing

    def _stay(self, agent: Agent) -> None:
        """Forget the wish for a pause."""
        if agent.pausing:
            agent.pausing = False
            self._note_leave(agent)

    def _note_leave(self, agent: Agent) -> None:
        """Show in a busy agent's row when they leave."""
        if agent.row >= 0:
            known = AT_ONCE if agent.pausing else agent.leaves_at
            self.busy.column(LEAVES_AT)[agent.row] = inf if known is None else known
