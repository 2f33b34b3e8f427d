"""The people of a recorded day, who answer as they did on it, whatever the dialer now decides.

How it works: each lead's n-th call of the record fixes what its n-th call comes to in a re-run. What the record cannot
know is completed from another `Fates`, as a calibrated scenario has: calls beyond the record, calls over another trunk
than the one that failed, and whatever was cut off that day (a ringing that we ended, a person who got no agent). A
person who got no agent then gets the conversation of another person of the same day, drawn once for that call.
"""

from __future__ import annotations

import msgspec

from carriers.causes import CallEnd, read_end
from dialer.core import events as ev
from dialer.core.disposition import Disposition
from dialer.core.lead import Lead
from dialer.core.placed_calls import CallHistory, PlacedCall, Steps
from sim.distributions import Distribution
from sim.floor import AgentDay, Break
from sim.outcome import End, Fates, Outcome
from sim.streams import Stream

_ENDS: dict[CallEnd, End] = {
    CallEnd.NO_ANSWER: "no_answer",
    CallEnd.BUSY: "busy",
    CallEnd.REJECTED: "busy",
    CallEnd.INVALID_NUMBER: "invalid",
    CallEnd.CONGESTION: "failed",
    CallEnd.FAILED: "failed",
    CallEnd.UNKNOWN: "failed",
}
_BEYOND_LIMIT_S = 1.0
_NO_REPORT = frozenset({None, "", Disposition.UNDISPOSED, Disposition.UNKNOWN, Disposition.ABANDONED})


class AgentChange(msgspec.Struct, frozen=True, kw_only=True):
    """An agent came, went, asked for a pause or ended one."""

    at: float  # UTC seconds
    agent_id: str
    kind: str  # log_in | log_out | pause | ready
    reason: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's steps say of its people and its agents."""

    leads: tuple[Lead, ...]  # in the order of the list: a lead's place is its `subject`
    calls: tuple[PlacedCall, ...]  # in the order in which they were placed
    agents: tuple[AgentChange, ...]  # in order of time
    began_at: float  # UTC seconds, the first and the last event
    ended_at: float


def read_record(steps: Steps) -> Record:
    """Read a run's events and actions, as a journal has them, to the end. Raises `ValueError` for a run without any."""
    leads: dict[str, Lead] = {}
    history = CallHistory()
    agents = _Floor()
    began_at: float | None = None
    ended_at = 0.0
    for event, actions in steps:
        began_at = event.at if began_at is None else began_at
        ended_at = event.at
        if isinstance(event, ev.LeadsAdded):
            for lead in event.leads:
                leads.setdefault(lead.lead_id, lead)
        agents.step(event)
        history.step(event, actions)
    if began_at is None:
        raise ValueError("expected a run with events, was empty")
    return Record(
        leads=tuple(leads.values()),
        calls=tuple(history.calls),
        agents=tuple(agents.changes),
        began_at=began_at,
        ended_at=ended_at,
    )


def recorded_agents(steps: Steps) -> tuple[AgentChange, ...]:
    """Return when agents came, went and paused, in order of time."""
    agents = _Floor()
    for event, _ in steps:
        agents.step(event)
    return tuple(agents.changes)


def agent_days_of(record: Record) -> tuple[AgentDay, ...]:
    """Return the agents' days as they were, for `World(days=...)`; time logged out between two log-ins is a break.

    Talk and wrap-up keep the length that they had, whoever takes the call: every agent counts as of usual speed.
    """
    by_agent: dict[str, list[AgentChange]] = {}
    for change in record.agents:
        by_agent.setdefault(change.agent_id, []).append(change)
    return tuple(_day_of(agent_id, changes) for agent_id, changes in by_agent.items())


def _day_of(agent_id: str, changes: list[AgentChange]) -> AgentDay:
    breaks: list[Break] = []
    away_at: float | None = None
    reason = ""
    for change in changes:
        if change.kind in ("pause", "log_out"):
            if away_at is None:
                away_at, reason = change.at, change.reason or "break"
        elif away_at is not None:
            breaks.append(Break(at=away_at, length_s=change.at - away_at, reason=reason))
            away_at = None
    return AgentDay(agent_id=agent_id, log_in_at=changes[0].at, log_out_at=away_at, breaks=tuple(breaks))


