"""What agents and supervisors do to agents: legs, pauses, keys, dispositions."""

from __future__ import annotations

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import OFFLINE, ON_CALL, WRAP_UP, Agent
from dialer.core.attempt import BRIDGING, DISPOSING
from dialer.core.calls import Calls
from dialer.core.disposition import AGENT_DISPOSITIONS, STOPPING, Disposition
from dialer.core.launching import Launching
from dialer.core.pacers import Pacers
from dialer.core.settling import Settling
from dialer.core.state import CampaignState
from dialer.core.timers import LEAVE

_KEYED = AGENT_DISPOSITIONS | {Disposition.MACHINE}


class Agents:
    """Handles what happens to agents."""

    def __init__(
        self, state: CampaignState, pacers: Pacers, launching: Launching, settling: Settling, calls: Calls
    ) -> None:
        self._state = state
        self._pacers = pacers
        self._launching = launching
        self._settling = settling
        self._calls = calls

    def logged_in(self, event: ev.AgentLoggedIn) -> None:
        agent = self._state.floor.get(event.agent_id)
        if agent is not None:
            self._state.floor.log_in(agent, event.at)
            self._agent_free(event)

    def logged_out(self, event: ev.AgentLoggedOut) -> None:
        agent = self._state.floor.get(event.agent_id)
        if agent is None:
            return
        attempt = self._state.attempts.get(self._state.floor.log_out(agent, event.at) or -1)
        if attempt is not None:
            if attempt.state is BRIDGING:
                self._calls.back_to_waiting(attempt)
            elif attempt.state is DISPOSING:
                self._settling.close(attempt, attempt.disposition or Disposition.UNDISPOSED)
        self._launching.ask("AgentLoggedOut")

    def paused(self, event: ev.AgentPaused) -> None:
        agent = self._state.floor.get(event.agent_id)
        if agent is not None:
            self._state.floor.pause(agent, event.reason, event.at)
            self._launching.ask("AgentPaused")

    def leave_announced(self, event: ev.AgentLeaveAnnounced) -> None:
        """Keep the time of one who is there; a time that has passed is a pause now."""
        state = self._state
        agent = state.floor.get(event.agent_id)
        if agent is None or agent.state is OFFLINE:
            return
        state.floor.announce(agent, event.leaves_at, event.reason)
        place = state.floor.place(agent)
        if event.leaves_at is not None and event.leaves_at > state.now:
            state.timers.set(event.leaves_at, LEAVE, place)
        else:
            self.leave_due(place)
        self._launching.ask("AgentLeaveAnnounced")

    def leave_due(self, place: int) -> None:
        """The announced time has come, if it is still the one that was announced: pause now, or after the call."""
        agent = self._state.floor.at(place)
        if agent.leaves_at is None or agent.leaves_at > self._state.now:
            return
        reason = agent.leave_reason
        self._state.floor.announce(agent, None)
        self.paused(ev.AgentPaused(at=self._state.now, agent_id=agent.agent_id, reason=reason))

    def readied(self, event: ev.AgentReadied) -> None:
        agent = self._state.floor.get(event.agent_id)
        if agent is None:
            return
        self._state.floor.ready(agent, event.at)  # in a call, this takes back the wish for a pause
        if agent.state is WRAP_UP:
            self.end_wrap_up(agent)
        self._agent_free(event)

    def keyed(self, event: ev.AgentKeyed) -> None:
        """A key means what the campaign's table says; a key without a meaning now is ignored."""
        meaning = self._state.campaign.keys.get(event.key)
        agent = self._state.floor.get(event.agent_id)
        if meaning is None or agent is None:
            return
        if meaning.pause is not None:
            self.paused(ev.AgentPaused(at=event.at, agent_id=event.agent_id, reason=meaning.pause))
        elif meaning.ready:
            self.readied(ev.AgentReadied(at=event.at, agent_id=event.agent_id))
        elif meaning.disposition is not None:
            self._dispose(agent, meaning.disposition, ends_wrap_up=True)

    def disposed(self, event: ev.AttemptDisposed) -> None:
        agent = self._state.floor.get(event.agent_id)
        if agent is not None and agent.attempt_id == event.attempt_id:
            self._dispose(agent, event.disposition, ends_wrap_up=event.ends_wrap_up)

    def _dispose(self, agent: Agent, disposition: str, *, ends_wrap_up: bool) -> None:
        if agent.state not in (ON_CALL, WRAP_UP) or disposition not in _KEYED:
            return
        attempt = self._state.attempts.get(agent.attempt_id or -1)
        if attempt is not None and attempt.disposition != disposition:
            attempt.disposition = disposition
            if (reason := STOPPING.get(disposition)) is not None:
                # Not one call more, also while the agent still wraps up. A later key does not take it back.
                keys = attempt.own_stop_keys(disposition)
                self._state.out.append(act.Stop(keys=keys, reason=reason))
                self._settling.stop(keys, reason)
        if agent.state is WRAP_UP and ends_wrap_up:
            self.end_wrap_up(agent)

    def logout_ordered(self, event: ev.AgentLogoutOrdered) -> None:
        """Hang up the agent's leg now, or after the call."""
        agent = self._state.floor.get(event.agent_id)
        if agent is None or agent.state is OFFLINE:
            return
        busy = agent.attempt_id is not None
        self._state.floor.pause(agent, f"logged out by {event.by}", event.at)
        agent.logging_out = True
        if not busy:
            self._state.out.append(act.LogOut(agent_id=agent.agent_id))

    def end_wrap_up(self, agent: Agent) -> None:
        state = self._state
        attempt, segment = state.attempts.get(agent.attempt_id or -1), agent.segment
        handle_s = state.floor.wrapped_up(agent, state.now)
        if attempt is None or not attempt.survived:  # nobody here knows when a survivor's call began
            self._pacers.handled(handle_s=handle_s, segment=segment)
            state.counters.handle_s += handle_s
            state.counters.handled += 1
        if attempt is not None:
            self._settling.close(attempt, attempt.disposition or Disposition.UNDISPOSED)
        if agent.logging_out:
            state.out.append(act.LogOut(agent_id=agent.agent_id))
        self._calls.match()
        self._launching.ask("AttemptDisposed")

    def _agent_free(self, event: ev.Event) -> None:
        self._calls.match()
        self._launching.ask(type(event).__name__)
        self._launching.start_ticking()
