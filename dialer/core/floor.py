"""The floor: all agents of a campaign, who is idle the longest, and who is busy since when."""

from __future__ import annotations

from collections.abc import Iterable

from dialer.core import events as ev
from dialer.core.actions import Bridge
from dialer.core.agent import OFFLINE, ON_CALL, PAUSED, RESERVED, WRAP_UP, Agent, AgentState
from dialer.core.live_rows import LiveRows

BUSY = frozenset({RESERVED, ON_CALL, WRAP_UP})


class Floor:
    """Agents by id. The order of `_idle` is the order in which they became idle."""

    def __init__(self, agent_ids: Iterable[str]) -> None:
        self._counts = [0] * len(AgentState)
        self._spent = [0.0] * len(AgentState)
        self.agents = {agent_id: Agent(agent_id, self._counts, self._spent) for agent_id in agent_ids}
        self._counts[OFFLINE] = len(self.agents)
        self._idle: dict[str, Agent] = {}
        self.busy: LiveRows[Agent] = LiveRows(columns=1)  # when each busy agent's present call began
        self.leaving = 0  # busy agents who will pause after their call

    @property
    def idle(self) -> int:
        """How many agents are ready."""
        return len(self._idle)

    @property
    def idle_order(self) -> Iterable[str]:
        """The ids of the ready agents, longest idle first."""
        return self._idle.keys()

    def restore_order(self, idle: Iterable[str]) -> None:
        """Set who is ready, longest idle first, after each agent's state was set."""
        self._counts[:] = [0] * len(AgentState)
        for agent in self.agents.values():
            self._counts[agent.state] += 1
        self._idle = {agent_id: self.agents[agent_id] for agent_id in idle}

    def get(self, agent_id: str) -> Agent | None:
        """The agent of that id, if the campaign has one."""
        return self.agents.get(agent_id)

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
        self._idle.pop(agent.agent_id, None)
        agent.logging_out = False
        agent.move(ev.AgentLoggedOut, at)
        return attempt_id

    def pause(self, agent: Agent, reason: str, at: float) -> None:
        """Pause now, or after the call."""
        agent.pause_reason = reason
        if agent.state in BUSY:
            if not agent.pausing:
                agent.pausing = True
                self.leaving += 1
        elif agent.state is not OFFLINE:
            self._idle.pop(agent.agent_id, None)
            agent.move(ev.AgentPaused, at)

    def ready(self, agent: Agent, at: float) -> None:
        """End a pause, or take back the wish for one."""
        if agent.state in BUSY:
            self._stay(agent)
        elif agent.state is PAUSED:
            agent.move(ev.AgentReadied, at)
            self._settle(agent, at)

    def reserve(self, attempt_id: int, at: float) -> Agent | None:
        """Promise the longest-idle agent to an answered call; None where nobody is idle."""
        agent = next(iter(self._idle.values()), None)
        if agent is None:
            return None
        del self._idle[agent.agent_id]
        agent.move(Bridge, at)
        agent.attempt_id = attempt_id
        agent.busy_since = at
        self.busy.add(agent, at)
        return agent

    def take_up(self, agent: Agent, attempt_id: int, at: float) -> None:
        """An idle agent turns out to talk in a call of an earlier run."""
        del self._idle[agent.agent_id]
        agent.move(ev.AttemptSurvived, at)
        agent.attempt_id = attempt_id
        agent.busy_since = at
        self.busy.add(agent, at)

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
            self.leaving -= 1
