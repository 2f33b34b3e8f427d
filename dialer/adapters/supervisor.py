"""Carries out what people order of a running campaign, and writes each order down. All surfaces order through here."""

from __future__ import annotations

import os
from typing import Any, Protocol, assert_never

import structlog

from compliance.ruleset import EVERYTHING
from dialer.adapters import control_messages as msg
from dialer.adapters.audit import AuditLog, Person, Value
from dialer.config.campaign import Campaign
from dialer.config.leave_time import leave_time
from dialer.config.live_pacing import LIVE_KEYS, changed_pacing
from dialer.config.names import meant
from dialer.core import events as ev
from dialer.core.agent import Agent, AgentState
from dialer.errors import ConfigError, StoreError
from dialer.ports import Clock
from dialer.runtime import Runtime

EMERGENCY = "emergency"


class StopStore(Protocol):
    """The one thing of the store that an emergency needs."""

    async def stop(self, key: str, reason: str) -> None: ...


class Supervisor:
    """The orders of one campaign. Facts go to its runtime; the engine decides what they mean."""

    def __init__(
        self, runtime: Runtime, campaign: Campaign, *, clock: Clock, store: StopStore, audit: AuditLog
    ) -> None:
        self._runtime = runtime
        self._in_force = campaign
        self._clock = clock
        self._store = store
        self._audit = audit
        self._names = {agent.id: agent.name for agent in campaign.agents}

    async def carry_out(self, request: msg.AnyRequest, who: Person) -> msg.AnyAnswer:
        """Answer a question, or give an order and write it down. An order that cannot be recorded is still given."""
        now = self._clock.now()
        match request:
            case msg.GetStatus():
                return msg.Status(pid=os.getpid(), status=self._runtime.engine.status())
            case msg.ListAgents():
                return self._agents(now)
            case msg.GetRouting():
                standing = self._runtime.engine.routing_standing(now)
                return msg.Routing(campaign=self._in_force.campaign, standing=standing)
            case msg.Pause():
                return self._order(ev.LaunchingPaused(at=now, by=who.name), "pause", who)
            case msg.Resume():
                if self._runtime.engine.status().draining:
                    return msg.Refused(reasons=("it drains: start it again when it has ended",))
                return self._order(ev.LaunchingResumed(at=now, by=who.name), "resume", who)
            case msg.Drain():
                return self._order(ev.DrainOrdered(at=now, by=who.name), "drain", who)
            case msg.StopNow():
                return await self._stop(request, now, who)
            case msg.SetPacing():
                return self._set_pacing(request.changes, now, who)
            case msg.PauseAgent():
                fact = ev.AgentPaused(at=now, agent_id=request.agent_id, reason=request.reason)
                return self._order_agent(request.agent_id, fact, "agents pause", who)
            case msg.AnnounceLeave():
                return self._announce_leave(request, now, who)
            case msg.ResumeAgent():
                return self._order_agent(
                    request.agent_id, ev.AgentReadied(at=now, agent_id=request.agent_id), "agents resume", who
                )
            case msg.LogOutAgent():
                order = ev.AgentLogoutOrdered(at=now, agent_id=request.agent_id, by=who.name)
                return self._order_agent(request.agent_id, order, "agents logout", who)
            case _:
                assert_never(request)

    # ---- orders -----------------------------------------------------------------------------------------------
    def _order(self, fact: ev.Event, what: str, who: Person) -> msg.Done:
        self._runtime.emit(fact)
        self._write(who, what)
        return msg.Done(what=what)

    async def _stop(self, request: msg.StopNow, now: float, who: Person) -> msg.AnyAnswer:
        """Hang up first: that needs nobody else. The store may be what is on fire."""
        what = "stop --all --now" if request.everywhere else "stop --now"
        done = self._order(ev.StopOrdered(at=now, by=who.name), what, who)
        if not request.everywhere:
            return done
        try:
            await self._store.stop(EVERYTHING, EMERGENCY)
        except StoreError as error:
            return msg.Refused(
                reasons=(f"the campaign hangs up, but the store does not know: {error}",), mendable=False
            )
        return msg.Done(what=what, stored=True)

    def _set_pacing(self, changes: dict[str, str], now: float, who: Person) -> msg.AnyAnswer:
        before = self._in_force
        old: dict[str, Value] = {key: getattr(before, key) for key in changes if key in LIVE_KEYS}
        try:
            after = changed_pacing(before, changes)
        except ConfigError as error:
            self._write(who, "set", old=old, new=dict(changes), refused=str(error))
            return msg.Refused(reasons=error.faults)
        self._in_force = after
        new: dict[str, Any] = {key: getattr(after, key) for key in changes}
        self._runtime.emit(ev.PacingChanged(at=now, by=who.name, **new))
        self._write(who, "set", old=old, new=new)
        return msg.Done(
            what="set",
            changes=tuple(msg.Change(key=key, old=getattr(before, key), new=getattr(after, key)) for key in changes),
        )

    def _order_agent(self, agent_id: str, fact: ev.Event, what: str, who: Person, **said: Value) -> msg.AnyAnswer:
        agent = self._runtime.engine.floor.get(agent_id)
        if agent is None:
            refused = f"agent {agent_id}: unknown: {meant(agent_id, list(self._names))}"
        else:
            refused = _against(agent, fact)
        if refused:
            self._write(who, what, new={"agent": agent_id, **said}, refused=refused)
            return msg.Refused(reasons=(refused,), mendable=agent is None)
        self._runtime.emit(fact)
        self._write(who, what, new={"agent": agent_id, **said})
        return msg.Done(what=f"{what} {agent_id}")

    def _announce_leave(self, request: msg.AnnounceLeave, now: float, who: Person) -> msg.AnyAnswer:
        try:
            leaves_at = leave_time(request.when, now)
        except ConfigError as error:
            return msg.Refused(reasons=error.faults)
        fact = ev.AgentLeaveAnnounced(at=now, agent_id=request.agent_id, leaves_at=leaves_at, reason=request.reason)
        return self._order_agent(request.agent_id, fact, "agents leave", who, when=request.when)

    # ---- answers ----------------------------------------------------------------------------------------------
    def _agents(self, now: float) -> msg.Agents:
        rows = []
        for agent_id, agent in self._runtime.engine.floor.agents.items():
            offline = agent.state is AgentState.OFFLINE
            rows.append(
                msg.AgentRow(
                    agent_id=agent_id,
                    name=self._names.get(agent_id, ""),
                    state=agent.state.name.lower(),
                    since_s=None if offline else max(0.0, now - agent.since),
                    attempt_id=agent.attempt_id,
                    leaves_in_s=None if agent.leaves_at is None else max(0.0, agent.leaves_at - now),
                    pause_reason=agent.pause_reason if agent.pausing or agent.state is AgentState.PAUSED else "",
                )
            )
        return msg.Agents(agents=tuple(rows))

    def _write(
        self,
        who: Person,
        what: str,
        *,
        old: dict[str, Value] | None = None,
        new: dict[str, Value] | None = None,
        refused: str = "",
    ) -> None:
        try:
            self._audit.write(who, self._in_force.campaign, what, old=old, new=new, refused=refused)
        except OSError as error:  # a full disk must not keep anybody from stopping a campaign
            structlog.get_logger().error("audit.unwritten", what=what, who=who.name, error=str(error))


def _against(agent: Agent, fact: ev.Event) -> str:
    """Why an agent cannot be told this now; empty if nothing is against it."""
    if agent.state is AgentState.OFFLINE:
        return f"agent {agent.agent_id}: expected to be logged in, is offline"
    if isinstance(fact, ev.AgentReadied):
        if agent.state is AgentState.WRAP_UP:  # it would cut the wrap-up short
            return f"agent {agent.agent_id}: wraps up a call: resume when the pause has begun"
        if agent.state is not AgentState.PAUSED and not agent.pausing:
            return f"agent {agent.agent_id}: expected a pause to end, found none"
    return ""