class _Floor:
    """Follows the agents. A readiness that only ends a wrap-up is no change."""

    def __init__(self) -> None:
        self.changes: list[AgentChange] = []
        self._paused: set[str] = set()
        self._here: set[str] = set()
        self._announced: dict[str, tuple[float, str]] = {}  # when an agent leaves, and why

    def step(self, event: ev.Event) -> None:
        self._begin_leaves(event.at)
        match event:
            case ev.AgentLoggedIn(agent_id=agent_id) if agent_id not in self._here:
                self._here.add(agent_id)
                self._note(event.at, agent_id, "log_in")
            case ev.AgentLoggedOut(agent_id=agent_id) if agent_id in self._here:
                self._here.discard(agent_id)
                self._paused.discard(agent_id)
                self._announced.pop(agent_id, None)
                self._note(event.at, agent_id, "log_out")
            case ev.AgentPaused(agent_id=agent_id, reason=reason) if agent_id not in self._paused:
                self._paused.add(agent_id)
                self._note(event.at, agent_id, "pause", reason)
            case ev.AgentLeaveAnnounced(agent_id=agent_id, leaves_at=leaves_at, reason=reason):
                self._announced.pop(agent_id, None)
                if leaves_at is not None:
                    self._announced[agent_id] = (max(leaves_at, event.at), reason)
            case ev.AgentReadied(agent_id=agent_id) if agent_id in self._paused:
                self._paused.discard(agent_id)
                self._note(event.at, agent_id, "ready")

    def _begin_leaves(self, now: float) -> None:
        """An announced leave begins at its time, and no event says so."""
        if not self._announced:
            return
        for agent_id, (leaves_at, reason) in list(self._announced.items()):
            if leaves_at <= now:
                del self._announced[agent_id]
                if agent_id in self._here and agent_id not in self._paused:
                    self._paused.add(agent_id)
                    self._note(leaves_at, agent_id, "pause", reason)

    def _note(self, at: float, agent_id: str, kind: str, reason: str = "") -> None:
        self.changes.append(AgentChange(at=at, agent_id=agent_id, kind=kind, reason=reason))


class RecordedFates:
    """`Fates` of a recorded day. Equal arguments give equal answers as far as `fallback` does."""

    def __init__(self, record: Record, fallback: Fates, *, seed: int, patience_s: Distribution | None = None) -> None:
        """`fallback` knows the calls beyond the record. `patience_s` is how long a person waits who was not kept
        waiting long enough to tell; None: for ever."""
        self._fallback = fallback
        self._patience_s = patience_s
        self._numbers = tuple(tuple(number.e164 for number in lead.numbers) for lead in record.leads)
        subjects = {lead.lead_id: subject for subject, lead in enumerate(record.leads)}
        self._calls: dict[int, list[PlacedCall]] = {}
        for call in record.calls:
            if call.lead_id in subjects:
                self._calls.setdefault(subjects[call.lead_id], []).append(call)
        self._dead = {call.number for call in record.calls if _end_of(call) == "invalid"}
        self._people = [call for call in record.calls if _reported(call) and not _is_machine(call)]
        self._machines = [call for call in record.calls if _reported(call) and _is_machine(call)]
        self._donor = Stream(seed, "recorded donor")
        self._patience = Stream(seed, "recorded patience")

    def outcome(self, *, subject: int, draw: int, number_index: int, trunk: str, at: float) -> Outcome:
        """How the lead's call number `draw` turns out."""
        # Asked always and once a call, for it may keep account of the calls that a person has had.
        otherwise = self._fallback.outcome(subject=subject, draw=draw, number_index=number_index, trunk=trunk, at=at)
        calls = self._calls.get(subject, ())
        number = self._numbers[subject][number_index]
        if draw >= len(calls):
            return _invalid(otherwise) if number in self._dead else otherwise
        call = calls[draw]
        end = _end_of(call)
        if end is None or call.lost:
            return otherwise
        if call.number != number:
            if number in self._dead:
                return _invalid(otherwise)
            if end == "invalid":
                return otherwise
        if end == "failed" and call.trunk != trunk:
            return otherwise
        if end == "answered":
            return self._answered(call, otherwise, subject, draw)
        return _unanswered(call, end, otherwise)

    def _answered(self, call: PlacedCall, otherwise: Outcome, subject: int, draw: int) -> Outcome:
        assert call.answered_at is not None
        human = not _is_machine(call)
        talk_s, disposition, wrap_up_s = self._conversation(call, human, otherwise, subject, draw)
        rang_at = call.rang_at if call.rang_at is not None else call.answered_at
        return Outcome(
            end="answered",
            set_up_s=rang_at - call.placed_at,
            rings_s=call.answered_at - rang_at,
            human=human,
            screening_s=otherwise.screening_s if call.screened_at is None else call.screened_at - call.answered_at,
            verdict=call.verdict or ("human" if human else otherwise.verdict),
            patience_s=self._patience_of(call, subject, draw) if human else None,
            talk_s=talk_s,
            disposition=disposition,
            wrap_up_s=wrap_up_s,
        )

    def _conversation(
        self, call: PlacedCall, human: bool, otherwise: Outcome, subject: int, draw: int
    ) -> tuple[float, str, float]:
        """Return talk, disposition and wrap-up: the call's own where it has them, else those of another call of the day
        drawn once for this one, else those of `otherwise`."""
        if _reported(call):
            return _talk_s(call), call.disposition or "", _wrap_up_s(call)
        pool = self._people if human else self._machines
        if pool:
            donor = pool[int(self._donor.uniform(subject, draw) * len(pool))]
            talk_s, disposition, wrap_up_s = _talk_s(donor), donor.disposition or "", _wrap_up_s(donor)
        else:
            same = otherwise.end == "answered" and otherwise.human is human
            usual = Disposition.RPC if human else Disposition.MACHINE
            talk_s, wrap_up_s = otherwise.talk_s, otherwise.wrap_up_s
            disposition = (otherwise.disposition if same else "") or usual.value
        if call.bridged_at is not None and call.ended_at is not None:
            talk_s = _talk_s(call)
            if call.disposed_at is not None:  # the limit ended the wrap-up: it would have been longer
                wrap_up_s = max(wrap_up_s, _wrap_up_s(call) + _BEYOND_LIMIT_S)
        return talk_s, disposition, wrap_up_s

    def _patience_of(self, call: PlacedCall, subject: int, draw: int) -> float | None:
        """A person who hung up on silence shows it; of others only that it was longer than their wait."""
        assert call.answered_at is not None
        if call.bridged_at is None and call.ended_at is not None and call.hung_up_at is None:
            return call.ended_at - call.answered_at
        if self._patience_s is None:
            return None
        waited = (call.bridged_at or call.ended_at or call.answered_at) - call.answered_at
        return max(waited, self._patience_s.quantile(self._patience.uniform(subject, draw)))


