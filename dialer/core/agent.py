"""One agent: from log-in to log-out. `AGENT_TRANSITIONS` is the whole state machine."""

from __future__ import annotations

from enum import IntEnum

from dialer.core import events as ev
from dialer.core.actions import Bridge
from dialer.errors import IllegalTransition


class AgentState(IntEnum):
    """What an agent does now."""

    OFFLINE = 0
    PAUSED = 1
    IDLE = 2
    RESERVED = 3  # promised to an answered call, the bridge is under way
    ON_CALL = 4
    WRAP_UP = 5


# Looking a member up in its class costs more than all else in a short method (Python 3.11): bound once.
OFFLINE, PAUSED, IDLE, RESERVED, ON_CALL, WRAP_UP = AgentState
S = AgentState

AGENT_TRANSITIONS: dict[AgentState, dict[type, AgentState]] = {
    S.OFFLINE: {ev.AgentLoggedIn: S.IDLE},
    S.PAUSED: {ev.AgentReadied: S.IDLE, ev.AgentPaused: S.PAUSED, ev.AgentLoggedOut: S.OFFLINE},
    S.IDLE: {
        Bridge: S.RESERVED,
        ev.AttemptSurvived: S.ON_CALL,
        ev.AgentPaused: S.PAUSED,
        ev.AgentLoggedOut: S.OFFLINE,
    },
    S.RESERVED: {
        ev.AttemptBridged: S.ON_CALL,
        ev.BridgeFailed: S.IDLE,
        ev.AttemptEnded: S.IDLE,
        ev.AgentLoggedOut: S.OFFLINE,
    },
    S.ON_CALL: {ev.AttemptEnded: S.WRAP_UP, ev.AgentLoggedOut: S.OFFLINE},
    S.WRAP_UP: {ev.AttemptDisposed: S.IDLE, ev.AgentLoggedOut: S.OFFLINE},
}


class Agent:
    """A logged-in or known agent. Mutable, private to the engine."""

    __slots__ = (
        "agent_id",
        "attempt_id",
        "busy_since",
        "counts",
        "leave_reason",
        "leaves_at",
        "logging_out",
        "pause_reason",
        "pausing",
        "row",
        "segment",
        "since",
        "skills",
        "spent",
        "state",
    )

    def __init__(
        self,
        agent_id: str,
        counts: list[int] | None = None,
        spent: list[float] | None = None,
        skills: frozenset[str] = frozenset(),
    ) -> None:
        self.agent_id = agent_id
        self.skills = skills  # as the campaign names them
        self.counts = [0] * len(AgentState) if counts is None else counts  # the floor's, by state
        self.spent = [0.0] * len(AgentState) if spent is None else spent  # seconds in states that were left, likewise
        self.state = S.OFFLINE
        self.since = 0.0  # when the present state began
        self.attempt_id: int | None = None  # the call reserved, talked on or wrapped up
        self.busy_since = 0.0  # when the agent was reserved for it
        self.segment = 0  # of the lead of that call
        self.row = -1  # in the engine's table of busy agents; -1: not there
        self.pausing = False  # asked to pause after the call
        self.pause_reason = ""
        self.leaves_at: float | None = (
            None  # as announced: a pause begins then, or after the call; None: nothing is known
        )
        self.leave_reason = ""
        self.logging_out = False  # a supervisor wants the leg hung up after the call

    def move(self, trigger: type, at: float) -> None:
        """Make the table's move. Raises `IllegalTransition` where it has none."""
        try:
            after = AGENT_TRANSITIONS[self.state][trigger]
        except KeyError:
            raise IllegalTransition(
                f"agent {self.agent_id}: expected a move for {trigger.__name__}, found none from {self.state.name}"
            ) from None
        self.counts[self.state] -= 1
        self.counts[after] += 1
        if self.since:
            self.spent[self.state] += at - self.since
        self.state = after
        self.since = at
