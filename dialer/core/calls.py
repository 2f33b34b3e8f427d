"""Calls from their reservation to their end, and the pairing of answered calls with agents."""

from __future__ import annotations

from math import inf

from carriers.caller_id import CallerIdChoice
from carriers.causes import EndKind, kind_of, read_end
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import IDLE
from dialer.core.attempt import DIALLING, DISPOSING, INHERITED, REROUTING, RINGING, SCREENING, TALKING, Attempt
from dialer.core.disposition import END_DISPOSITION, Disposition
from dialer.core.launching import TICK_S, Launching
from dialer.core.planning import Planning
from dialer.core.retry import after_refusal
from dialer.core.routing import Routing
from dialer.core.settling import Settling
from dialer.core.state import LAUNCHED_AT, RUNG_SINCE, CampaignState
from dialer.core.timers import ATTEMPT_LIMIT, SET_UP, WRAP_UP_LIMIT

# Beyond the ring time-out (or the message's length) the switch must have ended the call by itself.
ENDED_BY_SWITCH_S = 15.0
UNBRIDGED_LIMIT_S = 60.0

_UNLIMITED = (TALKING, INHERITED)


class Calls:
    """Handles what the store and the switch say of attempts."""

    def __init__(
        self, state: CampaignState, launching: Launching, settling: Settling, routing: Routing, planning: Planning
    ) -> None:
        self._state = state
        self._planning = planning
        self._routing = routing
        self._launching = launching
        self._settling = settling

    def reserved(self, event: ev.Reserved) -> None:
        for attempt_id in event.attempt_ids:
            attempt = self._state.attempts.get(attempt_id)
            if attempt is None or attempt.held or not attempt.allows(ev.Reserved):
                self._state.counters.late_events += 1
                continue
            attempt.held = True
            self._state.held.append(attempt_id)
        self._tell_stale(event.warnings)
        self.set_up_held()

    def set_up_held(self) -> None:
        """Dial what the store holds for us, as fast as the trunks take call set-ups, while there are agents."""
        state = self._state
        nobody = state.floor.idle + len(state.floor.busy) == 0
        earliest = inf
        for _ in range(len(state.held)):
            attempt = state.attempts[state.held.popleft()]
            closed = nobody or attempt.hang_up_asked or not self._launching.may_dial()
            shown = None if closed or state.now >= attempt.closes_at else self._routing.face(attempt)
            if shown is None:
                self._not_placed(attempt)
            elif state.desk.loads.set_up(trunk := state.desk.places[attempt.trunk], state.now):
                self._originate(attempt, shown)
            else:
                state.held.append(attempt.attempt_id)
                earliest = min(earliest, state.desk.loads.next_set_up_at(trunk, state.now))
        if earliest < (inf if state.set_up_at is None else state.set_up_at):
            state.set_up_at = earliest
            state.timers.set(earliest, SET_UP)

    def _not_placed(self, attempt: Attempt) -> None:
        """Held, but not dialled: it stays counted, which is the safe side. One that a trunk has failed already ends as
        that failure."""
        if attempt.state is not REROUTING:
            self._settling.undialled(attempt, Disposition.CANCELLED)
            return
        self._routing.release(attempt, set_up=False)
        attempt.move(ev.AttemptEnded)
        attempt.try_no -= 1  # the next one never came about
        attempt.trunk = attempt.tried[-1]
        attempt.ended_at = self._state.now
        self._settling.not_live(attempt, fault=True)
        self._settling.close(attempt, attempt.failed_as)

    def _originate(self, attempt: Attempt, shown: CallerIdChoice) -> None:
        state = self._state
        state.counters.attempts += attempt.try_no == 1
        attempt.move(ev.Reserved if attempt.try_no == 1 else act.Originate)
        if attempt.originated_at is not None:  # of the try that failed
            state.counters.line_s += state.now - attempt.originated_at
        attempt.originated_at = state.now
        state.lines.column(LAUNCHED_AT)[attempt.row] = state.now  # it rings from now on, not from its claim
        attempt.caller_id = shown.number
        self._routing.placed(attempt, shown)
        state.out.append(
            act.Originate(
                attempt_id=attempt.attempt_id,
                try_no=attempt.try_no,
                lead_id=attempt.claim.lead_id,
                number=attempt.number,
                trunk=attempt.trunk,
                caller_id=attempt.caller_id,
                ring_timeout_s=state.campaign.ring_timeout_s,
                message=state.duties.message(attempt.claim.profiles),
                route=self._routing.note(attempt, shown),
                score=self._planning.note(attempt),
            )
        )
        limit = state.now + state.campaign.ring_timeout_s + ENDED_BY_SWITCH_S
        state.timers.set_coarse(limit, ATTEMPT_LIMIT, attempt.attempt_id)

    def _tell_stale(self, warnings: tuple[tuple[int, str], ...]) -> None:
        """Alert once a run for each registry that is older than it should be, and only warned of."""
        state = self._state
        for _, registry in warnings:
            if registry not in state.stale_lists:
                state.stale_lists = [*state.stale_lists, registry]
                text = f"the registry {registry} is older than its rule allows: `dialer dnc import` a newer one"
                state.out.append(act.Alert(text=text))

    def refused(self, event: ev.Refused) -> None:
        for refusal in event.refusals:
            attempt = self._state.attempts.get(refusal.attempt_id)
            if attempt is None or attempt.held or not attempt.allows(ev.Refused):
                self._state.counters.late_events += 1
                continue
            attempt.move(ev.Refused)
            self._settling.forget(attempt)
            self._state.counters.refusals[refusal.rule] += 1
            entry = self._state.queue[attempt.lead]
            self._state.queue.changed.add(attempt.lead)
            entry.progress = after_refusal(
                entry.progress, attempt.number_index, attempt.claim, refusal, event.at + TICK_S
            )
            if entry.progress.status == "ready":
                self._settling.requeue(attempt.lead)
        self._launching.ask("Refused")

    def reservation_lost(self, event: ev.ReservationLost) -> None:
        for attempt_id in event.attempt_ids:
            attempt = self._state.attempts.get(attempt_id)
            if attempt is not None and not attempt.held and attempt.allows(ev.ReservationLost):
                self._settling.undialled(attempt, Disposition.UNKNOWN)

    def _fits(self, attempt_id: int, trigger: type, try_no: int = 0) -> Attempt | None:
        """The live attempt, if this fact from outside still fits it; `try_no` 0: a fact that no other try can have."""
        attempt = self._state.attempts.get(attempt_id)
        stale = attempt is not None and 0 < try_no < attempt.try_no
        if attempt is None or stale or not attempt.allows(trigger):
            self._state.counters.late_events += 1
            return None
        return attempt

    def ringing(self, event: ev.AttemptRinging) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptRinging, event.try_no)
        if attempt is not None:
            attempt.move(ev.AttemptRinging)
            if attempt.rang_at is not None:
                return
            attempt.rang_at = self._state.now
            if attempt.row >= 0:
                self._state.lines.column(RUNG_SINCE)[attempt.row] = attempt.rang_at
            self._routing.rang(attempt, event.at)

    def answered(self, event: ev.AttemptAnswered) -> None:
        state = self._state
        attempt = self._fits(event.attempt_id, ev.AttemptAnswered, event.try_no)
        if attempt is None:
            return
        attempt.move(ev.AttemptAnswered)
        attempt.connected_at = attempt.answered_at = event.at
        if attempt.cut_short:
            # The answer came first: a switch that knew of it by then let the call be. Else its end follows at once.
            attempt.hang_up_asked = False
        state.counters.answers += 1
        self._routing.answered(attempt)
        state.timers.set_coarse(state.now + UNBRIDGED_LIMIT_S, ATTEMPT_LIMIT, attempt.attempt_id)
        if not state.campaign.amd:
            self._settling.live_answer(attempt)
            self._to_waiting(attempt)

    def screened(self, event: ev.AttemptScreened) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptScreened)
        if attempt is None:
            return
        if attempt.machine:
            return  # said twice
        if event.verdict == "machine":
            attempt.machine = True  # the switch hangs up; AttemptEnded settles it
            self._settling.not_live(attempt)
            return
        attempt.answered_at = event.at  # the 2 s run from the end of the greeting
        attempt.greeting_began_at = event.greeting_began_at
        attempt.greeting_ended_at = event.greeting_ended_at
        self._settling.live_answer(attempt)
        self._to_waiting(attempt)

    def _to_waiting(self, attempt: Attempt) -> None:
        attempt.move(ev.AttemptScreened)
        self._state.waiting[attempt.attempt_id] = attempt
        self.match()
        self._launching.ask("AttemptAnswered")

    def bridged(self, event: ev.AttemptBridged) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptBridged)
        if attempt is None or attempt.agent_id != event.agent_id:
            return
        attempt.move(ev.AttemptBridged)
        attempt.bridged_at = event.at
        self._state.floor.agents[event.agent_id].move(ev.AttemptBridged, event.at)
        self._state.counters.bridged += 1
        self._state.counters.answer_to_bridge_s += event.at - (attempt.answered_at or event.at)
        self._state.abandon_book.enter(attempt, event.at)

    def bridge_failed(self, event: ev.BridgeFailed) -> None:
        attempt = self._fits(event.attempt_id, ev.BridgeFailed)
        if attempt is None or attempt.agent_id != event.agent_id:
            return
        self._state.floor.release(self._state.floor.agents[event.agent_id], ev.BridgeFailed, event.at)
        if event.agent_gone:
            # Another agent must not be offered this leg again; its own log-out follows.
            self._state.floor.pause(self._state.floor.agents[event.agent_id], "leg lost", event.at)
        self.back_to_waiting(attempt)
        self._launching.ask("BridgeFailed")

    def back_to_waiting(self, attempt: Attempt) -> None:
        attempt.move(ev.BridgeFailed)
        attempt.agent_id = None
        if attempt.abandoned:
            attempt.move(ev.AttemptAbandoned)
            self.match()
            return
        # It has waited longer than any other: first in line for the next agent.
        self._state.waiting = {attempt.attempt_id: attempt, **self._state.waiting}
        self.match()

    def abandoned(self, event: ev.AttemptAbandoned) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptAbandoned)
        if attempt is None:
            return
        attempt.move(ev.AttemptAbandoned)
        self._state.waiting.pop(attempt.attempt_id, None)
        self._settling.abandon(attempt)
        self._launching.ask("AttemptAbandoned")

    def attempt_ended(self, event: ev.AttemptEnded) -> None:
        attempt = self._fits(event.attempt_id, ev.AttemptEnded, event.try_no)
        if attempt is None:
            return
        if attempt.state is REROUTING:  # its next try is not placed: nothing outside can have ended
            self._state.counters.late_events += 1
            return
        end = self._routing.ended(attempt, event)
        if self._routing.next_try(attempt, end, lost=event.lost):
            self._state.held.append(attempt.attempt_id)
            self.set_up_held()
            self._launching.ask("AttemptEnded")
            return
        before = attempt.state
        attempt.move(ev.AttemptEnded)
        attempt.ended_at = event.at
        if before is INHERITED:
            self._settling.close(attempt, Disposition.UNKNOWN)
        elif before is TALKING:
            self._call_over(attempt)
        elif before in (DIALLING, RINGING):
            fault = kind_of(end) in (EndKind.CARRIER_FAULT, EndKind.CONGESTION)
            self._settling.not_live(attempt, lost=event.lost, fault=fault)
            self._settling.close(attempt, self._unanswered(attempt, event))
        elif before is SCREENING and attempt.machine:
            self._settling.close(attempt, Disposition.MACHINE)
        else:
            self._gone_unserved(attempt, lost=event.lost)
        self._launching.ask("AttemptEnded")

    def _unanswered(self, attempt: Attempt, event: ev.AttemptEnded) -> Disposition:
        if event.lost:
            return Disposition.UNKNOWN
        if attempt.hang_up_asked:
            return Disposition.NO_ANSWER if attempt.cut_short else Disposition.CANCELLED
        end = read_end(event.cause, event.sip_code, rang=attempt.rang_at is not None, answered=False)
        if attempt.doubtful and kind_of(end) is not EndKind.CALLED_PARTY:
            return Disposition.UNKNOWN
        return END_DISPOSITION.get(end, Disposition.UNKNOWN)

    def _call_over(self, attempt: Attempt) -> None:
        agent = self._state.floor.get(attempt.agent_id or "")
        if agent is None or agent.attempt_id != attempt.attempt_id:
            # The agent's leg was lost in the call: nobody is left to wrap it up.
            self._settling.close(attempt, attempt.disposition or Disposition.UNDISPOSED)
            return
        agent.move(ev.AttemptEnded, self._state.now)
        limit = self._state.now + self._state.campaign.wrap_up_limit_s
        self._state.timers.set(limit, WRAP_UP_LIMIT, attempt.attempt_id)

    def _gone_unserved(self, attempt: Attempt, *, lost: bool) -> None:
        """Answered, and ended before any agent: abandoned, also when the called party did not wait for the limit."""
        self._state.waiting.pop(attempt.attempt_id, None)
        agent = self._state.floor.get(attempt.agent_id or "")
        if agent is not None and agent.attempt_id == attempt.attempt_id:
            self._state.floor.release(agent, ev.AttemptEnded, self._state.now)
            self.match()
        waited_s = self._state.now - (attempt.answered_at or self._state.now)
        if lost and not attempt.abandoned and waited_s <= self._state.campaign.connect_deadline_s:
            if attempt.live:  # the law's accounts take what nobody knows for the worse
                self._state.abandon_book.enter(attempt, self._state.now)
            self._settling.close(attempt, Disposition.UNKNOWN)
            return
        attempt.left = not (attempt.abandoned or attempt.hang_up_asked or attempt.cut_short or lost)
        self._settling.live_answer(attempt)
        self._settling.abandon(attempt)
        self._settling.close(attempt, Disposition.ABANDONED)

    def survived(self, event: ev.AttemptSurvived) -> None:
        """A call of an earlier run goes on: its agent is busy, and its end will be settled like any other."""
        attempt = self._fits(event.attempt_id, ev.AttemptSurvived)
        agent = self._state.floor.get(event.agent_id)
        if attempt is None:
            return
        attempt.move(ev.AttemptSurvived)
        attempt.try_no = event.try_no
        self._routing.survived(attempt, event.trunk)
        attempt.bridged_at = event.at
        attempt.agent_id = event.agent_id
        if agent is None or agent.state is not IDLE:
            return  # whoever talks is not on our floor: the call goes on all the same, and its end settles it
        self._state.floor.take_up(agent, attempt.attempt_id, event.at, attempt.segment)

    def limit_passed(self, attempt_id: int) -> None:
        """The switch should have ended this call by itself: hang it up; failing that, its outcome is unknown."""
        attempt = self._state.attempts.get(attempt_id)
        if attempt is None or attempt.state in (DISPOSING, REROUTING):
            return  # the next try of one that is rerouted has its own limit
        if attempt.state in _UNLIMITED and not attempt.hang_up_asked:
            return
        began = attempt.answered_at or attempt.originated_at or attempt.reserved_at
        allowed = UNBRIDGED_LIMIT_S if attempt.answered_at else self._state.campaign.ring_timeout_s + ENDED_BY_SWITCH_S
        if self._state.now < began + allowed and not attempt.hang_up_asked:
            self._state.timers.set_coarse(began + allowed, ATTEMPT_LIMIT, attempt_id)
            return
        if not attempt.hang_up_asked:
            self._settling.hang_up(attempt, "overdue")
            self._state.timers.set_coarse(self._state.now + ENDED_BY_SWITCH_S, ATTEMPT_LIMIT, attempt_id)
        else:
            self.attempt_ended(
                ev.AttemptEnded(at=self._state.now, attempt_id=attempt_id, try_no=attempt.try_no, cause=0, lost=True)
            )

    def match(self) -> None:
        """Give the calls that wait longest to the agents who idle longest."""
        state = self._state
        for attempt in list(state.waiting.values()):
            if attempt.hang_up_asked:
                continue  # it is about to go
            segment = state.queue[attempt.lead].segment
            skill = state.segment_rules.skill(segment)
            agent = state.floor.reserve(attempt.attempt_id, state.now, attempt.segment, skill)
            if agent is None:
                return
            del state.waiting[attempt.attempt_id]
            attempt.move(act.Bridge)
            attempt.agent_id = agent.agent_id
            state.out.append(
                act.Bridge(
                    attempt_id=attempt.attempt_id, agent_id=agent.agent_id, script=state.segment_rules.script(segment)
                )
            )
