"""Agents' legs: which of the switch's channels is whose telephone. Pure: messages in, events and orders out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from dialer.adapters.asterisk.translate import (
    AGENT_EVENT,
    AGENTS_CONTEXT,
    AGENTS_EXTENSION,
    HangUpChannel,
    Message,
    Order,
    endpoint_of,
    is_safe,
)
from dialer.config.campaign import Agent
from dialer.core.events import AgentKeyed, AgentLoggedIn, AgentLoggedOut, Event

_KEYS = frozenset("0123456789*#ABCD")


class Leg(NamedTuple):
    """An agent's channel: its unique id, as events have it, and its name."""

    channel: str
    name: str


class AgentLegs:
    """Who is logged in, on which leg. Telephones of other campaigns are none of its business."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._by_endpoint = {agent.endpoint or agent.id: agent.id for agent in agents}
        self._legs: dict[str, Leg] = {}  # agent -> leg
        self._agents: dict[str, str] = {}  # leg's id -> agent
        self._unready: set[str] = set()  # legs found in a call of somebody else's: logged in when it is over
        self._leaving: set[str] = set()  # legs that were ordered to be hung up

    def leg(self, agent_id: str) -> Leg | None:
        """The leg of a logged-in agent."""
        return self._legs.get(agent_id)

    def agent_of(self, leg: str) -> str:
        """The agent whose leg has this unique id; empty for any other channel."""
        return self._agents.get(leg, "")

    def logging_out(self, agent_id: str) -> Order | None:
        """Note that an agent is being logged out; returns the order for it, None for one who is not there."""
        leg = self._legs.get(agent_id)
        if leg is None:
            return None
        self._leaving.add(leg.channel)  # while the link is down, the next listing hangs it up
        return HangUpChannel(leg.channel)

    def hear(self, message: Message, at: float) -> list[Event | Order]:
        """Take in one message of the switch."""
        leg = message.get("Uniqueid", "")
        match message.get("Event"):
            case "UserEvent" if message.get("UserEvent") == AGENT_EVENT:
                found = Leg(leg, message.get("Channel", ""))
                return self._log_in(message.get("Endpoint", ""), found, at, in_call=False)
            case "Hangup":
                return self._log_out(leg, at)
            case "BridgeLeave" if leg in self._unready:
                self._unready.discard(leg)
                return [AgentLoggedIn(at=at, agent_id=self._agents[leg])]
            case "DTMFEnd" if leg in self._agents and message.get("Direction") == "Received":
                key = message.get("Digit", "")
                return [AgentKeyed(at=at, agent_id=self._agents[leg], key=key)] if key in _KEYS else []
        return []

    def reconcile(
        self, channels: Sequence[Message], at: float, own_bridges: Collection[str] = ()
    ) -> list[Event | Order]:
        """Take in the list of all live channels, after a gap in the messages.

        A leg in one of `own_bridges` talks in a call of this campaign and is logged in; one in another bridge only when
        that call is over.
        """
        found: list[Event | Order] = []
        listed = {channel.get("Uniqueid", "") for channel in channels}
        for leg in [leg for leg in self._agents if leg not in listed]:
            found += self._log_out(leg, at)
        for channel in channels:
            if channel.get("Context") != AGENTS_CONTEXT or channel.get("Exten") != AGENTS_EXTENSION:
                continue
            leg, bridge = channel.get("Uniqueid", ""), channel.get("BridgeId", "")
            in_call = bool(bridge) and bridge not in own_bridges
            if leg in self._leaving:
                found.append(HangUpChannel(leg))
            if leg in self._unready and not in_call:
                self._unready.discard(leg)
                found.append(AgentLoggedIn(at=at, agent_id=self._agents[leg]))
            name = channel.get("Channel", "")
            found += self._log_in(endpoint_of(name), Leg(leg, name), at, in_call=in_call)
        return found

    def _log_in(self, endpoint: str, leg: Leg, at: float, *, in_call: bool) -> list[Event | Order]:
        """The newer of two legs of one agent wins: the older may be a telephone that lost its network."""
        agent_id = self._by_endpoint.get(endpoint)
        if agent_id is None or not leg.channel or leg.channel in self._agents:
            return []
        if not is_safe(leg.channel) or not is_safe(leg.name):
            return []  # no order about it could ever be given
        found: list[Event | Order] = []
        older = self._legs.get(agent_id)
        if older is not None:
            found += [*self._log_out(older.channel, at), HangUpChannel(older.channel)]
        self._legs[agent_id] = leg
        self._agents[leg.channel] = agent_id
        if in_call:
            self._unready.add(leg.channel)
        else:
            found.append(AgentLoggedIn(at=at, agent_id=agent_id))
        return found

    def _log_out(self, leg: str, at: float) -> list[Event | Order]:
        agent_id = self._agents.pop(leg, None)
        if agent_id is None:
            return []
        del self._legs[agent_id]
        self._leaving.discard(leg)
        if leg in self._unready:
            self._unready.discard(leg)
            return []
        return [AgentLoggedOut(at=at, agent_id=agent_id)]