def _end_of(call: PlacedCall) -> End | None:
    """Say how a call ended; None where the record stops before."""
    if call.answered_at is not None:
        return "answered"
    if call.ended_at is None:
        return None
    if _cut_off(call):
        return "no_answer"
    return _ENDS[read_end(call.cause, call.sip_code, rang=call.rang_at is not None, answered=False)]


def _cut_off(call: PlacedCall) -> bool:
    """Whether it was we who ended an unanswered call: by an order, or by the time-out, which comes back as 480."""
    assert call.ended_at is not None
    return call.hung_up_at is not None or call.ended_at - call.placed_at >= call.ring_timeout_s - 0.05


def _unanswered(call: PlacedCall, end: End, otherwise: Outcome) -> Outcome:
    assert call.ended_at is not None
    lasted_s = call.ended_at - call.placed_at
    if end == "no_answer" and _cut_off(call):
        # Somebody may have answered later than we waited; sooner nobody did.
        answers_s = otherwise.set_up_s + (otherwise.rings_s or 0.0)
        set_up_s = max(lasted_s, otherwise.set_up_s) if call.rang_at is None else call.rang_at - call.placed_at
        if otherwise.end == "answered" and answers_s > lasted_s:
            return msgspec.structs.replace(otherwise, set_up_s=set_up_s, rings_s=max(0.0, answers_s - set_up_s))
        return Outcome(end="no_answer", set_up_s=set_up_s, cause=19, sip_code=480)
    rings_s = None if call.rang_at is None else call.ended_at - call.rang_at
    return Outcome(
        end=end,
        set_up_s=lasted_s - (rings_s or 0.0),
        rings_s=rings_s,
        cause=call.cause,
        sip_code=call.sip_code,
    )


def _invalid(otherwise: Outcome) -> Outcome:
    return Outcome(end="invalid", set_up_s=otherwise.set_up_s, cause=1, sip_code=404)


def _is_machine(call: PlacedCall) -> bool:
    return call.verdict == "machine" or call.disposition == Disposition.MACHINE


def _reported(call: PlacedCall) -> bool:
    """Whether an agent spoke and reported: the record knows the whole conversation."""
    return call.bridged_at is not None and call.ended_at is not None and call.disposition not in _NO_REPORT


def _talk_s(call: PlacedCall) -> float:
    assert call.ended_at is not None and call.bridged_at is not None
    return max(0.0, call.ended_at - call.bridged_at)


def _wrap_up_s(call: PlacedCall) -> float:
    if call.disposed_at is None or call.ended_at is None:
        return 0.0
    return max(0.0, call.disposed_at - call.ended_at)
