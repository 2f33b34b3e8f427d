"""The dialer brain: events in, actions out, no I/O.

How it works: `step` gives each event to its handler; handlers move the state machines and append actions. Whatever
changes supply or demand asks for a decision, which a timer takes 50 ms after the first ask, over all that came in
since. A decision reads the floor and the lines in flight, asks the policy how many lines to launch, takes that many
leads from the dial queue and answers with `Reserve`; only `Reserved` leads to `Originate`. Every attempt that was
held by the store ends in exactly one `Settle`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import numpy as np

from carriers.caller_id import choose_caller_id
from carriers.causes import CallEnd, read_end
from carriers.router import SpreadRouter
from carriers.trunk import TrunkLoad
from compliance.frequency import DialCandidate
from compliance.ruleset import EVERYTHING, RuleSet
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import Agent, AgentState
from dialer.core.attempt import Attempt, AttemptState
from dialer.core.counters import Counters
from dialer.core.dial_queue import DialQueue
from dialer.core.disposition import AGENT_DISPOSITIONS, STOPPING, Disposition
from dialer.core.floor import Floor
from dialer.core.lead import LeadProgress
from dialer.core.learned import Learned
from dialer.core.live_rows import LiveRows
from dialer.core.retry import after_attempt
from dialer.core.status import CampaignStatus
from dialer.core.timers import TimerKind, Timers
from models.answer import AnswerTable
from pacing.policy import Pace, Policy
from pacing.view import PacingView

DECISION_DELAY_S = 0.05
TICK_S = 1.0
SAVE_S = 60.0
SLOW_TICK_S = 60.0
CLAIMS_PER_BATCH = 100
# Beyond the ring time-out (or the message's length) the switch must have ended the call by itself.
ENDED_BY_SWITCH_S = 15.0
UNBRIDGED_LIMIT_S = 60.0
ATTEMPTS_PER_RUN = 1_000_000_000

_KEYED = AGENT_DISPOSITIONS | {Disposition.MACHINE}
_END_DISPOSITION = {
    CallEnd.NO_ANSWER: Disposition.NO_ANSWER,
    CallEnd.BUSY: Disposition.BUSY,
    CallEnd.REJECTED: Disposition.BUSY,
    CallEnd.CONGESTION: Disposition.CONGESTION,
    CallEnd.INVALID_NUMBER: Disposition.INVALID_NUMBER,
    CallEnd.FAILED: Disposition.FAILED,
}
_UNLIMITED = (AttemptState.TALKING, AttemptState.DISPOSING, AttemptState.INHERITED)
_IN_FLIGHT = (AttemptState.RESERVING, AttemptState.DIALLING, AttemptState.RINGING, AttemptState.SCREENING)


class Engine:
    """The dialer without I/O. One writer calls `step` once per event, in order; the same events give the same actions.

    `policies` has one for each mode; all of them learn, so that a change of mode loses nothing. `run` is the lease's
    fence: attempt ids of two runs never meet. `seed` feeds the policy's dithering.
    """

    def __init__(
        self, campaign: Campaign, *, rules: RuleSet, policies: Mapping[str, Policy], run: int, seed: int
    ) -> None:
        self.campaign = campaign
        self.mode: str = campaign.mode
        self.target_abandon_rate = campaign.target_abandon_rate
        self.max_lines_per_idle_agent = campaign.max_lines_per_idle_agent
        self._policies = dict(policies)
        self.queue = DialQueue(rules)
        self.floor = Floor(agent.id for agent in campaign.agents)
        self.counters = Counters()
        self.ended = False
        self.draining = False
        self.paused = False
        self._rules = rules
        self._rng = np.random.default_rng([seed, run])
        self._router = SpreadRouter(
            [TrunkLoad(t.name, max_channels=t.max_channels, max_cps=t.max_cps) for t in campaign.trunks]
        )
        self._answers = AnswerTable()
        self._timers = Timers()
        self._attempts: dict[int, Attempt] = {}
        self._lines = LiveRows(columns=2)  # launched at, probability of a live answer
        self._waiting: dict[int, Attempt] = {}  # answered and without an agent, oldest first
        self._next_attempt_id = run * ATTEMPTS_PER_RUN
        self._now = -inf
        self._asked_by = ""  # what asked for the decision that is due; empty: none is
        self._ticking = False
        self._loaded = False
        self._link_up = False
        self._store_ok = True
        self._decisions: deque[tuple[float, act.Decision]] = deque(maxlen=8)
        self._last_guard = ""
        self._out: list[act.Action] = []
        self._settlements: list[act.Settlement] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.LeadsAdded: self._leads_added,
            ev.LeadStopped: self._lead_stopped,
            ev.AgentLoggedIn: self._agent_logged_in,
            ev.AgentLoggedOut: self._agent_logged_out,
            ev.AgentPaused: self._agent_paused,
            ev.AgentReadied: self._agent_readied,
            ev.AgentKeyed: self._agent_keyed,
            ev.AttemptDisposed: self._attempt_disposed,
            ev.AgentLogoutOrdered: self._agent_logout_ordered,
            ev.Reserved: self._reserved,
            ev.Refused: self._refused,
            ev.ReservationLost: self._reservation_lost,
            ev.AttemptsInherited: self._attempts_inherited,
            ev.StateRecalled: self._state_recalled,
            ev.StoreStalled: self._store_stalled,
            ev.StoreRecovered: self._store_recovered,
            ev.AttemptRinging: self._attempt_ringing,
            ev.AttemptAnswered: self._attempt_answered,
            ev.AttemptScreened: self._attempt_screened,
            ev.AttemptBridged: self._attempt_bridged,
            ev.BridgeFailed: self._bridge_failed,
            ev.AttemptAbandoned: self._attempt_abandoned,
            ev.AttemptEnded: self._attempt_ended,
            ev.AttemptSurvived: self._attempt_survived,
            ev.LinkDropped: self._link_dropped,
            ev.LinkUp: self._link_came_up,
            ev.PacingChanged: self._pacing_changed,
            ev.LaunchingPaused: self._launching_paused,
            ev.LaunchingResumed: self._launching_resumed,
            ev.DrainOrdered: self._drain_ordered,
            ev.StopOrdered: self._stop_ordered,
            ev.TimePassed: self._time_passed,
        }

    # ---- the contract ---------------------------------------------------------------------------------------
    def step(self, event: ev.Event) -> list[act.Action]:
        """Take in one fact and return what is to be done about it. Time never runs backwards here."""
        self._now = max(self._now, event.at)
        self.counters.events += 1
        self._out = []
        self._handlers[type(event)](event)
        if self._settlements:
            self._out.append(act.Settle(settlements=tuple(self._settlements)))
            self._settlements.clear()
        if self.draining and not self._attempts and not self.ended:
            self._end("drained")
        return self._out

    @property
    def policy(self) -> Policy:
        """The policy of the present mode."""
        return self._policies[self.mode]

    @property
    def next_timer_at(self) -> float | None:
        """When `TimePassed` is wanted; None: not at all."""
        return None if self.ended else self._timers.next_at

    @property
    def store_ok(self) -> bool:
        """Whether the store took the last thing it was asked."""
        return self._store_ok

    @property
    def live_attempts(self) -> int:
        """Attempts that have not been settled."""
        return len(self._attempts)

    def status(self) -> CampaignStatus:
        """The campaign at a glance."""
        counters, counts = self.counters, self.floor.count()
        states = [attempt.state for attempt in self._attempts.values()]
        return CampaignStatus(
            campaign=self.campaign.campaign,
            at=self._now,
            mode=self.mode,
            policy=self.policy.policy_id,
            draining=self.draining,
            paused=self.paused,
            link_up=self._link_up,
            store_ok=self._store_ok,
            agents={state.name.lower(): count for state, count in counts.items()},
            dialling=len(self._lines),
            waiting=len(self._waiting),
            talking=states.count(AttemptState.TALKING),
            leads=len(self.queue),
            leads_queued=self.queue.queued,
            leads_open=self.queue.queued + len(self._attempts),
            attempts=counters.attempts,
            live_answers=counters.live_answers,
            bridged=counters.bridged,
            abandoned=counters.abandoned,
            abandon_rate=counters.abandon_rate,
            target_abandon_rate=self.target_abandon_rate,
            max_lines_per_idle_agent=self.max_lines_per_idle_agent,
            right_party_contacts=counters.right_party_contacts,
            promises=counters.promises,
            dispositions=dict(counters.dispositions),
            refusals=dict(counters.refusals),
            answer_to_bridge_s=counters.answer_to_bridge_s / counters.bridged if counters.bridged else None,
            handle_s=counters.handle_s / counters.handled if counters.handled else None,
            decisions=tuple(self._decisions),
            closed_rule=self.queue.closed_rule(),
            next_change_at=self.queue.next_change_at(self._now),
        )

    # ---- leads ----------------------------------------------------------------------------------------------
    def _leads_added(self, event: ev.LeadsAdded) -> None:
        for lead, progress in zip(event.leads, event.progress, strict=True):
            if len(progress.number_ready_at) != len(lead.numbers):
                progress = _fresh(progress, len(lead.numbers))
            self.queue.add(lead, progress)
        if not self._loaded:
            self._loaded = True
            self._timers.set(self._now + SAVE_S, TimerKind.SAVE)
        self._ask("LeadsAdded")
        self._start_ticking()

    def _lead_stopped(self, event: ev.LeadStopped) -> None:
        """The store refuses the lead from now on; here only calls that nobody has answered yet are hung up.

        The stop of everything also ends the campaign: what it refuses now must not look like a finished list.
        """
        if event.key == EVERYTHING:
            self.draining = True
        self._stop((event.key,), event.reason)

    def _stop(self, keys: tuple[str, ...], reason: str) -> None:
        for attempt in self._attempts.values():
            if attempt.state in _IN_FLIGHT and not set(keys).isdisjoint(attempt.claim.stop_keys):
                self._hang_up(attempt, f"stop:{reason}")

    # ---- agents ---------------------------------------------------------------------------------------------
    def _agent_logged_in(self, event: ev.AgentLoggedIn) -> None:
        agent = self.floor.get(event.agent_id)
        if agent is not None:
            self.floor.log_in(agent, event.at)
            self._agent_free(event)

    def _agent_logged_out(self, event: ev.AgentLoggedOut) -> None:
        agent = self.floor.get(event.agent_id)
        if agent is None:
            return
        attempt = self._attempts.get(self.floor.log_out(agent, event.at) or -1)
        if attempt is not None:
            if attempt.state is AttemptState.BRIDGING:
                self._back_to_waiting(attempt)
            elif attempt.state is AttemptState.DISPOSING:
                self._close(attempt, attempt.disposition or Disposition.UNDISPOSED)
        self._ask("AgentLoggedOut")

    def _agent_paused(self, event: ev.AgentPaused) -> None:
        agent = self.floor.get(event.agent_id)
        if agent is not None:
            self.floor.pause(agent, event.reason, event.at)
            self._ask("AgentPaused")

    def _agent_readied(self, event: ev.AgentReadied) -> None:
        agent = self.floor.get(event.agent_id)
        if agent is None:
            return
        if agent.state is AgentState.WRAP_UP:
            self._end_wrap_up(agent)
        else:
            self.floor.ready(agent, event.at)
        self._agent_free(event)

    def _agent_keyed(self, event: ev.AgentKeyed) -> None:
        """A key means what the campaign's table says; a key without a meaning now is ignored."""
        meaning = self.campaign.keys.get(event.key)
        agent = self.floor.get(event.agent_id)
        if meaning is None or agent is None:
            return
        if meaning.pause is not None:
            self._agent_paused(ev.AgentPaused(at=event.at, agent_id=event.agent_id, reason=meaning.pause))
        elif meaning.ready:
            self._agent_readied(ev.AgentReadied(at=event.at, agent_id=event.agent_id))
        elif meaning.disposition is not None:
            self._dispose(agent, meaning.disposition, ends_wrap_up=True)

    def _attempt_disposed(self, event: ev.AttemptDisposed) -> None:
        agent = self.floor.get(event.agent_id)
        if agent is not None and agent.attempt_id == event.attempt_id:
            self._dispose(agent, event.disposition, ends_wrap_up=event.ends_wrap_up)

    def _dispose(self, agent: Agent, disposition: str, *, ends_wrap_up: bool) -> None:
        if agent.state not in (AgentState.ON_CALL, AgentState.WRAP_UP) or disposition not in _KEYED:
            return
        attempt = self._attempts.get(agent.attempt_id or -1)
        if attempt is not None:
            attempt.disposition = disposition
        if agent.state is AgentState.WRAP_UP and ends_wrap_up:
            self._end_wrap_up(agent)

    def _agent_logout_ordered(self, event: ev.AgentLogoutOrdered) -> None:
        """Hang up the agent's leg now, or after the call."""
        agent = self.floor.get(event.agent_id)
        if agent is None or agent.state is AgentState.OFFLINE:
            return
        busy = agent.attempt_id is not None
        self.floor.pause(agent, f"logged out by {event.by}", event.at)
        agent.logging_out = True
        if not busy:
            self._out.append(act.LogOut(agent_id=agent.agent_id))

    def _end_wrap_up(self, agent: Agent) -> None:
        attempt = self._attempts.get(agent.attempt_id or -1)
        handle_s = self.floor.wrapped_up(agent, self._now)
        if attempt is None or not attempt.survived:  # nobody here knows when a survivor's call began
            for policy in self._policies.values():
                policy.handled(handle_s=handle_s)
            self.counters.handle_s += handle_s
            self.counters.handled += 1
        if attempt is not None:
            self._close(attempt, attempt.disposition or Disposition.UNDISPOSED)
        if agent.logging_out:
            self._out.append(act.LogOut(agent_id=agent.agent_id))
        self._match()
        self._ask("AttemptDisposed")

    def _agent_free(self, event: ev.Event) -> None:
        self._match()
        self._ask(type(event).__name__)
        self._start_ticking()

    # ---- the store's answers --------------------------------------------------------------------------------
    def _reserved(self, event: ev.Reserved) -> None:
        for attempt_id in event.attempt_ids:
            attempt = self._attempts.get(attempt_id)
            if attempt is None or not attempt.allows(ev.Reserved):
                self.counters.late_events += 1
                continue
            if attempt.hang_up_asked or not self._may_dial() or event.at >= attempt.closes_at:
                # Held, but not dialled: it stays counted, which is the safe side.
                self._undialled(attempt, Disposition.CANCELLED)
                continue
            attempt.move(ev.Reserved)
            self._originate(attempt)

    def _originate(self, attempt: Attempt) -> None:
        attempt.originated_at = self._now
        attempt.caller_id = choose_caller_id(attempt.number, self.campaign.caller_ids)
        self.counters.attempts += 1
        self._out.append(
            act.Originate(
                attempt_id=attempt.attempt_id,
                try_no=attempt.try_no,
                lead_id=attempt.claim.lead_id,
                number=attempt.number,
                trunk=attempt.trunk,
                caller_id=attempt.caller_id,
                ring_timeout_s=self.campaign.ring_timeout_s,
            )
        )
        limit = self._now + self.campaign.ring_timeout_s + ENDED_BY_SWITCH_S
        self._timers.set(limit, TimerKind.ATTEMPT_LIMIT, attempt.attempt_id)

    def _refused(self, event: ev.Refused) -> None:
        for refusal in event.refusals:
            attempt = self._attempts.get(refusal.attempt_id)
            if attempt is None or not attempt.allows(ev.Refused):
                self.counters.late_events += 1
                continue
            attempt.move(ev.Refused)
            self._forget(attempt)
            self.counters.refusals[refusal.rule] += 1
            entry = self.queue[attempt.lead]
            if refusal.retry_at is None:
                status = "stopped" if refusal.rule.startswith("stop:") else "finished"
                entry.progress = _with(entry.progress, status=status)
            else:
                entry.progress = _with(entry.progress, next_at=max(refusal.retry_at, event.at + TICK_S))
                self.queue.put(attempt.lead)
        self._ask("Refused")

    def _reservation_lost(self, event: ev.ReservationLost) -> None:
        for attempt_id in event.attempt_ids:
            attempt = self._attempts.get(attempt_id)
            if attempt is not None and attempt.allows(ev.ReservationLost):
                self._undialled(attempt, Disposition.UNKNOWN)

    def _attempts_inherited(self, event: ev.AttemptsInherited) -> None:
        """An earlier run's claims. The switch says which of them live; the rest is settled as unknown at `LinkUp`."""
        by_id = {self.queue[i].lead.lead_id: i for i in range(len(self.queue))}
        for claim in event.claims:
            index = by_id.get(claim.lead_id)
            if index is None or claim.attempt_id in self._attempts:
                continue
            numbers = [number.e164 for number in self.queue[index].lead.numbers]
            number_index = numbers.index(claim.number) if claim.number in numbers else 0
            attempt = Attempt(claim.attempt_id, claim, index, number_index, at=claim.at, closes_at=-inf, trunk="")
            attempt.state = AttemptState.INHERITED
            attempt.survived = True
            self.queue.drop(index)
            self._attempts[claim.attempt_id] = attempt

    def _state_recalled(self, event: ev.StateRecalled) -> None:
        """Go on with what an earlier run learned; one from the future belongs to another clock and is left alone."""
        learned = event.learned
        if learned.at > event.at:
            return
        self.counters.restore(learned.counters)
        self._answers.restore(learned.answers)
        for policy in self._policies.values():
            state = learned.policies.get(policy.policy_id)
            if state:
                policy.restore(state)

    def learned(self) -> Learned:
        """What was learned and counted, for the next run."""
        return Learned(
            at=self._now,
            policies={policy.policy_id: policy.snapshot() for policy in self._policies.values()},
            answers=self._answers.snapshot(),
            counters=self.counters.snapshot(),
        )

    def _store_stalled(self, _: ev.StoreStalled) -> None:
        self._store_ok = False

    def _store_recovered(self, _: ev.StoreRecovered) -> None:
        self._store_ok = True
        self._ask("StoreRecovered")

    # ---- the switch -----------------------------------------------------------------------------------------
    def _fits(self, attempt_id: int, trigger: type) -> Attempt | None:
        """The live attempt, if this fact from outside still fits it."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or not attempt.allows(trigger):
            self.counters.late_events += 1
            return None
        return attempt

    def _attempt_ringing(self, event: ev.AttemptRinging) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptRinging)
        if attempt is not None:
            attempt.move(ev.AttemptRinging)
            attempt.rang = True

    def _attempt_answered(self, event: ev.AttemptAnswered) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptAnswered)
        if attempt is None:
            return
        attempt.move(ev.AttemptAnswered)
        attempt.answered_at = event.at
        self.counters.answers += 1
        self._timers.set(self._now + UNBRIDGED_LIMIT_S, TimerKind.ATTEMPT_LIMIT, attempt.attempt_id)
        if not self.campaign.amd:
            self._live_answer(attempt)
            self._screened(attempt)

    def _attempt_screened(self, event: ev.AttemptScreened) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptScreened)
        if attempt is None:
            return
        if event.verdict == "machine":
            attempt.machine = True  # the switch hangs up; AttemptEnded settles it
            self._not_live(attempt)
            return
        attempt.answered_at = event.at  # the 2 s run from the end of the greeting
        self._live_answer(attempt)
        self._screened(attempt)

    def _screened(self, attempt: Attempt) -> None:
        attempt.move(ev.AttemptScreened)
        self._waiting[attempt.attempt_id] = attempt
        self._match()
        self._ask("AttemptAnswered")

    def _attempt_bridged(self, event: ev.AttemptBridged) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptBridged)
        if attempt is None or attempt.agent_id != event.agent_id:
            return
        attempt.move(ev.AttemptBridged)
        attempt.bridged_at = event.at
        self.floor.agents[event.agent_id].move(ev.AttemptBridged, event.at)
        self.counters.bridged += 1
        self.counters.answer_to_bridge_s += event.at - (attempt.answered_at or event.at)

    def _bridge_failed(self, event: ev.BridgeFailed) -> None:
        attempt = self._fits(event.attempt_id, ev.BridgeFailed)
        if attempt is None or attempt.agent_id != event.agent_id:
            return
        self.floor.release(self.floor.agents[event.agent_id], ev.BridgeFailed, event.at)
        if event.agent_gone:
            # Another agent must not be offered this leg again; its own log-out follows.
            self.floor.pause(self.floor.agents[event.agent_id], "leg lost", event.at)
        self._back_to_waiting(attempt)

    def _back_to_waiting(self, attempt: Attempt) -> None:
        attempt.move(ev.BridgeFailed)
        attempt.agent_id = None
        if attempt.abandoned:
            attempt.move(ev.AttemptAbandoned)
            return
        # It has waited longer than any other: first in line for the next agent.
        self._waiting = {attempt.attempt_id: attempt, **self._waiting}
        self._match()

    def _attempt_abandoned(self, event: ev.AttemptAbandoned) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptAbandoned)
        if attempt is None:
            return
        attempt.move(ev.AttemptAbandoned)
        self._waiting.pop(attempt.attempt_id, None)
        self._abandon(attempt)
        self._ask("AttemptAbandoned")

    def _attempt_ended(self, event: ev.AttemptEnded) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptEnded)
        if attempt is None:
            return
        before = attempt.state
        attempt.move(ev.AttemptEnded)
        attempt.ended_at = event.at
        if attempt.trunk:
            self._router.give_back(attempt.trunk)
        if before is AttemptState.INHERITED:
            self._close(attempt, Disposition.UNKNOWN)
        elif before is AttemptState.TALKING:
            self._call_over(attempt)
        elif before in (AttemptState.DIALLING, AttemptState.RINGING):
            self._not_live(attempt)
            self._close(attempt, self._unanswered(attempt, event))
        elif before is AttemptState.SCREENING and attempt.machine:
            self._close(attempt, Disposition.MACHINE)
        else:
            self._gone_unserved(attempt, lost=event.lost)
        self._ask("AttemptEnded")

    def _unanswered(self, attempt: Attempt, event: ev.AttemptEnded) -> Disposition:
        if event.lost:
            return Disposition.UNKNOWN
        if attempt.hang_up_asked:
            return Disposition.CANCELLED
        end = read_end(event.cause, event.sip_code, rang=attempt.rang, answered=False)
        return _END_DISPOSITION.get(end, Disposition.UNKNOWN)

    def _call_over(self, attempt: Attempt) -> None:
        agent = self.floor.get(attempt.agent_id or "")
        if agent is None or agent.attempt_id != attempt.attempt_id:
            # The agent's leg was lost in the call: nobody is left to wrap it up.
            self._close(attempt, attempt.disposition or Disposition.UNDISPOSED)
            return
        agent.move(ev.AttemptEnded, self._now)
        limit = self._now + self.campaign.wrap_up_limit_s
        self._timers.set(limit, TimerKind.WRAP_UP_LIMIT, attempt.attempt_id)

    def _gone_unserved(self, attempt: Attempt, *, lost: bool) -> None:
        """Answered, and ended before any agent: abandoned, also when the called party did not wait for the limit."""
        self._waiting.pop(attempt.attempt_id, None)
        agent = self.floor.get(attempt.agent_id or "")
        if agent is not None and agent.attempt_id == attempt.attempt_id:
            self.floor.release(agent, ev.AttemptEnded, self._now)
            self._match()
        if lost and not attempt.abandoned:
            self._close(attempt, Disposition.UNKNOWN)
            return
        self._live_answer(attempt)
        self._abandon(attempt)
        self._close(attempt, Disposition.ABANDONED)

    def _attempt_survived(self, event: ev.AttemptSurvived) -> None:
        """A call of an earlier run goes on: its agent is busy, and its end will be settled like any other."""
        attempt = self._fits(event.attempt_id, ev.AttemptSurvived)
        agent = self.floor.get(event.agent_id)
        if attempt is None or agent is None or agent.state is not AgentState.IDLE:
            return
        attempt.move(ev.AttemptSurvived)
        attempt.agent_id = agent.agent_id
        attempt.bridged_at = event.at
        self.floor.take_up(agent, attempt.attempt_id, event.at)

    def _link_dropped(self, _: ev.LinkDropped) -> None:
        self._link_up = False

    def _link_came_up(self, _: ev.LinkUp) -> None:
        self._link_up = True
        for attempt in [a for a in self._attempts.values() if a.state is AttemptState.INHERITED]:
            attempt.move(ev.LinkUp)
            self._close(attempt, Disposition.UNKNOWN)
        self._ask("LinkUp")

    # ---- operators and time ---------------------------------------------------------------------------------
    def _pacing_changed(self, event: ev.PacingChanged) -> None:
        """In force at the next decision."""
        if event.mode is not None:
            self.mode = event.mode
        if event.target_abandon_rate is not None:
            self.target_abandon_rate = event.target_abandon_rate
        if event.max_lines_per_idle_agent is not None:
            self.max_lines_per_idle_agent = event.max_lines_per_idle_agent
        self._ask("PacingChanged")

    def _launching_paused(self, _: ev.LaunchingPaused) -> None:
        self.paused = True

    def _launching_resumed(self, _: ev.LaunchingResumed) -> None:
        self.paused = False
        self._ask("LaunchingResumed")

    def _drain_ordered(self, _: ev.DrainOrdered) -> None:
        self.draining = True

    def _stop_ordered(self, event: ev.StopOrdered) -> None:
        self.draining = True
        for attempt in list(self._attempts.values()):
            if attempt.state is AttemptState.DISPOSING:
                agent = self.floor.get(attempt.agent_id or "")
                if agent is not None and agent.attempt_id == attempt.attempt_id:
                    self._end_wrap_up(agent)
            else:
                self._hang_up(attempt, f"stopped by {event.by}")

    def _time_passed(self, event: ev.TimePassed) -> None:
        for kind, subject in self._timers.due(event.at):
            if kind is TimerKind.DECIDE:
                cause, self._asked_by = self._asked_by, ""
                self._decide(cause)
            elif kind is TimerKind.TICK:
                self._tick()
            elif kind is TimerKind.SAVE:
                self._save()
            elif kind is TimerKind.WRAP_UP_LIMIT:
                attempt = self._attempts.get(subject)
                if attempt is not None and attempt.state is AttemptState.DISPOSING:
                    self._end_wrap_up(self.floor.agents[attempt.agent_id or ""])
            else:
                self._attempt_limit(subject)

    def _save(self) -> None:
        self._out.append(act.SaveLearned(learned=self.learned()))
        self._timers.set(self._now + SAVE_S, TimerKind.SAVE)

    def _attempt_limit(self, attempt_id: int) -> None:
        """The switch should have ended this call by itself: hang it up; failing that, its outcome is unknown."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.state in _UNLIMITED:
            return
        began = attempt.answered_at or attempt.originated_at or attempt.reserved_at
        allowed = UNBRIDGED_LIMIT_S if attempt.answered_at else self.campaign.ring_timeout_s + ENDED_BY_SWITCH_S
        if self._now < began + allowed:
            return
        if not attempt.hang_up_asked:
            self._hang_up(attempt, "overdue")
            self._timers.set(self._now + ENDED_BY_SWITCH_S, TimerKind.ATTEMPT_LIMIT, attempt_id)
        else:
            self._attempt_ended(ev.AttemptEnded(at=self._now, attempt_id=attempt_id, cause=0, lost=True))

    def _tick(self) -> None:
        self._ticking = False
        if self._loaded and self.queue.queued == 0 and not self._attempts:
            self._end("list finished")
            return
        if not self._asked_by:
            self._decide("Tick")
        self._start_ticking()

    def _start_ticking(self) -> None:
        if self._ticking or self.ended:
            return
        self._ticking = True
        delay = TICK_S
        if not self._attempts and self.queue.peek(self._now) is None:
            change = self.queue.next_change_at(self._now)
            delay = SLOW_TICK_S if change is None else min(SLOW_TICK_S, max(TICK_S, change - self._now))
        self._timers.set(self._now + delay, TimerKind.TICK)

    # ---- pairing answered calls and agents ------------------------------------------------------------------
    def _match(self) -> None:
        """Give the calls that wait longest to the agents who idle longest."""
        while self._waiting and self.floor.idle:
            attempt = next(iter(self._waiting.values()))
            agent = self.floor.reserve(attempt.attempt_id, self._now)
            if agent is None:
                return
            del self._waiting[attempt.attempt_id]
            attempt.move(act.Bridge)
            attempt.agent_id = agent.agent_id
            self._out.append(act.Bridge(attempt_id=attempt.attempt_id, agent_id=agent.agent_id))

    # ---- deciding -------------------------------------------------------------------------------------------
    def _ask(self, cause: str) -> None:
        """Ask for a decision; those of the next 50 ms are taken as one."""
        if not self._asked_by and not self.ended:
            self._asked_by = cause
            self._timers.set(self._now + DECISION_DELAY_S, TimerKind.DECIDE)

    def _may_dial(self) -> bool:
        return self._link_up and self._store_ok and not self.draining and not self.paused

    def _closed(self) -> str:
        """The guard that forbids any launch now; empty if none."""
        if self.draining:
            return "draining"
        if not self._link_up:
            return "link"
        if not self._store_ok:
            return "store"
        if self.paused:
            return "paused"
        if self.floor.idle + len(self.floor.busy) == 0:
            return "no_agents"
        if self.queue.peek(self._now) is None:
            return "window" if self.queue.closed_rule() else "queue_empty"
        return ""

    def _decide(self, cause: str) -> None:
        guard = self._closed()
        if guard:
            self._note(cause, Pace(lines=0, guard=guard), 0, guard)
            return
        pace = self.policy.lines(self._view(), self._rng)
        count, guard = pace.lines, pace.guard
        room = self._router.room(self._now)
        on_switch = self.campaign.asterisk.max_calls - len(self._attempts)
        if count > min(room, on_switch):
            guard = "cps" if room < min(on_switch, self._router.free_channels) else "channels"
            count = max(0, min(room, on_switch))
        launched = self._launch(count) if count else 0
        if launched < count:
            guard = "queue_empty"
        self._note(cause, pace, launched, guard)

    def _view(self) -> PacingView:
        head = self.queue.peek(self._now)
        return PacingView(
            now=self._now,
            idle=self.floor.idle,
            handling_since=self.floor.busy.column(0),
            leaving=self.floor.leaving,
            ringing_since=self._lines.column(0),
            answer_probability=self._lines.column(1),
            waiting=len(self._waiting),
            next_answer_probability=self._answers.rate if head is None else self._probability(head),
            max_lines_per_idle_agent=self.max_lines_per_idle_agent,
            target_abandon_rate=self.target_abandon_rate,
        )

    def _probability(self, index: int) -> float:
        entry = self.queue[index]
        if entry.lead.answer_probability is not None:
            return entry.lead.answer_probability
        return self._answers.probability(entry.progress.attempts, self._now)

    def _launch(self, count: int) -> int:
        claims = [self._claim(index, closes_at) for index, closes_at in self.queue.take(count, self._now)]
        for begin in range(0, len(claims), CLAIMS_PER_BATCH):
            self._out.append(act.Reserve(claims=tuple(claims[begin : begin + CLAIMS_PER_BATCH])))
        return len(claims)

    def _claim(self, index: int, closes_at: float) -> act.Claim:
        now = self._now
        entry = self.queue[index]
        lead, number_index = entry.lead, entry.progress.number_index
        number = lead.numbers[number_index]
        candidate = DialCandidate(
            lead_id=lead.lead_id,
            person=lead.person,
            debt=lead.debt,
            number=number.e164,
            country=number.country,
            zones=number.zones,
        )
        self._next_attempt_id += 1
        attempt_id = self._next_attempt_id
        claim = act.Claim(
            attempt_id=attempt_id,
            lead_id=lead.lead_id,
            number=number.e164,
            at=now,
            stop_keys=(*self._rules.stop_keys(candidate), EVERYTHING),
            fact_keys=self._rules.fact_keys(candidate),
            caps=self._rules.caps(candidate, now),
        )
        trunk = self._router.take(now)
        assert trunk is not None, "a launch never exceeds the router's room"
        attempt = Attempt(attempt_id, claim, index, number_index, at=now, closes_at=closes_at, trunk=trunk)
        attempt.probability = self._probability(index)
        self._attempts[attempt_id] = attempt
        self._lines.add(attempt, now, attempt.probability)
        return claim

    def _note(self, cause: str, pace: Pace, launched: int, guard: str) -> None:
        """Keep a decision that launched something, or whose reason is new."""
        if not launched and guard == self._last_guard:
            return
        self._last_guard = guard
        counts = self.floor.count()
        decision = act.Decision(
            policy=self.policy.policy_id,
            cause=cause,
            idle=self.floor.idle,
            on_call=counts[AgentState.ON_CALL] + counts[AgentState.RESERVED],
            wrap_up=counts[AgentState.WRAP_UP],
            ringing=len(self._lines) - launched,
            waiting=len(self._waiting),
            wanted=pace.lines,
            launched=launched,
            guard=guard,
            figures=pace.figures,
        )
        self._decisions.append((self._now, decision))
        self._out.append(act.NoteDecision(decision=decision))

    # ---- ends -----------------------------------------------------------------------------------------------
    def _live_answer(self, attempt: Attempt) -> None:
        """Count and learn a live answer, once an attempt."""
        if attempt.live:
            return
        attempt.live = True
        self.counters.live_answers += 1
        self._learn(attempt, answered=True)

    def _not_live(self, attempt: Attempt) -> None:
        """Learn that a line came to nothing."""
        if attempt.originated_at is not None and not attempt.hang_up_asked:
            self._learn(attempt, answered=False)
        self._lines.remove(attempt)

    def _learn(self, attempt: Attempt, *, answered: bool) -> None:
        self._lines.remove(attempt)
        began = attempt.originated_at or attempt.reserved_at
        after_s = self._now - began
        attempts = self.queue[attempt.lead].progress.attempts
        self._answers.learn(attempts, began, answered=answered)
        for policy in self._policies.values():
            if answered:
                policy.answered(after_s=after_s, probability=attempt.probability)
            else:
                policy.not_answered(after_s=after_s, probability=attempt.probability)

    def _abandon(self, attempt: Attempt) -> None:
        """Count an abandoned call, once."""
        if not attempt.abandoned:
            attempt.abandoned = True
            self.counters.abandoned += 1
            for policy in self._policies.values():
                policy.abandoned()

    def _hang_up(self, attempt: Attempt, reason: str) -> None:
        attempt.hang_up_asked = True
        if attempt.state is not AttemptState.RESERVING:
            self._out.append(act.HangUp(attempt_id=attempt.attempt_id, reason=reason))

    def _undialled(self, attempt: Attempt, disposition: Disposition) -> None:
        """Held by the store, perhaps, and never dialled: settled so that nothing hangs."""
        attempt.move(ev.ReservationLost)
        self._router.give_back(attempt.trunk)
        self._lines.remove(attempt)
        self._close(attempt, disposition)

    def _forget(self, attempt: Attempt) -> None:
        """Drop an attempt for which the store holds nothing."""
        self._router.give_back(attempt.trunk)
        self._lines.remove(attempt)
        del self._attempts[attempt.attempt_id]

    def _close(self, attempt: Attempt, disposition: str) -> None:
        """Settle an attempt: count it, move its lead on, record it."""
        if attempt.state is AttemptState.DISPOSING:
            attempt.move(ev.AttemptDisposed)
        del self._attempts[attempt.attempt_id]
        self._lines.remove(attempt)
        self.counters.settled(disposition)
        entry = self.queue[attempt.lead]
        entry.progress = after_attempt(
            entry.progress,
            attempt.number_index,
            disposition,
            now=self._now,
            rules=self.campaign.retry,
            gap_s=self.campaign.number_gap,
        )
        if entry.progress.status == "ready":
            self.queue.put(attempt.lead)
        stop_reason = STOPPING.get(Disposition(disposition), "")
        if stop_reason:
            self._stop(attempt.own_stop_keys, stop_reason)  # the same person may ring on another account now
        self._settlements.append(
            act.Settlement(
                attempt_id=attempt.attempt_id,
                lead_id=attempt.claim.lead_id,
                number=attempt.number,
                at=self._now,
                disposition=disposition,
                reserved_at=attempt.reserved_at,
                originated_at=attempt.originated_at,
                answered_at=attempt.answered_at,
                bridged_at=attempt.bridged_at,
                ended_at=attempt.ended_at,
                agent_id=attempt.agent_id,
                trunk=attempt.trunk or None,
                caller_id=attempt.caller_id or None,
                fact_keys=attempt.claim.fact_keys,
                progress=entry.progress,
                stop_keys=attempt.own_stop_keys if stop_reason else (),
                stop_reason=stop_reason,
            )
        )

    def _end(self, reason: str) -> None:
        self.ended = True
        self._out.append(act.SaveLearned(learned=self.learned()))
        self._out.append(act.EndCampaign(reason=reason))


def _with(progress: LeadProgress, *, status: str | None = None, next_at: float | None = None) -> LeadProgress:
    return LeadProgress(
        lead_id=progress.lead_id,
        status=progress.status if status is None else status,
        number_index=progress.number_index,
        attempts=progress.attempts,
        next_at=progress.next_at if next_at is None else next_at,
        number_ready_at=progress.number_ready_at,
        by_disposition=progress.by_disposition,
    )


def _fresh(progress: LeadProgress, numbers: int) -> LeadProgress:
    """Give each number a rest that has passed, where the store had none."""
    ready = (progress.number_ready_at + (0.0,) * numbers)[:numbers]
    return LeadProgress(
        lead_id=progress.lead_id,
        status=progress.status,
        number_index=min(progress.number_index, numbers - 1),
        attempts=progress.attempts,
        next_at=progress.next_at,
        number_ready_at=ready,
        by_disposition=progress.by_disposition,
    )
